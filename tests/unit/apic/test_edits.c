/*  edits: runs one after the other in one enclave, with the real core and the driver in memory: what
 * each does with every instruction, and what there is in the end. A letter per instruction:
 *
 *    s  skipped         a  a service is added        n  an artifact is new
 *    x  executed        u  a service is updated:     c  its content is replaced
 *                          same UUID as before       m  its content is the same
 *
 *  and "!" at the end of a run that fails. */
#include "apic/packages/file.h"
#include "tests/unit/apic_core/stage.h"
#include "tests/unit/apic_run/transcript.h"

#include <sys/stat.h>

#define RUNS_MAX 3
#define PACKAGE "github.com/me/pkg"

#define ADD(name, image) "plan.add_service('" name "', ServiceConfig('" image "'))\n"
#define USER(image) "plan.add_service('u', ServiceConfig('" image "', files = {'/c': 'conf'}))\n"
#define RENDER(text)                                                                               \
    "plan.render_templates({'f': struct(template = '" text "', data = {})}, 'conf')\n"
#define UPLOAD "plan.upload_files('data.txt', 'conf')\n"
#define EXEC(what) "r = plan.exec('a', ExecRecipe(['echo', '" what "']))\n"
#define WAIT "w = plan.wait('a', ExecRecipe(['echo', 'x']), 'code', '==', 0)\n"
#define STORE "plan.store_service_files('a', '/x', 'stored')\n"
#define TASK "t = plan.run_sh(run = 'true', files = {'/c': 'conf'})\n"
#define PAIR(one, two)                                                                             \
    "plan.add_services({'a': ServiceConfig('" one "'), 'b': ServiceConfig('" two "')})\n"
#define SET(image) "plan.set_service('a', ServiceConfig('" image "'))\n"
#define SAY(what) "plan.print(" what ")\n"
#define REMOVE "plan.remove_service('a')\n"
#define FAIL "plan.verify('a', '==', 'b')\n"

static const struct {
    const char *what;
    struct {
        const char *body, *outcome;
    } runs[RUNS_MAX];
    const char *state; /* services in the end: "NAME=IMAGE*STARTS" of each */
} cases[] = {
    {"the same again is skipped, print too",
     {{ADD("a", "i") SAY("1"), "ax"}, {ADD("a", "i") SAY("1"), "ss"}},
     "a=i*1"},
    {"what is appended runs",
     {{ADD("a", "i"), "a"}, {ADD("a", "i") ADD("b", "i"), "sa"}},
     "a=i*1 b=i*1"},
    {"what was appended counts the third time",
     {{ADD("a", "i"), "a"}, {ADD("a", "i") SAY("1"), "sx"}, {ADD("a", "i") SAY("1"), "ss"}},
     "a=i*1"},
    {"a shorter program has nothing to skip: its service is updated",
     {{ADD("a", "i") SAY("1"), "ax"}, {ADD("a", "i"), "u"}},
     "a=i*2"},
    {"the end of what was done is what counts, and the rest stays done",
     {{ADD("a", "i") ADD("b", "i"), "aa"},
      {ADD("b", "i") SAY("1"), "sx"},
      {ADD("a", "i") ADD("b", "i") SAY("1"), "sss"}},
     "a=i*1 b=i*1"},
    {"in another order the first fits the end, and the other is updated",
     {{ADD("a", "i") ADD("b", "i"), "aa"}, {ADD("b", "i") ADD("a", "i"), "su"}},
     "a=i*2 b=i*1"},
    {"a step in the middle: nothing fits",
     {{ADD("a", "i") SAY("1"), "ax"}, {ADD("a", "i") SAY("2") SAY("1"), "uxx"}},
     "a=i*2"},
    {"a program that has nothing to do with the first",
     {{ADD("a", "i"), "a"}, {ADD("b", "i"), "a"}},
     "a=i*1 b=i*1"},
    {"a changed service is updated, what does not use it is skipped",
     {{ADD("a", "i") ADD("b", "i") SAY("1"), "aax"}, {ADD("a", "j") ADD("b", "i") SAY("1"), "uss"}},
     "a=j*2 b=i*1"},
    {"the address of an updated service is the same: who uses it is skipped",
     {{"s = " ADD("a", "i") "plan.print(s.ip_address)\n", "ax"},
      {"s = " ADD("a", "j") "plan.print(s.ip_address)\n", "us"}},
     "a=j*2"},
    {"what works with an updated service runs again",
     {{ADD("a", "i") EXEC("x") WAIT STORE, "axxx"}, {ADD("a", "j") EXEC("x") WAIT STORE, "uxxx"}},
     "a=j*2"},
    {"what works with a service that is the same is skipped",
     {{ADD("a", "i") EXEC("x") WAIT STORE, "axxx"}, {ADD("a", "i") EXEC("x") WAIT STORE, "ssss"}},
     "a=i*1"},
    {"a new value of a command makes everything run that uses it, and so everything",
     {{ADD("a", "i") EXEC("x") SAY("r['output']"), "axx"},
      {ADD("a", "j") EXEC("x") SAY("r['output']"), "uxx"}},
     "a=j*2"},
    {"an old value of a command is the one that was",
     {{ADD("a", "i") EXEC("x") SAY("r['output']"), "axx"},
      {ADD("a", "i") EXEC("x") SAY("r['output']") SAY("'again ' + r['output']"), "sssx"}},
     "a=i*1"},
    {"another command is another step: nothing fits",
     {{ADD("a", "i") EXEC("x"), "ax"}, {ADD("a", "i") EXEC("y"), "ux"}},
     "a=i*2"},
    {"another description makes another step: a service is updated",
     {{ADD("a", "i"), "a"},
      {"plan.add_service('a', ServiceConfig('i'), description = 'x')\n", "u"}},
     "a=i*2"},
    {"a value of get_service is as old as the service",
     {{ADD("a", "i") "plan.get_service('a')\n", "ax"},
      {ADD("a", "j") "plan.get_service('a')\n", "ux"},
      {ADD("a", "j") "plan.get_service('a')\n", "ss"}},
     "a=j*2"},
    {"get_services only looks at its own text",
     {{ADD("a", "i") "plan.get_services()\n", "ax"}, {ADD("a", "j") "plan.get_services()\n", "us"}},
     "a=j*2"},
    {"rendered anew: services that mount it are updated",
     {{RENDER("1") USER("i"), "xa"}, {RENDER("2") USER("i"), "xu"}},
     "u=i*2"},
    {"but not tasks", {{RENDER("1") TASK, "xx"}, {RENDER("2") TASK, "xs"}}, ""},
    {"nor services that were added together",
     {{RENDER("1") "plan.add_services({'u': ServiceConfig('i', files = {'/c': 'conf'})})\n", "xx"},
      {RENDER("2") "plan.add_services({'u': ServiceConfig('i', files = {'/c': 'conf'})})\n", "xs"}},
     "u=i*1"},
    {"who asks for an artifact that is new asks again",
     {{RENDER("1") "plan.get_files_artifact('conf')\n", "xx"},
      {RENDER("2") "plan.get_files_artifact('conf')\n", "xx"},
      {RENDER("2") "plan.get_files_artifact('conf')\n", "ss"}},
     ""},
    {"the same files are not uploaded again",
     {{UPLOAD USER("i"), "na"}, {UPLOAD USER("i"), "ss"}},
     "u=i*1"},
    {"other files in the same place are, and their users are updated",
     {{"#1\n" UPLOAD USER("i"), "na"}, {"#22\n" UPLOAD USER("i"), "cu"}},
     "u=i*2"},
    {"the same files under another description: they are sent, and are the same",
     {{UPLOAD, "n"}, {"plan.upload_files('data.txt', 'conf', description = 'x')\n", "m"}},
     ""},
    {"what has no name is never recognised",
     {{"plan.upload_files('data.txt')\n", "n"}, {"plan.upload_files('data.txt')\n", "n"}},
     ""},
    {"a task without a name is",
     {{"t = plan.run_sh(run = 'true', store = ['/x'])\nplan.print(t.files_artifacts)\n", "xx"},
      {"t = plan.run_sh(run = 'true', store = ['/x'])\nplan.print(t.files_artifacts)\n", "ss"}},
     ""},
    {"what removes runs always, and all with it",
     {{ADD("a", "i") SAY("1") REMOVE, "axx"}, {ADD("a", "i") SAY("1") REMOVE, "axx"}},
     ""},
    {"what stops and starts runs always, and all with it",
     {{ADD("a", "i") "plan.stop_service('a')\nplan.start_service('a')\n", "axx"},
      {ADD("a", "i") "plan.stop_service('a')\nplan.start_service('a')\n", "uxx"}},
     "a=i*4"},
    {"after a removal the service is another one",
     {{ADD("a", "i"), "a"}, {ADD("a", "i") REMOVE, "ux"}, {ADD("a", "i"), "a"}},
     "a=i*1"},
    {"after a failure what was done is skipped",
     {{ADD("a", "i") EXEC("x") FAIL ADD("b", "i"), "axx!"},
      {ADD("a", "i") EXEC("x") ADD("b", "i"), "ssa"}},
     "a=i*1 b=i*1"},
    {"a failure again and again",
     {{ADD("a", "i") FAIL, "ax!"}, {ADD("a", "i") FAIL, "sx!"}, {ADD("a", "i") SAY("1"), "sx"}},
     "a=i*1"},
    {"a service that could not be started is added by the next run",
     {{ADD("a", "i") ADD("b", "refused"), "ax!"}, {ADD("a", "i") ADD("b", "i"), "sa"}},
     "a=i*1 b=i*1"},
    {"an update that fails, and then works",
     {{ADD("a", "i") SAY("1"), "ax"},
      {ADD("a", "refused") SAY("1"), "x!"},
      {ADD("a", "i") SAY("1"), "ux"}},
     "a=i*2"},
    {"force_update is never skipped",
     {{"plan.add_service('a', ServiceConfig('i'), force_update = True)\n", "a"},
      {"plan.add_service('a', ServiceConfig('i'), force_update = True)\n", "u"}},
     "a=i*2"},
    {"services that were added together are recognised by their names",
     {{PAIR("i", "i"), "x"}, {PAIR("i", "i"), "s"}, {PAIR("i", "j"), "x"}},
     "a=i*2 b=j*2"},
    {"one more of them updates the others",
     {{"plan.add_services({'a': ServiceConfig('i')})\n", "x"}, {PAIR("i", "i"), "x"}},
     "a=i*2 b=i*1"},
    {"one less is another step",
     {{PAIR("i", "i") SAY("1"), "xx"},
      {"plan.add_services({'a': ServiceConfig('i')})\n" SAY("1"), "xx"}},
     "a=i*2 b=i*1"},
    {"a service's change is done once",
     {{ADD("a", "i") SET("k"), "ax"}, {ADD("a", "i") SET("k"), "ss"}},
     "a=k*1"},
    {"another change of a service is done",
     {{ADD("a", "i") SET("k"), "ax"}, {ADD("a", "i") SET("l"), "sx"}},
     "a=l*2"},
    {"a service of an earlier run is changed", {{ADD("a", "i"), "a"}, {SET("k"), "x"}}, "a=k*2"},
    {"a change that is taken back: the service is as it is added",
     {{ADD("a", "i") SET("k"), "ax"}, {ADD("a", "i"), "u"}},
     "a=i*2"},
    {"another cluster would be another step",
     {{"plan.get_cluster_type()\n", "x"}, {"plan.get_cluster_type()\n", "s"}},
     ""},
    {"nothing at all changes nothing",
     {{ADD("a", "i"), "a"}, {"pass\n", ""}, {ADD("a", "i"), "s"}},
     "a=i*1"},
};

typedef struct {
    stage_t *stage;
    enclave_t enclave;
    run_world_t world;
} edits_t;

static int
setup(void **state)
{
    edits_t *self = calloc(1, sizeof *self);
    void *stage;
    stage_setup(&stage);
    self->stage = stage;
    run_world_core(&self->world, self->stage->core, NULL);
    enclave_init_world(&self->enclave, &self->world);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    edits_t *self = *state;
    void *stage = self->stage;
    enclave_done(&self->enclave);
    core_stop(self->stage->core);
    stage_teardown(&stage);
    free(self);
    return 0;
}

static void
put(edits_t *self, const char *name, const char *text)
{
    AUTO_FREE char *folder = str_format("%s/me/pkg", core_repositories(self->stage->core));
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    assert_int_equal(core_folder_make(folder, NULL), 0);
    support_write(path, text, strlen(text));
}

static const char *const names[] = {"a", "b", "u"}; /* of services */

/* UUIDs of those that are there; yours, NULL for others. */
static void
read_uuids(edits_t *self, char *ret_uuids[ARRAY_LEN(names)])
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(core_service) service = NULL;
        ret_uuids[i] = core_service_find(self->stage->core, names[i], &service, NULL) == 0
                           ? strdup(service->uuid)
                           : NULL;
    }
}

/* Result of one step: its letter. before: as read_uuids gave it before the run. */
static char
letter_of(const char *result, char *const before[ARRAY_LEN(names)])
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *added = str_format("Service '%s' added with service UUID", names[i]);
        if (str_starts(result, added))
            return before[i] ? 'u' : 'a';
    }
    return !str_starts(result, "Files with artifact") ? 'x'
           : strstr(result, "updated")                ? 'c'
           : strstr(result, "resolved")               ? 'm'
                                                      : 'n';
}

static char *
outcome_of(const char *said, char *const before[ARRAY_LEN(names)])
{
    str_t out = STR_EMPTY;
    bool is_store = false;
    for (const char *line = said; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        AUTO_FREE char *text = strndup(line, strcspn(line, "\n"));
        if (str_starts(text, PACKAGE) && strstr(text, "]")) {
            is_store = strstr(text, "] store_service_files: ");
            str_add_char(&out, str_ends(text, "(skipped)") ? 's' : 'x');
        }
        if (str_starts(text, "  = ") && out.data[out.len - 1] != 's' && !is_store)
            out.data[out.len - 1] = letter_of(text + 4, before);
        if (str_starts(text, "finished: false"))
            str_add_char(&out, '!');
    }
    return str_take(&out);
}

/* Runs the body as a package whose data.txt is the body's first line, if that is a comment; its
 * letters. A service that is there before and after has the same UUID. */
static char *
run(edits_t *self, const char *body, run_request_t request, str_t *ret_said)
{
    char *before[ARRAY_LEN(names)], *after[ARRAY_LEN(names)];
    AUTO_STR script = STR_EMPTY;
    str_add(&script, "def run(plan):\n");
    for (const char *line = body; *line; line = strchr(line, '\n') + 1)
        str_printf(&script, "    %.*s", (int)(strchr(line, '\n') + 1 - line), line);
    str_add(&script, "    return None\n");
    put(self, "kurtosis.yml", "name: " PACKAGE "\n");
    put(self, "main.star", script.data);
    AUTO_FREE char *first = body[0] == '#' ? strndup(body, strcspn(body, "\n")) : strdup("data");
    put(self, "data.txt", first);
    request.package_id = PACKAGE;
    read_uuids(self, before);
    AUTO_FREE char *said = transcript(&self->enclave, request, false);
    read_uuids(self, after);
    char *outcome = outcome_of(said, before);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (before[i] && after[i] && !strstr(body, "remove_service"))
            assert_string_equal(before[i], after[i]);
        free(before[i]);
        free(after[i]);
    }
    str_add(ret_said, said);
    return outcome;
}

static void
put_state(void *arg, const sim_container_t *container)
{
    str_t *out = arg;
    str_printf(out, "%s%s=%s*%u", out->len ? " " : "", container->spec->name,
               container->spec->image, container->starts);
}

static char *
state_of(edits_t *self)
{
    str_t out = STR_EMPTY;
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        found += sim_look(self->stage->sim, names[i], put_state, &out);
    if (found != sim_count(self->stage->sim))
        str_printf(&out, " and %zu more", sim_count(self->stage->sim) - found);
    return str_take(&out);
}

static bool
try(size_t i)
{
    void *state;
    setup(&state);
    edits_t *self = state;
    AUTO_STR all = STR_EMPTY;
    bool fits = true;
    for (size_t k = 0; k < RUNS_MAX && cases[i].runs[k].body; k++) {
        AUTO_STR said = STR_EMPTY;
        AUTO_FREE char *outcome = run(self, cases[i].runs[k].body, (run_request_t){0}, &said);
        fits = fits && !strcmp(outcome, cases[i].runs[k].outcome);
        str_printf(&all, "run %zu is '%s', should be '%s':\n%s", k + 1, outcome,
                   cases[i].runs[k].outcome, said.data);
    }
    AUTO_FREE char *there = state_of(self);
    if (!fits || strcmp(there, cases[i].state) != 0)
        print_error("%s: %s: there is '%s', should be '%s'\n%s\n", fits ? "state" : "steps",
                    cases[i].what, there, cases[i].state, all.data);
    fits = fits && !strcmp(there, cases[i].state);
    teardown(&state);
    return fits;
}

static void
what_a_run_does_depends_on_the_ones_before(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        failures += !try(i);
    assert_int_equal(failures, 0);
}

/* Runs and compares the letters; what it says is appended to said, if that is wanted. */
static void
expect(edits_t *self, const char *body, run_request_t request, const char *letters, str_t *said)
{
    AUTO_STR unwanted = STR_EMPTY;
    AUTO_FREE char *outcome = run(self, body, request, said ? said : &unwanted);
    assert_string_equal(outcome, letters);
}

#define NORMAL ((run_request_t){0})

static void
a_dry_run_between_changes_nothing(void **state)
{
    edits_t *self = *state;
    expect(self, ADD("a", "i") SAY("1"), NORMAL, "ax", NULL);
    expect(self, ADD("a", "j") SAY("1"), (run_request_t){.dry_run = true}, "xs", NULL);
    expect(self, ADD("a", "i") SAY("1"), NORMAL, "ss", NULL);
}

static void
without_caching_everything_runs_and_what_was_is_forgotten(void **state)
{
    edits_t *self = *state;
    expect(self, ADD("a", "i") SAY("1"), NORMAL, "ax", NULL);
    expect(self, SAY("2"), (run_request_t){.no_caching = true}, "x", NULL);
    expect(self, ADD("a", "i") SAY("1"), NORMAL, "ux", NULL);
}

static void
side_by_side_or_one_after_the_other_is_the_same_to_later_runs(void **state)
{
    edits_t *self = *state;
    const run_request_t parallel = {.parallel = true};
    AUTO_STR said = STR_EMPTY;
    AUTO_FREE char *first = run(self, ADD("a", "i") ADD("b", "i") EXEC("x"), parallel, &said);
    assert_non_null(strstr(said.data, "finished: true"));
    assert_int_equal(strlen(first), 3);
    expect(self, ADD("a", "i") ADD("b", "i") EXEC("x") SAY("1"), NORMAL, "sssx", NULL);
    expect(self, ADD("a", "i") ADD("b", "i") EXEC("x") SAY("1"), parallel, "ssss", NULL);
}

static void
values_are_there_after_a_restart(void **state)
{
    edits_t *self = *state;
    AUTO_STR said = STR_EMPTY;
    expect(self, ADD("a", "i") EXEC("said") STORE, NORMAL, "axx", NULL);
    enclave_done(&self->enclave);
    core_stop(self->stage->core);
    stage_close(self->stage);
    stage_open(self->stage, NULL, NULL);
    run_world_core(&self->world, self->stage->core, NULL);
    enclave_init_world(&self->enclave, &self->world);
    expect(self, ADD("a", "i") EXEC("said") STORE SAY("r['output'] + 'at'"), NORMAL, "sssx", &said);
    assert_non_null(strstr(said.data, "  = said\nat\n"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_run_does_depends_on_the_ones_before),
        T(a_dry_run_between_changes_nothing),
        T(without_caching_everything_runs_and_what_was_is_forgotten),
        T(side_by_side_or_one_after_the_other_is_the_same_to_later_runs),
        T(values_are_there_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
