/*  path: slash-separated paths as text. */
#include "apic/packages/path.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* Drops the last element of out, but nothing before floor. */
static void
drop_last(str_t *out, size_t floor)
{
    while (out->len > floor && out->data[out->len - 1] != '/')
        out->len--;
    if (out->len > floor)
        out->len--;
    out->data[out->len] = '\0';
}

char *
packages_path_clean(const char *path)
{
    str_t out = STR_EMPTY;
    const bool rooted = path[0] == '/';
    size_t floor = 0; /* bytes that ".." may not take away */

    str_reserve(&out, strlen(path) + 1);
    if (rooted) {
        str_add_char(&out, '/');
        floor = 1;
    }
    for (const char *at = path; *at;) {
        const size_t size = strcspn(at, "/");
        if (size == 2 && at[0] == '.' && at[1] == '.') {
            if (out.len > floor) {
                drop_last(&out, floor);
            } else if (!rooted) {
                str_add(&out, out.len ? "/.." : "..");
                floor = out.len;
            }
        } else if (size && !(size == 1 && at[0] == '.')) {
            if (out.len > (size_t)rooted)
                str_add_char(&out, '/');
            str_add_bytes(&out, at, size);
        }
        at += size;
        at += strspn(at, "/");
    }
    if (!out.len)
        str_add_char(&out, '.');
    return str_take(&out);
}

char *
packages_path_join(const char *one, const char *two)
{
    AUTO_STR both = STR_EMPTY;
    if (one[0] && two[0])
        str_printf(&both, "%s/%s", one, two);
    else
        str_add(&both, one[0] ? one : two);
    return packages_path_clean(both.data);
}

char *
packages_path_dir(const char *path)
{
    const char *last = strrchr(path, '/');
    AUTO_STR front = STR_EMPTY;
    if (last)
        str_add_bytes(&front, path, (size_t)(last - path) + 1);
    return packages_path_clean(front.data);
}

char *
packages_path_base(const char *path)
{
    size_t end = strlen(path);
    if (!end)
        return str_format(".");
    while (end > 0 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return end == 0 ? str_format("/") : str_format("%.*s", (int)(end - start), path + start);
}

bool
packages_path_within(const char *path, const char *prefix)
{
    const size_t size = strlen(prefix);
    return strncmp(path, prefix, size) == 0 && (path[size] == '\0' || path[size] == '/');
}
