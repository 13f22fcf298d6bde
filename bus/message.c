/*  message: what every message can do, whatever its type: be copied, be destroyed, carry an error. */
#include "bus/bus.h"

ProtobufCMessage *
bus_message_dup(const ProtobufCMessage *msg)
{
    size_t size = protobuf_c_message_get_packed_size(msg);
    AUTO_FREE uint8_t *bytes = malloc(size ? size : 1);

    if (!bytes)
        abort();
    protobuf_c_message_pack(msg, bytes);
    return protobuf_c_message_unpack(msg->descriptor, NULL, size, bytes);
}

void
bus_message_destroy_(ProtobufCMessage **msg_p)
{
    protobuf_c_message_free_unpacked(*msg_p, NULL);
    *msg_p = NULL;
}
