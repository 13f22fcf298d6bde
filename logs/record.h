/*  record: the bytes of a hot file.
 *
 *      4  "KLR" and the kind        8  CRC-32 of all the rest      16  size of the cursor
 *      4  bytes after this head    12  number of lines             20  cursor, then the lines
 *
 *  Little endian. A line is: varint(size * 2 + stream), varint(zigzag(time - the time before)), its bytes; the first
 *  one's time before is 0. Nothing is trusted when it is read.
 */
#ifndef KURTOSIS_LOGS_RECORD_H
#define KURTOSIS_LOGS_RECORD_H

#include "logs/logs.h"

#define LOGS_RECORD_HEAD 20u

typedef enum {
    LOGS_RECORD_LINES = 1,
    LOGS_RECORD_BEGAN = 2,
    LOGS_RECORD_ENDED = 3,
    LOGS_RECORD_CURSOR = 4, /* the first of a hot file: the cursor alone */
} logs_record_kind_t;

/* A record in memory; all lent from the bytes it was read from. */
typedef struct {
    logs_record_kind_t kind;
    uint32_t lines;
    const uint8_t *cursor;
    size_t cursor_size;
    const uint8_t *at, *end; /* lines not yet taken */
    int64_t time;            /* of the line before */
    uint32_t taken;
    size_t size; /* of the whole record */
} logs_record_t;

/* Appends one. batch: NULL for none. */
void logs_record_put(str_t *out, logs_record_kind_t kind, const logs_batch_t *batch,
                     const void *cursor, size_t cursor_size);
/* 1 and the record at the beginning of bytes, 0 when they end in the middle of one; INVALID for what is none. */
int logs_record_get(const void *bytes, size_t size, logs_record_t *ret_record, err_t **err);
/* 1 and the next line, 0 when there is none; INVALID. */
int logs_record_next(logs_record_t *self, logs_line_t *ret_line, err_t **err);

/* Little endian numbers. */
void logs_put32(uint8_t *at, uint32_t value);
void logs_put64(uint8_t *at, uint64_t value);
uint32_t logs_get32(const uint8_t *at);
uint64_t logs_get64(const uint8_t *at);

#endif
