/*  attr: attributes, methods, and the names of types. */
#include "starlark/code.h"
#include "starlark/ops.h"

#include <stdlib.h>

const char *
star_type_name(star_value_t v)
{
    static const char *const names[] = {[SL_FREE] = "absent",
#define NAME(name, text) [SL_##name] = text,
                                        SL_TYPES(NAME)
#undef NAME
    };

    if (sl_is_int(v))
        return "int";
    if (sl_is_float(v))
        return "float";
    if (!sl_is_obj(v))
        return sl_same(v, SL_NONE) ? "NoneType" : sl_is_bool(v) ? "bool" : "absent";
    if (sl_obj(v)->type == SL_HOST)
        return SL_AS(sl_host_t, v)->type->name;
    if (sl_obj(v)->type == SL_ELEMS) {
        static const char *const elems[] = {"string.elems", "string.elems", "string.codepoints",
                                            "string.codepoints", "bytes.elems"};
        return elems[sl_obj(v)->extra];
    }
    return names[sl_obj(v)->type];
}

star_kind_t
star_kind(star_value_t v)
{
    static const star_kind_t kinds[SL_TYPE_COUNT] = {
        [SL_STRING] = STAR_STRING,   [SL_BYTES] = STAR_BYTES,    [SL_BIG] = STAR_INT,
        [SL_LIST] = STAR_LIST,       [SL_TUPLE] = STAR_TUPLE,    [SL_DICT] = STAR_DICT,
        [SL_SET] = STAR_SET,         [SL_RANGE] = STAR_RANGE,    [SL_FUNCTION] = STAR_FUNCTION,
        [SL_BUILTIN] = STAR_BUILTIN, [SL_BOUND] = STAR_BUILTIN,  [SL_STRUCT] = STAR_STRUCT,
        [SL_MODULE] = STAR_MODULE,   [SL_HOST] = STAR_OBJECT,    [SL_ELEMS] = STAR_OTHER,
        [SL_TIME] = STAR_OTHER,      [SL_DURATION] = STAR_OTHER,
    };

    if (sl_is_int(v))
        return STAR_INT;
    if (sl_is_float(v))
        return STAR_FLOAT;
    if (!sl_is_obj(v))
        return sl_is_bool(v) ? STAR_BOOL : sl_same(v, SL_NONE) ? STAR_NONE : STAR_OTHER;
    return kinds[sl_obj(v)->type];
}

star_value_t
star_none(void)
{
    return SL_NONE;
}

star_value_t
star_bool(bool value)
{
    return sl_bool(value);
}

bool
star_get_bool(star_value_t value)
{
    return sl_same(value, SL_TRUE);
}

/* ------------------------------------------------------------------ methods of built-in types */

static const sl_native_t *const method_tables[SL_TYPE_COUNT] = {
    [SL_STRING] = sl_string_methods, [SL_BYTES] = sl_bytes_methods, [SL_LIST] = sl_list_methods,
    [SL_DICT] = sl_dict_methods,     [SL_SET] = sl_set_methods,
};

int
sl_methods_init(star_t *s)
{
    for (int type = 0; type < SL_TYPE_COUNT; type++) {
        if (method_tables[type] == NULL)
            continue;
        s->methods[type] = sl_dict_new(s, SL_DICT, 0);
        if (s->methods[type] == NULL || !sl_natives_put(s, s->methods[type], method_tables[type]))
            return -1;
    }
    return 0;
}

sl_builtin_t *
sl_method(star_t *s, sl_type_t type, const sl_string_t *name)
{
    sl_entry_t *entry =
        s->methods[type] != NULL ? sl_dict_lookup_string(s->methods[type], name) : NULL;
    return entry != NULL ? SL_AS(sl_builtin_t, entry->value) : NULL;
}

/* ------------------------------------------------------------------ attributes */

static int
host_attr(star_t *s, value_t v, const char *name, value_t *ret_value)
{
    const star_type_t *type = SL_AS(sl_host_t, v)->type;

    if (type->attr == NULL)
        return 0;
    sl_host_scope_t scope = sl_host_enter(s);
    int found = type->attr(s, v, name, ret_value);
    sl_host_leave(s, scope);
    if (found > 0 && !star_ok(*ret_value))
        found = -1;
    if (found < 0 && !s->failed)
        sl_fail(s, "%s.%s failed without giving a reason", type->name, name);
    return found;
}

int
sl_attr(star_t *s, value_t v, sl_string_t *name, value_t *ret_value)
{
    if (!sl_is_obj(v))
        return 0;
    sl_type_t type = sl_obj(v)->type;
    switch (type) {
    case SL_STRUCT: {
        sl_struct_t *structure = SL_AS(sl_struct_t, v);
        int index = sl_shape_find(structure->shape, name);
        if (index < 0)
            return 0;
        *ret_value = structure->values[index];
        return 1;
    }
    case SL_MODULE: {
        sl_entry_t *entry = sl_dict_lookup_string(SL_AS(sl_module_t, v)->members, name);
        if (entry == NULL)
            return 0;
        *ret_value = entry->value;
        return 1;
    }
    case SL_HOST:
        return host_attr(s, v, name->bytes, ret_value);
    case SL_TIME:
    case SL_DURATION:
        return sl_time_attr(s, v, name, ret_value);
    default: {
        sl_builtin_t *method = sl_method(s, type, name);
        if (method == NULL)
            return 0;
        *ret_value = sl_bound_new(s, method, v);
        return star_ok(*ret_value) ? 1 : -1;
    }
    }
}

int
star_get_attr(star_t *star, star_value_t value, const char *name, star_value_t *ret_value)
{
    sl_string_t *string = sl_string_intern(star, name, strlen(name));
    return string != NULL ? sl_attr(star, value, string, ret_value) : -1;
}

static bool
add_names(star_t *s, sl_list_t *list, const char *const *names)
{
    for (; *names != NULL; names++) {
        sl_string_t *name = sl_string_intern(s, *names, strlen(*names));
        if (name == NULL || !sl_list_push(s, list, sl_value(name)))
            return false;
    }
    return true;
}

static bool
add_keys(star_t *s, sl_list_t *list, const sl_dict_t *dict)
{
    size_t cursor = 0;
    sl_entry_t *entry;

    while ((entry = sl_dict_walk(dict, &cursor)) != NULL)
        if (!sl_list_push(s, list, entry->key))
            return false;
    return true;
}

star_value_t
star_dir(star_t *star, star_value_t v)
{
    sl_list_t *list = sl_list_new(star, 0);
    bool fine = list != NULL;

    if (!fine || !sl_is_obj(v))
        return fine ? sl_value(list) : STAR_ABSENT;
    switch (sl_obj(v)->type) {
    case SL_STRUCT:
        for (uint32_t i = 0; fine && i < SL_AS(sl_struct_t, v)->shape->obj.extra; i++)
            fine = sl_list_push(star, list, SL_AS(sl_struct_t, v)->shape->names[i]);
        break;
    case SL_MODULE:
        fine = add_keys(star, list, SL_AS(sl_module_t, v)->members);
        break;
    case SL_TIME:
        fine = add_names(star, list, sl_time_names);
        break;
    case SL_DURATION:
        fine = add_names(star, list, sl_duration_names);
        break;
    case SL_HOST: {
        const star_type_t *type = SL_AS(sl_host_t, v)->type;
        if (type->dir != NULL) {
            sl_host_scope_t scope = sl_host_enter(star);
            fine =
                sl_heap_log(star, sl_value(list)) == 0 && type->dir(star, v, sl_value(list)) >= 0;
            sl_host_leave(star, scope);
        }
        break;
    }
    default:
        if (star->methods[sl_obj(v)->type] != NULL)
            fine = add_keys(star, list, star->methods[sl_obj(v)->type]);
    }
    return fine && sl_sort(star, list->items, NULL, list->count, false) ? sl_value(list)
                                                                        : STAR_ABSENT;
}

bool
sl_attr_missing(star_t *s, value_t v, sl_string_t *name)
{
    const char *problem = sl_is(v, SL_STRUCT) ? "attribute" : "field or method";
    value_t names = star_dir(s, v);

    if (!star_ok(names))
        return false;
    const char *near = sl_nearest(name->bytes, names, 0);
    const char *hint[] = {near ? " (did you mean ." : "", near ? near : "", near ? "?)" : ""};
    if (sl_is(v, SL_STRUCT) && star_ok(SL_AS(sl_struct_t, v)->shape->constructor)) {
        star_text_t text;
        star_text_init(&text, s);
        if (sl_put_value(s, &text, SL_AS(sl_struct_t, v)->shape->constructor, true))
            sl_fail(s, "%s struct has no .%s attribute%s%s%s", text.data, name->bytes, hint[0],
                    hint[1], hint[2]);
        star_text_done(&text);
        return false;
    }
    const star_type_t *type = star_object_type(v);
    if (type != NULL && type->is_record)
        return sl_fail(s, "\"%s\" struct has no .%s attribute%s%s%s", type->name, name->bytes,
                       hint[0], hint[1], hint[2]);
    return sl_fail(s, "%s has no .%s %s%s%s%s", star_type_name(v), name->bytes, problem, hint[0],
                   hint[1], hint[2]);
}

bool
sl_set_attr(star_t *s, value_t v, sl_string_t *name, value_t attr)
{
    const star_type_t *type = star_object_type(v);

    if (type != NULL && type->set_attr != NULL) {
        if (sl_obj(v)->flags & SL_FROZEN)
            return sl_fail(s, "cannot assign to .%s field of frozen %s", name->bytes, type->name);
        sl_host_scope_t scope = sl_host_enter(s);
        int result = type->set_attr(s, v, name->bytes, attr);
        sl_host_leave(s, scope);
        if (result == 0)
            return true;
        return result < 0
                   ? sl_fail(s, "%s.%s failed without giving a reason", type->name, name->bytes)
                   : sl_attr_missing(s, v, name);
    }
    return sl_fail(s, "can't assign to .%s field of %s", name->bytes, star_type_name(v));
}

/* ------------------------------------------------------------------ for tests */

bool
star_debug_called(star_value_t function)
{
    if (sl_is(function, SL_BOUND))
        function = sl_value(SL_AS(sl_bound_t, function)->builtin);
    return sl_is(function, SL_BUILTIN) && (sl_obj(function)->extra & SL_CALLED);
}

star_value_t
star_debug_names(star_t *star)
{
    sl_list_t *list = sl_list_new(star, 0);
    return list != NULL && add_keys(star, list, star->universe) ? sl_value(list) : STAR_ABSENT;
}

/* ------------------------------------------------------------------ functions from outside */

bool
star_function_info(star_value_t function, star_function_info_t *ret_info)
{
    if (!sl_is(function, SL_FUNCTION))
        return false;
    const sl_code_t *code = SL_AS(sl_function_t, function)->code;
    *ret_info = (star_function_info_t){
        .name = code->name->bytes,
        .file = code->file->bytes,
        .line = code->line,
        .column = code->column,
        .doc = code->doc != NULL ? code->doc->bytes : NULL,
        .n_params = code->n_params_all,
        .n_keyword_only = code->n_keyword_only,
        .has_varargs = code->has_varargs,
        .has_kwargs = code->has_kwargs,
    };
    return true;
}

const char *
star_function_param(star_value_t function, size_t index, star_value_t *ret_default)
{
    *ret_default = STAR_ABSENT;
    if (!sl_is(function, SL_FUNCTION))
        return NULL;
    const sl_function_t *self = SL_AS(sl_function_t, function);
    const sl_code_t *code = self->code;
    if (index >= code->n_params_all)
        return NULL;
    size_t n_defaults = self->defaults != NULL ? self->defaults->obj.extra : 0;
    if (index < code->n_params && index >= code->n_params - n_defaults)
        *ret_default = self->defaults->items[index - (code->n_params - n_defaults)];
    return code->params[index]->bytes;
}

const char *
star_function_name(star_value_t function)
{
    if (sl_is(function, SL_FUNCTION))
        return SL_AS(sl_function_t, function)->code->name->bytes;
    if (sl_is(function, SL_BUILTIN))
        return SL_AS(sl_builtin_t, function)->name->bytes;
    return sl_is(function, SL_BOUND) ? SL_AS(sl_bound_t, function)->builtin->name->bytes : NULL;
}
