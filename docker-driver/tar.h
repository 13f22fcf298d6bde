/*  tar: small ustar archives in memory, for the few files that the driver itself puts into and
 *  takes out of containers. */
#ifndef KURTOSIS_DOCKER_DRIVER_TAR_H
#define KURTOSIS_DOCKER_DRIVER_TAR_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define TAR_BLOCK 512u
#define TAR_PATH_MAX 99u /* bytes of a path */

/* Appends a folder (path ends in '/') or a regular file, owner 0:0. INVALID when the path is too
 * long. */
int tar_add(str_t *self, const char *path, unsigned mode, const void *data, size_t size,
            err_t **err);
/* Ends the archive: two empty blocks. */
void tar_end(str_t *self);

/* The content of the archive's first regular file: 1 and lent *ret_data, 0 when there is none,
 * INVALID for what is no tar or is cut. */
int tar_first_file(const void *tar, size_t size, const char **ret_data, size_t *ret_size,
                   err_t **err);

#endif
