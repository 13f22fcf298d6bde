/*  get_services: all services that scripts have added. */
#include "apic/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char **names;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    (void)values;
    data->names = plan_scope_service_names(scope);
    *ret = star_list(scope->star, NULL, 0);
    for (char **name = data->names; *name; name++) {
        const char *text = plan_scope_service(scope, *name);
        star_value_t service = types_text_value(scope->star, text, strlen(text));
        if (!star_ok(service) || star_list_append(scope->star, *ret, service) < 0)
            return err_fail(err, ERR_UNKNOWN, "service '%s' cannot be read back", *name);
        plan_step_add_use(step, *name);
        step->n_seen++;
    }
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    for (char **name = data->names; *name; name++)
        if (plan_env_service(env, *name) == PLAN_ABSENT)
            return err_fail(err, ERR_NOT_FOUND,
                            "Service '%s' required by 'get_services' instruction doesn't exist",
                            *name);
    return 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    (void)step;
    (void)exec;
    (void)err;
    str_add(result, "Fetching services");
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    (void)step;
    str_add(out, "Fetching services");
}

static void
done(void *self)
{
    types_texts_free(((data_t *)self)->names);
}

const plan_kind_t plan_get_services = {
    .table = {"get_services", NULL, 0},
    .brief = "%N services",
    .again = PLAN_AGAIN_EQUAL,
    .order = PLAN_ORDER_TOUCH,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
