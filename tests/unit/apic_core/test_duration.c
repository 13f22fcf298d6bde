/*  duration: as Go prints them. */
#include "apic/core/duration.h"
#include "tests/unit/apic_core/support.h"

static void
durations_print_as_go_prints_them(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {1500, "1.5\302\265s"},
        {1000000, "1ms"},
        {500000000, "500ms"},
        {1000000000, "1s"},
        {1500000000, "1.5s"},
        {1000000001, "1.000000001s"},
        {90000000000, "1m30s"},
        {120000000000, "2m0s"},
        {INT64_C(3600000000000), "1h0m0s"},
        {INT64_C(900000000000), "15m0s"},
        {-1500000000, "-1.5s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = duration_text(cases[i].ns);
        assert_string_equal(text, cases[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_print_as_go_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
