/*  schema tool: reads what protoc knows of the schema, while the build runs, and writes what
 *  protobuf-c's descriptors lack: the table of operations with their streams, the list of messages,
 *  the reference manual. It refuses a schema in which something has no comment.
 *
 *      protoc --include_imports --include_source_info --descriptor_set_out=SET bus/schema/x.proto ...
 *      schema-tool check SET
 *      schema-tool table SET tables.c
 *      schema-tool docs SET api.md
 */
#ifndef KURTOSIS_BUS_SCHEMA_TOOL_H
#define KURTOSIS_BUS_SCHEMA_TOOL_H

#include "base/err.h"
#include "base/str.h"
#include "google/protobuf/descriptor.pb-c.h"

#include <stdint.h>

typedef Google__Protobuf__FileDescriptorSet schema_set_t;
typedef Google__Protobuf__FileDescriptorProto schema_file_t;
typedef Google__Protobuf__DescriptorProto schema_message_t;
typedef Google__Protobuf__FieldDescriptorProto schema_field_t;
typedef Google__Protobuf__EnumDescriptorProto schema_enum_t;
typedef Google__Protobuf__ServiceDescriptorProto schema_service_t;
typedef Google__Protobuf__MethodDescriptorProto schema_method_t;

/* Where something is in its file: field numbers and indexes of descriptor.proto, alternating. */
#define SCHEMA_PATH_MAX 16
typedef struct {
    int32_t steps[SCHEMA_PATH_MAX];
    size_t count;
} schema_path_t;

/* Field numbers of descriptor.proto that paths are made of. */
enum {
    SCHEMA_FILE_MESSAGE = 4,
    SCHEMA_FILE_ENUM = 5,
    SCHEMA_FILE_SERVICE = 6,
    SCHEMA_FILE_SYNTAX = 12,
    SCHEMA_MESSAGE_FIELD = 2,
    SCHEMA_MESSAGE_NESTED = 3,
    SCHEMA_MESSAGE_ENUM = 4,
    SCHEMA_MESSAGE_ONEOF = 8,
    SCHEMA_ENUM_VALUE = 2,
    SCHEMA_SERVICE_METHOD = 2,
};

/* A step down: the index-th thing of a kind. index < 0 for what there is one of. */
schema_path_t schema_path_down(const schema_path_t *self, int32_t kind, int32_t index);
/* The comment before (or else after) what is at path, as it is in the file; NULL if there is none.
 * Lent. */
const char *schema_comment(const schema_file_t *file, const schema_path_t *path);

/* Is the file ours, not Google's? */
bool schema_is_ours(const schema_file_t *file);
/* Did protoc make this message for a map<> field? */
bool schema_is_map_entry(const schema_message_t *message);

/* Every message, field, oneof (but "_x", which only makes x optional), enum, value, service and
 * method of ours must have a comment; INVALID with the list of those that have none. */
int schema_check(const schema_set_t *set, err_t **err);
/* The C file with bus_methods_ and bus_messages_ (bus/methods.c uses them). */
void schema_write_table(const schema_set_t *set, str_t *out);
/* The reference manual, Markdown. */
void schema_write_docs(const schema_set_t *set, str_t *out);

#endif
