#include "apic/packages/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
a_manifest_has_a_name_a_description_and_replacements(void **state)
{
    (void)state;
    static const char text[] =
        "name: github.com/me/pkg\n"
        "description: |\n  two\n  lines\n"
        "replace:\n  github.com/a/b: ../b\n  github.com/c/d: \"github.com/e/f@1\"\n";
    AUTO(packages_manifest) self = NULL;
    assert_int_equal(packages_manifest_parse(text, strlen(text), &self, NULL), 0);
    assert_string_equal(self->name, "github.com/me/pkg");
    assert_string_equal(self->description, "two\nlines\n");
    assert_int_equal(self->n_replaces, 2);
    assert_string_equal(self->replaces[0].from, "github.com/a/b");
    assert_string_equal(self->replaces[0].to, "../b");
    assert_string_equal(self->replaces[1].to, "github.com/e/f@1");
}

static void
what_does_not_belong_in_a_manifest_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"nam: x\n",
         "line 1, column 1: unknown key 'nam'; known are 'name', 'description' and 'replace'"},
        {"name: x\nname: y\n", "line 2, column 1: key \"name\" already set in map"},
        {"name: [x]\n", "line 1, column 7: 'name' should be a string"},
        {"name: x\nreplace:\n  a: b\n  a: c\n", "line 4, column 3: key \"a\" already set in map"},
        {"name: x\nreplace: [a]\n",
         "line 2, column 10: 'replace' should map package ids to what replaces them"},
        {"- a\n", "line 1, column 1: the file should be a map with the key 'name'"},
        {"name: \"x\n", "yaml: line 2, column 1: found unexpected end of stream"},
        {"name: &a [*a]\n", "line 1, column 7: 'name' should be a string"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(packages_manifest) self = NULL;
        AUTO(err) err = NULL;
        assert_true(packages_manifest_parse(cases[i][0], strlen(cases[i][0]), &self, &err) < 0);
        if (cases[i][1])
            assert_string_equal(err_text(err), cases[i][1]);
    }
}

static void
read_with(const char *text, const char *expected)
{
    FILE *file = fopen("me/pkg/kurtosis.yml", "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    char here[200];
    assert_non_null(getcwd(here, sizeof(here)));
    char pkg[240];
    snprintf(pkg, sizeof(pkg), "%s/me/pkg", here);

    AUTO(packages_manifest) self = NULL;
    AUTO(err) err = NULL;
    const int rc = packages_manifest_read(here, pkg, &self, &err);
    unlink("me/pkg/kurtosis.yml");
    if (!expected) {
        assert_int_equal(rc, 0);
        return;
    }
    assert_true(rc < 0);
    AUTO_FREE char *whole = err_string(err);
    assert_non_null(strstr(whole, expected));
}

static void
the_name_must_be_that_of_the_place(void **state)
{
    (void)state;
    read_with("name: github.com/me/pkg\n", NULL);
    read_with("name: github.com/me/other\n",
              "The package name in kurtosis.yml must match the location it is in. Package name is "
              "'github.com/me/other' and kurtosis.yml is found here: 'github.com/me/pkg'");
    read_with("name: github.com/me/pkg/\n",
              "Kurtosis package name cannot have trailing \"/\"; package name: "
              "github.com/me/pkg/ and kurtosis.yml is found at: "
              "github.com/me/pkg/kurtosis.yml");
    read_with("description: x\n", "Error occurred while validating package name:  which is found "
                                  "in kurtosis.yml at: 'github.com/me/pkg/kurtosis.yml'");
    read_with("x: y\n", "Error occurred while analyzing the contents of '");
}

static char folder[] = "/tmp/kurtosis-manifest-XXXXXX";

static int
make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    return mkdir("me", 0755) | mkdir("me/pkg", 0755);
}

static int
remove_folder(void **state)
{
    (void)state;
    rmdir("me/pkg");
    rmdir("me");
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_has_a_name_a_description_and_replacements),
        cmocka_unit_test(what_does_not_belong_in_a_manifest_is_refused),
        cmocka_unit_test(the_name_must_be_that_of_the_place),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
