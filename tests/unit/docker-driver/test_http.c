/*  http: requests to a daemon that misbehaves. */
#include "base/clock.h"
#include "docker-driver/http.h"
#include "tests/unit/docker-driver/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define BIG (4u << 20) /* bytes of an upload */

/* Requests for "/step/<number>", which have to come in their order and one at a time. */
static atomic_int steps, steps_open, steps_wrong;

static void
answer_step(fake_request_t *request)
{
    if (atomic_fetch_add(&steps_open, 1) != 0 || atoi(request->path + 6) != atomic_load(&steps))
        steps_wrong++;
    steps++;
    steps_open--;
    fake_json(request, 500, "{\"message\":\"however it ends\"}");
}

/* Answers by the path. */
static void
answer(void *arg, fake_request_t *request)
{
    if (fake_ping(request))
        return;
    if (strcmp(request->path, "/good") == 0) {
        fake_json(request, 200, "{\"a\":1}");
    } else if (strcmp(request->path, "/close") == 0) { /* without having said so */
        fake_json(request, 200, "{}");
        request->close = true;
    } else if (strcmp(request->path, "/refuse") == 0) {
        fake_json(request, 404, "{\"message\":\"No such image: x:1\"}");
    } else if (strcmp(request->path, "/garbage") == 0) {
        fake_send(request, "\x16\x03\x01 this is no HTTP\r\n\r\n");
        request->close = true;
    } else if (strcmp(request->path, "/cut") == 0) {
        fake_send(request, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot a hundred");
        request->close = true;
    } else if (strcmp(request->path, "/silent") == 0) {
        fake_wait_gone(request);
    } else if (strcmp(request->path, "/upload") == 0) {
        char text[64];
        snprintf(text, sizeof text, "{\"size\":%zu}", request->body_size);
        fake_json(request, 200, text);
    } else if (strcmp(request->path, "/early") == 0) { /* before the body has come */
        fake_json(request, 500, "{\"message\":\"write /x: no space left on device\"}");
        request->close = true;
    } else if (strncmp(request->path, "/step/", 6) == 0) {
        answer_step(request);
    } else if (strcmp(request->path, "/many") == 0) {
        fake_json(request, 200, "{}");
    }
    (void)arg;
}

typedef struct {
    fake_t *fake;
    docker_http_t *http;
} world_t;

static int
setup(void **state)
{
    world_t *world = calloc(1, sizeof *world);
    world->fake = fake_new(answer, NULL);
    *state = world;
    return docker_http_new(fake_host(world->fake), &world->http, NULL);
}

static int
teardown(void **state)
{
    world_t *world = *state;
    docker_http_destroy(&world->http);
    fake_destroy(&world->fake);
    free(world);
    return 0;
}

static void
fails(docker_http_t *http, docker_request_t request, int cancel_fd, err_code_t code,
      const char *words)
{
    AUTO(err) err = NULL;
    assert_true(docker_http_do(http, &request, cancel_fd, &err) < 0);
    AUTO_FREE char *text = err_string(err);
    if (err_code(err) != code || !strstr(text, words))
        fail_msg("%s: %s", err_code_name(err_code(err)), text);
    docker_request_done(&request);
}

static void
succeeds(docker_http_t *http, const char *path)
{
    AUTO_REQUEST request = {.method = "GET", .path = path};
    AUTO(err) err = NULL;
    if (docker_http_do(http, &request, -1, &err) < 0)
        fail_msg("%s", err_string(err));
    assert_int_equal(request.status, 200);
}

static void
a_missing_daemon_is_said_with_what_to_do(void **state)
{
    world_t *world = *state;
    docker_http_t *http;
    assert_int_equal(docker_http_new("unix:///tmp/no/such/docker.sock", &http, NULL), 0);
    fails(http, (docker_request_t){.method = "GET", .path = "/x"}, -1, ERR_UNAVAILABLE,
          "cannot connect to the Docker daemon at 'unix:///tmp/no/such/docker.sock' (No such file "
          "or directory): is it running?");
    docker_http_destroy(&http);
    assert_int_equal(docker_http_new("tcp://127.0.0.1:1", &http, NULL), 0);
    fails(http, (docker_request_t){.method = "GET", .path = "/x"}, -1, ERR_UNAVAILABLE,
          "Connection refused");
    docker_http_destroy(&http);
    (void)world;
}

static void
addresses_of_other_kinds_are_refused(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "unix://relative", "tcp://",      "nonsense",          "http://host",
        "ssh://",          "ssh://-oX=y", "ssh://me@host:22x", "ssh://me@host/path"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        docker_http_t *http = NULL;
        AUTO(err) err = NULL;
        assert_true(docker_http_new(hosts[i], &http, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
        assert_non_null(strstr(err_text(err), "cannot use the Docker address"));
        assert_non_null(strstr(err_text(err), hosts[i]));
    }
}

static void
the_environment_names_the_daemon(void **state)
{
    world_t *world = *state;
    docker_http_t *http = NULL;
    setenv("DOCKER_HOST", fake_host(world->fake), 1);
    assert_int_equal(docker_http_new(NULL, &http, NULL), 0);
    unsetenv("DOCKER_HOST");
    assert_string_equal(docker_http_host(http), fake_host(world->fake));
    succeeds(http, "/good");
    unsigned version;
    assert_int_equal(docker_http_version(http, &version, NULL), 0);
    assert_int_equal(version, 1041);
    docker_http_destroy(&http);
}

static void
refusals_and_broken_answers_are_clear(void **state)
{
    world_t *world = *state;
    static const struct {
        const char *path;
        int timeout_ms;
        err_code_t code;
        const char *says;
    } cases[] = {
        {"/refuse", 0, ERR_NOT_FOUND, "Docker says 'No such image: x:1': pull it first"},
        {"/garbage", 0, ERR_UNAVAILABLE, "does not speak as a Docker daemon does"},
        {"/cut", 0, ERR_UNAVAILABLE, "broke (it was closed)"},
        {"/silent", 50, ERR_TIMEOUT, "did not answer in time"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        docker_request_t request = {
            .method = "GET", .path = cases[i].path, .timeout_ms = cases[i].timeout_ms};
        fails(world->http, request, -1, cases[i].code, cases[i].says);
        succeeds(world->http, "/good");
    }
}

static void
connections_are_kept_and_made_anew_when_they_ended(void **state)
{
    world_t *world = *state;
    for (int i = 0; i < 5; i++) {
        succeeds(world->http, "/good");
        succeeds(world->http, "/close");
    }
    fake_stop(world->fake);
    fails(world->http, (docker_request_t){.method = "GET", .path = "/good"}, -1, ERR_UNAVAILABLE,
          "is it running?");
    fake_start(world->fake);
    succeeds(world->http, "/good");
}

static void
a_caller_who_gives_up_is_answered_at_once(void **state)
{
    world_t *world = *state;
    AUTO_FD int fd = eventfd(1, EFD_CLOEXEC);
    int64_t begin = clock_ns();
    fails(world->http, (docker_request_t){.method = "GET", .path = "/silent"}, fd, ERR_CANCELLED,
          "gave up");
    assert_true(clock_ns() - begin < 30 * NS_PER_SECOND);
}

typedef struct {
    size_t left;
    bool fails;
} upload_t;

static long
upload_source(void *arg, char *buffer, size_t size, err_t **err)
{
    upload_t *self = arg;
    if (self->fails && self->left < BIG / 2)
        return err_fail(err, ERR_INVALID, "the source is dry");
    size_t part = self->left < size ? self->left : size;
    memset(buffer, 'x', part);
    self->left -= part;
    return (long)part;
}

static void
uploads_are_streamed(void **state)
{
    world_t *world = *state;
    upload_t upload = {.left = BIG};
    AUTO_REQUEST put = {
        .method = "PUT", .path = "/upload", .source = upload_source, .arg = &upload};
    assert_int_equal(docker_http_do(world->http, &put, -1, NULL), 0);
    assert_string_equal(put.reply.data, "{\"size\":4194304}");
}

static void
a_refusal_in_the_middle_of_an_upload_is_heard(void **state)
{
    world_t *world = *state;
    upload_t upload = {.left = BIG};
    fails(world->http,
          (docker_request_t){
              .method = "PUT", .path = "/early", .source = upload_source, .arg = &upload},
          -1, ERR_LIMIT, "the disk of the Docker host is full");
}

static void
a_source_that_fails_gives_the_reason(void **state)
{
    world_t *world = *state;
    upload_t upload = {.left = BIG, .fails = true};
    fails(world->http,
          (docker_request_t){
              .method = "PUT", .path = "/upload", .source = upload_source, .arg = &upload},
          -1, ERR_INVALID, "the source is dry");
    succeeds(world->http, "/good");
}

static int
refuse_all(void *arg, const char *data, size_t size, err_t **err)
{
    (void)arg;
    (void)data;
    (void)size;
    return err_fail(err, ERR_LIMIT, "no more");
}

static void
a_sink_that_fails_gives_the_reason(void **state)
{
    world_t *world = *state;
    fails(world->http, (docker_request_t){.method = "GET", .path = "/good", .sink = refuse_all}, -1,
          ERR_LIMIT, "no more");
    succeeds(world->http, "/good");
}

static void
many_requests_run_at_once_and_each_has_its_own_end(void **state)
{
    world_t *world = *state;
    docker_request_t requests[60] = {0};
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        requests[i] = (docker_request_t){.method = "GET", .path = i == 33 ? "/refuse" : "/many"};
    AUTO(err) err = NULL;
    assert_true(docker_http_run(world->http, requests, ARRAY_LEN(requests), -1, &err) < 0);
    assert_int_equal(err_code(err), ERR_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        assert_int_equal(requests[i].status, i == 33 ? 404 : 200);
        assert_true((requests[i].failure != NULL) == (i == 33));
        docker_request_done(&requests[i]);
    }
}

static void
a_request_begins_when_the_one_that_it_comes_after_has_ended(void **state)
{
    world_t *world = *state;
    docker_request_t requests[60] = {0}; /* every other one is a step */
    char paths[ARRAY_LEN(requests)][16];
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        snprintf(paths[i], sizeof paths[i], i % 2 ? "/many" : "/step/%zu", i / 2);
        requests[i] = (docker_request_t){.method = "GET", .path = paths[i]};
        requests[i].after = i % 2 || i == 0 ? NULL : &requests[i - 2];
    }
    steps = steps_wrong = 0;
    assert_true(docker_http_run(world->http, requests, ARRAY_LEN(requests), -1, NULL) < 0);
    assert_int_equal(steps, ARRAY_LEN(requests) / 2);
    assert_int_equal(steps_wrong, 0);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        assert_int_equal(requests[i].status, i % 2 ? 200 : 500);
        docker_request_done(&requests[i]);
    }
}

static void *
ask_often(void *arg)
{
    for (int i = 0; i < 20; i++)
        succeeds(arg, "/good");
    return NULL;
}

static void
threads_share_a_client(void **state)
{
    world_t *world = *state;
    pthread_t threads[6];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_create(&threads[i], NULL, ask_often, world->http);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(fake_count(world->fake, "/good"), 120);
}

static void
paths_are_escaped(void **state)
{
    (void)state;
    AUTO_FREE char *path = docker_path("/a/%s?b=%d&c=%s%%", "x y/..:@?#", 7, "{\"k\":[\"v\"]}");
    assert_string_equal(path, "/a/x%20y/..:@%3F%23?b=7&c=%7B%22k%22:%5B%22v%22%5D%7D%");
}

/* ---------------------------------------------------------------------------------- the version */

static void
answer_version(void *arg, fake_request_t *request)
{
    const char *version = arg;
    AUTO_FREE char *text =
        str_format("HTTP/1.1 200 OK\r\n%s%s%sContent-Length: 2\r\n\r\nOK",
                   *version ? "Api-Version: " : "", version, *version ? "\r\n" : "");
    fake_send(request, text);
}

static void
the_version_is_the_older_of_both(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        unsigned expected; /* 0: refused */
        const char *says;
    } cases[] = {
        {"1.41", 1041, ""},
        {"1.99", DOCKER_API_NEWEST, ""},
        {"1.24", 0, "update Docker"},
        {"", 0, "does not say which Docker API"},
        {"9.9", 0, "does not say which Docker API"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake_t *fake = fake_new(answer_version, (void *)cases[i].version);
        docker_http_t *http;
        unsigned version = 0;
        AUTO(err) err = NULL;
        assert_int_equal(docker_http_new(fake_host(fake), &http, NULL), 0);
        assert_int_equal(docker_http_version(http, &version, &err) == 0, cases[i].expected > 0);
        assert_int_equal(version, cases[i].expected);
        assert_non_null(strstr(err_text(err), cases[i].says));
        docker_http_destroy(&http);
        fake_destroy(&fake);
    }
}

int
main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(a_missing_daemon_is_said_with_what_to_do),
        cmocka_unit_test(addresses_of_other_kinds_are_refused),
        WITH(the_environment_names_the_daemon),
        WITH(refusals_and_broken_answers_are_clear),
        WITH(connections_are_kept_and_made_anew_when_they_ended),
        WITH(a_caller_who_gives_up_is_answered_at_once),
        WITH(uploads_are_streamed),
        WITH(a_refusal_in_the_middle_of_an_upload_is_heard),
        WITH(a_source_that_fails_gives_the_reason),
        WITH(a_sink_that_fails_gives_the_reason),
        WITH(many_requests_run_at_once_and_each_has_its_own_end),
        WITH(a_request_begins_when_the_one_that_it_comes_after_has_ended),
        WITH(threads_share_a_client),
        cmocka_unit_test(paths_are_escaped),
        cmocka_unit_test(the_version_is_the_older_of_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
