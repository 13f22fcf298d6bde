/*  api: the API container actor: what can be said to it, and who answers; see api.h.
 *
 *  Every handler may wait for the driver, so all of them run on worker threads.
 */
#include "apic/api/handlers.h"

#include <string.h>

#define SERVICE "api_container_api.ApiContainerService/"

static const actor_method_t methods[] = {
    {SERVICE "GetServices", ACTOR_WORKER, on_get_services},
    {SERVICE "GetExistingAndHistoricalServiceIdentifiers", ACTOR_WORKER, on_get_identifiers},
    {SERVICE "ExecCommand", ACTOR_WORKER, on_exec_command},
    {SERVICE "ConnectServices", ACTOR_WORKER, on_connect_services},
    {SERVICE "WaitForHttpGetEndpointAvailability", ACTOR_WORKER, on_wait_for_get},
    {SERVICE "WaitForHttpPostEndpointAvailability", ACTOR_WORKER, on_wait_for_post},
    {SERVICE "UploadStarlarkPackage", ACTOR_WORKER, on_upload_package},
    {SERVICE "ProvideRepository", ACTOR_WORKER, on_provide_repository},
    {SERVICE "RefuseRepository", ACTOR_WORKER, on_refuse_repository},
    {SERVICE "RunStarlarkScript", ACTOR_WORKER, on_run_script},
    {SERVICE "RunStarlarkPackage", ACTOR_WORKER, on_run_package},
    {SERVICE "RunStarlarkScriptInBatches", ACTOR_WORKER, on_run_script},
    {SERVICE "RunStarlarkPackageInBatches", ACTOR_WORKER, on_run_package},
    {SERVICE "AttachStarlarkRun", ACTOR_WORKER, on_attach_run},
    {SERVICE "GetStarlarkRun", ACTOR_WORKER, on_get_run},
    {SERVICE "GetStarlarkScriptPlanYaml", ACTOR_WORKER, on_get_script_plan},
    {SERVICE "GetStarlarkPackagePlanYaml", ACTOR_WORKER, on_get_package_plan},
    {SERVICE "UploadFilesArtifact", ACTOR_WORKER, on_upload_artifact},
    {SERVICE "DownloadFilesArtifact", ACTOR_WORKER, on_download_artifact},
    {SERVICE "StoreWebFilesArtifact", ACTOR_WORKER, on_store_web_artifact},
    {SERVICE "StoreFilesArtifactFromService", ACTOR_WORKER, on_store_service_files},
    {SERVICE "ListFilesArtifactNamesAndUuids", ACTOR_WORKER, on_list_artifacts},
    {SERVICE "InspectFilesArtifactContents", ACTOR_WORKER, on_inspect_artifact},
    {0},
};

const actor_method_t *
api_methods(void)
{
    return methods;
}

void *
api_new_(size_t size, void (*init)(void *message))
{
    void *message = malloc(size);
    if (!message)
        abort();
    init(message);
    return message;
}

void *
api_grow_(void *items, size_t count, size_t size)
{
    /* Powers of two only, so that a long list is not copied for every item. */
    if (count & (count - 1))
        return items;
    void *grown = realloc(items, (count ? count * 2 : 1) * size);
    if (!grown)
        abort();
    return grown;
}

char *
api_text(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}
