/*  exec: runs a command in a service. */
#include "apic/plan/outline.h"

#include <stdlib.h>
#include <string.h>

enum { SERVICE, RECIPE, CODES, SKIP };
static const types_field_t fields[] = {
    {"service_name", TYPES_STRING, .check = types_check_text,
     .flags = TYPES_REQUIRED | TYPES_SHOWN},
    {"recipe", TYPES_ANY, .type = &types_exec_recipe, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    PLAN_CODES_FIELDS,
};

static const int64_t accepted[] = {0};

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
    if (types_cast_text(values[SERVICE], "service_name", &data->service, err) < 0 ||
        types_cast_recipe(scope->star, values[RECIPE], &data->recipe, err) < 0 ||
        plan_codes_cast(scope->star, values[CODES], values[SKIP], accepted, ARRAY_LEN(accepted),
                        &data->codes, err) < 0)
        return -1;
    *ret = plan_scope_recipe_result(scope, data->recipe, data->uuid);
    plan_step_add_use(step, data->service);
    return 0;
}

static int
run(const data_t *data, plan_exec_t *exec, plan_recipe_result_t *result, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (exec->world->service_find(exec->world->self, data->service, &service, err) < 0)
        return err_wrap(err, "An error occurred while getting service '%s'", data->service);
    if (plan_recipe_run(exec, data->service, data->recipe, -1, result, err) < 0)
        return err_wrap(err, "An error occurred while executing exec recipe on service '%s'",
                        data->service);
    if (plan_codes_accept(&data->codes, result->code))
        return plan_recipe_store(exec, data->recipe, data->uuid, result, err);
    AUTO_STR codes = STR_EMPTY, output = STR_EMPTY;
    types_datum_t text = TYPES_DATUM_EMPTY;
    plan_codes_put(&data->codes, &codes);
    types_datum_set_string(&text, result->body.data, result->body.len);
    types_datum_repr(&text, &output);
    types_datum_done(&text);
    return err_fail(
        err, ERR_STATE,
        "Exec returned exit code '%lld' that is not part of the acceptable status codes "
        "'%s', with output:\n  %s",
        (long long)result->code, codes.data, output.data);
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
    str_printf(out, "Executing command on service '%s'", data->service);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->service);
    types_recipe_destroy(&data->recipe);
    plan_codes_done(&data->codes);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
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
    PLAN_TABLE("exec", fields), .brief = "%S %D",
    .outline = outline,         .again = PLAN_AGAIN_USER,
    .order = PLAN_ORDER_TOUCH,  .data_size = sizeof(data_t),
    .interpret = interpret,     .execute = execute,
    .describe = describe,       .done = done,
};
