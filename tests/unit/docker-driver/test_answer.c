/*  answer: HTTP answers, cut anywhere. */
#include "docker-driver/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static int
note(void *arg, const char *data, size_t size, err_t **err)
{
    (void)err;
    str_add_bytes(arg, data, size);
    return 0;
}

/* Feeds text in pieces of step: the body, or NULL when it is refused. closes: whether the
 * connection ends after it. */
static bool
feed(answer_t *answer, const char *text, size_t step, bool ends, str_t *body, err_t **err)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size && answer->state != ANSWER_DONE;) {
        size_t part = size - at < step ? size - at : step;
        long used = answer_feed(answer, text + at, part, note, body, err);
        if (used < 0)
            return false;
        at += (size_t)used;
    }
    return !ends || answer_end(answer, err) == 0;
}

static void
answers_are_read_however_they_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *body;
        bool closes;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", false},
        {"HTTP/1.1 404 Not Found\r\ncontent-length:2\r\n\r\n{}", 404, "{}", false},
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", false},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
         "chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
         200, "abc0123456789", false},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 200, "x", true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", true},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", true},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
         false},
        {"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n", 101, "", false},
        {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t step = 1; step <= strlen(cases[i].text); step++) {
            answer_t answer;
            AUTO_STR body = STR_EMPTY;
            answer_init(&answer, false);
            assert_true(feed(&answer, cases[i].text, step, true, &body, NULL));
            assert_int_equal(answer.status, cases[i].status);
            assert_int_equal(answer.closes, cases[i].closes);
            assert_string_equal(body.data, cases[i].body);
            answer_done(&answer);
        }
}

static void
what_is_no_answer_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"SSH-2.0-OpenSSH_9.2\r\n", "is not HTTP"},
        {"HTTP/2.0 200 OK\r\n\r\n", "is not HTTP"},
        {"HTTP/1.1 xyz\r\n\r\n", "begins with"},
        {"HTTP/1.1 99 Low\r\n\r\n", "begins with"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length is '-1'"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "length is"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "coded as 'gzip'"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "has size 'xyz'"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
         "longer than it said"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "broke off"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "broke off"},
        {"HTTP/1.1 200", "broke off"},
        {"", "broke off"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        answer_t answer;
        AUTO_STR body = STR_EMPTY;
        AUTO(err) err = NULL;
        answer_init(&answer, false);
        assert_false(feed(&answer, cases[i].text, 3, true, &body, &err));
        assert_int_equal(err_code(err), ERR_UNAVAILABLE);
        assert_non_null(strstr(err_text(err), cases[i].says));
        answer_done(&answer);
    }
}

static void
an_endless_head_is_refused(void **state)
{
    (void)state;
    answer_t answer;
    AUTO_STR text = STR_EMPTY, body = STR_EMPTY;
    AUTO(err) err = NULL;
    str_add(&text, "HTTP/1.1 200 OK\r\nX: ");
    while (text.len <= ANSWER_HEAD_MAX)
        str_add(&text, "0123456789");
    answer_init(&answer, false);
    assert_false(feed(&answer, text.data, text.len, false, &body, &err));
    assert_non_null(strstr(err_text(err), "more than"));
    answer_done(&answer);
}

static void
an_answer_to_head_has_no_body(void **state)
{
    (void)state;
    answer_t answer;
    AUTO_STR body = STR_EMPTY;
    answer_init(&answer, true);
    assert_true(
        feed(&answer,
             "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nX-Docker-Container-Path-Stat: eyJ9\r\n\r\n",
             4, false, &body, NULL));
    assert_int_equal(answer.state, ANSWER_DONE);
    assert_string_equal(answer.path_stat.data, "eyJ9");
    answer_done(&answer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_however_they_are_cut),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(an_answer_to_head_has_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
