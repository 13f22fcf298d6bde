#include "apic/packages/locator.h"
#include "apic/packages/resolve.h"
#include "base/file.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/kurtosis-resolve-XXXXXX";

static packages_replace_t replaces[] = {
    {"github.com/dep/local", "../local"},
    {"github.com/dep/far", "github.com/fork/far@1.0"},
    {"github.com/dep/far/sub", "github.com/other/sub"},
};

static const char *cloned_version; /* of the last clone */

/* Repositories of "far" can be cloned: each has a.star, sub/b.star and perhaps a manifest. */
static int
clone_far(void *arg, const char *author, const char *repo, const char *version, err_t **err)
{
    (void)arg;
    static char kept[64];
    if (strcmp(author, "far") != 0)
        return err_fail(err, ERR_UNAVAILABLE, "'%s/%s' cannot be reached", author, repo);
    AUTO_FREE char *command = str_format(
        "mkdir -p %s/far/%s/sub && cd %s/far/%s && touch a.star sub/b.star && ln -s /etc/passwd "
        "out.star && ln -s a.star in.star && case %s in good) echo 'name: github.com/far/good' "
        ">kurtosis.yml;; wrong) echo 'name: github.com/far/right' >kurtosis.yml;; below) echo "
        "'name: github.com/far/below/sub' >sub/kurtosis.yml;; compose) touch compose.yaml;; esac",
        folder, repo, folder, repo, repo);
    snprintf(kept, sizeof kept, "%s", version);
    cloned_version = kept;
    return system(command) == 0 ? 0 : err_fail(err, ERR_INTERNAL, "no shell");
}

static packages_t
package(void)
{
    return (packages_t){.repositories = folder,
                        .package_id = "github.com/me/pkg/root",
                        .replaces = replaces,
                        .n_replaces = 3,
                        .clone = clone_far};
}

static void
locators_resolve_relative_to_the_file_that_names_them(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        /* source, given, locator, versioned */
        {"github.com/me/pkg/root/main.star", "lib.star", "github.com/me/pkg/root/lib.star", NULL},
        {"github.com/me/pkg/root/main.star", "./a/lib.star", "github.com/me/pkg/root/a/lib.star",
         NULL},
        {"github.com/me/pkg/root/a/x.star", "../lib.star", "github.com/me/pkg/root/lib.star", NULL},
        {"github.com/me/pkg/root/main.star", "/top.star", "github.com/me/pkg/top.star", NULL},
        {"github.com/me/pkg/root/main.star", "github.com/dep/local/x.star",
         "github.com/dep/local/x.star", NULL},
        {"github.com/me/pkg/root/main.star", "github.com/dep/far/x.star",
         "github.com/fork/far/x.star", "github.com/fork/far/x.star@1.0"},
        {"github.com/me/pkg/root/main.star", "github.com/dep/far/x.star@v2",
         "github.com/fork/far/x.star@v2", "github.com/fork/far/x.star@1.0"},
        {"github.com/me/pkg/root/main.star", "github.com/dep/far/in@v2/x.star",
         "github.com/fork/far/in@v2/x.star", "github.com/fork/far/in/x.star@1.0"},
        {"github.com/me/pkg/root/main.star", "github.com/dep/far@v2/x.star",
         "github.com/dep/far@v2/x.star", NULL},
        {"github.com/me/pkg/root/main.star", "github.com/dep/far", "github.com/dep/far", NULL},
        {"github.com/me/pkg/root/main.star", "../../../there/repo/x.star",
         "github.com/there/repo/x.star", NULL},
        {"github.com/me/pkg/root/main.star", "../../../../../x.star", "../x.star", NULL},
        {"github.com/me/pkg/root/main.star", "github.com/dep/far/sub/y.star",
         "github.com/other/sub/y.star", NULL},
        {"github.com/me/pkg/root/main.star", "github.com/dep/farther/y.star",
         "github.com/dep/farther/y.star", NULL},
        {"github.com/me/pkg/root/main.star", "github.com/me/pkg/rooted/x.star",
         "github.com/me/pkg/rooted/x.star", NULL},
        {"github.com/dep/local/x.star", "github.com/me/pkg/root/x.star",
         "github.com/me/pkg/root/x.star", NULL},
        {PACKAGES_SCRIPT, "github.com/dep/plain/x.star", "github.com/dep/plain/x.star", NULL},
        {"github.com/me/pkg/root/main.star", "gitlab.com/x/y.star",
         "github.com/me/pkg/root/gitlab.com/x/y.star", NULL},
    };
    const packages_t packages = package();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(packages_found) found = NULL;
        assert_int_equal(packages_resolve(&packages, cases[i][0], cases[i][1], &found, NULL), 0);
        assert_string_equal(found->locator, cases[i][2]);
        assert_string_equal(found->versioned, cases[i][3] ? cases[i][3] : cases[i][2]);
    }
}

static void
absolute_imports_of_ones_own_package_are_refused(void **state)
{
    (void)state;
    const packages_t packages = package();
    AUTO(packages_found) found = NULL;
    AUTO(err) err = NULL;
    assert_true(packages_resolve(&packages, "github.com/me/pkg/root/main.star",
                                 "github.com/me/pkg/root/x.star", &found, &err) < 0);
    assert_string_equal(err_text(err),
                        "Locator 'github.com/me/pkg/root/x.star' is referencing a file within the "
                        "same package using absolute import syntax, but only relative import "
                        "syntax (path starting with '/' or '.') is allowed for within-package "
                        "imports");
}

static void
a_lone_script_has_nothing_to_be_relative_to(void **state)
{
    (void)state;
    const packages_t packages = {.repositories = folder, .package_id = PACKAGES_SCRIPT};
    AUTO(packages_found) found = NULL;
    AUTO(err) err = NULL;
    assert_true(packages_resolve(&packages, PACKAGES_SCRIPT, "./x.star", &found, &err) < 0);
    assert_string_equal(err_text(err),
                        "Source module locator 'DEFAULT_PACKAGE_ID_FOR_SCRIPT' isn't a valid "
                        "locator; relative URLs don't work with standalone scripts");
}

static int
locate(const char *locator, char **ret_path, err_t **err)
{
    const packages_t packages = package();
    packages_found_t found = {.locator = (char *)locator, .versioned = (char *)locator};
    return packages_locate(&packages, &found, true, ret_path, err);
}

static void
files_are_found_below_the_repositories_folder(void **state)
{
    (void)state;
    AUTO_FREE char *path = NULL;
    AUTO(err) err = NULL;
    assert_int_equal(locate("github.com/me/pkg/x.star", &path, &err), 0);
    assert_true(str_ends(path, "/me/pkg/x.star"));

    char *none = NULL;
    assert_true(locate("github.com/me/pkg/y.star", &none, &err) < 0);
    assert_string_equal(err_text(err), "'/y.star' doesn't exist in the package 'me/pkg'");
    err_destroy(&err);
    assert_true(locate("github.com/me/pkg/https:/github.com/a/b/y.star", &none, &err) < 0);
    assert_string_equal(
        err_text(err), "'/https:/github.com/a/b/y.star' doesn't exist in the package 'me/pkg'; the "
                       "locator of another package begins with 'github.com/', not with a scheme");
    err_destroy(&err);
    assert_true(locate("../x.star", &none, &err) < 0);
    assert_string_equal(err_text(err),
                        "An error occurred parsing Git URL for absolute file locator '../x.star'");
    err_destroy(&err);
    assert_true(locate("github.com/you/pkg/y.star", &none, &err) < 0);
    assert_string_equal(err_text(err), "'you/pkg' cannot be reached");
    err_destroy(&err);
    assert_true(locate("nowhere", &none, &err) < 0);
    assert_string_equal(err_text(err),
                        "An error occurred parsing Git URL for absolute file locator 'nowhere'");
}

static void
repositories_are_cloned_once_and_must_hold_packages(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        /* locator, error */
        {"github.com/far/good/a.star@v1", NULL},
        {"github.com/far/good/a.star@v2", NULL}, /* there already, at v1 */
        {"github.com/far/good/in.star", NULL},
        {"github.com/far/good/out.star", "is a link that leaves the packages of the enclave"},
        {"github.com/far/good/c.star", "'/c.star' doesn't exist in the package 'far/good'"},
        {"github.com/far/below/sub/b.star", NULL},
        {"github.com/far/compose/sub/b.star", NULL},
        {"github.com/far/none/sub/b.star@v1",
         "kurtosis.yml or valid Docker Compose yaml not found in the path of "
         "'github.com/far/none/sub/b.star@v1'; files can only be accessed from Kurtosis packages."},
        {"github.com/far/none/sub/b.star", NULL}, /* refused the first time only */
        {"github.com/far/wrong/a.star", "Error occurred while validating"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_FREE char *path = NULL;
        AUTO(err) err = NULL;
        const int rc = locate(cases[i][0], &path, &err);
        if ((rc < 0) != (cases[i][1] != NULL) || (rc < 0 && !strstr(err_text(err), cases[i][1])))
            fail_msg("%s: %s", cases[i][0], rc < 0 ? err_text(err) : "is found");
        if (i == 1)
            assert_string_equal(cloned_version, "v1");
    }
}

static int
make_package(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    mkdir("me", 0755);
    mkdir("me/pkg", 0755);
    FILE *file = fopen("me/pkg/x.star", "w");
    return file ? fclose(file) : -1;
}

static int
remove_package(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locators_resolve_relative_to_the_file_that_names_them),
        cmocka_unit_test(absolute_imports_of_ones_own_package_are_refused),
        cmocka_unit_test(a_lone_script_has_nothing_to_be_relative_to),
        cmocka_unit_test(files_are_found_below_the_repositories_folder),
        cmocka_unit_test(repositories_are_cloned_once_and_must_hold_packages),
    };
    return cmocka_run_group_tests(tests, make_package, remove_package);
}
