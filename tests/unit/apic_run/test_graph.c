/*  Which steps come after which: "3:1,2" says that the third comes after the first and the second.
 */
#include "transcript.h"

#include "apic/packages/locator.h"
#include "apic/run/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *script, *graph;
} cases[] = {
    {"    plan.add_service(\"A\", ServiceConfig(image = \"i\"))\n"
     "    plan.add_service(\"B\", ServiceConfig(image = \"i\"))\n"
     "    plan.wait(\"A\", ExecRecipe(command = [\"x\"]), \"code\", \"==\", 0)\n"
     "    plan.exec(\"A\", ExecRecipe(command = [\"x\"]))\n"
     "    plan.wait(\"B\", ExecRecipe(command = [\"x\"]), \"code\", \"==\", 0)\n"
     "    plan.request(\"B\", GetHttpRequestRecipe(port_id = \"p\", endpoint = \"\"))\n",
     "1: 2: 3:1 4:1,3 5:2,3 6:2,3,5"},
    {"    a = plan.render_templates(name = \"a\", config = {})\n"
     "    s = plan.add_service(\"s\", ServiceConfig(image = \"i\", files = {\"/x\": a}))\n"
     "    plan.add_service(\"t\", ServiceConfig(image = \"i\", cmd = [s.ip_address]))\n"
     "    plan.run_sh(run = \"ping \" + s.hostname, store = [StoreSpec(src = \"/o\", name = "
     "\"o\")])\n"
     "    plan.add_service(\"u\", ServiceConfig(image = \"i\", files = {\"/x\": \"o\"}))\n",
     "1: 2:1 3:2 4:2 5:4"},
    {"    plan.print(1)\n    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n    "
     "plan.print(2)\n",
     "1: 2: 3:2"},
    {"    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.request(\"s\", GetHttpRequestRecipe(port_id = \"p\", endpoint = \"\"))\n"
     "    plan.store_service_files(\"s\", \"/x\", name = \"x\")\n"
     "    plan.remove_service(\"s\")\n",
     "1: 2:1 3:1 4:1,2,3"},
    {"    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    r = plan.exec(\"s\", ExecRecipe(command = [\"x\"]))\n"
     "    plan.verify(r[\"code\"], \"==\", 0)\n"
     "    plan.stop_service(\"s\")\n    plan.start_service(\"s\")\n",
     "1: 2:1 3:2 4:2 5:4"},
    /* a service is removed after all that works with it, and added again after that */
    {"    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.request(\"s\", GetHttpRequestRecipe(port_id = \"p\", endpoint = \"\"))\n"
     "    plan.exec(\"s\", ExecRecipe(command = [\"x\"]))\n"
     "    plan.remove_service(\"s\")\n"
     "    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.exec(\"s\", ExecRecipe(command = [\"x\"]))\n",
     "1: 2:1 3:1 4:1,2,3 5:4 6:5"},
    /* and changed after what was before, before what comes later */
    {"    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.request(\"s\", GetHttpRequestRecipe(port_id = \"p\", endpoint = \"\"))\n"
     "    plan.set_service(\"s\", ServiceConfig(image = \"j\"))\n"
     "    plan.exec(\"s\", ExecRecipe(command = [\"x\"]))\n",
     "1: 2:1 3:1,2 4:3"},
    /* what is listed is there, and is removed after all that worked with it */
    {"    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.add_service(\"t\", ServiceConfig(image = \"i\"))\n"
     "    plan.request(\"s\", GetHttpRequestRecipe(port_id = \"p\", endpoint = \"\"))\n"
     "    plan.get_services()\n"
     "    plan.exec(\"t\", ExecRecipe(command = [\"x\"]))\n"
     "    plan.remove_service(\"s\")\n"
     "    plan.get_services()\n",
     "1: 2: 3:1 4:1,2 5:4 6:1,3,4,5 7:5"},
    {"    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.get_service(\"s\")\n"
     "    f = plan.store_service_files(\"s\", \"/x\", name = \"x\")\n"
     "    plan.get_files_artifact(\"x\")\n"
     "    plan.add_service(\"u\", ServiceConfig(image = \"i\", files = {\"/x\": f}))\n",
     "1: 2:1 3:2 4:3 5:4"},
    /* every reference is a dependency, wherever it stands */
    {"    r = plan.run_sh(run = \"x\")\n"
     "    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.request(\"s\", PostHttpRequestRecipe(port_id = \"p\", endpoint = \"\", body = r.output))\n"
     "    plan.verify(\"a\", \"==\", r.output)\n"
     "    plan.print(\"x\")\n    plan.print(r.output)\n",
     "1: 2: 3:1,2 4:1 5:4 6:1,5"},
    /* what depends on nothing does not wait for a wait; what depends on something does */
    {"    plan.wait(\"old\", ExecRecipe(command = [\"x\"]), \"code\", \"==\", 0)\n"
     "    plan.add_service(\"s\", ServiceConfig(image = \"i\"))\n"
     "    plan.exec(\"s\", ExecRecipe(command = [\"x\"]))\n"
     "    plan.add_service(\"s\", ServiceConfig(image = \"j\"))\n",
     "1: 2: 3:1,2 4:1,3"},
};

static char *
graph_of(enclave_t *enclave, const char *body)
{
    AUTO_FREE char *script = str_format("def run(plan):\n%s", body);
    const run_interpreter_t interpreter = {.world = world_memory_world(enclave->memory),
                                           .store = enclave->store};
    const run_program_t program = {
        .packages = {.repositories = "/nonexistent", .package_id = PACKAGES_SCRIPT},
        .file = PACKAGES_SCRIPT,
        .text = script,
        .size = strlen(script),
        .main_function = "",
        .params = "",
        .is_script = true,
    };
    AUTO(run_plan) plan = NULL;
    AUTO(err) err = NULL;
    str_t out = STR_EMPTY;
    if (run_interpret(&interpreter, &program, &plan, &err) < 0)
        fail_msg("%s", err_text(err));
    run_deps_t *deps = run_graph_new(plan);
    for (size_t i = 0; i < plan->n_steps; i++) {
        str_printf(&out, "%s%zu:", i ? " " : "", i + 1);
        for (size_t k = 0; k < deps[i].count; k++)
            str_printf(&out, "%s%zu", k ? "," : "", deps[i].items[k] + 1);
    }
    run_graph_free(deps, plan->n_steps);
    return str_take(&out);
}

static void
steps_come_after_what_they_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enclave_t enclave;
        enclave_init(&enclave, "/nonexistent");
        AUTO_FREE char *graph = graph_of(&enclave, cases[i].script);
        assert_string_equal(graph, cases[i].graph);
        enclave_done(&enclave);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_after_what_they_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
