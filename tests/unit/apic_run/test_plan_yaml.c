/*  Plans as YAML: what a client gets who asks what a package would do. UUIDs are numbered. */
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

static char folder[] = "/tmp/kurtosis-plan-XXXXXX";

/* The plan, or why there is none. */
static char *
plan_of(run_request_t request)
{
    enclave_t enclave;
    enclave_init(&enclave, folder);
    char *said = transcript_yaml(&enclave, request);
    enclave_done(&enclave);
    return said;
}

static void
a_package_is_shown_with_all_it_makes(void **state)
{
    (void)state;
    put_file(folder, "acme/shop/kurtosis.yml", "name: github.com/acme/shop\n");
    put_file(folder, "acme/shop/api/Dockerfile", "FROM scratch\n");
    put_file(folder, "acme/db-package/kurtosis.yml", "name: github.com/acme/db-package\n");
    put_file(folder, "acme/db-package/main.star", "");
    put_file(folder, "acme/shop/main.star",
             "import_module(\"github.com/acme/db-package/main.star\")\n"
             "def run(plan):\n"
             "    conf = plan.render_templates(\n"
             "        name = \"conf\",\n"
             "        config = {\"app.ini\": struct(template = \"host={{.h}}\", data = {\"h\": "
             "\"db\"})},\n"
             "    )\n"
             "    api = plan.add_service(\n"
             "        name = \"api\",\n"
             "        config = ServiceConfig(\n"
             "            image = ImageBuildSpec(image_name = \"acme/api\", build_context_dir = "
             "\"./api\", target_stage = \"prod\"),\n"
             "            ports = {\"http\": PortSpec(number = 8080, application_protocol = "
             "\"http\")},\n"
             "            files = {\"/etc/api\": conf},\n"
             "            entrypoint = [\"/bin/api\"],\n"
             "            cmd = [\"serve\"],\n"
             "            env_vars = {\"B\": \"2\", \"A\": \"one\"},\n"
             "        ),\n"
             "    )\n"
             "    probe = plan.run_sh(\n"
             "        run = \"curl http://\" + api.ip_address + \":8080\",\n"
             "        store = [StoreSpec(src = \"/out.txt\", name = \"out\")],\n"
             "        description = \"Probe\",\n"
             "    )\n"
             "    plan.exec(service_name = \"api\", recipe = ExecRecipe(command = [\"echo\", "
             "probe.output]), description = \"Echo\")\n"
             "    plan.print(\"done\")\n");
    AUTO_FREE char *said = plan_of((run_request_t){.package_id = "github.com/acme/shop"});
    assert_string_equal(said, "packageId: github.com/acme/shop\n"
                              "services:\n"
                              "- uuid: \"2\"\n"
                              "  name: api\n"
                              "  image:\n"
                              "    name: acme/api\n"
                              "    buildContextLocator: ./api\n"
                              "    targetStage: prod\n"
                              "  command:\n"
                              "  - serve\n"
                              "  entrypoint:\n"
                              "  - /bin/api\n"
                              "  envVars:\n"
                              "  - key: A\n"
                              "    value: one\n"
                              "  - key: B\n"
                              "    value: \"2\"\n"
                              "  ports:\n"
                              "  - name: http\n"
                              "    number: 8080\n"
                              "    transportProtocol: TCP\n"
                              "    applicationProtocol: http\n"
                              "  files:\n"
                              "  - mountPath: /etc/api\n"
                              "    filesArtifacts:\n"
                              "    - uuid: \"1\"\n"
                              "      name: conf\n"
                              "filesArtifacts:\n"
                              "- uuid: \"1\"\n"
                              "  name: conf\n"
                              "  files:\n"
                              "  - app.ini\n"
                              "- uuid: \"4\"\n"
                              "  name: out\n"
                              "  files:\n"
                              "  - /out.txt\n"
                              "tasks:\n"
                              "- uuid: \"3\"\n"
                              "  name: Probe\n"
                              "  taskType: sh\n"
                              "  command:\n"
                              "  - curl http://{{ kurtosis.2.ip_address }}:8080\n"
                              "  image: badouralix/curl-jq\n"
                              "  store:\n"
                              "  - uuid: \"4\"\n"
                              "    name: out\n"
                              "- uuid: \"5\"\n"
                              "  name: Echo\n"
                              "  taskType: exec\n"
                              "  command:\n"
                              "  - echo\n"
                              "  - '{{ kurtosis.3.output }}'\n"
                              "  serviceName: api\n"
                              "  acceptableCodes:\n"
                              "  - 0\n"
                              "images:\n"
                              "- acme/api\n"
                              "- badouralix/curl-jq\n"
                              "packageDependencies:\n"
                              "- github.com/acme/db-package\n"
                              "instructions:\n"
                              "- instructionUuid: U1\n"
                              "  shortDescriptor: render_templates(conf)\n"
                              "  dependencies: []\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U2\n"
                              "  shortDescriptor: add_service(api)\n"
                              "  dependencies:\n"
                              "  - U1\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U3\n"
                              "  shortDescriptor: run_sh(Probe)\n"
                              "  dependencies:\n"
                              "  - U2\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U4\n"
                              "  shortDescriptor: exec(api Echo)\n"
                              "  dependencies:\n"
                              "  - U2\n"
                              "  - U3\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U5\n"
                              "  shortDescriptor: print(\"done\")\n"
                              "  dependencies:\n"
                              "  - U4\n"
                              "  isPrintInstruction: true\n");
}

static void
texts_are_written_as_yaml_reads_them_back(void **state)
{
    (void)state;
    AUTO_FREE char *said = plan_of((run_request_t){
        .script = "def run(plan):\n"
                  "    plan.render_templates({\"f\": struct(template = \"\", data = {})}, name = "
                  "\"off\")\n"
                  "    plan.run_sh(run = \"one\\ntwo\\n\", name = \"t\", description = \"a: b\",\n"
                  "        files = {\"/x\": \"old\"}, env_vars = {\"N\": \"1e3\", \"T\": \"*x\", "
                  "\"L\": \" a\\nb\"})\n"
                  "    r = plan.run_python(run = \"print(1)\", args = [\"0x1f\"], packages = "
                  "[\"web3\"], description = \"P\")\n"
                  "    plan.exec(\"far\", ExecRecipe([\"echo\", r.code, \"12:30\", \"\"]), "
                  "acceptable_codes = [0, 3], description = \"E\")\n"
                  "    plan.print(r.output + \"\\\"\")\n"});
    assert_string_equal(said,
                        "packageId: DEFAULT_PACKAGE_ID_FOR_SCRIPT\n"
                        "filesArtifacts:\n"
                        "- uuid: \"1\"\n"
                        "  name: \"off\"\n"
                        "  files:\n"
                        "  - f\n"
                        "- uuid: \"3\"\n"
                        "  name: old\n"
                        "tasks:\n"
                        "- uuid: \"2\"\n"
                        "  name: 'a: b'\n"
                        "  taskType: sh\n"
                        "  command:\n"
                        "  - |\n"
                        "    one\n"
                        "    two\n"
                        "  image: badouralix/curl-jq\n"
                        "  files:\n"
                        "  - mountPath: /x\n"
                        "    filesArtifacts:\n"
                        "    - uuid: \"3\"\n"
                        "      name: old\n"
                        "  envVar:\n"
                        "  - key: L\n"
                        "    value: \" a\\nb\"\n"
                        "  - key: \"N\"\n"
                        "    value: \"1e3\"\n"
                        "  - key: T\n"
                        "    value: '*x'\n"
                        "- uuid: \"4\"\n"
                        "  name: P\n"
                        "  taskType: python\n"
                        "  command:\n"
                        "  - print(1)\n"
                        "  image: python:3.11-alpine\n"
                        "  pythonPackages:\n"
                        "  - bash\n"
                        "  - web3\n"
                        "  pythonArgs:\n"
                        "  - \"0x1f\"\n"
                        "- uuid: \"5\"\n"
                        "  name: E\n"
                        "  taskType: exec\n"
                        "  command:\n"
                        "  - echo\n"
                        "  - '{{ kurtosis.4.code }}'\n"
                        "  - \"12:30\"\n"
                        "  - \"\"\n"
                        "  serviceName: far\n"
                        "  acceptableCodes:\n"
                        "  - 0\n"
                        "  - 3\n"
                        "images:\n"
                        "- badouralix/curl-jq\n"
                        "- python:3.11-alpine\n"
                        "instructions:\n"
                        "- instructionUuid: U1\n"
                        "  shortDescriptor: render_templates(off)\n"
                        "  dependencies: []\n"
                        "  isPrintInstruction: false\n"
                        "- instructionUuid: U2\n"
                        "  shortDescriptor: 'run_sh(a: b)'\n"
                        "  dependencies: []\n"
                        "  isPrintInstruction: false\n"
                        "- instructionUuid: U3\n"
                        "  shortDescriptor: run_python(P)\n"
                        "  dependencies: []\n"
                        "  isPrintInstruction: false\n"
                        "- instructionUuid: U4\n"
                        "  shortDescriptor: exec(far E)\n"
                        "  dependencies:\n"
                        "  - U3\n"
                        "  isPrintInstruction: false\n"
                        "- instructionUuid: U5\n"
                        "  shortDescriptor: print(\"{{kurtosis:U6:output.runtime_value}}\\\"\")\n"
                        "  dependencies:\n"
                        "  - U3\n"
                        "  - U4\n"
                        "  isPrintInstruction: true\n");
}

static void
a_removed_service_is_not_shown_and_an_updated_one_once(void **state)
{
    (void)state;
    AUTO_FREE char *said = plan_of((run_request_t){
        .script = "def run(plan):\n"
                  "    config = ServiceConfig(image = ImageSpec(\"i\", registry = \"r.io\"))\n"
                  "    plan.add_service(\"gone\", config)\n"
                  "    plan.add_services({\"b\": config, \"a\": config})\n"
                  "    plan.get_services()\n"
                  "    plan.remove_service(\"gone\")\n"
                  "    plan.add_service(\"b\", config)\n"});
    assert_string_equal(said, "packageId: DEFAULT_PACKAGE_ID_FOR_SCRIPT\n"
                              "services:\n"
                              "- uuid: \"3\"\n"
                              "  name: a\n"
                              "  image:\n"
                              "    name: i\n"
                              "- uuid: \"4\"\n"
                              "  name: b\n"
                              "  image:\n"
                              "    name: i\n"
                              "    registry: r.io\n"
                              "images:\n"
                              "- i\n"
                              "instructions:\n"
                              "- instructionUuid: U1\n"
                              "  shortDescriptor: add_service(gone)\n"
                              "  dependencies: []\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U2\n"
                              "  shortDescriptor: 'add_services(2 services: b, a)'\n"
                              "  dependencies: []\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U3\n"
                              "  shortDescriptor: get_services(3 services)\n"
                              "  dependencies:\n"
                              "  - U1\n"
                              "  - U2\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U4\n"
                              "  shortDescriptor: remove_service(gone)\n"
                              "  dependencies:\n"
                              "  - U1\n"
                              "  - U3\n"
                              "  isPrintInstruction: false\n"
                              "- instructionUuid: U5\n"
                              "  shortDescriptor: add_service(b)\n"
                              "  dependencies:\n"
                              "  - U3\n"
                              "  isPrintInstruction: false\n");
}

static void
a_plan_that_cannot_be_made_says_why(void **state)
{
    (void)state;
    put_file(folder, "acme/bad/kurtosis.yml", "name: github.com/acme/bad\n");
    put_file(folder, "acme/bad/main.star", "def run(plan):\n    fail(\"no\")\n");
    AUTO_FREE char *script =
        plan_of((run_request_t){.script = "def run(plan):\n    fail(\"no\")\n"});
    assert_ptr_equal(strstr(script, "Evaluation error: fail: no"), script);
    AUTO_FREE char *package = plan_of((run_request_t){.package_id = "github.com/acme/bad"});
    assert_non_null(strstr(package, "An interpretation error occurred interpreting package for "
                                    "retrieving plan yaml for package: github.com/acme/bad"));
    AUTO_FREE char *none = plan_of((run_request_t){.package_id = "github.com/acme/none"});
    assert_non_null(strstr(none, "An interpretation error occurred setting up the package for "
                                 "retrieving plan yaml for package: github.com/acme/none"));
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
        cmocka_unit_test(a_package_is_shown_with_all_it_makes),
        cmocka_unit_test(texts_are_written_as_yaml_reads_them_back),
        cmocka_unit_test(a_removed_service_is_not_shown_and_an_updated_one_once),
        cmocka_unit_test(a_plan_that_cannot_be_made_says_why),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
