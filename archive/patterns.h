/*  patterns: the rules of a .dockerignore file, as Docker reads them. For the files of this folder. */
#ifndef KURTOSIS_ARCHIVE_PATTERNS_H
#define KURTOSIS_ARCHIVE_PATTERNS_H

#include "base/err.h"

#include <stdbool.h>

/* One rule a line: '#' comments, '!' takes files in again, the last rule that matches a path or a
 * folder above it decides. '*' and '?' do not cross '/', "**" does, "[a-z]" is one character, '\'
 * takes the next character as it is. */
typedef struct archive_patterns archive_patterns_t;

/* INVALID for a pattern that never ends its '[', or ends with '\'; LIMIT past
 * ARCHIVE_IGNORE_RULES_MAX rules. */
int archive_patterns_parse(const char *text, archive_patterns_t **ret_patterns, err_t **err);
void archive_patterns_destroy(archive_patterns_t **self_p);
AUTO_FOR(archive_patterns)

/* Is the path (relative, no leading '/') left out? */
bool archive_patterns_leave_out(const archive_patterns_t *self, const char *path);
/* May something in a folder that is left out be taken in again? */
bool archive_patterns_have_exceptions(const archive_patterns_t *self);

#endif
