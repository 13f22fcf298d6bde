/*  fake: a daemon that misbehaves as a test wants: it listens on a unix socket, and a function of
 *  the test answers each request on the connection's own thread. For what a real daemon does not do
 *  when asked to. */
#ifndef KURTOSIS_TESTS_DOCKER_FAKE_H
#define KURTOSIS_TESTS_DOCKER_FAKE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fake fake_t;

/* A request that has come whole. Answer it with the functions below, or not at all. */
typedef struct {
    fake_t *fake;
    int fd;
    char method[8];
    char path[4096]; /* with the query; the version is cut off */
    char *body;      /* chunks put together */
    size_t body_size;
    bool close; /* set to close the connection afterwards */
} fake_request_t;

typedef void(fake_fn)(void *arg, fake_request_t *request);

fake_t *fake_new(fake_fn *answer, void *arg);
/* Closes everything, waits for its threads. */
void fake_destroy(fake_t **self_p);
/* "unix:///..."; lent. */
const char *fake_host(const fake_t *self);
/* Stops listening and closes all connections, as a daemon that stops; listens again. */
void fake_stop(fake_t *self);
void fake_start(fake_t *self);
/* Requests that have come so far whose path has this part. */
unsigned fake_count(fake_t *self, const char *part);

/* Waits until so many have come; false when they have not after 10 s. */
bool fake_wait(fake_t *self, const char *part, unsigned count);

/* Bytes as they are. */
void fake_send(fake_request_t *request, const char *text);
/* A whole answer with a JSON body. */
void fake_json(fake_request_t *request, int status, const char *json);
/* A chunked answer: head, pieces, end. */
void fake_stream(fake_request_t *request);
void fake_piece(fake_request_t *request, const char *text);
void fake_stream_end(fake_request_t *request);
/* Answers what every client asks first; true if it was that. */
bool fake_ping(fake_request_t *request);
/* Waits until the other side has closed the connection, or the fake stops. */
void fake_wait_gone(fake_request_t *request);

#endif
