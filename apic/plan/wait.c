/*  wait: tries a recipe on a service until a field of its result is as wanted. */
#include "apic/plan/kinds.h"

#include "base/clock.h"
#include "base/duration.h"

#include <stdlib.h>
#include <string.h>

enum { SERVICE, RECIPE, FIELD, ASSERTION, TARGET, INTERVAL, TIMEOUT };
static const types_field_t fields[] = {
    [SERVICE] = {"service_name", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
    [RECIPE] = {"recipe", TYPES_ANY, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [FIELD] = {"field", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [ASSERTION] = {"assertion", TYPES_STRING, .check = types_check_assertion,
                   .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [TARGET] = {"target_value", TYPES_ANY, .check = types_check_target,
                .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [INTERVAL] = {"interval", TYPES_STRING, .check = types_check_duration, .flags = TYPES_SHOWN,
                  .fallback = "1s"},
    [TIMEOUT] = {"timeout", TYPES_STRING, .check = types_check_duration, .flags = TYPES_SHOWN,
                 .fallback = "10s"},
};

typedef struct {
    char *service;
    types_condition_t *condition;
    char uuid[UUID_LEN + 1];
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    const types_condition_args_t args = {
        .recipe = values[RECIPE],
        .field = values[FIELD],
        .assertion = values[ASSERTION],
        .target = values[TARGET],
        .interval = values[INTERVAL],
        .timeout = values[TIMEOUT],
        .default_timeout = fields[TIMEOUT].fallback,
    };
    if (plan_check_recipe(values[RECIPE], true, err) < 0 ||
        types_cast_text(values[SERVICE], "service_name", &data->service, err) < 0)
        return -1;
    if (types_cast_condition(scope->star, &args, &data->condition, err) < 0)
        return -1;
    *ret = plan_scope_recipe_result(scope, data->condition->recipe, data->uuid);
    plan_step_add_use(step, data->service);
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    return plan_env_recipe(env, "wait", data->service, data->condition->recipe, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    plan_recipe_result_t outcome = {.body = STR_EMPTY};
    const int64_t start = clock_ns();
    int tries = 0;
    int rc = plan_condition_wait(exec, data->service, data->condition, &outcome, &tries, err);
    if (rc < 0)
        err_wrap(err, "An error occurred checking if service '%s' is ready.", data->service);
    else
        rc = plan_recipe_store(exec, data->condition->recipe, data->uuid, &outcome, err);
    if (rc == 0) {
        str_printf(result, "Wait took %d tries (", tries);
        duration_put(result, clock_ns() - start);
        str_add(result, " in total). Assertion passed with following:\n");
        plan_recipe_describe(data->condition->recipe, &outcome, result);
    }
    plan_recipe_result_done(&outcome);
    return rc;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    str_add(out, "Waiting for at most '");
    duration_put(out, data->condition->timeout_ns);
    str_printf(out, "' for service '%s' to reach a certain state", data->service);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->service);
    types_condition_destroy(&data->condition);
}

const plan_kind_t plan_wait = {
    PLAN_TABLE("wait", fields),  .brief = "%S, %D",
    .again = PLAN_AGAIN_USER,    .order = PLAN_ORDER_WAIT,
    .data_size = sizeof(data_t), .interpret = interpret,
    .validate = validate,        .execute = execute,
    .describe = describe,        .done = done,
};
