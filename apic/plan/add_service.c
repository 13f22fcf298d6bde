/*  add_service: adds a service, or updates the one of that name in place. */
#include "apic/plan/outline.h"

#include <stdlib.h>
#include <string.h>

enum { NAME, CONFIG, FORCE };
static const types_field_t fields[] = {
    [NAME] = {"name", TYPES_STRING, .check = types_check_text,
              .flags = TYPES_REQUIRED | TYPES_SHOWN, .older = "service_name"},
    [CONFIG] = {"config", TYPES_ANY, .check = plan_check_config, .about = "configs",
                .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [FORCE] = {"force_update", .want = TYPES_BOOL},
};

typedef struct {
    char *name;
    char uuid[UUID_LEN + 1]; /* of its references */
    char *text;              /* the Service, as later runs get it */
    types_service_config_t *config;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    plan_place_t place = {scope, step};
    const types_places_t places = plan_scope_places(&place);
    if (types_cast_text(values[NAME], "name", &data->name, err) < 0 ||
        types_cast_service_config(scope->star, values[CONFIG], &places, &data->config, err) < 0 ||
        plan_scope_gate(scope, data->config, err) < 0)
        return -1;
    plan_scope_service_uuid(scope, data->name, data->uuid);
    *ret = plan_scope_service_new(scope, data->name, data->config, &data->text);
    run_map_put(&scope->configs, data->name, data->config);
    run_map_put(&scope->adders, data->name, step);
    plan_step_add_service(step, data->name);
    step->is_forced = types_get_bool(values[FORCE], false);
    plan_step_add_needs(step, data->config);
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    return plan_env_service_add(env, data->name, data->config, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    AUTO(core_service_config) config = NULL;
    AUTO(core_service) service = NULL;
    if (plan_service_prepare(exec, data->name, data->config, &config, err) < 0 ||
        exec->world->services_start(exec->world->self, &config, 1, 1, &service, NULL, err) < 0)
        return err_wrap(err, "Unexpected error occurred starting service '%s'", data->name);
    if (plan_service_started(exec, data->name, data->uuid, data->text, service, err) < 0)
        return -1;
    if (data->config->ready && plan_service_ready(exec, data->name, data->config->ready, err) < 0)
        return err_wrap(err, "An error occurred while checking if service '%s' is ready",
                        data->name);
    str_printf(result, "Service '%s' added with service UUID '%s'", data->name, service->uuid);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    str_printf(out, "Adding service with name '%s' and image '%s'", data->name,
               data->config->image.name);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->name);
    free(data->text);
    types_service_config_destroy(&data->config);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
    plan_outline_service(to, data->name, data->uuid, data->config, true);
}

const plan_kind_t plan_add_service = {
    PLAN_TABLE("add_service", fields),
    .brief = "%S",
    .outline = outline,
    .again = PLAN_AGAIN_SERVICE,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
