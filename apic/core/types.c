/*  types: the plain values of core.h: making and freeing them. */
#include "apic/core/internal.h"

#include <string.h>

core_service_config_t *
core_service_config_new(void)
{
    core_service_config_t *self = calloc(1, sizeof *self);
    Orchestrator__ServiceSpec *spec = malloc(sizeof *spec);
    if (!self || !spec)
        abort();
    orchestrator__service_spec__init(spec);
    self->spec = spec;
    return self;
}

void
core_service_config_destroy(core_service_config_t **self_p)
{
    core_service_config_t *self = TAKE(*self_p);
    if (!self)
        return;
    bus_message_destroy(&self->spec);
    for (size_t i = 0; i < self->n_files; i++) {
        for (char **artifact = self->files[i].artifacts; artifact && *artifact; artifact++)
            free(*artifact);
        free(self->files[i].artifacts);
        free(self->files[i].path);
    }
    free(self->files);
    for (size_t i = 0; i < self->n_waits; i++)
        free(self->waits[i].port_id);
    free(self->waits);
    free(self);
}

void
core_service_destroy(core_service_t **self_p)
{
    core_service_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->n_ports; i++) {
        free(self->ports[i].id);
        free(self->ports[i].application_protocol);
    }
    free(self->ports);
    free(self->name);
    free(self->uuid);
    free(self->private_ip);
    free(self->hostname);
    free(self);
}

void
core_services_free(core_service_t **services, size_t count)
{
    for (size_t i = 0; services && i < count; i++)
        core_service_destroy(&services[i]);
    free(services);
}

void
core_set_text(char **field, const char *value)
{
    if (*field && *field != protobuf_c_empty_string)
        free(*field);
    *field = strdup(value);
    if (!*field)
        abort();
}
