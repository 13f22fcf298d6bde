/*  services: GetServices, StopService, RestartService, RemoveService. StartService is in start.c.
 */
#include "docker-driver/services.h"

#include "docker-driver/collect.h"
#include "docker-driver/reply.h"

#include <string.h>

#define LOGS_BEGIN "== CONTAINER LOGS =================================="
#define LOGS_END "== FINISHED CONTAINER LOGS ========================="

/* ---------------------------------------------------------------------------------- GetServices */

static bool
is_wanted(const Orchestrator__GetServicesArgs *request, const json_t *container)
{
    const char *uuid = docker_label(container, DOCKER_LABEL_GUID);
    for (size_t i = 0; i < request->n_service_uuids; i++)
        if (strcmp(request->service_uuids[i], uuid) == 0)
            return true;
    return request->n_service_uuids == 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(Orchestrator__ServiceInfo *const *)a)->name,
                  (*(Orchestrator__ServiceInfo *const *)b)->name);
}

/* Inspects those that are not known, all at once; one that vanished meanwhile is left out. */
static int
inspect_all(docker_t *self, const docker_call_t *call, docker_request_t *requests, size_t count,
            Orchestrator__GetServicesReply *reply, err_t **err)
{
    docker_http_run(self->http, requests, count, docker_cancel_fd(call), NULL);
    for (size_t i = 0; i < count; i++) {
        AUTO_JSON *container = NULL;
        if (requests[i].status == 404)
            continue;
        if (requests[i].failure) {
            if (err)
                *err = TAKE(requests[i].failure);
            return -1;
        }
        if (docker_json(requests[i].reply.data, requests[i].reply.len, &container, err) < 0)
            return -1;
        docker_seen_add(&self->seen, container);
        LIST_ADD(reply->services, reply->n_services, docker_reply_service(container));
    }
    if (reply->n_services)
        qsort(reply->services, reply->n_services, sizeof(Orchestrator__ServiceInfo *), by_name);
    return 0;
}

int
docker_services_get(docker_t *self, const docker_call_t *call,
                    const Orchestrator__GetServicesArgs *request,
                    Orchestrator__GetServicesReply **ret_reply, err_t **err)
{
    AUTO_JSON *list = NULL;
    if (docker_check_uuid("enclave", request->enclave_uuid, err) < 0 ||
        docker_get(self, call,
                   docker_containers_path(DOCKER_LABEL_ENCLAVE, request->enclave_uuid,
                                          DOCKER_TYPE_SERVICE),
                   &list, err) < 0)
        return err_wrap(err, "cannot list the services of enclave '%.100s'", request->enclave_uuid);
    docker_request_t *requests = calloc(json_array_size(list) + 1, sizeof *requests);
    if (!requests)
        abort();
    Orchestrator__GetServicesReply *reply = MESSAGE_NEW(GetServicesReply, get_services_reply);
    size_t i, count = 0;
    json_t *container;
    json_array_foreach(list, i, container)
    {
        if (!is_wanted(request, container))
            continue;
        AUTO_JSON *known = docker_seen_find(&self->seen, container);
        if (known) {
            LIST_ADD(reply->services, reply->n_services, docker_reply_service(known));
            continue;
        }
        requests[count].method = "GET";
        requests[count++].path = docker_path("/containers/%s/json", docker_text(container, "Id"));
    }
    int result = inspect_all(self, call, requests, count, reply, err);
    for (i = 0; i < count; i++) {
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    if (result < 0) {
        orchestrator__get_services_reply__free_unpacked(reply, NULL);
        return err_wrap(err, "cannot inspect the services of enclave '%s'", request->enclave_uuid);
    }
    *ret_reply = reply;
    return 0;
}

/* -------------------------------------------------------------------------------- after a start */

static int
died(docker_t *self, const docker_call_t *call, const char *id, int exit_code, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    docker_container_tail(self, call, id, &text);
    while (text.len && strchr("\r\n", text.data[text.len - 1]))
        text.data[--text.len] = '\0';
    return err_fail(err, ERR_STATE, "its container ended at once with exit code %d\n%s\n%s\n%s",
                    exit_code, LOGS_BEGIN, text.data, LOGS_END);
}

/* Waits for the container's end, but not longer than DOCKER_QUICK_EXIT_MS. */
static int
wait_shortly(docker_t *self, const docker_call_t *call, const char *id, err_t **err)
{
    AUTO_FREE char *path = docker_path("/containers/%s/wait?condition=not-running", id);
    AUTO_REQUEST wait = {.method = "POST", .path = path, .timeout_ms = DOCKER_QUICK_EXIT_MS};
    AUTO(err) failure = NULL;
    if (docker_http_do(self->http, &wait, docker_cancel_fd(call), &failure) == 0 ||
        err_code(failure) == ERR_TIMEOUT)
        return 0;
    if (err)
        *err = TAKE(failure);
    return -1;
}

int
docker_service_settled(docker_t *self, const docker_call_t *call, const char *id,
                       Orchestrator__ServiceInfo **ret_info, err_t **err)
{
    AUTO_JSON *container = NULL;
    /* Docker hears of an end some 60 ms late, but from the first it hears it answers no inspection
     * until it has put everything away: a short wait and then the inspection see all that ended in
     * the short time. */
    if (wait_shortly(self, call, id, err) < 0 ||
        docker_get(self, call, docker_path("/containers/%s/json", id), &container, err) < 0)
        return err_wrap(err, "cannot see how its container does");
    const json_t *state = json_object_get(container, "State");
    int exit_code = (int)docker_int(state, "ExitCode");
    if (strcmp(docker_text(state, "Status"), "running") != 0 && exit_code != 0)
        return died(self, call, id, exit_code, err);
    *ret_info = docker_reply_service(container);
    return 0;
}

/* --------------------------------------------------- StopService, RestartService, RemoveService */

int
docker_service_stop(docker_t *self, const docker_call_t *call,
                    const Orchestrator__StopServiceArgs *request, err_t **err)
{
    AUTO_JSON *container = NULL;
    if (docker_service_find(self, call, request->enclave_uuid, request->service_uuid, &container,
                            err) < 0)
        return err_wrap(err, "cannot stop service '%.100s'", request->service_uuid);
    AUTO_FREE char *path = docker_path("/containers/%s/stop?t=%d", docker_text(container, "Id"),
                                       (int)(request->grace_seconds & 0xffff));
    AUTO_REQUEST stop = {.method = "POST", .path = path, .timeout_ms = -1};
    if (docker_http_do(self->http, &stop, docker_cancel_fd(call), err) < 0)
        return err_wrap(err, "cannot stop service '%s'", docker_service_name(container));
    return 0;
}

int
docker_service_restart(docker_t *self, const docker_call_t *call,
                       const Orchestrator__ServiceRef *request,
                       Orchestrator__ServiceInfo **ret_reply, err_t **err)
{
    AUTO_JSON *container = NULL;
    if (docker_service_find(self, call, request->enclave_uuid, request->service_uuid, &container,
                            err) < 0)
        return err_wrap(err, "cannot start service '%.100s'", request->service_uuid);
    const char *id = docker_text(container, "Id");
    const char *network = docker_text(json_object_get(container, "HostConfig"), "NetworkMode");
    if (docker_container_start(self, call, network, id, err) < 0 ||
        docker_service_settled(self, call, id, ret_reply, err) < 0)
        return err_wrap(err, "cannot start service '%s'", docker_service_name(container));
    return 0;
}

int
docker_service_remove_all(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
                          const char *service_uuid, char **ret_ports, err_t **err)
{
    AUTO_JSON *container = NULL;
    AUTO(err) failure = NULL;
    if (docker_service_find(self, call, enclave_uuid, service_uuid, &container, &failure) < 0) {
        if (err_code(failure) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(failure);
            return -1;
        }
    } else {
        AUTO_JSON *list = json_pack("[O]", container);
        docker_logs_drain(self, docker_text(container, "Id"));
        if (docker_containers_remove(self, call, list, err) < 0)
            return -1;
    }
    if (ret_ports)
        *ret_ports = strdup(docker_label(container, DOCKER_LABEL_PUBLIC_PORTS));
    return docker_volumes_remove(self, call, DOCKER_LABEL_OF_SERVICE, service_uuid, err);
}

int
docker_service_remove(docker_t *self, const docker_call_t *call,
                      const Orchestrator__ServiceRef *request, err_t **err)
{
    if (docker_service_remove_all(self, call, request->enclave_uuid, request->service_uuid, NULL,
                                  err) < 0)
        return err_wrap(err, "cannot remove service '%.100s'", request->service_uuid);
    return 0;
}
