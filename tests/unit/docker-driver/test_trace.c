/*  trace: lines of BuildKit's messages. */
#include "docker-driver/trace.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

/* Bytes of a message as base64; static. */
static const char *
coded(const char *bytes, size_t size)
{
    static char text[4096];
    sodium_bin2base64(text, sizeof text, (const unsigned char *)bytes, size,
                      sodium_base64_VARIANT_ORIGINAL);
    return text;
}

/* A step: digest "d<n>", name, started, cached. */
static const char *
step(char digest, const char *name, bool started, bool cached)
{
    char inner[256] = {0x0a, 1, digest, 0x1a, (char)strlen(name)};
    size_t size = 5;
    memcpy(inner + size, name, strlen(name));
    size += strlen(name);
    if (cached)
        memcpy(inner + size, "\x20\x01", 2), size += 2;
    if (started)
        memcpy(inner + size, "\x2a\x02\x08\x01", 4), size += 4;
    char outer[300] = {0x0a, (char)size};
    memcpy(outer + 2, inner, size);
    return coded(outer, size + 2);
}

static void
steps_are_told_once_when_they_begin_or_are_found_in_the_cache(void **state)
{
    (void)state;
    trace_t trace = {0};
    AUTO_STR lines = STR_EMPTY;
    trace_feed(&trace, step('a', "[1/2] FROM x", false, false), &lines);
    assert_int_equal(lines.len, 0);
    trace_feed(&trace, step('a', "[1/2] FROM x", true, false), &lines);
    trace_feed(&trace, step('a', "[1/2] FROM x", true, false), &lines);
    trace_feed(&trace, step('b', "[2/2] RUN y", true, true), &lines);
    trace_feed(&trace, coded("\x1a\x06\x18\x01\x22\x02hi", 8), &lines);
    trace_feed(&trace, coded("\x1a\x07\x18\x01\x22\x03\xffy\n", 9), &lines);
    assert_string_equal(lines.data, "[1/2] FROM x\n[2/2] RUN y (cached)\nhi\n\xEF\xBF\xBDy\n");
    trace_done(&trace);
}

static void
what_makes_no_sense_adds_nothing(void **state)
{
    (void)state;
    trace_t trace = {0};
    AUTO_STR lines = STR_EMPTY;
    trace_feed(&trace, "", &lines);
    trace_feed(&trace, "!!!", &lines);
    static const char *const rows[] = {"\x0a\x7f", "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                                       "\x0a\x02\x1a\x7f", "\x0f\x0f", "\x1a\x02\x22\x09"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        trace_feed(&trace, coded(rows[i], strlen(rows[i])), &lines);
    assert_int_equal(lines.len, 0);
    trace_done(&trace);
}

static void
the_number_of_remembered_steps_is_limited(void **state)
{
    (void)state;
    trace_t trace = {0};
    AUTO_STR lines = STR_EMPTY;
    for (unsigned i = 0; i < TRACE_STEPS_MAX + 10; i++) {
        char message[] = {0x0a, 11,  0x0a, 4, (char)(i & 0x7f), (char)(i >> 7), 'd', 'd', 0x1a,
                          1,    's', 0x20, 1};
        trace_feed(&trace, coded(message, sizeof message), &lines);
    }
    assert_int_equal(trace.count, TRACE_STEPS_MAX);
    trace_done(&trace);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_told_once_when_they_begin_or_are_found_in_the_cache),
        cmocka_unit_test(what_makes_no_sense_adds_nothing),
        cmocka_unit_test(the_number_of_remembered_steps_is_limited),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
