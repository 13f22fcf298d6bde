/*  table: writes the C file with every operation and every message, sorted by name. */
#include "bus/schema/tool/tool.h"

#include <ctype.h>
#include <string.h>

typedef struct {
    str_t *lines; /* one for each entry; each starts with the name it is sorted by and a NUL */
    size_t count;
} table_t;

static void
table_add(table_t *self, const char *name, const char *text)
{
    str_t line = STR_EMPTY;
    str_add_bytes(&line, name, strlen(name) + 1);
    str_add(&line, text);
    self->lines = realloc(self->lines, (self->count + 1) * sizeof *self->lines);
    if (!self->lines)
        abort();
    self->lines[self->count++] = line;
}

static int
line_compare(const void *a, const void *b)
{
    return strcmp(((const str_t *)a)->data, ((const str_t *)b)->data);
}

static void
table_write(table_t *self, str_t *out)
{
    qsort(self->lines, self->count, sizeof *self->lines, line_compare);
    for (size_t i = 0; i < self->count; i++) {
        str_add(out, self->lines[i].data + strlen(self->lines[i].data) + 1);
        str_done(&self->lines[i]);
    }
    free(self->lines);
}

/* protoc-c's name of a message's descriptor: "engine_api.PortSpec" is
 * engine_api__port_spec__descriptor. Two capitals in a row get no "_" between them. */
static char *
descriptor_name(const char *full_name)
{
    str_t name = STR_EMPTY;
    bool was_upper = true;
    for (const char *c = full_name; *c; c++) {
        if (*c == '.') {
            str_add(&name, "__");
            was_upper = true;
            continue;
        }
        bool is_upper = isupper((unsigned char)*c);
        if (is_upper && !was_upper)
            str_add_char(&name, '_');
        str_add_char(&name, (char)tolower((unsigned char)*c));
        was_upper = is_upper;
    }
    str_add(&name, "__descriptor");
    return str_take(&name);
}

static void
add_methods(table_t *table, const schema_file_t *file, const schema_service_t *service)
{
    for (size_t i = 0; i < service->n_method; i++) {
        const schema_method_t *method = service->method[i];
        AUTO_FREE char *name = str_format("%s.%s/%s", file->package, service->name, method->name);
        /* Type names start with a dot. */
        AUTO_FREE char *request = descriptor_name(method->input_type + 1);
        AUTO_FREE char *response = descriptor_name(method->output_type + 1);
        AUTO_FREE char *line =
            str_format("    {\"%s\", \"%s\",\n     &%s, &%s, %s, %s},\n", name, method->name,
                       request, response, method->client_streaming ? "true" : "false",
                       method->server_streaming ? "true" : "false");
        table_add(table, name, line);
    }
}

static void
add_message(table_t *table, const char *scope, const schema_message_t *message)
{
    if (schema_is_map_entry(message))
        return;
    AUTO_FREE char *name = str_format("%s.%s", scope, message->name);
    AUTO_FREE char *descriptor = descriptor_name(name);
    AUTO_FREE char *line = str_format("    &%s,\n", descriptor);
    table_add(table, name, line);
    for (size_t i = 0; i < message->n_nested_type; i++)
        add_message(table, name, message->nested_type[i]);
}

void
schema_write_table(const schema_set_t *set, str_t *out)
{
    table_t methods = {0}, messages = {0};

    str_add(out, "/* Made from the schema by bus/schema/tool while building. */\n#include "
                 "\"bus/methods.h\"\n\n");
    for (size_t i = 0; i < set->n_file; i++) {
        const schema_file_t *file = set->file[i];
        str_printf(out, "#include \"%.*s.pb-c.h\"\n", (int)(strlen(file->name) - strlen(".proto")),
                   file->name);
        for (size_t j = 0; j < file->n_service; j++)
            add_methods(&methods, file, file->service[j]);
        for (size_t j = 0; j < file->n_message_type; j++)
            add_message(&messages, file->package, file->message_type[j]);
    }
    str_printf(out,
               "\nconst size_t bus_methods_count_ = %zu;\nconst bus_method_t bus_methods_[] = {\n",
               methods.count);
    size_t message_count = messages.count;
    table_write(&methods, out);
    str_printf(out,
               "};\n\nconst size_t bus_messages_count_ = %zu;\n"
               "const ProtobufCMessageDescriptor *const bus_messages_[] = {\n",
               message_count);
    table_write(&messages, out);
    str_add(out, "};\n");
}
