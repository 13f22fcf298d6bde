/*  locks: one operation at a time on one enclave, any number on different ones. */
#ifndef KURTOSIS_ENGINE_LOCKS_H
#define KURTOSIS_ENGINE_LOCKS_H

#include "actors/actors.h"

typedef struct engine_locks engine_locks_t;

engine_locks_t *engine_locks_new(void);
void engine_locks_destroy(engine_locks_t **self_p); /* nothing may be held */
AUTO_FOR(engine_locks)

/* Waits until nobody holds key, and holds it. TIMEOUT once call's deadline is over, CANCELLED when
 * its caller gave up meanwhile; call may be NULL. Key is copied. */
int engine_locks_take(engine_locks_t *self, const char *key, actor_call_t *call, err_t **err);
/* Holds key if nobody does; false otherwise. Does not wait. */
bool engine_locks_try(engine_locks_t *self, const char *key);
void engine_locks_give(engine_locks_t *self, const char *key);

#endif
