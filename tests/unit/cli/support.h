/*  support: what the tests of the command line share. */
#ifndef KURTOSIS_TESTS_CLI_SUPPORT_H
#define KURTOSIS_TESTS_CLI_SUPPORT_H

#include "base/err.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_done(result, error)                                                                 \
    do {                                                                                           \
        if ((result) < 0) {                                                                        \
            AUTO_FREE char *text_ = err_string(error);                                             \
            fail_msg("%s", text_);                                                                 \
        }                                                                                          \
    } while (0)
#define assert_text(text, wanted)                                                                  \
    do {                                                                                           \
        if (strcmp((text), (wanted)))                                                              \
            fail_msg("got:\n%s\nwanted:\n%s", (text), (wanted));                                   \
    } while (0)

/* Starts to catch what is written to stdout; caught_end gives it back (yours). */
typedef struct {
    int saved;
    FILE *file;
} caught_t;

static inline caught_t
caught_begin(void)
{
    caught_t self = {.saved = dup(1), .file = tmpfile()};
    fflush(stdout);
    dup2(fileno(self.file), 1);
    return self;
}

static inline char *
caught_end(caught_t *self)
{
    static const size_t most = 1024 * 1024;
    fflush(stdout);
    dup2(self->saved, 1);
    close(self->saved);
    char *text = calloc(1, most);
    rewind(self->file);
    size_t got = fread(text, 1, most - 1, self->file);
    text[got] = '\0';
    fclose(self->file);
    return text;
}

#endif
