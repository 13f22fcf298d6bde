/*  codec: what the msgpack and the JSON codec share: fields of a message by descriptor, the path of
 * a field for errors, and memory that is charged before it is taken.
 *
 *  The schema is proto3's (a test checks it): a field has the label NONE or REPEATED, and one
 * without a oneof is set when it is not zero.
 */
#ifndef KURTOSIS_BUS_CODEC_H
#define KURTOSIS_BUS_CODEC_H

#include "bus/bus.h"

/* Bytes that decoding one message may allocate: an element of one byte can stand for a struct of
 * hundreds. */
#define CODEC_MEMORY_MAX (4 * (size_t)BUS_BODY_MAX)

/* Where a value is: a list from the value outwards, on the stack of those who decode. */
typedef struct codec_path {
    const struct codec_path *up;
    const ProtobufCFieldDescriptor *field;
    enum { CODEC_FIELD, CODEC_ELEMENT, CODEC_ENTRY } kind;
    size_t index;                  /* of an element */
    const ProtobufCMessage *entry; /* of a map, with its key */
} codec_path_t;

/* One decoding. */
typedef struct {
    size_t memory; /* bytes it may still allocate */
    err_t **err;
} codec_t;

/* Fails with "path: text", e.g. "enclave_info["x"].name: expected string, got integer". */
int codec_fail(codec_t *self, const codec_path_t *path, err_code_t code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --------------------------------------------------------------------------------------- fields */

static inline void *
codec_member(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    return (char *)msg + field->offset;
}

/* The number of elements of a repeated field. */
static inline size_t *
codec_count(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    return (size_t *)((char *)msg + field->quantifier_offset);
}

/* Which member of the field's oneof is set: the field's number or 0. */
static inline uint32_t *
codec_case(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    return (uint32_t *)((char *)msg + field->quantifier_offset);
}

static inline bool
codec_is_oneof(const ProtobufCFieldDescriptor *field)
{
    return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

/* Is it a map<>? Then it is repeated and its messages have two fields, key and value. */
bool codec_is_map(const ProtobufCFieldDescriptor *field);
/* Does the field say something, so that it is to be written? */
bool codec_is_set(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field);
/* The field of this name, or NULL. */
const ProtobufCFieldDescriptor *codec_field_find(const ProtobufCMessageDescriptor *descriptor,
                                                 const char *name, size_t len);
/* Bytes of one value of a type in a struct or an array. */
size_t codec_size_of(ProtobufCType type);
/* What a type is called in errors. */
const char *codec_type_name(ProtobufCType type);

/* The index-th element of a repeated field. */
static inline void *
codec_element(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field, size_t index)
{
    return *(char **)codec_member(msg, field) + index * codec_size_of(field->type);
}

/* ------------------------------------------------------------------------------------- decoding */

/* Everything made here belongs to the message it is put into, and is freed with it by protobuf-c.
 */

/* An empty message. */
int codec_message_new(codec_t *self, const codec_path_t *path,
                      const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret);
/* A string from bytes; they must be UTF-8 without NUL. */
int codec_string_new(codec_t *self, const codec_path_t *path, const char *bytes, size_t size,
                     char **ret);
/* Room for size bytes. */
int codec_bytes_new(codec_t *self, const codec_path_t *path, size_t size, ProtobufCBinaryData *ret);
/* Room for count > 0 values of a repeated field; *codec_count stays 0 and counts those that are
 * done. */
int codec_array_new(codec_t *self, const codec_path_t *path, ProtobufCMessage *msg, size_t count);
/* Refuses a field that has a value already, or whose oneof has another. */
int codec_field_begin(codec_t *self, const codec_path_t *path, const ProtobufCMessage *msg);
/* Puts an integer into a field of an integer, enum or bool type, if it fits. */
int codec_put_unsigned(codec_t *self, const codec_path_t *path, uint64_t value, void *slot);
int codec_put_signed(codec_t *self, const codec_path_t *path, int64_t value, void *slot);

#endif
