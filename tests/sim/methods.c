/*  methods: what the driver in memory answers; see sim.h. */
#include "tests/sim/inside.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define SERVICE "orchestrator.Orchestrator/"
#define HANG_MS 60000 /* longer than any test waits */
#define HOLD_SECONDS 10

static actor_handler_fn on_cluster, on_fetch, on_start, on_get, on_stop, on_restart, on_remove,
    on_exec, on_copy_out, on_logs, on_watch;

const actor_method_t sim_methods[] = {
    {SERVICE "GetClusterInfo", ACTOR_WORKER, on_cluster},
    {SERVICE "FetchImage", ACTOR_WORKER, on_fetch},
    {SERVICE "StartService", ACTOR_WORKER, on_start},
    {SERVICE "GetServices", ACTOR_WORKER, on_get},
    {SERVICE "StopService", ACTOR_WORKER, on_stop},
    {SERVICE "RestartService", ACTOR_WORKER, on_restart},
    {SERVICE "RemoveService", ACTOR_WORKER, on_remove},
    {SERVICE "Exec", ACTOR_WORKER, on_exec},
    {SERVICE "CopyOut", ACTOR_WORKER, on_copy_out},
    {SERVICE "GetLogs", ACTOR_WORKER, on_logs},
    {SERVICE "WatchEnclave", ACTOR_WORKER, on_watch},
    {0},
};

static void
reply_empty(actor_call_t **call_p)
{
    Orchestrator__Empty empty = ORCHESTRATOR__EMPTY__INIT;
    actor_call_reply(call_p, &empty.base);
}

static void
fail(actor_call_t **call_p, err_code_t code, const char *name, const char *why)
{
    err_t *err = NULL;
    err_fail(&err, code, "the container of '%s' %s", name, why);
    actor_call_fail(call_p, &err);
}

static void
on_cluster(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__GetClusterInfoArgs *args =
        (const Orchestrator__GetClusterInfoArgs *)request;
    Orchestrator__ClusterInfo info = ORCHESTRATOR__CLUSTER_INFO__INIT;
    (void)state;
    info.kind = "docker";
    info.architecture = "amd64";
    info.total_millicpus = info.free_millicpus = 2000;
    info.total_memory_megabytes = info.free_memory_megabytes = 4000;
    info.resources_complete = args->measure_free;
    actor_call_reply(&call, &info.base);
}

static void
on_fetch(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__FetchImageArgs *args = (const Orchestrator__FetchImageArgs *)request;
    Orchestrator__FetchImageProgress progress = ORCHESTRATOR__FETCH_IMAGE_PROGRESS__INIT;
    Orchestrator__ImageInfo info = ORCHESTRATOR__IMAGE_INFO__INIT;
    (void)state;
    if (strcmp(args->image, "lost") == 0) {
        err_t *err = NULL;
        err_fail(&err, ERR_NOT_FOUND, "there is no image '%s'", args->image);
        actor_call_fail(&call, &err);
        return;
    }
    info.image = args->image;
    info.architecture = "amd64";
    progress.origin = ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL;
    progress.info = &info;
    actor_call_send(call, &progress.base, NULL);
    actor_call_end(&call);
}

/* Lends the container's own memory: send it before the lock is given back. */
static Orchestrator__ServiceInfo
info_of(const sim_container_t *container)
{
    Orchestrator__ServiceInfo info = ORCHESTRATOR__SERVICE_INFO__INIT;
    const Orchestrator__ServiceSpec *spec = container->spec;
    info.enclave_uuid = spec->enclave_uuid;
    info.service_uuid = spec->service_uuid;
    info.name = spec->name;
    info.image = spec->image;
    info.private_ip = spec->private_ip;
    info.state = container->state;
    info.exit_code = container->exit_code;
    info.ports = spec->ports;
    info.n_ports = spec->n_ports;
    info.env = spec->env;
    info.n_env = spec->n_env;
    info.entrypoint = spec->entrypoint;
    info.n_entrypoint = spec->n_entrypoint;
    info.cmd = spec->cmd;
    info.n_cmd = spec->n_cmd;
    info.public_ip = (char *)"127.0.0.1";
    return info;
}

/* --------------------------------------------------------------------------------- StartService */

static int
receive(actor_call_t *call, sim_container_t *container, err_t **err)
{
    for (;;) {
        AUTO_MESSAGE Orchestrator__StartServicePart *part = NULL;
        int rc = actor_call_recv(call, 10000, (ProtobufCMessage **)&part, err);
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

static void
container_drop(sim_container_t *container)
{
    for (size_t i = 0; i < SIM_MOUNTS_MAX; i++)
        str_done(&container->mounts[i].data);
    bus_message_destroy(&container->spec);
    free(container);
}

static void
on_start(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    sim_t *self = state;
    AUTO(err) err = NULL;
    sim_container_t *container = calloc(1, sizeof *container);
    if (!container)
        abort();
    for (size_t i = 0; i < SIM_MOUNTS_MAX; i++)
        container->mounts[i].data = STR_EMPTY;
    for (size_t i = 0; i < SIM_PORTS_MAX; i++)
        container->listeners[i] = -1;
    if (receive(call, container, &err) < 0) {
        actor_call_fail(&call, &err);
        container_drop(container);
        return;
    }
    pthread_mutex_lock(&self->lock);
    wait_for_company(self);
    sim_container_t *old = sim_find(self, container->spec->service_uuid);
    if (strcmp(container->spec->image, "refused") == 0) {
        fail(&call, ERR_STATE, container->spec->name, "has no entrypoint");
        container_drop(container);
    } else if (old && !container->spec->replace) {
        fail(&call, ERR_EXISTS, container->spec->name, "is there already");
        container_drop(container);
    } else {
        if (old) {
            container->starts = old->starts;
            sim_remove(self, old);
        }
        sim_add(self, container);
        sim_run(self, container);
        Orchestrator__ServiceInfo info = info_of(container);
        actor_call_reply(&call, &info.base);
    }
    pthread_mutex_unlock(&self->lock);
}

/* -------------------------------------------------------------------------------------- one
 * service or all */

static bool
is_wanted(const Orchestrator__GetServicesArgs *args, const sim_container_t *container)
{
    if (strcmp(args->enclave_uuid, container->spec->enclave_uuid) != 0)
        return false;
    for (size_t i = 0; i < args->n_service_uuids; i++)
        if (strcmp(args->service_uuids[i], container->spec->service_uuid) == 0)
            return true;
    return args->n_service_uuids == 0;
}

static void
on_get(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    Orchestrator__ServiceInfo infos[256], *pointers[256];
    Orchestrator__GetServicesReply reply = ORCHESTRATOR__GET_SERVICES_REPLY__INIT;
    reply.services = pointers;
    pthread_mutex_lock(&self->lock);
    for (sim_container_t *container = self->containers; container; container = container->next)
        if (is_wanted((const Orchestrator__GetServicesArgs *)request, container) &&
            reply.n_services < ARRAY_LEN(infos)) {
            infos[reply.n_services] = info_of(container);
            pointers[reply.n_services] = &infos[reply.n_services];
            reply.n_services++;
        }
    actor_call_reply(&call, &reply.base);
    pthread_mutex_unlock(&self->lock);
}

static void
on_stop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__StopServiceArgs *args = (const Orchestrator__StopServiceArgs *)request;
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find(self, args->service_uuid);
    if (!container)
        fail(&call, ERR_NOT_FOUND, args->service_uuid, "is not there");
    else {
        if (container->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
            sim_end(self, container, 143);
        reply_empty(&call);
    }
    pthread_mutex_unlock(&self->lock);
}

static void
on_restart(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__ServiceRef *args = (const Orchestrator__ServiceRef *)request;
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find(self, args->service_uuid);
    if (!container)
        fail(&call, ERR_NOT_FOUND, args->service_uuid, "is not there");
    else {
        if (container->state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
            sim_run(self, container);
        Orchestrator__ServiceInfo info = info_of(container);
        actor_call_reply(&call, &info.base);
    }
    pthread_mutex_unlock(&self->lock);
}

static void
on_remove(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__ServiceRef *args = (const Orchestrator__ServiceRef *)request;
    pthread_mutex_lock(&self->lock);
    sim_container_t *container = sim_find(self, args->service_uuid);
    if (self->refuse_removal)
        fail(&call, ERR_UNAVAILABLE, args->service_uuid, "cannot be removed now");
    else {
        if (container)
            sim_remove(self, container);
        reply_empty(&call);
    }
    pthread_mutex_unlock(&self->lock);
}

/* -------------------------------------------------------------------------------------- streams */

static void
print(actor_call_t *call, const char *data, size_t size)
{
    Orchestrator__ExecOutput output = ORCHESTRATOR__EXEC_OUTPUT__INIT;
    output.data = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
    actor_call_send(call, &output.base, NULL);
}

static void
flood(actor_call_t *call, size_t size)
{
    char block[65536];
    memset(block, 'x', sizeof block);
    for (; size > 0; size -= size < sizeof block ? size : sizeof block)
        print(call, block, size < sizeof block ? size : sizeof block);
}

static bool
hangs(sim_t *self)
{
    pthread_mutex_lock(&self->lock);
    const bool hang = self->hang;
    pthread_mutex_unlock(&self->lock);
    return hang;
}

static void
hang_more(sim_t *self, int more)
{
    pthread_mutex_lock(&self->lock);
    self->hanging += (unsigned)more;
    pthread_mutex_unlock(&self->lock);
}

static void
on_exec(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__ExecArgs *args = (const Orchestrator__ExecArgs *)request;
    Orchestrator__ExecOutput end = ORCHESTRATOR__EXEC_OUTPUT__INIT;
    end.is_end = true;
    const char *what = args->command[0];
    if (strcmp(what, "echo") == 0) {
        AUTO_STR text = STR_EMPTY;
        for (size_t i = 1; i < args->n_command; i++)
            str_printf(&text, "%s%s", i > 1 ? " " : "", args->command[i]);
        str_add_char(&text, '\n');
        print(call, text.data, text.len);
    } else if (strcmp(what, "fail") == 0) {
        end.exit_code = (int)strtol(args->command[1], NULL, 10);
    } else if (strcmp(what, "/bin/sh") == 0 && !hangs(self)) {
        print(call, "ran\n", 4);
    } else if (strcmp(what, "flood") == 0) {
        flood(call, strtoul(args->command[1], NULL, 10));
    } else {
        struct pollfd cancel = {.fd = actor_call_cancel_fd(call), .events = POLLIN};
        hang_more(self, 1);
        poll(&cancel, 1, HANG_MS);
        hang_more(self, -1);
    }
    actor_call_send(call, &end.base, NULL);
    actor_call_end(&call);
}

static void
on_copy_out(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    const char *path = ((const Orchestrator__CopyOutArgs *)request)->path;
    /* A ustar header, a block of content, two empty blocks. Of "/hostile" the member leaves the archive. */
    char tar[2048] = "";
    strcpy(tar, strcmp(path, "/hostile") == 0 ? "../note.txt" : "note.txt");
    snprintf(tar + 100, 8, "%07o", 0644);
    snprintf(tar + 108, 8, "%07o", 0);
    snprintf(tar + 116, 8, "%07o", 0);
    snprintf(tar + 124, 12, "%011o", (unsigned)strlen(path));
    snprintf(tar + 136, 12, "%011o", 0);
    memset(tar + 148, ' ', 8);
    tar[156] = '0';
    memcpy(tar + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)tar[i];
    snprintf(tar + 148, 8, "%06o", sum);
    memcpy(tar + 512, path, strlen(path) < 512 ? strlen(path) : 512);
    for (size_t i = 0; i < sizeof tar; i += 700) {
        Orchestrator__TarChunk chunk = ORCHESTRATOR__TAR_CHUNK__INIT;
        size_t size = sizeof tar - i < 700 ? sizeof tar - i : 700;
        chunk.data = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)tar + i};
        actor_call_send(call, &chunk.base, NULL);
    }
    actor_call_end(&call);
}

static void
on_logs(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__GetLogsArgs *args = (const Orchestrator__GetLogsArgs *)request;
    static const char *const words[] = {"one", "two"};
    for (size_t i = 0; i < args->n_service_uuids; i++) {
        pthread_mutex_lock(&self->lock);
        sim_container_t *container = sim_find(self, args->service_uuids[i]);
        AUTO_FREE char *name = strdup(container ? container->spec->name : "");
        pthread_mutex_unlock(&self->lock);
        for (size_t j = 0; name[0] && j < ARRAY_LEN(words); j++) {
            AUTO_FREE char *text = str_format("%s of %s", words[j], name);
            Orchestrator__ServiceLogLine line = ORCHESTRATOR__SERVICE_LOG_LINE__INIT;
            line.service_uuid = args->service_uuids[i];
            line.line = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)text};
            actor_call_send(call, &line.base, NULL);
        }
    }
    actor_call_end(&call);
}

static void
on_watch(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    sim_t *self = state;
    watcher_t watcher = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    Orchestrator__ContainerEvent ready = ORCHESTRATOR__CONTAINER_EVENT__INIT;
    ready.action = (char *)"ready";
    pthread_mutex_lock(&self->lock);
    watcher.next = self->watchers;
    self->watchers = &watcher;
    pthread_mutex_unlock(&self->lock);
    int rc = actor_call_send(call, &ready.base, NULL);
    while (rc == 0) {
        struct pollfd fds[] = {{.fd = watcher.fd, .events = POLLIN},
                               {.fd = actor_call_cancel_fd(call), .events = POLLIN}};
        eventfd_t seen;
        poll(fds, ARRAY_LEN(fds), -1);
        if (fds[1].revents)
            break;
        eventfd_read(watcher.fd, &seen);
        pthread_mutex_lock(&self->lock);
        Orchestrator__ContainerEvent *events[ARRAY_LEN(watcher.events)];
        size_t count = watcher.count;
        memcpy(events, watcher.events, count * sizeof *events);
        watcher.count = 0;
        pthread_mutex_unlock(&self->lock);
        for (size_t i = 0; i < count; i++) {
            if (rc == 0)
                rc = actor_call_send(call, &events[i]->base, NULL);
            bus_message_destroy(&events[i]);
        }
    }
    pthread_mutex_lock(&self->lock);
    watcher_t **at = &self->watchers;
    while (*at != &watcher)
        at = &(*at)->next;
    *at = watcher.next;
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < watcher.count; i++)
        bus_message_destroy(&watcher.events[i]);
    close(watcher.fd);
    actor_call_end(&call);
}
