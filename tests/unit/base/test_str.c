#include "base/str.h"
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
an_empty_string_is_a_c_string_and_owns_nothing(void **state)
{
    (void)state;
    str_t text = STR_EMPTY;
    assert_string_equal(text.data, "");
    str_done(&text);
    assert_string_equal(text.data, "");
}

static void
appending_keeps_all_bytes_and_ends_in_nul(void **state)
{
    (void)state;
    AUTO_STR text = STR_EMPTY;
    for (int i = 0; i < 1000; i++)
        str_printf(&text, "%d,", i);
    str_add_bytes(&text, "a\0b", 3);
    assert_int_equal(text.len, 10 * 2 + 90 * 3 + 900 * 4 + 3);
    assert_memory_equal(text.data + text.len - 3, "a\0b", 4);
}

static void
taking_moves_the_bytes_out(void **state)
{
    (void)state;
    str_t text = STR_EMPTY;
    str_add(&text, "abc");
    char *bytes = str_take(&text);
    assert_string_equal(bytes, "abc");
    assert_int_equal(text.len, 0);
    free(bytes);
    bytes = str_take(&text);
    assert_string_equal(bytes, "");
    free(bytes);
}

static void
uuids_are_32_hex_digits_of_version_4_and_differ(void **state)
{
    (void)state;
    char one[UUID_LEN + 1], two[UUID_LEN + 1];
    uuid_new(one);
    uuid_new(two);
    assert_true(uuid_is(one));
    assert_int_equal(one[12], '4');
    assert_string_not_equal(one, two);
    assert_false(uuid_is("abc"));
    assert_false(uuid_is("ABCDEF01234567890123456789012345"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_string_is_a_c_string_and_owns_nothing),
        cmocka_unit_test(appending_keeps_all_bytes_and_ends_in_nul),
        cmocka_unit_test(taking_moves_the_bytes_out),
        cmocka_unit_test(uuids_are_32_hex_digits_of_version_4_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
