/*  tar: see tar.h. */
#include "docker-driver/tar.h"

#include <stdio.h>
#include <string.h>

/* Where the fields of a ustar header are. */
enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_TIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    SUM_LEN = 8,
    SIZE_LEN = 12,
};

static unsigned
checksum(const unsigned char *head)
{
    unsigned sum = 0;
    for (int i = 0; i < (int)TAR_BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + SUM_LEN ? ' ' : head[i];
    return sum;
}

int
tar_add(str_t *self, const char *path, unsigned mode, const void *data, size_t size, err_t **err)
{
    char head[TAR_BLOCK] = {0};
    if (strlen(path) > TAR_PATH_MAX)
        return err_fail(err, ERR_INVALID, "the path '%s' is longer than %u bytes", path,
                        TAR_PATH_MAX);
    snprintf(head + AT_NAME, TAR_PATH_MAX + 1, "%s", path);
    snprintf(head + AT_MODE, 8, "%07o", mode & 07777);
    snprintf(head + AT_UID, 8, "%07o", 0u);
    snprintf(head + AT_GID, 8, "%07o", 0u);
    snprintf(head + AT_SIZE, SIZE_LEN, "%011zo", size);
    snprintf(head + AT_TIME, 12, "%011o", 0u);
    head[AT_TYPE] = str_ends(path, "/") ? '5' : '0';
    memcpy(head + AT_MAGIC, "ustar\00000", 8);
    snprintf(head + AT_SUM, SUM_LEN, "%06o", checksum((const unsigned char *)head));
    head[AT_SUM + SUM_LEN - 1] = ' ';

    static const char zeros[TAR_BLOCK];
    str_add_bytes(self, head, sizeof head);
    str_add_bytes(self, data, size);
    str_add_bytes(self, zeros, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
    return 0;
}

void
tar_end(str_t *self)
{
    static const char zeros[2 * TAR_BLOCK];
    str_add_bytes(self, zeros, sizeof zeros);
}

static bool
octal(const char *text, size_t len, uint64_t *ret_value)
{
    *ret_value = 0;
    size_t i = 0;
    for (; i < len && text[i] == ' '; i++)
        ;
    for (; i < len && text[i] >= '0' && text[i] <= '7'; i++)
        *ret_value = *ret_value * 8 + (uint64_t)(text[i] - '0');
    return i == len || text[i] == ' ' || text[i] == '\0';
}

int
tar_first_file(const void *tar, size_t size, const char **ret_data, size_t *ret_size, err_t **err)
{
    const char *head = tar;
    while (size >= TAR_BLOCK && head[AT_NAME]) {
        uint64_t length, sum;
        if (!octal(head + AT_SIZE, SIZE_LEN, &length) || !octal(head + AT_SUM, SUM_LEN, &sum) ||
            sum != checksum((const unsigned char *)head))
            return err_fail(err, ERR_INVALID, "the archive has a broken header");
        if (length > size - TAR_BLOCK)
            return err_fail(err, ERR_INVALID, "the archive is cut off");
        if (head[AT_TYPE] == '0' || head[AT_TYPE] == '\0') {
            *ret_data = head + TAR_BLOCK;
            *ret_size = (size_t)length;
            return 1;
        }
        size_t step = TAR_BLOCK + (size_t)(length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (step > size)
            step = size;
        head += step;
        size -= step;
    }
    return 0;
}
