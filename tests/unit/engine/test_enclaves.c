#include "tests/unit/engine/stage.h"

#include "base/uuid.h"
#include "engine/store.h"

#define HALF_MADE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HALF_GONE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define WHOLE "cccccccccccccccccccccccccccccccc"

static void
every_method_of_the_schema_is_answered(void **state)
{
    (void)state;
    size_t count;
    const bus_method_t *methods = bus_methods(&count);
    for (size_t i = 0; i < count; i++) {
        if (!str_starts(methods[i].name, "engine_api.EngineService/"))
            continue;
        const actor_method_t *handler = engine_methods;
        while (handler->method && strcmp(handler->method, methods[i].name))
            handler++;
        if (!handler->method)
            fail_msg("%s has no handler", methods[i].name);
    }
}

static void
an_engine_says_its_version(void **state)
{
    AUTO(actor) client = stage_client(*state);
    AUTO_MESSAGE EngineApi__GetEngineInfoResponse *info = NULL;
    AUTO(err) err = NULL;
    assert_done(ask(client, "GetEngineInfo", &nothing.base, (ProtobufCMessage **)&info, &err), err);
    assert_string_equal(info->engine_version, KURTOSIS_VERSION);
}

static EngineApi__GetEnclavesResponse *
list(actor_t *client)
{
    EngineApi__GetEnclavesResponse *enclaves = NULL;
    AUTO(err) err = NULL;
    assert_done(ask(client, "GetEnclaves", &nothing.base, (ProtobufCMessage **)&enclaves, &err),
                err);
    return enclaves;
}

static int
destroy(actor_t *client, const char *identifier, err_t **err)
{
    EngineApi__DestroyEnclaveArgs args = ENGINE_API__DESTROY_ENCLAVE_ARGS__INIT;
    args.enclave_identifier = (char *)identifier;
    return ask(client, "DestroyEnclave", &args.base, NULL, err);
}

static void
an_enclave_is_made_listed_stopped_and_destroyed(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    AUTO_MESSAGE EngineApi__CreateEnclaveResponse *made = NULL;
    assert_done(ask_create(client, "blue", &made, &err), err);
    const EngineApi__EnclaveInfo *info = made->enclave_info;
    assert_string_equal(info->name, "blue");
    assert_true(uuid_is(info->enclave_uuid));
    assert_int_equal(strlen(info->shortened_uuid), UUID_SHORT_LEN);
    assert_true(str_starts(info->enclave_uuid, info->shortened_uuid));
    assert_int_equal(info->containers_status,
                     ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_RUNNING);

    AUTO_MESSAGE EngineApi__GetEnclavesResponse *enclaves = list(client);
    assert_int_equal(enclaves->n_enclave_info, 1);
    assert_string_equal(enclaves->enclave_info[0]->key, info->enclave_uuid);
    assert_string_equal(enclaves->enclave_info[0]->value->api_container_info->ip_inside_enclave,
                        "172.16.0.3");

    EngineApi__StopEnclaveArgs stop = ENGINE_API__STOP_ENCLAVE_ARGS__INIT;
    stop.enclave_identifier = info->shortened_uuid;
    assert_done(ask(client, "StopEnclave", &stop.base, NULL, &err), err);
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *stopped = list(client);
    assert_int_equal(stopped->enclave_info[0]->value->containers_status,
                     ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_STOPPED);
    assert_int_equal(stopped->enclave_info[0]->value->api_container_status,
                     ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_STOPPED);

    assert_done(destroy(client, "blue", &err), err);
    assert_int_equal(stage_count(stage), 0);
    assert_error(destroy(client, "blue", &err), err, ERR_NOT_FOUND, "there is no enclave 'blue'");
}

static void
a_name_is_made_up_where_none_is_given_and_bad_input_is_refused(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    AUTO_MESSAGE EngineApi__CreateEnclaveResponse *made = NULL;
    assert_done(ask_create(client, "", &made, &err), err);
    assert_non_null(strchr(made->enclave_info->name, '-'));
    static const char *const bad[] = {
        "a b", "idle-enclave-x", "under_score",
        "a234567890123456789012345678901234567890123456789012345678901"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_error(ask_create(client, bad[i], NULL, &err), err, ERR_INVALID, bad[i]);
    EngineApi__CreateEnclaveArgs args = ENGINE_API__CREATE_ENCLAVE_ARGS__INIT;
    args._api_container_log_level_case =
        ENGINE_API__CREATE_ENCLAVE_ARGS___API_CONTAINER_LOG_LEVEL_API_CONTAINER_LOG_LEVEL;
    args.api_container_log_level = (char *)"";
    assert_error(ask(client, "CreateEnclave", &args.base, NULL, &err), err, ERR_INVALID,
                 "'' is no log level");
    assert_int_equal(stage_count(stage), 1);
}

static size_t
count_identifiers(actor_t *client)
{
    AUTO(err) err = NULL;
    AUTO_MESSAGE EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *known = NULL;
    assert_done(ask(client, "GetExistingAndHistoricalEnclaveIdentifiers", &nothing.base,
                    (ProtobufCMessage **)&known, &err),
                err);
    return known->n_allidentifiers;
}

static void
an_enclave_whose_api_container_does_not_join_is_undone(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage->apic_joins = false;
    stage_sync(stage);
    assert_error(ask_create(client, "late", NULL, &err), err, ERR_TIMEOUT,
                 "cannot open the database");
    assert_int_equal(stage_count(stage), 0);
    assert_int_equal(stage->n_destroyed, 1);
    assert_int_equal(count_identifiers(client), 0); /* nobody was told of it */
}

typedef struct {
    actor_t *client;
    const char *name;
    int result;
    err_t *err;
} creation_t;

static void *
create_on_a_thread(void *arg)
{
    creation_t *self = arg;
    self->result = ask_create(self->client, self->name, NULL, &self->err);
    return NULL;
}

static bool
is_creating(const stage_t *stage)
{
    return stage->creating == 1;
}

static void
making_one_enclave_blocks_no_listing_and_holds_its_name(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    pthread_t thread;
    creation_t slow = {.client = client, .name = "slow"};
    stage->hold_creation = true;
    stage_sync(stage);
    pthread_create(&thread, NULL, create_on_a_thread, &slow);
    stage_wait(stage, is_creating);
    /* Not acknowledged, so not to be seen; the name is taken all the same. */
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *enclaves = list(client);
    assert_int_equal(enclaves->n_enclave_info, 0);
    assert_error(ask_create(client, "slow", NULL, &err), err, ERR_EXISTS,
                 "cannot create the enclave 'slow'");
    pthread_mutex_lock(&stage->lock);
    stage->hold_creation = false;
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
    pthread_join(thread, NULL);
    assert_done(slow.result, slow.err);
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *after = list(client);
    assert_int_equal(after->n_enclave_info, 1);
}

static void
identifiers_are_remembered_by_the_next_engine(void **state)
{
    stage_t *stage = *state;
    AUTO(err) err = NULL;
    actor_t *client = stage_client(stage);
    assert_done(ask_create(client, "one", NULL, &err), err);
    assert_done(ask_create(client, "two", NULL, &err), err);
    assert_done(destroy(client, "one", &err), err);
    actor_destroy(&client);
    stage_stop(stage);
    stage_add(stage, WHOLE, "foreign", 1, 0);
    stage_start(stage);
    client = stage_client(stage);
    AUTO_MESSAGE EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *known = NULL;
    assert_done(ask(client, "GetExistingAndHistoricalEnclaveIdentifiers", &nothing.base,
                    (ProtobufCMessage **)&known, &err),
                err);
    assert_int_equal(known->n_allidentifiers, 3);
    assert_string_equal(known->allidentifiers[0]->name, "one");
    assert_string_equal(known->allidentifiers[1]->name, "two");
    assert_string_equal(known->allidentifiers[2]->name, "foreign");
    actor_destroy(&client);
}

static void
what_a_killed_engine_left_half_done_is_destroyed_by_the_next(void **state)
{
    stage_t *stage = *state;
    uint8_t key[BUS_KEY_SIZE] = {1};
    AUTO(err) err = NULL;
    stage_stop(stage);
    AUTO_FREE char *path = str_format("%s/data/engine.db", stage->folder);
    engine_store_t *store = NULL;
    assert_done(engine_store_open(path, &store, &err), err);
    assert_done(engine_store_add(store, HALF_MADE, "half-made", 1, key, &err), err);
    assert_done(engine_store_add(store, HALF_GONE, "half-gone", 2, key, &err), err);
    assert_done(engine_store_set_stage(store, HALF_GONE, ENGINE_STAGE_ENDING, &err), err);
    engine_store_destroy(&store);
    stage_add(stage, HALF_MADE, "half-made", 1, 0);
    stage_add(stage, HALF_GONE, "half-gone", 0, 0);
    stage_add(stage, WHOLE, "whole", 1, 0);
    stage_start(stage);
    AUTO(actor) client = stage_client(stage);
    EngineApi__CleanArgs clean = ENGINE_API__CLEAN_ARGS__INIT;
    assert_done(ask(client, "Clean", &clean.base, NULL, &err), err); /* waits for it */
    assert_true(stage_was_destroyed(stage, HALF_MADE));
    assert_true(stage_was_destroyed(stage, HALF_GONE));
    assert_int_equal(stage_count(stage), 1);
}

static void
clean_removes_what_does_not_run_and_all_when_asked(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, WHOLE, "running", 1, 1);
    stage_add(stage, HALF_GONE, "stopped", 0, 2);
    stage_add(stage, HALF_MADE, "empty", 0, 0);
    EngineApi__CleanArgs args = ENGINE_API__CLEAN_ARGS__INIT;
    AUTO_MESSAGE EngineApi__CleanResponse *removed = NULL;
    assert_done(ask(client, "Clean", &args.base, (ProtobufCMessage **)&removed, &err), err);
    assert_int_equal(removed->n_removed_enclave_name_and_uuids, 2);
    assert_string_equal(removed->removed_enclave_name_and_uuids[0]->name, "empty");
    assert_string_equal(removed->removed_enclave_name_and_uuids[1]->name, "stopped");
    args._should_clean_all_case = ENGINE_API__CLEAN_ARGS___SHOULD_CLEAN_ALL_SHOULD_CLEAN_ALL;
    args.should_clean_all = true;
    AUTO_MESSAGE EngineApi__CleanResponse *rest = NULL;
    assert_done(ask(client, "Clean", &args.base, (ProtobufCMessage **)&rest, &err), err);
    assert_int_equal(rest->n_removed_enclave_name_and_uuids, 1);
    assert_int_equal(stage_count(stage), 0);
}

static void
clean_removes_the_others_when_one_cannot_be(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, HALF_GONE, "stuck", 0, 2);
    stage_add(stage, HALF_MADE, "loose", 0, 0);
    strcpy(stage->refuse_destroy, HALF_GONE);
    stage_sync(stage);
    EngineApi__CleanArgs args = ENGINE_API__CLEAN_ARGS__INIT;
    int result = ask(client, "Clean", &args.base, NULL, &err);
    AUTO_FREE char *text = err_string(err);
    assert_non_null(strstr(text, ">>>>>>>>>>>>>>>>> ERROR 0 <<<<<<<<<<<<<<<<<"));
    assert_error(result, err, ERR_UNKNOWN, "the network is in use");
    assert_int_equal(stage_count(stage), 1);
}

static void
some_enclaves_are_found_by_full_uuid_and_unknown_ones_left_out(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, HALF_GONE, "one", 1, 0);
    stage_add(stage, HALF_MADE, "two", 1, 0);
    char *uuids[] = {(char *)HALF_MADE, (char *)WHOLE};
    EngineApi__GetEnclavesByUuidsArgs args = ENGINE_API__GET_ENCLAVES_BY_UUIDS_ARGS__INIT;
    args.enclave_uuids = uuids;
    args.n_enclave_uuids = 2;
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *some = NULL;
    assert_done(ask(client, "GetEnclavesByUuids", &args.base, (ProtobufCMessage **)&some, &err),
                err);
    assert_int_equal(some->n_enclave_info, 1);
    assert_string_equal(some->enclave_info[0]->value->name, "two");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_of_the_schema_is_answered),
        ON_STAGE(an_engine_says_its_version),
        ON_STAGE(an_enclave_is_made_listed_stopped_and_destroyed),
        ON_STAGE(a_name_is_made_up_where_none_is_given_and_bad_input_is_refused),
        ON_STAGE(an_enclave_whose_api_container_does_not_join_is_undone),
        ON_STAGE(making_one_enclave_blocks_no_listing_and_holds_its_name),
        ON_STAGE(identifiers_are_remembered_by_the_next_engine),
        ON_STAGE(what_a_killed_engine_left_half_done_is_destroyed_by_the_next),
        ON_STAGE(clean_removes_what_does_not_run_and_all_when_asked),
        ON_STAGE(clean_removes_the_others_when_one_cannot_be),
        ON_STAGE(some_enclaves_are_found_by_full_uuid_and_unknown_ones_left_out),
    };
    actor_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
