/*  tar: writes the members of a tar, of the ustar format with GNU's numbers and long names, owned by
 *  root. For the files of this folder.
 */
#ifndef KURTOSIS_ARCHIVE_TAR_H
#define KURTOSIS_ARCHIVE_TAR_H

#include "base/err.h"

#include <stdint.h>
#include <sys/stat.h>

#define TAR_BLOCK 512

/* Where the bytes go. */
typedef struct {
    int (*put)(void *arg, const void *data, size_t size, err_t **err);
    void *arg;
} archive_tar_t;

/* Begins a member: a directory, a regular file of about->st_size bytes, or (anything else) a
 * symbolic link to `link`. The bytes of a file follow by put, then archive_tar_pad. */
int archive_tar_header(const archive_tar_t *self, const char *name, const struct stat *about,
                       const char *link, err_t **err);
/* Fills the last block of size bytes of data. */
int archive_tar_pad(const archive_tar_t *self, uint64_t size, err_t **err);
int archive_tar_end(const archive_tar_t *self, err_t **err);

#endif
