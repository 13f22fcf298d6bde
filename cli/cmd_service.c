/*  cmd_service: service add, inspect, exec, start, stop, rm; port print. Logs and shell have files
 * of their own. */
#include "cli/commands.h"

#include "base/uuid.h"
#include "cli/inspect.h"
#include "cli/last_lines.h"
#include "cli/logins.h"
#include "cli/output.h"
#include "cli/service_config.h"
#include "cli/session.h"
#include "cli/starlark.h"

#include "bus/schema/orchestrator.pb-c.h"
#include "cli/backend.h"

#include <stdio.h>
#include <string.h>

#define EXEC_KEPT_MAX 1048576u /* bytes of a command's output that wait for its end */

static int
open_service(session_t *session, const cli_call_t *call, service_context_t **ret_service,
             err_t **err)
{
    if (session_open_enclave(session, cli_arg(call, "enclave"), err) < 0)
        return -1;
    return enclave_context_get_service_context(session->enclave, cli_arg(call, "service"),
                                               ret_service, err);
}

/* ------------------------------------------------------------------------------------------ add */

int
service_add_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_STR script = STR_EMPTY;
    const char *json = cli_text(call, "json-service-config"), *name = cli_arg(call, "service-name");
    service_flags_t flags = {
        .image = cli_arg(call, "image"),
        .cmd = cli_text(call, "cmd"),
        .entrypoint = cli_text(call, "entrypoint"),
        .env = cli_text(call, "env"),
        .ports = cli_text(call, "ports"),
        .files = cli_text(call, "files"),
        .ip_address_placeholder = cli_text(call, "ip-address-placeholder"),
    };
    str_add(&script, "def run(plan):\n    plan.add_service(name = ");
    starlark_quote(&script, name);
    str_add(&script, ", config = ");
    int result = *json ? service_config_from_file(json, &script, err)
                       : service_config_from_flags(&flags, &script, err);
    if (result < 0)
        return err_wrap(err, "cannot add the service '%s'", name);
    str_add(&script, ")\n");
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0)
        return -1;
    logins_send(kurtosis_context_actor(session.kurtosis));
    if (starlark_run_once(session.enclave, script.data, "{}", cli_bool(call, "privileged"), NULL,
                          err) < 0)
        return err_wrap(err, "cannot add the service '%s'", name);
    return 0;
}

/* --------------------------------------------------------------------------------------- update */

int
service_update_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO(service_context) service = NULL;
    AUTO_STR script = STR_EMPTY;
    AUTO_FREE char *output = NULL;
    const service_changes_t changes = {
        .image = cli_text(call, "image"),
        .cmd = cli_text(call, "cmd"),
        .entrypoint = cli_text(call, "entrypoint"),
        .env = cli_text(call, "env"),
        .ports = cli_text(call, "ports"),
        .files = cli_text(call, "files"),
    };
    if (open_service(&session, call, &service, err) < 0)
        return -1;
    const char *name = service_context_name(service);
    if (service_config_update(service_context_info(service), &changes, &script, err) < 0)
        return err_wrap(err, "cannot update the service '%s'", name);
    out_info("Running update service starlark for service '%s'", name);
    logins_send(kurtosis_context_actor(session.kurtosis));
    if (starlark_run_once(session.enclave, script.data, "{}", cli_bool(call, "privileged"), &output,
                          err) < 0)
        return err_wrap(err, "cannot update the service '%s'", name);
    out_text(output);
    return 0;
}

/* -------------------------------------------------------------------------------------- inspect */

static void
print_list(const char *title, char *const *items, size_t count)
{
    out_line("%s:", title);
    for (size_t i = 0; i < count; i++)
        out_line("  %s", items[i]);
}

static void
print_ports(const service_context_t *service)
{
    const ApiContainerApi__ServiceInfo *info = service_context_info(service);
    out_line("Ports:");
    for (size_t i = 0; i < info->n_private_ports; i++) {
        AUTO_STR port = STR_EMPTY;
        const char *id = info->private_ports[i]->key;
        if (!info->private_ports[i]->value)
            continue;
        inspect_port(&port, id, info->private_ports[i]->value, info->maybe_public_ip_addr,
                     service_context_public_port(service, id));
        out_line("  %s", port.data);
    }
}

/* How it ended, if it did so by itself. */
static void
print_end(const session_t *session, const ApiContainerApi__ServiceInfo *info)
{
    AUTO_STR code = STR_EMPTY;
    AUTO_STR lines = STR_EMPTY;
    if (!info->container || !info->container->_exit_code_case)
        return;
    last_lines_code(&code, info->container);
    out_line("Exit code: %s", code.data);
    if (last_lines_wanted(info))
        last_lines_put(&lines, session->kurtosis, enclave_context_uuid(session->enclave), info);
    if (lines.len) {
        out_line("Last lines:");
        out_text(lines.data);
    }
}

static void
print_service(const session_t *session, const service_context_t *service, bool full_uuid)
{
    static const struct {
        const char *name;
        out_style_t style;
    } statuses[] = {[API_CONTAINER_API__SERVICE_STATUS__STOPPED] = {"STOPPED", OUT_YELLOW},
                    [API_CONTAINER_API__SERVICE_STATUS__RUNNING] = {"RUNNING", OUT_GREEN},
                    [API_CONTAINER_API__SERVICE_STATUS__UNKNOWN] = {"UNKNOWN", OUT_PLAIN}};
    const ApiContainerApi__ServiceInfo *info = service_context_info(service);
    size_t status = (size_t)info->service_status < ARRAY_LEN(statuses)
                        ? (size_t)info->service_status
                        : API_CONTAINER_API__SERVICE_STATUS__UNKNOWN;
    AUTO_STR state = STR_EMPTY;
    out_style(&state, statuses[status].style, out_coloured(), statuses[status].name);
    out_line("Name: %s", info->name);
    out_line("UUID: %.*s", full_uuid ? UUID_LEN : UUID_SHORT_LEN, info->service_uuid);
    out_line("Status: %s", state.data);
    print_end(session, info);
    out_line("Image: %s", info->container ? info->container->image_name : "");
    print_ports(service);
    if (!info->container)
        return;
    print_list("ENTRYPOINT", info->container->entrypoint_args, info->container->n_entrypoint_args);
    print_list("CMD", info->container->cmd_args, info->container->n_cmd_args);
    out_line("ENV:");
    for (size_t i = 0; i < info->container->n_env_vars; i++)
        out_line("  %s: %s", info->container->env_vars[i]->key,
                 info->container->env_vars[i]->value);
}

int
service_inspect_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO(service_context) service = NULL;
    const char *output = cli_text(call, "output");
    if (open_service(&session, call, &service, err) < 0)
        return -1;
    if (!*output) {
        print_service(&session, service, cli_bool(call, "full-uuid"));
        return 0;
    }
    AUTO_STR text = STR_EMPTY;
    service_config_print(service_context_info(service), !strcasecmp(output, "yaml"), &text);
    out_text(text.data);
    return 0;
}

/* ----------------------------------------------------------------------------------------- exec */

/* Output is shown when the command has ended well; of a longer one it is shown as it comes. */
static int
read_output(actor_stream_t *stream, str_t *output, bool *ret_shown, int *ret_code, err_t **err)
{
    for (;;) {
        AUTO_MESSAGE Orchestrator__ExecOutput *piece = NULL;
        int got = actor_stream_recv(stream, -1, (ProtobufCMessage **)&piece, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return err_fail(err, ERR_UNAVAILABLE, "the output ended before the command did");
        str_add_bytes(output, piece->data.data, piece->data.len);
        if (output->len > EXEC_KEPT_MAX) {
            out_bytes(output->data, output->len);
            str_clear(output);
            *ret_shown = true;
        }
        if (piece->is_end) {
            *ret_code = piece->exit_code;
            return 0;
        }
    }
}

int
service_exec_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO(service_context) service = NULL;
    AUTO(actor_stream) stream = NULL;
    AUTO_STR output = STR_EMPTY;
    bool is_shown = false;
    int code;
    if (open_service(&session, call, &service, err) < 0)
        return -1;
    const char *user = cli_text(call, "user"), *shell_command = cli_arg(call, "command");
    Orchestrator__ExecArgs args = ORCHESTRATOR__EXEC_ARGS__INIT;
    args.enclave_uuid = (char *)enclave_context_uuid(session.enclave);
    args.service_uuid = (char *)service_context_uuid(service);
    args.line = (char *)shell_command;
    args.user = (char *)(strcmp(user, "root") ? user : "");
    if (actor_stream_open(kurtosis_context_actor(session.kurtosis), NULL, BACKEND_DRIVER,
                          "orchestrator.Orchestrator/Exec", &args.base, &stream, err) < 0 ||
        read_output(stream, &output, &is_shown, &code, err) < 0)
        return err_wrap(err, "cannot run '%s' in the service '%s'", shell_command,
                        service_context_name(service));
    if (code != 0 && is_shown) {
        out_bytes(output.data, output.len);
        return err_fail(err, ERR_UNKNOWN,
                        "The command '%s' was executed and returned '%d'. Its output is above, "
                        "since it has more than %u bytes",
                        shell_command, code, EXEC_KEPT_MAX);
    }
    if (code != 0)
        return err_fail(err, ERR_UNKNOWN,
                        "The command '%s' was executed and returned '%d'. Its output was:\n%s",
                        shell_command, code, output.data);
    out_error_line(OUT_PLAIN, "The command was successfully executed and returned '0'.");
    out_bytes(output.data, output.len);
    return 0;
}

/* ------------------------------------------------------------------------------ start, stop, rm */

static int
each_service(const cli_call_t *call, const char *doing, const char *what,
             int (*act)(enclave_context_t *enclave, const char *service, err_t **err), err_t **err)
{
    AUTO_SESSION session = {0};
    size_t count;
    const char *const *names = cli_args(call, &count);
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        AUTO(service_context) service = NULL;
        if (enclave_context_get_service_context(session.enclave, names[i], &service, err) < 0)
            return -1;
        out_info("%s service '%s'", doing, service_context_name(service));
        if (act(session.enclave, service_context_name(service), err) < 0)
            return err_wrap(err, "cannot %s the service '%s'", what, names[i]);
    }
    return 0;
}

int
service_start_run(const cli_call_t *call, err_t **err)
{
    return each_service(call, "Starting", "start", starlark_start_service, err);
}

int
service_stop_run(const cli_call_t *call, err_t **err)
{
    return each_service(call, "Stopping", "stop", starlark_stop_service, err);
}

int
service_rm_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO(service_context) service = NULL;
    if (open_service(&session, call, &service, err) < 0)
        return -1;
    if (starlark_remove_service(session.enclave, service_context_name(service), err) < 0)
        return err_wrap(err, "cannot remove the service '%s'", cli_arg(call, "service"));
    return 0;
}

/* ---------------------------------------------------------------------------------------- ports */

/* Pieces of a format, in the order in which they may stand. */
static const char *const pieces[] = {"protocol", "ip", "number"};

static int
piece_rank(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        if (strlen(pieces[i]) == len && !strncmp(pieces[i], word, len))
            return (int)i;
    return -1;
}

int
port_format(const char *format, const ApiContainerApi__Port *port, str_t *out, err_t **err)
{
    bool alone = !strchr(format, ',');
    int first = piece_rank(format, strcspn(format, ","));
    for (const char *at = format;;) {
        size_t len = strcspn(at, ",");
        int rank = piece_rank(at, len);
        if (rank < 0)
            return err_fail(err, ERR_INVALID,
                            "Invalid format piece '%.*s'; a format is made of 'protocol', 'ip' and "
                            "'number', e.g. "
                            "'ip,number'",
                            (int)len, at);
        if (rank < first)
            return err_fail(err, ERR_INVALID, "Found '%s' before '%.*s', which is not allowed",
                            pieces[first], (int)len, at);
        const char *protocol = port->maybe_application_protocol;
        if (rank == 0)
            str_printf(out, "%s%s", protocol, *protocol && !alone ? "://" : "");
        else if (rank == 1)
            str_add(out, "127.0.0.1");
        else
            str_printf(out, "%s%u", alone ? "" : ":", port->number);
        if (!at[len])
            return 0;
        at += len + 1;
    }
}

int
port_print_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO(service_context) service = NULL;
    AUTO_STR text = STR_EMPTY;
    const char *id = cli_arg(call, "port_id");
    if (open_service(&session, call, &service, err) < 0)
        return -1;
    const ApiContainerApi__Port *port = service_context_public_port(service, id);
    if (!port && service_context_private_port(service, id))
        return err_fail(err, ERR_NOT_FOUND,
                        "the port '%s' of the service '%s' is not published on this machine", id,
                        service_context_name(service));
    if (!port) {
        AUTO_STR known = STR_EMPTY;
        const ApiContainerApi__ServiceInfo *info = service_context_info(service);
        for (size_t i = 0; i < info->n_private_ports; i++)
            str_printf(&known, "%s'%s'", i ? ", " : "; it has ", info->private_ports[i]->key);
        return err_fail(err, ERR_NOT_FOUND, "the service '%s' has no port '%s'%s",
                        service_context_name(service), id, known.data);
    }
    if (port_format(cli_text(call, "format"), port, &text, err) < 0)
        return -1;
    out_line("%s", text.data);
    return 0;
}
