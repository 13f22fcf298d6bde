/*  json pack: messages as JSON text, by proto3's rules
 * (https://protobuf.dev/programming-guides/json/). Text is written straight from the struct: a tree
 * of values would only be read once. */
#include "base/utf8.h"
#include "bus/codec.h"
#include "bus/json_text.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    str_t text;
    bool proto_names;
} writer_t;

static void put_message(writer_t *self, const ProtobufCMessageDescriptor *type,
                        const ProtobufCMessage *msg);

/* What a control character is written as, when it has a short form. */
static const char short_escapes[32] = {
    ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

static void
put_escaped(str_t *out, const char *text, size_t size)
{
    size_t plain = 0;

    str_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        str_add_bytes(out, text + plain, i - plain);
        plain = i + 1;
        if (c >= 0x20)
            str_printf(out, "\\%c", c);
        else if (short_escapes[c])
            str_printf(out, "\\%c", short_escapes[c]);
        else
            str_printf(out, "\\u%04x", c);
    }
    str_add_bytes(out, text + plain, size - plain);
    str_add_char(out, '"');
}

static void
put_string(str_t *out, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (utf8_is(text ? text : "", size)) {
        put_escaped(out, text ? text : "", size);
        return;
    }
    AUTO_STR clean = STR_EMPTY;
    utf8_clean(&clean, text, size);
    put_escaped(out, clean.data, clean.len);
}

static void
put_real(str_t *out, double real, int digits_max)
{
    if (isnan(real) || isinf(real)) {
        str_add(out, isnan(real) ? "\"NaN\"" : real < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    char digits[40];
    for (int precision = 1; precision <= digits_max; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, real);
        double back = strtod(digits, NULL);
        if (digits_max < 10 ? (float)back == (float)real : back == real)
            break;
    }
    str_add(out, digits);
}

static void
put_enum(str_t *out, const ProtobufCEnumDescriptor *type, int32_t number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value)
        str_printf(out, "\"%s\"", value->name);
    else
        str_printf(out, "%" PRId32, number);
}

static void
put_value(writer_t *self, const ProtobufCFieldDescriptor *field, const void *slot)
{
    str_t *out = &self->text;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        str_printf(out, "%" PRId32, *(const int32_t *)slot);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        str_printf(out, "%" PRIu32, *(const uint32_t *)slot);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        str_printf(out, "\"%" PRId64 "\"", *(const int64_t *)slot);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        str_printf(out, "\"%" PRIu64 "\"", *(const uint64_t *)slot);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        put_real(out, (double)*(const float *)slot, 9);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        put_real(out, *(const double *)slot, 17);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        str_add(out, *(const protobuf_c_boolean *)slot ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(out, field->descriptor, *(const int32_t *)slot);
        break;
    case PROTOBUF_C_TYPE_STRING:
        put_string(out, *(char *const *)slot);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        str_add_char(out, '"');
        json_base64_put(out, ((const ProtobufCBinaryData *)slot)->data,
                        ((const ProtobufCBinaryData *)slot)->len);
        str_add_char(out, '"');
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(self, field->descriptor, *(ProtobufCMessage *const *)slot);
        break;
    }
}

/* Keys are strings, whatever their type. */
static void
put_entry(writer_t *self, const ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
    const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
    size_t start = self->text.len;

    put_value(self, key, codec_member(entry, key));
    if (self->text.data[start] != '"') {
        AUTO_FREE char *plain = strdup(self->text.data + start);
        self->text.len = start;
        str_printf(&self->text, "\"%s\"", plain);
    }
    str_add_char(&self->text, ':');
    put_value(self, value, codec_member(entry, value));
}

static void
put_repeated(writer_t *self, const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    bool is_map = codec_is_map(field);
    size_t count = *codec_count(msg, field);

    str_add_char(&self->text, is_map ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        const void *slot = codec_element(msg, field, i);
        if (i)
            str_add_char(&self->text, ',');
        if (is_map)
            put_entry(self, *(ProtobufCMessage *const *)slot);
        else
            put_value(self, field, slot);
    }
    str_add_char(&self->text, is_map ? '}' : ']');
}

/* Timestamp and Duration are written as texts. */
static bool
put_time(writer_t *self, const ProtobufCMessageDescriptor *type, const ProtobufCMessage *msg)
{
    bool is_duration = type == &google__protobuf__duration__descriptor;
    if (!is_duration && type != &google__protobuf__timestamp__descriptor)
        return false;

    str_add_char(&self->text, '"');
    if (is_duration) {
        const Google__Protobuf__Duration *time = (const void *)msg;
        json_duration_put(&self->text, time ? time->seconds : 0, time ? time->nanos : 0);
    } else {
        const Google__Protobuf__Timestamp *time = (const void *)msg;
        json_timestamp_put(&self->text, time ? time->seconds : 0, time ? time->nanos : 0);
    }
    str_add_char(&self->text, '"');
    return true;
}

static void
put_message(writer_t *self, const ProtobufCMessageDescriptor *type, const ProtobufCMessage *msg)
{
    if (put_time(self, type, msg))
        return;
    bool is_first = true;
    str_add_char(&self->text, '{');
    for (unsigned i = 0; msg && i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (!codec_is_set(msg, field))
            continue;
        str_add(&self->text, is_first ? "\"" : ",\"");
        is_first = false;
        if (self->proto_names)
            str_add(&self->text, field->name);
        else
            json_name_put(&self->text, field->name);
        str_add(&self->text, "\":");
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            put_repeated(self, msg, field);
        else
            put_value(self, field, codec_member(msg, field));
    }
    str_add_char(&self->text, '}');
}

char *
bus_json_pack(const ProtobufCMessage *msg, bool proto_names)
{
    writer_t self = {.text = STR_EMPTY, .proto_names = proto_names};
    put_message(&self, msg->descriptor, msg);
    return str_take(&self.text);
}
