/*  cmd_files: files upload, storeweb, storeservice, rendertemplate, inspect, download. */
#include "cli/commands.h"

#include "archive/archive.h"
#include "base/file.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/starlark.h"
#include "cli/tree.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TEMPLATE_MAX (1024u * 1024) /* bytes of a template, and of its data */

int
files_upload_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_FREE char *uuid = NULL, *name = NULL;
    const char *path = cli_arg(call, "path");
    struct stat about;
    if (stat(path, &about) < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot upload '%s': %s", path, strerror(errno));
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        enclave_context_upload_files(session.enclave, path, cli_text(call, "name"), &uuid, &name,
                                     err) < 0)
        return -1;
    out_info("Files package '%s' uploaded with UUID: %s", name, uuid);
    return 0;
}

int
files_storeweb_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_FREE char *uuid = NULL;
    const char *given = cli_text(call, "name");
    AUTO_FREE char *name =
        *given ? strdup(given) : str_format("cli-stored-artifact-%lld", (long long)time(NULL));
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        enclave_context_store_web_files(session.enclave, cli_arg(call, "url"), name, &uuid, err) <
            0)
        return -1;
    out_info("Files package '%s' stored with UUID: %s", name, uuid);
    return 0;
}

int
files_storeservice_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_FREE char *output = NULL;
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        starlark_store_service_files(session.enclave, cli_arg(call, "service"),
                                     cli_arg(call, "filepath"), cli_text(call, "name"), &output,
                                     err) < 0)
        return -1;
    output[strcspn(output, "\n")] = '\0';
    out_info("%s", output);
    return 0;
}

/* --------------------------------------------------------------------------------------- render */

int
files_rendertemplate_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_STR text = STR_EMPTY;
    AUTO_STR data = STR_EMPTY;
    AUTO_FREE char *output = NULL;
    json_error_t why;
    const char *destination = cli_arg(call, "destination-relative-filepath"),
               *data_path = cli_arg(call, "data-json-filepath");
    if (*destination == '/')
        return err_fail(err, ERR_INVALID, "the destination '%s' must be relative to the artifact",
                        destination);
    if (file_read_text(cli_arg(call, "template-filepath"), TEMPLATE_MAX, &text, err) < 0 ||
        file_read_text(data_path, TEMPLATE_MAX, &data, err) < 0)
        return -1;
    json_t *json = json_loads(data.data, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!json)
        return err_fail(err, ERR_INVALID, "'%s' is no JSON: line %d, column %d: %s", data_path,
                        why.line, why.column, why.text);
    json_decref(json);
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        starlark_render_template(session.enclave, text.data, data.data, destination,
                                 cli_text(call, "name"), &output, err) < 0)
        return err_wrap(err, "cannot render the template '%s'", cli_arg(call, "template-filepath"));
    output[strcspn(output, "\n")] = '\0';
    out_info("%s", output);
    return 0;
}

/* -------------------------------------------------------------------------------------- inspect */

static int
show_file(const ApiContainerApi__InspectFilesArtifactContentsResponse *contents, const char *path,
          err_t **err)
{
    for (size_t i = 0; i < contents->n_file_descriptions; i++) {
        const ApiContainerApi__FileArtifactContentsFileDescription *file =
            contents->file_descriptions[i];
        const char *name = file->path + (str_starts(file->path, "./") ? 2 : 0);
        if (strcmp(name, path + (str_starts(path, "./") ? 2 : 0)))
            continue;
        if (file->_text_preview_case == 0)
            return err_fail(err, ERR_INVALID, "the file '%s' cannot be shown: it is no text", path);
        out_error_line(OUT_PLAIN, "File contents:");
        out_line("%s", file->text_preview);
        return 0;
    }
    return err_fail(err, ERR_NOT_FOUND, "there is no file '%s' in the artifact", path);
}

int
files_inspect_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_MESSAGE ApiContainerApi__InspectFilesArtifactContentsResponse *contents = NULL;
    const char *artifact = cli_arg(call, "artifact-identifier"), *path = cli_arg(call, "file-path");
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        enclave_context_inspect_files_artifact(session.enclave, artifact, &contents, err) < 0)
        return -1;
    if (*path)
        return show_file(contents, path, err);
    AUTO_STR tree = STR_EMPTY;
    tree_write(contents->file_descriptions, contents->n_file_descriptions, out_coloured(), &tree);
    out_error_line(OUT_PLAIN, "Artifact '%s' contents:\n", artifact);
    out_text(tree.data);
    return 0;
}

/* ------------------------------------------------------------------------------------- download */

static int
make_folder(const char *path, err_t **err)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return err_fail(err, ERR_INVALID, "cannot make the directory '%s': %s", path,
                        strerror(errno));
    return 0;
}

/* The archive lies beside what it unpacks to, so that they are on one disk. */
static int
download(enclave_context_t *enclave, const char *artifact, const char *folder, bool extract,
         err_t **err)
{
    AUTO_FREE char *archive = str_format("%s/%s.tgz", folder, artifact);
    if (enclave_context_download_files_artifact(enclave, artifact, archive, err) < 0)
        return -1;
    if (!extract)
        return 0;
    int result = archive_tgz_unpack(archive, folder, err);
    unlink(archive);
    return result;
}

int
files_download_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    const char *artifact = cli_arg(call, "artifact-identifier"),
               *given = cli_arg(call, "destination-path");
    AUTO_FREE char *folder = *given ? strdup(given) : str_format("./%s", artifact);
    if (strchr(artifact, '/'))
        return err_fail(err, ERR_INVALID, "'%s' is no identifier of a files artifact", artifact);
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        make_folder(folder, err) < 0)
        return -1;
    if (download(session.enclave, artifact, folder, !cli_bool(call, "no-extract"), err) < 0) {
        rmdir(folder); /* only if we made it in vain */
        return -1;
    }
    out_info("Files artifact '%s' was downloaded to '%s'", artifact, folder);
    return 0;
}
