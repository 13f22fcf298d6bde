/*  phases: the order of a run. */
#include "apic/run/phases.h"

#include "apic/packages/file.h"
#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "apic/run/reference.h"
#include "apic/run/replaces.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STAR_TEXT "\xe2\xad\x90 us on GitHub - https://github.com/kurtosis-tech/kurtosis"

/* A program with the memory it stands on. */
typedef struct {
    run_program_t program;
    packages_manifest_t *manifest;
    str_t text;
    char *file;
} setup_t;

/* What one run collects. */
typedef struct {
    const run_enclave_t *enclave;
    const run_request_t *request;
    const run_lines_t *lines;
    run_map_t warnings; /* text -> anything; each once */
} work_t;

static int setup(const run_enclave_t *enclave, const run_request_t *request, setup_t *self,
                 err_t **err);
static void setup_done(setup_t *self);
static run_outcome_t run(work_t *self, const run_program_t *program);

run_outcome_t
run_phases(const run_enclave_t *self, const run_request_t *request, const run_lines_t *lines)
{
    AUTO(err) err = NULL;
    setup_t ready = {.text = STR_EMPTY};
    work_t work = {.enclave = self, .request = request, .lines = lines};

    if (setup(self, request, &ready, &err) < 0) {
        AUTO_FREE char *text = types_err_text(err);
        run_lines_error(lines, RUN_INTERPRETATION, text);
        setup_done(&ready);
        return RUN_REFUSED;
    }
    run_lines_progress(
        lines, (const char *const[]){"Interpreting plan - execution will begin shortly", NULL}, 0,
        0, "interpretation");
    if (!request->dry_run)
        pthread_mutex_lock(self->lock);
    const run_outcome_t outcome = run(&work, &ready.program);
    if (!request->dry_run)
        pthread_mutex_unlock(self->lock);

    const char *warning;
    void *any;
    for (size_t cursor = 0; run_map_next(&work.warnings, &cursor, &warning, &any);)
        run_lines_warning(lines, warning);
    run_lines_info(lines, STAR_TEXT);
    run_map_done(&work.warnings, NULL);
    setup_done(&ready);
    return outcome;
}

static void
warn(void *arg, const char *text)
{
    work_t *self = arg;
    run_map_put(&self->warnings, text, self);
}

static void
running(void *arg, star_t *star)
{
    const work_t *self = arg;
    self->enclave->running(self->enclave->arg, star);
}

static int
interpret(work_t *self, const run_program_t *program, run_plan_t **ret_plan, err_t **err)
{
    AUTO(run_edits) edits = NULL;
    const run_interpreter_t interpreter = {
        .world = self->enclave->world,
        .store = self->enclave->store,
        .warn = warn,
        .running = running,
        .arg = self,
    };
    if (run_edits_load(self->enclave->world, &edits, err) < 0)
        return -1;
    return run_edits_plan(edits, &interpreter, program, !self->request->no_caching, ret_plan, err);
}

/* The output with its references replaced. */
static int
finish(const work_t *self, const run_plan_t *plan, str_t *output, err_t **err)
{
    if (run_reference_replace_json(self->enclave->store, plan->output, strlen(plan->output), output,
                                   err) == 0)
        return 0;
    err_wrap(err, "An error occurred while replacing the runtime values in the output of the "
                  "script");
    AUTO_FREE char *text = err_lines(*err);
    run_lines_error(self->lines, RUN_EXECUTION, text);
    return -1;
}

static run_outcome_t
run(work_t *self, const run_program_t *program)
{
    const run_lines_t *lines = self->lines;
    AUTO(run_plan) plan = NULL;
    AUTO(err) err = NULL;
    AUTO_STR output = STR_EMPTY;
    int64_t duration = 0;

    if (interpret(self, program, &plan, &err) < 0) {
        AUTO_FREE char *text = types_err_text(err);
        run_lines_error(lines, RUN_INTERPRETATION, text);
        run_lines_finished(lines, false, NULL, 0);
        return RUN_FAILED;
    }
    if (run_validate(self->enclave, self->request, plan, lines) < 0) {
        run_lines_finished(lines, false, NULL, 0);
        return RUN_FAILED;
    }
    run_lines_progress(lines, (const char *const[]){"Starting execution", NULL}, 0, plan->n_steps,
                       "execution");
    if (!self->request->dry_run && run_edits_begin(self->enclave->world, plan, &err) < 0) {
        AUTO_FREE char *text = err_lines(err);
        run_lines_error(lines, RUN_EXECUTION, text);
        run_lines_finished(lines, false, NULL, 0);
        return RUN_FAILED;
    }
    const bool is_parallel = self->request->parallel && !self->request->dry_run;
    if ((is_parallel ? run_execute_parallel : run_execute)(self->enclave, self->request, plan,
                                                           lines, &duration) < 0 ||
        (!self->request->dry_run && finish(self, plan, &output, &err) < 0)) {
        run_lines_finished(lines, false, NULL, duration);
        return RUN_FAILED;
    }
    if (self->request->dry_run)
        return RUN_DRY;
    run_lines_finished(lines, true, output.data, duration);
    return RUN_SUCCEEDED;
}

/* --------------------------------------------------------------------------------------------
 * setup */

/* A dependency's repository: with the user's token, whatever the root package has. */
static int
clone_dependency(void *arg, const char *author, const char *repo, const char *version, err_t **err)
{
    const run_world_t *world = arg;
    return world->package_clone(world->self, author, repo, version, "", err);
}

/* Brings what the client has not uploaded. */
static int
fetch_package(const run_world_t *world, const run_request_t *request, err_t **err)
{
    const char *id = request->package_id;
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(id, &locator, err) < 0)
        return err_wrap(err, "An error occurred parsing Git URL for package ID '%s'", id);
    if (request->token && request->token[0] &&
        world->package_token(world->self, id, request->token, err) < 0)
        return -1;
    return request->clone ? world->package_clone(world->self, locator->author, locator->repo,
                                                 locator->version, id, err)
                          : 0;
}

static int
setup_package(const run_enclave_t *enclave, const run_request_t *request, setup_t *self,
              err_t **err)
{
    const char *id = request->package_id, *repositories = enclave->world->repositories;
    const char *main_file = request->main_file[0] ? request->main_file : PACKAGES_MAIN;
    AUTO_FREE char *folder = NULL;
    struct stat status;

    if (fetch_package(enclave->world, request, err) < 0 ||
        packages_folder(repositories, id, &folder, err) < 0)
        return -1;
    if (stat(folder, &status) < 0)
        return err_fail(err, ERR_NOT_FOUND, "Package '%s' does not exist on disk at '%s'", id,
                        folder);
    if (packages_manifest_read(repositories, folder, &self->manifest, err) < 0)
        return -1;
    AUTO_FREE char *below = packages_path_join("/", main_file);
    AUTO_FREE char *path = packages_path_join(folder, below);
    if (stat(path, &status) < 0) {
        err_fail(err, ERR_NOT_FOUND, "stat %s: no such file or directory", path);
        return err_wrap(err,
                        "An error occurred while verifying that '%s' exists in the package '%s' at "
                        "'%s'",
                        PACKAGES_MAIN, id, path);
    }
    if (packages_file_read(path, PACKAGES_FILE_MAX, &self->text, err) < 0)
        return err_wrap(err, "cannot read the main file of package '%s'", id);
    self->file = packages_path_join(self->manifest->name, below);
    self->program.packages = (packages_t){.repositories = repositories,
                                          .package_id = self->manifest->name,
                                          .replaces = self->manifest->replaces,
                                          .n_replaces = self->manifest->n_replaces};
    return request->no_caching ? 0
                               : run_replaces_apply(enclave->world, &self->program.packages, err);
}

static int
setup(const run_enclave_t *enclave, const run_request_t *request, setup_t *self, err_t **err)
{
    run_program_t *program = &self->program;
    if (request->package_id) {
        if (setup_package(enclave, request, self, err) < 0)
            return -1;
    } else {
        str_add(&self->text, request->script);
        self->file = strdup(PACKAGES_SCRIPT);
        program->packages = (packages_t){.repositories = enclave->world->repositories,
                                         .package_id = PACKAGES_SCRIPT};
        program->is_script = true;
    }
    program->packages.clone = clone_dependency;
    program->packages.arg = (void *)enclave->world;
    program->file = self->file;
    program->text = self->text.data;
    program->size = self->text.len;
    program->main_function = request->main_function;
    program->params = request->params;
    program->allow_privileged = request->allow_privileged;
    return 0;
}

static void
setup_done(setup_t *self)
{
    packages_manifest_destroy(&self->manifest);
    str_done(&self->text);
    free(self->file);
}
