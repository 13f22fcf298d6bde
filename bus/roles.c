/*  roles: who may call what. The broker looks here for every ASK, TELL and OPEN. */
#include "bus/bus.h"

#include <string.h>

/* A pattern ends with '*' or is the whole text. */
static const struct {
    bus_role_t role;
    const char *pattern;
} names[] = {
    {BUS_ROLE_ENGINE, "engine"},   {BUS_ROLE_DRIVER, "driver/*"}, {BUS_ROLE_APIC, "apic/*"},
    {BUS_ROLE_GATEWAY, "gateway"}, {BUS_ROLE_CLIENT, "client/*"},
};

static const char *const role_names[BUS_ROLES] = {
    [BUS_ROLE_NONE] = "none", [BUS_ROLE_ENGINE] = "engine",   [BUS_ROLE_DRIVER] = "driver",
    [BUS_ROLE_APIC] = "apic", [BUS_ROLE_GATEWAY] = "gateway", [BUS_ROLE_CLIENT] = "client",
};

#define USER (1u << BUS_ROLE_CLIENT | 1u << BUS_ROLE_GATEWAY)
#define APIC (1u << BUS_ROLE_APIC)
#define ENGINE (1u << BUS_ROLE_ENGINE)

/* Who may call which method of whom; what is not here may not be. A driver calls nobody. The
 * methods that an API container may call are about one enclave, and the actor runtime holds it to
 * its own. */
static const struct {
    unsigned from; /* bits of roles */
    const char *to;
    const char *method;
} rules[] = {
    {ENGINE, "*", "*"},
    {USER, "engine", "engine_api.EngineService/*"},
    {USER, "apic/*", "api_container_api.ApiContainerService/*"},
    {USER, "driver/*", "orchestrator.Orchestrator/Shell"},
    {USER, "driver/*", "orchestrator.Orchestrator/Exec"},
    {USER, "driver/*", "orchestrator.Orchestrator/FetchImage"},
    {USER, "driver/*", "orchestrator.Orchestrator/SetRegistryLogins"},
    {USER, "driver/*", "orchestrator.Orchestrator/Dump"},
    {USER, "broker", "bus.Broker/*"},
    {APIC, "driver/*", "orchestrator.Orchestrator/StartService"},
    {APIC, "driver/*", "orchestrator.Orchestrator/GetServices"},
    {APIC, "driver/*", "orchestrator.Orchestrator/StopService"},
    {APIC, "driver/*", "orchestrator.Orchestrator/RestartService"},
    {APIC, "driver/*", "orchestrator.Orchestrator/RemoveService"},
    {APIC, "driver/*", "orchestrator.Orchestrator/Exec"},
    {APIC, "driver/*", "orchestrator.Orchestrator/CopyOut"},
    {APIC, "driver/*", "orchestrator.Orchestrator/GetLogs"},
    {APIC, "driver/*", "orchestrator.Orchestrator/WatchEnclave"},
    {APIC, "driver/*", "orchestrator.Orchestrator/FetchImage"},
    {APIC, "driver/*", "orchestrator.Orchestrator/BuildImage"},
    {APIC, "driver/*", "orchestrator.Orchestrator/InspectImage"},
    {APIC, "driver/*", "orchestrator.Orchestrator/GetClusterInfo"},
};

static bool
matches(const char *text, const char *pattern)
{
    size_t len = strlen(pattern);
    if (pattern[len - 1] != '*')
        return strcmp(text, pattern) == 0;
    return strncmp(text, pattern, len - 1) == 0 && (len == 1 || text[len - 1] != '\0');
}

bus_role_t
bus_role_of(const char *peer_name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (matches(peer_name, names[i].pattern))
            return names[i].role;
    return BUS_ROLE_NONE;
}

const char *
bus_role_name(bus_role_t role)
{
    return (unsigned)role < BUS_ROLES ? role_names[role] : "none";
}

bool
bus_role_may(const char *from, const char *to, const char *method)
{
    unsigned role = 1u << bus_role_of(from);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if ((rules[i].from & role) && matches(to, rules[i].to) && matches(method, rules[i].method))
            return true;
    return false;
}
