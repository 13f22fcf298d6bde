/*  duration: time.duration: nanoseconds, written as Go writes them. */
#include "starlark/duration.h"

#include <math.h>
#include <stdio.h>

static const struct {
    const char *unit;
    int64_t nanoseconds;
} units[] = {
    {"ns", 1},       {"us", 1000},     {"\xc2\xb5s", 1000},   {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", SL_SECOND}, {"m", 60 * SL_SECOND}, {"h", 3600 * SL_SECOND},
};

const char *const sl_duration_names[] = {
    "hours", "microseconds", "milliseconds", "minutes", "nanoseconds", "seconds", NULL};

value_t
sl_duration_new(star_t *s, int64_t nanoseconds)
{
    sl_duration_t *duration = sl_heap_new(s, SL_DURATION, sizeof *duration);
    if (duration == NULL)
        return STAR_ABSENT;
    duration->nanoseconds = nanoseconds;
    return sl_value(duration);
}

/* "1.5" of 1500 in units of 1000: no zeros at the end. */
static void
put_fraction(star_text_t *text, uint64_t whole, uint64_t rest, int digits)
{
    star_text_printf(text, "%llu", (unsigned long long)whole);
    if (rest == 0)
        return;
    while (rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    star_text_printf(text, ".%0*llu", digits, (unsigned long long)rest);
}

void
sl_duration_put(star_text_t *text, int64_t nanoseconds)
{
    uint64_t n = nanoseconds < 0 ? -(uint64_t)nanoseconds : (uint64_t)nanoseconds;

    if (n == 0) {
        star_text_puts(text, "0s");
        return;
    }
    if (nanoseconds < 0)
        star_text_puts(text, "-");
    if (n < 1000) {
        star_text_printf(text, "%lluns", (unsigned long long)n);
    } else if (n < 1000000) {
        put_fraction(text, n / 1000, n % 1000, 3);
        star_text_puts(text, "\xc2\xb5s");
    } else if (n < (uint64_t)SL_SECOND) {
        put_fraction(text, n / 1000000, n % 1000000, 6);
        star_text_puts(text, "ms");
    } else {
        uint64_t seconds = n / (uint64_t)SL_SECOND;
        if (seconds >= 3600)
            star_text_printf(text, "%lluh", (unsigned long long)(seconds / 3600));
        if (seconds >= 60)
            star_text_printf(text, "%llum", (unsigned long long)(seconds / 60 % 60));
        put_fraction(text, seconds % 60, n % (uint64_t)SL_SECOND, 9);
        star_text_puts(text, "s");
    }
}

static bool
bad(star_t *s, const char *problem, const sl_string_t *text)
{
    star_text_t message;

    star_text_init(&message, s);
    star_text_printf(&message, "time: %s ", problem);
    star_quote(&message, text->bytes, text->length);
    if (!message.failed)
        star_fail_text(s, message.data, message.length);
    star_text_done(&message);
    return false;
}

/* One number and its unit at *p, added to *total nanoseconds. */
static bool
parse_part(star_t *s, const sl_string_t *text, const char **p, const char *end, uint64_t *total)
{
    uint64_t whole = 0;
    double fraction = 0, scale = 1;
    const char *start = *p;
    bool digits = false, too_large = false;

    for (; *p < end && **p >= '0' && **p <= '9'; ++*p, digits = true) {
        too_large |= whole > (uint64_t)INT64_MAX / 10;
        whole = whole * 10 + (uint64_t)(**p - '0');
    }
    if (*p < end && **p == '.')
        for (++*p; *p < end && **p >= '0' && **p <= '9'; ++*p, digits = true) {
            if (scale < 1e18) {
                fraction = fraction * 10 + (**p - '0');
                scale *= 10;
            }
        }
    if (!digits || too_large)
        return bad(s, "invalid duration", text);
    const char *unit = *p;
    while (*p < end && **p != '.' && (**p < '0' || **p > '9'))
        ++*p;
    size_t length = (size_t)(*p - unit);
    (void)start;
    if (length == 0)
        return bad(s, "missing unit in duration", text);
    for (size_t i = 0; i < SL_COUNT_OF(units); i++)
        if (strlen(units[i].unit) == length && memcmp(unit, units[i].unit, length) == 0) {
            uint64_t product, sum;
            if (__builtin_mul_overflow(whole, (uint64_t)units[i].nanoseconds, &product) ||
                __builtin_add_overflow(
                    product, (uint64_t)(fraction * ((double)units[i].nanoseconds / scale)),
                    &product) ||
                __builtin_add_overflow(*total, product, &sum) || sum > (uint64_t)1 << 63)
                return bad(s, "invalid duration", text);
            *total = sum;
            return true;
        }
    star_text_t problem;
    star_text_init(&problem, s);
    star_text_puts(&problem, "unknown unit ");
    star_quote(&problem, unit, length);
    star_text_puts(&problem, " in duration");
    bad(s, problem.data != NULL ? problem.data : "unknown unit in duration", text);
    star_text_done(&problem);
    return false;
}

bool
sl_duration_parse(star_t *s, const sl_string_t *text, int64_t *ret_nanoseconds)
{
    const char *p = text->bytes, *end = p + text->length;
    bool negative = false;
    uint64_t total = 0;

    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (end - p == 1 && *p == '0') {
        *ret_nanoseconds = 0;
        return true;
    }
    if (p == end)
        return bad(s, "invalid duration", text);
    while (p < end)
        if (!parse_part(s, text, &p, end, &total))
            return false;
    if (total > (uint64_t)INT64_MAX + negative)
        return bad(s, "invalid duration", text);
    *ret_nanoseconds = negative ? (int64_t)-total : (int64_t)total;
    return true;
}

int
sl_duration_attr(star_t *s, value_t v, const sl_string_t *name, value_t *ret_value)
{
    int64_t n = SL_AS(sl_duration_t, v)->nanoseconds;

    if (strcmp(name->bytes, "hours") == 0)
        *ret_value = sl_float((double)n / 3.6e12);
    else if (strcmp(name->bytes, "minutes") == 0)
        *ret_value = sl_float((double)n / 6e10);
    else if (strcmp(name->bytes, "seconds") == 0)
        *ret_value = sl_float((double)n / 1e9);
    else if (strcmp(name->bytes, "milliseconds") == 0)
        *ret_value = sl_int(s, n / 1000000);
    else if (strcmp(name->bytes, "microseconds") == 0)
        *ret_value = sl_int(s, n / 1000);
    else if (strcmp(name->bytes, "nanoseconds") == 0)
        *ret_value = sl_int(s, n);
    else
        return 0;
    return star_ok(*ret_value) ? 1 : -1;
}

/* Duration and number, either way round. */
static int
scale(star_t *s, star_op_t op, int64_t n, value_t by, value_t *ret_value)
{
    int64_t i;
    double d;

    if (sl_is_float(by) && op == STAR_OP_DIV) {
        d = sl_float_of(by);
        if (d == 0)
            return star_fail_code(s, "time.duration division by zero");
        *ret_value = sl_duration_new(s, (int64_t)((double)n / d));
        return 1;
    }
    if (!sl_is_integer(by))
        return 0;
    if (!sl_get_index(by, &i))
        return star_fail_code(s, "int value out of range (want signed 64-bit value)");
    if (op == STAR_OP_DIV) {
        if (i == 0)
            return star_fail_code(s, "time.duration division by zero");
        *ret_value = sl_duration_new(s, i == -1 ? (int64_t) - (uint64_t)n : n / i);
    } else {
        *ret_value = sl_duration_new(s, (int64_t)((uint64_t)n * (uint64_t)i));
    }
    return 1;
}

int
sl_duration_binary(star_t *s, star_op_t op, value_t a, value_t b, value_t *ret_value)
{
    bool a_is = sl_is(a, SL_DURATION), b_is = sl_is(b, SL_DURATION);
    int64_t x = a_is ? SL_AS(sl_duration_t, a)->nanoseconds : 0,
            y = b_is ? SL_AS(sl_duration_t, b)->nanoseconds : 0;

    if (!a_is)
        return op == STAR_OP_MUL ? scale(s, op, y, a, ret_value) : 0;
    if (!b_is)
        return op == STAR_OP_MUL || op == STAR_OP_DIV ? scale(s, op, x, b, ret_value) : 0;
    switch (op) {
    case STAR_OP_ADD:
        *ret_value = sl_duration_new(s, (int64_t)((uint64_t)x + (uint64_t)y));
        return 1;
    case STAR_OP_SUB:
        *ret_value = sl_duration_new(s, (int64_t)((uint64_t)x - (uint64_t)y));
        return 1;
    case STAR_OP_DIV:
    case STAR_OP_FLOORDIV:
        if (y == 0)
            return star_fail_code(s, "time.duration division by zero");
        *ret_value = op == STAR_OP_DIV ? sl_float((double)x / (double)y)
                                       : sl_int(s, y == -1 ? (int64_t) - (uint64_t)x : x / y);
        return 1;
    default:
        return 0;
    }
}
