/*  claims: see claims.h. A waiter has an event descriptor, so that it can wait for its caller as well. */
#include "base/claims.h"

#include "base/auto.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

typedef struct waiter {
    int fd; /* readable since something was released */
    struct waiter *next;
} waiter_t;

struct claims {
    pthread_mutex_t lock;
    char **held; /* as many as operations under way, so a list does */
    size_t count, space;
    waiter_t *waiters; /* on their threads' stacks */
};

claims_t *
claims_new(void)
{
    claims_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void
claims_destroy(claims_t **self_p)
{
    claims_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->held[i]);
    free(self->held);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static bool
is_held(const claims_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->held[i], name) == 0)
            return true;
    return false;
}

/* Under lock. */
static bool
try_all(claims_t *self, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_held(self, names[i]))
            return false;
    if (self->count + count > self->space) {
        self->space = self->count + count + 16;
        self->held = realloc(self->held, self->space * sizeof *self->held);
        if (!self->held)
            abort();
    }
    for (size_t i = 0; i < count; i++)
        if (!(self->held[self->count++] = strdup(names[i])))
            abort();
    return true;
}

/* Until something was released: 0. */
static int
wait_for_release(const waiter_t *waiter, int cancel_fd, int64_t deadline, err_t **err)
{
    struct pollfd fds[] = {{.fd = waiter->fd, .events = POLLIN},
                           {.fd = cancel_fd, .events = POLLIN}};
    for (;;) {
        int64_t left = deadline - clock_ns();
        struct timespec most = {.tv_sec = left / NS_PER_SECOND, .tv_nsec = left % NS_PER_SECOND};
        if (deadline && left <= 0)
            return err_fail(err, ERR_TIMEOUT, "another operation on it is still under way");
        if (ppoll(fds, 2, deadline ? &most : NULL, NULL) < 0 && errno != EINTR)
            return err_fail(err, ERR_LIMIT, "cannot wait for another operation's end: %s",
                            strerror(errno));
        if (fds[1].revents)
            return err_fail(err, ERR_CANCELLED,
                            "the caller gave up while another operation was under way");
        if (fds[0].revents)
            break;
    }
    eventfd_t released;
    eventfd_read(waiter->fd, &released);
    return 0;
}

/* Under lock, but for the waiting itself. */
static int
wait_for_all(claims_t *self, const char *const *names, size_t count, int cancel_fd,
             int64_t deadline, err_t **err)
{
    waiter_t waiter = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .next = self->waiters};
    if (waiter.fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot wait for another operation's end: %s",
                        strerror(errno));
    self->waiters = &waiter;
    int rc;
    do {
        pthread_mutex_unlock(&self->lock);
        rc = wait_for_release(&waiter, cancel_fd, deadline, err);
        pthread_mutex_lock(&self->lock);
    } while (rc == 0 && !try_all(self, names, count));
    waiter_t **at = &self->waiters;
    while (*at != &waiter)
        at = &(*at)->next;
    *at = waiter.next;
    close(waiter.fd);
    return rc;
}

int
claims_take(claims_t *self, const char *const *names, size_t count, int cancel_fd, int64_t deadline,
            err_t **err)
{
    pthread_mutex_lock(&self->lock);
    int rc = try_all(self, names, count)
                 ? 0
                 : wait_for_all(self, names, count, cancel_fd, deadline, err);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

bool
claims_try(claims_t *self, const char *name)
{
    pthread_mutex_lock(&self->lock);
    bool taken = try_all(self, &name, 1);
    pthread_mutex_unlock(&self->lock);
    return taken;
}

void
claims_release(claims_t *self, const char *const *names, size_t count)
{
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < self->count; j++)
            if (strcmp(self->held[j], names[i]) == 0) {
                free(self->held[j]);
                self->held[j] = self->held[--self->count];
                break;
            }
    for (waiter_t *waiter = self->waiters; waiter; waiter = waiter->next)
        eventfd_write(waiter->fd, 1);
    pthread_mutex_unlock(&self->lock);
}
