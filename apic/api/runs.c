/*  runs: scripts and packages are run, and the last run is told of; see apic/run/run.h. */
#include "apic/api/handlers.h"

void
on_run_script(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    run_script(((api_t *)state)->run, call, request);
}

void
on_run_package(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    run_package(((api_t *)state)->run, call, request);
}

void
on_attach_run(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    run_attach(((api_t *)state)->run, call, request);
}

void
on_get_run(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    run_last(((api_t *)state)->run, call, request);
}

void
on_get_script_plan(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    run_script_plan(((api_t *)state)->run, call, request);
}

void
on_get_package_plan(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    run_package_plan(((api_t *)state)->run, call, request);
}
