/*  tar: see tar.h. */
#include "archive/tar.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

/* A tar header of the ustar format with GNU's numbers and long names. */
typedef struct {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[8], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
} tar_header_t;
_Static_assert(sizeof(tar_header_t) == TAR_BLOCK, "a tar header is one block");

int
archive_tar_pad(const archive_tar_t *self, uint64_t size, err_t **err)
{
    static const char zeros[TAR_BLOCK];
    size_t rest = (size_t)(size % TAR_BLOCK);
    return rest ? self->put(self->arg, zeros, TAR_BLOCK - rest, err) : 0;
}

/* Octal where it fits, else GNU's base 256. */
static void
put_number(char *field, size_t size, uint64_t value)
{
    if (value >> 3 * (size - 1) == 0) {
        char text[32];
        snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)value);
        memcpy(field, text, size);
        return;
    }
    for (size_t i = size; i-- > 0; value >>= 8)
        field[i] = (char)(value & 0xff);
    field[0] = (char)0x80;
}

static int
put_block(const archive_tar_t *self, char type, const char *name, const char *link, uint64_t size,
          const struct stat *about, err_t **err)
{
    tar_header_t header = {.type = type, .magic = "ustar  "};
    memcpy(header.name, name, strnlen(name, sizeof header.name));
    memcpy(header.link, link, strnlen(link, sizeof header.link));
    put_number(header.mode, sizeof header.mode, about->st_mode & 07777);
    put_number(header.uid, sizeof header.uid, 0);
    put_number(header.gid, sizeof header.gid, 0);
    put_number(header.size, sizeof header.size, size);
    put_number(header.mtime, sizeof header.mtime,
               about->st_mtime > 0 ? (uint64_t)about->st_mtime : 0);
    memset(header.checksum, ' ', sizeof header.checksum);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((const uint8_t *)&header)[i];
    snprintf(header.checksum, sizeof header.checksum, "%06o", sum & 0777777);
    return self->put(self->arg, &header, sizeof header, err);
}

/* A name that does not fit into the header goes before it, as the data of a member of its own. */
static int
put_long_name(const archive_tar_t *self, char type, const char *name, err_t **err)
{
    static const struct stat about = {.st_mode = 0644};
    size_t size = strlen(name) + 1;
    if (size <= sizeof((tar_header_t *)NULL)->name)
        return 0;
    if (put_block(self, type, "././@LongLink", "", size, &about, err) < 0 ||
        self->put(self->arg, name, size, err) < 0)
        return -1;
    return archive_tar_pad(self, size, err);
}

int
archive_tar_header(const archive_tar_t *self, const char *name, const struct stat *about,
                   const char *link, err_t **err)
{
    bool is_directory = S_ISDIR(about->st_mode), is_file = S_ISREG(about->st_mode);
    AUTO_FREE char *full = str_format("%s%s", name, is_directory ? "/" : "");
    if (put_long_name(self, 'K', link ? link : "", err) < 0 ||
        put_long_name(self, 'L', full, err) < 0)
        return -1;
    return put_block(self,
                     is_directory ? '5'
                     : is_file    ? '0'
                                  : '2',
                     full, link ? link : "", is_file ? (uint64_t)about->st_size : 0, about, err);
}

int
archive_tar_end(const archive_tar_t *self, err_t **err)
{
    static const char zeros[2 * TAR_BLOCK];
    return self->put(self->arg, zeros, sizeof zeros, err);
}
