/*  store: the runtime values of an enclave, and what interpretation knows of its services.
 *
 *  Values are what instructions found out when they ran (addresses, exit codes, outputs), by UUID
 * and field; they live as long as the enclave. A service has one UUID for ever, by its name; it is
 * remembered once the service has been added. Everything is kept in memory and in the enclave's
 * database. Any thread.
 */
#ifndef KURTOSIS_APIC_RUN_STORE_H
#define KURTOSIS_APIC_RUN_STORE_H

#include "apic/run/world.h"
#include "apic/types/datum.h"
#include "base/uuid.h"

typedef struct run_store run_store_t;

/* Makes the tables if need be and reads what is there. *ret_store is yours. */
int run_store_new(const run_world_t *world, run_store_t **ret_store, err_t **err);
void run_store_destroy(run_store_t **self_p);
AUTO_FOR(run_store)

/* Announces a UUID whose values will come. */
void run_store_reserve(run_store_t *self, const char *uuid);
/* Sets values, all or none of them; they are copied. */
typedef struct {
    const char *field;
    const types_datum_t *value;
} run_value_t;
int run_store_set(run_store_t *self, const char *uuid, const run_value_t *values, size_t count,
                  err_t **err);
/* Copies one value into an empty datum; NOT_FOUND says whether the UUID or the field is not there.
 */
int run_store_get(run_store_t *self, const char *uuid, const char *field, types_datum_t *ret,
                  err_t **err);

/* What is remembered of a service that was added: its UUID for references, and the Service value as
 * text. */
typedef struct {
    char *name;
    char uuid[UUID_LEN + 1];
    char *value; /* "" when the service was removed: its UUID stays its own */
} run_known_t;

/* NULL when nothing is known of the name; lent until the next run_store_know. */
bool run_store_uuid(run_store_t *self, const char *name, char ret_uuid[UUID_LEN + 1]);
/* Remembers; value "" forgets the value and keeps the UUID. */
int run_store_know(run_store_t *self, const char *name, const char *uuid, const char *value,
                   err_t **err);
/* Copies of everything known, by name; array and items yours (run_known_free). */
run_known_t *run_store_known(run_store_t *self, size_t *ret_count);
void run_known_free(run_known_t *items, size_t count);

/* Tasks whose containers were started and are still of use to their run: what is there when a run begins was left by one
 * that was cut off. Names: NULL-terminated, yours (types_texts_free). */
int run_store_task_begin(run_store_t *self, const char *name, err_t **err);
int run_store_task_end(run_store_t *self, const char *name, err_t **err);
char **run_store_tasks(run_store_t *self);

/* A text under a key: the enclave plan, the last run. */
int run_store_put_text(run_store_t *self, const char *key, const char *text, err_t **err);
/* Yours; NULL when there is none. */
char *run_store_get_text(run_store_t *self, const char *key);

#endif
