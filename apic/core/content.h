/*  content: the archives of files artifacts in the store's folder, each under the hash of its bytes: artifacts with equal
 *  archives share one, which goes with the last of them.
 *
 *  An archive is moved to its place before the database names it, and removed after the database names it no more. So
 *  a process that was killed leaves at most an archive that nobody names; content_sweep removes those.
 */
#ifndef KURTOSIS_APIC_CORE_CONTENT_H
#define KURTOSIS_APIC_CORE_CONTENT_H

#include "apic/core/core.h"

#define CONTENT_HASH_SIZE 65 /* hex digits of BLAKE2b-256, and NUL */

/* Reads a whole file. Any thread. */
int content_hash(const char *archive, char ret_hash[CONTENT_HASH_SIZE], err_t **err);
/* Path of the archive of this hash; yours, free(). */
char *content_path(const core_t *self, const char *hash);

/* With the database locked, these three: */

/* Puts an archive of this hash in its place; the file is moved there, or removed when an equal one is there. */
int content_take(const core_t *self, const char *archive, const char *hash, err_t **err);
/* Removes an archive unless an artifact has it. */
void content_release(const core_t *self, sqlite3 *db, const char *hash);
/* Removes archives that no artifact has. */
int content_sweep(const core_t *self, sqlite3 *db, err_t **err);

#endif
