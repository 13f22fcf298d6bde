/*  err: see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err {
    err_code_t code;
    char *text;
    const char *file;
    int line;
    err_t *cause;
};

static const struct {
    err_code_t code;
    int http;
    const char *name;
} codes[] = {
#define ERR_ROW(name, number, http, text, meaning) {ERR_##name, http, text},
    ERR_CODES(ERR_ROW)
#undef ERR_ROW
};

static err_t *link_new(err_code_t code, const char *file, int line, const char *format,
                       va_list args) __attribute__((format(printf, 4, 0)));

static err_t *
link_new(err_code_t code, const char *file, int line, const char *format, va_list args)
{
    err_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->code = code;
    self->file = file;
    self->line = line;
    if (vasprintf(&self->text, format, args) < 0)
        abort();
    return self;
}

int
err_fail_at(err_t **err, err_code_t code, const char *file, int line, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    err_t *link = link_new(code, file, line, format, args);
    va_end(args);
    err_destroy(err);
    *err = link;
    return -1;
}

int
err_wrap_at(err_t **err, const char *file, int line, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    err_t *link = link_new(err_code(*err), file, line, format, args);
    va_end(args);
    link->cause = *err;
    *err = link;
    return -1;
}

int
err_link(err_t **err, err_code_t code, const char *text)
{
    if (!err)
        return -1;
    err_t *cause = TAKE(*err);
    err_fail_at(err, code, "", 0, "%s", text);
    (*err)->cause = cause;
    return -1;
}

void
err_unwrap(err_t **err)
{
    if (!err || !*err || !(*err)->cause)
        return;
    err_t *cause = TAKE((*err)->cause);
    err_destroy(err);
    *err = cause;
}

void
err_destroy(err_t **err_p)
{
    if (!err_p)
        return;
    err_t *self = TAKE(*err_p);
    while (self) {
        err_t *cause = self->cause;
        free(self->text);
        free(self);
        self = cause;
    }
}

err_code_t
err_code(const err_t *self)
{
    return self ? self->code : ERR_UNKNOWN;
}

const char *
err_text(const err_t *self)
{
    return self ? self->text : "";
}

const err_t *
err_cause(const err_t *self)
{
    return self ? self->cause : NULL;
}

const char *
err_file(const err_t *self, int *ret_line)
{
    *ret_line = self ? self->line : 0;
    return self ? self->file : "";
}

static char *
join(const err_t *self, const char *between)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    for (const err_t *link = self; link; link = link->cause)
        fprintf(out, "%s%s", link == self ? "" : between, link->text);
    fclose(out);
    return text;
}

char *
err_string(const err_t *self)
{
    return join(self, ": ");
}

char *
err_lines(const err_t *self)
{
    return join(self, "\nCaused by: ");
}

err_t *
err_dup(const err_t *self)
{
    if (!self)
        return NULL;
    err_t *copy = calloc(1, sizeof *copy);
    if (!copy)
        abort();
    *copy = *self;
    copy->text = strdup(self->text);
    copy->cause = err_dup(self->cause);
    return copy;
}

const char *
err_code_name(err_code_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].code == code)
            return codes[i].name;
    return "unknown";
}

int
err_code_http(err_code_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].code == code)
            return codes[i].http;
    return 500;
}

err_code_t
err_code_from_number(int number)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if ((int)codes[i].code == number)
            return codes[i].code;
    return ERR_UNKNOWN;
}
