/*  filler: see filler.h. A sample is what the random one would be if every choice fell the same
 * way. */
#include "filler.h"

#include "bus/codec.h"

#include <string.h>

static const char *const texts[] = {"", "a", "name with \"quotes\", \\ and </tags>",
                                    "t\xc3\xa4xt \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
                                    "line\nbreak\ttab \x01 \x7f"};
static const int64_t numbers[] = {
    0,      1,         -1,        127,        128,       -32,       -33,
    -128,   -129,      255,       256,        32767,     65535,     65536,
    -32769, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, (int64_t)1 << 53};

uint64_t
filler_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed ^ *seed >> 33) * 0xff51afd7ed558ccdu >> 16;
}

static uint64_t
below(uint64_t *seed, uint64_t limit)
{
    return seed ? filler_next(seed) % limit : 0;
}

static char *
fill_text(const ProtobufCFieldDescriptor *field, uint64_t *seed, size_t index)
{
    if (!seed)
        return index ? str_format("%s %zu", field->name, index) : strdup(field->name);
    if (below(seed, 20) == 0)
        return str_format("%0*d", (int)below(seed, 70000), 7);
    /* The number makes it differ from those before it, as keys of a map must. */
    return str_format("%s%.*s%zu", texts[below(seed, ARRAY_LEN(texts))], (int)below(seed, 8),
                      field->name, index);
}

static void
fill_bytes(ProtobufCBinaryData *bytes, const ProtobufCFieldDescriptor *field, uint64_t *seed)
{
    bytes->len = seed ? below(seed, 40) : strlen(field->name);
    bytes->data = bytes->len ? malloc(bytes->len) : NULL;
    for (size_t i = 0; i < bytes->len; i++)
        bytes->data[i] = seed ? (uint8_t)filler_next(seed) : (uint8_t)field->name[i];
}

static int32_t
fill_enum(const ProtobufCFieldDescriptor *field, uint64_t *seed)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    if (!seed)
        return type->values[type->n_values - 1].value;
    if (below(seed, 8) == 0)
        return (int32_t)numbers[below(seed, ARRAY_LEN(numbers))];
    return type->values[below(seed, type->n_values)].value;
}

static void
fill_value(const ProtobufCFieldDescriptor *field, void *slot, uint64_t *seed, size_t index)
{
    int64_t number =
        seed ? numbers[below(seed, ARRAY_LEN(numbers))] : (int64_t)(field->id * 10 + index);
    if (seed && index)
        number = (int64_t)index; /* differs from those before it */
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)slot = fill_text(field, seed, index);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        fill_bytes(slot, field, seed);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)slot =
            seed ? filler_random(field->descriptor, seed) : filler_sample(field->descriptor);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)slot = seed ? (protobuf_c_boolean)below(seed, 2) : 1;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int32_t *)slot = fill_enum(field, seed);
        break;
    default:
        if (codec_size_of(field->type) == sizeof(int64_t))
            *(int64_t *)slot = number;
        else
            *(int32_t *)slot = (int32_t)number;
    }
}

static void
fill_entry(const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret, uint64_t *seed,
           size_t index)
{
    ProtobufCMessage *entry = malloc(descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, entry);
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        fill_value(&descriptor->fields[i], codec_member(entry, &descriptor->fields[i]), seed,
                   index);
    *ret = entry;
}

static void
fill_repeated(ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field, uint64_t *seed)
{
    size_t count = seed ? below(seed, 4) : 2;
    if (!count)
        return;
    *(void **)codec_member(msg, field) = calloc(count, codec_size_of(field->type));
    for (size_t i = 0; i < count; i++) {
        if (codec_is_map(field))
            fill_entry(field->descriptor, codec_element(msg, field, i), seed, i);
        else
            fill_value(field, codec_element(msg, field, i), seed, i);
    }
    *codec_count(msg, field) = count;
}

/* The two whose JSON form has a range of its own. */
static bool
fill_time(ProtobufCMessage *msg, uint64_t *seed)
{
    struct {
        ProtobufCMessage base;
        int64_t seconds;
        int32_t nanos;
    } *time = (void *)msg;
    bool is_duration = !strcmp(msg->descriptor->name, "google.protobuf.Duration");
    static const int32_t nanos[] = {0, 500000000, 123000000, 123456000, 123456789, 999999999, 1};

    if (!is_duration && strcmp(msg->descriptor->name, "google.protobuf.Timestamp") != 0)
        return false;
    time->seconds = is_duration ? (int64_t)below(seed, 2 * 315576000000u) - 315576000000
                                : (int64_t)below(seed, 315537897600u) - 62135596800;
    if (!seed)
        time->seconds = 1700000000;
    time->nanos = nanos[seed ? below(seed, ARRAY_LEN(nanos)) : 2];
    if (is_duration && time->seconds < 0)
        time->nanos = -time->nanos;
    return true;
}

static ProtobufCMessage *
fill(const ProtobufCMessageDescriptor *descriptor, uint64_t *seed)
{
    ProtobufCMessage *msg = malloc(descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, msg);
    if (fill_time(msg, seed))
        return msg;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (seed && below(seed, 4) == 0)
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            fill_repeated(msg, field, seed);
            continue;
        }
        if (codec_is_oneof(field)) {
            if (*codec_case(msg, field))
                continue;
            *codec_case(msg, field) = field->id;
        }
        fill_value(field, codec_member(msg, field), seed, 0);
    }
    return msg;
}

ProtobufCMessage *
filler_sample(const ProtobufCMessageDescriptor *descriptor)
{
    return fill(descriptor, NULL);
}

ProtobufCMessage *
filler_random(const ProtobufCMessageDescriptor *descriptor, uint64_t *seed)
{
    return fill(descriptor, seed);
}

bool
filler_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t size = protobuf_c_message_get_packed_size(a);
    if (a->descriptor != b->descriptor || size != protobuf_c_message_get_packed_size(b))
        return false;
    AUTO_FREE uint8_t *bytes_a = malloc(size + 1), *bytes_b = malloc(size + 1);
    protobuf_c_message_pack(a, bytes_a);
    protobuf_c_message_pack(b, bytes_b);
    return !memcmp(bytes_a, bytes_b, size);
}
