/*  resolve: resolves locators. */
#include "apic/packages/resolve.h"

#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "base/str.h"

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

int
packages_locate(const packages_t *self, const packages_found_t *found, bool must_be_packaged,
                char **ret_path, err_t **err)
{
    AUTO(packages_locator) locator = NULL;
    (void)must_be_packaged; /* what is on disk has been accepted when it came there */
    if (packages_locator_parse(found->versioned, &locator, err) < 0)
        return err_wrap(err, "An error occurred parsing Git URL for absolute file locator '%s'",
                        found->versioned);

    struct stat status;
    AUTO_FREE char *path = packages_path_join(self->repositories, locator->path);
    if (stat(path, &status) == 0) {
        *ret_path = TAKE(path);
        return 0;
    }
    AUTO_FREE char *id = str_format("%s/%s", locator->author, locator->repo);
    AUTO_FREE char *folder = packages_path_join(self->repositories, id);
    if (stat(folder, &status) == 0)
        return err_fail(err, ERR_NOT_FOUND, "'%s' doesn't exist in the package '%s'",
                        locator->path + strlen(id), id);
    return err_fail(err, ERR_NOT_FOUND,
                    "package '" PACKAGES_HOST "/%s' is not in this enclave; upload it with the "
                    "package that needs it, by giving its local folder in 'replace' of "
                    "kurtosis.yml",
                    id);
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
    /* a version in the replacement wins over one at the end of the locator */
    const size_t size = version[0] ? strcspn(rest, "@") : strlen(rest);
    found->versioned =
        str_format("%s%.*s%s%s", path, (int)size, rest, version[0] ? "@" : "", version);
    return found;
}
