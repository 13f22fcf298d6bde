/*  recover: see recover.h.
 *
 *  A container is only ever made for a registered service, and a registration only goes once its
 * container is gone. So what a kill leaves behind is always one of: a stale registration (with or
 * without container). A container without registration can only be somebody else's doing; it goes
 * too, since nobody could address it.
 */
#include "apic/core/recover.h"

#include "apic/core/internal.h"
#include "apic/core/registry.h"
#include "base/log.h"

static int remove_container(core_t *core, actor_call_t *within, const char *uuid, err_t **err);
static int remove_stale(core_t *core, actor_call_t *within, const char *uuid, err_t **err);
static int remove_unknown(core_t *core, err_t **err);

void
recover_enclave(core_t *core)
{
    for (;;) {
        AUTO(err) err = NULL;
        AUTO_FREE char *uuid = NULL;
        AUTO_FREE char *name = NULL;
        int rc = registry_stale(db_lock(core->db), NULL, &uuid, &name, &err);
        db_unlock(core->db);
        if (rc == 0)
            break;
        if (rc > 0 && (rc = claims_take(core->claims, (const char *[]){name}, 1,
                                        actor_stopping_fd(core_actor(core)), &err)) == 0) {
            rc = remove_stale(core, NULL, uuid, &err);
            claims_release(core->claims, (const char *[]){name}, 1);
        }
        if (rc < 0) {
            log_err(LOG_WARN, "service.rollback_failed", err, "service=%s uuid=%s",
                    name ? name : "", uuid ? uuid : "");
            return;
        }
        log_info("service.rolled_back", "service=%s uuid=%s", name, uuid);
    }
    AUTO(err) err = NULL;
    if (remove_unknown(core, &err) < 0)
        log_err(LOG_WARN, "enclave.recover_failed", err, "enclave=%s", core->enclave_name);
}

int
recover_name(core_t *core, actor_call_t *within, const char *name, err_t **err)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *same_name = NULL;
    int rc = registry_stale(db_lock(core->db), name, &uuid, &same_name, err);
    db_unlock(core->db);
    if (rc <= 0)
        return rc;
    if (remove_stale(core, within, uuid, err) < 0)
        return err_wrap(err, "cannot remove what is left of an earlier service '%s'", name);
    return 0;
}

static int
remove_container(core_t *core, actor_call_t *within, const char *uuid, err_t **err)
{
    Orchestrator__ServiceRef service = ORCHESTRATOR__SERVICE_REF__INIT;
    service.enclave_uuid = core->enclave_uuid;
    service.service_uuid = (char *)uuid;
    return core_ask(core, within, "RemoveService", &service.base, CORE_REMOVE_TIMEOUT_MS, NULL,
                    err);
}

static int
remove_stale(core_t *core, actor_call_t *within, const char *uuid, err_t **err)
{
    if (remove_container(core, within, uuid, err) < 0)
        return -1;
    int rc = registry_delete(db_lock(core->db), uuid, err);
    db_unlock(core->db);
    return rc;
}

static int
remove_unknown(core_t *core, err_t **err)
{
    AUTO_MESSAGE Orchestrator__GetServicesReply *reply = NULL;
    if (core_service_containers(core, NULL, NULL, &reply, err) < 0)
        return -1;
    for (size_t i = 0; i < reply->n_services; i++) {
        const Orchestrator__ServiceInfo *info = reply->services[i];
        int known = registry_knows(db_lock(core->db), info->service_uuid, err);
        db_unlock(core->db);
        if (known < 0)
            return -1;
        if (known)
            continue;
        log_warn("service.unknown_removed", "service=%s uuid=%s", info->name, info->service_uuid);
        if (remove_container(core, NULL, info->service_uuid, err) < 0)
            return err_wrap(err, "cannot remove the container of '%s', which is no service",
                            info->name);
    }
    return 0;
}
