/*  claims: who may change which things: one at a time per name, any number on different names. */
#ifndef KURTOSIS_BASE_CLAIMS_H
#define KURTOSIS_BASE_CLAIMS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct claims claims_t;

claims_t *claims_new(void);
void claims_destroy(claims_t **self_p); /* nobody may be waiting */
AUTO_FOR(claims)

/* Waits until nobody holds any of the names and takes all of them at once (so nobody waits in a circle). CANCELLED when
 * cancel_fd (-1 for none) becomes readable first, TIMEOUT once clock_ns() is past deadline (0 for none), LIMIT when
 * descriptors are short. Names are copied, and each is there once. Any thread. */
int claims_take(claims_t *self, const char *const *names, size_t count, int cancel_fd,
                int64_t deadline, err_t **err);
/* Takes it if nobody holds it; false otherwise. Does not wait. */
bool claims_try(claims_t *self, const char *name);
/* Names that are not held are passed over. */
void claims_release(claims_t *self, const char *const *names, size_t count);

#endif
