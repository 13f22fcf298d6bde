/*  predeclared: the names that every file of a script sees. */
#include "apic/run/interpret.h"

#include "apic/compose/compose.h"
#include "apic/packages/compose_names.h"
#include "apic/packages/file.h"
#include "apic/packages/locator.h"
#include "apic/packages/path.h"

#include <stdlib.h>
#include <string.h>

static star_function_fn on_import_module, on_read_file, on_print, on_time_now;
static star_value_t kurtosis_module(run_interpretation_t *self);
static star_value_t time_module(star_t *star);

static const star_function_t helpers[] = {
    {"import_module", on_import_module, NULL},
    {"read_file", on_read_file, NULL},
    {"print", on_print, NULL},
    {NULL, NULL, NULL},
};

static const types_field_t import_fields[] = {
    {"module_file", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
};
static const types_field_t read_fields[] = {
    {"src", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
};
static const types_table_t import_table = {"import_module", import_fields, 1};
static const types_table_t read_table = {"read_file", read_fields, 1};

star_value_t
run_predeclared(run_interpretation_t *self)
{
    star_t *star = self->scope.star;
    star_value_t env = star_dict_new(star);
    star_value_t kurtosis = kurtosis_module(self);
    if (!star_ok(kurtosis) || star_functions_put(star, env, helpers) < 0 ||
        types_put(star, env) < 0 || star_dict_put(star, env, "kurtosis", kurtosis) < 0 ||
        star_dict_put(star, env, "json", star_lib_json(star)) < 0 ||
        star_dict_put(star, env, "struct", star_lib_struct(star)) < 0 ||
        star_dict_put(star, env, "time", time_module(star)) < 0)
        return STAR_ABSENT;
    return env;
}

void
run_module_free(void *value)
{
    run_module_t *module = value;
    free(module->error);
    free(module);
}

/* ---------------------------------------------------------------------------------------- files */

/* The file of the code that calls the builtin that runs now. */
static const char *
calling_file(star_t *star)
{
    star_frame_t frame;
    return star_stack_frame(star, 1, &frame) ? frame.file : PACKAGES_SCRIPT;
}

static void
warn(void *arg, const char *text)
{
    const run_interpretation_t *self = arg;
    if (self->run->warn)
        self->run->warn(self->run->arg, text);
}

static int
read_found(const run_interpretation_t *self, const packages_found_t *found, str_t *text,
           err_t **err)
{
    AUTO_FREE char *path = NULL;
    if (packages_locate(&self->program->packages, found, true, &path, err) < 0)
        return -1;
    if (packages_compose_named(path)) {
        AUTO_FREE char *folder = packages_path_dir(path), *base = packages_path_base(path);
        if (compose_transpile(folder, base, warn, (void *)self, text, err) < 0)
            return err_wrap(err,
                            "Loading module content for module '%s' failed. An error occurred in "
                            "transpiling the Docker Compose Package to Starlark at path '%s'",
                            found->locator, path);
        return 0;
    }
    if (packages_file_read(path, PACKAGES_FILE_MAX, text, err) < 0)
        return err_wrap(err,
                        "Loading module content for module '%s' failed. An error occurred in "
                        "reading contents of the file '%s'",
                        found->locator, path);
    return 0;
}

static star_value_t
load(run_interpretation_t *self, const packages_found_t *found, run_module_t *module, err_t **err)
{
    star_t *star = self->scope.star;
    AUTO_STR text = STR_EMPTY;
    if (read_found(self, found, &text, err) < 0) {
        err_wrap(err, "An error occurred while loading the module '%s'", found->locator);
        return STAR_ABSENT;
    }
    /* run_map may move nothing while the file runs: module is a pointer of its own */
    star_value_t value = star_run(star, found->locator, text.data, text.len, self->env);
    if (star_ok(value)) {
        star_pin(star, value);
        module->value = value;
        module->state = RUN_MODULE_READY;
        return value;
    }
    module->error = run_error_text(star);
    module->state = RUN_MODULE_FAILED;
    return STAR_ABSENT;
}

static star_value_t
on_import_module(star_t *star, const star_args_t *args)
{
    run_interpretation_t *self = star_user(star);
    star_value_t values[2] = {STAR_ABSENT, STAR_ABSENT};
    AUTO_FREE char *given = NULL;
    AUTO(packages_found) found = NULL;
    AUTO(err) err = NULL;

    if (types_bind(star, &import_table, args, values) < 0)
        return STAR_ABSENT;
    if (types_cast_text(values[0], "module_file", &given, &err) < 0 ||
        packages_resolve(&self->program->packages, calling_file(star), given, &found, &err) < 0)
        return types_fail(star, &err);

    run_module_t *module = run_map_get(&self->modules, found->locator);
    if (module && module->state == RUN_MODULE_LOADING)
        return star_fail(star, "There's a cycle in the import_module calls");
    if (module && module->state == RUN_MODULE_READY)
        return module->value;
    if (!module) {
        module = calloc(1, sizeof(*module));
        run_map_put(&self->modules, found->locator, module);
        star_value_t value = load(self, found, module, &err);
        if (star_ok(value))
            return value;
        if (err) { /* not read: another call may try again */
            run_module_free(run_map_remove(&self->modules, found->locator));
            return types_fail(star, &err);
        }
    }
    star_error_clear(star);
    return star_fail_text(star, module->error, strlen(module->error));
}

static star_value_t
on_read_file(star_t *star, const star_args_t *args)
{
    run_interpretation_t *self = star_user(star);
    star_value_t values[2] = {STAR_ABSENT, STAR_ABSENT};
    AUTO_FREE char *given = NULL;
    AUTO(packages_found) found = NULL;
    AUTO_STR text = STR_EMPTY;
    AUTO(err) err = NULL;

    if (types_bind(star, &read_table, args, values) < 0)
        return STAR_ABSENT;
    if (types_cast_text(values[0], "src", &given, &err) < 0 ||
        packages_resolve(&self->program->packages, calling_file(star), given, &found, &err) < 0 ||
        read_found(self, found, &text, &err) < 0)
        return types_fail(star, &err);
    return star_string(star, text.data, text.len);
}

/* ----------------------------------------------------------------------------------- what is
 * refused */

static star_value_t
on_print(star_t *star, const star_args_t *args)
{
    (void)args;
    return star_fail(star, "The default `print` function isn't supported please use the one that "
                           "comes with the `plan` like `plan.print(...)` as that works with "
                           "multi-phase execution and resolves future references.");
}

static star_value_t
on_time_now(star_t *star, const star_args_t *args)
{
    (void)args;
    return star_fail(star, "The default `time.now()` function isn't supported please use "
                           "`plan.run_python` while we work on supporting an alternative");
}

/* The language's time module with another now. */
static star_value_t
time_module(star_t *star)
{
    star_value_t members = star_dict_new(star), name, value;
    star_value_t module = star_lib_time(star);
    for (size_t cursor = 0; star_module_next(module, &cursor, &name, &value);)
        star_dict_set(star, members, name, value);
    star_dict_put(star, members, "now", star_function_new(star, "now", on_time_now, NULL));
    return star_module(star, "time", members);
}

/* ------------------------------------------------------------------------------------- kurtosis */

#define USER_FOLDER "aws_bucket_user_folder"

static int
put_member(run_interpretation_t *self, star_value_t members, star_value_t key, star_value_t value)
{
    star_t *star = self->scope.star;
    AUTO_FREE char *name = strdup(star_get_text(key, NULL));
    for (char *at = name; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    if (!strcmp(name, USER_FOLDER) && star_kind(value) == STAR_STRING) {
        const char *folder = star_get_text(value, NULL);
        folder += strspn(folder, "/");
        size_t size = strlen(folder);
        while (size && folder[size - 1] == '/')
            size--;
        value =
            star_string_format(star, "%.*s/%s", (int)size, folder, self->scope.world->enclave_uuid);
    }
    return star_dict_put(star, members, name, value);
}

/* The enclave's environment variables. */
static star_value_t
kurtosis_module(run_interpretation_t *self)
{
    star_t *star = self->scope.star;
    const char *text = self->scope.world->enclave_env;
    star_value_t members = star_dict_new(star), key, value;
    if (!text[0])
        return star_module(star, "kurtosis", members);
    star_value_t env = star_json_decode(star, text, strlen(text));
    if (!star_ok(env)) {
        star_error_clear(star);
        return star_fail(star, "Unable to deserialize enclave env vars '%s'. Is it a valid JSON?",
                         text);
    }
    if (star_kind(env) != STAR_DICT) {
        AUTO_FREE char *shown = types_text(star, env);
        return star_fail(star,
                         "Unable to parse enclave env vars '%s' into a dictionary. JSON other than "
                         "dictionaries aren't support right now.",
                         shown);
    }
    for (size_t cursor = 0; star_dict_next(env, &cursor, &key, &value);)
        if (put_member(self, members, key, value) < 0)
            return STAR_ABSENT;
    return star_module(star, "kurtosis", members);
}
