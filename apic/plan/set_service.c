/*  set_service: changes the config of a service.
 *
 *  A service that this plan adds is added with the change already; one that runs is updated when it
 * is this instruction's turn, unless it runs as wanted.
 */
#include "apic/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { NAME, CONFIG };
static const types_field_t fields[] = {
    [NAME] = {"name", TYPES_STRING, .check = types_check_text,
              .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [CONFIG] = {"config", TYPES_ANY, .check = plan_check_config, .flags = TYPES_REQUIRED},
};

typedef struct {
    char *name;
    types_service_config_t *config;
    const plan_step_t *adder; /* of the same plan, which adds the service with this change; or NULL */
} data_t;

static void apply(const types_service_config_t *from, Orchestrator__ServiceSpec *to);

/* What cannot be changed, in the order in which it is looked for. */
static int
check_overrides(star_t *star, star_value_t value, const types_service_config_t *config, err_t **err)
{
    star_value_t files;
    const Orchestrator__ServiceSpec *spec = config->core->spec;
    const bool has_files = star_get_attr(star, value, "files", &files) == 1;
    bool is_public = false;
    for (size_t i = 0; i < spec->n_ports; i++)
        is_public |= spec->ports[i]->public_number != 0;
    const struct {
        bool given;
        const char *what;
    } refused[] = {
        {spec->n_env, "environment variables is currently not supported."},
        {spec->n_entrypoint, "entrypoint args is currently not supported."},
        {spec->n_cmd, "cmd args is currently not supported."},
        {spec->n_ports, "private ports is currently not supported. "},
        {is_public, "public ports is currently not supported."},
        {has_files && (config->core->n_files || !spec->n_persistent),
         "files artifacts is currently not supported."},
        {spec->n_persistent, "persistent directories is currently not supported."},
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (refused[i].given)
            return err_fail(err, ERR_UNSUPPORTED, "Overriding %s", refused[i].what);
    return 0;
}

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    plan_place_t place = {scope, step};
    const types_places_t places = plan_scope_places(&place);
    (void)ret;
    if (types_cast_text(values[NAME], "name", &data->name, err) < 0 ||
        types_cast_service_config(scope->star, values[CONFIG], &places, &data->config, err) < 0 ||
        plan_scope_gate(scope, data->config, err) < 0)
        return -1;
    types_service_config_t *added = run_map_get(&scope->configs, data->name);
    if (!added && !plan_scope_service(scope, data->name)) {
        err_fail(err, ERR_NOT_FOUND,
                 "Did not find new service config for '%s' in interpretation time value store.",
                 data->name);
        return err_wrap(err, "An error occurred retrieving service config for service: %s",
                        data->name);
    }
    if (check_overrides(scope->star, values[CONFIG], data->config, err) < 0)
        return err_wrap(err,
                        "An error occurred while overriding service configs in set service for "
                        "service: %s",
                        data->name);
    if (added) {
        data->adder = run_map_get(&scope->adders, data->name);
        const Orchestrator__ServiceSpec *given = data->config->core->spec;
        apply(data->config, added->core->spec);
        types_image_move(&data->config->image, &added->image);
        if (given->min_millicpus)
            added->core->spec->min_millicpus = given->min_millicpus;
        if (given->min_memory_megabytes)
            added->core->spec->min_memory_megabytes = given->min_memory_megabytes;
        added->needs_host |= data->config->needs_host;
    }
    plan_step_add_service(step, data->name);
    return 0;
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    if (plan_env_service(env, data->name) == PLAN_ABSENT)
        return err_fail(err, ERR_NOT_FOUND,
                        "Service '%s' required by 'set_service' instruction doesn't exist",
                        data->name);
    if (data->config->image.name)
        plan_env_image_add(env, &data->config->image);
    return 0;
}

static size_t
pack(const Orchestrator__ServiceSpec *spec, uint8_t **ret)
{
    *ret = malloc(protobuf_c_message_get_packed_size(&spec->base) + 1);
    return protobuf_c_message_pack(&spec->base, *ret);
}

/* Changes the service that runs, unless it runs as wanted. */
static int
update(const data_t *data, plan_exec_t *exec, err_t **err)
{
    AUTO(core_service_config) config = NULL;
    AUTO(core_service) service = NULL;
    AUTO(core_service) present = NULL;
    AUTO_FREE uint8_t *before = NULL, *after = NULL;
    if (exec->world->service_find(exec->world->self, data->name, &present, err) < 0 ||
        exec->world->service_config(exec->world->self, data->name, &config, err) < 0)
        return err_wrap(err, "cannot read the config of service '%s'", data->name);
    const size_t before_size = pack(config->spec, &before);
    apply(data->config, config->spec);
    const size_t after_size = pack(config->spec, &after);
    /* one that is only registered has a config that its container may not have: a change was cut off */
    const bool is_as_wanted = present->status != CORE_SERVICE_REGISTERED &&
                              before_size == after_size && !memcmp(before, after, after_size);
    if (!is_as_wanted &&
        exec->world->services_start(exec->world->self, &config, 1, 1, &service, NULL, err) < 0)
        return err_wrap(err, "Unexpected error occurred starting service '%s'", data->name);
    return 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    const bool is_added_so = data->adder && !data->adder->is_skipped;
    if (!is_added_so && update(data, exec, err) < 0)
        return -1;
    str_printf(result, "Set service config on service '%s'.", data->name);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Setting config of service '%s'", ((const data_t *)step->data)->name);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->name);
    types_service_config_destroy(&data->config);
}

const plan_kind_t plan_set_service = {
    PLAN_TABLE("set_service", fields),
    .brief = "%S, %D",
    .again = PLAN_AGAIN_OVERRIDE,
    .order = PLAN_ORDER_REMOVE,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};

static void
pairs_free(Orchestrator__Pair **pairs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        protobuf_c_message_free_unpacked(&pairs[i]->base, NULL);
    free(pairs);
}

static void
pairs_copy(Orchestrator__Pair *const *from, size_t count, Orchestrator__Pair ***to,
           size_t *to_count)
{
    if (!count)
        return;
    pairs_free(*to, *to_count);
    *to = calloc(count, sizeof(**to));
    *to_count = count;
    for (size_t i = 0; i < count; i++)
        (*to)[i] = (Orchestrator__Pair *)bus_message_dup(&from[i]->base);
}

/* Puts what was given over what there is. */
static void
apply(const types_service_config_t *from, Orchestrator__ServiceSpec *to)
{
    const Orchestrator__ServiceSpec *spec = from->core->spec;
    if (to->image != protobuf_c_empty_string)
        free(to->image);
    to->image = strdup(spec->image);
    if (spec->max_millicpus)
        to->max_millicpus = spec->max_millicpus;
    if (spec->max_memory_megabytes)
        to->max_memory_megabytes = spec->max_memory_megabytes;
    if (spec->user) {
        if (to->user)
            protobuf_c_message_free_unpacked(&to->user->base, NULL);
        to->user = (Orchestrator__ServiceUser *)bus_message_dup(&spec->user->base);
    }
    pairs_copy(spec->labels, spec->n_labels, &to->labels, &to->n_labels);
    pairs_copy(spec->bind_mounts, spec->n_bind_mounts, &to->bind_mounts, &to->n_bind_mounts);
    to->privileged |= spec->privileged;
    to->host_pid_namespace |= spec->host_pid_namespace;
}
