/*  large: artifacts that are much larger than the API container may be go in and come out, and a package that is too large
 *  for a transfer is refused. */
#include "archive/archive.h"
#include "bus/schema/api_container.pb-c.h"
#include "tests/unit/apic/program.h"

#include <fcntl.h>

#define BLOCK_SIZE (8u << 20) /* one member of the gzip file */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BLOCKS_RANDOM 6 /* memory says nothing there */
#else
#define BLOCKS_RANDOM 36 /* that gzip cannot compress: 300 MB are 300 MB */
#endif
#define BLOCKS_ZERO 640 /* of zeros: 5 GB, which take few bytes on their way */
#define CHUNK_SIZE 1000000u
#define CHUNKS_MAX 16       /* of a block */
#define MEMORY_MAX_KB 32768 /* at its peak: what may be in flight, and the process */

/* A gzip member of these bytes. */
static char *
compress(program_t *self, const void *data, size_t size, size_t *ret_size)
{
    AUTO_FREE char *path = str_format("%s/member.gz", self->stage->folder);
    AUTO(archive_gzip) gzip = NULL;
    assert_int_equal(archive_gzip_new(path, &gzip, NULL), 0);
    assert_int_equal(archive_gzip_add(gzip, data, size, NULL), 0);
    assert_int_equal(archive_gzip_end(gzip, NULL), 0);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *packed = malloc(size + size / 100 + 1024);
    ssize_t got = read(fd, packed, size + size / 100 + 1024);
    assert_true(got > 0);
    *ret_size = (size_t)got;
    unlink(path);
    return packed;
}

static int blocks;

/* The head of a tar with one file of all blocks. */
static char *
head(program_t *self, size_t *ret_size)
{
    char tar[512] = "large";
    snprintf(tar + 100, 8, "%07o", 0644);
    snprintf(tar + 124, 12, "%011llo", (unsigned long long)blocks * BLOCK_SIZE & 077777777777);
    memset(tar + 148, ' ', 8);
    tar[156] = '0';
    memcpy(tar + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof tar; i++)
        sum += (unsigned char)tar[i];
    snprintf(tar + 148, 8, "%06o", sum);
    return compress(self, tar, sizeof tar, ret_size);
}

static char *
block(program_t *self, bool is_random, size_t *ret_size)
{
    AUTO_FREE uint32_t *data = calloc(1, BLOCK_SIZE);
    uint32_t number = is_random; /* zero stays zero */
    for (size_t i = 0; i < BLOCK_SIZE / sizeof *data; i++) {
        number ^= number << 13, number ^= number >> 17, number ^= number << 5;
        data[i] = number;
    }
    return compress(self, data, BLOCK_SIZE, ret_size);
}

/* The artifact: the head, the block so many times, the end. */
typedef struct {
    char *data;
    size_t size;
    char hashes[CHUNKS_MAX]
               [ARCHIVE_SHA1_SIZE]; /* of its chunks, which are the same each time; "": not yet */
} part_t;

static part_t parts[3];

static part_t *
part_of(int number)
{
    return &parts[number == 0 ? 0 : number <= blocks ? 1 : 2];
}

#define PARTS (blocks + 2)

static void
parts_make(program_t *self, int count, bool is_random)
{
    blocks = count;
    memset(parts, 0, sizeof parts);
    static const char end[1024];
    parts[0].data = head(self, &parts[0].size);
    parts[1].data = block(self, is_random, &parts[1].size);
    parts[2].data = compress(self, end, sizeof end, &parts[2].size);
}

static void
parts_free(void)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        free(TAKE(parts[i].data));
}

/* Chunk by chunk; hash is the one of the last chunk. */
static void
send_part(actor_stream_t *stream, part_t *self, char hash[ARCHIVE_SHA1_SIZE])
{
    for (size_t at = 0, size; at < self->size; at += size) {
        size = self->size - at < CHUNK_SIZE ? self->size - at : CHUNK_SIZE;
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
        metadata.name = (char *)"large";
        chunk.metadata = &metadata;
        chunk.data = (ProtobufCBinaryData){.len = size, .data = (uint8_t *)self->data + at};
        chunk.previous_chunk_hash = hash;
        err_t *err = NULL;
        if (actor_stream_send(stream, &chunk.base, &err) < 0)
            fail_msg("%s", support_why(&err));
        char *known = self->hashes[at / CHUNK_SIZE];
        if (!*known)
            archive_sha1(self->data + at, size, known);
        memcpy(hash, known, ARCHIVE_SHA1_SIZE);
    }
}

static void
upload(program_t *self)
{
    AUTO(actor_stream) stream = NULL;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    err_t *err = NULL;
    if (actor_stream_open(self->client, NULL, APIC, SERVICE "UploadFilesArtifact", NULL, &stream,
                          &err) < 0)
        fail_msg("%s", support_why(&err));
    for (int i = 0; i < PARTS; i++)
        send_part(stream, part_of(i), hash);
    if (actor_stream_end(stream, &err) < 0 ||
        actor_stream_recv(stream, 4 * PATIENCE_MS, &reply, &err) < 0)
        fail_msg("%s", support_why(&err));
}

/* Every byte is the one that was sent. */
static void
download(program_t *self)
{
    AUTO(actor_stream) stream = NULL;
    ApiContainerApi__DownloadFilesArtifactArgs args =
        API_CONTAINER_API__DOWNLOAD_FILES_ARTIFACT_ARGS__INIT;
    args.identifier = (char *)"large";
    err_t *err = NULL;
    int part = 0;
    size_t at = 0; /* in the part */
    int rc = actor_stream_open(self->client, NULL, APIC, SERVICE "DownloadFilesArtifact",
                               &args.base, &stream, &err);
    while (rc >= 0) {
        AUTO_MESSAGE ApiContainerApi__StreamedDataChunk *chunk = NULL;
        rc = actor_stream_recv(stream, PATIENCE_MS, (ProtobufCMessage **)&chunk, &err);
        if (rc <= 0)
            break;
        for (size_t done = 0, size; done < chunk->data.len; done += size) {
            assert_true(part < PARTS);
            const part_t *now = part_of(part);
            size_t left = chunk->data.len - done;
            size = now->size - at < left ? now->size - at : left;
            assert_true(memcmp(chunk->data.data + done, now->data + at, size) == 0);
            at += size;
            if (at == now->size)
                part++, at = 0;
        }
    }
    if (rc < 0)
        fail_msg("%s", support_why(&err));
    assert_int_equal(part, PARTS);
}

static void
goes_in_and_comes_out(program_t *self, int count, bool is_random)
{
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    long before = program_memory_kb(self, "VmHWM:");
    parts_make(self, count, is_random);
    upload(self);
    long uploaded = program_memory_kb(self, "VmHWM:");
    download(self);
    long downloaded = program_memory_kb(self, "VmHWM:");
    print_message(
        "at the peak: %ld kB before, %ld kB after the upload, %ld kB after the download\n", before,
        uploaded, downloaded);
    parts_free();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(downloaded < MEMORY_MAX_KB);
#endif
}

static void
an_artifact_of_300_mb_goes_in_and_comes_out_in_constant_memory(void **state)
{
    goes_in_and_comes_out(*state, BLOCKS_RANDOM, true);
}

static void
an_artifact_of_5_gb_goes_in_and_comes_out_in_constant_memory(void **state)
{
    goes_in_and_comes_out(*state, BLOCKS_ZERO, false);
}

#if !defined(__SANITIZE_ADDRESS__) &&                                                              \
    !defined(__SANITIZE_THREAD__) /* it would take minutes there */
/* Sends a package of so many bytes; false with the error that answers it. */
static bool
upload_package(program_t *self, uint64_t size, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    AUTO_FREE uint8_t *zeros = calloc(1, BUS_CHUNK_MAX);
    ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
    ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
    char hash[ARCHIVE_SHA1_SIZE] = "";
    metadata.name = (char *)"github.com/me/large";
    chunk.metadata = &metadata;
    assert_int_equal(actor_stream_open(self->client, NULL, APIC, SERVICE "UploadStarlarkPackage",
                                       NULL, &stream, NULL),
                     0);
    archive_sha1(zeros, BUS_CHUNK_MAX, hash);
    for (uint64_t sent = 0; sent < size; sent += chunk.data.len) {
        const uint64_t left = size - sent;
        chunk.data = (ProtobufCBinaryData){left < BUS_CHUNK_MAX ? left : BUS_CHUNK_MAX, zeros};
        if (actor_stream_send(stream, &chunk.base, err) < 0)
            return false;
        chunk.previous_chunk_hash = hash;
    }
    actor_stream_end(stream, NULL); /* it may have been refused by now: the answer says so */
    return actor_stream_recv(stream, 4 * PATIENCE_MS, &reply, err) > 0;
}

static void
a_package_that_reaches_the_limit_is_refused_and_the_enclave_goes_on(void **state)
{
    program_t *self = *state;
    AUTO_STR errors = STR_EMPTY;
    err_t *err = NULL;
    program_start(self, SUPPORT_ENCLAVE);
    program_until_joined(self);
    assert_false(upload_package(self, ARCHIVE_UPLOAD_MAX, &err));
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "cannot receive a package"));
    assert_non_null(strstr(why, "'github.com/me/large' has 2097152000 bytes or more"));
    assert_true(program_memory_kb(self, "VmHWM:") < MEMORY_MAX_KB);

    if (!program_run(self, "def run(plan):\n    plan.print(\"goes on\")\n", NULL, NULL, &errors))
        fail_msg("%s", errors.data);
}
#endif

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_artifact_of_300_mb_goes_in_and_comes_out_in_constant_memory, program_setup,
            program_teardown),
        cmocka_unit_test_setup_teardown(
            an_artifact_of_5_gb_goes_in_and_comes_out_in_constant_memory, program_setup,
            program_teardown),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test_setup_teardown(
            a_package_that_reaches_the_limit_is_refused_and_the_enclave_goes_on, program_setup,
            program_teardown),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
