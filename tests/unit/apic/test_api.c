/*  api: the public API as a client sees it: over a broker, with a driver in memory behind. */
#include "apic/api/api.h"
#include "archive/archive.h"
#include "bus/schema/api_container.pb-c.h"
#include "tests/unit/apic_core/stage.h"

#define SERVICE "api_container_api.ApiContainerService/"
#define APIC "apic/" SUPPORT_ENCLAVE

typedef struct {
    stage_t *stage;
    api_t api;
    actor_t *client;
} api_stage_t;

static int
setup(void **state)
{
    api_stage_t *self = calloc(1, sizeof *self);
    void *stage;
    stage_setup(&stage);
    self->stage = stage;
    stage_close(self->stage);
    /* The handlers wait for a core whose actor is not attached yet, so the order does not matter.
     */
    core_config_t config = stage_config(self->stage->folder);
    assert_int_equal(core_new(&config, &self->stage->core, NULL), 0);
    self->api.core = self->stage->core;
    self->stage->apic = stage_actor(self->stage, APIC, api_methods(), &self->api);
    assert_int_equal(core_attach(self->stage->core, self->stage->apic, NULL), 0);
    self->client = stage_actor(self->stage, "client/test", NULL, NULL);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    api_stage_t *self = *state;
    actor_destroy(&self->client);
    void *stage = self->stage;
    stage_teardown(&stage);
    free(self);
    return 0;
}

/* Asks; the reply is the caller's, NULL on failure (with *err). */
static void *
ask(api_stage_t *self, const char *method, const ProtobufCMessage *request, err_t **err)
{
    AUTO_FREE char *name = str_format(SERVICE "%s", method);
    ProtobufCMessage *reply = NULL;
    if (actor_ask(self->client, NULL, APIC, name, request, 30000, &reply, err) < 0)
        return NULL;
    return reply;
}

/* ------------------------------------------------------------------------------------- services */

static ApiContainerApi__GetServicesResponse *
get_services(api_stage_t *self, const char *const *identifiers, err_t **err)
{
    ApiContainerApi__GetServicesArgs args = API_CONTAINER_API__GET_SERVICES_ARGS__INIT;
    ApiContainerApi__GetServicesArgs__ServiceIdentifiersEntry entries[8], *pointers[8];
    args.service_identifiers = pointers;
    for (; identifiers && identifiers[args.n_service_identifiers]; args.n_service_identifiers++) {
        size_t i = args.n_service_identifiers;
        api_container_api__get_services_args__service_identifiers_entry__init(&entries[i]);
        entries[i].key = (char *)identifiers[i];
        entries[i].value = true;
        pointers[i] = &entries[i];
    }
    return ask(self, "GetServices", &args.base, err);
}

static const ApiContainerApi__ServiceInfo *
info_of(const ApiContainerApi__GetServicesResponse *reply, const char *key)
{
    for (size_t i = 0; i < reply->n_service_info; i++)
        if (strcmp(reply->service_info[i]->key, key) == 0)
            return reply->service_info[i]->value;
    fail_msg("there is no '%s'", key);
    return NULL;
}

static void
a_service_is_shown_with_what_it_was_started_with(void **state)
{
    api_stage_t *self = *state;
    core_file_t file = {"x", "y", 1};
    assert_int_equal(core_artifact_put_files(self->stage->core, "art", &file, 1, NULL, NULL, NULL),
                     0);
    core_service_config_t *a = support_service("a");
    support_port(a, "http", 8080, -1);
    support_port(a, "late", 8081, -1);
    a->waits = calloc(1, sizeof *a->waits);
    a->waits[a->n_waits++] = (core_port_wait_t){.port_id = strdup("late"), .wait_ns = 0};
    a->spec->ports[1]->transport = ORCHESTRATOR__TRANSPORT__UDP;
    a->spec->ports[0]->public_number = 32000;
    core_set_text(&a->spec->ports[0]->application_protocol, "http");
    a->spec->max_millicpus = 500;
    a->spec->privileged = true;
    a->waits[0].wait_ns = 120000000000;
    support_files(a, "/data", "art");
    STAGE_START(self->stage, a);

    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply = get_services(self, NULL, NULL);
    assert_int_equal(reply->n_service_info, 1);
    const ApiContainerApi__ServiceInfo *info = info_of(reply, "a");
    assert_string_equal(info->name, "a");
    assert_memory_equal(info->shortened_uuid, info->service_uuid, 12);
    assert_string_equal(info->private_ip_addr, stage_ip(3));
    assert_int_equal(info->service_status, API_CONTAINER_API__SERVICE_STATUS__RUNNING);
    assert_int_equal(info->container->status, API_CONTAINER_API__CONTAINER__STATUS__RUNNING);
    assert_string_equal(info->container->image_name, "image");
    assert_int_equal(info->n_private_ports, 2);
    assert_string_equal(info->private_ports[0]->value->maybe_application_protocol, "http");
    assert_string_equal(info->private_ports[0]->value->maybe_wait_timeout, "");
    assert_string_equal(info->private_ports[1]->value->maybe_wait_timeout, "2m0s");
    assert_int_equal(info->private_ports[1]->value->transport_protocol,
                     API_CONTAINER_API__PORT__TRANSPORT_PROTOCOL__UDP);
    assert_int_equal(info->n_maybe_public_ports, 1);
    assert_int_equal(info->maybe_public_ports[0]->value->number, 32000);
    assert_string_equal(info->maybe_public_ip_addr, "127.0.0.1");
    assert_int_equal(info->max_millicpus, 500);
    assert_true(info->privileged);
    assert_string_equal(info->service_dir_paths_to_files_artifacts_list[0]->key, "/data");
    assert_string_equal(
        info->service_dir_paths_to_files_artifacts_list[0]->value->files_artifacts_identifiers[0],
        "art");
}

static void
what_runs_is_what_the_orchestrator_says(void **state)
{
    api_stage_t *self = *state;
    STAGE_START(self->stage, support_service("runs"), support_service("died"),
                support_service("gone"), support_service("stopped"));
    sim_kill(self->stage->sim, "died", 3);
    sim_forget(self->stage->sim, "gone");
    assert_int_equal(core_service_stop(self->stage->core, NULL, "stopped", NULL), 0);
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply = get_services(self, NULL, NULL);
    static const struct {
        const char *name;
        int service, container;
    } cases[] = {
        {"runs", API_CONTAINER_API__SERVICE_STATUS__RUNNING,
         API_CONTAINER_API__CONTAINER__STATUS__RUNNING},
        {"died", API_CONTAINER_API__SERVICE_STATUS__STOPPED,
         API_CONTAINER_API__CONTAINER__STATUS__STOPPED},
        {"gone", API_CONTAINER_API__SERVICE_STATUS__STOPPED,
         API_CONTAINER_API__CONTAINER__STATUS__UNKNOWN},
        {"stopped", API_CONTAINER_API__SERVICE_STATUS__STOPPED,
         API_CONTAINER_API__CONTAINER__STATUS__STOPPED},
    };
    assert_int_equal(reply->n_service_info, ARRAY_LEN(cases));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const ApiContainerApi__ServiceInfo *info = info_of(reply, cases[i].name);
        assert_int_equal(info->service_status, cases[i].service);
        assert_int_equal(info->container->status, cases[i].container);
    }
}

static void
services_are_keyed_by_what_was_asked_for_and_one_unknown_fails_all(void **state)
{
    api_stage_t *self = *state;
    STAGE_START(self->stage, support_service("a"), support_service("b"));
    AUTO(core_service) b = NULL;
    assert_int_equal(core_service_find(self->stage->core, "b", &b, NULL), 0);
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply =
        get_services(self, (const char *[]){"a", b->uuid, NULL}, NULL);
    assert_int_equal(reply->n_service_info, 2);
    assert_string_equal(info_of(reply, "a")->name, "a");
    assert_string_equal(info_of(reply, b->uuid)->name, "b");
    err_t *err = NULL;
    assert_null(get_services(self, (const char *[]){"a", "nobody", NULL}, &err));
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "'nobody'"));
}

static void
a_command_gives_code_and_text(void **state)
{
    api_stage_t *self = *state;
    STAGE_START(self->stage, support_service("a"));
    ApiContainerApi__ExecCommandArgs args = API_CONTAINER_API__EXEC_COMMAND_ARGS__INIT;
    args.service_identifier = (char *)"a";
    args.command_args = (char *[]){"echo", "bad \xff byte"};
    args.n_command_args = 2;
    AUTO_MESSAGE ApiContainerApi__ExecCommandResponse *echo =
        ask(self, "ExecCommand", &args.base, NULL);
    assert_string_equal(echo->log_output, "bad \xef\xbf\xbd byte\n");
    args.command_args = (char *[]){"fail", "7"};
    AUTO_MESSAGE ApiContainerApi__ExecCommandResponse *fail =
        ask(self, "ExecCommand", &args.base, NULL);
    assert_int_equal(fail->exit_code, 7);
    args.service_identifier = (char *)"nobody";
    AUTO(err) err = NULL;
    assert_null(ask(self, "ExecCommand", &args.base, &err));
    assert_int_equal(err_code(err), ERR_NOT_FOUND);
}

static void
an_endpoint_without_retries_needs_no_request_but_a_running_service(void **state)
{
    api_stage_t *self = *state;
    STAGE_START(self->stage, support_service("a"));
    ApiContainerApi__WaitForHttpGetEndpointAvailabilityArgs args =
        API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS__INIT;
    args.service_identifier = (char *)"a";
    args.port = 18080;
    ProtobufCMessage *reply = ask(self, "WaitForHttpGetEndpointAvailability", &args.base, NULL);
    assert_non_null(reply);
    bus_message_destroy(&reply);

    args._retries_case =
        API_CONTAINER_API__WAIT_FOR_HTTP_GET_ENDPOINT_AVAILABILITY_ARGS___RETRIES_RETRIES;
    args.retries = 2;
    err_t *err = NULL;
    assert_null(ask(self, "WaitForHttpGetEndpointAvailability", &args.base, &err));
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "endpoint '/' of service 'a' is not available"));
    assert_non_null(strstr(why, "in 2 tries"));

    sim_kill(self->stage->sim, "a", 1);
    assert_null(ask(self, "WaitForHttpGetEndpointAvailability", &args.base, &err));
    AUTO_FREE char *dead = support_why(&err);
    assert_non_null(strstr(dead, "is not running"));
}

/* ---------------------------------------------------------------------------------------- files */

/* Sends data in pieces of a size; wrong_hash: the number of the piece whose hash is spoilt. */
static void *
upload(api_stage_t *self, const char *method, const char *name, const char *data, size_t size,
       size_t piece, size_t wrong_hash, err_t **err)
{
    AUTO_FREE char *full = str_format(SERVICE "%s", method);
    AUTO(actor_stream) stream = NULL;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    ProtobufCMessage *reply = NULL;
    if (actor_stream_open(self->client, NULL, APIC, full, NULL, &stream, err) < 0)
        return NULL;
    for (size_t at = 0, i = 0; at < size; at += piece, i++) {
        size_t part = size - at < piece ? size - at : piece;
        ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        metadata.name = (char *)name;
        chunk.metadata = &metadata;
        chunk.data = (ProtobufCBinaryData){.len = part, .data = (uint8_t *)data + at};
        chunk.previous_chunk_hash = i == wrong_hash ? (char *)"0123" : hash;
        if (actor_stream_send(stream, &chunk.base, err) < 0)
            return NULL;
        archive_sha1(data + at, part, hash);
    }
    if (actor_stream_end(stream, err) < 0 || actor_stream_recv(stream, 30000, &reply, err) < 0)
        return NULL;
    return reply;
}

/* A gzip-compressed tar of one file with content that does not compress. */
static void
make_archive(str_t *ret_archive, size_t size)
{
    char *folder = support_folder();
    AUTO_FREE char *path = str_format("%s/x.tgz", folder);
    AUTO_FREE char *data = malloc(size);
    unsigned number = 1;
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((number = number * 1103515245 + 12345) >> 16);
    archive_file_t file = {"main.star", data, size};
    assert_int_equal(archive_tgz_pack_files(&file, 1, path, NULL, NULL), 0);
    FILE *stream = fopen(path, "rb");
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof part, stream)) > 0;)
        str_add_bytes(ret_archive, part, got);
    fclose(stream);
    support_folder_drop(folder);
}

static void
download(api_stage_t *self, const char *identifier, str_t *ret_data)
{
    ApiContainerApi__DownloadFilesArtifactArgs args =
        API_CONTAINER_API__DOWNLOAD_FILES_ARTIFACT_ARGS__INIT;
    args.identifier = (char *)identifier;
    AUTO(actor_stream) stream = NULL;
    err_t *err = NULL;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    int rc = actor_stream_open(self->client, NULL, APIC, SERVICE "DownloadFilesArtifact",
                               &args.base, &stream, &err);
    while (rc >= 0) {
        AUTO_MESSAGE ApiContainerApi__StreamedDataChunk *chunk = NULL;
        rc = actor_stream_recv(stream, 30000, (ProtobufCMessage **)&chunk, &err);
        if (rc <= 0)
            break;
        assert_string_equal(chunk->previous_chunk_hash, hash);
        assert_string_equal(chunk->metadata->name, identifier);
        archive_sha1(chunk->data.data, chunk->data.len, hash);
        str_add_bytes(ret_data, chunk->data.data, chunk->data.len);
    }
    if (rc < 0)
        fail_msg("%s", support_why(&err));
}

static void
an_artifact_comes_back_as_it_was_uploaded(void **state)
{
    api_stage_t *self = *state;
    AUTO_STR archive = STR_EMPTY;
    AUTO_STR back = STR_EMPTY;
    make_archive(&archive, 1500000);
    err_t *err = NULL;
    AUTO_MESSAGE ApiContainerApi__UploadFilesArtifactResponse *reply = upload(
        self, "UploadFilesArtifact", "art", archive.data, archive.len, 100000, SIZE_MAX, &err);
    if (!reply)
        fail_msg("%s", support_why(&err));
    assert_string_equal(reply->name, "art");
    download(self, reply->uuid, &back);
    assert_int_equal(back.len, archive.len);
    assert_memory_equal(back.data, archive.data, archive.len);

    AUTO_MESSAGE ApiContainerApi__UploadFilesArtifactResponse *unnamed =
        upload(self, "UploadFilesArtifact", "", archive.data, archive.len, 3145728, SIZE_MAX, NULL);
    assert_non_null(strchr(unnamed->name, '-'));
    assert_null(upload(self, "UploadFilesArtifact", "art", archive.data, archive.len, 3145728,
                       SIZE_MAX, &err));
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "'art' has already been used"));
}

static void
a_chunk_that_does_not_fit_the_one_before_is_refused(void **state)
{
    api_stage_t *self = *state;
    err_t *err = NULL;
    assert_null(upload(self, "UploadFilesArtifact", "x", "hello world ", 12, 6, 1, &err));
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "hash validation"));
    assert_non_null(strstr(why, "c4d871ad13ad00fde9a7bb7ff7ed2543aec54241") ? why
                                                                            : strstr(why, "retry"));
    assert_null(upload(self, "UploadFilesArtifact", "x", "no archive", 10, 10, SIZE_MAX, &err));
    AUTO_FREE char *junk = support_why(&err);
    assert_non_null(strstr(junk, "gzip-compressed tar"));
}

static void
a_package_is_uploaded_under_its_id_or_refused_without_one(void **state)
{
    api_stage_t *self = *state;
    AUTO_STR archive = STR_EMPTY;
    make_archive(&archive, 100);
    ProtobufCMessage *reply = upload(self, "UploadStarlarkPackage", "github.com/a/b", archive.data,
                                     archive.len, 64, SIZE_MAX, NULL);
    assert_non_null(reply);
    bus_message_destroy(&reply);
    AUTO_FREE char *path = str_format("%s/a/b/main.star", core_repositories(self->stage->core));
    assert_int_equal(access(path, F_OK), 0);
    err_t *err = NULL;
    assert_null(upload(self, "UploadStarlarkPackage", "", "", 0, 1, SIZE_MAX, &err));
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "has no name"));
    static const char zeros[1000];
    assert_null(
        upload(self, "UploadStarlarkPackage", "github.com/a/z", zeros, sizeof zeros, 1000, SIZE_MAX, &err));
    AUTO_FREE char *empty = support_why(&err);
    assert_non_null(strstr(empty, "no gzip-compressed tar archive"));
}

static void
artifacts_are_listed_inspected_and_copied_from_services(void **state)
{
    api_stage_t *self = *state;
    STAGE_START(self->stage, support_service("a"));
    ApiContainerApi__StoreFilesArtifactFromServiceArgs copy =
        API_CONTAINER_API__STORE_FILES_ARTIFACT_FROM_SERVICE_ARGS__INIT;
    copy.service_identifier = (char *)"a";
    copy.source_path = (char *)"/etc/hosts";
    copy.name = (char *)"copied";
    AUTO_MESSAGE ApiContainerApi__StoreFilesArtifactFromServiceResponse *stored =
        ask(self, "StoreFilesArtifactFromService", &copy.base, NULL);
    assert_int_equal(strlen(stored->uuid), 32);

    Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
    AUTO_MESSAGE ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *list =
        ask(self, "ListFilesArtifactNamesAndUuids", &empty.base, NULL);
    assert_int_equal(list->n_file_names_and_uuids, 1);
    assert_string_equal(list->file_names_and_uuids[0]->filename, "copied");
    assert_string_equal(list->file_names_and_uuids[0]->fileuuid, stored->uuid);

    ApiContainerApi__InspectFilesArtifactContentsRequest which =
        API_CONTAINER_API__INSPECT_FILES_ARTIFACT_CONTENTS_REQUEST__INIT;
    ApiContainerApi__FilesArtifactNameAndUuid name =
        API_CONTAINER_API__FILES_ARTIFACT_NAME_AND_UUID__INIT;
    which.file_names_and_uuid = &name;
    name.fileuuid = stored->uuid;
    AUTO_MESSAGE ApiContainerApi__InspectFilesArtifactContentsResponse *contents =
        ask(self, "InspectFilesArtifactContents", &which.base, NULL);
    assert_int_equal(contents->n_file_descriptions, 1);
    assert_string_equal(contents->file_descriptions[0]->path, "note.txt");
    assert_string_equal(contents->file_descriptions[0]->text_preview, "/etc/hosts");

    name.fileuuid = (char *)"";
    AUTO(err) err = NULL;
    assert_null(ask(self, "InspectFilesArtifactContents", &which.base, &err));
    assert_int_equal(err_code(err), ERR_INVALID);
}

static void
every_method_of_the_schema_has_a_handler(void **state)
{
    (void)state;
    size_t count;
    const bus_method_t *methods = bus_methods(&count);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(methods[i].name, SERVICE, strlen(SERVICE)) != 0)
            continue;
        const actor_method_t *ours = api_methods();
        while (ours->method && strcmp(ours->method, methods[i].name) != 0)
            ours++;
        if (!ours->method)
            fail_msg("%s has no handler", methods[i].name);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        T(a_service_is_shown_with_what_it_was_started_with),
        T(what_runs_is_what_the_orchestrator_says),
        T(services_are_keyed_by_what_was_asked_for_and_one_unknown_fails_all),
        T(a_command_gives_code_and_text),
        T(an_endpoint_without_retries_needs_no_request_but_a_running_service),
        T(an_artifact_comes_back_as_it_was_uploaded),
        T(a_chunk_that_does_not_fit_the_one_before_is_refused),
        T(a_package_is_uploaded_under_its_id_or_refused_without_one),
        T(artifacts_are_listed_inspected_and_copied_from_services),
        cmocka_unit_test(every_method_of_the_schema_has_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
