/*  last_lines: see last_lines.h. */
#include "cli/last_lines.h"

bool
last_lines_wanted(const ApiContainerApi__ServiceInfo *info)
{
    return info->container && info->container->_exit_code_case && info->container->exit_code != 0;
}

void
last_lines_code(str_t *out, const ApiContainerApi__Container *container)
{
    str_printf(out, "%d%s", container->exit_code,
               container->out_of_memory ? " (its memory was used up)" : "");
}

static int
put(void *arg, const EngineApi__GetServiceLogsResponse *message, err_t **err)
{
    (void)err;
    for (size_t i = 0; i < message->n_service_logs_by_service_uuid; i++) {
        const EngineApi__LogLine *lines = message->service_logs_by_service_uuid[i]->value;
        for (size_t k = 0; lines && k < lines->n_line; k++)
            str_printf(arg, "  %s\n", lines->line[k]);
    }
    return 0;
}

void
last_lines_put(str_t *out, kurtosis_context_t *kurtosis, const char *enclave_uuid,
               const ApiContainerApi__ServiceInfo *info)
{
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry entry =
        ENGINE_API__GET_SERVICE_LOGS_ARGS__SERVICE_UUID_SET_ENTRY__INIT;
    EngineApi__GetServiceLogsArgs__ServiceUuidSetEntry *entries[] = {&entry};
    EngineApi__GetServiceLogsArgs args = ENGINE_API__GET_SERVICE_LOGS_ARGS__INIT;
    entry.key = info->service_uuid;
    entry.value = true;
    args.enclave_identifier = (char *)enclave_uuid;
    args.service_uuid_set = entries;
    args.n_service_uuid_set = 1;
    args._num_log_lines_case = ENGINE_API__GET_SERVICE_LOGS_ARGS___NUM_LOG_LINES_NUM_LOG_LINES;
    args.num_log_lines = LAST_LINES;
    kurtosis_context_get_service_logs(kurtosis, &args, put, out, NULL);
}
