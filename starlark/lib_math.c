/*  lib_math: the math module. */
#include "starlark/native.h"

#include <math.h>

static bool
numbers(star_t *s, const star_args_t *args, size_t count, double *out)
{
    if (!sl_positional(s, args, count, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!star_get_number(args->args[i], &out[i]))
            return sl_fail(s, "%s: for parameter %zu: got %s, want float or int", args->name, i + 1,
                           star_type_name(args->args[i]));
    return true;
}

/* Functions of one number: the C function is the user data of none; a table makes one of each. */
#define UNARY(name)                                                                                \
    static value_t on_##name(star_t *s, const star_args_t *args)                                   \
    {                                                                                              \
        double x;                                                                                  \
        return numbers(s, args, 1, &x) ? sl_float(name(x)) : STAR_ABSENT;                          \
    }
#define BINARY(name)                                                                               \
    static value_t on_##name(star_t *s, const star_args_t *args)                                   \
    {                                                                                              \
        double x[2];                                                                               \
        return numbers(s, args, 2, x) ? sl_float(name(x[0], x[1])) : STAR_ABSENT;                  \
    }

static double
degrees(double x)
{
    return x * 180 / M_PI;
}

static double
radians(double x)
{
    return x * M_PI / 180;
}

#define UNARIES(X)                                                                                 \
    X(exp)                                                                                         \
    X(sqrt)                                                                                        \
    X(acos)                                                                                        \
    X(asin)                                                                                        \
    X(atan)                                                                                        \
    X(cos)                                                                                         \
    X(sin)                                                                                         \
    X(tan) X(degrees) X(radians) X(acosh) X(asinh) X(atanh) X(cosh) X(sinh) X(tanh) X(fabs) X(round)
#define BINARIES(X) X(copysign) X(pow) X(atan2) X(hypot) X(remainder)

UNARIES(UNARY)
#undef UNARY
BINARIES(BINARY)
#undef BINARY

static value_t
on_gamma(star_t *s, const star_args_t *args)
{
    double x;
    return numbers(s, args, 1, &x) ? sl_float(tgamma(x)) : STAR_ABSENT;
}

static value_t
on_mod(star_t *s, const star_args_t *args)
{
    double x[2];
    return numbers(s, args, 2, x) ? sl_float(fmod(x[0], x[1])) : STAR_ABSENT;
}

/* log(x, base=e) */
static value_t
on_log(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"x", "base?"};
    value_t v[2];
    double x, base = M_E;

    if (star_args_bind(s, args, names, 2, v) < 0)
        return STAR_ABSENT;
    if (!star_get_number(v[0], &x)) {
        sl_bad_param(s, args, "x", v[0], "float or int");
        return STAR_ABSENT;
    }
    if (star_ok(v[1]) && !star_get_number(v[1], &base)) {
        sl_bad_param(s, args, "base", v[1], "float or int");
        return STAR_ABSENT;
    }
    if (base == 1)
        return star_fail(s, "division by zero");
    return sl_float(star_ok(v[1]) ? log(x) / log(base) : log(x));
}

/* floor and ceil give ints, and leave ints alone. */
static value_t
to_int(star_t *s, const star_args_t *args, double (*rounding)(double))
{
    double x;

    if (!numbers(s, args, 1, &x))
        return STAR_ABSENT;
    if (sl_is_integer(args->args[0]))
        return args->args[0];
    value_t result = sl_number_to_int(s, sl_float(rounding(x)));
    if (!star_ok(result))
        sl_prefix_error(s, args->name);
    return result;
}

static value_t
on_floor(star_t *s, const star_args_t *args)
{
    return to_int(s, args, floor);
}

static value_t
on_ceil(star_t *s, const star_args_t *args)
{
    return to_int(s, args, ceil);
}

static const sl_native_t functions[] = {
    {"acos", on_acos, 0},
    {"acosh", on_acosh, 0},
    {"asin", on_asin, 0},
    {"asinh", on_asinh, 0},
    {"atan", on_atan, 0},
    {"atan2", on_atan2, 0},
    {"atanh", on_atanh, 0},
    {"ceil", on_ceil, 0},
    {"copysign", on_copysign, 0},
    {"cos", on_cos, 0},
    {"cosh", on_cosh, 0},
    {"degrees", on_degrees, 0},
    {"exp", on_exp, 0},
    {"fabs", on_fabs, 0},
    {"floor", on_floor, 0},
    {"gamma", on_gamma, 0},
    {"hypot", on_hypot, 0},
    {"log", on_log, 0},
    {"mod", on_mod, 0},
    {"pow", on_pow, 0},
    {"radians", on_radians, 0},
    {"remainder", on_remainder, 0},
    {"round", on_round, 0},
    {"sin", on_sin, 0},
    {"sinh", on_sinh, 0},
    {"sqrt", on_sqrt, 0},
    {"tan", on_tan, 0},
    {"tanh", on_tanh, 0},
    {0},
};

star_value_t
star_lib_math(star_t *star)
{
    sl_dict_t *members = sl_dict_new(star, SL_DICT, 0);

    if (members == NULL || !sl_natives_put(star, members, functions) ||
        star_dict_put(star, sl_value(members), "e", sl_float(M_E)) < 0 ||
        star_dict_put(star, sl_value(members), "pi", sl_float(M_PI)) < 0)
        return STAR_ABSENT;
    return star_module(star, "math", sl_value(members));
}
