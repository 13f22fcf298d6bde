/*  json: see json.h. */
#include "cli/json.h"

#include "bus/bus.h"
#include "cli/output.h"

#include <jansson.h>
#include <string.h>

static json_t *
to_json(const ProtobufCMessage *message)
{
    AUTO_FREE char *text = bus_json_pack(message, true);
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_null();
}

static void
print(json_t *value)
{
    AUTO_FREE char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
    json_decref(value);
    out_line("%s", text);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "name")),
                  json_string_value(json_object_get(*(json_t *const *)b, "name")));
}

static json_t *
services_array(const ApiContainerApi__GetServicesResponse *services)
{
    size_t count = 0, total = services ? services->n_service_info : 0;
    AUTO_FREE json_t **items = calloc(total + 1, sizeof(json_t *));
    if (!items)
        abort();
    for (size_t i = 0; i < total; i++)
        if (services->service_info[i]->value && *services->service_info[i]->value->name)
            items[count++] = to_json(&services->service_info[i]->value->base);
    qsort(items, count, sizeof *items, by_name);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, items[i]);
    return array;
}

void
json_print_enclave(const EngineApi__EnclaveInfo *info,
                   const ApiContainerApi__GetServicesResponse *services,
                   const ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts)
{
    json_t *files = json_array();
    for (size_t i = 0; artifacts && i < artifacts->n_file_names_and_uuids; i++)
        json_array_append_new(files, json_pack("{s:s, s:s}", "name",
                                               artifacts->file_names_and_uuids[i]->filename, "uuid",
                                               artifacts->file_names_and_uuids[i]->fileuuid));
    print(json_pack("{s:o, s:o, s:o}", "enclave", to_json(&info->base), "services",
                    services_array(services), "files_artifacts", files));
}

void
json_print_enclaves(const EngineApi__GetEnclavesResponse *enclaves)
{
    json_t *array = json_array();
    for (size_t i = 0; i < enclaves->n_enclave_info; i++)
        json_array_append_new(array, to_json(&enclaves->enclave_info[i]->value->base));
    print(array);
}
