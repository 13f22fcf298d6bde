/*  create: a new enclave.
 *
 *  The intent, with the API container's public key, is written before the orchestrator is asked;
 * the enclave counts as made once its API container has joined the bus. Whatever fails in between,
 * or is killed, is destroyed again.
 */
#include "engine/names.h"
#include "engine/state.h"

#include "base/clock.h"
#include "base/names.h"

#include <string.h>

#define LOG_TAIL_LINES 10u

/* What is being made. */
typedef struct {
    char uuid[UUID_LEN + 1];
    char *name;
    const char *version, *log_level;
    bool is_production;
    bool ipv6;
    int64_t creation_time;
    bus_keys_t keys;
} plan_t;

static void
plan_done(plan_t *self)
{
    bus_keys_wipe(&self->keys);
    free(self->name);
}

static bool
is_taken(void *arg, const char *name)
{
    engine_t *self = arg;
    return engine_store_knows_name(self->store, name);
}

/* Reads and checks the request; the name is held until name_given. */
static int
plan_init(engine_t *self, plan_t *plan, const EngineApi__CreateEnclaveArgs *args, err_t **err)
{
    bool has_level =
        args->_api_container_log_level_case ==
        ENGINE_API__CREATE_ENCLAVE_ARGS___API_CONTAINER_LOG_LEVEL_API_CONTAINER_LOG_LEVEL;
    bool has_version =
        args->_api_container_version_tag_case ==
            ENGINE_API__CREATE_ENCLAVE_ARGS___API_CONTAINER_VERSION_TAG_API_CONTAINER_VERSION_TAG &&
        *args->api_container_version_tag;
    bool has_name =
        args->_enclave_name_case == ENGINE_API__CREATE_ENCLAVE_ARGS___ENCLAVE_NAME_ENCLAVE_NAME &&
        *args->enclave_name;
    plan->log_level = has_level ? args->api_container_log_level : "debug";
    plan->version = has_version ? args->api_container_version_tag : self->version;
    plan->ipv6 = args->ipv6;
    plan->is_production = args->_mode_case == ENGINE_API__CREATE_ENCLAVE_ARGS___MODE_MODE &&
                          args->mode == ENGINE_API__ENCLAVE_MODE__PRODUCTION;
    log_level_t level;
    if (log_level_parse(plan->log_level, &level) < 0)
        return err_fail(
            err, ERR_INVALID,
            "'%s' is no log level; use one of panic, fatal, error, warning, info, debug, trace",
            plan->log_level);
    if (has_name && !engine_name_is_valid(args->enclave_name))
        return err_fail(
            err, ERR_INVALID,
            "'%s' cannot be the name of an enclave: it must match ^[-A-Za-z0-9]{1,60}$ "
            "(1 to 60 letters, digits and '-'), and not start with '" ENGINE_NAME_RESERVED "'",
            args->enclave_name);
    uuid_new(plan->uuid);
    plan->name = has_name ? strdup(args->enclave_name) : names_new(NAMES_ENCLAVE, is_taken, self);
    plan->creation_time = clock_wall_ns();
    bus_keys_new(&plan->keys);
    return 0;
}

/* ----------------------------------------------------------------------------- the orchestrator */

static int
make(engine_t *self, actor_call_t *call, const plan_t *plan, Orchestrator__Enclave **ret_enclave,
     err_t **err)
{
    char broker[BUS_KEY_TEXT_SIZE], secret[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->keys.public_key, broker);
    bus_key_to_text(plan->keys.secret_key, secret);
    AUTO_FREE char *image = str_format("%s:%s", self->image, plan->version),
                   *broker_key = str_format("KURTOSIS_BUS_BROKER_KEY=%s", broker),
                   *secret_key = str_format("KURTOSIS_BUS_SECRET=%s", secret);
    const char *mirrors = getenv("KURTOSIS_GIT_MIRROR");
    AUTO_FREE char *git_mirrors = str_format("KURTOSIS_GIT_MIRROR=%s", mirrors ? mirrors : "");
    const char *token = getenv("KURTOSIS_GITHUB_TOKEN");
    AUTO_FREE char *github_token = str_format("KURTOSIS_GITHUB_TOKEN=%s", token ? token : "");
    const char *authorities = getenv("KURTOSIS_GIT_CA_PEM");
    AUTO_FREE char *git_ca = str_format("KURTOSIS_GIT_CA_PEM=%s", authorities ? authorities : "");
    char *env[] = {broker_key, secret_key, git_mirrors, git_ca, github_token};
    Orchestrator__CreateEnclaveArgs args = ORCHESTRATOR__CREATE_ENCLAVE_ARGS__INIT;
    args.enclave_uuid = (char *)plan->uuid;
    args.name = plan->name;
    args.creation_time = plan->creation_time;
    args.is_production = plan->is_production;
    args.ipv6 = plan->ipv6;
    args.image = image;
    args.version = (char *)plan->version;
    args.log_level = (char *)plan->log_level;
    args.env = env;
    args.n_env = ARRAY_LEN(env);
    int result = engine_ask_driver(self, call, "orchestrator.Orchestrator/CreateEnclave",
                                   &args.base, (ProtobufCMessage **)ret_enclave, err);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(secret_key, strlen(secret_key));
    explicit_bzero(github_token, strlen(github_token));
    return result;
}

/* What the API container last said, for the error; "" when it cannot be had. */
static void
read_log_tail(engine_t *self, const char *uuid, str_t *out)
{
    char *apic[] = {(char *)""};
    Orchestrator__GetLogsArgs args = ORCHESTRATOR__GET_LOGS_ARGS__INIT;
    args.enclave_uuid = (char *)uuid;
    args.service_uuids = apic;
    args.n_service_uuids = 1;
    args.last_lines = LOG_TAIL_LINES;
    AUTO(actor_stream) stream = NULL;
    if (actor_stream_open(engine_actor(self), NULL, self->driver,
                          "orchestrator.Orchestrator/GetLogs", &args.base, &stream, NULL) < 0)
        return;
    for (;;) {
        AUTO_MESSAGE Orchestrator__ServiceLogLine *line = NULL;
        if (actor_stream_recv(stream, 5000, (ProtobufCMessage **)&line, NULL) <= 0)
            return;
        str_printf(out, "\n  %.*s", (int)line->line.len, (const char *)line->line.data);
    }
}

static int
wait_for_apic(engine_t *self, const char *uuid, err_t **err)
{
    AUTO_FREE char *name = str_format("apic/%s", uuid);
    AUTO(err) why = NULL;
    if (bus_broker_wait_peer(self->broker, name, self->apic_join_ms, &why) == 0)
        return 0;
    AUTO_STR tail = STR_EMPTY;
    read_log_tail(self, uuid, &tail);
    return err_fail(err, ERR_TIMEOUT,
                    "its API container did not join the bus within %d seconds%s%s",
                    self->apic_join_ms / 1000, tail.len ? "; it last said:" : "", tail.data);
}

/* Undoes without the caller, who may be gone. */
static void
undo(engine_t *self, const char *uuid)
{
    AUTO(err) why = NULL;
    if (engine_undo_enclave(self, uuid, &why) < 0)
        log_err(LOG_ERROR, "enclave.undo_failed", why, "uuid=%s", uuid);
}

static int
create(engine_t *self, actor_call_t *call, const plan_t *plan, Orchestrator__Enclave **ret_enclave,
       err_t **err)
{
    if (engine_store_add(self->store, plan->uuid, plan->name, plan->creation_time,
                         plan->keys.public_key, err) < 0)
        return -1;
    AUTO_MESSAGE Orchestrator__Enclave *enclave = NULL;
    if (make(self, call, plan, &enclave, err) < 0 || wait_for_apic(self, plan->uuid, err) < 0 ||
        engine_store_set_stage(self->store, plan->uuid, ENGINE_STAGE_MADE, err) < 0) {
        undo(self, plan->uuid);
        return -1;
    }
    *ret_enclave = TAKE(enclave);
    return 0;
}

/* Nobody else may use the name, nor touch the enclave, while it is being made. */
static int
create_alone(engine_t *self, actor_call_t *call, const plan_t *plan,
             Orchestrator__Enclave **ret_enclave, err_t **err)
{
    AUTO_FREE char *name_key = str_format("name %s", plan->name);
    if (!claims_try(self->locks, name_key))
        return err_fail(err, ERR_EXISTS,
                        "an enclave of this name is just being made; choose another name");
    int result = engine_locks_take(self->locks, plan->uuid, call, err);
    if (result == 0) {
        result = create(self, call, plan, ret_enclave, err);
        engine_locks_give(self->locks, plan->uuid);
    }
    engine_locks_give(self->locks, name_key);
    return result;
}

void
engine_on_create(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    engine_t *self = state;
    __attribute__((cleanup(plan_done))) plan_t plan = {0};
    AUTO(err) err = NULL;
    AUTO_MESSAGE Orchestrator__Enclave *enclave = NULL;
    int64_t start = clock_ns();
    if (plan_init(self, &plan, (const EngineApi__CreateEnclaveArgs *)request, &err) < 0) {
        err_wrap(&err, "cannot create the enclave");
        actor_call_fail(&call, &err);
        return;
    }
    if (create_alone(self, call, &plan, &enclave, &err) < 0) {
        err_wrap(&err, "cannot create the enclave '%s'", plan.name);
        log_err(LOG_WARN, "enclave.not_created", err, "name=%s", plan.name);
        actor_call_fail(&call, &err);
        return;
    }
    enclave->api_container_state = ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING;
    if (enclave->containers_running == 0)
        enclave->containers_running = 1;
    EngineApi__CreateEnclaveResponse reply = ENGINE_API__CREATE_ENCLAVE_RESPONSE__INIT;
    AUTO_MESSAGE EngineApi__EnclaveInfo *info = engine_info_new(enclave);
    reply.enclave_info = info;
    log_info("enclave.created", "name=%s uuid=%s ms=%lld", plan.name, plan.uuid,
             (long long)((clock_ns() - start) / NS_PER_MS));
    actor_call_reply(&call, &reply.base);
}
