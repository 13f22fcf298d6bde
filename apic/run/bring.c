/*  bring: who waits for which repository. */
#include "apic/run/bring.h"

#include "base/clock.h"
#include "base/uuid.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One question, on the stack of the thread that waits. */
typedef struct want {
    struct want *next;
    char id[UUID_LEN + 1];
    char *archive, *reason; /* one of them when it is answered; owned */
} want_t;

struct run_bring {
    pthread_mutex_t lock; /* of all */
    pthread_cond_t changed;
    want_t *first;
    bool is_stopping;
};

run_bring_t *
run_bring_new(void)
{
    run_bring_t *self = calloc(1, sizeof(*self));
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->changed);
    return self;
}

void
run_bring_destroy(run_bring_t **self_p)
{
    run_bring_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Under lock, until it is answered or there is no use in waiting: false. */
static bool
wait_for(run_bring_t *self, const want_t *want, run_feed_t *feed, err_t **err)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RUN_BRING_MS / 1000;
    while (!want->archive && !want->reason) {
        if (self->is_stopping || run_feed_is_left(feed)) {
            err_fail(err, ERR_CANCELLED,
                     self->is_stopping ? "the API container stops" : "the client has gone");
            return false;
        }
        if (pthread_cond_timedwait(&self->changed, &self->lock, &until) == ETIMEDOUT) {
            err_fail(err, ERR_TIMEOUT, "the client has not brought it within %d s",
                     RUN_BRING_MS / 1000);
            return false;
        }
    }
    return true;
}

static void
remove_want(run_bring_t *self, const want_t *want)
{
    for (want_t **at = &self->first; *at; at = &(*at)->next)
        if (*at == want) {
            *at = want->next;
            return;
        }
}

int
run_bring_ask(run_bring_t *self, run_feed_t *feed, const char *url, const char *version,
              char **ret_archive, err_t **err)
{
    want_t want = {0};
    uuid_new(want.id);
    pthread_mutex_lock(&self->lock);
    want.next = self->first;
    self->first = &want;
    pthread_mutex_unlock(&self->lock);
    run_lines_wanted(&(run_lines_t){run_feed_add, feed}, want.id, url, version);

    pthread_mutex_lock(&self->lock);
    int rc = wait_for(self, &want, feed, err) ? 0 : -1;
    remove_want(self, &want);
    pthread_mutex_unlock(&self->lock);
    if (rc == 0 && want.reason)
        rc = err_fail(err, ERR_DENIED, "%s", want.reason);
    if (rc == 0)
        *ret_archive = TAKE(want.archive);
    free(want.reason);
    return rc < 0 ? err_wrap(err, "the client's git cannot fetch '%s'", url) : 0;
}

/* Under lock. */
static want_t *
find(run_bring_t *self, const char *id, err_t **err)
{
    for (want_t *want = self->first; want; want = want->next)
        if (!strcmp(want->id, id) && !want->archive && !want->reason)
            return want;
    err_fail(err, ERR_NOT_FOUND, "no run waits for a repository with the id '%.64s'", id);
    return NULL;
}

int
run_bring_put(run_bring_t *self, const char *id, char **archive_p, err_t **err)
{
    pthread_mutex_lock(&self->lock);
    want_t *want = find(self, id, err);
    if (want)
        want->archive = TAKE(*archive_p);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return want ? 0 : -1;
}

int
run_bring_refuse(run_bring_t *self, const char *id, const char *reason, err_t **err)
{
    pthread_mutex_lock(&self->lock);
    want_t *want = find(self, id, err);
    if (want)
        want->reason = strdup(reason[0] ? reason : "it does not say why");
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return want ? 0 : -1;
}

void
run_bring_wake(run_bring_t *self)
{
    pthread_mutex_lock(&self->lock);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void
run_bring_stop(run_bring_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->is_stopping = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}
