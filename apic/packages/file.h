/*  file: reading whole files, with a limit. */
#ifndef KURTOSIS_APIC_PACKAGES_FILE_H
#define KURTOSIS_APIC_PACKAGES_FILE_H

#include "base/err.h"
#include "base/str.h"

/* Appends the bytes of a regular file; LIMIT when it has more than max, INVALID for a directory. */
int packages_file_read(const char *path, size_t max, str_t *ret_text, err_t **err);

#endif
