/*  locks: see locks.h. */
#include "engine/locks.h"

#include "base/clock.h"

#include <czmq.h>
#include <pthread.h>

#define CHECK_NS NS_PER_SECOND /* how often a waiter looks whether its caller is still there */

struct engine_locks {
    pthread_mutex_t lock;
    pthread_cond_t given; /* something was given back */
    zhashx_t *held;       /* key -> itself */
};

engine_locks_t *
engine_locks_new(void)
{
    engine_locks_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->given, &attributes);
    pthread_condattr_destroy(&attributes);
    self->held = zhashx_new();
    return self;
}

void
engine_locks_destroy(engine_locks_t **self_p)
{
    engine_locks_t *self = TAKE(*self_p);
    if (!self)
        return;
    zhashx_destroy(&self->held);
    pthread_cond_destroy(&self->given);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* With the lock held. */
static bool
try_key(engine_locks_t *self, const char *key)
{
    return zhashx_insert(self->held, key, self) == 0;
}

bool
engine_locks_try(engine_locks_t *self, const char *key)
{
    pthread_mutex_lock(&self->lock);
    bool got = try_key(self, key);
    pthread_mutex_unlock(&self->lock);
    return got;
}

int
engine_locks_take(engine_locks_t *self, const char *key, actor_call_t *call, err_t **err)
{
    int64_t deadline = call ? actor_call_deadline(call) : 0;
    int result = 0;
    pthread_mutex_lock(&self->lock);
    while (!try_key(self, key)) {
        int64_t now = clock_ns(), until = now + CHECK_NS;
        if (call && actor_call_cancelled(call)) {
            result = err_fail(err, ERR_CANCELLED, "the caller gave up");
            break;
        }
        if (deadline && now >= deadline) {
            result =
                err_fail(err, ERR_TIMEOUT, "another operation on this enclave is still under way");
            break;
        }
        if (deadline && deadline < until)
            until = deadline;
        struct timespec wake = {.tv_sec = until / NS_PER_SECOND, .tv_nsec = until % NS_PER_SECOND};
        pthread_cond_timedwait(&self->given, &self->lock, &wake);
    }
    pthread_mutex_unlock(&self->lock);
    return result;
}

void
engine_locks_give(engine_locks_t *self, const char *key)
{
    pthread_mutex_lock(&self->lock);
    zhashx_delete(self->held, key);
    pthread_cond_broadcast(&self->given);
    pthread_mutex_unlock(&self->lock);
}
