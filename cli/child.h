/*  child: other programs, run to their end: git, dot. */
#ifndef KURTOSIS_CLI_CHILD_H
#define KURTOSIS_CLI_CHILD_H

#include "base/err.h"

#include <stdbool.h>

/* Is a program of this name in the PATH? */
bool child_exists(const char *program);
/* Runs argv (NULL-terminated, found in the PATH) with input (may be NULL) on its standard input; what it writes is the
 * user's to see, on standard error. NOT_FOUND without the program, UNKNOWN when it fails. */
int child_run(const char *const *argv, const char *input, err_t **err);

#endif
