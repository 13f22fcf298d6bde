/*  edits: lays a plan over what earlier runs did. The table `again` of plan.h says by which rule
 * each instruction is recognised; here are the rules. */
#include "apic/run/edits.h"

#include <stdlib.h>
#include <string.h>

typedef enum { UNKNOWN, EQUAL, UPDATE, ABORT } verdict_t;

/* One attempt: the new plan over past[from..]. */
typedef struct {
    const run_edits_t *edits;
    const run_interpreter_t *inner;
    size_t from;
    bool is_valid;
    run_map_t changed; /* services and artifacts that this run changes */
} attempt_t;

static verdict_t judge(const plan_step_t *step, const char *text, const run_past_t *past,
                       run_map_t *changed);
static int on_step(void *arg, star_t *star, plan_step_t *step, size_t index, star_value_t *value,
                   err_t **err);

static void
forward_warn(void *arg, const char *text)
{
    const attempt_t *attempt = arg;
    attempt->inner->warn(attempt->inner->arg, text);
}

static void
forward_running(void *arg, star_t *star)
{
    const attempt_t *attempt = arg;
    attempt->inner->running(attempt->inner->arg, star);
}

/* Interprets over past[from..]; *ret_plan stays NULL when the plans do not fit. */
static int
try_at(const run_edits_t *self, const run_interpreter_t *interpreter, const run_program_t *program,
       size_t from, run_plan_t **ret_plan)
{
    attempt_t attempt = {.edits = self, .inner = interpreter, .from = from, .is_valid = true};
    run_interpreter_t inner = *interpreter;
    AUTO(run_plan) plan = NULL;
    inner.arg = &attempt;
    inner.resolve = on_step;
    inner.warn = interpreter->warn ? forward_warn : NULL;
    inner.running = interpreter->running ? forward_running : NULL;
    const int rc = run_interpret(&inner, program, &plan, NULL);
    run_map_done(&attempt.changed, NULL);
    if (rc == 0 && attempt.is_valid) {
        plan->first = self->past[from].position;
        *ret_plan = TAKE(plan);
    }
    return rc;
}

int
run_edits_plan(const run_edits_t *self, const run_interpreter_t *interpreter,
               const run_program_t *program, bool use_past, run_plan_t **ret_plan, err_t **err)
{
    AUTO(run_plan) plan = NULL;
    if (run_interpret(interpreter, program, &plan, err) < 0)
        return -1;
    plan->first = use_past && self->n_past ? self->past[self->n_past - 1].position + 1 : 0;
    if (!use_past || !plan->n_steps) {
        *ret_plan = TAKE(plan);
        return 0;
    }
    const size_t n = plan->n_steps;
    for (size_t m = self->n_past > n ? self->n_past - n : 0; m < self->n_past; m++) {
        run_map_t changed = {0};
        const verdict_t verdict =
            judge(plan->steps[0], plan->steps[0]->text, &self->past[m], &changed);
        run_map_done(&changed, NULL);
        if (verdict != EQUAL && verdict != UPDATE)
            continue;
        AUTO(run_plan) fitted = NULL;
        try_at(self, interpreter, program, m, &fitted);
        if (fitted) {
            *ret_plan = TAKE(fitted);
            return 0;
        }
    }
    *ret_plan = TAKE(plan);
    return 0;
}

static int
on_step(void *arg, star_t *star, plan_step_t *step, size_t index, star_value_t *value, err_t **err)
{
    attempt_t *attempt = arg;
    const size_t slot = attempt->from + index;
    const run_past_t *past = slot < attempt->edits->n_past ? &attempt->edits->past[slot] : NULL;
    AUTO_FREE char *text = plan_step_text(step, star);
    const verdict_t verdict = judge(step, text, past, &attempt->changed);
    if (verdict == ABORT || (verdict == UNKNOWN && past))
        attempt->is_valid = false;
    if (verdict != EQUAL)
        return 0;
    star_value_t old = types_text_value(star, past->returned, strlen(past->returned));
    if (!star_ok(old))
        return err_fail(err, ERR_INVALID, "the value of an earlier run cannot be read back");
    *value = old;
    memcpy(step->uuid, past->uuid, sizeof(step->uuid));
    step->is_skipped = true;
    return 0;
}

/* ---------------------------------------------------------------------------------------- rules */

static bool
uses_changed(const plan_step_t *step, const run_map_t *changed)
{
    for (size_t i = 0; i < step->n_uses; i++)
        if (run_map_get(changed, step->uses[i]))
            return true;
    return false;
}

static bool
service_among(const char *name, char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

static bool
same_artifacts(const plan_step_t *step, const run_past_t *past, bool with_content)
{
    if (step->n_artifacts != past->n_artifacts)
        return false;
    for (size_t i = 0; i < step->n_artifacts; i++)
        if (strcmp(step->artifacts[i].name, past->artifacts[i].name) != 0 ||
            (with_content && strcmp(step->artifacts[i].md5, past->artifacts[i].md5) != 0))
            return false;
    return true;
}

static verdict_t
judge_service(const plan_step_t *step, bool same_type, bool equal, const run_past_t *past,
              const run_map_t *changed)
{
    if (!same_type || !past->services[0] || past->services[1] ||
        strcmp(past->services[0], step->services[0]) != 0)
        return UNKNOWN;
    return step->is_forced || !equal || uses_changed(step, changed) ? UPDATE : EQUAL;
}

/* What artifacts hold does not count here. */
static verdict_t
judge_services(const plan_step_t *step, bool same_type, bool equal, const run_past_t *past)
{
    if (step->is_forced)
        return UPDATE;
    if (equal)
        return EQUAL;
    if (!same_type)
        return UNKNOWN;
    for (char **name = past->services; *name; name++)
        if (!service_among(*name, step->services))
            return UNKNOWN;
    return UPDATE;
}

/* past NULL: there is nothing below. */
static verdict_t
judge_rule(const plan_step_t *step, const char *text, const run_past_t *past,
           const run_map_t *changed)
{
    if (step->kind->again == PLAN_AGAIN_NEVER)
        return ABORT;
    if (!past)
        return UNKNOWN;
    const bool same_type = !strcmp(step->kind->table.name, past->type);
    const bool equal = same_type && !strcmp(text, past->text);
    switch (step->kind->again) {
    case PLAN_AGAIN_EQUAL:
        return equal ? EQUAL : UNKNOWN;
    case PLAN_AGAIN_USER:
        return !equal ? UNKNOWN : uses_changed(step, changed) ? UPDATE : EQUAL;
    case PLAN_AGAIN_SERVICE:
        return judge_service(step, same_type, equal, past, changed);
    case PLAN_AGAIN_SERVICES:
        return judge_services(step, same_type, equal, past);
    case PLAN_AGAIN_ARTIFACT:
    case PLAN_AGAIN_CONTENT:
    case PLAN_AGAIN_STORE:
        if (!same_type || !same_artifacts(step, past, false))
            return UNKNOWN;
        if (!equal || uses_changed(step, changed))
            return UPDATE;
        return step->kind->again != PLAN_AGAIN_CONTENT || same_artifacts(step, past, true) ? EQUAL
                                                                                           : UPDATE;
    case PLAN_AGAIN_OVERRIDE:
        return equal && !run_map_get(changed, step->services[0]) ? EQUAL : UPDATE;
    case PLAN_AGAIN_NEVER:
        break;
    }
    return UNKNOWN;
}

static verdict_t
judge(const plan_step_t *step, const char *text, const run_past_t *past, run_map_t *changed)
{
    const verdict_t verdict = judge_rule(step, text, past, changed);
    if (verdict == UPDATE) {
        for (size_t i = 0; i < step->n_services; i++)
            run_map_put(changed, step->services[i], changed);
        for (size_t i = 0; i < step->n_artifacts; i++)
            run_map_put(changed, step->artifacts[i].name, changed);
    }
    return verdict;
}

void
run_edits_destroy(run_edits_t **self_p)
{
    run_edits_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->n_past; i++) {
        run_past_t *past = &self->past[i];
        free(past->uuid);
        free(past->type);
        free(past->text);
        free(past->returned);
        types_texts_free(past->services);
        for (size_t k = 0; k < past->n_artifacts; k++) {
            free(past->artifacts[k].name);
            free(past->artifacts[k].md5);
        }
        free(past->artifacts);
    }
    free(self->past);
    free(self);
    *self_p = NULL;
}
