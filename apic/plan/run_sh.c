/*  run_sh: runs a shell script in a container of its own. */
#include "apic/plan/outline.h"

#include "apic/run/reference.h"

#include <string.h>

#define DESCRIPTION_MAX 80 /* bytes of a script that is shown in the description */

enum {
    NAME,
    RUN,
    IMAGE,
    FILES,
    STORE,
    ENV,
    WAIT,
    CODES,
    SKIP,
    SELECTORS,
    TOLERATIONS,
    PRIVILEGED,
    HOST_PID,
    BIND_MOUNTS
};
static const types_field_t fields[] = {
    {"name", .want = TYPES_STRING},
    {"run", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    {"image", TYPES_ANY, .flags = TYPES_SHOWN, .fallback = "badouralix/curl-jq"},
    {"files", TYPES_DICT, .flags = TYPES_SHOWN},
    {"store", TYPES_LIST, .flags = TYPES_SHOWN},
    {"env_vars", TYPES_DICT, .check = types_check_pairs, .flags = TYPES_SHOWN},
    {"wait", TYPES_STRING | TYPES_NONE, .check = types_check_duration_or_none, .flags = TYPES_SHOWN,
     .fallback = "180s"},
    PLAN_CODES_FIELDS,
    {"node_selectors", TYPES_DICT, .check = types_check_pairs, .flags = TYPES_SHOWN},
    {"tolerations", TYPES_LIST, .flags = TYPES_SHOWN},
    {"privileged", .want = TYPES_BOOL},
    {"host_pid_namespace", .want = TYPES_BOOL},
    {"bind_mounts", TYPES_DICT, .check = types_check_pairs},
};

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    const plan_task_args_t args = {
        .name = values[NAME],
        .run = values[RUN],
        .image = values[IMAGE],
        .files = values[FILES],
        .store = values[STORE],
        .env = values[ENV],
        .wait = values[WAIT],
        .codes = values[CODES],
        .skip = values[SKIP],
        .tolerations = values[TOLERATIONS],
        .privileged = values[PRIVILEGED],
        .host_pid = values[HOST_PID],
        .bind_mounts = values[BIND_MOUNTS],
        .default_image = fields[IMAGE].fallback,
    };
    return plan_task_interpret(scope, step, step->data, &args, ret, err);
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    return plan_task_validate(step->data, env, err);
}

static int
run(const plan_task_t *task, plan_exec_t *exec, str_t *result, err_t **err)
{
    AUTO_FREE char *text = NULL;
    if (plan_task_start(task, exec, err) < 0 ||
        run_reference_replace_text(exec->store, task->run, &text, err) < 0)
        return -1;
    return plan_task_run(task, exec, text, "Run sh", result, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const plan_task_t *task = step->data;
    return plan_task_end(task, exec, run(task, exec, result, err), err);
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const plan_task_t *task = step->data;
    str_add(out, "Running sh script");
    if (strlen(task->run) < DESCRIPTION_MAX)
        str_printf(out, ": `%s`", task->run);
}

static void
done(void *self)
{
    plan_task_done(self);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const plan_task_t *task = step->data;
    plan_outline_task(to, step,
                      &(plan_outline_task_t){
                          .type = "sh",
                          .uuid = task->uuid,
                          .command = (const char *const *)&task->run,
                          .n_command = 1,
                          .config = task->config,
                          .stores = task->stores,
                          .n_stores = task->n_stores,
                      });
}

const plan_kind_t plan_run_sh = {
    PLAN_TABLE("run_sh", fields),
    .brief = "%D",
    .outline = outline,
    .again = PLAN_AGAIN_EQUAL,
    .data_size = sizeof(plan_task_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
