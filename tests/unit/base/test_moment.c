#include "base/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define STAMP_NS (INT64_C(1714979289) * 1000000000 + 1)

static void
moments_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time; /* -1: none */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2024-05-06T07:08:09.000000001Z", STAMP_NS},
        {"2024-05-06T09:08:09.000000001+02:00", STAMP_NS},
        {"2024-05-06T07:08:09.5Z", STAMP_NS + 499999999},
        {"2024-05-06", -1},
        {"2024-05-06T07:08:09", -1},
        {"2024-13-06T07:08:09Z", -1},
        {"2024-05-06T07:08:09Zx", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t time = -1;
        bool fine = moment_parse(cases[i].text, strlen(cases[i].text), &time);
        assert_int_equal(fine, cases[i].time >= 0);
        assert_int_equal(time, cases[i].time);
    }
    char text[MOMENT_SIZE];
    moment_text(STAMP_NS, 9, text);
    assert_string_equal(text, "2024-05-06T07:08:09.000000001Z");
    moment_text(STAMP_NS, 3, text);
    assert_string_equal(text, "2024-05-06T07:08:09.000Z");
    moment_text(-1, 9, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
