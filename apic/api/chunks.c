/*  chunks: see chunks.h. */
#include "apic/api/chunks.h"

#include "archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A file on its way in. */
typedef struct {
    int fd;
    uint64_t size;
    char hash[ARCHIVE_SHA1_SIZE]; /* of the last chunk; "" before the first */
    char *name;                   /* NULL before the first chunk */
} incoming_t;

static int take_chunk(incoming_t *self, const ApiContainerApi__StreamedDataChunk *chunk,
                      err_t **err);
static int write_all(int fd, const uint8_t *data, size_t size, err_t **err);

int
chunks_receive(actor_call_t *call, const char *path, char **ret_name, err_t **err)
{
    incoming_t self = {.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (self.fd < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot make the file '%s': %s", path, strerror(errno));
    int rc;
    do {
        AUTO_MESSAGE ApiContainerApi__StreamedDataChunk *chunk = NULL;
        rc = actor_call_recv(call, -1, (ProtobufCMessage **)&chunk, err);
        if (rc > 0 && take_chunk(&self, chunk, err) < 0)
            rc = -1;
    } while (rc > 0);
    close(self.fd);
    if (rc < 0) {
        unlink(path);
        free(self.name);
        return -1;
    }
    *ret_name = self.name ? self.name : api_text("");
    return 0;
}

static int
take_chunk(incoming_t *self, const ApiContainerApi__StreamedDataChunk *chunk, err_t **err)
{
    const char *name = chunk->metadata ? chunk->metadata->name : "";
    if (strcmp(chunk->previous_chunk_hash, self->hash) != 0)
        return err_fail(err, ERR_INVALID,
                        "hash validation of a chunk failed: it follows one with the hash '%s', the "
                        "last received has "
                        "'%s'; retry the transfer",
                        chunk->previous_chunk_hash, self->hash);
    if (chunk->data.len > BUS_CHUNK_MAX)
        return err_fail(err, ERR_LIMIT, "a chunk has %zu bytes, %u are allowed", chunk->data.len,
                        BUS_CHUNK_MAX);
    if (strlen(name) > CHUNKS_NAME_MAX)
        return err_fail(err, ERR_LIMIT, "the name of the transfer has more than %u bytes",
                        CHUNKS_NAME_MAX);
    if (self->name && strcmp(name, self->name) != 0)
        return err_fail(err, ERR_INVALID, "a chunk belongs to '%s', the one before to '%s'", name,
                        self->name);
    if (!self->name)
        self->name = api_text(name);
    self->size += chunk->data.len;
    if (self->size >= CHUNKS_FILE_MAX)
        return err_fail(err, ERR_LIMIT,
                        "'%s' has %llu bytes or more, which is too large for a transfer", name,
                        (unsigned long long)CHUNKS_FILE_MAX);
    archive_sha1(chunk->data.data, chunk->data.len, self->hash);
    return write_all(self->fd, chunk->data.data, chunk->data.len, err);
}

static int
write_all(int fd, const uint8_t *data, size_t size, err_t **err)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return err_fail(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNKNOWN,
                            "cannot write what was received: %s",
                            errno == ENOSPC ? "the disk that holds the enclave's data is full"
                                            : strerror(errno));
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

int
chunks_send(actor_call_t *call, int fd, const char *name, err_t **err)
{
    AUTO_FREE uint8_t *data = malloc(CHUNKS_SIZE);
    if (!data)
        abort();
    char hash[ARCHIVE_SHA1_SIZE] = "";
    ApiContainerApi__DataChunkMetadata metadata = API_CONTAINER_API__DATA_CHUNK_METADATA__INIT;
    metadata.name = (char *)name;
    for (;;) {
        ssize_t got = read(fd, data, CHUNKS_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_fail(err, ERR_UNKNOWN, "cannot read '%s': %s", name, strerror(errno));
        if (got == 0)
            return 0;
        ApiContainerApi__StreamedDataChunk chunk = API_CONTAINER_API__STREAMED_DATA_CHUNK__INIT;
        chunk.data = (ProtobufCBinaryData){.len = (size_t)got, .data = data};
        chunk.previous_chunk_hash = hash;
        chunk.metadata = &metadata;
        if (actor_call_send(call, &chunk.base, err) < 0)
            return -1;
        archive_sha1(data, (size_t)got, hash);
    }
}
