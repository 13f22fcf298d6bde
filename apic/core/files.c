/*  files: folders of the data directory. */
#include "apic/core/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_OPEN 32 /* descriptors that a removal holds open */

int
core_folder_make(const char *path, err_t **err)
{
    AUTO_FREE char *part = strdup(path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return err_fail(err, ERR_UNKNOWN, "cannot make the folder '%s': %s", part,
                            strerror(errno));
        *slash = '/';
    }
    struct stat about;
    if (mkdir(path, 0755) < 0 &&
        (errno != EEXIST || stat(path, &about) < 0 || !S_ISDIR(about.st_mode)))
        return err_fail(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNKNOWN,
                        "cannot make the folder '%s': %s", path, strerror(errno));
    return 0;
}

static int
remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

int
core_folder_remove(const char *path, err_t **err)
{
    if (nftw(path, remove_one, DEPTH_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return err_fail(err, ERR_UNKNOWN, "cannot remove '%s': %s", path, strerror(errno));
    return 0;
}
