/*  enclave: what the API container of one enclave does, runs and transfers apart. See sdk.h. */
#include "sdk/contexts.h"

#include <string.h>

enclave_context_t *
sdk_enclave_context_new(kurtosis_context_t *kurtosis, const EngineApi__EnclaveInfo *info)
{
    enclave_context_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->kurtosis = kurtosis;
    self->uuid = strdup(info->enclave_uuid);
    self->name = strdup(info->name);
    self->address = str_format("apic/%s", info->enclave_uuid);
    self->is_production = info->mode == ENGINE_API__ENCLAVE_MODE__PRODUCTION;
    return self;
}

void
enclave_context_destroy(enclave_context_t **self_p)
{
    enclave_context_t *self = TAKE(*self_p);
    if (!self)
        return;
    free(self->uuid);
    free(self->name);
    free(self->address);
    free(self);
}

const char *
enclave_context_name(const enclave_context_t *self)
{
    return self->name;
}

const char *
enclave_context_uuid(const enclave_context_t *self)
{
    return self->uuid;
}

bool
enclave_context_is_production(const enclave_context_t *self)
{
    return self->is_production;
}

int
sdk_ask_apic(enclave_context_t *self, const char *method, const ProtobufCMessage *request,
             int timeout_ms, ProtobufCMessage **ret_reply, err_t **err)
{
    int result = actor_ask(self->kurtosis->actor, NULL, self->address, method, request, timeout_ms,
                           ret_reply, err);
    return result < 0 ? sdk_fail(err, "the API container of enclave ", self->name) : 0;
}

/* ------------------------------------------------------------------------------------- services */

int
enclave_context_get_services(enclave_context_t *self, const char *const *identifiers, size_t count,
                             ApiContainerApi__GetServicesResponse **ret_services, err_t **err)
{
    typedef ApiContainerApi__GetServicesArgs__ServiceIdentifiersEntry entry_t;
    AUTO_FREE entry_t *entries = calloc(count + 1, sizeof *entries);
    AUTO_FREE entry_t **list = calloc(count + 1, sizeof *list);
    if (!entries || !list)
        abort();
    for (size_t i = 0; i < count; i++) {
        api_container_api__get_services_args__service_identifiers_entry__init(&entries[i]);
        entries[i].key = (char *)identifiers[i];
        entries[i].value = true;
        list[i] = &entries[i];
    }
    ApiContainerApi__GetServicesArgs args = API_CONTAINER_API__GET_SERVICES_ARGS__INIT;
    args.service_identifiers = list;
    args.n_service_identifiers = count;
    return sdk_ask_apic(self, APIC("GetServices"), &args.base, 0, (ProtobufCMessage **)ret_services,
                        err);
}

int
enclave_context_get_service_context(enclave_context_t *self, const char *identifier,
                                    service_context_t **ret_service, err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *services = NULL;
    if (enclave_context_get_services(self, &identifier, 1, &services, err) < 0)
        return -1;
    if (services->n_service_info != 1 || !services->service_info[0]->value)
        return err_fail(err, ERR_NOT_FOUND, "no service found with identifier '%s'", identifier);
    service_context_t *service = calloc(1, sizeof *service);
    if (!service)
        abort();
    service->enclave = self;
    service->info = TAKE(services->service_info[0]->value);
    *ret_service = service;
    return 0;
}

int
enclave_context_get_service_identifiers(
    enclave_context_t *self,
    ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse **ret_identifiers,
    err_t **err)
{
    return sdk_ask_apic(self, APIC("GetExistingAndHistoricalServiceIdentifiers"), &sdk_empty.base,
                        0, (ProtobufCMessage **)ret_identifiers, err);
}

int
enclave_context_connect_services(enclave_context_t *self, ApiContainerApi__Connect connect,
                                 err_t **err)
{
    ApiContainerApi__ConnectServicesArgs args = API_CONTAINER_API__CONNECT_SERVICES_ARGS__INIT;
    args.connect = connect;
    return sdk_ask_apic(self, APIC("ConnectServices"), &args.base, 0, NULL, err);
}

/* ------------------------------------------------------------------------------ files artifacts */

int
enclave_context_upload_files(enclave_context_t *self, const char *path, const char *name,
                             char **ret_uuid, char **ret_name, err_t **err)
{
    AUTO_MESSAGE ApiContainerApi__UploadFilesArtifactResponse *reply = NULL;
    if (sdk_pack_and_upload(self, APIC("UploadFilesArtifact"), false, path, name ? name : "",
                            (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    *ret_uuid = strdup(reply->uuid);
    if (ret_name)
        *ret_name = strdup(reply->name);
    return 0;
}

int
enclave_context_store_web_files(enclave_context_t *self, const char *url, const char *name,
                                char **ret_uuid, err_t **err)
{
    ApiContainerApi__StoreWebFilesArtifactArgs args =
        API_CONTAINER_API__STORE_WEB_FILES_ARTIFACT_ARGS__INIT;
    args.url = (char *)url;
    args.name = (char *)name;
    AUTO_MESSAGE ApiContainerApi__StoreWebFilesArtifactResponse *reply = NULL;
    if (sdk_ask_apic(self, APIC("StoreWebFilesArtifact"), &args.base, SDK_NO_LIMIT,
                     (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    *ret_uuid = strdup(reply->uuid);
    return 0;
}

int
enclave_context_store_service_files(enclave_context_t *self, const char *service, const char *path,
                                    const char *name, char **ret_uuid, err_t **err)
{
    ApiContainerApi__StoreFilesArtifactFromServiceArgs args =
        API_CONTAINER_API__STORE_FILES_ARTIFACT_FROM_SERVICE_ARGS__INIT;
    args.service_identifier = (char *)service;
    args.source_path = (char *)path;
    args.name = (char *)name;
    AUTO_MESSAGE ApiContainerApi__StoreFilesArtifactFromServiceResponse *reply = NULL;
    if (sdk_ask_apic(self, APIC("StoreFilesArtifactFromService"), &args.base, SDK_NO_LIMIT,
                     (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    *ret_uuid = strdup(reply->uuid);
    return 0;
}

int
enclave_context_inspect_files_artifact(
    enclave_context_t *self, const char *identifier,
    ApiContainerApi__InspectFilesArtifactContentsResponse **ret_contents, err_t **err)
{
    ApiContainerApi__FilesArtifactNameAndUuid which =
        API_CONTAINER_API__FILES_ARTIFACT_NAME_AND_UUID__INIT;
    which.filename = (char *)identifier;
    ApiContainerApi__InspectFilesArtifactContentsRequest args =
        API_CONTAINER_API__INSPECT_FILES_ARTIFACT_CONTENTS_REQUEST__INIT;
    args.file_names_and_uuid = &which;
    return sdk_ask_apic(self, APIC("InspectFilesArtifactContents"), &args.base, 0,
                        (ProtobufCMessage **)ret_contents, err);
}

int
enclave_context_get_all_files_artifacts(
    enclave_context_t *self, ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse **ret_list,
    err_t **err)
{
    return sdk_ask_apic(self, APIC("ListFilesArtifactNamesAndUuids"), &sdk_empty.base, 0,
                        (ProtobufCMessage **)ret_list, err);
}
