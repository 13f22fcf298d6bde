/*  Calls with wrong arguments: the instruction, the argument, what came and what is allowed are
 * named, and where it is called. */
#include "tests/unit/apic_run/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What stands after "plan.", and the parts that the message must have. */
static const struct {
    const char *call, *parts[4];
} cases[] = {
    {"add_service(5, ServiceConfig(\"i\"))",
     {"Cannot construct 'add_service'", "'name' was expected to be a starlark.String",
      "was 'starlark.Int'"}},
    {"add_service(\"a\")", {"Cannot construct 'add_service'", "missing argument for config"}},
    {"add_services([])", {"Cannot construct 'add_services'", "configs", "*starlark.List"}},
    {"exec(\"a\", 7)", {"Cannot construct 'exec'", "recipe", "starlark.Int"}},
    {"exec(\"a\", ExecRecipe([\"x\"]), acceptable_codes = 0)",
     {"Cannot construct 'exec'", "acceptable_codes", "*starlark.List", "starlark.Int"}},
    {"get_cluster_type(1, 2)", {"Cannot construct 'get_cluster_type'", "got 2 arguments"}},
    {"get_files_artifact(1)",
     {"Cannot construct 'get_files_artifact'", "name", "starlark.String", "starlark.Int"}},
    {"get_service(1)", {"Cannot construct 'get_service'", "name", "starlark.Int"}},
    {"get_services(1, 2)", {"Cannot construct 'get_services'", "got 2 arguments"}},
    {"print()", {"Cannot construct 'print'", "missing argument for msg"}},
    {"remove_service()", {"Cannot construct 'remove_service'", "missing argument for name"}},
    {"render_templates(\"x\")",
     {"Cannot construct 'render_templates'", "config", "*starlark.Dict", "starlark.String"}},
    {"request(\"a\", ExecRecipe([\"x\"]))", {"request", "recipe", "ExecRecipe"}},
    {"run_python()", {"Cannot construct 'run_python'", "missing argument for run"}},
    {"run_sh(run = 1)", {"Cannot construct 'run_sh'", "run", "starlark.String", "starlark.Int"}},
    {"run_sh(run = \"x\", wait = \"soon\")", {"Cannot construct 'run_sh'", "wait", "soon"}},
    {"set_service(\"a\")", {"Cannot construct 'set_service'", "missing argument for config"}},
    {"start_service(None)", {"Cannot construct 'start_service'", "name", "starlark.NoneType"}},
    {"stop_service(None)", {"Cannot construct 'stop_service'", "name", "starlark.NoneType"}},
    {"store_service_files(\"a\")",
     {"Cannot construct 'store_service_files'", "missing argument for src"}},
    {"upload_files(\"\")", {"Cannot construct 'upload_files'", "'src' was an empty string"}},
    {"verify(1, \"~\", 2)",
     {"Cannot construct 'verify'", "'assertion' argument is invalid", "'==, !=", "starlark.Int"}},
    {"wait(\"a\", ExecRecipe([\"x\"]), \"code\", \"==\", 0, interval = \"x\")",
     {"Cannot construct 'wait'", "interval", "x"}},
};

static void
a_wrong_argument_is_named_with_what_came_and_what_is_allowed(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enclave_t enclave;
        AUTO_FREE char *script = str_format("def run(plan):\n    plan.%s\n", cases[i].call);
        AUTO_FREE char *place = str_format("\tat [2:%zu]: run\n",
                                           strlen("    plan.") + strcspn(cases[i].call, "(") + 1);
        enclave_init(&enclave, "/nonexistent");
        AUTO_FREE char *said = transcript_of(&enclave, script);
        enclave_done(&enclave);
        bool fits = str_starts(said, "interpretation error: ") && strstr(said, place);
        for (size_t k = 0; k < ARRAY_LEN(cases[i].parts) && cases[i].parts[k]; k++)
            fits = fits && strstr(said, cases[i].parts[k]);
        if (!fits) {
            print_error("%s says:\n%s\n", cases[i].call, said);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_argument_is_named_with_what_came_and_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
