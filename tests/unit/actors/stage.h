/*  stage: a broker and actors on it, for the tests of the runtime. */
#ifndef KURTOSIS_TESTS_ACTORS_STAGE_H
#define KURTOSIS_TESTS_ACTORS_STAGE_H

#include "actors/actors.h"
#include "base/clock.h"
#include "bus/schema/bus.pb-c.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 30000
#define AT_ONCE (PATIENCE_MS * NS_PER_MS / 2) /* and not because PATIENCE_MS have passed */
#define DRIVER "driver/test"
#define UUID "0123456789abcdef0123456789abcdef"
#define APIC "apic/" UUID
#define METHOD(name) "orchestrator.Orchestrator/" name

typedef struct {
    char folder[64];
    char ipc[96];
    bus_keys_t broker_keys, keys;
    bus_broker_t *broker;
} stage_t;

int stage_setup(void **state);
int stage_teardown(void **state);
void stage_start(stage_t *self); /* the broker */
void stage_stop(stage_t *self);

/* A joined actor, with everything by default; state may be NULL. */
actor_t *stage_actor(stage_t *self, const char *name, const actor_method_t *methods, void *state);
actor_config_t stage_config(stage_t *self, const char *name, const actor_method_t *methods,
                            void *state);

/* A number that threads count up and tests wait for. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int value;
} counter_t;
#define COUNTER_INIT                                                                               \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                     \
    }
void counter_add(counter_t *self, int more);
void counter_wait(counter_t *self, int least); /* at most PATIENCE_MS, else the test fails */
int counter_get(counter_t *self);

/* GetServices with uuid as the enclave, timeout as actor_ask. */
int ask_services(actor_t *actor, actor_call_t *within, const char *uuid, int timeout_ms,
                 err_t **err);

#define assert_error(error, wanted_code, words)                                                    \
    do {                                                                                           \
        AUTO_FREE char *text_ = err_string(error);                                                 \
        if (err_code(error) != (wanted_code) || !strstr(text_, words))                             \
            fail_msg("error %d '%s', wanted %d '%s'", err_code(error), text_, wanted_code, words); \
    } while (0)
#define assert_done(result, error)                                                                 \
    do {                                                                                           \
        if ((result) < 0) {                                                                        \
            AUTO_FREE char *text_ = err_string(error);                                             \
            fail_msg("%s", text_);                                                                 \
        }                                                                                          \
    } while (0)

#endif
