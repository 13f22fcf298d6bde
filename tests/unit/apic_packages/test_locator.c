#include "apic/packages/locator.h"
#include "apic/packages/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
paths_are_cleaned_as_go_cleans_them(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "."},
        {"a", "a"},
        {"a//b", "a/b"},
        {"a/./b", "a/b"},
        {"a/b/..", "a"},
        {"a/..", "."},
        {"../a", "../a"},
        {"../../a", "../../a"},
        {"a/../../b", "../b"},
        {"/", "/"},
        {"/..", "/"},
        {"/../a", "/a"},
        {"/a/../..", "/"},
        {"a/b/", "a/b"},
        {"./a", "a"},
        {"///a", "/a"},
        {"/a/b/../../../c", "/c"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *clean = packages_path_clean(cases[i][0]);
        assert_string_equal(clean, cases[i][1]);
        free(clean);
    }
}

static void
paths_have_a_folder_and_a_last_element(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a/b/c", "a/b", "c"}, {"a", ".", "a"}, {"/a", "/", "a"}, {"", ".", "."}, {"/", "/", "/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *dir = packages_path_dir(cases[i][0]), *base = packages_path_base(cases[i][0]);
        assert_string_equal(dir, cases[i][1]);
        assert_string_equal(base, cases[i][2]);
        free(dir);
        free(base);
    }
    assert_true(packages_path_within("a/b", "a"));
    assert_true(packages_path_within("a", "a"));
    assert_false(packages_path_within("ab", "a"));
}

static void
locators_are_taken_apart(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* text, path, version */
        {"github.com/a/b", "a/b", ""},
        {"github.com/a/b/main.star", "a/b/main.star", ""},
        {"GitHub.com/a/b/", "a/b", ""},
        {"github.com/a//b/./c/../d.star", "a/b/d.star", ""},
        {"github.com/a/b/main.star@1.2", "a/b/main.star", "1.2"},
        {"github.com/a/b@1.2/main.star", "a/b/main.star", "1.2"},
        {"github.com/a/b@feat/x", "a/b", "feat/x"},
        {"github.com/a/b@feat/x/main.star", "a/b/main.star", "feat/x"},
        {"github.com/a/b@feat/1.2", "a/b/1.2", "feat"},
        {"github.com/a/b@1.2/lib/x.star", "a/b/x.star", "1.2/lib"},
        {"github.com/a/b/c%20d?x=1#y", "a/b/c d", ""},
        {"github.com/a/b/../../../c/d", "c/d", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(packages_locator) locator = NULL;
        assert_int_equal(packages_locator_parse(cases[i][0], &locator, NULL), 0);
        assert_string_equal(locator->path, cases[i][1]);
        assert_string_equal(locator->version, cases[i][2]);
    }
}

static void
what_is_no_locator_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://github.com/a/b", "Error parsing the URL of module 'https://github.com/a/b'. "
                                   "Expected schema to be empty got 'https'"},
        {"gitlab.com/a/b", "Error parsing the URL of module. We only support modules on Github for "
                           "now but got 'gitlab.com/a/b'"},
        {"github.com:80/a/b", "Error parsing the URL of module 'github.com:80/a/b'. Expected "
                              "schema to be empty got 'github.com'"},
        {"github.com/a", "Error parsing the URL of module: 'github.com/a'. The path should contain "
                         "at least 2 subpaths got '[a]'"},
        {"github.com", "Error parsing the URL of module: 'github.com'. The path should contain at "
                       "least 2 subpaths got '[]'"},
        {"github.com/a/b%zz", "Error parsing the URL with scheme for module "
                              "'https://github.com/a/b%zz'"},
        {"", "Error parsing the URL of module. We only support modules on Github for now but got "
             "''"},
        {"./x.star", "Error parsing the URL of module. We only support modules on Github for now "
                     "but got './x.star'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(packages_locator) locator = NULL;
        AUTO(err) err = NULL;
        assert_true(packages_locator_parse(cases[i][0], &locator, &err) < 0);
        assert_string_equal(err_text(err), cases[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_cleaned_as_go_cleans_them),
        cmocka_unit_test(paths_have_a_folder_and_a_last_element),
        cmocka_unit_test(locators_are_taken_apart),
        cmocka_unit_test(what_is_no_locator_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
