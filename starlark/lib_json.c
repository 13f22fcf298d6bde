/*  lib_json: the json module. */
#include "starlark/native.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* ------------------------------------------------------------------ encoding */

typedef struct path {
    const struct path *up;
    value_t value;
    int depth;
} path_t;

static bool encode(star_t *s, star_text_t *out, value_t v, const path_t *up);

enum { PUT_AT_ONCE = 1 << 12 }; /* bytes, for each put may look around */

static void
put_string(star_text_t *out, const sl_string_t *text)
{
    bool plain = true;

    for (uint32_t i = 0; plain && i < text->length; i++)
        plain = text->bytes[i] >= 0x20 && text->bytes[i] < 0x7f &&
                ((i + 1) % PUT_AT_ONCE != 0 || sl_ticks(out->star, PUT_AT_ONCE / 64));
    star_text_put(out, "\"", 1);
    size_t from = 0;
    for (size_t i = 0, n; i < text->length && !out->failed; i += n) {
        if (i - from >= PUT_AT_ONCE) {
            star_text_put(out, text->bytes + from, i - from);
            from = i;
        }
        char c = text->bytes[i];
        char escape[8] = "";
        n = 1;
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\%c", c);
        } else if (!plain && (unsigned char)c < 0x80) {
            if (c == '\n' || c == '\r' || c == '\t')
                snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
            else if ((unsigned char)c < 0x20 || c == '<' || c == '>' || c == '&')
                snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
        } else if ((unsigned char)c >= 0x80) {
            uint32_t code = sl_utf8_get(text->bytes + i, text->length - i, &n);
            if (code == 0xfffd && n == 1)
                snprintf(escape, sizeof escape, "\\ufffd");
            else if (code == 0x2028 || code == 0x2029)
                snprintf(escape, sizeof escape, "\\u%04x", code);
        }
        if (escape[0] == 0)
            continue;
        star_text_put(out, text->bytes + from, i - from);
        star_text_puts(out, escape);
        from = i + n;
    }
    star_text_put(out, text->bytes + from, text->length - from);
    star_text_put(out, "\"", 1);
}

static bool
encode_dict(star_t *s, star_text_t *out, const sl_dict_t *dict, const path_t *path)
{
    sl_list_t *keys = sl_list_new(s, dict->count);
    size_t cursor = 0;
    sl_entry_t *entry;

    if (keys == NULL)
        return false;
    while ((entry = sl_dict_walk(dict, &cursor)) != NULL) {
        if (!sl_is(entry->key, SL_STRING))
            return sl_fail(s, "dict has %s key, want string", star_type_name(entry->key));
        keys->items[keys->count++] = entry->key;
    }
    if (!sl_sort(s, keys->items, NULL, keys->count, false))
        return false;
    star_text_put(out, "{", 1);
    for (uint32_t i = 0; i < keys->count; i++) {
        sl_string_t *key = SL_STRING_OF(keys->items[i]);
        if (i > 0)
            star_text_put(out, ",", 1);
        put_string(out, key);
        star_text_put(out, ":", 1);
        if (!encode(s, out, sl_dict_lookup_string(dict, key)->value, path)) {
            star_text_t where;
            star_text_init(&where, s);
            star_text_puts(&where, "in dict key ");
            star_quote(&where, key->bytes, key->length);
            sl_prefix_error(s, where.data != NULL ? where.data : "in dict");
            star_text_done(&where);
            return false;
        }
    }
    star_text_put(out, "}", 1);
    return true;
}

static bool
encode_iterable(star_t *s, star_text_t *out, value_t v, const path_t *path)
{
    uint64_t cursor = 0;
    value_t item;
    int more;
    size_t index = 0;

    star_text_put(out, "[", 1);
    while ((more = sl_next(s, v, &cursor, &item)) > 0) {
        if (index > 0)
            star_text_put(out, ",", 1);
        if (!encode(s, out, item, path)) {
            char where[64];
            snprintf(where, sizeof where, "at %s index %zu", star_type_name(v), index);
            return sl_prefix_error(s, where);
        }
        index++;
    }
    star_text_put(out, "]", 1);
    return more == 0;
}

/* Anything with attributes: an object of them. */
static bool
encode_attributes(star_t *s, star_text_t *out, value_t v, const path_t *path)
{
    value_t names = star_dir(s, v), field;

    if (!star_ok(names))
        return false;
    if (s->heap.log && sl_heap_log(s, names) < 0)
        return false;
    star_text_put(out, "{", 1);
    for (uint32_t i = 0; i < SL_LIST_OF(names)->count; i++) {
        sl_string_t *name = SL_STRING_OF(SL_LIST_OF(names)->items[i]);
        int found = sl_attr(s, v, name, &field);
        if (found <= 0)
            return found == 0 ? sl_attr_missing(s, v, name) : false;
        if (i > 0)
            star_text_put(out, ",", 1);
        put_string(out, name);
        star_text_put(out, ":", 1);
        if (!encode(s, out, field, path)) {
            char where[128];
            snprintf(where, sizeof where, "in field .%.100s", name->bytes);
            return sl_prefix_error(s, where);
        }
    }
    star_text_put(out, "}", 1);
    return true;
}

static bool
encode_object(star_t *s, star_text_t *out, value_t v, const path_t *up)
{
    path_t path = {up, v, up != NULL ? up->depth + 1 : 1};
    const star_type_t *host = star_object_type(v);

    if (path.depth > SL_PRINT_DEPTH_MAX)
        return sl_fail_kind(s, STAR_ERROR_LIMIT,
                            "value is nested too deeply for JSON: the limit is %d",
                            SL_PRINT_DEPTH_MAX);
    for (const path_t *p = up; p != NULL; p = p->up)
        if (sl_same(p->value, v))
            return sl_fail(s, "cycle in JSON structure");
    switch (sl_obj(v)->type) {
    case SL_DICT:
        return encode_dict(s, out, SL_DICT_OF(v), &path);
    case SL_LIST:
    case SL_TUPLE:
    case SL_SET:
    case SL_RANGE:
    case SL_ELEMS:
        return encode_iterable(s, out, v, &path);
    case SL_STRUCT:
    case SL_MODULE:
    case SL_TIME:
    case SL_DURATION:
        return encode_attributes(s, out, v, &path);
    case SL_HOST:
        if (host->next != NULL)
            return encode_iterable(s, out, v, &path);
        if (host->attr != NULL && host->dir != NULL)
            return encode_attributes(s, out, v, &path);
        break;
    default:
        break;
    }
    return sl_fail(s, "cannot encode %s as JSON", star_type_name(v));
}

static bool
encode(star_t *s, star_text_t *out, value_t v, const path_t *up)
{
    if (out->failed)
        return false;
    if (sl_is_integer(v))
        return sl_int_put(s, out, v, 10, false);
    if (sl_is_float(v)) {
        char text[40];
        if (!isfinite(sl_float_of(v)))
            return sl_fail(s, "cannot encode non-finite float %s", sl_shown(s, v));
        star_text_put(out, text, sl_float_shortest(sl_float_of(v), text));
        return true;
    }
    if (!sl_is_obj(v)) {
        star_text_puts(out, sl_same(v, SL_NONE) ? "null" : sl_same(v, SL_TRUE) ? "true" : "false");
        return true;
    }
    if (sl_obj(v)->type == SL_STRING) {
        put_string(out, SL_STRING_OF(v));
        return true;
    }
    return encode_object(s, out, v, up);
}

int
star_json_encode(star_t *star, star_value_t value, star_text_t *text)
{
    text->star = star;
    return encode(star, text, value, NULL) && !text->failed ? 0 : -1;
}

static value_t
on_encode(star_t *s, const star_args_t *args)
{
    star_text_t out;

    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    star_text_init(&out, s);
    if (star_json_encode(s, args->args[0], &out) == 0)
        return star_text_take(&out);
    star_text_done(&out);
    sl_prefix_error(s, "json.encode");
    return STAR_ABSENT;
}

/* ------------------------------------------------------------------ decoding */

typedef struct {
    star_t *s;
    const char *start, *p, *end;
    int depth;
} reader_t;

static value_t read_value(reader_t *r);

static value_t __attribute__((format(printf, 2, 3))) bad(reader_t *r, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return star_fail(r->s, "json.decode: at offset %zu, %s", (size_t)(r->p - r->start), text);
}

static int
peek(reader_t *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r') &&
           sl_tick(r->s))
        r->p++;
    return r->p < r->end ? (unsigned char)*r->p : -1;
}

/* What stands here, for messages. */
static const char *
here(reader_t *r, char out[16])
{
    size_t n;
    uint32_t code = sl_utf8_get(r->p, (size_t)(r->end - r->p), &n);
    if (sl_unicode_printable(code))
        snprintf(out, 16, "'%.*s'", (int)n, r->p);
    else
        snprintf(out, 16, code == '\n' ? "'\\n'" : "'\\x%02x'", code);
    return out;
}

static int
hex4(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = p[i] | 0x20;
        int digit = p[i] >= '0' && p[i] <= '9' ? p[i] - '0'
                    : c >= 'a' && c <= 'f'     ? c - 'a' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool
unescape(const char *p, const char *end, star_text_t *out)
{
    static const char simple[] = "b\bf\fn\nr\rt\t\"\"\\\\//";
    char utf8[4];

    while (p < end) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        star_text_put(out, p, (size_t)((backslash != NULL ? backslash : end) - p));
        if (backslash == NULL)
            return true;
        p = backslash + 1;
        if (*p == 'u') {
            int code = hex4(p + 1, end);
            if (code < 0)
                return false;
            p += 5;
            if (code >= 0xd800 && code < 0xe000) {
                int low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
                bool pair = code < 0xdc00 && low >= 0xdc00 && low < 0xe000;
                code = pair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
                p += pair ? 6 : 0;
            }
            star_text_put(out, utf8, sl_utf8_put((uint32_t)code, utf8));
            continue;
        }
        const char *found = NULL;
        for (size_t i = 0; i < sizeof simple - 1 && found == NULL; i += 2)
            if (simple[i] == *p)
                found = &simple[i + 1];
        if (found == NULL)
            return false;
        star_text_put(out, found, 1);
        p++;
    }
    return true;
}

static value_t
read_string(reader_t *r, bool key)
{
    const char *start = ++r->p;
    bool escaped = false;

    for (; r->p < r->end && *r->p != '"'; r->p++) {
        if (((size_t)r->p + 1) % PUT_AT_ONCE == 0 && !sl_ticks(r->s, PUT_AT_ONCE / 64))
            return STAR_ABSENT;
        if ((unsigned char)*r->p < 0x20) {
            char text[16];
            return bad(r, "invalid character %s in string literal", here(r, text));
        }
        if (*r->p == '\\') {
            escaped = true;
            if (++r->p == r->end)
                break;
        }
    }
    if (r->s->failed)
        return STAR_ABSENT;
    if (r->p >= r->end) {
        r->p = start - 1;
        return bad(r, "unclosed string literal");
    }
    const char *end = r->p++;
    if (!escaped) {
        if (key && end - start <= 64) {
            sl_string_t *name = sl_string_intern(r->s, start, (size_t)(end - start));
            return name != NULL ? sl_value(name) : STAR_ABSENT;
        }
        return sl_string_new(r->s, start, (size_t)(end - start));
    }
    star_text_t out;
    star_text_init(&out, r->s);
    if (unescape(start, end, &out))
        return star_text_take(&out);
    star_text_done(&out);
    r->p = start - 1;
    return bad(r, "invalid character in string escape code");
}

static value_t
read_number(reader_t *r)
{
    const char *start = r->p, *digits;
    bool is_float = false, negative = *r->p == '-';

    for (r->p += negative; r->p < r->end && strchr("0123456789.eE+-", *r->p) != NULL && *r->p != 0;
         r->p++)
        is_float |= *r->p < '0' || *r->p > '9';
    digits = start + negative;
    size_t length = (size_t)(r->p - digits);
    bool fine =
        length > 0 && !(length > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9');
    double d;
    if (fine && !is_float)
        return sl_int_parse(r->s, digits, length, 10, negative);
    /* JSON wants digits on both sides of the point. */
    for (const char *p = digits; fine && p < r->p; p++)
        if (*p == '.' && (p == digits || p + 1 == r->p || p[1] < '0' || p[1] > '9' || p[-1] < '0' ||
                          p[-1] > '9'))
            fine = false;
    if (fine && digits[0] != '+' && digits[0] != '-' &&
        sl_float_parse(start, (size_t)(r->p - start), &d) && isfinite(d))
        return sl_float(d);
    size_t shown = (size_t)(r->p - start);
    r->p = start;
    return bad(r, "invalid number: %.*s", (int)(shown < 100 ? shown : 100), start);
}

static value_t
read_list(reader_t *r)
{
    sl_list_t *list = sl_list_new(r->s, 0);

    r->p++;
    if (list == NULL)
        return STAR_ABSENT;
    if (peek(r) == ']') {
        r->p++;
        return sl_value(list);
    }
    for (;;) {
        value_t item = read_value(r);
        if (!star_ok(item) || !sl_list_push(r->s, list, item))
            return STAR_ABSENT;
        int c = peek(r);
        if (c != ',' && c != ']') {
            char text[16];
            return c < 0 ? bad(r, "unexpected end of file")
                         : bad(r, "got %s, want ',' or ']'", here(r, text));
        }
        r->p++;
        if (c == ']')
            return sl_value(list);
    }
}

static value_t
read_object(reader_t *r)
{
    sl_dict_t *dict = sl_dict_new(r->s, SL_DICT, 0);
    char text[16];
    uint32_t hash;

    r->p++;
    if (dict == NULL)
        return STAR_ABSENT;
    if (peek(r) == '}') {
        r->p++;
        return sl_value(dict);
    }
    for (;;) {
        int c = peek(r);
        if (c != '"')
            return c < 0 ? bad(r, "unexpected end of file")
                         : bad(r, "got %s, want string for object key", here(r, text));
        value_t key = read_string(r, true);
        if (!star_ok(key))
            return key;
        if ((c = peek(r)) != ':')
            return c < 0 ? bad(r, "unexpected end of file")
                         : bad(r, "after object key, got %s, want ':' ", here(r, text));
        r->p++;
        value_t value = read_value(r);
        if (!star_ok(value) || !sl_hash(r->s, key, &hash) ||
            !sl_dict_insert(r->s, dict, key, hash, value, NULL))
            return STAR_ABSENT;
        c = peek(r);
        if (c != ',' && c != '}')
            return c < 0 ? bad(r, "unexpected end of file")
                         : bad(r, "in object, got %s, want ',' or '}'", here(r, text));
        r->p++;
        if (c == '}')
            return sl_value(dict);
    }
}

static value_t
read_value(reader_t *r)
{
    static const struct {
        const char *word;
        value_t value;
    } words[] = {{"null", {2}}, {"true", {7}}, {"false", {6}}};
    char text[16];
    value_t v;
    int c = peek(r);

    if (!sl_tick(r->s))
        return STAR_ABSENT;
    if (c < 0)
        return bad(r, "unexpected end of file");
    if (c == '"')
        return read_string(r, false);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r);
    if (c == '[' || c == '{') {
        if (++r->depth > SL_PRINT_DEPTH_MAX)
            return bad(r, "nested too deeply: the limit is %d", SL_PRINT_DEPTH_MAX);
        v = c == '[' ? read_list(r) : read_object(r);
        r->depth--;
        return v;
    }
    for (size_t i = 0; i < SL_COUNT_OF(words); i++) {
        size_t length = strlen(words[i].word);
        if ((size_t)(r->end - r->p) >= length && memcmp(r->p, words[i].word, length) == 0) {
            r->p += length;
            return words[i].value;
        }
    }
    return bad(r, "unexpected character %s", here(r, text));
}

star_value_t
star_json_decode(star_t *star, const char *text, size_t length)
{
    reader_t r = {star, text, text, text + length, 0};
    char shown[16];
    value_t v = read_value(&r);

    if (!star_ok(v))
        return v;
    if (peek(&r) >= 0)
        return bad(&r, "unexpected character %s after value", here(&r, shown));
    return v;
}

static value_t
on_decode(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"x"};
    value_t v;

    if (star_args_bind(s, args, names, 1, &v) < 0)
        return STAR_ABSENT;
    if (!sl_is(v, SL_STRING)) {
        sl_bad_param(s, args, "x", v, "string");
        return STAR_ABSENT;
    }
    return star_json_decode(s, SL_STRING_OF(v)->bytes, SL_STRING_OF(v)->length);
}

/* ------------------------------------------------------------------ indenting */

static void
new_line(star_text_t *out, const char *prefix, const char *indent, int depth)
{
    star_text_put(out, "\n", 1);
    star_text_puts(out, prefix);
    while (depth-- > 0)
        star_text_puts(out, indent);
}

int
star_json_indent(star_t *star, const char *json, size_t length, const char *prefix,
                 const char *indent, star_text_t *text)
{
    const char *p = json, *end = json + length;
    int depth = 0;

    text->star = star;
    for (; p < end; p++) {
        switch (*p) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
            break;
        case '"': {
            const char *start = p++;
            while (p < end && *p != '"' && sl_tick(star))
                p += *p == '\\' && p + 1 < end ? 2 : 1;
            star_text_put(text, start, (size_t)((p < end ? p + 1 : end) - start));
            break;
        }
        case '[':
        case '{': {
            const char *next = p + 1;
            while (next < end && (*next == ' ' || *next == '\t' || *next == '\n' || *next == '\r'))
                next++;
            star_text_put(text, p, 1);
            if (next < end && (*next == ']' || *next == '}')) {
                star_text_put(text, next, 1);
                p = next;
            } else {
                new_line(text, prefix, indent, ++depth);
            }
            break;
        }
        case ']':
        case '}':
            new_line(text, prefix, indent, --depth);
            star_text_put(text, p, 1);
            break;
        case ',':
            star_text_put(text, ",", 1);
            new_line(text, prefix, indent, depth);
            break;
        case ':':
            star_text_put(text, ": ", 2);
            break;
        default:
            star_text_put(text, p, 1);
        }
    }
    return text->failed ? -1 : 0;
}

static value_t
on_indent(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"prefix?", "indent?"};
    star_args_t named = *args;
    value_t v[2];
    sl_string_t *text;
    star_text_t out;

    named.n_args = 0;
    if (args->n_args != 1)
        return star_fail(s, "json.indent: got %zu arguments, want 1", args->n_args);
    if (star_args_bind(s, &named, names, 2, v) < 0 || !sl_arg_string(s, args, 0, &text))
        return STAR_ABSENT;
    for (size_t i = 0; i < 2; i++)
        if (star_ok(v[i]) && !sl_is(v[i], SL_STRING)) {
            sl_bad_param(s, args, i == 0 ? "prefix" : "indent", v[i], "string");
            return STAR_ABSENT;
        }
    if (!star_ok(star_json_decode(s, text->bytes, text->length))) {
        sl_prefix_error(s, "json.indent");
        return STAR_ABSENT;
    }
    star_text_init(&out, s);
    star_json_indent(s, text->bytes, text->length, star_ok(v[0]) ? SL_STRING_OF(v[0])->bytes : "",
                     star_ok(v[1]) ? SL_STRING_OF(v[1])->bytes : "\t", &out);
    return star_text_take(&out);
}

static const sl_native_t functions[] = {
    {"json.encode", on_encode, SL_CALLS_BACK},
    {"json.decode", on_decode, 0},
    {"json.indent", on_indent, 0},
    {0},
};

star_value_t
star_lib_json(star_t *star)
{
    return sl_library(star, "json", functions);
}
