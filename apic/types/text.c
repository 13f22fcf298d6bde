/*  text: values as text that makes them again, and the spellings that messages use. */
#include "apic/types/types.h"

#include <stdlib.h>
#include <string.h>

static void put_dict(star_t *star, star_value_t value, star_text_t *text);
static void put_items(star_t *star, star_value_t value, const char *open, const char *close,
                      star_text_t *text);

void
types_text_put(star_t *star, star_value_t value, star_text_t *text)
{
    star_value_t name, item;
    switch (star_kind(value)) {
    case STAR_LIST:
        put_items(star, value, "[", "]", text);
        break;
    case STAR_TUPLE:
        put_items(star, value, "(", ")", text);
        break;
    case STAR_SET:
        put_items(star, value, "{", "}", text);
        break;
    case STAR_DICT:
        put_dict(star, value, text);
        break;
    case STAR_STRUCT:
        star_text_puts(text, "struct(");
        for (size_t cursor = 0, n = 0; star_struct_next(value, &cursor, &name, &item); n++) {
            star_text_puts(text, n ? ", " : "");
            star_text_puts(text, star_get_text(name, NULL));
            star_text_puts(text, "=");
            types_text_put(star, item, text);
        }
        star_text_puts(text, ")");
        break;
    case STAR_OTHER:
        if (!strcmp(star_type_name(value), "time.time") &&
            star_get_attr(star, value, "unix", &item) == 1) {
            star_text_puts(text, "time.from_timestamp(");
            star_str(star, item, text);
            star_text_puts(text, ")");
        } else if (!strcmp(star_type_name(value), "time.duration")) {
            star_text_puts(text, "time.parse_duration(");
            star_str(star, value, text);
            star_text_puts(text, ")");
        } else {
            star_str(star, value, text);
        }
        break;
    default:
        star_repr(star, value, text);
        break;
    }
}

char *
types_text(star_t *star, star_value_t value)
{
    star_text_t text;
    star_text_init(&text, star);
    types_text_put(star, value, &text);
    char *copy = strndup(text.data ? text.data : "", text.length);
    star_text_done(&text);
    return copy;
}

const char *
types_go_name(star_value_t value)
{
    static const char *const names[] = {
        [STAR_NONE] = "starlark.NoneType",
        [STAR_BOOL] = "starlark.Bool",
        [STAR_INT] = "starlark.Int",
        [STAR_FLOAT] = "starlark.Float",
        [STAR_STRING] = "starlark.String",
        [STAR_BYTES] = "starlark.Bytes",
        [STAR_LIST] = "*starlark.List",
        [STAR_TUPLE] = "starlark.Tuple",
        [STAR_DICT] = "*starlark.Dict",
        [STAR_SET] = "*starlark.Set",
        [STAR_RANGE] = "starlark.rangeValue",
        [STAR_FUNCTION] = "*starlark.Function",
        [STAR_BUILTIN] = "*starlark.Builtin",
        [STAR_STRUCT] = "*starlarkstruct.Struct",
        [STAR_MODULE] = "*starlarkstruct.Module",
    };
    const types_type_t *type = types_type_of(value);
    if (type)
        return type->go_name;
    const star_kind_t kind = star_kind(value);
    return kind < ARRAY_LEN(names) && names[kind] ? names[kind] : star_type_name(value);
}

void
types_json_quote(str_t *out, const char *text, size_t size)
{
    static const char *const short_forms[0x20] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};

    str_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            str_printf(out, "\\%c", c);
        else if (c < 0x20 && short_forms[c])
            str_add(out, short_forms[c]);
        else if (c < 0x20 || c == '<' || c == '>' || c == '&')
            str_printf(out, "\\u%04x", c);
        else if (c == 0xe2 && i + 2 < size && (unsigned char)text[i + 1] == 0x80 &&
                 ((unsigned char)text[i + 2] & 0xfe) == 0xa8) {
            str_printf(out, "\\u202%d", (unsigned char)text[i + 2] == 0xa8 ? 8 : 9);
            i += 2;
        } else
            str_add_char(out, (char)c);
    }
    str_add_char(out, '"');
}

char *
types_err_text(const err_t *err)
{
    str_t text = STR_EMPTY;
    for (; err; err = err_cause(err))
        str_printf(&text, "%s%s", text.len ? "\n\tCaused by: " : "", err_text(err));
    return str_take(&text);
}

star_value_t
types_fail(star_t *star, err_t **err_p)
{
    AUTO_FREE char *text = types_err_text(*err_p);
    err_destroy(err_p);
    star_error_clear(star);
    return star_fail_text(star, text, strlen(text));
}

static void
put_items(star_t *star, star_value_t value, const char *open, const char *close, star_text_t *text)
{
    star_iter_t iter;
    star_value_t item;
    star_text_puts(text, open);
    if (star_iter_begin(star, value, &iter) == 0) {
        for (size_t n = 0; star_iter_next(star, &iter, &item) == 1; n++) {
            if (n)
                star_text_puts(text, ", ");
            types_text_put(star, item, text);
        }
        star_iter_end(star, &iter);
    }
    star_text_puts(text, close);
}

static int
by_text(const void *one, const void *two)
{
    return strcmp(*(char *const *)one, *(char *const *)two);
}

/* The pairs in the order of their texts, so that equal dicts have equal texts. */
static void
put_dict(star_t *star, star_value_t value, star_text_t *text)
{
    const size_t count = (size_t)star_length(value);
    AUTO_FREE char **pairs = calloc(count ? count : 1, sizeof(*pairs));
    star_value_t key, item;
    size_t n = 0;
    for (size_t cursor = 0; n < count && star_dict_next(value, &cursor, &key, &item); n++) {
        star_text_t pair;
        star_text_init(&pair, star);
        types_text_put(star, key, &pair);
        star_text_puts(&pair, ": ");
        types_text_put(star, item, &pair);
        pairs[n] = strndup(pair.data ? pair.data : "", pair.length);
        star_text_done(&pair);
    }
    qsort(pairs, n, sizeof(*pairs), by_text);
    star_text_puts(text, "{");
    for (size_t i = 0; i < n; i++) {
        star_text_puts(text, i ? ", " : "");
        star_text_puts(text, pairs[i]);
        free(pairs[i]);
    }
    star_text_puts(text, "}");
}
