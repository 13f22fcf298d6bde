#include "bus/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name;
    bus_role_t role;
} names[] = {
    {"engine", BUS_ROLE_ENGINE},   {"driver/docker", BUS_ROLE_DRIVER}, {"apic/0af", BUS_ROLE_APIC},
    {"gateway", BUS_ROLE_GATEWAY}, {"client/7", BUS_ROLE_CLIENT},      {"", BUS_ROLE_NONE},
    {"broker", BUS_ROLE_NONE},     {"engine2", BUS_ROLE_NONE},         {"driver", BUS_ROLE_NONE},
    {"driver/", BUS_ROLE_NONE},    {"apic/", BUS_ROLE_NONE},           {"clients/1", BUS_ROLE_NONE},
    {"gateway/1", BUS_ROLE_NONE},  {"Engine", BUS_ROLE_NONE},          {"none", BUS_ROLE_NONE},
};

static void
a_name_tells_the_role(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bus_role_of(names[i].name) != names[i].role)
            fail_msg("'%s' has role %s", names[i].name, bus_role_name(bus_role_of(names[i].name)));
}

/* Every role against every class of operation: E engine, D driver, A API container, G gateway, C client. */
static const struct {
    const char *to;
    const char *method;
    const char *who; /* those who may */
} classes[] = {
    {"engine", "engine_api.EngineService/CreateEnclave", "EGC"},
    {"engine", "engine_api.EngineService/GetServiceLogs", "EGC"},
    {"engine", "engine_api.EngineServiceX/CreateEnclave", "E"},
    {"engine", "engine_api.EngineService/", "E"},
    {"engine", "orchestrator.Orchestrator/Exec", "E"},
    {"apic/1", "api_container_api.ApiContainerService/RunStarlarkScript", "EGC"},
    {"apic/1", "engine_api.EngineService/CreateEnclave", "E"},
    {"driver/docker", "orchestrator.Orchestrator/Shell", "EGC"},
    {"driver/docker", "orchestrator.Orchestrator/Dump", "EGC"},
    {"driver/docker", "orchestrator.Orchestrator/Exec", "EGCA"},
    {"driver/docker", "orchestrator.Orchestrator/StartService", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/GetServices", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/StopService", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/RestartService", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/RemoveService", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/CopyOut", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/GetLogs", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/FlushLogs", "E"},
    {"driver/docker", "orchestrator.Orchestrator/WatchEnclave", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/FetchImage", "EAGC"},
    {"driver/docker", "orchestrator.Orchestrator/InspectImage", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/BuildImage", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/PruneImages", "E"},
    {"driver/docker", "orchestrator.Orchestrator/SetRegistryLogins", "ECG"},
    {"driver/docker", "orchestrator.Orchestrator/GetClusterInfo", "EA"},
    {"driver/docker", "orchestrator.Orchestrator/LoadImage", "E"},
    {"driver/docker", "orchestrator.Orchestrator/CreateEngine", "E"},
    {"driver/docker", "orchestrator.Orchestrator/GetEngines", "E"},
    {"driver/docker", "orchestrator.Orchestrator/StopEngine", "E"},
    {"driver/docker", "orchestrator.Orchestrator/AuthorizeUser", "E"},
    {"driver/docker", "orchestrator.Orchestrator/CreateEnclave", "E"},
    {"driver/docker", "orchestrator.Orchestrator/GetEnclaves", "E"},
    {"driver/docker", "orchestrator.Orchestrator/StopEnclave", "E"},
    {"driver/docker", "orchestrator.Orchestrator/ReplaceApiContainer", "E"},
    {"driver/docker", "orchestrator.Orchestrator/DestroyEnclave", "E"},
    {"broker", "bus.Broker/ListPeers", "EGC"},
    {"client/2", "bus.Broker/ListPeers", "E"},
    {"gateway", "engine_api.EngineService/CreateEnclave", "E"},
};

static const struct {
    char letter;
    const char *name;
} callers[] = {
    {'E', "engine"},  {'D', "driver/docker"}, {'A', "apic/1"},
    {'G', "gateway"}, {'C', "client/1"},      {'-', "nobody"},
};

static void
every_role_may_call_what_the_table_says_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        for (size_t k = 0; k < ARRAY_LEN(callers); k++) {
            bool may = bus_role_may(callers[k].name, classes[i].to, classes[i].method);
            if (may != (strchr(classes[i].who, callers[k].letter) != NULL))
                fail_msg("'%s' may %scall %s of '%s'", callers[k].name, may ? "" : "not ",
                         classes[i].method, classes[i].to);
        }
}

static void
every_operation_of_the_schema_has_a_class_here(void **state)
{
    (void)state;
    size_t count;
    const bus_method_t *methods = bus_methods(&count);
    for (size_t i = 0; i < count; i++) {
        if (!str_starts(methods[i].name, "orchestrator."))
            continue;
        bool found = false;
        for (size_t k = 0; k < ARRAY_LEN(classes); k++)
            found |= strcmp(classes[k].method, methods[i].name) == 0;
        if (!found)
            fail_msg("%s: decide who may call it", methods[i].name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_tells_the_role),
        cmocka_unit_test(every_role_may_call_what_the_table_says_and_nothing_else),
        cmocka_unit_test(every_operation_of_the_schema_has_a_class_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
