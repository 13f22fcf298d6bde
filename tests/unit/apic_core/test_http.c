/*  http: requests by the helper program against a small server of the test's own. */
#include "apic/core/http.h"
#include "tests/unit/apic_core/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* Answers connection after connection by the request's path; the last request is kept. */
typedef struct {
    int fd;
    unsigned port;
    pthread_t thread;
    char request[8192];
} server_t;

static const struct {
    const char *path, *answer;
} answers[] = {
    {"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    {"/chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"},
    {"/until-closed", "HTTP/1.0 200 OK\r\n\r\nto the end"},
    {"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"},
    {"/empty", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"/moved", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 4\r\n\r\nmove"},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"},
    {"/file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"},
    {"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"},
    {"/nonsense", "this is not HTTP\r\n\r\n"},
    {"/again", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /post\r\nContent-Length: 0\r\n\r\n"},
    {"/other", "HTTP/1.1 303 See Other\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"},
    {"/post", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"},
};

static bool
request_is_whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *length = strstr(request, "Content-Length: ");
    return body && (!length || strlen(body + 4) >= strtoul(length + 16, NULL, 10));
}

static void *
serve(void *arg)
{
    server_t *self = arg;
    for (int fd; (fd = accept(self->fd, NULL, NULL)) >= 0; close(fd)) {
        size_t len = 0;
        ssize_t got = 1;
        self->request[0] = 0;
        while (!request_is_whole(self->request) && got > 0 && len + 1 < sizeof self->request) {
            got = read(fd, self->request + len, sizeof self->request - 1 - len);
            len += got > 0 ? (size_t)got : 0;
            self->request[len] = 0;
        }
        char *path = strchr(self->request, ' ');
        for (size_t i = 0; path && i < ARRAY_LEN(answers); i++) {
            size_t size = strlen(answers[i].path);
            if (strncmp(path + 1, answers[i].path, size) == 0 && path[1 + size] == ' ')
                (void)!write(fd, answers[i].answer, strlen(answers[i].answer));
        }
        if (path && strncmp(path + 1, "/hang ", 6) == 0)
            got = read(fd, self->request, 1); /* until the other side gives up */
    }
    return NULL;
}

static int
setup(void **state)
{
    server_t *self = calloc(1, sizeof *self);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(self->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(self->fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(self->fd, 16), 0);
    self->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&self->thread, NULL, serve, self), 0);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    server_t *self = *state;
    shutdown(self->fd, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->fd);
    free(self);
    return 0;
}

static int
get(const server_t *server, const char *path, int timeout_ms, uint64_t max, int *ret_status,
    str_t *body, err_t **err)
{
    AUTO_FREE char *url = str_format("http://127.0.0.1:%u%s", server->port, path);
    http_request_t request = {
        .method = "GET", .url = url, .timeout_ms = timeout_ms, .cancel_fd = -1, .body_max = max};
    str_clear(body);
    return http_request_text(&request, ret_status, body, err);
}

static void
answers_come_with_status_and_body(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *body;
    } cases[] = {
        {"/ok", 200, "hello"},     {"/chunked", 200, "abcde"}, {"/until-closed", 200, "to the end"},
        {"/missing", 404, "gone"}, {"/empty", 204, ""},        {"/moved", 200, "hello"},
    };
    AUTO_STR body = STR_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = 0;
        err_t *err = NULL;
        if (get(*state, cases[i].path, 10000, HTTP_BODY_MAX, &status, &body, &err) < 0)
            fail_msg("%s", support_why(&err));
        assert_int_equal(status, cases[i].status);
        assert_string_equal(body.data, cases[i].body);
    }
}

static void
refusals_name_the_url_and_the_reason(void **state)
{
    server_t *server = *state;
    static const struct {
        const char *path;
        int timeout_ms;
        uint64_t max;
        err_code_t code;
        const char *words;
    } cases[] = {
        {"/loop", 10000, 100, ERR_UNKNOWN, "redirects"},
        {"/file", 10000, 100, ERR_INVALID, "file"},
        {"/cut", 10000, 100, ERR_UNKNOWN, "transfer closed"},
        {"/nonsense", 10000, 100, ERR_INVALID, "HTTP/0.9"},
        {"/hang", 100, 100, ERR_TIMEOUT, "longer than 100 ms"},
        {"/ok", 10000, 4, ERR_LIMIT, "more than 4 bytes"},
        {"/none", 10000, 100, ERR_UNKNOWN, "Empty reply"},
    };
    AUTO_STR body = STR_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = 0;
        err_t *err = NULL;
        assert_true(get(server, cases[i].path, cases[i].timeout_ms, cases[i].max, &status, &body,
                        &err) < 0);
        err_code_t code = err_code(err);
        AUTO_FREE char *why = support_why(&err);
        AUTO_FREE char *begins =
            str_format("GET http://127.0.0.1:%u%s failed", server->port, cases[i].path);
        if (!strstr(why, cases[i].words) || strncmp(why, begins, strlen(begins)) != 0)
            fail_msg("'%s' is not in '%s'", cases[i].words, why);
        if (strcmp(cases[i].path, "/nonsense") != 0)
            assert_int_equal(code, cases[i].code);
    }
}

static void
nobody_there_is_unavailable(void **state)
{
    server_t server = *(server_t *)*state;
    server.port = 1;
    int status;
    AUTO_STR body = STR_EMPTY;
    AUTO(err) err = NULL;
    assert_true(get(&server, "/", 10000, 100, &status, &body, &err) < 0);
    assert_int_equal(err_code(err), ERR_UNAVAILABLE);
}

static void
a_caller_that_gives_up_ends_the_request(void **state)
{
    server_t *server = *state;
    AUTO_FREE char *url = str_format("http://127.0.0.1:%u/hang", server->port);
    int status;
    AUTO_STR body = STR_EMPTY;
    AUTO(err) err = NULL;
    http_request_t request = {.method = "GET", .url = url, .timeout_ms = -1, .body_max = 100};
    request.cancel_fd = eventfd(1, EFD_CLOEXEC);
    assert_true(http_request_text(&request, &status, &body, &err) < 0);
    assert_int_equal(err_code(err), ERR_CANCELLED);
    close(request.cancel_fd);
}

static void
a_post_carries_body_type_and_headers(void **state)
{
    server_t *server = *state;
    AUTO_FREE char *url = str_format("http://127.0.0.1:%u/post", server->port);
    const char *headers[] = {"X-One: 1", "X-Empty:", "Host: example", NULL};
    int status;
    AUTO_STR body = STR_EMPTY;
    http_request_t request = {.method = "POST",
                              .url = url,
                              .body = "{\"a\":1}",
                              .body_size = 7,
                              .content_type = "application/json",
                              .headers = headers,
                              .timeout_ms = 10000,
                              .cancel_fd = -1,
                              .body_max = 100};
    assert_int_equal(http_request_text(&request, &status, &body, NULL), 0);
    assert_int_equal(status, 201);
    static const char *const lines[] = {"POST /post HTTP/1.1\r\n",
                                        "\r\nX-One: 1\r\n",
                                        "\r\nX-Empty:\r\n",
                                        "\r\nHost: example\r\n",
                                        "\r\nContent-Type: application/json\r\n",
                                        "\r\n\r\n{\"a\":1}"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (!strstr(server->request, lines[i]))
            fail_msg("'%s' is not in '%s'", lines[i], server->request);
    assert_null(strstr(server->request, "Expect"));

    const char *own_type[] = {"content-type: text/plain", NULL};
    request.headers = own_type;
    assert_int_equal(http_request_text(&request, &status, &body, NULL), 0);
    assert_non_null(strstr(server->request, "content-type: text/plain"));
    assert_null(strstr(server->request, "application/json"));

    request.headers = NULL;
    request.content_type = NULL;
    assert_int_equal(http_request_text(&request, &status, &body, NULL), 0);
    assert_null(strcasestr(server->request, "content-type"));
}

static void
a_redirect_repeats_the_body_or_becomes_a_get(void **state)
{
    server_t *server = *state;
    static const struct {
        const char *path, *begins, *ends;
        int status;
    } cases[] = {
        {"/again", "POST /post ", "\r\n\r\n{\"a\":1}", 201},
        {"/other", "GET /ok ", "\r\n\r\n", 200},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *url = str_format("http://127.0.0.1:%u%s", server->port, cases[i].path);
        int status;
        AUTO_STR body = STR_EMPTY;
        http_request_t request = {.method = "POST",
                                  .url = url,
                                  .body = "{\"a\":1}",
                                  .body_size = 7,
                                  .timeout_ms = 10000,
                                  .cancel_fd = -1,
                                  .body_max = 100};
        assert_int_equal(http_request_text(&request, &status, &body, NULL), 0);
        assert_int_equal(status, cases[i].status);
        assert_true(str_starts(server->request, cases[i].begins));
        assert_true(str_ends(server->request, cases[i].ends));
    }
}

static void
what_is_no_url_or_header_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *url, *header;
    } cases[] = {
        {"ftp://x/", NULL},
        {"x", NULL},
        {"http://x/\r\nX: y", NULL},
        {"http://127.0.0.1:1/", "no colon"},
        {"http://127.0.0.1:1/", "A: b\r\nC: d"},
        {"http://127.0.0.1:1/", ": empty name"},
        {"http://127.0.0.1:1/", "a b: c"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *headers[] = {cases[i].header, NULL};
        http_request_t request = {
            .method = "GET", .url = cases[i].url, .headers = headers, .cancel_fd = -1};
        int status;
        AUTO_STR body = STR_EMPTY;
        AUTO(err) err = NULL;
        assert_true(http_request_text(&request, &status, &body, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
    }
}

static void
a_file_is_written_and_removed_again_on_failure(void **state)
{
    server_t *server = *state;
    char *folder = support_folder();
    AUTO_FREE char *path = str_format("%s/x", folder);
    AUTO_FREE char *good = str_format("http://127.0.0.1:%u/ok", server->port);
    AUTO_FREE char *bad = str_format("http://127.0.0.1:%u/cut", server->port);
    int status = 0;
    http_request_t request = {
        .method = "GET", .url = bad, .timeout_ms = 10000, .cancel_fd = -1, .body_max = 100};
    assert_true(http_request_file(&request, &status, path, NULL) < 0);
    assert_int_not_equal(access(path, F_OK), 0);
    request.url = good;
    assert_int_equal(http_request_file(&request, &status, path, NULL), 0);
    assert_int_equal(access(path, F_OK), 0);
    support_folder_drop(folder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(answers_come_with_status_and_body),
        T(refusals_name_the_url_and_the_reason),
        T(nobody_there_is_unavailable),
        T(a_caller_that_gives_up_ends_the_request),
        T(a_post_carries_body_type_and_headers),
        T(a_redirect_repeats_the_body_or_becomes_a_get),
        T(what_is_no_url_or_header_is_refused_before_anything_is_sent),
        T(a_file_is_written_and_removed_again_on_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
