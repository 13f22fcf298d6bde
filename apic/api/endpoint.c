/*  endpoint: waits until a service answers an HTTP request with status 200. */
#include "apic/api/handlers.h"

#include <errno.h>
#include <google/protobuf/empty.pb-c.h>
#include <poll.h>
#include <string.h>

#define REQUEST_TIMEOUT_MS 10000 /* of one attempt */

typedef struct {
    const char *service, *method, *path, *request_body, *body_text; /* NULL or "" where not given */
    uint32_t port, initial_delay_ms, retries, delay_ms;
} endpoint_t;

/* CANCELLED when the caller gives up meanwhile. */
static int
pause_for(actor_call_t *call, uint32_t ms, err_t **err)
{
    struct pollfd cancel = {.fd = actor_call_cancel_fd(call), .events = POLLIN};
    int timeout = ms > INT32_MAX ? INT32_MAX : (int)ms;
    if (poll(&cancel, 1, timeout) > 0)
        return err_fail(err, ERR_CANCELLED, "the caller gave up");
    return 0;
}

static int
require_running(core_t *core, actor_call_t *call, const char *identifier, err_t **err)
{
    AUTO(core_service) service = NULL;
    AUTO_MESSAGE Orchestrator__GetServicesReply *reply = NULL;
    if (core_service_find(core, identifier, &service, err) < 0 ||
        core_service_containers(core, call, service->uuid, &reply, err) < 0)
        return -1;
    if (reply->n_services == 0 ||
        reply->services[0]->state != ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        return err_fail(err, ERR_STATE, "service '%s' is not running", service->name);
    return 0;
}

/* One attempt: 1 when it was answered with 200 (the body is in *body), 0 when not (why says how).
 */
static int
attempt(core_t *core, actor_call_t *call, const endpoint_t *self, const char *path, str_t *body,
        err_t **why)
{
    core_request_t request = {.method = self->method,
                              .endpoint = path,
                              .body = self->request_body,
                              .content_type = self->request_body ? "application/json" : NULL,
                              .timeout_ms = REQUEST_TIMEOUT_MS};
    int status = 0;
    str_clear(body);
    if (core_service_request_number(core, call, self->service, self->port, &request, &status, body,
                                    why) < 0)
        return err_code(*why) == ERR_CANCELLED ? -1 : 0;
    if (status == 200)
        return 1;
    err_fail(why, ERR_STATE, "it answered with status %d", status);
    return 0;
}

static int
wait_for(core_t *core, actor_call_t *call, const endpoint_t *self, err_t **err)
{
    AUTO_FREE char *path = str_format("/%s", self->path ? self->path : "");
    AUTO_STR body = STR_EMPTY;
    if (self->port < 1 || self->port > UINT16_MAX)
        return err_fail(err, ERR_INVALID, "%u is no port", self->port);
    if (require_running(core, call, self->service, err) < 0 ||
        pause_for(call, self->initial_delay_ms, err) < 0)
        return -1;
    if (self->retries == 0)
        return api_has_text(self->body_text)
                   ? err_fail(err, ERR_INVALID,
                              "a body is expected, but no retries are allowed to fetch one")
                   : 0;
    AUTO(err) why = NULL;
    int rc = 0;
    for (uint32_t tried = 0; rc == 0 && tried < self->retries; tried++) {
        if (tried > 0 && pause_for(call, self->delay_ms, err) < 0)
            return -1;
        rc = attempt(core, call, self, path, &body, &why);
    }
    if (rc <= 0) {
        AUTO_FREE char *text = err_string(why);
        return err_fail(err, rc < 0 ? ERR_CANCELLED : ERR_TIMEOUT,
                        "it did not answer with status 200 in %u tries: %s", self->retries, text);
    }
    if (api_has_text(self->body_text) &&
        (body.len != strlen(self->body_text) || memcmp(body.data, self->body_text, body.len) != 0))
        return err_fail(err, ERR_STATE, "it answered with another body than '%s'", self->body_text);
    return 0;
}

static void
answer(void *state, actor_call_t *call, const endpoint_t *self)
{
    AUTO(err) err = NULL;
    if (wait_for(((api_t *)state)->core, call, self, &err) < 0) {
        err_wrap(&err, "endpoint '/%s' of service '%s' is not available",
                 self->path ? self->path : "", self->service);
        actor_call_fail(&call, &err);
        return;
    }
    Google__Protobuf__Empty reply = GOOGLE__PROTOBUF__EMPTY__INIT;
    actor_call_reply(&call, &reply.base);
}

void
on_wait_for_get(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__WaitForHttpGetEndpointAvailabilityArgs *args =
        (const ApiContainerApi__WaitForHttpGetEndpointAvailabilityArgs *)request;
    endpoint_t endpoint = {
        .service = args->service_identifier,
        .method = "GET",
        .port = args->port,
        .path = args->_path_case ? args->path : NULL,
        .initial_delay_ms =
            args->_initial_delay_milliseconds_case ? args->initial_delay_milliseconds : 0,
        .retries = args->_retries_case ? args->retries : 0,
        .delay_ms = args->_retries_delay_milliseconds_case ? args->retries_delay_milliseconds : 0,
        .body_text = args->_body_text_case ? args->body_text : NULL};
    answer(state, call, &endpoint);
}

void
on_wait_for_post(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__WaitForHttpPostEndpointAvailabilityArgs *args =
        (const ApiContainerApi__WaitForHttpPostEndpointAvailabilityArgs *)request;
    endpoint_t endpoint = {
        .service = args->service_identifier,
        .method = "POST",
        .port = args->port,
        .path = args->_path_case ? args->path : NULL,
        .request_body = args->_request_body_case ? args->request_body : "",
        .initial_delay_ms =
            args->_initial_delay_milliseconds_case ? args->initial_delay_milliseconds : 0,
        .retries = args->_retries_case ? args->retries : 0,
        .delay_ms = args->_retries_delay_milliseconds_case ? args->retries_delay_milliseconds : 0,
        .body_text = args->_body_text_case ? args->body_text : NULL};
    answer(state, call, &endpoint);
}
