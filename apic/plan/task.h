/*  task: what run_sh and run_python have in common: a container of its own in which one command
 * runs. */
#ifndef KURTOSIS_APIC_PLAN_TASK_H
#define KURTOSIS_APIC_PLAN_TASK_H

#include "apic/plan/kinds.h"

/* A path that is kept when the command has ended. */
typedef struct {
    char *src, *name;
} plan_task_store_t;

typedef struct {
    const char *kind; /* "run_sh" */
    char *name;       /* of the container */
    bool is_taken;    /* a service that a script added has the name */
    char *run;        /* as written */
    types_service_config_t *config;
    plan_task_store_t *stores;
    size_t n_stores;
    int64_t wait_ns; /* < 0: no limit */
    plan_codes_t codes;
    char uuid[UUID_LEN + 1]; /* of its references */
} plan_task_t;

/* The arguments, absent where the instruction has none of the kind. */
typedef struct {
    star_value_t name, run, image, files, store, env, wait, codes, skip, tolerations, privileged,
        host_pid, bind_mounts;
    const char *default_image;
} plan_task_args_t;

int plan_task_interpret(plan_scope_t *scope, plan_step_t *step, plan_task_t *task,
                        const plan_task_args_t *args, star_value_t *ret, err_t **err);
int plan_task_validate(const plan_task_t *task, plan_env_t *env, err_t **err);
/* Starts the container. */
int plan_task_start(const plan_task_t *task, plan_exec_t *exec, err_t **err);
/* Runs the shell text in it, keeps output and code, checks the code, stores the files, removes the
 * container. label: "Run sh", at the head of messages. */
int plan_task_run(const plan_task_t *task, plan_exec_t *exec, const char *text, const char *label,
                  str_t *result, err_t **err);
/* After a task that was started, or was to be: rc is how that went, and comes back. A container that is left then stays,
 * for a look at it; one whose task was called off goes when the next run begins. */
int plan_task_end(const plan_task_t *task, plan_exec_t *exec, int rc, err_t **err);
void plan_task_done(plan_task_t *task);

#endif
