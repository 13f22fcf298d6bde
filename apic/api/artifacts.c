/*  artifacts: files artifacts in and out, and what is in them. */
#include "apic/api/chunks.h"

#include <string.h>

#define DOWNLOAD_TIMEOUT_MS 300000

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == 0;
}

void
on_upload_artifact(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    core_t *core = ((api_t *)state)->core;
    AUTO(err) err = NULL;
    AUTO_FREE char *path = core_tmp_path(core, ".tgz");
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *uuid = NULL;
    int rc = chunks_receive(call, path, &name, &err);
    if (rc < 0)
        err_wrap(&err, "cannot receive a files artifact");
    if (rc == 0 && !name[0]) {
        free(name);
        name = core_artifact_name_new(core);
    }
    if (rc == 0)
        rc = core_artifact_put_foreign(core, name, path, &uuid, &err);
    unlink(path);
    if (rc < 0) {
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__UploadFilesArtifactResponse reply =
        API_CONTAINER_API__UPLOAD_FILES_ARTIFACT_RESPONSE__INIT;
    reply.uuid = uuid;
    reply.name = name;
    actor_call_reply(&call, &reply.base);
}

void
on_download_artifact(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__DownloadFilesArtifactArgs *args =
        (const ApiContainerApi__DownloadFilesArtifactArgs *)request;
    AUTO(err) err = NULL;
    AUTO_FD int fd = -1;
    int rc = is_blank(args->identifier)
                 ? err_fail(&err, ERR_INVALID, "the identifier of the files artifact is empty")
                 : core_artifact_open(((api_t *)state)->core, args->identifier, &fd, &err);
    if (rc == 0)
        rc = chunks_send(call, fd, args->identifier, &err);
    if (rc < 0)
        actor_call_fail(&call, &err);
    else
        actor_call_end(&call);
}

/* An answer that is an error page, or no archive, is refused: nothing could be done with it later.
 */
static int
store_web(core_t *core, actor_call_t *call, const ApiContainerApi__StoreWebFilesArtifactArgs *args,
          const char *path, char **ret_uuid, err_t **err)
{
    int status = 0;
    if (core_artifact_exists(core, args->name, NULL))
        return err_fail(err, ERR_EXISTS, "Files artifact name '%s' has already been used",
                        args->name);
    if (core_download(core, call, args->url, path, DOWNLOAD_TIMEOUT_MS, &status, err) < 0)
        return -1;
    if (status < 200 || status > 299)
        return err_fail(err, ERR_STATE, "it answered with status %d", status);
    return core_artifact_put_foreign(core, args->name, path, ret_uuid, err);
}

void
on_store_web_artifact(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__StoreWebFilesArtifactArgs *args =
        (const ApiContainerApi__StoreWebFilesArtifactArgs *)request;
    core_t *core = ((api_t *)state)->core;
    AUTO(err) err = NULL;
    AUTO_FREE char *path = core_tmp_path(core, ".tgz");
    AUTO_FREE char *uuid = NULL;
    int rc = store_web(core, call, args, path, &uuid, &err);
    unlink(path);
    if (rc < 0) {
        err_wrap(&err, "cannot store '%s' as files artifact '%s'", args->url, args->name);
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__StoreWebFilesArtifactResponse reply =
        API_CONTAINER_API__STORE_WEB_FILES_ARTIFACT_RESPONSE__INIT;
    reply.uuid = uuid;
    actor_call_reply(&call, &reply.base);
}

void
on_store_service_files(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__StoreFilesArtifactFromServiceArgs *args =
        (const ApiContainerApi__StoreFilesArtifactFromServiceArgs *)request;
    AUTO(err) err = NULL;
    AUTO_FREE char *uuid = NULL;
    if (core_artifact_put_from_service(((api_t *)state)->core, call, args->service_identifier,
                                       args->source_path, args->name, &uuid, &err) < 0) {
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__StoreFilesArtifactFromServiceResponse reply =
        API_CONTAINER_API__STORE_FILES_ARTIFACT_FROM_SERVICE_RESPONSE__INIT;
    reply.uuid = uuid;
    actor_call_reply(&call, &reply.base);
}

static void
add_artifact(void *arg, const char *uuid, const char *name)
{
    ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *reply = arg;
    ApiContainerApi__FilesArtifactNameAndUuid *item =
        API_NEW(ApiContainerApi__FilesArtifactNameAndUuid,
                api_container_api__files_artifact_name_and_uuid__init);
    item->filename = api_text(name);
    item->fileuuid = api_text(uuid);
    API_ADD(reply, file_names_and_uuids, item);
}

void
on_list_artifacts(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    AUTO(err) err = NULL;
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *reply =
        API_NEW(ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse,
                api_container_api__list_files_artifact_names_and_uuids_response__init);
    if (core_artifact_list(((api_t *)state)->core, add_artifact, reply, &err) < 0)
        actor_call_fail(&call, &err);
    else
        actor_call_reply(&call, &reply->base);
}

static void
add_file(void *arg, const char *path, uint64_t size, const char *text)
{
    ApiContainerApi__InspectFilesArtifactContentsResponse *reply = arg;
    ApiContainerApi__FileArtifactContentsFileDescription *item =
        API_NEW(ApiContainerApi__FileArtifactContentsFileDescription,
                api_container_api__file_artifact_contents_file_description__init);
    item->path = api_text(path);
    item->size = size;
    if (text) {
        item->_text_preview_case =
            API_CONTAINER_API__FILE_ARTIFACT_CONTENTS_FILE_DESCRIPTION___TEXT_PREVIEW_TEXT_PREVIEW;
        item->text_preview = api_text(text);
    }
    API_ADD(reply, file_descriptions, item);
}

void
on_inspect_artifact(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__FilesArtifactNameAndUuid *which =
        ((const ApiContainerApi__InspectFilesArtifactContentsRequest *)request)
            ->file_names_and_uuid;
    const char *identifier = !which ? "" : which->filename[0] ? which->filename : which->fileuuid;
    AUTO(err) err = NULL;
    AUTO_MESSAGE ApiContainerApi__InspectFilesArtifactContentsResponse *reply =
        API_NEW(ApiContainerApi__InspectFilesArtifactContentsResponse,
                api_container_api__inspect_files_artifact_contents_response__init);
    int rc = is_blank(identifier)
                 ? err_fail(&err, ERR_INVALID, "neither name nor UUID of a files artifact is given")
                 : core_artifact_inspect(((api_t *)state)->core, identifier, add_file, reply, &err);
    if (rc < 0)
        actor_call_fail(&call, &err);
    else
        actor_call_reply(&call, &reply->base);
}
