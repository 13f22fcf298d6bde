/*  transfer: one request on its way over one connection; used by http.c and by loops of their own (collect.c), on one
 *  thread. */
#ifndef KURTOSIS_DOCKER_DRIVER_TRANSFER_H
#define KURTOSIS_DOCKER_DRIVER_TRANSFER_H

#include "docker-driver/answer.h"
#include "docker-driver/http.h"
#include "docker-driver/pool.h"

/* A request on its way. */
typedef struct {
    docker_pool_t *pool;
    docker_request_t *request;
    int fd;
    bool reused;   /* the connection served before, and may have ended unseen */
    bool heard;    /* some of the answer has come */
    bool took;     /* something of the source, which gives it only once */
    bool sent;     /* all of the request has been put into out */
    bool deaf;     /* the other side takes no more of it */
    bool finished; /* with an answer, or with request->failure */
    str_t out;     /* to be sent */
    size_t out_used;
    int64_t deadline; /* clock_ns(); 0 for none */
    unsigned version;
    answer_t answer;
} docker_transfer_t;

/* Takes a connection and gets ready to send. version: of the API, e.g. 1041. Failed at once:
 * finished. All lent until destroy. */
docker_transfer_t *docker_transfer_new(docker_pool_t *pool, unsigned version,
                                       docker_request_t *request);
/* Gives the connection back if it can be used again, and puts a refusal into request->failure. */
void docker_transfer_destroy(docker_transfer_t **self_p);

/* The same over an http.h object, for a loop of one's own: asks for the version first if need be, which waits. NULL when
 * that fails. */
docker_transfer_t *docker_http_begin(docker_http_t *http, docker_request_t *request, err_t **err);

/* What poll(2) is to look for. */
short docker_transfer_events(const docker_transfer_t *self);
/* Goes on with what poll(2) has found; sets finished. now: clock_ns(). */
void docker_transfer_advance(docker_transfer_t *self, short events, int64_t now);

#endif
