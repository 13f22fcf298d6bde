/*  chunk: see chunk.h. */
#include "logs/chunk.h"

#include "logs/record.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define LEVEL 1 /* the fastest: lines are alike */
#define NUMBER_DIGITS 8

/* ---------------------------------------------------------------------------------------- chunk */

static uint32_t
checksum(const uint8_t *head, const void *packed, size_t size)
{
    uLong crc = crc32(0, head, 12);
    crc = crc32(crc, head + 16, LOGS_CHUNK_HEAD - 16);
    return (uint32_t)crc32(crc, packed, (uInt)size);
}

static void
head_put(const logs_chunk_t *self, uint8_t head[LOGS_CHUNK_HEAD])
{
    memcpy(head, "KLP1", 4);
    logs_put32(head + 4, self->packed);
    logs_put32(head + 8, self->unpacked);
    logs_put32(head + 12, self->crc);
    logs_put64(head + 16, self->number);
    logs_put32(head + 24, self->lines);
    logs_put64(head + 28, (uint64_t)self->oldest);
    logs_put64(head + 36, (uint64_t)self->newest);
}

int
logs_chunk_put(str_t *out, logs_chunk_t *chunk, const void *bytes, size_t size, err_t **err)
{
    if (size > LOGS_CHUNK_MAX)
        return err_fail(err, ERR_INTERNAL, "a chunk of %zu bytes is too large", size);
    uint8_t head[LOGS_CHUNK_HEAD];
    uLongf packed = compressBound(size);
    size_t start = out->len;
    str_reserve(out, sizeof head + packed);
    uint8_t *at = (uint8_t *)out->data + start;
    if (compress2(at + sizeof head, &packed, bytes, size, LEVEL) != Z_OK)
        return err_fail(err, ERR_INTERNAL, "zlib does not compress %zu bytes", size);
    chunk->packed = (uint32_t)packed;
    chunk->unpacked = (uint32_t)size;
    head_put(chunk, head);
    chunk->crc = checksum(head, at + sizeof head, packed);
    head_put(chunk, at);
    out->len = start + sizeof head + packed;
    out->data[out->len] = '\0';
    return 0;
}

static int
read_exactly(int fd, off_t offset, void *bytes, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t some = pread(fd, (char *)bytes + got, size - got, offset + (off_t)got);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            return some < 0 ? -1 : 0;
        got += (size_t)some;
    }
    return 1;
}

int
logs_chunk_head(int fd, off_t offset, logs_chunk_t *ret_chunk, err_t **err)
{
    uint8_t head[LOGS_CHUNK_HEAD], last;
    int got = read_exactly(fd, offset, head, sizeof head);
    if (got <= 0)
        return got < 0 ? err_fail(err, ERR_INTERNAL, "cannot read a pack: %s", strerror(errno)) : 0;
    *ret_chunk = (logs_chunk_t){.packed = logs_get32(head + 4),
                                .unpacked = logs_get32(head + 8),
                                .crc = logs_get32(head + 12),
                                .number = logs_get64(head + 16),
                                .lines = logs_get32(head + 24),
                                .oldest = (int64_t)logs_get64(head + 28),
                                .newest = (int64_t)logs_get64(head + 36)};
    if (memcmp(head, "KLP1", 4) != 0 || ret_chunk->unpacked > LOGS_CHUNK_MAX ||
        ret_chunk->packed > compressBound(LOGS_CHUNK_MAX) || ret_chunk->packed == 0)
        return err_fail(err, ERR_INVALID, "there is no chunk of log lines at byte %lld of its pack",
                        (long long)offset);
    return read_exactly(fd, logs_chunk_next(offset, ret_chunk) - 1, &last, 1) == 1;
}

int
logs_chunk_get(int fd, off_t offset, const logs_chunk_t *chunk, str_t *out, err_t **err)
{
    uint8_t head[LOGS_CHUNK_HEAD];
    AUTO_FREE uint8_t *packed = malloc(chunk->packed);
    if (!packed)
        abort();
    head_put(chunk, head);
    if (read_exactly(fd, offset + (off_t)LOGS_CHUNK_HEAD, packed, chunk->packed) != 1 ||
        checksum(head, packed, chunk->packed) != chunk->crc)
        return err_fail(err, ERR_INVALID,
                        "the chunk of log lines at byte %lld of its pack is damaged",
                        (long long)offset);
    uLongf size = chunk->unpacked;
    str_reserve(out, size);
    if (uncompress((Bytef *)out->data + out->len, &size, packed, chunk->packed) != Z_OK ||
        size != chunk->unpacked)
        return err_fail(err, ERR_INVALID,
                        "the chunk of log lines at byte %lld of its pack does not unpack",
                        (long long)offset);
    out->len += size;
    out->data[out->len] = '\0';
    return 0;
}

/* ---------------------------------------------------------------------------------------- names */

bool
logs_name_is_valid(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= LOGS_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == size;
}

char *
logs_path(const char *folder, uint64_t number, const char *kind)
{
    return str_format("%s/%0*" PRIu64 ".%s", folder, NUMBER_DIGITS, number, kind);
}

int
logs_folder_path(const char *root, const char *enclave, const char *service, char **ret_path,
                 err_t **err)
{
    const char *const names[] = {enclave, service};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!logs_name_is_valid(names[i]))
            return err_fail(err, ERR_INVALID, "'%.100s' is no UUID", names[i]);
    *ret_path = str_format("%s/%s/%s", root, enclave, service);
    return 0;
}

/* "00000007.hot" to 7, for a kind. */
static bool
number_of(const char *name, const char *kind, uint64_t *ret_number)
{
    size_t digits = strspn(name, "0123456789");
    if (digits < NUMBER_DIGITS || digits > 18 || name[digits] != '.' ||
        strcmp(name + digits + 1, kind) != 0)
        return false;
    *ret_number = strtoull(name, NULL, 10);
    return true;
}

static void
number_add(uint64_t **list, size_t *count, uint64_t number)
{
    if (*count % 16 == 0) {
        *list = realloc(*list, (*count + 16) * sizeof **list);
        if (!*list)
            abort();
    }
    (*list)[(*count)++] = number;
}

static int
by_number(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

int
logs_folder_read(const char *path, logs_folder_t *ret_folder, err_t **err)
{
    DIR *folder = opendir(path);
    if (!folder && (errno == ENOENT || errno == ENOTDIR))
        return err_fail(err, ERR_NOT_FOUND, "there is no log '%s'", path);
    if (!folder)
        return logs_file_failed("open the folder", path, err);
    logs_folder_t found = {0};
    uint64_t number;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (number_of(entry->d_name, LOGS_HOT, &number))
            number_add(&found.hots, &found.hot_count, number);
        else if (number_of(entry->d_name, LOGS_PACK, &number))
            number_add(&found.packs, &found.pack_count, number);
    }
    closedir(folder);
    if (found.hot_count)
        qsort(found.hots, found.hot_count, sizeof *found.hots, by_number);
    if (found.pack_count)
        qsort(found.packs, found.pack_count, sizeof *found.packs, by_number);
    *ret_folder = found;
    return 0;
}

void
logs_folder_done(logs_folder_t *self)
{
    free(self->hots);
    free(self->packs);
    *self = (logs_folder_t){0};
}

/* ---------------------------------------------------------------------------------------- files */

int
logs_read_all(int fd, off_t offset, str_t *out, err_t **err)
{
    size_t total = 0;
    for (;;) {
        size_t piece = 65536;
        if (total + piece > LOGS_CHUNK_MAX)
            piece = LOGS_CHUNK_MAX - total;
        if (piece == 0)
            return 0;
        str_reserve(out, piece);
        ssize_t got = pread(fd, out->data + out->len, piece, offset + (off_t)total);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_fail(err, ERR_INTERNAL, "cannot read log lines: %s", strerror(errno));
        out->len += (size_t)got;
        out->data[out->len] = '\0';
        total += (size_t)got;
        if (got == 0)
            return 0;
    }
}

int
logs_file_failed(const char *what, const char *path, err_t **err)
{
    int code = errno;
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    return err_fail(err, full ? ERR_LIMIT : ERR_INTERNAL, "cannot %s '%s': %s", what, path,
                    strerror(code));
}
