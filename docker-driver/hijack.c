/*  hijack: see hijack.h. */
#include "docker-driver/hijack.h"

#include "base/clock.h"
#include "docker-driver/answer.h"
#include "docker-driver/refusal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
    int fd, cancel_fd;
    int64_t deadline;
    answer_t answer;
    str_t *first; /* what comes after the head */
} opening_t;

static int
wait_for(const opening_t *self, short events, err_t **err)
{
    struct pollfd fds[] = {{.fd = self->fd, .events = events},
                           {.fd = self->cancel_fd, .events = POLLIN}};
    int64_t left = (self->deadline - clock_ns()) / NS_PER_MS;
    int count = poll(fds, ARRAY_LEN(fds), left > 0 ? (int)left : 0);
    if (count == 0)
        return err_fail(err, ERR_TIMEOUT, "Docker did not answer within %d s", HIJACK_MS / 1000);
    return count > 0 && fds[1].revents ? err_fail(err, ERR_CANCELLED, "the caller gave up") : 0;
}

static int
send_all(const opening_t *self, const str_t *text, err_t **err)
{
    for (size_t sent = 0; sent < text->len;) {
        ssize_t went = send(self->fd, text->data + sent, text->len - sent, MSG_NOSIGNAL);
        if (went < 0 && errno != EAGAIN && errno != EINTR)
            return err_fail(err, ERR_UNAVAILABLE, "the connection to Docker broke (%s)",
                            strerror(errno));
        if (went < 0 && wait_for(self, POLLOUT, err) < 0)
            return -1;
        sent += went > 0 ? (size_t)went : 0;
    }
    return 0;
}

static int
keep(void *arg, const char *data, size_t size, err_t **err)
{
    (void)err;
    str_add_bytes(arg, data, size);
    return 0;
}

/* Takes what came: 1 when the opening is over. With a refusal the body is read to its end. */
static int
take(opening_t *self, const char *data, size_t size, err_t **err)
{
    while (size) {
        long used = answer_feed(&self->answer, data, size, keep, self->first, err);
        if (used < 0)
            return -1;
        data += used;
        size -= (size_t)used;
        if (self->answer.head_done && self->answer.status < 400) {
            str_add_bytes(self->first, data, size);
            return 1;
        }
        if (self->answer.state == ANSWER_DONE)
            return 1;
    }
    return 0;
}

static int
read_head(opening_t *self, err_t **err)
{
    for (int over = 0; !over;) {
        char buffer[4096];
        ssize_t got = recv(self->fd, buffer, sizeof buffer, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (wait_for(self, POLLIN, err) < 0)
                return -1;
            continue;
        }
        if (got < 0)
            return err_fail(err, ERR_UNAVAILABLE, "the connection to Docker broke (%s)",
                            strerror(errno));
        if (got == 0 && answer_end(&self->answer, err) < 0)
            return -1;
        over = got ? take(self, buffer, (size_t)got, err) : 1;
        if (over < 0)
            return -1;
    }
    if (self->answer.status < 400)
        return 0;
    return docker_refusal(self->answer.status, self->first->data, err);
}

int
docker_hijack(docker_http_t *http, const char *path, const char *body, int cancel_fd, int *ret_fd,
              str_t *ret_first, err_t **err)
{
    unsigned version;
    AUTO_FD int fd = -1;
    AUTO_STR text = STR_EMPTY;
    if (docker_http_version(http, &version, err) < 0 || docker_http_connect(http, &fd, err) < 0)
        return -1;
    str_printf(&text,
               "POST /v%u.%u%s HTTP/1.1\r\nHost: docker\r\nContent-Type: "
               "application/json\r\nContent-Length: %zu\r\n"
               "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n%s",
               version / 1000, version % 1000, path, strlen(body), body);
    opening_t opening = {.fd = fd, .cancel_fd = cancel_fd, .first = ret_first};
    opening.deadline = clock_ns() + HIJACK_MS * NS_PER_MS;
    answer_init(&opening.answer, false);
    int result = send_all(&opening, &text, err);
    if (result == 0)
        result = read_head(&opening, err);
    answer_done(&opening.answer);
    if (result < 0)
        return -1;
    *ret_fd = fd;
    fd = -1;
    return 0;
}
