/*  edits: what earlier runs did in the enclave, and which steps of a new run that makes
 * unnecessary.
 *
 *  The enclave plan is the list of steps that have been done. A new plan is laid over its tail:
 * where a step of the new plan equals the one that lies below, it is skipped and its old value is
 * used; where it is a change of it, it is done; where it has nothing to do with it, the plans do
 * not fit and another place is tried. When none fits everything is done.
 */
#ifndef KURTOSIS_APIC_RUN_EDITS_H
#define KURTOSIS_APIC_RUN_EDITS_H

#include "apic/run/interpret.h"

/* One step that was done. */
typedef struct {
    size_t position; /* rises from step to step */
    char *uuid, *type, *text, *returned;
    char **services; /* NULL-terminated */
    plan_artifact_t *artifacts;
    size_t n_artifacts;
} run_past_t;

typedef struct run_edits {
    run_past_t *past;
    size_t n_past;
} run_edits_t;

/* Reads the enclave plan. *ret_edits is yours. */
int run_edits_load(const run_world_t *world, run_edits_t **ret_edits, err_t **err);
void run_edits_destroy(run_edits_t **self_p);
AUTO_FOR(run_edits)

/* Interprets, as often as need be, and lays the plan over the past. use_past false: everything is
 * done, and the past is forgotten. */
int run_edits_plan(const run_edits_t *self, const run_interpreter_t *interpreter,
                   const run_program_t *program, bool use_past, run_plan_t **ret_plan, err_t **err);

/* Before execution: forgets what comes after plan->first, and records the leading skipped steps. */
int run_edits_begin(const run_world_t *world, const run_plan_t *plan, err_t **err);
/* These steps of the plan (by index) have been done; all or nothing. */
int run_edits_done(const run_world_t *world, const run_plan_t *plan, const size_t *indexes,
                   size_t count, err_t **err);

#endif
