/*  str: see str.h. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char str_empty_[1] = "";

void
str_done(str_t *self)
{
    if (self->space)
        free(self->data);
    *self = STR_EMPTY;
}

void
str_clear(str_t *self)
{
    self->len = 0;
    if (self->space)
        self->data[0] = '\0';
}

void
str_reserve(str_t *self, size_t more)
{
    size_t need = self->len + more + 1;
    if (need < more)
        abort();
    if (need <= self->space)
        return;
    size_t space = self->space ? self->space * 2 : 64;
    if (space < need)
        space = need;
    char *data = realloc(self->space ? self->data : NULL, space);
    if (!data)
        abort();
    if (!self->space)
        data[0] = '\0';
    self->data = data;
    self->space = space;
}

void
str_add_bytes(str_t *self, const void *bytes, size_t size)
{
    if (!size)
        return;
    str_reserve(self, size);
    memcpy(self->data + self->len, bytes, size);
    self->len += size;
    self->data[self->len] = '\0';
}

void
str_add(str_t *self, const char *text)
{
    str_add_bytes(self, text, strlen(text));
}

void
str_add_char(str_t *self, char c)
{
    str_add_bytes(self, &c, 1);
}

void
str_vprintf(str_t *self, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size > 0) {
        str_reserve(self, (size_t)size);
        vsnprintf(self->data + self->len, (size_t)size + 1, format, again);
        self->len += (size_t)size;
    }
    va_end(again);
}

void
str_printf(str_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_vprintf(self, format, args);
    va_end(args);
}

char *
str_take(str_t *self)
{
    if (!self->space)
        str_reserve(self, 0);
    char *data = self->data;
    *self = STR_EMPTY;
    return data;
}

char *
str_format(const char *format, ...)
{
    str_t text = STR_EMPTY;
    va_list args;
    va_start(args, format);
    str_vprintf(&text, format, args);
    va_end(args);
    return str_take(&text);
}

bool
str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *text, const char *suffix)
{
    size_t size = strlen(text), tail = strlen(suffix);
    return size >= tail && strcmp(text + size - tail, suffix) == 0;
}
