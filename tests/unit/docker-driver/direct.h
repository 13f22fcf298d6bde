/*  direct: a driver's operations called without a bus: unary ones on the caller's thread, streaming
 *  ones on a thread of their own with a queue each way. The same words as asking over the bus, so a
 *  test reads the same.
 */
#ifndef KURTOSIS_TESTS_DOCKER_DIRECT_H
#define KURTOSIS_TESTS_DOCKER_DIRECT_H

#include "docker-driver/docker-driver.h"

typedef struct direct direct_t; /* one call of a streaming operation */

/* One request, one reply: as orchestrator.proto names the method, e.g. "CreateEnclave". */
int direct_ask(docker_t *docker, const char *method, const void *request, void *ret_reply,
               err_t **err);

/* Begins a streaming operation. request: of a server stream; NULL for client streams. */
direct_t *direct_open(docker_t *docker, const char *method, const void *request);
/* Sends a copy of an item; waits when DIRECT_QUEUE_MAX wait already. Does nothing when the
 * operation has ended. */
void direct_send(direct_t *self, const void *item);
void direct_end(direct_t *self);
/* 1 and *ret_item (yours, free_unpacked), 0 at the end, negative on failure; TIMEOUT after
 * timeout_ms. The one reply of a client stream is an item. */
int direct_recv(direct_t *self, int timeout_ms, void *ret_item, err_t **err);
void direct_cancel(direct_t *self);
/* Cancels if it still runs, waits for its end, frees. */
void direct_close(direct_t **self_p);

#endif
