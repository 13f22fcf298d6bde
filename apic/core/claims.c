/*  claims: see claims.h. A waiter has an event descriptor, so that it can wait for its caller as
 * well. */
#include "apic/core/claims.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>

typedef struct waiter {
    int fd;
    struct waiter *next;
} waiter_t;

struct claims {
    pthread_mutex_t lock;
    char **held;
    size_t count, space;
    waiter_t *waiters;
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

static bool
try_take(claims_t *self, const char *const *names, size_t count)
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

/* Waits for a release; the list of waiters is locked by the caller before and after. */
static int
wait_for_release(claims_t *self, waiter_t *waiter, int cancel_fd, err_t **err)
{
    pthread_mutex_unlock(&self->lock);
    struct pollfd fds[] = {{.fd = waiter->fd, .events = POLLIN},
                           {.fd = cancel_fd, .events = POLLIN}};
    while (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno == EINTR)
        ;
    uint64_t released;
    ssize_t ignored = read(waiter->fd, &released, sizeof released);
    (void)ignored;
    pthread_mutex_lock(&self->lock);
    if (fds[1].revents)
        return err_fail(err, ERR_CANCELLED,
                        "the caller gave up while another operation changed the same services");
    return 0;
}

int
claims_take(claims_t *self, const char *const *names, size_t count, int cancel_fd, err_t **err)
{
    pthread_mutex_lock(&self->lock);
    int rc = 0;
    if (!try_take(self, names, count)) {
        waiter_t waiter = {.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .next = self->waiters};
        if (waiter.fd < 0)
            rc = err_fail(err, ERR_LIMIT, "cannot wait for services: %s", strerror(errno));
        self->waiters = &waiter;
        while (rc == 0 && (rc = wait_for_release(self, &waiter, cancel_fd, err)) == 0 &&
               !try_take(self, names, count))
            ;
        waiter_t **at = &self->waiters;
        while (*at != &waiter)
            at = &(*at)->next;
        *at = waiter.next;
        if (waiter.fd >= 0)
            close(waiter.fd);
    }
    pthread_mutex_unlock(&self->lock);
    return rc;
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
    for (waiter_t *waiter = self->waiters; waiter; waiter = waiter->next) {
        uint64_t one = 1;
        ssize_t ignored = write(waiter->fd, &one, sizeof one);
        (void)ignored;
    }
    pthread_mutex_unlock(&self->lock);
}
