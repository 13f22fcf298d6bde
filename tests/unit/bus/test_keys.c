#include "bus/bus.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char folder[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/kurtosis-keys-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    AUTO_FREE char *command = str_format("rm -r %s", folder);
    int status;
    int pid = fork();
    if (pid == 0)
        execl("/bin/sh", "sh", "-c", command, NULL);
    waitpid(pid, &status, 0);
    return status;
}

static void
a_key_survives_as_text(void **state)
{
    (void)state;
    bus_keys_t keys;
    char text[BUS_KEY_TEXT_SIZE];
    uint8_t back[BUS_KEY_SIZE];
    bus_keys_new(&keys);
    bus_key_to_text(keys.public_key, text);
    assert_int_equal(strlen(text), 40);
    assert_int_equal(bus_key_from_text(text, back, NULL), 0);
    assert_memory_equal(back, keys.public_key, BUS_KEY_SIZE);
}

static void
text_that_is_no_key_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "", "short", "0123456789012345678901234567890123456789x",
        "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
        "012345678901234567890123456789 123456789"};
    uint8_t key[BUS_KEY_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(err) error = NULL;
        assert_true(bus_key_from_text(wrong[i], key, &error) < 0);
        assert_int_equal(err_code(error), ERR_INVALID);
    }
}

static void
a_key_file_is_made_once_and_for_its_owner_alone(void **state)
{
    (void)state;
    AUTO_FREE char *path = str_format("%s/deep/er/bus.key", folder);
    AUTO_FREE char *parent = str_format("%s/deep/er", folder);
    bus_keys_t first, second;
    struct stat st;
    assert_int_equal(bus_keys_require(path, &first, NULL), 0);
    assert_int_equal(bus_keys_require(path, &second, NULL), 0);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(stat(parent, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    DIR *open = opendir(parent);
    int files = 0;
    for (struct dirent *entry; (entry = readdir(open));)
        files += entry->d_name[0] != '.';
    closedir(open);
    assert_int_equal(files, 1);
}

static void
a_broken_key_file_is_an_error_that_names_it(void **state)
{
    (void)state;
    bus_keys_t keys, other, ret;
    char one[BUS_KEY_TEXT_SIZE], two[BUS_KEY_TEXT_SIZE];
    bus_keys_new(&keys);
    bus_keys_new(&other);
    bus_key_to_text(keys.public_key, one);
    bus_key_to_text(other.secret_key, two);
    AUTO_FREE char *foreign = str_format("%s\n%s\n", one, two);
    const char *const wrong[] = {"", "\n\n", "x\ny\n", one, foreign};
    AUTO_FREE char *path = str_format("%s/bad.key", folder);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        AUTO(err) error = NULL;
        FILE *out = fopen(path, "w");
        fputs(wrong[i], out);
        fclose(out);
        assert_true(bus_keys_require(path, &ret, &error) < 0);
        assert_int_equal(err_code(error), ERR_INVALID);
        AUTO_FREE char *text = err_string(error);
        assert_non_null(strstr(text, path));
    }
}

static void
a_place_that_cannot_hold_a_file_is_an_error(void **state)
{
    (void)state;
    bus_keys_t keys;
    AUTO(err) error = NULL;
    assert_true(bus_keys_require("/proc/none/bus.key", &keys, &error) < 0);
    AUTO_FREE char *text = err_string(error);
    assert_non_null(strstr(text, "cannot use key file '/proc/none/bus.key'"));
}

static void
wiped_keys_are_gone(void **state)
{
    (void)state;
    bus_keys_t keys, zero = {0};
    bus_keys_new(&keys);
    assert_memory_not_equal(&keys, &zero, sizeof keys);
    bus_keys_wipe(&keys);
    assert_memory_equal(&keys, &zero, sizeof keys);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_survives_as_text),
        cmocka_unit_test(text_that_is_no_key_is_refused),
        cmocka_unit_test(a_key_file_is_made_once_and_for_its_owner_alone),
        cmocka_unit_test(a_broken_key_file_is_an_error_that_names_it),
        cmocka_unit_test(a_place_that_cannot_hold_a_file_is_an_error),
        cmocka_unit_test(wiped_keys_are_gone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
