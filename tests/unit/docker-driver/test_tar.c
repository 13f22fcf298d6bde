/*  tar: small archives, made and read. */
#include "docker-driver/tar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
what_is_put_in_comes_out(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 511, 512, 513, 5000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        AUTO_STR tar = STR_EMPTY, content = STR_EMPTY;
        for (size_t k = 0; k < sizes[i]; k++)
            str_add_char(&content, (char)('a' + k % 26));
        assert_int_equal(tar_add(&tar, "keys/", 0700, NULL, 0, NULL), 0);
        assert_int_equal(tar_add(&tar, "keys/engine.key", 0600, content.data, content.len, NULL),
                         0);
        tar_end(&tar);
        assert_int_equal(tar.len % TAR_BLOCK, 0);
        const char *data;
        size_t size;
        assert_int_equal(tar_first_file(tar.data, tar.len, &data, &size, NULL), 1);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(data, content.data, size);
        if (sizes[i] > 0) {
            AUTO(err) err = NULL;
            assert_true(tar_first_file(tar.data, 2 * TAR_BLOCK, &data, &size, &err) < 0);
            assert_non_null(strstr(err_text(err), "cut off"));
        }
    }
}

static void
what_is_no_archive_is_refused(void **state)
{
    (void)state;
    char garbage[2 * TAR_BLOCK];
    memset(garbage, 'x', sizeof garbage);
    const char *data;
    size_t size;
    assert_true(tar_first_file(garbage, sizeof garbage, &data, &size, NULL) < 0);
    assert_int_equal(tar_first_file(garbage, 100, &data, &size, NULL), 0);
    AUTO_STR tar = STR_EMPTY;
    char path[200];
    memset(path, 'p', sizeof path);
    path[TAR_PATH_MAX + 1] = '\0';
    assert_true(tar_add(&tar, path, 0600, "", 0, NULL) < 0);
    path[TAR_PATH_MAX] = '\0';
    assert_int_equal(tar_add(&tar, path, 0600, "", 0, NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_in_comes_out),
        cmocka_unit_test(what_is_no_archive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
