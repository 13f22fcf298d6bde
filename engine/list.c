/*  list: which enclaves there are, and were. */
#include "engine/names.h"
#include "engine/state.h"

#include "base/clock.h"

#include <string.h>

static EngineApi__EnclaveContainersStatus
containers_status(const Orchestrator__Enclave *enclave)
{
    if (enclave->containers_running > 0)
        return ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_RUNNING;
    if (enclave->containers_stopped > 0)
        return ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_STOPPED;
    return ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_EMPTY;
}

static EngineApi__EnclaveAPIContainerStatus
api_container_status(const Orchestrator__Enclave *enclave)
{
    switch (enclave->api_container_state) {
    case ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING:
        return ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_RUNNING;
    case ORCHESTRATOR__CONTAINER_STATE__CONTAINER_STOPPED:
        return ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_STOPPED;
    default:
        return ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_NONEXISTENT;
    }
}

EngineApi__EnclaveInfo *
engine_info_new(const Orchestrator__Enclave *enclave)
{
    EngineApi__EnclaveInfo *info =
        MESSAGE_NEW(EngineApi__EnclaveInfo, engine_api__enclave_info__init);
    info->enclave_uuid = strdup(enclave->enclave_uuid);
    info->name = strdup(enclave->name);
    info->shortened_uuid = strndup(enclave->enclave_uuid, UUID_SHORT_LEN);
    info->containers_status = containers_status(enclave);
    info->api_container_status = api_container_status(enclave);
    info->mode = enclave->is_production ? ENGINE_API__ENCLAVE_MODE__PRODUCTION
                                        : ENGINE_API__ENCLAVE_MODE__TEST;
    info->creation_time =
        MESSAGE_NEW(Google__Protobuf__Timestamp, google__protobuf__timestamp__init);
    info->creation_time->seconds = enclave->creation_time / NS_PER_SECOND;
    info->creation_time->nanos = (int32_t)(enclave->creation_time % NS_PER_SECOND);
    if (enclave->api_container_state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_NONE)
        return info;
    info->api_container_info = MESSAGE_NEW(EngineApi__EnclaveAPIContainerInfo,
                                           engine_api__enclave_apicontainer_info__init);
    info->api_container_info->container_id = strdup(enclave->api_container_id);
    info->api_container_info->ip_inside_enclave = strdup(enclave->api_container_ip);
    return info;
}

/* Takes those out that are being made: nobody was told of them yet. */
static void
hide_unmade(Orchestrator__GetEnclavesReply *reply, const engine_record_t *records, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < reply->n_enclaves; i++) {
        const engine_record_t *record =
            engine_records_find(records, count, reply->enclaves[i]->enclave_uuid);
        if ((record && record->stage == ENGINE_STAGE_MAKING) ||
            str_starts(reply->enclaves[i]->name, ENGINE_NAME_RESERVED))
            bus_message_destroy(&reply->enclaves[i]);
        else
            reply->enclaves[kept++] = reply->enclaves[i];
    }
    reply->n_enclaves = kept;
}

/* The database is read second: whatever the orchestrator has was written there before it was made.
 */
static int
list(engine_t *self, actor_call_t *within, char *const *uuids, size_t n_uuids,
     Orchestrator__GetEnclavesReply **ret_reply, err_t **err)
{
    Orchestrator__GetEnclavesArgs args = ORCHESTRATOR__GET_ENCLAVES_ARGS__INIT;
    args.uuids = (char **)uuids;
    args.n_uuids = n_uuids;
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *reply = NULL;
    engine_record_t *records;
    size_t count;
    if (engine_ask_driver(self, within, "orchestrator.Orchestrator/GetEnclaves", &args.base,
                          (ProtobufCMessage **)&reply, err) < 0 ||
        engine_store_records(self->store, &records, &count, err) < 0)
        return -1;
    hide_unmade(reply, records, count);
    engine_records_free(records, count);
    *ret_reply = TAKE(reply);
    return 0;
}

int
engine_list(engine_t *self, actor_call_t *within, Orchestrator__GetEnclavesReply **ret_reply,
            err_t **err)
{
    return list(self, within, NULL, 0, ret_reply, err);
}

/* Who names enclaves wants to speak with them next. After a restart of the engine, or of an API
 * container, that one may need a moment to join the bus again; it is not waited for longer than
 * ENGINE_APIC_REJOIN_MS in all. */
static void
wait_for_running(engine_t *self, const Orchestrator__GetEnclavesReply *enclaves)
{
    int64_t until = clock_ns() + ENGINE_APIC_REJOIN_MS * NS_PER_MS;
    for (size_t i = 0; i < enclaves->n_enclaves; i++) {
        const Orchestrator__Enclave *enclave = enclaves->enclaves[i];
        int64_t left = (until - clock_ns()) / NS_PER_MS;
        if (enclave->api_container_state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING ||
            left <= 0)
            continue;
        AUTO_FREE char *name = str_format("apic/%s", enclave->enclave_uuid);
        AUTO(err) why = NULL;
        if (bus_broker_wait_peer(self->broker, name, (int)left, &why) < 0)
            log_warn("apic.absent", "name=%s", name);
    }
}

static void
answer(engine_t *self, actor_call_t *call, char *const *uuids, size_t n_uuids)
{
    AUTO(err) err = NULL;
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *enclaves = NULL;
    if (list(self, call, uuids, n_uuids, &enclaves, &err) < 0) {
        err_wrap(&err, "cannot list the enclaves");
        actor_call_fail(&call, &err);
        return;
    }
    if (n_uuids > 0)
        wait_for_running(self, enclaves);
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *reply =
        MESSAGE_NEW(EngineApi__GetEnclavesResponse, engine_api__get_enclaves_response__init);
    reply->enclave_info = calloc(enclaves->n_enclaves + 1, sizeof *reply->enclave_info);
    if (!reply->enclave_info)
        abort();
    for (size_t i = 0; i < enclaves->n_enclaves; i++) {
        EngineApi__GetEnclavesResponse__EnclaveInfoEntry *entry =
            MESSAGE_NEW(EngineApi__GetEnclavesResponse__EnclaveInfoEntry,
                        engine_api__get_enclaves_response__enclave_info_entry__init);
        entry->key = strdup(enclaves->enclaves[i]->enclave_uuid);
        entry->value = engine_info_new(enclaves->enclaves[i]);
        reply->enclave_info[reply->n_enclave_info++] = entry;
    }
    actor_call_reply(&call, &reply->base);
}

void
engine_on_get(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    answer(state, call, NULL, 0);
}

void
engine_on_get_some(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const EngineApi__GetEnclavesByUuidsArgs *args =
        (const EngineApi__GetEnclavesByUuidsArgs *)request;
    answer(state, call, args->enclave_uuids, args->n_enclave_uuids);
}

/* ---------------------------------------------------------------------------------- identifiers */

static void
add_identifiers(EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *reply,
                const char *uuid, const char *name)
{
    EngineApi__EnclaveIdentifiers *item =
        MESSAGE_NEW(EngineApi__EnclaveIdentifiers, engine_api__enclave_identifiers__init);
    item->enclave_uuid = strdup(uuid);
    item->name = strdup(name);
    item->shortened_uuid = strndup(uuid, UUID_SHORT_LEN);
    reply->allidentifiers[reply->n_allidentifiers++] = item;
}

/* The union of what is remembered and what is there (made by an engine whose data is lost). */
static EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *
identifiers_new(const engine_record_t *records, size_t count,
                const Orchestrator__GetEnclavesReply *enclaves)
{
    EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *reply =
        MESSAGE_NEW(EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse,
                    engine_api__get_existing_and_historical_enclave_identifiers_response__init);
    reply->allidentifiers = calloc(count + enclaves->n_enclaves + 1, sizeof *reply->allidentifiers);
    if (!reply->allidentifiers)
        abort();
    for (size_t i = 0; i < count; i++)
        if (records[i].stage != ENGINE_STAGE_MAKING)
            add_identifiers(reply, records[i].uuid, records[i].name);
    for (size_t i = 0; i < enclaves->n_enclaves; i++) {
        const Orchestrator__Enclave *enclave = enclaves->enclaves[i];
        if (!engine_records_find(records, count, enclave->enclave_uuid))
            add_identifiers(reply, enclave->enclave_uuid, enclave->name);
    }
    return reply;
}

void
engine_on_identifiers(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    engine_t *self = state;
    AUTO(err) err = NULL;
    AUTO_MESSAGE Orchestrator__GetEnclavesReply *enclaves = NULL;
    engine_record_t *records;
    size_t count;
    if (engine_list(self, call, &enclaves, &err) < 0 ||
        engine_store_records(self->store, &records, &count, &err) < 0) {
        err_wrap(&err, "cannot list the identifiers of enclaves");
        actor_call_fail(&call, &err);
        return;
    }
    AUTO_MESSAGE EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *reply =
        identifiers_new(records, count, enclaves);
    engine_records_free(records, count);
    actor_call_reply(&call, &reply->base);
}
