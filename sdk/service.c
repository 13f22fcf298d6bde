/*  service: a service as it was when asked, and what can be done in it. See sdk.h. */
#include "sdk/contexts.h"

#include <string.h>

void
service_context_destroy(service_context_t **self_p)
{
    service_context_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_message_destroy(&self->info);
    free(self);
}

const ApiContainerApi__ServiceInfo *
service_context_info(const service_context_t *self)
{
    return self->info;
}

const char *
service_context_name(const service_context_t *self)
{
    return self->info->name;
}

const char *
service_context_uuid(const service_context_t *self)
{
    return self->info->service_uuid;
}

const char *
service_context_private_ip(const service_context_t *self)
{
    return self->info->private_ip_addr;
}

const char *
service_context_public_ip(const service_context_t *self)
{
    return self->info->maybe_public_ip_addr;
}

const ApiContainerApi__Port *
service_context_private_port(const service_context_t *self, const char *id)
{
    for (size_t i = 0; i < self->info->n_private_ports; i++)
        if (!strcmp(self->info->private_ports[i]->key, id))
            return self->info->private_ports[i]->value;
    return NULL;
}

const ApiContainerApi__Port *
service_context_public_port(const service_context_t *self, const char *id)
{
    for (size_t i = 0; i < self->info->n_maybe_public_ports; i++)
        if (!strcmp(self->info->maybe_public_ports[i]->key, id))
            return self->info->maybe_public_ports[i]->value;
    return NULL;
}

int
service_context_exec_command(service_context_t *self, const char *const *argv, int *ret_code,
                             char **ret_output, err_t **err)
{
    ApiContainerApi__ExecCommandArgs args = API_CONTAINER_API__EXEC_COMMAND_ARGS__INIT;
    args.service_identifier = self->info->service_uuid;
    args.command_args = (char **)argv;
    while (argv[args.n_command_args])
        args.n_command_args++;
    AUTO_MESSAGE ApiContainerApi__ExecCommandResponse *reply = NULL;
    if (sdk_ask_apic(self->enclave, APIC("ExecCommand"), &args.base, SDK_NO_LIMIT,
                     (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    *ret_code = reply->exit_code;
    *ret_output = strdup(reply->log_output);
    return 0;
}

int
service_context_wait_for_http_get(service_context_t *self, uint32_t port, const char *path,
                                  uint32_t retries, uint32_t retries_delay_ms,
                                  const char *body_text, err_t **err)
{
    ApiContainerApi__WaitForHttpGetEndpointAvailabilityArgs args =
        API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS__INIT;
    args.service_identifier = self->info->service_uuid;
    args.port = port;
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS, path, PATH,
                 (char *)path);
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS, retries,
                 RETRIES, retries);
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS,
                 retries_delay_milliseconds, RETRIES_DELAY_MILLISECONDS, retries_delay_ms);
    if (body_text)
        SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS,
                     body_text, BODY_TEXT, (char *)body_text);
    return sdk_ask_apic(self->enclave, APIC("WaitForHttpGetEndpointAvailability"), &args.base,
                        SDK_NO_LIMIT, NULL, err);
}

int
service_context_wait_for_http_post(service_context_t *self, uint32_t port, const char *path,
                                   const char *request_body, uint32_t retries,
                                   uint32_t retries_delay_ms, const char *body_text, err_t **err)
{
    ApiContainerApi__WaitForHttpPostEndpointAvailabilityArgs args =
        API_CONTAINER_API__WAIT_FOR_HTTP_POST_ENDPOINT_AVAILABILITY_ARGS__INIT;
    args.service_identifier = self->info->service_uuid;
    args.port = port;
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_POST_ENDPOINT_AVAILABILITY_ARGS, path,
                 PATH, (char *)path);
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_POST_ENDPOINT_AVAILABILITY_ARGS,
                 request_body, REQUEST_BODY, (char *)(request_body ? request_body : ""));
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_POST_ENDPOINT_AVAILABILITY_ARGS, retries,
                 RETRIES, retries);
    SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_POST_ENDPOINT_AVAILABILITY_ARGS,
                 retries_delay_milliseconds, RETRIES_DELAY_MILLISECONDS, retries_delay_ms);
    if (body_text)
        SET_OPTIONAL(&args, API_CONTAINER_API__WAIT_FOR_HTTP_POST_ENDPOINT_AVAILABILITY_ARGS,
                     body_text, BODY_TEXT, (char *)body_text);
    return sdk_ask_apic(self->enclave, APIC("WaitForHttpPostEndpointAvailability"), &args.base,
                        SDK_NO_LIMIT, NULL, err);
}
