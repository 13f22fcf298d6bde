#include "tests/unit/engine/stage.h"

#include "engine/filter.h"

#define ENCLAVE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Everything that a request for logs answers, as text: a line a message. */
static int
read_logs(actor_t *client, const EngineApi__GetServiceLogsArgs *args, str_t *out, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    if (actor_stream_open(client, NULL, "engine", "engine_api.EngineService/GetServiceLogs",
                          &args->base, &stream, err) < 0)
        return -1;
    for (;;) {
        AUTO_MESSAGE EngineApi__GetServiceLogsResponse *message = NULL;
        int got = actor_stream_recv(stream, 30000, (ProtobufCMessage **)&message, err);
        if (got <= 0)
            return got;
        for (size_t i = 0; i < message->n_service_logs_by_service_uuid; i++) {
            const EngineApi__LogLine *line = message->service_logs_by_service_uuid[i]->value;
            str_printf(out, "%s=", message->service_logs_by_service_uuid[i]->key + 31);
            for (size_t k = 0; k < line->n_line; k++)
                str_printf(out, "%s@%lld", line->line[k], (long long)line->timestamp->seconds);
            str_add_char(out, ' ');
        }
        for (size_t i = 0; i < message->n_not_found_service_uuid_set; i++)
            str_printf(out, "!%s", message->not_found_service_uuid_set[i]->key);
        str_add_char(out, '\n');
    }
}

static void
lines_come_with_an_entry_for_each_service_and_the_missing_ones(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    stage->lines[0] = "one";
    stage->lines[1] = "bad \xff byte";
    stage_sync(stage);
    const char *uuids[] = {SERVICE, SILENT_SERVICE, "gone"};
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry entries[3], *list[3];
    for (size_t i = 0; i < 3; i++) {
        engine_api__get_service_logs_args__service_uuid_set_entry__init(&entries[i]);
        entries[i].key = (char *)uuids[i];
        entries[i].value = true;
        list[i] = &entries[i];
    }
    EngineApi__GetServiceLogsArgs args = ENGINE_API__GET_SERVICE_LOGS_ARGS__INIT;
    args.enclave_identifier = (char *)"e";
    args.service_uuid_set = list;
    args.n_service_uuid_set = 3;
    args._num_log_lines_case = ENGINE_API__GET_SERVICE_LOGS_ARGS___NUM_LOG_LINES_NUM_LOG_LINES;
    args.num_log_lines = 7;
    AUTO_STR text = STR_EMPTY;
    assert_done(read_logs(client, &args, &text, &err), err);
    assert_string_equal(text.data, "1= 2= !gone\n"
                                   "1=one@1700000000 2= !gone\n"
                                   "1=bad \xef\xbf\xbd byte@1700000000 2= !gone\n");
    stage_sync(stage);
    assert_string_equal(stage->logs->enclave_uuid, ENCLAVE);
    assert_int_equal(stage->logs->last_lines, 7);
    assert_false(stage->logs->follow);
}

static void
filters_are_applied_and_bad_ones_refused(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    stage->lines[0] = "GET /a 200";
    stage->lines[1] = "get /b 500";
    stage->lines[2] = "POST /c 200";
    stage_sync(stage);
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry entry =
        ENGINE_API__GET_SERVICE_LOGS_ARGS__SERVICE_UUID_SET_ENTRY__INIT;
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry *list[] = {&entry};
    entry.key = (char *)SERVICE;
    entry.value = true;
    EngineApi__LogLineFilter text_filter = ENGINE_API__LOG_LINE_FILTER__INIT,
                             regex = ENGINE_API__LOG_LINE_FILTER__INIT;
    EngineApi__LogLineFilter *filters[] = {&text_filter, &regex};
    text_filter.text_pattern = (char *)"GET";
    regex.operator_ = ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_NOT_CONTAIN_MATCH_REGEX;
    regex.text_pattern = (char *)"5\\d+$";
    EngineApi__GetServiceLogsArgs args = ENGINE_API__GET_SERVICE_LOGS_ARGS__INIT;
    args.enclave_identifier = (char *)"aaaaaaaaaaaa";
    args.service_uuid_set = list;
    args.n_service_uuid_set = 1;
    args.conjunctive_filters = filters;
    args.n_conjunctive_filters = 2;
    AUTO_STR text = STR_EMPTY;
    assert_done(read_logs(client, &args, &text, &err), err);
    assert_string_equal(text.data, "1=GET /a 200@1700000000 \n");
    regex.text_pattern = (char *)"(";
    assert_error(read_logs(client, &args, &text, &err), err, ERR_INVALID,
                 "'(' is no regular expression");
}

static void
text_filters_ignore_case_and_regular_expressions_do_not(void **state)
{
    (void)state;
    static const struct {
        int operator_;
        const char *pattern, *line;
        bool matches;
    } rows[] = {
        {0, "error", "An ERROR here", true},
        {0, "a.c", "abc", false}, /* a text, no pattern */
        {0, "\xc3\x84", "\xc3\xa4pfel", true},
        {1, "error", "An ERROR here", false},
        {1, "error", "fine", true},
        {2, "a.c", "xabcx", true},
        {2, "ERROR", "error", false},
        {2, "^b", "abc", false},
        {3, "a.c", "abc", false},
        {3, "a.c", "xyz", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EngineApi__LogLineFilter one = ENGINE_API__LOG_LINE_FILTER__INIT, *list[] = {&one};
        AUTO(engine_filter) filter = NULL;
        AUTO(err) err = NULL;
        one.operator_ = (EngineApi__LogLineOperator)rows[i].operator_;
        one.text_pattern = (char *)rows[i].pattern;
        assert_done(engine_filter_new(list, 1, &filter, &err), err);
        int result = engine_filter_matches(filter, rows[i].line, strlen(rows[i].line), &err);
        if (result != rows[i].matches)
            fail_msg("operator %d '%s' on '%s' gives %d", rows[i].operator_, rows[i].pattern,
                     rows[i].line, result);
    }
}

static void
a_runaway_pattern_ends_by_a_limit(void **state)
{
    (void)state;
    EngineApi__LogLineFilter one = ENGINE_API__LOG_LINE_FILTER__INIT, *list[] = {&one};
    AUTO(engine_filter) filter = NULL;
    AUTO(err) err = NULL;
    one.operator_ = ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_CONTAIN_MATCH_REGEX;
    one.text_pattern = (char *)"(a+)+[bc]d";
    assert_done(engine_filter_new(list, 1, &filter, &err), err);
    char line[64];
    memset(line, 'a', sizeof line);
    memcpy(line + 60, "xd", 2);
    assert_error(engine_filter_matches(filter, line, 62, &err), err, ERR_LIMIT, "takes too long");
    AUTO_FREE char *pattern = malloc(ENGINE_FILTER_PATTERN_MAX + 2);
    memset(pattern, 'a', ENGINE_FILTER_PATTERN_MAX + 1);
    pattern[ENGINE_FILTER_PATTERN_MAX + 1] = '\0';
    one.text_pattern = pattern;
    engine_filter_t *other = NULL;
    assert_error(engine_filter_new(list, 1, &other, &err), err, ERR_LIMIT, "more than");
}

static void
cleaned_text_has_neither_bad_bytes_nor_nul(void **state)
{
    (void)state;
    AUTO_STR text = STR_EMPTY;
    str_add(&text, "> ");
    engine_text_clean(&text, "a\0b\xc3(\0", 6);
    assert_string_equal(text.data, "> a\xef\xbf\xbd"
                                   "b\xef\xbf\xbd(\xef\xbf\xbd");
    assert_int_equal(strlen(text.data), text.len);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(lines_come_with_an_entry_for_each_service_and_the_missing_ones),
        ON_STAGE(filters_are_applied_and_bad_ones_refused),
        cmocka_unit_test(text_filters_ignore_case_and_regular_expressions_do_not),
        cmocka_unit_test(a_runaway_pattern_ends_by_a_limit),
        cmocka_unit_test(cleaned_text_has_neither_bad_bytes_nor_nul),
    };
    actor_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
