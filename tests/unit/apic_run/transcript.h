/*  transcript: runs a script or package against an enclave in memory and writes down what it says.
 *
 *      [2:21] add_service: Adding service with name 'a' and image 'b'
 *        add_service(name="a", config=ServiceConfig(image="b"))
 *        = Service 'a' added with service UUID 'UUID'
 *      finished: true
 *
 *  UUIDs of references are numbered, others are "UUID"; times are "TIME"; progress is only written
 * where asked for. */
#ifndef TEST_TRANSCRIPT_H
#define TEST_TRANSCRIPT_H

#include "apic/run/phases.h"
#include "world_memory.h"

typedef struct {
    world_memory_t *memory; /* NULL when it is another one */
    const run_world_t *world;
    run_store_t *store;
    pthread_mutex_t lock;
    bool with_arguments; /* of every instruction, below it; false after enclave_init */
} enclave_t;

void enclave_init(enclave_t *self, const char *repositories);
/* The same on the world of a core, which is lent. */
void enclave_init_world(enclave_t *self, const run_world_t *world);
void enclave_done(enclave_t *self);

/* request->parallelism and texts get defaults where they are not set. Yours. */
char *transcript(enclave_t *self, run_request_t request, bool with_progress);
/* The same of a script, with no arguments. */
char *transcript_of(enclave_t *self, const char *script);
/* The plan as YAML, its UUIDs as U1, U2, ...; or why there is none, a line per cause. Yours. */
char *transcript_yaml(enclave_t *self, run_request_t request);

/* Writes a file of packages below the folder, and the folders on its way. */
void put_file(const char *folder, const char *path, const char *text);
/* Is that what the file says? *ret_expected gets what it says. With KURTOSIS_GOLDEN=write in the environment the file is
 * written instead. */
bool golden_same(const char *path, const char *said, str_t *ret_expected);

#endif
