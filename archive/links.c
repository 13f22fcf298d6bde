/*  links: symbolic links that lead out of a folder. */
#include "archive/archive.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define OPEN_MAX_FOLDERS 32 /* descriptors of a walk */

/* May a link that lies so many folders below the root have this target? It may go up only at its
 * beginning, and not above the root; what it then goes through is a folder or a link that is fine
 * itself. */
static bool
is_inside(const char *target, int depth)
{
    bool goes_down = false;
    if (target[0] == '/')
        return false;
    for (const char *at = target; *at; at += strspn(at, "/")) {
        const size_t size = strcspn(at, "/");
        const bool is_up = size == 2 && at[0] == '.' && at[1] == '.';
        if (is_up && (goes_down || depth-- == 0))
            return false;
        goes_down = goes_down || (!is_up && !(size == 1 && at[0] == '.'));
        at += size;
    }
    return true;
}

static int
drop_link(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    char target[PATH_MAX];
    (void)about;
    if (kind != FTW_SL && kind != FTW_SLN)
        return 0;
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0)
        return -1;
    target[size] = 0;
    return is_inside(target, where->level - 1) ? 0 : unlink(path);
}

int
archive_links_drop(const char *folder, err_t **err)
{
    if (nftw(folder, drop_link, OPEN_MAX_FOLDERS, FTW_PHYS) == 0)
        return 0;
    return err_fail(err, ERR_UNKNOWN, "cannot look for links in '%s': %s", folder, strerror(errno));
}
