/*  file: reading whole files. */
#include "apic/packages/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int
packages_file_read(const char *path, size_t max, str_t *ret_text, err_t **err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return err_fail(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_UNKNOWN,
                        "open %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return err_fail(err, ERR_INVALID, "read %s: %s", path,
                        S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
    const size_t before = ret_text->len;
    for (;;) {
        char block[16384];
        const ssize_t size = read(fd, block, sizeof(block));
        if (size == 0)
            return 0;
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return err_fail(err, ERR_UNKNOWN, "read %s: %s", path, strerror(errno));
        if (ret_text->len - before + (size_t)size > max)
            return err_fail(err, ERR_LIMIT, "read %s: has more than %zu bytes, which is the limit",
                            path, max);
        str_add_bytes(ret_text, block, (size_t)size);
    }
}
