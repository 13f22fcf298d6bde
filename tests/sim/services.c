/*  services: StartService, GetServices, StopService, RestartService, RemoveService. */
#include "base/uuid.h"
#include "docker-driver/api.h"
#include "docker-driver/labels.h"
#include "docker-driver/spec.h"
#include "tests/sim/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define HOLD_SECONDS 10
#define RECEIVE_MS 60000

/* ------------------------------------------------------------------------------------- what is said */

static Orchestrator__Pair *
pair_of(const char *text)
{
    const char *sign = strchr(text, '=');
    Orchestrator__Pair *pair = MESSAGE_NEW(Pair, pair);
    pair->name = sign ? strndup(text, (size_t)(sign - text)) : strdup(text);
    pair->value = strdup(sign ? sign + 1 : "");
    return pair;
}

static void
add_texts(char ***list, size_t *count, char *const *from, size_t from_count)
{
    for (size_t i = 0; i < from_count; i++)
        LIST_ADD(*list, *count, strdup(from[i]));
}

static void
add_pairs(Orchestrator__Pair ***list, size_t *count, Orchestrator__Pair *const *from,
          size_t from_count)
{
    for (size_t i = 0; i < from_count; i++)
        LIST_ADD(*list, *count, (Orchestrator__Pair *)bus_message_dup(&from[i]->base));
}

static void
add_ports(Orchestrator__ServiceInfo *info, const sim_container_t *container)
{
    const Orchestrator__ServiceSpec *spec = container->spec;
    bool runs = container->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
    for (size_t i = 0; i < spec->n_ports; i++) {
        Orchestrator__ServicePort *port =
            (Orchestrator__ServicePort *)bus_message_dup(&spec->ports[i]->base);
        if (i < SIM_PORTS_MAX && container->host_ports[i])
            port->public_number = container->host_ports[i];
        if (!runs)
            port->public_number = 0;
        LIST_ADD(info->ports, info->n_ports, port);
    }
}

/* Yours. */
static Orchestrator__ServiceInfo *
info_of(sim_t *self, const sim_container_t *container)
{
    Orchestrator__ServiceInfo *info = MESSAGE_NEW(ServiceInfo, service_info);
    const Orchestrator__ServiceSpec *spec = container->spec;
    sim_image_t *image;
    sim_image_require(self, spec->image, &image, NULL);
    info->enclave_uuid = strdup(spec->enclave_uuid);
    info->service_uuid = strdup(spec->service_uuid);
    info->name = strdup(spec->name);
    info->container_id = strdup(container->id);
    info->image = strdup(spec->image);
    info->private_ip = strdup(spec->private_ip);
    info->state = container->state;
    info->exit_code = container->exit_code;
    info->public_ip = strdup("127.0.0.1");
    for (size_t i = 0; image && i < image->env_count; i++)
        LIST_ADD(info->env, info->n_env, pair_of(image->env[i]));
    add_pairs(&info->env, &info->n_env, spec->env, spec->n_env);
    add_pairs(&info->labels, &info->n_labels, spec->labels, spec->n_labels);
    add_texts(&info->entrypoint, &info->n_entrypoint, spec->entrypoint, spec->n_entrypoint);
    add_texts(&info->cmd, &info->n_cmd, spec->cmd, spec->n_cmd);
    if (image && !info->n_entrypoint)
        add_texts(&info->entrypoint, &info->n_entrypoint, image->info->entrypoint,
                  image->info->n_entrypoint);
    if (image && !info->n_cmd && !spec->n_entrypoint)
        add_texts(&info->cmd, &info->n_cmd, image->info->cmd, image->info->n_cmd);
    add_ports(info, container);
    return info;
}

/* ------------------------------------------------------------------------------------- host ports */

/* Holds a port of this host, *port 0: any; what it is in *port. -1 with errno. */
static int
hold(Orchestrator__Transport transport, uint32_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
    socklen_t size = sizeof address;
    bool is_udp = transport == ORCHESTRATOR__TRANSPORT__UDP;
    int protocol = transport == ORCHESTRATOR__TRANSPORT__SCTP ? IPPROTO_SCTP : 0;
    int fd = socket(AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, protocol), yes = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        *port = ntohs(address.sin_port);
        return fd;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int
publish(sim_container_t *container, err_t **err)
{
    const Orchestrator__ServiceSpec *spec = container->spec;
    if (spec->n_ports > SIM_PORTS_MAX)
        return err_fail(err, ERR_LIMIT, "it has %zu ports: at most %d are simulated", spec->n_ports,
                        SIM_PORTS_MAX);
    for (size_t i = 0; i < spec->n_ports; i++) {
        const Orchestrator__ServicePort *port = spec->ports[i];
        uint32_t *number = &container->host_ports[i];
        if (!port->publish || container->published[i] >= 0)
            continue;
        if (port->public_number)
            *number = port->public_number;
        container->published[i] = hold(port->transport, number);
        if (container->published[i] >= 0)
            continue;
        if (errno == EPROTONOSUPPORT)
            return err_fail(err, ERR_UNSUPPORTED,
                            "this host has no %s: load it with 'modprobe sctp'",
                            docker_transport_name(port->transport));
        return err_fail(err, ERR_STATE,
                        "port %u of the host, for port '%s' of service '%s', is in use", *number,
                        port->id, spec->name);
    }
    return 0;
}

/* --------------------------------------------------------------------------------- StartService */

static int
receive(actor_call_t *call, sim_container_t *container, err_t **err)
{
    for (;;) {
        AUTO_MESSAGE Orchestrator__StartServicePart *part = NULL;
        int rc = actor_call_recv(call, RECEIVE_MS, (ProtobufCMessage **)&part, err);
        if (rc <= 0)
            return rc < 0            ? rc
                   : container->spec ? 0
                                     : err_fail(err, ERR_INVALID, "there is no spec");
        if (part->spec && !container->spec)
            container->spec = (Orchestrator__ServiceSpec *)bus_message_dup(&part->spec->base);
        if (!container->spec || part->mount_index >= SIM_MOUNTS_MAX)
            return err_fail(err, ERR_INVALID, "a part is out of place");
        sim_mount_t *mount = &container->mounts[part->mount_index];
        str_add_bytes(&mount->data, part->data.data, part->data.len);
        mount->archives += part->archive_end;
    }
}

/* With the lock held. */
static void
wait_for_company(sim_t *self)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HOLD_SECONDS;
    self->starting++;
    self->most = self->starting > self->most ? self->starting : self->most;
    pthread_cond_broadcast(&self->changed);
    while (self->most < self->hold &&
           pthread_cond_timedwait(&self->changed, &self->lock, &until) == 0)
        ;
    self->starting--;
}

static int
check(sim_t *self, const Orchestrator__ServiceSpec *spec, err_t **err)
{
    sim_image_t *image;
    if (docker_spec_check(spec, err) < 0 || sim_enclave_require(self, spec->enclave_uuid, err) < 0)
        return -1;
    if (sim_find(self, spec->enclave_uuid, spec->service_uuid) && !spec->replace)
        return err_fail(err, ERR_EXISTS, "there is a container of this service already");
    if (!self->folder && strcmp(spec->image, "refused") == 0)
        return err_fail(err, ERR_STATE, "its image has no entrypoint");
    if (sim_image_require(self, spec->image, &image, err) < 0) {
        /* It is pulled, as other drivers do, which fails: there is no registry. */
        AUTO(err) failure = err ? TAKE(*err) : NULL;
        AUTO_FREE char *why = err_string(failure);
        return err_fail(err, ERR_UNKNOWN, "cannot pull image '%.300s': %s", spec->image, why);
    }
    if (image && spec->n_entrypoint && *spec->entrypoint[0] == '/' &&
        !sim_image_has(image, spec->entrypoint[0]))
        return err_fail(err, ERR_INVALID, "image '%s' has no program '%s'", spec->image,
                        spec->entrypoint[0]);
    return 0;
}

static void
make_volumes(sim_t *self, const Orchestrator__ServiceSpec *spec)
{
    for (size_t i = 0; i < spec->n_files; i++) {
        char guid[UUID_LEN + 1];
        uuid_new(guid);
        AUTO_FREE char *name = docker_name_files(guid, spec->enclave_uuid);
        sim_volume_add(self, name, spec->enclave_uuid, spec->service_uuid);
    }
    for (size_t i = 0; i < spec->n_persistent; i++) {
        AUTO_FREE char *name = docker_name_persistent(spec->persistent[i]->key, spec->enclave_uuid);
        sim_volume_add(self, name, spec->enclave_uuid, NULL);
    }
}

/* The ports of this host that a container had go to the one that has its place, by their ids. */
static void
hand_ports_over(sim_container_t *from, sim_container_t *to)
{
    for (size_t i = 0; i < from->spec->n_ports && i < SIM_PORTS_MAX; i++)
        for (size_t k = 0; k < to->spec->n_ports && k < SIM_PORTS_MAX; k++)
            if (strcmp(from->spec->ports[i]->id, to->spec->ports[k]->id) == 0) {
                to->host_ports[k] = from->host_ports[i];
                to->published[k] = from->published[i];
                from->published[i] = -1;
            }
}

/* On success the container is the list's. With the lock held. */
static int
start(sim_t *self, sim_container_t *container, err_t **err)
{
    Orchestrator__ServiceSpec *spec = container->spec;
    if (check(self, spec, err) < 0)
        return -1;
    sim_container_t *old = sim_find(self, spec->enclave_uuid, spec->service_uuid);
    if (old) {
        container->starts = old->starts;
        hand_ports_over(old, container);
        sim_remove(self, old);
    }
    if (self->folder && publish(container, err) < 0)
        return -1;
    make_volumes(self, spec);
    sim_add(self, container);
    sim_run(self, container);
    return 0;
}

void
sim_on_start(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    sim_t *self = state;
    AUTO(err) err = NULL;
    sim_container_t *container = sim_container_new();
    if (receive(call, container, &err) < 0) {
        actor_call_fail(&call, &err);
        sim_container_free(container);
        return;
    }
    pthread_mutex_lock(&self->lock);
    wait_for_company(self);
    int result = start(self, container, &err);
    Orchestrator__ServiceInfo *info = result == 0 ? info_of(self, container) : NULL;
    if (result < 0) {
        err_wrap(&err, "cannot start service '%.100s'", container->spec->name);
        sim_container_free(container);
    }
    /* Under the lock: who hears of the start by an event has the answer first. */
    sim_answer(&call, result, info, &err);
    pthread_mutex_unlock(&self->lock);
}

/* ------------------------------------------------------------------------------ one service or all */

static bool
is_wanted(const Orchestrator__GetServicesArgs *args, const sim_container_t *container)
{
    const Orchestrator__ServiceSpec *spec = container->spec;
    if (strcmp(args->enclave_uuid, spec->enclave_uuid) != 0 || !*spec->service_uuid)
        return false;
    for (size_t i = 0; i < args->n_service_uuids; i++)
        if (strcmp(args->service_uuids[i], spec->service_uuid) == 0)
            return true;
    return args->n_service_uuids == 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(Orchestrator__ServiceInfo *const *)a)->name,
                  (*(Orchestrator__ServiceInfo *const *)b)->name);
}

void
sim_on_services(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    AUTO(err) err = NULL;
    Orchestrator__GetServicesReply *reply = MESSAGE_NEW(GetServicesReply, get_services_reply);
    pthread_mutex_lock(&self->lock);
    for (const sim_container_t *at = self->containers; at; at = at->next)
        if (is_wanted((const Orchestrator__GetServicesArgs *)request, at))
            LIST_ADD(reply->services, reply->n_services, info_of(self, at));
    if (reply->n_services)
        qsort(reply->services, reply->n_services, sizeof *reply->services, by_name);
    sim_answer(&call, 0, reply, &err);
    pthread_mutex_unlock(&self->lock);
}

void
sim_on_stop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__StopServiceArgs *args = (const Orchestrator__StopServiceArgs *)request;
    AUTO(err) err = NULL;
    sim_container_t *container;
    pthread_mutex_lock(&self->lock);
    int result = sim_require(self, args->enclave_uuid, args->service_uuid, &container, &err);
    if (result == 0 && container->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        sim_end(self, container, args->grace_seconds ? SIM_TERMINATED : SIM_KILLED);
    if (result < 0)
        err_wrap(&err, "cannot stop service '%.100s'", args->service_uuid);
    sim_answer(&call, result, NULL, &err);
    pthread_mutex_unlock(&self->lock);
}

void
sim_on_restart(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__ServiceRef *args = (const Orchestrator__ServiceRef *)request;
    AUTO(err) err = NULL;
    sim_container_t *container;
    Orchestrator__ServiceInfo *info = NULL;
    pthread_mutex_lock(&self->lock);
    int result = sim_require(self, args->enclave_uuid, args->service_uuid, &container, &err);
    if (result == 0 && container->state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING) {
        result = self->folder ? publish(container, &err) : 0;
        if (result == 0)
            sim_run(self, container);
    }
    if (result < 0)
        err_wrap(&err, "cannot start service '%.100s'", args->service_uuid);
    else
        info = info_of(self, container);
    sim_answer(&call, result, info, &err);
    pthread_mutex_unlock(&self->lock);
}

void
sim_on_remove(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__ServiceRef *args = (const Orchestrator__ServiceRef *)request;
    AUTO(err) err = NULL;
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find(self, args->enclave_uuid, args->service_uuid);
    int result = self->refuse_removal
                     ? err_fail(&err, ERR_UNAVAILABLE,
                                "the container of '%s' cannot be removed now", args->service_uuid)
                     : 0;
    if (container && result == 0)
        sim_remove(self, container);
    sim_answer(&call, result, NULL, &err);
    pthread_mutex_unlock(&self->lock);
}
