/*  utf8: text as bytes. Well-formed means RFC 3629: no surrogates, nothing over U+10FFFF, shortest
 * forms. */
#ifndef KURTOSIS_BASE_UTF8_H
#define KURTOSIS_BASE_UTF8_H

#include "base/str.h"

#include <stdint.h>

#define UTF8_BAD 0xFFFDu /* what stands for bytes that are no text: the replacement character */

/* Are these bytes well-formed throughout? NUL bytes are. */
bool utf8_is(const char *bytes, size_t size);
/* The first character of size > 0 bytes; its bytes (1..4) come back. A byte that begins none reads
 * as UTF8_BAD, 1. */
size_t utf8_get(const char *bytes, size_t size, uint32_t *ret_char);
/* Appends one character; what is none is written as UTF8_BAD. */
void utf8_put(str_t *out, uint32_t c);
/* Appends the bytes with UTF8_BAD in the place of each byte that is no text. */
void utf8_clean(str_t *out, const char *bytes, size_t size);
/* Characters in the bytes; each byte that is no text counts as one. */
size_t utf8_count(const char *bytes, size_t size);
/* The most of the bytes, up to max, that does not end inside a character. */
size_t utf8_cut(const char *bytes, size_t size, size_t max);

#endif
