/*  record: the last run of an enclave that came to an end, for whoever wants to run it again. */
#ifndef KURTOSIS_APIC_RUN_RECORD_H
#define KURTOSIS_APIC_RUN_RECORD_H

#include "apic/run/phases.h"

int run_record_put(run_store_t *store, bool is_production, const run_request_t *request,
                   err_t **err);
/* Yours; when there was no run, what a first one would find. */
ApiContainerApi__GetStarlarkRunResponse *run_record_get(run_store_t *store, bool is_production);

#endif
