/*  ask: a recipe that is run once. */
#include "apic/plan/ask.h"

#include <stdlib.h>

int
plan_ask_interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values,
                   const int64_t *accepted, size_t n_accepted, star_value_t *ret, err_t **err)
{
    plan_ask_t *data = step->data;
    if (types_cast_text(values[PLAN_ASK_SERVICE], "service_name", &data->service, err) < 0 ||
        types_cast_recipe(scope->star, values[PLAN_ASK_RECIPE], &data->recipe, err) < 0 ||
        plan_codes_cast(scope->star, values[PLAN_ASK_CODES], values[PLAN_ASK_SKIP], accepted,
                        n_accepted, &data->codes, err) < 0)
        return -1;
    *ret = plan_scope_recipe_result(scope, data->recipe, data->uuid);
    plan_step_add_use(step, data->service);
    return 0;
}

static int
run(const plan_ask_t *data, plan_exec_t *exec, plan_recipe_result_t *result, err_t **err)
{
    const bool is_command = data->recipe->kind == TYPES_RECIPE_EXEC;
    if (plan_recipe_run(exec, data->service, data->recipe, -1, result, err) < 0)
        return err_wrap(err, "An error occurred while executing %s recipe on service '%s'",
                        is_command ? "exec" : "http", data->service);
    const int rc = is_command ? plan_codes_check_command(&data->codes, "Exec", result->code,
                                                         &result->body, err)
                              : plan_codes_check_request(&data->codes, result->code, err);
    return rc < 0 ? rc : plan_recipe_store(exec, data->recipe, data->uuid, result, err);
}

int
plan_ask_execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const plan_ask_t *data = step->data;
    plan_recipe_result_t outcome = {.body = STR_EMPTY};
    const int rc = run(data, exec, &outcome, err);
    if (rc == 0)
        plan_recipe_describe(data->recipe, &outcome, result);
    plan_recipe_result_done(&outcome);
    return rc;
}

void
plan_ask_done(void *self)
{
    plan_ask_t *data = self;
    free(data->service);
    types_recipe_destroy(&data->recipe);
    plan_codes_done(&data->codes);
}
