/*  engine: the one long-lived actor of a cluster, with the broker and the driver it supervises. The
 * public face of this folder, for its program and its tests.
 *
 *      engine_config_t config = ENGINE_CONFIG_DEFAULT;
 *      engine_t *engine;
 *      if (engine_new(&config, &engine, &err) < 0) ...
 *      actor_process_wait();
 *      engine_destroy(&engine);
 */
#ifndef KURTOSIS_ENGINE_H
#define KURTOSIS_ENGINE_H

#include "actors/actors.h"

#define ENGINE_APIC_JOIN_MS 30000 /* how long a new API container may take to join the bus */
#define ENGINE_APIC_REJOIN_MS                                                                      \
    3000 /* how long one that was there is waited for when an enclave is looked up */
#define ENGINE_DRIVER_JOIN_MS                                                                      \
    10000 /* how long a request waits for a driver that is being restarted */
#define ENGINE_DRIVER_ASK_MS 120000 /* one operation of the driver */
#define ENGINE_PARALLEL 8u          /* enclaves that Clean destroys at once */
#define ENGINE_USERS_MAX 1000u      /* files looked at in keys/users */

typedef struct engine engine_t;

typedef struct {
    const char *data;              /* folder of engine.db and keys; made if absent */
    const char *bus;               /* folder of the ipc socket, mounted in every API container */
    const char *listen;            /* tcp endpoint for users; NULL for none */
    const char *logs;              /* folder of the log store; NULL for <data>/logs */
    int64_t logs_retention_ns;     /* how long lines are kept; 0 for LOGS_RETENTION_NS */
    uint64_t logs_quota;           /* bytes of all logs; 0 for the driver's default */
    const char *const *logs_sinks; /* URLs of where else they go, ended by NULL; NULL for nowhere */
    const char *cluster;           /* the driver is "driver/<cluster>" */
    const char
        *driver; /* program of the driver, found in PATH; NULL: somebody else brings the driver */
    const char *version;   /* of the engine, and of API containers unless asked otherwise */
    const char *image;     /* repository of the API container's image, without tag */
    const char *log_level; /* of the driver; NULL for its default */
    int apic_join_ms;      /* 0 means ENGINE_APIC_JOIN_MS */
} engine_config_t;

#define ENGINE_CONFIG_DEFAULT                                                                      \
    ((engine_config_t){.data = "/kurtosis-data",                                                   \
                       .bus = "/run/kurtosis/bus",                                                 \
                       .listen = "tcp://0.0.0.0:9720",                                             \
                       .logs = "/var/log/kurtosis",                                                \
                       .cluster = "docker",                                                        \
                       .driver = "kurtosis-docker-driver",                                         \
                       .version = KURTOSIS_VERSION,                                                \
                       .image = "kurtosistech/core"})

/* Opens the data, binds the broker, starts driver and actor, and begins to tidy up after a killed
 * engine (in the background, once the driver is there). The config is copied. */
int engine_new(const engine_config_t *config, engine_t **ret_engine, err_t **err);
/* Drains, ends the driver, frees. */
void engine_destroy(engine_t **self_p);
AUTO_FOR(engine)
/* Public key of the broker; lent. */
const uint8_t *engine_public_key(const engine_t *self);
/* The keys that the driver must have, for who brings it: config.driver was NULL. */
bus_keys_t engine_driver_keys(const engine_t *self);
/* Port of the tcp endpoint; 0 when there is none. */
int engine_port(const engine_t *self);

/* What it answers; ends with {0}. */
extern const actor_method_t engine_methods[];

/* The engine's arguments as the orchestrator hands them over, one JSON object (docs: api, process
 * configuration). */
typedef struct engine_args {
    char *log_level, *version;
    int64_t logs_retention_ns; /* 0: not said */
    uint64_t logs_quota;       /* bytes; 0: not said */
    char **logs_sinks;         /* URLs, ended by NULL; NULL: none */
} engine_args_t;
/* INVALID for what is no object, misses a required field or has it blank. */
int engine_args_parse(const char *json, engine_args_t **ret_args, err_t **err);
void engine_args_destroy(engine_args_t **self_p);
AUTO_FOR(engine_args)

#endif
