/*  inspect: what is in a files artifact, with the text of small text files. */
#include "apic/core/internal.h"

#include "archive/archive.h"
#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

#define LINE_MAX_BYTES 65536u /* longer lines are no text */

typedef struct {
    core_member_fn *fn;
    void *arg;
    uint64_t previewed; /* bytes so far */
} inspection_t;

/* Letters, marks, numbers, punctuation, symbols and the plain space: what Go calls printable. */
static bool
is_printable(uint32_t c)
{
    if (c < 0x80)
        return c >= 0x20 && c < 0x7f;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
        return false;
    default:
        return true;
    }
}

/* The data with "\n" line ends, if it is text; the text grows by it. */
static bool
to_text(const char *data, size_t size, str_t *text)
{
    size_t line = 0;
    for (size_t at = 0; at < size;) {
        if (data[at] == '\r' && at + 1 < size && data[at + 1] == '\n')
            at++;
        if (data[at] == '\n') {
            str_add_char(text, '\n');
            line = 0;
            at++;
            continue;
        }
        uint32_t c;
        size_t len = utf8_get(data + at, size - at, &c);
        if (c == UTF8_BAD && len == 1)
            return false;
        line += len;
        if (!is_printable(c) || line > LINE_MAX_BYTES)
            return false;
        str_add_bytes(text, data + at, len);
        at += len;
    }
    return true;
}

static int
on_member(void *arg, const archive_member_t *member, archive_reader_t *reader, err_t **err)
{
    inspection_t *self = arg;
    if (member->is_directory) {
        AUTO_FREE char *path = str_format("%s/", member->path);
        self->fn(self->arg, path, 0, NULL);
        return 0;
    }
    if (member->size > CORE_PREVIEW_MAX || self->previewed + member->size > CORE_PREVIEWS_MAX) {
        self->fn(self->arg, member->path, member->size, NULL);
        return 0;
    }
    size_t size = 0;
    AUTO_FREE char *data = malloc(member->size + 1);
    if (!data)
        abort();
    while (size < member->size) {
        ssize_t got = archive_reader_read(reader, data + size, member->size - size, err);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    AUTO_STR text = STR_EMPTY;
    bool is_text = to_text(data, size, &text);
    if (is_text)
        self->previewed += size;
    self->fn(self->arg, member->path, member->size, is_text ? text.data : NULL);
    return 0;
}

int
core_artifact_inspect(core_t *self, const char *identifier, core_member_fn *fn, void *arg,
                      err_t **err)
{
    AUTO_FD int fd = -1;
    if (core_artifact_open(self, identifier, &fd, err) < 0)
        return -1;
    AUTO_FREE char *path = str_format("/proc/self/fd/%d", fd);
    inspection_t inspection = {.fn = fn, .arg = arg};
    if (archive_tgz_walk(path, on_member, &inspection, err) < 0)
        return err_wrap(err, "cannot read files artifact '%s'", identifier);
    return 0;
}
