/*  Streams: Exec, Shell and WatchEnclave. One service serves all tests. */
#include "base/clock.h"
#include "tests/contract/world.h"

static char service[UUID_LEN + 1];

static int
setup(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "talker");
    strcpy(service, spec.service_uuid);
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    service_remove(service);
    return 0;
}

static void
exec_args(Orchestrator__ExecArgs *args, char **command, size_t count)
{
    orchestrator__exec_args__init(args);
    args->enclave_uuid = enclave;
    args->service_uuid = service;
    args->command = command;
    args->n_command = count;
}

/* ----------------------------------------------------------------------------------------- exec */

static void
a_command_gives_its_output_apart_and_its_exit_code(void **state)
{
    (void)state;
    Orchestrator__ExecArgs args;
    char *command[] = {"sh", "-c", "echo out; echo err >&2; exit 7"};
    exec_args(&args, command, 3);
    stream_t *stream = driver_open(driver, "Exec", &args);
    AUTO_STR out = STR_EMPTY, err = STR_EMPTY;
    Orchestrator__ExecOutput *output = NULL;
    bool ended = false;
    while (stream_recv(stream, &output, NULL) == 1) {
        assert_false(ended);
        if (output->is_end)
            assert_int_equal(output->exit_code, 7);
        ended = output->is_end;
        str_add_bytes(output->stream == ORCHESTRATOR__OUTPUT_STREAM__STDERR ? &err : &out,
                      output->data.data, output->data.len);
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
    stream_close(&stream);
    assert_true(ended);
    assert_string_equal(out.data, "out\n");
    assert_string_equal(err.data, "err\n");
}

static void
exit_codes_are_right_many_times(void **state)
{
    (void)state;
    for (int i = 0; i < 15; i++) {
        AUTO_FREE char *script = str_format("exit %d", i);
        assert_int_equal(run_in(service, script, NULL), i);
    }
}

static void
much_output_arrives_whole(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(
        run_in(service,
               "i=0; while [ $i -lt 20000 ]; do echo line $i of the output; i=$((i+1)); done",
               &out),
        0);
    assert_non_null(strstr(out.data, "line 19999 of the output\n"));
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    assert_int_equal(lines, 20000);
}

static void
user_and_directory_are_used(void **state)
{
    (void)state;
    Orchestrator__ExecArgs args;
    char *command[] = {"sh", "-c", "id -u; pwd"};
    exec_args(&args, command, 3);
    args.user = "77";
    args.directory = "/tmp";
    stream_t *stream = driver_open(driver, "Exec", &args);
    AUTO_STR out = STR_EMPTY;
    Orchestrator__ExecOutput *output = NULL;
    while (stream_recv(stream, &output, NULL) == 1) {
        str_add_bytes(&out, output->data.data, output->data.len);
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
    stream_close(&stream);
    assert_string_equal(out.data, "77\n/tmp\n");
}

static void
exec_fails(const Orchestrator__ExecArgs *args, err_code_t code, const char *words)
{
    stream_t *stream = driver_open(driver, "Exec", args);
    Orchestrator__ExecOutput *output = NULL;
    AUTO(err) err = NULL;
    assert_true(stream_recv(stream, &output, &err) < 0);
    stream_close(&stream);
    check_error(err, code, words);
}

static void
commands_that_cannot_run_say_why(void **state)
{
    (void)state;
    Orchestrator__ExecArgs args;
    char *command[] = {"true"};
    exec_args(&args, command, 0);
    exec_fails(&args, ERR_INVALID, "no command was given");
    exec_args(&args, command, 1);
    args.service_uuid = (char *)new_uuid();
    exec_fails(&args, ERR_NOT_FOUND, "there is no service");

    Orchestrator__StopServiceArgs stop = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    Orchestrator__ServiceRef ref = ORCHESTRATOR__SERVICE_REF__INIT;
    stop.enclave_uuid = ref.enclave_uuid = enclave;
    stop.service_uuid = ref.service_uuid = service;
    stop.grace_seconds = 5;
    ask("StopService", &stop, NULL);
    exec_args(&args, command, 1);
    exec_fails(&args, ERR_STATE, "start it first");
    Orchestrator__ServiceInfo *info = NULL;
    ask("RestartService", &ref, &info);
    orchestrator__service_info__free_unpacked(info, NULL);
    /* A program that is not there is the command's failure, as in a shell. */
    assert_int_equal(run_in(service, "exec /no/such/program", NULL), 127);
}

static void
a_command_runs_in_the_container_that_its_service_has_now(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__ExecArgs args;
    char *command[] = {"true"};
    spec_init(&spec, "changed");
    Orchestrator__ServiceInfo *info = service_start(&spec);
    assert_int_equal(run_in(spec.service_uuid, "touch /tmp/first", NULL), 0);
    driver_forget_container(driver, info->container_id);
    orchestrator__service_info__free_unpacked(info, NULL);
    exec_args(&args, command, 1);
    args.service_uuid = spec.service_uuid;
    exec_fails(&args, ERR_NOT_FOUND, "there is no service");

    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    assert_int_equal(run_in(spec.service_uuid, "test -e /tmp/first", NULL), 1);
    service_remove(spec.service_uuid);
}

static void
a_caller_who_gives_up_is_let_go_at_once(void **state)
{
    (void)state;
    Orchestrator__ExecArgs args;
    char *command[] = {"sh", "-c", "echo begun; sleep 1000"};
    exec_args(&args, command, 3);
    stream_t *stream = driver_open(driver, "Exec", &args);
    Orchestrator__ExecOutput *output = NULL;
    assert_int_equal(stream_recv(stream, &output, NULL), 1);
    orchestrator__exec_output__free_unpacked(output, NULL);
    int64_t begin = clock_ns();
    stream_close(&stream);
    assert_true(clock_ns() - begin < 30 * NS_PER_SECOND);
    assert_int_equal(run_in(service, "true", NULL), 0);
}

/* ---------------------------------------------------------------------------------------- shell */

static void
type(stream_t *stream, const char *keys)
{
    Orchestrator__ShellInput input = ORCHESTRATOR__SHELL_INPUT__INIT;
    input.data.data = (uint8_t *)keys;
    input.data.len = strlen(keys);
    stream_send(stream, &input);
}

/* Receives until the text is seen. */
static void
see(stream_t *stream, const char *text, str_t *seen)
{
    while (!seen->len || !strstr(seen->data, text)) {
        Orchestrator__ExecOutput *output = NULL;
        AUTO(err) err = NULL;
        if (stream_recv(stream, &output, &err) != 1)
            fail_msg("the shell ended before '%s' came: %s / %s", text, seen->data,
                     err_string(err));
        str_add_bytes(seen, output->data.data, output->data.len);
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
}

static void
a_shell_is_a_terminal_with_a_size(void **state)
{
    (void)state;
    Orchestrator__ExecArgs args;
    Orchestrator__ShellInput first = ORCHESTRATOR__SHELL_INPUT__INIT;
    exec_args(&args, NULL, 0);
    first.start = &args;
    first.rows = 33, first.columns = 101;
    stream_t *stream = driver_open(driver, "Shell", NULL);
    stream_send(stream, &first);
    AUTO_STR seen = STR_EMPTY;
    type(stream, "tty; echo ready-$((40+2))\r");
    see(stream, "ready-42", &seen);
    assert_non_null(strstr(seen.data, "/dev/pts/"));
    type(stream, "stty size\r");
    see(stream, "33 101", &seen);
    Orchestrator__ShellInput resize = ORCHESTRATOR__SHELL_INPUT__INIT;
    resize.rows = 44, resize.columns = 120;
    stream_send(stream, &resize);
    type(stream, "stty size\r");
    see(stream, "44 120", &seen);
    type(stream, "exit 5\r");
    Orchestrator__ExecOutput *output = NULL;
    int code = -1;
    while (stream_recv(stream, &output, NULL) == 1) {
        if (output->is_end)
            code = output->exit_code;
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
    stream_close(&stream);
    assert_int_equal(code, 5);
}

static void
a_shell_whose_input_ends_ends(void **state)
{
    (void)state;
    Orchestrator__ExecArgs args;
    Orchestrator__ShellInput first = ORCHESTRATOR__SHELL_INPUT__INIT;
    char *command[] = {"sh", "-c", "cat >/dev/null; echo done"};
    exec_args(&args, command, 3);
    first.start = &args;
    stream_t *stream = driver_open(driver, "Shell", NULL);
    stream_send(stream, &first);
    type(stream, "text\r");
    stream_end(stream);
    AUTO_STR seen = STR_EMPTY;
    see(stream, "done", &seen);
    stream_close(&stream);
}

static void
a_shell_without_a_place_is_refused(void **state)
{
    (void)state;
    stream_t *stream = driver_open(driver, "Shell", NULL);
    type(stream, "x");
    Orchestrator__ExecOutput *output = NULL;
    AUTO(err) err = NULL;
    assert_true(stream_recv(stream, &output, &err) < 0);
    stream_close(&stream);
    check_error(err, ERR_INVALID, "must say where");
}

/* Runs a line: its exit code, what it prints in *out; negative when it is refused. */
static int
run_line(const char *service_uuid, const char *line, const char *user, str_t *out, err_t **err)
{
    Orchestrator__ExecArgs args;
    Orchestrator__ExecOutput *output = NULL;
    int got, code = -1;
    exec_args(&args, NULL, 0);
    args.service_uuid = (char *)service_uuid;
    args.line = (char *)line;
    args.user = (char *)user;
    stream_t *stream = driver_open(driver, "Exec", &args);
    while ((got = stream_recv(stream, &output, err)) == 1) {
        str_add_bytes(out, output->data.data, output->data.len);
        code = output->is_end ? output->exit_code : -1;
        orchestrator__exec_output__free_unpacked(output, NULL);
    }
    stream_close(&stream);
    return got < 0 ? -1 : code;
}

static void
a_line_is_run_by_the_shell(void **state)
{
    (void)state;
    static const struct {
        const char *line, *user, *out;
        int code;
    } rows[] = {
        {"for i in 1 2; do echo $i; done | tail -1; exit 6", "", "2\n", 6},
        {"id -u", "77", "77\n", 0},
        {"", "", "", -1},
        {"echo OCI runtime exec failed: executable file not found", "",
         "OCI runtime exec failed: executable file not found\n", 0},
        {"true", "", "", 0},
        {"no-such-program 2>/dev/null", "", "", 127},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR out = STR_EMPTY;
        AUTO(err) err = NULL;
        int code = run_line(service, rows[i].line, rows[i].user, &out, &err);
        if (code != rows[i].code || strcmp(out.len ? out.data : "", rows[i].out) != 0)
            fail_msg("row %zu: %d '%s' %s", i, code, out.data, err ? err_string(err) : "");
    }
}

static void
lines_run_word_by_word(const char *bare)
{
    static const struct {
        const char *line, *words; /* of the output, or of the error */
        int code;
    } rows[] = {
        {"/bin/busybox echo 'two words' a\\ b", "two words a b\n", 0},
        {"/bin/busybox false", "", 1},
        {"/bin/busybox echo $HOME", "'$' means something to a shell only", -1},
        {"/bin/nothing here", "there is no shell in it, and no program '/bin/nothing'", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR out = STR_EMPTY;
        AUTO(err) err = NULL;
        int code = run_line(bare, rows[i].line, "", &out, &err);
        AUTO_FREE char *text = err ? err_string(err) : strdup(out.len ? out.data : "");
        if (code != rows[i].code || !strstr(text, rows[i].words))
            fail_msg("row %zu: %d %s", i, code, text);
    }
}

/* As in an image of nothing but programs. */
static void
a_service_without_a_shell_runs_programs_and_says_what_a_shell_misses(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "bare");
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    assert_int_equal(run_in(spec.service_uuid, "rm -f /bin/sh /bin/ash /bin/bash /bin/hush", NULL),
                     0);

    Orchestrator__ExecArgs args;
    char *program[] = {"/bin/busybox", "echo", "a program runs"};
    exec_args(&args, program, ARRAY_LEN(program));
    args.service_uuid = spec.service_uuid;
    stream_t *stream = driver_open(driver, "Exec", &args);
    AUTO_STR seen = STR_EMPTY;
    see(stream, "a program runs\n", &seen);
    stream_close(&stream);

    Orchestrator__ShellInput first = ORCHESTRATOR__SHELL_INPUT__INIT;
    exec_args(&args, NULL, 0);
    args.service_uuid = spec.service_uuid;
    first.start = &args;
    stream = driver_open(driver, "Shell", NULL);
    stream_send(stream, &first);
    Orchestrator__ExecOutput *output = NULL;
    AUTO(err) err = NULL;
    assert_true(stream_recv(stream, &output, &err) < 0);
    stream_close(&stream);
    check_error(err, ERR_UNSUPPORTED, "its image has no program 'sh'");
    assert_in_range(run_in(spec.service_uuid, "true", NULL), 126, 127);
    lines_run_word_by_word(spec.service_uuid);
    service_remove(spec.service_uuid);
}

/* ---------------------------------------------------------------------------------------- watch */

/* Receives until an event of this action comes. */
static Orchestrator__ContainerEvent *
event(stream_t *stream, const char *action)
{
    for (;;) {
        Orchestrator__ContainerEvent *found = NULL;
        AUTO(err) err = NULL;
        if (stream_recv(stream, &found, &err) != 1)
            fail_msg("no event '%s' came: %s", action, err_string(err));
        if (strcmp(found->action, action) == 0)
            return found;
        orchestrator__container_event__free_unpacked(found, NULL);
    }
}

static void
a_watch_tells_what_happens_to_containers(void **state)
{
    (void)state;
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = enclave;
    stream_t *stream = driver_open(driver, "WatchEnclave", &ref);
    Orchestrator__ContainerEvent *seen = NULL;
    assert_int_equal(stream_recv(stream, &seen, NULL), 1);
    assert_string_equal(seen->action, "ready");
    orchestrator__container_event__free_unpacked(seen, NULL);

    Orchestrator__ServiceSpec spec;
    char *cmd[] = {"read line; exit 9"};
    spec_init(&spec, "watched");
    spec.cmd = cmd, spec.n_cmd = 1;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    seen = event(stream, "start");
    assert_string_equal(seen->service_uuid, spec.service_uuid);
    assert_string_equal(seen->enclave_uuid, enclave);
    assert_true(seen->timestamp > 0);
    orchestrator__container_event__free_unpacked(seen, NULL);

    Orchestrator__StopServiceArgs stop = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    stop.enclave_uuid = enclave;
    stop.service_uuid = spec.service_uuid;
    ask("StopService", &stop, NULL);
    seen = event(stream, "die");
    assert_string_equal(seen->service_uuid, spec.service_uuid);
    assert_int_equal(seen->exit_code, 137);
    orchestrator__container_event__free_unpacked(seen, NULL);
    service_remove(spec.service_uuid);
    seen = event(stream, "destroy");
    assert_string_equal(seen->service_uuid, spec.service_uuid);
    orchestrator__container_event__free_unpacked(seen, NULL);
    stream_close(&stream);
}

static void
a_dump_describes_each_container_and_has_its_output(void **state)
{
    (void)state;
    Orchestrator__DumpArgs args = ORCHESTRATOR__DUMP_ARGS__INIT;
    Orchestrator__DumpPart *part = NULL;
    AUTO(err) err = NULL;
    AUTO_STR spec = STR_EMPTY, log = STR_EMPTY;
    bool has_service = false;
    int got;
    args.enclave_uuid = enclave;
    stream_t *stream = driver_open(driver, "Dump", &args);
    while ((got = stream_recv(stream, &part, &err)) == 1) {
        has_service |= strstr(part->container, service) != NULL;
        if (strstr(part->container, enclave))
            str_add_bytes(part->is_log ? &log : &spec, part->data.data, part->data.len);
        orchestrator__dump_part__free_unpacked(part, NULL);
    }
    stream_close(&stream);
    if (got < 0)
        fail_msg("Dump failed: %s", err_string(err));
    assert_true(has_service);
    assert_non_null(strstr(log.data, "/usr/bin/kurtosis-apic runs"));
    assert_non_null(strstr(spec.data, "OWN_IP_ADDRESS="));

    args.enclave_uuid = "nonsense";
    stream = driver_open(driver, "Dump", &args);
    assert_true(stream_recv(stream, &part, &err) < 0);
    stream_close(&stream);
    check_error(err, ERR_INVALID, "nonsense");
}

int
streams_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_describes_each_container_and_has_its_output),
        cmocka_unit_test(a_command_gives_its_output_apart_and_its_exit_code),
        cmocka_unit_test(exit_codes_are_right_many_times),
        cmocka_unit_test(much_output_arrives_whole),
        cmocka_unit_test(user_and_directory_are_used),
        cmocka_unit_test(commands_that_cannot_run_say_why),
        cmocka_unit_test(a_line_is_run_by_the_shell),
        cmocka_unit_test(a_command_runs_in_the_container_that_its_service_has_now),
        cmocka_unit_test(a_caller_who_gives_up_is_let_go_at_once),
        cmocka_unit_test(a_shell_is_a_terminal_with_a_size),
        cmocka_unit_test(a_shell_whose_input_ends_ends),
        cmocka_unit_test(a_shell_without_a_place_is_refused),
        cmocka_unit_test(a_service_without_a_shell_runs_programs_and_says_what_a_shell_misses),
        cmocka_unit_test(a_watch_tells_what_happens_to_containers),
    };
    return group_run("streams", tests, ARRAY_LEN(tests), setup, teardown);
}
