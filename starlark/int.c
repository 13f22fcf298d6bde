/*  int: ints of any size. Those of up to 48 bits are in the value; larger ones are sl_big_t, whose
 * limbs GMP works on directly. Sizes are checked before anything is allocated. */
#include "starlark/ops.h"

#include <gmp.h>
#include <math.h>

_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0, "limbs of 64 bits");

/* An int of either form, as sign and limbs. */
typedef struct {
    bool negative;
    uint32_t count; /* 0: zero */
    uint64_t small;
    const uint64_t *limbs;
} view_t;

static void
look(value_t v, view_t *view)
{
    if (sl_is_int(v)) {
        int64_t i = sl_int_of(v);
        view->negative = i < 0;
        view->small = i < 0 ? (uint64_t)-i : (uint64_t)i;
        view->count = i != 0;
        view->limbs = &view->small;
    } else {
        const sl_big_t *big = SL_AS(sl_big_t, v);
        view->negative = big->negative;
        view->count = big->obj.extra;
        view->limbs = big->limbs;
    }
}

bool
sl_is_integer(value_t v)
{
    return sl_is_int(v) || sl_is(v, SL_BIG);
}

static sl_big_t *
big_new(star_t *s, size_t count)
{
    if (count > SL_LIMBS_MAX) {
        sl_fail_kind(s, STAR_ERROR_LIMIT, "int of %zu bits is too large: the limit is %d",
                     count * 64, SL_LIMBS_MAX * 64);
        return NULL;
    }
    sl_big_t *big = sl_heap_new(s, SL_BIG, sizeof *big + count * sizeof(uint64_t));
    if (big != NULL) {
        big->obj.extra = (uint32_t)count;
        big->negative = false;
    }
    return big;
}

/* Drops leading zeros and gives the one form of the value. */
static value_t
normal(sl_big_t *big)
{
    uint32_t count = big->obj.extra;

    while (count > 0 && big->limbs[count - 1] == 0)
        count--;
    big->obj.extra = count;
    if (count == 0)
        return sl_small(0);
    if (count == 1 && big->limbs[0] <= (uint64_t)SL_INT_MAX + big->negative)
        return sl_small(big->negative ? -(int64_t)big->limbs[0] : (int64_t)big->limbs[0]);
    return sl_value(big);
}

value_t
sl_int(star_t *s, int64_t i)
{
    if (SL_LIKELY(sl_int_fits(i)))
        return sl_small(i);
    sl_big_t *big = big_new(s, 1);
    if (big == NULL)
        return STAR_ABSENT;
    big->negative = i < 0;
    big->limbs[0] = i < 0 ? -(uint64_t)i : (uint64_t)i;
    return sl_value(big);
}

star_value_t
star_int(star_t *star, int64_t value)
{
    return sl_int(star, value);
}

bool
star_get_int(star_value_t value, int64_t *ret_int)
{
    if (sl_is_int(value)) {
        *ret_int = sl_int_of(value);
        return true;
    }
    if (!sl_is(value, SL_BIG))
        return false;
    const sl_big_t *big = SL_AS(sl_big_t, value);
    if (big->obj.extra > 1 || big->limbs[0] > (uint64_t)INT64_MAX + big->negative)
        return false;
    *ret_int = big->negative ? (int64_t)-big->limbs[0] : (int64_t)big->limbs[0];
    return true;
}

bool
sl_get_index(value_t v, int64_t *ret_index)
{
    return star_get_int(v, ret_index);
}

/* ------------------------------------------------------------------ arithmetic */

static int
magnitude_compare(const view_t *a, const view_t *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a->count == 0 ? 0 : mpn_cmp(a->limbs, b->limbs, a->count);
}

static value_t
add_views(star_t *s, const view_t *a, const view_t *b, bool b_negative)
{
    if (a->negative == b_negative || a->count == 0 || b->count == 0) {
        const view_t *longer = a->count >= b->count ? a : b, *shorter = longer == a ? b : a;
        sl_big_t *big = big_new(s, (size_t)longer->count + 1);
        if (big == NULL)
            return STAR_ABSENT;
        big->negative = a->count == 0 ? b_negative : a->negative;
        if (longer->count == 0)
            big->limbs[0] = 0;
        else
            big->limbs[longer->count] =
                shorter->count == 0 ? (mpn_copyi(big->limbs, longer->limbs, longer->count), 0)
                                    : mpn_add(big->limbs, longer->limbs, longer->count,
                                              shorter->limbs, shorter->count);
        return normal(big);
    }
    int order = magnitude_compare(a, b);
    if (order == 0)
        return sl_small(0);
    const view_t *larger = order > 0 ? a : b, *smaller = order > 0 ? b : a;
    sl_big_t *big = big_new(s, larger->count);
    if (big == NULL)
        return STAR_ABSENT;
    big->negative = order > 0 ? a->negative : b_negative;
    mpn_sub(big->limbs, larger->limbs, larger->count, smaller->limbs, smaller->count);
    return normal(big);
}

value_t
sl_int_add(star_t *s, value_t x, value_t y)
{
    if (sl_is_int(x) && sl_is_int(y))
        return sl_int(s, sl_int_of(x) + sl_int_of(y));
    view_t a, b;
    look(x, &a);
    look(y, &b);
    return add_views(s, &a, &b, b.negative);
}

value_t
sl_int_sub(star_t *s, value_t x, value_t y)
{
    if (sl_is_int(x) && sl_is_int(y))
        return sl_int(s, sl_int_of(x) - sl_int_of(y));
    view_t a, b;
    look(x, &a);
    look(y, &b);
    return add_views(s, &a, &b, !b.negative);
}

value_t
sl_int_mul(star_t *s, value_t x, value_t y)
{
    int64_t product;
    if (sl_is_int(x) && sl_is_int(y) &&
        !__builtin_mul_overflow(sl_int_of(x), sl_int_of(y), &product))
        return sl_int(s, product);
    view_t a, b;
    look(x, &a);
    look(y, &b);
    if (a.count == 0 || b.count == 0)
        return sl_small(0);
    sl_big_t *big = big_new(s, (size_t)a.count + b.count);
    if (big == NULL)
        return STAR_ABSENT;
    big->negative = a.negative != b.negative;
    if (b.count == 1)
        big->limbs[a.count] = mpn_mul_1(big->limbs, a.limbs, a.count, b.limbs[0]);
    else if (a.count >= b.count)
        mpn_mul(big->limbs, a.limbs, a.count, b.limbs, b.count);
    else
        mpn_mul(big->limbs, b.limbs, b.count, a.limbs, a.count);
    return normal(big);
}

/* Floored: the remainder has the sign of the divisor. */
static value_t
divide(star_t *s, value_t x, value_t y, bool want_quotient)
{
    view_t a, b;
    look(x, &a);
    look(y, &b);
    bool opposite = a.negative != b.negative;

    sl_worked(s, (size_t)a.count * 16);
    if (magnitude_compare(&a, &b) < 0) { /* quotient 0 or -1 */
        if (want_quotient)
            return sl_small(a.count > 0 && opposite ? -1 : 0);
        return a.count > 0 && opposite ? sl_int_add(s, x, y) : x;
    }
    sl_big_t *quotient = big_new(s, (size_t)a.count - b.count + 2);
    sl_big_t *rest = quotient != NULL ? big_new(s, b.count) : NULL;
    if (rest == NULL)
        return STAR_ABSENT;
    quotient->limbs[a.count - b.count + 1] = 0;
    mpn_tdiv_qr(quotient->limbs, rest->limbs, 0, a.limbs, a.count, b.limbs, b.count);
    bool exact = mpn_zero_p(rest->limbs, b.count);
    if (want_quotient) {
        if (opposite && !exact)
            mpn_add_1(quotient->limbs, quotient->limbs, quotient->obj.extra, 1);
        quotient->negative = opposite;
        return normal(quotient);
    }
    if (opposite && !exact)
        mpn_sub_n(rest->limbs, b.limbs, rest->limbs, b.count);
    rest->negative = b.negative;
    return normal(rest);
}

value_t
sl_int_floordiv(star_t *s, value_t x, value_t y)
{
    if (sl_is_int(x) && sl_is_int(y)) {
        int64_t a = sl_int_of(x), b = sl_int_of(y), q = a / b;
        return sl_int(s, q - (a % b != 0 && (a < 0) != (b < 0)));
    }
    return divide(s, x, y, true);
}

value_t
sl_int_mod(star_t *s, value_t x, value_t y)
{
    if (sl_is_int(x) && sl_is_int(y)) {
        int64_t b = sl_int_of(y), r = sl_int_of(x) % b;
        return sl_small(r != 0 && (r < 0) != (b < 0) ? r + b : r);
    }
    return divide(s, x, y, false);
}

value_t
sl_int_negate(star_t *s, value_t v)
{
    return sl_int_sub(s, sl_small(0), v);
}

int
sl_int_sign(value_t v)
{
    if (sl_is_int(v))
        return (sl_int_of(v) > 0) - (sl_int_of(v) < 0);
    return SL_AS(sl_big_t, v)->negative ? -1 : 1;
}

int
sl_int_compare(value_t x, value_t y)
{
    if (sl_is_int(x) && sl_is_int(y))
        return (sl_int_of(x) > sl_int_of(y)) - (sl_int_of(x) < sl_int_of(y));
    view_t a, b;
    look(x, &a);
    look(y, &b);
    if (a.negative != b.negative)
        return a.negative ? -1 : 1;
    int order = magnitude_compare(&a, &b);
    return a.negative ? -order : order;
}

uint32_t
sl_int_hash(value_t v)
{
    if (sl_is_int(v)) {
        /* Neighbours get neighbouring slots. */
        uint64_t bits = (uint64_t)sl_int_of(v);
        return (uint32_t)bits ^ (uint32_t)(bits >> 32) * 0x9e3779b1u;
    }
    const sl_big_t *big = SL_AS(sl_big_t, v);
    return sl_hash_bytes(big->limbs, big->obj.extra * sizeof(uint64_t)) ^ big->negative;
}

/* ------------------------------------------------------------------ bits */

/* Two's complement, limb by limb, of a sign-magnitude number. */
typedef struct {
    view_t view;
    uint64_t carry;
} bits_t;

static uint64_t
next_limb(bits_t *bits, uint32_t i)
{
    uint64_t limb = i < bits->view.count ? bits->view.limbs[i] : 0;
    if (!bits->view.negative)
        return limb;
    limb = ~limb + bits->carry;
    bits->carry = bits->carry && limb == 0;
    return limb;
}

value_t
sl_int_bits(star_t *s, star_op_t op, value_t x, value_t y)
{
#define APPLY(a, b) (op == STAR_OP_AND ? (a) & (b) : op == STAR_OP_OR ? (a) | (b) : (a) ^ (b))
    if (sl_is_int(x) && sl_is_int(y))
        return sl_small(APPLY(sl_int_of(x), sl_int_of(y)));
    bits_t a = {.carry = 1}, b = {.carry = 1};
    look(x, &a.view);
    look(y, &b.view);
    uint32_t count = (a.view.count > b.view.count ? a.view.count : b.view.count) + 1;
    sl_big_t *big = big_new(s, count);
    if (big == NULL)
        return STAR_ABSENT;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t p = next_limb(&a, i), q = next_limb(&b, i);
        big->limbs[i] = APPLY(p, q);
    }
#undef APPLY
    big->negative = big->limbs[count - 1] >> 63;
    if (big->negative)
        mpn_neg(big->limbs, big->limbs, count);
    return normal(big);
}

value_t
sl_int_shift(star_t *s, value_t x, int64_t left)
{
    view_t a;
    look(x, &a);

    if (left == 0 || a.count == 0)
        return x;
    if (left > 0) {
        size_t limbs = (size_t)left / 64;
        unsigned bits = (unsigned)(left % 64);
        sl_big_t *big = big_new(s, a.count + limbs + 1);
        if (big == NULL)
            return STAR_ABSENT;
        memset(big->limbs, 0, limbs * 8);
        if (bits > 0) {
            big->limbs[limbs + a.count] = mpn_lshift(big->limbs + limbs, a.limbs, a.count, bits);
        } else {
            mpn_copyi(big->limbs + limbs, a.limbs, a.count);
            big->limbs[limbs + a.count] = 0;
        }
        big->negative = a.negative;
        return normal(big);
    }
    uint64_t right = -(uint64_t)left;
    if (right / 64 >= a.count)
        return sl_small(a.negative ? -1 : 0);
    size_t limbs = right / 64, count = a.count - limbs;
    unsigned bits = (unsigned)(right % 64);
    sl_big_t *big = big_new(s, count + 1);
    if (big == NULL)
        return STAR_ABSENT;
    bool lost = limbs > 0 && !mpn_zero_p(a.limbs, (mp_size_t)limbs);
    if (bits > 0)
        lost |= mpn_rshift(big->limbs, a.limbs + limbs, (mp_size_t)count, bits) != 0;
    else
        mpn_copyi(big->limbs, a.limbs + limbs, (mp_size_t)count);
    big->limbs[count] = 0;
    if (a.negative && lost) /* rounds down */
        mpn_add_1(big->limbs, big->limbs, (mp_size_t)count + 1, 1);
    big->negative = a.negative;
    return normal(big);
}

/* ------------------------------------------------------------------ doubles */

double
sl_int_double(value_t v)
{
    if (sl_is_int(v))
        return (double)sl_int_of(v);
    const sl_big_t *big = SL_AS(sl_big_t, v);
    uint32_t count = big->obj.extra;
    /* The top 64 bits, with all lower ones gathered in the last, round as the whole does. */
    uint64_t top = big->limbs[count - 1];
    int shift = __builtin_clzll(top);
    int64_t exponent = ((int64_t)count - 1) * 64 - shift;
    bool rest = false;
    if (shift > 0) {
        uint64_t next = count > 1 ? big->limbs[count - 2] : 0;
        top = top << shift | next >> (64 - shift);
        rest = next << shift != 0;
        if (count > 2)
            rest |= !mpn_zero_p(big->limbs, (mp_size_t)count - 2);
    } else if (count > 1) {
        rest = !mpn_zero_p(big->limbs, (mp_size_t)count - 1);
    }
    top |= rest;
    double d = exponent > 1100 ? INFINITY : ldexp((double)top, (int)exponent);
    return big->negative ? -d : d;
}

value_t
sl_int_of_double(star_t *s, double d)
{
    if (fabs(d) <= (double)SL_INT_MAX)
        return sl_small((int64_t)d);
    int exponent;
    double fraction = frexp(fabs(d), &exponent); /* 0.5 <= fraction < 1 */
    value_t mantissa = sl_int(s, (int64_t)ldexp(fraction, 53));
    if (!star_ok(mantissa))
        return mantissa;
    value_t whole = sl_int_shift(s, mantissa, exponent - 53);
    return star_ok(whole) && d < 0 ? sl_int_negate(s, whole) : whole;
}

int
sl_int_compare_double(value_t v, double d)
{
    if (isinf(d))
        return d > 0 ? -1 : 1;
    if (sl_is_int(v)) {
        double i = (double)sl_int_of(v); /* exact */
        return (i > d) - (i < d);
    }
    /* A big int and a double: the double's integral part has at most 53 significant bits. */
    double rounded = sl_int_double(v);
    if (rounded != d)
        return rounded < d ? -1 : 1;
    view_t a;
    look(v, &a);
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(d), &exponent), 53);
    /* |d| = mantissa << (exponent - 53), and exponent - 53 > -6 as |d| >= 2^47. Compare bit for
     * bit. */
    int64_t shift = exponent - 53;
    int order = 0;
    for (int64_t i = a.count; i-- > 0 && order == 0;) {
        uint64_t limb = 0;
        int64_t at = i * 64 - shift; /* bit of the mantissa where this limb begins */
        if (at >= 0 && at < 64)
            limb = mantissa >> at;
        else if (at < 0 && at > -64)
            limb = mantissa << -at;
        order = (a.limbs[i] > limb) - (a.limbs[i] < limb);
    }
    return a.negative ? -order : order;
}

bool
star_get_number(star_value_t value, double *ret_number)
{
    if (sl_is_float(value))
        *ret_number = sl_float_of(value);
    else if (sl_is_integer(value))
        *ret_number = sl_int_double(value);
    else
        return false;
    return true;
}

/* ------------------------------------------------------------------ digits */

static bool
put_big(star_t *s, star_text_t *text, const sl_big_t *big, int base, bool upper)
{
    uint32_t count = big->obj.extra;
    size_t digits = mpn_sizeinbase(big->limbs, count, base) + 2;
    size_t limb_bytes = ((size_t)count + 1) * 8;
    unsigned char *out = sl_realloc(s, NULL, 0, digits);
    uint64_t *copy =
        out != NULL ? sl_realloc(s, NULL, 0, limb_bytes) : NULL; /* mpn_get_str destroys it */

    if (copy != NULL) {
        memcpy(copy, big->limbs, (size_t)count * 8);
        size_t length = mpn_get_str(out, base, copy, count), first = 0;
        while (first + 1 < length && out[first] == 0)
            first++;
        for (size_t i = first; i < length; i++)
            out[i] = (unsigned char)(upper ? "0123456789ABCDEF" : "0123456789abcdef")[out[i]];
        if (big->negative)
            star_text_put(text, "-", 1);
        star_text_put(text, (char *)out + first, length - first);
    }
    sl_free(s, copy, limb_bytes);
    sl_free(s, out, digits);
    return copy != NULL;
}

bool
sl_int_put(star_t *s, star_text_t *text, value_t v, int base, bool upper)
{
    if (!sl_is_int(v))
        return put_big(s, text, SL_AS(sl_big_t, v), base, upper);
    char out[64];
    size_t at = sizeof out;
    int64_t i = sl_int_of(v);
    uint64_t u = i < 0 ? (uint64_t)-i : (uint64_t)i;
    do {
        out[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[u % (unsigned)base];
        u /= (unsigned)base;
    } while (u > 0);
    if (i < 0)
        out[--at] = '-';
    star_text_put(text, out + at, sizeof out - at);
    return true;
}

static int
digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

value_t
sl_int_parse(star_t *s, const char *digits, size_t length, int base, bool negative)
{
    uint64_t small = 0;

    if (length == 0)
        return STAR_ABSENT;
    for (size_t i = 0; i < length; i++)
        if (digit_of(digits[i]) >= base)
            return STAR_ABSENT;
    if (length <= 11) { /* 36^11 fits */
        for (size_t i = 0; i < length; i++)
            small = small * (unsigned)base + (unsigned)digit_of(digits[i]);
        return sl_int(s, negative ? -(int64_t)small : (int64_t)small);
    }
    while (length > 1 && *digits == '0') {
        digits++;
        length--;
    }
    unsigned bits = 64 - (unsigned)__builtin_clzll((unsigned)base - 1); /* 2^bits >= base */
    /* log2(10) < 3.322 */
    size_t limbs = base == 10 ? length * 3322 / 64000 : length * bits / 64;
    sl_big_t *big = big_new(s, limbs + 2);
    if (big == NULL)
        return STAR_ABSENT;
    unsigned char *values = sl_realloc(s, NULL, 0, length);
    if (values == NULL)
        return STAR_ABSENT;
    for (size_t i = 0; i < length; i++)
        values[i] = (unsigned char)digit_of(digits[i]);
    mp_size_t count = mpn_set_str(big->limbs, values, length, base);
    sl_free(s, values, length);
    big->obj.extra = (uint32_t)count;
    big->negative = negative;
    return normal(big);
}

star_value_t
star_int_text(star_t *star, const char *digits, size_t length)
{
    bool sign = length > 0 && (*digits == '-' || *digits == '+');
    value_t v = sl_int_parse(star, digits + sign, length - sign, 10, sign && *digits == '-');
    return star_ok(v) ? v : star_fail(star, "invalid int");
}
