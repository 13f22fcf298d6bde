/*  get_cluster_type: "docker", "podman" or "kubernetes", known at once. */
#include "apic/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    char *cluster;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    AUTO_STR text = STR_EMPTY;
    (void)values;
    (void)err;
    data->cluster = strdup(scope->world->backend);
    str_printf(&text, "Fetching cluster type '%s'", data->cluster);
    step->description = str_take(&text); /* the script's own does not count */
    *ret = star_string(scope->star, data->cluster, (size_t)-1);
    return 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    (void)exec;
    (void)err;
    str_printf(result, "Fetched cluster type '%s'", ((const data_t *)step->data)->cluster);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Fetching cluster type '%s'", ((const data_t *)step->data)->cluster);
}

static void
done(void *self)
{
    free(((data_t *)self)->cluster);
}

const plan_kind_t plan_get_cluster_type = {
    .table = {"get_cluster_type", NULL, 0},
    .brief = "%D",
    .again = PLAN_AGAIN_EQUAL,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .execute = execute,
    .describe = describe,
    .done = done,
};
