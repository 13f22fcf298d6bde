/*  exec: runs a command in a service. */
#include "apic/plan/ask.h"
#include "apic/plan/outline.h"

static const types_field_t fields[] = {
    [PLAN_ASK_SERVICE] = {"service_name", TYPES_STRING, .check = types_check_text,
                          .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [PLAN_ASK_RECIPE] = {"recipe", TYPES_ANY, .type = &types_exec_recipe,
                         .flags = TYPES_REQUIRED | TYPES_SHOWN},
    PLAN_CODES_FIELDS,
};

static const int64_t accepted[] = {0};

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    return plan_ask_interpret(scope, step, values, accepted, ARRAY_LEN(accepted), ret, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const plan_ask_t *data = step->data;
    AUTO(core_service) service = NULL;
    if (exec->world->service_find(exec->world->self, data->service, &service, err) < 0)
        return err_wrap(err, "An error occurred while getting service '%s'", data->service);
    return plan_ask_execute(step, exec, result, err);
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const plan_ask_t *data = step->data;
    str_printf(out, "Executing command on service '%s'", data->service);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const plan_ask_t *data = step->data;
    size_t count = 0;
    while (data->recipe->command[count])
        count++;
    plan_outline_task(to, step,
                      &(plan_outline_task_t){
                          .type = "exec",
                          .uuid = data->uuid,
                          .command = (const char *const *)data->recipe->command,
                          .n_command = count,
                          .service = data->service,
                          .codes = &data->codes,
                      });
}

const plan_kind_t plan_exec_command = {
    PLAN_TABLE("exec", fields), .brief = "%S %D",          .outline = outline,
    .again = PLAN_AGAIN_USER,   .order = PLAN_ORDER_TOUCH, .data_size = sizeof(plan_ask_t),
    .interpret = interpret,     .execute = execute,        .describe = describe,
    .done = plan_ask_done,
};
