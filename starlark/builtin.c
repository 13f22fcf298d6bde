/*  builtin: the universal functions. */
#include "starlark/code.h"
#include "starlark/native.h"

#include <math.h>

#define FAIL(...) return star_fail(s, __VA_ARGS__)

/* ------------------------------------------------------------------ numbers */

static value_t
on_abs(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    value_t x = args->args[0];
    if (sl_is_float(x))
        return sl_float(fabs(sl_float_of(x)));
    if (sl_is_integer(x))
        return sl_int_sign(x) < 0 ? sl_int_negate(s, x) : x;
    FAIL("got %s, want int or float", star_type_name(x));
}

static value_t
on_float(star_t *s, const star_args_t *args)
{
    double d;

    if (args->n_named > 0)
        FAIL("float does not accept keyword arguments");
    if (args->n_args == 0)
        return sl_float(0);
    if (args->n_args != 1)
        FAIL("float got %zu arguments, wants 1", args->n_args);
    value_t x = args->args[0];
    if (sl_is_bool(x))
        return sl_float(sl_same(x, SL_TRUE));
    if (sl_is_float(x))
        return x;
    if (sl_is_integer(x)) {
        star_get_number(x, &d);
        return isinf(d) ? star_fail(s, "int too large to convert to float") : sl_float(d);
    }
    if (!sl_is(x, SL_STRING))
        FAIL("float: got %s, want number or string", star_type_name(x));
    sl_string_t *text = SL_STRING_OF(x);
    if (text->length == 0)
        FAIL("float: empty string");
    if (!sl_float_parse(text->bytes, text->length, &d))
        FAIL("invalid float literal: %s", text->bytes);
    if (isinf(d) && strpbrk(text->bytes, "iI") == NULL)
        FAIL("floating-point number too large");
    return sl_float(d);
}

/* "0x1f" and the like: base 0 means what the prefix says. */
static value_t
parse_int(star_t *s, const sl_string_t *text, int base)
{
    const char *p = text->bytes;
    size_t length = text->length;
    bool negative = false;

    if (length > 0 && (*p == '+' || *p == '-')) {
        negative = *p == '-';
        p++;
        length--;
    }
    if (length > 1 && *p == '0') {
        char letter = (char)(p[1] | 0x20);
        int prefix = length <= 2     ? 0
                     : letter == 'o' ? 8
                     : letter == 'x' ? 16
                     : letter == 'b' ? 2
                                     : 0;
        if (prefix != 0 && (base == 0 || base == prefix)) {
            base = prefix;
            p += 2;
            length -= 2;
        } else if (prefix == 0 && base == 0) {
            for (size_t i = 0; i < length; i++)
                if (p[i] != '0')
                    return STAR_ABSENT;
            return sl_small(0);
        }
    }
    return sl_int_parse(s, p, length, base == 0 ? 10 : base, negative);
}

static value_t
on_int(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"x?", "base?"};
    value_t v[2];
    int64_t base = 10;

    if (star_args_bind(s, args, names, 2, v) < 0)
        return STAR_ABSENT;
    if (!star_ok(v[0]))
        return sl_small(0);
    if (sl_is(v[0], SL_STRING)) {
        if (star_ok(v[1])) {
            if (!sl_is_integer(v[1]))
                FAIL("int: for base, got %s, want int", star_type_name(v[1]));
            if (!sl_get_index(v[1], &base) || (base != 0 && (base < 2 || base > 36)))
                FAIL("int: base must be an integer >= 2 && <= 36");
        }
        value_t result = parse_int(s, SL_STRING_OF(v[0]), (int)base);
        return star_ok(result) ? result
                               : star_fail(s, "int: invalid literal with base %d: %s", (int)base,
                                           SL_STRING_OF(v[0])->bytes);
    }
    if (star_ok(v[1]))
        FAIL("int: can't convert non-string with explicit base");
    if (sl_is_bool(v[0]))
        return sl_small(sl_same(v[0], SL_TRUE));
    value_t result = sl_number_to_int(s, v[0]);
    if (!star_ok(result))
        sl_prefix_error(s, "int");
    return result;
}

static value_t
on_range(star_t *s, const star_args_t *args)
{
    int64_t numbers[3] = {0, 0, 1};

    if (!sl_positional(s, args, 1, 3))
        return STAR_ABSENT;
    for (size_t i = 0; i < args->n_args; i++) {
        if (!sl_arg_int(s, args, i, &numbers[args->n_args == 1 ? 1 : i]))
            return STAR_ABSENT;
        int64_t number = numbers[args->n_args == 1 ? 1 : i];
        if (number > (int64_t)1 << 60 || number < -((int64_t)1 << 60))
            FAIL("range: for parameter %zu: %lld out of range (want value in signed 61-bit range)",
                 i + 1, (long long)number);
    }
    int64_t start = numbers[0], stop = numbers[1], step = numbers[2];
    if (step == 0)
        FAIL("range: step argument must not be zero");
    int64_t count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
    if (step > 0 ? start >= stop : start <= stop)
        count = 0;
    return sl_range_new(s, start, stop, step, count);
}

/* ------------------------------------------------------------------ truth and text */

static value_t
on_bool(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 0, 1))
        return STAR_ABSENT;
    return sl_bool(args->n_args == 1 && sl_truth(args->args[0]));
}

static value_t
any_or_all(star_t *s, const star_args_t *args, bool stop_at)
{
    uint64_t cursor = 0;
    value_t item;
    int more = 1;
    bool stopped = false;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_iterable(s, args, 0))
        return STAR_ABSENT;
    while (!stopped && (more = sl_next(s, args->args[0], &cursor, &item)) > 0) {
        stopped = sl_truth(item) == stop_at;
        if (!sl_tick(s))
            return STAR_ABSENT;
    }
    return more < 0 ? STAR_ABSENT : sl_bool(stopped == stop_at);
}

static value_t
on_any(star_t *s, const star_args_t *args)
{
    return any_or_all(s, args, true);
}

static value_t
on_all(star_t *s, const star_args_t *args)
{
    return any_or_all(s, args, false);
}

static value_t
on_chr(star_t *s, const star_args_t *args)
{
    char utf8[4];

    if (args->n_named > 0)
        FAIL("chr does not accept keyword arguments");
    if (args->n_args != 1)
        FAIL("chr: got %zu arguments, want 1", args->n_args);
    value_t x = args->args[0];
    if (!sl_is_integer(x))
        FAIL("chr: got %s, want int", star_type_name(x));
    if (sl_int_sign(x) < 0 || !sl_is_int(x) || sl_int_of(x) > 0x10ffff) {
        star_text_t text;
        bool negative = sl_int_sign(x) < 0;
        star_text_init(&text, s);
        sl_int_put(s, &text, x, negative ? 10 : 16, true);
        star_fail(s, "chr: Unicode code point %s%s out of range (%s)", negative ? "" : "U+",
                  text.data != NULL ? text.data : "", negative ? "<0" : ">0x10FFFF");
        star_text_done(&text);
        return STAR_ABSENT;
    }
    uint32_t code = (uint32_t)sl_int_of(x);
    if (code >= 0xd800 && code < 0xe000)
        code = 0xfffd;
    return sl_string_new(s, utf8, sl_utf8_put(code, utf8));
}

static value_t
on_ord(star_t *s, const star_args_t *args)
{
    if (args->n_named > 0)
        FAIL("ord does not accept keyword arguments");
    if (args->n_args != 1)
        FAIL("ord: got %zu arguments, want 1", args->n_args);
    value_t x = args->args[0];
    if (sl_is(x, SL_BYTES)) {
        if (SL_STRING_OF(x)->length != 1)
            FAIL("ord: bytes has length %u, want 1", SL_STRING_OF(x)->length);
        return sl_small((unsigned char)SL_STRING_OF(x)->bytes[0]);
    }
    if (!sl_is(x, SL_STRING))
        FAIL("ord: got %s, want string or bytes", star_type_name(x));
    sl_string_t *text = SL_STRING_OF(x);
    size_t count = 0, n;
    uint32_t code = 0;
    for (size_t i = 0; i < text->length && sl_tick(s); i += n, count++)
        code = sl_utf8_get(text->bytes + i, text->length - i, &n);
    if (count != 1)
        FAIL("ord: string encodes %zu Unicode code points, want 1", count);
    return sl_small(code);
}

static value_t
on_str(star_t *s, const star_args_t *args)
{
    if (args->n_named > 0)
        FAIL("str does not accept keyword arguments");
    if (args->n_args != 1)
        FAIL("str: got %zu arguments, want exactly 1", args->n_args);
    return sl_str(s, args->args[0]);
}

static value_t
on_repr(star_t *s, const star_args_t *args)
{
    star_text_t text;

    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    star_text_init(&text, s);
    if (!sl_put_value(s, &text, args->args[0], true))
        text.failed = true;
    return star_text_take(&text);
}

static value_t
on_type(star_t *s, const star_args_t *args)
{
    if (args->n_named == 0 && args->n_args != 1)
        FAIL("type: got %zu arguments, want exactly 1", args->n_args);
    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    const char *name = star_type_name(args->args[0]);
    sl_string_t *text = sl_string_intern(s, name, strlen(name));
    return text != NULL ? sl_value(text) : STAR_ABSENT;
}

/* Java's for strings (over UTF-16), FNV-1a for bytes: part of the language, unlike those of dicts.
 */
static value_t
on_hash(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    value_t x = args->args[0];
    if (sl_is(x, SL_BYTES)) {
        uint32_t hash = 2166136261u;
        for (uint32_t i = 0; i < SL_STRING_OF(x)->length && sl_tick(s); i++)
            hash = (hash ^ (unsigned char)SL_STRING_OF(x)->bytes[i]) * 16777619u;
        return s->failed ? STAR_ABSENT : sl_small(hash);
    }
    if (!sl_is(x, SL_STRING))
        FAIL("hash: got %s, want string or bytes", star_type_name(x));
    const sl_string_t *text = SL_STRING_OF(x);
    uint32_t hash = 0;
    for (size_t i = 0, n; i < text->length; i += n) {
        uint32_t code = sl_utf8_get(text->bytes + i, text->length - i, &n);
        if (!sl_tick(s))
            return STAR_ABSENT;
        if (code >= 0x10000) {
            hash = 31 * hash + (0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        hash = 31 * hash + code;
    }
    return sl_small((int32_t)hash);
}

static value_t
on_len(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    int64_t count = sl_count(args->args[0]);
    if (count < 0)
        FAIL("len: value of type %s has no len", star_type_name(args->args[0]));
    return sl_small(count);
}

/* ------------------------------------------------------------------ containers */

static value_t
on_list(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 0, 1) || (args->n_args == 1 && !sl_arg_iterable(s, args, 0)))
        return STAR_ABSENT;
    sl_list_t *list = sl_list_new(s, 0);
    if (list == NULL || (args->n_args == 1 && !sl_list_extend(s, list, args->args[0])))
        return STAR_ABSENT;
    return sl_value(list);
}

static value_t
on_tuple(star_t *s, const star_args_t *args)
{
    if (args->n_args == 1 && args->n_named == 0 && sl_is(args->args[0], SL_TUPLE))
        return args->args[0];
    value_t list = on_list(s, args);
    return star_ok(list) ? sl_tuple_of(s, SL_LIST_OF(list)->items, SL_LIST_OF(list)->count) : list;
}

static value_t
on_dict(star_t *s, const star_args_t *args)
{
    if (args->n_args > 1)
        FAIL("dict: got %zu arguments, want at most 1", args->n_args);
    sl_dict_t *dict = sl_dict_new(s, SL_DICT, 0);
    return dict != NULL && sl_dict_update(s, dict, args) ? sl_value(dict) : STAR_ABSENT;
}

static value_t
on_set(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 0, 1))
        return STAR_ABSENT;
    sl_dict_t *set = sl_dict_new(s, SL_SET, 0);
    if (set == NULL || (args->n_args == 1 && !sl_arg_iterable(s, args, 0)))
        return STAR_ABSENT;
    if (args->n_args == 1 && !sl_set_extend(s, set, args->args[0])) {
        sl_prefix_error(s, "set");
        return STAR_ABSENT;
    }
    return sl_value(set);
}

static value_t
on_bytes(star_t *s, const star_args_t *args)
{
    if (args->n_named > 0)
        FAIL("bytes does not accept keyword arguments");
    if (args->n_args != 1)
        FAIL("bytes: got %zu arguments, want exactly 1", args->n_args);
    value_t x = args->args[0], item;
    if (sl_is(x, SL_BYTES))
        return x;
    star_text_t text;
    star_text_init(&text, s);
    if (sl_is(x, SL_STRING)) {
        sl_put_utf8(&text, SL_STRING_OF(x)->bytes, SL_STRING_OF(x)->length);
    } else {
        uint64_t cursor = 0;
        size_t index = 0;
        int more = 0;
        if (!sl_iter_start(s, x)) {
            star_error_clear(s);
            FAIL("bytes: got %s, want string, bytes, or iterable of ints", star_type_name(x));
        }
        for (; !s->failed && (more = sl_next(s, x, &cursor, &item)) > 0; index++) {
            if (!sl_is_integer(item))
                sl_fail(s, "bytes: at index %zu, got %s, want int", index, star_type_name(item));
            else if (!sl_is_int(item) || sl_int_of(item) < 0 || sl_int_of(item) > 255)
                sl_fail(s,
                        "bytes: at index %zu, %s out of range (want value in unsigned 8-bit range)",
                        index, sl_shown(s, item));
            else
                star_text_put(&text, (char[]){(char)sl_int_of(item)}, 1);
        }
        sl_iter_done(x);
    }
    value_t result = s->failed || text.failed
                         ? STAR_ABSENT
                         : star_bytes(s, text.data != NULL ? text.data : "", text.length);
    star_text_done(&text);
    return result;
}

static value_t
on_enumerate(star_t *s, const star_args_t *args)
{
    int64_t number = 0;
    uint64_t cursor = 0;
    value_t pair[2];
    int more = 0;

    if (!sl_positional(s, args, 1, 2) || !sl_arg_iterable(s, args, 0) ||
        (args->n_args == 2 && !sl_arg_int(s, args, 1, &number)))
        return STAR_ABSENT;
    int64_t length = sl_count(args->args[0]);
    sl_list_t *list = sl_list_new(s, length > 0 && length < SL_COUNT_MAX ? (size_t)length : 0);
    while (list != NULL && (more = sl_next(s, args->args[0], &cursor, &pair[1])) > 0) {
        pair[0] = sl_int(s, number++);
        value_t tuple = star_ok(pair[0]) ? sl_tuple_of(s, pair, 2) : STAR_ABSENT;
        if (!star_ok(tuple) || !sl_list_push(s, list, tuple) || !sl_tick(s))
            return STAR_ABSENT;
    }
    return list != NULL && more == 0 ? sl_value(list) : STAR_ABSENT;
}

static value_t
on_zip(star_t *s, const star_args_t *args)
{
    if (args->n_named > 0)
        FAIL("zip does not accept keyword arguments");
    for (size_t i = 0; i < args->n_args; i++)
        if (!sl_iter_start(s, args->args[i])) {
            star_error_clear(s);
            FAIL("zip: argument #%zu is not iterable: %s", i + 1, star_type_name(args->args[i]));
        } else {
            sl_iter_done(args->args[i]);
        }
    sl_list_t *list = sl_list_new(s, 0);
    sl_list_t *cursors = sl_list_new(s, args->n_args); /* their bits are numbers */
    if (list == NULL || cursors == NULL || args->n_args == 0)
        return list != NULL && cursors != NULL ? sl_value(list) : STAR_ABSENT;
    memset(cursors->items, 0, args->n_args * sizeof(value_t));
    for (;;) {
        sl_tuple_t *tuple = sl_tuple_new(s, args->n_args);
        if (tuple == NULL || !sl_tick(s))
            return STAR_ABSENT;
        memset(tuple->items, 0, args->n_args * sizeof(value_t));
        for (size_t i = 0; i < args->n_args; i++) {
            int more = sl_next(s, args->args[i], &cursors->items[i].bits, &tuple->items[i]);
            if (more <= 0)
                return more == 0 ? sl_value(list) : STAR_ABSENT;
        }
        if (!sl_list_push(s, list, sl_value(tuple)))
            return STAR_ABSENT;
    }
}

static value_t
on_reversed(star_t *s, const star_args_t *args)
{
    value_t list;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_iterable(s, args, 0) ||
        !star_ok(list = on_list(s, args)))
        return STAR_ABSENT;
    value_t *items = SL_LIST_OF(list)->items;
    for (size_t i = 0, j = SL_LIST_OF(list)->count; i + 1 < j; i++) {
        value_t item = items[i];
        items[i] = items[--j];
        items[j] = item;
    }
    return list;
}

static value_t
call_key(star_t *s, value_t key, value_t item)
{
    return sl_call_value(s, key, &item, 1, NULL, NULL, 0);
}

static bool
is_callable(value_t v)
{
    return star_function_name(v) != NULL ||
           (star_object_type(v) != NULL && star_object_type(v)->call != NULL);
}

static value_t
on_sorted(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"iterable", "key?", "reverse?"};
    value_t v[3];
    sl_list_t *keys = NULL;

    if (star_args_bind(s, args, names, 3, v) < 0)
        return STAR_ABSENT;
    if (!sl_iter_start(s, v[0])) {
        star_error_clear(s);
        sl_bad_param(s, args, "iterable", v[0], "iterable");
        return STAR_ABSENT;
    }
    sl_iter_done(v[0]);
    if (star_ok(v[1]) && !sl_same(v[1], SL_NONE) && !is_callable(v[1])) {
        sl_bad_param(s, args, "key", v[1], "callable");
        return STAR_ABSENT;
    }
    if (star_ok(v[2]) && !sl_is_bool(v[2])) {
        sl_bad_param(s, args, "reverse", v[2], "bool");
        return STAR_ABSENT;
    }
    sl_list_t *list = sl_list_new(s, 0);
    if (list == NULL || !sl_list_extend(s, list, v[0]))
        return STAR_ABSENT;
    if (star_ok(v[1]) && !sl_same(v[1], SL_NONE)) {
        if ((keys = sl_list_new(s, list->count)) == NULL)
            return STAR_ABSENT;
        for (uint32_t i = 0; i < list->count; i++) {
            value_t key = call_key(s, v[1], list->items[i]);
            if (!star_ok(key) || !sl_list_push(s, keys, key))
                return STAR_ABSENT;
        }
    }
    return sl_sort(s, list->items, keys != NULL ? keys->items : NULL, list->count,
                   sl_same(v[2], SL_TRUE))
               ? sl_value(list)
               : STAR_ABSENT;
}

static value_t
min_or_max(star_t *s, const star_args_t *args, star_compare_t op)
{
    static const char *const names[] = {"key?"};
    star_args_t named = *args;
    value_t key, item, items, best = STAR_ABSENT, best_key = STAR_ABSENT;
    uint64_t cursor = 0;
    int more;

    if (args->n_args == 0)
        FAIL("%s requires at least one positional argument", args->name);
    named.n_args = 0;
    if (star_args_bind(s, &named, names, 1, &key) < 0)
        return STAR_ABSENT;
    if (star_ok(key) && !is_callable(key)) {
        sl_bad_param(s, args, "key", key, "callable");
        return STAR_ABSENT;
    }
    items = args->n_args == 1 ? args->args[0] : sl_tuple_of(s, args->args, args->n_args);
    if (!star_ok(items) || !sl_iter_start(s, items))
        return s->failed && star_ok(items) ? (sl_prefix_error(s, args->name), STAR_ABSENT)
                                           : STAR_ABSENT;
    while ((more = sl_next(s, items, &cursor, &item)) > 0) {
        value_t item_key = star_ok(key) ? call_key(s, key, item) : item;
        int better = !star_ok(item_key) ? -1
                     : !star_ok(best)   ? 1
                                      : sl_compare(s, op, item_key, best_key, SL_COMPARE_DEPTH_MAX);
        if (better < 0 || !sl_tick(s)) {
            more = -1;
            break;
        }
        if (better) {
            best = item;
            best_key = item_key;
        }
    }
    sl_iter_done(items);
    if (more < 0 && s->failed)
        sl_prefix_error(s, args->name);
    if (more < 0)
        return STAR_ABSENT;
    return star_ok(best) ? best : star_fail(s, "%s: argument is an empty sequence", args->name);
}

static value_t
on_min(star_t *s, const star_args_t *args)
{
    return min_or_max(s, args, STAR_LT);
}

static value_t
on_max(star_t *s, const star_args_t *args)
{
    return min_or_max(s, args, STAR_GT);
}

/* ------------------------------------------------------------------ attributes */

static value_t
on_dir(star_t *s, const star_args_t *args)
{
    if (args->n_named > 0)
        FAIL("dir does not accept keyword arguments");
    if (args->n_args != 1)
        FAIL("dir: got %zu arguments, want 1", args->n_args);
    return star_dir(s, args->args[0]);
}

static value_t
attribute(star_t *s, const star_args_t *args, size_t most, int *ret_found)
{
    sl_string_t *name;
    value_t v = STAR_ABSENT;

    *ret_found = -1;
    if (!sl_positional(s, args, 2, most) || !sl_arg_string(s, args, 1, &name) ||
        (name = sl_string_intern(s, name->bytes, name->length)) == NULL)
        return STAR_ABSENT;
    *ret_found = sl_attr(s, args->args[0], name, &v);
    if (*ret_found == 0 && most == 3 && args->n_args == 2)
        sl_attr_missing(s, args->args[0], name);
    return v;
}

static value_t
on_getattr(star_t *s, const star_args_t *args)
{
    int found;
    value_t v = attribute(s, args, 3, &found);

    if (found > 0)
        return v;
    if (args->n_args == 3 && found == 0)
        return args->args[2];
    if (found == 0)
        sl_prefix_error(s, "getattr");
    return STAR_ABSENT;
}

static value_t
on_hasattr(star_t *s, const star_args_t *args)
{
    int found;
    attribute(s, args, 2, &found);
    return found < 0 ? STAR_ABSENT : sl_bool(found);
}

/* ------------------------------------------------------------------ print and fail */

/* The arguments, separated; in fail() all but strings are quoted. */
static bool
joined(star_t *s, const star_args_t *args, star_text_t *text)
{
    static const char *const names[] = {"sep?"};
    star_args_t named = *args;
    value_t sep;

    named.n_args = 0;
    if (star_args_bind(s, &named, names, 1, &sep) < 0)
        return false;
    if (star_ok(sep) && !sl_is(sep, SL_STRING))
        return sl_bad_param(s, args, "sep", sep, "string");
    for (size_t i = 0; i < args->n_args; i++) {
        if (i > 0 && star_ok(sep))
            star_text_put(text, SL_STRING_OF(sep)->bytes, SL_STRING_OF(sep)->length);
        else if (i > 0)
            star_text_put(text, " ", 1);
        if (!sl_put_value(s, text, args->args[i], false))
            return false;
    }
    return !text->failed;
}

static value_t
on_print(star_t *s, const star_args_t *args)
{
    star_text_t text;
    value_t result = SL_NONE;
    uint64_t limit = s->options.limits.output;

    star_text_init(&text, s);
    if (!joined(s, args, &text)) {
        result = STAR_ABSENT;
    } else if (limit > 0 && s->output + text.length + 1 > limit) {
        sl_fail_kind(s, STAR_ERROR_LIMIT, "too much output: the limit is %llu bytes",
                     (unsigned long long)limit);
        result = STAR_ABSENT;
    } else if (s->options.print != NULL) {
        s->output += text.length + 1;
        if (s->options.print(s, text.data != NULL ? text.data : "", text.length, s->options.user) <
            0)
            result = STAR_ABSENT;
    }
    star_text_done(&text);
    return result;
}

static value_t
on_fail(star_t *s, const star_args_t *args)
{
    star_text_t text;

    star_text_init(&text, s);
    star_text_puts(&text, "fail: ");
    if (joined(s, args, &text))
        star_fail_text(s, text.data, text.length);
    star_text_done(&text);
    return STAR_ABSENT;
}

/* ------------------------------------------------------------------ the table */

const sl_native_t sl_universe[] = {
    {"abs", on_abs, 0},
    {"all", on_all, 0},
    {"any", on_any, 0},
    {"bool", on_bool, 0},
    {"bytes", on_bytes, 0},
    {"chr", on_chr, 0},
    {"dict", on_dict, 0},
    {"dir", on_dir, 0},
    {"enumerate", on_enumerate, 0},
    {"fail", on_fail, 0},
    {"float", on_float, 0},
    {"getattr", on_getattr, 0},
    {"hasattr", on_hasattr, 0},
    {"hash", on_hash, 0},
    {"int", on_int, 0},
    {"len", on_len, 0},
    {"list", on_list, 0},
    {"max", on_max, SL_CALLS_BACK},
    {"min", on_min, SL_CALLS_BACK},
    {"ord", on_ord, 0},
    {"print", on_print, SL_CALLS_BACK},
    {"range", on_range, 0},
    {"repr", on_repr, 0},
    {"reversed", on_reversed, 0},
    {"set", on_set, 0},
    {"sorted", on_sorted, SL_CALLS_BACK},
    {"str", on_str, 0},
    {"tuple", on_tuple, 0},
    {"type", on_type, 0},
    {"zip", on_zip, 0},
    {0},
};

int
sl_universe_init(star_t *s)
{
    static const struct {
        const char *name;
        value_t value;
    } constants[] = {{"None", {2}}, {"True", {7}}, {"False", {6}}};

    s->heap.log = false; /* all of this is kept by the interpreter itself */
    sl_string_t *empty = sl_string_intern(s, "", 0);
    s->empty_string = empty != NULL ? sl_value(empty) : STAR_ABSENT;
    sl_tuple_t *tuple = sl_tuple_new(s, 0);
    s->empty_tuple = tuple != NULL ? sl_value(tuple) : STAR_ABSENT;
    s->universe = sl_dict_new(s, SL_DICT, 64);
    if (empty == NULL || tuple == NULL || s->universe == NULL ||
        !sl_natives_put(s, s->universe, sl_universe))
        return -1;
    for (size_t i = 0; i < SL_COUNT_OF(constants); i++)
        if (star_dict_put(s, sl_value(s->universe), constants[i].name, constants[i].value) < 0)
            return -1;
    if (sl_methods_init(s) < 0)
        return -1;
    s->heap.log = true;
    return 0;
}
