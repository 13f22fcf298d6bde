/*  ask: what exec and request have in common: a recipe that is run once on a service. */
#ifndef KURTOSIS_APIC_PLAN_ASK_H
#define KURTOSIS_APIC_PLAN_ASK_H

#include "apic/plan/kinds.h"

typedef struct {
    char *service;
    types_recipe_t *recipe;
    plan_codes_t codes;
    char uuid[UUID_LEN + 1]; /* of the result's references */
} plan_ask_t;

/* Where both have their arguments. */
enum { PLAN_ASK_SERVICE, PLAN_ASK_RECIPE, PLAN_ASK_CODES, PLAN_ASK_SKIP };

/* accepted: the codes that are fine when the script names none. */
int plan_ask_interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values,
                       const int64_t *accepted, size_t n_accepted, star_value_t *ret, err_t **err);
int plan_ask_execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err);
void plan_ask_done(void *self);

#endif
