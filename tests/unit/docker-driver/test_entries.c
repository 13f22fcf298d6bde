/*  Docker's log stream, taken apart fast: however it is cut, and also where outputs end without a newline. */
#include "docker-driver/entries.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STAMP "2024-01-02T03:04:05.000000007Z "
#define LATER "2024-01-02T03:04:06.500000000Z "

static int
on_line(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size, err_t **err)
{
    (void)err;
    if (size > 60)
        str_printf(arg, "%c%lld:%.*s...%zu|", stream == DOCKER_ERR ? 'E' : 'O',
                   (long long)(time % NS_PER_SECOND), 8, line, size);
    else
        str_printf(arg, "%c%lld:%.*s|", stream == DOCKER_ERR ? 'E' : 'O',
                   (long long)(time % NS_PER_SECOND), (int)size, line);
    return 0;
}

static void
frame(str_t *out, int kind, const char *text, size_t size)
{
    const char head[8] = {
        (char)kind, 0, 0, 0, (char)(size >> 24), (char)(size >> 16), (char)(size >> 8), (char)size};
    str_add_bytes(out, head, sizeof head);
    str_add_bytes(out, text, size);
}

static int
feed(const str_t *stream, bool tty, size_t step, str_t *out, err_t **err)
{
    docker_entries_t entries;
    docker_entries_init(&entries, tty, on_line, out);
    int result = 0;
    for (size_t at = 0; at < stream->len && result == 0; at += step)
        result = docker_entries_feed(&entries, stream->data + at,
                                     stream->len - at < step ? stream->len - at : step, err);
    if (result == 0)
        result = docker_entries_end(&entries, err);
    docker_entries_done(&entries);
    return result;
}

static void
lines_come_as_they_were_printed(void **state)
{
    (void)state;
    static const struct {
        int kind;
        const char *text;
    } rows[] = {{1, STAMP "one\n"}, {2, STAMP "two\n"},
                {1, LATER "\n"},    {1, LATER "no newline"},
                {2, STAMP "x\n"},   {1, STAMP "after\n"},
                {0, STAMP "in\n"},  {1, "no stamp\n"},
                {1, STAMP},         {1, "2024-01-02T03:04:05+01:00 z\n"}};
    AUTO_STR stream = STR_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        frame(&stream, rows[i].kind, rows[i].text, strlen(rows[i].text));
    for (size_t step = 1; step <= stream.len; step++) {
        AUTO_STR out = STR_EMPTY;
        assert_int_equal(feed(&stream, false, step, &out, NULL), 0);
        assert_string_equal(out.data, "O7:one|E7:two|O500000000:|O500000000:no "
                                      "newline|E7:x|O7:after|O7:in|O0:no stamp|O7:|O0:z|");
    }
}

static void
long_lines_are_put_together_and_too_long_ones_split(void **state)
{
    (void)state;
    AUTO_STR stream = STR_EMPTY;
    AUTO_STR part = STR_EMPTY;
    str_add(&part, STAMP);
    for (int i = 0; i < 16384; i++)
        str_add_char(&part, 'a');
    frame(&stream, 1, part.data, part.len);
    frame(&stream, 2, STAMP "between\n", strlen(STAMP "between\n"));
    frame(&stream, 1, part.data, part.len);
    frame(&stream, 1, LATER "end\n", strlen(LATER "end\n"));
    for (int i = 0; i < 65; i++)
        frame(&stream, 1, part.data, part.len);
    frame(&stream, 1, STAMP "\n", strlen(STAMP "\n"));
    static const size_t steps[] = {1, 7, 4096, 16385, 100000, 10000000};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        AUTO_STR out = STR_EMPTY;
        assert_int_equal(feed(&stream, false, steps[i], &out, NULL), 0);
        assert_string_equal(
            out.data, "E7:between|O7:aaaaaaaa...32771|O7:aaaaaaaa...1048576|O7:aaaaaaaa...16384|");
    }
}

static void
lines_of_podman_go_on_until_their_newline(void **state)
{
    (void)state;
    static const char second[] = "2024-01-02T03:04:05Z ", zone[] = "2024-01-02T03:04:05+01:00 ";
    static const struct {
        int kind;
        const char *stamp, *text;
    } rows[] = {{1, second, "on"}, {2, second, "bad\n"}, {1, zone, "e"},
                {1, second, "\n"}, {1, second, "two\n"}, {1, second, "end"}};
    AUTO_STR stream = STR_EMPTY;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *entry = str_format("%s%s", rows[i].stamp, rows[i].text);
        frame(&stream, rows[i].kind, entry, strlen(entry));
    }
    for (size_t step = 1; step <= stream.len; step++) {
        AUTO_STR out = STR_EMPTY;
        assert_int_equal(feed(&stream, false, step, &out, NULL), 0);
        assert_string_equal(out.data, "E0:bad|O0:one|O0:two|O0:end|");
    }
}

static void
a_terminal_has_no_frames(void **state)
{
    (void)state;
    AUTO_STR stream = STR_EMPTY;
    AUTO_STR out = STR_EMPTY;
    str_add(&stream, STAMP "one\r\n" LATER "two\r\n");
    assert_int_equal(feed(&stream, true, 3, &out, NULL), 0);
    assert_string_equal(out.data, "O7:one\r|O500000000:two\r|");
}

static void
what_is_no_log_stream_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        err_code_t code;
    } rows[] = {{"\x04\0\0\0\0\0\0\1x", 9, ERR_INVALID}, {"\1\1\0\0\0\0\0\1x", 9, ERR_INVALID},
                {"\1\0\0\0\xff\0\0\1x", 9, ERR_INVALID}, {"\1\0\0\0\0\0\0\5x", 9, ERR_UNAVAILABLE},
                {"\1\0\0", 3, ERR_UNAVAILABLE},          {"\3\0\0\0\0\0\0\4oops", 12, ERR_UNKNOWN}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t step = 1; step < 13; step++) {
            AUTO_STR stream = STR_EMPTY;
            AUTO_STR out = STR_EMPTY;
            AUTO(err) err = NULL;
            str_add_bytes(&stream, rows[i].bytes, rows[i].size);
            assert_int_equal(feed(&stream, false, step, &out, &err), -1);
            assert_int_equal(err_code(err), rows[i].code);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_as_they_were_printed),
        cmocka_unit_test(long_lines_are_put_together_and_too_long_ones_split),
        cmocka_unit_test(lines_of_podman_go_on_until_their_newline),
        cmocka_unit_test(a_terminal_has_no_frames),
        cmocka_unit_test(what_is_no_log_stream_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
