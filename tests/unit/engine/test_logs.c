#include "tests/unit/engine/stage.h"

#include "base/clock.h"
#include "engine/filter.h"
#include "logs/logs.h"

#include <stdio.h>
#include <sys/stat.h>

#define ENCLAVE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int64_t base; /* seconds since 1970 of the first line */

/* One message as text: services by their last digit, lines with their second, the missing ones. */
static void
put_message(const EngineApi__GetServiceLogsResponse *message, str_t *out)
{
    for (size_t i = 0; i < message->n_service_logs_by_service_uuid; i++) {
        const EngineApi__LogLine *line = message->service_logs_by_service_uuid[i]->value;
        str_printf(out, "%s=", message->service_logs_by_service_uuid[i]->key + 31);
        for (size_t k = 0; k < line->n_line; k++)
            str_printf(out, "%s|", line->line[k]);
        if (line->n_line)
            str_printf(out, "@%lld", (long long)line->timestamp->seconds - (long long)base);
        str_add_char(out, ' ');
    }
    for (size_t i = 0; i < message->n_not_found_service_uuid_set; i++)
        str_printf(out, "!%s", message->not_found_service_uuid_set[i]->key);
    str_add_char(out, '\n');
}

/* Takes messages until there are so many (0: until the end). */
static int
take(actor_stream_t *stream, size_t count, str_t *out, err_t **err)
{
    for (size_t i = 0; count == 0 || i < count; i++) {
        AUTO_MESSAGE EngineApi__GetServiceLogsResponse *message = NULL;
        int got = actor_stream_recv(stream, 30000, (ProtobufCMessage **)&message, err);
        if (got <= 0)
            return got;
        put_message(message, out);
    }
    return 0;
}

static actor_stream_t *
open_logs(actor_t *client, const EngineApi__GetServiceLogsArgs *args)
{
    actor_stream_t *stream = NULL;
    AUTO(err) err = NULL;
    assert_done(actor_stream_open(client, NULL, "engine", "engine_api.EngineService/GetServiceLogs",
                                  &args->base, &stream, &err),
                err);
    return stream;
}

/* Everything that a request for logs answers, as text: a line a message. */
static int
read_logs(actor_t *client, const EngineApi__GetServiceLogsArgs *args, str_t *out, err_t **err)
{
    AUTO(actor_stream) stream = open_logs(client, args);
    return take(stream, 0, out, err);
}

/* A request, with room for what it points to. */
typedef struct {
    EngineApi__GetServiceLogsArgs args;
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry entries[3], *list[3];
} request_t;

static void
request_init(request_t *self, stage_t *stage, const char *enclave, size_t count)
{
    static const char *const uuids[] = {SERVICE, SILENT_SERVICE, "gone"};
    base = stage->base / 1000000000;
    engine_api__get_service_logs_args__init(&self->args);
    for (size_t i = 0; i < count; i++) {
        engine_api__get_service_logs_args__service_uuid_set_entry__init(&self->entries[i]);
        self->entries[i].key = (char *)uuids[i];
        self->entries[i].value = true;
        self->list[i] = &self->entries[i];
    }
    self->args.enclave_identifier = (char *)enclave;
    self->args.service_uuid_set = self->list;
    self->args.n_service_uuid_set = count;
    self->args._return_all_logs_case =
        ENGINE_API__GET_SERVICE_LOGS_ARGS___RETURN_ALL_LOGS_RETURN_ALL_LOGS;
    self->args.return_all_logs = true;
}

static void
last_lines(request_t *self, uint32_t count)
{
    self->args.return_all_logs = false;
    self->args._num_log_lines_case =
        ENGINE_API__GET_SERVICE_LOGS_ARGS___NUM_LOG_LINES_NUM_LOG_LINES;
    self->args.num_log_lines = count;
}

static void
follow(request_t *self)
{
    self->args._follow_logs_case = ENGINE_API__GET_SERVICE_LOGS_ARGS___FOLLOW_LOGS_FOLLOW_LOGS;
    self->args.follow_logs = true;
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
    request_t request;
    request_init(&request, stage, "e", 3);
    AUTO_STR text = STR_EMPTY;
    assert_done(read_logs(client, &request.args, &text, &err), err);
    assert_string_equal(text.data, "1= 2= !gone\n"
                                   "1=one|bad \xef\xbf\xbd byte|@0 2= !gone\n");
    stage_sync(stage);
    assert_int_equal(stage->flushes, 1);
}

static void
the_last_lines_are_counted_before_they_are_filtered(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    static const char *const words[] = {"a1", "b2", "a3", "b4", "b5"};
    memcpy(stage->lines, words, sizeof words);
    stage_sync(stage);
    request_t request;
    EngineApi__LogLineFilter filter = ENGINE_API__LOG_LINE_FILTER__INIT, *filters[] = {&filter};
    filter.text_pattern = (char *)"A";
    static const struct {
        uint32_t last;
        bool filtered;
        const char *expected;
    } rows[] = {{2, false, "1=b4|b5|@0 \n"}, {0, false, ""}, {9, false, "1=a1|b2|a3|b4|b5|@0 \n"},
                {3, true, "1=a3|@0 \n"},     {2, true, ""},  {5, true, "1=a1|a3|@0 \n"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR text = STR_EMPTY;
        request_init(&request, stage, "e", 1);
        last_lines(&request, rows[i].last);
        request.args.conjunctive_filters = filters;
        request.args.n_conjunctive_filters = rows[i].filtered;
        assert_done(read_logs(client, &request.args, &text, &err), err);
        assert_string_equal(text.data, rows[i].expected);
    }
}

static void
followed_lines_come_until_the_service_ends(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    stage->lines[0] = "before";
    stage_sync(stage);
    request_t request;
    request_init(&request, stage, "e", 2);
    follow(&request);
    AUTO(actor_stream) stream = open_logs(client, &request.args);
    AUTO_STR text = STR_EMPTY;
    assert_done(take(stream, 1, &text, &err), err);
    assert_string_equal(text.data, "1=before|@0 2= \n");
    for (size_t i = 1; i < 20; i++) {
        stage->lines[i] = "more";
        stage->ends = i == 19;
        stage_print(stage, ENCLAVE);
        str_clear(&text);
        assert_done(take(stream, 1, &text, &err), err);
        assert_string_equal(text.data, "1=more|@0 2= \n");
    }
    str_clear(&text);
    assert_done(take(stream, 0, &text, &err), err);
    assert_string_equal(text.data, "");
}

static void
set_time(Google__Protobuf__Timestamp *time, int64_t ns)
{
    google__protobuf__timestamp__init(time);
    time->seconds = ns / NS_PER_SECOND;
    time->nanos = (int32_t)(ns % NS_PER_SECOND);
}

static void
times_counts_and_filters_hold_together(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    static const char *const words[] = {"a0", "B1", "a2", "b3", "a4", "b5", "a6"};
    memcpy(stage->lines, words, sizeof words); /* each a nanosecond after the one before */
    stage->ends = true;
    stage_sync(stage);
    EngineApi__LogLineFilter text = ENGINE_API__LOG_LINE_FILTER__INIT,
                             regex = ENGINE_API__LOG_LINE_FILTER__INIT;
    EngineApi__LogLineFilter *filters[] = {&text, &regex};
    Google__Protobuf__Timestamp since, until;
    static const struct {
        int since, until; /* numbers of lines; -1 for none */
        int last;         /* -1: all */
        const char *text, *no_regex;
        const char *expected;
    } rows[] = {
        {2, -1, -1, NULL, NULL, "1=a2|b3|a4|b5|a6|@0 \n"},
        {-1, 3, -1, NULL, NULL, "1=a0|B1|a2|@0 \n"},
        {1, 6, -1, NULL, NULL, "1=B1|a2|b3|a4|b5|@0 \n"},
        {1, 6, 3, NULL, NULL, "1=b3|a4|b5|@0 \n"},
        {1, 6, 9, "b", NULL, "1=B1|b3|b5|@0 \n"},
        {1, 6, 9, "b", "5$", "1=B1|b3|@0 \n"},
        {1, 6, 4, "b", "5$", "1=b3|@0 \n"},
        {7, -1, -1, NULL, NULL, ""},
        {-1, 0, 5, NULL, NULL, ""},
    };
    for (int following = 0; following < 2; following++)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            AUTO_STR out = STR_EMPTY;
            request_t request;
            request_init(&request, stage, "e", 1);
            if (following)
                follow(&request);
            if (rows[i].last >= 0)
                last_lines(&request, (uint32_t)rows[i].last);
            set_time(&since, stage->base + rows[i].since);
            set_time(&until, stage->base + rows[i].until);
            request.args.since = rows[i].since < 0 ? NULL : &since;
            request.args.until = rows[i].until < 0 ? NULL : &until;
            text.text_pattern = (char *)(rows[i].text ? rows[i].text : "");
            regex.operator_ =
                ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_NOT_CONTAIN_MATCH_REGEX;
            regex.text_pattern = (char *)(rows[i].no_regex ? rows[i].no_regex : "^$");
            request.args.conjunctive_filters = filters;
            request.args.n_conjunctive_filters = 2;
            assert_done(read_logs(client, &request.args, &out, &err), err);
            assert_string_equal(out.data, rows[i].expected);
        }
}

static void
following_ends_at_the_time_until_which_lines_are_wanted(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    stage->lines[0] = "before";
    stage_sync(stage);
    request_t request;
    Google__Protobuf__Timestamp until;
    request_init(&request, stage, "e", 2);
    follow(&request);
    set_time(&until, clock_wall_ns() + 400 * NS_PER_MS);
    request.args.until = &until;
    AUTO_STR text = STR_EMPTY;
    assert_done(read_logs(client, &request.args, &text, &err), err);
    assert_string_equal(text.data, "1=before|@0 2= \n");
    assert_true(clock_wall_ns() >= until.seconds * NS_PER_SECOND + until.nanos);
}

static void
times_that_leave_no_lines_are_refused(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    request_t request;
    AUTO_STR text = STR_EMPTY;
    Google__Protobuf__Timestamp since, until;
    request_init(&request, stage, "e", 1);
    set_time(&since, stage->base);
    set_time(&until, stage->base);
    request.args.since = &since;
    request.args.until = &until;
    assert_error(read_logs(client, &request.args, &text, &err), err, ERR_INVALID, "not before");
    until.nanos = 1000000000;
    assert_error(read_logs(client, &request.args, &text, &err), err, ERR_INVALID,
                 "'until' has 1000000000 nanoseconds");
    /* Times that nanoseconds cannot say. */
    until = (Google__Protobuf__Timestamp)GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    until.seconds = INT64_MAX;
    since.seconds = INT64_MIN;
    assert_done(read_logs(client, &request.args, &text, &err), err);
    assert_string_equal(text.data, "");
}

static void
a_caller_that_gives_up_ends_the_following(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    stage->lines[0] = "only";
    stage_sync(stage);
    request_t request;
    request_init(&request, stage, "e", 1);
    follow(&request);
    AUTO_STR text = STR_EMPTY;
    for (int i = 0; i < 100; i++) { /* more than there are workers */
        AUTO(actor_stream) stream = open_logs(client, &request.args);
        assert_done(take(stream, 1, &text, &err), err);
    }
}

static void
lines_of_services_and_enclaves_that_are_gone_are_still_read(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage->lines[0] = "last words";
    stage_print(stage, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    request_t request;
    request_init(&request, stage, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 1);
    AUTO_STR text = STR_EMPTY;
    assert_done(read_logs(client, &request.args, &text, &err), err);
    assert_string_equal(text.data, "1=last words|@0 \n");
    /* What is no UUID is not there, and leaves the store alone. */
    request_init(&request, stage, "../../keys", 3);
    str_clear(&text);
    assert_done(read_logs(client, &request.args, &text, &err), err);
    assert_true(str_starts(text.data, "!" SERVICE));
}

static void
many_lines_come_in_few_messages(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    stage_add(stage, ENCLAVE, "e", 1, 0);
    AUTO_FREE char *root = str_format("%s/data/logs", stage->folder);
    mkdir(root, 0700);
    AUTO(logs_writer) writer = NULL;
    assert_done(logs_writer_open(root, ENCLAVE, SERVICE, &writer, &err), err);
    logs_batch_t batch;
    logs_batch_init(&batch);
    for (int i = 0; i < 50000; i++) {
        char line[32];
        int size = snprintf(line, sizeof line, "line %d", i);
        logs_batch_add(&batch, LOGS_OUT, stage->base + i, line, (size_t)size);
        if (i % 1000 == 999)
            assert_done(logs_writer_put(writer, &batch, "", 0, &err), err);
    }
    logs_batch_done(&batch);
    logs_writer_destroy(&writer);
    request_t request;
    request_init(&request, stage, "e", 1);
    AUTO(actor_stream) stream = open_logs(client, &request.args);
    int lines = 0, messages = 0;
    for (;; messages++) {
        AUTO_MESSAGE EngineApi__GetServiceLogsResponse *message = NULL;
        int got = actor_stream_recv(stream, 30000, (ProtobufCMessage **)&message, &err);
        assert_done(got, err);
        if (got == 0)
            break;
        const EngineApi__LogLine *entry = message->service_logs_by_service_uuid[0]->value;
        for (size_t i = 0; i < entry->n_line; i++)
            assert_int_equal(strtol(entry->line[i] + 5, NULL, 10), lines++);
    }
    assert_int_equal(lines, 50000);
    assert_true(messages < 50);
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
    EngineApi__LogLineFilter text_filter = ENGINE_API__LOG_LINE_FILTER__INIT,
                             regex = ENGINE_API__LOG_LINE_FILTER__INIT;
    EngineApi__LogLineFilter *filters[] = {&text_filter, &regex};
    text_filter.text_pattern = (char *)"GET";
    regex.operator_ = ENGINE_API__LOG_LINE_OPERATOR__LogLineOperator_DOES_NOT_CONTAIN_MATCH_REGEX;
    regex.text_pattern = (char *)"5\\d+$";
    request_t request;
    request_init(&request, stage, "aaaaaaaaaaaa", 1);
    request.args.conjunctive_filters = filters;
    request.args.n_conjunctive_filters = 2;
    AUTO_STR text = STR_EMPTY;
    assert_done(read_logs(client, &request.args, &text, &err), err);
    assert_string_equal(text.data, "1=GET /a 200|@0 \n");
    regex.text_pattern = (char *)"(";
    assert_error(read_logs(client, &request.args, &text, &err), err, ERR_INVALID,
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
        ON_STAGE(the_last_lines_are_counted_before_they_are_filtered),
        ON_STAGE(followed_lines_come_until_the_service_ends),
        ON_STAGE(times_counts_and_filters_hold_together),
        ON_STAGE(following_ends_at_the_time_until_which_lines_are_wanted),
        ON_STAGE(times_that_leave_no_lines_are_refused),
        ON_STAGE(a_caller_that_gives_up_ends_the_following),
        ON_STAGE(lines_of_services_and_enclaves_that_are_gone_are_still_read),
        ON_STAGE(many_lines_come_in_few_messages),
        ON_STAGE(filters_are_applied_and_bad_ones_refused),
        cmocka_unit_test(text_filters_ignore_case_and_regular_expressions_do_not),
        cmocka_unit_test(a_runaway_pattern_ends_by_a_limit),
        cmocka_unit_test(cleaned_text_has_neither_bad_bytes_nor_nul),
    };
    actor_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
