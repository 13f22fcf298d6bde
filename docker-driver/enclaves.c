/*  enclaves: CreateEnclave, GetEnclaves, StopEnclave, DestroyEnclave.
 *
 *  An enclave is one network, one API container and its data volume; the volume is made by the call
 *  that makes the container. Both carry the enclave's label, so a half-made enclave is found and
 *  removed like a whole one.
 */
#include "base/moment.h"
#include "docker-driver/api_container.h"
#include "docker-driver/collect.h"
#include "docker-driver/parts.h"
#include "docker-driver/reply.h"
#include "docker-driver/subnet.h"

#include <stdio.h>
#include <string.h>

#define NETWORK_MTU "1440"
#define ROUTES_MAX 10000u /* of the host that are looked at */

/* An enclave that is being made. */
typedef struct {
    const Orchestrator__CreateEnclaveArgs *args;
    char *network; /* its name */
    subnet_t subnet;
    char subnet_text[SUBNET_TEXT_SIZE];
    char gateway[SUBNET_TEXT_SIZE];
    char ip[SUBNET_TEXT_SIZE]; /* of the API container */
    char *container_id;
    bool begun; /* something of this UUID may exist now, and did not before */
} making_t;

static int make(docker_t *self, const docker_call_t *call, making_t *making, err_t **err);
static int destroy(docker_t *self, const docker_call_t *call, const char *uuid, err_t **err);

/* -------------------------------------------------------------------------------- CreateEnclave */

static int
check_args(const Orchestrator__CreateEnclaveArgs *args, err_t **err)
{
    if (docker_check_uuid("enclave", args->enclave_uuid, err) < 0 ||
        docker_check_enclave_name(args->name, err) < 0)
        return -1;
    if (args->creation_time < 0)
        return err_fail(err, ERR_INVALID, "the creation time is before 1970");
    return *args->image ? 0 : err_fail(err, ERR_INVALID, "no image of the API container was given");
}

int
docker_enclave_create(docker_t *self, const docker_call_t *call,
                      const Orchestrator__CreateEnclaveArgs *request,
                      Orchestrator__Enclave **ret_reply, err_t **err)
{
    making_t making = {.args = request};
    if (check_args(request, err) < 0)
        return err_wrap(err, "cannot make enclave '%.100s'", request->name);
    making.network = docker_name_network(request->name);
    int result = make(self, call, &making, err);
    if (result == 0) {
        Orchestrator__Enclave *enclave = MESSAGE_NEW(Enclave, enclave);
        enclave->enclave_uuid = strdup(request->enclave_uuid);
        enclave->name = strdup(request->name);
        enclave->creation_time = request->creation_time;
        enclave->is_production = request->is_production;
        enclave->containers_running = 1;
        enclave->api_container_state = ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
        enclave->api_container_id = strdup(making.container_id);
        enclave->api_container_ip = strdup(making.ip);
        enclave->subnet = strdup(making.subnet_text);
        enclave->gateway = strdup(making.gateway);
        *ret_reply = enclave;
    } else {
        err_wrap(err, "cannot make enclave '%s'", request->name);
    }
    free(making.network);
    free(making.container_id);
    return result;
}

/* The subnets of all networks; EXISTS when one has our name or our enclave's UUID. */
static int
list_taken(docker_t *self, const docker_call_t *call, const making_t *making, subnet_t **ret_taken,
           size_t *ret_count, err_t **err)
{
    AUTO_JSON *networks = NULL;
    if (docker_get(self, call, docker_path("/networks"), &networks, err) < 0)
        return err_wrap(err, "cannot list networks");
    size_t i, k;
    json_t *network, *config;
    json_array_foreach(networks, i, network)
    {
        if (strcmp(docker_text(network, "Name"), making->network) == 0)
            return err_fail(
                err, ERR_EXISTS,
                "there is an enclave of this name already: choose another, or remove it with "
                "'kurtosis enclave rm -f %s'",
                making->args->name);
        if (strcmp(docker_label(network, DOCKER_LABEL_ENCLAVE), making->args->enclave_uuid) == 0)
            return err_fail(err, ERR_EXISTS, "there is an enclave of UUID '%s' already",
                            making->args->enclave_uuid);
        json_array_foreach(docker_at(network, "IPAM", "Config", NULL), k, config)
        {
            subnet_t subnet;
            if (subnet_parse(docker_text(config, "Subnet"), &subnet, NULL) == 0)
                LIST_ADD(*ret_taken, *ret_count, subnet);
        }
    }
    return 0;
}

/* What the host has routes to. Where it cannot be read, nothing. */
static void
list_routes(subnet_t **ret_taken, size_t *ret_count)
{
    const char *folder = getenv(DOCKER_HOST_NET_ENV);
    AUTO_FREE char *path = str_format("%s/route", folder && *folder ? folder : "/proc/net");
    FILE *in = fopen(path, "re");
    char line[256];
    subnet_t subnet;
    while (in && *ret_count < ROUTES_MAX && fgets(line, sizeof line, in))
        if (subnet_parse_route(line, &subnet))
            LIST_ADD(*ret_taken, *ret_count, subnet);
    if (in)
        fclose(in);
}

/* One that overlaps neither a network nor a route; if there is none, one that overlaps no network. */
static int
find_subnet(const subnet_t *taken, size_t count, subnet_t *ret_subnet, err_t **err)
{
    AUTO_FREE subnet_t *all = NULL;
    size_t total = 0;
    list_routes(&all, &total);
    for (size_t i = 0; i < count; i++)
        LIST_ADD(all, total, taken[i]);
    if (subnet_lowest_free(all, total, ret_subnet, NULL) == 0)
        return 0;
    return subnet_lowest_free(taken, count, ret_subnet, err);
}

/* A /64 of the addresses that everyone may use at home (RFC 4193), by the enclave's random UUID.
 * Docker before 27 keeps networks apart for IPv4 alone, and routes IPv6 from one to the other. So
 * the containers' way out of this one is an address that nobody has. */
static void
add_ipv6(json_t *body, const char *uuid)
{
    AUTO_FREE char *prefix =
        str_format("fd%.2s:%.4s:%.4s:%.4s::", uuid, uuid + 2, uuid + 6, uuid + 10);
    AUTO_FREE char *subnet = str_format("%s/64", prefix);
    AUTO_FREE char *nobody = str_format("%sffff:fffe", prefix);
    json_object_set_new(body, "EnableIPv6", json_true());
    json_array_append_new(docker_at(body, "IPAM", "Config", NULL),
                          json_pack("{s:s, s:{s:s}}", "Subnet", subnet, "AuxiliaryAddresses",
                                    "DefaultGatewayIPv6", nobody));
}

static json_t *
network_body(const making_t *making)
{
    const Orchestrator__CreateEnclaveArgs *args = making->args;
    char created[MOMENT_SIZE];
    moment_text(args->creation_time, 9, created);
    json_t *labels = docker_enclave_labels(args->enclave_uuid);
    docker_label_set(labels, DOCKER_LABEL_ID, args->enclave_uuid);
    docker_label_set(labels, DOCKER_LABEL_GUID, args->enclave_uuid);
    docker_label_set(labels, DOCKER_LABEL_ENCLAVE_NAME, args->name);
    docker_label_set(labels, DOCKER_LABEL_CREATED, created);
    if (args->is_production)
        docker_label_set(labels, DOCKER_LABEL_PRODUCTION, "true");
    json_t *body = json_pack("{s:s, s:b, s:s, s:b, s:{s:s, s:[{s:s, s:s}]}, s:{s:s}, s:o}", "Name",
                             making->network, "CheckDuplicate", 1, "Driver", "bridge", "Attachable",
                             1, "IPAM", "Driver", "default", "Config", "Subnet",
                             making->subnet_text, "Gateway", making->gateway, "Options",
                             "com.docker.network.driver.mtu", NETWORK_MTU, "Labels", labels);
    if (args->ipv6)
        add_ipv6(body, args->enclave_uuid);
    return body;
}

static void
use_subnet(making_t *making, const subnet_t *subnet)
{
    making->subnet = *subnet;
    subnet_text(subnet, making->subnet_text);
    subnet_address_text(subnet->address + 1, making->gateway);
    subnet_address_text(subnet->address + 2, making->ip);
}

/* Takes the lowest free subnet; when Docker knows of an overlap that its list does not show, the
 * next one. */
static int
make_network_locked(docker_t *self, const docker_call_t *call, making_t *making, err_t **err)
{
    AUTO_FREE subnet_t *taken = NULL;
    size_t count = 0;
    if (list_taken(self, call, making, &taken, &count, err) < 0)
        return -1;
    for (int tries = 1;; tries++) {
        subnet_t subnet;
        AUTO(err) failure = NULL;
        if (find_subnet(taken, count, &subnet, err) < 0)
            return -1;
        use_subnet(making, &subnet);
        making->begun = true;
        /* Not cancelled in the middle, so that afterwards it is known whether there is something to
         * take back. */
        if (docker_post(self, NULL, docker_path("/networks/create"), network_body(making), NULL,
                        &failure) == 0)
            return 0;
        docker_reason_t reason = docker_reason(failure);
        if (reason == DOCKER_POOL_OVERLAP && tries < DOCKER_OVERLAP_TRIES) {
            LIST_ADD(taken, count, subnet);
            continue;
        }
        if (err)
            *err = TAKE(failure);
        return err_wrap(err, "cannot make network '%s' (%s)", making->network, making->subnet_text);
    }
}

static int
make_container(docker_t *self, const docker_call_t *call, making_t *making, err_t **err)
{
    const Orchestrator__CreateEnclaveArgs *args = making->args;
    const docker_api_container_t container = {.enclave_uuid = args->enclave_uuid,
                                              .enclave_name = args->name,
                                              .image = args->image,
                                              .version = args->version,
                                              .log_level = args->log_level,
                                              .is_production = args->is_production,
                                              .network = making->network,
                                              .ip = making->ip,
                                              .subnet = making->subnet_text,
                                              .gateway = making->gateway,
                                              .env = args->env,
                                              .n_env = args->n_env};
    AUTO_FREE char *name = docker_name_api(args->enclave_uuid);
    AUTO_JSON *reply = NULL;
    if (docker_container_create(self, name, docker_api_container_body(&container), &reply, err) < 0)
        return err_wrap(err, "cannot make the API container of image '%s'", args->image);
    making->container_id = strdup(docker_text(reply, "Id"));
    if (docker_container_start(self, call, making->network, making->container_id, err) < 0)
        return err_wrap(err, "cannot start the API container '%s'", name);
    return 0;
}

static int
make(docker_t *self, const docker_call_t *call, making_t *making, err_t **err)
{
    pthread_mutex_lock(&self->subnet_lock);
    int result = make_network_locked(self, call, making, err);
    pthread_mutex_unlock(&self->subnet_lock);
    if (result == 0 && make_container(self, call, making, err) == 0)
        return 0;
    if (!making->begun)
        return -1;
    /* Also when the network's call failed: a lost connection does not say that it was not made. */
    AUTO(err) undo = NULL;
    if (destroy(self, NULL, making->args->enclave_uuid, &undo) < 0) {
        AUTO_FREE char *why = err_string(undo);
        err_wrap(err,
                 "what was made of it could not be removed (%s): remove it with 'kurtosis enclave "
                 "rm -f %s'",
                 why, making->args->name);
    }
    return -1;
}

/* ---------------------------------------------------------------------------------- GetEnclaves */

static bool
is_wanted(const Orchestrator__GetEnclavesArgs *request, const char *uuid)
{
    for (size_t i = 0; i < request->n_uuids; i++)
        if (strcmp(request->uuids[i], uuid) == 0)
            return true;
    return request->n_uuids == 0;
}

/* Runs the two lists at once. */
static int
list_both(docker_t *self, const docker_call_t *call, json_t **ret_networks, json_t **ret_containers,
          err_t **err)
{
    AUTO_FREE char *networks = docker_networks_path(NULL);
    AUTO_FREE char *containers = docker_containers_path(DOCKER_LABEL_ENCLAVE, NULL, NULL);
    docker_request_t requests[] = {{.method = "GET", .path = networks},
                                   {.method = "GET", .path = containers}};
    int result =
        docker_http_run(self->http, requests, ARRAY_LEN(requests), docker_cancel_fd(call), err);
    if (result == 0)
        result = docker_json(requests[0].reply.data, requests[0].reply.len, ret_networks, err);
    if (result == 0)
        result = docker_json(requests[1].reply.data, requests[1].reply.len, ret_containers, err);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        docker_request_done(&requests[i]);
    return result;
}

int
docker_enclaves_get(docker_t *self, const docker_call_t *call,
                    const Orchestrator__GetEnclavesArgs *request,
                    Orchestrator__GetEnclavesReply **ret_reply, err_t **err)
{
    AUTO_JSON *networks = NULL;
    AUTO_JSON *containers = NULL;
    if (list_both(self, call, &networks, &containers, err) < 0)
        return err_wrap(err, "cannot list enclaves");
    Orchestrator__GetEnclavesReply *reply = docker_reply_enclaves(networks, containers);
    size_t kept = 0;
    for (size_t i = 0; i < reply->n_enclaves; i++) {
        if (is_wanted(request, reply->enclaves[i]->enclave_uuid))
            reply->enclaves[kept++] = reply->enclaves[i];
        else
            orchestrator__enclave__free_unpacked(reply->enclaves[i], NULL);
    }
    reply->n_enclaves = kept;
    *ret_reply = reply;
    return 0;
}

/* ------------------------------------------------------------------ StopEnclave, DestroyEnclave */

/* Is it fine that a request about a container was refused, because it is gone or does not run? */
static bool
is_still(const err_t *failure)
{
    return err_code(failure) == ERR_NOT_FOUND || docker_reason(failure) == DOCKER_NOT_RUNNING;
}

/* Takes the restart policy away from all, at once. */
static int
let_stay(docker_t *self, const docker_call_t *call, const json_t *containers, err_t **err)
{
    size_t count = json_array_size(containers);
    docker_request_t *requests = calloc(count + 1, sizeof *requests);
    if (!requests)
        abort();
    for (size_t i = 0; i < count; i++) {
        requests[i].method = "POST";
        requests[i].path =
            docker_path("/containers/%s/update", docker_text(json_array_get(containers, i), "Id"));
        requests[i].body = "{\"RestartPolicy\":{\"Name\":\"no\"}}";
    }
    docker_http_run(self->http, requests, count, docker_cancel_fd(call), NULL);
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (requests[i].failure && !is_still(requests[i].failure) && result == 0) {
            if (err)
                *err = TAKE(requests[i].failure);
            result = err_wrap(err, "cannot change the restart policy of a container");
        }
        free((char *)requests[i].path);
        docker_request_done(&requests[i]);
    }
    free(requests);
    return result;
}

/* Kills one after the other. Docker puts away what a container had on the network once it is dead, and answers no
 * inspection until it has; only then it is the next one's turn (turns.h). */
static int
kill_each(docker_t *self, const docker_call_t *call, const json_t *containers, err_t **err)
{
    size_t i;
    json_t *container;
    json_array_foreach((json_t *)containers, i, container)
    {
        const char *id = docker_text(container, "Id");
        AUTO(err) failure = NULL;
        if (docker_post(self, call, docker_path("/containers/%s/kill", id), NULL, NULL, &failure) ==
                0 &&
            docker_get(self, call, docker_path("/containers/%s/json", id), NULL, &failure) == 0)
            continue;
        if (is_still(failure))
            continue;
        if (err)
            *err = TAKE(failure);
        return err_wrap(err, "cannot kill a container");
    }
    return 0;
}

/* The restart policy goes first: a container that is killed, or that Docker finds dead when it
 * starts, stays so. */
static int
stop(docker_t *self, const docker_call_t *call, const char *uuid, err_t **err)
{
    AUTO_JSON *network = NULL;
    AUTO_JSON *containers = NULL;
    if (docker_network_find(self, call, uuid, &network, err) < 0 ||
        docker_get(self, call, docker_containers_path(DOCKER_LABEL_ENCLAVE, uuid, NULL),
                   &containers, err) < 0 ||
        let_stay(self, call, containers, err) < 0)
        return -1;
    docker_turn_t *turn = docker_turns_detach(&self->turns, docker_text(network, "Name"));
    int result = kill_each(self, call, containers, err);
    docker_turns_end(&self->turns, &turn);
    return result;
}

int
docker_enclave_stop(docker_t *self, const docker_call_t *call,
                    const Orchestrator__EnclaveRef *request, err_t **err)
{
    if (stop(self, call, request->enclave_uuid, err) < 0)
        return err_wrap(err, "cannot stop enclave '%s'", request->enclave_uuid);
    return 0;
}

int
docker_enclave_destroy(docker_t *self, const docker_call_t *call,
                       const Orchestrator__EnclaveRef *request, err_t **err)
{
    if (docker_check_uuid("enclave", request->enclave_uuid, err) < 0 ||
        destroy(self, call, request->enclave_uuid, err) < 0)
        return err_wrap(err, "cannot remove enclave '%.100s'", request->enclave_uuid);
    docker_collector_forget(self->collector, request->enclave_uuid);
    return 0;
}

typedef struct {
    docker_t *docker;
    const docker_call_t *call;
    const char *network;
    str_t attached; /* names of what was attached when it was last looked at */
} network_t;

/* Takes what is not ours off the network. An endpoint that Docker has lost the container of is listed as "ep-<id>", and
 * is disconnected by its name. */
static int
disconnect_all(network_t *self, err_t **err)
{
    AUTO_JSON *found = NULL;
    if (docker_get(self->docker, self->call, docker_path("/networks/%s", self->network), &found,
                   err) < 0)
        return -1;
    const char *id;
    json_t *endpoint;
    str_clear(&self->attached);
    json_object_foreach(json_object_get(found, "Containers"), id, endpoint)
    {
        AUTO(err) failure = NULL;
        const char *name = docker_text(endpoint, "Name");
        json_t *body =
            json_pack("{s:s, s:b}", "Container", str_starts(id, "ep-") ? name : id, "Force", 1);
        str_printf(&self->attached, "%s'%s'", self->attached.len ? ", " : "", name);
        if (docker_post(self->docker, self->call,
                        docker_path("/networks/%s/disconnect", self->network), body, NULL,
                        &failure) < 0 &&
            err_code(failure) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(failure);
            return err_wrap(err, "cannot disconnect container '%s'", name);
        }
    }
    return 0;
}

/* 1 when the network is gone, 0 when containers are still attached to it. */
static int
network_remove(void *arg, err_t **err)
{
    network_t *self = arg;
    AUTO(err) failure = NULL;
    if (docker_delete(self->docker, self->call, docker_path("/networks/%s", self->network),
                      &failure) == 0 ||
        err_code(failure) == ERR_NOT_FOUND)
        return 1;
    if (docker_reason(failure) == DOCKER_ENDPOINTS)
        return disconnect_all(self, err);
    if (err)
        *err = TAKE(failure);
    return -1;
}

/* Docker may still be busy with what was attached: its next event on the network is waited for. */
static int
network_remove_at_last(network_t *self, err_t **err)
{
    for (int tries = 0; tries < 2; tries++) {
        int gone = network_remove(self, err);
        if (gone != 0)
            return gone < 0 ? gone : 0;
    }
    AUTO(err) failure = NULL;
    AUTO_FREE char *filters = docker_filters("type", "network", "network", self->network, NULL);
    if (docker_await(self->docker, self->call, filters, DOCKER_AWAIT_MS, network_remove, self,
                     &failure) == 0)
        return 0;
    if (err_code(failure) == ERR_TIMEOUT && !self->attached.len)
        return err_fail(err, ERR_TIMEOUT,
                        "nothing is attached to it, but Docker counts something; restart Docker, "
                        "which counts anew, and try again");
    if (err_code(failure) == ERR_TIMEOUT)
        return err_fail(err, ERR_TIMEOUT, "Docker still keeps %s attached to it after %d seconds",
                        self->attached.data, DOCKER_AWAIT_MS / 1000);
    if (err)
        *err = TAKE(failure);
    return -1;
}

static int
networks_remove(docker_t *self, const docker_call_t *call, const char *uuid, err_t **err)
{
    AUTO_JSON *networks = NULL;
    if (docker_get(self, call, docker_networks_path(uuid), &networks, err) < 0)
        return err_wrap(err, "cannot list networks");
    size_t i;
    json_t *object;
    json_array_foreach(networks, i, object)
    {
        network_t network = {.docker = self,
                             .call = call,
                             .network = docker_text(object, "Id"),
                             .attached = STR_EMPTY};
        int rc = network_remove_at_last(&network, err);
        str_done(&network.attached);
        if (rc < 0)
            return err_wrap(err, "cannot remove network '%s'", docker_text(object, "Name"));
    }
    return 0;
}

static int
destroy(docker_t *self, const docker_call_t *call, const char *uuid, err_t **err)
{
    AUTO_JSON *containers = NULL;
    if (docker_get(self, call, docker_containers_path(DOCKER_LABEL_ENCLAVE, uuid, NULL),
                   &containers, err) < 0)
        return err_wrap(err, "cannot list the containers of enclave '%s'", uuid);
    if (docker_containers_remove(self, call, containers, err) < 0 ||
        docker_volumes_remove(self, call, DOCKER_LABEL_ENCLAVE, uuid, err) < 0)
        return -1;
    return networks_remove(self, call, uuid, err);
}
