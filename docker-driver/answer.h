/*  answer: an HTTP/1.1 answer, parsed as its bytes come, cut anywhere. Asks nobody, holds no body.
 *
 *      while (...bytes came...) {
 *          long used = answer_feed(&answer, data, size, on_body, arg, err);
 *          ...                                    negative: not HTTP, or what on_body returned
 *      }
 *
 *  answer_feed returns early once, when the head is complete (head_done has become true), so that
 *  the caller can look at the status before the body comes. Bytes after the answer's end are not
 *  used.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_ANSWER_H
#define KURTOSIS_DOCKER_DRIVER_ANSWER_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define ANSWER_HEAD_MAX 65536u /* bytes of a head, and of a body's trailer */

typedef enum {
    ANSWER_HEAD,
    ANSWER_LENGTH,     /* so many bytes are left */
    ANSWER_CHUNK_SIZE, /* the line before a chunk */
    ANSWER_CHUNK,      /* so many bytes of it are left */
    ANSWER_CHUNK_END,  /* the empty line after a chunk */
    ANSWER_TRAILER,    /* lines after the last chunk */
    ANSWER_UNTIL_END,  /* the body lasts until the connection ends */
    ANSWER_DONE
} answer_state_t;

typedef struct {
    bool no_body; /* of HEAD */
    answer_state_t state;
    bool head_done;
    int status;  /* once head_done; 101 is DONE: what follows belongs to the other protocol */
    bool closes; /* the connection is not to be used again */
    uint64_t left;
    str_t line;        /* head, or line of a chunked body, so far */
    str_t path_stat;   /* header X-Docker-Container-Path-Stat */
    str_t api_version; /* header Api-Version */
} answer_t;

void answer_init(answer_t *self, bool no_body);
void answer_done(answer_t *self);

/* Returns the bytes used; all of them unless the head or the answer has ended. */
long answer_feed(answer_t *self, const char *data, size_t size,
                 int (*body)(void *arg, const char *data, size_t size, err_t **err), void *arg,
                 err_t **err);
/* The connection has ended: 0 when that ends the answer, UNAVAILABLE when it cuts it. */
int answer_end(answer_t *self, err_t **err);

#endif
