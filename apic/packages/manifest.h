/*  manifest: a package's kurtosis.yml: its name, a description, and what it replaces. */
#ifndef KURTOSIS_APIC_PACKAGES_MANIFEST_H
#define KURTOSIS_APIC_PACKAGES_MANIFEST_H

#include "base/err.h"

#include <stddef.h>

#define PACKAGES_MANIFEST "kurtosis.yml"
#define PACKAGES_MANIFEST_MAX (1024u * 1024) /* bytes of the file */
#define PACKAGES_DOCS "https://docs.kurtosis.com/advanced-concepts/packages"

/* One replacement of a dependency. */
typedef struct {
    char *from; /* package id */
    char *to;   /* package id with or without @version, or a local path starting with "/" or "." */
} packages_replace_t;

typedef struct packages_manifest {
    char *name;
    char *description; /* "" when there is none */
    packages_replace_t *replaces;
    size_t n_replaces;
} packages_manifest_t;

/* Parses the text of a kurtosis.yml strictly: an unknown key, and a key given twice, is INVALID. */
int packages_manifest_parse(const char *text, size_t size, packages_manifest_t **ret, err_t **err);

/* Reads and checks folder/kurtosis.yml of a package that lies below repositories: the name must be
 * a package id and must match the location. NOT_FOUND when there is no file. *ret is yours. */
int packages_manifest_read(const char *repositories, const char *folder, packages_manifest_t **ret,
                           err_t **err);
void packages_manifest_destroy(packages_manifest_t **self_p);
AUTO_FOR(packages_manifest)

#endif
