/*  start_service: starts a service that was stopped. */
#include "apic/plan/named.h"

static const types_field_t fields[] = {
    {"name", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    if (exec->world->service_restart(exec->world->self, plan_named(step), err) < 0)
        return err_wrap(err, "Failed starting service with unexpected error");
    str_printf(result, "Service '%s' started", plan_named(step));
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Starting service '%s'", plan_named(step));
}

const plan_kind_t plan_start_service = {
    PLAN_TABLE("start_service", fields),
    .brief = "%S",
    .again = PLAN_AGAIN_NEVER,
    .order = PLAN_ORDER_TOUCH,
    .data_size = sizeof(plan_named_t),
    .interpret = plan_named_interpret,
    .validate = plan_named_validate,
    .execute = execute,
    .describe = describe,
    .done = plan_named_done,
};
