/*  writer: see logs.h.
 *
 *  A put is one write at the end of the hot file; a failed one is cut off again. Packing appends the hot file to the pack,
 *  makes the next hot file, and removes the old one, in this order: after a kill in between the log is opened with both,
 *  and the old one goes then.
 */
#include "base/file.h"
#include "logs/chunk.h"
#include "logs/record.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

struct logs_writer {
    char *folder;
    int fd;          /* of the hot file; locked */
    uint64_t number; /* its number */
    off_t size;      /* of its whole records */
    uint32_t lines;
    int64_t oldest, newest; /* times of its lines */
    bool ended;             /* the last mark */
    uint64_t pack;          /* number of the present pack; 0 for none */
    off_t pack_size;
    uint64_t packed; /* number of the last chunk */
    uint8_t cursor[LOGS_CURSOR_MAX];
    size_t cursor_size;
    uint64_t bytes;
};

/* ---------------------------------------------------------------------------------------- files */

static int
make_folder(const char *path, err_t **err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return logs_file_failed("make the folder", path, err);
    return 0;
}

/* Writes at an offset, all or nothing. */
static int
write_at(int fd, const char *path, off_t offset, const str_t *bytes, err_t **err)
{
    for (size_t done = 0; done < bytes->len;) {
        ssize_t went = pwrite(fd, bytes->data + done, bytes->len - done, offset + (off_t)done);
        if (went < 0 && errno == EINTR)
            continue;
        if (went <= 0) {
            logs_file_failed("write to", path, err);
            if (ftruncate(fd, offset) < 0) {
                /* What is left of it is no whole record, and the next one overwrites it. */
            }
            return -1;
        }
        done += (size_t)went;
    }
    return 0;
}

static void
remember_cursor(logs_writer_t *self, const void *cursor, size_t size)
{
    assert(size <= sizeof self->cursor);
    if (size)
        memmove(self->cursor, cursor, size);
    self->cursor_size = size;
}

/* Lines of these times are in the hot file, too. */
static void
count_lines(logs_writer_t *self, uint32_t lines, int64_t oldest, int64_t newest)
{
    if (self->lines == 0 || oldest < self->oldest)
        self->oldest = oldest;
    if (self->lines == 0 || newest > self->newest)
        self->newest = newest;
    self->lines += lines;
}

/* Makes the hot file with this number, which begins with the cursor. */
static int
hot_begin(logs_writer_t *self, uint64_t number, err_t **err)
{
    AUTO_FREE char *draft = str_format("%s/new", self->folder),
                   *path = logs_path(self->folder, number, LOGS_HOT);
    AUTO_FD int fd = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return logs_file_failed("make", draft, err);
    AUTO_STR records = STR_EMPTY;
    logs_record_put(&records, LOGS_RECORD_CURSOR, NULL, self->cursor, self->cursor_size);
    if (self->ended)
        logs_record_put(&records, LOGS_RECORD_ENDED, NULL, self->cursor, self->cursor_size);
    if (write_at(fd, draft, 0, &records, err) < 0)
        return -1;
    flock(fd, LOCK_EX | LOCK_NB);
    if (rename(draft, path) < 0)
        return logs_file_failed("make", path, err);
    if (self->fd >= 0)
        close(self->fd);
    self->fd = fd;
    fd = -1;
    self->number = number;
    self->size = (off_t)records.len;
    self->lines = 0;
    self->oldest = self->newest = 0;
    self->bytes += records.len;
    return 0;
}

static void
unlink_number(const logs_writer_t *self, uint64_t number, const char *kind)
{
    AUTO_FREE char *path = logs_path(self->folder, number, kind);
    unlink(path);
}

/* ------------------------------------------------------------------------------------- packing */

static int
pack_append(logs_writer_t *self, uint64_t pack, off_t offset, const str_t *bytes, err_t **err)
{
    AUTO_FREE char *path = logs_path(self->folder, pack, LOGS_PACK);
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return logs_file_failed("open", path, err);
    return write_at(fd, path, offset, bytes, err);
}

static void
pack_cut(const logs_writer_t *self, uint64_t pack, off_t size)
{
    AUTO_FREE char *path = logs_path(self->folder, pack, LOGS_PACK);
    if (size == 0 || truncate(path, size) < 0)
        unlink(path);
}

static int
pack(logs_writer_t *self, err_t **err)
{
    AUTO_STR bytes = STR_EMPTY;
    AUTO_STR packed = STR_EMPTY;
    logs_chunk_t chunk = {.number = self->number,
                          .lines = self->lines,
                          .oldest = self->oldest,
                          .newest = self->newest};
    if (logs_read_all(self->fd, 0, &bytes, err) < 0 ||
        logs_chunk_put(&packed, &chunk, bytes.data, (size_t)self->size, err) < 0)
        return -1;
    str_done(&bytes);
    bool fits = self->pack && self->pack_size + (off_t)packed.len <= LOGS_PACK_MAX;
    uint64_t into = fits ? self->pack : self->number;
    off_t offset = fits ? self->pack_size : 0;
    if (pack_append(self, into, offset, &packed, err) < 0)
        return -1;
    uint64_t old = self->number;
    if (hot_begin(self, old + 1, err) < 0) {
        pack_cut(self, into, offset);
        return -1;
    }
    self->pack = into;
    self->pack_size = offset + (off_t)packed.len;
    self->packed = old;
    self->bytes += packed.len;
    unlink_number(self, old, LOGS_HOT);
    return 0;
}

/* ------------------------------------------------------------------------------------- recovery */

static void
take_record(logs_writer_t *self, logs_record_t *record)
{
    logs_line_t line;
    while (logs_record_next(record, &line, NULL) > 0)
        count_lines(self, 1, line.time, line.time);
    remember_cursor(self, record->cursor, record->cursor_size);
    if (record->kind != LOGS_RECORD_CURSOR)
        self->ended = record->kind == LOGS_RECORD_ENDED;
}

/* Goes through records up to the first that is not whole; returns their bytes. */
static size_t
take_records(logs_writer_t *self, const str_t *bytes)
{
    logs_record_t record;
    size_t used = 0;
    while (logs_record_get(bytes->data + used, bytes->len - used, &record, NULL) > 0) {
        take_record(self, &record);
        used += record.size;
    }
    return used;
}

/* Finds the end of the last pack, whose last chunk is whole; what follows was cut by a kill. */
static int
recover_pack(logs_writer_t *self, uint64_t number, bool want_cursor, err_t **err)
{
    AUTO_FREE char *path = logs_path(self->folder, number, LOGS_PACK);
    AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return logs_file_failed("open", path, err);
    off_t last = 0, end = 0;
    logs_chunk_t chunk, next;
    for (; logs_chunk_head(fd, end, &next, NULL) > 0; end = logs_chunk_next(end, &next)) {
        if (end > 0)
            self->packed = chunk.number;
        last = end;
        chunk = next;
    }
    AUTO_STR bytes = STR_EMPTY;
    if (end > 0 && logs_chunk_get(fd, last, &chunk, &bytes, NULL) < 0)
        end = last;
    else if (end > 0)
        self->packed = chunk.number;
    if (want_cursor)
        take_records(self, &bytes);
    self->lines = 0;
    self->pack = number;
    self->pack_size = end;
    if (ftruncate(fd, end) < 0)
        return logs_file_failed("cut", path, err);
    return 0;
}

static int
recover_hot(logs_writer_t *self, uint64_t number, err_t **err)
{
    AUTO_STR bytes = STR_EMPTY;
    AUTO_FREE char *path = logs_path(self->folder, number, LOGS_HOT);
    self->fd = open(path, O_RDWR | O_CLOEXEC);
    if (self->fd < 0)
        return logs_file_failed("open", path, err);
    if (flock(self->fd, LOCK_EX | LOCK_NB) < 0)
        return err_fail(err, ERR_STATE, "the log '%s' is being written by somebody else",
                        self->folder);
    if (logs_read_all(self->fd, 0, &bytes, err) < 0)
        return -1;
    self->number = number;
    self->size = (off_t)take_records(self, &bytes);
    if ((size_t)self->size != bytes.len && ftruncate(self->fd, self->size) < 0)
        return logs_file_failed("cut", path, err);
    return 0;
}

static int
recover(logs_writer_t *self, const logs_folder_t *files, err_t **err)
{
    uint64_t hot = files->hot_count ? files->hots[files->hot_count - 1] : 0;
    if (files->pack_count &&
        recover_pack(self, files->packs[files->pack_count - 1], hot == 0, err) < 0)
        return -1;
    if (hot && recover_hot(self, hot, err) < 0)
        return -1;
    for (size_t i = 0; i + 1 < files->hot_count; i++)
        if (files->hots[i] <= self->packed || files->hots[i] < hot)
            unlink_number(self, files->hots[i], LOGS_HOT);
    if (hot > self->packed)
        return 0;
    /* There is none yet, or it was packed just before the kill. */
    if (hot_begin(self, self->packed + 1, err) < 0)
        return -1;
    if (hot)
        unlink_number(self, hot, LOGS_HOT);
    return 0;
}

/* --------------------------------------------------------------------------------------- public */

int
logs_writer_open(const char *root, const char *enclave, const char *service,
                 logs_writer_t **ret_writer, err_t **err)
{
    AUTO(logs_writer) self = calloc(1, sizeof *self);
    AUTO_FOLDER files = {0};
    if (!self)
        abort();
    self->fd = -1;
    if (logs_folder_path(root, enclave, service, &self->folder, err) < 0)
        return -1;
    AUTO_FREE char *parent = str_format("%s/%s", root, enclave);
    if (make_folder(parent, err) < 0 || make_folder(self->folder, err) < 0 ||
        logs_folder_read(self->folder, &files, err) < 0 || recover(self, &files, err) < 0)
        return err_wrap(err, "cannot open the log of service '%s'", service);
    *ret_writer = TAKE(self);
    return 0;
}

void
logs_writer_destroy(logs_writer_t **self_p)
{
    logs_writer_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->fd >= 0)
        close(self->fd);
    free(self->folder);
    free(self);
}

const void *
logs_writer_cursor(const logs_writer_t *self, size_t *ret_size)
{
    *ret_size = self->cursor_size;
    return self->cursor;
}

uint64_t
logs_writer_bytes(const logs_writer_t *self)
{
    return self->bytes;
}

static int
append(logs_writer_t *self, logs_record_kind_t kind, const logs_batch_t *batch, const void *cursor,
       size_t cursor_size, err_t **err)
{
    AUTO_STR record = STR_EMPTY;
    logs_record_put(&record, kind, batch, cursor, cursor_size);
    if ((size_t)self->size + record.len > LOGS_CHUNK_MAX && (pack(self, err) < 0))
        return -1;
    AUTO_FREE char *path = logs_path(self->folder, self->number, LOGS_HOT);
    if (write_at(self->fd, path, self->size, &record, err) < 0)
        return -1;
    self->size += (off_t)record.len;
    self->bytes += record.len;
    remember_cursor(self, cursor, cursor_size);
    if (batch && batch->lines)
        count_lines(self, batch->lines, batch->oldest, batch->newest);
    self->ended = kind == LOGS_RECORD_ENDED;
    return 0;
}

int
logs_writer_put(logs_writer_t *self, logs_batch_t *batch, const void *cursor, size_t cursor_size,
                err_t **err)
{
    if (append(self, LOGS_RECORD_LINES, batch, cursor, cursor_size, err) < 0)
        return -1;
    str_clear(&batch->bytes);
    batch->lines = 0;
    /* What cannot be packed now stays as it is, and is tried again with the next batch. */
    if (self->size >= LOGS_HOT_MAX)
        pack(self, NULL);
    return 0;
}

int
logs_writer_mark(logs_writer_t *self, logs_mark_t mark, const void *cursor, size_t cursor_size,
                 err_t **err)
{
    bool ends = mark == LOGS_ENDED;
    if (ends == self->ended && (ends || self->lines || self->packed))
        return 0;
    if (append(self, ends ? LOGS_RECORD_ENDED : LOGS_RECORD_BEGAN, NULL, cursor, cursor_size, err) <
        0)
        return -1;
    if (ends && self->lines)
        pack(self, NULL);
    return 0;
}

int
logs_writer_describe(logs_writer_t *self, const char *text, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/" LOGS_META, self->folder),
                   *draft = str_format("%s/new", self->folder);
    AUTO_STR old = STR_EMPTY;
    if (file_read(path, LOGS_META_MAX, &old, NULL) == 0 && strcmp(old.data, text) == 0)
        return 0;
    AUTO_FD int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return logs_file_failed("make", draft, err);
    AUTO_STR bytes = STR_EMPTY;
    str_add(&bytes, text);
    if (write_at(fd, draft, 0, &bytes, err) < 0)
        return -1;
    if (rename(draft, path) < 0)
        return logs_file_failed("make", path, err);
    return 0;
}
