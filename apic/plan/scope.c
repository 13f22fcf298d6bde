/*  scope: what the script's calls find while a script is interpreted. */
#include "apic/plan/plan.h"

#include "apic/run/reference.h"
#include "base/names.h"

#include <stdlib.h>
#include <string.h>

static plan_service_t *service_require(plan_scope_t *self, const char *name);

static void
service_free(void *value)
{
    plan_service_t *service = value;
    free(service->value);
    free(service);
}

void
plan_scope_load(plan_scope_t *self)
{
    size_t count;
    run_known_t *known = run_store_known(self->store, &count);
    for (size_t i = 0; i < count; i++) {
        plan_service_t *service = service_require(self, known[i].name);
        free(service->value);
        service->value = strdup(known[i].value);
    }
    run_known_free(known, count);
}

void
plan_scope_done(plan_scope_t *self)
{
    run_map_done(&self->services, service_free);
    run_map_done(&self->drawn, NULL);
    run_map_done(&self->configs, NULL);
    run_map_done(&self->adders, NULL);
}

void
plan_scope_service_uuid(plan_scope_t *self, const char *name, char ret_uuid[UUID_LEN + 1])
{
    memcpy(ret_uuid, service_require(self, name)->uuid, UUID_LEN + 1);
}

star_value_t
plan_scope_service_new(plan_scope_t *self, const char *name, const types_service_config_t *config,
                       char **ret_text)
{
    plan_service_t *service = service_require(self, name);
    AUTO_FREE char *hostname = run_reference(service->uuid, "hostname");
    AUTO_FREE char *address = run_reference(service->uuid, "ip_address");
    star_value_t value =
        types_service_new(self->star, name, hostname, address, config->ports, config->n_ports);
    if (!star_ok(value))
        return value;
    *ret_text = types_text(self->star, value);
    free(service->value);
    service->value = strdup(*ret_text);
    return value;
}

void
plan_scope_service_remove(plan_scope_t *self, const char *name)
{
    plan_service_t *service = service_require(self, name);
    service->value[0] = '\0';
}

const char *
plan_scope_service(plan_scope_t *self, const char *name)
{
    const plan_service_t *service = run_map_get(&self->services, name);
    return service && service->value[0] ? service->value : NULL;
}

static int
by_name(const void *one, const void *two)
{
    return strcmp(*(char *const *)one, *(char *const *)two);
}

char **
plan_scope_service_names(plan_scope_t *self)
{
    char **names = calloc(self->services.count + 1, sizeof(*names));
    size_t count = 0;
    const char *name;
    void *value;
    for (size_t cursor = 0; run_map_next(&self->services, &cursor, &name, &value);)
        if (((plan_service_t *)value)->value[0])
            names[count++] = strdup(name);
    qsort(names, count, sizeof(*names), by_name);
    return names;
}

static bool
is_taken(void *arg, const char *name)
{
    plan_scope_t *self = arg;
    return run_map_get(&self->drawn, name) ||
           self->world->artifact_exists(self->world->self, name, NULL);
}

char *
plan_scope_artifact_name(plan_scope_t *self)
{
    char *name = names_new(NAMES_ARTIFACT, is_taken, self);
    run_map_put(&self->drawn, name, self);
    return name;
}

int
plan_scope_artifact_new(plan_scope_t *self, plan_step_t *step, star_value_t given, const char *md5,
                        char **ret_name, star_value_t *ret, err_t **err)
{
    if (!star_ok(given))
        *ret_name = plan_scope_artifact_name(self);
    else if (types_cast_text(given, "name", ret_name, err) < 0)
        return -1;
    plan_step_add_artifact(step, *ret_name, md5);
    *ret = star_string(self->star, *ret_name, (size_t)-1);
    return 0;
}

static int
find(void *arg, const char *locator, char **ret_path, err_t **err)
{
    const plan_place_t *from = arg;
    return from->scope->find(from->scope, from->step->file, locator, true, ret_path, err);
}

types_places_t
plan_scope_places(plan_place_t *place)
{
    return (types_places_t){.arg = place, .find = find, .is_script = place->scope->is_script};
}

int
plan_scope_gate(const plan_scope_t *self, const types_service_config_t *config, err_t **err)
{
    if (!config->needs_host)
        return 0;
    if (strcmp(self->world->backend, "docker") != 0)
        return err_fail(err, ERR_UNSUPPORTED,
                        "ServiceConfig requested privileged=true, bind_mounts, or "
                        "host_pid_namespace=true, but these settings are Docker-only and are not "
                        "supported on the %s backend",
                        self->world->backend);
    if (!self->allow_privileged)
        return err_fail(err, ERR_DENIED,
                        "ServiceConfig requested privileged=true, bind_mounts, or "
                        "host_pid_namespace=true, but this run did not opt in. Pass --privileged "
                        "on the CLI");
    return 0;
}

star_value_t
plan_scope_recipe_result(plan_scope_t *self, const types_recipe_t *recipe,
                         char ret_uuid[UUID_LEN + 1])
{
    star_value_t result = star_dict_new(self->star);
    const bool is_exec = recipe->kind == TYPES_RECIPE_EXEC;
    const char *const fields[] = {"code", is_exec ? "output" : "body"};
    uuid_new(ret_uuid);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        AUTO_FREE char *reference = run_reference(ret_uuid, fields[i]);
        star_dict_put(self->star, result, fields[i],
                      star_string(self->star, reference, (size_t)-1));
    }
    for (size_t i = 0; i < recipe->extract.count; i++) {
        AUTO_FREE char *field = str_format("extract.%s", recipe->extract.items[i].name);
        AUTO_FREE char *reference = run_reference(ret_uuid, field);
        star_dict_put(self->star, result, field, star_string(self->star, reference, (size_t)-1));
    }
    star_freeze(self->star, result);
    return result;
}

/* This interpretation's view of the service, which begins as what earlier runs left. */
static plan_service_t *
service_require(plan_scope_t *self, const char *name)
{
    plan_service_t *service = run_map_get(&self->services, name);
    if (service)
        return service;
    service = calloc(1, sizeof(*service));
    service->value = strdup("");
    if (!run_store_uuid(self->store, name, service->uuid))
        uuid_new(service->uuid);
    run_map_put(&self->services, name, service);
    return service;
}
