/*  stage: a broker, the driver in memory and a core on them, for tests of apic/core and apic/api.
 */
#ifndef KURTOSIS_TESTS_APIC_CORE_STAGE_H
#define KURTOSIS_TESTS_APIC_CORE_STAGE_H

#include "tests/sim/sim.h"
#include "tests/unit/apic_core/support.h"

typedef struct {
    char *folder, *endpoint;
    bus_keys_t broker_keys, keys;
    bus_broker_t *broker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned apics; /* API containers on the bus; guarded by lock */
    sim_t *sim;
    core_t *core;
    actor_t *apic;
} stage_t;

/* The network of this process' enclaves, and its addresses: a /24 inside loopback, so that what listens there answers
 * here. No other process that uses this function gets the same one, however many run at once. Lent, for good. */
const char *stage_subnet(void);
const char *stage_ip(unsigned host); /* (0..255) */
/* A core's, with gateway 1 and itself 2 in it. */
core_config_t stage_config(const char *folder);

int stage_setup(void **state);
int stage_teardown(void **state);

/* The API container: opened on the folder, with the public API's methods; and gone, as after a kill
 * when the core is thrown away without a word. */
void stage_open(stage_t *self, const actor_method_t *methods, void *state);
void stage_close(stage_t *self);
/* Waits until the broker has noticed that no API container is there: after a kill that is a moment later. */
void stage_until_gone(stage_t *self);
/* Joins as another actor. */
actor_t *stage_actor(stage_t *self, const char *name, const actor_method_t *methods, void *state);
void stage_sim(stage_t *self);

/* Starts services; fails the test with the reason when it must not fail. */
int stage_start(stage_t *self, core_service_config_t **configs, size_t count, unsigned parallelism,
                err_t **err);
void stage_started(stage_t *self, core_service_config_t **configs, size_t count,
                   unsigned parallelism);
#define STAGE_START(stage, ...)                                                                    \
    stage_started(                                                                                 \
        stage, (core_service_config_t *[]){__VA_ARGS__},                                           \
        sizeof((core_service_config_t *[]){__VA_ARGS__}) / sizeof(core_service_config_t *), 4)

#endif
