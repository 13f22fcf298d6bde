/*  unicode: what Unicode says about a code point. */
#ifndef STARLARK_UNICODE_H
#define STARLARK_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

bool sl_unicode_letter(uint32_t code);
bool sl_unicode_digit(uint32_t code);
bool sl_unicode_upper(uint32_t code);
bool sl_unicode_lower(uint32_t code);
bool sl_unicode_title(uint32_t code);
bool sl_unicode_space(uint32_t code);
uint32_t sl_unicode_to_upper(uint32_t code);
uint32_t sl_unicode_to_lower(uint32_t code);
uint32_t sl_unicode_to_title(uint32_t code);

#endif
