/*  compose: Compose files and the scripts that they become. */
#include "apic/compose/compose.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[] = "/tmp/kurtosis-compose-XXXXXX";

static void
put(const char *name, const char *text)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
add_warning(void *arg, const char *text)
{
    str_printf(arg, "%s\n", text);
}

static int
transpile(const char *text, str_t *out, str_t *warnings, err_t **err)
{
    put("compose.yml", text);
    return compose_transpile(folder, "compose.yml", add_warning, warnings, out, err);
}

/* The arguments of ServiceConfig for one service "s" with these lines. */
static void
expect_config(const char *lines, const char *config)
{
    AUTO_STR text = STR_EMPTY, out = STR_EMPTY, warnings = STR_EMPTY;
    AUTO(err) err = NULL;
    str_printf(&text, "services:\n  s:\n    image: i\n%s\nvolumes: {data: {}}\n", lines);
    if (transpile(text.data, &out, &warnings, &err) < 0) {
        AUTO_FREE char *why = err_string(err);
        fail_msg("%s\n%s", lines, why);
    }
    AUTO_FREE char *expected = str_format("def run(plan):\n    plan.add_service(name = \"s\", "
                                          "config = ServiceConfig(image=\"i\"%s))\n",
                                          config);
    assert_string_equal(out.data, expected);
}

static void
a_file_becomes_a_script(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY, warnings = STR_EMPTY;
    assert_int_equal(transpile("services:\n"
                               "  api:\n"
                               "    build: ./api\n"
                               "    ports: [\"80:9000\"]\n"
                               "    volumes: [\"./conf:/etc/api:ro\"]\n"
                               "    environment: {LEVEL: debug}\n",
                               &out, &warnings, NULL),
                     0);
    assert_string_equal(out.data,
                        "def run(plan):\n"
                        "    plan.upload_files(src = \"./conf\", name = \"api--volume0\")\n"
                        "    plan.add_service(name = \"api\", config = "
                        "ServiceConfig(image=ImageBuildSpec(image_name=\"api-image\", "
                        "build_context_dir=\"./api\"), ports={\"port0\": PortSpec(number=9000, "
                        "transport_protocol=\"TCP\")}, files={\"/etc/api\": \"api--volume0\"}, "
                        "env_vars={\"LEVEL\": \"debug\"}))\n");
    assert_string_equal(warnings.data, "");
}

static void
keys_become_arguments(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *config;
    } cases[] = {
        {"    ports: [\"8080\", 53/udp, \"127.0.0.1:1:443\", \"[::1]:5:6/sctp\"]",
         ", ports={\"port0\": PortSpec(number=8080, transport_protocol=\"TCP\", "
         "application_protocol=\"http\", url=\"http://s:8080\"), \"port1\": PortSpec(number=53, "
         "transport_protocol=\"UDP\"), \"port2\": PortSpec(number=443, "
         "transport_protocol=\"TCP\", application_protocol=\"http\", url=\"http://s:443\"), "
         "\"port3\": PortSpec(number=6, transport_protocol=\"SCTP\")}, env_vars={}"},
        {"    ports: [\"5-6:9-10\", {target: 7, published: 8, protocol: udp}, {target: 9}]",
         ", ports={\"port0\": PortSpec(number=10, transport_protocol=\"TCP\"), \"port1\": "
         "PortSpec(number=9, transport_protocol=\"TCP\"), \"port2\": PortSpec(number=7, "
         "transport_protocol=\"UDP\"), \"port3\": PortSpec(number=9, "
         "transport_protocol=\"TCP\")}, env_vars={}"},
        {"    entrypoint: [a, \"b \\\"c\\\"\"]\n    command: sh -c 'echo \"x y\"' \"d\\\\\\\"e\" "
         "f\\ g",
         ", entrypoint=[\"a\", \"b \\\"c\\\"\"], cmd=[\"sh\", \"-c\", \"echo \\\"x y\\\"\", "
         "\"d\\\\\\\"e\", \"f g\"], env_vars={}"},
        {"    environment: {B: true, A: 5, C: 1.0, D: 1.50, E: \"1.0\", F: , OF: , G: \"\"}",
         ", env_vars={\"A\": \"5\", \"B\": \"true\", \"C\": \"1\", \"D\": \"1.5\", \"E\": "
         "\"1.0\", \"G\": \"\", \"OF\": \"env\"}"},
        {"    environment: [\"B=2\", OF, NONE, \"A=x=y\"]",
         ", env_vars={\"A\": \"x=y\", \"B\": \"2\", \"OF\": \"env\"}"},
        {"    environment: {A: mine, Z: z}\n    env_file: [one.env]",
         ", env_vars={\"A\": \"theirs\", \"B\": \"$A # no\", \"C\": \"x\\ny\", \"Z\": \"z\"}"},
        {"    deploy: {resources: {reservations: {cpus: \"0.5\", memory: 50M}}}",
         ", env_vars={}, min_cpu=512, min_memory=50"},
        {"    deploy: {replicas: 2}", ", env_vars={}, min_cpu=0, min_memory=0"},
        {"    scale: 3", ", env_vars={}, min_cpu=0, min_memory=0"},
        {"    volumes: [\"data:/x\", /y, ../d:/z, ~/e:/w/, \"/_srv:/v\", {type: volume, source: "
         "data, target: /u}]",
         ", files={\"/x\": Directory(persistent_key=\"s--volume0\"), \"/y\": "
         "Directory(persistent_key=\"s--volume1\"), \"/z\": "
         "Directory(persistent_key=\"s--volume2\"), \"/w\": "
         "Directory(persistent_key=\"s--volume3\"), \"/v\": "
         "Directory(persistent_key=\"s--volume4\"), \"/u\": "
         "Directory(persistent_key=\"s--volume5\")}, env_vars={}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_config(cases[i].lines, cases[i].config);
}

static void
files_are_uploaded_before_the_service_and_moved_to_their_place(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY, warnings = STR_EMPTY;
    assert_int_equal(transpile("services:\n  s:\n    image: i\n    volumes:\n"
                               "    - ./one.env:/etc/x.env\n    - ./conf:/b\n"
                               "    - {type: bind, source: conf, target: /a}\n    - ./conf:/c\n",
                               &out, &warnings, NULL),
                     0);
    assert_string_equal(
        out.data, "def run(plan):\n"
                  "    plan.upload_files(src = \"./conf\", name = \"s--volume1\")\n"
                  "    plan.upload_files(src = \"./conf\", name = \"s--volume3\")\n"
                  "    plan.upload_files(src = \"./one.env\", name = \"s--volume0\")\n"
                  "    plan.upload_files(src = \"conf\", name = \"s--volume2\")\n"
                  "    plan.add_service(name = \"s\", config = ServiceConfig(image=\"i\", "
                  "files={\"/tmp/s--volume0\": \"s--volume0\", \"/b\": \"s--volume1\", \"/a\": "
                  "\"s--volume2\", \"/c\": \"s--volume3\"}, env_vars={}, "
                  "files_to_be_moved={\"/tmp/s--volume0/one.env\": \"/etc/x.env\"}))\n");
}

static void
variables_are_replaced_in_values(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"$OF", "env"},
        {"a${OF}b$$OF", "aenvb$OF"},
        {"${NONE}-${NONE:-d}-${EMPTY:-e}-${EMPTY-f}-${NONE-g}", "-d-e--g"},
        {"${OF:+r}${NONE:+r}${EMPTY+s}${EMPTY:+t}", "rs"},
        {"${NONE:-${EMPTY:-${OF}}}", "env"},
        {"${OF:-${NONE:?no}}", "env"},
        {"${OF?no}", "env"},
        {"${COMPOSE_PROJECT_NAME}", "root-compose-project"},
        {"${FROM}", "env/x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_FREE char *lines = str_format("    command: [\"%s\"]", cases[i][0]);
        AUTO_FREE char *config = str_format(", cmd=[\"%s\"], env_vars={}", cases[i][1]);
        expect_config(lines, config);
    }
}

static void
services_come_after_those_they_need(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY, warnings = STR_EMPTY;
    AUTO_STR order = STR_EMPTY;
    assert_int_equal(
        transpile("x-base: &base {image: i}\n"
                  "services:\n"
                  "  a: {<<: *base, depends_on: {d: {condition: service_healthy}}}\n"
                  "  b: {<<: *base, links: [\"My_C:alias\"]}\n"
                  "  My_C: {<<: *base, container_name: \" The C \", network_mode: \"service:d\"}\n"
                  "  d: {extends: e}\n"
                  "  e: {<<: *base, restart: always}\n"
                  "  f: {<<: *base, profiles: [debug]}\n"
                  "  g: {<<: *base, scale: 2, deploy: {x-a: 1, replicas: 2, resources: {limits: "
                  "{cpus: 1}, reservations: {cpus: 1, memory: 1m, devices: []}}}}\n",
                  &out, &warnings, NULL),
        0);
    for (const char *at = out.data; (at = strstr(at, "name = \"")); at++)
        str_printf(&order, "%.*s ", (int)strcspn(at + 8, "\""), at + 8);
    assert_string_equal(order.data, "d e g a the-c b ");
    assert_string_equal(
        warnings.data,
        "Compose file 'compose.yml': the condition of 'depends_on' of service 'a' is not supported "
        "and left out\n"
        "Compose file 'compose.yml': 'restart' of service 'd' is not supported and left out\n"
        "Compose file 'compose.yml': 'restart' of service 'e' is not supported and left out\n"
        "Compose file 'compose.yml': 'scale' of service 'g' is not supported: there will be one\n"
        "Compose file 'compose.yml': 'deploy.replicas' of service 'g' is not supported and left "
        "out\n"
        "Compose file 'compose.yml': 'deploy.resources.limits' of service 'g' is not supported and "
        "left out\n"
        "Compose file 'compose.yml': 'deploy.resources.reservations.devices' of service 'g' is not "
        "supported and left out\n");
}

static void
documents_are_laid_over_each_other(void **state)
{
    (void)state;
    AUTO_STR out = STR_EMPTY, warnings = STR_EMPTY;
    assert_int_equal(transpile("services: {s: {image: a, command: [x]}}\n---\n"
                               "services: {s: {image: b, command: [y]}}\n",
                               &out, &warnings, NULL),
                     0);
    assert_non_null(strstr(out.data, "image=\"b\", cmd=[\"x\", \"y\"]"));
}

static void
what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"services: {s: {command: x}}",
         "service \"s\" has neither an image nor a build context specified: invalid compose "
         "project"},
        {"services: {s: {image: i, depends_on: [t]}}",
         "service \"s\" depends on undefined service t: invalid compose project"},
        {"services: {s: {image: i, volumes: [\"v:/x\"]}}",
         "service \"s\" refers to undefined volume v: invalid compose project"},
        {"services: {s: {image: i, networks: [n]}}",
         "service \"s\" refers to undefined network n: invalid compose project"},
        {"services: {s: {image: i, secrets: [{source: n}]}}", "refers to undefined secret n"},
        {"services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}",
         "A cycle was detected in the service dependency graph."},
        {"services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [x]}}",
         "A cycle was detected in the service dependency graph."},
        {"services: {s: {image: i, ports: [\"1/xyz\"]}}", "Port #0 has unsupported protocol 'xyz'"},
        {"services: {s: {image: i, ports: [\"70000\"]}}", "invalid containerPort: 70000"},
        {"services: {s: {image: \"${\"}}",
         "invalid interpolation format for services.s.image.\nYou may need to escape any $ with "
         "another $.\n${"},
        {"services: {s: {image: \"${X:?it is needed}\"}}",
         "required variable X is missing a value: it is needed"},
        {"services: {s: {image: i, colour: red}}", "Additional property colour is not allowed"},
        {"colour: red", "Additional property colour is not allowed"},
        {"services: {s: {image: i, volumes: [\"./gone:/x\"]}}",
         "An error occurred checking is the volume path existed in the package on disc: ./gone."},
        {"services: {s: {image: i, env_file: gone.env}}",
         "An error occurred opening env file at path: gone.env"},
        {"services: {s: {image: i, env_file: ../../etc/passwd}}", "is not in the package"},
        {"services: {s: {extends: {file: x.yml, service: t}}}", "is not supported"},
        {"services: {s: {extends: s}}", "extends itself"},
        {"services: {s: {image: i}, S: {image: i}}", "have the same name 's'"},
        {"include: [x.yml]", "'include' is not supported"},
        {"services: {s: [", "yaml: line"},
        {"a: &a [*a]", "yaml: "},
        {"- x", "the top of the file must be a map"},
        {"services: {s: {image: a, image: b}}", "mapping key \"image\" already defined"},
        {"services: {s: {image: i, command: \"sh 'x\"}}", "a quote ' has no end"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_STR out = STR_EMPTY, warnings = STR_EMPTY;
        AUTO(err) err = NULL;
        if (transpile(cases[i][0], &out, &warnings, &err) == 0)
            fail_msg("%s becomes %s", cases[i][0], out.data);
        AUTO_FREE char *why = err_lines(err);
        if (!strstr(why, cases[i][1]))
            fail_msg("%s:\n%s", cases[i][0], why);
        assert_non_null(strstr(why, "An error occurred converting Compose file 'compose.yml' to a "
                                    "Starlark script."));
        assert_string_equal(out.data, "");
    }
}

static void
aliases_cannot_grow_without_limit(void **state)
{
    (void)state;
    AUTO_STR text = STR_EMPTY, out = STR_EMPTY, warnings = STR_EMPTY;
    AUTO(err) err = NULL;
    str_add(&text, "x-0: &a0 [x, x]\n");
    for (int i = 1; i < 30; i++)
        str_printf(&text, "x-%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    assert_true(transpile(text.data, &out, &warnings, &err) < 0);
    AUTO_FREE char *why = err_lines(err);
    assert_non_null(strstr(why, "values"));
}

static int
setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *command = str_format("mkdir %s/conf", folder);
    put(".env", "# names\nexport OF=env # here\nEMPTY=\nFROM=\"${OF}/x\"\n");
    put("one.env", "A=theirs\nB='$A # no'\nC=\"x\\ny\"\n\n# end\n");
    return system(command);
}

static int
teardown(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_a_script),
        cmocka_unit_test(keys_become_arguments),
        cmocka_unit_test(files_are_uploaded_before_the_service_and_moved_to_their_place),
        cmocka_unit_test(variables_are_replaced_in_values),
        cmocka_unit_test(services_come_after_those_they_need),
        cmocka_unit_test(documents_are_laid_over_each_other),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(aliases_cannot_grow_without_limit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
