/*  Every golden/NAME.star is run in an enclave of its own, and what it says is compared with
 * golden/NAME.out. The first lines of a script may say how: "# args: JSON", "# dry", "# twice", "#
 * progress". With KURTOSIS_GOLDEN=write in the environment the .out files are written instead. */
#include "transcript.h"

#include "apic/packages/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/unit/apic_run/golden"

static bool
has_option(const char *script, const char *option, char **ret_value)
{
    for (const char *line = script; *line == '#'; line = strchr(line, '\n') + 1) {
        const size_t size = strlen(option);
        if (strncmp(line + 2, option, size) != 0)
            continue;
        if (ret_value)
            *ret_value = strndup(line + 2 + size, strcspn(line + 2 + size, "\n"));
        return true;
    }
    return false;
}

static char *
run_case(const char *script)
{
    enclave_t enclave;
    AUTO_FREE char *args = NULL;
    str_t out = STR_EMPTY;
    has_option(script, "args: ", &args);
    const run_request_t request = {
        .script = script,
        .params = args,
        .dry_run = has_option(script, "dry", NULL),
        .parallel = has_option(script, "parallel", NULL),
        .check_resources = true,
    };
    enclave_init(&enclave, "/nonexistent");
    world_memory_break(enclave.memory, "broken");
    world_memory_lose_image(enclave.memory, "lost");
    for (int i = 0; i < (has_option(script, "twice", NULL) ? 2 : 1); i++) {
        AUTO_FREE char *said = transcript(&enclave, request, has_option(script, "progress", NULL));
        str_printf(&out, "%s%s", i ? "--- again\n" : "", said);
    }
    enclave_done(&enclave);
    return str_take(&out);
}

static void
each_script_says_what_is_written_beside_it(void **state)
{
    (void)state;
    struct dirent **entries;
    const int count = scandir(FOLDER, &entries, NULL, alphasort);
    int failures = 0;
    assert_true(count > 2);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const size_t stem = strlen(name) > 5 ? strlen(name) - 5 : 0;
        if (!str_ends(name, ".star")) {
            free(entries[i]);
            continue;
        }
        AUTO_FREE char *path = str_format(FOLDER "/%s", name);
        AUTO_FREE char *out_path = str_format(FOLDER "/%.*s.out", (int)stem, name);
        AUTO_STR script = STR_EMPTY, expected = STR_EMPTY;
        assert_int_equal(packages_file_read(path, 1 << 20, &script, NULL), 0);
        AUTO_FREE char *said = run_case(script.data);
        if (!golden_same(out_path, said, &expected)) {
            print_error("%s says:\n%s\nand should say:\n%s\n", name, said, expected.data);
            failures++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_script_says_what_is_written_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
