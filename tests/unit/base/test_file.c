/*  file: whole, up to the limit, and why not. */
#include "base/file.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT 40000u

static char folder[] = "/tmp/kurtosis-file-XXXXXX";

static char *
make(const char *name, const void *bytes, size_t size)
{
    char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static int
setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void
a_file_is_read_whole_up_to_the_limit(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 16384, 16385, LIMIT, LIMIT + 1};
    AUTO_FREE char *bytes = calloc(1, LIMIT + 1);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        AUTO_STR out = STR_EMPTY;
        AUTO(err) err = NULL;
        AUTO_FREE char *path = make("x", bytes, sizes[i]);
        str_add(&out, "before");
        int rc = file_read(path, LIMIT, &out, &err);
        unlink(path);
        if (sizes[i] > LIMIT) {
            assert_true(rc < 0);
            assert_int_equal(err_code(err), ERR_LIMIT);
        } else {
            assert_int_equal(rc, 0);
            assert_int_equal(out.len, strlen("before") + sizes[i]);
        }
    }
}

static void
what_cannot_be_read_says_why(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY;
    AUTO(err) err = NULL;
    AUTO_FREE char *nowhere = str_format("%s/nowhere", folder);
    assert_true(file_read(nowhere, LIMIT, &out, &err) < 0);
    assert_int_equal(err_code(err), ERR_NOT_FOUND);
    assert_non_null(strstr(err_text(err), "No such file"));
    err_destroy(&err);
    assert_true(file_read(folder, LIMIT, &out, &err) < 0);
    assert_int_equal(err_code(err), ERR_INVALID);
    assert_non_null(strstr(err_text(err), "directory"));
    err_destroy(&err);
    AUTO_FREE char *binary = make("binary", "a\0b", 3);
    assert_true(file_read_text(binary, LIMIT, &out, &err) < 0);
    assert_non_null(strstr(err_text(err), "is no text"));
    unlink(binary);
}

static void
a_folder_goes_with_all_that_is_in_it_and_nothing_that_is_linked(void **state)
{
    (void)state;
    AUTO_FREE char *outside = make("outside", "x", 1);
    AUTO_FREE char *tree = str_format("%s/tree", folder);
    AUTO_FREE char *inner = str_format("%s/inner", tree);
    AUTO_FREE char *link = str_format("%s/link", inner);
    assert_int_equal(mkdir(tree, 0755) | mkdir(inner, 0755), 0);
    AUTO_FREE char *file = make("tree/file", "x", 1);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(file_remove_tree(tree, NULL), 0);
    assert_int_not_equal(access(tree, F_OK), 0);
    assert_int_equal(access(outside, F_OK), 0);

    assert_int_equal(file_remove_tree(outside, NULL), 0);
    assert_int_not_equal(access(outside, F_OK), 0);
    assert_int_equal(file_remove_tree(outside, NULL), 0);
    AUTO(err) err = NULL;
    assert_true(file_remove_tree("/proc/self/status", &err) < 0);
    assert_int_equal(err_code(err), ERR_UNKNOWN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_goes_with_all_that_is_in_it_and_nothing_that_is_linked),
        cmocka_unit_test(a_file_is_read_whole_up_to_the_limit),
        cmocka_unit_test(what_cannot_be_read_says_why),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
