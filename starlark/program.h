/*  program: what the files of the program `starlark` share. */
#ifndef STARLARK_PROGRAM_H
#define STARLARK_PROGRAM_H

#include "starlark/starlark.h"

typedef struct profile profile_t;

typedef struct {
    star_t *star;
    star_value_t env;    /* predeclared names */
    star_value_t loaded; /* path -> module, None while it is being loaded */
    const char *text;    /* of -c */
    bool load, disassemble, check;
    profile_t *profile; /* of -profile, or NULL */
    char *zone;         /* the time zone read last */
} program_t;

/* The bytes of a file with a NUL after them; NULL with errno set. Yours. */
char *program_read(const char *path, size_t *ret_length);
/* Prints the error; 1. */
int program_fail(program_t *self);
/* Reads, runs and prints until the end of stdin; the exit status. */
int program_repl(program_t *self);

/* Counts time and steps by function; NULL if there is no memory. Yours: profile_free(). */
profile_t *profile_new(void);
/* The `sample` of star_options_t; `user` is the program_t. */
void profile_sample(star_t *star, uint64_t steps, void *user);
/* The functions that took most, on stderr; nothing is counted afterwards. */
void profile_report(profile_t *profile);
void profile_free(profile_t *profile);

#endif
