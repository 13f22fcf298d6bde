/*  get_files_artifact: an artifact that must be there. */
#include "apic/plan/named.h"

static const types_field_t fields[] = {
    {"name", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    plan_named_t *data = step->data;
    (void)scope;
    if (types_cast_text(values[0], "name", &data->name, err) < 0)
        return -1;
    plan_step_add_use(step, data->name);
    *ret = values[0];
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    return plan_env_artifact(env, plan_named(step)) != PLAN_ABSENT
               ? 0
               : err_fail(
                     err, ERR_NOT_FOUND,
                     "Files artifact '%s' required by 'get_files_artifact' instruction doesn't "
                     "exist",
                     plan_named(step));
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    (void)exec;
    (void)err;
    str_printf(result, "Fetched files artifact '%s'", plan_named(step));
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Fetching files artifact '%s'", plan_named(step));
}

const plan_kind_t plan_get_files_artifact = {
    PLAN_TABLE("get_files_artifact", fields),
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
