/*  core: the one object everything of an API container hangs on; see core.h. */
#include "apic/core/internal.h"

#include "apic/core/git.h"
#include "apic/core/recover.h"
#include "apic/core/registry.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/uuid.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define SERVICE "orchestrator.Orchestrator/"
#define METHOD_MAX 64

static int open_folders(core_t *self, const char *data_folder, err_t **err);
static int open_database(core_t *self, const char *data_folder, err_t **err);
static int open_network(core_t *self, const core_config_t *config, err_t **err);
static int open_roots(core_t *self, const core_config_t *config, err_t **err);

int
core_new(const core_config_t *config, core_t **ret_core, err_t **err)
{
    AUTO(core) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    pthread_mutex_init(&self->packages, NULL);
    clock_cond_init(&self->attached);
    self->claims = claims_new();
    self->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->enclave_uuid = strdup(config->enclave_uuid);
    self->enclave_name = strdup(config->enclave_name);
    self->enclave_env = strdup(config->enclave_env);
    self->backend_kind = strdup(config->backend_kind);
    self->driver = strdup(config->driver);
    self->git_mirrors = strdup(config->git_mirrors ? config->git_mirrors : "");
    self->cache = strdup(config->cache_folder ? config->cache_folder : "");
    self->is_production = config->is_production;

    if (self->stop_fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot make an event descriptor: %s", strerror(errno));
    if (open_network(self, config, err) < 0 || open_folders(self, config->data_folder, err) < 0 ||
        open_roots(self, config, err) < 0 || open_database(self, config->data_folder, err) < 0 ||
        artifacts_open(self, err) < 0 ||
        (config->github_token && config->github_token[0] &&
         core_package_token(self, "", config->github_token, err) < 0))
        return err_wrap(err, "cannot open the data of enclave '%s'", config->enclave_name);

    *ret_core = TAKE(self);
    return 0;
}

static void
on_ready(core_t *self)
{
    recover_again(self->recover);
}

int
core_attach(core_t *self, actor_t *actor, err_t **err)
{
    if (recover_new(self, actor, &self->recover, err) < 0 ||
        watch_new(self, actor, on_ready, &self->watch, err) < 0)
        return -1;
    pthread_mutex_lock(&self->lock);
    self->actor = actor;
    pthread_cond_broadcast(&self->attached);
    pthread_mutex_unlock(&self->lock);
    return 0;
}

void
core_stop(core_t *self)
{
    eventfd_write(self->stop_fd, 1);
}

void
core_destroy(core_t **self_p)
{
    core_t *self = TAKE(*self_p);
    if (!self)
        return;
    watch_destroy(&self->watch);
    recover_destroy(&self->recover);
    db_destroy(&self->db);
    if (self->stop_fd >= 0)
        close(self->stop_fd);
    claims_destroy(&self->claims);
    char *texts[] = {self->enclave_uuid, self->enclave_name, self->enclave_env,  self->backend_kind,
                     self->driver,       self->store,        self->repositories, self->tmp,
                     self->git_mirrors,  self->cache,        self->tokens,       self->git_roots};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    pthread_cond_destroy(&self->attached);
    pthread_mutex_destroy(&self->packages);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* ------------------------------------------------------------------------------------------- what
 * it knows */

const char *
core_enclave_uuid(const core_t *self)
{
    return self->enclave_uuid;
}

bool
core_is_production(const core_t *self)
{
    return self->is_production;
}

const char *
core_enclave_env(const core_t *self)
{
    return self->enclave_env;
}

const char *
core_backend_kind(const core_t *self)
{
    return self->backend_kind;
}

const char *
core_driver(const core_t *self)
{
    return self->driver;
}

const char *
core_repositories(const core_t *self)
{
    return self->repositories;
}

const char *
core_tmp(const core_t *self)
{
    return self->tmp;
}

char *
core_tmp_path(const core_t *self, const char *suffix)
{
    char uuid[UUID_LEN + 1];
    uuid_new(uuid);
    return str_format("%s/%s%s", self->tmp, uuid, suffix);
}

sqlite3 *
core_db_lock(core_t *self)
{
    return db_lock(self->db);
}

void
core_db_unlock(core_t *self)
{
    db_unlock(self->db);
}

actor_t *
core_actor(core_t *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->actor)
        pthread_cond_wait(&self->attached, &self->lock);
    actor_t *actor = self->actor;
    pthread_mutex_unlock(&self->lock);
    return actor;
}

/* --------------------------------------------------------------------------------------------- the
 * driver */

int
core_ask(core_t *self, actor_call_t *within, const char *method, const ProtobufCMessage *request,
         int timeout_ms, ProtobufCMessage **ret_reply, err_t **err)
{
    char name[sizeof SERVICE + METHOD_MAX];
    snprintf(name, sizeof name, SERVICE "%s", method);
    return actor_ask(core_actor(self), within, self->driver, name, request, timeout_ms, ret_reply,
                     err);
}

int
core_stream(core_t *self, actor_call_t *within, const char *method, const ProtobufCMessage *request,
            actor_stream_t **ret_stream, err_t **err)
{
    char name[sizeof SERVICE + METHOD_MAX];
    snprintf(name, sizeof name, SERVICE "%s", method);
    return actor_stream_open(core_actor(self), within, self->driver, name, request, ret_stream,
                             err);
}

int
core_cancel_fd(core_t *self, actor_call_t *within)
{
    return within ? actor_call_cancel_fd(within) : self->stop_fd;
}

int
core_recv(core_t *self, actor_call_t *within, actor_stream_t *stream, int timeout_ms,
          ProtobufCMessage **ret_item, err_t **err)
{
    if (!within) {
        struct pollfd fds[] = {{.fd = actor_stream_recv_fd(stream), .events = POLLIN},
                               {.fd = self->stop_fd, .events = POLLIN}};
        int count = poll(fds, ARRAY_LEN(fds), timeout_ms);
        if (count == 0)
            return err_fail(err, ERR_TIMEOUT, "the driver did not answer within %d ms", timeout_ms);
        if (fds[1].revents)
            return err_fail(err, ERR_CANCELLED, "the API container stops");
    }
    return actor_stream_recv(stream, timeout_ms, ret_item, err);
}

/* -------------------------------------------------------------------------------------- opening */

static int
open_network(core_t *self, const core_config_t *config, err_t **err)
{
    if (ip_net_parse(config->subnet, &self->net, err) < 0 ||
        ip_parse(config->gateway, &self->gateway, err) < 0 ||
        ip_parse(config->own_ip, &self->own_ip, err) < 0)
        return -1;
    if (!ip_net_has(&self->net, self->own_ip))
        return err_fail(err, ERR_INVALID, "the own address '%s' is not one of the network '%s'",
                        config->own_ip, config->subnet);
    return 0;
}

static int
open_folders(core_t *self, const char *data_folder, err_t **err)
{
    AUTO_FREE char *database = str_format("%s/enclave-database", data_folder);
    self->store = str_format("%s/artifact-store", data_folder);
    self->repositories = str_format("%s/repositories", data_folder);
    self->tokens = str_format("%s/github-auth", data_folder);
    self->tmp = str_format("%s/tmp", data_folder);
    if (file_remove_tree(self->tmp, err) < 0)
        return -1;
    const char *folders[] = {data_folder,        database,     self->store,
                             self->repositories, self->tokens, self->tmp};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (core_folder_make(folders[i], err) < 0)
            return -1;
    return 0;
}

static int
open_roots(core_t *self, const core_config_t *config, err_t **err)
{
    if (!config->git_ca || !config->git_ca[0])
        return 0;
    self->git_roots = core_tmp_path(self, ".pem");
    return git_roots_write(self->git_roots, config->git_ca, err);
}

static int
open_database(core_t *self, const char *data_folder, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/enclave-database/enclave.db", data_folder);
    if (db_open(path, registry_schema, &self->db, err) < 0)
        return -1;
    int rc = registry_open(db_lock(self->db), &self->net, self->gateway, self->own_ip, err);
    db_unlock(self->db);
    return rc;
}
