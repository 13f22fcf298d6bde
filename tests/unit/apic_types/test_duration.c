#include "apic/types/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
durations_are_read_and_written_as_go_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
        const char *normal;
    } cases[] = {
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"90s", INT64_C(90000000000), "1m30s"},
        {"2m", INT64_C(120000000000), "2m0s"},
        {"1h2m3.5s", INT64_C(3723500000000), "1h2m3.5s"},
        {"250ms", 250000000, "250ms"},
        {"1.5s", 1500000000, "1.5s"},
        {"-1.5h", INT64_C(-5400000000000), "-1h30m0s"},
        {"1us", 1000, "1\xc2\xb5s"},
        {"1\xc2\xb5s", 1000, "1\xc2\xb5s"},
        {".5s", 500000000, "500ms"},
        {"3ns", 3, "3ns"},
        {"+5m", INT64_C(300000000000), "5m0s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = -1;
        AUTO_STR text = STR_EMPTY;
        assert_int_equal(types_duration_parse(cases[i].text, &ns, NULL), 0);
        assert_true(ns == cases[i].ns);
        types_duration_put(&text, ns);
        assert_string_equal(text.data, cases[i].normal);
    }
}

static void
what_is_no_duration_is_refused_in_gos_words(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "time: invalid duration \"\""},
        {"x", "time: invalid duration \"x\""},
        {"5", "time: missing unit in duration \"5\""},
        {"2minutos", "time: unknown unit \"minutos\" in duration \"2minutos\""},
        {"1s5", "time: missing unit in duration \"1s5\""},
        {".s", "time: invalid duration \".s\""},
        {"9999999999h", "time: invalid duration \"9999999999h\""},
        {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns;
        AUTO(err) err = NULL;
        assert_true(types_duration_parse(cases[i][0], &ns, &err) < 0);
        assert_string_equal(err_text(err), cases[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_and_written_as_go_does),
        cmocka_unit_test(what_is_no_duration_is_refused_in_gos_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
