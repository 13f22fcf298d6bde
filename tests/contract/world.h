/*  world: what the tests of the suite share: the driver, one enclave, images, and short words for
 *  common steps. */
#ifndef KURTOSIS_TESTS_CONTRACT_WORLD_H
#define KURTOSIS_TESTS_CONTRACT_WORLD_H

#include "base/uuid.h"
#include "tests/contract/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define IMAGE_BOX                                                                                  \
    "kurtosis-contract/box:1" /* busybox; its command sleeps, and ends at once on SIGTERM */
#define IMAGE_ENGINE                                                                               \
    "kurtosis-contract/engine:1" /* the same, with the programs of engine and API container */
#define IMAGE_ABSENT "127.0.0.1:1/absent:1" /* of a registry that nobody serves */

extern driver_t *driver;
extern char enclave[UUID_LEN + 1]; /* the one that service tests use */

/* The groups, one per file; each returns the number of failed tests. */
int images_group(void);
int builds_group(void);
int flakes_group(void);
int engine_group(void);
int enclaves_group(void);
int services_group(void);
int isolation_group(void);
int rows_group(void);
int files_group(void);
int streams_group(void);
int logs_group(void);

/* Runs a group's tests but for those that the driver lacks, which are told with the reason. A lack that names no test
 * of the group is a failed one. */
int group_run(const char *group, const struct CMUnitTest *tests, size_t count,
              CMFixtureFunction setup, CMFixtureFunction teardown);

void world_start(const char *name, const char *tools);
/* Also checks that nothing is left. */
int world_stop(void);

/* A UUID that begins with this run's tag, so that whatever is left behind is recognised. Static,
 * eight of them. */
const char *new_uuid(void);
/* "ct-<tag>-<what>": an enclave's name. Static, four of them. */
const char *enclave_name(const char *what);
/* Everything that exists and has `part` (NULL: this run's tag) in its name. Yours. */
char *holds(const char *part);

/* Makes an image as image.sh does, of this name or these, with these programs (NULL-terminated; NULL: none), and loads it
 * through the driver. */
void image_load(const char *name, const char *const *programs);

/* Asks, and fails the test if the driver refuses. */
void ask(const char *method, const void *request, void *ret_reply);
/* Asks, and fails the test if the driver does not refuse with this code and these words in its
 * error. */
void ask_fails(const char *method, const void *request, err_code_t code, const char *words);
void check_error(err_t *err, err_code_t code, const char *words);

Orchestrator__Enclave *enclave_make(const char *uuid, const char *name);
void enclave_destroy(const char *uuid);

/* A spec of a service in the enclave: IMAGE_BOX, its own command, the next free address. */
void spec_init(Orchestrator__ServiceSpec *spec, const char *name);
/* Starts it with archives (a gzip-compressed or plain tar each, one per row): yours, free_unpacked.
 */
typedef struct {
    uint32_t mount;
    const str_t *tar;
} archive_t;
stream_t *service_open(const Orchestrator__ServiceSpec *spec, const archive_t *archives,
                       size_t count);
Orchestrator__ServiceInfo *service_start(const Orchestrator__ServiceSpec *spec);
void service_start_fails(const Orchestrator__ServiceSpec *spec, err_code_t code, const char *words);
void service_remove(const char *uuid);

/* Runs a sh script in a service; ret_out gets its output, error output included. Returns its exit
 * code. */
int run_in(const char *service_uuid, const char *script, str_t *ret_out);
/* The same in a service of another enclave. */
int run_at(const char *enclave_uuid, const char *service_uuid, const char *script, str_t *ret_out);

#endif
