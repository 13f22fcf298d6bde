/*  msgpack: messages on the bus.
 *
 *      message    map of field name to value; what is unset is left out
 *      repeated   array; left out when empty
 *      map<k, v>  map of key to value
 *      enum       integer, whether the schema knows it or not
 *      string     str; on the way out bytes that are no UTF-8 become U+FFFD, on the way in they
 *                 are refused
 *      bytes      bin
 *      oneof      its set member, also when that is zero
 *
 *  Writing is msgpack-c's packer. Reading is a cursor of our own over the bytes: msgpack-c's
 *  unpacker would build a whole tree of objects that we then only read once, and it allocates what
 *  a header claims. The cursor checks each header against the bytes that are left before anyone
 *  allocates for it. Nil stands for an unset field.
 */
#include "base/utf8.h"
#include "bus/codec.h"

#include <inttypes.h>
#include <msgpack/pack.h>
#include <string.h>

static void pack_message(msgpack_packer *to, const ProtobufCMessage *msg);

/* -------------------------------------------------------------------------------------- writing */

static int
append(void *out, const char *bytes, size_t size)
{
    str_add_bytes(out, bytes, size);
    return 0;
}

static void
pack_text(msgpack_packer *to, const char *text, size_t size)
{
    msgpack_pack_str(to, size);
    msgpack_pack_str_body(to, text, size);
}

static void
pack_string(msgpack_packer *to, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (utf8_is(text ? text : "", size)) {
        pack_text(to, text, size);
        return;
    }
    AUTO_STR clean = STR_EMPTY;
    utf8_clean(&clean, text, size);
    pack_text(to, clean.data, clean.len);
}

static void
pack_value(msgpack_packer *to, const ProtobufCFieldDescriptor *field, const void *slot)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        msgpack_pack_int32(to, *(const int32_t *)slot);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        msgpack_pack_int64(to, *(const int64_t *)slot);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        msgpack_pack_uint32(to, *(const uint32_t *)slot);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        msgpack_pack_uint64(to, *(const uint64_t *)slot);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        msgpack_pack_float(to, *(const float *)slot);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        msgpack_pack_double(to, *(const double *)slot);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(const protobuf_c_boolean *)slot ? msgpack_pack_true(to) : msgpack_pack_false(to);
        break;
    case PROTOBUF_C_TYPE_STRING:
        pack_string(to, *(char *const *)slot);
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = slot;
        msgpack_pack_bin(to, bytes->len);
        msgpack_pack_bin_body(to, bytes->data, bytes->len);
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        pack_message(to, *(ProtobufCMessage *const *)slot);
        break;
    }
}

static void
pack_entry(msgpack_packer *to, const ProtobufCMessage *entry)
{
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
    const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
    pack_value(to, key, codec_member(entry, key));
    pack_value(to, value, codec_member(entry, value));
}

static void
pack_field(msgpack_packer *to, const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        pack_value(to, field, codec_member(msg, field));
        return;
    }
    size_t count = *codec_count(msg, field);
    bool is_map = codec_is_map(field);
    is_map ? msgpack_pack_map(to, count) : msgpack_pack_array(to, count);
    for (size_t i = 0; i < count; i++) {
        const void *slot = codec_element(msg, field, i);
        if (is_map)
            pack_entry(to, *(ProtobufCMessage *const *)slot);
        else
            pack_value(to, field, slot);
    }
}

static void
pack_message(msgpack_packer *to, const ProtobufCMessage *msg)
{
    const ProtobufCFieldDescriptor *fields = msg ? msg->descriptor->fields : NULL;
    unsigned field_count = msg ? msg->descriptor->n_fields : 0;
    size_t set = 0;

    for (unsigned i = 0; i < field_count; i++)
        set += codec_is_set(msg, &fields[i]);
    msgpack_pack_map(to, set);
    for (unsigned i = 0; i < field_count; i++) {
        if (!codec_is_set(msg, &fields[i]))
            continue;
        pack_text(to, fields[i].name, strlen(fields[i].name));
        pack_field(to, msg, &fields[i]);
    }
}

void
bus_msgpack_pack(const ProtobufCMessage *msg, str_t *out)
{
    msgpack_packer to;
    msgpack_packer_init(&to, out, append);
    pack_message(&to, msg);
}

void
bus_msgpack_pack_list(const char *field, const void *packed, size_t size, size_t count, str_t *out)
{
    msgpack_packer to;
    msgpack_packer_init(&to, out, append);
    msgpack_pack_map(&to, 1);
    pack_text(&to, field, strlen(field));
    msgpack_pack_array(&to, count);
    str_add_bytes(out, packed, size);
}

/* ------------------------------------------------------------------------------- reading: the
 * cursor */

typedef enum {
    ITEM_BAD,
    ITEM_NIL,
    ITEM_BOOL,
    ITEM_INTEGER,
    ITEM_FLOAT,
    ITEM_STR,
    ITEM_BIN,
    ITEM_ARRAY,
    ITEM_MAP,
    ITEM_EXT
} item_kind_t;

static const char *const item_names[] = {"nothing", "nil",   "bool", "integer", "float",
                                         "string",  "bytes", "list", "map",     "extension"};

typedef struct {
    item_kind_t kind;
    bool is_negative;    /* an integer below zero: number is its two's complement */
    uint64_t number;     /* value of a bool or integer */
    double real;         /* value of a float */
    size_t size;         /* bytes that follow (str, bin, ext), or elements or pairs */
    const uint8_t *data; /* those bytes */
} item_t;

typedef struct {
    codec_t codec;
    const uint8_t *start, *next, *end;
} reader_t;

/* First bytes 0xc0..0xdf: what begins, and how many bytes of number follow. */
static const struct {
    uint8_t kind, width, is_signed, fixed;
} heads[32] = {
    [0x00] = {ITEM_NIL, 0, 0, 0},     [0x01] = {ITEM_BAD, 0, 0, 0},
    [0x02] = {ITEM_BOOL, 0, 0, 0},    [0x03] = {ITEM_BOOL, 0, 0, 0},
    [0x04] = {ITEM_BIN, 1, 0, 0},     [0x05] = {ITEM_BIN, 2, 0, 0},
    [0x06] = {ITEM_BIN, 4, 0, 0},     [0x07] = {ITEM_EXT, 1, 0, 0},
    [0x08] = {ITEM_EXT, 2, 0, 0},     [0x09] = {ITEM_EXT, 4, 0, 0},
    [0x0a] = {ITEM_FLOAT, 4, 0, 0},   [0x0b] = {ITEM_FLOAT, 8, 0, 0},
    [0x0c] = {ITEM_INTEGER, 1, 0, 0}, [0x0d] = {ITEM_INTEGER, 2, 0, 0},
    [0x0e] = {ITEM_INTEGER, 4, 0, 0}, [0x0f] = {ITEM_INTEGER, 8, 0, 0},
    [0x10] = {ITEM_INTEGER, 1, 1, 0}, [0x11] = {ITEM_INTEGER, 2, 1, 0},
    [0x12] = {ITEM_INTEGER, 4, 1, 0}, [0x13] = {ITEM_INTEGER, 8, 1, 0},
    [0x14] = {ITEM_EXT, 0, 0, 1},     [0x15] = {ITEM_EXT, 0, 0, 2},
    [0x16] = {ITEM_EXT, 0, 0, 4},     [0x17] = {ITEM_EXT, 0, 0, 8},
    [0x18] = {ITEM_EXT, 0, 0, 16},    [0x19] = {ITEM_STR, 1, 0, 0},
    [0x1a] = {ITEM_STR, 2, 0, 0},     [0x1b] = {ITEM_STR, 4, 0, 0},
    [0x1c] = {ITEM_ARRAY, 2, 0, 0},   [0x1d] = {ITEM_ARRAY, 4, 0, 0},
    [0x1e] = {ITEM_MAP, 2, 0, 0},     [0x1f] = {ITEM_MAP, 4, 0, 0},
};

static size_t
bytes_left(const reader_t *self)
{
    return (size_t)(self->end - self->next);
}

static int
fail_cut(reader_t *self, const codec_path_t *path)
{
    return codec_fail(&self->codec, path, ERR_INVALID, "the message is cut off after %zu bytes",
                      (size_t)(self->end - self->start));
}

/* Nothing that is counted is longer than what is left: an element takes a byte, a pair two. */
static int
check_size(reader_t *self, const codec_path_t *path, item_t *item)
{
    size_t left = bytes_left(self);
    switch (item->kind) {
    case ITEM_STR:
    case ITEM_BIN:
    case ITEM_EXT:
        if (item->kind == ITEM_EXT)
            item->size++; /* its type */
        if (item->size > left)
            return fail_cut(self, path);
        item->data = self->next;
        self->next += item->size;
        return 0;
    case ITEM_ARRAY:
    case ITEM_MAP:
        if (item->size > left / (item->kind == ITEM_MAP ? 2 : 1))
            return codec_fail(&self->codec, path, ERR_INVALID,
                              "%zu elements are claimed and %zu bytes are left", item->size, left);
        return 0;
    default:
        return 0;
    }
}

static double
read_real(uint64_t number, unsigned width)
{
    if (width == sizeof(float)) {
        uint32_t narrow = (uint32_t)number;
        float real;
        memcpy(&real, &narrow, sizeof real);
        return (double)real;
    }
    double real;
    memcpy(&real, &number, sizeof real);
    return real;
}

/* An item whose first byte, 0xc0..0xdf, says how it goes on. */
static int
read_long(reader_t *self, const codec_path_t *path, uint8_t first, item_t *item)
{
    unsigned width = heads[first & 0x1f].width;
    uint64_t number = 0;

    if (width > bytes_left(self))
        return fail_cut(self, path);
    for (unsigned i = 0; i < width; i++)
        number = number << 8 | *self->next++;

    item->kind = (item_kind_t)heads[first & 0x1f].kind;
    switch (item->kind) {
    case ITEM_BAD:
        return codec_fail(&self->codec, path, ERR_INVALID, "byte 0x%02x begins nothing", first);
    case ITEM_BOOL:
        item->number = first & 1;
        break;
    case ITEM_INTEGER:
        if (heads[first & 0x1f].is_signed) {
            unsigned unused = 64 - 8 * width;
            number = (uint64_t)((int64_t)(number << unused) >> unused);
            item->is_negative = number >> 63;
        }
        item->number = number;
        break;
    case ITEM_FLOAT:
        item->real = read_real(number, width);
        break;
    default:
        item->size = width ? number : heads[first & 0x1f].fixed;
    }
    return check_size(self, path, item);
}

static int
read_item(reader_t *self, const codec_path_t *path, item_t *item)
{
    if (self->next == self->end)
        return fail_cut(self, path);
    uint8_t first = *self->next++;
    *item = (item_t){.kind = ITEM_INTEGER};
    if (first < 0x80) {
        item->number = first;
        return 0;
    }
    if (first >= 0xe0) {
        item->number = (uint64_t)(int8_t)first;
        item->is_negative = true;
        return 0;
    }
    if (first >= 0xc0)
        return read_long(self, path, first, item);
    item->kind = first < 0x90 ? ITEM_MAP : first < 0xa0 ? ITEM_ARRAY : ITEM_STR;
    item->size = first & (item->kind == ITEM_STR ? 0x1f : 0x0f);
    return check_size(self, path, item);
}

static int
check_depth(reader_t *self, const codec_path_t *path, unsigned depth)
{
    if (depth <= BUS_DEPTH_MAX)
        return 0;
    return codec_fail(&self->codec, path, ERR_LIMIT, "the message is nested deeper than %u",
                      BUS_DEPTH_MAX);
}

/* Reads over the insides of an item at depth. */
static int
skip(reader_t *self, const codec_path_t *path, const item_t *item, unsigned depth)
{
    if (item->kind != ITEM_ARRAY && item->kind != ITEM_MAP)
        return 0;
    if (check_depth(self, path, depth) < 0)
        return -1;
    for (size_t i = item->kind == ITEM_MAP ? 2 * item->size : item->size; i > 0; i--) {
        item_t inner;
        if (read_item(self, path, &inner) < 0 || skip(self, path, &inner, depth + 1) < 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------------------ reading: the
 * message */

static int unpack_message(reader_t *self, const codec_path_t *path, const item_t *item,
                          ProtobufCMessage *msg, unsigned depth);

static int
fail_type(reader_t *self, const codec_path_t *path, const char *expected, const item_t *item)
{
    return codec_fail(&self->codec, path, ERR_INVALID, "expected %s, got %s", expected,
                      item_names[item->kind]);
}

static int
unpack_real(reader_t *self, const codec_path_t *path, const item_t *item, void *slot)
{
    double real = item->real;
    if (item->kind == ITEM_INTEGER)
        real = item->is_negative ? (double)(int64_t)item->number : (double)item->number;
    else if (item->kind != ITEM_FLOAT)
        return fail_type(self, path, "number", item);
    if (path->field->type == PROTOBUF_C_TYPE_FLOAT)
        *(float *)slot = (float)real;
    else
        *(double *)slot = real;
    return 0;
}

static int
unpack_integer(reader_t *self, const codec_path_t *path, const item_t *item, void *slot)
{
    if (item->kind != ITEM_INTEGER)
        return fail_type(self, path, codec_type_name(path->field->type), item);
    return item->is_negative ? codec_put_signed(&self->codec, path, (int64_t)item->number, slot)
                             : codec_put_unsigned(&self->codec, path, item->number, slot);
}

/* One value of path->field into its slot. What the slot owns is complete at every step, so that a
 * message that fails half way can be freed. */
static int
unpack_value(reader_t *self, const codec_path_t *path, const item_t *item, void *slot,
             unsigned depth)
{
    const ProtobufCFieldDescriptor *field = path->field;
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        if (item->kind != ITEM_BOOL)
            return fail_type(self, path, "bool", item);
        *(protobuf_c_boolean *)slot = (protobuf_c_boolean)item->number;
        return 0;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return unpack_real(self, path, item, slot);
    case PROTOBUF_C_TYPE_STRING:
        if (item->kind != ITEM_STR)
            return fail_type(self, path, "string", item);
        return codec_string_new(&self->codec, path, (const char *)item->data, item->size, slot);
    case PROTOBUF_C_TYPE_BYTES: {
        ProtobufCBinaryData *bytes = slot;
        if (item->kind != ITEM_BIN)
            return fail_type(self, path, "bytes", item);
        if (codec_bytes_new(&self->codec, path, item->size, bytes) < 0)
            return -1;
        if (item->size)
            memcpy(bytes->data, item->data, item->size);
        return 0;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        if (codec_message_new(&self->codec, path, field->descriptor, slot) < 0)
            return -1;
        return unpack_message(self, path, item, *(ProtobufCMessage **)slot, depth);
    default:
        return unpack_integer(self, path, item, slot);
    }
}

/* A member of a oneof: the case says what the slot owns, so it is set once there is something. */
static int
unpack_member(reader_t *self, const codec_path_t *path, ProtobufCMessage *msg, const item_t *item,
              unsigned depth)
{
    const ProtobufCFieldDescriptor *field = path->field;
    void *slot = codec_member(msg, field);

    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (codec_message_new(&self->codec, path, field->descriptor, slot) < 0)
            return -1;
        *codec_case(msg, field) = field->id;
        return unpack_message(self, path, item, *(ProtobufCMessage **)slot, depth);
    }
    if (unpack_value(self, path, item, slot, depth) < 0)
        return -1;
    *codec_case(msg, field) = field->id;
    return 0;
}

static int
unpack_pair(reader_t *self, const codec_path_t *path, ProtobufCMessage *entry, unsigned depth)
{
    item_t item;
    codec_path_t key = {.up = path, .field = &entry->descriptor->fields[0]};
    codec_path_t value = {
        .up = path, .field = &entry->descriptor->fields[1], .kind = CODEC_ENTRY, .entry = entry};

    if (read_item(self, path, &item) < 0 ||
        unpack_value(self, &key, &item, codec_member(entry, key.field), depth) < 0)
        return -1;
    if (read_item(self, &value, &item) < 0)
        return -1;
    return unpack_value(self, &value, &item, codec_member(entry, value.field), depth);
}

static int
unpack_element(reader_t *self, const codec_path_t *path, ProtobufCMessage *msg, size_t index,
               bool is_map, unsigned depth)
{
    const ProtobufCFieldDescriptor *field = path->field;
    codec_path_t inner = {.up = path, .field = field, .kind = CODEC_ELEMENT, .index = index};
    void *slot = codec_element(msg, field, index);
    item_t item;

    if (!is_map && read_item(self, &inner, &item) < 0)
        return -1;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
        if (unpack_value(self, &inner, &item, slot, depth) < 0)
            return -1;
        ++*codec_count(msg, field);
        return 0;
    }
    if (codec_message_new(&self->codec, path, field->descriptor, slot) < 0)
        return -1;
    ++*codec_count(msg, field);
    return is_map ? unpack_pair(self, path, *(ProtobufCMessage **)slot, depth)
                  : unpack_message(self, &inner, &item, *(ProtobufCMessage **)slot, depth);
}

static int
unpack_repeated(reader_t *self, const codec_path_t *path, ProtobufCMessage *msg, const item_t *item,
                unsigned depth)
{
    bool is_map = codec_is_map(path->field);
    if (item->kind != (is_map ? ITEM_MAP : ITEM_ARRAY))
        return fail_type(self, path, is_map ? "map" : "list", item);
    if (check_depth(self, path, depth) < 0)
        return -1;
    if (item->size == 0)
        return 0;
    if (codec_array_new(&self->codec, path, msg, item->size) < 0)
        return -1;
    for (size_t i = 0; i < item->size; i++)
        if (unpack_element(self, path, msg, i, is_map, depth + 1) < 0)
            return -1;
    return 0;
}

/* The field of a name: most often the one after the field before, as that is the order they are
 * written in. */
static const ProtobufCFieldDescriptor *
field_of(const ProtobufCMessageDescriptor *descriptor, const item_t *name, unsigned guess)
{
    if (guess < descriptor->n_fields) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[guess];
        if (strlen(field->name) == name->size && !memcmp(field->name, name->data, name->size))
            return field;
    }
    return codec_field_find(descriptor, (const char *)name->data, name->size);
}

static int
unpack_field(reader_t *self, const codec_path_t *up, ProtobufCMessage *msg,
             const ProtobufCFieldDescriptor *field, unsigned depth)
{
    codec_path_t path = {.up = up, .field = field};
    item_t item;

    if (read_item(self, &path, &item) < 0)
        return -1;
    if (item.kind == ITEM_NIL)
        return 0;
    if (codec_field_begin(&self->codec, &path, msg) < 0)
        return -1;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return unpack_repeated(self, &path, msg, &item, depth);
    if (codec_is_oneof(field))
        return unpack_member(self, &path, msg, &item, depth);
    return unpack_value(self, &path, &item, codec_member(msg, field), depth);
}

static int
unpack_message(reader_t *self, const codec_path_t *path, const item_t *item, ProtobufCMessage *msg,
               unsigned depth)
{
    if (item->kind != ITEM_MAP)
        return fail_type(self, path, "map", item);
    if (check_depth(self, path, depth) < 0)
        return -1;

    unsigned guess = 0;
    for (size_t i = 0; i < item->size; i++) {
        item_t name, unknown;
        if (read_item(self, path, &name) < 0)
            return -1;
        if (name.kind != ITEM_STR)
            return fail_type(self, path, "the name of a field", &name);
        const ProtobufCFieldDescriptor *field = field_of(msg->descriptor, &name, guess);
        if (field) {
            guess = (unsigned)(field - msg->descriptor->fields) + 1;
            if (unpack_field(self, path, msg, field, depth + 1) < 0)
                return -1;
        } else if (read_item(self, path, &unknown) < 0 ||
                   skip(self, path, &unknown, depth + 1) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
unpack_whole(reader_t *self, ProtobufCMessage *msg)
{
    item_t item;
    if (read_item(self, NULL, &item) < 0 || unpack_message(self, NULL, &item, msg, 1) < 0)
        return -1;
    if (self->next != self->end)
        return codec_fail(&self->codec, NULL, ERR_INVALID, "%zu bytes follow the message",
                          bytes_left(self));
    return 0;
}

int
bus_msgpack_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t size,
                   ProtobufCMessage **ret, err_t **err)
{
    const uint8_t *bytes = size ? data : (const uint8_t *)"";
    reader_t self = {{CODEC_MEMORY_MAX, err}, bytes, bytes, bytes + size};
    AUTO_MESSAGE ProtobufCMessage *msg = NULL;

    if (size > BUS_BODY_MAX) {
        err_fail(err, ERR_LIMIT, "the message has %zu bytes, at most %u are allowed", size,
                 BUS_BODY_MAX);
        return err_wrap(err, "cannot decode '%s'", descriptor->name);
    }
    if (codec_message_new(&self.codec, NULL, descriptor, &msg) < 0 || unpack_whole(&self, msg) < 0)
        return err_wrap(err, "cannot decode '%s'", descriptor->name);
    *ret = TAKE(msg);
    return 0;
}
