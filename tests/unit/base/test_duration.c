#include "base/duration.h"

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
        assert_int_equal(duration_parse(cases[i].text, &ns, NULL), 0);
        assert_true(ns == cases[i].ns);
        duration_put(&text, ns);
        assert_string_equal(text.data, cases[i].normal);
    }
}

static void
any_number_of_nanoseconds_is_written_exactly(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {1100, "1.1\xc2\xb5s"},
        {1500, "1.5\xc2\xb5s"},
        {2200000, "2.2ms"},
        {350000000, "350ms"},
        {INT64_C(3300000000), "3.3s"},
        {INT64_C(60000000000), "1m0s"},
        {INT64_C(245500000000), "4m5.5s"},
        {INT64_C(90061000000000), "25h1m1s"},
        {-1500000000, "-1.5s"},
        {1000000001, "1.000000001s"},
        {INT64_C(3600000000000), "1h0m0s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_STR text = STR_EMPTY;
        duration_put(&text, cases[i].ns);
        assert_string_equal(text.data, cases[i].text);
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
        assert_true(duration_parse(cases[i][0], &ns, &err) < 0);
        assert_string_equal(err_text(err), cases[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_and_written_as_go_does),
        cmocka_unit_test(any_number_of_nanoseconds_is_written_exactly),
        cmocka_unit_test(what_is_no_duration_is_refused_in_gos_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
