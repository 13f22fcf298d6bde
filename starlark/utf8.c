/*  utf8: code points in byte strings, and what Unicode says about them. */
#include "starlark/ops.h"
#include "starlark/unicode.h"

#include <utf8proc.h>

uint32_t
sl_utf8_get(const char *bytes, size_t length, size_t *ret_length)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t need = p[0] < 0x80   ? 1
                  : p[0] < 0xc2 ? 0
                  : p[0] < 0xe0 ? 2
                  : p[0] < 0xf0 ? 3
                  : p[0] < 0xf5 ? 4
                                : 0;

    *ret_length = 1;
    if (need == 1)
        return p[0];
    if (need == 0 || length < need)
        return 0xfffd;
    uint32_t code = p[0] & (0xffu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        code = code << 6 | (p[i] & 0x3fu);
    }
    if ((need == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
        (need == 4 && (code < 0x10000 || code > 0x10ffff)))
        return 0xfffd;
    *ret_length = need;
    return code;
}

size_t
sl_utf8_put(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static inline bool
is_ascii_upper(uint32_t code)
{
    return code >= 'A' && code <= 'Z';
}

static utf8proc_category_t
category(uint32_t code)
{
    return utf8proc_category((utf8proc_int32_t)code);
}

bool
sl_unicode_printable(uint32_t code)
{
    if (code < 0x80)
        return code >= 0x20 && code < 0x7f;
    utf8proc_category_t c = category(code);
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_SO;
}

bool
sl_unicode_letter(uint32_t code)
{
    if (code < 0x80)
        return is_ascii_upper(code) || is_ascii_upper(code ^ 0x20);
    utf8proc_category_t c = category(code);
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

bool
sl_unicode_digit(uint32_t code)
{
    if (code < 0x80)
        return code >= '0' && code <= '9';
    return category(code) == UTF8PROC_CATEGORY_ND;
}

bool
sl_unicode_upper(uint32_t code)
{
    if (code < 0x80)
        return is_ascii_upper(code);
    return category(code) == UTF8PROC_CATEGORY_LU;
}

bool
sl_unicode_lower(uint32_t code)
{
    if (code < 0x80)
        return is_ascii_upper(code ^ 0x20);
    return category(code) == UTF8PROC_CATEGORY_LL;
}

bool
sl_unicode_title(uint32_t code)
{
    if (code < 0x80)
        return false;
    return category(code) == UTF8PROC_CATEGORY_LT;
}

bool
sl_unicode_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= '\t' && code <= '\r');
    utf8proc_category_t c = category(code);
    return code == 0x85 || c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL ||
           c == UTF8PROC_CATEGORY_ZP;
}

uint32_t
sl_unicode_to_upper(uint32_t code)
{
    if (code < 0x80)
        return is_ascii_upper(code ^ 0x20) ? code ^ 0x20 : code;
    if (code == 0xdf) /* the library has a capital sharp s; Unicode's simple mapping has none */
        return code;
    return (uint32_t)utf8proc_toupper((utf8proc_int32_t)code);
}

uint32_t
sl_unicode_to_lower(uint32_t code)
{
    if (code < 0x80)
        return is_ascii_upper(code) ? code ^ 0x20 : code;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

uint32_t
sl_unicode_to_title(uint32_t code)
{
    if (code < 0x80)
        return is_ascii_upper(code ^ 0x20) ? code ^ 0x20 : code;
    if (code == 0xdf) /* the library has a capital sharp s; Unicode's simple mapping has none */
        return code;
    return (uint32_t)utf8proc_totitle((utf8proc_int32_t)code);
}
