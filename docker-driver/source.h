/*  source: the log of one container on its way into the store; for collect.c, on its thread.
 *
 *      PENDING -> INSPECTING -> FOLLOWING -> ENDED       read to the end; the container may start again
 *                     |             |
 *                     +---> GONE    +-----> WAITING      Docker or the disk failed: again later, from where the store ends
 */
#ifndef KURTOSIS_DOCKER_DRIVER_SOURCE_H
#define KURTOSIS_DOCKER_DRIVER_SOURCE_H

#include "docker-driver/api.h"
#include "docker-driver/cursor.h"
#include "docker-driver/entries.h"
#include "docker-driver/transfer.h"
#include "logs/logs.h"

typedef enum {
    SOURCE_PENDING,
    SOURCE_INSPECTING,
    SOURCE_FOLLOWING,
    SOURCE_ENDED,
    SOURCE_WAITING,
    SOURCE_GONE,
} source_state_t;

typedef struct {
    docker_t *docker;
    const char *root;    /* of the store; lent */
    logs_batch_t *batch; /* lent; empty whenever another source has its turn */
    source_state_t state;
    char *id, *enclave, *service; /* the latter two once inspected */
    bool tty, running;
    bool again;   /* it has started once more since it was opened */
    bool removed; /* Docker has no such container any more */
    bool listed;  /* for collect.c */
    docker_request_t request;
    docker_transfer_t *transfer;
    char *path;
    docker_entries_t entries;
    bool has_entries;
    logs_writer_t *writer;
    docker_cursor_t cursor;
    uint64_t bytes;   /* put into the store since collect.c looked */
    int64_t retry_at; /* clock_ns(), while WAITING */
    int delay_ms;
} docker_source_t;

docker_source_t *docker_source_new(docker_t *docker, const char *root, logs_batch_t *batch,
                                   const char *id);
/* Closes; what is read and not stored is read again some time. */
void docker_source_destroy(docker_source_t **self_p);

/* Starts what PENDING, or WAITING long enough, asks for. */
void docker_source_begin(docker_source_t *self, int64_t now);
/* Goes on with what poll(2) found on self->transfer->fd. */
void docker_source_advance(docker_source_t *self, short events, int64_t now);

#endif
