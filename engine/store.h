/*  store: what the engine has to remember, in <data>/engine.db.
 *
 *  What runs is found in the orchestrator; here are only the things it cannot say: which enclaves
 * ever were, which are half made or half destroyed, and the public keys of their API containers.
 * Any thread.
 */
#ifndef KURTOSIS_ENGINE_STORE_H
#define KURTOSIS_ENGINE_STORE_H

#include "base/uuid.h"
#include "bus/bus.h"

#define ENGINE_HISTORY_MAX 10000 /* enclaves of the past that are remembered, the newest ones */

/* Where an enclave is in its life. Written before the orchestrator is asked, so that a new engine
 * can finish what a killed one began. The numbers are in the file. */
typedef enum {
    ENGINE_STAGE_MAKING = 1, /* not acknowledged yet: destroyed at the next start */
    ENGINE_STAGE_MADE = 2,
    ENGINE_STAGE_ENDING = 3, /* being destroyed: destroyed at the next start */
    ENGINE_STAGE_GONE = 4,
} engine_stage_t;

typedef struct {
    char uuid[UUID_LEN + 1];
    char *name;
    int64_t creation_time; /* nanoseconds since 1970 */
    engine_stage_t stage;
} engine_record_t;

typedef struct engine_store engine_store_t;

/* Opens or makes the file; its folder must exist. */
int engine_store_open(const char *path, engine_store_t **ret_store, err_t **err);
void engine_store_destroy(engine_store_t **self_p);
AUTO_FOR(engine_store)

/* Writes down that an enclave is about to be made. */
int engine_store_add(engine_store_t *self, const char *uuid, const char *name,
                     int64_t creation_time, const uint8_t apic_key[BUS_KEY_SIZE], err_t **err);
/* Moves an enclave to another stage; fine when it is not known. */
int engine_store_set_stage(engine_store_t *self, const char *uuid, engine_stage_t stage,
                           err_t **err);
/* Forgets an enclave that never was acknowledged. */
int engine_store_forget(engine_store_t *self, const char *uuid, err_t **err);

/* All enclaves, oldest first; engine_records_free. */
int engine_store_records(engine_store_t *self, engine_record_t **ret_records, size_t *ret_count,
                         err_t **err);
void engine_records_free(engine_record_t *records, size_t count);
/* The record of a UUID in records, or NULL. */
const engine_record_t *engine_records_find(const engine_record_t *records, size_t count,
                                           const char *uuid);

/* Is or was there an enclave of this name? True when the file cannot be read. */
bool engine_store_knows_name(engine_store_t *self, const char *name);
/* Is this the key of the API container of an enclave that is not gone? */
bool engine_store_knows_apic(engine_store_t *self, const char *uuid,
                             const uint8_t key[BUS_KEY_SIZE]);

#endif
