/*  backend: see backend.h. */
#include "cli/backend.h"

#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ASK_MS 120000
#define GRACE_MS 2000

struct backend {
    char folder[64]; /* of the socket; "" while there is none */
    bus_keys_t keys, driver_keys;
    bus_broker_t *broker;
    actor_t *actor;
    actor_child_t *driver;
};

char *
backend_program_folder(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len < 0)
        return strdup(".");
    path[len] = '\0';
    *strrchr(path, '/') = '\0';
    return strdup(*path ? path : "/");
}

char *
backend_program(void)
{
    AUTO_FREE char *folder = backend_program_folder();
    char *path = str_format("%s/" BACKEND_PROGRAM, folder);
    const char *search = getenv("PATH");
    while (access(path, X_OK) < 0) {
        free(path);
        if (!search || !*search)
            return NULL;
        size_t len = strcspn(search, ":");
        path = str_format("%.*s/" BACKEND_PROGRAM, (int)len, search);
        search += len + (search[len] == ':');
    }
    return path;
}

static bool
may_join(void *arg, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    const backend_t *self = arg;
    const bus_keys_t *keys = !strcmp(name, "engine")         ? &self->keys
                             : !strcmp(name, BACKEND_DRIVER) ? &self->driver_keys
                                                             : NULL;
    return keys && !memcmp(keys->public_key, key, BUS_KEY_SIZE);
}

/* The folder of the one backend there is: for a program that is interrupted. */
static char folder_to_remove[PATH_MAX];

static void
remove_folder(void)
{
    AUTO_FREE char *socket = str_format("%s/bus", folder_to_remove);
    unlink(socket);
    rmdir(folder_to_remove);
}

static int
start_bus(backend_t *self, const char *endpoint, err_t **err)
{
    const char *const endpoints[] = {endpoint, NULL};
    bus_broker_config_t broker = {
        .endpoints = endpoints, .keys = self->keys, .may_join = may_join, .arg = self};
    actor_config_t actor = {.name = "engine",
                            .program = "kurtosis " KURTOSIS_VERSION,
                            .endpoint = endpoint,
                            .keys = self->keys};
    memcpy(actor.broker_key, self->keys.public_key, BUS_KEY_SIZE);
    int result = bus_broker_new(&broker, &self->broker, err);
    if (result == 0)
        result = actor_new(&actor, &self->actor, err);
    if (result == 0)
        actor_set_drain(self->actor, 0);
    bus_keys_wipe(&broker.keys);
    bus_keys_wipe(&actor.keys);
    return result;
}

/* A driver that cannot begin says why on stderr, and would say it again at every new try. */
static void
on_driver_exit(void *arg, int status)
{
    const backend_t *self = arg;
    (void)status;
    bus_broker_give_up(self->broker);
}

static int
start_driver(backend_t *self, const char *program, const char *endpoint, err_t **err)
{
    char broker[BUS_KEY_TEXT_SIZE], secret[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->keys.public_key, broker);
    bus_key_to_text(self->driver_keys.secret_key, secret);
    AUTO_FREE char *endpoint_env = str_format("KURTOSIS_BUS_ENDPOINT=%s", endpoint),
                   *broker_env = str_format("KURTOSIS_BUS_BROKER_KEY=%s", broker),
                   *secret_env = str_format("KURTOSIS_BUS_SECRET=%s", secret);
    const char *const argv[] = {program, NULL};
    const char *const env[] = {endpoint_env,
                               broker_env,
                               secret_env,
                               "KURTOSIS_BUS_NAME=" BACKEND_DRIVER,
                               "KURTOSIS_LOG_LEVEL=error",
                               NULL};
    if (actor_child_new(BACKEND_PROGRAM, argv, env, GRACE_MS, on_driver_exit, self, &self->driver,
                        err) < 0)
        return -1;
    if (bus_broker_wait_peer(self->broker, BACKEND_DRIVER, BACKEND_START_MS, err) == 0)
        return 0;
    if (err && err_code(*err) == ERR_STATE) {
        err_destroy(err);
        err_fail(err, ERR_STATE, "it ended at once; what it says is above");
    }
    return -1;
}

int
backend_new(backend_t **ret_backend, err_t **err)
{
    AUTO(backend) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    AUTO_FREE char *program = backend_program();
    if (!program)
        return err_fail(err, ERR_NOT_FOUND,
                        "the program '" BACKEND_PROGRAM
                        "' is neither beside this one nor in PATH; install Kurtosis again");
    snprintf(self->folder, sizeof self->folder, "/tmp/kurtosis-XXXXXX");
    if (!mkdtemp(self->folder)) {
        *self->folder = '\0';
        return err_fail(err, ERR_LIMIT, "cannot make a folder in /tmp: %s", strerror(errno));
    }
    snprintf(folder_to_remove, sizeof folder_to_remove, "%s", self->folder);
    interrupt_set_cleanup(remove_folder);
    bus_keys_new(&self->keys);
    bus_keys_new(&self->driver_keys);
    AUTO_FREE char *endpoint = str_format("ipc://%s/bus", self->folder);
    if (start_bus(self, endpoint, err) < 0 || start_driver(self, program, endpoint, err) < 0)
        return err_wrap(err, "cannot start the driver '%s'", program);
    *ret_backend = TAKE(self);
    return 0;
}

void
backend_destroy(backend_t **self_p)
{
    backend_t *self = TAKE(*self_p);
    if (!self)
        return;
    actor_child_destroy(&self->driver);
    actor_destroy(&self->actor);
    bus_broker_destroy(&self->broker);
    bus_keys_wipe(&self->keys);
    bus_keys_wipe(&self->driver_keys);
    if (*self->folder) {
        interrupt_set_cleanup(NULL);
        remove_folder();
    }
    free(self);
}

int
backend_ask(backend_t *self, const char *method, const ProtobufCMessage *request,
            ProtobufCMessage **ret_reply, err_t **err)
{
    AUTO_FREE char *full = str_format("orchestrator.Orchestrator/%s", method);
    int result =
        actor_ask(self->actor, NULL, BACKEND_DRIVER, full, request, ASK_MS, ret_reply, err);
    if (result < 0)
        err_unwrap(err);
    return result;
}

static int
send_file(actor_stream_t *stream, const char *path, err_t **err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FREE uint8_t *buffer = malloc(BUS_CHUNK_MAX);
    if (!buffer)
        abort();
    for (;;) {
        ssize_t got = fd < 0 ? -1 : read(fd, buffer, BUS_CHUNK_MAX);
        if (got < 0)
            return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
        if (got == 0)
            return actor_stream_end(stream, err);
        Orchestrator__ImageChunk chunk = ORCHESTRATOR__IMAGE_CHUNK__INIT;
        chunk.data = (ProtobufCBinaryData){(size_t)got, buffer};
        if (actor_stream_send(stream, &chunk.base, err) < 0)
            return -1;
    }
}

int
backend_load_image(backend_t *self, const char *path, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    AUTO_MESSAGE ProtobufCMessage *info = NULL;
    if (actor_stream_open(self->actor, NULL, BACKEND_DRIVER, "orchestrator.Orchestrator/LoadImage",
                          NULL, &stream, err) < 0 ||
        send_file(stream, path, err) < 0 || actor_stream_recv(stream, -1, &info, err) < 0)
        return err_wrap(err, "cannot load the image '%s'", path);
    return 0;
}

int
backend_fetch_image(backend_t *self, const Orchestrator__FetchImageArgs *args, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    if (actor_stream_open(self->actor, NULL, BACKEND_DRIVER, "orchestrator.Orchestrator/FetchImage",
                          &args->base, &stream, err) < 0)
        return -1;
    for (;;) {
        AUTO_MESSAGE ProtobufCMessage *step = NULL;
        int got = actor_stream_recv(stream, -1, &step, err);
        if (got <= 0)
            return got < 0 ? err_wrap(err, "cannot fetch the image '%s'", args->image) : 0;
    }
}
