/*  recipe: what is asked of a service (a command, an HTTP request), and conditions on the answer,
 * as plain data. */
#ifndef KURTOSIS_APIC_TYPES_RECIPE_H
#define KURTOSIS_APIC_TYPES_RECIPE_H

#include "apic/types/datum.h"
#include "apic/types/types.h"

typedef enum { TYPES_RECIPE_EXEC, TYPES_RECIPE_GET, TYPES_RECIPE_POST } types_recipe_kind_t;

typedef struct types_recipe {
    types_recipe_kind_t kind;
    char *text;     /* the call that makes it */
    char **command; /* exec: NULL-terminated */
    char *port_id, *endpoint;
    char *body, *content_type; /* post */
    types_pairs_t headers;
    types_pairs_t extract; /* name -> jq program */
} types_recipe_t;

/* INVALID when the value is none of the three recipes. *ret is yours. */
int types_cast_recipe(star_t *star, star_value_t value, types_recipe_t **ret, err_t **err);
void types_recipe_destroy(types_recipe_t **self_p);
AUTO_FOR(types_recipe)

typedef enum {
    TYPES_EQ,
    TYPES_NE,
    TYPES_GE,
    TYPES_GT,
    TYPES_LE,
    TYPES_LT,
    TYPES_IN,
    TYPES_NOT_IN
} types_assertion_t;

/* The words of types_check_assertion. */
types_assertion_t types_assertion_parse(const char *word);
const char *types_assertion_word(types_assertion_t assertion);

/* Try a recipe until a field of its result is as wanted. */
typedef struct types_condition {
    types_recipe_t *recipe;
    char *field;
    types_assertion_t assertion;
    types_datum_t target;
    int64_t interval_ns, timeout_ns; /* > 0 */
} types_condition_t;

/* From the arguments of plan.wait or ReadyCondition, each absent or given. */
typedef struct {
    star_value_t recipe, field, assertion, target, interval, timeout;
    const char *default_timeout;
} types_condition_args_t;
int types_cast_condition(star_t *star, const types_condition_args_t *args, types_condition_t **ret,
                         err_t **err);
/* The same from a ReadyCondition. */
int types_cast_ready_condition(star_t *star, star_value_t value, types_condition_t **ret,
                               err_t **err);
void types_condition_destroy(types_condition_t **self_p);
AUTO_FOR(types_condition)

#endif
