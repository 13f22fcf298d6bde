/*  file: whole files, up to a limit, and whole folders. */
#ifndef KURTOSIS_BASE_FILE_H
#define KURTOSIS_BASE_FILE_H

#include "base/err.h"
#include "base/str.h"

/* Appends what fd gives until its end; name is what errors call it. LIMIT past max bytes, INVALID with the reason. */
int file_read_fd(int fd, const char *name, size_t max, str_t *out, err_t **err);
/* Appends a file's bytes. NOT_FOUND where it is not, INVALID with the reason where it cannot be read, LIMIT. */
int file_read(const char *path, size_t max, str_t *out, err_t **err);
/* The same of a text: INVALID when there is a NUL in it. */
int file_read_text(const char *path, size_t max, str_t *out, err_t **err);

/* Removes a folder with all that is in it, or a file. Follows no symbolic link and stays on its file system. That it is not
 * there is fine; UNKNOWN with the reason. */
int file_remove_tree(const char *path, err_t **err);

#endif
