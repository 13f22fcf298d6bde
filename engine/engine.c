/*  engine: enclaves of one cluster, their identifiers, the logs of their services.
 *
 *    GetEngineInfo            ask     its version
 *    CreateEnclave            ask     made once its API container has joined the bus; else undone.
 *                                     EXISTS, INVALID
 *    GetEnclaves              ask     all that are there
 *    GetEnclavesByUuids       ask     those of some full UUIDs
 *    GetExistingAndHistoricalEnclaveIdentifiers
 *                             ask     all that are and were
 *    StopEnclave              ask     its containers end. NOT_FOUND, INVALID when ambiguous
 *    DestroyEnclave           ask     it is gone. NOT_FOUND, INVALID when ambiguous
 *    Clean                    ask     those that do not run, or all, are gone
 *    GetServiceLogs           stream  lines, filtered. INVALID for a bad pattern
 *
 *  What is true is read from the driver at every call; engine.db keeps only what the orchestrator
 *  cannot say. All handlers but the first wait for the driver, so they run on workers. Operations
 *  on one enclave follow each other, those on different ones do not wait for each other.
 */
#include "engine/state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define WORKERS_MAX 64
#define DRIVER_GRACE_MS 5000
#define DRAIN_MS 5000
#define INPROC "inproc://broker"

const actor_method_t engine_methods[] = {
    {"engine_api.EngineService/GetEngineInfo", ACTOR_LOOP, engine_on_info},
    {"engine_api.EngineService/CreateEnclave", ACTOR_WORKER, engine_on_create},
    {"engine_api.EngineService/GetEnclaves", ACTOR_WORKER, engine_on_get},
    {"engine_api.EngineService/GetEnclavesByUuids", ACTOR_WORKER, engine_on_get_some},
    {"engine_api.EngineService/GetExistingAndHistoricalEnclaveIdentifiers", ACTOR_WORKER,
     engine_on_identifiers},
    {"engine_api.EngineService/StopEnclave", ACTOR_WORKER, engine_on_stop},
    {"engine_api.EngineService/DestroyEnclave", ACTOR_WORKER, engine_on_destroy},
    {"engine_api.EngineService/Clean", ACTOR_WORKER, engine_on_clean},
    {"engine_api.EngineService/GetServiceLogs", ACTOR_WORKER, engine_on_logs},
    {0},
};

static int
make_folder(const char *path, err_t **err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_fail(err, ERR_INVALID, "cannot make the folder '%s': %s", path, strerror(errno));
    return 0;
}

static int
open_data(engine_t *self, const char *data, err_t **err)
{
    AUTO_FREE char *keys = str_format("%s/keys", data),
                   *key = str_format("%s/keys/engine.key", data),
                   *database = str_format("%s/engine.db", data);
    self->users = str_format("%s/keys/users", data);
    if (make_folder(data, err) < 0 || make_folder(keys, err) < 0 ||
        make_folder(self->users, err) < 0)
        return -1;
    if (bus_keys_require(key, &self->keys, err) < 0)
        return -1;
    return engine_store_open(database, &self->store, err);
}

static int
start_broker(engine_t *self, const char *listen, err_t **err)
{
    const char *const endpoints[] = {INPROC, self->apic_endpoint, listen, NULL};
    bus_broker_config_t config = {
        .endpoints = endpoints,
        .keys = self->keys,
        .may_join = engine_gate_may_join,
        .is_known = engine_gate_is_known,
        .arg = self,
    };
    int result = bus_broker_new(&config, &self->broker, err);
    bus_keys_wipe(&config.keys);
    return result;
}

static int
start_actor(engine_t *self, err_t **err)
{
    actor_config_t config = {
        .name = "engine",
        .program = "kurtosis-engine " KURTOSIS_VERSION,
        .endpoint = INPROC,
        .keys = self->keys,
        .methods = engine_methods,
        .state = self,
        .workers_max = WORKERS_MAX,
    };
    memcpy(config.broker_key, self->keys.public_key, BUS_KEY_SIZE);
    /* A call may come in before actor_new has returned: whoever handles it waits in engine_actor.
     */
    pthread_mutex_lock(&self->start);
    int result = actor_new(&config, &self->actor, err);
    pthread_mutex_unlock(&self->start);
    bus_keys_wipe(&config.keys);
    if (result == 0)
        actor_set_drain(self->actor, DRAIN_MS);
    return result;
}

actor_t *
engine_actor(engine_t *self)
{
    pthread_mutex_lock(&self->start);
    actor_t *actor = self->actor;
    pthread_mutex_unlock(&self->start);
    return actor;
}

static void
on_driver_exit(void *arg, int status)
{
    (void)arg;
    log_warn("driver.ended", "status=%d", status);
}

/* The driver's key goes to it through its environment, which only this container's root can read.
 */
static int
start_driver(engine_t *self, const engine_config_t *config, err_t **err)
{
    bus_keys_new(&self->driver_keys);
    if (!config->driver)
        return 0;
    char broker[BUS_KEY_TEXT_SIZE], secret[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->keys.public_key, broker);
    bus_key_to_text(self->driver_keys.secret_key, secret);
    AUTO_FREE char *endpoint = str_format("KURTOSIS_BUS_ENDPOINT=%s", self->apic_endpoint),
                   *broker_key = str_format("KURTOSIS_BUS_BROKER_KEY=%s", broker),
                   *secret_key = str_format("KURTOSIS_BUS_SECRET=%s", secret),
                   *name = str_format("KURTOSIS_BUS_NAME=%s", self->driver),
                   *logs = str_format("KURTOSIS_LOGS=%s", self->logs),
                   *quota = str_format("KURTOSIS_LOGS_QUOTA=%" PRIu64, config->logs_quota),
                   *retention =
                       str_format("KURTOSIS_LOGS_RETENTION=%" PRId64 "ns", self->logs_retention_ns),
                   *level = str_format("KURTOSIS_LOG_LEVEL=%s",
                                       config->log_level ? config->log_level : "info");
    const char *const argv[] = {config->driver, NULL};
    /* The logins to registries that users give it. */
    AUTO_FREE char *logins = str_format("KURTOSIS_LOGINS=%s/logins.json", config->data);
    const char *const env[] = {endpoint, broker_key, secret_key, name,      level,
                               logins,   logs,       quota,      retention, NULL};
    int result = actor_child_new(config->driver, argv, env, DRIVER_GRACE_MS, on_driver_exit, self,
                                 &self->driver_process, err);
    explicit_bzero(secret_key, strlen(secret_key));
    explicit_bzero(secret, sizeof secret);
    return result;
}

/* One program for each. */
static int
start_sinks(engine_t *self, const char *const *urls, err_t **err)
{
    for (size_t i = 0; urls && urls[i]; i++) {
        const char *const argv[] = {LOGS_SINK_PROGRAM, self->logs, urls[i], NULL};
        if (i == LOGS_SINKS_MAX)
            return err_fail(err, ERR_LIMIT, "there are more than %u log sinks", LOGS_SINKS_MAX);
        if (actor_child_new(LOGS_SINK_PROGRAM, argv, NULL, DRIVER_GRACE_MS, NULL, NULL,
                            &self->sinks[i], err) < 0)
            return err_wrap(err, "cannot forward logs to '%s'", urls[i]);
    }
    return 0;
}

int
engine_new(const engine_config_t *config, engine_t **ret_engine, err_t **err)
{
    AUTO(engine) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->version = strdup(config->version);
    self->image = strdup(config->image);
    self->driver = str_format("driver/%s", config->cluster);
    self->apic_endpoint = str_format("ipc://%s/broker", config->bus);
    self->logs = config->logs ? strdup(config->logs) : str_format("%s/logs", config->data);
    self->logs_retention_ns =
        config->logs_retention_ns ? config->logs_retention_ns : LOGS_RETENTION_NS;
    self->apic_join_ms = config->apic_join_ms ? config->apic_join_ms : ENGINE_APIC_JOIN_MS;
    self->locks = claims_new();
    pthread_mutex_init(&self->start, NULL);
    claims_try(self->locks, ENGINE_SWEEP); /* until the sweep is over */
    if (open_data(self, config->data, err) < 0 || start_broker(self, config->listen, err) < 0 ||
        start_driver(self, config, err) < 0 || start_sinks(self, config->logs_sinks, err) < 0 ||
        start_actor(self, err) < 0 || actor_spawn(self->actor, engine_sweep, self, err) < 0)
        return err_wrap(err, "cannot start the engine");
    *ret_engine = TAKE(self);
    return 0;
}

void
engine_destroy(engine_t **self_p)
{
    engine_t *self = TAKE(*self_p);
    if (!self)
        return;
    actor_t *actor = self->actor; /* which handlers use until they have ended */
    actor_destroy(&actor);
    actor_child_destroy(&self->driver_process);
    for (size_t i = 0; i < LOGS_SINKS_MAX; i++)
        actor_child_destroy(&self->sinks[i]);
    bus_broker_destroy(&self->broker);
    engine_store_destroy(&self->store);
    claims_destroy(&self->locks);
    pthread_mutex_destroy(&self->start);
    bus_keys_wipe(&self->keys);
    bus_keys_wipe(&self->driver_keys);
    free(self->version);
    free(self->image);
    free(self->driver);
    free(self->users);
    free(self->logs);
    free(self->apic_endpoint);
    free(self);
}

const uint8_t *
engine_public_key(const engine_t *self)
{
    return self->keys.public_key;
}

bus_keys_t
engine_driver_keys(const engine_t *self)
{
    return self->driver_keys;
}

int
engine_port(const engine_t *self)
{
    return bus_broker_port(self->broker);
}

void
engine_on_info(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    engine_t *self = state;
    EngineApi__GetEngineInfoResponse reply = ENGINE_API__GET_ENGINE_INFO_RESPONSE__INIT;
    reply.engine_version = self->version;
    actor_call_reply(&call, &reply.base);
}

int
engine_ask_driver(engine_t *self, actor_call_t *within, const char *method,
                  const ProtobufCMessage *request, ProtobufCMessage **ret_reply, err_t **err)
{
    for (int attempt = 1;; attempt++) {
        AUTO(err) why = NULL;
        if (bus_broker_wait_peer(self->broker, self->driver, ENGINE_DRIVER_JOIN_MS, &why) < 0)
            return err_fail(
                err, ERR_UNAVAILABLE,
                "the driver '%s' does not start; 'docker logs' of the engine container says why",
                self->driver);
        int result = actor_ask(engine_actor(self), within, self->driver, method, request,
                               ENGINE_DRIVER_ASK_MS, ret_reply, &why);
        if (result >= 0)
            return result;
        err_unwrap(&why);
        if (err_code(why) != ERR_UNAVAILABLE || attempt == 2 ||
            actor_stopping(engine_actor(self))) {
            if (err)
                *err = TAKE(why);
            return result;
        }
        log_err(LOG_WARN, "driver.asked_again", why, "method=%s", method);
    }
}
