/*  cases: every instruction and every type has a file golden/NAME.star of cases, and what they say
 * is in golden/NAME.out. A case is the body of run(plan) below a line "### what it shows"; what
 * stands before the first case is before each of them. Words in brackets at the end of that line:
 *
 *    [arguments]   the arguments too, with a star at those of the one-line form
 *    [yaml]        the plan as YAML, too
 *    [twice]       run again in the same enclave
 *    [package]     as the main file of a package that has a few files
 *    [dry] [parallel] [progress] [privileged] [resources]   as the run's flags of these names
 *
 * To write the expectations anew, and look at what changed:
 *    KURTOSIS_GOLDEN=write build/bin/test_apic_plan_cases */
#include "tests/unit/apic_run/transcript.h"

#include "apic/packages/file.h"
#include "apic/plan/plan.h"
#include "base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FOLDER "tests/unit/apic_plan/golden"
#define CASE "### "
#define FILE_MAX (1 << 20)

static char folder[] = "/tmp/kurtosis-cases-XXXXXX";

static int
make_package(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    put_file(folder, "me/pkg/kurtosis.yml", "name: github.com/me/pkg\n");
    put_file(folder, "me/pkg/data.txt", "data\n");
    put_file(folder, "me/pkg/dir/one.txt", "one\n");
    put_file(folder, "me/pkg/dir/two.txt", "two\n");
    put_file(folder, "me/pkg/app/Dockerfile", "FROM scratch\n");
    put_file(folder, "me/pkg/app/docker/other.Dockerfile", "FROM scratch\n");
    put_file(folder, "me/pkg/nix/flake.nix", "{}\n");
    return 0;
}

static int
remove_package(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

/* The script of a case: what is before all, and the body, indented. */
static char *
script_of(const char *before, size_t before_size, const char *body, size_t body_size)
{
    str_t out = STR_EMPTY;
    str_add_bytes(&out, before, before_size);
    str_add(&out, "def run(plan):\n");
    while (body_size) {
        const char *end = memchr(body, '\n', body_size);
        const size_t size = end ? (size_t)(end - body) + 1 : body_size;
        str_add(&out, "    ");
        str_add_bytes(&out, body, size);
        body += size;
        body_size -= size;
    }
    return str_take(&out);
}

static void
run_case(const char *title, const char *script, str_t *out)
{
    enclave_t enclave;
    const bool is_package = strstr(title, "[package]");
    const run_request_t request = {
        .script = script,
        .package_id = is_package ? "github.com/me/pkg" : NULL,
        .dry_run = strstr(title, "[dry]"),
        .parallel = strstr(title, "[parallel]"),
        .allow_privileged = strstr(title, "[privileged]"),
        .check_resources = strstr(title, "[resources]"),
    };
    if (is_package)
        put_file(folder, "me/pkg/main.star", script);
    enclave_init(&enclave, folder);
    enclave.with_arguments = strstr(title, "[arguments]");
    world_memory_break(enclave.memory, "broken");
    world_memory_lose_image(enclave.memory, "lost");
    str_printf(out, "%s\n", title);
    for (int i = 0; i < (strstr(title, "[twice]") ? 2 : 1); i++) {
        AUTO_FREE char *said = transcript(&enclave, request, strstr(title, "[progress]"));
        str_printf(out, "%s%s", i ? "--- again\n" : "", said);
    }
    enclave_done(&enclave);
    if (!strstr(title, "[yaml]"))
        return;
    enclave_init(&enclave, folder);
    AUTO_FREE char *yaml = transcript_yaml(&enclave, request);
    str_printf(out, "--- yaml\n%s", yaml);
    enclave_done(&enclave);
}

/* What all cases of a file say; NULL when there is no such file. */
static char *
run_file(const char *name)
{
    AUTO_FREE char *path = str_format(FOLDER "/%s.star", name);
    AUTO_STR text = STR_EMPTY;
    str_t out = STR_EMPTY;
    if (packages_file_read(path, FILE_MAX, &text, NULL) < 0)
        return NULL;
    const char *at = str_starts(text.data, CASE) ? text.data : strstr(text.data, "\n" CASE);
    if (at && at != text.data)
        at++;
    const size_t before = at ? (size_t)(at - text.data) : 0;
    while (at) {
        const char *body = strchr(at, '\n') + 1, *next = strstr(body - 1, "\n" CASE);
        const char *end = next ? next + 1 : text.data + text.len;
        AUTO_FREE char *title = strndup(at, (size_t)(body - 1 - at));
        AUTO_FREE char *script = script_of(text.data, before, body, (size_t)(end - body));
        run_case(title, script, &out);
        at = next ? next + 1 : NULL;
    }
    return str_take(&out);
}

/* Says the first line in which two texts differ. */
static void
say_difference(const char *name, const char *said, const char *expected)
{
    const char *a = said, *b = expected;
    int line = 1;
    for (; *a && *a == *b; a++, b++)
        line += *a == '\n';
    while (a > said && a[-1] != '\n')
        a--, b--;
    print_error("%s.out, line %d:\n  says    '%.*s'\n  not     '%.*s'\nif that is right: "
                "KURTOSIS_GOLDEN=write %s\n",
                name, line, (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b,
                "build/bin/test_apic_plan_cases");
}

static bool
check_file(const char *name)
{
    AUTO_FREE char *path = str_format(FOLDER "/%s.out", name);
    AUTO_FREE char *said = run_file(name);
    AUTO_STR expected = STR_EMPTY;
    if (!said) {
        print_error("there are no cases of '%s': write " FOLDER "/%s.star\n", name, name);
        return false;
    }
    if (golden_same(path, said, &expected))
        return true;
    say_difference(name, said, expected.data ? expected.data : "");
    return false;
}

static void
every_instruction_says_what_is_written_in_its_file(void **state)
{
    (void)state;
    const plan_kind_t *kind;
    int failures = 0;
    for (size_t i = 0; (kind = plan_kind_at(i)); i++)
        failures += !check_file(kind->table.name);
    assert_int_equal(failures, 0);
}

static void
every_type_says_what_is_written_in_its_file(void **state)
{
    (void)state;
    const types_type_t *type;
    int failures = 0;
    for (size_t i = 0; (type = types_type_at(i)); i++)
        failures += !check_file(type->table.name);
    assert_int_equal(failures, 0);
}

static void
a_result_that_is_long_is_cut_at_a_character(void **state)
{
    (void)state;
    enclave_t enclave;
    enclave_init(&enclave, "/nonexistent");
    AUTO_FREE char *said = transcript_of(&enclave, "def run(plan):\n"
                                                   "    plan.print(\"x\" + \"\u00e9\" * 40000)\n");
    enclave_done(&enclave);
    const char *result = strstr(said, "  = ");
    assert_non_null(result);
    const char *end = strchr(result, '\n');
    assert_int_equal(end - result - 4, 65535 + 3);
    assert_memory_equal(end - 5, "\xc3\xa9...", 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_says_what_is_written_in_its_file),
        cmocka_unit_test(a_result_that_is_long_is_cut_at_a_character),
        cmocka_unit_test(every_type_says_what_is_written_in_its_file),
    };
    return cmocka_run_group_tests(tests, make_package, remove_package);
}
