/*  locks: one operation at a time on one enclave, any number on different ones: base/claims, within a call. */
#ifndef KURTOSIS_ENGINE_LOCKS_H
#define KURTOSIS_ENGINE_LOCKS_H

#include "actors/actors.h"
#include "base/claims.h"

/* Waits until nobody holds key, and holds it. TIMEOUT once call's deadline is over, CANCELLED when its caller gave up
 * meanwhile; call may be NULL. Key is copied. */
static inline int
engine_locks_take(claims_t *self, const char *key, actor_call_t *call, err_t **err)
{
    return claims_take(self, &key, 1, call ? actor_call_cancel_fd(call) : -1,
                       call ? actor_call_deadline(call) : 0, err);
}

static inline void
engine_locks_give(claims_t *self, const char *key)
{
    claims_release(self, &key, 1);
}

#endif
