/*  demux: Docker's output streams, cut anywhere. */
#include "docker-driver/demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define STAMP "2024-05-06T07:08:09.000000001Z "
#define STAMP_NS INT64_C(1714979289000000001)

/* Appends a frame. */
static void
frame(str_t *out, int side, const char *text)
{
    size_t size = strlen(text);
    char head[8] = {(char)side, 0, 0, 0, 0, 0, (char)(size >> 8), (char)size};
    str_add_bytes(out, head, sizeof head);
    str_add_bytes(out, text, size);
}

static int
note_piece(void *arg, docker_stream_t stream, bool starts, const char *data, size_t size,
           err_t **err)
{
    (void)err;
    str_t *text = arg;
    if (starts)
        str_printf(text, "%s", stream == DOCKER_ERR ? "|E:" : "|O:");
    str_add_bytes(text, data, size);
    return 0;
}

static int
note_line(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size,
          err_t **err)
{
    (void)err;
    str_printf(arg, "%c%+lld[", stream == DOCKER_ERR ? 'E' : 'O',
               time ? (long long)(time - STAMP_NS) : -1LL);
    str_add_bytes(arg, line, size);
    str_add(arg, "]");
    return 0;
}

/* Feeds the bytes in pieces of `step`. */
static void
feed_lines(const str_t *bytes, bool tty, size_t step, str_t *out)
{
    docker_lines_t lines;
    docker_demux_t demux;
    docker_lines_init(&lines, tty, note_line, out);
    docker_demux_init(&demux, tty, docker_lines_piece, &lines);
    for (size_t at = 0; at < bytes->len; at += step) {
        size_t part = bytes->len - at < step ? bytes->len - at : step;
        assert_int_equal(docker_demux_feed(&demux, bytes->data + at, part, NULL), 0);
    }
    assert_int_equal(docker_demux_end(&demux, NULL), 0);
    assert_int_equal(docker_lines_end(&lines, NULL), 0);
    docker_demux_done(&demux);
    docker_lines_done(&lines);
}

static void
output_and_error_keep_their_order(void **state)
{
    (void)state;
    AUTO_STR bytes = STR_EMPTY;
    frame(&bytes, 1, "one\n");
    frame(&bytes, 2, "two\n");
    frame(&bytes, 1, "");
    frame(&bytes, 1, "three");
    for (size_t step = 1; step <= bytes.len; step++) {
        AUTO_STR out = STR_EMPTY;
        docker_demux_t demux;
        docker_demux_init(&demux, false, note_piece, &out);
        for (size_t at = 0; at < bytes.len; at += step)
            assert_int_equal(docker_demux_feed(&demux, bytes.data + at,
                                               bytes.len - at < step ? bytes.len - at : step, NULL),
                             0);
        assert_int_equal(docker_demux_end(&demux, NULL), 0);
        docker_demux_done(&demux);
        assert_string_equal(out.data, "|O:one\n|E:two\n|O:three");
    }
}

static void
a_stream_of_another_kind_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"HTTP/1.1 200", "\x04\0\0\0\0\0\0\1x", "\1\0\0\1\0\0\0\1x"};
    static const size_t sizes[] = {12, 9, 9};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        AUTO_STR out = STR_EMPTY;
        AUTO(err) err = NULL;
        docker_demux_t demux;
        docker_demux_init(&demux, false, note_piece, &out);
        assert_true(docker_demux_feed(&demux, texts[i], sizes[i], &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
        docker_demux_done(&demux);
    }
}

static void
a_cut_frame_and_a_complaint_are_errors_at_the_end(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY;
    AUTO(err) err = NULL;
    docker_demux_t demux;
    docker_demux_init(&demux, false, note_piece, &out);
    assert_int_equal(docker_demux_feed(&demux, "\1\0\0\0\0\0\0\5ab", 10, NULL), 0);
    assert_true(docker_demux_end(&demux, &err) < 0);
    assert_int_equal(err_code(err), ERR_UNAVAILABLE);
    docker_demux_done(&demux);

    AUTO_STR bytes = STR_EMPTY;
    frame(&bytes, 3, "error from daemon in stream: disk gone");
    docker_demux_init(&demux, false, note_piece, &out);
    assert_int_equal(docker_demux_feed(&demux, bytes.data, bytes.len, NULL), 0);
    assert_true(docker_demux_end(&demux, &err) < 0);
    assert_non_null(strstr(err_text(err), "disk gone"));
    docker_demux_done(&demux);
}

static void
lines_have_their_times(void **state)
{
    (void)state;
    AUTO_STR bytes = STR_EMPTY;
    frame(&bytes, 1, STAMP "hello world\n");
    frame(&bytes, 2, "2024-05-06T07:08:09.000000002Z oops\n");
    frame(&bytes, 1, STAMP "\n");
    /* A long line comes as several entries with a time each. */
    frame(&bytes, 1, "2024-05-06T07:08:09.000000003Z first half, ");
    frame(&bytes, 1, "2024-05-06T07:08:09.000000004Z second half\n");
    frame(&bytes, 1, STAMP "no newline");
    for (size_t step = 1; step <= bytes.len; step += 7) {
        AUTO_STR out = STR_EMPTY;
        feed_lines(&bytes, false, step, &out);
        assert_string_equal(
            out.data, "O+0[hello world]E+1[oops]O+0[]O+2[first half, second half]O+0[no newline]");
    }
}

static void
a_terminal_has_no_frames(void **state)
{
    (void)state;
    AUTO_STR bytes = STR_EMPTY;
    str_add(&bytes, STAMP "one\r\n" STAMP "two\r\nno stamp here\n" STAMP "tail");
    for (size_t step = 1; step <= bytes.len; step += 5) {
        AUTO_STR out = STR_EMPTY;
        feed_lines(&bytes, true, step, &out);
        assert_string_equal(out.data, "O+0[one\r]O+0[two\r]O+0[no stamp here]O+0[tail]");
    }
}

static void
a_line_over_the_limit_is_split(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY;
    AUTO_STR text = STR_EMPTY;
    docker_lines_t lines;
    docker_lines_init(&lines, false, note_line, &out);
    str_add(&text, STAMP);
    for (size_t i = 0; i < DOCKER_LINE_MAX + 3; i++)
        str_add_char(&text, 'x');
    str_add_char(&text, '\n');
    assert_int_equal(docker_lines_piece(&lines, DOCKER_OUT, true, text.data, text.len, NULL), 0);
    assert_string_equal(out.data + DOCKER_LINE_MAX, "xxxx]O+0[xxx]");
    docker_lines_done(&lines);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_error_keep_their_order),
        cmocka_unit_test(a_stream_of_another_kind_is_refused),
        cmocka_unit_test(a_cut_frame_and_a_complaint_are_errors_at_the_end),
        cmocka_unit_test(lines_have_their_times),
        cmocka_unit_test(a_terminal_has_no_frames),
        cmocka_unit_test(a_line_over_the_limit_is_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
