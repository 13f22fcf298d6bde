/*  record: keeps the last run as JSON. */
#include "apic/run/record.h"

#include "apic/packages/locator.h"
#include "apic/run/run.h"

#include <stdlib.h>
#include <string.h>

#define KEY "last_run"

static ApiContainerApi__GetStarlarkRunResponse
first(bool is_production)
{
    ApiContainerApi__GetStarlarkRunResponse record =
        API_CONTAINER_API__GET_STARLARK_RUN_RESPONSE__INIT;
    record.package_id = PACKAGES_SCRIPT;
    record.parallelism = (int32_t)RUN_PARALLELISM;
    record.restart_policy = is_production ? API_CONTAINER_API__RESTART_POLICY__ALWAYS
                                          : API_CONTAINER_API__RESTART_POLICY__NEVER;
    return record;
}

int
run_record_put(run_store_t *store, bool is_production, const run_request_t *request, err_t **err)
{
    ApiContainerApi__GetStarlarkRunResponse record = first(is_production);
    ApiContainerApi__KurtosisFeatureFlag feature =
        API_CONTAINER_API__KURTOSIS_FEATURE_FLAG__NO_INSTRUCTIONS_CACHING;
    if (request->package_id)
        record.package_id = (char *)request->package_id;
    else
        record.serialized_script = (char *)request->script;
    record.serialized_params = (char *)request->params;
    record.parallelism = (int32_t)request->parallelism;
    record.relative_path_to_main_file = (char *)request->main_file;
    record.main_function_name = (char *)request->main_function;
    record.experimental_features = &feature;
    record.n_experimental_features = request->no_caching;
    record._initial_serialized_params_case =
        API_CONTAINER_API__GET_STARLARK_RUN_RESPONSE___INITIAL_SERIALIZED_PARAMS_INITIAL_SERIALIZED_PARAMS;
    record.initial_serialized_params = (char *)request->params;
    AUTO_FREE char *text = bus_json_pack(&record.base, true);
    return run_store_put_text(store, KEY, text, err);
}

ApiContainerApi__GetStarlarkRunResponse *
run_record_get(run_store_t *store, bool is_production)
{
    AUTO_FREE char *text = run_store_get_text(store, KEY);
    ProtobufCMessage *record = NULL;
    if (text && bus_json_unpack(&api_container_api__get_starlark_run_response__descriptor, text,
                                strlen(text), &record, NULL) == 0)
        return (ApiContainerApi__GetStarlarkRunResponse *)record;
    const ApiContainerApi__GetStarlarkRunResponse empty = first(is_production);
    return (ApiContainerApi__GetStarlarkRunResponse *)bus_message_dup(&empty.base);
}
