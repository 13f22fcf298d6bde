/*  format: the % operator of strings, and their format(). */
#include "starlark/native.h"

/* ------------------------------------------------------------------ % */

static bool
put_plain(star_t *s, star_text_t *out, value_t v, bool quoted)
{
    return sl_put_value(s, out, v, quoted) || s->failed;
}

static bool
put_int(star_t *s, star_text_t *out, value_t arg, char verb)
{
    value_t i = sl_number_to_int(s, arg);
    if (!star_ok(i)) {
        char prefix[] = "%d format requires integer";
        prefix[1] = verb;
        return sl_prefix_error(s, prefix);
    }
    return sl_int_put(s, out, i, verb == 'o' ? 8 : (verb | 0x20) == 'x' ? 16 : 10, verb == 'X');
}

static bool
put_float(star_t *s, star_text_t *out, value_t arg, char verb)
{
    double d;
    if (!star_get_number(arg, &d))
        return sl_fail(s, "%%%c format requires float, not %s", verb, star_type_name(arg));
    sl_float_format(out, d, verb);
    return true;
}

static bool
put_char(star_t *s, star_text_t *out, value_t arg)
{
    char utf8[4];
    size_t n;

    if (sl_is_integer(arg)) {
        if (!sl_is_int(arg) || sl_int_of(arg) < 0 || sl_int_of(arg) > 0x10ffff) {
            value_t text = sl_str(s, arg);
            return star_ok(text) &&
                   sl_fail(s, "%%c format requires a valid Unicode code point, got %s",
                           SL_STRING_OF(text)->bytes);
        }
        uint32_t code = (uint32_t)sl_int_of(arg);
        if (code >= 0xd800 && code < 0xe000)
            code = 0xfffd;
        star_text_put(out, utf8, sl_utf8_put(code, utf8));
        return true;
    }
    if (!sl_is(arg, SL_STRING))
        return sl_fail(s, "%%c format requires int or single-character string, not %s",
                       star_type_name(arg));
    sl_string_t *string = SL_STRING_OF(arg);
    if (string->length == 0 ||
        (sl_utf8_get(string->bytes, string->length, &n), n != string->length))
        return sl_fail(s, "%%c format requires a single-character string");
    star_text_put(out, string->bytes, string->length);
    return true;
}

static bool
convert(star_t *s, star_text_t *out, value_t arg, char verb)
{
    switch (verb) {
    case 's':
        return sl_put_value(s, out, arg, false);
    case 'r':
        return sl_put_value(s, out, arg, true);
    case 'd':
    case 'i':
    case 'o':
    case 'x':
    case 'X':
        return put_int(s, out, arg, verb);
    case 'e':
    case 'f':
    case 'g':
    case 'E':
    case 'F':
    case 'G':
        return put_float(s, out, arg, verb);
    case 'c':
        return put_char(s, out, arg);
    default:
        return sl_fail(s, "unknown conversion %%%c", verb);
    }
}

/* The value of %(name): p is after the parenthesis, and moves past the closing one. */
static value_t
keyed(star_t *s, const char **p, const char *end, value_t args)
{
    const char *close = memchr(*p, ')', (size_t)(end - *p));

    if (close == NULL)
        return star_fail(s, "incomplete format key");
    if (!sl_is(args, SL_DICT))
        return star_fail(s, "format requires a mapping");
    value_t key = sl_string_new(s, *p, (size_t)(close - *p));
    if (!star_ok(key))
        return key;
    value_t arg = sl_dict_load(s, SL_DICT_OF(args), key);
    *p = close + 1;
    return star_ok(arg) ? arg : star_fail(s, "key not found: %s", SL_STRING_OF(key)->bytes);
}

static bool
percent_to(star_t *s, sl_string_t *format, value_t args, star_text_t *out)
{
    const char *p = format->bytes, *end = p + format->length;
    bool tuple = sl_is(args, SL_TUPLE);
    size_t index = 0, count = tuple ? sl_obj(args)->extra : 1;

    for (;;) {
        const char *percent = memchr(p, '%', (size_t)(end - p));
        star_text_put(out, p, (size_t)((percent != NULL ? percent : end) - p));
        if (percent == NULL)
            break;
        p = percent + 1;
        if (p < end && *p == '%') {
            star_text_put(out, "%", 1);
            p++;
            continue;
        }
        value_t arg;
        if (p < end && *p == '(') {
            p++;
            arg = keyed(s, &p, end, args);
            if (!star_ok(arg))
                return false;
        } else {
            if (index >= count)
                return sl_fail(s, "not enough arguments for format string");
            arg = tuple ? SL_TUPLE_OF(args)->items[index] : args;
        }
        if (p == end)
            return sl_fail(s, "incomplete format");
        if (*p == '%')
            star_text_put(out, "%", 1);
        else if (!convert(s, out, arg, *p))
            return false;
        p++;
        index++;
    }
    return index >= count || sl_fail(s, "too many arguments for format string");
}

value_t
sl_percent(star_t *s, sl_string_t *format, value_t args)
{
    star_text_t out;

    star_text_init(&out, s);
    if (percent_to(s, format, args, &out))
        return star_text_take(&out);
    star_text_done(&out);
    return STAR_ABSENT;
}

/* ------------------------------------------------------------------ format() */

typedef struct {
    star_t *s;
    const star_args_t *args;
    star_text_t out;
    size_t index;
    bool automatic, manual;
} format_t;

/* Text outside of fields: }} is }. */
static bool
put_literal(format_t *f, const char *p, const char *end)
{
    const char *brace;

    while ((brace = memchr(p, '}', (size_t)(end - p))) != NULL) {
        if (brace + 1 == end || brace[1] != '}')
            return sl_fail(f->s, "format: single '}' in format");
        star_text_put(&f->out, p, (size_t)(brace + 1 - p));
        p = brace + 2;
    }
    star_text_put(&f->out, p, (size_t)(end - p));
    return true;
}

static bool
is_decimal(const char *p, size_t length, size_t *ret_number)
{
    size_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        number = number < 100000000 ? number * 10 + (size_t)(p[i] - '0') : number;
    }
    *ret_number = number;
    return length > 0;
}

static value_t
named_field(format_t *f, const char *name, size_t length)
{
    for (size_t i = 0; i < f->args->n_named; i++) {
        const sl_string_t *given = SL_STRING_OF(f->args->names[i]);
        if (given->length == length && memcmp(given->bytes, name, length) == 0)
            return f->args->values[i];
    }
    int n = (int)length;
    if (memchr(name, '.', length) != NULL)
        return star_fail(
            f->s, "format: attribute syntax x.y is not supported in replacement fields: %.*s", n,
            name);
    if (memchr(name, '[', length) != NULL)
        return star_fail(f->s,
                         "format: element syntax a[i] is not supported in replacement fields: %.*s",
                         n, name);
    if (memchr(name, '{', length) != NULL)
        return star_fail(f->s, "format: nested replacement fields not supported");
    return star_fail(f->s, "format: keyword %.*s not found", n, name);
}

static value_t
field_value(format_t *f, const char *name, size_t length)
{
    size_t number;

    if (length == 0) {
        if (f->manual)
            return star_fail(
                f->s, "format: cannot switch from manual field specification to automatic field "
                      "numbering");
        f->automatic = true;
        number = f->index++;
    } else if (is_decimal(name, length, &number)) {
        if (f->automatic)
            return star_fail(f->s,
                             "format: cannot switch from automatic field numbering to manual field "
                             "specification");
        f->manual = true;
    } else {
        return named_field(f, name, length);
    }
    return number < f->args->n_args ? f->args->args[number]
                                    : star_fail(f->s, "format: tuple index out of range");
}

static bool
put_field(format_t *f, const char *field, const char *end)
{
    const char *bang = memchr(field, '!', (size_t)(end - field));
    const char *colon =
        memchr(bang != NULL ? bang : field, ':', (size_t)(end - (bang != NULL ? bang : field)));
    const char *name_end = bang != NULL ? bang : colon != NULL ? colon : end;
    value_t arg = field_value(f, field, (size_t)(name_end - field));

    if (!star_ok(arg))
        return false;
    if (colon != NULL && colon + 1 < end)
        return sl_fail(f->s, "format spec features not supported in replacement fields: %.*s",
                       (int)(end - colon - 1), colon + 1);
    const char *conversion = bang != NULL ? bang + 1 : "s";
    size_t length = bang != NULL ? (size_t)((colon != NULL ? colon : end) - conversion) : 1;
    if (length != 1 || (*conversion != 's' && *conversion != 'r')) {
        star_text_t quoted;
        star_text_init(&quoted, f->s);
        star_quote(&quoted, conversion, length);
        sl_fail(f->s, "format: unknown conversion %s", quoted.data != NULL ? quoted.data : "");
        star_text_done(&quoted);
        return false;
    }
    return put_plain(f->s, &f->out, arg, *conversion == 'r') && !f->s->failed;
}

static bool
format_to(format_t *f, const sl_string_t *format)
{
    const char *p = format->bytes, *end = p + format->length;

    for (;;) {
        const char *open = memchr(p, '{', (size_t)(end - p));
        if (!put_literal(f, p, open != NULL ? open : end))
            return false;
        if (open == NULL)
            return true;
        p = open + 1;
        if (p < end && *p == '{') {
            star_text_put(&f->out, "{", 1);
            p++;
            continue;
        }
        const char *close = memchr(p, '}', (size_t)(end - p));
        if (close == NULL)
            return sl_fail(f->s, "format: unmatched '{' in format");
        if (!put_field(f, p, close))
            return false;
        p = close + 1;
    }
}

value_t
sl_format(star_t *s, const star_args_t *args)
{
    format_t f = {.s = s, .args = args};

    star_text_init(&f.out, s);
    if (format_to(&f, SL_STRING_OF(args->self)))
        return star_text_take(&f.out);
    star_text_done(&f.out);
    return STAR_ABSENT;
}
