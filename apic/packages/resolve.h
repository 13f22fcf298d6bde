/*  resolve: from what a Starlark file says to a file on disk.
 *
 *  A locator in a file of a package is relative to that file, or absolute and then perhaps replaced
 * by the root package's `replace` map; what results lies below the repositories folder as
 * AUTHOR/REPO/...
 */
#ifndef KURTOSIS_APIC_PACKAGES_RESOLVE_H
#define KURTOSIS_APIC_PACKAGES_RESOLVE_H

#include "apic/packages/manifest.h"

#include <stdbool.h>

#define PACKAGES_MAIN "main.star"
#define PACKAGES_FILE_MAX (256u * 1024 * 1024) /* bytes of a file that is read as a whole */

/* What a run says about packages: all lent. */
typedef struct packages {
    const char *repositories; /* folder */
    const char *package_id;   /* root package, or PACKAGES_SCRIPT */
    const packages_replace_t *replaces;
    size_t n_replaces;
    /* Brings github.com/author/repo into repositories. */
    int (*clone)(void *arg, const char *author, const char *repo, const char *version, err_t **err);
    void *arg;
} packages_t;

/* One locator found its place. */
typedef struct packages_found {
    char *locator; /* absolute, after replacement, without the version replacement attached: key of
                      caches */
    char *versioned; /* the same with that version */
} packages_found_t;
void packages_found_destroy(packages_found_t **self_p);
AUTO_FOR(packages_found)

/* given, as written in the file with the locator source (PACKAGES_SCRIPT for a lone script). *ret
 * is yours. */
int packages_resolve(const packages_t *self, const char *source, const char *given,
                     packages_found_t **ret, err_t **err);

/* The path on disk of a resolved locator; yours. A repository that is not there is cloned; what is
 * there stays, whatever version is asked for. must_be_packaged: of a fresh clone only files of
 * packages will do (everything but files that are uploaded). */
int packages_locate(const packages_t *self, const packages_found_t *found, bool must_be_packaged,
                    char **ret_path, err_t **err);

/* Where the package of this id lies: repositories/AUTHOR/REPO[/REST]. Yours. */
int packages_folder(const char *repositories, const char *package_id, char **ret_folder,
                    err_t **err);

/* Does the replacement's value name a local folder? */
bool packages_replace_is_local(const char *to);

#endif
