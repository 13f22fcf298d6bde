/*  http: see http.h.
 *
 *  A lane is a curl multi handle with its kept-alive connections and a few easy handles. A run takes a lane from the
 *  pool (or makes one), drives all its transfers on the caller's thread, and gives it back. Lanes are never shared
 *  between threads, so there is no lock but the pool's.
 */
#include "docker-driver/http.h"
#include "docker-driver/refusal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_BODY_MAX 65536u /* bytes of a refusal that are read */
#define LANE_EASY_MAX 4u      /* easy handles kept with a lane */
#define LANE_CONNECTIONS 8L   /* connections kept with a lane */
#define POLL_MS 60000         /* curl's own timers wake the poll earlier */

typedef struct lane {
    CURLM *multi;
    CURL *spare[LANE_EASY_MAX];
    size_t spares;
    struct lane *next;
} lane_t;

struct docker_http {
    char *host;         /* as people write it */
    char *socket;       /* path of the unix socket, or NULL */
    char *base;         /* "http://docker", "http://name:port", "https://name:port" */
    char *cert_path;    /* folder with ca.pem, cert.pem, key.pem, or NULL */
    bool verify;        /* of TLS */
    pthread_mutex_t lock;
    lane_t *idle;       /* under lock */
    size_t idle_count;  /* under lock */
    unsigned version;   /* under lock; 0 until negotiated */
};

struct docker_transfer {
    docker_http_t *http;
    docker_request_t *request;
    CURL *easy;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    bool opened;
};
typedef struct docker_transfer transfer_t;

static const struct {
    const char *path; /* "~" is the home folder */
} default_sockets[] = {{"/var/run/docker.sock"}, {"~/.docker/run/docker.sock"}};

static int negotiate(docker_http_t *self, int cancel_fd, err_t **err);
static int run(docker_http_t *self, unsigned version, docker_request_t *requests, size_t count, int cancel_fd);
static int address_parse(docker_http_t *self, err_t **err);
static char *address_default(void);

/* --------------------------------------------------------------------------------------------- public */

int
docker_http_new(const char *host, docker_http_t **ret_http, err_t **err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_fail(err, ERR_INTERNAL, "cannot start libcurl");
    AUTO(docker_http) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    const char *given = host ? host : getenv("DOCKER_HOST");
    self->host = given && *given ? strdup(given) : address_default();
    if (address_parse(self, err) < 0)
        return -1;
    *ret_http = TAKE(self);
    return 0;
}

static void
lane_free(lane_t *lane)
{
    for (size_t i = 0; i < lane->spares; i++)
        curl_easy_cleanup(lane->spare[i]);
    curl_multi_cleanup(lane->multi);
    free(lane);
}

void
docker_http_destroy(docker_http_t **self_p)
{
    docker_http_t *self = TAKE(*self_p);
    if (!self)
        return;
    while (self->idle) {
        lane_t *lane = self->idle;
        self->idle = lane->next;
        lane_free(lane);
    }
    pthread_mutex_destroy(&self->lock);
    free(self->host);
    free(self->socket);
    free(self->base);
    free(self->cert_path);
    free(self);
}

const char *
docker_http_host(const docker_http_t *self)
{
    return self->host;
}

const char *
docker_http_socket(const docker_http_t *self)
{
    return self->socket;
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
    pthread_mutex_lock(&self->lock);
    unsigned version = self->version;
    pthread_mutex_unlock(&self->lock);
    if (!version) {
        if (negotiate(self, -1, err) < 0)
            return -1;
        pthread_mutex_lock(&self->lock);
        version = self->version;
        pthread_mutex_unlock(&self->lock);
    }
    *ret_version = version;
    return 0;
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

/* ------------------------------------------------------------------------------------------- address */

static char *
address_default(void)
{
    const char *home = getenv("HOME");
    for (size_t i = 0; i < ARRAY_LEN(default_sockets); i++) {
        const char *path = default_sockets[i].path;
        AUTO_FREE char *full =
            *path == '~' ? str_format("%s%s", home ? home : "", path + 1) : strdup(path);
        if (access(full, F_OK) == 0)
            return str_format("unix://%s", full);
    }
    return str_format("unix://%s", default_sockets[0].path);
}

static int
address_parse(docker_http_t *self, err_t **err)
{
    if (str_starts(self->host, "unix://") && self->host[7] == '/') {
        self->socket = strdup(self->host + 7);
        self->base = strdup("http://docker");
        return 0;
    }
    if (!str_starts(self->host, "tcp://") || !self->host[6])
        return err_fail(err, ERR_INVALID,
                        "cannot use the Docker address '%s': give unix:///path/of/docker.sock or "
                        "tcp://name:port (environment variable DOCKER_HOST)",
                        self->host);
    const char *verify = getenv("DOCKER_TLS_VERIFY");
    const char *certs = getenv("DOCKER_CERT_PATH");
    self->verify = verify && *verify;
    if (certs && *certs)
        self->cert_path = strdup(certs);
    self->base = str_format("%s://%s", self->verify || self->cert_path ? "https" : "http", self->host + 6);
    return 0;
}

/* --------------------------------------------------------------------------------------- one transfer */

int
docker_http_setup(docker_http_t *self, CURL *easy, const char *url_path, err_t **err)
{
    AUTO_FREE char *url = str_format("%s%s", self->base, url_path);
    bool fine = curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)DOCKER_CONNECT_MS) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK;
    if (fine && self->socket)
        fine = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, self->socket) == CURLE_OK;
    if (fine && self->cert_path) {
        static const struct {
            CURLoption option;
            const char *file;
        } files[] = {{CURLOPT_CAINFO, "ca.pem"}, {CURLOPT_SSLCERT, "cert.pem"}, {CURLOPT_SSLKEY, "key.pem"}};
        for (size_t i = 0; i < ARRAY_LEN(files) && fine; i++) {
            AUTO_FREE char *path = str_format("%s/%s", self->cert_path, files[i].file);
            fine = curl_easy_setopt(easy, files[i].option, path) == CURLE_OK;
        }
        if (!self->verify)
            curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    }
    if (!fine)
        return err_fail(err, ERR_INVALID, "cannot use the Docker address '%s'", self->host);
    return 0;
}

int
docker_http_explain(const docker_http_t *self, CURL *easy, CURLcode code, const char *detail, err_t **err)
{
    long os_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    const char *why = detail && *detail ? detail : curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        if (os_errno == EACCES)
            return err_fail(err, ERR_UNAVAILABLE,
                            "cannot connect to the Docker daemon at '%s': permission denied: join the "
                            "group of the socket (sudo usermod -aG docker $USER, then log in again)",
                            self->host);
        return err_fail(err, ERR_UNAVAILABLE,
                        "cannot connect to the Docker daemon at '%s' (%s): is it running? Start it with "
                        "'sudo systemctl start docker', or set DOCKER_HOST to where it listens",
                        self->host, os_errno ? strerror((int)os_errno) : why);
    case CURLE_OPERATION_TIMEDOUT:
        return err_fail(err, ERR_TIMEOUT, "the Docker daemon at '%s' did not answer in time (%s)",
                        self->host, why);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return err_fail(err, ERR_UNAVAILABLE,
                        "what listens at '%s' does not speak as a Docker daemon does (%s): check DOCKER_HOST",
                        self->host, why);
    default:
        return err_fail(err, ERR_UNAVAILABLE, "the connection to the Docker daemon at '%s' broke (%s)",
                        self->host, why);
    }
}

static size_t
on_read(char *buffer, size_t size, size_t count, void *arg)
{
    docker_request_t *request = ((transfer_t *)arg)->request;
    long got = request->source(request->arg, buffer, size * count, &request->failure);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static size_t
on_write(char *data, size_t size, size_t count, void *arg)
{
    docker_request_t *request = ((transfer_t *)arg)->request;
    size_t bytes = size * count;
    if (request->sink && request->status < 300)
        return request->sink(request->arg, data, bytes, &request->failure) < 0 ? CURL_WRITEFUNC_ERROR : bytes;
    size_t most = request->status < 400 ? DOCKER_REPLY_MAX : ERROR_BODY_MAX;
    if (bytes > most - request->reply.len) {
        if (request->status >= 400)
            return bytes; /* enough of it is known */
        err_fail(&request->failure, ERR_LIMIT, "Docker's reply is larger than %u bytes", DOCKER_REPLY_MAX);
        return CURL_WRITEFUNC_ERROR;
    }
    str_add_bytes(&request->reply, data, bytes);
    return bytes;
}

/* The value of a header line "name: value\r\n" when it has this name. */
static bool
header_is(const char *line, size_t size, const char *name, str_t *ret_value)
{
    size_t len = strlen(name);
    if (size <= len || strncasecmp(line, name, len) != 0 || line[len] != ':')
        return false;
    for (len++; len < size && line[len] == ' '; len++)
        ;
    while (size > len && (line[size - 1] == '\r' || line[size - 1] == '\n'))
        size--;
    str_clear(ret_value);
    str_add_bytes(ret_value, line + len, size - len);
    return true;
}

static void
base64_decode(str_t *text)
{
    AUTO_STR raw = STR_EMPTY;
    str_reserve(&raw, text->len);
    size_t len = 0;
    if (text->len && sodium_base642bin((unsigned char *)raw.data, text->len, text->data, text->len, NULL, &len,
                                       NULL, sodium_base64_VARIANT_ORIGINAL) == 0) {
        str_clear(text);
        str_add_bytes(text, raw.data, len);
    } else {
        str_clear(text);
    }
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
    transfer_t *self = arg;
    docker_request_t *request = self->request;
    size_t bytes = size * count;
    if (header_is(line, bytes, "X-Docker-Container-Path-Stat", &request->path_stat))
        base64_decode(&request->path_stat);
    header_is(line, bytes, "Api-Version", &request->api_version);
    if (bytes > 2)
        return bytes;
    long status = 0;
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200)
        return bytes;
    request->status = (int)status;
    if (status < 300 && request->opened && !self->opened) {
        self->opened = true;
        if (request->opened(request->arg, &request->failure) < 0)
            return 0;
    }
    return bytes;
}

static void
set_method(transfer_t *self)
{
    docker_request_t *request = self->request;
    CURL *easy = self->easy;
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request->source) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, self);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
        self->headers = curl_slist_append(self->headers, "Transfer-Encoding: chunked");
    } else if (strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, request->body ? (long)strlen(request->body) : 0L);
    } else if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    AUTO_FREE char *type = str_format("Content-Type: %s", request->content_type ? request->content_type
                                                                               : "application/json");
    self->headers = curl_slist_append(self->headers, type);
    self->headers = curl_slist_append(self->headers, "Expect:");
    if (request->header)
        self->headers = curl_slist_append(self->headers, request->header);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->headers);
}

static int
transfer_start(docker_http_t *http, lane_t *lane, unsigned version, docker_request_t *request)
{
    transfer_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->http = http;
    self->request = request;
    self->easy = lane->spares ? lane->spare[--lane->spares] : curl_easy_init();
    if (!self->easy)
        abort();
    request->transfer = self;
    request->status = 0;
    if (!request->reply.data)
        request->reply = request->path_stat = request->api_version = STR_EMPTY;

    AUTO_FREE char *path = request->no_version
                               ? strdup(request->path)
                               : str_format("/v%u.%u%s", version / 1000, version % 1000, request->path);
    if (docker_http_setup(http, self->easy, path, &request->failure) < 0)
        return -1;
    set_method(self);
    long timeout = request->timeout_ms ? request->timeout_ms : DOCKER_TIMEOUT_MS;
    curl_easy_setopt(self->easy, CURLOPT_TIMEOUT_MS, timeout < 0 ? 0L : timeout);
    curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, self->error);
    curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(self->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(self->easy, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(self->easy, CURLOPT_PRIVATE, self);
    curl_multi_add_handle(lane->multi, self->easy);
    return 0;
}

static void
transfer_free(lane_t *lane, transfer_t *self)
{
    curl_multi_remove_handle(lane->multi, self->easy);
    curl_slist_free_all(self->headers);
    self->request->transfer = NULL;
    curl_easy_reset(self->easy);
    if (lane->spares < LANE_EASY_MAX)
        lane->spare[lane->spares++] = self->easy;
    else
        curl_easy_cleanup(self->easy);
    free(self);
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
transfer_end(lane_t *lane, transfer_t *self, CURLcode code)
{
    docker_request_t *request = self->request;
    long status = 0;
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    request->status = (int)status;
    if (request->failure) {
        /* a source, sink or opened said why */
    } else if (status >= 400) {
        forget_version(self->http, request);
        docker_refusal(request->status, request->reply.data, &request->failure);
    } else if (code != CURLE_OK) {
        docker_http_explain(self->http, self->easy, code, self->error, &request->failure);
    }
    transfer_free(lane, self);
}

/* ----------------------------------------------------------------------------------------------- runs */

static lane_t *
lane_take(docker_http_t *self)
{
    pthread_mutex_lock(&self->lock);
    lane_t *lane = self->idle;
    if (lane) {
        self->idle = lane->next;
        self->idle_count--;
    }
    pthread_mutex_unlock(&self->lock);
    if (lane)
        return lane;
    lane = calloc(1, sizeof *lane);
    if (!lane || !(lane->multi = curl_multi_init()))
        abort();
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, LANE_CONNECTIONS);
    return lane;
}

static void
lane_give(docker_http_t *self, lane_t *lane)
{
    pthread_mutex_lock(&self->lock);
    bool keep = self->idle_count < DOCKER_IDLE_LANES_MAX;
    if (keep) {
        lane->next = self->idle;
        self->idle = lane;
        self->idle_count++;
    }
    pthread_mutex_unlock(&self->lock);
    if (!keep)
        lane_free(lane);
}

/* Ends what has ended; returns how many. */
static size_t
reap(lane_t *lane)
{
    size_t ended = 0;
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(lane->multi, &left));) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        transfer_t *transfer = NULL;
        CURLcode code = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer_end(lane, transfer, code);
        ended++;
    }
    return ended;
}

static bool
is_cancelled(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&entry, 1, 0) > 0;
}

static void
cancel_all(lane_t *lane, docker_request_t *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (requests[i].transfer)
            transfer_free(lane, requests[i].transfer);
        else if (requests[i].status || requests[i].failure)
            continue;
        if (!requests[i].failure)
            err_fail(&requests[i].failure, ERR_CANCELLED, "the caller gave up");
    }
}

static int
run(docker_http_t *self, unsigned version, docker_request_t *requests, size_t count, int cancel_fd)
{
    lane_t *lane = lane_take(self);
    size_t next = 0, active = 0;
    while (next < count || active) {
        for (; next < count && (active < DOCKER_PARALLEL_MAX || requests[next].unlimited); next++) {
            if (transfer_start(self, lane, version, &requests[next]) < 0)
                transfer_free(lane, requests[next].transfer);
            else
                active++;
        }
        int running;
        curl_multi_perform(lane->multi, &running);
        active -= reap(lane);
        if (is_cancelled(cancel_fd)) {
            cancel_all(lane, requests, count);
            break;
        }
        if (!active)
            continue;
        struct curl_waitfd extra = {.fd = cancel_fd, .events = CURL_WAIT_POLLIN};
        curl_multi_poll(lane->multi, &extra, cancel_fd >= 0, POLL_MS, NULL);
    }
    lane_give(self, lane);
    for (size_t i = 0; i < count; i++)
        if (requests[i].failure)
            return -1;
    return 0;
}

static int
negotiate(docker_http_t *self, int cancel_fd, err_t **err)
{
    AUTO_REQUEST ping = {.method = "GET", .path = "/_ping", .no_version = true};
    if (docker_http_do(self, &ping, cancel_fd, err) < 0)
        return -1;
    unsigned major = 0, minor = 0;
    if (sscanf(ping.api_version.data, "%u.%u", &major, &minor) != 2 || major != 1 || minor > 999)
        return err_fail(err, ERR_UNAVAILABLE,
                        "what listens at '%s' does not say which Docker API it speaks: check DOCKER_HOST", self->host);
    unsigned version = major * 1000 + minor;
    if (version < DOCKER_API_OLDEST)
        return err_fail(err, ERR_UNSUPPORTED,
                        "the Docker daemon at '%s' speaks API %u.%u, and %u.%u (Docker 19.03) is the oldest that works: "
                        "update Docker",
                        self->host, major, minor, DOCKER_API_OLDEST / 1000, DOCKER_API_OLDEST % 1000);
    pthread_mutex_lock(&self->lock);
    self->version = version < DOCKER_API_NEWEST ? version : DOCKER_API_NEWEST;
    pthread_mutex_unlock(&self->lock);
    return 0;
}
