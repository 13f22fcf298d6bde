/*  watch: see watch.h. */
#include "apic/core/watch.h"

#include "apic/core/internal.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

struct watch {
    core_t *core;
    actor_t *actor;
    void (*on_ready)(core_t *core);
    pthread_mutex_t lock;
    watch_waiter_t *waiters; /* guarded by lock; they live on their waiters' stacks */
};

static void loop(void *arg);
static int follow(watch_t *self, int *pause_ms, err_t **err);
static void hint(watch_t *self, const char *service_uuid);

int
watch_new(core_t *core, actor_t *actor, void (*on_ready)(core_t *core), watch_t **ret_watch,
          err_t **err)
{
    AUTO(watch) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->core = core;
    self->actor = actor;
    self->on_ready = on_ready;
    pthread_mutex_init(&self->lock, NULL);
    if (actor_spawn(actor, loop, self, err) < 0)
        return err_wrap(err, "cannot watch the enclave's containers");
    *ret_watch = TAKE(self);
    return 0;
}

void
watch_destroy(watch_t **self_p)
{
    watch_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_mutex_destroy(&self->lock);
    free(self);
}

int
watch_wait_begin(watch_t *self, watch_waiter_t *waiter, const char *service_uuid, err_t **err)
{
    waiter->service_uuid = service_uuid;
    waiter->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waiter->fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot wait for events: %s", strerror(errno));
    pthread_mutex_lock(&self->lock);
    waiter->next = self->waiters;
    self->waiters = waiter;
    pthread_mutex_unlock(&self->lock);
    return 0;
}

void
watch_wait_seen(watch_waiter_t *waiter)
{
    eventfd_t ignored;
    eventfd_read(waiter->fd, &ignored);
}

void
watch_wait_end(watch_t *self, watch_waiter_t *waiter)
{
    pthread_mutex_lock(&self->lock);
    for (watch_waiter_t **at = &self->waiters; *at; at = &(*at)->next)
        if (*at == waiter) {
            *at = waiter->next;
            break;
        }
    pthread_mutex_unlock(&self->lock);
    close(waiter->fd);
}

/* ------------------------------------------------------------------------------------------- the
 * thread */

static void
loop(void *arg)
{
    watch_t *self = arg;
    actor_t *actor = self->actor;
    int pause_ms = WATCH_FIRST_PAUSE_MS;
    while (!actor_stopping(actor)) {
        AUTO(err) err = NULL;
        if (follow(self, &pause_ms, &err) < 0 && !actor_stopping(actor))
            log_err(LOG_DEBUG, "enclave.watch_lost", err, "pause_ms=%d", pause_ms);
        struct pollfd stopping = {.fd = actor_stopping_fd(actor), .events = POLLIN};
        poll(&stopping, 1, pause_ms);
        pause_ms = pause_ms * 2 < WATCH_LAST_PAUSE_MS ? pause_ms * 2 : WATCH_LAST_PAUSE_MS;
    }
}

static void
on_event(watch_t *self, const Orchestrator__ContainerEvent *event, int *pause_ms)
{
    if (strcmp(event->action, "ready") == 0) {
        *pause_ms = WATCH_FIRST_PAUSE_MS;
        self->on_ready(self->core);
        hint(self, NULL);
        return;
    }
    if (strcmp(event->action, "resync") == 0) {
        hint(self, NULL);
    } else if (strcmp(event->action, "die") == 0 || strcmp(event->action, "destroy") == 0) {
        log_debug("service.container_ended", "service=%s exit_code=%d", event->service_uuid,
                  event->exit_code);
        hint(self, event->service_uuid);
    }
}

/* Opens the stream and reads it to its end. */
static int
follow(watch_t *self, int *pause_ms, err_t **err)
{
    Orchestrator__EnclaveRef enclave = ORCHESTRATOR__ENCLAVE_REF__INIT;
    enclave.enclave_uuid = (char *)core_enclave_uuid(self->core);
    AUTO(actor_stream) stream = NULL;
    if (core_stream(self->core, NULL, "WatchEnclave", &enclave.base, &stream, err) < 0)
        return -1;

    int stopping_fd = actor_stopping_fd(self->actor);
    for (;;) {
        struct pollfd fds[] = {{.fd = actor_stream_recv_fd(stream), .events = POLLIN},
                               {.fd = stopping_fd, .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
            return err_fail(err, ERR_INTERNAL, "cannot wait for events: %s", strerror(errno));
        if (fds[1].revents)
            return 0;
        if (!fds[0].revents)
            continue;
        AUTO_MESSAGE Orchestrator__ContainerEvent *event = NULL;
        int rc = actor_stream_recv(stream, -1, (ProtobufCMessage **)&event, err);
        if (rc <= 0)
            return rc;
        on_event(self, event, pause_ms);
    }
}

/* Wakes who waits for this service; everybody for NULL. */
static void
hint(watch_t *self, const char *service_uuid)
{
    pthread_mutex_lock(&self->lock);
    for (watch_waiter_t *waiter = self->waiters; waiter; waiter = waiter->next)
        if (!service_uuid || strcmp(waiter->service_uuid, service_uuid) == 0)
            eventfd_write(waiter->fd, 1);
    pthread_mutex_unlock(&self->lock);
}
