/*  service: single services: finding, removing, stopping, starting again. Starting new ones is
 * start.c's. */
#include "apic/core/internal.h"

#include "apic/core/recover.h"
#include "apic/core/registry.h"

#include <string.h>

static int find_claimed(core_t *self, actor_call_t *within, const char *identifier,
                        core_service_t **ret_service, err_t **err);
static void release(core_t *self, const core_service_t *service);
static int set_status(core_t *self, const char *uuid, core_service_status_t status, err_t **err);

int
core_service_find(core_t *self, const char *identifier, core_service_t **ret_service, err_t **err)
{
    int rc = registry_find(db_lock(self->db), identifier, ret_service, err);
    db_unlock(self->db);
    return rc;
}

core_service_t **
core_services_all(core_t *self, size_t *ret_count)
{
    core_service_t **services = NULL;
    *ret_count = 0;
    registry_all(db_lock(self->db), &services, ret_count, NULL);
    db_unlock(self->db);
    return services;
}

int
core_service_config(core_t *self, const char *uuid, core_service_config_t **ret_config, err_t **err)
{
    int rc = registry_config(db_lock(self->db), uuid, ret_config, err);
    db_unlock(self->db);
    return rc;
}

int
core_service_identifiers(core_t *self, void (*fn)(void *arg, const char *uuid, const char *name),
                         void *arg, err_t **err)
{
    int rc = registry_identifiers(db_lock(self->db), fn, arg, err);
    db_unlock(self->db);
    return rc;
}

int
core_service_containers(core_t *self, actor_call_t *within, const char *uuid,
                        Orchestrator__GetServicesReply **ret_reply, err_t **err)
{
    Orchestrator__GetServicesArgs args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
    char *uuids[] = {(char *)uuid};
    args.enclave_uuid = self->enclave_uuid;
    args.service_uuids = uuids;
    args.n_service_uuids = uuid ? 1 : 0;
    return core_ask(self, within, "GetServices", &args.base, 0, (ProtobufCMessage **)ret_reply,
                    err);
}

int
core_service_remove(core_t *self, actor_call_t *within, const char *identifier, char **ret_uuid,
                    err_t **err)
{
    AUTO(core_service) service = NULL;
    if (find_claimed(self, within, identifier, &service, err) < 0)
        return err_wrap(err, "cannot remove service '%s'", identifier);

    /* From here on it goes, now or when the next process starts. */
    int rc = registry_set_stale(db_lock(self->db), service->uuid, err);
    db_unlock(self->db);
    if (rc == 0)
        rc = recover_name(self, NULL, service->name, err);
    release(self, service);
    if (rc < 0)
        return err_wrap(err, "cannot remove service '%s' now; it goes as soon as that is possible",
                        service->name);
    if (ret_uuid)
        *ret_uuid = TAKE(service->uuid);
    return 0;
}

int
core_service_stop(core_t *self, actor_call_t *within, const char *identifier, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (find_claimed(self, within, identifier, &service, err) < 0)
        return err_wrap(err, "cannot stop service '%s'", identifier);
    Orchestrator__StopServiceArgs args = ORCHESTRATOR__STOP_SERVICE_ARGS__INIT;
    args.enclave_uuid = self->enclave_uuid;
    args.service_uuid = service->uuid;
    args.grace_seconds = CORE_STOP_GRACE_SECONDS;
    int rc = core_ask(self, within, "StopService", &args.base, CORE_REMOVE_TIMEOUT_MS, NULL, err);
    if (rc == 0)
        rc = set_status(self, service->uuid, CORE_SERVICE_STOPPED, err);
    release(self, service);
    return rc < 0 ? err_wrap(err, "cannot stop service '%s'", service->name) : 0;
}

int
core_service_restart(core_t *self, actor_call_t *within, const char *identifier, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (find_claimed(self, within, identifier, &service, err) < 0)
        return err_wrap(err, "cannot start service '%s'", identifier);
    Orchestrator__ServiceRef args = ORCHESTRATOR__SERVICE_REF__INIT;
    args.enclave_uuid = self->enclave_uuid;
    args.service_uuid = service->uuid;
    int rc =
        core_ask(self, within, "RestartService", &args.base, CORE_REMOVE_TIMEOUT_MS, NULL, err);
    if (rc == 0)
        rc = set_status(self, service->uuid, CORE_SERVICE_STARTED, err);
    else if (err && err_code(*err) == ERR_NOT_FOUND)
        err_wrap(err, "its container is gone: remove the service, or run its package again");
    release(self, service);
    return rc < 0 ? err_wrap(err, "cannot start service '%s'", service->name) : 0;
}

int
core_require_started(core_t *self, const char *identifier, core_service_t **ret_service,
                     err_t **err)
{
    AUTO(core_service) service = NULL;
    if (core_service_find(self, identifier, &service, err) < 0)
        return -1;
    if (service->status != CORE_SERVICE_STARTED)
        return err_fail(err, ERR_STATE, "service '%s' is %s", service->name,
                        service->status == CORE_SERVICE_STOPPED ? "stopped; start it first"
                                                                : "not started");
    *ret_service = TAKE(service);
    return 0;
}

/* -------------------------------------------------------------------------------------- helpers */

/* Finds the service and claims its name; it may have been removed, or replaced by another of that
 * name, meanwhile. */
static int
find_claimed(core_t *self, actor_call_t *within, const char *identifier,
             core_service_t **ret_service, err_t **err)
{
    for (;;) {
        AUTO(core_service) service = NULL;
        AUTO(core_service) again = NULL;
        if (core_service_find(self, identifier, &service, err) < 0 ||
            claims_take(self->claims, (const char *[]){service->name}, 1,
                        core_cancel_fd(self, within), 0, err) < 0)
            return -1;
        if (core_service_find(self, identifier, &again, err) < 0) {
            release(self, service);
            return -1;
        }
        if (strcmp(again->name, service->name) == 0) {
            *ret_service = TAKE(again);
            return 0;
        }
        release(self, service);
    }
}

static void
release(core_t *self, const core_service_t *service)
{
    claims_release(self->claims, (const char *[]){service->name}, 1);
}

static int
set_status(core_t *self, const char *uuid, core_service_status_t status, err_t **err)
{
    int rc = registry_set_status(db_lock(self->db), uuid, status, err);
    db_unlock(self->db);
    return rc;
}
