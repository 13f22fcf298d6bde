/*  request: makes an HTTP request to a service. */
#include "apic/plan/ask.h"

static const types_field_t fields[] = {
    [PLAN_ASK_SERVICE] = {"service_name", TYPES_STRING, .check = types_check_text,
                          .flags = TYPES_REQUIRED},
    [PLAN_ASK_RECIPE] = {"recipe", TYPES_ANY, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    PLAN_CODES_FIELDS,
};

static const int64_t accepted[] = {200, 201, 202, 203, 204, 205, 206, 207, 208, 226};

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    return plan_check_recipe(values[PLAN_ASK_RECIPE], false, err) < 0
               ? -1
               : plan_ask_interpret(scope, step, values, accepted, ARRAY_LEN(accepted), ret, err);
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const plan_ask_t *data = step->data;
    return plan_env_recipe(env, "request", data->service, data->recipe, err);
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const plan_ask_t *data = step->data;
    str_printf(out, "Running '%s' request on service '%s'",
               data->recipe->kind == TYPES_RECIPE_POST ? "POST" : "GET", data->service);
}

const plan_kind_t plan_request = {
    PLAN_TABLE("request", fields),   .brief = "%S, %D",      .again = PLAN_AGAIN_USER,
    .data_size = sizeof(plan_ask_t), .interpret = interpret, .validate = validate,
    .execute = plan_ask_execute,     .describe = describe,   .done = plan_ask_done,
};
