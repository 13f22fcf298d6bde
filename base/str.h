/*  str: a growing byte string.
 *
 *  Embedded: str_t s = STR_EMPTY; ... str_done(&s). The bytes always end in a NUL that is not counted, so
 *  s.data is a C string too (and "" when empty). Memory that cannot be had ends the process: where a size
 *  comes from outside, check it against a limit first.
 */
#ifndef KURTOSIS_BASE_STR_H
#define KURTOSIS_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *data;   /* NUL-terminated; never NULL after the first append */
    size_t len;   /* bytes without the NUL */
    size_t space; /* bytes allocated; 0 for the shared empty string */
} str_t;

extern char str_empty_[1];
#define STR_EMPTY ((str_t){.data = str_empty_})
#define AUTO_STR __attribute__((cleanup(str_done))) str_t

/* Frees the bytes; the string is STR_EMPTY after. */
void str_done(str_t *self);
/* Forgets the bytes and keeps the memory. */
void str_clear(str_t *self);
/* Makes room for at least more bytes and the NUL. */
void str_reserve(str_t *self, size_t more);

void str_add(str_t *self, const char *text);
void str_add_bytes(str_t *self, const void *bytes, size_t size);
void str_add_char(str_t *self, char c);
void str_printf(str_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(str_t *self, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Moves the bytes out: yours, free(); the string is STR_EMPTY after. */
char *str_take(str_t *self);

/* printf into fresh memory: yours, free(). */
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

#endif
