/*  repr: values as text. */
#include "starlark/code.h"
#include "starlark/ops.h"

/* The containers being printed, innermost first: one that is met again prints as [...]. */
typedef struct path {
    const struct path *up;
    value_t value;
    int depth;
} path_t;

static bool put(star_t *s, star_text_t *text, value_t v, bool quoted, const path_t *up);

static bool
on_path(const path_t *path, value_t v)
{
    for (; path != NULL; path = path->up)
        if (sl_same(path->value, v))
            return true;
    return false;
}

static bool
put_items(star_t *s, star_text_t *text, const value_t *items, size_t count, const path_t *path)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            star_text_put(text, ", ", 2);
        if (!put(s, text, items[i], true, path))
            return false;
    }
    return true;
}

static bool
put_dict(star_t *s, star_text_t *text, const sl_dict_t *dict, const path_t *path)
{
    size_t cursor = 0;
    bool is_set = dict->obj.type == SL_SET, first = true;
    sl_entry_t *entry;

    star_text_puts(text, is_set ? "set([" : "{");
    while ((entry = sl_dict_walk(dict, &cursor)) != NULL) {
        if (!first)
            star_text_put(text, ", ", 2);
        first = false;
        if (!put(s, text, entry->key, true, path))
            return false;
        if (is_set)
            continue;
        star_text_put(text, ": ", 2);
        if (!put(s, text, entry->value, true, path))
            return false;
    }
    star_text_puts(text, is_set ? "])" : "}");
    return true;
}

static bool
put_struct(star_t *s, star_text_t *text, const sl_struct_t *structure, const path_t *path)
{
    const sl_shape_t *shape = structure->shape;

    if (!star_ok(shape->constructor))
        star_text_puts(text, "struct");
    else if (!put(s, text, shape->constructor, false, path))
        return false;
    star_text_put(text, "(", 1);
    for (uint32_t i = 0; i < shape->obj.extra; i++) {
        if (i > 0)
            star_text_put(text, ", ", 2);
        star_text_put(text, SL_STRING_OF(shape->names[i])->bytes,
                      SL_STRING_OF(shape->names[i])->length);
        star_text_put(text, " = ", 3);
        if (!put(s, text, structure->values[i], true, path))
            return false;
    }
    star_text_put(text, ")", 1);
    return true;
}

static bool
put_host(star_t *s, star_text_t *text, value_t v, bool quoted)
{
    const star_type_t *type = SL_AS(sl_host_t, v)->type;
    int (*writer)(star_t *, star_value_t, star_text_t *) =
        !quoted && type->str != NULL ? type->str : type->repr;

    if (writer == NULL) {
        star_text_printf(text, "<%s>", type->name);
        return true;
    }
    sl_host_scope_t scope = sl_host_enter(s);
    int result = writer(s, v, text);
    sl_host_leave(s, scope);
    return result >= 0;
}

static void
put_range(star_text_t *text, const sl_range_t *range)
{
    long long start = range->start, stop = range->stop, step = range->step;

    if (step != 1)
        star_text_printf(text, "range(%lld, %lld, %lld)", start, stop, step);
    else if (start != 0)
        star_text_printf(text, "range(%lld, %lld)", start, stop);
    else
        star_text_printf(text, "range(%lld)", stop);
}

/* Those without anything inside. */
static bool
put_atom(star_t *s, star_text_t *text, value_t v, bool quoted)
{
    switch ((sl_type_t)sl_obj(v)->type) {
    case SL_STRING:
        if (quoted)
            star_quote(text, SL_STRING_OF(v)->bytes, SL_STRING_OF(v)->length);
        else
            star_text_put(text, SL_STRING_OF(v)->bytes, SL_STRING_OF(v)->length);
        break;
    case SL_BYTES:
        if (quoted)
            star_text_put(text, "b", 1);
        if (quoted)
            star_quote(text, SL_STRING_OF(v)->bytes, SL_STRING_OF(v)->length);
        else
            sl_put_utf8(text, SL_STRING_OF(v)->bytes, SL_STRING_OF(v)->length);
        break;
    case SL_BIG:
        return sl_int_put(s, text, v, 10, false);
    case SL_RANGE:
        put_range(text, SL_AS(sl_range_t, v));
        break;
    case SL_FUNCTION:
        star_text_printf(text, "<function %s>", SL_AS(sl_function_t, v)->code->name->bytes);
        break;
    case SL_BUILTIN:
        star_text_printf(text, "<built-in function %s>", SL_AS(sl_builtin_t, v)->name->bytes);
        break;
    case SL_BOUND:
        star_text_printf(text, "<built-in method %s of %s value>",
                         SL_AS(sl_bound_t, v)->builtin->name->bytes,
                         star_type_name(SL_AS(sl_bound_t, v)->self));
        break;
    case SL_MODULE:
        star_text_put(text, "<module ", 8);
        star_quote(text, SL_AS(sl_module_t, v)->name->bytes, SL_AS(sl_module_t, v)->name->length);
        star_text_put(text, ">", 1);
        break;
    case SL_TIME:
    case SL_DURATION:
        return sl_time_put(s, text, v);
    case SL_HOST:
        return put_host(s, text, v, quoted);
    case SL_ELEMS: {
        static const char *const method[] = {"elems", "elem_ords", "codepoints", "codepoint_ords",
                                             "elems"};
        const sl_elems_t *elems = SL_AS(sl_elems_t, v);
        if (elems->obj.extra == SL_BY_BYTE)
            star_text_put(text, "b", 1);
        star_quote(text, elems->string->bytes, elems->string->length);
        star_text_printf(text, ".%s()", method[elems->obj.extra]);
        break;
    }
    default:
        star_text_printf(text, "<%s>", star_type_name(v));
        break;
    }
    return true;
}

static bool
put_container(star_t *s, star_text_t *text, value_t v, const path_t *up)
{
    path_t path = {up, v, up != NULL ? up->depth + 1 : 1};
    sl_obj_t *object = sl_obj(v);

    if (path.depth > SL_PRINT_DEPTH_MAX)
        return sl_fail_kind(s, STAR_ERROR_LIMIT,
                            "value is nested too deeply to be printed: the limit is %d",
                            SL_PRINT_DEPTH_MAX);
    if (on_path(up, v)) {
        star_text_puts(text, object->type == SL_LIST   ? "[...]"
                             : object->type == SL_DICT ? "{...}"
                                                       : "(...)");
        return true;
    }
    switch (object->type) {
    case SL_LIST:
        star_text_put(text, "[", 1);
        if (!put_items(s, text, SL_LIST_OF(v)->items, SL_LIST_OF(v)->count, &path))
            return false;
        star_text_put(text, "]", 1);
        return true;
    case SL_TUPLE:
        star_text_put(text, "(", 1);
        if (!put_items(s, text, SL_TUPLE_OF(v)->items, object->extra, &path))
            return false;
        star_text_puts(text, object->extra == 1 ? ",)" : ")");
        return true;
    case SL_STRUCT:
        return put_struct(s, text, SL_AS(sl_struct_t, v), &path);
    default:
        return put_dict(s, text, SL_DICT_OF(v), &path);
    }
}

static bool
put(star_t *s, star_text_t *text, value_t v, bool quoted, const path_t *up)
{
    if (text->failed)
        return false;
    if (sl_is_int(v))
        return sl_int_put(s, text, v, 10, false);
    if (sl_is_float(v)) {
        sl_float_put(text, sl_float_of(v));
        return true;
    }
    if (!sl_is_obj(v)) {
        star_text_puts(text, sl_same(v, SL_NONE)    ? "None"
                             : sl_same(v, SL_TRUE)  ? "True"
                             : sl_same(v, SL_FALSE) ? "False"
                                                    : "<absent>");
        return true;
    }
    switch (sl_obj(v)->type) {
    case SL_LIST:
    case SL_TUPLE:
    case SL_DICT:
    case SL_SET:
    case SL_STRUCT:
        return put_container(s, text, v, up);
    default:
        return put_atom(s, text, v, quoted);
    }
}

bool
sl_put_value(star_t *s, star_text_t *text, value_t value, bool quoted)
{
    return put(s, text, value, quoted, NULL) && !text->failed;
}

value_t
sl_str(star_t *s, value_t value)
{
    star_text_t text;

    if (sl_is(value, SL_STRING))
        return value;
    star_text_init(&text, s);
    if (!sl_put_value(s, &text, value, false))
        text.failed = true;
    return star_text_take(&text);
}

const char *
sl_shown(star_t *s, value_t value)
{
    value_t text = sl_str(s, value);
    return star_ok(text) ? SL_STRING_OF(text)->bytes : "";
}

int
star_str(star_t *star, star_value_t value, star_text_t *text)
{
    text->star = star;
    return sl_put_value(star, text, value, false) ? 0 : -1;
}

int
star_repr(star_t *star, star_value_t value, star_text_t *text)
{
    text->star = star;
    return sl_put_value(star, text, value, true) ? 0 : -1;
}

/* UTF-8 with every wrong byte as U+FFFD. */
void
sl_put_utf8(star_text_t *text, const char *bytes, size_t length)
{
    for (size_t i = 0, n; i < length; i += n) {
        if (sl_utf8_get(bytes + i, length - i, &n) == 0xfffd && n == 1)
            star_text_put(text, "\xef\xbf\xbd", 3);
        else
            star_text_put(text, bytes + i, n);
    }
}
