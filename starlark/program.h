/*  program: what the files of the program `starlark` share. */
#ifndef STARLARK_PROGRAM_H
#define STARLARK_PROGRAM_H

#include "starlark/starlark.h"

typedef struct {
    star_t *star;
    star_value_t env;    /* predeclared names */
    star_value_t loaded; /* path -> module, None while it is being loaded */
    const char *text;    /* of -c */
    bool load, disassemble;
    char *zone; /* the time zone read last */
} program_t;

/* The bytes of a file with a NUL after them; NULL with errno set. Yours. */
char *program_read(const char *path, size_t *ret_length);
/* Prints the error; 1. */
int program_fail(program_t *self);
/* Reads, runs and prints until the end of stdin; the exit status. */
int program_repl(program_t *self);

#endif
