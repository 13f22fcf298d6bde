/*  http: see http.h.
 *
 *  A run drives its transfers on the caller's thread with one poll(2) over their connections. A
 *  transfer takes an idle connection (or makes one), sends its request, and reads the answer while
 *  it still sends, so that an early refusal is heard. Connections are never shared between threads,
 *  so there is no lock but the pool's.
 */
#include "docker-driver/http.h"

#include "base/clock.h"
#include "docker-driver/pool.h"
#include "docker-driver/transfer.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct docker_http {
    docker_pool_t pool;
    pthread_mutex_t lock;
    unsigned version; /* under lock; 0 until negotiated */
};

static int negotiate(docker_http_t *self, err_t **err);
static int run(docker_http_t *self, unsigned version, docker_request_t *requests, size_t count,
               int cancel_fd);

/* --------------------------------------------------------------------------------------- public */

int
docker_http_new(const char *host, docker_http_t **ret_http, err_t **err)
{
    AUTO(docker_http) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    if (docker_pool_init(&self->pool, host, err) < 0)
        return -1;
    *ret_http = TAKE(self);
    return 0;
}

void
docker_http_destroy(docker_http_t **self_p)
{
    docker_http_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_mutex_destroy(&self->lock);
    docker_pool_done(&self->pool);
    free(self);
}

const char *
docker_http_host(const docker_http_t *self)
{
    return self->pool.address.text;
}

const char *
docker_http_socket(const docker_http_t *self)
{
    return self->pool.address.path;
}

int
docker_http_connect(docker_http_t *self, int *ret_fd, err_t **err)
{
    return docker_pool_connect(&self->pool, ret_fd, err);
}

int
docker_http_run(docker_http_t *self, docker_request_t *requests, size_t count, int cancel_fd,
                err_t **err)
{
    unsigned version = 0;
    if (count && !requests[0].no_version && docker_http_version(self, &version, err) < 0) {
        for (size_t i = 0; i < count; i++)
            requests[i].failure = err ? err_dup(*err) : NULL;
        return -1;
    }
    if (run(self, version, requests, count, cancel_fd) == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (requests[i].failure) {
            if (err) {
                err_destroy(err);
                *err = err_dup(requests[i].failure);
            }
            break;
        }
    return -1;
}

int
docker_http_do(docker_http_t *self, docker_request_t *request, int cancel_fd, err_t **err)
{
    return docker_http_run(self, request, 1, cancel_fd, err);
}

docker_transfer_t *
docker_http_begin(docker_http_t *self, docker_request_t *request, err_t **err)
{
    unsigned version = 0;
    if (docker_http_version(self, &version, err) < 0)
        return NULL;
    return docker_transfer_new(&self->pool, version, request);
}

void
docker_request_done(docker_request_t *self)
{
    str_done(&self->reply);
    str_done(&self->path_stat);
    str_done(&self->api_version);
    err_destroy(&self->failure);
    self->status = 0;
}

int
docker_http_version(docker_http_t *self, unsigned *ret_version, err_t **err)
{
    for (int tries = 0; tries < 2; tries++) {
        pthread_mutex_lock(&self->lock);
        *ret_version = self->version;
        pthread_mutex_unlock(&self->lock);
        if (*ret_version)
            return 0;
        if (negotiate(self, err) < 0)
            return -1;
    }
    return err_fail(err, ERR_UNAVAILABLE, "the Docker daemon at '%s' keeps changing its version",
                    self->pool.address.text);
}

static void
path_escape(str_t *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:@";
    for (; *text; text++) {
        if (strchr(plain, *text))
            str_add_char(out, *text);
        else
            str_printf(out, "%%%02X", (unsigned char)*text);
    }
}

char *
docker_path(const char *format, ...)
{
    str_t path = STR_EMPTY;
    va_list args;
    va_start(args, format);
    for (const char *p = format; *p; p++) {
        if (*p != '%') {
            str_add_char(&path, *p);
            continue;
        }
        p++;
        if (*p == 's')
            path_escape(&path, va_arg(args, const char *));
        else if (*p == 'd')
            str_printf(&path, "%d", va_arg(args, int));
        else
            str_add_char(&path, '%');
    }
    va_end(args);
    return str_take(&path);
}

/* ----------------------------------------------------------------------------------------- runs */

/* All that a run holds. */
typedef struct {
    docker_request_t *requests;
    size_t count, first; /* all before first have begun */
    bool *begun;         /* of each */
    docker_transfer_t **active;
    size_t active_count;
    struct pollfd *fds; /* of the active ones, then cancel */
} run_t;

static int
remaining_ms(const run_t *self)
{
    int64_t first = 0;
    for (size_t i = 0; i < self->active_count; i++) {
        int64_t deadline = self->active[i]->deadline;
        if (deadline && (!first || deadline < first))
            first = deadline;
    }
    if (!first)
        return -1;
    int64_t left = first - clock_ns();
    return left <= 0 ? 0 : (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

static void
watch(run_t *self, int cancel_fd)
{
    for (size_t i = 0; i < self->active_count; i++)
        self->fds[i] = (struct pollfd){.fd = self->active[i]->fd,
                                       .events = docker_transfer_events(self->active[i])};
    self->fds[self->active_count] = (struct pollfd){.fd = cancel_fd, .events = POLLIN};
}

/* The daemon was replaced by an older one: ask again which version it speaks. */
static void
forget_version(docker_http_t *self, const docker_request_t *request)
{
    if (request->status != 400 || !strstr(request->reply.data, "client version"))
        return;
    pthread_mutex_lock(&self->lock);
    self->version = 0;
    pthread_mutex_unlock(&self->lock);
}

/* The run is done with a transfer. */
static void
run_end(docker_http_t *self, docker_transfer_t *transfer)
{
    docker_request_t *request = transfer->request;
    forget_version(self, request);
    docker_transfer_destroy(&transfer);
    request->ended = true;
}

static bool
may_begin(const run_t *self, const docker_request_t *request)
{
    return (request->unlimited || self->active_count < DOCKER_PARALLEL_MAX) &&
           (!request->after || request->after->ended);
}

/* Begins what may begin, in their order. */
static void
run_begin(run_t *self, docker_http_t *http, unsigned version)
{
    for (size_t i = self->first; i < self->count; i++) {
        if (!self->begun[i] && may_begin(self, &self->requests[i])) {
            docker_transfer_t *transfer =
                docker_transfer_new(&http->pool, version, &self->requests[i]);
            self->begun[i] = true;
            if (transfer->finished)
                run_end(http, transfer);
            else
                self->active[self->active_count++] = transfer;
        }
        if (i == self->first && self->begun[i])
            self->first++;
    }
}

/* Goes on with those that poll(2) has found something for. */
static void
run_advance(run_t *self, docker_http_t *http)
{
    int64_t now = clock_ns();
    size_t kept = 0;
    for (size_t i = 0; i < self->active_count; i++) {
        docker_transfer_t *transfer = self->active[i];
        docker_transfer_advance(transfer, self->fds[i].revents, now);
        if (transfer->finished)
            run_end(http, transfer);
        else
            self->active[kept++] = transfer;
    }
    self->active_count = kept;
}

static void
run_cancel(run_t *self)
{
    for (size_t i = 0; i < self->active_count; i++) {
        err_fail(&self->active[i]->request->failure, ERR_CANCELLED, "the caller gave up");
        docker_transfer_destroy(&self->active[i]);
    }
    for (size_t i = self->first; i < self->count; i++)
        if (!self->begun[i])
            err_fail(&self->requests[i].failure, ERR_CANCELLED, "the caller gave up");
}

static int
run(docker_http_t *self, unsigned version, docker_request_t *requests, size_t count, int cancel_fd)
{
    run_t state = {.requests = requests,
                   .count = count,
                   .begun = calloc(count + 1, sizeof *state.begun),
                   .active = calloc(count + 1, sizeof *state.active),
                   .fds = calloc(count + 1, sizeof *state.fds)};
    if (!state.begun || !state.active || !state.fds)
        abort();
    for (size_t i = 0; i < count; i++)
        requests[i].ended = false;
    for (bool cancelled = false; !cancelled;) {
        run_begin(&state, self, version);
        if (!state.active_count)
            break;
        watch(&state, cancel_fd);
        if (poll(state.fds, state.active_count + 1, remaining_ms(&state)) < 0)
            continue;
        cancelled = state.fds[state.active_count].revents != 0;
        run_advance(&state, self);
    }
    run_cancel(&state);
    free(state.begun);
    free(state.active);
    free(state.fds);
    for (size_t i = 0; i < count; i++)
        if (requests[i].failure)
            return -1;
    return 0;
}

static int
negotiate(docker_http_t *self, err_t **err)
{
    AUTO_REQUEST ping = {.method = "GET", .path = "/_ping", .no_version = true};
    if (docker_http_do(self, &ping, -1, err) < 0)
        return -1;
    unsigned major = 0, minor = 0;
    const char *host = self->pool.address.text;
    if (sscanf(ping.api_version.data, "%u.%u", &major, &minor) != 2 || major != 1 || minor > 999)
        return err_fail(
            err, ERR_UNAVAILABLE,
            "what listens at '%s' does not say which Docker API it speaks: check DOCKER_HOST",
            host);
    unsigned version = major * 1000 + minor;
    if (version < DOCKER_API_OLDEST)
        return err_fail(err, ERR_UNSUPPORTED,
                        "the Docker daemon at '%s' speaks API %u.%u, and %u.%u (Docker 19.03) is "
                        "the oldest that works: "
                        "update Docker",
                        host, major, minor, DOCKER_API_OLDEST / 1000, DOCKER_API_OLDEST % 1000);
    pthread_mutex_lock(&self->lock);
    self->version = version < DOCKER_API_NEWEST ? version : DOCKER_API_NEWEST;
    pthread_mutex_unlock(&self->lock);
    return 0;
}
