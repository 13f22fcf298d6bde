/*  fake: see fake.h. */
#include "tests/unit/docker-driver/fake.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 128
#define BODY_MAX (8u << 20)

struct fake {
    fake_fn *answer;
    void *arg;
    char folder[64], path[100], host[120];
    int listener, stop_fd;
    pthread_t acceptor;
    pthread_mutex_t lock;
    pthread_t threads[CONNECTIONS_MAX]; /* under lock, as all below */
    int fds[CONNECTIONS_MAX];
    size_t count;
    char *log; /* paths, a line each */
    pthread_cond_t logged;
};

typedef struct {
    fake_t *fake;
    size_t index;
} connection_t;

/* ------------------------------------------------------------------------------------- requests */

/* Reads one byte; false at the end. */
static bool
get(int fd, char *c)
{
    return recv(fd, c, 1, 0) == 1;
}

static bool
get_line(int fd, char *line, size_t size)
{
    size_t len = 0;
    char c;
    while (get(fd, &c) && c != '\n')
        if (c != '\r' && len + 1 < size)
            line[len++] = c;
    line[len] = '\0';
    return c == '\n';
}

static bool
get_body(fake_request_t *request, size_t size)
{
    if (request->body_size + size > BODY_MAX)
        return false;
    request->body = realloc(request->body, request->body_size + size + 1);
    while (size) {
        ssize_t got = recv(request->fd, request->body + request->body_size, size, 0);
        if (got <= 0)
            return false;
        request->body_size += (size_t)got;
        size -= (size_t)got;
    }
    request->body[request->body_size] = '\0';
    return true;
}

static bool
get_chunks(fake_request_t *request)
{
    char line[100];
    for (;;) {
        if (!get_line(request->fd, line, sizeof line))
            return false;
        size_t size = strtoul(line, NULL, 16);
        if (!get_body(request, size) || !get_line(request->fd, line, sizeof line))
            return false;
        if (!size)
            return true;
    }
}

static bool
get_request(fake_request_t *request)
{
    char line[8192], target[4096];
    size_t length = 0;
    bool chunked = false;
    if (!get_line(request->fd, line, sizeof line) ||
        sscanf(line, "%7s %4095s", request->method, target) != 2)
        return false;
    const char *path = strncmp(target, "/v1.", 4) == 0 ? strchr(target + 1, '/') : target;
    snprintf(request->path, sizeof request->path, "%s", path ? path : target);
    while (get_line(request->fd, line, sizeof line) && *line) {
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
        chunked = chunked || strcasecmp(line, "Transfer-Encoding: chunked") == 0;
    }
    fake_t *fake = request->fake;
    pthread_mutex_lock(&fake->lock);
    size_t size = strlen(fake->log);
    fake->log = realloc(fake->log, size + strlen(request->path) + 2);
    sprintf(fake->log + size, "%s\n", request->path);
    pthread_cond_broadcast(&fake->logged);
    pthread_mutex_unlock(&fake->lock);
    /* An answer may come before the body has: the test's function decides, for paths with "early"
     * in them. */
    if (strstr(request->path, "early"))
        return true;
    return chunked ? get_chunks(request) : get_body(request, length);
}

static void *
serve(void *arg)
{
    connection_t *connection = arg;
    fake_t *fake = connection->fake;
    fake_request_t request = {.fake = fake, .fd = fake->fds[connection->index]};
    while (!request.close && get_request(&request)) {
        fake->answer(fake->arg, &request);
        free(request.body);
        request.body = NULL;
        request.body_size = 0;
    }
    free(request.body);
    shutdown(request.fd, SHUT_RDWR);
    free(connection);
    return NULL;
}

static void *
accept_all(void *arg)
{
    fake_t *self = arg;
    for (;;) {
        struct pollfd fds[] = {{.fd = self->listener, .events = POLLIN},
                               {.fd = self->stop_fd, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents)
            return NULL;
        int fd = accept(self->listener, NULL, NULL);
        pthread_mutex_lock(&self->lock);
        if (fd >= 0 && self->count < CONNECTIONS_MAX) {
            connection_t *connection = calloc(1, sizeof *connection);
            connection->fake = self;
            connection->index = self->count;
            self->fds[self->count] = fd;
            pthread_create(&self->threads[self->count++], NULL, serve, connection);
        } else if (fd >= 0) {
            close(fd);
        }
        pthread_mutex_unlock(&self->lock);
    }
}

/* ----------------------------------------------------------------------------------- the daemon */

fake_t *
fake_new(fake_fn *answer, void *arg)
{
    fake_t *self = calloc(1, sizeof *self);
    self->answer = answer;
    self->arg = arg;
    self->log = strdup("");
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->logged, NULL);
    strcpy(self->folder, "/tmp/kurtosis-fake-XXXXXX");
    if (!mkdtemp(self->folder))
        abort();
    snprintf(self->path, sizeof self->path, "%s/docker.sock", self->folder);
    snprintf(self->host, sizeof self->host, "unix://%s", self->path);
    fake_start(self);
    return self;
}

void
fake_start(fake_t *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s", self->path);
    self->stop_fd = eventfd(0, EFD_CLOEXEC);
    self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(self->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(self->listener, 64) < 0)
        abort();
    pthread_create(&self->acceptor, NULL, accept_all, self);
}

void
fake_stop(fake_t *self)
{
    eventfd_write(self->stop_fd, 1);
    pthread_join(self->acceptor, NULL);
    close(self->listener);
    unlink(self->path);
    for (size_t i = 0; i < self->count; i++)
        shutdown(self->fds[i], SHUT_RDWR);
    for (size_t i = 0; i < self->count; i++) {
        pthread_join(self->threads[i], NULL);
        close(self->fds[i]);
    }
    self->count = 0;
    close(self->stop_fd);
}

void
fake_destroy(fake_t **self_p)
{
    fake_t *self = *self_p;
    *self_p = NULL;
    fake_stop(self);
    rmdir(self->folder);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->logged);
    free(self->log);
    free(self);
}

const char *
fake_host(const fake_t *self)
{
    return self->host;
}

static unsigned
count_locked(const fake_t *self, const char *part)
{
    unsigned count = 0;
    for (const char *at = self->log; (at = strstr(at, part)); at++)
        count++;
    return count;
}

unsigned
fake_count(fake_t *self, const char *part)
{
    pthread_mutex_lock(&self->lock);
    unsigned count = count_locked(self, part);
    pthread_mutex_unlock(&self->lock);
    return count;
}

bool
fake_wait(fake_t *self, const char *part, unsigned count)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&self->lock);
    while (count_locked(self, part) < count &&
           pthread_cond_timedwait(&self->logged, &self->lock, &until) == 0)
        ;
    bool fine = count_locked(self, part) >= count;
    pthread_mutex_unlock(&self->lock);
    return fine;
}

/* -------------------------------------------------------------------------------------- answers */

void
fake_send(fake_request_t *request, const char *text)
{
    size_t left = strlen(text);
    while (left) {
        ssize_t went = send(request->fd, text, left, MSG_NOSIGNAL);
        if (went <= 0)
            return;
        text += went;
        left -= (size_t)went;
    }
}

void
fake_json(fake_request_t *request, int status, const char *json)
{
    char head[200];
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nApi-Version: 1.41\r\nContent-Length: %zu\r\n\r\n",
             status, strlen(json));
    fake_send(request, head);
    fake_send(request, json);
}

void
fake_stream(fake_request_t *request)
{
    fake_send(request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

void
fake_piece(fake_request_t *request, const char *text)
{
    char head[20];
    snprintf(head, sizeof head, "%zx\r\n", strlen(text));
    fake_send(request, head);
    fake_send(request, text);
    fake_send(request, "\r\n");
}

void
fake_stream_end(fake_request_t *request)
{
    fake_send(request, "0\r\n\r\n");
}

bool
fake_ping(fake_request_t *request)
{
    if (strcmp(request->path, "/_ping") != 0)
        return false;
    fake_json(request, 200, "OK");
    return true;
}

void
fake_wait_gone(fake_request_t *request)
{
    char c;
    while (get(request->fd, &c))
        ;
    request->close = true;
}
