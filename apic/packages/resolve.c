/*  resolve: resolves locators. */
#include "apic/packages/resolve.h"

#include "apic/packages/compose_names.h"
#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int to_absolute(const char *source, const char *given, char **ret, err_t **err);
static const packages_replace_t *find_replace(const packages_t *self, const char *locator);
static packages_found_t *replace(const packages_t *self, const char *locator);

int
packages_resolve(const packages_t *self, const char *source, const char *given,
                 packages_found_t **ret, err_t **err)
{
    if (packages_path_within(source, self->package_id) &&
        packages_path_within(given, self->package_id))
        return err_fail(err, ERR_INVALID,
                        "Locator '%s' is referencing a file within the same package using absolute "
                        "import syntax, but only relative import syntax (path starting with '/' or "
                        "'.') is allowed for within-package imports",
                        given);
    AUTO_FREE char *absolute = NULL;
    if (to_absolute(source, given, &absolute, err) < 0)
        return -1;
    *ret = replace(self, absolute);
    return 0;
}

/* Links of a repository are followed, but not out of the repositories. */
static int
check_inside(const packages_t *self, const char *path, err_t **err)
{
    AUTO_FREE char *root = realpath(self->repositories, NULL), *real = realpath(path, NULL);
    if (!root || !real)
        return err_fail(err, ERR_NOT_FOUND, "cannot find '%s': %s", path, strerror(errno));
    return packages_path_within(real, root)
               ? 0
               : err_fail(err, ERR_DENIED, "'%s' is a link that leaves the packages of the enclave",
                          path);
}

/* Is the file, freshly cloned, one of a package? Looks from the root of the repository down to the
 * folder that the file is in. */
static int
check_packaged(const packages_t *self, const packages_locator_t *locator, const char *given,
               err_t **err)
{
    const size_t root = strlen(locator->author) + 1 + strlen(locator->repo);
    for (size_t end = root;;) {
        AUTO_FREE char *below = strndup(locator->path, end);
        AUTO_FREE char *folder = packages_path_join(self->repositories, below);
        AUTO_FREE char *manifest = packages_path_join(folder, PACKAGES_MANIFEST);
        struct stat status;
        if (stat(manifest, &status) == 0) {
            AUTO(packages_manifest) read = NULL;
            return packages_manifest_read(self->repositories, folder, &read, err);
        }
        if (packages_compose_find(folder))
            return 0;
        const char *slash = locator->path[end] ? strchr(locator->path + end + 1, '/') : NULL;
        if (!slash)
            break;
        end = (size_t)(slash - locator->path);
    }
    return err_fail(err, ERR_INVALID,
                    "kurtosis.yml or valid Docker Compose yaml not found in the path of '%s'; "
                    "files can only be accessed from Kurtosis packages. For more information, go "
                    "to: %s",
                    given, PACKAGES_DOCS);
}

int
packages_locate(const packages_t *self, const packages_found_t *found, bool must_be_packaged,
                char **ret_path, err_t **err)
{
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(found->versioned, &locator, err) < 0)
        return err_wrap(err, "An error occurred parsing Git URL for absolute file locator '%s'",
                        found->versioned);

    struct stat status;
    AUTO_FREE char *path = packages_path_join(self->repositories, locator->path);
    AUTO_FREE char *id = str_format("%s/%s", locator->author, locator->repo);
    AUTO_FREE char *folder = packages_path_join(self->repositories, id);
    if (stat(path, &status) == 0) {
        if (check_inside(self, path, err) < 0)
            return -1;
    } else if (stat(folder, &status) == 0) {
        return err_fail(err, ERR_NOT_FOUND, "'%s' doesn't exist in the package '%s'%s",
                        locator->path + strlen(id), id,
                        strstr(locator->path, ":/")
                            ? "; the locator of another package begins with "
                              "'" PACKAGES_HOST "/', not with a scheme"
                            : "");
    } else {
        if (self->clone(self->arg, locator->author, locator->repo, locator->version, err) < 0 ||
            (must_be_packaged && check_packaged(self, locator, found->versioned, err) < 0) ||
            (stat(path, &status) == 0 && check_inside(self, path, err) < 0))
            return -1;
    }
    *ret_path = TAKE(path);
    return 0;
}

int
packages_folder(const char *repositories, const char *package_id, char **ret_folder, err_t **err)
{
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(package_id, &locator, err) < 0)
        return err_wrap(err, "An error occurred parsing Git URL for package ID '%s'", package_id);
    *ret_folder = packages_path_join(repositories, locator->path);
    return 0;
}

bool
packages_replace_is_local(const char *to)
{
    return to[0] == '/' || to[0] == '.';
}

void
packages_found_destroy(packages_found_t **self_p)
{
    packages_found_t *self = *self_p;
    if (!self)
        return;
    free(self->locator);
    free(self->versioned);
    free(self);
    *self_p = NULL;
}

static int
to_absolute(const char *source, const char *given, char **ret, err_t **err)
{
    if (packages_locator_is(given)) {
        *ret = strdup(given);
        return 0;
    }
    AUTO(packages_locator) from = NULL;
    if (packages_locator_parse(source, &from, NULL) < 0)
        return err_fail(err, ERR_INVALID,
                        "Source module locator '%s' isn't a valid locator; relative URLs don't "
                        "work with standalone scripts",
                        source);
    AUTO_STR text = STR_EMPTY;
    if (given[0] == '/') {
        str_printf(&text, "%s/%s/%s%s", PACKAGES_HOST, from->author, from->repo, given);
    } else {
        AUTO_FREE char *folder = packages_path_dir(from->path);
        str_printf(&text, "%s/%s/%s", PACKAGES_HOST, folder, given);
    }
    *ret = packages_path_clean(text.data);
    return 0;
}

/* The entry with the longest key that is a proper front of the locator, by whole segments. */
static const packages_replace_t *
find_replace(const packages_t *self, const char *locator)
{
    AUTO_FREE char *front = strdup(locator);
    for (;;) {
        char *slash = strrchr(front, '/');
        if (!slash)
            return NULL;
        *slash = '\0';
        for (size_t i = 0; i < self->n_replaces; i++)
            if (!strcmp(self->replaces[i].from, front))
                return &self->replaces[i];
        if (strchr(front, '/') == strrchr(front, '/'))
            return NULL;
    }
}

static packages_found_t *
replace(const packages_t *self, const char *locator)
{
    packages_found_t *found = calloc(1, sizeof(*found));
    const packages_replace_t *entry = find_replace(self, locator);
    if (!entry || packages_replace_is_local(entry->to)) {
        found->locator = strdup(locator);
        found->versioned = strdup(locator);
        return found;
    }
    AUTO_FREE char *path = NULL, *version = NULL;
    packages_version_split(entry->to, &path, &version);
    const char *rest = locator + strlen(entry->from);
    found->locator = str_format("%s%s", path, rest);
    /* a version in the replacement wins over one of the locator */
    AUTO_FREE char *plain = NULL, *own = NULL;
    packages_version_split(found->locator, &plain, &own);
    found->versioned = version[0] ? str_format("%s@%s", plain, version) : strdup(found->locator);
    return found;
}
