/*  Bytes from the bus as a message. An input is the name of a message type (any other word stands
 * for some type), a newline and the bytes. What is read must be writable and read as the same
 * again. */
#include "bus/bus.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The type that the first line asks for; *data and *size become the rest. */
static const ProtobufCMessageDescriptor *
take_type(const uint8_t **data, size_t *size)
{
    char name[BUS_NAME_MAX] = "";
    size_t count, len = 0, sum = 0;

    for (; *size > 0 && **data != '\n'; ++*data, --*size) {
        sum = sum * 31 + **data;
        if (len + 1 < sizeof name)
            name[len++] = (char)**data;
    }
    if (*size > 0) {
        ++*data;
        --*size;
    }
    const ProtobufCMessageDescriptor *const *all = bus_messages(&count);
    const ProtobufCMessageDescriptor *type = bus_message_find(name);
    return type ? type : all[sum % count];
}

static void
must_be_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    AUTO_STR bytes_a = STR_EMPTY, bytes_b = STR_EMPTY;
    bus_msgpack_pack(a, &bytes_a);
    bus_msgpack_pack(b, &bytes_b);
    if (bytes_a.len != bytes_b.len || memcmp(bytes_a.data, bytes_b.data, bytes_a.len) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ProtobufCMessageDescriptor *type = take_type(&data, &size);
    AUTO_MESSAGE ProtobufCMessage *msg = NULL, *again = NULL;
    AUTO_STR bytes = STR_EMPTY;
    AUTO(err) err = NULL;

    if (bus_msgpack_unpack(type, data, size, &msg, &err) < 0) {
        if (!err_cause(err))
            abort();
        return 0;
    }
    bus_msgpack_pack(msg, &bytes);
    /* Written shorter than it was read, so no limit can be in the way. */
    if (bytes.len > size || bus_msgpack_unpack(type, bytes.data, bytes.len, &again, &err) < 0)
        abort();
    must_be_equal(msg, again);
    return 0;
}
