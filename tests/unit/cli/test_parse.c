#include "tests/unit/cli/support.h"

#include "cli/help.h"
#include "cli/parse.h"

#define WORDS_MAX 16

/* Splits at blanks and parses. The call stays valid until the next one. */
static int
parse(const char *line, cli_call_t *call, err_t **err)
{
    static char text[512];
    static char *argv[WORDS_MAX];
    static const char *values[WORDS_MAX];
    size_t argc = 0;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return cli_parse(argv, argc, values, call, err);
}

static void
flags_are_read_in_every_form_and_place(void **state)
{
    (void)state;
    static const struct {
        const char *line, *flag, *value, *args;
    } rows[] = {
        {"service logs e s -f", "follow", "true", "e s"},
        {"service logs -f e s", "follow", "true", "e s"}, /* a boolean takes no word */
        {"service logs e --num 5 s", "num", "5", "e s"},
        {"service logs e --num=5 s", "num", "5", "e s"},
        {"service logs e -n 5 s", "num", "5", "e s"},
        {"service logs e -n5 s", "num", "5", "e s"},
        {"service logs e -n=5 s", "num", "5", "e s"},
        {"service logs e -fan5 s", "num", "5", "e s"},
        {"service logs e -fan5 s", "all", "true", "e s"},
        {"service logs e --follow=false", "follow", "false", "e"},
        {"service logs e --follow=T", "follow", "true", "e"},
        {"service logs e -f=0", "follow", "false", "e"},
        {"service logs e", "num", "200", "e"},
        {"service logs e -- -f", "follow", "false", "e -f"},
        {"service logs e -", "follow", "false", "e -"},
        {"--cli-log-level debug service logs e", "cli-log-level", "debug", "e"},
        {"service --cli-log-level=debug logs e", "cli-log-level", "debug", "e"},
        {"service logs e --cli-log-level debug", "cli-log-level", "debug", "e"},
        {"run x --verbosity BRIEF", "verbosity", "BRIEF", "x"},
        {"run x {a:1} --main-file=", "main-file", "", "x {a:1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cli_call_t call;
        AUTO(err) err = NULL;
        assert_done(parse(rows[i].line, &call, &err), err);
        AUTO_STR args = STR_EMPTY;
        for (size_t k = 0; k < call.count; k++)
            str_printf(&args, "%s%s", k ? " " : "", call.values[k]);
        if (strcmp(cli_text(&call, rows[i].flag), rows[i].value) || strcmp(args.data, rows[i].args))
            fail_msg("'%s': %s is '%s', args are '%s'", rows[i].line, rows[i].flag,
                     cli_text(&call, rows[i].flag), args.data);
    }
}

static void
what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"enclav ls", "unknown command 'enclav' for 'kurtosis'\n\nDid you mean this?\n\tenclave"},
        {"enclave lss", "unknown command 'lss' for 'kurtosis enclave'\n\nDid you mean this?\n\tls"},
        {"zzzzzzz", "unknown command 'zzzzzzz' for 'kurtosis'"},
        {"enclave ls --full-uuid", "unknown flag: --full-uuid; did you mean '--full-uuids'?"},
        {"enclave ls --zzzzzz", "unknown flag: --zzzzzz"},
        {"enclave ls -z", "unknown shorthand flag: 'z' in -z"},
        {"enclave add --name", "flag needs an argument: --name"},
        {"enclave add -n", "flag needs an argument: 'n' in -n"},
        {"service logs e --num x", "invalid argument 'x' for '-n, --num' flag"},
        {"service logs e --num -1", "invalid argument '-1' for '-n, --num' flag"},
        {"service logs e --num 4294967296", "it must be a whole number from 0 to 4294967295"},
        {"service logs e --follow=maybe", "it must be 'true' or 'false'"},
        {"run x --verbosity loud", "it must be one of 'brief', 'detailed', 'executable'"},
        {"enclave ls --cli-log-level loud", "invalid argument 'loud' for '--cli-log-level' flag"},
        {"enclave inspect", "this command accepts between 1 and 1 arg(s), received 0.\nUsage: "
                            "kurtosis enclave inspect [flags] enclave\nRun 'kurtosis enclave "
                            "inspect --help' for more usage details."},
        {"run a b c", "this command accepts between 1 and 2 arg(s), received 3."},
        {"enclave rm", "requires at least 1 arg(s), only received 0\nUsage: kurtosis enclave rm "
                       "[flags] enclaves..."},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cli_call_t call;
        AUTO(err) err = NULL;
        int result = parse(rows[i].line, &call, &err);
        AUTO_FREE char *text = err_string(err);
        if (result >= 0 || !strstr(text, rows[i].says))
            fail_msg("'%s': %s", rows[i].line, text);
    }
}

static void
arguments_are_found_by_name_with_their_defaults(void **state)
{
    (void)state;
    cli_call_t call;
    AUTO(err) err = NULL;
    assert_done(parse("run main.star", &call, &err), err);
    assert_string_equal(cli_arg(&call, "script-or-package-path"), "main.star");
    assert_string_equal(cli_arg(&call, "args"), "{}");
    assert_done(parse("service stop e a b c", &call, &err), err);
    size_t count;
    const char *const *services = cli_args(&call, &count);
    assert_int_equal(count, 3);
    assert_string_equal(services[2], "c");
    assert_string_equal(cli_arg(&call, "enclave"), "e");
}

static void
help_needs_no_arguments_and_is_there_for_every_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_commands_count; i++) {
        cli_call_t call;
        AUTO(err) err = NULL;
        AUTO_FREE char *line = str_format("%s --help", cli_commands[i].path);
        assert_done(parse(line, &call, &err), err);
        assert_true(call.help);
        assert_ptr_equal(call.command, &cli_commands[i]);
        AUTO_STR text = STR_EMPTY;
        cli_help(call.command, &text);
        assert_non_null(strstr(text.data, "Usage:"));
        assert_non_null(strstr(text.data, "-h, --help"));
    }
}

static void
the_table_is_sorted_complete_and_within_its_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_commands_count; i++) {
        const cli_command_t *command = &cli_commands[i];
        if (i > 0 && strcmp(cli_commands[i - 1].path, command->path) >= 0)
            fail_msg("'%s' is not in order", command->path);
        assert_true(command->summary && *command->summary);
        size_t flags = 0;
        bool greedy = false, optional = false;
        const cli_flag_t *flag;
        for (; (flag = cli_command_flag(command, flags)); flags++) {
            assert_non_null(flag->help);
            if (flag->kind == CLI_BOOL)
                assert_true(!strcmp(flag->fallback, "true") || !strcmp(flag->fallback, "false"));
        }
        assert_true(flags <= CLI_FLAGS_MAX);
        for (const cli_arg_t *arg = command->args; arg->name; arg++) {
            if (greedy || optional)
                fail_msg("'%s': only the last argument may be greedy or optional", command->path);
            greedy = arg->greedy;
            optional = arg->fallback != NULL;
        }
        const char *space = strrchr(command->path, ' ');
        AUTO_FREE char *parent =
            strndup(command->path, space ? (size_t)(space - command->path) : 0);
        assert_non_null(cli_command_find(parent));
    }
}

static char *
complete(const char *const *words, size_t count)
{
    cli_call_t call = {
        .command = cli_command_find("__complete"), .values = (const char **)words, .count = count};
    caught_t caught = caught_begin();
    cli_run_complete(&call, NULL);
    return caught_end(&caught);
}
#define COMPLETE(...)                                                                              \
    complete((const char *const[]){__VA_ARGS__},                                                   \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void
completion_offers_commands_flags_choices_and_files(void **state)
{
    (void)state;
    AUTO_FREE char *commands = COMPLETE("");
    assert_non_null(strstr(commands, "enclave\t"));
    assert_null(strstr(commands, "__complete"));
    assert_non_null(strstr(commands, "\n:4\n"));
    AUTO_FREE char *inner = COMPLETE("--cli-log-level", "debug", "enclave", "");
    assert_non_null(strstr(inner, "inspect\t"));
    AUTO_FREE char *flags = COMPLETE("enclave", "ls", "--");
    assert_non_null(strstr(flags, "--full-uuids\t"));
    AUTO_FREE char *choices = COMPLETE("run", "x", "--verbosity", "");
    assert_text(choices, "brief\ndetailed\nexecutable\noutput_only\ndescription\n:4\n");
    AUTO_FREE char *files = COMPLETE("run", "");
    assert_text(files, ":0\n");
    AUTO_FREE char *nothing = COMPLETE("run", "x", "{}", "");
    assert_text(nothing, ":4\n");
    AUTO_FREE char *shells = COMPLETE("completion", "");
    assert_text(shells, "bash\nzsh\nfish\n:4\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_read_in_every_form_and_place),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(arguments_are_found_by_name_with_their_defaults),
        cmocka_unit_test(help_needs_no_arguments_and_is_there_for_every_command),
        cmocka_unit_test(the_table_is_sorted_complete_and_within_its_limits),
        cmocka_unit_test(completion_offers_commands_flags_choices_and_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
