/*  render_templates: templates and their data become an artifact. */
#include "apic/plan/outline.h"

#include "apic/packages/path.h"
#include "apic/run/reference.h"
#include "apic/template/template.h"
#include "base/utf8.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DATA_DEPTH_MAX 100 /* lists in lists of a template's data */
#define DATA_SHOWN 1000    /* bytes of it that an error shows */

enum { CONFIG, NAME };
static const types_field_t fields[] = {
    [CONFIG] = {"config", TYPES_DICT, .flags = TYPES_REQUIRED},
    [NAME] = {"name", TYPES_STRING, .flags = TYPES_SHOWN},
};

typedef struct {
    char *path;  /* as given */
    char *place; /* in the artifact */
    template_t *template;
    str_t data; /* JSON; may hold references */
} file_t;

typedef struct {
    char *name;
    file_t *files;
    size_t count;
} data_t;

static int cast_file(star_t *star, star_value_t config, star_value_t path, star_value_t value,
                     file_t *ret, err_t **err);

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    star_value_t path, value;
    data->files = calloc((size_t)star_length(values[CONFIG]) + 1, sizeof(*data->files));
    for (size_t cursor = 0; star_dict_next(values[CONFIG], &cursor, &path, &value);) {
        data->files[data->count].data = STR_EMPTY;
        if (cast_file(scope->star, values[CONFIG], path, value, &data->files[data->count++], err) <
            0)
            return -1;
    }
    return plan_scope_artifact_new(scope, step, values[NAME], "", &data->name, ret, err);
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    return plan_env_artifact_add(env, "render_templates", ((const data_t *)step->data)->name, err);
}

static int
render(const file_t *file, plan_exec_t *exec, str_t *out, err_t **err)
{
    AUTO_STR json = STR_EMPTY;
    if (run_reference_replace_json(exec->store, file->data.data, file->data.len, &json, err) < 0)
        return -1;
    if (template_execute(file->template, json.data, json.len, out, err) < 0)
        return err_wrap(err,
                        "An error occurred while writing the rendered template to destination "
                        "'%s'",
                        file->path);
    return 0;
}

static int
store(const data_t *data, plan_exec_t *exec, str_t *texts, char **ret_uuid, err_t **err)
{
    core_artifact_outcome_t outcome;
    core_file_t *files = calloc(data->count + 1, sizeof(*files));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < data->count; i++) {
        rc = render(&data->files[i], exec, &texts[i], err);
        if (rc < 0)
            err_wrap(err, "There was an error in rendering template for file '%s'",
                     data->files[i].path);
        files[i] = (core_file_t){data->files[i].place, texts[i].data, texts[i].len};
    }
    if (rc == 0)
        rc = exec->world->artifact_put_files(exec->world->self, data->name, files, data->count,
                                             &outcome, ret_uuid, err);
    free(files);
    return rc < 0 ? err_wrap(err, "There was an error in rendering templates to disk") : 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    AUTO_FREE char *uuid = NULL;
    str_t *texts = calloc(data->count + 1, sizeof(*texts));
    for (size_t i = 0; i < data->count; i++)
        texts[i] = STR_EMPTY;
    const int rc = store(data, exec, texts, &uuid, err);
    for (size_t i = 0; i < data->count; i++)
        str_done(&texts[i]);
    free(texts);
    if (rc < 0)
        return err_wrap(err, "Failed to render templates of files artifact '%s'", data->name);
    str_printf(result, "Templates artifact name '%s' rendered with artifact UUID '%s'", data->name,
               uuid);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    str_printf(out, "Rendering a template to a files artifact with name '%s'",
               ((const data_t *)step->data)->name);
}

static void
done(void *self)
{
    data_t *data = self;
    free(data->name);
    for (size_t i = 0; i < data->count; i++) {
        free(data->files[i].path);
        free(data->files[i].place);
        template_destroy(&data->files[i].template);
        str_done(&data->files[i].data);
    }
    free(data->files);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
    const char **paths = calloc(data->count + 1, sizeof(*paths));
    for (size_t i = 0; i < data->count; i++)
        paths[i] = data->files[i].path;
    plan_outline_artifact(to, data->name, paths, data->count);
    free(paths);
}

const plan_kind_t plan_render_templates = {
    PLAN_TABLE("render_templates", fields),
    .brief = "%A",
    .outline = outline,
    .again = PLAN_AGAIN_ARTIFACT,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};

/* Only what a template can use: no values of ours, no functions, no bytes. */
static bool
is_plain(star_value_t value, int depth)
{
    star_value_t key, item;
    bool plain = depth < DATA_DEPTH_MAX;
    switch (star_kind(value)) {
    case STAR_NONE:
    case STAR_BOOL:
    case STAR_INT:
    case STAR_FLOAT:
    case STAR_STRING:
        return true;
    case STAR_LIST:
    case STAR_TUPLE:
        for (size_t i = 0; plain && star_ok(item = star_at(value, i)); i++)
            plain = is_plain(item, depth + 1);
        return plain;
    case STAR_DICT:
        for (size_t cursor = 0; plain && star_dict_next(value, &cursor, &key, &item);)
            plain = star_kind(key) == STAR_STRING && is_plain(item, depth + 1);
        return plain;
    case STAR_STRUCT:
        for (size_t cursor = 0; plain && star_struct_next(value, &cursor, &key, &item);)
            plain = is_plain(item, depth + 1);
        return plain;
    default:
        return false;
    }
}

static int
cast_data(star_t *star, const char *path, star_value_t value, str_t *out, err_t **err)
{
    star_text_t json;
    star_text_init(&json, star);
    if (!is_plain(value, 0) || star_json_encode(star, value, &json) < 0) {
        AUTO_FREE char *text = types_text(star, value);
        star_text_done(&json);
        star_error_clear(star);
        err_fail(err, ERR_INVALID,
                 "it may hold None, booleans, numbers, strings, and lists, tuples, dicts with "
                 "strings as keys and structs of them, at most %d deep",
                 DATA_DEPTH_MAX);
        return err_wrap(err, "Error converting 'data' with string value '%.*s' to JSON",
                        (int)utf8_cut(text, strlen(text), DATA_SHOWN), text);
    }
    const int rc = template_json_normalise(json.data, json.length, out, err);
    if (rc < 0)
        err_wrap(err, "Template data for file '%s', '%.*s' isn't valid JSON", path,
                 (int)utf8_cut(json.data, json.length, DATA_SHOWN), json.data);
    star_text_done(&json);
    return rc;
}

static int
cast_template(const char *path, star_value_t value, template_t **ret, err_t **err)
{
    size_t size;
    if (star_kind(value) != STAR_STRING)
        return err_fail(err, ERR_INVALID,
                        "'config[\"%s\"][\"template\"]' is expected to be a string. Got %s", path,
                        types_go_name(value));
    const char *text = star_get_text(value, &size);
    uint8_t hash[16];
    char name[sizeof("kurtosis-template-") + 2 * sizeof(hash)] = "kurtosis-template-";
    crypto_generichash(hash, sizeof(hash), (const uint8_t *)text, size, NULL, 0);
    sodium_bin2hex(name + strlen(name), 2 * sizeof(hash) + 1, hash, sizeof(hash));
    if (template_parse(name, text, size, ret, err) < 0)
        return err_wrap(err, "An error occurred creating the template. Make sure the it is a valid "
                             "template string.");
    return 0;
}

/* A path is one below the root of the artifact, with or without "/" in front. */
static int
find_place(const char *path, char **ret_place, err_t **err)
{
    AUTO_FREE char *below = packages_path_join("artifact", path);
    if (!packages_path_within(below, "artifact") || !strcmp(below, "artifact"))
        return err_fail(err, ERR_INVALID,
                        "path '%s' in 'config' does not lie in the artifact; give a path below its "
                        "root, without '..'",
                        path);
    *ret_place = strdup(below + strlen("artifact/"));
    return 0;
}

static int
cast_file(star_t *star, star_value_t config, star_value_t path, star_value_t value, file_t *ret,
          err_t **err)
{
    if (star_kind(path) != STAR_STRING) {
        AUTO_FREE char *key = types_text(star, path);
        return err_fail(err, ERR_INVALID, "'config.key:%s' is expected to be a string. Got %s", key,
                        types_go_name(path));
    }
    if (types_cast_text(path, "config", &ret->path, err) < 0)
        return -1;
    if (find_place(ret->path, &ret->place, err) < 0)
        return -1;
    if (star_kind(value) != STAR_STRUCT) {
        AUTO_FREE char *text = types_text(star, config);
        return err_fail(err, ERR_INVALID, "Expected %s[\"%s\"] to be a dict. Got '%s'", text,
                        ret->path, types_go_name(value));
    }
    star_value_t template, data;
    if (star_get_attr(star, value, "template", &template) != 1)
        return err_fail(err, ERR_INVALID, "Expected values in 'config' to have a 'template' field");
    if (star_get_attr(star, value, "data", &data) != 1)
        return err_fail(err, ERR_INVALID, "Expected values in 'config' to have a 'data' field");
    if (cast_template(ret->path, template, &ret->template, err) < 0)
        return -1;
    return cast_data(star, ret->path, data, &ret->data, err);
}
