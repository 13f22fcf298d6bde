/*  watch: hears from the driver what happens to the enclave's containers, and wakes those who wait
 * for one.
 *
 *  One WatchEnclave stream per API container, opened again by itself when driver or engine come
 * back. An event is a hint to look at the container, not the truth: events of a replaced container
 * look like the new one's, and some are missed while the stream is away (then every waiter gets a
 * hint).
 */
#ifndef KURTOSIS_APIC_CORE_WATCH_H
#define KURTOSIS_APIC_CORE_WATCH_H

#include "actors/actors.h"

#define WATCH_FIRST_PAUSE_MS 5  /* before the stream is opened again; doubled each time */
#define WATCH_LAST_PAUSE_MS 500 /* at most */

typedef struct core core_t;
typedef struct watch watch_t;

/* Starts the thread. on_ready: the stream is on, first time or again; on the watch's thread, must
 * not wait. */
int watch_new(core_t *core, actor_t *actor, void (*on_ready)(core_t *core), watch_t **ret_watch,
              err_t **err);
/* After actor_destroy, which ends the thread. */
void watch_destroy(watch_t **self_p);
AUTO_FOR(watch)

/* Hints for one service. */
typedef struct watch_waiter {
    const char *service_uuid; /* lent */
    int fd;                   /* readable: look at the service */
    struct watch_waiter *next;
} watch_waiter_t;

int watch_wait_begin(watch_t *self, watch_waiter_t *waiter, const char *service_uuid, err_t **err);
/* The hint is taken; further ones make the descriptor readable again. */
void watch_wait_seen(watch_waiter_t *waiter);
void watch_wait_end(watch_t *self, watch_waiter_t *waiter);

#endif
