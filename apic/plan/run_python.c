/*  run_python: runs a Python script in a container of its own. */
#include "apic/plan/outline.h"

#include "apic/run/reference.h"

#include <string.h>

enum { NAME, RUN, ARGS, PACKAGES, IMAGE, FILES, STORE, WAIT, CODES, SKIP, SELECTORS, TOLERATIONS };
static const types_field_t fields[] = {
    {"name", .want = TYPES_STRING},
    {"run", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    {"args", TYPES_LIST, .flags = TYPES_SHOWN},
    {"packages", TYPES_LIST, .flags = TYPES_SHOWN},
    {"image", TYPES_ANY, .flags = TYPES_SHOWN, .fallback = "python:3.11-alpine"},
    {"files", TYPES_DICT, .flags = TYPES_SHOWN},
    {"store", TYPES_LIST, .flags = TYPES_SHOWN},
    {"wait", TYPES_STRING | TYPES_NONE, .check = types_check_duration_or_none, .flags = TYPES_SHOWN,
     .fallback = "180s"},
    PLAN_CODES_FIELDS,
    {"node_selectors", TYPES_DICT, .check = types_check_pairs, .flags = TYPES_SHOWN},
    {"tolerations", TYPES_LIST, .flags = TYPES_SHOWN},
};

typedef struct {
    plan_task_t task;
    char **args, **packages;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    const plan_task_args_t args = {
        .name = values[NAME],
        .run = values[RUN],
        .image = values[IMAGE],
        .files = values[FILES],
        .store = values[STORE],
        .wait = values[WAIT],
        .codes = values[CODES],
        .skip = values[SKIP],
        .tolerations = values[TOLERATIONS],
        .default_image = fields[IMAGE].fallback,
    };
    if (types_cast_texts(scope->star, values[ARGS], "args", &data->args, NULL) < 0)
        return err_fail(err, ERR_INVALID,
                        "error occurred while converting Starlark list of passed arguments to a "
                        "golang string slice");
    if (types_cast_texts(scope->star, values[PACKAGES], "packages", &data->packages, NULL) < 0)
        return err_fail(err, ERR_INVALID,
                        "error occurred while converting Starlark list of packages to a golang "
                        "string slice");
    return plan_task_interpret(scope, step, &data->task, &args, ret, err);
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    return plan_task_validate(&((const data_t *)step->data)->task, env, err);
}

static int
install(const data_t *data, plan_exec_t *exec, err_t **err)
{
    AUTO_STR command = STR_EMPTY, output = STR_EMPTY;
    int code = 0;
    str_add(&command, "pip install bash");
    for (char **package = data->packages; *package; package++)
        str_printf(&command, " %s", *package);
    char *argv[] = {"/bin/sh", "-c", command.data, NULL};
    if (exec->world->service_exec(exec->world->self, data->task.name, argv, -1, &code, &output,
                                  err) < 0)
        return err_wrap(err, "an error occurred while installing dependencies");
    return code == 0 ? 0
                     : err_fail(err, ERR_STATE,
                                "an error occurred while installing dependencies as pip exited "
                                "with code '%d' instead of '0'. The error was:\n%s",
                                code, output.data);
}

/* python -u -c "SCRIPT" ARGS, where only the quotes of the script are escaped. */
static int
command_of(const data_t *data, plan_exec_t *exec, str_t *out, err_t **err)
{
    str_add(out, "python -u -c \"");
    for (const char *at = data->task.run; *at; at++) {
        if (*at == '"')
            str_add_char(out, '\\');
        str_add_char(out, *at);
    }
    str_add_char(out, '"');
    for (char **arg = data->args; *arg; arg++) {
        str_add_char(out, ' ');
        if (run_reference_replace(exec->store, *arg, strlen(*arg), out, err) < 0)
            return -1;
    }
    return 0;
}

static int
run(const data_t *data, plan_exec_t *exec, str_t *result, err_t **err)
{
    AUTO_STR command = STR_EMPTY;
    if (plan_task_start(&data->task, exec, err) < 0 || install(data, exec, err) < 0 ||
        command_of(data, exec, &command, err) < 0)
        return -1;
    return plan_task_run(&data->task, exec, command.data, "Run python", result, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    return plan_task_end(&data->task, exec, run(data, exec, result, err), err);
}

static void
describe(const plan_step_t *step, str_t *out)
{
    (void)step;
    str_add(out, "Running Python script");
}

static void
done(void *self)
{
    data_t *data = self;
    plan_task_done(&data->task);
    types_texts_free(data->args);
    types_texts_free(data->packages);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
    plan_outline_task(to, step,
                      &(plan_outline_task_t){
                          .type = "python",
                          .uuid = data->task.uuid,
                          .command = (const char *const *)&data->task.run,
                          .n_command = 1,
                          .config = data->task.config,
                          .stores = data->task.stores,
                          .n_stores = data->task.n_stores,
                          .packages = data->packages,
                          .args = data->args,
                      });
}

const plan_kind_t plan_run_python = {
    PLAN_TABLE("run_python", fields),
    .brief = "%D",
    .outline = outline,
    .again = PLAN_AGAIN_EQUAL,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
