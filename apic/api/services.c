/*  services: what services there are and were, and commands in them. */
#include "apic/api/handlers.h"

#include "base/duration.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <google/protobuf/empty.pb-c.h>
#include <string.h>

#define REPLY_SPARE 65536u /* bytes of a reply that are not text */

typedef ApiContainerApi__ServiceInfo info_t;
typedef ApiContainerApi__Port port_t;

static info_t *info_new(core_t *core, const core_service_t *service,
                        const Orchestrator__GetServicesReply *containers);
static void add_service(ApiContainerApi__GetServicesResponse *reply, const char *key, info_t *info);

/* ---------------------------------------------------------------------------------- GetServices */

/* Each under the identifier it was asked for. */
static int
add_asked(core_t *core, const ApiContainerApi__GetServicesArgs *args,
          const Orchestrator__GetServicesReply *containers,
          ApiContainerApi__GetServicesResponse *reply, err_t **err)
{
    for (size_t i = 0; i < args->n_service_identifiers; i++) {
        const char *identifier = args->service_identifiers[i]->key;
        AUTO(core_service) service = NULL;
        if (core_service_find(core, identifier, &service, err) < 0)
            return -1;
        add_service(reply, identifier, info_new(core, service, containers));
    }
    return 0;
}

static void
add_all(core_t *core, const Orchestrator__GetServicesReply *containers,
        ApiContainerApi__GetServicesResponse *reply)
{
    size_t count;
    core_service_t **services = core_services_all(core, &count);
    for (size_t i = 0; i < count; i++)
        add_service(reply, services[i]->name, info_new(core, services[i], containers));
    core_services_free(services, count);
}

void
on_get_services(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    core_t *core = ((api_t *)state)->core;
    const ApiContainerApi__GetServicesArgs *args =
        (const ApiContainerApi__GetServicesArgs *)request;
    AUTO(err) err = NULL;
    AUTO_MESSAGE Orchestrator__GetServicesReply *containers = NULL;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply = API_NEW(
        ApiContainerApi__GetServicesResponse, api_container_api__get_services_response__init);

    int rc = core_service_containers(core, call, NULL, &containers, &err);
    if (rc == 0 && args->n_service_identifiers > 0)
        rc = add_asked(core, args, containers, reply, &err);
    else if (rc == 0)
        add_all(core, containers, reply);
    if (rc < 0)
        actor_call_fail(&call, &err);
    else
        actor_call_reply(&call, &reply->base);
}

static void
add_service(ApiContainerApi__GetServicesResponse *reply, const char *key, info_t *info)
{
    ApiContainerApi__GetServicesResponse__ServiceInfoEntry *entry =
        API_NEW(ApiContainerApi__GetServicesResponse__ServiceInfoEntry,
                api_container_api__get_services_response__service_info_entry__init);
    entry->key = api_text(key);
    entry->value = info;
    API_ADD(reply, service_info, entry);
}

/* ---------------------------------------------------------------------------------- ServiceInfo */

static ApiContainerApi__Port__TransportProtocol
transport_of(Orchestrator__Transport transport)
{
    switch (transport) {
    case ORCHESTRATOR__TRANSPORT__UDP:
        return API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__UDP;
    case ORCHESTRATOR__TRANSPORT__SCTP:
        return API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__SCTP;
    default:
        return API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__TCP;
    }
}

static port_t *
port_new(uint32_t number, Orchestrator__Transport transport, const char *application_protocol)
{
    port_t *port = API_NEW(port_t, api_container_api__port__init);
    port->number = number;
    port->transport_protocol = transport_of(transport);
    port->maybe_application_protocol = api_text(application_protocol);
    return port;
}

static void
add_private_ports(info_t *info, const core_service_t *service)
{
    for (size_t i = 0; i < service->n_ports; i++) {
        ApiContainerApi__ServiceInfo__PrivatePortsEntry *entry =
            API_NEW(ApiContainerApi__ServiceInfo__PrivatePortsEntry,
                    api_container_api__service_info__private_ports_entry__init);
        entry->key = api_text(service->ports[i].id);
        entry->value = port_new(service->ports[i].number, service->ports[i].transport,
                                service->ports[i].application_protocol);
        if (service->ports[i].wait_ns >= 0) {
            AUTO_STR wait = STR_EMPTY;
            duration_put(&wait, service->ports[i].wait_ns);
            entry->value->maybe_wait_timeout = str_take(&wait);
        }
        API_ADD(info, private_ports, entry);
    }
}

static void
add_public_ports(info_t *info, const Orchestrator__ServiceInfo *container)
{
    info->maybe_public_ip_addr = api_text(container->public_ip);
    for (size_t i = 0; i < container->n_ports; i++) {
        const Orchestrator__ServicePort *port = container->ports[i];
        if (!port->public_number)
            continue;
        ApiContainerApi__ServiceInfo__MaybePublicPortsEntry *entry =
            API_NEW(ApiContainerApi__ServiceInfo__MaybePublicPortsEntry,
                    api_container_api__service_info__maybe_public_ports_entry__init);
        entry->key = api_text(port->id);
        entry->value = port_new(port->public_number, port->transport, port->application_protocol);
        API_ADD(info, maybe_public_ports, entry);
    }
}

/* How it ended, unless that was asked for. */
static void
add_end(ApiContainerApi__Container *ours, const core_service_t *service,
        const Orchestrator__ServiceInfo *theirs)
{
    if (theirs->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING ||
        service->status == CORE_SERVICE_STOPPED)
        return;
    ours->_exit_code_case = API_CONTAINER_API__CONTAINER___EXIT_CODE_EXIT_CODE;
    ours->exit_code = theirs->exit_code;
    ours->out_of_memory = theirs->out_of_memory;
}

static ApiContainerApi__Container *
container_new(const core_service_t *service, const Orchestrator__ServiceInfo *theirs)
{
    ApiContainerApi__Container *ours =
        API_NEW(ApiContainerApi__Container, api_container_api__container__init);
    ours->status = API_CONTAINER_API__CONTAINER__STATUS__UNKNOWN;
    if (!theirs)
        return ours;
    ours->status = theirs->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING
                       ? API_CONTAINER_API__CONTAINER__STATUS__RUNNING
                       : API_CONTAINER_API__CONTAINER__STATUS__STOPPED;
    add_end(ours, service, theirs);
    ours->image_name = api_text(theirs->image);
    for (size_t i = 0; i < theirs->n_entrypoint; i++)
        API_ADD(ours, entrypoint_args, api_text(theirs->entrypoint[i]));
    for (size_t i = 0; i < theirs->n_cmd; i++)
        API_ADD(ours, cmd_args, api_text(theirs->cmd[i]));
    for (size_t i = 0; i < theirs->n_env; i++) {
        ApiContainerApi__Container__EnvVarsEntry *entry =
            API_NEW(ApiContainerApi__Container__EnvVarsEntry,
                    api_container_api__container__env_vars_entry__init);
        entry->key = api_text(theirs->env[i]->name);
        entry->value = api_text(theirs->env[i]->value);
        API_ADD(ours, env_vars, entry);
    }
    return ours;
}

static void
add_files(info_t *info, const core_service_config_t *config)
{
    for (size_t i = 0; i < config->n_files; i++) {
        ApiContainerApi__ServiceInfo__ServiceDirPathsToFilesArtifactsListEntry *entry = API_NEW(
            ApiContainerApi__ServiceInfo__ServiceDirPathsToFilesArtifactsListEntry,
            api_container_api__service_info__service_dir_paths_to_files_artifacts_list_entry__init);
        entry->key = api_text(config->files[i].path);
        entry->value = API_NEW(ApiContainerApi__FilesArtifactsList,
                               api_container_api__files_artifacts_list__init);
        for (char **artifact = config->files[i].artifacts; artifact && *artifact; artifact++)
            API_ADD(entry->value, files_artifacts_identifiers, api_text(*artifact));
        API_ADD(info, service_dir_paths_to_files_artifacts_list, entry);
    }
}

static void
add_pairs(info_t *info, const Orchestrator__ServiceSpec *spec)
{
    for (size_t i = 0; i < spec->n_labels; i++) {
        ApiContainerApi__ServiceInfo__LabelsEntry *entry =
            API_NEW(ApiContainerApi__ServiceInfo__LabelsEntry,
                    api_container_api__service_info__labels_entry__init);
        entry->key = api_text(spec->labels[i]->name);
        entry->value = api_text(spec->labels[i]->value);
        API_ADD(info, labels, entry);
    }
    for (size_t i = 0; i < spec->n_bind_mounts; i++) {
        ApiContainerApi__ServiceInfo__BindMountsEntry *entry =
            API_NEW(ApiContainerApi__ServiceInfo__BindMountsEntry,
                    api_container_api__service_info__bind_mounts_entry__init);
        entry->key = api_text(spec->bind_mounts[i]->name);
        entry->value = api_text(spec->bind_mounts[i]->value);
        API_ADD(info, bind_mounts, entry);
    }
}

static void
add_gpu(info_t *info, const Orchestrator__ServiceSpec *spec)
{
    if (!spec->gpu)
        return;
    info->gpu_config = API_NEW(ApiContainerApi__GpuConfig, api_container_api__gpu_config__init);
    info->gpu_config->count = spec->gpu->count;
    info->gpu_config->docker_driver = api_text(spec->gpu->driver);
    info->gpu_config->shm_size_megabytes = spec->shm_megabytes;
    for (size_t i = 0; i < spec->gpu->n_device_ids; i++)
        API_ADD(info->gpu_config, device_ids, api_text(spec->gpu->device_ids[i]));
    for (size_t i = 0; i < spec->n_ulimits; i++) {
        ApiContainerApi__GpuConfig__UlimitsEntry *entry =
            API_NEW(ApiContainerApi__GpuConfig__UlimitsEntry,
                    api_container_api__gpu_config__ulimits_entry__init);
        entry->key = api_text(spec->ulimits[i]->name);
        entry->value = spec->ulimits[i]->value;
        API_ADD(info->gpu_config, ulimits, entry);
    }
}

static void
add_given(info_t *info, const core_service_config_t *config)
{
    const Orchestrator__ServiceSpec *spec = config->spec;
    ApiContainerApi__GivenConfig *given =
        API_NEW(ApiContainerApi__GivenConfig, api_container_api__given_config__init);
    info->given = given;
    given->ip_address_placeholder = api_text(spec->ip_address_placeholder);
    for (size_t i = 0; i < spec->n_entrypoint; i++)
        API_ADD(given, entrypoint_args, api_text(spec->entrypoint[i]));
    for (size_t i = 0; i < spec->n_cmd; i++)
        API_ADD(given, cmd_args, api_text(spec->cmd[i]));
    for (size_t i = 0; i < spec->n_devices; i++)
        API_ADD(given, devices, api_text(spec->devices[i]));
    for (size_t i = 0; i < spec->n_env; i++) {
        ApiContainerApi__GivenConfig__EnvVarsEntry *entry =
            API_NEW(ApiContainerApi__GivenConfig__EnvVarsEntry,
                    api_container_api__given_config__env_vars_entry__init);
        entry->key = api_text(spec->env[i]->name);
        entry->value = api_text(spec->env[i]->value);
        API_ADD(given, env_vars, entry);
    }
    for (size_t i = 0; i < spec->n_persistent; i++) {
        ApiContainerApi__PersistentDirectory *directory = API_NEW(
            ApiContainerApi__PersistentDirectory, api_container_api__persistent_directory__init);
        directory->path = api_text(spec->persistent[i]->path);
        directory->key = api_text(spec->persistent[i]->key);
        directory->size_megabytes = spec->persistent[i]->size_megabytes;
        API_ADD(given, persistent_directories, directory);
    }
}

static void
add_config(info_t *info, const core_service_config_t *config)
{
    const Orchestrator__ServiceSpec *spec = config->spec;
    info->max_millicpus = (uint32_t)spec->max_millicpus;
    info->max_memory_megabytes = (uint32_t)spec->max_memory_megabytes;
    info->min_millicpus = (uint32_t)spec->min_millicpus;
    info->min_memory_megabytes = (uint32_t)spec->min_memory_megabytes;
    if (spec->user) {
        info->user = API_NEW(ApiContainerApi__User, api_container_api__user__init);
        info->user->uid = (uint32_t)spec->user->uid;
        info->user->gid = (uint32_t)spec->user->gid;
    }
    info->_tini_enabled_case = API_CONTAINER_API__SERVICE_INFO___TINI_ENABLED_TINI_ENABLED;
    info->tini_enabled = spec->tini_enabled;
    info->_tty_enabled_case = API_CONTAINER_API__SERVICE_INFO___TTY_ENABLED_TTY_ENABLED;
    info->tty_enabled = spec->tty_enabled;
    for (size_t i = 0; i < spec->n_capabilities; i++)
        API_ADD(info, capabilities, api_text(spec->capabilities[i]));
    info->privileged = spec->privileged;
    info->host_pid_namespace = spec->host_pid_namespace;
    add_files(info, config);
    add_pairs(info, spec);
    add_gpu(info, spec);
    add_given(info, config);
}

/* What runs is what the orchestrator says; what should run, where it says nothing, is the
 * registration's. */
static ApiContainerApi__ServiceStatus
status_of(const core_service_t *service, const Orchestrator__ServiceInfo *container)
{
    if (container && container->state == ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING)
        return API_CONTAINER_API__SERVICE_STATUS__RUNNING;
    if (service->status == CORE_SERVICE_REGISTERED)
        return API_CONTAINER_API__SERVICE_STATUS__UNKNOWN;
    return API_CONTAINER_API__SERVICE_STATUS__STOPPED;
}

static info_t *
info_new(core_t *core, const core_service_t *service,
         const Orchestrator__GetServicesReply *containers)
{
    const Orchestrator__ServiceInfo *container = NULL;
    for (size_t i = 0; i < containers->n_services && !container; i++)
        if (strcmp(containers->services[i]->service_uuid, service->uuid) == 0)
            container = containers->services[i];

    info_t *info = API_NEW(info_t, api_container_api__service_info__init);
    AUTO_FREE char *short_uuid = strndup(service->uuid, UUID_SHORT_LEN);
    info->service_uuid = api_text(service->uuid);
    info->shortened_uuid = api_text(short_uuid);
    info->name = api_text(service->name);
    info->private_ip_addr = api_text(service->private_ip);
    info->service_status = status_of(service, container);
    info->container = container_new(service, container);
    add_private_ports(info, service);
    if (container)
        add_public_ports(info, container);
    AUTO(core_service_config) config = NULL;
    if (core_service_config(core, service->uuid, &config, NULL) == 0)
        add_config(info, config);
    return info;
}

/* ------------------------------------------------------------------------------------- the rest */

static void
add_identifiers(void *arg, const char *uuid, const char *name)
{
    ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *reply = arg;
    ApiContainerApi__ServiceIdentifiers *item =
        API_NEW(ApiContainerApi__ServiceIdentifiers, api_container_api__service_identifiers__init);
    AUTO_FREE char *short_uuid = strndup(uuid, UUID_SHORT_LEN);
    item->service_uuid = api_text(uuid);
    item->name = api_text(name);
    item->shortened_uuid = api_text(short_uuid);
    API_ADD(reply, allidentifiers, item);
}

void
on_get_identifiers(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    AUTO(err) err = NULL;
    AUTO_MESSAGE ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *reply =
        API_NEW(ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse,
                api_container_api__get_existing_and_historical_service_identifiers_response__init);
    if (core_service_identifiers(((api_t *)state)->core, add_identifiers, reply, &err) < 0)
        actor_call_fail(&call, &err);
    else
        actor_call_reply(&call, &reply->base);
}

void
on_exec_command(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__ExecCommandArgs *args =
        (const ApiContainerApi__ExecCommandArgs *)request;
    AUTO(err) err = NULL;
    AUTO_STR output = STR_EMPTY;
    AUTO_STR text = STR_EMPTY;
    AUTO_FREE char **argv = calloc(args->n_command_args + 1, sizeof *argv);
    if (!argv)
        abort();
    memcpy(argv, args->command_args, args->n_command_args * sizeof *argv);

    int code = 0;
    int rc = core_service_exec(((api_t *)state)->core, call, args->service_identifier, argv, NULL,
                               -1, &code, &output, &err);
    if (rc == 0)
        utf8_clean(&text, output.data, output.len); /* a string of the schema is text */
    if (rc == 0 && text.len > BUS_BODY_MAX - REPLY_SPARE)
        rc = err_fail(&err, ERR_LIMIT,
                      "the command has run, but its output is too large and is not text");
    if (rc < 0) {
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__ExecCommandResponse reply = API_CONTAINER_API__EXEC_COMMAND_RESPONSE__INIT;
    reply.exit_code = code;
    reply.log_output = text.data;
    actor_call_reply(&call, &reply.base);
}

/* Ports are always published here; only a Kubernetes gateway gives this a meaning. */
void
on_connect_services(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    (void)request;
    ApiContainerApi__ConnectServicesResponse reply =
        API_CONTAINER_API__CONNECT_SERVICES_RESPONSE__INIT;
    actor_call_reply(&call, &reply.base);
}
