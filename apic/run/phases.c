/*  phases: the order of a run. */
#include "apic/run/phases.h"

#include "apic/run/reference.h"
#include "apic/run/replaces.h"

#include <stdlib.h>
#include <string.h>

#define STAR_TEXT "\xe2\xad\x90 us on GitHub - https://github.com/kurtosis-tech/kurtosis"

/* What one run collects. */
typedef struct {
    const run_enclave_t *enclave;
    const run_request_t *request;
    const run_lines_t *lines;
    run_map_t warnings; /* text -> anything; each once */
} work_t;

static void enter(const run_enclave_t *self, const run_lines_t *lines);
static run_outcome_t run(work_t *self, const run_program_t *program);

run_outcome_t
run_phases(const run_enclave_t *self, const run_request_t *request, const run_lines_t *lines)
{
    AUTO(err) err = NULL;
    run_setup_t ready = {.text = STR_EMPTY};
    work_t work = {.enclave = self, .request = request, .lines = lines};

    if (run_setup(self, request, &ready, &err) < 0) {
        AUTO_FREE char *text = types_err_text(err);
        run_lines_error(lines, RUN_INTERPRETATION, text);
        run_setup_done(&ready);
        return RUN_REFUSED;
    }
    work.warnings = ready.warnings;
    ready.warnings = (run_map_t){0};
    run_lines_progress(
        lines, (const char *const[]){"Interpreting plan - execution will begin shortly", NULL}, 0,
        0, "interpretation");
    if (!request->dry_run)
        enter(self, lines);
    const run_outcome_t outcome = run(&work, &ready.program);
    if (!request->dry_run)
        pthread_mutex_unlock(self->lock);

    const char *warning;
    void *any;
    for (size_t cursor = 0; run_map_next(&work.warnings, &cursor, &warning, &any);)
        run_lines_warning(lines, warning);
    run_lines_info(lines, STAR_TEXT);
    run_map_done(&work.warnings, NULL);
    run_setup_done(&ready);
    return outcome;
}

/* One after the other: what earlier runs did must not change under a run. */
static void
enter(const run_enclave_t *self, const run_lines_t *lines)
{
    if (pthread_mutex_trylock(self->lock) != 0) {
        AUTO_FREE char *text =
            str_format("Another run is under way in this enclave: this one begins when it has "
                       "ended. 'kurtosis enclave attach %.12s' shows what it does",
                       self->world->enclave_uuid);
        run_lines_info(lines, text);
        pthread_mutex_lock(self->lock);
    }
    if (self->entered)
        self->entered(self->arg);
}

static void
warn(void *arg, const char *text)
{
    work_t *self = arg;
    run_map_put(&self->warnings, text, self);
}

static void
running(void *arg, star_t *star)
{
    const work_t *self = arg;
    self->enclave->running(self->enclave->arg, star);
}

static int
interpret(work_t *self, const run_program_t *program, run_plan_t **ret_plan, err_t **err)
{
    AUTO(run_edits) edits = NULL;
    const run_interpreter_t interpreter = {
        .world = self->enclave->world,
        .store = self->enclave->store,
        .warn = warn,
        .running = running,
        .arg = self,
    };
    const run_request_t *request = self->request;
    if (request->package_id && !request->no_caching &&
        run_replaces_apply(self->enclave, request, &program->packages, err) < 0)
        return -1;
    if (run_edits_load(self->enclave->world, &edits, err) < 0)
        return -1;
    return run_edits_plan(edits, &interpreter, program, !request->no_caching, ret_plan, err);
}

/* The output with its references replaced. */
static int
finish(const work_t *self, const run_plan_t *plan, str_t *output, err_t **err)
{
    if (run_reference_replace_json(self->enclave->store, plan->output, strlen(plan->output), output,
                                   err) == 0)
        return 0;
    err_wrap(err, "An error occurred while replacing the runtime values in the output of the "
                  "script");
    AUTO_FREE char *text = err_lines(*err);
    run_lines_error(self->lines, RUN_EXECUTION, text);
    return -1;
}

/* The containers of tasks whose run was cut off. What cannot be removed now is tried again by the next run. */
static void
remove_left_tasks(const run_enclave_t *enclave)
{
    const run_world_t *world = enclave->world;
    char **names = run_store_tasks(enclave->store);
    for (char **name = names; *name; name++) {
        AUTO(err) err = NULL;
        if (world->service_remove(world->self, *name, NULL, &err) == 0 ||
            err_code(err) == ERR_NOT_FOUND)
            run_store_task_end(enclave->store, *name, NULL);
    }
    types_texts_free(names);
}

static run_outcome_t
run(work_t *self, const run_program_t *program)
{
    const run_lines_t *lines = self->lines;
    AUTO(run_plan) plan = NULL;
    AUTO(err) err = NULL;
    AUTO_STR output = STR_EMPTY;
    int64_t duration = 0;

    if (!self->request->dry_run)
        remove_left_tasks(self->enclave);
    if (interpret(self, program, &plan, &err) < 0) {
        AUTO_FREE char *text = types_err_text(err);
        run_lines_error(lines, RUN_INTERPRETATION, text);
        run_lines_finished(lines, false, NULL, 0);
        return RUN_FAILED;
    }
    if (run_validate(self->enclave, self->request, plan, lines) < 0) {
        run_lines_finished(lines, false, NULL, 0);
        return RUN_FAILED;
    }
    run_lines_progress(lines, (const char *const[]){"Starting execution", NULL}, 0, plan->n_steps,
                       "execution");
    if (!self->request->dry_run && run_edits_begin(self->enclave->world, plan, &err) < 0) {
        AUTO_FREE char *text = err_lines(err);
        run_lines_error(lines, RUN_EXECUTION, text);
        run_lines_finished(lines, false, NULL, 0);
        return RUN_FAILED;
    }
    const bool is_parallel = self->request->parallel && !self->request->dry_run;
    if ((is_parallel ? run_execute_parallel : run_execute)(self->enclave, self->request, plan,
                                                           lines, &duration) < 0 ||
        (!self->request->dry_run && finish(self, plan, &output, &err) < 0)) {
        run_lines_finished(lines, false, NULL, duration);
        return RUN_FAILED;
    }
    if (self->request->dry_run)
        return RUN_DRY;
    run_lines_finished(lines, true, output.data, duration);
    return RUN_SUCCEEDED;
}
