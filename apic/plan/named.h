/*  named: what instructions that take the name of one service have in common. */
#ifndef KURTOSIS_APIC_PLAN_NAMED_H
#define KURTOSIS_APIC_PLAN_NAMED_H

#include "apic/plan/kinds.h"

typedef struct {
    char *name;
} plan_named_t;

const char *plan_named(const plan_step_t *step);
void plan_named_done(void *self);
/* Takes the first argument as the name of a service that the step touches. */
int plan_named_interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values,
                         star_value_t *ret, err_t **err);
/* The service must be there. */
int plan_named_validate(const plan_step_t *step, plan_env_t *env, err_t **err);

#endif
