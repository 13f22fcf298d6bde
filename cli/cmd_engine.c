/*  cmd_engine: engine start, stop, restart, status; version. */
#include "cli/commands.h"

#include "base/duration.h"

#include "cli/interrupt.h"
#include "cli/manager.h"
#include "cli/output.h"

#include <string.h>

int
version_run(const cli_call_t *call, err_t **err)
{
    (void)call;
    (void)err;
    out_line("CLI Version: " KURTOSIS_VERSION);
    out_line("\nTo see the version of the engine, run: " CLI_PROGRAM " engine status");
    return 0;
}

/* "500MB" as bytes; K, M, G and T are powers of 1000, the B may be left out. */
static int
parse_bytes(const char *text, uint64_t *ret_bytes, err_t **err)
{
    static const char units[] = "KMGT";
    char *end;
    uint64_t bytes = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    bool fine = *text >= '0' && *text <= '9' && bytes > 0;
    for (const char *at = units; unit && at <= unit; at++) {
        fine = fine && bytes <= UINT64_MAX / 1000;
        bytes *= 1000;
    }
    end += unit != NULL;
    if (!fine || strcmp(end, *end == 'B' ? "B" : "") != 0)
        return err_fail(err, ERR_INVALID, "'%s' is no number of bytes, e.g. 500MB or 4GB", text);
    *ret_bytes = bytes;
    return 0;
}

/* What the flags say of logs. */
static int
read_logs(const cli_call_t *call, manager_options_t *options, err_t **err)
{
    int64_t retention = 0;
    options->log_retention = cli_text(call, "log-retention-period");
    options->log_sinks = cli_text(call, "log-sinks");
    if (duration_parse(options->log_retention, &retention, err) < 0)
        return err_wrap(err, "'--log-retention-period' is wrong");
    if (retention <= 0)
        return err_fail(err, ERR_INVALID, "'--log-retention-period' is '%s', which keeps nothing",
                        options->log_retention);
    return parse_bytes(cli_text(call, "log-quota"), &options->log_quota, err) < 0
               ? err_wrap(err, "'--log-quota' is wrong")
               : 0;
}

static int
read_options(const cli_call_t *call, manager_options_t *ret_options, err_t **err)
{
    *ret_options =
        (manager_options_t){.version = cli_text(call, "version"),
                            .log_level = cli_text(call, "log-level"),
                            .github_token = cli_text(call, "github-auth-token"),
                            .restart_api_containers = cli_bool(call, "restart-api-containers")};
    if (strpbrk(ret_options->github_token, " \t\r\n"))
        return err_fail(err, ERR_INVALID, "the value of '--github-auth-token' has blanks");
    if (cli_number(call, "enclave-pool-size") > 0)
        return err_fail(
            err, ERR_INVALID,
            "'--enclave-pool-size' must be 0: Kurtosis keeps idle enclaves on Kubernetes "
            "alone; here they are made as they are asked for");
    if (*cli_text(call, "domain"))
        out_warn("'--domain' has no effect: it is of the web pages, and there are none yet");
    return read_logs(call, ret_options, err);
}

static int
start(const manager_options_t *options, err_t **err)
{
    bool started;
    out_info("Starting Kurtosis engine from image '" MANAGER_IMAGE ":%s'...",
             *options->version ? options->version : KURTOSIS_VERSION);
    if (manager_start(options, &started, err) < 0)
        return -1;
    if (!started)
        out_info("An engine runs already; '" CLI_PROGRAM " engine restart' would start it anew%s%s",
                 *options->version ? " with --version " : "", options->version);
    return 0;
}

int
engine_start_run(const cli_call_t *call, err_t **err)
{
    manager_options_t options;
    interrupt_init();
    if (read_options(call, &options, err) < 0 || start(&options, err) < 0)
        return -1;
    out_info("Kurtosis engine started");
    return 0;
}

int
engine_restart_run(const cli_call_t *call, err_t **err)
{
    manager_options_t options;
    interrupt_init();
    if (read_options(call, &options, err) < 0 ||
        manager_check(err) < 0) /* before anything is stopped */
        return err_wrap(err, "cannot restart the engine");
    out_info("Restarting Kurtosis engine...");
    if (manager_stop(err) < 0 || start(&options, err) < 0)
        return err_wrap(err, "cannot restart the engine");
    out_info("Engine restarted successfully");
    return 0;
}

int
engine_stop_run(const cli_call_t *call, err_t **err)
{
    (void)call;
    interrupt_init();
    out_info("Stopping Kurtosis engine...");
    if (manager_stop(err) < 0)
        return err_wrap(err, "cannot stop the engine");
    out_info("Kurtosis engine successfully stopped");
    return 0;
}

int
engine_status_run(const cli_call_t *call, err_t **err)
{
    (void)call;
    interrupt_init();
    manager_status_t status;
    AUTO_FREE char *version = NULL;
    if (manager_status(&status, &version, err) < 0)
        return err_wrap(err, "cannot say whether an engine runs");
    switch (status) {
    case MANAGER_STOPPED:
        out_line("No Kurtosis engine is running");
        break;
    case MANAGER_NOT_RESPONDING:
        out_line("A Kurtosis engine container is running, but the engine in it does not respond.");
        out_line("To bring it back, run: " CLI_PROGRAM " engine restart");
        break;
    case MANAGER_RUNNING:
        out_line("A Kurtosis engine is running with the following info:");
        out_line("Version: %s", version);
        break;
    }
    return 0;
}
