/*  file: see file.h. */
#include "base/file.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE 16384u
#define DEPTH_OPEN 32 /* descriptors that a removal holds open */

int
file_read_fd(int fd, const char *name, size_t max, str_t *out, err_t **err)
{
    char piece[PIECE];
    const size_t before = out->len;
    for (ssize_t got; (got = read(fd, piece, sizeof piece)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_fail(err, ERR_INVALID, "cannot read '%s': %s", name, strerror(errno));
        if (out->len - before + (size_t)got > max)
            return err_fail(err, ERR_LIMIT, "'%s' is larger than %zu bytes", name, max);
        str_add_bytes(out, piece, (size_t)got);
    }
    return 0;
}

int
file_read(const char *path, size_t max, str_t *out, err_t **err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_INVALID,
                        "cannot read '%s': %s", path, strerror(errno));
    return file_read_fd(fd, path, max, out, err);
}

int
file_read_text(const char *path, size_t max, str_t *out, err_t **err)
{
    const size_t before = out->len;
    if (file_read(path, max, out, err) < 0)
        return -1;
    if (memchr(out->data + before, '\0', out->len - before))
        return err_fail(err, ERR_INVALID, "'%s' is no text", path);
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
file_remove_tree(const char *path, err_t **err)
{
    if (nftw(path, remove_one, DEPTH_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return err_fail(err, ERR_UNKNOWN, "cannot remove '%s': %s", path, strerror(errno));
    return 0;
}
