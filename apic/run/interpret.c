/*  interpret: runs a script in an interpreter of its own and collects the steps it calls. */
#include "apic/run/interpret.h"

#include "apic/packages/locator.h"

#include <stdlib.h>
#include <string.h>

static int run(run_interpretation_t *self, err_t **err);
static int find(plan_scope_t *scope, const char *source, const char *locator, bool must_be_packaged,
                char **ret_path, err_t **err);
static int schedule(plan_scope_t *scope, plan_step_t **step_p, star_value_t *value, err_t **err);
static void warn(types_host_t *host, const char *text);
static star_load_fn on_load;

static char **
module_names(const run_map_t *modules)
{
    const char *locator;
    void *module;
    size_t count = 0;
    char **names = calloc(modules->count + 1, sizeof(*names));
    for (size_t cursor = 0; run_map_next(modules, &cursor, &locator, &module);)
        names[count++] = strdup(locator);
    return names;
}

int
run_interpret(const run_interpreter_t *self, const run_program_t *program, run_plan_t **ret_plan,
              err_t **err)
{
    AUTO(run_plan) plan = calloc(1, sizeof(*plan));
    run_interpretation_t work = {
        .scope = {.host = {.warn = warn},
                  .world = self->world,
                  .store = self->store,
                  .is_script = program->is_script,
                  .allow_privileged = program->allow_privileged,
                  .find = find,
                  .schedule = schedule},
        .run = self,
        .program = program,
        .plan = plan,
    };
    const star_options_t options = {
        .user = &work, .load = on_load, .limits = {.memory = RUN_MEMORY_MAX}};
    if (star_new(&options, &work.scope.star) < 0)
        return err_fail(err, ERR_LIMIT, "there is no memory for an interpreter");
    star_t *star = work.scope.star;
    work.scope.kept = star_list(star, NULL, 0);
    star_pin(star, work.scope.kept);
    plan_scope_load(&work.scope);
    if (self->running)
        self->running(self->arg, star);
    int rc = run(&work, err);
    if (rc == 0)
        for (size_t i = 0; i < plan->n_steps; i++)
            plan_step_seal(plan->steps[i], star);
    plan->modules = module_names(&work.modules);
    if (self->running)
        self->running(self->arg, NULL);
    plan_scope_done(&work.scope);
    run_map_done(&work.modules, run_module_free);
    star_destroy(&star);
    if (rc == 0)
        *ret_plan = TAKE(plan);
    return rc;
}

void
run_plan_destroy(run_plan_t **self_p)
{
    run_plan_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->n_steps; i++)
        plan_step_destroy(&self->steps[i]);
    free(self->steps);
    free(self->output);
    types_texts_free(self->modules);
    free(self);
    *self_p = NULL;
}

/* Fails with the interpreter's error, unless there is one of ours already. */
static int
fail(star_t *star, err_t **err)
{
    if (err && *err) {
        AUTO_FREE char *text = types_err_text(*err);
        err_destroy(err);
        return err_fail(err, ERR_INVALID, "%s", text);
    }
    AUTO_FREE char *text = run_error_text(star);
    return err_fail(err, ERR_INVALID, "%s", text);
}

static int
run(run_interpretation_t *self, err_t **err)
{
    star_t *star = self->scope.star;
    const run_program_t *program = self->program;
    self->env = run_predeclared(self);
    if (!star_ok(self->env)) {
        const star_error_t *error = star_error(star);
        return err_fail(err, ERR_INVALID, "%s", error ? error->message : "no names are declared");
    }
    star_pin(star, self->env);

    /* the main file is a module too: importing it while it loads is a cycle */
    run_module_t *module = calloc(1, sizeof(*module));
    run_map_put(&self->modules, program->file, module);
    star_value_t value = star_run(star, program->file, program->text, program->size, self->env);
    if (!star_ok(value))
        return fail(star, err);
    star_pin(star, value);
    module->value = value;
    module->state = RUN_MODULE_READY;
    return run_main_call(self, value, &self->plan->output, err) < 0 ? fail(star, err) : 0;
}

static int
find(plan_scope_t *scope, const char *source, const char *locator, bool must_be_packaged,
     char **ret_path, err_t **err)
{
    const run_interpretation_t *self = (const run_interpretation_t *)scope;
    AUTO(packages_found) found = NULL;
    if (packages_resolve(&self->program->packages, source, locator, &found, err) < 0)
        return -1;
    return packages_locate(&self->program->packages, found, must_be_packaged, ret_path, err);
}

static int
schedule(plan_scope_t *scope, plan_step_t **step_p, star_value_t *value, err_t **err)
{
    run_interpretation_t *self = (run_interpretation_t *)scope;
    run_plan_t *plan = self->plan;
    if (plan->n_steps == PLAN_STEPS_MAX)
        return err_fail(err, ERR_LIMIT, "a plan may have at most %u instructions", PLAN_STEPS_MAX);
    if (self->run->resolve &&
        self->run->resolve(self->run->arg, scope->star, *step_p, plan->n_steps, value, err) < 0)
        return -1;
    if ((plan->n_steps & (plan->n_steps - 1)) == 0)
        plan->steps =
            realloc(plan->steps, (plan->n_steps ? plan->n_steps * 2 : 1) * sizeof(*plan->steps));
    (*step_p)->value = *value;
    star_list_append(scope->star, scope->kept, *value);
    plan->steps[plan->n_steps++] = TAKE(*step_p);
    return 0;
}

static void
warn(types_host_t *host, const char *text)
{
    run_interpretation_t *self = (run_interpretation_t *)host;
    if (self->run->warn)
        self->run->warn(self->run->arg, text);
}

/* The language has load(); a package has import_module(). */
static star_value_t
on_load(star_t *star, const char *path, void *user)
{
    (void)path;
    (void)user;
    return star_fail(star,
                     "'load(\"path/to/file.star\", var_in_file=\"var_in_file\")' statement is "
                     "not available in Kurtosis. Please use instead `module = "
                     "import(\"path/to/file.star\")` and then `module.var_in_file`");
}
