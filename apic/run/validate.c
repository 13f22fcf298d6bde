/*  validate: the second phase: is every step possible, and are all images there? Nothing has been
 * started yet. */
#include "apic/run/phases.h"

#include <stdlib.h>
#include <string.h>

static bool validate_steps(const run_plan_t *plan, plan_env_t *env, const run_lines_t *lines);

static void
say(const run_lines_t *lines, err_t **err_p)
{
    AUTO_FREE char *text = types_err_text(*err_p);
    run_lines_error(lines, RUN_VALIDATION, text);
    err_destroy(err_p);
}

int
run_validate(const run_enclave_t *self, const run_request_t *request, const run_plan_t *plan,
             const run_lines_t *lines)
{
    AUTO(err) err = NULL;
    run_resources_t resources = {0};
    plan_env_t env;

    run_lines_progress(lines, (const char *const[]){"Starting validation", NULL}, 0, plan->n_steps,
                       "validation");
    /* measuring costs the driver a question per container: only where it matters */
    bool matters = false;
    for (size_t i = 0; i < plan->n_steps; i++)
        matters |= plan->steps[i]->needs_resources && !plan->steps[i]->is_skipped;
    matters &= request->check_resources;
    if (self->world->resources(self->world->self, matters, &resources, &err) < 0) {
        err_wrap(&err, "Couldn't create validator environment as we ran into errors fetching "
                       "information about available cpu & memory");
        say(lines, &err);
        return -1;
    }
    resources.complete &= matters;
    if (plan_env_init(&env, self->world, &resources, &err) < 0) {
        err_wrap(&err, "Couldn't create validator environment as we ran into errors fetching "
                       "existing services and ports");
        say(lines, &err);
        free(resources.architecture);
        return -1;
    }
    int rc = validate_steps(plan, &env, lines) ? 0 : -1;
    if (rc == 0)
        rc = run_images(self, request, &env, resources.architecture, lines);
    plan_env_done(&env);
    free(resources.architecture);
    return rc;
}

static bool
validate_steps(const run_plan_t *plan, plan_env_t *env, const run_lines_t *lines)
{
    bool all_fine = true;
    for (size_t i = 0; i < plan->n_steps; i++) {
        const plan_step_t *step = plan->steps[i];
        AUTO(err) err = NULL;
        if (step->is_skipped || !step->kind->validate || step->kind->validate(step, env, &err) == 0)
            continue;
        AUTO_FREE char *place = plan_step_place(step);
        err_wrap(&err, "Error while validating instruction %s. The instruction can be found at %s",
                 step->text, place);
        say(lines, &err);
        all_fine = false;
    }
    return all_fine;
}
