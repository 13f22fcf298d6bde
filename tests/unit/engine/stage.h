/*  stage: an engine in a folder of its own, a driver in memory that keeps enclaves as entries of a
 * list, and clients. */
#ifndef KURTOSIS_TESTS_ENGINE_STAGE_H
#define KURTOSIS_TESTS_ENGINE_STAGE_H

#include "engine/engine.h"

#include "bus/schema/engine.pb-c.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <google/protobuf/empty.pb-c.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define APIC_JOIN_MS 400 /* of an API container that never joins */
#define ENCLAVES_MAX 32
#define LINES_MAX 64

/* An enclave as the driver in memory has it. */
typedef struct {
    char uuid[33];
    char *name;
    int64_t creation_time;
    bool is_production;
    unsigned running, stopped;
    actor_t *apic; /* its API container */
} entry_t;

typedef struct {
    char folder[64], bus[80];
    engine_t *engine;
    actor_t *driver;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    entry_t *enclaves[ENCLAVES_MAX];
    size_t count;
    bool apic_joins;         /* API containers of new enclaves join the bus */
    bool hold_creation;      /* CreateEnclave waits until this is false again */
    unsigned creating;       /* calls of CreateEnclave so far */
    char refuse_destroy[33]; /* DestroyEnclave of this UUID fails */
    char destroyed[ENCLAVES_MAX][33];
    size_t n_destroyed;
    const char *lines[LINES_MAX]; /* of the service SERVICE; FlushLogs puts them into the store */
    size_t stored;                /* of them, in the log store */
    bool ends;                    /* the service SERVICE ends behind its lines */
    unsigned flushes;             /* calls of FlushLogs so far */
    int64_t base; /* nanoseconds since 1970, a whole second: the first line's time */
} stage_t;

#define SERVICE "5e51ce00000000000000000000000001"
#define SILENT_SERVICE "5e51ce00000000000000000000000002" /* there, and says nothing */

int stage_setup(void **state);
int stage_teardown(void **state);
/* The engine, with the driver. */
void stage_start(stage_t *self);
void stage_stop(stage_t *self);

/* A user's connection, with a key that the engine knows. */
actor_t *stage_client(stage_t *self);
/* The keys of a user, whose public one is put into the engine's folder if is_known. */
bus_keys_t stage_user(stage_t *self, bool is_known);
int stage_join(stage_t *self, const char *name, const bus_keys_t *keys, actor_t **ret_actor,
               err_t **err);

/* Adds an enclave that is there already. */
void stage_add(stage_t *self, const char *uuid, const char *name, unsigned running,
               unsigned stopped);
size_t stage_count(stage_t *self);
/* Puts the lines that are not in the store yet there, and how they end. With the lock, or while nothing else runs. */
void stage_print(stage_t *self, const char *enclave);
bool stage_was_destroyed(stage_t *self, const char *uuid);
/* Orders what the test has set or will read with what the driver does: messages do, but a checker
 * of threads cannot see that. */
void stage_sync(stage_t *self);
/* Waits until a condition of the stage holds, 10 s at most. */
void stage_wait(stage_t *self, bool (*holds)(const stage_t *self));

int ask(actor_t *client, const char *method, const ProtobufCMessage *request,
        ProtobufCMessage **ret_reply, err_t **err);
int ask_create(actor_t *client, const char *name, EngineApi__CreateEnclaveResponse **ret_reply,
               err_t **err);

extern const Google__Protobuf__Empty nothing;

#define assert_done(result, error)                                                                 \
    do {                                                                                           \
        if ((result) < 0) {                                                                        \
            AUTO_FREE char *text_ = err_string(error);                                             \
            fail_msg("%s", text_);                                                                 \
        }                                                                                          \
    } while (0)
#define assert_error(result, error, wanted_code, words)                                            \
    do {                                                                                           \
        int result_ = (result);                                                                    \
        AUTO_FREE char *text_ = err_string(error);                                                 \
        if (result_ >= 0 || err_code(error) != (wanted_code) || !strstr(text_, words))             \
            fail_msg("result %d, error %d '%s'", result_, err_code(error), text_);                 \
        err_destroy(&(error));                                                                     \
    } while (0)

#endif
