/*  handlers: what the files of this folder share: the handlers, and making messages for replies. */
#ifndef KURTOSIS_APIC_API_HANDLERS_H
#define KURTOSIS_APIC_API_HANDLERS_H

#include "apic/api/api.h"
#include "bus/schema/api_container.pb-c.h"

/* services.c */
actor_handler_fn on_get_services, on_get_identifiers, on_exec_command, on_connect_services;
/* endpoint.c */
actor_handler_fn on_wait_for_get, on_wait_for_post;
/* artifacts.c */
actor_handler_fn on_upload_artifact, on_download_artifact, on_store_web_artifact,
    on_store_service_files, on_list_artifacts, on_inspect_artifact;
/* packages.c */
actor_handler_fn on_upload_package, on_provide_repository, on_refuse_repository;
/* runs.c */
actor_handler_fn on_run_script, on_run_package, on_attach_run, on_get_run, on_get_script_plan,
    on_get_package_plan;

/* A new message of a schema's type with its defaults; ends the process when memory is out. The
 * whole is freed with bus_message_destroy on the outermost one. */
#define API_NEW(type, init) ((type *)api_new_(sizeof(type), (void (*)(void *))(init)))
void *api_new_(size_t size, void (*init)(void *message));

/* Appends an item to a repeated field: API_ADD(reply, services, info). */
#define API_ADD(message, field, item)                                                              \
    do {                                                                                           \
        (message)->field =                                                                         \
            api_grow_((message)->field, (message)->n_##field, sizeof *(message)->field);           \
        (message)->field[(message)->n_##field++] = (item);                                         \
    } while (0)
void *api_grow_(void *items, size_t count, size_t size);

/* A string field's value; ends the process when memory is out. */
char *api_text(const char *text);

/* Is an optional string set and not empty? */
static inline bool
api_has_text(const char *text)
{
    return text && text[0];
}

#endif
