/*  files: folders of the data directory. */
#include "apic/core/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
