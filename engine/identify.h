/*  identify: which enclave is meant by a full UUID, a shortened UUID or a name. */
#ifndef KURTOSIS_ENGINE_IDENTIFY_H
#define KURTOSIS_ENGINE_IDENTIFY_H

#include "bus/schema/orchestrator.pb-c.h"

#include "base/err.h"

/* Tries full UUID, shortened UUID, name, in this order, each over all enclaves. *ret_enclave is
 * lent from enclaves. NOT_FOUND when there is none, INVALID when a shortened UUID or a name fits
 * several. */
int engine_identify(Orchestrator__Enclave *const *enclaves, size_t count, const char *identifier,
                    const Orchestrator__Enclave **ret_enclave, err_t **err);

#endif
