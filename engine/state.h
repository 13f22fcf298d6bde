/*  state: what the files of the engine share. Everything here is safe on any thread. */
#ifndef KURTOSIS_ENGINE_STATE_H
#define KURTOSIS_ENGINE_STATE_H

#include "engine/engine.h"
#include "engine/locks.h"
#include "engine/store.h"

#include "base/log.h"
#include "bus/schema/engine.pb-c.h"
#include "bus/schema/orchestrator.pb-c.h"
#include "logs/logs.h"

#include <pthread.h>

/* Set once in engine_new, before the first call arrives; store and locks guard themselves. */
struct engine {
    char *version, *image;
    char *driver; /* bus name of the driver */
    char *users;  /* folder of the public keys of users */
    char *logs;   /* folder of the log store */
    int64_t logs_retention_ns;
    char *apic_endpoint; /* of the broker, as API containers see it */
    int apic_join_ms;
    bus_keys_t keys;
    bus_keys_t driver_keys; /* made anew for each engine process */
    bus_broker_t *broker;
    pthread_mutex_t start; /* held until actor is set */
    actor_t *actor;        /* by engine_actor */
    actor_child_t *driver_process;
    actor_child_t *sinks[LOGS_SINKS_MAX]; /* programs that forward logs; the first ones are there */
    engine_store_t *store;
    claims_t *locks;
};

/* A fresh message of our own that bus_message_destroy frees. */
#define MESSAGE_NEW(type, init)                                                                    \
    ({                                                                                             \
        type *new_ = calloc(1, sizeof *new_);                                                      \
        if (!new_)                                                                                 \
            abort();                                                                               \
        init(new_);                                                                                \
        new_;                                                                                      \
    })

/* The engine's own actor; lent. */
actor_t *engine_actor(engine_t *self);

/* Asks the driver: waits for it where it is just being restarted, and asks once more when it died
 * meanwhile (every method of it is safe to repeat). within may be NULL. */
int engine_ask_driver(engine_t *self, actor_call_t *within, const char *method,
                      const ProtobufCMessage *request, ProtobufCMessage **ret_reply, err_t **err);

/* An enclave in the words of the public API; yours, bus_message_destroy. */
EngineApi__EnclaveInfo *engine_info_new(const Orchestrator__Enclave *enclave);

/* All enclaves that clients may see: not those that are being made. */
int engine_list(engine_t *self, actor_call_t *within, Orchestrator__GetEnclavesReply **ret_reply,
                err_t **err);

/* Destroys one enclave with everything, and remembers it as gone. The caller has its lock. */
int engine_destroy_enclave(engine_t *self, actor_call_t *within, const char *uuid, err_t **err);

/* Destroys an enclave of which nobody was told, and forgets it. One that cannot be destroyed is
 * shown from now on. */
int engine_undo_enclave(engine_t *self, const char *uuid, err_t **err);

/* What a kill left behind is destroyed. On a thread of its own, at start; the lock ENGINE_SWEEP is
 * held until it is over. */
#define ENGINE_SWEEP "sweep"
void engine_sweep(void *self);

/* The gate: who may join the bus under which name. bus_broker_config_t's may_join and is_known. */
bool engine_gate_may_join(void *self, const char *name, const uint8_t key[BUS_KEY_SIZE]);
bool engine_gate_is_known(void *self, const uint8_t key[BUS_KEY_SIZE]);

actor_handler_fn engine_on_info, engine_on_create, engine_on_get, engine_on_get_some,
    engine_on_identifiers, engine_on_stop, engine_on_destroy, engine_on_clean, engine_on_logs;

#endif
