/*  service: what adding one service and adding many have in common. */
#include "apic/plan/plan.h"

#include "apic/run/reference.h"

#include <stdlib.h>
#include <string.h>

/* Replaces the references in one text that a message owns. */
static int
replace(run_store_t *store, char **text_p, err_t **err)
{
    char *text = NULL;
    if (!strstr(*text_p, "{{kurtosis:"))
        return 0;
    if (run_reference_replace_text(store, *text_p, &text, err) < 0)
        return -1;
    free(*text_p);
    *text_p = text;
    return 0;
}

bool
plan_check_config(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    if (types_type_of(value) == &types_service_config)
        return true;
    str_printf(why, "The '%s' argument is not a ServiceConfig (was '%s').",
               field->about ? field->about : field->name, types_go_name(value));
    return false;
}

static core_service_config_t *
config_dup(const core_service_config_t *from)
{
    core_service_config_t *copy = core_service_config_new();
    protobuf_c_message_free_unpacked(&copy->spec->base, NULL);
    copy->spec = (Orchestrator__ServiceSpec *)bus_message_dup(&from->spec->base);
    copy->files = calloc(from->n_files ? from->n_files : 1, sizeof(*copy->files));
    for (size_t i = 0; i < from->n_files; i++) {
        size_t count = 0;
        while (from->files[i].artifacts[count])
            count++;
        char **artifacts = calloc(count + 1, sizeof(*artifacts));
        for (size_t k = 0; k < count; k++)
            artifacts[k] = strdup(from->files[i].artifacts[k]);
        copy->files[copy->n_files++] = (core_files_t){strdup(from->files[i].path), artifacts};
    }
    copy->waits = calloc(from->n_waits ? from->n_waits : 1, sizeof(*copy->waits));
    for (size_t i = 0; i < from->n_waits; i++)
        copy->waits[copy->n_waits++] =
            (core_port_wait_t){strdup(from->waits[i].port_id), from->waits[i].wait_ns};
    return copy;
}

int
plan_service_prepare(plan_exec_t *exec, const char *name, const types_service_config_t *config,
                     core_service_config_t **ret, err_t **err)
{
    AUTO(core_service_config) copy = config_dup(config->core);
    Orchestrator__ServiceSpec *spec = copy->spec;
    spec->name = strdup(name);
    spec->restart_always = exec->world->is_production;
    for (size_t i = 0; i < spec->n_entrypoint; i++)
        if (replace(exec->store, &spec->entrypoint[i], err) < 0)
            return -1;
    for (size_t i = 0; i < spec->n_cmd; i++)
        if (replace(exec->store, &spec->cmd[i], err) < 0)
            return -1;
    for (size_t i = 0; i < spec->n_env; i++)
        if (replace(exec->store, &spec->env[i]->value, err) < 0)
            return -1;
    *ret = TAKE(copy);
    return 0;
}

int
plan_service_started(plan_exec_t *exec, const char *name, const char *uuid, const char *text,
                     const core_service_t *service, err_t **err)
{
    types_datum_t ip = TYPES_DATUM_EMPTY, hostname = TYPES_DATUM_EMPTY;
    types_datum_set_string(&ip, service->private_ip, strlen(service->private_ip));
    types_datum_set_string(&hostname, service->hostname, strlen(service->hostname));
    const run_value_t values[] = {{"ip_address", &ip}, {"hostname", &hostname}};
    const int rc = run_store_set(exec->store, uuid, values, ARRAY_LEN(values), err);
    types_datum_done(&ip);
    types_datum_done(&hostname);
    return rc < 0 ? rc : run_store_know(exec->store, name, uuid, text, err);
}
