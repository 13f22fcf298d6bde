/*  program: kurtosis-apic as a process of its own: its environment, its end, its memory. */
#include "archive/archive.h"
#include "bus/schema/api_container.pb-c.h"
#include "tests/unit/apic_core/stage.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#define APIC "apic/" SUPPORT_ENCLAVE
#define SERVICE "api_container_api.ApiContainerService/"
#define MEMORY_MAX_KB 12288 /* resident, after typical work */
#define PATIENCE_MS 10000

typedef struct {
    stage_t *stage;
    actor_t *client;
    pid_t pid;
    char *errors; /* file with what it wrote to standard error */
} program_t;

static int
setup(void **state)
{
    program_t *self = calloc(1, sizeof *self);
    void *stage;
    stage_setup(&stage);
    self->stage = stage;
    stage_close(self->stage);
    self->client = stage_actor(self->stage, "client/test", NULL, NULL);
    self->errors = str_format("%s/errors", self->stage->folder);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    program_t *self = *state;
    if (self->pid) {
        kill(self->pid, SIGKILL);
        waitpid(self->pid, NULL, 0);
    }
    actor_destroy(&self->client);
    void *stage = self->stage;
    free(self->errors);
    stage_teardown(&stage);
    free(self);
    return 0;
}

static char *
program_path(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len < 0 ? 0 : len] = 0;
    *strrchr(path, '/') = 0;
    return str_format("%s/kurtosis-apic", path);
}

static void
start(program_t *self, const char *uuid)
{
    char broker[BUS_KEY_TEXT_SIZE], secret[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->stage->broker_keys.public_key, broker);
    bus_key_to_text(self->stage->keys.secret_key, secret);
    char *env[] = {
        str_format("SERIALIZED_ARGS={\"enclaveUuid\": \"%s\", \"enclaveDataVolume\": \"%s/data\"}",
                   uuid, self->stage->folder),
        str_format("KURTOSIS_BUS_ENDPOINT=%s", self->stage->endpoint),
        str_format("KURTOSIS_BUS_BROKER_KEY=%s", broker),
        str_format("KURTOSIS_BUS_SECRET=%s", secret),
        strdup("OWN_IP_ADDRESS=127.77.0.2"),
        strdup("KURTOSIS_SUBNET=" STAGE_SUBNET),
        strdup("KURTOSIS_GATEWAY=127.77.0.1"),
        str_format("TSAN_OPTIONS=%s", getenv("TSAN_OPTIONS") ? getenv("TSAN_OPTIONS") : ""),
        NULL};
    AUTO_FREE char *path = program_path();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 2, self->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char *argv[] = {path, NULL};
    assert_int_equal(posix_spawn(&self->pid, path, &files, NULL, argv, env), 0);
    posix_spawn_file_actions_destroy(&files);
    for (char **variable = env; *variable; variable++)
        free(*variable);
}

static int
wait_for_end(program_t *self)
{
    int status = 0;
    assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
    self->pid = 0;
    return status;
}

static void
until_joined(program_t *self)
{
    err_t *err = NULL;
    if (bus_broker_wait_peer(self->stage->broker, APIC, PATIENCE_MS, &err) < 0)
        fail_msg("%s", support_why(&err));
}

static void
it_joins_serves_and_ends_when_it_is_told_to(void **state)
{
    program_t *self = *state;
    start(self, SUPPORT_ENCLAVE);
    until_joined(self);
    ApiContainerApi__GetServicesArgs args = API_CONTAINER_API__GET_SERVICES_ARGS__INIT;
    AUTO_MESSAGE ApiContainerApi__GetServicesResponse *reply = NULL;
    err_t *err = NULL;
    if (actor_ask(self->client, NULL, APIC, SERVICE "GetServices", &args.base, PATIENCE_MS,
                  (ProtobufCMessage **)&reply, &err) < 0)
        fail_msg("%s", support_why(&err));
    assert_int_equal(reply->n_service_info, 0);
    kill(self->pid, SIGTERM);
    int status = wait_for_end(self);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_wrong_environment_is_one_line_and_exit_code_1(void **state)
{
    program_t *self = *state;
    start(self, "not-a-uuid");
    int status = wait_for_end(self);
    assert_int_equal(WEXITSTATUS(status), 1);
    char text[2048] = "";
    FILE *file = fopen(self->errors, "r");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_non_null(strstr(text, "SERIALIZED_ARGS is wrong"));
    assert_non_null(strstr(text, "'not-a-uuid'"));
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
}

/* An artifact on its way in, in chunks of the largest size. */
static void
upload(program_t *self, const char *name)
{
    AUTO_FREE char *path = str_format("%s/%s.tgz", self->stage->folder, name);
    size_t size = 5000000;
    AUTO_FREE char *data = malloc(size);
    unsigned number = 1;
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((number = number * 1103515245 + 12345) >> 16);
    archive_file_t file = {"x", data, size};
    assert_int_equal(archive_tgz_pack_files(&file, 1, path, NULL, NULL), 0);

    AUTO(actor_stream) stream = NULL;
    ProtobufCMessage *reply = NULL;
    err_t *err = NULL;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    int fd = open(path, O_RDONLY);
    int rc = actor_stream_open(self->client, NULL, APIC, SERVICE "UploadFilesArtifact", NULL,
                               &stream, &err);
    AUTO_FREE uint8_t *part = malloc(BUS_CHUNK_MAX);
    for (ssize_t got; rc == 0 && (got = read(fd, part, BUS_CHUNK_MAX)) > 0;) {
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
        metadata.name = (char *)name;
        chunk.metadata = &metadata;
        chunk.data = (ProtobufCBinaryData){.len = (size_t)got, .data = part};
        chunk.previous_chunk_hash = hash;
        rc = actor_stream_send(stream, &chunk.base, &err);
        archive_sha1(part, (size_t)got, hash);
    }
    close(fd);
    if (rc == 0)
        rc = actor_stream_end(stream, &err);
    if (rc == 0)
        rc = actor_stream_recv(stream, PATIENCE_MS, &reply, &err);
    if (rc < 0)
        fail_msg("%s", support_why(&err));
    bus_message_destroy(&reply);
}

static long
memory_kb(pid_t pid)
{
    AUTO_FREE char *path = str_format("/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    char line[256];
    long kb = -1;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "Rss", 3) == 0)
            print_message("%s", line);
    }
    fclose(file);
    return kb;
}

static void
its_memory_stays_small_after_typical_work(void **state)
{
    program_t *self = *state;
    start(self, SUPPORT_ENCLAVE);
    until_joined(self);
    for (int i = 0; i < 4; i++) {
        AUTO_FREE char *name = str_format("a%d", i);
        upload(self, name);
    }
    Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
    for (int i = 0; i < 100; i++)
        assert_int_equal(actor_ask(self->client, NULL, APIC,
                                   SERVICE "ListFilesArtifactNamesAndUuids", &empty.base,
                                   PATIENCE_MS, NULL, NULL),
                         0);
    long kb = memory_kb(self->pid);
    assert_true(kb > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(kb < MEMORY_MAX_KB);
#endif
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        T(it_joins_serves_and_ends_when_it_is_told_to),
        T(a_wrong_environment_is_one_line_and_exit_code_1),
        T(its_memory_stays_small_after_typical_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
