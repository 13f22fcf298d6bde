/*  interpret: the first phase: a script becomes a plan. Starts and ends an interpreter of its own.
 */
#ifndef KURTOSIS_APIC_RUN_INTERPRET_H
#define KURTOSIS_APIC_RUN_INTERPRET_H

#include "apic/packages/resolve.h"
#include "apic/plan/plan.h"

#define RUN_MEMORY_MAX ((size_t)1 << 30) /* bytes an interpretation may hold */
#define RUN_MAIN "run"                   /* main function, unless the client says */

/* What is to be run. All lent. */
typedef struct {
    packages_t packages;
    const char *file; /* locator of the main file, or PACKAGES_SCRIPT */
    const char *text; /* of the main file */
    size_t size;
    const char *main_function; /* "" means RUN_MAIN */
    const char *params;        /* JSON object; "" means none */
    bool is_script;
    bool allow_privileged;
} run_program_t;

/* A plan: the steps in order, and what the main function returned. */
typedef struct run_plan {
    plan_step_t **steps;
    size_t n_steps;
    char *output;   /* JSON, "" for none; may hold references */
    char **modules; /* locators of all files that were imported; NULL-terminated */
    size_t first;   /* where the first step goes in the enclave plan; what lies before stays */
} run_plan_t;
void run_plan_destroy(run_plan_t **self_p);
AUTO_FOR(run_plan)

/* What an interpretation needs of the run. */
typedef struct {
    const run_world_t *world;
    run_store_t *store;
    void (*warn)(void *arg, const char *text);
    /* The interpreter that works now; NULL when it has ended. For star_cancel. */
    void (*running)(void *arg, star_t *star);
    /* A step was called: may take the value of an earlier run (is_skipped). NULL: never. */
    int (*resolve)(void *arg, star_t *star, plan_step_t *step, size_t index, star_value_t *value,
                   err_t **err);
    void *arg;
} run_interpreter_t;

/* *ret_plan is yours. On failure the error has one link with the whole text, frames included. */
int run_interpret(const run_interpreter_t *self, const run_program_t *program,
                  run_plan_t **ret_plan, err_t **err);

/* ------------------------------------------------------------------------------- for siblings only
 */

/* One interpretation under way. Its plan_scope_t comes first, for it is the `user` of the
 * interpreter. */
typedef struct {
    plan_scope_t scope;
    const run_interpreter_t *run;
    const run_program_t *program;
    star_value_t env;  /* predeclared names; pinned */
    run_map_t modules; /* locator -> run_module_t */
    run_plan_t *plan;
} run_interpretation_t;

/* An imported file. */
typedef struct {
    enum { RUN_MODULE_LOADING, RUN_MODULE_READY, RUN_MODULE_FAILED } state;
    star_value_t value; /* pinned */
    char *error;
} run_module_t;

/* predeclared.c: the dict of names that every file sees. */
star_value_t run_predeclared(run_interpretation_t *self);
void run_module_free(void *value);
/* main_call.c: finds and calls the main function; its result as JSON. Absent-like -1: the error is
 * in err, or in the interpreter (then err stays NULL). */
int run_main_call(run_interpretation_t *self, star_value_t module, char **ret_output, err_t **err);
/* error_text.c: the interpreter's last error in the form that users see; yours. */
char *run_error_text(star_t *star);

#endif
