/*  http: requests to the Docker Engine API, over a unix socket or TCP.
 *
 *  A request is a struct that is filled, run, and then holds the answer. Several may run at once on
 *  one thread (docker_http_run), so "kill these twenty containers" or "follow these three logs"
 *  needs no threads of its own. Bodies stream both ways: `source` gives what goes up, `sink` takes
 *  what comes down; both may wait, the transfer then waits too. Connections are kept alive and used
 *  again; one that the daemon closed (it was restarted) is made anew by the next request.
 *
 *      docker_request_t get = {.method = "GET", .path = path};
 *      if (docker_http_do(http, &get, cancel_fd, err) < 0)
 *          return err_wrap(err, "cannot inspect container '%s'", id);
 *      ... get.reply ...
 *      docker_request_done(&get);
 *
 *  Any thread; a docker_http_t may be used by many at once.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_HTTP_H
#define KURTOSIS_DOCKER_DRIVER_HTTP_H

#include "base/err.h"
#include "base/str.h"

#define DOCKER_API_NEWEST 1047u              /* 1.47: the newest API whose words we know */
#define DOCKER_API_OLDEST 1040u              /* 1.40: Docker 19.03 */
#define DOCKER_TIMEOUT_MS 60000              /* for an ordinary request */
#define DOCKER_REPLY_MAX (64u * 1024 * 1024) /* bytes of a reply that is gathered in memory */
#define DOCKER_PARALLEL_MAX 16u              /* requests of one run that are under way at once */

typedef struct docker_http docker_http_t;

typedef struct docker_request {
    /* What is asked. All lent until the request has run. */
    const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char
        *path; /* "/containers/json?all=1", from docker_path(); the API version is put before it */
    const char *body;         /* JSON text, or NULL */
    const char *content_type; /* of what source gives; NULL means JSON */
    const char *header;       /* one more header line, or NULL */
    int timeout_ms;           /* 0: DOCKER_TIMEOUT_MS; negative: none */
    int idle_ms;              /* > 0: how long nothing may go or come, instead of timeout_ms */
    bool no_version;          /* the path is taken as it is */
    bool unlimited; /* does not count for DOCKER_PARALLEL_MAX: a stream that may last for ever */
    /* Begins when this one, an earlier one of the same run, has ended, however it did; or NULL. */
    const struct docker_request *after;

    /* Streaming; NULL for none. Called on the thread that runs the request. Negative ends the
     * request with that error. source: fills at most size bytes, 0 at the end. sink: of successful
     * answers only. opened: the head of a successful answer is there, its body is to come. */
    long (*source)(void *arg, char *buffer, size_t size, err_t **err);
    int (*sink)(void *arg, const char *data, size_t size, err_t **err);
    int (*opened)(void *arg, err_t **err);
    void *arg;

    /* What came back. */
    bool ended;        /* its run needs no more of it */
    int status;        /* HTTP status; 0 when there was no answer */
    str_t reply;       /* body, unless it went to sink; the error's body of a refusal */
    str_t path_stat;   /* header X-Docker-Container-Path-Stat, decoded from base64 */
    str_t api_version; /* header Api-Version */
    err_t *failure;    /* why this request failed; NULL when it did not */
} docker_request_t;

/* host: "unix:///path", "tcp://name:port" or "ssh://user@name"; NULL finds one (endpoint.h).
 * Connects nothing yet. INVALID for an address of another kind. */
int docker_http_new(const char *host, docker_http_t **ret_http, err_t **err);
void docker_http_destroy(docker_http_t **self_p);
AUTO_FOR(docker_http)

/* The address, as above; lent as long as self lives. */
const char *docker_http_host(const docker_http_t *self);
/* The path of the unix socket, or NULL over TCP; lent. */
const char *docker_http_socket(const docker_http_t *self);

/* Runs one request. Negative when there was no answer or it was a refusal (status >= 400): the
 * error says why and what to do, request->status tells which. CANCELLED when cancel_fd (-1 for
 * none) became readable. */
int docker_http_do(docker_http_t *self, docker_request_t *request, int cancel_fd, err_t **err);

/* Runs count requests, at most DOCKER_PARALLEL_MAX at once, and returns when all have ended.
 * Negative when any failed: err is the first one's failure, each request has its own in
 * request->failure. A source, sink or opened that fails ends its own request only. */
int docker_http_run(docker_http_t *self, docker_request_t *requests, size_t count, int cancel_fd,
                    err_t **err);

/* Frees what came back and makes the request fit to run again. */
void docker_request_done(docker_request_t *self);
#define AUTO_REQUEST __attribute__((cleanup(docker_request_done))) docker_request_t

/* The negotiated API version as a number (1041 for 1.41), asked of the daemon on first use. */
int docker_http_version(docker_http_t *self, unsigned *ret_version, err_t **err);

/* A new connection, not blocking; the caller's. For hijack.c. */
int docker_http_connect(docker_http_t *self, int *ret_fd, err_t **err);

/* Builds a path: like printf, but knows only %s (the text is percent-encoded, but for '/' ':' '@'),
 * %d (int) and %%. Yours, free(). */
char *docker_path(const char *format, ...);

#endif
