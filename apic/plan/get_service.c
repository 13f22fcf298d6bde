/*  get_service: what was added under a name, in this run or an earlier one. */
#include "apic/plan/named.h"

#include <string.h>

static const types_field_t fields[] = {
    {"name", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    plan_named_t *data = step->data;
    if (types_cast_text(values[0], "name", &data->name, err) < 0)
        return -1;
    const char *text = plan_scope_service(scope, plan_named(step));
    if (!text) {
        err_fail(err, ERR_NOT_FOUND, "Service '%s' doesn't exist in the repository",
                 plan_named(step));
        return err_wrap(err, "An error occurred while fetching service '%s' from the store",
                        plan_named(step));
    }
    *ret = types_text_value(scope->star, text, strlen(text));
    plan_step_add_use(step, plan_named(step));
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    return plan_env_service(env, plan_named(step)) != PLAN_ABSENT
               ? 0
               : err_fail(err, ERR_NOT_FOUND,
                          "Service '%s' required by 'get_service' instruction doesn't exist",
                          plan_named(step));
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    (void)exec;
    (void)err;
    str_printf(result, "Fetched service '%s'", plan_named(step));
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Fetching service '%s'", plan_named(step));
}

const plan_kind_t plan_get_service = {
    PLAN_TABLE("get_service", fields),
    .brief = "%S",
    .again = PLAN_AGAIN_USER,
    .order = PLAN_ORDER_TOUCH,
    .data_size = sizeof(plan_named_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = plan_named_done,
};
