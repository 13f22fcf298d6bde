/*  claims: who may change which services: one at a time per name. */
#ifndef KURTOSIS_APIC_CORE_CLAIMS_H
#define KURTOSIS_APIC_CORE_CLAIMS_H

#include "base/err.h"

typedef struct claims claims_t;

claims_t *claims_new(void);
void claims_destroy(claims_t **self_p);
AUTO_FOR(claims)

/* Waits until nobody holds any of the names and takes all of them at once (so nobody waits in a
 * circle); CANCELLED when cancel_fd (-1 for none) becomes readable first. Names are copied. */
int claims_take(claims_t *self, const char *const *names, size_t count, int cancel_fd, err_t **err);
void claims_release(claims_t *self, const char *const *names, size_t count);

#endif
