/*  native: see native.h. */
#include "starlark/native.h"

#include <math.h>

bool
sl_positional(star_t *s, const star_args_t *args, size_t least, size_t most)
{
    if (SL_LIKELY(args->n_named == 0 && args->n_args >= least && args->n_args <= most))
        return true;
    if (args->n_named > 0)
        return sl_fail(s, "%s: unexpected keyword arguments", args->name);
    if (args->n_args < least)
        return sl_fail(s, "%s: got %zu arguments, want %s%zu", args->name, args->n_args,
                       least < most ? "at least " : "", least);
    return sl_fail(s, "%s: got %zu arguments, want %s%zu", args->name, args->n_args,
                   least < most ? "at most " : "", most);
}

bool
sl_bad_param(star_t *s, const star_args_t *args, const char *name, value_t got, const char *want)
{
    return sl_fail(s, "%s: for parameter %s: got %s, want %s", args->name, name,
                   star_type_name(got), want);
}

static bool
bad_arg(star_t *s, const star_args_t *args, size_t index, const char *want)
{
    return sl_fail(s, "%s: for parameter %zu: got %s, want %s", args->name, index + 1,
                   star_type_name(args->args[index]), want);
}

bool
sl_arg_string(star_t *s, const star_args_t *args, size_t index, sl_string_t **ret_string)
{
    if (!sl_is(args->args[index], SL_STRING))
        return bad_arg(s, args, index, "string");
    *ret_string = SL_STRING_OF(args->args[index]);
    return true;
}

bool
sl_arg_int(star_t *s, const star_args_t *args, size_t index, int64_t *ret_int)
{
    value_t v = args->args[index];

    if (!sl_is_integer(v))
        return bad_arg(s, args, index, "int");
    if (sl_get_index(v, ret_int))
        return true;
    value_t text = sl_str(s, v);
    return star_ok(text) &&
           sl_fail(s, "%s: for parameter %zu: %s out of range (want value in signed 64-bit range)",
                   args->name, index + 1, SL_STRING_OF(text)->bytes);
}

bool
sl_arg_iterable(star_t *s, const star_args_t *args, size_t index)
{
    if (!sl_iter_start(s, args->args[index])) {
        star_error_clear(s);
        return bad_arg(s, args, index, "iterable");
    }
    sl_iter_done(args->args[index]);
    return true;
}

bool
sl_prefix_error(star_t *s, const char *name)
{
    if (s->captured || s->error_kind != STAR_ERROR_EVAL)
        return false;
    char *message = sl_error_dup(s, s->message, strlen(s->message));
    star_text_t text;
    star_text_init(&text, s);
    star_text_printf(&text, "%s: %s", name, message != NULL ? message : "");
    star_error_clear(s);
    if (message == NULL || text.failed)
        sl_fail_memory(s);
    else
        star_fail_text(s, text.data, text.length);
    star_text_done(&text);
    return false;
}

value_t
sl_number_to_int(star_t *s, value_t x)
{
    if (sl_is_integer(x))
        return x;
    if (!sl_is_float(x))
        return star_fail(s, "cannot convert %s to int", star_type_name(x));
    double d = sl_float_of(x);
    if (isinf(d))
        return star_fail(s, "cannot convert float infinity to integer");
    if (isnan(d))
        return star_fail(s, "cannot convert float NaN to integer");
    return sl_int_of_double(s, trunc(d));
}

bool
sl_natives_put(star_t *s, sl_dict_t *dict, const sl_native_t *table)
{
    for (; table->name != NULL; table++) {
        const char *dot = strrchr(table->name, '.'), *key = dot != NULL ? dot + 1 : table->name;
        sl_builtin_t *builtin = sl_builtin_new(s, table->name, table->function, NULL, table->flags);
        sl_string_t *name = builtin != NULL ? sl_string_intern(s, key, strlen(key)) : NULL;
        if (name == NULL ||
            !sl_dict_insert(s, dict, sl_value(name), sl_string_hash(name), sl_value(builtin), NULL))
            return false;
    }
    return true;
}
