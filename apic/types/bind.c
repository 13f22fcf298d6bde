/*  bind: arguments of a call by a table of fields. */
#include "apic/types/types.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int bind_names(star_t *star, const types_table_t *table, const star_args_t *args,
                      star_value_t *ret_values);
static bool check(star_t *star, const types_field_t *field, star_value_t value, str_t *why);
static void warn(star_t *star, const char *field, const char *builtin, const char *when);

/* The last field of every table. */
static const types_field_t description = {"description", TYPES_STRING, .check = types_check_text};

typedef struct {
    const char *name;
    str_t why;
} refusal_t;

static int
by_name(const void *one, const void *two)
{
    return strcmp(((const refusal_t *)one)->name, ((const refusal_t *)two)->name);
}

int
types_bind(star_t *star, const types_table_t *table, const star_args_t *args,
           star_value_t *ret_values)
{
    if (bind_names(star, table, args, ret_values) < 0)
        return -1;

    refusal_t refusals[TYPES_FIELDS_MAX];
    size_t n_refusals = 0;
    for (size_t i = 0; i <= table->count; i++) {
        const types_field_t *field = i < table->count ? &table->fields[i] : &description;
        if (!star_ok(ret_values[i]))
            continue;
        if (field->deprecated)
            warn(star, field->name, table->name, field->deprecated);
        refusals[n_refusals] = (refusal_t){field->name, STR_EMPTY};
        if (!check(star, field, ret_values[i], &refusals[n_refusals].why))
            n_refusals++;
    }
    if (!n_refusals)
        return 0;

    AUTO_STR text = STR_EMPTY;
    qsort(refusals, n_refusals, sizeof(refusals[0]), by_name);
    str_printf(&text,
               "Cannot construct '%s' from the provided arguments.\n\tCaused by: the "
               "following argument(s) could not be parsed or did not pass validation: {",
               table->name);
    for (size_t i = 0; i < n_refusals; i++) {
        str_printf(&text, "%s\"%s\":", i ? "," : "", refusals[i].name);
        types_json_quote(&text, refusals[i].why.data, refusals[i].why.len);
        str_done(&refusals[i].why);
    }
    str_add_char(&text, '}');
    star_fail_text(star, text.data, text.len);
    return -1;
}

void
types_call_put(star_t *star, const types_table_t *table, const star_value_t *values,
               star_text_t *text)
{
    bool first = true;
    star_text_puts(text, table->name);
    star_text_puts(text, "(");
    for (size_t i = 0; i <= table->count; i++) {
        if (!star_ok(values[i]))
            continue;
        star_text_puts(text, first ? "" : ", ");
        star_text_puts(text, i < table->count ? table->fields[i].name : description.name);
        star_text_puts(text, "=");
        types_text_put(star, values[i], text);
        first = false;
    }
    star_text_puts(text, ")");
}

/* Fails with the reason under the line that all refusals of arguments share. */
static int
refuse(star_t *star, const types_table_t *table, const char *why)
{
    AUTO_STR text = STR_EMPTY;
    str_printf(&text, "Cannot construct '%s' from the provided arguments.\n\tCaused by: %s",
               table->name, why);
    star_error_clear(star);
    star_fail_text(star, text.data, text.len);
    return -1;
}

/* As star_args_bind() wants it; space is for a name that is changed. */
static const char *
spell(const types_field_t *field, char *space)
{
    const size_t size = strlen(field->name);
    assert(size <= TYPES_NAME_MAX);
    if (field->flags & TYPES_REQUIRED)
        return field->name;
    memcpy(space, field->name, size);
    memcpy(space + size, "?", sizeof("?"));
    return space;
}

static int
bind_names(star_t *star, const types_table_t *table, const star_args_t *args,
           star_value_t *ret_values)
{
    char spellings[TYPES_FIELDS_MAX][TYPES_NAME_MAX + sizeof("?")];
    const char *names[TYPES_FIELDS_MAX];
    star_args_t renamed = *args;
    AUTO_FREE star_value_t *given = NULL;

    for (size_t i = 0; i <= table->count; i++) {
        const types_field_t *field = i < table->count ? &table->fields[i] : &description;
        names[i] = spell(field, spellings[i]);
        for (size_t k = 0; field->older && k < args->n_named; k++) {
            if (!star_is_text(args->names[k], field->older))
                continue;
            if (!given) {
                given = malloc(args->n_named * sizeof(*given));
                memcpy(given, args->names, args->n_named * sizeof(*given));
                renamed.names = given;
            }
            given[k] = star_string(star, field->name, (size_t)-1);
            AUTO_STR when = STR_EMPTY;
            str_printf(&when, "soon. Please use \"%s\" instead", field->name);
            warn(star, field->older, table->name, when.data);
        }
    }
    renamed.name = table->name;
    memset(ret_values, 0, (table->count + 1) * sizeof(*ret_values));
    if (star_args_bind(star, &renamed, names, table->count + 1, ret_values) < 0) {
        const star_error_t *error = star_error(star);
        AUTO_FREE char *why = strdup(error ? error->message : "the arguments do not fit");
        return refuse(star, table, why);
    }
    /* the language stops looking at the first optional one */
    for (size_t i = 0; i < table->count; i++) {
        if (!(table->fields[i].flags & TYPES_REQUIRED) || star_ok(ret_values[i]))
            continue;
        AUTO_FREE char *why =
            str_format("%s: missing argument for %s", table->name, table->fields[i].name);
        return refuse(star, table, why);
    }
    return 0;
}

static bool
check(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    if (field->check && !field->check(star, field, value, why))
        return false;
    if (field->type ? types_type_of(value) == field->type
                    : field->want == TYPES_ANY || (field->want & (1u << star_kind(value))))
        return true;

    static const struct {
        uint32_t kind;
        const char *go_name;
    } spellings[] = {
        {TYPES_STRING, "starlark.String"}, {TYPES_INT, "starlark.Int"},
        {TYPES_BOOL, "starlark.Bool"},     {TYPES_LIST, "*starlark.List"},
        {TYPES_DICT, "*starlark.Dict"},
    };
    const char *wanted = field->type ? field->type->go_name : "starlark.Value";
    for (size_t i = 0; !field->type && i < ARRAY_LEN(spellings); i++)
        if (field->want & spellings[i].kind) {
            wanted = spellings[i].go_name;
            break;
        }
    str_printf(why,
               "the argument '%s' could not be parsed because their type ('%s') did not match "
               "the expected ('%s')",
               field->name, types_go_name(value), wanted);
    return false;
}

static void
warn(star_t *star, const char *field, const char *builtin, const char *when)
{
    types_host_t *host = star_user(star);
    if (!host || !host->warn)
        return;
    AUTO_FREE char *text = str_format("[WARN]: \"%s\" field for \"%s\" will be deprecated %s%s",
                                      field, builtin, strncmp(when, "soon", 4) ? "by " : "", when);
    host->warn(host, text);
}
