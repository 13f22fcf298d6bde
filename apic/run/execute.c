/*  execute: the third phase: step by step. A step is recorded when it is done, so that a run that
 * is cut off goes on where it was. */
#include "apic/run/phases.h"
#include "apic/run/recorder.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

static const char skipped[] = "SKIPPED - This instruction has already been run in this enclave";

/* Says why step number has failed. */
static void
say_failure(const run_lines_t *lines, const plan_step_t *step, size_t number, err_t **err_p)
{
    AUTO_FREE char *place = plan_step_place(step);
    err_wrap(err_p, "An error occurred executing instruction (number %zu) at %s:\n%s", number,
             place, step->text);
    AUTO_FREE char *text = err_lines(*err_p);
    run_lines_error(lines, RUN_EXECUTION, text);
    err_destroy(err_p);
}

int
run_step(plan_exec_t *exec, const plan_step_t *step, const char *id, const run_lines_t *lines,
         int64_t *ret_duration, err_t **err)
{
    AUTO_STR result = STR_EMPTY;
    const int64_t start = clock_ns();
    *ret_duration = 0;
    run_lines_instruction(lines, step, id);
    if (step->is_skipped) {
        str_add(&result, skipped);
    } else {
        if (exec->stopped(exec->arg))
            return err_fail(err, ERR_CANCELLED, "the run was stopped before it");
        if (step->kind->execute(step, exec, &result, err) < 0)
            return -1;
        *ret_duration = clock_ns() - start;
    }
    run_lines_result(lines, &result, *ret_duration, id);
    return 0;
}

int
run_execute(const run_enclave_t *self, const run_request_t *request, const run_plan_t *plan,
            const run_lines_t *lines, int64_t *ret_duration)
{
    plan_exec_t exec = {
        .world = self->world,
        .store = self->store,
        .parallelism = request->parallelism,
        .non_blocking = request->non_blocking,
        .stopped = self->stopped,
        .sleep = self->sleep,
        .arg = self->arg,
    };
    run_recorder_t recorder;
    bool leading = true; /* the first skipped ones are recorded already */
    int rc = 0;
    *ret_duration = 0;
    run_recorder_init(&recorder, self->world, plan);
    for (size_t i = 0; rc == 0 && i < plan->n_steps; i++) {
        const plan_step_t *step = plan->steps[i];
        AUTO(err) err = NULL;
        int64_t duration;
        run_lines_progress(lines, (const char *const[]){"Execution in progress", NULL}, i + 1,
                           plan->n_steps, NULL);
        if (request->dry_run) {
            run_lines_instruction(lines, step, NULL);
            continue;
        }
        leading &= step->is_skipped;
        rc = run_step(&exec, step, NULL, lines, &duration, &err);
        if (rc == 0 && !leading)
            rc = run_recorder_add(&recorder, i, &err);
        if (rc < 0)
            say_failure(lines, step, i + 1, &err);
        *ret_duration += duration;
    }
    AUTO(err) err = NULL;
    if (run_recorder_done(&recorder, &err) < 0 && rc == 0) {
        AUTO_FREE char *text = err_lines(err);
        run_lines_error(lines, RUN_EXECUTION, text);
        rc = -1;
    }
    return rc;
}
