/*  scope: an API container speaks for one enclave. Every request with a field enclave_uuid, at the
 *  top or one message deeper, must name the enclave in the caller's name.
 */
#include "actors/inside.h"

#include <string.h>

#define FIELD "enclave_uuid"
#define DEPTH 2

static int
check(const ProtobufCMessage *message, const char *uuid, unsigned depth, err_t **err)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const char *at = (const char *)message + field->offset;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
            *(const uint32_t *)((const char *)message + field->quantifier_offset) != field->id)
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING && strcmp(field->name, FIELD) == 0) {
            const char *named = *(const char *const *)at;
            if (field->label == PROTOBUF_C_LABEL_REPEATED || !named || strcmp(named, uuid) != 0)
                return err_fail(err, ERR_DENIED, "'apic/%s' may only name its own enclave", uuid);
        }
        if (field->type != PROTOBUF_C_TYPE_MESSAGE || depth == 1)
            continue;
        bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
        size_t count =
            many ? *(const size_t *)((const char *)message + field->quantifier_offset) : 1;
        const ProtobufCMessage *const *subs = many ? *(const ProtobufCMessage *const *const *)at
                                                   : (const ProtobufCMessage *const *)at;
        for (size_t k = 0; k < count; k++)
            if (subs[k] && check(subs[k], uuid, depth - 1, err) < 0)
                return -1;
    }
    return 0;
}

int
scope_check(const char *from, const ProtobufCMessage *request, err_t **err)
{
    static const char prefix[] = "apic/";
    if (bus_role_of(from) != BUS_ROLE_APIC)
        return 0;
    return check(request, from + sizeof prefix - 1, DEPTH, err);
}
