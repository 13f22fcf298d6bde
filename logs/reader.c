/*  reader: see logs.h.
 *
 *  It is in one hot file or chunk at a time, with its records in a buffer. At the end of a hot file it looks whether the
 *  file still has its name: if not it was packed, nothing will be added, and the next number follows.
 */
#include "logs/chunk.h"
#include "logs/record.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct logs_reader {
    char *folder;
    int64_t since, until; /* times of the lines that are wanted */
    uint64_t number;      /* of the hot file or chunk */
    uint64_t offset;      /* in it, of the present or next record */
    uint32_t skip;        /* lines of the next record that are left out */
    int fd;               /* the hot file's, once it is open; else -1 */
    int pack_fd;          /* -1 when none is open */
    off_t pack_at;        /* of the next chunk there */
    str_t buffer;
    size_t used;    /* bytes of the buffer before the present or next record */
    bool packed;    /* the buffer is a whole chunk */
    bool in_record; /* record is the present one */
    bool ended;     /* as the last mark says */
    logs_record_t record;
};

/* ---------------------------------------------------------------------------------------- moving */

static void
forget_buffer(logs_reader_t *self)
{
    str_done(&self->buffer);
    self->used = 0;
    self->packed = self->in_record = false;
}

static void
go_to(logs_reader_t *self, uint64_t number, uint64_t offset)
{
    forget_buffer(self);
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
    self->number = number;
    self->offset = offset;
    self->skip = 0;
}

static int
pack_open(logs_reader_t *self, uint64_t pack)
{
    AUTO_FREE char *path = logs_path(self->folder, pack, LOGS_PACK);
    if (self->pack_fd >= 0)
        close(self->pack_fd);
    self->pack_at = 0;
    return self->pack_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* Looks in the open pack, from where it is, for the present number: 1 and its chunk. */
static int
pack_find(logs_reader_t *self, logs_chunk_t *ret_chunk, err_t **err)
{
    if (self->pack_fd < 0)
        return 0;
    for (;;) {
        int got = logs_chunk_head(self->pack_fd, self->pack_at, ret_chunk, err);
        if (got <= 0 || ret_chunk->number > self->number)
            return got < 0 ? -1 : 0;
        if (ret_chunk->number == self->number)
            return 1;
        self->pack_at = logs_chunk_next(self->pack_at, ret_chunk);
    }
}

static int
chunk_find(logs_reader_t *self, logs_chunk_t *ret_chunk, err_t **err)
{
    int got = pack_find(self, ret_chunk, NULL);
    if (got > 0)
        return got;
    AUTO_FOLDER files = {0};
    if (logs_folder_read(self->folder, &files, NULL) < 0)
        return 0;
    for (size_t i = files.pack_count; i-- > 0;)
        if (files.packs[i] <= self->number)
            return pack_open(self, files.packs[i]) < 0 ? 0 : pack_find(self, ret_chunk, err);
    return 0;
}

/* Goes to the first number from the present one on that there is; 0 when there is none. */
static int
skip_gap(logs_reader_t *self)
{
    AUTO_FOLDER files = {0};
    uint64_t next = UINT64_MAX;
    if (logs_folder_read(self->folder, &files, NULL) < 0)
        return 0;
    for (size_t i = 0; i < files.hot_count; i++)
        if (files.hots[i] >= self->number && files.hots[i] < next)
            next = files.hots[i];
    for (size_t i = 0; i < files.pack_count; i++)
        if (files.packs[i] >= self->number && files.packs[i] < next)
            next = files.packs[i];
    if (next == UINT64_MAX || next == self->number)
        return 0;
    go_to(self, next, 0);
    return 1;
}

/* ---------------------------------------------------------------------------------------- loading */

/* Whether the buffer begins with a whole record. */
static int
has_record(const logs_reader_t *self, err_t **err)
{
    logs_record_t record;
    return logs_record_get(self->buffer.data, self->buffer.len, &record, err);
}

/* What has been added to the hot file: 1, 0 when nothing, 2 when it is over. */
static int
hot_load(logs_reader_t *self, err_t **err)
{
    struct stat info;
    bool over = fstat(self->fd, &info) == 0 && info.st_nlink == 0;
    if (logs_read_all(self->fd, (off_t)self->offset, &self->buffer, err) < 0)
        return -1;
    int got = has_record(self, err);
    if (got != 0)
        return got;
    forget_buffer(self);
    return over ? 2 : 0;
}

static bool
is_late(const logs_reader_t *self, int64_t time)
{
    return time >= self->until && self->until != INT64_MAX;
}

static bool
is_wanted(const logs_reader_t *self, int64_t time)
{
    return time >= self->since && !is_late(self, time);
}

/* No line of it is wanted. */
static bool
is_outside(const logs_reader_t *self, const logs_chunk_t *chunk)
{
    return chunk->lines && (chunk->newest < self->since || is_late(self, chunk->oldest));
}

static int
chunk_load(logs_reader_t *self, err_t **err)
{
    logs_chunk_t chunk;
    int got = chunk_find(self, &chunk, err);
    if (got <= 0)
        return got;
    if (self->offset < chunk.unpacked && !is_outside(self, &chunk)) {
        if (logs_chunk_get(self->pack_fd, self->pack_at, &chunk, &self->buffer, err) < 0)
            return -1;
        self->used = self->offset;
        self->packed = true;
    }
    self->pack_at = logs_chunk_next(self->pack_at, &chunk);
    /* If the source has ended there, what follows begins with that mark. */
    if (!self->packed)
        self->ended = false;
    return self->packed ? 1 : 2;
}

/* Fills the buffer with what comes next: 1, 0 when nothing is there now. */
static int
load(logs_reader_t *self, err_t **err)
{
    if (self->packed)
        go_to(self, self->number + 1, 0);
    forget_buffer(self);
    for (;;) {
        if (self->fd < 0) {
            AUTO_FREE char *path = logs_path(self->folder, self->number, LOGS_HOT);
            self->fd = open(path, O_RDONLY | O_CLOEXEC);
        }
        int got = self->fd >= 0 ? hot_load(self, err) : chunk_load(self, err);
        if (got < 0 || got == 1)
            return got;
        if (got == 2)
            go_to(self, self->number + 1, 0);
        else if (self->fd >= 0 || (got = skip_gap(self)) <= 0)
            return got;
    }
}

/* ---------------------------------------------------------------------------------------- public */

int
logs_reader_open(const char *root, const char *enclave, const char *service,
                 logs_reader_t **ret_reader, err_t **err)
{
    AUTO(logs_reader) self = calloc(1, sizeof *self);
    AUTO_FOLDER files = {0};
    if (!self)
        abort();
    self->fd = self->pack_fd = -1;
    self->buffer = STR_EMPTY;
    self->since = INT64_MIN;
    self->until = INT64_MAX;
    if (logs_folder_path(root, enclave, service, &self->folder, err) < 0 ||
        logs_folder_read(self->folder, &files, err) < 0)
        return -1;
    *ret_reader = TAKE(self);
    return 0;
}

void
logs_reader_destroy(logs_reader_t **self_p)
{
    logs_reader_t *self = TAKE(*self_p);
    if (!self)
        return;
    go_to(self, 0, 0);
    if (self->pack_fd >= 0)
        close(self->pack_fd);
    free(self->folder);
    free(self);
}

void
logs_reader_between(logs_reader_t *self, int64_t since, int64_t until)
{
    self->since = since;
    self->until = until;
}

bool
logs_reader_is_gone(const logs_reader_t *self)
{
    return access(self->folder, F_OK) < 0;
}

bool
logs_reader_has_ended(const logs_reader_t *self)
{
    return self->ended;
}

void
logs_reader_seek(logs_reader_t *self, const logs_position_t *position)
{
    go_to(self, position->number, position->offset);
    self->skip = position->line;
}

logs_position_t
logs_reader_position(const logs_reader_t *self)
{
    return (logs_position_t){.number = self->number,
                             .offset = self->offset,
                             .line = self->in_record ? self->record.taken : self->skip};
}

int
logs_reader_next(logs_reader_t *self, logs_line_t *ret_line, err_t **err)
{
    for (;;) {
        if (self->in_record) {
            int got = logs_record_next(&self->record, ret_line, err);
            if (got < 0)
                return err_wrap(err, "the log '%s' is damaged", self->folder);
            if (got > 0 && is_wanted(self, ret_line->time))
                return 1;
            if (got > 0)
                continue;
            self->in_record = false;
            self->used += self->record.size;
            self->offset += self->record.size;
        }
        int got = logs_record_get(self->buffer.data + self->used, self->buffer.len - self->used,
                                  &self->record, err);
        if (got == 0)
            got = load(self, err);
        else if (got > 0) {
            self->in_record = true;
            if (self->record.kind != LOGS_RECORD_CURSOR)
                self->ended = self->record.kind == LOGS_RECORD_ENDED;
            for (; self->skip > 0 && logs_record_next(&self->record, ret_line, err) > 0;
                 self->skip--)
                continue;
            self->skip = 0;
        }
        if (got < 0)
            return err_wrap(err, "the log '%s' is damaged", self->folder);
        if (got == 0)
            return 0;
    }
}

/* ----------------------------------------------------------------------------------- from the end */

#define LINES_UNKNOWN UINT64_MAX

/* A hot file or chunk, and how many wanted lines it has: LINES_UNKNOWN until they are counted, where only some are. */
typedef struct {
    uint64_t number, lines;
} part_t;

typedef struct {
    part_t *list;
    size_t count;
} parts_t;

static void
part_add(parts_t *self, uint64_t number, uint64_t lines)
{
    if (self->count % 64 == 0) {
        self->list = realloc(self->list, (self->count + 64) * sizeof *self->list);
        if (!self->list)
            abort();
    }
    self->list[self->count++] = (part_t){number, lines};
}

/* The chunks of one pack. */
static void
parts_of_pack(logs_reader_t *self, uint64_t pack, parts_t *parts)
{
    logs_chunk_t chunk;
    if (pack_open(self, pack) < 0)
        return;
    while (logs_chunk_head(self->pack_fd, self->pack_at, &chunk, NULL) > 0) {
        bool all = is_wanted(self, chunk.oldest) && is_wanted(self, chunk.newest);
        part_add(parts, chunk.number,
                 !chunk.lines || is_outside(self, &chunk) ? 0
                 : all                                    ? chunk.lines
                                                          : LINES_UNKNOWN);
        self->pack_at = logs_chunk_next(self->pack_at, &chunk);
    }
}

/* Wanted lines of the parts from this number on and before the other one, to the end that there is now. */
static uint64_t
count_lines(logs_reader_t *self, uint64_t number, uint64_t before)
{
    logs_line_t line;
    uint64_t lines = 0;
    go_to(self, number, 0);
    while (logs_reader_next(self, &line, NULL) > 0 && self->number < before)
        lines++;
    return lines;
}

/* Goes to the part that has the line before which `wanted` are left, and takes what is too much. */
static int
go_back(logs_reader_t *self, const parts_t *parts, uint64_t wanted, uint64_t have, err_t **err)
{
    size_t i = parts->count;
    while (i > 0 && have < wanted) {
        const part_t *part = &parts->list[--i];
        have += part->lines != LINES_UNKNOWN ? part->lines
                                             : count_lines(self, part->number, part->number + 1);
    }
    if (i < parts->count)
        go_to(self, parts->list[i].number, 0);
    logs_line_t line;
    for (int got = 1; have > wanted && got > 0; have--)
        if ((got = logs_reader_next(self, &line, err)) < 0)
            return -1;
    return 0;
}

int
logs_reader_last(logs_reader_t *self, uint64_t count, err_t **err)
{
    AUTO_FOLDER files = {0};
    parts_t parts = {0};
    if (logs_folder_read(self->folder, &files, err) < 0)
        return -1;
    uint64_t hot = files.hot_count ? files.hots[files.hot_count - 1] : UINT64_MAX;
    for (size_t i = 0; i < files.pack_count; i++)
        parts_of_pack(self, files.packs[i], &parts);
    while (parts.count && parts.list[parts.count - 1].number >= hot)
        parts.count--;
    uint64_t have = 0;
    if (files.hot_count) {
        have = count_lines(self, hot, UINT64_MAX);
        go_to(self, hot, 0);
    }
    int result = go_back(self, &parts, count, have, err);
    free(parts.list);
    return result;
}
