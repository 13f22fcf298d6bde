/*  names: generated names are well formed, free, and drawn from lists without repetition. */
#include "base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
never(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return false;
}

/* Everything without a number, and "-1". */
static bool
plain_and_one(void *arg, const char *name)
{
    ++*(int *)arg;
    const char *last = strrchr(name, '-');
    return last[1] < '0' || last[1] > '9' || strcmp(last, "-1") == 0;
}

static void
a_name_is_an_adjective_a_hyphen_and_a_noun_of_its_theme(void **state)
{
    (void)state;
    for (int theme = 0; theme < NAMES_THEMES; theme++)
        for (int i = 0; i < 100; i++) {
            char *name = names_new((names_theme_t)theme, never, NULL);
            char *hyphen = strchr(name, '-');
            assert_non_null(hyphen);
            *hyphen = 0;
            int found = 0;
            for (const char *const *a = names_adjectives(); *a; a++)
                found += strcmp(*a, name) == 0;
            for (const char *const *n = names_nouns((names_theme_t)theme); *n; n++)
                found += strcmp(*n, hyphen + 1) == 0;
            assert_int_equal(found, 2);
            free(name);
        }
}

static void
when_six_draws_are_taken_a_number_is_appended(void **state)
{
    (void)state;
    int asked = 0;
    char *name = names_new(NAMES_ARTIFACT, plain_and_one, &asked);
    assert_string_equal(strrchr(name, '-'), "-2");
    assert_int_equal(asked, NAMES_DRAWS + 2);
    free(name);
}

static size_t
check_list(const char *const *list)
{
    size_t count = 0;
    for (; list[count]; count++) {
        for (const char *c = list[count]; *c; c++)
            assert_true(*c >= 'a' && *c <= 'z');
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(list[i], list[count]);
    }
    return count;
}

static void
the_lists_hold_enough_lower_case_words_and_none_twice(void **state)
{
    (void)state;
    assert_true(check_list(names_adjectives()) >= 100);
    for (int theme = 0; theme < NAMES_THEMES; theme++)
        assert_true(check_list(names_nouns((names_theme_t)theme)) >= 80);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_an_adjective_a_hyphen_and_a_noun_of_its_theme),
        cmocka_unit_test(when_six_draws_are_taken_a_number_is_appended),
        cmocka_unit_test(the_lists_hold_enough_lower_case_words_and_none_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
