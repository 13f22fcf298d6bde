/*  message: what every message can do, whatever its type: be copied, be destroyed, carry an error.
 */
#include "base/err.h"
#include "bus/bus.h"
#include "bus/schema/bus.pb-c.h"

#define LINKS_MAX 32 /* links of an error chain on the wire */

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

void
bus_err_pack(const err_t *error, str_t *out)
{
    Bus__ErrorLink links[LINKS_MAX], *list[LINKS_MAX];
    Bus__ErrorChain chain = BUS__ERROR_CHAIN__INIT;

    chain.links = list;
    for (const err_t *link = error; link && chain.n_links < LINKS_MAX; link = err_cause(link)) {
        Bus__ErrorLink *next = list[chain.n_links] = &links[chain.n_links];
        *next = (Bus__ErrorLink)BUS__ERROR_LINK__INIT;
        next->code = (uint32_t)err_code(link);
        next->text = (char *)err_text(link);
        chain.n_links++;
    }
    bus_msgpack_pack(&chain.base, out);
}

err_t *
bus_err_unpack(const void *data, size_t size)
{
    AUTO_MESSAGE ProtobufCMessage *msg = NULL;
    err_t *error = NULL;

    if (bus_msgpack_unpack(&bus__error_chain__descriptor, data, size, &msg, &error) < 0) {
        err_wrap(&error, "the other side failed, and its error cannot be read");
        return error;
    }
    const Bus__ErrorChain *chain = (const Bus__ErrorChain *)msg;
    for (size_t i = chain->n_links; i > 0; i--)
        err_link(&error, err_code_from_number((int)chain->links[i - 1]->code),
                 chain->links[i - 1]->text);
    if (!error)
        err_fail(&error, ERR_UNKNOWN, "the other side failed and did not say why");
    return error;
}
