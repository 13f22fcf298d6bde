/*  fuzz_archive: a gzip-compressed tar from outside: read, and unpacked into an empty folder.
 * Nothing may be written anywhere else, and no input may crash or hang either.
 */
#include "archive/archive.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
read_member(void *arg, const archive_member_t *member, archive_reader_t *reader, err_t **err)
{
    char part[4096];
    ssize_t got = 1;
    size_t *left = arg;
    while (!member->is_directory && got > 0 && *left > 0) {
        got = archive_reader_read(reader, part, sizeof part, err);
        *left -= got > 0 && (size_t)got < *left ? (size_t)got : *left;
    }
    return *left == 0 ? err_fail(err, ERR_LIMIT, "enough") : got < 0 ? -1 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char folder[] = "/tmp/kurtosis-fuzz-XXXXXX";
    if (!mkdtemp(folder))
        abort();
    AUTO_FREE char *archive = str_format("%s/x.tgz", folder);
    AUTO_FREE char *target = str_format("%s/in", folder);
    FILE *file = fopen(archive, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0 ||
        mkdir(target, 0755) < 0)
        abort();

    size_t left = 1 << 20; /* a small archive may hold a lot of zeros */
    AUTO(err) err = NULL;
    if (archive_tgz_walk(archive, read_member, &left, &err) == 0)
        archive_tgz_unpack(archive, target, NULL);

    /* Only what we put there is beside the target. */
    unlink(archive);
    file_remove_tree(target, NULL);
    if (rmdir(folder) < 0)
        abort();
    return 0;
}
