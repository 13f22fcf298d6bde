/*  batch: core_services_start: registers all services, starts them on a few threads, and undoes the
 *  batch when one fails.
 *
 *    check       every configuration, before anything happens
 *    claim       all names, so that nobody else changes these services
 *    register    in one transaction: new UUID and address, or the registered ones with the new
 *                configuration
 *    start       at most parallelism at once; after the first failure no further one, and those under
 *                way are called off
 *    then        acknowledge all in one transaction; or remove the new ones, container first
 *
 *  A service that was there before and could not be updated stays registered, as not started.
 */
#include "apic/core/batch.h"

#include "apic/core/recover.h"
#include "apic/core/registry.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define STACK_SIZE (256u * 1024)

typedef struct {
    core_t *core;
    actor_call_t
        *within; /* called off when one of the services fails, unless the caller gave none */
    batch_item_t *items;
    const char **names;
    size_t count;
    unsigned parallelism;
    pthread_mutex_t lock;
    size_t next;     /* item to start; guarded by lock */
    bool has_failed; /* guarded by lock */
} batch_t;

static int check(const batch_t *self, err_t **err);
static int start_claimed(batch_t *self, err_t **err);
static int register_all(sqlite3 *db, void *arg, err_t **err);
static int acknowledge_all(sqlite3 *db, void *arg, err_t **err);
static void on_threads(batch_t *self, void *(*work)(void *arg));
static void *start_some(void *arg);
static void on_failure(batch_t *self, batch_item_t *item);
static void *remove_some(void *arg);
static void undo(batch_t *self);
static int fail(batch_t *self, err_t **err);
static int transaction(batch_t *self, int (*fn)(sqlite3 *db, void *arg, err_t **err), err_t **err);
static int give_back(batch_t *self, core_service_t **ret_services, err_t **err);

int
core_services_start(core_t *core, actor_call_t *within, core_service_config_t *const *configs,
                    size_t count, unsigned parallelism, core_service_t **ret_services,
                    err_t **ret_errors, err_t **err)
{
    if (count > CORE_BATCH_MAX)
        return err_fail(err, ERR_LIMIT, "%zu services are too many for one batch, %u are allowed",
                        count, CORE_BATCH_MAX);
    actor_call_t *scope = within ? actor_scope_new(core_actor(core), within) : NULL;
    batch_t self = {.core = core,
                    .within = scope,
                    .count = count,
                    .parallelism = parallelism ? parallelism : 1};
    if (self.parallelism > CORE_PARALLELISM_MAX)
        self.parallelism = CORE_PARALLELISM_MAX;
    pthread_mutex_init(&self.lock, NULL);
    self.items = calloc(count + 1, sizeof *self.items);
    self.names = calloc(count + 1, sizeof *self.names);
    if (!self.items || !self.names)
        abort();
    for (size_t i = 0; i < count; i++) {
        self.items[i].config = configs[i];
        self.names[i] = configs[i]->spec->name;
    }

    int rc = check(&self, err);
    if (rc == 0)
        rc = claims_take(core->claims, self.names, count, core_cancel_fd(core, within), 0, err);
    if (rc == 0) {
        rc = start_claimed(&self, err);
        claims_release(core->claims, self.names, count);
    }
    if (rc == 0)
        rc = give_back(&self, ret_services, err);
    for (size_t i = 0; i < count; i++) {
        if (ret_errors)
            ret_errors[i] = TAKE(self.items[i].error);
        err_destroy(&self.items[i].error);
    }
    free(self.items);
    free(self.names);
    pthread_mutex_destroy(&self.lock);
    actor_scope_destroy(&scope);
    return rc;
}

static int
check(const batch_t *self, err_t **err)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->names[i][0] == 0)
            return err_fail(err, ERR_INVALID, "a service without a name cannot be started");
        for (size_t j = 0; j < i; j++)
            if (strcmp(self->names[i], self->names[j]) == 0)
                return err_fail(err, ERR_INVALID, "service '%s' is there twice in one batch",
                                self->names[i]);
        if (start_check(self->core, self->items[i].config, err) < 0)
            return err_wrap(err, "cannot start service '%s'", self->names[i]);
    }
    return 0;
}

static int
start_claimed(batch_t *self, err_t **err)
{
    for (size_t i = 0; i < self->count; i++)
        if (recover_name(self->core, self->within, self->names[i], err) < 0)
            return -1;
    if (transaction(self, register_all, err) < 0)
        return err_wrap(err, "cannot register the services");

    on_threads(self, start_some);
    int rc = self->has_failed ? fail(self, err) : transaction(self, acknowledge_all, err);
    if (rc < 0)
        undo(self);
    return rc;
}

/* ------------------------------------------------------------------------------------- database */

static int
transaction(batch_t *self, int (*fn)(sqlite3 *db, void *arg, err_t **err), err_t **err)
{
    int rc = db_transaction(db_lock(self->core->db), fn, self, err);
    db_unlock(self->core->db);
    return rc;
}

static int
register_one(sqlite3 *db, const batch_t *self, batch_item_t *item, err_t **err)
{
    AUTO(core_service) service = NULL;
    AUTO(err) missing = NULL;
    const char *name = item->config->spec->name;
    if (registry_find_name(db, name, &service, &missing) == 0) {
        snprintf(item->uuid, sizeof item->uuid, "%s", service->uuid);
        snprintf(item->ip, sizeof item->ip, "%s", service->private_ip);
        return registry_update(db, item->uuid, item->config, err);
    }
    if (err_code(missing) != ERR_NOT_FOUND) {
        if (err)
            *err = TAKE(missing);
        return -1;
    }
    size_t count;
    if (registry_count(db, &count, err) < 0)
        return -1;
    if (count >= CORE_SERVICES_MAX)
        return err_fail(err, ERR_LIMIT,
                        "an enclave may have %u services; remove some that are not needed",
                        CORE_SERVICES_MAX);
    item->is_new = true;
    return registry_add(db, &self->core->net, item->config, item->uuid, item->ip, err);
}

static int
register_all(sqlite3 *db, void *arg, err_t **err)
{
    batch_t *self = arg;
    for (size_t i = 0; i < self->count; i++)
        if (register_one(db, self, &self->items[i], err) < 0)
            return err_wrap(err, "cannot register service '%s'", self->names[i]);
    return 0;
}

static int
acknowledge_all(sqlite3 *db, void *arg, err_t **err)
{
    batch_t *self = arg;
    for (size_t i = 0; i < self->count; i++)
        if (registry_acknowledge(db, self->items[i].uuid, err) < 0)
            return err_wrap(err, "cannot register service '%s' as started", self->names[i]);
    return 0;
}

static int
mark_stale(sqlite3 *db, void *arg, err_t **err)
{
    batch_t *self = arg;
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].is_new && registry_set_stale(db, self->items[i].uuid, err) < 0)
            return -1;
    return 0;
}

/* -------------------------------------------------------------------------------------- threads */

/* Runs work on this thread and on up to parallelism - 1 others; fewer where threads are short. */
static void
on_threads(batch_t *self, void *(*work)(void *arg))
{
    pthread_t threads[CORE_PARALLELISM_MAX];
    size_t started = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    self->next = 0;
    while (started + 1 < self->parallelism && started + 1 < self->count &&
           pthread_create(&threads[started], &attributes, work, self) == 0)
        started++;
    pthread_attr_destroy(&attributes);
    work(self);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

static batch_item_t *
next_item(batch_t *self, bool even_after_failure)
{
    pthread_mutex_lock(&self->lock);
    batch_item_t *item = NULL;
    if (self->next < self->count && (even_after_failure || !self->has_failed))
        item = &self->items[self->next++];
    pthread_mutex_unlock(&self->lock);
    return item;
}

static void *
start_some(void *arg)
{
    batch_t *self = arg;
    for (batch_item_t *item; (item = next_item(self, false));)
        if (start_service(self->core, self->within, item, &item->error) < 0)
            on_failure(self, item);
    return NULL;
}

/* The first failure ends the batch; those that it calls off have nothing to say of their own. */
static void
on_failure(batch_t *self, batch_item_t *item)
{
    pthread_mutex_lock(&self->lock);
    const bool is_first = !self->has_failed;
    self->has_failed = true;
    pthread_mutex_unlock(&self->lock);
    if (!self->within)
        return;
    if (is_first)
        actor_scope_cancel(self->within, "another service of the batch could not be started");
    else if (err_code(item->error) == ERR_CANCELLED)
        err_destroy(&item->error);
}

/* ------------------------------------------------------------------------------------- failures */

/* The batch's error: that of the only service, or all of them by name. */
static int
fail(batch_t *self, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    const err_t *only = NULL;
    size_t failed = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->items[i].error)
            continue;
        AUTO_FREE char *why = err_string(self->items[i].error);
        str_printf(&text, "%s%s", failed++ ? "\n" : "", why);
        only = self->items[i].error;
    }
    if (failed == 1 && err) {
        *err = err_dup(only);
        return -1;
    }
    return err_fail(err, err_code(only), "%zu services could not be started:\n%s", failed,
                    text.data);
}

static void *
remove_some(void *arg)
{
    batch_t *self = arg;
    for (batch_item_t *item; (item = next_item(self, true));) {
        AUTO(err) err = NULL;
        /* Not within the caller: it may have given up, and what it began must still go. */
        if (item->is_new && recover_name(self->core, NULL, item->config->spec->name, &err) < 0)
            log_err(LOG_WARN, "service.rollback_failed", err, "service=%s uuid=%s",
                    item->config->spec->name, item->uuid);
    }
    return NULL;
}

/* Removes the batch's new services. What cannot be removed now is, as soon as the driver answers
 * again. */
static void
undo(batch_t *self)
{
    AUTO(err) err = NULL;
    if (transaction(self, mark_stale, &err) < 0)
        log_err(LOG_WARN, "service.rollback_failed", err, "services=%zu", self->count);
    else
        on_threads(self, remove_some);
}

static int
give_back(batch_t *self, core_service_t **ret_services, err_t **err)
{
    for (size_t i = 0; i < self->count; i++)
        if (core_service_find(self->core, self->items[i].uuid, &ret_services[i], err) < 0) {
            while (i > 0)
                core_service_destroy(&ret_services[--i]);
            return -1;
        }
    return 0;
}
