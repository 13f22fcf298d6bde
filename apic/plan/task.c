/*  task: a container in which one command runs. */
#include "apic/plan/task.h"

#include "apic/run/reference.h"
#include "base/duration.h"

#include <stdlib.h>
#include <string.h>

#define TASK_WAIT "180s"
#define TASK_LOG "/tmp/kurtosis-task.log"

static const int64_t accepted[] = {0};

static int cast_config(plan_scope_t *scope, plan_step_t *step, plan_task_t *task,
                       const plan_task_args_t *args, err_t **err);
static int cast_stores(plan_scope_t *scope, plan_task_t *task, star_value_t list, err_t **err);
static star_value_t result_new(plan_scope_t *scope, const plan_task_t *task);

/* "task-" and a UUID with hyphens. */
static char *
task_name(void)
{
    char uuid[UUID_LEN + 1];
    uuid_new(uuid);
    return str_format("task-%.8s-%.4s-%.4s-%.4s-%.12s", uuid, uuid + 8, uuid + 12, uuid + 16,
                      uuid + 20);
}

int
plan_task_interpret(plan_scope_t *scope, plan_step_t *step, plan_task_t *task,
                    const plan_task_args_t *args, star_value_t *ret, err_t **err)
{
    task->kind = step->kind->table.name;
    task->wait_ns = -1;
    if (!star_ok(args->name))
        task->name = task_name();
    else if (types_cast_text(args->name, "name", &task->name, err) < 0)
        return -1;
    task->is_taken = plan_scope_service(scope, task->name);
    if (types_cast_text(args->run, "run", &task->run, err) < 0 ||
        cast_config(scope, step, task, args, err) < 0 ||
        plan_scope_gate(scope, task->config, err) < 0)
        return -1;
    if (types_check_tolerations(args->tolerations, err) < 0)
        return -1;
    if (star_ok(args->store) && cast_stores(scope, task, args->store, err) < 0)
        return -1;
    if (!star_ok(args->wait) || star_kind(args->wait) != STAR_NONE) {
        const char *wait = star_ok(args->wait) ? star_get_text(args->wait, NULL) : TASK_WAIT;
        if (duration_parse(wait, &task->wait_ns, err) < 0)
            return -1;
    }
    if (plan_codes_cast(scope->star, args->codes, args->skip, accepted, ARRAY_LEN(accepted),
                        &task->codes, err) < 0)
        return -1;
    uuid_new(task->uuid);
    for (size_t i = 0; i < task->n_stores; i++)
        plan_step_add_artifact(step, task->stores[i].name, "");
    plan_step_add_needs(step, task->config);
    *ret = result_new(scope, task);
    return 0;
}

int
plan_task_validate(const plan_task_t *task, plan_env_t *env, err_t **err)
{
    const plan_presence_t present = plan_env_service(env, task->name);
    if (present == PLAN_CREATED || (present == PLAN_EXISTED && task->is_taken))
        return err_fail(
            err, ERR_EXISTS,
            "There was an error validating '%s' as '%s' is the name of a service, which "
            "the task would replace; give the task another name",
            task->kind, task->name);
    for (size_t i = 0; i < task->n_stores; i++)
        for (size_t k = 0; k < i; k++)
            if (!strcmp(task->stores[i].src, task->stores[k].src)) {
                err_fail(err, ERR_INVALID,
                         "error occurred while validating field: store. The file paths in the "
                         "array must be unique. Found multiple instances of %s",
                         task->stores[i].src);
                return err_wrap(err, "error occurred while validating file paths to copy into "
                                     "file artifact");
            }
    for (size_t i = 0; i < task->n_stores; i++)
        run_map_put(&env->artifacts, task->stores[i].name, (void *)(uintptr_t)(PLAN_CREATED + 1));
    const core_service_config_t *core = task->config->core;
    for (size_t i = 0; i < core->n_files; i++)
        for (char **artifact = core->files[i].artifacts; *artifact; artifact++)
            if (plan_env_artifact(env, *artifact) == PLAN_ABSENT)
                return err_fail(err, ERR_NOT_FOUND,
                                "There was an error validating 'run_python' as artifact name '%s' "
                                "does not exist",
                                *artifact);
    plan_env_image_add(env, &task->config->image);
    return 0;
}

int
plan_task_start(const plan_task_t *task, plan_exec_t *exec, err_t **err)
{
    AUTO(core_service_config) config = NULL;
    AUTO(core_service) service = NULL;
    if (plan_service_prepare(exec, task->name, task->config, &config, err) < 0)
        return -1;
    config->spec->restart_always = false;
    if (run_store_task_begin(exec->store, task->name, err) < 0)
        return err_wrap(err, "cannot remember the container of task '%s'", task->name);
    if (exec->world->services_start(exec->world->self, &config, 1, 1, &service, NULL, err) < 0)
        return err_wrap(err, "error occurred while creating a %s task with image: %s", task->kind,
                        task->config->image.name);
    return 0;
}

static int
keep(const plan_task_t *task, plan_exec_t *exec, int code, const str_t *output, err_t **err)
{
    types_datum_t text = TYPES_DATUM_EMPTY, number = TYPES_DATUM_EMPTY;
    types_datum_set_string(&text, output->data, output->len);
    types_datum_set_int(&number, code);
    const run_value_t values[] = {{"output", &text}, {"code", &number}};
    const int rc = run_store_set(exec->store, task->uuid, values, ARRAY_LEN(values), err);
    types_datum_done(&text);
    types_datum_done(&number);
    return rc;
}

static int
exec_in(const plan_task_t *task, plan_exec_t *exec, const char *text, int *ret_code, str_t *output,
        err_t **err)
{
    /* The output goes to the caller and to the container's log, and the status is that of the text.
     * It stands on a line of its own, so that a comment at its end, or an exit, does not reach the
     * rest. */
    AUTO_FREE char *command = str_format("{ { { { ( %s\n); echo $? >&3; } | tee " TASK_LOG
                                         " >&4; echo >> " TASK_LOG "; } 3>&1; } | "
                                         "{ read xs; exit $xs; } } 4>&1",
                                         text);
    char *argv[] = {"/bin/sh", "-c", command, NULL};
    const int64_t limit_ms = (task->wait_ns + 999999) / 1000000;
    AUTO(err) why = NULL;
    if (exec->world->service_exec(exec->world->self, task->name, argv,
                                  task->wait_ns < 0      ? -1
                                  : limit_ms > INT32_MAX ? INT32_MAX
                                                         : (int)limit_ms,
                                  ret_code, output, &why) == 0)
        return 0;
    if (err_code(why) == ERR_TIMEOUT)
        err_fail(err, ERR_TIMEOUT, "The exec request timed out after %g seconds",
                 (double)task->wait_ns / 1e9);
    else if (err)
        *err = TAKE(why);
    return err_wrap(err, "error occurred while executing one time task command: %s ", task->run);
}

int
plan_task_run(const plan_task_t *task, plan_exec_t *exec, const char *text, const char *label,
              str_t *result, err_t **err)
{
    AUTO_STR output = STR_EMPTY;
    int code = 0;
    if (exec_in(task, exec, text, &code, &output, err) < 0 ||
        keep(task, exec, code, &output, err) < 0)
        return -1;
    if (plan_codes_check_command(&task->codes, label, code, &output, err) < 0)
        return -1;
    for (size_t i = 0; i < task->n_stores; i++) {
        AUTO_FREE char *uuid = NULL;
        if (exec->world->artifact_put_from_service(exec->world->self, task->name,
                                                   task->stores[i].src, task->stores[i].name, &uuid,
                                                   err) < 0) {
            err_wrap(err, "error occurred while copying file or directory at path: %s",
                     task->stores[i].src);
            return err_wrap(err, "error occurred while copying files from  a task");
        }
    }
    if (!exec->non_blocking &&
        exec->world->service_remove(exec->world->self, task->name, NULL, err) < 0)
        return err_wrap(err, "cannot remove the container of task '%s'", task->name);
    plan_command_describe(code, &output, result);
    return 0;
}

int
plan_task_end(const plan_task_t *task, plan_exec_t *exec, int rc, err_t **err)
{
    if (rc < 0 && err && *err && err_code(*err) == ERR_CANCELLED)
        return rc;
    if (run_store_task_end(exec->store, task->name, rc < 0 ? NULL : err) < 0 && rc == 0)
        return err_wrap(err, "cannot forget the container of task '%s'", task->name);
    return rc;
}

void
plan_task_done(plan_task_t *task)
{
    free(task->name);
    free(task->run);
    types_service_config_destroy(&task->config);
    for (size_t i = 0; i < task->n_stores; i++) {
        free(task->stores[i].src);
        free(task->stores[i].name);
    }
    free(task->stores);
    plan_codes_done(&task->codes);
}

static int
cast_pairs(star_t *star, star_value_t value, const char *what, Orchestrator__Pair ***ret,
           size_t *ret_count, err_t **err)
{
    types_pairs_t pairs;
    if (types_cast_pairs(star, value, what, &pairs, err) < 0)
        return -1;
    types_pairs_move(&pairs, ret, ret_count);
    return 0;
}

/* The container: it does nothing but show the log. */
static int
cast_config(plan_scope_t *scope, plan_step_t *step, plan_task_t *task, const plan_task_args_t *args,
            err_t **err)
{
    plan_place_t place = {scope, step};
    const types_places_t places = plan_scope_places(&place);
    types_service_config_t *config = task->config = calloc(1, sizeof(*config));
    core_service_config_t *core = config->core = core_service_config_new();
    Orchestrator__ServiceSpec *spec = core->spec;
    static const char *const entrypoint[] = {"/bin/sh", "-c",
                                             "touch " TASK_LOG " && tail -F " TASK_LOG};

    if (!star_ok(args->image))
        config->image.name = strdup(args->default_image);
    else if (types_cast_image(scope->star, args->image, &places, &config->image, err) < 0)
        return err_wrap(err, "An error occurred converting image for run sh.");
    config->image.only_missing = true;
    spec->image = strdup(config->image.name);
    spec->entrypoint = calloc(ARRAY_LEN(entrypoint), sizeof(*spec->entrypoint));
    while (spec->n_entrypoint < ARRAY_LEN(entrypoint)) {
        spec->entrypoint[spec->n_entrypoint] = strdup(entrypoint[spec->n_entrypoint]);
        spec->n_entrypoint++;
    }
    spec->ip_address_placeholder = strdup(TYPES_IP_PLACEHOLDER);
    spec->tini_enabled = true;
    spec->privileged = types_get_bool(args->privileged, false);
    spec->host_pid_namespace = types_get_bool(args->host_pid, false);

    types_pairs_t files;
    if (cast_pairs(scope->star, args->env, "env_vars", &spec->env, &spec->n_env, err) < 0 ||
        cast_pairs(scope->star, args->bind_mounts, "bind_mounts", &spec->bind_mounts,
                   &spec->n_bind_mounts, err) < 0 ||
        types_cast_pairs(scope->star, args->files, "files", &files, err) < 0)
        return -1;
    core->files = calloc(files.count ? files.count : 1, sizeof(*core->files));
    for (size_t i = 0; i < files.count; i++) {
        char **artifacts = calloc(2, sizeof(*artifacts));
        artifacts[0] = TAKE(files.items[i].value);
        core->files[core->n_files++] = (core_files_t){TAKE(files.items[i].name), artifacts};
    }
    types_pairs_done(&files);
    return types_check_host(spec, &config->needs_host, err);
}

static int
cast_stores(plan_scope_t *scope, plan_task_t *task, star_value_t list, err_t **err)
{
    star_value_t item;
    task->stores = calloc((size_t)star_length(list) + 1, sizeof(*task->stores));
    for (size_t i = 0; star_ok(item = star_at(list, i)); i++) {
        plan_task_store_t *store = &task->stores[i];
        if (types_cast_store(item, &store->src, &store->name, NULL) < 0) {
            AUTO_FREE char *text = types_text(scope->star, item);
            return err_fail(err, ERR_INVALID, "Couldn't convert '%s' to StoreSpec type", text);
        }
        if (!store->name)
            store->name = plan_scope_artifact_name(scope);
        task->n_stores++;
    }
    return 0;
}

static star_value_t
result_new(plan_scope_t *scope, const plan_task_t *task)
{
    star_t *star = scope->star;
    AUTO_FREE char *code = run_reference(task->uuid, "code");
    AUTO_FREE char *output = run_reference(task->uuid, "output");
    star_value_t artifacts = star_list(star, NULL, 0);
    for (size_t i = 0; i < task->n_stores; i++)
        star_list_append(star, artifacts, star_string(star, task->stores[i].name, (size_t)-1));
    const star_named_t fields[] = {
        {"code", star_string(star, code, (size_t)-1)},
        {"files_artifacts", artifacts},
        {"output", star_string(star, output, (size_t)-1)},
    };
    return star_struct(star, STAR_ABSENT, fields, ARRAY_LEN(fields));
}
