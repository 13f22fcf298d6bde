/*  stop_service: stops a service and keeps it. */
#include "apic/plan/named.h"

static const types_field_t fields[] = {
    {"name", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    if (exec->world->service_stop(exec->world->self, plan_named(step), err) < 0)
        return err_wrap(err, "Failed stopping service with unexpected error");
    str_printf(result, "Service '%s' stopped", plan_named(step));
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Stopping service '%s'", plan_named(step));
}

const plan_kind_t plan_stop_service = {
    PLAN_TABLE("stop_service", fields),
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
