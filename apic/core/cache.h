/*  cache: repositories that were fetched, by address and commit, in a folder that all enclaves share.
 *
 *    trees/<sha1 of url>-<commit>-<open|private>   the files, without history; beside it <name>.size: their bytes
 *    refs/<sha1 of url and version>                the commit that the version was when it was last asked for: its time
 *                                                  is the file's
 *    new                                           a tree that is being made
 *    lock                                          held shared while a tree is read, alone while the folder is changed
 *
 *  A tree is there whole or not at all, and is never changed. It is a help and no more: what goes wrong here is logged,
 * and the repository is fetched.
 */
#ifndef KURTOSIS_APIC_CORE_CACHE_H
#define KURTOSIS_APIC_CORE_CACHE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CACHE_BYTES_MAX (UINT64_C(1) << 30) /* of all trees; what was not used longest goes first */
#define CACHE_TREE_MAX (UINT64_C(256) << 20) /* bytes of a tree that is kept */
#define CACHE_COMMIT_LEN 40u

typedef struct {
    const char *folder; /* made when it is not there; NULL or "" for none: nothing is found */
    uint64_t bytes_max; /* 0 is CACHE_BYTES_MAX */
} cache_t;

/* What the version was last time: 1 with commit and time, or 0. */
int cache_version(const cache_t *self, const char *url, const char *version,
                  char ret_commit[CACHE_COMMIT_LEN + 1], time_t *ret_when);
/* Makes the new folder to with the tree: 1, or 0 when it is not kept. What was fetched with a token
 * is only there for who may see it: with_private. */
int cache_take(const cache_t *self, const char *url, const char *commit, bool with_private,
               const char *to);
/* Keeps a copy of the tree, and what the version is. */
void cache_put(const cache_t *self, const char *url, const char *version, const char *commit,
               bool is_private, const char *tree);
/* Remembers what the version is now. */
void cache_put_version(const cache_t *self, const char *url, const char *version,
                       const char *commit);

#endif
