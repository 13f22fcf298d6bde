/*  add_services: adds, or updates, several services at once. */
#include "apic/plan/outline.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static types_check_fn check_configs;

enum { CONFIGS, FORCE };
static const types_field_t fields[] = {
    [CONFIGS] = {"configs", TYPES_DICT, .check = check_configs,
                 .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [FORCE] = {"force_update", .want = TYPES_BOOL},
};

typedef struct {
    char *name;
    char uuid[UUID_LEN + 1];
    char *text;
    types_service_config_t *config;
} item_t;

typedef struct {
    item_t *items;
    size_t count;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    plan_place_t place = {scope, step};
    const types_places_t places = plan_scope_places(&place);
    star_value_t name, config;

    data->items = calloc((size_t)star_length(values[CONFIGS]), sizeof(*data->items));
    *ret = star_dict_new(scope->star);
    step->is_forced = types_get_bool(values[FORCE], false);
    for (size_t cursor = 0; star_dict_next(values[CONFIGS], &cursor, &name, &config);) {
        item_t *item = &data->items[data->count++];
        if (types_cast_text(name, "configs", &item->name, err) < 0 ||
            types_cast_service_config(scope->star, config, &places, &item->config, err) < 0 ||
            plan_scope_gate(scope, item->config, err) < 0)
            return -1;
        plan_scope_service_uuid(scope, item->name, item->uuid);
        star_value_t service = plan_scope_service_new(scope, item->name, item->config, &item->text);
        if (star_dict_put(scope->star, *ret, item->name, service) < 0)
            return err_fail(err, ERR_LIMIT, "there is no memory for service '%s'", item->name);
        plan_step_add_service(step, item->name);
        plan_step_add_needs(step, item->config);
    }
    return 0;
}

/* Says all that is wrong with all of them. */
static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    const data_t *data = step->data;
    AUTO_STR texts = STR_EMPTY;
    for (size_t i = 0; i < data->count; i++) {
        AUTO(err) why = NULL;
        if (plan_env_service_add(env, data->items[i].name, data->items[i].config, &why) == 0)
            continue;
        AUTO_FREE char *text = types_err_text(why);
        str_printf(&texts, "%s%s", texts.len ? "\n\t" : "", text);
    }
    return texts.len ? err_fail(err, ERR_INVALID, "%s", texts.data) : 0;
}

/* Starts all of them; *ret_new says how many there were not before. */
static int
start(const data_t *data, plan_exec_t *exec, core_service_t **services, size_t *ret_new,
      err_t **err)
{
    const run_world_t *world = exec->world;
    core_service_config_t **configs = calloc(data->count, sizeof(*configs));
    err_t **errors = calloc(data->count, sizeof(*errors));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < data->count; i++) {
        AUTO(core_service) present = NULL;
        if (world->service_find(world->self, data->items[i].name, &present, NULL) < 0)
            ++*ret_new;
        rc = plan_service_prepare(exec, data->items[i].name, data->items[i].config, &configs[i],
                                  err);
    }
    if (rc == 0) {
        rc = world->services_start(world->self, configs, data->count, exec->parallelism, services,
                                   errors, err);
        AUTO_STR names = STR_EMPTY, texts = STR_EMPTY;
        for (size_t i = 0; i < data->count; i++) {
            if (!errors[i])
                continue;
            AUTO_FREE char *why = err_lines(errors[i]);
            str_printf(&names, "%s%s", names.len ? " " : "", data->items[i].name);
            str_printf(&texts, "%sService '%s': %s", texts.len ? "\n" : "", data->items[i].name,
                       why);
        }
        if (rc < 0) {
            if (texts.len) {
                const err_code_t code = err && *err ? err_code(*err) : ERR_UNKNOWN;
                if (err)
                    err_destroy(err);
                err_fail(err, code, "%s", texts.data);
            }
            err_wrap(err,
                     "Some errors occurred starting or updating the following services: '[%s]'. "
                     "The entire batch was rolled back an no service was started. Errors were:",
                     names.data);
        }
    }
    for (size_t i = 0; i < data->count; i++) {
        core_service_config_destroy(&configs[i]);
        err_destroy(&errors[i]);
    }
    free(configs);
    free(errors);
    return rc;
}

/* What the threads that wait for services to be ready share. */
typedef struct {
    const data_t *data;
    plan_exec_t *exec;
    err_t **errors;
    size_t next; /* atomic */
} readiness_t;

static void *
wait_ready(void *arg)
{
    readiness_t *self = arg;
    size_t i;
    while ((i = __atomic_fetch_add(&self->next, 1, __ATOMIC_RELAXED)) < self->data->count) {
        const item_t *item = &self->data->items[i];
        if (item->config->ready)
            plan_service_ready(self->exec, item->name, item->config->ready, &self->errors[i]);
    }
    return NULL;
}

static int
wait_all_ready(const data_t *data, plan_exec_t *exec, err_t **err)
{
    readiness_t self = {data, exec, calloc(data->count, sizeof(*self.errors)), 0};
    size_t conditions = 0, started = 0;
    pthread_t threads[CORE_PARALLELISM_MAX];
    for (size_t i = 0; i < data->count; i++)
        conditions += data->items[i].config->ready != NULL;
    /* this thread is one of them */
    while (started + 1 < conditions && started + 1 < exec->parallelism &&
           started < ARRAY_LEN(threads) &&
           pthread_create(&threads[started], NULL, wait_ready, &self) == 0)
        started++;
    wait_ready(&self);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);

    AUTO_STR texts = STR_EMPTY;
    for (size_t i = 0; i < data->count; i++) {
        if (!self.errors[i])
            continue;
        AUTO_FREE char *why = err_lines(self.errors[i]);
        str_printf(&texts, "Service '%s' error:\n%s\n", data->items[i].name, why);
        err_destroy(&self.errors[i]);
    }
    free(self.errors);
    return texts.len ? err_fail(err, ERR_TIMEOUT,
                                "An error occurred while checking all service, these are the "
                                "errors by service:\n%s",
                                texts.data)
                     : 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    core_service_t **services = calloc(data->count, sizeof(*services));
    size_t n_new = 0;
    int rc = start(data, exec, services, &n_new, err);
    if (rc == 0) {
        str_printf(result, "Successfully added the following '%zu' services:", n_new);
        for (size_t i = 0; rc == 0 && i < data->count; i++) {
            const item_t *item = &data->items[i];
            str_printf(result, "\n  Service '%s' added with UUID '%s'", item->name,
                       services[i]->uuid);
            rc = plan_service_started(exec, item->name, item->uuid, item->text, services[i], err);
        }
        if (rc == 0)
            rc = wait_all_ready(data, exec, err);
        for (size_t i = 0; i < data->count; i++)
            core_service_destroy(&services[i]);
    }
    free(services);
    return rc;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    str_printf(out, "Adding '%zu' services with names '", data->count);
    for (size_t i = 0; i < data->count; i++)
        str_printf(out, "%s%s", i ? "," : "", data->items[i].name);
    str_add_char(out, '\'');
}

static void
done(void *self)
{
    data_t *data = self;
    for (size_t i = 0; i < data->count; i++) {
        free(data->items[i].name);
        free(data->items[i].text);
        types_service_config_destroy(&data->items[i].config);
    }
    free(data->items);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
    for (size_t i = 0; i < data->count; i++)
        plan_outline_service(to, data->items[i].name, data->items[i].uuid, data->items[i].config,
                             false);
}

const plan_kind_t plan_add_services = {
    PLAN_TABLE("add_services", fields),
    .brief = "%N services: %L",
    .outline = outline,
    .again = PLAN_AGAIN_SERVICES,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};

static bool
check_configs(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    (void)field;
    if (star_kind(value) != STAR_DICT) {
        str_printf(why, "The 'configs' argument is not a ServiceConfig (was '%s').",
                   types_go_name(value));
        return false;
    }
    if (star_length(value) == 0) {
        str_add(why, "The 'configs' argument should be a non empty dictionary");
        return false;
    }
    star_value_t name, config;
    for (size_t cursor = 0; star_dict_next(value, &cursor, &name, &config);) {
        if (star_kind(name) != STAR_STRING) {
            str_printf(why,
                       "One key of the 'configs' dictionary is not a string (was '%s'). Keys of "
                       "this argument should correspond to service names, which should be strings",
                       types_go_name(name));
            return false;
        }
        if (types_type_of(config) != &types_service_config) {
            str_printf(why,
                       "One value of the 'configs' dictionary is not a ServiceConfig (was '%s'). "
                       "Values of this argument should correspond to the config of the service to "
                       "be added",
                       types_go_name(config));
            return false;
        }
    }
    return true;
}
