/*  docs: writes the reference manual of the wire, Markdown, from the schema's comments. */
#include "bus/schema/tool/tool.h"

#include <string.h>

/* What the proto text calls the types of descriptor.proto, by number. */
static const char *const type_names[] = {
    [1] = "double",  [2] = "float",     [3] = "int64",     [4] = "uint64",  [5] = "int32",
    [6] = "fixed64", [7] = "fixed32",   [8] = "bool",      [9] = "string",  [12] = "bytes",
    [13] = "uint32", [15] = "sfixed32", [16] = "sfixed64", [17] = "sint32", [18] = "sint64",
};

/* A comment as one paragraph, in a table cell too. */
static void
add_comment(str_t *out, const char *comment)
{
    bool blank = true;
    for (const char *c = comment ? comment : ""; *c; c++) {
        if (*c == ' ' || *c == '\n') {
            if (!blank)
                str_add_char(out, ' ');
            blank = true;
            continue;
        }
        if (*c == '|' || *c == '<')
            str_add_char(out, '\\');
        str_add_char(out, *c);
        blank = false;
    }
    while (out->len && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

static const char *
without_package(const char *type_name, const schema_file_t *file)
{
    size_t len = strlen(file->package);
    const char *name = type_name + 1;
    return str_starts(name, file->package) && name[len] == '.' ? name + len + 1 : name;
}

static const schema_message_t *
map_entry(const schema_message_t *message, const schema_field_t *field)
{
    const char *name = field->type_name ? strrchr(field->type_name, '.') : NULL;
    for (size_t i = 0; name && i < message->n_nested_type; i++)
        if (schema_is_map_entry(message->nested_type[i]) &&
            !strcmp(message->nested_type[i]->name, name + 1))
            return message->nested_type[i];
    return NULL;
}

static void
add_type(str_t *out, const schema_file_t *file, const schema_message_t *message,
         const schema_field_t *field)
{
    const schema_message_t *entry = message ? map_entry(message, field) : NULL;
    if (entry) {
        str_add(out, "map of ");
        add_type(out, file, NULL, entry->field[0]);
        str_add(out, " to ");
        add_type(out, file, NULL, entry->field[1]);
        return;
    }
    if (field->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED)
        str_add(out, "repeated ");
    str_add(out,
            field->type_name ? without_package(field->type_name, file) : type_names[field->type]);
    if (!message || !field->has_oneof_index)
        return;
    const char *oneof = message->oneof_decl[field->oneof_index]->name;
    if (oneof[0] == '_')
        str_add(out, ", optional");
    else
        str_printf(out, ", one of %s", oneof);
}

static void
add_enum(str_t *out, const schema_file_t *file, const schema_enum_t *type, schema_path_t path)
{
    str_printf(out, "\n### enum %s\n\n", type->name);
    add_comment(out, schema_comment(file, &path));
    str_add(out, "\n\n| no. | value | |\n|---|---|---|\n");
    for (size_t i = 0; i < type->n_value; i++) {
        schema_path_t down = schema_path_down(&path, SCHEMA_ENUM_VALUE, (int32_t)i);
        str_printf(out, "| %d | `%s` | ", type->value[i]->number, type->value[i]->name);
        add_comment(out, schema_comment(file, &down));
        str_add(out, " |\n");
    }
}

static void
add_message(str_t *out, const schema_file_t *file, const schema_message_t *message,
            schema_path_t path)
{
    if (schema_is_map_entry(message))
        return;
    str_printf(out, "\n### %s\n\n", message->name);
    add_comment(out, schema_comment(file, &path));
    str_add(out, "\n");
    if (message->n_field)
        str_add(out, "\n| no. | field | type | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < message->n_field; i++) {
        const schema_field_t *field = message->field[i];
        schema_path_t down = schema_path_down(&path, SCHEMA_MESSAGE_FIELD, (int32_t)i);
        str_printf(out, "| %d | `%s` | ", field->number, field->name);
        add_type(out, file, message, field);
        str_add(out, " | ");
        add_comment(out, schema_comment(file, &down));
        str_add(out, " |\n");
    }
    for (size_t i = 0; i < message->n_enum_type; i++)
        add_enum(out, file, message->enum_type[i],
                 schema_path_down(&path, SCHEMA_MESSAGE_ENUM, (int32_t)i));
    for (size_t i = 0; i < message->n_nested_type; i++)
        add_message(out, file, message->nested_type[i],
                    schema_path_down(&path, SCHEMA_MESSAGE_NESTED, (int32_t)i));
}

static void
add_service(str_t *out, const schema_file_t *file, const schema_service_t *service,
            schema_path_t path)
{
    str_printf(out, "\n### service %s\n\n", service->name);
    add_comment(out, schema_comment(file, &path));
    str_add(out, "\n\n| operation | request | response | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < service->n_method; i++) {
        const schema_method_t *method = service->method[i];
        schema_path_t down = schema_path_down(&path, SCHEMA_SERVICE_METHOD, (int32_t)i);
        str_printf(out, "| `%s` | %s%s | %s%s | ", method->name,
                   method->client_streaming ? "stream of " : "",
                   without_package(method->input_type, file),
                   method->server_streaming ? "stream of " : "",
                   without_package(method->output_type, file));
        add_comment(out, schema_comment(file, &down));
        str_add(out, " |\n");
    }
}

static void
add_file(str_t *out, const schema_file_t *file)
{
    schema_path_t syntax = schema_path_down(NULL, SCHEMA_FILE_SYNTAX, -1);

    str_printf(out, "\n## %s\n\n", file->package);
    add_comment(out, schema_comment(file, &syntax));
    str_printf(out, "\n\nDefined in `%s`.\n", file->name);
    for (size_t i = 0; i < file->n_service; i++)
        add_service(out, file, file->service[i],
                    schema_path_down(NULL, SCHEMA_FILE_SERVICE, (int32_t)i));
    for (size_t i = 0; i < file->n_enum_type; i++)
        add_enum(out, file, file->enum_type[i],
                 schema_path_down(NULL, SCHEMA_FILE_ENUM, (int32_t)i));
    for (size_t i = 0; i < file->n_message_type; i++)
        add_message(out, file, file->message_type[i],
                    schema_path_down(NULL, SCHEMA_FILE_MESSAGE, (int32_t)i));
}

void
schema_write_docs(const schema_set_t *set, str_t *out)
{
    str_add(out,
            "# Every message and operation\n\nWritten from the comments in `bus/schema/*.proto` by "
            "`cmake --build build --target docs`; change it there.\n");
    for (size_t i = 0; i < set->n_file; i++)
        if (schema_is_ours(set->file[i]))
            add_file(out, set->file[i]);
}
