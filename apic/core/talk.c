/*  talk: commands run in services and HTTP requests made to them. */
#include "apic/core/internal.h"

#include "apic/core/http.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static int exec_read(core_t *self, actor_call_t *within, actor_stream_t *stream, int timeout_ms,
                     int *ret_code, str_t *output, err_t **err);

int
core_service_exec(core_t *self, actor_call_t *within, const char *identifier, char *const *argv,
                  const char *user, int timeout_ms, int *ret_code, str_t *output, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (core_require_started(self, identifier, &service, err) < 0)
        return err_wrap(err, "cannot run a command in service '%s'", identifier);
    Orchestrator__ExecArgs args = ORCHESTRATOR__EXEC_ARGS__INIT;
    args.enclave_uuid = self->enclave_uuid;
    args.service_uuid = service->uuid;
    args.command = (char **)argv;
    while (argv[args.n_command])
        args.n_command++;
    args.user = (char *)(user ? user : "");

    AUTO(actor_stream) stream = NULL;
    int rc = args.n_command == 0 ? err_fail(err, ERR_INVALID, "the command is empty") : 0;
    if (rc == 0)
        rc = core_stream(self, within, "Exec", &args.base, &stream, err);
    if (rc == 0)
        rc = exec_read(self, within, stream, timeout_ms, ret_code, output, err);
    return rc < 0 ? err_wrap(err, "cannot run a command in service '%s'", service->name) : 0;
}

/* Reads on past a full output: the command runs to its end, only its output is refused. */
static int
exec_read(core_t *self, actor_call_t *within, actor_stream_t *stream, int timeout_ms, int *ret_code,
          str_t *output, err_t **err)
{
    int64_t deadline = timeout_ms >= 0 ? clock_ns() + timeout_ms * NS_PER_MS : 0;
    bool is_full = false;
    for (;;) {
        int64_t left = deadline ? (deadline - clock_ns() + NS_PER_MS - 1) / NS_PER_MS : -1;
        if (deadline && left <= 0)
            return err_fail(err, ERR_TIMEOUT, "it took longer than %d ms", timeout_ms);
        AUTO_MESSAGE Orchestrator__ExecOutput *piece = NULL;
        int rc = core_recv(self, within, stream, (int)left, (ProtobufCMessage **)&piece, err);
        if (rc == 0)
            return err_fail(err, ERR_UNAVAILABLE,
                            "the driver ended the command's output before its end");
        if (rc < 0)
            return -1;
        is_full = is_full || output->len + piece->data.len > CORE_EXEC_OUTPUT_MAX;
        if (!is_full)
            str_add_bytes(output, piece->data.data, piece->data.len);
        if (!piece->is_end)
            continue;
        if (is_full)
            return err_fail(err, ERR_LIMIT,
                            "the command has run, but printed more than %u bytes; write the output "
                            "to a file instead",
                            CORE_EXEC_OUTPUT_MAX);
        *ret_code = piece->exit_code;
        return 0;
    }
}

static int
request_to(const core_service_t *service, unsigned number, int cancel_fd,
           const core_request_t *request, int *ret_status, str_t *ret_body, err_t **err)
{
    AUTO_FREE char *url =
        str_format("http://%s:%u%s", service->private_ip, number, request->endpoint);
    http_request_t http = {.method = request->method,
                           .url = url,
                           .body = request->body,
                           .body_size = request->body ? strlen(request->body) : 0,
                           .content_type = request->content_type,
                           .headers = request->headers,
                           .timeout_ms = request->timeout_ms,
                           .cancel_fd = cancel_fd,
                           .body_max = HTTP_BODY_MAX};
    if (http_request_text(&http, ret_status, ret_body, err) < 0)
        return err_wrap(err, "cannot send a request to service '%s'", service->name);
    return 0;
}

int
core_service_request(core_t *self, actor_call_t *within, const char *identifier,
                     const char *port_id, const core_request_t *request, int *ret_status,
                     str_t *ret_body, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (core_require_started(self, identifier, &service, err) < 0)
        return err_wrap(err, "cannot send a request to service '%s'", identifier);
    for (size_t i = 0; i < service->n_ports; i++)
        if (strcmp(service->ports[i].id, port_id) == 0)
            return request_to(service, service->ports[i].number, core_cancel_fd(self, within),
                              request, ret_status, ret_body, err);
    return err_fail(err, ERR_NOT_FOUND, "service '%s' has no port '%s' to send a request to",
                    service->name, port_id);
}

int
core_service_request_number(core_t *self, actor_call_t *within, const char *identifier,
                            unsigned number, const core_request_t *request, int *ret_status,
                            str_t *ret_body, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (core_require_started(self, identifier, &service, err) < 0)
        return err_wrap(err, "cannot send a request to service '%s'", identifier);
    return request_to(service, number, core_cancel_fd(self, within), request, ret_status, ret_body,
                      err);
}

int
core_download(core_t *self, actor_call_t *within, const char *url, const char *path, int timeout_ms,
              int *ret_status, err_t **err)
{
    http_request_t http = {.method = "GET",
                           .url = url,
                           .is_outside = true,
                           .timeout_ms = timeout_ms,
                           .cancel_fd = core_cancel_fd(self, within),
                           .body_max = HTTP_DOWNLOAD_MAX};
    return http_request_file(&http, ret_status, path, err);
}
