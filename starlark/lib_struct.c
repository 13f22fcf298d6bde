/*  lib_struct: struct(**fields) and module(name, **members). */
#include "starlark/native.h"

static value_t
on_struct(star_t *s, const star_args_t *args)
{
    if (args->n_args > 0)
        return star_fail(s, "struct: unexpected positional arguments");
    return sl_struct_new(s, STAR_ABSENT, args->names, args->values, args->n_named);
}

static value_t
on_module(star_t *s, const star_args_t *args)
{
    sl_string_t *name;

    if (args->n_args != 1)
        return star_fail(s, "module: got %zu arguments, want 1", args->n_args);
    if (!sl_arg_string(s, args, 0, &name))
        return STAR_ABSENT;
    sl_dict_t *members = sl_dict_new(s, SL_DICT, 0);
    for (size_t i = 0; members != NULL && i < args->n_named; i++)
        if (!sl_dict_store(s, members, args->names[i], args->values[i]))
            return STAR_ABSENT;
    return members != NULL ? sl_module_new(s, name->bytes, members) : STAR_ABSENT;
}

star_value_t
star_lib_struct(star_t *star)
{
    if (!star_ok(star->lib_struct)) {
        sl_builtin_t *builtin = sl_builtin_new(star, "struct", on_struct, NULL, 0);
        star->lib_struct = builtin != NULL ? sl_value(builtin) : STAR_ABSENT;
    }
    return star->lib_struct;
}

star_value_t
star_lib_module(star_t *star)
{
    sl_builtin_t *builtin = sl_builtin_new(star, "module", on_module, NULL, 0);
    return builtin != NULL ? sl_value(builtin) : STAR_ABSENT;
}

star_value_t
sl_library(star_t *s, const char *name, const sl_native_t *table)
{
    sl_dict_t *members = sl_dict_new(s, SL_DICT, 0);

    if (members == NULL || !sl_natives_put(s, members, table))
        return STAR_ABSENT;
    return star_module(s, name, sl_value(members));
}
