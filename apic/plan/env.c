/*  env: the model of the enclave in which steps are validated. */
#include "apic/plan/plan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_TAIL                                                                                  \
    "specifically implementing this regex and be 1-%d characters long: %s. This means the %s "     \
    "must only contain lowercase alphanumeric characters or '-', and must start with a lowercase " \
    "alphabet and end with a lowercase alphanumeric character."

/* What PLAN_SERVICE_NAME and PLAN_PORT_NAME say, with at most max characters. */
static bool
is_name(const char *text, size_t max)
{
    const size_t size = strlen(text);
    if (size < 1 || size > max || !islower((unsigned char)text[0]) || text[size - 1] == '-')
        return false;
    for (const char *at = text; *at; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '-')
            return false;
    return true;
}

static void
service_free(void *value)
{
    plan_env_service_t *service = value;
    run_map_done(&service->ports, NULL);
    free(service);
}

static plan_env_service_t *
service_put(plan_env_t *self, const char *name, plan_presence_t presence)
{
    plan_env_service_t *service = calloc(1, sizeof(*service));
    service->presence = presence;
    void *old = run_map_put(&self->services, name, service);
    if (old)
        service_free(old);
    return service;
}

int
plan_env_init(plan_env_t *self, const run_world_t *world, const run_resources_t *resources,
              err_t **err)
{
    size_t count;
    (void)err;
    *self = (plan_env_t){.resources_complete = resources->complete,
                         .millicpus = (int64_t)resources->millicpus,
                         .megabytes = (int64_t)resources->megabytes};
    core_service_t **services = world->services_all(world->self, &count);
    for (size_t i = 0; i < count; i++) {
        plan_env_service_t *service = service_put(self, services[i]->name, PLAN_EXISTED);
        for (size_t k = 0; k < services[i]->n_ports; k++)
            run_map_put(&service->ports, services[i]->ports[k].id, self);
        core_service_destroy(&services[i]);
    }
    free(services);
    char **names = world->artifact_names(world->self, &count);
    for (size_t i = 0; i < count; i++) {
        run_map_put(&self->artifacts, names[i], (void *)(uintptr_t)(PLAN_EXISTED + 1));
        free(names[i]);
    }
    free(names);
    return 0;
}

void
plan_env_done(plan_env_t *self)
{
    run_map_done(&self->services, service_free);
    run_map_done(&self->artifacts, NULL);
    run_map_done(&self->images, NULL);
}

plan_presence_t
plan_env_service(const plan_env_t *self, const char *name)
{
    const plan_env_service_t *service = run_map_get(&self->services, name);
    return service ? service->presence : PLAN_ABSENT;
}

bool
plan_env_port(const plan_env_t *self, const char *service, const char *port_id)
{
    const plan_env_service_t *entry = run_map_get(&self->services, service);
    return entry && run_map_get(&entry->ports, port_id);
}

void
plan_env_service_remove(plan_env_t *self, const char *name)
{
    plan_env_service_t *service = run_map_remove(&self->services, name);
    if (!service)
        return;
    self->millicpus += (int64_t)service->millicpus;
    self->megabytes += (int64_t)service->megabytes;
    service_free(service);
}

plan_presence_t
plan_env_artifact(const plan_env_t *self, const char *name)
{
    const uintptr_t value = (uintptr_t)run_map_get(&self->artifacts, name);
    return value ? (plan_presence_t)(value - 1) : PLAN_ABSENT;
}

int
plan_env_artifact_add(plan_env_t *self, const char *instruction, const char *name, err_t **err)
{
    if (plan_env_artifact(self, name) == PLAN_CREATED)
        return err_fail(err, ERR_EXISTS,
                        "There was an error validating '%s' as artifact name '%s' already exists",
                        instruction, name);
    run_map_put(&self->artifacts, name, (void *)(uintptr_t)(PLAN_CREATED + 1));
    return 0;
}

static int
check_names(const char *name, const types_service_config_t *config, err_t **err)
{
    if (!is_name(name, 63))
        return err_fail(err, ERR_INVALID,
                        "Service name '%s' is invalid as it contains disallowed characters. "
                        "Service names must adhere to the RFC 1035 standard, " NAME_TAIL,
                        name, 63, PLAN_SERVICE_NAME, "service name");
    const Orchestrator__ServiceSpec *spec = config->core->spec;
    for (size_t i = 0; i < spec->n_persistent; i++)
        if (!is_name(spec->persistent[i]->key, 63))
            return err_fail(err, ERR_INVALID,
                            "Persistent Key '%s' is invalid as it contains disallowed characters. "
                            "Persistent Key must adhere to the RFC 1035 standard, " NAME_TAIL,
                            spec->persistent[i]->key, 63, PLAN_SERVICE_NAME, "persistent key");
    return 0;
}

/* A reference is only a path when the script is executed. */
static int
check_mount(const char *path, err_t **err)
{
    if ((*path == '/' && path[1] && !strstr(path, "/../") && !str_ends(path, "/..")) ||
        strstr(path, "{{kurtosis:"))
        return 0;
    return err_fail(err, ERR_INVALID,
                    "files cannot be mounted at '%s': give an absolute path below '/'", path);
}

/* What a driver would refuse only when other services run already. */
static int
check_values(const char *name, const types_service_config_t *config, err_t **err)
{
    const Orchestrator__ServiceSpec *spec = config->core->spec;
    for (size_t i = 0; i < spec->n_env; i++)
        if (spec->env[i]->name[0] == '\0' || spec->env[i]->name[0] == '=')
            return err_fail(err, ERR_INVALID,
                            "'%s' cannot be the name of an environment variable of service '%s': "
                            "it must not be empty, nor begin with '='",
                            spec->env[i]->name, name);
    for (size_t i = 0; i < config->core->n_files; i++)
        if (check_mount(config->core->files[i].path, err) < 0)
            return -1;
    for (size_t i = 0; i < spec->n_persistent; i++)
        if (check_mount(spec->persistent[i]->path, err) < 0)
            return -1;
    for (size_t i = 0; i < config->n_ports; i++)
        for (size_t k = 0; k < i; k++)
            if (config->ports[i].number == config->ports[k].number &&
                config->ports[i].transport == config->ports[k].transport)
                return err_fail(err, ERR_INVALID,
                                "ports '%s' and '%s' of service '%s' are both %u/%s: leave one of "
                                "them out",
                                config->ports[k].id, config->ports[i].id, name,
                                config->ports[i].number,
                                types_transport_name(config->ports[i].transport));
    return 0;
}

/* A ready condition that asks a port which there is not never comes true. */
static int
check_ready(const char *name, const types_service_config_t *config, err_t **err)
{
    const types_recipe_t *recipe = config->ready ? config->ready->recipe : NULL;
    if (!recipe || recipe->kind == TYPES_RECIPE_EXEC)
        return 0;
    for (size_t i = 0; i < config->n_ports; i++)
        if (!strcmp(config->ports[i].id, recipe->port_id))
            return 0;
    return err_fail(err, ERR_NOT_FOUND,
                    "Request required port ID '%s' to exist on service '%s' but it doesn't",
                    recipe->port_id, name);
}

static int
check_resources(const plan_env_t *self, const char *name, const types_service_config_t *config,
                err_t **err)
{
    if (!self->resources_complete)
        return 0;
    if ((int64_t)config->core->spec->min_millicpus > self->millicpus)
        return err_fail(err, ERR_LIMIT,
                        "service '%s' requires '%llu' millicores of cpu but based on our "
                        "calculation we will only have '%lld' millicores available at the time we "
                        "start the service",
                        name, (unsigned long long)config->core->spec->min_millicpus,
                        (long long)self->millicpus);
    if ((int64_t)config->core->spec->min_memory_megabytes > self->megabytes)
        return err_fail(err, ERR_LIMIT,
                        "service '%s' requires '%llu' megabytes of memory but based on our "
                        "calculation we will only have '%lld' megabytes available at the time we "
                        "start the service",
                        name, (unsigned long long)config->core->spec->min_memory_megabytes,
                        (long long)self->megabytes);
    return 0;
}

int
plan_env_service_add(plan_env_t *self, const char *name, const types_service_config_t *config,
                     err_t **err)
{
    if (check_names(name, config, err) < 0)
        return -1;
    if (plan_env_service(self, name) == PLAN_CREATED)
        return err_fail(err, ERR_EXISTS,
                        "There was an error validating 'add_service' as service with the name '%s' "
                        "already exists inside the package. Adding two different services with the "
                        "same name isn't allowed; we recommend prefixing/suffixing the two service "
                        "names or using two different names entirely.",
                        name);
    for (size_t i = 0; i < config->core->n_files; i++)
        for (char **artifact = config->core->files[i].artifacts; *artifact; artifact++)
            if (plan_env_artifact(self, *artifact) == PLAN_ABSENT)
                return err_fail(err, ERR_NOT_FOUND,
                                "There was an error validating 'add_service' as artifact name '%s' "
                                "does not exist",
                                *artifact);
    if (check_resources(self, name, config, err) < 0 || check_values(name, config, err) < 0 ||
        check_ready(name, config, err) < 0)
        return -1;
    plan_env_service_t *service = service_put(self, name, PLAN_CREATED);
    plan_env_image_add(self, &config->image);
    for (size_t i = 0; i < config->n_ports; i++)
        if (!is_name(config->ports[i].id, 15))
            return err_fail(err, ERR_INVALID,
                            "Port name '%s' is invalid as it contains disallowed characters. Port "
                            "names must adhere to the RFC 6335 standard, " NAME_TAIL,
                            config->ports[i].id, 15, PLAN_PORT_NAME, "port name");
    for (size_t i = 0; i < config->n_ports; i++)
        run_map_put(&service->ports, config->ports[i].id, self);
    service->millicpus = config->core->spec->min_millicpus;
    service->megabytes = config->core->spec->min_memory_megabytes;
    self->millicpus -= (int64_t)service->millicpus;
    self->megabytes -= (int64_t)service->megabytes;
    return 0;
}

void
plan_env_image_add(plan_env_t *self, const types_image_t *image)
{
    /* a plain name does not take the credentials away that another service gave for it */
    const types_image_t *known = run_map_get(&self->images, image->name);
    if (!known || image->kind != TYPES_IMAGE_NAME)
        run_map_put(&self->images, image->name, (void *)image);
}

int
plan_env_recipe(const plan_env_t *self, const char *verb, const char *service,
                const types_recipe_t *recipe, err_t **err)
{
    if (plan_env_service(self, service) == PLAN_ABSENT)
        return err_fail(err, ERR_NOT_FOUND,
                        "Tried creating a %s for service '%s' which doesn't exist", verb, service);
    if (recipe->kind != TYPES_RECIPE_EXEC && !plan_env_port(self, service, recipe->port_id))
        return err_fail(err, ERR_NOT_FOUND,
                        "Request required port ID '%s' to exist on service '%s' but it doesn't",
                        recipe->port_id, service);
    return 0;
}
