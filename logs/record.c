/*  record: see record.h. */
#include "logs/record.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

#define VARINT_MAX 10u /* bytes */

void
logs_put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

void
logs_put64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

uint32_t
logs_get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t
logs_get64(const uint8_t *at)
{
    return logs_get32(at) | (uint64_t)logs_get32(at + 4) << 32;
}

static size_t
varint_put(uint8_t *at, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        at[size++] = (uint8_t)(value | 0x80);
    at[size++] = (uint8_t)value;
    return size;
}

static bool
varint_get(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------------------------------- batch */

void
logs_batch_init(logs_batch_t *self)
{
    *self = (logs_batch_t){.bytes = STR_EMPTY};
}

void
logs_batch_done(logs_batch_t *self)
{
    str_done(&self->bytes);
    self->lines = 0;
}

void
logs_batch_add(logs_batch_t *self, logs_stream_t stream, int64_t time, const char *text,
               size_t size)
{
    assert(size <= LOGS_LINE_MAX);
    uint8_t head[2 * VARINT_MAX];
    uint64_t step = (uint64_t)time - (uint64_t)(self->lines ? self->last : 0);
    size_t used = varint_put(head, (uint64_t)size * 2 + (stream == LOGS_ERR));
    used += varint_put(head + used, step << 1 ^ (uint64_t)((int64_t)step >> 63));
    str_reserve(&self->bytes, used + size);
    str_add_bytes(&self->bytes, head, used);
    if (size)
        str_add_bytes(&self->bytes, text, size);
    if (self->lines == 0 || time < self->oldest)
        self->oldest = time;
    if (self->lines == 0 || time > self->newest)
        self->newest = time;
    self->lines++;
    self->last = time;
}

/* --------------------------------------------------------------------------------------- record */

static uint32_t
checksum(const uint8_t *record, size_t size)
{
    uLong crc = crc32(0, record, 8);
    return (uint32_t)crc32(crc, record + 12, (uInt)(size - 12));
}

void
logs_record_put(str_t *out, logs_record_kind_t kind, const logs_batch_t *batch, const void *cursor,
                size_t cursor_size)
{
    assert(cursor_size <= LOGS_CURSOR_MAX);
    size_t start = out->len, lines = batch ? batch->bytes.len : 0;
    uint8_t head[LOGS_RECORD_HEAD] = {'K', 'L', 'R', (uint8_t)kind};
    logs_put32(head + 4, (uint32_t)(cursor_size + lines));
    logs_put32(head + 12, batch ? batch->lines : 0);
    logs_put32(head + 16, (uint32_t)cursor_size);
    str_reserve(out, sizeof head + cursor_size + lines);
    str_add_bytes(out, head, sizeof head);
    if (cursor_size)
        str_add_bytes(out, cursor, cursor_size);
    if (lines)
        str_add_bytes(out, batch->bytes.data, lines);
    uint8_t *record = (uint8_t *)out->data + start;
    logs_put32(record + 8, checksum(record, out->len - start));
}

int
logs_record_get(const void *bytes, size_t size, logs_record_t *ret_record, err_t **err)
{
    const uint8_t *at = bytes;
    if (size < LOGS_RECORD_HEAD)
        return 0;
    uint32_t rest = logs_get32(at + 4), cursor = logs_get32(at + 16);
    if (memcmp(at, "KLR", 3) != 0 || at[3] < LOGS_RECORD_LINES || at[3] > LOGS_RECORD_CURSOR ||
        rest > LOGS_CHUNK_MAX || cursor > rest || cursor > LOGS_CURSOR_MAX)
        return err_fail(err, ERR_INVALID, "there is no record of log lines");
    if (size - LOGS_RECORD_HEAD < rest)
        return 0;
    if (checksum(at, LOGS_RECORD_HEAD + rest) != logs_get32(at + 8))
        return err_fail(err, ERR_INVALID, "a record of log lines has a wrong checksum");
    *ret_record = (logs_record_t){.kind = at[3],
                                  .lines = logs_get32(at + 12),
                                  .cursor = at + LOGS_RECORD_HEAD,
                                  .cursor_size = cursor,
                                  .at = at + LOGS_RECORD_HEAD + cursor,
                                  .end = at + LOGS_RECORD_HEAD + rest,
                                  .size = LOGS_RECORD_HEAD + rest};
    return 1;
}

int
logs_record_next(logs_record_t *self, logs_line_t *ret_line, err_t **err)
{
    if (self->taken == self->lines && self->at == self->end)
        return 0;
    uint64_t size, step;
    if (self->taken == self->lines || !varint_get(&self->at, self->end, &size) ||
        !varint_get(&self->at, self->end, &step) || size / 2 > (size_t)(self->end - self->at) ||
        size / 2 > LOGS_LINE_MAX)
        return err_fail(err, ERR_INVALID, "a record of log lines does not hold what it says");
    self->time = (int64_t)((uint64_t)self->time + (step >> 1 ^ (0 - (step & 1))));
    *ret_line = (logs_line_t){.stream = size & 1 ? LOGS_ERR : LOGS_OUT,
                              .time = self->time,
                              .text = (const char *)self->at,
                              .size = size / 2};
    self->at += size / 2;
    self->taken++;
    return 1;
}
