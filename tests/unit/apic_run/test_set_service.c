/*  What set_service makes of a service: added by the same plan, or running already. */
#include "transcript.h"

#include "bus/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *what, *added, *changes[2]; /* of a ServiceConfig(...) */
    const char *has[3], *has_not;          /* in the service's spec as JSON */
} rows[] = {
    {"the image is always replaced, and what is not given stays",
     "image = \"a\", cmd = [\"c\"], env_vars = {\"E\": \"e\"}, max_cpu = 100, max_memory = 64",
     {"image = \"b\""},
     {"\"image\":\"b\"", "\"maxMillicpus\":\"100\",\"maxMemoryMegabytes\":\"64\"",
      "\"cmd\":[\"c\"]"},
     "\"image\":\"a\""},
    {"a limit is replaced when it is given",
     "image = \"a\", max_cpu = 100, max_memory = 64",
     {"image = \"a\", max_cpu = 200"},
     {"\"maxMillicpus\":\"200\",\"maxMemoryMegabytes\":\"64\""},
     "\"100\""},
    {"labels are replaced all at once, the user too",
     "image = \"a\", labels = {\"x\": \"1\", \"y\": \"2\"}, user = User(1)",
     {"image = \"a\", labels = {\"z\": \"3\"}, user = User(uid = 7, gid = 8)"},
     {"{\"name\":\"z\",\"value\":\"3\"}", "\"uid\":\"7\",\"gid\""},
     "\"name\":\"x\""},
    {"no labels are no change",
     "image = \"a\", labels = {\"x\": \"1\"}",
     {"image = \"b\", labels = {}"},
     {"{\"name\":\"x\",\"value\":\"1\"}"},
     "\"image\":\"a\""},
    {"what a service may do is switched on, never off",
     "image = \"a\", privileged = True",
     {"image = \"a\", privileged = False, host_pid_namespace = True"},
     {"\"privileged\":true", "\"hostPidNamespace\":true"},
     "false"},
    {"several changes add up",
     "image = \"a\"",
     {"image = \"b\", max_cpu = 200", "image = \"c\", max_memory = 64"},
     {"\"image\":\"c\"", "\"maxMillicpus\":\"200\",\"maxMemoryMegabytes\":\"64\""},
     "\"image\":\"b\""},
    {"what has no meaning for a change is left alone",
     "image = \"a\", tini_enabled = True",
     {"image = \"b\", tty_enabled = True, ready_conditions = ReadyCondition(recipe = "
      "ExecRecipe([\"x\"]), field = \"code\", assertion = \"==\", target_value = 9)"},
     {"\"image\":\"b\"", "\"tiniEnabled\":true"},
     "\"ttyEnabled\":true"},
};

static void
run(enclave_t *enclave, const char *body)
{
    AUTO_FREE char *script = str_format("def run(plan):\n%s", body);
    AUTO_FREE char *said =
        transcript(enclave, (run_request_t){.script = script, .allow_privileged = true}, false);
    if (!strstr(said, "finished: true"))
        fail_msg("%s", said);
}

static void
check(enclave_t *enclave, size_t row)
{
    AUTO(core_service_config) config = NULL;
    assert_int_equal(enclave->world->service_config(enclave->world->self, "s", &config, NULL), 0);
    AUTO_FREE char *spec = bus_json_pack(&config->spec->base, false);
    for (size_t i = 0; i < 3 && rows[row].has[i]; i++)
        if (!strstr(spec, rows[row].has[i]))
            fail_msg("%s: no %s in %s", rows[row].what, rows[row].has[i], spec);
    if (strstr(spec, rows[row].has_not))
        fail_msg("%s: %s in %s", rows[row].what, rows[row].has_not, spec);
}

static char *
changes_of(size_t row)
{
    str_t out = STR_EMPTY;
    for (size_t i = 0; i < 2 && rows[row].changes[i]; i++)
        str_printf(&out, "    plan.set_service(\"s\", ServiceConfig(%s))\n", rows[row].changes[i]);
    return str_take(&out);
}

static void
a_service_is_changed_as_it_is_added_or_while_it_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_FREE char *add =
            str_format("    plan.add_service(\"s\", ServiceConfig(%s))\n", rows[i].added);
        AUTO_FREE char *change = changes_of(i);
        AUTO_FREE char *both = str_format("%s%s", add, change);
        enclave_t enclave;
        enclave_init(&enclave, "/nonexistent");
        run(&enclave, both);
        check(&enclave, i);
        assert_int_equal(world_memory_starts(enclave.memory), 1);
        enclave_done(&enclave);

        enclave_init(&enclave, "/nonexistent");
        run(&enclave, add);
        run(&enclave, change);
        check(&enclave, i);
        enclave_done(&enclave);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_is_changed_as_it_is_added_or_while_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
