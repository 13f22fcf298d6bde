/*  recover: makes the enclave what the database says after this process or the driver was away. */
#ifndef KURTOSIS_APIC_CORE_RECOVER_H
#define KURTOSIS_APIC_CORE_RECOVER_H

#include "apic/core/core.h"

/* Removes stale services and containers of services that are not registered. Whatever fails is
 * logged and tried again the next time. Asks the driver, so not on the loop thread. */
void recover_enclave(core_t *core);
/* Removes the stale service of this name, if there is one. The name is claimed by the caller. */
int recover_name(core_t *core, actor_call_t *within, const char *name, err_t **err);

#endif
