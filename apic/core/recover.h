/*  recover: makes the enclave what the database says, after this process or the driver was away and
 * after a removal that did not succeed. Works on a thread of its own until everything is done.
 */
#ifndef KURTOSIS_APIC_CORE_RECOVER_H
#define KURTOSIS_APIC_CORE_RECOVER_H

#include "apic/core/core.h"

#define RECOVER_FIRST_PAUSE_MS 5  /* before the next attempt after a failure; doubled each time */
#define RECOVER_LAST_PAUSE_MS 500 /* at most */

typedef struct recover recover_t;

/* Starts the thread; it does nothing until recover_again. */
int recover_new(core_t *core, actor_t *actor, recover_t **ret_recover, err_t **err);
/* After actor_destroy, which ends the thread. */
void recover_destroy(recover_t **self_p);
AUTO_FOR(recover)

/* Something may be left behind: removes stale services and containers of services that are not
 * registered. Any thread, never waits. */
void recover_again(recover_t *self);

/* Removes the stale service of this name, if there is one: 1, else 0. The name is claimed by the
 * caller. After a failure the thread goes on trying. */
int recover_name(core_t *core, actor_call_t *within, const char *name, err_t **err);

#endif
