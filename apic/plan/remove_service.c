/*  remove_service: stops a service and removes it. */
#include "apic/plan/named.h"
#include "apic/plan/outline.h"

#include <stdlib.h>

static const types_field_t fields[] = {
    {"name", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    if (plan_named_interpret(scope, step, values, ret, err) < 0)
        return -1;
    plan_scope_service_remove(scope, plan_named(step));
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    if (plan_named_validate(step, env, err) < 0)
        return -1;
    plan_env_service_remove(env, plan_named(step));
    return 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    char uuid[UUID_LEN + 1];
    AUTO_FREE char *service_uuid = NULL;
    if (exec->world->service_remove(exec->world->self, plan_named(step), &service_uuid, err) < 0)
        return err_wrap(err, "Failed removing service with unexpected error");
    if (run_store_uuid(exec->store, plan_named(step), uuid) &&
        run_store_know(exec->store, plan_named(step), uuid, "", err) < 0)
        return -1;
    str_printf(result, "Service '%s' with service UUID '%s' removed", plan_named(step),
               service_uuid);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Removing service '%s'", plan_named(step));
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    plan_outline_service_remove(to, plan_named(step));
}

const plan_kind_t plan_remove_service = {
    PLAN_TABLE("remove_service", fields),
    .brief = "%S",
    .outline = outline,
    .again = PLAN_AGAIN_NEVER,
    .order = PLAN_ORDER_REMOVE,
    .data_size = sizeof(plan_named_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = plan_named_done,
};
