/*  lib_time: the time module: durations. */
#include "starlark/duration.h"

const char *const sl_time_names[] = {NULL};

int
sl_time_attr(star_t *s, value_t value, const sl_string_t *name, value_t *ret_value)
{
    return sl_is(value, SL_DURATION) ? sl_duration_attr(s, value, name, ret_value) : 0;
}

int
sl_time_binary(star_t *s, star_op_t op, value_t a, value_t b, value_t *ret_value)
{
    int done = sl_duration_binary(s, op, a, b, ret_value);
    return done > 0 && !star_ok(*ret_value) ? -1 : done;
}

bool
sl_time_put(star_t *s, star_text_t *text, value_t value)
{
    (void)s;
    sl_duration_put(text, SL_AS(sl_duration_t, value)->nanoseconds);
    return true;
}

int
sl_time_order(value_t a, value_t b)
{
    int64_t x = SL_AS(sl_duration_t, a)->nanoseconds, y = SL_AS(sl_duration_t, b)->nanoseconds;
    return (x > y) - (x < y);
}
