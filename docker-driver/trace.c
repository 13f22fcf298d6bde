/*  trace: see trace.h. */
#include "docker-driver/trace.h"

#include "base/auto.h"
#include "base/utf8.h"

#include <sodium.h>
#include <string.h>

/* Bytes that are read as protobuf. */
typedef struct {
    const uint8_t *data;
    size_t size;
} bytes_t;

/* One field of a message. */
typedef struct {
    unsigned number;
    uint64_t value; /* of a number */
    bytes_t bytes;  /* of text, bytes and messages; no data: it is a number */
} field_t;

/* Numbers of the fields that are read: of the response, of a step, of what a step prints. */
enum { STEPS = 1, LOGS = 3 };
enum { STEP_DIGEST = 1, STEP_NAME = 3, STEP_CACHED = 4, STEP_STARTED = 5 };
enum { LOG_TEXT = 4 };

static bool
number_take(bytes_t *from, uint64_t *ret_value)
{
    *ret_value = 0;
    for (unsigned shift = 0; shift < 64 && from->size; shift += 7) {
        uint8_t byte = *from->data++;
        from->size--;
        *ret_value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool
skip(bytes_t *from, size_t size)
{
    if (size > from->size)
        return false;
    from->data += size;
    from->size -= size;
    return true;
}

/* Takes the next field; false at the end, and where there is nothing that makes sense. */
static bool
field_take(bytes_t *from, field_t *ret_field)
{
    enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
    uint64_t key, size;
    *ret_field = (field_t){0};
    if (!number_take(from, &key))
        return false;
    ret_field->number = (unsigned)(key >> 3);
    switch (key & 7) {
    case VARINT:
        return number_take(from, &ret_field->value);
    case FIXED64:
        return skip(from, 8);
    case FIXED32:
        return skip(from, 4);
    case BYTES:
        if (!number_take(from, &size) || size > from->size)
            return false;
        ret_field->bytes = (bytes_t){from->data, (size_t)size};
        return skip(from, (size_t)size);
    default:
        return false;
    }
}

static bool
is_new(trace_t *self, bytes_t digest)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < digest.size; i++)
        hash = (hash ^ digest.data[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < self->count; i++)
        if (self->told[i] == hash)
            return false;
    if (!self->told && !(self->told = calloc(TRACE_STEPS_MAX, sizeof *self->told)))
        abort();
    if (self->count < TRACE_STEPS_MAX)
        self->told[self->count++] = hash;
    return true;
}

static void
line_add(str_t *out, bytes_t text, const char *after)
{
    utf8_clean(out, (const char *)text.data, text.size);
    str_add(out, after);
    if (!out->len || out->data[out->len - 1] != '\n')
        str_add_char(out, '\n');
}

/* A step is told when it begins, or is found in the cache. */
static void
step_feed(trace_t *self, bytes_t step, str_t *out)
{
    field_t field;
    bytes_t digest = {0}, name = {0};
    bool started = false, cached = false;
    while (field_take(&step, &field)) {
        if (field.number == STEP_DIGEST)
            digest = field.bytes;
        else if (field.number == STEP_NAME)
            name = field.bytes;
        else if (field.number == STEP_CACHED)
            cached = field.value != 0;
        else if (field.number == STEP_STARTED)
            started = true;
    }
    if ((started || cached) && name.size && is_new(self, digest))
        line_add(out, name, cached ? " (cached)" : "");
}

static void
log_feed(bytes_t log, str_t *out)
{
    field_t field;
    while (field_take(&log, &field))
        if (field.number == LOG_TEXT && field.bytes.size)
            line_add(out, field.bytes, "");
}

void
trace_feed(trace_t *self, const char *base64, str_t *ret_lines)
{
    size_t size = strlen(base64);
    AUTO_FREE uint8_t *raw = malloc(size + 1);
    bytes_t message = {.data = raw};
    field_t field;
    if (!raw)
        abort();
    if (sodium_base642bin(raw, size, base64, size, NULL, &message.size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return;
    while (field_take(&message, &field)) {
        if (field.number == STEPS)
            step_feed(self, field.bytes, ret_lines);
        else if (field.number == LOGS)
            log_feed(field.bytes, ret_lines);
    }
}

void
trace_done(trace_t *self)
{
    free(self->told);
    *self = (trace_t){0};
}
