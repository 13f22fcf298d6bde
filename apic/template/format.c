/*  format: one value under one verb. See format.h; directives are read in printf.c. */
#include "apic/template/format_one.h"

#include "apic/template/text.h"
#include "base/utf8.h"

#include <string.h>

static void format_value(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb,
                         bool is_inner);

/* -------------------------------------------------------------------------------------- padding */

static void
put_padding(tpl_formatter_t *self, int count)
{
    if (count > 0)
        tpl_out_repeat(self->out, self->zero && !self->minus ? '0' : ' ', (size_t)count);
}

static void
put_padded(tpl_formatter_t *self, const char *bytes, size_t len)
{
    int padding = self->has_width ? self->width - (int)utf8_count(bytes, len) : 0;
    if (!self->minus)
        put_padding(self, padding);
    tpl_out_bytes(self->out, bytes, len);
    if (self->minus)
        put_padding(self, padding);
}

/* Numbers bring their own zeros. */
static void
put_padded_number(tpl_formatter_t *self, const char *bytes, size_t len)
{
    bool zero = self->zero;
    self->zero = false;
    put_padded(self, bytes, len);
    self->zero = zero;
}

void
tpl_format_text(tpl_formatter_t *self, const char *text)
{
    put_padded(self, text, strlen(text));
}

/* ---------------------------------------------------------------------------------------- texts */

/* The text up to as many characters as the precision says. */
static tpl_text_t
cut(const tpl_formatter_t *self, tpl_text_t text)
{
    size_t at = 0;
    uint32_t c;
    for (int left = self->precision; self->has_precision && left > 0 && at < text.len; left--)
        at += utf8_get(text.bytes + at, text.len - at, &c);
    return self->has_precision ? (tpl_text_t){text.bytes, at} : text;
}

static void
format_quoted(tpl_formatter_t *self, tpl_text_t text)
{
    AUTO_STR quoted = STR_EMPTY;
    tpl_out_t out = {.text = &quoted, .left = self->out->left};

    text = cut(self, text);
    if (self->sharp && tpl_can_backquote(text)) {
        tpl_out_char(&out, '`');
        tpl_out_bytes(&out, text.bytes, text.len);
        tpl_out_char(&out, '`');
    } else {
        tpl_quote(&out, text, self->plus);
    }
    self->out->is_full |= out.is_full;
    put_padded(self, quoted.data, quoted.len);
}

static void
format_hex(tpl_formatter_t *self, tpl_text_t text, bool is_upper)
{
    const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const char *prefix = !self->sharp ? "" : is_upper ? "0X" : "0x";
    size_t len = self->has_precision && (size_t)self->precision < text.len ? (size_t)self->precision
                                                                           : text.len;
    size_t groups = self->space ? len : 1;
    size_t size = len ? 2 * len + groups * strlen(prefix) + groups - 1 : 0;
    int padding = self->has_width && (size_t)self->width > size ? self->width - (int)size : 0;

    if (!self->minus || !len)
        put_padding(self, padding);
    for (size_t i = 0; i < len && !self->out->is_full; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (i && self->space)
            tpl_out_char(self->out, ' ');
        if (!i || self->space)
            tpl_out_add(self->out, prefix);
        tpl_out_char(self->out, (unsigned char)digits[byte >> 4]);
        tpl_out_char(self->out, (unsigned char)digits[byte & 15]);
    }
    if (self->minus && len)
        put_padding(self, padding);
}

static bool
format_string(tpl_formatter_t *self, tpl_text_t text, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (self->go_syntax) {
            format_quoted(self, text);
            return true;
        }
        /* fall through */
    case 's':
        text = cut(self, text);
        put_padded(self, text.bytes, text.len);
        return true;
    case 'q':
        format_quoted(self, text);
        return true;
    case 'x':
    case 'X':
        format_hex(self, text, verb == 'X');
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------------------------- integers */

/* Digits of a number from the end of a buffer backwards; where they begin comes back. */
static char *
put_digits(char *end, uint64_t number, unsigned base, const char *digits)
{
    do
        *--end = digits[number % base];
    while (number /= base);
    return end;
}

static void
format_digits(tpl_formatter_t *self, int64_t value, unsigned base, uint32_t verb)
{
    bool is_negative = value < 0, is_upper = verb == 'X';
    uint64_t number = is_negative ? -(uint64_t)value : (uint64_t)value;
    char digits[72], *end = digits + sizeof digits;
    char *first = put_digits(end, number, base, is_upper ? "0123456789ABCDEF" : "0123456789abcdef");
    char sign = is_negative ? '-' : self->plus ? '+' : self->space ? ' ' : 0;
    int wanted = 0;
    AUTO_STR text = STR_EMPTY;

    if (self->has_precision) {
        wanted = self->precision;
        if (wanted == 0 && number == 0) {
            /* Nothing but blanks. */
            put_padded_number(self, "", 0);
            return;
        }
    } else if (self->zero && !self->minus && self->has_width) {
        wanted = self->width - (sign != 0);
    }
    if (sign)
        str_add_char(&text, sign);
    int zeros = wanted - (int)(end - first);
    if (verb == 'O')
        str_add(&text, "0o");
    if (self->sharp && base == 16)
        str_add(&text, is_upper ? "0X" : "0x");
    if (self->sharp && base == 2)
        str_add(&text, "0b");
    if (self->sharp && base == 8 && zeros <= 0 && *first != '0')
        str_add_char(&text, '0');
    for (; zeros > 0; zeros--)
        str_add_char(&text, '0');
    str_add_bytes(&text, first, (size_t)(end - first));
    put_padded_number(self, text.data, text.len);
}

static void
format_character(tpl_formatter_t *self, int64_t number)
{
    AUTO_STR text = STR_EMPTY;
    utf8_put(&text, number < 0 || number > 0x10FFFF ? UTF8_BAD : (uint32_t)number);
    put_padded(self, text.data, text.len);
}

static void
format_quoted_character(tpl_formatter_t *self, int64_t number)
{
    AUTO_STR text = STR_EMPTY;
    tpl_out_t out = {.text = &text, .left = 32};
    tpl_quote_char(&out, number < 0 || number > 0x10FFFF ? UTF8_BAD : (uint32_t)number, self->plus);
    put_padded(self, text.data, text.len);
}

/* U+1F600, and with "#" the character behind it. */
static void
format_code_point(tpl_formatter_t *self, int64_t value)
{
    AUTO_STR text = STR_EMPTY;
    char digits[20], *end = digits + sizeof digits;
    char *first = put_digits(end, (uint64_t)value, 16, "0123456789ABCDEF");
    int wanted = self->has_precision && self->precision > 4 ? self->precision : 4;

    str_add(&text, "U+");
    for (int zeros = wanted - (int)(end - first); zeros > 0; zeros--)
        str_add_char(&text, '0');
    str_add_bytes(&text, first, (size_t)(end - first));
    if (self->sharp && value >= 0 && value <= 0x10FFFF && tpl_is_print((uint32_t)value)) {
        str_add(&text, " '");
        utf8_put(&text, (uint32_t)value);
        str_add_char(&text, '\'');
    }
    put_padded_number(self, text.data, text.len);
}

static bool
format_integer(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (self->go_syntax && value->kind == TPL_BYTE) {
            bool sharp = self->sharp;
            self->sharp = true;
            format_digits(self, value->number, 16, 'x');
            self->sharp = sharp;
            return true;
        }
        /* fall through */
    case 'd':
        format_digits(self, value->number, 10, 'd');
        return true;
    case 'b':
        format_digits(self, value->number, 2, verb);
        return true;
    case 'o':
    case 'O':
        format_digits(self, value->number, 8, verb);
        return true;
    case 'x':
    case 'X':
        format_digits(self, value->number, 16, verb);
        return true;
    case 'c':
        format_character(self, value->number);
        return true;
    case 'q':
        format_quoted_character(self, value->number);
        return true;
    case 'U':
        format_code_point(self, value->number);
        return true;
    default:
        return false;
    }
}

/* --------------------------------------------------------------------------------------- floats */

/* "#" keeps a point, and with g the zeros behind it: text has a sign and digits. */
static void
keep_point(str_t *text, char form, int precision)
{
    int wanted = strchr("gGvx", form) ? precision < 0 ? 6 : precision : 0;
    bool is_hex = form == 'x' || form == 'X', has_point = false, saw_digit = false;
    size_t at = 1;
    AUTO_STR tail = STR_EMPTY;

    for (; at < text->len; at++) {
        char c = text->data[at];
        if (c == 'p' || c == 'P' || (!is_hex && (c == 'e' || c == 'E')))
            break;
        if (c == '.') {
            has_point = true;
            continue;
        }
        saw_digit |= c != '0';
        wanted -= saw_digit;
    }
    str_add_bytes(&tail, text->data + at, text->len - at);
    text->len = at;
    if (!has_point) {
        wanted -= at == 2 && text->data[1] == '0';
        str_add_char(text, '.');
    }
    for (; wanted > 0; wanted--)
        str_add_char(text, '0');
    str_add_bytes(text, tail.data, tail.len);
}

static void
format_real(tpl_formatter_t *self, double number, char form, int precision)
{
    AUTO_STR text = STR_EMPTY, digits = STR_EMPTY;

    if (self->has_precision)
        precision = self->precision;
    tpl_float_put(&digits, number, form, precision);
    if (*digits.data != '-' && *digits.data != '+')
        str_add_char(&text, self->space && !self->plus ? ' ' : '+');
    str_add_bytes(&text, digits.data, digits.len);
    if (self->sharp && form != 'b')
        keep_point(&text, form, precision);
    if (!self->plus && *text.data == '+') {
        put_padded(self, text.data + 1, text.len - 1);
        return;
    }
    if (self->zero && !self->minus && self->has_width && (size_t)self->width > text.len) {
        /* The sign comes before the zeros. */
        tpl_out_bytes(self->out, text.data, 1);
        put_padding(self, self->width - (int)text.len);
        tpl_out_bytes(self->out, text.data + 1, text.len - 1);
        return;
    }
    put_padded(self, text.data, text.len);
}

static bool
format_float(tpl_formatter_t *self, double number, uint32_t verb)
{
    switch (verb) {
    case 'v':
        format_real(self, number, 'g', -1);
        return true;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
        format_real(self, number, (char)verb, -1);
        return true;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
        format_real(self, number, verb == 'F' ? 'f' : (char)verb, 6);
        return true;
    default:
        return false;
    }
}

static bool
format_complex(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb)
{
    bool plus = self->plus;
    if (verb > 0x7f || !strchr("vbgGxXfFeE", (int)verb))
        return false;
    tpl_out_char(self->out, '(');
    format_float(self, value->real, verb);
    self->plus = true; /* the second part always has a sign */
    format_float(self, value->imaginary, verb);
    self->plus = plus;
    tpl_out_add(self->out, "i)");
    return true;
}

/* -------------------------------------------------------------------------------------- holders */

static void
format_list(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb)
{
    if (self->go_syntax)
        tpl_out_add(self->out, tpl_type_name(value));
    tpl_out_char(self->out, self->go_syntax ? '{' : '[');
    for (size_t i = 0; i < value->count && !self->out->is_full; i++) {
        if (i)
            tpl_out_add(self->out, self->go_syntax ? ", " : " ");
        format_value(self, &value->items[i], verb, true);
    }
    tpl_out_char(self->out, self->go_syntax ? '}' : ']');
}

static void
format_map(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb)
{
    tpl_out_add(self->out, self->go_syntax ? tpl_type_name(value) : "map");
    tpl_out_char(self->out, self->go_syntax ? '{' : '[');
    for (size_t i = 0; i < value->count && !self->out->is_full; i++) {
        tpl_value_t key = tpl_string(value->entries[i].key);
        if (i)
            tpl_out_add(self->out, self->go_syntax ? ", " : " ");
        format_value(self, &key, verb, true);
        tpl_out_char(self->out, ':');
        format_value(self, &value->entries[i].value, verb, true);
    }
    tpl_out_char(self->out, self->go_syntax ? '}' : ']');
}

/* --------------------------------------------------------------------------------------- values */

/* %!d(string=text): a verb that this kind of value does not have. */
static void
format_bad_verb(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb)
{
    tpl_out_add(self->out, "%!");
    tpl_out_char(self->out, verb);
    tpl_out_char(self->out, '(');
    if (tpl_is_nil(value)) {
        tpl_out_add(self->out, "<nil>");
    } else {
        tpl_out_add(self->out, tpl_type_name(value));
        tpl_out_char(self->out, '=');
        format_value(self, value, 'v', false);
    }
    tpl_out_char(self->out, ')');
}

static void
format_nil(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb, bool is_inner)
{
    if (is_inner)
        tpl_out_add(self->out, self->go_syntax ? "interface {}(nil)" : "<nil>");
    else if (verb == 'v' || verb == 'T')
        tpl_format_text(self, "<nil>");
    else
        format_bad_verb(self, value, verb);
}

static void
format_value(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb, bool is_inner)
{
    bool is_known = true;
    switch (value->kind) {
    case TPL_NONE:
    case TPL_NULL:
        format_nil(self, value, verb, is_inner);
        break;
    case TPL_BOOL:
        is_known = verb == 'v' || verb == 't';
        if (is_known)
            tpl_format_text(self, value->truth ? "true" : "false");
        break;
    case TPL_INT:
    case TPL_INT64:
    case TPL_BYTE:
        is_known = format_integer(self, value, verb);
        break;
    case TPL_FLOAT:
        is_known = format_float(self, value->real, verb);
        break;
    case TPL_COMPLEX:
        is_known = format_complex(self, value, verb);
        break;
    case TPL_STRING:
    case TPL_NUM:
        is_known = format_string(self, value->text, verb);
        break;
    /* Where Go prints an address (%p) there is nothing to tell: the verb counts as unknown. */
    case TPL_LIST:
        is_known = verb != 'p' && verb != 'w';
        if (is_known)
            format_list(self, value, verb);
        break;
    case TPL_MAP:
        is_known = verb != 'p' && verb != 'w';
        if (is_known)
            format_map(self, value, verb);
        break;
    }
    if (!is_known)
        format_bad_verb(self, value, verb);
}

void
tpl_format_one(tpl_formatter_t *self, const tpl_value_t *value, uint32_t verb)
{
    if (verb == 'T' && !tpl_is_nil(value)) {
        tpl_text_t name = {tpl_type_name(value), strlen(tpl_type_name(value))};
        format_string(self, name, 's');
        return;
    }
    format_value(self, value, verb, false);
}
