/*  words: a command line taken apart where there is no shell to do it. */
#ifndef KURTOSIS_DOCKER_DRIVER_WORDS_H
#define KURTOSIS_DOCKER_DRIVER_WORDS_H

#include "base/err.h"

/* As a shell would: blanks part words, '...' keeps all, "..." and \ keep what follows. UNSUPPORTED at what only a shell
 * can do (pipes, redirections, variables, patterns...); INVALID for a quote without its end, or no word at all. The words and
 * their array are yours, words_free. */
int words_split(const char *line, char ***ret_words, size_t *ret_count, err_t **err);
void words_free(char **words, size_t count);

#endif
