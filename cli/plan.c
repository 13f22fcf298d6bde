/*  plan: reading a plan, and what it needs from elsewhere. See plan.h. */
#include "cli/plan.h"

#include "cli/child.h"
#include "cli/output.h"
#include "cli/progress.h"

#include "base/file.h"
#include "bus/schema/orchestrator.pb-c.h"
#include "cli/backend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST "kurtosis.yml"
#define MANIFEST_MAX 1048576u /* bytes of it */

static int
ask(enclave_context_t *enclave, const package_source_t *source, const starlark_run_config_t *config,
    char **ret_yaml, err_t **err)
{
    switch (source->kind) {
    case PACKAGE_SCRIPT:
        return enclave_context_get_starlark_script_plan_yaml(enclave, source->script.data, config,
                                                             ret_yaml, err);
    case PACKAGE_FOLDER:
        return enclave_context_get_starlark_package_plan_yaml(enclave, source->path, config,
                                                              ret_yaml, err);
    default:
        return enclave_context_get_starlark_remote_package_plan_yaml(enclave, source->argument,
                                                                     config, ret_yaml, err);
    }
}

int
plan_read(enclave_context_t *enclave, const package_source_t *source,
          const starlark_run_config_t *config, json_t **ret_plan, err_t **err)
{
    AUTO_FREE char *yaml = NULL;
    AUTO_STR text = STR_EMPTY;
    if (ask(enclave, source, config, &yaml, err) < 0 ||
        starlark_params_to_json(yaml, &text, err) < 0)
        return err_wrap(err, "cannot tell the plan of '%s'", source->argument);
    *ret_plan = json_loadb(text.data, text.len, 0, NULL);
    return *ret_plan
               ? 0
               : err_fail(err, ERR_INTERNAL, "the plan of '%s' cannot be read", source->argument);
}

static const char *
text_of(const json_t *json)
{
    return json_is_string(json) ? json_string_value(json) : "";
}

static void
put_names(str_t *out, const char *title, const json_t *names)
{
    size_t i;
    const json_t *name;
    str_printf(out, "%s:\n", title);
    json_array_foreach(names, i, name) str_printf(out, " %s\n", text_of(name));
}

void
plan_show_dependencies(const json_t *plan)
{
    AUTO_STR out = STR_EMPTY;
    put_names(&out, "Images", json_object_get(plan, "images"));
    put_names(&out, "Packages", json_object_get(plan, "packageDependencies"));
    progress_end();
    out_text(out.data);
}

/* ----------------------------------------------------------------------------------------- pull */

int
plan_check_pull(err_t **err)
{
    if (access(MANIFEST, R_OK | W_OK) < 0)
        return err_fail(err, ERR_NOT_FOUND,
                        "'--pull' puts packages beside the one in this folder, and names them in "
                        "its '" MANIFEST "', but: %s; change to the folder of a package",
                        strerror(errno));
    return child_exists("git") ? 0
                               : err_fail(err, ERR_NOT_FOUND,
                                          "'--pull' needs the program 'git', which is not in the "
                                          "PATH");
}

static int
pull_image(const session_t *session, const char *image, err_t **err)
{
    Orchestrator__FetchImageArgs args = ORCHESTRATOR__FETCH_IMAGE_ARGS__INIT;
    AUTO(actor_stream) stream = NULL;
    int rc;
    args.image = (char *)image;
    args.mode = ORCHESTRATOR__FETCH_MODE__FETCH_ALWAYS;
    out_info("Pulling image '%s'", image);
    rc = actor_stream_open(kurtosis_context_actor(session->kurtosis), NULL, BACKEND_DRIVER,
                           "orchestrator.Orchestrator/FetchImage", &args.base, &stream, err);
    while (rc >= 0) {
        AUTO_MESSAGE Orchestrator__FetchImageProgress *step = NULL;
        rc = actor_stream_recv(stream, -1, (ProtobufCMessage **)&step, err);
        if (rc <= 0)
            break;
        if (step->warning[0])
            out_warn("%s", step->warning);
    }
    return rc < 0 ? err_wrap(err, "cannot pull image '%s'", image) : 0;
}

/* ../<last element of its id>; a folder that is there already is taken as it is. */
static int
clone_package(const char *id, str_t *replaces, err_t **err)
{
    const char *slash = strrchr(id, '/');
    AUTO_FREE char *folder = str_format("../%s", slash ? slash + 1 : id),
                   *url = str_format("https://%s.git", id);
    if (access(folder, F_OK) == 0) {
        out_info("Package '%s' is taken from '%s', which is there already", id, folder);
    } else {
        out_info("Cloning package '%s' to '%s'", id, folder);
        if (child_run((const char *const[]){"git", "clone", "--quiet", url, folder, NULL}, NULL,
                      err) < 0)
            return err_wrap(err, "cannot clone package '%s'", id);
    }
    str_printf(replaces, "  %s: %s\n", id, folder);
    return 0;
}

static int
has_replaces(bool *ret_has, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    if (file_read_text(MANIFEST, MANIFEST_MAX, &text, err) < 0)
        return -1;
    *ret_has = str_starts(text.data, "replace:") || strstr(text.data, "\nreplace:");
    return 0;
}

static int
add_replaces(const char *replaces, err_t **err)
{
    bool has;
    if (has_replaces(&has, err) < 0)
        return -1;
    if (has) {
        out_info("'" MANIFEST
                 "' has replaces already; these are for what was pulled:\nreplace:\n%s",
                 replaces);
        return 0;
    }
    FILE *file = fopen(MANIFEST, "ae");
    bool is_written = file && fprintf(file, "\nreplace:\n%s", replaces) > 0;
    is_written &= file && fclose(file) == 0;
    return is_written
               ? 0
               : err_fail(err, ERR_UNKNOWN, "cannot add to '" MANIFEST "': %s", strerror(errno));
}

int
plan_pull(const session_t *session, const json_t *plan, err_t **err)
{
    AUTO_STR replaces = STR_EMPTY;
    size_t i;
    const json_t *name;
    json_array_foreach(json_object_get(plan, "images"), i, name)
    {
        if (pull_image(session, text_of(name), err) < 0)
            return -1;
    }
    json_array_foreach(json_object_get(plan, "packageDependencies"), i, name)
    {
        if (clone_package(text_of(name), &replaces, err) < 0)
            return -1;
    }
    return replaces.len ? add_replaces(replaces.data, err) : 0;
}
