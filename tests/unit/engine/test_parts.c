#include "tests/unit/engine/stage.h"

#include "engine/identify.h"
#include "engine/store.h"

#include <stdio.h>

static void
identifiers_are_tried_as_uuid_short_uuid_and_name(void **state)
{
    (void)state;
    Orchestrator__Enclave items[4], *list[4];
    static const struct {
        const char *uuid, *name;
    } enclaves[] = {
        {"aaaaaaaaaaaa11111111111111111111", "first"},
        {"aaaaaaaaaaaa22222222222222222222", "second"},
        {"bbbbbbbbbbbb33333333333333333333", "second"},
        {"cccccccccccc44444444444444444444", "bbbbbbbbbbbb33333333333333333333"},
    };
    for (size_t i = 0; i < 4; i++) {
        orchestrator__enclave__init(&items[i]);
        items[i].enclave_uuid = (char *)enclaves[i].uuid;
        items[i].name = (char *)enclaves[i].name;
        list[i] = &items[i];
    }
    static const struct {
        const char *identifier;
        int found; /* index, or -code */
    } rows[] = {
        {"aaaaaaaaaaaa22222222222222222222", 1},
        {"bbbbbbbbbbbb33333333333333333333", 2}, /* a UUID before a name */
        {"bbbbbbbbbbbb", 2},
        {"first", 0},
        {"aaaaaaaaaaaa", -ERR_INVALID},
        {"second", -ERR_INVALID},
        {"bbbb", -ERR_NOT_FOUND},
        {"", -ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const Orchestrator__Enclave *found = NULL;
        AUTO(err) err = NULL;
        int result = engine_identify(list, 4, rows[i].identifier, &found, &err);
        if (rows[i].found >= 0 ? result != 0 || found != list[rows[i].found]
                               : result >= 0 || (int)err_code(err) != -rows[i].found)
            fail_msg("'%s'", rows[i].identifier);
    }
}

static void
arguments_are_read_and_blank_ones_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"{\"logLevelStr\":\"debug\",\"imageVersionTag\":\"1.2.3\",\"domain\":\"\"}", NULL},
        {"{\"logLevelStr\":\"debug\",\"imageVersionTag\":\" \"}", "'imageVersionTag' is blank"},
        {"{\"logLevelStr\":\"debug\"}", "have no text 'imageVersionTag'"},
        {"{\"logLevelStr\":3,\"imageVersionTag\":\"1\"}", "have no text 'logLevelStr'"},
        {"[]", "are no JSON object"},
        {"", "are no JSON object"},
        {"{", "are no JSON object"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(engine_args) args = NULL;
        AUTO(err) err = NULL;
        int result = engine_args_parse(rows[i].json, &args, &err);
        AUTO_FREE char *text = err_string(err);
        if (rows[i].says ? result >= 0 || !strstr(text, rows[i].says) : result < 0)
            fail_msg("%s: %s", rows[i].json, text);
        if (result == 0)
            assert_string_equal(args->version, "1.2.3");
    }
}

static void
a_store_keeps_stages_and_keys(void **state)
{
    (void)state;
    char folder[] = "/tmp/kurtosis-store-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s/engine.db", folder);
    uint8_t key[BUS_KEY_SIZE] = {7}, other[BUS_KEY_SIZE] = {8};
    AUTO(err) err = NULL;
    engine_store_t *store = NULL;
    assert_done(engine_store_open(path, &store, &err), err);
    assert_done(engine_store_add(store, "aa", "name", 5, key, &err), err);
    assert_error(engine_store_add(store, "aa", "name", 5, key, &err), err, ERR_INTERNAL, path);
    assert_true(engine_store_knows_apic(store, "aa", key));
    assert_false(engine_store_knows_apic(store, "aa", other));
    assert_false(engine_store_knows_apic(store, "bb", key));
    assert_true(engine_store_knows_name(store, "name"));
    engine_store_destroy(&store);

    assert_done(engine_store_open(path, &store, &err), err);
    assert_done(engine_store_set_stage(store, "aa", ENGINE_STAGE_GONE, &err), err);
    assert_false(engine_store_knows_apic(store, "aa", key));
    engine_record_t *records;
    size_t count;
    assert_done(engine_store_records(store, &records, &count, &err), err);
    assert_int_equal(count, 1);
    assert_int_equal(records[0].stage, ENGINE_STAGE_GONE);
    assert_int_equal(records[0].creation_time, 5);
    engine_records_free(records, count);
    assert_done(engine_store_forget(store, "aa", &err), err);
    assert_false(engine_store_knows_name(store, "name"));
    engine_store_destroy(&store);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_are_tried_as_uuid_short_uuid_and_name),
        cmocka_unit_test(arguments_are_read_and_blank_ones_refused),
        cmocka_unit_test(a_store_keeps_stages_and_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
