/*  names: generated names with a nature theme, "<adjective>-<noun>", lower case, letters and one hyphen. */
#ifndef KURTOSIS_BASE_NAMES_H
#define KURTOSIS_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define NAMES_DRAWS 6 /* draws before a number is appended */

/* What the name is for: each has its own nouns. */
typedef enum { NAMES_ENCLAVE, NAMES_ARTIFACT, NAMES_THEMES } names_theme_t;

/* A random name for which taken(arg, name) is false. Draws up to NAMES_DRAWS times; if all are taken, "-1", "-2", ...
 * is appended to the last one until one is free. Yours, free(). Any thread. */
char *names_new(names_theme_t theme, bool (*taken)(void *arg, const char *name), void *arg);

/* The lists, for tests: NULL-terminated, lent for ever. */
const char *const *names_adjectives(void);
const char *const *names_nouns(names_theme_t theme);

#endif
