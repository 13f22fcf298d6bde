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

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

struct recover {
    core_t *core;
    actor_t *actor;
    int again_fd;
};

static void loop(void *arg);
static int remove_all(core_t *core);
static int remove_next(core_t *core, err_t **err);
static int remove_stale(core_t *core, actor_call_t *within, const char *name, err_t **err);
static int remove_unknown(core_t *core, err_t **err);
static int remove_container(core_t *core, actor_call_t *within, const char *uuid, err_t **err);

int
recover_new(core_t *core, actor_t *actor, recover_t **ret_recover, err_t **err)
{
    AUTO(recover) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->core = core;
    self->actor = actor;
    self->again_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->again_fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot make an event descriptor: %s", strerror(errno));
    if (actor_spawn(actor, loop, self, err) < 0)
        return -1;
    *ret_recover = TAKE(self);
    return 0;
}

void
recover_destroy(recover_t **self_p)
{
    recover_t *self = TAKE(*self_p);
    if (!self)
        return;
    close(self->again_fd);
    free(self);
}

void
recover_again(recover_t *self)
{
    eventfd_write(self->again_fd, 1);
}

int
recover_name(core_t *core, actor_call_t *within, const char *name, err_t **err)
{
    int rc = remove_stale(core, within, name, err);
    if (rc < 0)
        recover_again(core->recover);
    return rc;
}

/* ------------------------------------------------------------------------------------------- the
 * thread */

static void
loop(void *arg)
{
    recover_t *self = arg;
    int pause_ms = -1; /* until called */
    for (;;) {
        struct pollfd fds[] = {{.fd = actor_stopping_fd(self->actor), .events = POLLIN},
                               {.fd = self->again_fd, .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), pause_ms) < 0 && errno != EINTR)
            return;
        if (fds[0].revents)
            return;
        eventfd_t ignored;
        eventfd_read(self->again_fd, &ignored);
        if (remove_all(self->core) == 0)
            pause_ms = -1;
        else if (pause_ms < 0)
            pause_ms = RECOVER_FIRST_PAUSE_MS;
        else
            pause_ms = pause_ms * 2 < RECOVER_LAST_PAUSE_MS ? pause_ms * 2 : RECOVER_LAST_PAUSE_MS;
    }
}

static int
remove_all(core_t *core)
{
    int rc;
    do {
        AUTO(err) err = NULL;
        rc = remove_next(core, &err);
        if (rc < 0)
            log_err(LOG_DEBUG, "enclave.recover_failed", err, "enclave=%s", core->enclave_name);
    } while (rc > 0);
    return rc;
}

/* Removes one stale service: 1; when there is none, every unknown container: 0. */
static int
remove_next(core_t *core, err_t **err)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    int rc = registry_stale(db_lock(core->db), NULL, &uuid, &name, err);
    db_unlock(core->db);
    if (rc <= 0)
        return rc < 0 ? rc : remove_unknown(core, err);
    if (claims_take(core->claims, (const char *[]){name}, 1, actor_stopping_fd(core_actor(core)), 0,
                    err) < 0)
        return -1;
    /* Looked for again: who held the name may have removed it. */
    rc = remove_stale(core, NULL, name, err);
    claims_release(core->claims, (const char *[]){name}, 1);
    return rc < 0 ? rc : 1;
}

static int
remove_stale(core_t *core, actor_call_t *within, const char *name, err_t **err)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *same_name = NULL;
    int rc = registry_stale(db_lock(core->db), name, &uuid, &same_name, err);
    db_unlock(core->db);
    if (rc <= 0)
        return rc;
    rc = remove_container(core, within, uuid, err);
    if (rc == 0) {
        rc = registry_delete(db_lock(core->db), uuid, err);
        db_unlock(core->db);
    }
    if (rc < 0)
        return err_wrap(err, "cannot remove the container of service '%s'", name);
    log_info("service.removed", "service=%s uuid=%s", name, uuid);
    return 1;
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
