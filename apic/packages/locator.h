/*  locator: names a package or a file of one: "github.com/author/repo/dir/file.star@version". */
#ifndef KURTOSIS_APIC_PACKAGES_LOCATOR_H
#define KURTOSIS_APIC_PACKAGES_LOCATOR_H

#include "base/err.h"

#include <stdbool.h>

#define PACKAGES_HOST "github.com"
#define PACKAGES_LOCATOR_MAX 4096u /* bytes of a locator's text */
/* Stands for the package id and the file of a script that belongs to no package. */
#define PACKAGES_SCRIPT "DEFAULT_PACKAGE_ID_FOR_SCRIPT"

typedef struct packages_locator {
    char *author, *repo;
    char *path;    /* "author/repo/rest", or "author/repo" when there is no rest */
    char *version; /* tag, branch or commit; "" when none was given */
} packages_locator_t;

/* INVALID when the text is no locator: has a scheme, another host, fewer than two segments. *ret is
 * yours. */
int packages_locator_parse(const char *text, packages_locator_t **ret, err_t **err);
void packages_locator_destroy(packages_locator_t **self_p);
AUTO_FOR(packages_locator)

/* Is it one? */
bool packages_locator_is(const char *text);

/* Cuts "path@version" and "path@version/file.ext" apart; both yours. A version may hold one
 * "/"-separated tail only if that tail is a file name, which is one that has a dot. */
void packages_version_split(const char *text, char **ret_path, char **ret_version);

#endif
