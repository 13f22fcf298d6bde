/*  contexts: what the files of the library share. */
#ifndef KURTOSIS_SDK_CONTEXTS_H
#define KURTOSIS_SDK_CONTEXTS_H

#include "sdk/sdk.h"

#include <google/protobuf/empty.pb-c.h>

#define SDK_CREATE_MS 180000 /* CreateEnclave */
#define SDK_REMOVE_MS 300000 /* StopEnclave, DestroyEnclave, Clean */
#define SDK_NO_LIMIT (-1)    /* operations whose length is the user's affair */

struct kurtosis_context {
    actor_t *actor;
    char *engine_version;
};

struct enclave_context {
    kurtosis_context_t *kurtosis; /* lent */
    char *uuid, *name;
    char *address; /* "apic/<uuid>" */
    bool is_production;
};

struct service_context {
    enclave_context_t *enclave; /* lent */
    ApiContainerApi__ServiceInfo *info;
};

#define ENGINE(method) "engine_api.EngineService/" method
#define APIC(method) "api_container_api.ApiContainerService/" method

/* Sets an optional field of the schema (a oneof with one member). */
#define SET_OPTIONAL(message, PREFIX, field, FIELD, value)                                         \
    ((message)->_##field##_case = PREFIX##___##FIELD##_##FIELD, (message)->field = (value))

extern const Google__Protobuf__Empty sdk_empty;

/* Asks the engine, or an enclave's API container. ret_reply may be NULL. */
int sdk_ask_engine(kurtosis_context_t *self, const char *method, const ProtobufCMessage *request,
                   int timeout_ms, ProtobufCMessage **ret_reply, err_t **err);
int sdk_ask_apic(enclave_context_t *self, const char *method, const ProtobufCMessage *request,
                 int timeout_ms, ProtobufCMessage **ret_reply, err_t **err);

/* Makes an error of an ask one for people, who know no messages; -1. */
int sdk_fail(err_t **err, const char *whom, const char *name);

enclave_context_t *sdk_enclave_context_new(kurtosis_context_t *kurtosis,
                                           const EngineApi__EnclaveInfo *info);

/* Sends a file as chunks and returns the one reply. name goes along with every chunk. */
int sdk_upload(enclave_context_t *self, const char *method, const char *path, const char *name,
               ProtobufCMessage **ret_reply, err_t **err);
/* Packs a path, or a package, and sends the archive. */
int sdk_pack_and_upload(enclave_context_t *self, const char *method, bool is_package,
                        const char *path, const char *name, ProtobufCMessage **ret_reply,
                        err_t **err);

/* Uploads a package and every local package its kurtosis.yml names; *ret_id (yours) is what to run.
 */
int sdk_upload_package(enclave_context_t *self, const char *folder, char **ret_id, err_t **err);

/* Appends any YAML 1.1 document as JSON; text ends in a NUL that size does not count. */
int sdk_yaml_to_json(const char *text, size_t size, str_t *out, err_t **err);

#endif
