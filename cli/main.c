/*  kurtosis: the command. It only parses and reports here; commands.c has the table of what there
 * is. */
#include "cli/help.h"
#include "cli/output.h"
#include "cli/parse.h"
#include "cli/progress.h"

#include <locale.h>
#include <string.h>
#include <time.h>

/* Logging must work before the flags are parsed: a bad flag is reported, too. */
static log_level_t
find_level(const cli_call_t *call)
{
    log_level_t level = LOG_INFO;
    log_level_parse(cli_text(call, "cli-log-level"), &level);
    return level;
}

static int
fail(const cli_call_t *call, err_t *err)
{
    out_report(err);
    if (err_code(err) == ERR_NOT_FOUND && call->command && !call->command->run)
        out_error_line(OUT_RED, "Run '" CLI_PROGRAM "%s%s --help' for usage.",
                       *call->command->path ? " " : "", call->command->path);
    return 1;
}

static int
run(const cli_call_t *call)
{
    AUTO(err) err = NULL;
    int result = call->command->run(call, &err);
    progress_end();
    if (result == 0)
        result = out_check(&err);
    if (result < 0)
        return fail(call, err);
    return result == CLI_FAILED ? 1 : 0;
}

int
main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    tzset();
    size_t count = argc > 1 ? (size_t)argc - 1 : 0;
    AUTO_FREE const char **values = calloc(count + 1, sizeof *values);
    if (!values)
        abort();
    out_init(LOG_INFO);
    cli_call_t call;
    AUTO(err) err = NULL;
    if (cli_parse(argv + 1, count, values, &call, &err) < 0)
        return fail(&call, err);
    if (call.help || !call.command->run) {
        AUTO_STR text = STR_EMPTY;
        cli_help(call.command, &text);
        out_text(text.data);
        return 0;
    }
    log_level_t level = find_level(&call);
    log_init(CLI_PROGRAM, level == LOG_DEBUG ? LOG_DEBUG : LOG_ERROR);
    out_init(level);
    return run(&call);
}
