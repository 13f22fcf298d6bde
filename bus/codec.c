/*  codec: see codec.h. */
#include "bus/codec.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [PROTOBUF_C_TYPE_INT32] = {"integer", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_SINT32] = {"integer", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_SFIXED32] = {"integer", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_INT64] = {"integer", sizeof(int64_t)},
    [PROTOBUF_C_TYPE_SINT64] = {"integer", sizeof(int64_t)},
    [PROTOBUF_C_TYPE_SFIXED64] = {"integer", sizeof(int64_t)},
    [PROTOBUF_C_TYPE_UINT32] = {"integer", sizeof(uint32_t)},
    [PROTOBUF_C_TYPE_FIXED32] = {"integer", sizeof(uint32_t)},
    [PROTOBUF_C_TYPE_UINT64] = {"integer", sizeof(uint64_t)},
    [PROTOBUF_C_TYPE_FIXED64] = {"integer", sizeof(uint64_t)},
    [PROTOBUF_C_TYPE_FLOAT] = {"number", sizeof(float)},
    [PROTOBUF_C_TYPE_DOUBLE] = {"number", sizeof(double)},
    [PROTOBUF_C_TYPE_BOOL] = {"bool", sizeof(protobuf_c_boolean)},
    [PROTOBUF_C_TYPE_ENUM] = {"enum", sizeof(int32_t)},
    [PROTOBUF_C_TYPE_STRING] = {"string", sizeof(char *)},
    [PROTOBUF_C_TYPE_BYTES] = {"bytes", sizeof(ProtobufCBinaryData)},
    [PROTOBUF_C_TYPE_MESSAGE] = {"map", sizeof(ProtobufCMessage *)},
};

/* What one allocation costs besides its bytes. */
#define ALLOCATION_COST 16

/* ---------------------------------------------------------------------------------------- paths */

static void
add_key(str_t *out, const ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
    const void *slot = codec_member(entry, key);
    switch (key->type) {
    case PROTOBUF_C_TYPE_STRING:
        str_printf(out, "[\"%.100s\"]", *(char *const *)slot);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        str_printf(out, "[%s]", *(const protobuf_c_boolean *)slot ? "true" : "false");
        break;
    default:
        if (codec_size_of(key->type) == sizeof(int64_t))
            str_printf(out, "[%" PRId64 "]", *(const int64_t *)slot);
        else
            str_printf(out, "[%" PRId32 "]", *(const int32_t *)slot);
    }
}

static void
add_path(str_t *out, const codec_path_t *path)
{
    if (!path)
        return;
    add_path(out, path->up);
    switch (path->kind) {
    case CODEC_FIELD:
        str_printf(out, "%s%s", out->len ? "." : "", path->field->name);
        break;
    case CODEC_ELEMENT:
        str_printf(out, "[%zu]", path->index);
        break;
    case CODEC_ENTRY:
        add_key(out, path->entry);
        break;
    }
}

int
codec_fail(codec_t *self, const codec_path_t *path, err_code_t code, const char *format, ...)
{
    if (!self->err)
        return -1;
    AUTO_STR text = STR_EMPTY;
    add_path(&text, path);
    if (text.len)
        str_add(&text, ": ");
    va_list args;
    va_start(args, format);
    str_vprintf(&text, format, args);
    va_end(args);
    return err_fail(self->err, code, "%s", text.data);
}

/* --------------------------------------------------------------------------------------- fields */

bool
codec_is_map(const ProtobufCFieldDescriptor *field)
{
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label != PROTOBUF_C_LABEL_REPEATED)
        return false;
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    return entry->n_fields == 2 && str_ends(entry->short_name, "Entry") &&
           !strcmp(entry->fields[0].name, "key") && !strcmp(entry->fields[1].name, "value");
}

bool
codec_is_set(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    const void *slot = codec_member(msg, field);

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *codec_count(msg, field) > 0;
    if (codec_is_oneof(field)) {
        /* As in protobuf-c, a string or message that is not there makes its oneof unset. */
        if (*codec_case(msg, field) != field->id)
            return false;
        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            return true;
        return *(void *const *)slot && *(void *const *)slot != field->default_value;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return *(char *const *)slot && **(char *const *)slot;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(void *const *)slot != NULL;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)slot)->len > 0;
    default:
        return types[field->type].size == sizeof(uint64_t) ? *(const uint64_t *)slot != 0
                                                           : *(const uint32_t *)slot != 0;
    }
}

const ProtobufCFieldDescriptor *
codec_field_find(const ProtobufCMessageDescriptor *descriptor, const char *name, size_t len)
{
    unsigned first = 0, last = descriptor->n_fields;
    while (first < last) {
        unsigned middle = first + (last - first) / 2;
        const ProtobufCFieldDescriptor *field =
            &descriptor->fields[descriptor->fields_sorted_by_name[middle]];
        size_t field_len = strlen(field->name);
        int order = memcmp(name, field->name, len < field_len ? len : field_len);
        if (order == 0 && len == field_len)
            return field;
        if (order == 0)
            order = len > field_len ? 1 : -1;
        if (order > 0)
            first = middle + 1;
        else
            last = middle;
    }
    return NULL;
}

size_t
codec_size_of(ProtobufCType type)
{
    return types[type].size;
}

const char *
codec_type_name(ProtobufCType type)
{
    return types[type].name;
}

/* ------------------------------------------------------------------------------------- decoding */

static void *
charged_alloc(codec_t *self, const codec_path_t *path, size_t size)
{
    size_t cost = size + ALLOCATION_COST;
    if (size > CODEC_MEMORY_MAX || cost > self->memory) {
        codec_fail(self, path, ERR_LIMIT, "the message needs more than %zu bytes of memory",
                   CODEC_MEMORY_MAX);
        return NULL;
    }
    self->memory -= cost;
    void *memory = malloc(size ? size : 1);
    if (!memory)
        codec_fail(self, path, ERR_LIMIT, "out of memory");
    return memory;
}

int
codec_message_new(codec_t *self, const codec_path_t *path,
                  const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret)
{
    ProtobufCMessage *msg = charged_alloc(self, path, descriptor->sizeof_message);
    if (!msg)
        return -1;
    protobuf_c_message_init(descriptor, msg);
    *ret = msg;
    return 0;
}

int
codec_string_new(codec_t *self, const codec_path_t *path, const char *bytes, size_t size,
                 char **ret)
{
    if (memchr(bytes, '\0', size))
        return codec_fail(self, path, ERR_INVALID, "the string has a NUL byte");
    if (!utf8_is(bytes, size))
        return codec_fail(self, path, ERR_INVALID, "the string is not UTF-8");
    char *text = charged_alloc(self, path, size + 1);
    if (!text)
        return -1;
    memcpy(text, bytes, size);
    text[size] = '\0';
    *ret = text;
    return 0;
}

int
codec_bytes_new(codec_t *self, const codec_path_t *path, size_t size, ProtobufCBinaryData *ret)
{
    if (size == 0) {
        *ret = (ProtobufCBinaryData){0};
        return 0;
    }
    uint8_t *data = charged_alloc(self, path, size);
    if (!data)
        return -1;
    *ret = (ProtobufCBinaryData){.len = size, .data = data};
    return 0;
}

int
codec_array_new(codec_t *self, const codec_path_t *path, ProtobufCMessage *msg, size_t count)
{
    size_t size = types[path->field->type].size;
    if (count > CODEC_MEMORY_MAX / size)
        count = CODEC_MEMORY_MAX / size + 1; /* enough to be refused, without an overflow */
    void *array = charged_alloc(self, path, count * size);
    if (!array)
        return -1;
    *(void **)codec_member(msg, path->field) = array;
    return 0;
}

int
codec_field_begin(codec_t *self, const codec_path_t *path, const ProtobufCMessage *msg)
{
    const ProtobufCFieldDescriptor *field = path->field;
    if (codec_is_oneof(field) && *codec_case(msg, field) != 0 &&
        *codec_case(msg, field) != field->id) {
        const ProtobufCFieldDescriptor *other =
            protobuf_c_message_descriptor_get_field(msg->descriptor, *codec_case(msg, field));
        return codec_fail(self, path, ERR_INVALID, "only one of '%s' and '%s' can be set",
                          other->name, field->name);
    }
    bool is_set = codec_is_oneof(field) ? *codec_case(msg, field) != 0 : codec_is_set(msg, field);
    /* An empty string of its own is memory too. */
    if (field->type == PROTOBUF_C_TYPE_STRING && field->label == PROTOBUF_C_LABEL_NONE &&
        !codec_is_oneof(field))
        is_set = *(const void **)codec_member(msg, field) != field->default_value;
    return is_set ? codec_fail(self, path, ERR_INVALID, "the field is there twice") : 0;
}

static int
fail_range(codec_t *self, const codec_path_t *path, const char *range, bool is_negative,
           uint64_t magnitude)
{
    return codec_fail(self, path, ERR_INVALID, "expected an integer of %s, got %s%" PRIu64, range,
                      is_negative ? "-" : "", magnitude);
}

int
codec_put_unsigned(codec_t *self, const codec_path_t *path, uint64_t value, void *slot)
{
    switch (path->field->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)slot = value;
        return 0;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        if (value > UINT32_MAX)
            return fail_range(self, path, "0..4294967295", false, value);
        *(uint32_t *)slot = (uint32_t)value;
        return 0;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        if (value > INT64_MAX)
            return fail_range(self, path, "-9223372036854775808..9223372036854775807", false,
                              value);
        *(int64_t *)slot = (int64_t)value;
        return 0;
    default:
        if (value > INT32_MAX)
            return fail_range(self, path, "-2147483648..2147483647", false, value);
        *(int32_t *)slot = (int32_t)value;
        return 0;
    }
}

int
codec_put_signed(codec_t *self, const codec_path_t *path, int64_t value, void *slot)
{
    if (value >= 0)
        return codec_put_unsigned(self, path, (uint64_t)value, slot);
    switch (path->field->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return fail_range(self, path, "0..18446744073709551615", true, -(uint64_t)value);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return fail_range(self, path, "0..4294967295", true, -(uint64_t)value);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        *(int64_t *)slot = value;
        return 0;
    default:
        if (value < INT32_MIN)
            return fail_range(self, path, "-2147483648..2147483647", true, -(uint64_t)value);
        *(int32_t *)slot = (int32_t)value;
        return 0;
    }
}
