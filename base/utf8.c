/*  utf8: see utf8.h. */
#include "base/utf8.h"

#include <string.h>

/* How many bytes at the start are ASCII; looks at 32 of them, then 8, then one at a time. */
static size_t
ascii_prefix(const char *bytes, size_t size)
{
    size_t done = 0;
    for (uint64_t four[4]; size - done >= sizeof four; done += sizeof four) {
        memcpy(four, bytes + done, sizeof four);
        if ((four[0] | four[1] | four[2] | four[3]) & UINT64_C(0x8080808080808080))
            break;
    }
    for (uint64_t eight; size - done >= sizeof eight; done += sizeof eight) {
        memcpy(&eight, bytes + done, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    while (done < size && !(bytes[done] & 0x80))
        done++;
    return done;
}

size_t
utf8_get(const char *bytes, size_t size, uint32_t *ret_char)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *b = (const uint8_t *)bytes;
    size_t len = b[0] < 0x80   ? 1
                 : b[0] < 0xC2 ? 0
                 : b[0] < 0xE0 ? 2
                 : b[0] < 0xF0 ? 3
                 : b[0] < 0xF5 ? 4
                               : 0;

    if (len == 1) {
        *ret_char = b[0];
        return 1;
    }
    *ret_char = UTF8_BAD;
    if (len == 0 || len > size)
        return 1;
    uint32_t c = b[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 1;
        c = c << 6 | (b[i] & 0x3Fu);
    }
    if (c < smallest[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 1;
    *ret_char = c;
    return len;
}

bool
utf8_is(const char *bytes, size_t size)
{
    for (size_t at = 0; (at += ascii_prefix(bytes + at, size - at)) < size;) {
        uint32_t c;
        size_t len = utf8_get(bytes + at, size - at, &c);
        if (len == 1)
            return false;
        at += len;
    }
    return true;
}

void
utf8_put(str_t *out, uint32_t c)
{
    char b[4];
    size_t len;

    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        c = UTF8_BAD;
    if (c < 0x80) {
        str_add_char(out, (char)c);
        return;
    }
    len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3F));
    b[0] = (char)(0xF00u >> len | c);
    str_add_bytes(out, b, len);
}

void
utf8_clean(str_t *out, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t plain = ascii_prefix(bytes + at, size - at);
        str_add_bytes(out, bytes + at, plain);
        at += plain;
        if (at < size) {
            uint32_t c;
            at += utf8_get(bytes + at, size - at, &c);
            utf8_put(out, c);
        }
    }
}

size_t
utf8_count(const char *bytes, size_t size)
{
    size_t count = 0;
    uint32_t c;
    for (size_t at = 0; at < size; count++)
        at += utf8_get(bytes + at, size - at, &c);
    return count;
}

size_t
utf8_cut(const char *bytes, size_t size, size_t max)
{
    size_t cut = max;
    if (size <= max)
        return size;
    for (int back = 0; back < 3 && cut > 0 && (bytes[cut] & 0xC0) == 0x80; back++)
        cut--;
    return cut;
}
