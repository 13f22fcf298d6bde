/*  json unpack: JSON text into messages, by proto3's rules. jansson reads the text into a tree,
 * from which the struct is filled; the text is measured first, since a value of two bytes costs
 * jansson hundreds.
 *
 *  Two things are stricter than proto3: null is refused inside lists and maps, and a number over
 *  9223372036854775807 must be written as a string (as proto3 writes it), for that is where
 * jansson's integers end.
 */
#include "bus/codec.h"
#include "bus/json_text.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

static int unpack_message(codec_t *self, const codec_path_t *path, const json_t *json,
                          ProtobufCMessage *msg);

static const char *const json_names[] = {
    [JSON_OBJECT] = "object",   [JSON_ARRAY] = "list",  [JSON_STRING] = "string",
    [JSON_INTEGER] = "integer", [JSON_REAL] = "number", [JSON_TRUE] = "bool",
    [JSON_FALSE] = "bool",      [JSON_NULL] = "null",
};

static int
fail_type(codec_t *self, const codec_path_t *path, const char *expected, const json_t *json)
{
    return codec_fail(self, path, ERR_INVALID, "expected %s, got %s", expected,
                      json_names[json_typeof(json)]);
}

static int
fail_text(codec_t *self, const codec_path_t *path, const char *expected, const char *text)
{
    return codec_fail(self, path, ERR_INVALID, "expected %s, got '%.100s'", expected, text);
}

/* -------------------------------------------------------------------------------------- scalars */

/* "-12" as an integer of the field's type: numbers may be strings, and keys of maps are. */
static int
unpack_digits(codec_t *self, const codec_path_t *path, const char *text, void *slot)
{
    bool is_negative = *text == '-';
    const char *digit = text + is_negative;
    uint64_t number = 0;

    if (!*digit)
        return fail_text(self, path, "integer", text);
    for (; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*digit - '0'), &number))
            return fail_text(self, path, "integer", text);
    }
    if (!is_negative)
        return codec_put_unsigned(self, path, number, slot);
    if (number > (uint64_t)INT64_MAX + 1)
        return fail_text(self, path, "integer", text);
    return codec_put_signed(self, path, (int64_t)-number, slot);
}

static int
unpack_integer(codec_t *self, const codec_path_t *path, const json_t *json, void *slot)
{
    switch (json_typeof(json)) {
    case JSON_INTEGER:
        return codec_put_signed(self, path, json_integer_value(json), slot);
    case JSON_REAL: {
        /* 1e3 and 5.0 are integers too. */
        double real = json_real_value(json);
        if (floor(real) != real || fabs(real) >= 0x1p64)
            return codec_fail(self, path, ERR_INVALID, "expected integer, got %g", real);
        if (real >= 0)
            return codec_put_unsigned(self, path, (uint64_t)real, slot);
        if (real < -0x1p63)
            return codec_fail(self, path, ERR_INVALID, "expected integer, got %g", real);
        return codec_put_signed(self, path, (int64_t)real, slot);
    }
    case JSON_STRING:
        return unpack_digits(self, path, json_string_value(json), slot);
    default:
        return fail_type(self, path, "integer", json);
    }
}

static int
unpack_enum(codec_t *self, const codec_path_t *path, const json_t *json, void *slot)
{
    const ProtobufCEnumDescriptor *type = path->field->descriptor;
    if (!json_is_string(json))
        return json_is_integer(json) ? unpack_integer(self, path, json, slot)
                                     : fail_type(self, path, "enum", json);
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(json));
    if (!value)
        return codec_fail(self, path, ERR_INVALID, "'%.100s' is no value of %s",
                          json_string_value(json), type->short_name);
    *(int32_t *)slot = value->value;
    return 0;
}

static int
unpack_real(codec_t *self, const codec_path_t *path, const json_t *json, void *slot)
{
    double real;
    if (json_is_string(json)) {
        const char *text = json_string_value(json);
        char *end;
        if (!strcmp(text, "NaN") || !strcmp(text, "Infinity") || !strcmp(text, "-Infinity"))
            real = *text == 'N' ? (double)NAN : *text == '-' ? -HUGE_VAL : HUGE_VAL;
        else if (strspn(text, "0123456789+-.eE") != strlen(text) ||
                 (real = strtod(text, &end), *end || end == text))
            return fail_text(self, path, "number", text);
    } else if (json_is_number(json)) {
        real = json_number_value(json);
    } else {
        return fail_type(self, path, "number", json);
    }
    if (path->field->type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)slot = (float)real;
    else
        *(double *)slot = real;
    return 0;
}

static int
unpack_bytes(codec_t *self, const codec_path_t *path, const json_t *json,
             ProtobufCBinaryData *bytes)
{
    if (!json_is_string(json))
        return fail_type(self, path, "base64", json);
    size_t len = json_string_length(json);
    if (len == 0)
        return 0;
    if (codec_bytes_new(self, path, JSON_BASE64_SPACE(len), bytes) < 0)
        return -1;
    if (json_base64_get(json_string_value(json), len, bytes->data, &bytes->len))
        return 0;
    free(bytes->data);
    *bytes = (ProtobufCBinaryData){0};
    return codec_fail(self, path, ERR_INVALID, "the string is not base64");
}

/* One value of path->field into its slot. What the slot owns is complete at every step, so that a
 * message that fails half way can be freed. */
static int
unpack_value(codec_t *self, const codec_path_t *path, const json_t *json, void *slot)
{
    const ProtobufCFieldDescriptor *field = path->field;
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(json))
            return fail_type(self, path, "bool", json);
        *(protobuf_c_boolean *)slot = json_is_true(json);
        return 0;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return unpack_real(self, path, json, slot);
    case PROTOBUF_C_TYPE_ENUM:
        return unpack_enum(self, path, json, slot);
    case PROTOBUF_C_TYPE_STRING:
        if (!json_is_string(json))
            return fail_type(self, path, "string", json);
        return codec_string_new(self, path, json_string_value(json), json_string_length(json),
                                slot);
    case PROTOBUF_C_TYPE_BYTES:
        return unpack_bytes(self, path, json, slot);
    case PROTOBUF_C_TYPE_MESSAGE:
        if (codec_message_new(self, path, field->descriptor, slot) < 0)
            return -1;
        return unpack_message(self, path, json, *(ProtobufCMessage **)slot);
    default:
        return unpack_integer(self, path, json, slot);
    }
}

/* ------------------------------------------------------------------------------------- messages */

/* A member of a oneof: the case says what the slot owns, so it is set once there is something. */
static int
unpack_member(codec_t *self, const codec_path_t *path, const json_t *json, ProtobufCMessage *msg)
{
    const ProtobufCFieldDescriptor *field = path->field;
    void *slot = codec_member(msg, field);

    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (codec_message_new(self, path, field->descriptor, slot) < 0)
            return -1;
        *codec_case(msg, field) = field->id;
        return unpack_message(self, path, json, *(ProtobufCMessage **)slot);
    }
    /* The members share their memory: what another may have left there goes. */
    memset(slot, 0, codec_size_of(field->type));
    if (unpack_value(self, path, json, slot) < 0)
        return -1;
    *codec_case(msg, field) = field->id;
    return 0;
}

static int
unpack_list(codec_t *self, const codec_path_t *path, const json_t *json, ProtobufCMessage *msg)
{
    const ProtobufCFieldDescriptor *field = path->field;
    if (!json_is_array(json))
        return fail_type(self, path, "list", json);
    size_t count = json_array_size(json);
    if (count == 0)
        return 0;
    if (codec_array_new(self, path, msg, count) < 0)
        return -1;
    memset(codec_element(msg, field, 0), 0, count * codec_size_of(field->type));
    for (size_t i = 0; i < count; i++) {
        codec_path_t element = {.up = path, .field = field, .kind = CODEC_ELEMENT, .index = i};
        void *slot = codec_element(msg, field, i);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            if (codec_message_new(self, &element, field->descriptor, slot) < 0)
                return -1;
            ++*codec_count(msg, field);
            if (unpack_message(self, &element, json_array_get(json, i),
                               *(ProtobufCMessage **)slot) < 0)
                return -1;
        } else {
            if (unpack_value(self, &element, json_array_get(json, i), slot) < 0)
                return -1;
            ++*codec_count(msg, field);
        }
    }
    return 0;
}

static int
unpack_key(codec_t *self, const codec_path_t *path, const char *text, void *slot)
{
    switch (path->field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return codec_string_new(self, path, text, strlen(text), slot);
    case PROTOBUF_C_TYPE_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return fail_text(self, path, "bool", text);
        *(protobuf_c_boolean *)slot = *text == 't';
        return 0;
    default:
        return unpack_digits(self, path, text, slot);
    }
}

static int
unpack_map(codec_t *self, const codec_path_t *path, json_t *json, ProtobufCMessage *msg)
{
    const ProtobufCFieldDescriptor *field = path->field;
    const char *text;
    json_t *inner;

    if (!json_is_object(json))
        return fail_type(self, path, "object", json);
    if (json_object_size(json) == 0)
        return 0;
    if (codec_array_new(self, path, msg, json_object_size(json)) < 0)
        return -1;
    json_object_foreach(json, text, inner)
    {
        ProtobufCMessage **slot = codec_element(msg, field, *codec_count(msg, field));
        if (codec_message_new(self, path, field->descriptor, slot) < 0)
            return -1;
        ++*codec_count(msg, field);
        codec_path_t key = {.up = path, .field = &(*slot)->descriptor->fields[0]};
        codec_path_t value = {.up = path,
                              .field = &(*slot)->descriptor->fields[1],
                              .kind = CODEC_ENTRY,
                              .entry = *slot};
        if (unpack_key(self, &key, text, codec_member(*slot, key.field)) < 0 ||
            unpack_value(self, &value, inner, codec_member(*slot, value.field)) < 0)
            return -1;
    }
    return 0;
}

/* The field of either spelling. */
static const ProtobufCFieldDescriptor *
field_of(const ProtobufCMessageDescriptor *type, const char *name)
{
    const ProtobufCFieldDescriptor *field = codec_field_find(type, name, strlen(name));
    for (unsigned i = 0; !field && i < type->n_fields; i++)
        if (json_name_is(name, type->fields[i].name))
            field = &type->fields[i];
    return field;
}

static int
unpack_time(codec_t *self, const codec_path_t *path, const json_t *json, ProtobufCMessage *msg)
{
    bool is_duration = msg->descriptor == &google__protobuf__duration__descriptor;
    const char *what =
        is_duration ? "a duration, e.g. \"1.5s\"" : "a time, e.g. \"2026-01-31T10:20:30Z\"";
    if (!json_is_string(json))
        return fail_type(self, path, what, json);
    const char *text = json_string_value(json);
    bool is_time;
    if (is_duration) {
        Google__Protobuf__Duration *time = (Google__Protobuf__Duration *)msg;
        is_time = json_duration_get(text, &time->seconds, &time->nanos);
    } else {
        Google__Protobuf__Timestamp *time = (Google__Protobuf__Timestamp *)msg;
        is_time = json_timestamp_get(text, &time->seconds, &time->nanos);
    }
    return is_time ? 0 : fail_text(self, path, what, text);
}

static int
unpack_field(codec_t *self, const codec_path_t *path, json_t *json, ProtobufCMessage *msg)
{
    const ProtobufCFieldDescriptor *field = path->field;
    if (codec_field_begin(self, path, msg) < 0)
        return -1;
    if (codec_is_map(field))
        return unpack_map(self, path, json, msg);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return unpack_list(self, path, json, msg);
    if (codec_is_oneof(field))
        return unpack_member(self, path, json, msg);
    return unpack_value(self, path, json, codec_member(msg, field));
}

static int
unpack_message(codec_t *self, const codec_path_t *path, const json_t *json, ProtobufCMessage *msg)
{
    const char *name;
    json_t *inner;

    if (msg->descriptor == &google__protobuf__duration__descriptor ||
        msg->descriptor == &google__protobuf__timestamp__descriptor)
        return unpack_time(self, path, json, msg);
    if (!json_is_object(json))
        return fail_type(self, path, "object", json);
    json_object_foreach((json_t *)json, name, inner)
    {
        codec_path_t down = {.up = path, .field = field_of(msg->descriptor, name)};
        if (down.field && !json_is_null(inner) && unpack_field(self, &down, inner, msg) < 0)
            return -1;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------- texts */

/* Refuses a text that would cost too much to read: too long, too many values, too deep. */
static int
measure(codec_t *self, const char *text, size_t size)
{
    size_t values = 1, depth = 0;
    bool in_string = false;

    if (size > BUS_BODY_MAX)
        return codec_fail(self, NULL, ERR_LIMIT,
                          "the JSON text has %zu bytes, at most %u are allowed", size,
                          BUS_BODY_MAX);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if (c == ',' || c == '[' || c == '{')
            values++;
        if (in_string || !(c == '[' || c == '{' || c == ']' || c == '}'))
            continue;
        depth = c == '[' || c == '{' ? depth + 1 : depth ? depth - 1 : 0;
        if (depth > BUS_DEPTH_MAX)
            return codec_fail(self, NULL, ERR_LIMIT, "the JSON text is nested deeper than %u",
                              BUS_DEPTH_MAX);
    }
    if (values > BUS_JSON_VALUES_MAX)
        return codec_fail(self, NULL, ERR_LIMIT, "the JSON text has more than %u values",
                          BUS_JSON_VALUES_MAX);
    return 0;
}

static int
unpack_text(codec_t *self, const char *text, size_t size, ProtobufCMessage *msg)
{
    json_error_t where;

    if (measure(self, text, size) < 0)
        return -1;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!json)
        return codec_fail(self, NULL, ERR_INVALID, "line %d, column %d: %s", where.line,
                          where.column, where.text);
    int result = unpack_message(self, NULL, json, msg);
    json_decref(json);
    return result;
}

int
bus_json_unpack(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size,
                ProtobufCMessage **ret, err_t **err)
{
    codec_t self = {CODEC_MEMORY_MAX, err};
    AUTO_MESSAGE ProtobufCMessage *msg = NULL;

    if (codec_message_new(&self, NULL, descriptor, &msg) < 0 ||
        unpack_text(&self, size ? text : "", size, msg) < 0)
        return err_wrap(err, "cannot read '%s' from JSON", descriptor->name);
    *ret = TAKE(msg);
    return 0;
}
