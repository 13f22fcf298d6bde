/*  driver: the driver under test, as its callers see it: an actor at "driver/<name>" behind a
 *  broker.
 *
 *  The suite knows nothing else of it, so one set of tests serves every driver. A row of the table
 *  in driver.c says how a driver is looked at from outside.
 */
#ifndef KURTOSIS_TESTS_CONTRACT_DRIVER_H
#define KURTOSIS_TESTS_CONTRACT_DRIVER_H

#include "base/err.h"
#include "base/str.h"
#include "bus/schema/orchestrator.pb-c.h"

#define GRACE_MS "500" /* how long the driver leaves what is left over */
#define WAIT_MS 60000  /* for anything that must come */

typedef struct driver driver_t;
typedef struct stream stream_t;

/* Starts a broker, the driver of this name as a child process, and a caller; NULL when there is no
 * driver of this name (rows in driver.c). Ends the process with a sentence when it cannot be. */
driver_t *driver_start(const char *name);
void driver_stop(driver_t **self_p);

/* Why this driver cannot hold a test of a group, or with test NULL the whole group; NULL when it holds it. Lent. */
const char *driver_lacks(const driver_t *self, const char *group, const char *test);
/* The test of the group that is the index-th of those that it lacks; NULL when there are no more. Lent. */
const char *driver_lacked(const driver_t *self, const char *group, size_t index);

/* Memory that the driver's process has in use, KiB. */
long driver_memory(const driver_t *self);
/* The most it had so far. */
long driver_peak(const driver_t *self);
/* How often the driver's process has died; it is started again each time. */
int driver_deaths(const driver_t *self);
/* What the orchestrator holds whose name has `part` in it: a line each; yours. */
char *driver_holds(driver_t *self, const char *part);
/* What the orchestrator itself says about a container, as JSON; yours. Only where it can be asked so. */
char *driver_inspect(driver_t *self, const char *container_id);
/* The same for a container of this spec that is never started. */
char *driver_describe(driver_t *self, const Orchestrator__ServiceSpec *spec);
/* Removes a container behind the driver's back; waits until nothing that persists has part in its name. */
void driver_forget_container(driver_t *self, const char *container_id);
bool driver_wait_gone(driver_t *self, const char *part);
/* Removes an image that a test loaded. */
void driver_forget_image(driver_t *self, const char *image);

/* Asks. method: the short name. *ret_reply (NULL to throw it away) is yours, free_unpacked. */
int driver_ask(driver_t *self, const char *method, const void *request, void *ret_reply,
               err_t **err);

/* Opens a stream; request: of a server stream, NULL for a client stream. */
stream_t *driver_open(driver_t *self, const char *method, const void *request);
/* Sends an item; what cannot be sent because the other side has ended is told by stream_recv. */
void stream_send(stream_t *self, const void *item);
void stream_end(stream_t *self);
/* 1 and *ret_item (yours), 0 at the end, negative on failure. The single reply of a client stream
 * is one item. */
int stream_recv(stream_t *self, void *ret_item, err_t **err);
/* Gives up if it still runs; frees. */
void stream_close(stream_t **self_p);

#endif
