/*  sink: receivers and how they are reached; see sinks.h. */
#include "logs/sinks/kinds.h"
#include "logs/sinks/sinks.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

typedef int(deliver_fn)(sink_t *self, const sink_batch_t *batch, err_t **err);
static deliver_fn to_file, to_datagrams, to_stream, to_loki, to_otlp;

static const struct {
    const char *prefix, *keep, *path;
    deliver_fn *deliver;
} kinds[] = {
#define ROW(prefix, needs, keep, path, deliver) {prefix, keep, path, deliver},
    LOGS_SINKS(ROW)
#undef ROW
};

struct sink {
    deliver_fn *deliver;
    char *target; /* a path, host:port, or an HTTP URL */
    char *roots;  /* file of certificates; NULL for the usual ones */
    int fd;       /* -1 when there is none */
    CURL *curl;
};

int
sink_new(const char *url, sink_t **ret_sink, err_t **err)
{
    if (logs_sink_check(url, err) < 0)
        return -1;
    size_t i = 0;
    while (!str_starts(url, kinds[i].prefix))
        i++;
    const char *rest = url + strlen(kinds[i].prefix),
               *end = kinds[i].path ? strchr(rest, '#') : NULL;
    AUTO_FREE char *address = end ? strndup(rest, (size_t)(end - rest)) : strdup(rest);
    sink_t *self = calloc(1, sizeof *self);
    if (!self || !address)
        abort();
    self->fd = -1;
    self->deliver = kinds[i].deliver;
    self->target = str_format("%s%s%s", kinds[i].keep, address,
                              kinds[i].path && !strchr(address, '/') ? kinds[i].path : "");
    self->roots = end ? strdup(end + strlen(SINK_ROOTS)) : NULL;
    *ret_sink = self;
    return 0;
}

static void
hang_up(sink_t *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

void
sink_destroy(sink_t **self_p)
{
    sink_t *self = TAKE(*self_p);
    if (!self)
        return;
    hang_up(self);
    curl_easy_cleanup(self->curl);
    free(self->target);
    free(self->roots);
    free(self);
}

int
sink_deliver(sink_t *self, const sink_batch_t *batch, err_t **err)
{
    if (self->deliver(self, batch, err) == 0)
        return 0;
    hang_up(self);
    return err_wrap(err, "cannot deliver log lines to '%s'", self->target);
}

/* ------------------------------------------------------------------------------- files and syslog */

static int
failed(err_t **err)
{
    return err_fail(err, ERR_UNAVAILABLE, "%s", strerror(errno));
}

static int
write_all(int fd, const char *bytes, size_t size, err_t **err)
{
    while (size) {
        ssize_t went = write(fd, bytes, size);
        if (went < 0 && errno == EINTR)
            continue;
        if (went <= 0)
            return failed(err);
        bytes += went;
        size -= (size_t)went;
    }
    return 0;
}

static int
to_file(sink_t *self, const sink_batch_t *batch, err_t **err)
{
    AUTO_STR out = STR_EMPTY;
    /* Opened anew each time: it may have been rotated. */
    hang_up(self);
    self->fd = open(self->target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (self->fd < 0)
        return failed(err);
    for (size_t i = 0; i < batch->count; i++) {
        AUTO_FREE char *line = sink_json_line(batch, &batch->lines[i]);
        str_printf(&out, "%s\n", line);
    }
    return write_all(self->fd, out.data, out.len, err);
}

static int
connect_path(sink_t *self, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(self->target) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, self->target, strlen(self->target));
    self->fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    return self->fd < 0 ? -1 : connect(self->fd, (struct sockaddr *)&address, sizeof address);
}

static int
connect_host(sink_t *self, int type, err_t **err)
{
    AUTO_FREE char *host = strdup(self->target);
    char *port = strrchr(host, ':');
    struct addrinfo hints = {.ai_socktype = type}, *found = NULL;
    *port++ = '\0';
    if (*host == '[' && port[-2] == ']') {
        port[-2] = '\0';
        memmove(host, host + 1, strlen(host));
    }
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return err_fail(err, ERR_UNAVAILABLE, "%s", gai_strerror(code));
    int result = -1;
    for (struct addrinfo *at = found; at && result < 0; at = at->ai_next) {
        struct timeval limit = {.tv_sec = SINK_TIMEOUT_MS / 1000};
        hang_up(self);
        self->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (self->fd < 0)
            continue;
        setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        result = connect(self->fd, at->ai_addr, at->ai_addrlen);
    }
    freeaddrinfo(found);
    return result < 0 ? failed(err) : 0;
}

static int
to_datagrams(sink_t *self, const sink_batch_t *batch, err_t **err)
{
    if (self->fd < 0 && *self->target != '/' && connect_host(self, SOCK_DGRAM, err) < 0)
        return -1;
    if (self->fd < 0 && connect_path(self, SOCK_DGRAM) < 0)
        return failed(err);
    for (size_t i = 0; i < batch->count; i++) {
        AUTO_FREE char *line = sink_syslog_line(batch, &batch->lines[i]);
        if (send(self->fd, line, strlen(line), MSG_NOSIGNAL) < 0)
            return failed(err);
    }
    return 0;
}

static int
to_stream(sink_t *self, const sink_batch_t *batch, err_t **err)
{
    AUTO_STR out = STR_EMPTY;
    if (self->fd < 0 && connect_host(self, SOCK_STREAM, err) < 0)
        return -1;
    /* What the receiver says or has closed is known before anything more goes to it. */
    char byte;
    if (recv(self->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
        return err_fail(err, ERR_UNAVAILABLE, "the receiver has closed the connection");
    for (size_t i = 0; i < batch->count; i++) {
        AUTO_FREE char *line = sink_syslog_line(batch, &batch->lines[i]);
        str_printf(&out, "%zu %s", strlen(line), line);
    }
    return write_all(self->fd, out.data, out.len, err);
}

/* ----------------------------------------------------------------------------------------- HTTP */

static size_t
ignore(char *bytes, size_t one, size_t size, void *arg)
{
    (void)bytes, (void)arg;
    return one * size;
}

static int
post(sink_t *self, const char *body, err_t **err)
{
    if (!self->curl && !(self->curl = curl_easy_init()))
        return err_fail(err, ERR_INTERNAL, "libcurl does not start");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char why[CURL_ERROR_SIZE] = "";
    long status = 0;
    curl_easy_setopt(self->curl, CURLOPT_URL, self->target);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT_MS, (long)SINK_TIMEOUT_MS);
    curl_easy_setopt(self->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, why);
    if (self->roots)
        curl_easy_setopt(self->curl, CURLOPT_CAINFO, self->roots);
    CURLcode code = curl_easy_perform(self->curl);
    curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return err_fail(err, ERR_UNAVAILABLE, "%s%s", *why ? why : curl_easy_strerror(code),
                        code == CURLE_PEER_FAILED_VERIFICATION
                            ? "; certificates that are to be trusted are named at the end of the "
                              "sink's URL: " SINK_ROOTS "/path"
                            : "");
    if (status >= 200 && status < 300)
        return 0;
    bool never = status >= 400 && status < 500 && status != 408 && status != 429 && status != 401 &&
                 status != 403 && status != 404;
    return err_fail(err, never ? ERR_INVALID : ERR_UNAVAILABLE,
                    "the receiver answers with status %ld", status);
}

static int
to_loki(sink_t *self, const sink_batch_t *batch, err_t **err)
{
    AUTO_FREE char *body = sink_loki_body(batch);
    return post(self, body, err);
}

static int
to_otlp(sink_t *self, const sink_batch_t *batch, err_t **err)
{
    AUTO_FREE char *body = sink_otlp_body(batch);
    return post(self, body, err);
}
