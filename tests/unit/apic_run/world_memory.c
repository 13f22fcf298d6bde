#include "world_memory.h"

#include "apic/run/map.h"
#include "base/uuid.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct world_memory {
    run_world_t world;
    pthread_mutex_t lock, db_lock;
    sqlite3 *db;
    run_map_t services;  /* name -> service_t */
    run_map_t artifacts; /* name -> content, as text */
    run_map_t broken, lost;
    size_t n_addresses, n_starts;
};

typedef struct {
    char uuid[UUID_LEN + 1];
    char *address;
    Orchestrator__ServiceSpec *spec;
    bool is_running;
} service_t;

static void
service_free(void *value)
{
    service_t *service = value;
    free(service->address);
    protobuf_c_message_free_unpacked(&service->spec->base, NULL);
    free(service);
}

static core_service_t *
core_service_of(const char *name, const service_t *from)
{
    core_service_t *to = calloc(1, sizeof(*to));
    to->name = strdup(name);
    to->uuid = strdup(from->uuid);
    to->private_ip = strdup(from->address);
    to->hostname = strdup(name);
    to->status = from->is_running ? CORE_SERVICE_STARTED : CORE_SERVICE_STOPPED;
    to->ports = calloc(from->spec->n_ports + 1, sizeof(*to->ports));
    for (; to->n_ports < from->spec->n_ports; to->n_ports++) {
        to->ports[to->n_ports].id = strdup(from->spec->ports[to->n_ports]->id);
        to->ports[to->n_ports].number = from->spec->ports[to->n_ports]->number;
        to->ports[to->n_ports].application_protocol = strdup("");
    }
    return to;
}

static int
not_there(const char *name, err_t **err)
{
    return err_fail(err, ERR_NOT_FOUND, "there is no service '%s'", name);
}

static int
services_start(void *arg, core_service_config_t *const *configs, size_t count, unsigned parallelism,
               core_service_t **ret_services, err_t **ret_errors, err_t **err)
{
    world_memory_t *self = arg;
    int rc = 0;
    (void)parallelism;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (run_map_get(&self->broken, configs[i]->spec->name)) {
            if (ret_errors)
                err_fail(&ret_errors[i], ERR_STATE, "the container of '%s' ended with code 1",
                         configs[i]->spec->name);
            rc = err_fail(err, ERR_STATE, "the container of '%s' ended with code 1",
                          configs[i]->spec->name);
        }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const char *name = configs[i]->spec->name;
        service_t *service = run_map_get(&self->services, name);
        if (!service) {
            service = calloc(1, sizeof(*service));
            uuid_new(service->uuid);
            service->address = str_format("172.16.0.%zu", ++self->n_addresses + 3);
            run_map_put(&self->services, name, service);
        } else {
            protobuf_c_message_free_unpacked(&service->spec->base, NULL);
        }
        service->spec = (Orchestrator__ServiceSpec *)bus_message_dup(&configs[i]->spec->base);
        service->is_running = true;
        self->n_starts++;
        ret_services[i] = core_service_of(name, service);
    }
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static int
service_remove(void *arg, const char *name, char **ret_uuid, err_t **err)
{
    world_memory_t *self = arg;
    pthread_mutex_lock(&self->lock);
    service_t *service = run_map_remove(&self->services, name);
    pthread_mutex_unlock(&self->lock);
    if (!service)
        return not_there(name, err);
    if (ret_uuid)
        *ret_uuid = strdup(service->uuid);
    service_free(service);
    return 0;
}

static int
switch_to(world_memory_t *self, const char *name, bool running, err_t **err)
{
    pthread_mutex_lock(&self->lock);
    service_t *service = run_map_get(&self->services, name);
    if (service)
        service->is_running = running;
    pthread_mutex_unlock(&self->lock);
    return service ? 0 : not_there(name, err);
}

static int
service_stop(void *arg, const char *name, err_t **err)
{
    return switch_to(arg, name, false, err);
}

static int
service_restart(void *arg, const char *name, err_t **err)
{
    return switch_to(arg, name, true, err);
}

static int
service_find(void *arg, const char *name, core_service_t **ret_service, err_t **err)
{
    world_memory_t *self = arg;
    pthread_mutex_lock(&self->lock);
    service_t *service = run_map_get(&self->services, name);
    if (service)
        *ret_service = core_service_of(name, service);
    pthread_mutex_unlock(&self->lock);
    return service ? 0 : not_there(name, err);
}

static int
service_config(void *arg, const char *name, core_service_config_t **ret_config, err_t **err)
{
    world_memory_t *self = arg;
    pthread_mutex_lock(&self->lock);
    service_t *service = run_map_get(&self->services, name);
    if (service) {
        *ret_config = core_service_config_new();
        protobuf_c_message_free_unpacked(&(*ret_config)->spec->base, NULL);
        (*ret_config)->spec = (Orchestrator__ServiceSpec *)bus_message_dup(&service->spec->base);
    }
    pthread_mutex_unlock(&self->lock);
    return service ? 0 : not_there(name, err);
}

static core_service_t **
services_all(void *arg, size_t *ret_count)
{
    world_memory_t *self = arg;
    const char *name;
    void *service;
    pthread_mutex_lock(&self->lock);
    core_service_t **all = calloc(self->services.count + 1, sizeof(core_service_t *));
    *ret_count = 0;
    for (size_t cursor = 0; run_map_next(&self->services, &cursor, &name, &service);)
        all[(*ret_count)++] = core_service_of(name, service);
    pthread_mutex_unlock(&self->lock);
    return all;
}

static int
service_exec(void *arg, const char *name, char *const *argv, int timeout_ms, int *ret_code,
             str_t *output, err_t **err)
{
    world_memory_t *self = arg;
    (void)timeout_ms;
    pthread_mutex_lock(&self->lock);
    service_t *service = run_map_get(&self->services, name);
    const bool running = service && service->is_running;
    pthread_mutex_unlock(&self->lock);
    if (!service)
        return not_there(name, err);
    if (!running)
        return err_fail(err, ERR_STATE, "service '%s' does not run", name);
    *ret_code = 0;
    if (!strcmp(argv[0], "exit")) {
        *ret_code = atoi(argv[1]);
    } else if (!strcmp(argv[0], "echo")) {
        for (size_t i = 1; argv[i]; i++)
            str_printf(output, "%s%s", i > 1 ? " " : "", argv[i]);
    } else {
        for (size_t i = 0; argv[i]; i++)
            str_printf(output, "%s%s", i ? " " : "", argv[i]);
        str_add_char(output, '\n');
    }
    return 0;
}

static int
service_request(void *arg, const char *name, const char *port_id, const core_request_t *request,
                int *ret_status, str_t *ret_body, err_t **err)
{
    world_memory_t *self = arg;
    pthread_mutex_lock(&self->lock);
    service_t *service = run_map_get(&self->services, name);
    pthread_mutex_unlock(&self->lock);
    if (!service)
        return not_there(name, err);
    *ret_status = strstr(request->endpoint, "missing") ? 404 : 200;
    str_printf(ret_body,
               "{\"method\": \"%s\", \"port\": \"%s\", \"endpoint\": \"%s\", \"body\": \"%s\", "
               "\"list\": [1, 2.5, null]}",
               request->method, port_id, request->endpoint, request->body ? request->body : "");
    return 0;
}

static bool
artifact_exists(void *arg, const char *name, char **ret_uuid)
{
    world_memory_t *self = arg;
    pthread_mutex_lock(&self->lock);
    const bool exists = run_map_get(&self->artifacts, name);
    pthread_mutex_unlock(&self->lock);
    if (exists && ret_uuid)
        *ret_uuid = strdup("0123456789abcdef0123456789abcdef");
    return exists;
}

static char **
artifact_names(void *arg, size_t *ret_count)
{
    world_memory_t *self = arg;
    const char *name;
    void *content;
    pthread_mutex_lock(&self->lock);
    char **names = calloc(self->artifacts.count + 1, sizeof(*names));
    *ret_count = 0;
    for (size_t cursor = 0; run_map_next(&self->artifacts, &cursor, &name, &content);)
        names[(*ret_count)++] = strdup(name);
    pthread_mutex_unlock(&self->lock);
    return names;
}

static int
download(void *arg, const char *url, const char *path, int timeout_ms, err_t **err)
{
    (void)arg;
    (void)path;
    (void)timeout_ms;
    return err_fail(err, ERR_UNAVAILABLE, "there is no network for '%s'", url);
}

static int
archive_path(void *arg, const char *path, char **ret_archive, char **ret_md5, err_t **err)
{
    struct stat status;
    (void)arg;
    if (stat(path, &status) < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot read '%s': %s", path, strerror(errno));
    *ret_archive = strdup("/nonexistent/archive");
    *ret_md5 = str_format("%lld", (long long)status.st_size);
    return 0;
}

static core_artifact_outcome_t
put(world_memory_t *self, const char *name, const char *content, char **ret_uuid)
{
    pthread_mutex_lock(&self->lock);
    char *old = run_map_put(&self->artifacts, name, strdup(content));
    const core_artifact_outcome_t outcome = !old                        ? CORE_ARTIFACT_NEW
                                            : strcmp(old, content) == 0 ? CORE_ARTIFACT_SAME
                                                                        : CORE_ARTIFACT_UPDATED;
    free(old);
    pthread_mutex_unlock(&self->lock);
    *ret_uuid = strdup("0123456789abcdef0123456789abcdef");
    return outcome;
}

static int
artifact_put(void *arg, const char *name, const char *archive, const char *md5,
             core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err)
{
    (void)archive;
    (void)err;
    *ret_outcome = put(arg, name, md5, ret_uuid);
    return 0;
}

static int
artifact_put_files(void *arg, const char *name, const core_file_t *files, size_t count,
                   core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err)
{
    AUTO_STR content = STR_EMPTY;
    (void)err;
    for (size_t i = 0; i < count; i++)
        str_printf(&content, "%s=%s;", files[i].path, files[i].data);
    *ret_outcome = put(arg, name, content.data, ret_uuid);
    return 0;
}

static int
artifact_put_from_service(void *arg, const char *service, const char *path, const char *name,
                          char **ret_uuid, err_t **err)
{
    AUTO(core_service) found = NULL;
    if (service_find(arg, service, &found, err) < 0)
        return -1;
    put(arg, name, path, ret_uuid);
    return 0;
}

static int
image_fetch(void *arg, const types_image_t *image, Orchestrator__FetchMode mode,
            const run_image_news_t *news, run_image_t *ret, err_t **err)
{
    (void)news;
    world_memory_t *self = arg;
    (void)mode;
    pthread_mutex_lock(&self->lock);
    const bool lost = run_map_get(&self->lost, image->name);
    pthread_mutex_unlock(&self->lock);
    if (lost)
        return err_fail(err, ERR_NOT_FOUND, "there is no image '%s'", image->name);
    ret->origin = ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL;
    ret->architecture = strdup("amd64");
    return 0;
}

static int
resources(void *arg, bool measure, run_resources_t *ret, err_t **err)
{
    (void)arg;
    (void)err;
    *ret = (run_resources_t){measure, 2000, 4000, strdup("amd64")};
    return 0;
}

static sqlite3 *
db_lock(void *arg)
{
    world_memory_t *self = arg;
    pthread_mutex_lock(&self->db_lock);
    return self->db;
}

static void
db_unlock(void *arg)
{
    pthread_mutex_unlock(&((world_memory_t *)arg)->db_lock);
}

/* The only repository that can be cloned is "far/git", which has one file, saying how it came. */
static int
package_clone(void *arg, const char *author, const char *repo, const char *version,
              const char *token_of, char **ret_note, err_t **err)
{
    world_memory_t *self = arg;
    (void)ret_note;
    if (strcmp(author, "far") != 0)
        return err_fail(err, ERR_UNAVAILABLE, "github.com/%s/%s cannot be reached", author, repo);
    AUTO_FREE char *text = str_format(
        "mkdir -p %s/far/%s && cd %s/far/%s && printf 'name: github.com/far/%s' >kurtosis.yml && "
        "printf 'TEXT = \"version %s token of %s\"\n' >x.star && "
        "printf 'x = import_module(\"x.star\")\ndef run(plan):\n    plan.print(x.TEXT)\n' "
        ">main.star",
        self->world.repositories, repo, self->world.repositories, repo, repo, version, token_of);
    return system(text) == 0 ? 0 : err_fail(err, ERR_INTERNAL, "no shell");
}

static int
package_token(void *arg, const char *package_id, const char *token, err_t **err)
{
    (void)arg, (void)package_id, (void)token, (void)err;
    return 0;
}

world_memory_t *
world_memory_new(const char *repositories)
{
    world_memory_t *self = calloc(1, sizeof(*self));
    pthread_mutex_init(&self->lock, NULL);
    pthread_mutex_init(&self->db_lock, NULL);
    const int opened = sqlite3_open(":memory:", &self->db);
    assert(opened == SQLITE_OK);
    (void)opened;
    self->world = (run_world_t){
        .self = self,
        .enclave_uuid = "e0000000000000000000000000000000",
        .enclave_env = "{\"KEY\": \"value\", \"aws_bucket_user_folder\": \"/folder/\"}",
        .backend = "docker",
        .repositories = repositories,
        .tmp = "/tmp",
        .services_start = services_start,
        .service_remove = service_remove,
        .service_stop = service_stop,
        .service_restart = service_restart,
        .service_find = service_find,
        .service_config = service_config,
        .services_all = services_all,
        .service_exec = service_exec,
        .service_request = service_request,
        .artifact_exists = artifact_exists,
        .artifact_names = artifact_names,
        .download = download,
        .archive_path = archive_path,
        .artifact_put = artifact_put,
        .artifact_put_files = artifact_put_files,
        .artifact_put_from_service = artifact_put_from_service,
        .package_clone = package_clone,
        .package_token = package_token,
        .image_fetch = image_fetch,
        .resources = resources,
        .db_lock = db_lock,
        .db_unlock = db_unlock,
    };
    return self;
}

void
world_memory_destroy(world_memory_t **self_p)
{
    world_memory_t *self = *self_p;
    if (!self)
        return;
    run_map_done(&self->services, service_free);
    run_map_done(&self->artifacts, free);
    run_map_done(&self->broken, NULL);
    run_map_done(&self->lost, NULL);
    sqlite3_close(self->db);
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->db_lock);
    free(self);
    *self_p = NULL;
}

const run_world_t *
world_memory_world(const world_memory_t *self)
{
    return &self->world;
}

void
world_memory_break(world_memory_t *self, const char *service)
{
    run_map_put(&self->broken, service, self);
}

void
world_memory_lose_image(world_memory_t *self, const char *image)
{
    run_map_put(&self->lost, image, self);
}

size_t
world_memory_starts(const world_memory_t *self)
{
    return self->n_starts;
}
