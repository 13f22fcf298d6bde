/*  http: see http.h. */
#include "apic/core/http.h"

#include "apic/core/helper.h"
#include "apic/core/helpers/http.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* The response as it comes: the line with the status, then the body. */
typedef struct {
    int (*on_body)(void *arg, const void *data, size_t size, err_t **err);
    void *arg;
    int status; /* 0 until known */
    char line[16];
    size_t line_len;
} response_t;

static int request_text(const http_request_t *self, str_t *out, err_t **err);
static int on_output(void *arg, const void *data, size_t size, err_t **err);
static err_code_t code_of(int exit_status);

int
http_request(const http_request_t *self, int *ret_status,
             int (*on_body)(void *arg, const void *data, size_t size, err_t **err), void *arg,
             err_t **err)
{
    AUTO_STR input = STR_EMPTY;
    AUTO_STR message = STR_EMPTY;
    if (request_text(self, &input, err) < 0)
        return -1;

    response_t response = {.on_body = on_body, .arg = arg};
    helper_t helper = {.name = "http",
                       .input = input.data,
                       .input_size = input.len,
                       .with_proxies = self->is_outside,
                       .timeout_ms = self->timeout_ms,
                       .cancel_fd = self->cancel_fd,
                       .on_output = on_output,
                       .arg = &response};
    int exit_status = 0;
    int rc = helper_run(&helper, &exit_status, &message, err);
    if (rc < 0)
        return err_wrap(err, "%s %s failed", self->method, self->url);
    if (exit_status == HTTP_HELPER_TOO_LARGE)
        err_fail(err, ERR_LIMIT, "the response has more than %" PRIu64 " bytes", self->body_max);
    else if (exit_status != HTTP_HELPER_DONE)
        err_fail(err, code_of(exit_status), "%s", message.data);
    else if (response.status == 0)
        err_fail(err, ERR_INTERNAL, "there is no response");
    else {
        *ret_status = response.status;
        return 0;
    }
    return err_wrap(err, "%s %s failed", self->method, self->url);
}

static int
add_to_text(void *arg, const void *data, size_t size, err_t **err)
{
    (void)err;
    str_add_bytes(arg, data, size);
    return 0;
}

int
http_request_text(const http_request_t *self, int *ret_status, str_t *body, err_t **err)
{
    return http_request(self, ret_status, add_to_text, body, err);
}

static int
add_to_file(void *arg, const void *data, size_t size, err_t **err)
{
    for (const char *at = data; size > 0;) {
        ssize_t written = write(*(int *)arg, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return err_fail(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNKNOWN, "cannot write: %s",
                            strerror(errno));
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

int
http_request_file(const http_request_t *self, int *ret_status, const char *path, err_t **err)
{
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot make the file '%s': %s", path, strerror(errno));
    int rc = http_request(self, ret_status, add_to_file, &fd, err);
    if (rc < 0)
        unlink(path);
    return rc;
}

/* A name and a value without line ends, as HTTP wants them. */
static bool
header_is_valid(const char *header)
{
    const char *colon = strchr(header, ':');
    if (!colon || colon == header || strpbrk(header, "\r\n"))
        return false;
    for (const char *c = header; c < colon; c++)
        if (*c <= ' ' || *c >= 127 || strchr("()<>@,;\\\"/[]?={}", *c))
            return false;
    return true;
}

static int
request_text(const http_request_t *self, str_t *out, err_t **err)
{
    if (strpbrk(self->url, "\r\n") ||
        (strncasecmp(self->url, "http://", 7) != 0 && strncasecmp(self->url, "https://", 8) != 0))
        return err_fail(err, ERR_INVALID, "'%s' is not an http or https URL", self->url);

    str_printf(out, "%s\n%s\n%" PRIu64 "\n%d\n", self->method, self->url, self->body_max,
               self->is_outside);
    bool has_type = false;
    for (size_t i = 0; self->headers && self->headers[i]; i++) {
        const char *header = self->headers[i];
        if (!header_is_valid(header))
            return err_fail(err, ERR_INVALID, "'%s' is not an HTTP header", header);
        has_type = has_type || strncasecmp(header, "content-type:", 13) == 0;
        /* libcurl wants an empty value spelled "Name;". */
        size_t value = strcspn(header, ":") + 1;
        if (header[value + strspn(header + value, " \t")])
            str_printf(out, "%s\n", header);
        else
            str_printf(out, "%.*s;\n", (int)(value - 1), header);
    }
    if (self->content_type && self->content_type[0] && !has_type) {
        if (strpbrk(self->content_type, "\r\n"))
            return err_fail(err, ERR_INVALID, "'%s' is not a content type", self->content_type);
        str_printf(out, "Content-Type: %s\n", self->content_type);
    } else if (!has_type) {
        str_add(out, "Content-Type:\n"); /* libcurl's own for a POST is left out */
    }
    str_add_char(out, '\n');
    if (self->body)
        str_add_bytes(out, self->body, self->body_size);
    return 0;
}

static int
on_output(void *arg, const void *data, size_t size, err_t **err)
{
    response_t *self = arg;
    const char *at = data;
    while (self->status == 0 && size > 0) {
        char c = *at++;
        size--;
        if (c == '\n')
            self->status = (int)strtol(self->line, NULL, 10);
        else if (self->line_len + 1 < sizeof self->line)
            self->line[self->line_len++] = c;
    }
    return size > 0 ? self->on_body(self->arg, at, size, err) : 0;
}

static err_code_t
code_of(int exit_status)
{
    switch (exit_status) {
#define HTTP_HELPER_CASE(name, number, code)                                                       \
    case HTTP_HELPER_##name:                                                                       \
        return ERR_##code;
        HTTP_HELPER_RESULTS(HTTP_HELPER_CASE)
#undef HTTP_HELPER_CASE
    default:
        return ERR_INTERNAL;
    }
}
