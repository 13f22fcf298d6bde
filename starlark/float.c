/*  float: doubles to text and back. Independent of the C locale: digits are read and written
 * without a point. */
#include "starlark/ops.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* d = 0.DIGITS x 10^point; at most 17 digits, no zeros at either end. */
typedef struct {
    char digits[24];
    int count, point;
} decimal_t;

static double
read_digits(const char *digits, int count, int exponent)
{
    char text[48];
    snprintf(text, sizeof text, "%.*se%d", count, digits, exponent);
    return strtod(text, NULL);
}

/* `d` rounded to `count` digits. */
static void
round_to(double d, int count, decimal_t *out)
{
    char text[40];
    int n = 0;

    snprintf(text, sizeof text, "%.*e", count - 1, d);
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            out->digits[n++] = *p;
    out->count = n;
    out->point = (int)strtol(p + 1, NULL, 10) + 1;
}

/* The digits one step in the last place above or below; false at the ends. */
static bool
neighbour(const decimal_t *from, int step, decimal_t *out)
{
    *out = *from;
    for (int i = out->count - 1; i >= 0; i--) {
        int digit = out->digits[i] - '0' + step;
        if (digit >= 0 && digit <= 9) {
            out->digits[i] = (char)('0' + digit);
            return i > 0 || digit > 0;
        }
        out->digits[i] = step > 0 ? '0' : '9';
    }
    return false;
}

static bool
reads_back(const decimal_t *decimal, double d)
{
    return read_digits(decimal->digits, decimal->count, decimal->point - decimal->count) == d;
}

/* Of doubles below the normal ones, which have fewer digits the smaller they are. */
static void
shortest_subnormal(double d, decimal_t *out)
{
    decimal_t near;

    for (int count = 1; count < 17; count++) {
        round_to(d, count, out);
        if (reads_back(out, d))
            return;
        if ((neighbour(out, 1, &near) && reads_back(&near, d)) ||
            (neighbour(out, -1, &near) && reads_back(&near, d))) {
            *out = near;
            return;
        }
    }
    round_to(d, 17, out);
}

/* The fewest digits that read back as `d` > 0, and of those the nearest. Up to 15 digits, what
 * rounding to 15 gives is it; of 16, rounding gives the nearest, but at powers of two (where the
 * doubles below are closer than those above) only the one next to it may read back; 17 always do.
 */
static void
shortest(double d, decimal_t *out)
{
    decimal_t near;

    if (d < DBL_MIN) {
        shortest_subnormal(d, out);
        return;
    }
    round_to(d, 15, out);
    if (!reads_back(out, d)) {
        round_to(d, 16, out);
        if (!reads_back(out, d)) {
            if (neighbour(out, 1, &near) && reads_back(&near, d))
                *out = near;
            else if (neighbour(out, -1, &near) && reads_back(&near, d))
                *out = near;
            else
                round_to(d, 17, out);
        }
    }
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
}

static const char *
special(double d)
{
    if (isnan(d))
        return "nan";
    if (isinf(d))
        return d > 0 ? "+inf" : "-inf";
    return NULL;
}

size_t
sl_float_shortest(double d, char out[40])
{
    decimal_t decimal;
    char *p = out;
    const char *word = special(d);

    if (word != NULL)
        return (size_t)snprintf(out, 40, "%s", word);
    if (signbit(d))
        *p++ = '-';
    if (d == 0) {
        *p++ = '0';
        *p = 0;
        return (size_t)(p - out);
    }
    shortest(fabs(d), &decimal);
    int exponent = decimal.point - 1;
    if (exponent < -4 || exponent >= 6) {
        *p++ = decimal.digits[0];
        if (decimal.count > 1) {
            *p++ = '.';
            memcpy(p, decimal.digits + 1, (size_t)decimal.count - 1);
            p += decimal.count - 1;
        }
        return (size_t)(p - out) +
               (size_t)snprintf(p, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    }
    if (decimal.point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = decimal.point; i < 0; i++)
            *p++ = '0';
        memcpy(p, decimal.digits, (size_t)decimal.count);
        p += decimal.count;
    } else {
        for (int i = 0; i < decimal.count || i < decimal.point; i++) {
            if (i == decimal.point)
                *p++ = '.';
            *p++ = i < decimal.count ? decimal.digits[i] : '0';
        }
    }
    *p = 0;
    return (size_t)(p - out);
}

void
sl_float_put(star_text_t *text, double d)
{
    char out[40];
    size_t length = sl_float_shortest(d, out);

    star_text_put(text, out, length);
    if (isfinite(d) && strpbrk(out, ".e") == NULL)
        star_text_put(text, ".0", 2);
}

void
sl_float_format(star_text_t *text, double d, char verb)
{
    char out[400];
    char lower = (char)(verb | 0x20);

    if (special(d) != NULL) {
        star_text_puts(text, special(d));
        return;
    }
    if (lower == 'g') {
        size_t start = text->length;
        sl_float_put(text, d);
        if (verb == 'G' && !text->failed)
            for (size_t i = start; i < text->length; i++)
                if (text->data[i] == 'e')
                    text->data[i] = 'E';
        return;
    }
    int length =
        snprintf(out, sizeof out, lower == 'e' ? (verb == 'e' ? "%.6e" : "%.6E") : "%.6f", d);
    for (int i = 0; i < length; i++)
        if (strchr("0123456789+-eE", out[i]) == NULL)
            out[i] = '.'; /* the locale's point */
    star_text_put(text, out, (size_t)length);
}

enum {
    SIGNIFICANT_MAX = 800
}; /* digits that can matter; of the rest only whether they are all 0 */

/* [+-] digits [. digits] [e [+-] digits], or inf, infinity, nan in any case. */
bool
sl_float_parse(const char *text, size_t length, double *ret_double)
{
    const char *p = text, *end = text + length;
    bool negative = false;
    char digits[SIGNIFICANT_MAX + 32];
    size_t n = 0;
    int64_t exponent = 0;
    bool any = false;

    if (p < end && (*p == '+' || *p == '-'))
        negative = *p++ == '-';
    size_t left = (size_t)(end - p);
    if ((left == 3 && strncasecmp(p, "inf", 3) == 0) ||
        (left == 8 && strncasecmp(p, "infinity", 8) == 0)) {
        *ret_double = negative ? -INFINITY : INFINITY;
        return true;
    }
    if (left == 3 && strncasecmp(p, "nan", 3) == 0) {
        *ret_double = NAN;
        return true;
    }
    bool sticky = false, point = false;
    for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (n < SIGNIFICANT_MAX && (n > 0 || *p != '0')) {
            digits[n++] = *p;
        } else if (n > 0) {
            sticky |= *p != '0';
            exponent++;
        }
        exponent -= point;
    }
    bool fine = any;
    if (fine && p < end && (*p == 'e' || *p == 'E')) {
        bool minus = false;
        int64_t given = 0;
        if (++p < end && (*p == '+' || *p == '-'))
            minus = *p++ == '-';
        fine = p < end;
        for (; p < end && *p >= '0' && *p <= '9'; p++)
            if (given < 100000000)
                given = given * 10 + (*p - '0');
        exponent += minus ? -given : given;
    }
    fine = fine && p == end;
    if (fine) {
        if (sticky)
            digits[n++] = '1', exponent--;
        if (n == 0)
            digits[n++] = '0';
        exponent = exponent > 100000 ? 100000 : exponent < -100000 ? -100000 : exponent;
        snprintf(digits + n, 20, "e%d", (int)exponent);
        double d = strtod(digits, NULL);
        *ret_double = negative ? -d : d;
    }
    return fine;
}

uint32_t
sl_float_hash(star_t *s, double d)
{
    if (isfinite(d) && d == floor(d)) {
        if (fabs(d) <= (double)SL_INT_MAX)
            return sl_int_hash(sl_small((int64_t)d));
        value_t whole = sl_int_of_double(s, d);
        return star_ok(whole) ? sl_int_hash(whole) : 0;
    }
    if (isnan(d))
        d = NAN;
    return sl_hash_bytes(&d, sizeof d);
}

/* Floored modulo: the sign of the divisor. */
value_t
sl_float_mod(double a, double b)
{
    double rest = fmod(a, b);
    if (rest != 0 && (rest < 0) != (b < 0))
        rest += b;
    return sl_float(rest);
}

star_value_t
star_float(double value)
{
    return sl_float(value);
}
