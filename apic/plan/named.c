/*  named: the name of one service. */
#include "apic/plan/named.h"

#include <stdlib.h>

const char *
plan_named(const plan_step_t *step)
{
    return ((const plan_named_t *)step->data)->name;
}

void
plan_named_done(void *self)
{
    free(((plan_named_t *)self)->name);
}

int
plan_named_interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values,
                     star_value_t *ret, err_t **err)
{
    plan_named_t *data = step->data;
    (void)scope;
    (void)ret;
    if (types_cast_text(values[0], "name", &data->name, err) < 0)
        return -1;
    plan_step_add_service(step, data->name);
    return 0;
}

int
plan_named_validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    if (plan_env_service(env, plan_named(step)) != PLAN_ABSENT)
        return 0;
    return err_fail(err, ERR_NOT_FOUND,
                    "There was an error validating '%s' as service name '%s' doesn't exist",
                    step->kind->table.name, plan_named(step));
}
