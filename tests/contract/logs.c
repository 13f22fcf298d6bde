/*  Logs: what services print, as it is printed. */
#include "base/clock.h"
#include "tests/contract/world.h"

#define QUIET "; trap 'exit 0' TERM; sleep 1000000 & wait"

/* Starts a service that prints and then sleeps. */
static void
start(Orchestrator__ServiceSpec *spec, const char *name, const char *script,
      char ret_uuid[UUID_LEN + 1])
{
    char *cmd[] = {(char *)script};
    spec_init(spec, name);
    strcpy(ret_uuid, spec->service_uuid);
    spec->service_uuid = ret_uuid;
    spec->cmd = cmd, spec->n_cmd = 1;
    orchestrator__service_info__free_unpacked(service_start(spec), NULL);
    spec->cmd = NULL, spec->n_cmd = 0;
}

static void
logs_args(Orchestrator__GetLogsArgs *args, char **uuids, size_t count)
{
    orchestrator__get_logs_args__init(args);
    args->enclave_uuid = enclave;
    args->service_uuids = uuids;
    args->n_service_uuids = count;
    args->all_lines = true;
}

/* Takes lines until `count` have come (0: until the end), as "<line>|". */
static void
take(stream_t *stream, size_t count, str_t *out)
{
    Orchestrator__ServiceLogLine *line = NULL;
    AUTO(err) err = NULL;
    for (size_t i = 0; count == 0 || i < count; i++) {
        int got = stream_recv(stream, &line, &err);
        if (got < 0)
            fail_msg("GetLogs failed: %s", err_string(err));
        if (got == 0)
            return;
        assert_true(line->timestamp > INT64_C(1600000000) * NS_PER_SECOND);
        if (line->stream == ORCHESTRATOR__OUTPUT_STREAM__STDERR)
            str_add(out, "E:");
        str_add_bytes(out, line->line.data, line->line.len);
        str_add(out, "|");
        orchestrator__service_log_line__free_unpacked(line, NULL);
    }
}

static void
logs_of(const Orchestrator__GetLogsArgs *args, str_t *out)
{
    stream_t *stream = driver_open(driver, "GetLogs", args);
    take(stream, 0, out);
    stream_close(&stream);
}

static void
lines_come_in_order_with_their_stream(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__GetLogsArgs args;
    char uuid[UUID_LEN + 1], *uuids[] = {uuid};
    start(&spec, "printer", "echo one; echo; echo three" QUIET, uuid);
    logs_args(&args, uuids, 1);
    args.follow = true;
    stream_t *stream = driver_open(driver, "GetLogs", &args);
    AUTO_STR out = STR_EMPTY;
    take(stream, 3, &out);
    stream_close(&stream);
    assert_string_equal(out.data, "one||three|");
    str_clear(&out);
    args.follow = args.all_lines = false;
    args.last_lines = 2;
    logs_of(&args, &out);
    assert_string_equal(out.data, "|three|");
    service_remove(uuid);
}

static void
error_output_is_told_apart(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__GetLogsArgs args;
    char uuid[UUID_LEN + 1], *uuids[] = {uuid};
    start(&spec, "complainer", "echo bad >&2" QUIET, uuid);
    logs_args(&args, uuids, 1);
    args.follow = true;
    stream_t *stream = driver_open(driver, "GetLogs", &args);
    AUTO_STR out = STR_EMPTY;
    take(stream, 1, &out);
    stream_close(&stream);
    assert_string_equal(out.data, "E:bad|");
    service_remove(uuid);
}

static void
followed_logs_end_with_their_containers(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec a, b;
    Orchestrator__GetLogsArgs args;
    char first[UUID_LEN + 1], second[UUID_LEN + 1], *uuids[] = {first, second};
    start(&a, "first", "echo from first" QUIET, first);
    start(&b, "second", "echo from second" QUIET, second);
    logs_args(&args, uuids, 2);
    args.follow = true;
    stream_t *stream = driver_open(driver, "GetLogs", &args);
    AUTO_STR out = STR_EMPTY;
    take(stream, 2, &out);
    assert_non_null(strstr(out.data, "from first|"));
    assert_non_null(strstr(out.data, "from second|"));
    service_remove(first);
    assert_int_equal(run_in(second, "echo late >/proc/1/fd/1", NULL), 0);
    str_clear(&out);
    take(stream, 1, &out);
    assert_string_equal(out.data, "late|");
    service_remove(second);
    take(stream, 0, &out);
    stream_close(&stream);
}

static void
read_long_line(bool tty)
{
    Orchestrator__ServiceSpec spec;
    Orchestrator__GetLogsArgs args;
    char uuid[UUID_LEN + 1], *uuids[] = {uuid};
    static const char script[] = "i=0; while [ $i -lt 5000 ]; do printf 0123456789; i=$((i+1)); "
                                 "done; echo end; echo last" QUIET;
    char *cmd[] = {(char *)script};
    spec_init(&spec, "wordy");
    strcpy(uuid, spec.service_uuid);
    spec.tty_enabled = tty;
    spec.cmd = cmd, spec.n_cmd = 1;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    logs_args(&args, uuids, 1);
    args.follow = true;
    stream_t *stream = driver_open(driver, "GetLogs", &args);
    AUTO_STR out = STR_EMPTY;
    take(stream, 2, &out);
    stream_close(&stream);
    service_remove(uuid);
    assert_int_equal(out.len, 50000 + strlen("end|last|"));
    assert_string_equal(out.data + 50000, "end|last|");
}

static void
a_long_line_is_read_whole(void **state)
{
    (void)state;
    read_long_line(false);
}

static void
a_long_line_of_a_terminal_is_read_whole(void **state)
{
    (void)state;
    read_long_line(true);
}

static void
lines_before_a_time_are_left_out(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__GetLogsArgs args;
    char uuid[UUID_LEN + 1], *uuids[] = {uuid};
    start(&spec, "timed", "echo early" QUIET, uuid);
    logs_args(&args, uuids, 1);
    args.follow = true;
    stream_t *stream = driver_open(driver, "GetLogs", &args);
    Orchestrator__ServiceLogLine *line = NULL;
    assert_int_equal(stream_recv(stream, &line, NULL), 1);
    int64_t time = line->timestamp;
    orchestrator__service_log_line__free_unpacked(line, NULL);
    assert_int_equal(run_in(uuid, "echo late >/proc/1/fd/1", NULL), 0);
    AUTO_STR out = STR_EMPTY;
    take(stream, 1, &out);
    stream_close(&stream);
    str_clear(&out);
    args.follow = false;
    args.since = time + 1;
    logs_of(&args, &out);
    assert_string_equal(out.data, "late|");
    service_remove(uuid);
}

static void
an_empty_uuid_is_the_api_container(void **state)
{
    (void)state;
    Orchestrator__GetLogsArgs args;
    char *uuids[] = {(char *)""};
    logs_args(&args, uuids, 1);
    args.follow = true;
    stream_t *stream = driver_open(driver, "GetLogs", &args);
    AUTO_STR out = STR_EMPTY;
    take(stream, 1, &out);
    stream_close(&stream);
    assert_string_equal(out.data, "/usr/bin/kurtosis-apic runs|");
}

static void
logs_that_cannot_be_read_say_why(void **state)
{
    (void)state;
    Orchestrator__GetLogsArgs args;
    char *uuids[] = {(char *)new_uuid()};
    const struct {
        size_t count;
        err_code_t code;
        const char *words;
    } cases[] = {{0, ERR_INVALID, "no service was named"},
                 {1, ERR_NOT_FOUND, "there is no service"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        logs_args(&args, uuids, cases[i].count);
        stream_t *stream = driver_open(driver, "GetLogs", &args);
        Orchestrator__ServiceLogLine *line = NULL;
        AUTO(err) err = NULL;
        assert_true(stream_recv(stream, &line, &err) < 0);
        stream_close(&stream);
        check_error(err, cases[i].code, cases[i].words);
    }
}

static void
a_store_is_waited_for_and_services_that_are_not_there_are_passed_over(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FlushLogsArgs args = ORCHESTRATOR__FLUSH_LOGS_ARGS__INIT;
    char uuid[UUID_LEN + 1], *uuids[1001] = {uuid, (char *)new_uuid()};
    start(&spec, "flushed", "echo one" QUIET, uuid);
    args.enclave_uuid = enclave;
    args.service_uuids = uuids, args.n_service_uuids = 2;
    ask("FlushLogs", &args, NULL);
    service_remove(uuid);
    ask("FlushLogs", &args, NULL);
    for (size_t i = 2; i < ARRAY_LEN(uuids); i++)
        uuids[i] = uuid;
    args.n_service_uuids = ARRAY_LEN(uuids);
    ask_fails("FlushLogs", &args, ERR_LIMIT, "at most 1000");
    args.enclave_uuid = (char *)"nonsense";
    ask_fails("FlushLogs", &args, ERR_INVALID, "'nonsense' is not a UUID");
}

int
logs_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_in_order_with_their_stream),
        cmocka_unit_test(error_output_is_told_apart),
        cmocka_unit_test(followed_logs_end_with_their_containers),
        cmocka_unit_test(a_long_line_is_read_whole),
        cmocka_unit_test(a_long_line_of_a_terminal_is_read_whole),
        cmocka_unit_test(lines_before_a_time_are_left_out),
        cmocka_unit_test(an_empty_uuid_is_the_api_container),
        cmocka_unit_test(logs_that_cannot_be_read_say_why),
        cmocka_unit_test(a_store_is_waited_for_and_services_that_are_not_there_are_passed_over),
    };
    return group_run("logs", tests, ARRAY_LEN(tests), NULL, NULL);
}
