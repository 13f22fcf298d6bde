/*  http: see http.h.
 *
 *  A run drives its transfers on the caller's thread with one poll(2) over their connections. A transfer takes an idle
 *  connection (or makes one), sends its request, and reads the answer while it still sends, so that an early refusal is
 *  heard. Connections are never shared between threads, so there is no lock but the pool's.
 */
#include "docker-driver/http.h"

#include "base/clock.h"
#include "docker-driver/answer.h"
#include "docker-driver/refusal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ERROR_BODY_MAX 65536u /* bytes of a refusal that are read */
#define READ_SIZE 32768u      /* bytes read at once */
#define SOURCE_SIZE 65536u    /* bytes taken of a source at once */
#define CHUNK_HEAD 16u        /* room for a chunk's size line */

struct docker_http {
    docker_address_t address;
    pthread_mutex_t lock;
    int idle[DOCKER_IDLE_MAX]; /* connections; under lock */
    size_t idle_count;         /* under lock */
    unsigned version;          /* under lock; 0 until negotiated */
};

/* A request on its way. */
struct docker_transfer {
    docker_http_t *http;
    docker_request_t *request;
    int fd;
    bool reused;      /* the connection served before, and may have ended unseen */
    bool heard;       /* some of the answer has come */
    bool took;        /* something of the source, which gives it only once */
    bool sent;        /* all of the request has been put into out */
    bool deaf;        /* the other side takes no more of it */
    bool finished;
    str_t out;        /* to be sent */
    size_t out_used;
    int64_t deadline; /* clock_ns(); 0 for none */
    unsigned version;
    answer_t answer;
};
typedef struct docker_transfer transfer_t;

static int negotiate(docker_http_t *self, err_t **err);
static int run(docker_http_t *self, unsigned version, docker_request_t *requests, size_t count, int cancel_fd);

/* --------------------------------------------------------------------------------------------- public */

int
docker_http_new(const char *host, docker_http_t **ret_http, err_t **err)
{
    AUTO(docker_http) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    if (docker_address_init(&self->address, host, err) < 0)
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
    for (size_t i = 0; i < self->idle_count; i++)
        close(self->idle[i]);
    pthread_mutex_destroy(&self->lock);
    docker_address_done(&self->address);
    free(self);
}

const char *
docker_http_host(const docker_http_t *self)
{
    return self->address.text;
}

const char *
docker_http_socket(const docker_http_t *self)
{
    return self->address.path;
}

int
docker_http_connect(docker_http_t *self, int *ret_fd, err_t **err)
{
    return docker_address_connect(&self->address, DOCKER_CONNECT_MS, ret_fd, err);
}

int
docker_http_run(docker_http_t *self, docker_request_t *requests, size_t count, int cancel_fd, err_t **err)
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
    return err_fail(err, ERR_UNAVAILABLE, "the Docker daemon at '%s' keeps changing its version", self->address.text);
}

static void
path_escape(str_t *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:@";
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

/* ------------------------------------------------------------------------------------------ connections */

/* An idle connection that is still alive, or -1. */
static int
idle_take(docker_http_t *self)
{
    for (;;) {
        pthread_mutex_lock(&self->lock);
        int fd = self->idle_count ? self->idle[--self->idle_count] : -1;
        pthread_mutex_unlock(&self->lock);
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        if (fd < 0 || poll(&entry, 1, 0) == 0)
            return fd;
        close(fd); /* nothing can be to read here but its end */
    }
}

static void
idle_give(docker_http_t *self, int fd)
{
    pthread_mutex_lock(&self->lock);
    bool keep = self->idle_count < DOCKER_IDLE_MAX;
    if (keep)
        self->idle[self->idle_count++] = fd;
    pthread_mutex_unlock(&self->lock);
    if (!keep)
        close(fd);
}

/* --------------------------------------------------------------------------------------- one transfer */

static int
broke(transfer_t *self, int code)
{
    return docker_address_broke(&self->http->address, code, &self->request->failure);
}

static void
put_head(transfer_t *self)
{
    const docker_request_t *request = self->request;
    str_clear(&self->out);
    self->out_used = 0;
    str_printf(&self->out, "%s ", request->method);
    if (!request->no_version)
        str_printf(&self->out, "/v%u.%u", self->version / 1000, self->version % 1000);
    str_printf(&self->out, "%s HTTP/1.1\r\nHost: docker\r\nUser-Agent: kurtosis/" KURTOSIS_VERSION "\r\n", request->path);
    if (request->header)
        str_printf(&self->out, "%s\r\n", request->header);
    if (request->source || request->body)
        str_printf(&self->out, "Content-Type: %s\r\n", request->content_type ? request->content_type : "application/json");
    if (request->source)
        str_add(&self->out, "Transfer-Encoding: chunked\r\n\r\n");
    else if (request->body)
        str_printf(&self->out, "Content-Length: %zu\r\n\r\n%s", strlen(request->body), request->body);
    else
        str_add(&self->out, strcmp(request->method, "POST") == 0 ? "Content-Length: 0\r\n\r\n" : "\r\n");
}

/* Puts the source's next piece into out. */
static int
put_chunk(transfer_t *self)
{
    docker_request_t *request = self->request;
    str_clear(&self->out);
    self->out_used = 0;
    str_reserve(&self->out, CHUNK_HEAD + SOURCE_SIZE + 2);
    self->took = true;
    long got = request->source(request->arg, self->out.data + CHUNK_HEAD, SOURCE_SIZE, &request->failure);
    if (got < 0)
        return -1;
    if (got == 0) {
        self->sent = true;
        str_add(&self->out, "0\r\n\r\n");
        return 0;
    }
    /* The size line ends where the data begins. */
    char line[CHUNK_HEAD];
    int size = snprintf(line, sizeof line, "%lx\r\n", got);
    memcpy(self->out.data + CHUNK_HEAD - size, line, (size_t)size);
    self->out_used = CHUNK_HEAD - (size_t)size;
    self->out.len = CHUNK_HEAD + (size_t)got;
    str_add(&self->out, "\r\n");
    return 0;
}

static int
begin(transfer_t *self, bool fresh)
{
    self->fd = fresh ? -1 : idle_take(self->http);
    self->reused = self->fd >= 0;
    if (self->fd < 0 && docker_http_connect(self->http, &self->fd, &self->request->failure) < 0)
        return -1;
    answer_done(&self->answer);
    answer_init(&self->answer, strcmp(self->request->method, "HEAD") == 0);
    self->sent = !self->request->source;
    self->deaf = self->heard = false;
    put_head(self);
    return 0;
}

/* A kept connection had ended just when it was used: tries once more on a new one. */
static int
begin_again(transfer_t *self)
{
    close(self->fd);
    return begin(self, true);
}

static int
send_some(transfer_t *self)
{
    while (!self->deaf) {
        if (self->out_used == self->out.len) {
            if (self->sent || self->answer.head_done)
                return 0;
            if (put_chunk(self) < 0)
                return -1;
        }
        ssize_t went = send(self->fd, self->out.data + self->out_used, self->out.len - self->out_used, MSG_NOSIGNAL);
        if (went < 0 && errno == EINTR)
            continue;
        if (went < 0 && errno == EAGAIN)
            return 0;
        if (went < 0) {
            self->deaf = true; /* it may have answered before it closed: read on */
            return 0;
        }
        self->out_used += (size_t)went;
        /* Between two pieces the answer is looked at. */
        if (self->out_used == self->out.len && self->request->source)
            return 0;
    }
    return 0;
}

static int
on_body(void *arg, const char *data, size_t size, err_t **err)
{
    docker_request_t *request = ((transfer_t *)arg)->request;
    if (request->sink && request->status < 300)
        return request->sink(request->arg, data, size, err);
    size_t most = request->status < 400 ? DOCKER_REPLY_MAX : ERROR_BODY_MAX;
    if (size > most - request->reply.len) {
        if (request->status >= 400)
            return 0; /* enough of it is known */
        return err_fail(err, ERR_LIMIT, "Docker's reply is larger than %u bytes", DOCKER_REPLY_MAX);
    }
    str_add_bytes(&request->reply, data, size);
    return 0;
}

static int
on_head(transfer_t *self)
{
    docker_request_t *request = self->request;
    request->status = self->answer.status;
    str_add(&request->path_stat, self->answer.path_stat.data);
    str_add(&request->api_version, self->answer.api_version.data);
    if (request->status < 300 && request->opened)
        return request->opened(request->arg, &request->failure);
    return 0;
}

/* What came over the connection. */
static int
take(transfer_t *self, const char *data, size_t size)
{
    while (size && self->answer.state != ANSWER_DONE) {
        bool had_head = self->answer.head_done;
        AUTO(err) failure = NULL;
        long used = answer_feed(&self->answer, data, size, on_body, self, &failure);
        if (used < 0) {
            bool odd = !had_head;
            self->request->failure = TAKE(failure);
            return odd ? docker_address_odd(&self->http->address, &self->request->failure) : -1;
        }
        if (!had_head && self->answer.head_done && on_head(self) < 0)
            return -1;
        data += used;
        size -= (size_t)used;
    }
    if (size)
        self->answer.closes = true; /* it says more than it was asked: nothing that follows can be trusted */
    return 0;
}

static int
read_some(transfer_t *self)
{
    char buffer[READ_SIZE];
    ssize_t got = recv(self->fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    int code = got < 0 ? errno : 0;
    if (got <= 0 && self->reused && !self->heard && !self->took)
        return begin_again(self);
    if (got < 0)
        return broke(self, code);
    self->heard = self->heard || got > 0;
    if (got > 0 && take(self, buffer, (size_t)got) < 0)
        return -1;
    if (got == 0 && answer_end(&self->answer, NULL) < 0)
        return broke(self, 0);
    self->finished = self->answer.state == ANSWER_DONE;
    return 0;
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

static void
base64_decode(str_t *text)
{
    AUTO_FREE unsigned char *raw = malloc(text->len + 1);
    size_t size = 0;
    if (!raw || sodium_base642bin(raw, text->len, text->data, text->len, NULL, &size, NULL,
                                  sodium_base64_VARIANT_ORIGINAL) != 0)
        size = 0;
    str_clear(text);
    str_add_bytes(text, raw, size);
}

static transfer_t *
transfer_new(docker_http_t *http, unsigned version, docker_request_t *request)
{
    transfer_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->http = http;
    self->request = request;
    self->version = version;
    self->fd = -1;
    self->out = STR_EMPTY;
    answer_init(&self->answer, false);
    int timeout = request->timeout_ms ? request->timeout_ms : DOCKER_TIMEOUT_MS;
    self->deadline = timeout < 0 ? 0 : clock_ns() + timeout * NS_PER_MS;
    request->status = 0;
    if (!request->reply.data)
        request->reply = request->path_stat = request->api_version = STR_EMPTY;
    return self;
}

static void
transfer_free(transfer_t **self_p)
{
    transfer_t *self = TAKE(*self_p);
    if (!self)
        return;
    docker_request_t *request = self->request;
    bool whole = self->finished && self->sent && self->out_used == self->out.len && !self->deaf;
    if (whole && !self->answer.closes && !request->failure)
        idle_give(self->http, self->fd);
    else if (self->fd >= 0)
        close(self->fd);
    if (self->finished && !request->failure && request->status >= 400) {
        forget_version(self->http, request);
        docker_refusal(request->status, request->reply.data, &request->failure);
    }
    base64_decode(&request->path_stat);
    answer_done(&self->answer);
    str_done(&self->out);
    free(self);
}

/* ----------------------------------------------------------------------------------------------- runs */

/* All that a run holds. */
typedef struct {
    transfer_t **active;
    size_t active_count;
    struct pollfd *fds; /* of the active ones, then cancel */
} run_t;

static void
run_add(run_t *self, transfer_t *transfer)
{
    if (begin(transfer, false) < 0) {
        transfer_free(&transfer);
        return;
    }
    self->active[self->active_count++] = transfer;
}

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
    for (size_t i = 0; i < self->active_count; i++) {
        transfer_t *transfer = self->active[i];
        bool more = !transfer->deaf && !transfer->answer.head_done &&
                    (transfer->out_used < transfer->out.len || !transfer->sent);
        self->fds[i] = (struct pollfd){.fd = transfer->fd, .events = (short)(POLLIN | (more ? POLLOUT : 0))};
    }
    self->fds[self->active_count] = (struct pollfd){.fd = cancel_fd, .events = POLLIN};
}

static void
advance(transfer_t *self, short events, int64_t now)
{
    int result = 0;
    if (events & (POLLIN | POLLHUP | POLLERR))
        result = read_some(self);
    if (result == 0 && !self->finished && (events & POLLOUT))
        result = send_some(self);
    if (result == 0 && !self->finished && self->deadline && now >= self->deadline)
        result = err_fail(&self->request->failure, ERR_TIMEOUT, "the Docker daemon at '%s' did not answer in time",
                          self->http->address.text);
    if (result < 0)
        self->finished = true;
}

static int
run(docker_http_t *self, unsigned version, docker_request_t *requests, size_t count, int cancel_fd)
{
    run_t state = {.active = calloc(count + 1, sizeof *state.active), .fds = calloc(count + 1, sizeof *state.fds)};
    if (!state.active || !state.fds)
        abort();
    size_t next = 0;
    bool cancelled = false;
    while (!cancelled && (next < count || state.active_count)) {
        for (; next < count && (state.active_count < DOCKER_PARALLEL_MAX || requests[next].unlimited); next++)
            run_add(&state, transfer_new(self, version, &requests[next]));
        watch(&state, cancel_fd);
        if (poll(state.fds, state.active_count + 1, state.active_count ? remaining_ms(&state) : 0) < 0)
            continue;
        cancelled = state.fds[state.active_count].revents != 0;
        int64_t now = clock_ns();
        size_t kept = 0;
        for (size_t i = 0; i < state.active_count; i++) {
            transfer_t *transfer = state.active[i];
            advance(transfer, state.fds[i].revents, now);
            if (transfer->finished)
                transfer_free(&transfer);
            else
                state.active[kept++] = transfer;
        }
        state.active_count = kept;
    }
    for (size_t i = 0; i < state.active_count; i++) {
        err_fail(&state.active[i]->request->failure, ERR_CANCELLED, "the caller gave up");
        transfer_free(&state.active[i]);
    }
    for (; next < count; next++)
        err_fail(&requests[next].failure, ERR_CANCELLED, "the caller gave up");
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
    const char *host = self->address.text;
    if (sscanf(ping.api_version.data, "%u.%u", &major, &minor) != 2 || major != 1 || minor > 999)
        return err_fail(err, ERR_UNAVAILABLE, "what listens at '%s' does not say which Docker API it speaks: check DOCKER_HOST",
                        host);
    unsigned version = major * 1000 + minor;
    if (version < DOCKER_API_OLDEST)
        return err_fail(err, ERR_UNSUPPORTED,
                        "the Docker daemon at '%s' speaks API %u.%u, and %u.%u (Docker 19.03) is the oldest that works: "
                        "update Docker",
                        host, major, minor, DOCKER_API_OLDEST / 1000, DOCKER_API_OLDEST % 1000);
    pthread_mutex_lock(&self->lock);
    self->version = version < DOCKER_API_NEWEST ? version : DOCKER_API_NEWEST;
    pthread_mutex_unlock(&self->lock);
    return 0;
}
