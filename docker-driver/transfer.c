/*  transfer: see transfer.h. */
#include "docker-driver/transfer.h"

#include "base/clock.h"
#include "docker-driver/refusal.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ERROR_BODY_MAX 65536u /* bytes of a refusal that are read */
#define READ_SIZE 32768u      /* bytes read at once */
#define SOURCE_SIZE 65536u    /* bytes taken of a source at once */
#define CHUNK_HEAD 16u        /* room for a chunk's size line */

static int
broke(docker_transfer_t *self, int code)
{
    return docker_address_broke(&self->pool->address, code, &self->request->failure);
}

static void
put_head(docker_transfer_t *self)
{
    const docker_request_t *request = self->request;
    str_clear(&self->out);
    self->out_used = 0;
    str_printf(&self->out, "%s ", request->method);
    if (!request->no_version)
        str_printf(&self->out, "/v%u.%u", self->version / 1000, self->version % 1000);
    str_printf(&self->out,
               "%s HTTP/1.1\r\nHost: docker\r\nUser-Agent: kurtosis/" KURTOSIS_VERSION "\r\n",
               request->path);
    if (request->header)
        str_printf(&self->out, "%s\r\n", request->header);
    if (request->source || request->body)
        str_printf(&self->out, "Content-Type: %s\r\n",
                   request->content_type ? request->content_type : "application/json");
    if (request->source)
        str_add(&self->out, "Transfer-Encoding: chunked\r\n\r\n");
    else if (request->body)
        str_printf(&self->out, "Content-Length: %zu\r\n\r\n%s", strlen(request->body),
                   request->body);
    else
        str_add(&self->out,
                strcmp(request->method, "POST") == 0 ? "Content-Length: 0\r\n\r\n" : "\r\n");
}

/* Puts the source's next piece into out. */
static int
put_chunk(docker_transfer_t *self)
{
    docker_request_t *request = self->request;
    str_clear(&self->out);
    self->out_used = 0;
    str_reserve(&self->out, CHUNK_HEAD + SOURCE_SIZE + 2);
    self->took = true;
    long got =
        request->source(request->arg, self->out.data + CHUNK_HEAD, SOURCE_SIZE, &request->failure);
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
begin(docker_transfer_t *self, bool fresh)
{
    self->fd = fresh ? -1 : docker_pool_take(self->pool);
    self->reused = self->fd >= 0;
    if (self->fd < 0 && docker_pool_connect(self->pool, &self->fd, &self->request->failure) < 0)
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
begin_again(docker_transfer_t *self)
{
    close(self->fd);
    return begin(self, true);
}

static int
send_some(docker_transfer_t *self)
{
    while (!self->deaf) {
        if (self->out_used == self->out.len) {
            if (self->sent || self->answer.head_done)
                return 0;
            if (put_chunk(self) < 0)
                return -1;
        }
        ssize_t went = send(self->fd, self->out.data + self->out_used,
                            self->out.len - self->out_used, MSG_NOSIGNAL);
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
    docker_request_t *request = ((docker_transfer_t *)arg)->request;
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
on_head(docker_transfer_t *self)
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
take(docker_transfer_t *self, const char *data, size_t size)
{
    while (size && self->answer.state != ANSWER_DONE) {
        bool had_head = self->answer.head_done;
        AUTO(err) failure = NULL;
        long used = answer_feed(&self->answer, data, size, on_body, self, &failure);
        if (used < 0) {
            bool odd = !had_head;
            self->request->failure = TAKE(failure);
            return odd ? docker_address_odd(&self->pool->address, &self->request->failure) : -1;
        }
        if (!had_head && self->answer.head_done && on_head(self) < 0)
            return -1;
        data += used;
        size -= (size_t)used;
    }
    if (size)
        self->answer.closes =
            true; /* it says more than it was asked: nothing that follows can be trusted */
    return 0;
}

static int
read_some(docker_transfer_t *self)
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

docker_transfer_t *
docker_transfer_new(docker_pool_t *pool, unsigned version, docker_request_t *request)
{
    docker_transfer_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->pool = pool;
    self->request = request;
    self->version = version;
    self->fd = -1;
    self->out = STR_EMPTY;
    answer_init(&self->answer, false);
    int timeout = request->idle_ms      ? request->idle_ms
                  : request->timeout_ms ? request->timeout_ms
                                        : DOCKER_TIMEOUT_MS;
    self->deadline = timeout < 0 ? 0 : clock_ns() + timeout * NS_PER_MS;
    request->status = 0;
    if (!request->reply.data)
        request->reply = request->path_stat = request->api_version = STR_EMPTY;
    self->finished = begin(self, false) < 0;
    return self;
}

void
docker_transfer_destroy(docker_transfer_t **self_p)
{
    docker_transfer_t *self = TAKE(*self_p);
    if (!self)
        return;
    docker_request_t *request = self->request;
    bool whole = self->finished && self->sent && self->out_used == self->out.len && !self->deaf;
    if (whole && !self->answer.closes && !request->failure)
        docker_pool_give(self->pool, self->fd);
    else if (self->fd >= 0)
        close(self->fd);
    if (self->finished && !request->failure && request->status >= 400)
        docker_refusal(request->status, request->reply.data, &request->failure);
    base64_decode(&request->path_stat);
    answer_done(&self->answer);
    str_done(&self->out);
    free(self);
}

short
docker_transfer_events(const docker_transfer_t *self)
{
    bool more =
        !self->deaf && !self->answer.head_done && (self->out_used < self->out.len || !self->sent);
    return (short)(POLLIN | (more ? POLLOUT : 0));
}

void
docker_transfer_advance(docker_transfer_t *self, short events, int64_t now)
{
    int result = 0;
    if (events && self->request->idle_ms)
        self->deadline = now + self->request->idle_ms * NS_PER_MS;
    if (events & (POLLIN | POLLHUP | POLLERR))
        result = read_some(self);
    if (result == 0 && !self->finished && (events & POLLOUT))
        result = send_some(self);
    if (result == 0 && !self->finished && self->deadline && now >= self->deadline)
        result =
            err_fail(&self->request->failure, ERR_TIMEOUT,
                     "the Docker daemon at '%s' did not answer in time", self->pool->address.text);
    if (result < 0)
        self->finished = true;
}
