/*  symlinks: which paths of an archive, read from its start, are symbolic links: whoever unpacks it follows them, wherever
 * they lead, for members whose path passes through one. Of a path its hash is held: two that have the same one (the
 * maker of an archive can find such) are taken for one, which refuses more and never less.
 */
#ifndef KURTOSIS_ARCHIVE_SYMLINKS_H
#define KURTOSIS_ARCHIVE_SYMLINKS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* All zero: none. */
typedef struct {
    uint64_t *slots; /* open addressing; 0: free */
    size_t room, count;
} symlinks_t;

void symlinks_done(symlinks_t *self);
/* Paths are clean: relative, without empty components, "." and "..". LIMIT at ARCHIVE_SYMLINKS_MAX. */
int symlinks_add(symlinks_t *self, const char *path, err_t **err);
bool symlinks_has(const symlinks_t *self, const char *path);
/* The length of the first parent of the path that is one; 0: none is. */
size_t symlinks_passed(const symlinks_t *self, const char *path);

#endif
