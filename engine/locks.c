/*  locks: see locks.h. */
#include "engine/locks.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_NS NS_PER_SECOND /* how often a waiter looks whether its caller is still there */

/* As many as operations under way, so a list does. */
typedef struct held {
    struct held *next;
    char key[];
} held_t;

struct engine_locks {
    pthread_mutex_t lock;
    pthread_cond_t given; /* something was given back */
    held_t *held;         /* owned */
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
    return self;
}

void
engine_locks_destroy(engine_locks_t **self_p)
{
    engine_locks_t *self = TAKE(*self_p);
    if (!self)
        return;
    while (self->held) {
        held_t *next = self->held->next;
        free(self->held);
        self->held = next;
    }
    pthread_cond_destroy(&self->given);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Where the holding of key hangs, or the end of the list. With the lock held. */
static held_t **
find_key(engine_locks_t *self, const char *key)
{
    held_t **at = &self->held;
    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    return at;
}

/* With the lock held. */
static bool
try_key(engine_locks_t *self, const char *key)
{
    held_t **at = find_key(self, key);
    if (*at)
        return false;
    size_t size = strlen(key) + 1;
    *at = calloc(1, sizeof **at + size);
    if (!*at)
        abort();
    memcpy((*at)->key, key, size);
    return true;
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
    held_t **at = find_key(self, key), *held = *at;
    if (held)
        *at = held->next;
    free(held);
    pthread_cond_broadcast(&self->given);
    pthread_mutex_unlock(&self->lock);
}
