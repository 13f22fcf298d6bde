#include "base/auto.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
every_character_survives_put_and_get_and_nothing_else_does(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110100; c++) {
        AUTO_STR text = STR_EMPTY;
        bool is_char = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        utf8_put(&text, c);
        uint32_t back;
        assert_int_equal(utf8_get(text.data, text.len, &back), text.len);
        assert_int_equal(back, is_char ? c : UTF8_BAD);
        assert_true(utf8_is(text.data, text.len));
        if (text.len > 1)
            assert_false(utf8_is(text.data, text.len - 1));
    }
}

static void
bytes_that_are_no_text_are_found_and_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *clean;
    } cases[] = {
        {"\xff", "\xef\xbf\xbd"},                                 /* never a byte of text */
        {"ab\x80", "ab\xef\xbf\xbd"},                             /* continuation alone */
        {"\xc3", "\xef\xbf\xbd"},                                 /* cut */
        {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* longer than needed */
        {"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* longer than needed */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
        {"\xf4\x90\x80\x80z",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"}, /* over the last */
        {"a long text of ASCII, then\xfe.", "a long text of ASCII, then\xef\xbf\xbd."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_STR clean = STR_EMPTY;
        assert_false(utf8_is(cases[i].bytes, strlen(cases[i].bytes)));
        utf8_clean(&clean, cases[i].bytes, strlen(cases[i].bytes));
        assert_string_equal(clean.data, cases[i].clean);
        assert_int_equal(utf8_count(cases[i].bytes, strlen(cases[i].bytes)),
                         utf8_count(clean.data, clean.len));
    }
}

static void
well_formed_text_is_kept_and_counted_in_characters(void **state)
{
    (void)state;
    static const char text[] = "z\u00fc\u65e5\U0001F600, and twenty more plain bytes";
    AUTO_STR clean = STR_EMPTY;
    assert_true(utf8_is(text, strlen(text)));
    utf8_clean(&clean, text, strlen(text));
    assert_string_equal(clean.data, text);
    assert_int_equal(utf8_count(text, strlen(text)), 4 + 29);
    assert_true(utf8_is("", 0));
    assert_true(utf8_is("a\0b", 3));
}

static void
text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char text[] = "a\u00fc\U0001F600b";
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
    for (size_t max = 0; max < ARRAY_LEN(cuts); max++)
        assert_int_equal(utf8_cut(text, strlen(text), max), cuts[max]);
    assert_int_equal(utf8_cut("\200\200\200\200\200", 5, 4), 1); /* no text */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_survives_put_and_get_and_nothing_else_does),
        cmocka_unit_test(bytes_that_are_no_text_are_found_and_replaced),
        cmocka_unit_test(well_formed_text_is_kept_and_counted_in_characters),
        cmocka_unit_test(text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
