/*  text: bytes that grow, and the quoted form of strings. */
#include "starlark/ops.h"

#include <stdarg.h>
#include <stdio.h>

void
star_text_init(star_text_t *text, star_t *star)
{
    *text = (star_text_t){.star = star};
}

void
star_text_done(star_text_t *text)
{
    if (text->data != NULL && text->capacity == SL_SPARE && text->star->spare == NULL)
        text->star->spare = text->data;
    else if (text->data != NULL)
        sl_free(text->star, text->data, text->capacity);
    *text = (star_text_t){.star = text->star};
}

static bool
reserve(star_text_t *text, size_t more)
{
    if (text->failed)
        return false;
    size_t need = text->length + more + 1;
    if (need <= text->capacity)
        return true;
    if (need > SL_STRING_MAX) {
        sl_fail_kind(text->star, STAR_ERROR_LIMIT,
                     "string of %zu bytes is too long: the limit is %d", need, SL_STRING_MAX);
        text->failed = true;
        return false;
    }
    if (text->data == NULL && need <= SL_SPARE && text->star->spare != NULL) {
        text->data = text->star->spare;
        text->capacity = SL_SPARE;
        text->star->spare = NULL;
        return true;
    }
    size_t capacity = text->capacity == 0 ? SL_SPARE : text->capacity * 2;
    if (capacity < need)
        capacity = need;
    char *data = sl_realloc(text->star, text->data, text->capacity, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void
star_text_put(star_text_t *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    if (!sl_ticks(text->star, 1 + (uint32_t)(length / 64)) ||
        !sl_copy(text->star, text->data + text->length, bytes, length)) {
        text->failed = true;
        return;
    }
    text->length += length;
    text->data[text->length] = 0;
}

void
star_text_puts(star_text_t *text, const char *string)
{
    star_text_put(text, string, strlen(string));
}

void
star_text_printf(star_text_t *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !reserve(text, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

enum { TAKEN_MIN = 4096 }; /* bytes that are not worth copying */

/* The string takes the bytes over. */
static value_t
take_bytes(star_text_t *text)
{
    star_t *s = text->star;
    sl_string_t *string = sl_heap_new(s, SL_STRING, sizeof *string);
    char *bytes =
        string == NULL ? NULL : sl_realloc(s, text->data, text->capacity, text->length + 1);

    if (string == NULL)
        return STAR_ABSENT;
    string->length = 0;
    string->bytes = (char *)"";
    if (bytes == NULL)
        return STAR_ABSENT;
    string->bytes = bytes;
    string->length = (uint32_t)text->length;
    string->obj.flags |= SL_OWN;
    sl_heap_charge(s, text->length);
    text->data = NULL;
    return sl_value(string);
}

star_value_t
star_text_take(star_text_t *text)
{
    value_t result = STAR_ABSENT;

    if (!text->failed && text->length > TAKEN_MIN)
        result = take_bytes(text);
    else if (!text->failed)
        result = sl_string_new(text->star, text->data, text->length);
    else if (!text->star->failed)
        sl_fail_memory(text->star);
    star_text_done(text);
    return result;
}

/* ------------------------------------------------------------------ quoting */

static void
quote_code(star_text_t *text, uint32_t code, const char *bytes, size_t length)
{
    static const char escapes[][2] = {{'\a', 'a'}, {'\b', 'b'}, {'\f', 'f'},
                                      {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'},
                                      {'\v', 'v'}, {'"', '"'},  {'\\', '\\'}};

    if (code < 0x80) {
        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
            if ((char)code == escapes[i][0]) {
                star_text_put(text, (char[]){'\\', escapes[i][1]}, 2);
                return;
            }
        star_text_printf(text, "\\x%02x", code);
    } else if (sl_unicode_printable(code)) {
        star_text_put(text, bytes, length);
    } else if (code < 0x10000) {
        star_text_printf(text, "\\u%04x", code);
    } else {
        star_text_printf(text, "\\U%08x", code);
    }
}

enum { QUOTED_AT_ONCE = 1 << 12 }; /* bytes put at once, for each put may look around */

void
star_quote(star_text_t *text, const char *bytes, size_t length)
{
    size_t plain = 0;

    star_text_put(text, "\"", 1);
    for (size_t i = 0; i < length && !text->failed;) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            if (++i - plain == QUOTED_AT_ONCE) {
                star_text_put(text, bytes + plain, i - plain);
                plain = i;
            }
            continue;
        }
        star_text_put(text, bytes + plain, i - plain);
        size_t n;
        uint32_t code = sl_utf8_get(bytes + i, length - i, &n);
        if (code == 0xfffd && n == 1)
            star_text_printf(text, "\\x%02x", c);
        else
            quote_code(text, code, bytes + i, n);
        i += n;
        plain = i;
    }
    star_text_put(text, bytes + plain, length - plain);
    star_text_put(text, "\"", 1);
}
