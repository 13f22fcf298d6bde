/*  What a second run in the same enclave does again: s(kipped) or x(executed) per step. */
#include "transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADD(name, image)                                                                           \
    "    plan.add_service(\"" name "\", ServiceConfig(image = \"" image "\"))\n"
#define RENDER(text)                                                                               \
    "    plan.render_templates(name = \"conf\", config = {\"f\": struct(template = \"" text        \
    "\", data = {})})\n"
#define MOUNT                                                                                      \
    "    plan.add_service(\"user\", ServiceConfig(image = \"i\", files = {\"/c\": \"conf\"}))\n"
#define TASK "    plan.run_sh(run = \"true\", files = {\"/c\": \"conf\"})\n"
#define EXEC "    r = plan.exec(\"a\", ExecRecipe(command = [\"echo\", \"x\"]))\n"
#define SET "    plan.set_service(\"a\", ServiceConfig(image = \"k\"))\n"
#define SAY(what) "    plan.print(" what ")\n"

static const struct {
    const char *what, *first, *second, *outcome;
} cases[] = {
    {"the same program is skipped, print too", ADD("a", "i") SAY("\"x\""),
     ADD("a", "i") SAY("\"x\""), "ss"},
    {"appended steps run", ADD("a", "i"), ADD("a", "i") ADD("b", "i"), "sx"},
    {"a changed service is updated and what follows is compared anew", ADD("a", "i") SAY("1"),
     ADD("a", "j") SAY("1"), "xs"},
    {"the tail of the enclave plan is what counts", ADD("a", "i") ADD("b", "i") SAY("1"),
     ADD("b", "i") SAY("1"), "ss"},
    {"a program that has nothing to do with the first runs", ADD("a", "i"), SAY("1"), "x"},
    {"another order runs everything", ADD("a", "i") ADD("b", "i"), ADD("b", "i") ADD("a", "i"),
     "sx"},
    {"removing makes everything run again", ADD("a", "i") "    plan.remove_service(\"a\")\n",
     ADD("a", "i") "    plan.remove_service(\"a\")\n", "xx"},
    {"a new content of an artifact updates the services that mount it", RENDER("a") MOUNT,
     RENDER("b") MOUNT, "xx"},
    {"but not the tasks", RENDER("a") TASK, RENDER("b") TASK, "xs"},
    {"an exec on a service that is the same is skipped and its value is the old one",
     ADD("a", "i") EXEC SAY("r[\"output\"]"), ADD("a", "i") EXEC SAY("r[\"output\"]"), "sss"},
    {"an exec on an updated service runs, and then everything does, for its value is new",
     ADD("a", "i") EXEC SAY("r[\"output\"]"), ADD("a", "j") EXEC SAY("r[\"output\"]"), "xxx"},
    {"a step in the middle makes the plans unfit", ADD("a", "i") SAY("1"),
     ADD("a", "i") SAY("2") SAY("1"), "xxx"},
    {"force_update is never skipped", ADD("a", "i"),
     "    plan.add_service(\"a\", ServiceConfig(image = \"i\"), force_update = True)\n", "x"},
    {"add_services is recognised by its names",
     "    plan.add_services({\"a\": ServiceConfig(image = \"i\")})\n",
     "    plan.add_services({\"a\": ServiceConfig(image = \"i\"), \"b\": ServiceConfig(image = "
     "\"i\")})\n",
     "x"},
    {"a task without a name is recognised", RENDER("a") TASK, RENDER("a") TASK, "ss"},
    {"an artifact without a name never is", "    plan.render_templates(config = {})\n",
     "    plan.render_templates(config = {})\n", "x"},
    {"set_service is done once", ADD("a", "i") SET, ADD("a", "i") SET, "ss"},
    {"a cluster's kind is known", "    plan.get_cluster_type()\n", "    plan.get_cluster_type()\n",
     "s"},
};

/* 's' or 'x' per instruction of a transcript. */
static char *
outcome_of(const char *text)
{
    str_t out = STR_EMPTY;
    for (const char *line = text; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *end = strchr(line, '\n');
        const size_t size = end ? (size_t)(end - line) : strlen(line);
        if (line[0] == '[')
            str_add_char(&out, size > 10 && !memcmp(line + size - 9, "(skipped)", 9) ? 's' : 'x');
    }
    return str_take(&out);
}

static char *
run(enclave_t *enclave, const char *body)
{
    AUTO_FREE char *script = str_format("def run(plan):\n%s", body);
    return transcript_of(enclave, script);
}

static void
a_second_run_does_what_has_changed(void **state)
{
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enclave_t enclave;
        enclave_init(&enclave, "/nonexistent");
        AUTO_FREE char *first = run(&enclave, cases[i].first);
        AUTO_FREE char *second = run(&enclave, cases[i].second);
        AUTO_FREE char *outcome = outcome_of(second);
        if (!strstr(first, "finished: true") || !strstr(second, "finished: true") ||
            strcmp(outcome, cases[i].outcome) != 0) {
            print_error("%s: is %s, not %s\n%s\n%s\n", cases[i].what, outcome, cases[i].outcome,
                        first, second);
            failures++;
        }
        enclave_done(&enclave);
    }
    assert_int_equal(failures, 0);
}

static void
a_failed_run_is_taken_up_where_it_failed(void **state)
{
    enclave_t enclave;
    (void)state;
    enclave_init(&enclave, "/nonexistent");
    AUTO_FREE char *first = run(
        &enclave, ADD("a", "i") EXEC SAY("1") "    plan.verify(\"a\", \"==\", \"b\")\n" SAY("2"));
    assert_non_null(strstr(first, "finished: false"));
    AUTO_FREE char *second = run(
        &enclave, ADD("a", "i") EXEC SAY("1") "    plan.verify(\"a\", \"==\", \"a\")\n" SAY("2"));
    AUTO_FREE char *outcome = outcome_of(second);
    assert_string_equal(outcome, "sssxx");
    enclave_done(&enclave);
}

static void
a_dry_run_forgets_nothing(void **state)
{
    enclave_t enclave;
    (void)state;
    enclave_init(&enclave, "/nonexistent");
    AUTO_FREE char *first = run(&enclave, ADD("a", "i") SAY("1"));
    AUTO_FREE char *dry = transcript(
        &enclave,
        (run_request_t){.script = "def run(plan):\n" ADD("a", "j") SAY("2"), .dry_run = true},
        false);
    assert_null(strstr(dry, "finished"));
    AUTO_FREE char *again = run(&enclave, ADD("a", "i") SAY("1"));
    AUTO_FREE char *outcome = outcome_of(again);
    assert_string_equal(outcome, "ss");
    assert_int_equal(world_memory_starts(enclave.memory), 1);
    enclave_done(&enclave);
}

static void
without_caching_everything_runs(void **state)
{
    enclave_t enclave;
    (void)state;
    enclave_init(&enclave, "/nonexistent");
    AUTO_FREE char *first = run(&enclave, ADD("a", "i") SAY("1"));
    AUTO_FREE char *again = transcript(
        &enclave,
        (run_request_t){.script = "def run(plan):\n" ADD("a", "i") SAY("1"), .no_caching = true},
        false);
    AUTO_FREE char *outcome = outcome_of(again);
    assert_string_equal(outcome, "xx");
    enclave_done(&enclave);
}

static void
values_of_earlier_runs_survive_a_restart(void **state)
{
    enclave_t enclave;
    (void)state;
    enclave_init(&enclave, "/nonexistent");
    AUTO_FREE char *first = run(&enclave, ADD("a", "i") EXEC);
    run_store_destroy(&enclave.store);
    assert_int_equal(run_store_new(world_memory_world(enclave.memory), &enclave.store, NULL), 0);
    AUTO_FREE char *second =
        run(&enclave, ADD("a", "i") EXEC SAY("plan.get_service(\"a\").ip_address + r[\"output\"]"));
    assert_non_null(strstr(second, "= 172.16.0.4x\n"));
    enclave_done(&enclave);
}

static void
side_by_side_the_first_failure_keeps_the_rest_from_starting(void **state)
{
    enclave_t enclave;
    (void)state;
    enclave_init(&enclave, "/nonexistent");
    AUTO_FREE char *said =
        transcript(&enclave,
                   (run_request_t){.script = "def run(plan):\n" ADD("a", "i") EXEC
                                   "    plan.verify(r[\"output\"], \"==\", \"y\")\n" SAY("1"),
                                   .parallel = true},
                   false);
    assert_non_null(strstr(said, "execution error: One or more instructions failed to execute in "
                                 "parallel. This if the first error that was found."));
    assert_non_null(strstr(said, "finished: false"));
    assert_null(strstr(said, "= 1\n"));
    AUTO_FREE char *again =
        transcript(&enclave,
                   (run_request_t){.script = "def run(plan):\n" ADD("a", "i") EXEC
                                   "    plan.verify(r[\"output\"], \"==\", \"x\")\n" SAY("1"),
                                   .parallel = true},
                   false);
    AUTO_FREE char *outcome = outcome_of(again);
    assert_int_equal(strlen(outcome), 4);
    assert_non_null(strstr(again, "finished: true"));
    assert_int_equal(world_memory_starts(enclave.memory), 1);
    enclave_done(&enclave);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_run_does_what_has_changed),
        cmocka_unit_test(a_failed_run_is_taken_up_where_it_failed),
        cmocka_unit_test(a_dry_run_forgets_nothing),
        cmocka_unit_test(without_caching_everything_runs),
        cmocka_unit_test(values_of_earlier_runs_survive_a_restart),
        cmocka_unit_test(side_by_side_the_first_failure_keeps_the_rest_from_starting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
