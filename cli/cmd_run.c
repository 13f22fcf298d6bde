/*  cmd_run: run. Finds out what is to be run, runs it, shows it line by line, and the enclave at
 * the end. */
#include "cli/commands.h"

#include "base/clock.h"
#include "base/duration.h"
#include "cli/inspect.h"
#include "cli/logins.h"
#include "cli/output.h"
#include "cli/package.h"
#include "cli/plan.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/shown.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

/* -------------------------------------------------------------------------------------- options */

static int
read_features(const char *list, starlark_run_config_t *config, err_t **err)
{
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, ",");
        static const char known[] = "NO_INSTRUCTIONS_CACHING";
        if (len == strlen(known) && !strncmp(at, known, len))
            config->no_instructions_caching = true;
        else if (len > 0)
            return err_fail(err, ERR_INVALID,
                            "there is no experimental feature '%.*s'; there is '%s'", (int)len, at,
                            known);
        at += len + (at[len] == ',');
    }
    return 0;
}

/* *ret_params is yours; config keeps a loan of it. */
static int
read_config(const cli_call_t *call, starlark_run_config_t *config, char **ret_params, err_t **err)
{
    *config = STARLARK_RUN_CONFIG_DEFAULT;
    config->main_file = cli_text(call, "main-file");
    config->main_function = cli_text(call, "main-function-name");
    config->dry_run = cli_bool(call, "dry-run");
    config->parallelism = (int)(cli_number(call, "parallelism") & INT_MAX);
    config->non_blocking = cli_bool(call, "non-blocking-tasks");
    config->parallel = cli_bool(call, "parallel");
    config->resource_check = cli_bool(call, "resource-check");
    config->privileged = cli_bool(call, "privileged");
    if (!strcasecmp(cli_text(call, "image-download"), "always"))
        config->image_download_mode = API_CONTAINER_API__IMAGE_DOWNLOAD_MODE__always;
    if (config->parallelism < 1)
        return err_fail(err, ERR_INVALID, "'--parallelism' must be at least 1");
    if (read_features(cli_text(call, "experimental"), config, err) < 0 ||
        package_read_params(cli_arg(call, "args"), cli_text(call, "args-file"), ret_params, err) <
            0)
        return -1;
    config->params = *ret_params;
    config->use_git = true;
    return 0;
}

/* The enclave of that name, or a new one. */
static int
require_enclave(session_t *session, const cli_call_t *call, bool *ret_made, err_t **err)
{
    const char *name = cli_text(call, "enclave");
    AUTO(err) why = NULL;
    *ret_made = false;
    if (*name) {
        if (kurtosis_context_get_enclave_context(session->kurtosis, name, &session->enclave,
                                                 &why) == 0)
            return 0;
        if (err_code(why) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(why);
            return -1;
        }
    }
    enclave_options_t options = {.is_production = cli_bool(call, "production")};
    out_info("Creating a new enclave for Starlark to run inside...");
    if (kurtosis_context_create_enclave(session->kurtosis, name, &options, &session->enclave, err) <
        0)
        return -1;
    out_info("Enclave '%s' created successfully", enclave_context_name(session->enclave));
    *ret_made = true;
    return 0;
}

/* -------------------------------------------------------------------------------------- the run */

static int
run_source(enclave_context_t *enclave, const package_source_t *source,
           const starlark_run_config_t *config, shown_t *shown, err_t **err)
{
    switch (source->kind) {
    case PACKAGE_SCRIPT:
        out_info("Executing Starlark script '%s'", source->argument);
        return enclave_context_run_starlark_script(enclave, source->script.data, config, shown_line,
                                                   shown, err);
    case PACKAGE_FOLDER:
        out_info(
            "Executing Starlark package at '%s' as the passed argument '%s' looks like a directory",
            source->path, source->argument);
        return enclave_context_run_starlark_package(enclave, source->path, config, shown_line,
                                                    shown, err);
    default:
        return enclave_context_run_starlark_remote_package(enclave, source->argument, config,
                                                           shown_line, shown, err);
    }
}

/* ----------------------------------------------------------------------------------- its plan */

/* Asks for what the flags need, before anything is made. */
static int
check_plan_flags(const cli_call_t *call, err_t **err)
{
    if (cli_bool(call, "pull") && !cli_bool(call, "dependencies"))
        return err_fail(err, ERR_INVALID, "'--pull' goes together with '--dependencies'");
    if (cli_bool(call, "pull") && plan_check_pull(err) < 0)
        return -1;
    if (cli_bool(call, "with-mermaid") && !cli_bool(call, "output-graph"))
        out_warn("'--with-mermaid' has no effect without '--output-graph'");
    return cli_bool(call, "output-graph")
               ? plan_check_graph(cli_text(call, "output-graph-path"), err)
               : 0;
}

/* What the plan needs from elsewhere; and its picture. */
static int
use_plan(const session_t *session, const cli_call_t *call, const package_source_t *source,
         const starlark_run_config_t *config, err_t **err)
{
    json_t *plan = NULL;
    int result = plan_read(session->enclave, source, config, &plan, err);
    if (result == 0 && cli_bool(call, "output-graph"))
        result = plan_write_graph(plan, cli_text(call, "output-graph-path"),
                                  cli_text(call, "enclave"), cli_bool(call, "with-mermaid"), err);
    if (result == 0 && cli_bool(call, "dependencies"))
        plan_show_dependencies(plan);
    if (result == 0 && cli_bool(call, "pull"))
        result = plan_pull(session, plan, err);
    json_decref(plan);
    return result;
}

static void
connect_services(const session_t *session, const cli_call_t *call)
{
    AUTO(err) why = NULL;
    ApiContainerApi__Connect connect = cli_bool(call, "no-connect")
                                           ? API_CONTAINER_API__CONNECT__NO_CONNECT
                                           : API_CONTAINER_API__CONNECT__CONNECT;
    if (enclave_context_connect_services(session->enclave, connect, &why) < 0) {
        AUTO_FREE char *text = err_string(why);
        out_warn("cannot connect the services' ports: %s", text);
    }
}

static void
show_time(int64_t start)
{
    AUTO_STR took = STR_EMPTY;
    duration_put(&took, (clock_ns() - start) / (10 * NS_PER_MS) * (10 * NS_PER_MS));
    out_info("The run took %s", took.data);
}

/* What the user has now, also after a failure. */
static int
show_enclave(const session_t *session, const cli_call_t *call, bool made, int64_t start)
{
    int result = 0;
    if (made) {
        AUTO_FREE char *message =
            str_format("Created enclave: %s", enclave_context_name(session->enclave));
        out_spotlight(message);
    }
    if (cli_bool(call, "show-enclave-inspect")) {
        AUTO(err) why = NULL;
        result = inspect_print(session->kurtosis, enclave_context_uuid(session->enclave),
                               cli_bool(call, "full-uuids"), &why);
        if (result < 0)
            out_report(why);
    }
    show_time(start);
    return result;
}

/* A dry run leaves nothing: an enclave that nobody has named goes with it. */
static int
drop_enclave(const session_t *session, int64_t start)
{
    const char *name = enclave_context_name(session->enclave);
    AUTO(err) why = NULL;
    if (kurtosis_context_destroy_enclave(session->kurtosis, enclave_context_uuid(session->enclave),
                                         &why) < 0) {
        err_wrap(&why, "cannot remove the enclave '%s' that was made for the dry run", name);
        out_report(why);
        return -1;
    }
    show_time(start);
    return 0;
}

int
run_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_FREE char *params = NULL;
    AUTO_PACKAGE_SOURCE source = {0};
    starlark_run_config_t config;
    bool made;
    int64_t start = clock_ns();
    if (package_source_find(cli_arg(call, "script-or-package-path"), &source, err) < 0 ||
        check_plan_flags(call, err) < 0 || read_config(call, &config, &params, err) < 0 ||
        session_open(&session, err) < 0 || require_enclave(&session, call, &made, err) < 0)
        return -1;
    if (!out_is_interactive())
        out_info("This is no interactive terminal: progress is not shown");
    AUTO_SHOWN shown = {.options = {.verbosity = render_verbosity(cli_text(call, "verbosity")),
                                    .is_dry_run = config.dry_run},
                        .text = STR_EMPTY};
    config.on_pause = shown_pause;
    const bool only_dependencies = cli_bool(call, "dependencies");
    const bool is_dry = config.dry_run || only_dependencies;
    if (!is_dry || cli_bool(call, "pull"))
        logins_send(kurtosis_context_actor(session.kurtosis));
    shown_interrupts(enclave_context_name(session.enclave));
    progress_set("Sending the package", 0, 0);
    const bool needs_plan = only_dependencies || cli_bool(call, "output-graph");
    int result = needs_plan ? use_plan(&session, call, &source, &config, err) : 0;
    const bool is_planned = result == 0;
    if (is_planned && !only_dependencies)
        result = run_source(session.enclave, &source, &config, &shown, err);
    progress_end();
    if (result == 0 && shown.is_successful)
        connect_services(&session, call);
    const int inspected = made && is_dry && !*cli_text(call, "enclave")
                              ? drop_enclave(&session, start)
                              : show_enclave(&session, call, made, start);
    if (result < 0)
        return !is_planned ? result
                           : shown_cut_off(&shown, enclave_context_name(session.enclave), err);
    if (only_dependencies)
        return inspected == 0 ? 0 : CLI_FAILED;
    /* A dry run that succeeds has no last line that says so. */
    const bool is_fine = shown.is_successful || (config.dry_run && !shown.has_failed);
    return is_fine && inspected == 0 ? 0 : CLI_FAILED;
}
