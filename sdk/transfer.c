/*  transfer: files as chunks, each with the SHA-1 of the one before. See sdk.h. */
#include "sdk/contexts.h"

#include "archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

_Static_assert(KURTOSIS_UPLOAD_MAX == ARCHIVE_UPLOAD_MAX, "one limit");

/* Fills the buffer as far as the file goes. */
static ssize_t
read_full(int fd, uint8_t *buffer, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t part = read(fd, buffer + got, size - got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        if (part == 0)
            break;
        got += (size_t)part;
    }
    return (ssize_t)got;
}

static int
send_chunks(actor_stream_t *stream, int fd, const char *path, const char *name, err_t **err)
{
    AUTO_FREE uint8_t *buffer = malloc(BUS_CHUNK_MAX);
    if (!buffer)
        abort();
    char hash[ARCHIVE_SHA1_SIZE] = "";
    ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
    metadata.name = (char *)name;
    for (;;) {
        ssize_t got = read_full(fd, buffer, BUS_CHUNK_MAX);
        if (got < 0)
            return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
        if (got == 0)
            return actor_stream_end(stream, err);
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        chunk.data = (ProtobufCBinaryData){(size_t)got, buffer};
        chunk.previous_chunk_hash = hash;
        chunk.metadata = &metadata;
        if (actor_stream_send(stream, &chunk.base, err) < 0)
            return -1;
        archive_sha1(buffer, (size_t)got, hash);
    }
}

int
sdk_upload(enclave_context_t *self, const char *method, const char *path, const char *name,
           ProtobufCMessage **ret_reply, err_t **err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
    AUTO(actor_stream) stream = NULL;
    if (actor_stream_open(self->kurtosis->actor, NULL, self->address, method, NULL, &stream, err) <
            0 ||
        send_chunks(stream, fd, path, name, err) < 0)
        return -1;
    int got = actor_stream_recv(stream, SDK_NO_LIMIT, ret_reply, err);
    if (got == 0)
        return err_fail(err, ERR_INTERNAL, "the API container ended the upload without an answer");
    return got < 0 ? -1 : 0;
}

int
sdk_pack_and_upload(enclave_context_t *self, const char *method, bool is_package, const char *path,
                    const char *name, ProtobufCMessage **ret_reply, err_t **err)
{
    const char *tmp = getenv("TMPDIR");
    AUTO_FREE char *archive = str_format("%s/kurtosis-upload-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    AUTO_FD int fd = mkostemp(archive, O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot make a temporary file '%s': %s", archive,
                        strerror(errno));
    int result = is_package ? archive_tgz_pack_package(path, archive, KURTOSIS_UPLOAD_MAX, err)
                            : archive_tgz_pack(path, archive, KURTOSIS_UPLOAD_MAX, NULL, err);
    if (result == 0) {
        result = sdk_upload(self, method, archive, name, ret_reply, err);
        if (result < 0)
            err_wrap(err, "cannot upload '%s'", path);
    }
    unlink(archive);
    return result;
}

/* ------------------------------------------------------------------------------------- download */

static int
write_full(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t part = write(fd, data, size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        data += part;
        size -= (size_t)part;
    }
    return 0;
}

static int
receive_chunks(actor_stream_t *stream, int fd, const char *path, err_t **err)
{
    char hash[ARCHIVE_SHA1_SIZE] = "";
    for (;;) {
        AUTO_MESSAGE ApiContainerApi__StreamedDataChunk *chunk = NULL;
        int got = actor_stream_recv(stream, SDK_NO_LIMIT, (ProtobufCMessage **)&chunk, err);
        if (got <= 0)
            return got;
        if (strcmp(chunk->previous_chunk_hash, hash))
            return err_fail(err, ERR_INTERNAL,
                            "the hash validation of a chunk failed: a piece was lost or changed on "
                            "its way; try again");
        if (write_full(fd, chunk->data.data, chunk->data.len) < 0)
            return err_fail(err, ERR_LIMIT, "cannot write '%s': %s", path, strerror(errno));
        archive_sha1(chunk->data.data, chunk->data.len, hash);
    }
}

int
enclave_context_download_files_artifact(enclave_context_t *self, const char *identifier,
                                        const char *path, err_t **err)
{
    ApiContainerApi__DownloadFilesArtifactArgs args =
        API_CONTAINER_API__DOWNLOAD_FILES_ARTIFACT_ARGS__INIT;
    args.identifier = (char *)identifier;
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_fail(err, ERR_INVALID, "cannot create '%s': %s", path, strerror(errno));
    AUTO(actor_stream) stream = NULL;
    int result = actor_stream_open(self->kurtosis->actor, NULL, self->address,
                                   APIC("DownloadFilesArtifact"), &args.base, &stream, err);
    if (result == 0)
        result = receive_chunks(stream, fd, path, err);
    if (result < 0) {
        unlink(path);
        return err_wrap(err, "cannot download the files artifact '%s'", identifier);
    }
    return 0;
}
