/*  request: makes an HTTP request to a service. */
#include "apic/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { SERVICE, RECIPE, CODES, SKIP };
static const types_field_t fields[] = {
    {"service_name", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
    {"recipe", TYPES_ANY, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    PLAN_CODES_FIELDS,
};

static const int64_t accepted[] = {200, 201, 202, 203, 204, 205, 206, 207, 208, 226};

typedef struct {
    char *service;
    types_recipe_t *recipe;
    plan_codes_t codes;
    char uuid[UUID_LEN + 1];
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    if (plan_check_recipe(values[RECIPE], false, err) < 0 ||
        types_cast_text(values[SERVICE], "service_name", &data->service, err) < 0 ||
        types_cast_recipe(scope->star, values[RECIPE], &data->recipe, err) < 0 ||
        plan_codes_cast(scope->star, values[CODES], values[SKIP], accepted, ARRAY_LEN(accepted),
                        &data->codes, err) < 0)
        return -1;
    *ret = plan_scope_recipe_result(scope, data->recipe, data->uuid);
    plan_step_add_use(step, data->service);
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    return plan_env_recipe(env, "request", data->service, data->recipe, err);
}

static int
run(const data_t *data, plan_exec_t *exec, plan_recipe_result_t *result, err_t **err)
{
    if (plan_recipe_run(exec, data->service, data->recipe, -1, result, err) < 0)
        return err_wrap(err, "An error occurred while executing http recipe on service '%s'",
                        data->service);
    if (plan_codes_accept(&data->codes, result->code))
        return plan_recipe_store(exec, data->recipe, data->uuid, result, err);
    AUTO_STR codes = STR_EMPTY;
    plan_codes_put(&data->codes, &codes);
    return err_fail(err, ERR_STATE,
                    "Request returned status code '%lld' that is not part of the acceptable status "
                    "codes '%s'",
                    (long long)result->code, codes.data);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    plan_recipe_result_t outcome = {.body = STR_EMPTY};
    const int rc = run(data, exec, &outcome, err);
    if (rc == 0)
        plan_recipe_describe(data->recipe, &outcome, result);
    plan_recipe_result_done(&outcome);
    return rc;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    str_printf(out, "Running '%s' request on service '%s'",
               data->recipe->kind == TYPES_RECIPE_POST ? "POST" : "GET", data->service);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->service);
    types_recipe_destroy(&data->recipe);
    plan_codes_done(&data->codes);
}

const plan_kind_t plan_request = {
    PLAN_TABLE("request", fields),
    .brief = "%S, %D",
    .again = PLAN_AGAIN_USER,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
