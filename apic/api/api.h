/*  api: the public API of an API container: handlers of api_container_api.ApiContainerService over
 * apic/core. */
#ifndef KURTOSIS_APIC_API_H
#define KURTOSIS_APIC_API_H

#include "apic/core/core.h"
#include "apic/run/run.h"

/* The actor's state: what every handler gets. */
typedef struct {
    core_t *core;
    run_t *run;
} api_t;

/* Every method of the service; for actor_config_t, together with an api_t as the state. Lent for
 * ever. */
const actor_method_t *api_methods(void);

#endif
