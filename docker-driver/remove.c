/*  remove: containers and volumes go, all of a list at once.
 *
 *  All but one step: Docker (seen with 20.10) counts what is attached to a network, and containers that end at the same moment
 *  may be counted off as one. A network that is counted too high cannot be removed before Docker starts anew. So the
 *  containers are taken off their network one after the other, each is removed from then on, and meanwhile none is
 *  attached (turns.h).
 */
#include "docker-driver/api.h"

#include <string.h>

typedef struct {
    docker_t *docker;
    const docker_call_t *call;
    const char *id;
} gone_t;

static int
is_gone(void *arg, err_t **err)
{
    gone_t *self = arg;
    AUTO(err) failure = NULL;
    if (docker_get(self->docker, self->call, docker_path("/containers/%s/json", self->id), NULL,
                   &failure) == 0)
        return 0;
    if (err_code(failure) == ERR_NOT_FOUND)
        return 1;
    if (err)
        *err = TAKE(failure);
    return -1;
}

/* Decides what a refused removal means: 0 fine, negative an error. */
static int
removal_ended(docker_t *self, const docker_call_t *call, docker_request_t *request, const char *id,
              err_t **err)
{
    if (!request->failure || request->status == 404)
        return 0;
    if (docker_reason(request->failure) == DOCKER_BEING_REMOVED) {
        gone_t gone = {.docker = self, .call = call, .id = id};
        AUTO_FREE char *filters =
            docker_filters("type", "container", "container", id, DOCKER_EVENT_GONE, NULL);
        return docker_await(self, call, filters, DOCKER_AWAIT_MS, is_gone, &gone, err);
    }
    if (err) {
        err_destroy(err);
        *err = TAKE(request->failure);
    }
    return -1;
}

/* The network that a container has to be taken off; NULL when it is of no enclave, or does not run. Lent. */
static const char *
network_of(const json_t *container)
{
    static const char *const idle[] = {"created", "exited", "dead"};
    for (size_t i = 0; i < ARRAY_LEN(idle); i++)
        if (strcmp(docker_text(container, "State"), idle[i]) == 0)
            return NULL;
    const char *network = docker_text(json_object_get(container, "HostConfig"), "NetworkMode");
    return *network && *docker_label(container, DOCKER_LABEL_ENCLAVE) ? network : NULL;
}

/* What removes the containers of a list: for each one request, after another that detaches it if need be. */
typedef struct {
    docker_request_t *requests;
    size_t count;
    docker_request_t **removals; /* of requests; one for each container */
    const char
        *network; /* that they are taken off: all of a list are on one; NULL for none. Lent */
} removal_t;

static docker_request_t *
add_request(removal_t *self, const char *method, char *path, const docker_request_t *after)
{
    docker_request_t *request = &self->requests[self->count++];
    request->method = method;
    request->path = path;
    request->after = after;
    return request;
}

static void
removal_init(removal_t *self, const json_t *containers, bool is_podman)
{
    size_t i, count = json_array_size(containers);
    json_t *container;
    const docker_request_t *detach = NULL;
    *self = (removal_t){.requests = calloc(2 * count + 1, sizeof *self->requests),
                        .removals = calloc(count + 1, sizeof(docker_request_t *))};
    if (!self->requests || !self->removals)
        abort();
    json_array_foreach((json_t *)containers, i, container)
    {
        const char *id = docker_text(container, "Id");
        const char *network = is_podman ? NULL : network_of(container);
        const docker_request_t *before = NULL;
        if (network) {
            self->network = network;
            AUTO_JSON *body = json_pack("{s:s, s:b}", "Container", id, "Force", 1);
            docker_request_t *request =
                add_request(self, "POST", docker_path("/networks/%s/disconnect", network), detach);
            request->body = docker_json_text(body);
            detach = before = request;
        }
        self->removals[i] =
            add_request(self, "DELETE", docker_path("/containers/%s?force=1&v=1", id), before);
    }
}

static void
removal_done(removal_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free((char *)self->requests[i].path);
        free((char *)self->requests[i].body);
        docker_request_done(&self->requests[i]);
    }
    free(self->requests);
    free(self->removals);
}

/* What comes of detaching does not matter: what is not attached, or is gone, is fine, and what could not be detached is
 * by its removal. */
int
docker_containers_remove(docker_t *self, const docker_call_t *call, const json_t *containers,
                         err_t **err)
{
    removal_t removal;
    removal_init(&removal, containers, docker_is_podman(self, call, NULL) > 0);
    docker_turn_t *turn =
        removal.network ? docker_turns_detach(&self->turns, removal.network) : NULL;
    docker_http_run(self->http, removal.requests, removal.count, docker_cancel_fd(call), NULL);
    docker_turns_end(&self->turns, &turn);
    int result = 0;
    size_t i;
    json_t *container;
    json_array_foreach((json_t *)containers, i, container)
    {
        const char *id = docker_text(container, "Id");
        if (result < 0)
            ; /* the first failure is told */
        else if (removal_ended(self, call, removal.removals[i], id, err) < 0)
            result = err_wrap(err, "cannot remove container '%s'", id);
        else
            docker_host_ports_release(self, docker_label(container, DOCKER_LABEL_PUBLIC_PORTS));
        docker_seen_forget(&self->seen, id);
    }
    removal_done(&removal);
    return result;
}

int
docker_container_remove(docker_t *self, const docker_call_t *call, const char *id, err_t **err)
{
    AUTO_JSON *list = json_pack("[{s:s}]", "Id", id);
    return docker_containers_remove(self, call, list, err);
}

/* Those that have both labels: Podman gives volumes that have any of them. */
static json_t *
with_label(const json_t *objects, const char *label, const char *value)
{
    size_t i;
    json_t *object, *found = json_array();
    json_array_foreach((json_t *)objects, i, object)
    {
        if (strcmp(docker_label(object, label), value) == 0 &&
            strcmp(docker_label(object, DOCKER_LABEL_APP), DOCKER_APP) == 0)
            json_array_append(found, object);
    }
    return found;
}

int
docker_volumes_remove(docker_t *self, const docker_call_t *call, const char *label,
                      const char *value, err_t **err)
{
    AUTO_JSON *reply = NULL;
    if (docker_get(self, call, docker_volumes_path(label, value), &reply, err) < 0)
        return err_wrap(err, "cannot list volumes");
    AUTO_JSON *volumes = with_label(json_object_get(reply, "Volumes"), label, value);
    size_t count = json_array_size(volumes);
    docker_request_t *requests = calloc(count + 1, sizeof *requests);
    if (!requests)
        abort();
    for (size_t i = 0; i < count; i++) {
        requests[i].method = "DELETE";
        requests[i].path =
            docker_path("/volumes/%s", docker_text(json_array_get(volumes, i), "Name"));
    }
    docker_http_run(self->http, requests, count, docker_cancel_fd(call), NULL);
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (result == 0 && requests[i].failure && requests[i].status != 404) {
            if (err)
                *err = TAKE(requests[i].failure);
            result = err_wrap(err, "cannot remove volume '%s'",
                              docker_text(json_array_get(volumes, i), "Name"));
        }
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    return result;
}

int
docker_volume_remove(docker_t *self, const docker_call_t *call, const char *name, err_t **err)
{
    AUTO(err) failure = NULL;
    if (docker_delete(self, call, docker_path("/volumes/%s", name), &failure) == 0 ||
        err_code(failure) == ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = TAKE(failure);
    return err_wrap(err, "cannot remove volume '%s'", name);
}
