#include "archive/archive.h"
#include "base/file.h"
#include "sdk/contexts.h"
#include "sdk/sdk.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ENCLAVE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UPLOADS_MAX 8

#define assert_done(result, error)                                                                 \
    do {                                                                                           \
        if ((result) < 0) {                                                                        \
            AUTO_FREE char *text_ = err_string(error);                                             \
            fail_msg("%s", text_);                                                                 \
        }                                                                                          \
    } while (0)
#define assert_error(result, error, wanted_code, words)                                            \
    do {                                                                                           \
        int result_ = (result);                                                                    \
        AUTO_FREE char *text_ = err_string(error);                                                 \
        if (result_ >= 0 || err_code(error) != (wanted_code) || !strstr(text_, words))             \
            fail_msg("result %d, error %d '%s'", result_, err_code(error), text_);                 \
        err_destroy(&(error));                                                                     \
    } while (0)

/* A broker with an engine and an API container that say what they are told to say. */
typedef struct {
    char folder[64], endpoint[96], keys_path[96];
    bus_keys_t broker_keys, keys;
    bus_broker_t *broker;
    actor_t *engine, *apic;
    const char *version;
    const char *const *lines; /* of runs, as JSON */
    pthread_mutex_t lock;     /* guards the rest */
    char *params, *package;   /* of the last run */
    str_t uploads[UPLOADS_MAX];
    char *names[UPLOADS_MAX];
    unsigned n_uploads, n_chunks;
} stage_t;

/* Orders what the test has set or will read with what the actors do: messages do, but a checker of
 * threads cannot see that. */
static void
sync_with_actors(stage_t *self)
{
    pthread_mutex_lock(&self->lock);
    pthread_mutex_unlock(&self->lock);
}

/* ---- the engine */

static void
on_info(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    sync_with_actors(state);
    EngineApi__GetEngineInfoResponse reply = ENGINE_API__GET_ENGINE_INFO_RESPONSE__INIT;
    reply.engine_version = (char *)((stage_t *)state)->version;
    sync_with_actors(state);
    actor_call_reply(&call, &reply.base);
}

static void
fill(EngineApi__EnclaveInfo *info, const char *uuid, const char *name, bool runs)
{
    engine_api__enclave_info__init(info);
    info->enclave_uuid = (char *)uuid;
    info->name = (char *)name;
    info->containers_status =
        runs ? ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_RUNNING
             : ENGINE_API__ENCLAVE_CONTAINERS_STATUS__EnclaveContainersStatus_STOPPED;
    info->api_container_status =
        runs ? ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_RUNNING
             : ENGINE_API__ENCLAVE_APICONTAINER_STATUS__EnclaveAPIContainerStatus_STOPPED;
}

static void
on_create(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    const EngineApi__CreateEnclaveArgs *args = (const EngineApi__CreateEnclaveArgs *)request;
    EngineApi__EnclaveInfo info;
    fill(&info, ENCLAVE, args->enclave_name, true);
    info.mode = args->mode;
    EngineApi__CreateEnclaveResponse reply = ENGINE_API__CREATE_ENCLAVE_RESPONSE__INIT;
    reply.enclave_info = &info;
    actor_call_reply(&call, &reply.base);
}

/* "live" and "stopped" are there, "twice" is there two times, "gone" was. */
static const struct {
    const char *uuid, *name;
    bool is_there, runs;
} enclaves[] = {
    {ENCLAVE, "live", true, true},
    {OTHER, "stopped", true, false},
    {"cccccccccccccccccccccccccccccccc", "twice", true, true},
    {"dddddddddddddddddddddddddddddddd", "twice", true, true},
    {"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "gone", false, false},
    {"ffffffffffffffffffffffffffffffff", "live", false, false}, /* an earlier one of this name */
};

static void
on_identifiers(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    (void)request;
    EngineApi__EnclaveIdentifiers items[ARRAY_LEN(enclaves)], *list[ARRAY_LEN(enclaves)];
    char shorts[ARRAY_LEN(enclaves)][13];
    for (size_t i = 0; i < ARRAY_LEN(enclaves); i++) {
        engine_api__enclave_identifiers__init(&items[i]);
        snprintf(shorts[i], sizeof shorts[i], "%.12s", enclaves[i].uuid);
        items[i].enclave_uuid = (char *)enclaves[i].uuid;
        items[i].shortened_uuid = shorts[i];
        items[i].name = (char *)enclaves[i].name;
        list[i] = &items[i];
    }
    EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse reply =
        ENGINE_API__GET_EXISTING_AND_HISTORICAL_ENCLAVE_IDENTIFIERS_RESPONSE__INIT;
    reply.allidentifiers = list;
    reply.n_allidentifiers = ARRAY_LEN(enclaves);
    actor_call_reply(&call, &reply.base);
}

static void
on_some(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    const EngineApi__GetEnclavesByUuidsArgs *args =
        (const EngineApi__GetEnclavesByUuidsArgs *)request;
    EngineApi__GetEnclavesResponse__EnclaveInfoEntry entries[ARRAY_LEN(enclaves)],
        *list[ARRAY_LEN(enclaves)];
    EngineApi__EnclaveInfo infos[ARRAY_LEN(enclaves)];
    EngineApi__GetEnclavesResponse reply = ENGINE_API__GET_ENCLAVES_RESPONSE__INIT;
    reply.enclave_info = list;
    for (size_t i = 0; i < ARRAY_LEN(enclaves); i++)
        for (size_t k = 0; k < args->n_enclave_uuids; k++) {
            if (!enclaves[i].is_there || strcmp(args->enclave_uuids[k], enclaves[i].uuid))
                continue;
            engine_api__get_enclaves_response__enclave_info_entry__init(&entries[i]);
            fill(&infos[i], enclaves[i].uuid, enclaves[i].name, enclaves[i].runs);
            entries[i].key = (char *)enclaves[i].uuid;
            entries[i].value = &infos[i];
            list[reply.n_enclave_info++] = &entries[i];
        }
    actor_call_reply(&call, &reply.base);
}

static const actor_method_t engine_table[] = {
    {ENGINE("GetEngineInfo"), ACTOR_WORKER, on_info},
    {ENGINE("CreateEnclave"), ACTOR_WORKER, on_create},
    {ENGINE("GetExistingAndHistoricalEnclaveIdentifiers"), ACTOR_WORKER, on_identifiers},
    {ENGINE("GetEnclavesByUuids"), ACTOR_WORKER, on_some},
    {0},
};

/* ---- the API container */

static void
send_lines(stage_t *self, actor_call_t **call_p)
{
    sync_with_actors(self);
    /* two lines a message */
    for (size_t i = 0; self->lines && self->lines[i]; i += 2) {
        AUTO_MESSAGE ProtobufCMessage *message = NULL;
        const char *second = self->lines[i + 1];
        AUTO_FREE char *text = str_format("{\"lines\": [%s%s%s]}", self->lines[i],
                                          second ? ", " : "", second ? second : "");
        if (bus_json_unpack(&api_container_api__starlark_run_response_lines__descriptor, text,
                            strlen(text), &message, NULL) < 0 ||
            actor_call_send(*call_p, message, NULL) < 0 || !second)
            break;
    }
    actor_call_end(call_p);
}

static void
remember(stage_t *self, const char *params, const char *package)
{
    pthread_mutex_lock(&self->lock);
    free(self->params);
    free(self->package);
    self->params = strdup(params);
    self->package = strdup(package);
    pthread_mutex_unlock(&self->lock);
}

static void
on_script(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__RunStarlarkScriptArgs *args =
        (const ApiContainerApi__RunStarlarkScriptArgs *)request;
    remember(state, args->serialized_params, args->serialized_script);
    send_lines(state, &call);
}

static void
on_attach(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__AttachStarlarkRunArgs *args =
        (const ApiContainerApi__AttachStarlarkRunArgs *)request;
    remember(state, "", args->only_new ? "only new" : "all");
    send_lines(state, &call);
}

static void
on_package(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__RunStarlarkPackageArgs *args =
        (const ApiContainerApi__RunStarlarkPackageArgs *)request;
    AUTO_FREE char *what = str_format("%s %d", args->package_id, args->clone_package);
    remember(state, args->serialized_params, what);
    send_lines(state, &call);
}

/* Checks the chain of hashes and keeps the bytes under the name. */
static int
take_upload(stage_t *self, actor_call_t *call, err_t **err)
{
    char hash[ARCHIVE_SHA1_SIZE] = "";
    unsigned mine = self->n_uploads++;
    for (;;) {
        AUTO_MESSAGE ApiContainerApi__StreamedDataChunk *chunk = NULL;
        int got = actor_call_recv(call, 30000, (ProtobufCMessage **)&chunk, err);
        sync_with_actors(self);
        if (got <= 0)
            return got;
        if (strcmp(hash, chunk->previous_chunk_hash))
            return err_fail(err, ERR_INVALID, "the hash of chunk %u is wrong", self->n_chunks);
        archive_sha1(chunk->data.data, chunk->data.len, hash);
        str_add_bytes(&self->uploads[mine], chunk->data.data, chunk->data.len);
        free(self->names[mine]);
        self->names[mine] = strdup(chunk->metadata->name);
        self->n_chunks++;
    }
}

static void
on_upload_package(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    AUTO(err) err = NULL;
    if (take_upload(state, call, &err) < 0)
        actor_call_fail(&call, &err);
    else
        actor_call_reply(&call, &sdk_empty.base);
}

static void
on_upload_files(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    AUTO(err) err = NULL;
    if (take_upload(state, call, &err) < 0) {
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__UploadFilesArtifactResponse reply =
        API_CONTAINER_API__UPLOAD_FILES_ARTIFACT_RESPONSE__INIT;
    reply.uuid = (char *)"0f0f";
    reply.name = (char *)"quiet-brook";
    actor_call_reply(&call, &reply.base);
}

/* "good" comes in two chunks, "broken" with a wrong hash; others are not there. */
static void
on_download(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    const char *which = ((const ApiContainerApi__DownloadFilesArtifactArgs *)request)->identifier;
    AUTO(err) err = NULL;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    if (strcmp(which, "good") && strcmp(which, "broken")) {
        err_fail(&err, ERR_NOT_FOUND, "there is no files artifact '%s'", which);
        actor_call_fail(&call, &err);
        return;
    }
    for (int i = 0; i < 2; i++) {
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        chunk.data = (ProtobufCBinaryData){6, (uint8_t *)(i ? "world\n" : "hello ")};
        chunk.previous_chunk_hash = !strcmp(which, "broken") && i ? (char *)"00" : hash;
        actor_call_send(call, &chunk.base, NULL);
        archive_sha1(chunk.data.data, chunk.data.len, hash);
    }
    actor_call_end(&call);
}

static const actor_method_t apic_table[] = {
    {APIC("RunStarlarkScriptInBatches"), ACTOR_WORKER, on_script},
    {APIC("RunStarlarkPackageInBatches"), ACTOR_WORKER, on_package},
    {APIC("AttachStarlarkRun"), ACTOR_WORKER, on_attach},
    {APIC("UploadStarlarkPackage"), ACTOR_WORKER, on_upload_package},
    {APIC("UploadFilesArtifact"), ACTOR_WORKER, on_upload_files},
    {APIC("DownloadFilesArtifact"), ACTOR_WORKER, on_download},
    {0},
};

/* ---- the stage */

static bool
may_join(void *arg, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    (void)arg;
    (void)name;
    (void)key;
    return true;
}

static actor_t *
join(stage_t *self, const char *name, const actor_method_t *methods)
{
    actor_config_t config = {.name = name,
                             .program = "test",
                             .endpoint = self->endpoint,
                             .keys = self->keys,
                             .methods = methods,
                             .state = self};
    actor_t *actor = NULL;
    AUTO(err) err = NULL;
    memcpy(config.broker_key, self->broker_keys.public_key, BUS_KEY_SIZE);
    assert_done(actor_new(&config, &actor, &err), err);
    return actor;
}

static int
set_up(void **state)
{
    stage_t *self = calloc(1, sizeof *self);
    strcpy(self->folder, "/tmp/kurtosis-sdk-XXXXXX");
    if (!mkdtemp(self->folder))
        return -1;
    snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s/bus", self->folder);
    snprintf(self->keys_path, sizeof self->keys_path, "%s/user.key", self->folder);
    pthread_mutex_init(&self->lock, NULL);
    for (size_t i = 0; i < UPLOADS_MAX; i++)
        self->uploads[i] = STR_EMPTY;
    self->version = KURTOSIS_VERSION;
    bus_keys_new(&self->broker_keys);
    bus_keys_new(&self->keys);
    const char *const endpoints[] = {self->endpoint, NULL};
    bus_broker_config_t config = {
        .endpoints = endpoints, .keys = self->broker_keys, .may_join = may_join};
    AUTO(err) err = NULL;
    assert_done(bus_broker_new(&config, &self->broker, &err), err);
    self->engine = join(self, "engine", engine_table);
    self->apic = join(self, "apic/" ENCLAVE, apic_table);
    *state = self;
    return 0;
}

static int
tear_down(void **state)
{
    stage_t *self = *state;
    actor_destroy(&self->apic);
    actor_destroy(&self->engine);
    bus_broker_destroy(&self->broker);
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        str_done(&self->uploads[i]);
        free(self->names[i]);
    }
    free(self->params);
    free(self->package);
    pthread_mutex_destroy(&self->lock);
    file_remove_tree(self->folder, NULL);
    free(self);
    bus_context_term();
    return 0;
}

static int
try_connect(stage_t *self, kurtosis_context_t **ret_context, err_t **err)
{
    char key[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->broker_keys.public_key, key);
    kurtosis_options_t options = {
        .endpoint = self->endpoint, .engine_key = key, .keys_path = self->keys_path};
    return kurtosis_context_new(&options, ret_context, err);
}

static kurtosis_context_t *
connected(stage_t *self)
{
    kurtosis_context_t *context = NULL;
    AUTO(err) err = NULL;
    assert_done(try_connect(self, &context, &err), err);
    return context;
}

static enclave_context_t *
live_enclave(kurtosis_context_t *kurtosis)
{
    enclave_context_t *enclave = NULL;
    AUTO(err) err = NULL;
    assert_done(kurtosis_context_get_enclave_context(kurtosis, ENCLAVE, &enclave, &err), err);
    return enclave;
}

static void
write_file(const char *folder, const char *name, const char *text)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- connecting */

static void
connecting_compares_versions(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    assert_string_equal(kurtosis_context_engine_version(context), KURTOSIS_VERSION);
    sync_with_actors(stage);
    stage->version = "1.19.5";
    sync_with_actors(stage);
    kurtosis_context_t *other = NULL;
    AUTO(err) err = NULL;
    assert_error(try_connect(stage, &other, &err), err, ERR_STATE, "the engine has version 1.19.5");
    static const struct {
        const char *one, *other;
        bool fit;
    } rows[] = {
        {"1.20.0", "1.20.9", true}, {"1.20.0", "1.21.0", false}, {"1.20.0", "2.20.0", false},
        {"abc123", "1.20.0", true}, {"1.20", "1.21.0", true},    {"1.20.0-dirty", "1.21.0", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (kurtosis_versions_fit(rows[i].one, rows[i].other) != rows[i].fit)
            fail_msg("%s and %s", rows[i].one, rows[i].other);
}

static void
nobody_listening_is_unavailable_at_once(void **state)
{
    (void)state;
    char key[BUS_KEY_TEXT_SIZE], path[] = "/tmp/kurtosis-sdk-key-XXXXXX";
    bus_keys_t keys;
    bus_keys_new(&keys);
    bus_key_to_text(keys.public_key, key);
    assert_non_null(mkdtemp(path));
    AUTO_FREE char *file = str_format("%s/k", path);
    kurtosis_options_t options = {
        .endpoint = "tcp://127.0.0.1:1", .engine_key = key, .keys_path = file};
    kurtosis_context_t *context = NULL;
    AUTO(err) err = NULL;
    assert_error(kurtosis_context_new(&options, &context, &err), err, ERR_UNAVAILABLE,
                 "cannot connect to the Kurtosis engine");
    remove(file);
    remove(path);
}

static void
enclaves_are_found_among_all_that_are_and_were(void **state)
{
    AUTO(kurtosis_context) context = connected(*state);
    static const struct {
        const char *identifier;
        int code; /* 0: found */
        const char *says;
    } rows[] = {
        {"live", 0, NULL},
        {ENCLAVE, 0, NULL},
        {"aaaaaaaaaaaa", 0, NULL},
        {"stopped", ERR_STATE, "the enclave 'stopped' does not run"},
        {"twice", ERR_INVALID, "more than one enclave found with identifier 'twice'"},
        {"gone", ERR_NOT_FOUND, "no running enclave found with identifier 'gone'"},
        {"never", ERR_NOT_FOUND, "no enclave found with identifier 'never'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(enclave_context) enclave = NULL;
        AUTO(err) err = NULL;
        int result =
            kurtosis_context_get_enclave_context(context, rows[i].identifier, &enclave, &err);
        AUTO_FREE char *text = err_string(err);
        if (rows[i].code
                ? result >= 0 || (int)err_code(err) != rows[i].code || !strstr(text, rows[i].says)
                : result < 0 || strcmp(enclave_context_uuid(enclave), ENCLAVE))
            fail_msg("'%s': %s", rows[i].identifier, text);
    }
}

static void
a_production_enclave_is_asked_for_as_one(void **state)
{
    AUTO(kurtosis_context) context = connected(*state);
    AUTO(enclave_context) enclave = NULL;
    AUTO(err) err = NULL;
    enclave_options_t options = {.is_production = true};
    assert_done(kurtosis_context_create_enclave(context, "prod", &options, &enclave, &err), err);
    assert_true(enclave_context_is_production(enclave));
    assert_string_equal(enclave_context_name(enclave), "prod");
}

/* ---- runs */

static void
a_blocking_run_gathers_results_and_output(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    static const char *const lines[] = {
        "{\"progress_info\": {}}",
        "{\"instruction\": {\"instruction_name\": \"print\"}}",
        "{\"instruction_result\": {\"serialized_instruction_result\": \"one\"}}",
        "{\"instruction\": {\"instruction_name\": \"exec\", \"is_skipped\": true}}",
        "{\"instruction_result\": {\"serialized_instruction_result\": \"two\"}}",
        "{\"run_finished_event\": {\"is_run_successful\": true, \"serialized_output\": \"{}\"}}",
        "{\"info\": {\"info_message\": \"star us\"}}",
        NULL,
    };
    stage->lines = lines;
    sync_with_actors(stage);
    AUTO(starlark_run_result) result = NULL;
    AUTO(err) err = NULL;
    starlark_run_config_t config = STARLARK_RUN_CONFIG_DEFAULT;
    config.params = "a: yes\nb: [1, x]";
    assert_done(enclave_context_run_starlark_script_blocking(enclave, "def run(plan): pass",
                                                             &config, &result, &err),
                err);
    assert_true(result->is_successful);
    assert_string_equal(result->output.data, "one\ntwo\n{}\n");
    assert_int_equal(result->n_instructions, 2);
    assert_string_equal(result->instructions[0]->instruction_name, "print");
    assert_string_equal(result->instructions[1]->instruction_name, "exec");
    assert_true(result->instructions[1]->is_skipped);
    sync_with_actors(stage);
    assert_string_equal(stage->params, "{\"a\":true,\"b\":[1,\"x\"]}");
    assert_string_equal(stage->package, "def run(plan): pass");
}

static void
a_failed_run_fails_with_the_first_kind_of_error(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    static const char *const lines[] = {
        "{\"error\": {\"validation_error\": {\"error_message\": \"no image\"}}}",
        "{\"error\": {\"validation_error\": {\"error_message\": \"no port\"}}}",
        "{\"error\": {\"execution_error\": {\"error_message\": \"late\"}}}",
        "{\"run_finished_event\": {}}",
        NULL,
    };
    stage->lines = lines;
    sync_with_actors(stage);
    starlark_run_result_t *result = NULL;
    AUTO(err) err = NULL;
    assert_error(enclave_context_run_starlark_remote_package_blocking(enclave, "github.com/a/b",
                                                                      NULL, &result, &err),
                 err, ERR_INVALID, "error validating Starlark code: no image\nno port");
    sync_with_actors(stage);
    assert_string_equal(stage->package, "github.com/a/b 1");
    assert_string_equal(stage->params, "{}");
}

static int
stop_at_once(void *arg, const ApiContainerApi__StarlarkRunResponseLine *line, err_t **err)
{
    (void)line;
    ++*(int *)arg;
    return err_fail(err, ERR_CANCELLED, "enough");
}

static void
a_reader_may_leave_a_run(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    static const char *const lines[] = {"{\"info\": {}}", "{\"info\": {}}", NULL};
    stage->lines = lines;
    sync_with_actors(stage);
    int seen = 0;
    AUTO(err) err = NULL;
    assert_error(enclave_context_run_starlark_script(enclave, "", NULL, stop_at_once, &seen, &err),
                 err, ERR_CANCELLED, "enough");
    assert_int_equal(seen, 1);
}

/* Counts messages in tens, lines in ones. */
static int
count_line(void *arg, const ApiContainerApi__StarlarkRunResponseLine *line, err_t **err)
{
    (void)line;
    (void)err;
    ++*(int *)arg;
    return 0;
}

static void
count_pause(void *arg)
{
    *(int *)arg += 10;
}

static void
the_run_of_another_is_read_as_ones_own(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    static const char *const lines[] = {"{\"info\": {}}", "{\"info\": {}}", "{\"info\": {}}", NULL};
    stage->lines = lines;
    sync_with_actors(stage);
    int seen = 0;
    AUTO(err) err = NULL;
    assert_done(
        enclave_context_attach_starlark_run(enclave, true, count_pause, count_line, &seen, &err),
        err);
    assert_int_equal(seen, 33); /* three lines; two messages and the end */
    sync_with_actors(stage);
    assert_string_equal(stage->package, "only new");
}

static void
a_package_is_uploaded_with_its_local_dependencies(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    AUTO_FREE char *package = str_format("%s/package", stage->folder),
                   *library = str_format("%s/lib", stage->folder);
    mkdir(package, 0755);
    mkdir(library, 0755);
    write_file(package, "kurtosis.yml",
               "name: github.com/me/package\nreplace:\n  github.com/me/lib: ../lib\n  "
               "github.com/x/y: github.com/x/z\n");
    write_file(package, "main.star", "def run(plan): pass");
    write_file(library, "lib.star", "x = 1");
    AUTO(starlark_run_result) result = NULL;
    AUTO(err) err = NULL;
    assert_done(
        enclave_context_run_starlark_package_blocking(enclave, package, NULL, &result, &err), err);
    sync_with_actors(stage);
    assert_string_equal(stage->package, "github.com/me/package 0");
    assert_int_equal(stage->n_uploads, 2);
    assert_string_equal(stage->names[0], "github.com/me/package");
    assert_string_equal(stage->names[1], "github.com/me/lib");
    assert_memory_equal(stage->uploads[0].data, "\x1f\x8b", 2);
}

static void
what_is_no_package_is_refused(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    AUTO_FREE char *folder = str_format("%s/bad", stage->folder);
    mkdir(folder, 0755);
    static const struct {
        const char *manifest, *says;
    } rows[] = {
        {NULL, "Neither a 'kurtosis.yml' file nor one of the default Compose files (compose.yml, "
               "compose.yaml, docker-compose.yml, docker-compose.yaml, docker_compose.yml, "
               "docker_compose.yaml) was found in the package root; at least one of these is required"},
        {"nam: x", "needs to be set and cannot be empty"},
        {"name: [x]", "needs to be a string"},
        {"name: [", "is no YAML"},
        {"name: github.com/a/b\nreplace: {github.com/c/d: ./missing}",
         "An error occurred while uploading the local package './missing' that 'replace' in '"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        starlark_run_result_t *result = NULL;
        AUTO(err) err = NULL;
        if (rows[i].manifest)
            write_file(folder, "kurtosis.yml", rows[i].manifest);
        int code =
            enclave_context_run_starlark_package_blocking(enclave, folder, NULL, &result, &err);
        AUTO_FREE char *text = err_string(err);
        if (code >= 0 || !strstr(text, rows[i].says))
            fail_msg("%s: %s", rows[i].says, text);
    }
}

/* ---- files */

static void
large_files_go_in_chunks_that_name_the_one_before(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    AUTO_FREE char *path = str_format("%s/large", stage->folder);
    FILE *file = fopen(path, "w");
    unsigned random = 1;
    for (int i = 0; i < 7 * 1024 * 1024; i++) /* nothing that gzip could make small */
        fputc((int)((random = random * 1664525u + 1013904223u) >> 24), file);
    fclose(file);
    AUTO_FREE char *uuid = NULL, *name = NULL;
    AUTO(err) err = NULL;
    assert_done(enclave_context_upload_files(enclave, path, NULL, &uuid, &name, &err), err);
    assert_string_equal(name, "quiet-brook");
    sync_with_actors(stage);
    assert_string_equal(stage->names[0], "");
    assert_int_equal(stage->n_chunks, 3);
    assert_true(stage->uploads[0].len > 7 * 1024 * 1024);
    assert_error(enclave_context_upload_files(enclave, "/nonexistent", NULL, &uuid, NULL, &err),
                 err, ERR_NOT_FOUND, "/nonexistent");
}

static void
downloads_check_the_hashes_and_leave_nothing_on_failure(void **state)
{
    stage_t *stage = *state;
    AUTO(kurtosis_context) context = connected(stage);
    AUTO(enclave_context) enclave = live_enclave(context);
    AUTO_FREE char *path = str_format("%s/download", stage->folder);
    AUTO(err) err = NULL;
    assert_error(enclave_context_download_files_artifact(enclave, "broken", path, &err), err,
                 ERR_INTERNAL, "hash validation");
    assert_true(access(path, F_OK) < 0);
    assert_error(enclave_context_download_files_artifact(enclave, "none", path, &err), err,
                 ERR_NOT_FOUND, "there is no files artifact 'none'");
    assert_true(access(path, F_OK) < 0);
    assert_done(enclave_context_download_files_artifact(enclave, "good", path, &err), err);
    char text[32] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "hello world\n");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(connecting_compares_versions),
        cmocka_unit_test(nobody_listening_is_unavailable_at_once),
        ON_STAGE(enclaves_are_found_among_all_that_are_and_were),
        ON_STAGE(a_production_enclave_is_asked_for_as_one),
        ON_STAGE(a_blocking_run_gathers_results_and_output),
        ON_STAGE(a_failed_run_fails_with_the_first_kind_of_error),
        ON_STAGE(a_reader_may_leave_a_run),
        ON_STAGE(the_run_of_another_is_read_as_ones_own),
        ON_STAGE(a_package_is_uploaded_with_its_local_dependencies),
        ON_STAGE(what_is_no_package_is_refused),
        ON_STAGE(large_files_go_in_chunks_that_name_the_one_before),
        ON_STAGE(downloads_check_the_hashes_and_leave_nothing_on_failure),
    };
    actor_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
