/*  store_service_files: files of a service become an artifact. */
#include "apic/plan/outline.h"

#include <stdlib.h>
#include <string.h>

enum { SERVICE, SRC, NAME, DEPENDS_ON };
static const types_field_t fields[] = {
    [SERVICE] = {"service_name", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [SRC] = {"src", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [NAME] = {"name", TYPES_STRING, .flags = TYPES_SHOWN},
    [DEPENDS_ON] = {"depends_on", .want = TYPES_STRING, .fallback = ""},
};

typedef struct {
    char *service, *src, *name;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    if (types_cast_text(values[SERVICE], "service_name", &data->service, err) < 0 ||
        types_cast_text(values[SRC], "src", &data->src, err) < 0)
        return -1;
    plan_step_add_use(step, data->service);
    return plan_scope_artifact_new(scope, step, values[NAME], "", &data->name, ret, err);
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    if (plan_env_service(env, data->service) == PLAN_ABSENT)
        return err_fail(
            err, ERR_NOT_FOUND,
            "There was an error validating 'store_service_files' with service name '%s' "
            "that does not exist",
            data->service);
    return plan_env_artifact_add(env, "store_service_files", data->name, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    AUTO_FREE char *uuid = NULL;
    if (exec->world->artifact_put_from_service(exec->world->self, data->service, data->src,
                                               data->name, &uuid, err) < 0)
        return err_wrap(err, "Failed to copy file '%s' from service '%s'", data->src,
                        data->service);
    str_printf(result, "Files with artifact name '%s' uploaded with artifact UUID '%s'", data->name,
               uuid);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    str_printf(out, "Storing files from service '%s' at path '%s' to files artifact with name '%s'",
               data->service, data->src, data->name);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->service);
    free(data->src);
    free(data->name);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
    const char *src = data->src;
    plan_outline_artifact(to, data->name, &src, 1);
}

const plan_kind_t plan_store_service_files = {
    PLAN_TABLE("store_service_files", fields),
    .brief = "%S, %D",
    .outline = outline,
    .again = PLAN_AGAIN_STORE,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
