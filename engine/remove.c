/*  remove: stop, destroy, clean, and the sweep at start. */
#include "engine/identify.h"
#include "engine/state.h"

#include <google/protobuf/empty.pb-c.h>
#include <pthread.h>
#include <string.h>

static const Google__Protobuf__Empty nothing = GOOGLE__PROTOBUF__EMPTY__INIT;

static int
ask_about(engine_t *self, actor_call_t *within, const char *method, const char *uuid, err_t **err)
{
    Orchestrator__EnclaveRef args = ORCHESTRATOR__ENCLAVE_REF__INIT;
    args.enclave_uuid = (char *)uuid;
    return engine_ask_driver(self, within, method, &args.base, NULL, err);
}

int
engine_undo_enclave(engine_t *self, const char *uuid, err_t **err)
{
    if (ask_about(self, NULL, "orchestrator.Orchestrator/DestroyEnclave", uuid, err) == 0)
        return engine_store_forget(self->store, uuid, err);
    engine_store_set_stage(self->store, uuid, ENGINE_STAGE_ENDING, NULL);
    return -1;
}

int
engine_destroy_enclave(engine_t *self, actor_call_t *within, const char *uuid, err_t **err)
{
    if (engine_store_set_stage(self->store, uuid, ENGINE_STAGE_ENDING, err) < 0 ||
        ask_about(self, within, "orchestrator.Orchestrator/DestroyEnclave", uuid, err) < 0)
        return -1;
    return engine_store_set_stage(self->store, uuid, ENGINE_STAGE_GONE, err);
}

/* Once begun it is finished, whether the caller stays or not. */
static int
destroy_alone(engine_t *self, actor_call_t *call, const char *uuid, const char *name, err_t **err)
{
    if (engine_locks_take(self->locks, uuid, call, err) < 0)
        return -1;
    int result = engine_destroy_enclave(self, NULL, uuid, err);
    engine_locks_give(self->locks, uuid);
    if (result == 0)
        log_info("enclave.destroyed", "name=%s uuid=%s", name, uuid);
    return result;
}

static int
stop_alone(engine_t *self, actor_call_t *call, const char *uuid, const char *name, err_t **err)
{
    if (engine_locks_take(self->locks, uuid, call, err) < 0)
        return -1;
    int result = ask_about(self, call, "orchestrator.Orchestrator/StopEnclave", uuid, err);
    engine_locks_give(self->locks, uuid);
    if (result == 0)
        log_info("enclave.stopped", "name=%s uuid=%s", name, uuid);
    return result;
}

/* Finds the enclave that is meant and does one thing to it. */
static void
do_to(engine_t *self, actor_call_t *call, const char *identifier, const char *what,
      int (*act)(engine_t *, actor_call_t *, const char *, const char *, err_t **))
{
    AUTO(err) err = NULL;
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *enclaves = NULL;
    const Orchestrator__Enclave *enclave;
    if (engine_list(self, call, &enclaves, &err) < 0 ||
        engine_identify(enclaves->enclaves, enclaves->n_enclaves, identifier, &enclave, &err) < 0 ||
        act(self, call, enclave->enclave_uuid, enclave->name, &err) < 0) {
        err_wrap(&err, "cannot %s the enclave '%s'", what, identifier);
        log_err(LOG_WARN, "enclave.failed", err, "%s", "");
        actor_call_fail(&call, &err);
        return;
    }
    actor_call_reply(&call, &nothing.base);
}

void
engine_on_stop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    do_to(state, call, ((const EngineApi__StopEnclaveArgs *)request)->enclave_identifier, "stop",
          stop_alone);
}

void
engine_on_destroy(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    do_to(state, call, ((const EngineApi__DestroyEnclaveArgs *)request)->enclave_identifier,
          "destroy", destroy_alone);
}

/* ---------------------------------------------------------------------------------------- clean */

/* Who cleans wants nothing left, also not what an engine before this one left half done. */
static int
wait_for_sweep(engine_t *self, actor_call_t *call, err_t **err)
{
    if (engine_locks_take(self->locks, ENGINE_SWEEP, call, err) < 0)
        return -1;
    engine_locks_give(self->locks, ENGINE_SWEEP);
    return 0;
}

/* Enclaves to destroy, taken one by one by the threads of a cleaning. */
typedef struct {
    engine_t *engine;
    actor_call_t *call;
    pthread_mutex_t lock; /* guards next */
    size_t next, count;
    const Orchestrator__Enclave **enclaves;
    err_t **errors; /* one for each enclave; NULL where it is gone */
} cleaning_t;

static void *
clean_some(void *arg)
{
    cleaning_t *self = arg;
    for (;;) {
        pthread_mutex_lock(&self->lock);
        size_t mine = self->next++;
        pthread_mutex_unlock(&self->lock);
        if (mine >= self->count)
            return NULL;
        const Orchestrator__Enclave *enclave = self->enclaves[mine];
        if (destroy_alone(self->engine, self->call, enclave->enclave_uuid, enclave->name,
                          &self->errors[mine]) < 0)
            err_wrap(&self->errors[mine], "cannot destroy the enclave '%s'", enclave->name);
    }
}

static void
clean_all(cleaning_t *self)
{
    pthread_t threads[ENGINE_PARALLEL];
    size_t started = 0;
    size_t wanted = self->count < ENGINE_PARALLEL ? self->count : ENGINE_PARALLEL;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, clean_some, self) == 0)
        started++;
    clean_some(self);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static int
by_uuid(const void *a, const void *b)
{
    const Orchestrator__Enclave *const *one = a, *const *other = b;
    return strcmp((*one)->enclave_uuid, (*other)->enclave_uuid);
}

static void
choose(cleaning_t *self, const Orchestrator__GetEnclavesReply *enclaves, bool all)
{
    self->enclaves = calloc(enclaves->n_enclaves + 1, sizeof *self->enclaves);
    self->errors = calloc(enclaves->n_enclaves + 1, sizeof *self->errors);
    if (!self->enclaves || !self->errors)
        abort();
    for (size_t i = 0; i < enclaves->n_enclaves; i++)
        if (all || enclaves->enclaves[i]->containers_running == 0)
            self->enclaves[self->count++] = enclaves->enclaves[i];
    qsort(self->enclaves, self->count, sizeof *self->enclaves, by_uuid);
}

static int
gather_errors(const cleaning_t *self, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    unsigned number = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->errors[i])
            continue;
        AUTO_FREE char *one = err_lines(self->errors[i]);
        str_printf(&text, "\n>>>>>>>>>>>>>>>>> ERROR %u <<<<<<<<<<<<<<<<<\n%s", number++, one);
    }
    return number ? err_fail(err, ERR_UNKNOWN, "cannot clean all enclaves:%s", text.data) : 0;
}

static EngineApi__CleanResponse *
clean_reply_new(const cleaning_t *self)
{
    EngineApi__CleanResponse *reply =
        MESSAGE_NEW(EngineApi__CleanResponse, engine_api__clean_response__init);
    reply->removed_enclave_name_and_uuids =
        calloc(self->count + 1, sizeof *reply->removed_enclave_name_and_uuids);
    if (!reply->removed_enclave_name_and_uuids)
        abort();
    for (size_t i = 0; i < self->count; i++) {
        EngineApi__EnclaveNameAndUuid *item =
            MESSAGE_NEW(EngineApi__EnclaveNameAndUuid, engine_api__enclave_name_and_uuid__init);
        item->name = strdup(self->enclaves[i]->name);
        item->uuid = strdup(self->enclaves[i]->enclave_uuid);
        reply->removed_enclave_name_and_uuids[reply->n_removed_enclave_name_and_uuids++] = item;
    }
    return reply;
}

static void
cleaning_done(cleaning_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        err_destroy(&self->errors[i]);
    free(self->errors);
    free(self->enclaves);
    pthread_mutex_destroy(&self->lock);
}

void
engine_on_clean(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const EngineApi__CleanArgs *args = (const EngineApi__CleanArgs *)request;
    bool all = args->_should_clean_all_case ==
                   ENGINE_API__CLEAN_ARGS___SHOULD_CLEAN_ALL_SHOULD_CLEAN_ALL &&
               args->should_clean_all;
    __attribute__((cleanup(cleaning_done))) cleaning_t cleaning = {.engine = state, .call = call};
    pthread_mutex_init(&cleaning.lock, NULL);
    AUTO(err) err = NULL;
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *enclaves = NULL;
    if (wait_for_sweep(state, call, &err) < 0 || engine_list(state, call, &enclaves, &err) < 0) {
        err_wrap(&err, "cannot clean");
        actor_call_fail(&call, &err);
        return;
    }
    choose(&cleaning, enclaves, all);
    clean_all(&cleaning);
    if (gather_errors(&cleaning, &err) < 0) {
        actor_call_fail(&call, &err);
        return;
    }
    AUTO_MESSAGE EngineApi__CleanResponse *reply = clean_reply_new(&cleaning);
    actor_call_reply(&call, &reply->base);
}

/* ---------------------------------------------------------------------------------------- sweep */

static void
sweep_one(engine_t *self, const engine_record_t *record)
{
    AUTO(err) err = NULL;
    bool unmade = record->stage == ENGINE_STAGE_MAKING;
    if (engine_locks_take(self->locks, record->uuid, NULL, &err) < 0)
        return;
    int result = unmade ? engine_undo_enclave(self, record->uuid, &err)
                        : engine_destroy_enclave(self, NULL, record->uuid, &err);
    engine_locks_give(self->locks, record->uuid);
    if (result < 0)
        log_err(LOG_ERROR, "enclave.sweep_failed", err, "uuid=%s", record->uuid);
    else
        log_info("enclave.swept", "name=%s uuid=%s %s", record->name, record->uuid,
                 unmade ? "reason=half-made" : "reason=half-destroyed");
}

static void
sweep(engine_t *self)
{
    AUTO(err) err = NULL;
    engine_record_t *records;
    size_t count;
    if (engine_store_records(self->store, &records, &count, &err) < 0) {
        log_err(LOG_ERROR, "enclave.sweep_failed", err, "%s", "");
        return;
    }
    for (size_t i = 0; i < count && !actor_stopping(engine_actor(self)); i++)
        if (records[i].stage == ENGINE_STAGE_MAKING || records[i].stage == ENGINE_STAGE_ENDING)
            sweep_one(self, &records[i]);
    engine_records_free(records, count);
}

void
engine_sweep(void *arg)
{
    engine_t *self = arg;
    sweep(self);
    engine_locks_give(self->locks, ENGINE_SWEEP);
}
