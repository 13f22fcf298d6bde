/*  kills: the API container killed at every instruction of a plan, as it begins and when its result is
 * out; then the same run again. What there is in the end is what there is after an undisturbed run. */
#include "tests/unit/apic/program.h"

#include <pthread.h>
#include <signal.h>

#define STEPS_MAX 32
#define TRIES_MAX 5 /* to reach a program that has just started */

static const char plan[] =
    "def run(plan):\n"
    "    conf = plan.render_templates({'f': struct(template = 'x', data = {})}, 'conf')\n"
    "    a = plan.add_service('a', ServiceConfig('i', files = {'/c': conf}))\n"
    "    r = plan.exec('a', ExecRecipe(['echo', 'one']))\n"
    "    s = plan.add_services({'b': ServiceConfig('i', env_vars = {'A': a.ip_address}), 'c': "
    "ServiceConfig('i')})\n"
    "    w = plan.wait('b', ExecRecipe(['echo', 'two']), 'output', '!=', 'three')\n"
    "    t = plan.run_sh(run = 'true', store = [StoreSpec('/x', 'made')], files = {'/c': conf})\n"
    "    plan.store_service_files('b', '/x', 'stored')\n"
    "    plan.set_service('c', ServiceConfig('j'))\n"
    "    plan.add_service('d', ServiceConfig('i', cmd = [r['output'], t.output], files = {'/m': "
    "'made'}))\n"
    "    plan.verify(r['code'], '==', 0)\n"
    "    plan.print(w['output'])\n"
    "    return [a.ip_address, s['b'].ip_address, s['c'].ip_address, r['output'], t.output, "
    "t.files_artifacts]\n";

static const char plan_with_removal[] = "def run(plan):\n"
                                        "    a = plan.add_service('a', ServiceConfig('i'))\n"
                                        "    b = plan.add_service('b', ServiceConfig('i'))\n"
                                        "    plan.stop_service('b')\n"
                                        "    plan.start_service('b')\n"
                                        "    plan.remove_service('a')\n"
                                        "    c = plan.add_service('c', ServiceConfig('i'))\n"
                                        "    return [b.ip_address, 'done']\n";

/* One run: killed when the line number `at` comes, be it an instruction or its result. */
typedef struct {
    program_t *program;
    int at; /* < 0: never */
    int seen;
    char *output; /* of the run; NULL when it did not succeed */
} killer_t;

static void
on_line(void *arg, const program_line_t *line)
{
    killer_t *self = arg;
    switch (line->run_response_line_case) {
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION:
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT:
        if (self->seen++ == self->at)
            kill(self->program->pid, SIGKILL);
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT:
        free(self->output);
        self->output = line->run_finished_event->is_run_successful
                           ? strdup(line->run_finished_event->serialized_output)
                           : NULL;
        break;
    default:
        break;
    }
}

static void
put_container(void *arg, const sim_container_t *container)
{
    str_t *out = arg;
    const Orchestrator__ServiceSpec *spec = container->spec;
    str_printf(out, "%s: %s at %s, state %d,", spec->name, spec->image, spec->private_ip,
               container->state);
    for (size_t i = 0; i < spec->n_cmd; i++)
        str_printf(out, " %s", spec->cmd[i]);
    for (size_t i = 0; i < spec->n_env; i++)
        str_printf(out, " %s=%s", spec->env[i]->name, spec->env[i]->value);
    for (size_t i = 0; i < SIM_MOUNTS_MAX; i++)
        if (container->mounts[i].archives)
            str_printf(out, " mount %zu of %zu archives", i, container->mounts[i].archives);
    str_add_char(out, '\n');
}

static int
by_text(const void *one, const void *two)
{
    return strcmp(*(char *const *)one, *(char *const *)two);
}

/* What the program wrote to standard error; yours. */
static char *
log_of(const program_t *self)
{
    char text[4096] = "";
    FILE *file = fopen(self->errors, "r");
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = 0;
        fclose(file);
    }
    return strdup(text);
}

/* Services as Docker and as Kurtosis have them, artifacts, and the run's output and errors; yours. */
static char *
state_of(program_t *self, const char *output, const char *errors)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    str_t out = STR_EMPTY;
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        found += sim_look(self->stage->sim, names[i], put_container, &out);
    str_printf(&out, "%zu other containers\n", sim_count(self->stage->sim) - found);

    Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
    ApiContainerApi__GetServicesArgs args = API_CONTAINER_API__GET_SERVICES_ARGS__INIT;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts = NULL;
    AUTO(err) err = NULL;
    /* where the machine is busy it may have been silent for so long that it joins again */
    if (bus_broker_wait_peer(self->stage->broker, APIC, PATIENCE_MS, &err) < 0 ||
        actor_ask(self->client, NULL, APIC, SERVICE "GetServices", &args.base, PATIENCE_MS,
                  (ProtobufCMessage **)&services, &err) < 0 ||
        actor_ask(self->client, NULL, APIC, SERVICE "ListFilesArtifactNamesAndUuids", &empty.base,
                  PATIENCE_MS, (ProtobufCMessage **)&artifacts, &err) < 0) {
        AUTO_FREE char *why = err_lines(err);
        AUTO_FREE char *log = log_of(self);
        str_printf(&out, "the API container does not answer: %s\n%s", why, log);
        return str_take(&out);
    }
    str_printf(&out, "%zu services\n", services->n_service_info);
    AUTO_FREE char **sorted = calloc(artifacts->n_file_names_and_uuids + 1, sizeof(char *));
    for (size_t i = 0; i < artifacts->n_file_names_and_uuids; i++)
        sorted[i] = artifacts->file_names_and_uuids[i]->filename;
    qsort(sorted, artifacts->n_file_names_and_uuids, sizeof(char *), by_text);
    for (char **name = sorted; *name; name++)
        str_printf(&out, "artifact %s\n", *name);
    str_printf(&out, "output %s\nerrors '%s'\n", output ? output : "none", errors ? errors : "");
    return str_take(&out);
}

/* Runs the script in a fresh enclave, killed at that line and then run again; the state then. *ret_seen: lines before
 * the kill, of a run that is not killed all of them. */
static char *
try_at(const char *script, int at, int *ret_seen)
{
    void *state;
    AUTO_STR errors = STR_EMPTY;
    program_setup(&state);
    program_t *self = state;
    killer_t killer = {.program = self, .at = at};
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    program_run(self, script, on_line, &killer, &errors);
    *ret_seen = killer.seen;
    if (at >= 0) {
        /* It may have been over before the kill came. */
        program_kill(self);
        killer.at = -1;
        program_start(self, SUPPORT_ENCLAVE);
        /* Where the machine is busy the broker may still take the old one for the new one. */
        for (int tries = 0; tries < TRIES_MAX; tries++) {
            str_done(&errors);
            errors = STR_EMPTY;
            program_until_joined(self);
            if (program_run(self, script, on_line, &killer, &errors) ||
                !strstr(errors.data ? errors.data : "", "is not on the bus"))
                break;
        }
    }
    char *said = state_of(self, killer.output, errors.data);
    free(killer.output);
    program_teardown(&state);
    return said;
}

static void
try_all(const char *script)
{
    int lines = 0, seen, failures = 0;
    AUTO_FREE char *expected = try_at(script, -1, &lines);
    if (!strstr(expected, "errors ''"))
        print_error("undisturbed there is in the end\n%s\n", expected);
    assert_non_null(strstr(expected, "errors ''"));
    assert_in_range(lines, 4, 2 * STEPS_MAX);
    for (int at = 0; at < lines; at++) {
        AUTO_FREE char *said = try_at(script, at, &seen);
        if (strcmp(said, expected) == 0)
            continue;
        print_error("killed at line %d there is in the end\n%s\nand undisturbed\n%s\n", at, said,
                    expected);
        failures++;
    }
    assert_int_equal(failures, 0);
}

static void
killed_at_any_instruction_the_next_run_ends_as_an_undisturbed_one(void **state)
{
    (void)state;
    try_all(plan);
}

static void
also_where_every_run_does_everything_again(void **state)
{
    (void)state;
    try_all(plan_with_removal);
}

static void *
run_to_its_end(void *arg)
{
    AUTO_STR errors = STR_EMPTY;
    program_run(arg, "def run(plan):\n    plan.run_sh(run = 'true')\n", NULL, NULL, &errors);
    return NULL;
}

static void
killed_in_a_task_its_container_goes_with_the_next_run(void **state)
{
    program_t *self = *state;
    AUTO_STR errors = STR_EMPTY;
    pthread_t thread;
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    sim_hang(self->stage->sim, true);
    pthread_create(&thread, NULL, run_to_its_end, self);
    while (!sim_hanging(self->stage->sim))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    program_kill(self);
    pthread_join(thread, NULL);
    sim_hang(self->stage->sim, false);
    assert_int_equal(sim_count(self->stage->sim), 1);
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    bool succeeded = false;
    for (int tries = 0; tries < TRIES_MAX && !succeeded; tries++) {
        program_until_joined(self);
        succeeded = program_run(self, "def run(plan):\n    plan.run_sh(run = 'true')\n", NULL, NULL,
                                &errors);
    }
    if (!succeeded)
        fail_msg("%s", errors.data);
    assert_int_equal(sim_count(self->stage->sim), 0);
}

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_instruction_the_next_run_ends_as_an_undisturbed_one),
        cmocka_unit_test(also_where_every_run_does_everything_again),
        cmocka_unit_test_setup_teardown(killed_in_a_task_its_container_goes_with_the_next_run,
                                        program_setup, program_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
