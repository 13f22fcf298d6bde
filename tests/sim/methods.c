/*  methods: what the driver in memory answers; see sim.h. */
#include "docker-driver/labels.h"
#include "tests/sim/inside.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define SERVICE "orchestrator.Orchestrator/"
#define FLUSH_MAX 1000u
#define HANG_MS 60000 /* longer than any test waits */

static actor_handler_fn on_cluster, on_exec, on_copy_out, on_logs, on_flush, on_watch;

const actor_method_t sim_methods[] = {
    {SERVICE "GetClusterInfo", ACTOR_WORKER, on_cluster},
    {SERVICE "LoadImage", ACTOR_WORKER, sim_on_load},
    {SERVICE "InspectImage", ACTOR_WORKER, sim_on_inspect},
    {SERVICE "FetchImage", ACTOR_WORKER, sim_on_fetch},
    {SERVICE "SetRegistryLogins", ACTOR_WORKER, sim_on_logins},
    {SERVICE "PruneImages", ACTOR_WORKER, sim_on_prune},
    {SERVICE "CreateEngine", ACTOR_WORKER, sim_on_engine_create},
    {SERVICE "GetEngines", ACTOR_WORKER, sim_on_engines},
    {SERVICE "StopEngine", ACTOR_WORKER, sim_on_engine_stop},
    {SERVICE "AuthorizeUser", ACTOR_WORKER, sim_on_authorize},
    {SERVICE "CreateEnclave", ACTOR_WORKER, sim_on_enclave_create},
    {SERVICE "GetEnclaves", ACTOR_WORKER, sim_on_enclaves},
    {SERVICE "StopEnclave", ACTOR_WORKER, sim_on_enclave_stop},
    {SERVICE "ReplaceApiContainer", ACTOR_WORKER, sim_on_replace_api},
    {SERVICE "DestroyEnclave", ACTOR_WORKER, sim_on_enclave_destroy},
    {SERVICE "StartService", ACTOR_WORKER, sim_on_start},
    {SERVICE "GetServices", ACTOR_WORKER, sim_on_services},
    {SERVICE "StopService", ACTOR_WORKER, sim_on_stop},
    {SERVICE "RestartService", ACTOR_WORKER, sim_on_restart},
    {SERVICE "RemoveService", ACTOR_WORKER, sim_on_remove},
    {SERVICE "Exec", ACTOR_WORKER, on_exec},
    {SERVICE "CopyOut", ACTOR_WORKER, on_copy_out},
    {SERVICE "GetLogs", ACTOR_WORKER, on_logs},
    {SERVICE "FlushLogs", ACTOR_WORKER, on_flush},
    {SERVICE "WatchEnclave", ACTOR_WORKER, on_watch},
    {0},
};

void
sim_answer(actor_call_t **call_p, int result, void *reply, err_t **err)
{
    Orchestrator__Empty empty = ORCHESTRATOR__EMPTY__INIT;
    if (result < 0)
        actor_call_fail(call_p, err);
    else
        actor_call_reply(call_p, reply ? reply : &empty.base);
    if (reply)
        protobuf_c_message_free_unpacked(reply, NULL);
}

static void
on_cluster(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__GetClusterInfoArgs *args =
        (const Orchestrator__GetClusterInfoArgs *)request;
    Orchestrator__ClusterInfo info = ORCHESTRATOR__CLUSTER_INFO__INIT;
    (void)state;
    info.kind = "docker";
    info.version = SIM_VERSION;
    info.architecture = SIM_ARCHITECTURE;
    info.total_millicpus = info.free_millicpus = 2000;
    info.total_memory_megabytes = info.free_memory_megabytes = 4000;
    info.resources_complete = args->measure_free;
    actor_call_reply(&call, &info.base);
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

static int
check_exec(sim_t *self, const Orchestrator__ExecArgs *args, err_t **err)
{
    sim_container_t *container;
    if (!args->n_command)
        return err_fail(err, ERR_INVALID, "no command was given to run in service '%.100s'",
                        args->service_uuid);
    pthread_mutex_lock(&self->lock);
    int result = sim_require(self, args->enclave_uuid, args->service_uuid, &container, err);
    if (result == 0 && container->state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        result =
            err_fail(err, ERR_STATE, "the container of service '%s' does not run: start it first",
                     container->spec->name);
    pthread_mutex_unlock(&self->lock);
    if (result == 0 && self->folder)
        return err_fail(err, ERR_UNSUPPORTED, "simulated containers have no processes");
    return result;
}

static void
on_exec(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__ExecArgs *args = (const Orchestrator__ExecArgs *)request;
    Orchestrator__ExecOutput end = ORCHESTRATOR__EXEC_OUTPUT__INIT;
    AUTO(err) err = NULL;
    if (check_exec(self, args, &err) < 0) {
        actor_call_fail(&call, &err);
        return;
    }
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

static int
check_logs(sim_t *self, const Orchestrator__GetLogsArgs *args, err_t **err)
{
    sim_container_t *container;
    int result = args->n_service_uuids ? 0 : err_fail(err, ERR_INVALID, "no service was named");
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < args->n_service_uuids && result == 0; i++)
        result = sim_require(self, args->enclave_uuid, args->service_uuids[i], &container, err);
    pthread_mutex_unlock(&self->lock);
    return result;
}

static void
on_flush(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__FlushLogsArgs *args = (const Orchestrator__FlushLogsArgs *)request;
    AUTO(err) err = NULL;
    (void)state;
    int result = docker_check_uuid("enclave", args->enclave_uuid, &err);
    if (result == 0 && args->n_service_uuids > FLUSH_MAX)
        result =
            err_fail(&err, ERR_LIMIT, "%zu services were named: at most %u are waited for at once",
                     args->n_service_uuids, FLUSH_MAX);
    sim_answer(&call, result, NULL, &err);
}

static void
on_logs(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    sim_t *self = state;
    const Orchestrator__GetLogsArgs *args = (const Orchestrator__GetLogsArgs *)request;
    static const char *const words[] = {"one", "two"};
    AUTO(err) err = NULL;
    if (check_logs(self, args, &err) < 0) {
        actor_call_fail(&call, &err);
        return;
    }
    for (size_t i = 0; i < args->n_service_uuids; i++) {
        pthread_mutex_lock(&self->lock);
        sim_container_t *container = sim_find(self, args->enclave_uuid, args->service_uuids[i]);
        AUTO_FREE char *name = strdup(container ? container->spec->name : "");
        pthread_mutex_unlock(&self->lock);
        for (size_t j = 0; !self->folder && name[0] && j < ARRAY_LEN(words); j++) {
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
    sim_t *self = state;
    const Orchestrator__EnclaveRef *ref = (const Orchestrator__EnclaveRef *)request;
    watcher_t watcher = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                         .enclave = ref->enclave_uuid};
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
