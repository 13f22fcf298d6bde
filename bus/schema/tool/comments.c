/*  comments: finds them by path, and refuses a schema that lacks one. */
#include "bus/schema/tool/tool.h"

#include <ctype.h>
#include <string.h>

static void check_message(const schema_file_t *file, const schema_message_t *message,
                          schema_path_t path, const char *scope, str_t *missing),
    check_enum(const schema_file_t *file, const schema_enum_t *type, schema_path_t path,
               const char *scope, str_t *missing);

/* -------------------------------------------------------------------------------------- finding */

schema_path_t
schema_path_down(const schema_path_t *self, int32_t kind, int32_t index)
{
    schema_path_t down = self ? *self : (schema_path_t){0};
    if (down.count + 2 > SCHEMA_PATH_MAX)
        abort();
    down.steps[down.count++] = kind;
    if (index >= 0)
        down.steps[down.count++] = index;
    return down;
}

static bool
has_words(const char *comment)
{
    while (comment && *comment && !isalnum((unsigned char)*comment))
        comment++;
    return comment && *comment;
}

const char *
schema_comment(const schema_file_t *file, const schema_path_t *path)
{
    const Google__Protobuf__SourceCodeInfo *info = file->source_code_info;
    for (size_t i = 0; info && i < info->n_location; i++) {
        const Google__Protobuf__SourceCodeInfo__Location *place = info->location[i];
        if (place->n_path != path->count ||
            memcmp(place->path, path->steps, path->count * sizeof *path->steps) != 0)
            continue;
        if (has_words(place->leading_comments))
            return place->leading_comments;
        return has_words(place->trailing_comments) ? place->trailing_comments : NULL;
    }
    return NULL;
}

bool
schema_is_ours(const schema_file_t *file)
{
    return !str_starts(file->package, "google.");
}

bool
schema_is_map_entry(const schema_message_t *message)
{
    return message->options && message->options->map_entry;
}

/* ------------------------------------------------------------------------------------- refusing */

static void
require(const schema_file_t *file, schema_path_t path, const char *what, const char *scope,
        const char *name, str_t *missing)
{
    if (!schema_comment(file, &path))
        str_printf(missing, "\n  %s: %s '%s%s%s'", file->name, what, scope, *scope ? "." : "",
                   name);
}

static void
check_service(const schema_file_t *file, const schema_service_t *service, schema_path_t path,
              str_t *missing)
{
    require(file, path, "service", file->package, service->name, missing);
    for (size_t i = 0; i < service->n_method; i++)
        require(file, schema_path_down(&path, SCHEMA_SERVICE_METHOD, (int32_t)i), "method",
                service->name, service->method[i]->name, missing);
}

static void
check_enum(const schema_file_t *file, const schema_enum_t *type, schema_path_t path,
           const char *scope, str_t *missing)
{
    require(file, path, "enum", scope, type->name, missing);
    for (size_t i = 0; i < type->n_value; i++)
        require(file, schema_path_down(&path, SCHEMA_ENUM_VALUE, (int32_t)i), "value", type->name,
                type->value[i]->name, missing);
}

static void
check_message(const schema_file_t *file, const schema_message_t *message, schema_path_t path,
              const char *scope, str_t *missing)
{
    if (schema_is_map_entry(message))
        return;
    AUTO_FREE char *name = str_format("%s.%s", scope, message->name);

    require(file, path, "message", scope, message->name, missing);
    for (size_t i = 0; i < message->n_field; i++)
        require(file, schema_path_down(&path, SCHEMA_MESSAGE_FIELD, (int32_t)i), "field", name,
                message->field[i]->name, missing);
    for (size_t i = 0; i < message->n_oneof_decl; i++)
        if (message->oneof_decl[i]->name[0] != '_')
            require(file, schema_path_down(&path, SCHEMA_MESSAGE_ONEOF, (int32_t)i), "oneof", name,
                    message->oneof_decl[i]->name, missing);
    for (size_t i = 0; i < message->n_nested_type; i++)
        check_message(file, message->nested_type[i],
                      schema_path_down(&path, SCHEMA_MESSAGE_NESTED, (int32_t)i), name, missing);
    for (size_t i = 0; i < message->n_enum_type; i++)
        check_enum(file, message->enum_type[i],
                   schema_path_down(&path, SCHEMA_MESSAGE_ENUM, (int32_t)i), name, missing);
}

static void
check_file(const schema_file_t *file, str_t *missing)
{
    require(file, schema_path_down(NULL, SCHEMA_FILE_SYNTAX, -1), "file", "", file->name, missing);
    for (size_t i = 0; i < file->n_message_type; i++)
        check_message(file, file->message_type[i],
                      schema_path_down(NULL, SCHEMA_FILE_MESSAGE, (int32_t)i), file->package,
                      missing);
    for (size_t i = 0; i < file->n_enum_type; i++)
        check_enum(file, file->enum_type[i], schema_path_down(NULL, SCHEMA_FILE_ENUM, (int32_t)i),
                   file->package, missing);
    for (size_t i = 0; i < file->n_service; i++)
        check_service(file, file->service[i],
                      schema_path_down(NULL, SCHEMA_FILE_SERVICE, (int32_t)i), missing);
}

int
schema_check(const schema_set_t *set, err_t **err)
{
    AUTO_STR missing = STR_EMPTY;
    for (size_t i = 0; i < set->n_file; i++)
        if (schema_is_ours(set->file[i]))
            check_file(set->file[i], &missing);
    if (missing.len)
        return err_fail(err, ERR_INVALID, "the schema lacks a comment for:%s", missing.data);
    return 0;
}
