/*  inspect: see inspect.h. */
#include "cli/inspect.h"

#include "base/uuid.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/last_lines.h"

#include <string.h>

static const struct {
    const char *name;
    out_style_t style;
} statuses[] = {
    [ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_EMPTY] = {"EMPTY", OUT_CYAN},
    [ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_RUNNING] = {"RUNNING",
                                                                                OUT_GREEN},
    [ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_STOPPED] = {"STOPPED",
                                                                                OUT_YELLOW},
};

const char *
inspect_status_name(EngineApi__EnclaveContainersStatus status)
{
    return (size_t)status < ARRAY_LEN(statuses) ? statuses[status].name : "UNKNOWN";
}

out_style_t
inspect_status_style(EngineApi__EnclaveContainersStatus status)
{
    return (size_t)status < ARRAY_LEN(statuses) ? statuses[status].style : OUT_PLAIN;
}

static const struct {
    const char *name;
    out_style_t style;
} container_statuses[] = {
    [API_CONTAINER_API__CONTAINER__STATUS__STOPPED] = {"STOPPED", OUT_YELLOW},
    [API_CONTAINER_API__CONTAINER__STATUS__RUNNING] = {"RUNNING", OUT_GREEN},
    [API_CONTAINER_API__CONTAINER__STATUS__UNKNOWN] = {"UNKNOWN", OUT_PLAIN},
};

static const char *const transports[] = {
    [API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__TCP] = "tcp",
    [API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__SCTP] = "sctp",
    [API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__UDP] = "udp",
};

void
inspect_title(str_t *out, const char *title)
{
    size_t count = (INSPECT_WIDTH - strlen(title) - 2) / 2;
    AUTO_STR bar = STR_EMPTY;
    for (size_t i = 0; i < count; i++)
        str_add_char(&bar, '=');
    str_printf(out, "%s %s %s\n", bar.data, title, bar.data);
}

/* ------------------------------------------------------------------------------------- services */

void
inspect_port(str_t *out, const char *id, const ApiContainerApi__Port *port, const char *public_ip,
             const ApiContainerApi__Port *public_port)
{
    const char *transport = (size_t)port->transport_protocol < ARRAY_LEN(transports)
                                ? transports[port->transport_protocol]
                                : "?";
    str_printf(out, "%s: %u/%s", id, port->number, transport);
    if (!public_port || !*public_ip)
        return;
    const char *application = port->maybe_application_protocol;
    str_printf(out, " -> %s%s%s:%u", application, *application ? "://" : "", public_ip,
               public_port->number);
}

static const ApiContainerApi__Port *
find_public(const ApiContainerApi__ServiceInfo *service, const char *id)
{
    for (size_t i = 0; i < service->n_maybe_public_ports; i++)
        if (!strcmp(service->maybe_public_ports[i]->key, id))
            return service->maybe_public_ports[i]->value;
    return NULL;
}

static int
by_port_id(const void *a, const void *b)
{
    const ApiContainerApi__ServiceInfo__PrivatePortsEntry *const *one = a, *const *other = b;
    return strcmp((*one)->key, (*other)->key);
}

static int
by_service_name(const void *a, const void *b)
{
    const ApiContainerApi__GetServicesResponse__ServiceInfoEntry *const *one = a, *const *other = b;
    return strcmp((*one)->value->name, (*other)->value->name);
}

static void
add_service(out_table_t *table, const ApiContainerApi__ServiceInfo *service, bool full_uuids)
{
    size_t status = service->container ? (size_t)service->container->status
                                       : API_CONTAINER_API__CONTAINER__STATUS__UNKNOWN;
    status = status < ARRAY_LEN(container_statuses) ? status
                                                    : API_CONTAINER_API__CONTAINER__STATUS__UNKNOWN;
    AUTO_FREE ApiContainerApi__ServiceInfo__PrivatePortsEntry **ports =
        calloc(service->n_private_ports + 1, sizeof *ports);
    if (!ports)
        abort();
    size_t count = 0;
    for (size_t i = 0; i < service->n_private_ports; i++)
        if (service->private_ports[i]->value)
            ports[count++] = service->private_ports[i];
    qsort(ports, count, sizeof *ports, by_port_id);
    for (size_t row = 0; row == 0 || row < count; row++) {
        AUTO_STR port = STR_EMPTY;
        if (count)
            inspect_port(&port, ports[row]->key, ports[row]->value, service->maybe_public_ip_addr,
                         find_public(service, ports[row]->key));
        else
            str_add(&port, "<none>");
        AUTO_FREE char *uuid =
            strndup(service->service_uuid, full_uuids ? UUID_LEN : UUID_SHORT_LEN);
        out_table_add(table, OUT_PLAIN, row ? "" : uuid);
        out_table_add(table, OUT_PLAIN, row ? "" : service->name);
        out_table_add(table, OUT_PLAIN, port.data);
        out_table_add(table, row ? OUT_PLAIN : container_statuses[status].style,
                      row ? "" : container_statuses[status].name);
    }
}

void
inspect_services(str_t *out, const ApiContainerApi__GetServicesResponse *services, bool full_uuids,
                 bool coloured)
{
    static const char *const header[] = {"UUID", "Name", "Ports", "Status"};
    __attribute__((cleanup(out_table_done))) out_table_t table;
    out_table_init(&table, ARRAY_LEN(header));
    out_table_header(&table, header);
    size_t count = services ? services->n_service_info : 0, kept = 0;
    AUTO_FREE ApiContainerApi__GetServicesResponse__ServiceInfoEntry **entries =
        calloc(count + 1, sizeof *entries);
    if (!entries)
        abort();
    for (size_t i = 0; i < count; i++)
        if (services->service_info[i]->value)
            entries[kept++] = services->service_info[i];
    qsort(entries, kept, sizeof *entries, by_service_name);
    for (size_t i = 0; i < kept; i++)
        add_service(&table, entries[i]->value, full_uuids);
    out_table_write(&table, coloured, out);
}

/* ------------------------------------------------------------------------------------ artifacts */

static int
by_artifact_name(const void *a, const void *b)
{
    const ApiContainerApi__FilesArtifactNameAndUuid *const *one = a, *const *other = b;
    return strcmp((*one)->filename, (*other)->filename);
}

void
inspect_artifacts(str_t *out,
                  const ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts,
                  bool full_uuids, bool coloured)
{
    static const char *const header[] = {"UUID", "Name"};
    __attribute__((cleanup(out_table_done))) out_table_t table;
    out_table_init(&table, ARRAY_LEN(header));
    out_table_header(&table, header);
    size_t count = artifacts->n_file_names_and_uuids;
    AUTO_FREE ApiContainerApi__FilesArtifactNameAndUuid **items = calloc(count + 1, sizeof *items);
    if (!items)
        abort();
    for (size_t i = 0; i < count; i++)
        items[i] = artifacts->file_names_and_uuids[i];
    qsort(items, count, sizeof *items, by_artifact_name);
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *uuid = strndup(items[i]->fileuuid, full_uuids ? UUID_LEN : UUID_SHORT_LEN);
        out_table_add(&table, OUT_PLAIN, uuid);
        out_table_add(&table, OUT_PLAIN, items[i]->filename);
    }
    out_table_write(&table, coloured, out);
}

/* ------------------------------------------------------------------------------------ the whole */

static void
add_value(out_table_t *table, const char *key, out_style_t style, const char *value)
{
    AUTO_FREE char *label = str_format("%s:", key);
    out_table_add(table, OUT_BOLD, label);
    out_table_add(table, style, value);
}

static void
print_head(const EngineApi__EnclaveInfo *info, bool full_uuids)
{
    __attribute__((cleanup(out_table_done))) out_table_t table;
    AUTO_STR time = STR_EMPTY;
    AUTO_STR text = STR_EMPTY;
    out_table_init(&table, 2);
    if (info->creation_time)
        out_time(&time, info->creation_time->seconds);
    add_value(&table, "Name", OUT_PLAIN, info->name);
    add_value(&table, "UUID", OUT_PLAIN, full_uuids ? info->enclave_uuid : info->shortened_uuid);
    add_value(&table, "Status", inspect_status_style(info->containers_status),
              inspect_status_name(info->containers_status));
    add_value(&table, "Creation Time", OUT_PLAIN, time.data);
    add_value(&table, "Flags", OUT_PLAIN,
              info->mode == ENGINE_API__ENCLAVE_MODE__PRODUCTION ? "production" : "");
    out_table_write(&table, out_coloured(), &text);
    str_add_char(&text, '\n');
    out_text(text.data);
}

static int
print_artifacts(enclave_context_t *enclave, bool full_uuids, err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts = NULL;
    AUTO_STR text = STR_EMPTY;
    inspect_title(&text, "Files Artifacts");
    if (enclave_context_get_all_files_artifacts(enclave, &artifacts, err) < 0)
        return err_wrap(err, "cannot list the files artifacts");
    inspect_artifacts(&text, artifacts, full_uuids, out_coloured());
    str_add_char(&text, '\n');
    out_text(text.data);
    return 0;
}

/* Services that ended by themselves, and badly. */
static void
print_ends(kurtosis_context_t *kurtosis, enclave_context_t *enclave,
           const ApiContainerApi__GetServicesResponse *services)
{
    for (size_t i = 0; i < services->n_service_info; i++) {
        const ApiContainerApi__ServiceInfo *info = services->service_info[i]->value;
        AUTO_STR text = STR_EMPTY;
        AUTO_STR lines = STR_EMPTY;
        if (!info || !last_lines_wanted(info))
            continue;
        str_printf(&text, "Service '%s' ended with exit code ", info->name);
        last_lines_code(&text, info->container);
        last_lines_put(&lines, kurtosis, enclave_context_uuid(enclave), info);
        str_printf(&text, "%s\n%s\n", lines.len ? "; its last lines were:" : "", lines.data);
        out_text(text.data);
    }
}

static int
print_services(kurtosis_context_t *kurtosis, enclave_context_t *enclave, bool full_uuids,
               err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    AUTO_STR text = STR_EMPTY;
    inspect_title(&text, "User Services");
    if (enclave && enclave_context_get_services(enclave, NULL, 0, &services, err) < 0)
        return err_wrap(err, "cannot list the services");
    inspect_services(&text, services, full_uuids, out_coloured());
    str_add_char(&text, '\n');
    out_text(text.data);
    if (services)
        print_ends(kurtosis, enclave, services);
    return 0;
}

static bool
apic_runs(const EngineApi__EnclaveInfo *info)
{
    return info->api_container_status ==
           ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_RUNNING;
}

int
inspect_print(kurtosis_context_t *kurtosis, const char *identifier, bool full_uuids, err_t **err)
{
    AUTO_MESSAGE EngineApi__EnclaveInfo *info = NULL;
    AUTO(enclave_context) enclave = NULL;
    int result = 0;
    if (kurtosis_context_get_enclave(kurtosis, identifier, &info, err) < 0)
        return -1;
    print_head(info, full_uuids);
    if (apic_runs(info) &&
        kurtosis_context_get_enclave_context(kurtosis, info->enclave_uuid, &enclave, err) < 0)
        return -1;
    AUTO(err) why = NULL;
    if (enclave && print_artifacts(enclave, full_uuids, &why) < 0)
        result = CLI_FAILED;
    AUTO(err) other = NULL;
    if (print_services(kurtosis, enclave, full_uuids, &other) < 0)
        result = CLI_FAILED;
    const err_t *const errors[] = {why, other};
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i]) {
            AUTO_FREE char *text = out_error_text(errors[i]);
            out_error("%s", text);
        }
    return result;
}

int
inspect_print_json(kurtosis_context_t *kurtosis, const char *identifier, err_t **err)
{
    AUTO_MESSAGE EngineApi__EnclaveInfo *info = NULL;
    AUTO(enclave_context) enclave = NULL;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts = NULL;
    if (kurtosis_context_get_enclave(kurtosis, identifier, &info, err) < 0)
        return -1;
    if (apic_runs(info) &&
        (kurtosis_context_get_enclave_context(kurtosis, info->enclave_uuid, &enclave, err) < 0 ||
         enclave_context_get_services(enclave, NULL, 0, &services, err) < 0 ||
         enclave_context_get_all_files_artifacts(enclave, &artifacts, err) < 0))
        return -1;
    json_print_enclave(info, services, artifacts);
    return 0;
}
