/*  Whole packages, in a folder as an upload leaves them. */
#include "transcript.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/kurtosis-package-XXXXXX";

static char *
run_package(const char *id, const char *main_file)
{
    enclave_t enclave;
    enclave_init(&enclave, folder);
    char *said =
        transcript(&enclave, (run_request_t){.package_id = id, .main_file = main_file}, false);
    enclave_done(&enclave);
    return said;
}

static void
expect(const char *said, const char *part)
{
    if (strstr(said, part))
        return;
    print_error("%s\nshould hold:\n%s\n", said, part);
    fail();
}

static void
a_package_imports_its_files_and_its_dependencies(void **state)
{
    (void)state;
    put_file(folder, "me/pkg/kurtosis.yml",
             "name: github.com/me/pkg\nreplace:\n  github.com/far/dep: ../local\n");
    put_file(
        folder, "me/pkg/main.star",
        "lib = import_module(\"./lib/deep.star\")\n"
        "dep = import_module(\"github.com/far/dep/x.star\")\n"
        "again = import_module(\"lib/deep.star\")\n"
        "def run(plan, n = 1):\n"
        "    plan.print(lib.NAME + dep.greet() + read_file(\"/data.txt\") + str(lib == again))\n"
        "    lib.add(plan)\n"
        "    plan.upload_files(\"lib\", name = \"lib\")\n");
    put_file(folder, "me/pkg/lib/deep.star",
             "up = import_module(\"../up.star\")\nNAME = up.NAME\n_hidden = 1\n"
             "def add(plan):\n    plan.upload_files(src = \"deep.star\", name = \"deep\")\n");
    put_file(folder, "me/pkg/up.star", "NAME = \"up\"\n");
    put_file(folder, "me/pkg/data.txt", "data");
    put_file(folder, "far/dep/kurtosis.yml", "name: github.com/far/dep\n");
    put_file(folder, "far/dep/x.star", "def greet():\n    return read_file(\"./y.txt\")\n");
    put_file(folder, "far/dep/y.txt", "far");
    AUTO_FREE char *said = run_package("github.com/me/pkg", NULL);
    expect(said, "= upfardataTrue\n");
    expect(said,
           "github.com/me/pkg/lib/deep.star[5:22] upload_files: Uploading file 'deep.star' to "
           "files artifact 'deep'\n");
    expect(said, "= Files with artifact name 'lib' uploaded with artifact UUID 'UUID'\n");
    expect(said, "finished: true\n");
}

static void
errors_of_imported_files_have_their_frames_first(void **state)
{
    (void)state;
    put_file(folder, "me/err/kurtosis.yml", "name: github.com/me/err\n");
    put_file(folder, "me/err/main.star",
             "lib = import_module(\"lib.star\")\ndef run(plan):\n    pass\n");
    put_file(folder, "me/err/lib.star", "x = 1\ny = 0\nz = x // y\n");
    AUTO_FREE char *said = run_package("github.com/me/err", NULL);
    assert_string_equal(said, "interpretation error: Evaluation error: floored division by zero\n"
                              "\tat [github.com/me/err/lib.star:3:7]: <toplevel>\n"
                              "\tat [github.com/me/err/main.star:1:20]: <toplevel>\n"
                              "finished: false\n");
}

static void
what_cannot_be_loaded_is_said(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"import_module(\"./self.star\")", "There's a cycle in the import_module calls"},
        {"import_module(\"nothing.star\")",
         "Evaluation error: An error occurred while loading the module "
         "'github.com/me/load/nothing.star'\n\tCaused by: '/nothing.star' doesn't exist in the "
         "package 'me/load'"},
        {"read_file(\"github.com/no/where/x\")",
         "Evaluation error: github.com/no/where cannot be reached"},
        {"import_module(\"github.com/me/load/x.star\")",
         "Locator 'github.com/me/load/x.star' is referencing a file within the same package"},
        {"read_file(\"\")", "Value for 'src' was an empty string. This is disallowed"},
        {"import_module(\"sub\")",
         "Loading module content for module 'github.com/me/load/sub' failed."},
        {"load(\"a\", \"b\")", "statement is not available in Kurtosis"},
    };
    put_file(folder, "me/load/kurtosis.yml", "name: github.com/me/load\n");
    put_file(folder, "me/load/sub/x", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_FREE char *text = str_format("%s\ndef run(plan):\n    pass\n", cases[i][0]);
        put_file(folder, "me/load/self.star", text);
        put_file(folder, "me/load/main.star", text);
        AUTO_FREE char *said = run_package("github.com/me/load", NULL);
        expect(said, cases[i][1]);
        expect(said, "finished: false\n");
    }
}

static void
what_is_no_package_is_refused_before_anything_is_said(void **state)
{
    (void)state;
    put_file(folder, "me/none/main.star", "def run(plan):\n    pass\n");
    put_file(folder, "me/wrong/kurtosis.yml", "name: github.com/me/right\n");
    put_file(folder, "me/other/kurtosis.yml", "name: github.com/me/other\n");
    static const char *const cases[][3] = {
        {"github.com/me/none", NULL,
         "interpretation error: No 'kurtosis.yml' file was found in the package root so fell back "
         "to "
         "Docker Compose package, but no default Compose files (compose.yml, compose.yaml, "
         "docker-compose.yml, docker-compose.yaml, docker_compose.yml, docker_compose.yaml) were "
         "found."},
        {"github.com/me/wrong", NULL, "The package name in kurtosis.yml must match the location"},
        {"github.com/me/other", "x.star",
         "An error occurred while verifying that 'main.star' exists in the package "
         "'github.com/me/other' at"},
        {"github.com/no/where", NULL, "Package 'github.com/no/where' does not exist on disk at"},
        {"nonsense", NULL, "An error occurred parsing Git URL for package ID 'nonsense'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_FREE char *said = run_package(cases[i][0], cases[i][1]);
        expect(said, cases[i][2]);
        assert_null(strstr(said, "finished"));
    }
}

static void
a_package_may_have_its_main_function_elsewhere(void **state)
{
    enclave_t enclave;
    (void)state;
    put_file(folder, "me/main/kurtosis.yml", "name: github.com/me/main\n");
    put_file(folder, "me/main/a/b.star", "def go(x):\n    return {\"x\": x}\n");
    enclave_init(&enclave, folder);
    AUTO_FREE char *said = transcript(&enclave,
                                      (run_request_t){.package_id = "github.com/me/main",
                                                      .main_file = "a/b.star",
                                                      .main_function = "go",
                                                      .params = "{\"x\": [1, 2.0]}"},
                                      false);
    assert_string_equal(said, "finished: true {\n\t\"x\": [\n\t\t1,\n\t\t2\n\t]\n}\n");
    enclave_done(&enclave);
}

static void
a_compose_file_is_a_package_and_a_module(void **state)
{
    (void)state;
    put_file(folder, "me/stack/docker-compose.yml",
             "services:\n  web:\n    image: nginx\n    restart: always\n    volumes: "
             "[\"./conf:/conf\"]\n    depends_on: [db]\n  db: {image: postgres}\n");
    put_file(folder, "me/stack/conf/x", "x");
    AUTO_FREE char *said = run_package("github.com/me/stack", NULL);
    expect(said, "github.com/me/stack/docker-compose.yml[3:22] upload_files: Uploading file "
                 "'./conf' to files artifact 'web--volume0'\n");
    expect(said, "warning: Compose file 'docker-compose.yml': 'restart' of service 'web' is not "
                 "supported and left out\n");
    expect(said, "finished: true");

    put_file(folder, "me/around/kurtosis.yml", "name: github.com/me/around\n");
    put_file(folder, "me/around/sub/compose.yaml", "services: {one: {image: nginx, tty: true}}\n");
    put_file(folder, "me/around/main.star",
             "stack = import_module(\"./sub/compose.yaml\")\n"
             "def run(plan):\n    stack.run(plan)\n"
             "    plan.print(read_file(\"sub/compose.yaml\"))\n");
    AUTO_FREE char *around = run_package("github.com/me/around", NULL);
    expect(around, "= def run(plan):\n    plan.add_service(name = \"one\", config = ");
    expect(around, "warning: Compose file 'compose.yaml': 'tty' of service 'one' is not supported "
                   "and left out\n");
    expect(around, "finished: true");

    put_file(folder, "me/badstack/compose.yml", "services: {one: {tty: true}}\n");
    AUTO_FREE char *bad = run_package("github.com/me/badstack", NULL);
    expect(bad, "An error occurred transpiling the Docker Compose package 'github.com/me/badstack' "
                "to Starlark\n\tCaused by: An error occurred converting Compose file 'compose.yml' "
                "to a Starlark script.\n\tCaused by: service \"one\" has neither");
    put_file(folder, "me/around/sub/compose.yaml", "services: {one: {tty: true}}\n");
    AUTO_FREE char *bad_import = run_package("github.com/me/around", NULL);
    expect(bad_import, "Loading module content for module 'github.com/me/around/sub/compose.yaml' "
                       "failed. An error occurred in transpiling the Docker Compose Package to "
                       "Starlark at path '");
}

static char *
run_far(enclave_t *enclave, const char *id, bool clone)
{
    return transcript(enclave, (run_request_t){.package_id = id, .clone = clone}, false);
}

static void
a_package_is_cloned_when_that_is_asked_for(void **state)
{
    (void)state;
    enclave_t enclave;
    enclave_init(&enclave, folder);
    AUTO_FREE char *said = run_far(&enclave, "github.com/far/root@v1", true);
    expect(said, "= version v1 token of github.com/far/root@v1\n");
    AUTO_FREE char *again = run_far(&enclave, "github.com/far/root", true);
    expect(again, "= version  token of github.com/far/root\n");
    AUTO_FREE char *below = run_far(&enclave, "github.com/nobody/root", true);
    expect(below, "github.com/nobody/root cannot be reached");
    assert_null(strstr(below, "finished"));
    enclave_done(&enclave);
}

static void
dependencies_are_cloned_and_replacements_that_ended_are_undone(void **state)
{
    (void)state;
    enclave_t enclave;
    enclave_init(&enclave, folder);
    put_file(folder, "me/using/main.star",
             "x = import_module(\"github.com/far/dep2/x.star\")\n"
             "def run(plan):\n    plan.print(x.TEXT)\n");
    put_file(folder, "far/dep2/kurtosis.yml", "name: github.com/far/dep2\n");
    put_file(folder, "far/dep2/x.star", "TEXT = \"local\"\n");
    put_file(folder, "me/using/kurtosis.yml",
             "name: github.com/me/using\nreplace:\n  github.com/far/dep2: ../dep2\n");
    AUTO_FREE char *local = run_far(&enclave, "github.com/me/using", false);
    expect(local, "= local\n");
    put_file(
        folder, "me/using/kurtosis.yml",
        "name: github.com/me/using\nreplace:\n  github.com/far/dep2: github.com/far/dep3@v3\n");
    AUTO_FREE char *remote = run_far(&enclave, "github.com/me/using", false);
    expect(remote, "= version v3 token of \n");
    put_file(folder, "me/using/kurtosis.yml", "name: github.com/me/using\n");
    AUTO_FREE char *plain = run_far(&enclave, "github.com/me/using", false);
    expect(plain, "= version  token of github.com/far/dep2\n");
    enclave_done(&enclave);
}

static void
a_replacement_that_ended_and_cannot_be_cloned_is_said(void **state)
{
    (void)state;
    enclave_t enclave;
    enclave_init(&enclave, folder);
    put_file(folder, "me/using/main.star", "def run(plan):\n    pass\n");
    put_file(folder, "me/using/kurtosis.yml",
             "name: github.com/me/using\nreplace:\n  github.com/gone/dep: ../dep\n");
    AUTO_FREE char *local = run_far(&enclave, "github.com/me/using", false);
    expect(local, "finished: true");
    put_file(folder, "me/using/kurtosis.yml", "name: github.com/me/using\n");
    AUTO_FREE char *said = run_far(&enclave, "github.com/me/using", false);
    expect(said, "An error occurred cloning package 'github.com/gone/dep'\n\tCaused by: "
                 "github.com/gone/dep cannot be reached");
    expect(said, "finished: false\n"); /* its interpretation failed, not its setup */
    AUTO_FREE char *plan =
        transcript_yaml(&enclave, (run_request_t){.package_id = "github.com/me/using"});
    expect(plan, "packageId: github.com/me/using\n"); /* a plan fetches nothing for that */
    enclave_done(&enclave);
}

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_package_imports_its_files_and_its_dependencies),
        cmocka_unit_test(errors_of_imported_files_have_their_frames_first),
        cmocka_unit_test(what_cannot_be_loaded_is_said),
        cmocka_unit_test(what_is_no_package_is_refused_before_anything_is_said),
        cmocka_unit_test(a_package_may_have_its_main_function_elsewhere),
        cmocka_unit_test(a_compose_file_is_a_package_and_a_module),
        cmocka_unit_test(a_package_is_cloned_when_that_is_asked_for),
        cmocka_unit_test(dependencies_are_cloned_and_replacements_that_ended_are_undone),
        cmocka_unit_test(a_replacement_that_ended_and_cannot_be_cloned_is_said),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
