/*  upload_files: files of a package, or of the web, become an artifact. */
#include "apic/plan/outline.h"

#include "apic/packages/path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DOWNLOAD_TIMEOUT_MS 300000

enum { SRC, NAME };
static const types_field_t fields[] = {
    [SRC] = {"src", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [NAME] = {"name", TYPES_STRING, .flags = TYPES_SHOWN},
};

typedef struct {
    char *src;
    char *name;
    char *archive; /* temporary, ours until it is stored */
    char *md5;
} data_t;

/* "http" or "https" in any case, and a host. */
static bool
is_url(const char *src)
{
    const size_t scheme = strcspn(src, ":");
    const bool fits = (scheme == 4 && strncasecmp(src, "http", 4) == 0) ||
                      (scheme == 5 && strncasecmp(src, "https", 5) == 0);
    return fits && strncmp(src + scheme, "://", 3) == 0 && !strchr("/?#", src[scheme + 3]) &&
           src[scheme + 3];
}

static int
pack_url(plan_scope_t *scope, data_t *data, err_t **err)
{
    AUTO_FREE char *plain = strndup(data->src, strcspn(data->src, "?#"));
    const char *host = strstr(plain, "://") + 3;
    const char *path = strchr(host, '/');
    AUTO_FREE char *base = path ? packages_path_base(path) : strdup("/");
    AUTO_FREE char *folder = str_format("%s/download-XXXXXX", scope->world->tmp);
    if (!mkdtemp(folder))
        return err_fail(err, ERR_UNKNOWN, "cannot make a folder for a download in '%s'",
                        scope->world->tmp);
    AUTO_FREE char *file = str_format("%s/%s", folder, strcmp(base, "/") ? base : "download");
    int rc = scope->world->download(scope->world->self, data->src, file, DOWNLOAD_TIMEOUT_MS, err);
    if (rc < 0)
        err_wrap(err, "An error occurred downloading file from URL '%s'", data->src);
    else
        rc = scope->world->archive_path(scope->world->self, file, &data->archive, &data->md5, err);
    unlink(file);
    rmdir(folder);
    return rc;
}

static int
pack_path(plan_scope_t *scope, plan_step_t *step, data_t *data, err_t **err)
{
    AUTO_FREE char *path = NULL;
    if (scope->find(scope, step->file, data->src, false, &path, err) < 0)
        return err_wrap(err, "Tried to convert locator '%s' into absolute locator but failed",
                        data->src);
    return scope->world->archive_path(scope->world->self, path, &data->archive, &data->md5, err);
}

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    if (types_cast_text(values[SRC], "src", &data->src, err) < 0 ||
        (is_url(data->src) ? pack_url(scope, data, err) : pack_path(scope, step, data, err)) < 0)
        return -1;
    return plan_scope_artifact_new(scope, step, values[NAME], data->md5, &data->name, ret, err);
}

static int
validate(const plan_step_t *step, plan_env_t *env, err_t **err)
{
    return plan_env_artifact_add(env, "upload_files", ((const data_t *)step->data)->name, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    core_artifact_outcome_t outcome;
    AUTO_FREE char *uuid = NULL;
    if (exec->world->artifact_put(exec->world->self, data->name, data->archive, data->md5, &outcome,
                                  &uuid, err) < 0)
        return err_wrap(err, "cannot store '%s' as files artifact '%s'", data->src, data->name);
    switch (outcome) {
    case CORE_ARTIFACT_SAME:
        str_printf(result,
                   "Files with artifact name '%s' resolved with artifact UUID '%s' as content were "
                   "matching",
                   data->name, uuid);
        break;
    case CORE_ARTIFACT_UPDATED:
        str_printf(result, "Files with artifact name '%s' with artifact UUID '%s' updated",
                   data->name, uuid);
        break;
    case CORE_ARTIFACT_NEW:
        str_printf(result, "Files with artifact name '%s' uploaded with artifact UUID '%s'",
                   data->name, uuid);
        break;
    }
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    const size_t size = is_url(data->src) ? strcspn(data->src, "?#") : strlen(data->src);
    str_printf(out, "Uploading file '%.*s' to files artifact '%s'", (int)size, data->src,
               data->name);
}

static void
done(void *self)
{
    data_t *data = self;
    if (data->archive)
        unlink(data->archive);
    free(data->src);
    free(data->name);
    free(data->archive);
    free(data->md5);
}

static void
outline(const plan_step_t *step, plan_outline_t *to)
{
    const data_t *data = step->data;
    const char *src = data->src;
    plan_outline_artifact(to, data->name, &src, 1);
}

const plan_kind_t plan_upload_files = {
    PLAN_TABLE("upload_files", fields),
    .brief = "%1, %A",
    .outline = outline,
    .again = PLAN_AGAIN_CONTENT,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .validate = validate,
    .execute = execute,
    .describe = describe,
    .done = done,
};
