/*  stage: see stage.h. */
#include "tests/unit/engine/stage.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/uuid.h"
#include "logs/logs.h"

#include <stdio.h>
#include <sys/stat.h>
#include <zmq.h>

const Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;

static void
changed(stage_t *self)
{
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static entry_t *
find(stage_t *self, const char *uuid)
{
    for (size_t i = 0; i < self->count; i++)
        if (!strcmp(self->enclaves[i]->uuid, uuid))
            return self->enclaves[i];
    return NULL;
}

static void
entry_free(entry_t *entry)
{
    actor_destroy(&entry->apic);
    free(entry->name);
    free(entry);
}

/* ---- the driver in memory */

static void
fill(const entry_t *entry, Orchestrator__Enclave *out)
{
    orchestrator__enclave__init(out);
    out->enclave_uuid = (char *)entry->uuid;
    out->name = entry->name;
    out->creation_time = entry->creation_time;
    out->is_production = entry->is_production;
    out->containers_running = entry->running;
    out->containers_stopped = entry->stopped;
    out->api_container_state = entry->running   ? ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING
                               : entry->stopped ? ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED
                                                : ORCHESTRATOR__CONTAINER_STATE__CONTAINER_NONE;
    out->api_container_id = (char *)"c0ffee";
    out->api_container_ip = (char *)"172.16.0.3";
}

/* With the secret key that the engine gave it, as a real API container would. */
static void
join_apic(stage_t *self, entry_t *entry, char *const *env, size_t count)
{
    static const char variable[] = "KURTOSIS_BUS_SECRET=";
    bus_keys_t keys = {0};
    char public_key[BUS_KEY_TEXT_SIZE];
    for (size_t i = 0; i < count; i++)
        if (str_starts(env[i], variable)) {
            const char *secret = env[i] + strlen(variable);
            zmq_curve_public(public_key, secret);
            bus_key_from_text(secret, keys.secret_key, NULL);
            bus_key_from_text(public_key, keys.public_key, NULL);
        }
    AUTO_FREE char *name = str_format("apic/%s", entry->uuid);
    actor_t *apic = NULL;
    stage_join(self, name, &keys, &apic, NULL);
    pthread_mutex_lock(&self->lock);
    entry->apic = apic;
    pthread_mutex_unlock(&self->lock);
}

static void
on_create(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    stage_t *self = state;
    const Orchestrator__CreateEnclaveArgs *args = (const Orchestrator__CreateEnclaveArgs *)request;
    entry_t *entry = calloc(1, sizeof *entry);
    strcpy(entry->uuid, args->enclave_uuid);
    entry->name = strdup(args->name);
    entry->creation_time = args->creation_time;
    entry->is_production = args->is_production;
    entry->running = 1;
    pthread_mutex_lock(&self->lock);
    self->creating++;
    self->enclaves[self->count++] = entry;
    pthread_cond_broadcast(&self->changed);
    while (self->hold_creation)
        pthread_cond_wait(&self->changed, &self->lock);
    bool joins = self->apic_joins;
    Orchestrator__Enclave reply;
    fill(entry, &reply);
    pthread_mutex_unlock(&self->lock);
    if (joins)
        join_apic(self, entry, args->env, args->n_env);
    actor_call_reply(&call, &reply.base);
}

static void
on_get(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    stage_t *self = state;
    const Orchestrator__GetEnclavesArgs *args = (const Orchestrator__GetEnclavesArgs *)request;
    Orchestrator__Enclave items[ENCLAVES_MAX], *list[ENCLAVES_MAX];
    Orchestrator__GetEnclavesReply reply = ORCHESTRATOR__GET_ENCLAVES_REPLY__INIT;
    reply.enclaves = list;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->count; i++) {
        bool wanted = args->n_uuids == 0;
        for (size_t k = 0; k < args->n_uuids; k++)
            wanted = wanted || !strcmp(args->uuids[k], self->enclaves[i]->uuid);
        if (!wanted)
            continue;
        fill(self->enclaves[i], &items[i]);
        list[reply.n_enclaves++] = &items[i];
    }
    actor_call_reply(&call, &reply.base);
    pthread_mutex_unlock(&self->lock);
}

static void
reply_empty(actor_call_t *call)
{
    Orchestrator__Empty reply = ORCHESTRATOR__EMPTY__INIT;
    actor_call_reply(&call, &reply.base);
}

static void
on_stop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    stage_t *self = state;
    pthread_mutex_lock(&self->lock);
    entry_t *entry = find(self, ((const Orchestrator__EnclaveRef *)request)->enclave_uuid);
    if (entry) {
        entry->stopped += entry->running;
        entry->running = 0;
    }
    changed(self);
    reply_empty(call);
}

static void
on_destroy(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    stage_t *self = state;
    const char *uuid = ((const Orchestrator__EnclaveRef *)request)->enclave_uuid;
    pthread_mutex_lock(&self->lock);
    if (!strcmp(self->refuse_destroy, uuid)) {
        pthread_mutex_unlock(&self->lock);
        AUTO(err) err = NULL;
        err_fail(&err, ERR_STATE, "the network is in use");
        actor_call_fail(&call, &err);
        return;
    }
    entry_t *entry = find(self, uuid);
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->enclaves[i] != entry)
            self->enclaves[kept++] = self->enclaves[i];
    self->count = kept;
    strcpy(self->destroyed[self->n_destroyed++], uuid);
    changed(self);
    if (entry)
        entry_free(entry);
    reply_empty(call);
}

static void
on_services(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    (void)request;
    Orchestrator__ServiceInfo one = ORCHESTRATOR__SERVICE_INFO__INIT,
                              two = ORCHESTRATOR__SERVICE_INFO__INIT;
    one.service_uuid = (char *)SERVICE;
    two.service_uuid = (char *)SILENT_SERVICE;
    one.state = ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
    Orchestrator__ServiceInfo *list[] = {&one, &two};
    Orchestrator__GetServicesReply reply = ORCHESTRATOR__GET_SERVICES_REPLY__INIT;
    reply.services = list;
    reply.n_services = 2;
    actor_call_reply(&call, &reply.base);
}

/* The API container's log has one line. */
static void
on_logs(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    static const char text[] = "cannot open the database";
    Orchestrator__ServiceLogLine line = ORCHESTRATOR__SERVICE_LOG_LINE__INIT;
    (void)state;
    (void)request;
    line.service_uuid = (char *)"";
    line.line = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
    line.timestamp = (int64_t)1700000000500000000;
    actor_call_send(call, &line.base, NULL);
    actor_call_end(&call);
}

void
stage_print(stage_t *self, const char *enclave)
{
    AUTO_FREE char *root = str_format("%s/data/logs", self->folder);
    AUTO(logs_writer) writer = NULL;
    AUTO(err) err = NULL;
    mkdir(root, 0700);
    assert_done(logs_writer_open(root, enclave, SERVICE, &writer, &err), err);
    logs_batch_t batch;
    logs_batch_init(&batch);
    for (; self->lines[self->stored]; self->stored++)
        logs_batch_add(&batch, LOGS_OUT, self->base + (int64_t)self->stored,
                       self->lines[self->stored], strlen(self->lines[self->stored]));
    if (batch.lines)
        logs_writer_put(writer, &batch, "", 0, NULL);
    if (self->ends)
        logs_writer_mark(writer, LOGS_ENDED, "", 0, NULL);
    logs_batch_done(&batch);
}

static void
on_flush(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    stage_t *self = state;
    pthread_mutex_lock(&self->lock);
    self->flushes++;
    stage_print(self, ((const Orchestrator__FlushLogsArgs *)request)->enclave_uuid);
    changed(self);
    reply_empty(call);
}

#define DRIVER_METHOD(name, fn)                                                                    \
    {                                                                                              \
        "orchestrator.Orchestrator/" name, ACTOR_WORKER, fn                                        \
    }
static const actor_method_t driver_methods[] = {
    DRIVER_METHOD("CreateEnclave", on_create), DRIVER_METHOD("GetEnclaves", on_get),
    DRIVER_METHOD("StopEnclave", on_stop),     DRIVER_METHOD("DestroyEnclave", on_destroy),
    DRIVER_METHOD("GetServices", on_services), DRIVER_METHOD("GetLogs", on_logs),
    DRIVER_METHOD("FlushLogs", on_flush),      {0},
};

/* ---- the stage */

int
stage_join(stage_t *self, const char *name, const bus_keys_t *keys, actor_t **ret_actor,
           err_t **err)
{
    AUTO_FREE char *endpoint = str_format("ipc://%s/broker", self->bus);
    actor_config_t config = {.name = name, .program = "test", .endpoint = endpoint, .keys = *keys};
    memcpy(config.broker_key, engine_public_key(self->engine), BUS_KEY_SIZE);
    if (str_starts(name, "driver/")) {
        config.methods = driver_methods;
        config.state = self;
    }
    return actor_new(&config, ret_actor, err);
}

void
stage_sync(stage_t *self)
{
    pthread_mutex_lock(&self->lock);
    pthread_mutex_unlock(&self->lock);
}

void
stage_start(stage_t *self)
{
    AUTO_FREE char *data = str_format("%s/data", self->folder);
    engine_config_t config = ENGINE_CONFIG_DEFAULT;
    AUTO(err) err = NULL;
    config.data = data;
    config.logs = NULL;
    config.bus = self->bus;
    config.listen = NULL;
    config.driver = NULL;
    config.apic_join_ms = APIC_JOIN_MS;
    assert_done(engine_new(&config, &self->engine, &err), err);
    bus_keys_t keys = engine_driver_keys(self->engine);
    assert_done(stage_join(self, "driver/docker", &keys, &self->driver, &err), err);
}

void
stage_stop(stage_t *self)
{
    stage_sync(self);
    for (size_t i = 0; i < self->count; i++)
        actor_destroy(&self->enclaves[i]->apic);
    engine_destroy(&self->engine);
    actor_destroy(&self->driver);
}

int
stage_setup(void **state)
{
    stage_t *self = calloc(1, sizeof *self);
    strcpy(self->folder, "/tmp/kurtosis-engine-XXXXXX");
    if (!mkdtemp(self->folder))
        return -1;
    snprintf(self->bus, sizeof self->bus, "%s/bus", self->folder);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->apic_joins = true;
    self->base = clock_wall_ns() / NS_PER_SECOND * NS_PER_SECOND;
    *state = self;
    stage_start(self);
    return 0;
}

int
stage_teardown(void **state)
{
    stage_t *self = *state;
    stage_stop(self);
    for (size_t i = 0; i < self->count; i++)
        entry_free(self->enclaves[i]);
    file_remove_tree(self->folder, NULL);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
    bus_context_term();
    return 0;
}

bus_keys_t
stage_user(stage_t *self, bool is_known)
{
    bus_keys_t keys;
    char text[BUS_KEY_TEXT_SIZE];
    static int number;
    bus_keys_new(&keys);
    if (is_known) {
        AUTO_FREE char *path = str_format("%s/data/keys/users/%d.pub", self->folder, number++);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        bus_key_to_text(keys.public_key, text);
        fprintf(file, "%s\n", text);
        fclose(file);
    }
    return keys;
}

actor_t *
stage_client(stage_t *self)
{
    char id[UUID_LEN + 1];
    uuid_new(id);
    AUTO_FREE char *name = str_format("client/%s", id);
    bus_keys_t keys = stage_user(self, true);
    actor_t *client = NULL;
    AUTO(err) err = NULL;
    assert_done(stage_join(self, name, &keys, &client, &err), err);
    return client;
}

void
stage_add(stage_t *self, const char *uuid, const char *name, unsigned running, unsigned stopped)
{
    entry_t *entry = calloc(1, sizeof *entry);
    strcpy(entry->uuid, uuid);
    entry->name = strdup(name);
    entry->running = running;
    entry->stopped = stopped;
    pthread_mutex_lock(&self->lock);
    self->enclaves[self->count++] = entry;
    changed(self);
}

size_t
stage_count(stage_t *self)
{
    pthread_mutex_lock(&self->lock);
    size_t count = self->count;
    pthread_mutex_unlock(&self->lock);
    return count;
}

bool
stage_was_destroyed(stage_t *self, const char *uuid)
{
    bool found = false;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->n_destroyed; i++)
        found = found || !strcmp(self->destroyed[i], uuid);
    pthread_mutex_unlock(&self->lock);
    return found;
}

void
stage_wait(stage_t *self, bool (*holds)(const stage_t *self))
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    int late = 0;
    pthread_mutex_lock(&self->lock);
    while (!holds(self) && !late)
        late = pthread_cond_timedwait(&self->changed, &self->lock, &until);
    bool held = holds(self);
    pthread_mutex_unlock(&self->lock);
    assert_true(held);
}

int
ask(actor_t *client, const char *method, const ProtobufCMessage *request,
    ProtobufCMessage **ret_reply, err_t **err)
{
    AUTO_FREE char *full = str_format("engine_api.EngineService/%s", method);
    return actor_ask(client, NULL, "engine", full, request, 20000, ret_reply, err);
}

int
ask_create(actor_t *client, const char *name, EngineApi__CreateEnclaveResponse **ret_reply,
           err_t **err)
{
    EngineApi__CreateEnclaveArgs args = ENGINE_API__CREATE_ENCLAVE_ARGS__INIT;
    args._enclave_name_case = ENGINE_API__CREATE_ENCLAVE_ARGS___ENCLAVE_NAME_ENCLAVE_NAME;
    args.enclave_name = (char *)name;
    return ask(client, "CreateEnclave", &args.base, (ProtobufCMessage **)ret_reply, err);
}
