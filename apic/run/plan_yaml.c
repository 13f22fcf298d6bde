/*  plan_yaml: a plan as a document: what it makes, and its instructions with their dependencies. */
#include "apic/packages/locator.h"
#include "apic/plan/outline.h"
#include "apic/run/graph.h"
#include "apic/run/phases.h"

#include <stdlib.h>
#include <string.h>

#define FOR_PACKAGE "retrieving plan yaml for package: %s"

static int interpret(const run_enclave_t *self, const run_program_t *program, run_plan_t **ret_plan,
                     err_t **err);
static void write_all(plan_outline_t *outline, const char *package_id, const char *root,
                      const run_plan_t *plan);
static int emit(plan_outline_t *outline, char **ret_yaml, err_t **err);

int
run_plan_yaml(const run_enclave_t *self, const run_request_t *request, char **ret_yaml, err_t **err)
{
    AUTO(run_plan) plan = NULL;
    run_setup_t ready = {.text = STR_EMPTY};
    const char *id = request->package_id ? request->package_id : PACKAGES_SCRIPT;
    int rc = run_setup(self, request, &ready, err);
    if (rc < 0) {
        err_wrap(err, "An interpretation error occurred setting up the package for " FOR_PACKAGE,
                 id);
    } else if ((rc = interpret(self, &ready.program, &plan, err)) < 0) {
        if (request->package_id)
            err_wrap(err, "An interpretation error occurred interpreting package for " FOR_PACKAGE,
                     id);
    } else {
        plan_outline_t outline;
        plan_outline_init(&outline);
        write_all(&outline, id, ready.program.packages.package_id, plan);
        rc = emit(&outline, ret_yaml, err);
        plan_outline_done(&outline);
    }
    run_setup_done(&ready);
    return rc;
}

static void
running(void *arg, star_t *star)
{
    const run_enclave_t *enclave = arg;
    enclave->running(enclave->arg, star);
}

/* As if nothing had been run before. */
static int
interpret(const run_enclave_t *self, const run_program_t *program, run_plan_t **ret_plan,
          err_t **err)
{
    const run_interpreter_t interpreter = {
        .world = self->world, .store = self->store, .running = running, .arg = (void *)self};
    return run_interpret(&interpreter, program, ret_plan, err);
}

static int
by_text(const void *one, const void *two)
{
    return strcmp(*(const char *const *)one, *(const char *const *)two);
}

/* A sorted list of a map's keys. */
static void
put_keys(plan_outline_t *outline, const char *key, const run_map_t *map)
{
    const char **names = calloc(map->count + 1, sizeof(*names));
    void *any;
    size_t count = 0;
    for (size_t cursor = 0; run_map_next(map, &cursor, &names[count], &any);)
        count++;
    qsort(names, count, sizeof(*names), by_text);
    const int list = plan_outline_list(outline);
    for (size_t i = 0; i < count; i++)
        plan_outline_append(outline, list, plan_outline_text(outline, names[i]));
    plan_outline_put_some(outline, PLAN_OUTLINE_ROOT, key, list);
    free(names);
}

/* "host/owner/repo" of a locator. */
static size_t
repository_size(const char *locator)
{
    size_t size = 0;
    for (int i = 0; i < 3 && locator[size]; i++)
        size += (i > 0) + strcspn(locator + size + (i > 0), "/");
    return size;
}

static void
put_packages(plan_outline_t *outline, const char *root, const run_plan_t *plan)
{
    run_map_t packages = {0};
    AUTO_FREE char *own = strndup(root, repository_size(root));
    for (char **module = plan->modules; *module; module++) {
        AUTO_FREE char *package = strndup(*module, repository_size(*module));
        if (strcmp(package, own) != 0)
            run_map_put(&packages, package, outline);
    }
    put_keys(outline, "packageDependencies", &packages);
    run_map_done(&packages, NULL);
}

static void
put_instructions(plan_outline_t *outline, const run_plan_t *plan)
{
    run_deps_t *deps = run_graph_new(plan);
    const int list = plan_outline_list(outline);
    for (size_t i = 0; i < plan->n_steps; i++) {
        const plan_step_t *step = plan->steps[i];
        const int item = plan_outline_item(outline), after = plan_outline_list(outline);
        AUTO_STR brief = STR_EMPTY;
        plan_step_brief(step, &brief);
        for (size_t k = 0; k < deps[i].count; k++)
            plan_outline_append(outline, after,
                                plan_outline_text(outline, plan->steps[deps[i].items[k]]->uuid));
        plan_outline_put(outline, item, "instructionUuid", plan_outline_text(outline, step->uuid));
        plan_outline_put(outline, item, "shortDescriptor", plan_outline_text(outline, brief.data));
        plan_outline_put(outline, item, "dependencies", after);
        plan_outline_put(
            outline, item, "isPrintInstruction",
            plan_outline_plain(outline, step->kind->order == PLAN_ORDER_PRINT ? "true" : "false"));
        plan_outline_append(outline, list, item);
    }
    plan_outline_put_some(outline, PLAN_OUTLINE_ROOT, "instructions", list);
    run_graph_free(deps, plan->n_steps);
}

static void
write_all(plan_outline_t *outline, const char *package_id, const char *root, const run_plan_t *plan)
{
    for (size_t i = 0; i < plan->n_steps; i++)
        plan_outline_add(outline, plan->steps[i]);
    plan_outline_put(outline, PLAN_OUTLINE_ROOT, "packageId",
                     plan_outline_text(outline, package_id));
    plan_outline_put_some(outline, PLAN_OUTLINE_ROOT, "services", outline->services);
    plan_outline_put_some(outline, PLAN_OUTLINE_ROOT, "filesArtifacts", outline->artifacts);
    plan_outline_put_some(outline, PLAN_OUTLINE_ROOT, "tasks", outline->tasks);
    put_keys(outline, "images", &outline->images);
    put_packages(outline, root, plan);
    put_instructions(outline, plan);
}

static int
write_bytes(void *arg, unsigned char *bytes, size_t size)
{
    str_add_bytes(arg, bytes, size);
    return 1;
}

static int
emit(plan_outline_t *outline, char **ret_yaml, err_t **err)
{
    yaml_emitter_t emitter;
    str_t text = STR_EMPTY;
    int rc = 0;
    if (!yaml_emitter_initialize(&emitter))
        return err_fail(err, ERR_LIMIT, "there is no memory to write a plan");
    yaml_emitter_set_output(&emitter, write_bytes, &text);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, 80);
    if (!yaml_emitter_open(&emitter) || !yaml_emitter_dump(&emitter, &outline->document) ||
        !yaml_emitter_close(&emitter))
        rc = err_fail(err, ERR_INVALID, "cannot write the plan: %s",
                      emitter.problem ? emitter.problem : "libyaml does not say why");
    yaml_emitter_delete(&emitter);
    if (rc < 0)
        str_done(&text);
    else
        *ret_yaml = str_take(&text);
    return rc;
}
