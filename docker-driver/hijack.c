/*  hijack: see hijack.h. */
#include "docker-driver/hijack.h"

#include "docker-driver/refusal.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000 /* for the answer's head */

struct docker_hijack {
    docker_http_t *http;
    CURL *easy;
    curl_socket_t fd;
    char error[CURL_ERROR_SIZE];
    str_t head; /* what came with the head; after it, the first output */
    size_t used;
};

static int connect_raw(docker_hijack_t *self, err_t **err);
static int send_request(docker_hijack_t *self, const char *path, const char *body, int cancel_fd, err_t **err);
static int read_head(docker_hijack_t *self, int cancel_fd, err_t **err);

int
docker_hijack_new(docker_http_t *http, const char *path, const char *body, int cancel_fd, docker_hijack_t **ret_hijack,
                  err_t **err)
{
    AUTO(docker_hijack) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->http = http;
    self->head = STR_EMPTY;
    if (connect_raw(self, err) < 0 || send_request(self, path, body, cancel_fd, err) < 0 ||
        read_head(self, cancel_fd, err) < 0)
        return -1;
    *ret_hijack = TAKE(self);
    return 0;
}

void
docker_hijack_destroy(docker_hijack_t **self_p)
{
    docker_hijack_t *self = TAKE(*self_p);
    if (!self)
        return;
    curl_easy_cleanup(self->easy);
    str_done(&self->head);
    free(self);
}

int
docker_hijack_fd(const docker_hijack_t *self)
{
    return self->fd;
}

bool
docker_hijack_ready(const docker_hijack_t *self)
{
    return self->used < self->head.len;
}

long
docker_hijack_read(docker_hijack_t *self, char *buffer, size_t size, err_t **err)
{
    size_t kept = self->head.len - self->used;
    if (kept) {
        kept = kept < size ? kept : size;
        memcpy(buffer, self->head.data + self->used, kept);
        self->used += kept;
        return (long)kept;
    }
    size_t got = 0;
    CURLcode code = curl_easy_recv(self->easy, buffer, size, &got);
    if (code == CURLE_AGAIN)
        return 0;
    if (code != CURLE_OK)
        return docker_http_explain(self->http, self->easy, code, self->error, err);
    return got ? (long)got : HIJACK_END;
}

long
docker_hijack_write(docker_hijack_t *self, const char *data, size_t size, err_t **err)
{
    size_t sent = 0;
    CURLcode code = curl_easy_send(self->easy, data, size, &sent);
    if (code == CURLE_AGAIN)
        return 0;
    return code == CURLE_OK ? (long)sent : docker_http_explain(self->http, self->easy, code, self->error, err);
}

long
docker_hijack_head(const char *data, size_t size, int *ret_status, err_t **err)
{
    static const char begin[] = "HTTP/1.";
    size_t known = size < sizeof begin - 1 ? size : sizeof begin - 1;
    if (memcmp(data, begin, known) != 0)
        return err_fail(err, ERR_UNAVAILABLE, "the answer is not HTTP: check DOCKER_HOST");
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end)
        return size < HIJACK_HEAD_MAX ? 0 : err_fail(err, ERR_UNAVAILABLE, "the answer's head is too long");
    char line[32] = "";
    memcpy(line, data, size < sizeof line - 1 ? size : sizeof line - 1);
    if (sscanf(line, "HTTP/1.%*1[01] %3d", ret_status) != 1 || *ret_status < 100)
        return err_fail(err, ERR_UNAVAILABLE, "the answer has no status");
    return end + 4 - data;
}

/* ------------------------------------------------------------------------------------------ the opening */

static int
connect_raw(docker_hijack_t *self, err_t **err)
{
    self->easy = curl_easy_init();
    if (!self->easy)
        abort();
    if (docker_http_setup(self->http, self->easy, "/", err) < 0)
        return -1;
    curl_easy_setopt(self->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, self->error);
    CURLcode code = curl_easy_perform(self->easy);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(self->easy, CURLINFO_ACTIVESOCKET, &self->fd);
    return code == CURLE_OK ? 0 : docker_http_explain(self->http, self->easy, code, self->error, err);
}

static int
wait_for(docker_hijack_t *self, short events, int cancel_fd, err_t **err)
{
    struct pollfd fds[] = {{.fd = self->fd, .events = events}, {.fd = cancel_fd, .events = POLLIN}};
    int count = poll(fds, ARRAY_LEN(fds), WAIT_MS);
    if (count == 0)
        return err_fail(err, ERR_TIMEOUT, "Docker did not answer within %d s", WAIT_MS / 1000);
    if (count > 0 && fds[1].revents)
        return err_fail(err, ERR_CANCELLED, "the caller gave up");
    return 0;
}

static int
send_request(docker_hijack_t *self, const char *path, const char *body, int cancel_fd, err_t **err)
{
    unsigned version;
    if (docker_http_version(self->http, &version, err) < 0)
        return -1;
    AUTO_FREE char *text = str_format("POST /v%u.%u%s HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
                                      "Content-Length: %zu\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n%s",
                                      version / 1000, version % 1000, path, strlen(body), body);
    size_t size = strlen(text);
    for (size_t sent = 0; sent < size;) {
        long part = docker_hijack_write(self, text + sent, size - sent, err);
        if (part < 0 || (part == 0 && wait_for(self, POLLOUT, cancel_fd, err) < 0))
            return -1;
        sent += (size_t)part;
    }
    return 0;
}

static int
read_head(docker_hijack_t *self, int cancel_fd, err_t **err)
{
    str_t head = STR_EMPTY;
    int status = 0;
    long length = 0;
    while (length == 0) {
        char buffer[4096];
        long got = docker_hijack_read(self, buffer, sizeof buffer, err);
        if (got == HIJACK_END)
            got = err_fail(err, ERR_UNAVAILABLE, "Docker closed the connection");
        if (got < 0 || (got == 0 && wait_for(self, POLLIN, cancel_fd, err) < 0)) {
            str_done(&head);
            return -1;
        }
        str_add_bytes(&head, buffer, (size_t)got);
        length = got ? docker_hijack_head(head.data, head.len, &status, err) : 0;
    }
    int result = length < 0 ? -1 : 0;
    if (result == 0 && status >= 400)
        result = docker_refusal(status, head.data + length, err);
    self->head = head;
    self->used = result == 0 ? (size_t)length : head.len;
    return result;
}
