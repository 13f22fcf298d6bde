/*  text: see text.h. */
#include "apic/template/text.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* ----------------------------------------------------------------------------------- characters */

bool
tpl_is_word(uint32_t c)
{
    if (c < 0x80)
        return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
        return true;
    default:
        return false;
    }
}

bool
tpl_is_print(uint32_t c)
{
    if (c < 0x80)
        return c >= ' ' && c != 0x7f;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        return true;
    }
}

/* -------------------------------------------------------------------------------------- quoting */

/* The escapes of one letter, both ways. */
static const struct {
    char letter, byte;
} escapes[] = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'},
               {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};

static void
put_hex(tpl_out_t *out, const char *prefix, uint32_t number, int digits)
{
    tpl_out_add(out, prefix);
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        tpl_out_char(out, (unsigned char)"0123456789abcdef"[number >> shift & 15]);
}

static void
put_quoted(tpl_out_t *out, uint32_t c, char quote, bool only_ascii)
{
    if (c == (uint32_t)quote || c == '\\') {
        tpl_out_char(out, '\\');
        tpl_out_char(out, c);
        return;
    }
    if (tpl_is_print(c) && (c < 0x80 || !only_ascii)) {
        tpl_out_char(out, c);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        if (c == (uint32_t)escapes[i].byte) {
            tpl_out_char(out, '\\');
            tpl_out_char(out, (unsigned char)escapes[i].letter);
            return;
        }
    }
    if (c < ' ' || c == 0x7f)
        put_hex(out, "\\x", c, 2);
    else if (c < 0x10000)
        put_hex(out, "\\u", c, 4);
    else
        put_hex(out, "\\U", c, 8);
}

void
tpl_quote(tpl_out_t *out, tpl_text_t text, bool only_ascii)
{
    tpl_out_char(out, '"');
    for (size_t i = 0; i < text.len && !out->is_full;) {
        uint32_t c;
        size_t len = utf8_get(text.bytes + i, text.len - i, &c);
        if (len == 1 && c == UTF8_BAD)
            put_hex(out, "\\x", (unsigned char)text.bytes[i], 2);
        else
            put_quoted(out, c, '"', only_ascii);
        i += len;
    }
    tpl_out_char(out, '"');
}

void
tpl_quote_char(tpl_out_t *out, uint32_t c, bool only_ascii)
{
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        c = UTF8_BAD;
    tpl_out_char(out, '\'');
    put_quoted(out, c, '\'', only_ascii);
    tpl_out_char(out, '\'');
}

bool
tpl_can_backquote(tpl_text_t text)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t c;
        size_t len = utf8_get(text.bytes + i, text.len - i, &c);
        if (len == 1 && (c == UTF8_BAD || (c < ' ' && c != '\t') || c == '`' || c == 0x7f))
            return false;
        if (c == 0xFEFF)
            return false;
        i += len;
    }
    return true;
}

/* ------------------------------------------------------------------------------------ unquoting */

/* Reads exactly count digits of a base. */
static bool
take_digits(tpl_text_t *text, int count, int base, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++) {
        if (text->len == 0 || tpl_digit(*text->bytes) >= base)
            return false;
        *ret = *ret * (uint32_t)base + (uint32_t)tpl_digit(*text->bytes);
        text->bytes++;
        text->len--;
    }
    return true;
}

/* What follows a backslash. *ret_is_byte: the value is one byte and no character. */
static bool
take_escape(tpl_text_t *text, char quote, uint32_t *ret, bool *ret_is_byte)
{
    if (text->len == 0)
        return false;
    char c = *text->bytes;
    if (c >= '0' && c <= '7') {
        *ret_is_byte = true;
        return take_digits(text, 3, 8, ret) && *ret <= 255;
    }
    text->bytes++;
    text->len--;
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        if (c == escapes[i].letter) {
            *ret = (uint32_t)escapes[i].byte;
            return true;
        }
    }
    switch (c) {
    case 'x':
        *ret_is_byte = true;
        return take_digits(text, 2, 16, ret);
    case 'u':
    case 'U':
        return take_digits(text, c == 'u' ? 4 : 8, 16, ret) && *ret <= 0x10FFFF &&
               (*ret < 0xD800 || *ret > 0xDFFF);
    case '\\':
    case '"':
    case '\'':
        *ret = (unsigned char)c;
        return c == '\\' || c == quote;
    default:
        return false;
    }
}

/* One character of a quoted text. */
static bool
take_char(tpl_text_t *text, char quote, uint32_t *ret, bool *ret_is_byte)
{
    *ret_is_byte = false;
    if (text->len == 0 || *text->bytes == quote || *text->bytes == '\n')
        return false;
    if (*text->bytes == '\\') {
        text->bytes++;
        text->len--;
        return take_escape(text, quote, ret, ret_is_byte);
    }
    size_t len = utf8_get(text->bytes, text->len, ret);
    text->bytes += len;
    text->len -= len;
    return true;
}

bool
tpl_unquote(tpl_text_t literal, str_t *out)
{
    if (literal.len < 2)
        return false;
    char quote = *literal.bytes;
    tpl_text_t text = {literal.bytes + 1, literal.len - 2};

    if (quote == '`') {
        for (size_t i = 0; i < text.len; i++)
            if (text.bytes[i] != '\r')
                str_add_char(out, text.bytes[i]);
        return true;
    }
    while (text.len > 0) {
        uint32_t c;
        bool is_byte;
        if (!take_char(&text, quote, &c, &is_byte))
            return false;
        if (is_byte)
            str_add_char(out, (char)c);
        else
            utf8_put(out, c);
    }
    return true;
}

bool
tpl_unquote_char(tpl_text_t literal, uint32_t *ret)
{
    bool is_byte;
    if (literal.len < 3)
        return false;
    tpl_text_t text = {literal.bytes + 1, literal.len - 2};
    return take_char(&text, '\'', ret, &is_byte) && text.len == 0;
}
