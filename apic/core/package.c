/*  package: uploaded packages, in the folder where packages that were cloned lie too. */
#include "apic/core/internal.h"

#include "archive/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST "github.com/"
#define PACKAGE_ID_MAX 4096u
#define SEGMENTS_MIN 2

/* "AUTHOR/REPO/..." of a package id: the host and a version cut off, every segment a plain name. */
static int
package_path(const char *package_id, char **ret_path, err_t **err)
{
    if (strncasecmp(package_id, HOST, strlen(HOST)) != 0 || strlen(package_id) > PACKAGE_ID_MAX)
        return err_fail(err, ERR_INVALID,
                        "'%s' is not a package id such as 'github.com/author/repository'",
                        package_id);
    AUTO_FREE char *text = strdup(package_id + strlen(HOST));
    text[strcspn(text, "@")] = 0;
    AUTO_STR path = STR_EMPTY;
    int segments = 0;
    char *rest = NULL;
    for (char *segment = strtok_r(text, "/", &rest); segment;
         segment = strtok_r(NULL, "/", &rest)) {
        if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
            return err_fail(err, ERR_INVALID, "the package id '%s' has a segment '%s'", package_id,
                            segment);
        str_printf(&path, "%s%s", segments++ ? "/" : "", segment);
    }
    if (segments < SEGMENTS_MIN)
        return err_fail(err, ERR_INVALID,
                        "the package id '%s' must have an author and a repository", package_id);
    *ret_path = str_take(&path);
    return 0;
}

/* Puts the folder from in the place of to, whose parent exists. */
static int
replace_folder(core_t *self, const char *from, const char *to, err_t **err)
{
    AUTO_FREE char *old = core_tmp_path(self, "");
    if (rename(to, old) < 0 && errno != ENOENT)
        return err_fail(err, ERR_UNKNOWN, "cannot move '%s' away: %s", to, strerror(errno));
    if (rename(from, to) < 0) {
        int why = errno;
        rename(old, to);
        return err_fail(err, ERR_UNKNOWN, "cannot move '%s' to '%s': %s", from, to, strerror(why));
    }
    return core_folder_remove(old, err);
}

int
core_package_put(core_t *self, const char *package_id, const char *archive, err_t **err)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *unpacked = core_tmp_path(self, "");
    if (package_path(package_id, &path, err) < 0)
        return -1;
    AUTO_FREE char *target = str_format("%s/%s", self->repositories, path);
    AUTO_FREE char *parent = strndup(target, (size_t)(strrchr(target, '/') - target));

    int rc = core_folder_make(unpacked, err);
    if (rc == 0)
        rc = archive_tgz_unpack(archive, unpacked, err);
    if (rc == 0)
        rc = core_folder_make(parent, err);
    if (rc == 0)
        rc = replace_folder(self, unpacked, target, err);
    core_folder_remove(unpacked, NULL);
    return rc < 0 ? err_wrap(err, "cannot store the package '%s'", package_id) : 0;
}
