/*  logs: the log store: what services print, in files. The public face of this folder.
 *
 *      <root>/<enclave uuid>/<service uuid>/00000007.hot     lines as they come, in records
 *                                           00000001.pack    chunks: older hot files, compressed
 *                                           meta             what the writer says about the service
 *
 *  One process writes (the driver), any other reads at the same time (the engine, sinks); they share
 *  nothing but the files. Every record has a checksum and the writer's cursor: where in the source the
 *  lines up to here end. So lines and cursor are on disk together or not at all, and a writer that was
 *  killed goes on exactly where its lines end. A power cut may cost the newest lines, never the rest.
 *
 *  When a hot file is full it is compressed into a chunk with the same number, and the next one begins:
 *  a position (number, offset) stays true for ever. Retention and quota remove whole packs, oldest first.
 *
 *      logs_writer_t *writer;                            logs_reader_t *reader;
 *      logs_writer_open(root, e, s, &writer, err);       logs_reader_open(root, e, s, &reader, err);
 *      logs_batch_add(&batch, LOGS_OUT, time, ...);      while (logs_reader_next(reader, &line, err) > 0)
 *      logs_writer_put(writer, &batch, cursor, ...);         ... line.text, line.size ...
 *
 *  An object is used by one thread at a time.
 */
#ifndef KURTOSIS_LOGS_H
#define KURTOSIS_LOGS_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define LOGS_LINE_MAX (1024u * 1024)      /* bytes of a line */
#define LOGS_CURSOR_MAX 256u              /* bytes of a cursor */
#define LOGS_HOT_MAX (256u * 1024)        /* bytes after which a hot file is packed */
#define LOGS_CHUNK_MAX (4u * 1024 * 1024) /* bytes that a chunk may unpack to */
#define LOGS_PACK_MAX (4u * 1024 * 1024)  /* bytes after which another pack begins */
#define LOGS_BATCH_MAX (64u * 1024)       /* bytes after which a batch should be put */
#define LOGS_META_MAX 65536u              /* bytes of the file meta */
#define LOGS_NAME_MAX 64u                 /* bytes of a UUID, or of what a user takes for one */

/* Which output a line was printed to. */
typedef enum { LOGS_OUT, LOGS_ERR } logs_stream_t;

typedef struct {
    logs_stream_t stream;
    int64_t time; /* nanoseconds since 1970 */
    const char *text;
    size_t size; /* without newline; not always UTF-8 */
} logs_line_t;

/* Letters, digits, '-' and '_', at most LOGS_NAME_MAX: what may be part of a path. */
bool logs_name_is_valid(const char *name);

/* -------------------------------------------------------------------------------------- writing */

/* Lines on their way into a store. Embedded; {0} is empty. */
typedef struct {
    str_t bytes;
    uint32_t lines;
    int64_t oldest,
        newest;   /* times, meaningful while there are lines: a clock may have been set back */
    int64_t last; /* of the last line */
} logs_batch_t;

void logs_batch_init(logs_batch_t *self);
void logs_batch_done(logs_batch_t *self);
/* size at most LOGS_LINE_MAX. */
void logs_batch_add(logs_batch_t *self, logs_stream_t stream, int64_t time, const char *text,
                    size_t size);

typedef struct logs_writer logs_writer_t;

/* Opens or makes the log of a service, and repairs what a kill left. STATE when it is open elsewhere. */
int logs_writer_open(const char *root, const char *enclave, const char *service,
                     logs_writer_t **ret_writer, err_t **err);
/* Closes; the files stay. */
void logs_writer_destroy(logs_writer_t **self_p);
AUTO_FOR(logs_writer)

/* The cursor of the last record; *ret_size 0 when there is none. Lent until the next put. */
const void *logs_writer_cursor(const logs_writer_t *self, size_t *ret_size);
/* Appends the batch (which is empty afterwards) and the cursor, as one. LIMIT when the disk is full: then nothing
 * was written, and the batch is as it was. */
int logs_writer_put(logs_writer_t *self, logs_batch_t *batch, const void *cursor,
                    size_t cursor_size, err_t **err);
/* Says that the source has begun, or has ended for now: readers that follow stop there. Packs at the end. */
typedef enum { LOGS_BEGAN, LOGS_ENDED } logs_mark_t;
int logs_writer_mark(logs_writer_t *self, logs_mark_t mark, const void *cursor, size_t cursor_size,
                     err_t **err);
/* Writes the file meta if it says something else. */
int logs_writer_describe(logs_writer_t *self, const char *text, err_t **err);
/* Bytes written so far by this writer. */
uint64_t logs_writer_bytes(const logs_writer_t *self);

/* -------------------------------------------------------------------------------------- reading */

/* Where a line begins: a record of a hot file (which may be a chunk by now), and lines of it to skip. */
typedef struct {
    uint64_t number;
    uint64_t offset;
    uint32_t line;
} logs_position_t;

typedef struct logs_reader logs_reader_t;

/* At the oldest line. NOT_FOUND when there is no log of this service. */
int logs_reader_open(const char *root, const char *enclave, const char *service,
                     logs_reader_t **ret_reader, err_t **err);
void logs_reader_destroy(logs_reader_t **self_p);
AUTO_FOR(logs_reader)

/* Lines before since, and lines at or after until, are left out from now on, wherever they stand: a clock may have been set
 * back. INT64_MIN and INT64_MAX: none are. */
void logs_reader_between(logs_reader_t *self, int64_t since, int64_t until);
/* Goes to where count of these lines are left; to the oldest line when there are fewer. */
int logs_reader_last(logs_reader_t *self, uint64_t count, err_t **err);
/* Goes to a position that a reader of this log gave; what is gone meanwhile is left out. */
void logs_reader_seek(logs_reader_t *self, const logs_position_t *position);
/* Of the next line. */
logs_position_t logs_reader_position(const logs_reader_t *self);

/* 1 and the next line, lent until the next call; 0 when there is none now. */
int logs_reader_next(logs_reader_t *self, logs_line_t *ret_line, err_t **err);
/* Whether the source had ended where the reader is; meaningful after next returned 0. */
bool logs_reader_has_ended(const logs_reader_t *self);
/* Whether the log was removed meanwhile. */
bool logs_reader_is_gone(const logs_reader_t *self);

/* Hears of changes to logs. */
typedef struct logs_watch logs_watch_t;
int logs_watch_new(logs_watch_t **ret_watch, err_t **err);
void logs_watch_destroy(logs_watch_t **self_p);
AUTO_FOR(logs_watch)
/* Also of this one: 1; 0 while it is not there, but something above it is: to be added again when something changed. */
int logs_watch_add(logs_watch_t *self, const char *root, const char *enclave, const char *service,
                   err_t **err);
/* Readable when something changed; lent. */
int logs_watch_fd(const logs_watch_t *self);
/* Forgets the changes so far: before the logs are read, so that none is missed. */
void logs_watch_drain(logs_watch_t *self);

/* Whether there is a log of this service. */
bool logs_exists(const char *root, const char *enclave, const char *service);
/* The file meta; yours, free(). NULL when there is none. */
char *logs_meta(const char *root, const char *enclave, const char *service);

/* -------------------------------------------------------------------------------------- keeping */

/* What is kept. */
typedef struct {
    /* Packs and closed logs whose last line is older are removed; nanoseconds since 1970. */
    int64_t oldest;
    /* Bytes of all files together; over it the oldest packs go until a tenth is free. */
    uint64_t quota;
} logs_limits_t;

/* Removes what is too old or too much. ret_bytes: what is left; may be NULL. */
int logs_keep(const char *root, const logs_limits_t *limits, uint64_t *ret_bytes, err_t **err);
/* Removes all logs of an enclave; fine when there are none. Their writers must be closed. */
int logs_remove(const char *root, const char *enclave, err_t **err);
/* Makes the root, and holds it for one writing process until the descriptor is closed. STATE when another has it. */
int logs_lock(const char *root, int *ret_fd, err_t **err);
/* Calls fn for each log, in no order; a negative result ends it. */
int logs_each(const char *root,
              int (*fn)(void *arg, const char *enclave, const char *service, err_t **err),
              void *arg, err_t **err);

/* ---------------------------------------------------------------------------------------- sinks */

#define LOGS_RETENTION_NS                                                                          \
    (INT64_C(168) * 3600 * 1000000000) /* how long lines are kept, unless configured */
#define LOGS_SINKS_MAX 16u             /* of one engine */
/* Forwards a store to one sink; arguments: root, URL. */
#define LOGS_SINK_PROGRAM "kurtosis-log-sink"

/* Whether a sink's URL is of a kind that there is (sinks/sinks.h); INVALID says which there are. */
int logs_sink_check(const char *url, err_t **err);

#endif
