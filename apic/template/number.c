/*  number: literals of numbers, and floats as text. See text.h.
 *
 *  Shortest digits: the fewest that read back as the same number, found by asking for 1, 2, ... 17
 * digits. Where the nearest text of so many digits reads back as a neighbour, one digit up or down
 * may not: next to a power of two the numbers below are closer than those above.
 */
#include "apic/template/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- floats */

/* |number| = 0.d1d2d3... * 10^point, digits without zeros at the end. */
typedef struct {
    char digits[20];
    int count;
    int point;
} digits_t;

/* Changes the last digit by one, with carry; false when the number of digits would change. */
static bool
step_digits(digits_t *self, int step)
{
    for (int i = self->count - 1; i >= 0; i--) {
        int digit = self->digits[i] - '0' + step;
        if (digit >= 0 && digit <= 9) {
            self->digits[i] = (char)('0' + digit);
            return self->digits[0] != '0';
        }
        self->digits[i] = step > 0 ? '0' : '9';
    }
    return false;
}

static bool
digits_are(const digits_t *self, double number)
{
    char text[40];
    snprintf(text, sizeof text, ".%.*se%d", self->count, self->digits, self->point);
    return strtod(text, NULL) == number;
}

static digits_t
digits_of(double number, int count)
{
    digits_t self = {.count = count};
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, number);
    self.digits[0] = text[0];
    if (count > 1)
        memcpy(self.digits + 1, text + 2, (size_t)count - 1);
    self.point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    return self;
}

static digits_t
shortest_digits(double number)
{
    digits_t best = {.digits = "0", .count = 1, .point = 1};
    number = fabs(number);
    for (int count = 1; number != 0 && count <= 17; count++) {
        best = digits_of(number, count);
        if (digits_are(&best, number))
            break;
        for (int step = -1; step <= 1; step += 2) {
            digits_t near = best;
            if (step_digits(&near, step) && digits_are(&near, number))
                return near;
        }
    }
    while (best.count > 1 && best.digits[best.count - 1] == '0')
        best.count--;
    return best;
}

/* d.ddde+XX */
static void
put_exponent(str_t *out, const digits_t *digits, char letter, int exponent_digits)
{
    str_add_char(out, digits->digits[0]);
    if (digits->count > 1) {
        str_add_char(out, '.');
        str_add_bytes(out, digits->digits + 1, (size_t)digits->count - 1);
    }
    int exponent = digits->digits[0] == '0' ? 0 : digits->point - 1;
    str_printf(out, "%c%c%0*d", letter, exponent < 0 ? '-' : '+', exponent_digits, abs(exponent));
}

static void
put_plain(str_t *out, const digits_t *digits)
{
    if (digits->point <= 0)
        str_add_char(out, '0');
    for (int i = 0; i < digits->point; i++)
        str_add_char(out, i < digits->count ? digits->digits[i] : '0');
    if (digits->count <= digits->point)
        return;
    str_add_char(out, '.');
    for (int i = digits->point; i < digits->count; i++)
        str_add_char(out, i < 0 ? '0' : digits->digits[i]);
}

/* Mantissa of 53 bits and its exponent, as they lie in memory. */
static uint64_t
split(double number, int *ret_exponent)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    if (exponent)
        mantissa |= UINT64_C(1) << 52;
    else
        exponent = 1;
    *ret_exponent = exponent - 1075;
    return mantissa;
}

/* 0x1.8p+01 */
static void
put_hex(str_t *out, double number, char form, int precision)
{
    int exponent;
    uint64_t mantissa = split(number, &exponent);
    bool is_upper = form == 'X';

    exponent = mantissa ? exponent + 52 : 0;
    while (mantissa && !(mantissa >> 52)) {
        mantissa <<= 1;
        exponent--;
    }
    /* One hexadecimal digit, 1, and 60 bits behind the point. */
    mantissa <<= 8;
    if (precision >= 0 && precision < 15) {
        unsigned cut = (unsigned)(60 - precision * 4);
        uint64_t extra = mantissa & ((UINT64_C(1) << cut) - 1), half = UINT64_C(1) << (cut - 1);
        mantissa >>= cut;
        mantissa += extra > half || (extra == half && (mantissa & 1));
        mantissa <<= cut;
        if (mantissa >> 61) {
            mantissa >>= 1;
            exponent++;
        }
    }
    str_printf(out, "0%c%c", is_upper ? 'X' : 'x', (char)('0' + (int)(mantissa >> 60)));
    mantissa <<= 4;
    if (precision > 0 || (precision < 0 && mantissa))
        str_add_char(out, '.');
    for (int i = 0; precision < 0 ? mantissa != 0 : i < precision; i++) {
        str_add_char(out, (is_upper ? "0123456789ABCDEF" : "0123456789abcdef")[mantissa >> 60]);
        mantissa <<= 4;
    }
    str_printf(out, "%c%c%02d", is_upper ? 'P' : 'p', exponent < 0 ? '-' : '+', abs(exponent));
}

void
tpl_float_put(str_t *out, double number, char form, int precision)
{
    if (isnan(number) || isinf(number)) {
        str_add(out, isnan(number) ? "NaN" : number < 0 ? "-Inf" : "+Inf");
        return;
    }
    if (precision >= 0 && strchr("eEfgG", form)) {
        char format[] = {'%', '.', '*', form, '\0'};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        str_printf(out, format, precision ? precision : form == 'g' || form == 'G' ? 1 : 0, number);
#pragma GCC diagnostic pop
        return;
    }
    if (signbit(number))
        str_add_char(out, '-');
    if (form == 'b') {
        int exponent;
        uint64_t mantissa = split(number, &exponent);
        str_printf(out, "%" PRIu64 "p%+d", mantissa, exponent);
        return;
    }
    if (form == 'x' || form == 'X') {
        put_hex(out, fabs(number), form, precision);
        return;
    }
    digits_t digits = shortest_digits(number);
    if (form == 'f')
        put_plain(out, &digits);
    else if (form == 'e' || form == 'E' || digits.point - 1 < -4 || digits.point - 1 >= 6)
        put_exponent(out, &digits, form == 'G' || form == 'E' ? 'E' : 'e', 2);
    else
        put_plain(out, &digits);
}

void
tpl_float_put_json(str_t *out, double number)
{
    digits_t digits = shortest_digits(number);
    if (signbit(number))
        str_add_char(out, '-');
    if (number == 0 || (fabs(number) >= 1e-6 && fabs(number) < 1e21))
        put_plain(out, &digits);
    else
        put_exponent(out, &digits, 'e', 1);
}

/* ------------------------------------------------------------------------------------- literals */

/* "_" may stand between digits, and between a prefix and a digit. */
static bool
underscores_are_fine(const char *text)
{
    char saw = '^';
    bool is_hex = false;

    text += *text == '-' || *text == '+';
    if (text[0] == '0' && text[1] && strchr("bBoOxX", text[1])) {
        is_hex = (text[1] | 32) == 'x';
        saw = '0';
        text += 2;
    }
    for (; *text; text++) {
        if ((*text >= '0' && *text <= '9') || (is_hex && tpl_digit(*text) < 16)) {
            saw = '0';
        } else if (*text == '_') {
            if (saw != '0')
                return false;
            saw = '_';
        } else {
            if (saw == '_')
                return false;
            saw = '!';
        }
    }
    return saw != '_';
}

/* Magnitude of an integer with prefix; false when it is none. *ret_overflows: over 64 bits. */
static bool
parse_magnitude(const char *text, uint64_t *ret, bool *ret_overflows)
{
    int base = 10;
    if (text[0] == '0' && text[1]) {
        base = (text[1] | 32) == 'x' ? 16 : (text[1] | 32) == 'b' ? 2 : 8;
        text += base != 8 || (text[1] | 32) == 'o' ? 2 : 1;
    }
    bool has_digits = false;
    *ret = 0;
    *ret_overflows = false;
    for (; *text; text++) {
        if (*text == '_')
            continue;
        int digit = tpl_digit(*text);
        if (digit >= base)
            return false;
        has_digits = true;
        if (__builtin_mul_overflow(*ret, (uint64_t)base, ret) ||
            __builtin_add_overflow(*ret, (uint64_t)digit, ret))
            *ret_overflows = true;
    }
    return has_digits;
}

/* A number with "_" taken out, read by strtod, which knows the same decimal and hexadecimal forms
 * as Go but for one: Go wants a "p" in the latter. */
static bool
parse_float(const char *text, double *ret)
{
    const char *start = text + (*text == '-' || *text == '+');
    bool is_hex = start[0] == '0' && (start[1] | 32) == 'x';
    char plain[512];
    size_t len = 0;
    char *end;

    if ((is_hex && !strpbrk(text, "pP")) || !underscores_are_fine(text))
        return false;
    if (!(*start == '.' || (*start >= '0' && *start <= '9')))
        return false;
    for (; *text; text++) {
        if (*text == '_')
            continue;
        if (len + 1 == sizeof plain)
            return false;
        plain[len++] = *text;
    }
    plain[len] = '\0';
    *ret = strtod(plain, &end);
    return len > 0 && !*end && !isinf(*ret);
}

static int
fail_syntax(const char *text, err_t **err)
{
    return err_fail(err, ERR_INVALID, "illegal number syntax: \"%s\"", text);
}

static int
parse_complex(const char *text, size_t split_at, tpl_number_t *ret, err_t **err)
{
    double real = 0, imaginary;
    AUTO_FREE char *first = strndup(text, split_at);
    AUTO_FREE char *second = strndup(text + split_at, strlen(text) - split_at - 1);

    if ((split_at && !parse_float(first, &real)) || !parse_float(second, &imaginary))
        return fail_syntax(text, err);
    ret->value = (tpl_value_t){.kind = TPL_COMPLEX, .real = real, .imaginary = imaginary};
    return 0;
}

/* The sign between the parts of a pair: the last one that belongs to no exponent. */
static size_t
pair_split(const char *text)
{
    size_t at = strlen(text);
    bool is_hex = strpbrk(text, "xX") != NULL;
    while (--at > 0) {
        char before = (char)(text[at - 1] | 32);
        if ((text[at] == '+' || text[at] == '-') && before != 'p' && (before != 'e' || is_hex))
            break;
    }
    return at;
}

int
tpl_number_parse(tpl_text_t source, bool is_pair, tpl_number_t *ret, err_t **err)
{
    AUTO_FREE char *text = strndup(source.bytes, source.len);
    uint64_t magnitude;
    bool overflows;
    double real;

    *ret = (tpl_number_t){0};
    if (is_pair || str_ends(text, "i"))
        return parse_complex(text, is_pair ? pair_split(text) : 0, ret, err);

    bool has_sign = *text == '-' || *text == '+';
    if (underscores_are_fine(text) && parse_magnitude(text + has_sign, &magnitude, &overflows) &&
        !overflows) {
        bool is_negative = *text == '-';
        if (magnitude <= (uint64_t)INT64_MAX + is_negative) {
            ret->value = tpl_int((int64_t)(is_negative ? -magnitude : magnitude));
            return 0;
        }
        if (!has_sign) {
            ret->overflows = true;
            return 0;
        }
    }
    if (!parse_float(text, &real))
        return fail_syntax(text, err);
    if (!strpbrk(text, ".eEpP"))
        return err_fail(err, ERR_INVALID, "integer overflow: \"%s\"", text);
    ret->value = (tpl_value_t){.kind = TPL_FLOAT, .real = real};
    return 0;
}
