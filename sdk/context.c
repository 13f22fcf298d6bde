/*  context: the connection to the engine, and what the engine does. See sdk.h. */
#include "sdk/contexts.h"

#include "base/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY_VERSION KURTOSIS_VERSION

const Google__Protobuf__Empty sdk_empty = GOOGLE__PROTOBUF__EMPTY__INIT;

/* ----------------------------------------------------------------------------------- connecting */

char *
kurtosis_data_folder(void)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && *data == '/')
        return str_format("%s/kurtosis", data);
    if (!home || *home != '/') {
        const struct passwd *user = getpwuid(getuid());
        home = user ? user->pw_dir : "/root";
    }
    return str_format("%s/.local/share/kurtosis", home);
}

int
kurtosis_port(void)
{
    const char *given = getenv("KURTOSIS_BUS_PORT");
    long port = given ? strtol(given, NULL, 10) : 0;
    return port > 0 && port < 65536 ? (int)port : KURTOSIS_PORT;
}

char *
kurtosis_engine_key_path(void)
{
    AUTO_FREE char *folder = kurtosis_data_folder();
    int port = kurtosis_port();
    return port == KURTOSIS_PORT ? str_format("%s/engine.pub", folder)
                                 : str_format("%s/engine-%d.pub", folder, port);
}

/* The engine's public key as this user remembers it. */
static int
read_engine_key(uint8_t ret_key[BUS_KEY_SIZE], err_t **err)
{
    AUTO_FREE char *path = kurtosis_engine_key_path();
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[128] = "";
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        return err_fail(err, ERR_NOT_FOUND,
                        "the engine's key is not known here: cannot read '%s': %s", path,
                        strerror(errno));
    text[strcspn(text, "\r\n")] = '\0';
    if (bus_key_from_text(text, ret_key, err) < 0)
        return err_wrap(err, "'%s' holds no key", path);
    return 0;
}

static int
join_bus(const kurtosis_options_t *options, actor_t **ret_actor, err_t **err)
{
    char id[UUID_LEN + 1];
    uuid_new(id);
    AUTO_FREE char *folder = kurtosis_data_folder(), *name = str_format("client/%s", id),
                   *default_keys = str_format("%s/bus.key", folder),
                   *default_endpoint = str_format("tcp://127.0.0.1:%d", kurtosis_port());
    actor_config_t config = {
        .name = name,
        .program = options->program ? options->program : "libkurtosis " LIBRARY_VERSION,
        .endpoint = options->endpoint ? options->endpoint : default_endpoint,
        .connect_timeout_ms = options->connect_timeout_ms,
    };
    int result = options->engine_key
                     ? bus_key_from_text(options->engine_key, config.broker_key, err)
                     : read_engine_key(config.broker_key, err);
    if (result == 0)
        result = bus_keys_require(options->keys_path ? options->keys_path : default_keys,
                                  &config.keys, err);
    if (result == 0)
        result = actor_new(&config, ret_actor, err);
    bus_keys_wipe(&config.keys);
    return result;
}

static bool
read_version(const char *text, unsigned long parts[3])
{
    for (int i = 0; i < 3; i++) {
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        parts[i] = strtoul(text, &end, 10);
        if (*end != (i < 2 ? '.' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

bool
kurtosis_versions_fit(const char *one, const char *other)
{
    unsigned long a[3], b[3];
    return !read_version(one, a) || !read_version(other, b) || (a[0] == b[0] && a[1] == b[1]);
}

static int
check_version(kurtosis_context_t *self, err_t **err)
{
    AUTO_MESSAGE EngineApi__GetEngineInfoResponse *info = NULL;
    if (sdk_ask_engine(self, ENGINE("GetEngineInfo"), &sdk_empty.base, 0,
                       (ProtobufCMessage **)&info, err) < 0)
        return -1;
    self->engine_version = strdup(info->engine_version);
    if (!kurtosis_versions_fit(self->engine_version, LIBRARY_VERSION))
        return err_fail(
            err, ERR_STATE,
            "the engine has version %s and this program %s, which do not fit; run 'kurtosis engine "
            "restart', and use a program of the engine's version",
            self->engine_version, LIBRARY_VERSION);
    return 0;
}

int
kurtosis_context_new(const kurtosis_options_t *options, kurtosis_context_t **ret_context,
                     err_t **err)
{
    static const kurtosis_options_t defaults = {0};
    AUTO(kurtosis_context) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    if (join_bus(options ? options : &defaults, &self->actor, err) < 0 ||
        check_version(self, err) < 0)
        return err_wrap(err, "cannot connect to the Kurtosis engine");
    *ret_context = TAKE(self);
    return 0;
}

void
kurtosis_context_destroy(kurtosis_context_t **self_p)
{
    kurtosis_context_t *self = TAKE(*self_p);
    if (!self)
        return;
    actor_destroy(&self->actor);
    free(self->engine_version);
    free(self);
}

const char *
kurtosis_context_engine_version(const kurtosis_context_t *self)
{
    return self->engine_version;
}

actor_t *
kurtosis_context_actor(kurtosis_context_t *self)
{
    return self->actor;
}

int
sdk_fail(err_t **err, const char *whom, const char *name)
{
    if (!err)
        return -1;
    err_unwrap(err); /* "cannot ask 'engine' for X": users know no messages */
    if (err_code(*err) == ERR_UNAVAILABLE && !err_cause(*err))
        err_wrap(err,
                 "%s%s cannot be reached; 'kurtosis engine status' and 'kurtosis enclave ls' say "
                 "what runs",
                 whom, name);
    return -1;
}

int
sdk_ask_engine(kurtosis_context_t *self, const char *method, const ProtobufCMessage *request,
               int timeout_ms, ProtobufCMessage **ret_reply, err_t **err)
{
    int result =
        actor_ask(self->actor, NULL, "engine", method, request, timeout_ms, ret_reply, err);
    return result < 0 ? sdk_fail(err, "the Kurtosis engine", "") : 0;
}

/* ------------------------------------------------------------------------------------- enclaves */

int
kurtosis_context_create_enclave(kurtosis_context_t *self, const char *name,
                                const enclave_options_t *options, enclave_context_t **ret_enclave,
                                err_t **err)
{
    static const enclave_options_t defaults = {0};
    if (!options)
        options = &defaults;
    EngineApi__CreateEnclaveArgs args = ENGINE_API__CREATE_ENCLAVE_ARGS__INIT;
    SET_OPTIONAL(&args, ENGINE_API__CREATE_ENCLAVE_ARGS, enclave_name, ENCLAVE_NAME,
                 (char *)(name ? name : ""));
    SET_OPTIONAL(&args, ENGINE_API__CREATE_ENCLAVE_ARGS, api_container_log_level,
                 API_CONTAINER_LOG_LEVEL,
                 (char *)(options->apic_log_level ? options->apic_log_level : "debug"));
    args.ipv6 = options->ipv6;
    SET_OPTIONAL(&args, ENGINE_API__CREATE_ENCLAVE_ARGS, mode, MODE,
                 options->is_production ? ENGINE_API__ENCLAVE_MODE__PRODUCTION
                                        : ENGINE_API__ENCLAVE_MODE__TEST);
    if (options->apic_version)
        SET_OPTIONAL(&args, ENGINE_API__CREATE_ENCLAVE_ARGS, api_container_version_tag,
                     API_CONTAINER_VERSION_TAG, (char *)options->apic_version);
    AUTO_MESSAGE EngineApi__CreateEnclaveResponse *reply = NULL;
    if (sdk_ask_engine(self, ENGINE("CreateEnclave"), &args.base, SDK_CREATE_MS,
                       (ProtobufCMessage **)&reply, err) < 0)
        return -1;
    if (!reply->enclave_info)
        return err_fail(err, ERR_INTERNAL, "the engine answered without the new enclave");
    *ret_enclave = sdk_enclave_context_new(self, reply->enclave_info);
    return 0;
}

static int
by_creation_time(const void *a, const void *b)
{
    const EngineApi__EnclaveInfo *one =
        (*(EngineApi__GetEnclavesResponse__EnclaveInfoEntry *const *)a)->value;
    const EngineApi__EnclaveInfo *other =
        (*(EngineApi__GetEnclavesResponse__EnclaveInfoEntry *const *)b)->value;
    int64_t seconds = (one->creation_time ? one->creation_time->seconds : 0) -
                      (other->creation_time ? other->creation_time->seconds : 0);
    int64_t nanos = (one->creation_time ? one->creation_time->nanos : 0) -
                    (other->creation_time ? other->creation_time->nanos : 0);
    if (seconds || nanos)
        return (seconds ? seconds : nanos) < 0 ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* Entries without an enclave go, the others are sorted. */
static void
tidy(EngineApi__GetEnclavesResponse *enclaves)
{
    size_t kept = 0;
    for (size_t i = 0; i < enclaves->n_enclave_info; i++)
        if (enclaves->enclave_info[i]->value)
            enclaves->enclave_info[kept++] = enclaves->enclave_info[i];
        else
            bus_message_destroy(&enclaves->enclave_info[i]);
    enclaves->n_enclave_info = kept;
    if (kept)
        qsort(enclaves->enclave_info, kept, sizeof *enclaves->enclave_info, by_creation_time);
}

int
kurtosis_context_get_enclaves(kurtosis_context_t *self,
                              EngineApi__GetEnclavesResponse **ret_enclaves, err_t **err)
{
    if (sdk_ask_engine(self, ENGINE("GetEnclaves"), &sdk_empty.base, 0,
                       (ProtobufCMessage **)ret_enclaves, err) < 0)
        return -1;
    tidy(*ret_enclaves);
    return 0;
}

/* The UUIDs of all enclaves, present and past, that the identifier can mean. */
static size_t
matching_uuids(const EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *identifiers,
               const char *identifier, char **uuids)
{
    size_t count = 0;
    for (size_t i = 0; i < identifiers->n_allidentifiers; i++) {
        const EngineApi__EnclaveIdentifiers *item = identifiers->allidentifiers[i];
        if (!strcmp(item->enclave_uuid, identifier) || !strcmp(item->shortened_uuid, identifier) ||
            !strcmp(item->name, identifier))
            uuids[count++] = item->enclave_uuid;
    }
    return count;
}

static int
find_live(kurtosis_context_t *self, const char *identifier,
          const EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *identifiers,
          EngineApi__EnclaveInfo **ret_info, err_t **err)
{
    AUTO_FREE char **uuids = calloc(identifiers->n_allidentifiers + 1, sizeof *uuids);
    if (!uuids)
        abort();
    EngineApi__GetEnclavesByUuidsArgs args = ENGINE_API__GET_ENCLAVES_BY_UUIDS_ARGS__INIT;
    args.enclave_uuids = uuids;
    args.n_enclave_uuids = matching_uuids(identifiers, identifier, uuids);
    if (args.n_enclave_uuids == 0)
        return err_fail(err, ERR_NOT_FOUND, "no enclave found with identifier '%s'", identifier);
    AUTO_MESSAGE EngineApi__GetEnclavesResponse *enclaves = NULL;
    if (sdk_ask_engine(self, ENGINE("GetEnclavesByUuids"), &args.base, 0,
                       (ProtobufCMessage **)&enclaves, err) < 0)
        return -1;
    tidy(enclaves);
    if (enclaves->n_enclave_info > 1)
        return err_fail(
            err, ERR_INVALID,
            "more than one enclave found with identifier '%s'; name it by its full UUID",
            identifier);
    if (enclaves->n_enclave_info == 0)
        return err_fail(err, ERR_NOT_FOUND, "no running enclave found with identifier '%s'",
                        identifier);
    *ret_info = TAKE(enclaves->enclave_info[0]->value);
    return 0;
}

int
kurtosis_context_get_enclave(kurtosis_context_t *self, const char *identifier,
                             EngineApi__EnclaveInfo **ret_info, err_t **err)
{
    AUTO_MESSAGE EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *identifiers = NULL;
    if (kurtosis_context_get_enclave_identifiers(self, &identifiers, err) < 0)
        return -1;
    return find_live(self, identifier, identifiers, ret_info, err);
}

int
kurtosis_context_get_enclave_context(kurtosis_context_t *self, const char *identifier,
                                     enclave_context_t **ret_enclave, err_t **err)
{
    AUTO_MESSAGE EngineApi__EnclaveInfo *info = NULL;
    if (kurtosis_context_get_enclave(self, identifier, &info, err) < 0)
        return -1;
    if (info->containers_status !=
        ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_RUNNING)
        return err_fail(err, ERR_STATE, "the enclave '%s' does not run", info->name);
    if (info->api_container_status !=
        ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_RUNNING)
        return err_fail(err, ERR_STATE, "the API container of the enclave '%s' does not run",
                        info->name);
    *ret_enclave = sdk_enclave_context_new(self, info);
    return 0;
}

int
kurtosis_context_get_enclave_identifiers(
    kurtosis_context_t *self,
    EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse **ret_identifiers, err_t **err)
{
    return sdk_ask_engine(self, ENGINE("GetExistingAndHistoricalEnclaveIdentifiers"),
                          &sdk_empty.base, 0, (ProtobufCMessage **)ret_identifiers, err);
}

int
kurtosis_context_stop_enclave(kurtosis_context_t *self, const char *identifier, err_t **err)
{
    EngineApi__StopEnclaveArgs args = ENGINE_API__STOP_ENCLAVE_ARGS__INIT;
    args.enclave_identifier = (char *)identifier;
    return sdk_ask_engine(self, ENGINE("StopEnclave"), &args.base, SDK_REMOVE_MS, NULL, err);
}

int
kurtosis_context_destroy_enclave(kurtosis_context_t *self, const char *identifier, err_t **err)
{
    EngineApi__DestroyEnclaveArgs args = ENGINE_API__DESTROY_ENCLAVE_ARGS__INIT;
    args.enclave_identifier = (char *)identifier;
    return sdk_ask_engine(self, ENGINE("DestroyEnclave"), &args.base, SDK_REMOVE_MS, NULL, err);
}

int
kurtosis_context_clean(kurtosis_context_t *self, bool running_too,
                       EngineApi__CleanResponse **ret_removed, err_t **err)
{
    EngineApi__CleanArgs args = ENGINE_API__CLEAN_ARGS__INIT;
    SET_OPTIONAL(&args, ENGINE_API__CLEAN_ARGS, should_clean_all, SHOULD_CLEAN_ALL, running_too);
    return sdk_ask_engine(self, ENGINE("Clean"), &args.base, SDK_REMOVE_MS,
                          (ProtobufCMessage **)ret_removed, err);
}

int
kurtosis_context_get_service_logs(kurtosis_context_t *self,
                                  const EngineApi__GetServiceLogsArgs *args, kurtosis_logs_fn *fn,
                                  void *arg, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    if (actor_stream_open(self->actor, NULL, "engine", ENGINE("GetServiceLogs"), &args->base,
                          &stream, err) < 0)
        return -1;
    for (;;) {
        AUTO_MESSAGE EngineApi__GetServiceLogsResponse *message = NULL;
        int got = actor_stream_recv(stream, -1, (ProtobufCMessage **)&message, err);
        if (got <= 0)
            return got;
        if (fn(arg, message, err) < 0)
            return -1;
    }
}
