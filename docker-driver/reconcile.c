/*  reconcile: see reconcile.h. */
#include "docker-driver/reconcile.h"

#include "base/clock.h"
#include "base/log.h"
#include "docker-driver/api.h"
#include "docker-driver/reply.h"

#include <poll.h>
#include <string.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS 10000

/* ------------------------------------------------------------------------------------------ a look */

/* Lists at once: 0 containers, 1 networks, 2 volumes of ours. */
static int
list_all(docker_t *docker, const docker_call_t *call, json_t *ret_lists[3], err_t **err)
{
    AUTO_FREE char *containers = docker_containers_path(DOCKER_LABEL_ENCLAVE, NULL, NULL);
    AUTO_FREE char *networks = docker_networks_path(NULL);
    AUTO_FREE char *volumes = docker_volumes_path(DOCKER_LABEL_ENCLAVE, NULL);
    docker_request_t requests[] = {{.method = "GET", .path = containers},
                                   {.method = "GET", .path = networks},
                                   {.method = "GET", .path = volumes}};
    int result =
        docker_http_run(docker->http, requests, ARRAY_LEN(requests), docker_cancel_fd(call), err);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        if (result == 0)
            result = docker_json(requests[i].reply.data, requests[i].reply.len, &ret_lists[i], err);
        docker_request_done(&requests[i]);
    }
    return result;
}

/* The values of a label, as keys. */
static void
add_values(json_t *set, const json_t *objects, const char *label)
{
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)objects, i, object)
        json_object_set_new(set, docker_label(object, label), json_true());
}

static bool
is_left_over(const json_t *volume, const json_t *services, const json_t *enclaves)
{
    const char *type = docker_label(volume, DOCKER_LABEL_VOLUME_TYPE);
    const char *service = docker_label(volume, DOCKER_LABEL_OF_SERVICE);
    const char *enclave = docker_label(volume, DOCKER_LABEL_ENCLAVE);
    if (strcmp(type, DOCKER_VOLUME_FILES) == 0 && *service && !json_object_get(services, service))
        return true;
    return *enclave && !json_object_get(enclaves, enclave);
}

/* What is left over now, by name; times are taken over from before. */
static json_t *
find_left_over(json_t *const lists[3], const json_t *seen, int64_t now_ns)
{
    AUTO_JSON *services = json_object();
    AUTO_JSON *enclaves = json_object();
    json_t *found = json_object();
    size_t i;
    json_t *volume;
    add_values(services, lists[0], DOCKER_LABEL_GUID);
    add_values(enclaves, lists[0], DOCKER_LABEL_ENCLAVE);
    add_values(enclaves, lists[1], DOCKER_LABEL_ENCLAVE);
    json_array_foreach(json_object_get(lists[2], "Volumes"), i, volume)
    {
        const char *name = docker_text(volume, "Name");
        json_t *since = json_object_get(seen, name);
        if (*name && is_left_over(volume, services, enclaves))
            json_object_set_new(found, name, since ? json_incref(since) : json_integer(now_ns));
    }
    return found;
}

static void
remove_volume(docker_t *docker, const docker_call_t *call, const char *name)
{
    AUTO(err) err = NULL;
    if (docker_volume_remove(docker, call, name, &err) == 0)
        log_info("reconcile.removed", "volume=%s", name);
    else if (docker_reason(err) != DOCKER_IN_USE)
        log_err(LOG_WARN, "reconcile.failed", err, "volume=%s", name);
}

int
docker_reconcile_look(docker_t *docker, const docker_call_t *call, json_t *seen, int64_t now_ns,
                      int64_t grace_ns, int64_t *ret_next_ns, err_t **err)
{
    json_t *lists[3] = {NULL};
    int result = list_all(docker, call, lists, err);
    AUTO_JSON *found = result == 0 ? find_left_over(lists, seen, now_ns) : NULL;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        json_decref(lists[i]);
    if (result < 0)
        return err_wrap(err, "cannot look for what is left over");
    *ret_next_ns = -1;
    json_object_clear(seen);
    const char *name;
    json_t *since;
    json_object_foreach(found, name, since)
    {
        int64_t due = json_integer_value(since) + grace_ns;
        if (due <= now_ns) {
            remove_volume(docker, call, name);
            continue;
        }
        json_object_set(seen, name, since);
        if (*ret_next_ns < 0 || due < *ret_next_ns)
            *ret_next_ns = due;
    }
    return 0;
}

/* --------------------------------------------------------------------------------------- the thread */

typedef struct {
    docker_t *docker;
    actor_t *actor;
    docker_call_t call; /* ends with the actor */
    int64_t grace_ns, next_ns;
    json_t *seen;
    docker_json_lines_t lines;
    bool has_news;    /* the stream brought an event */
    int64_t since_ns; /* wall time from which events are wanted */
} reconcile_t;

static void
look_later(reconcile_t *self)
{
    int64_t due = clock_ns() + self->grace_ns;
    if (self->next_ns < 0 || due < self->next_ns)
        self->next_ns = due;
}

/* A container of ours is gone: something may be left over. */
static int
on_line(void *arg, const json_t *line, err_t **err)
{
    reconcile_t *self = arg;
    (void)err;
    self->since_ns = docker_int(line, "timeNano") + 1;
    self->has_news = self->next_ns < 0;
    look_later(self);
    return 0;
}

/* With a look to come there is a deadline; a stream without one has to end. */
static int
on_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    reconcile_t *self = arg;
    if (docker_json_lines_feed(&self->lines, data, size, err) < 0)
        return -1;
    return self->has_news ? err_fail(err, ERR_CANCELLED, "there is something to do") : 0;
}

/* Follows Docker's events until the next look is due. */
static int
follow(reconcile_t *self, err_t **err)
{
    AUTO_FREE char *label = docker_label_filter(DOCKER_LABEL_APP, DOCKER_APP);
    AUTO_FREE char *filters =
        docker_filters("type", "container", "label", label, DOCKER_EVENT_GONE, NULL);
    AUTO_FREE char *since = docker_since(self->since_ns);
    AUTO_FREE char *path = docker_path("/events?since=%s&filters=%s", since, filters);
    int64_t left_ms = (self->next_ns - clock_ns()) / NS_PER_MS + 1;
    AUTO_REQUEST events = {.method = "GET",
                           .path = path,
                           .timeout_ms = self->next_ns < 0 ? -1
                                         : left_ms > 1     ? (int)left_ms
                                                           : 1,
                           .sink = on_bytes,
                           .arg = self};
    AUTO(err) failure = NULL;
    self->has_news = false;
    docker_http_do(self->docker->http, &events, self->call.cancel_fd, &failure);
    docker_json_lines_done(&self->lines);
    if (self->has_news || err_code(failure) == ERR_TIMEOUT)
        return 0;
    if (!failure)
        return err_fail(err, ERR_UNAVAILABLE, "Docker's event stream ended");
    if (err)
        *err = TAKE(failure);
    return -1;
}

static void
loop(void *arg)
{
    reconcile_t *self = arg;
    int backoff_ms = BACKOFF_FIRST_MS;
    while (!actor_stopping(self->actor)) {
        AUTO(err) err = NULL;
        int result = 0;
        if (self->next_ns >= 0 && clock_ns() >= self->next_ns)
            result = docker_reconcile_look(self->docker, &self->call, self->seen, clock_ns(),
                                           self->grace_ns, &self->next_ns, &err);
        if (result == 0)
            result = follow(self, &err);
        if (result == 0) {
            backoff_ms = BACKOFF_FIRST_MS;
            continue;
        }
        /* Docker is away. What was being removed when it went may be left over. */
        look_later(self);
        poll(&(struct pollfd){.fd = self->call.cancel_fd, .events = POLLIN}, 1, backoff_ms);
        backoff_ms = backoff_ms * 2 < BACKOFF_MOST_MS ? backoff_ms * 2 : BACKOFF_MOST_MS;
    }
    json_decref(self->seen);
    free(self);
}

int
docker_reconcile_start(docker_t *docker, actor_t *actor, err_t **err)
{
    const char *grace = getenv(DOCKER_GRACE_ENV);
    reconcile_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->docker = docker;
    self->actor = actor;
    self->call.cancel_fd = actor_stopping_fd(actor);
    self->grace_ns = (grace && *grace ? strtol(grace, NULL, 10) : DOCKER_GRACE_MS) * NS_PER_MS;
    self->seen = json_object();
    self->lines = (docker_json_lines_t){.line = on_line, .arg = self};
    self->since_ns = clock_wall_ns();
    self->next_ns = -1;
    look_later(self);
    if (actor_spawn(actor, loop, self, err) == 0)
        return 0;
    json_decref(self->seen);
    free(self);
    return err_wrap(err, "cannot look after what is left over");
}
