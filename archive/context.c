/*  context: a folder as Docker's builder wants it: an uncompressed tar, without what a .dockerignore
 *  file leaves out. Piece by piece: nothing but one piece and the names of open folders is held.
 */
#include "archive/archive.h"
#include "archive/patterns.h"
#include "archive/tar.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PIECE_SIZE 65536
#define RULES_MAX (1024u * 1024) /* bytes of a .dockerignore file */
#define RULES_FILE ".dockerignore"

typedef struct {
    const char *folder;
    const char *file; /* the Dockerfile; "" for none */
    char *rules_file; /* in the folder; NULL when there is none */
    archive_patterns_t *patterns;
    archive_tar_t tar;
    size_t members;
} context_t;

#define AUTO_CONTEXT __attribute__((cleanup(context_done))) context_t

static void
context_done(context_t *self)
{
    archive_patterns_destroy(&self->patterns);
    free(self->rules_file);
}

/* ---------------------------------------------------------------------------------------- rules */

static int
read_rules(context_t *self, int fd, const char *name, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    if (file_read_fd(fd, name, RULES_MAX, &text, err) < 0)
        return -1;
    return archive_patterns_parse(text.data, &self->patterns, err);
}

/* The rules beside the Dockerfile win over those of the folder. */
static int
find_rules(context_t *self, err_t **err)
{
    char *const names[] = {str_format("%s" RULES_FILE, self->file), strdup(RULES_FILE)};
    int result = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_FREE char *name = names[i];
        AUTO_FREE char *path = str_format("%s/%s", self->folder, name);
        if (self->patterns || result < 0)
            continue;
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno != ENOENT)
            result = err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
        else if (fd >= 0 && (result = read_rules(self, fd, path, err)) < 0)
            err_wrap(err, "cannot use the rules in '%s'", path);
        else if (fd >= 0)
            self->rules_file = TAKE(name);
    }
    return result < 0 || self->patterns ? result : archive_patterns_parse("", &self->patterns, err);
}

/* The builder itself needs these two. */
static bool
is_left_out(const context_t *self, const char *path)
{
    if (strcmp(path, self->file) == 0 || (self->rules_file && !strcmp(path, self->rules_file)))
        return false;
    return archive_patterns_leave_out(self->patterns, path);
}

/* A folder above the Dockerfile, too. */
static bool
must_descend(const context_t *self, const char *path)
{
    size_t size = strlen(path);
    return archive_patterns_have_exceptions(self->patterns) ||
           (strncmp(self->file, path, size) == 0 && self->file[size] == '/');
}

/* -------------------------------------------------------------------------------------- members */

static int
put_file(context_t *self, int folder, const char *name, const char *path, err_t **err)
{
    AUTO_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
    if (archive_tar_header(&self->tar, path, &about, NULL, err) < 0)
        return -1;
    char piece[PIECE_SIZE];
    for (uint64_t left = (uint64_t)about.st_size; left > 0;) {
        ssize_t got = read(fd, piece, left < sizeof piece ? (size_t)left : sizeof piece);
        if (got <= 0)
            return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path,
                            got < 0 ? strerror(errno) : "it became shorter meanwhile");
        if (self->tar.put(self->tar.arg, piece, (size_t)got, err) < 0)
            return -1;
        left -= (uint64_t)got;
    }
    return archive_tar_pad(&self->tar, (uint64_t)about.st_size, err);
}

static int put_folder(context_t *self, const char *path, err_t **err);

/* One entry of an open folder; what is neither file, folder nor link has no place in an image. */
static int
put_entry(context_t *self, int folder, const char *name, const char *path, err_t **err)
{
    struct stat about;
    char target[PATH_MAX];
    if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) < 0)
        return err_fail(err, ERR_INVALID, "cannot look at '%s': %s", path, strerror(errno));
    bool out = is_left_out(self, path), is_folder = S_ISDIR(about.st_mode);
    if (out && !(is_folder && must_descend(self, path)))
        return 0;
    if (++self->members > ARCHIVE_MEMBERS_MAX || strlen(path) > ARCHIVE_PATH_MAX)
        return err_fail(err, ERR_LIMIT,
                        "it has more than %u files or a path longer than %u bytes: leave some out "
                        "with a '" RULES_FILE "' file",
                        ARCHIVE_MEMBERS_MAX, ARCHIVE_PATH_MAX);
    if (is_folder) {
        if (!out && archive_tar_header(&self->tar, path, &about, NULL, err) < 0)
            return -1;
        return put_folder(self, path, err);
    }
    if (S_ISREG(about.st_mode))
        return put_file(self, folder, name, path, err);
    if (!S_ISLNK(about.st_mode))
        return 0;
    ssize_t len = readlinkat(folder, name, target, sizeof target - 1);
    if (len < 0)
        return err_fail(err, ERR_INVALID, "cannot read the link '%s': %s", path, strerror(errno));
    target[len] = '\0';
    return archive_tar_header(&self->tar, path, &about, target, err);
}

static int
is_inside(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* In bytewise order, so that the same folder gives the same tar. path: in the context, "" for all
 * of it. */
static int
put_folder(context_t *self, const char *path, err_t **err)
{
    AUTO_FREE char *full = str_format("%s%s%s", self->folder, *path ? "/" : "", path);
    AUTO_FD int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **entries = NULL;
    int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, is_inside, by_bytes);
    if (count < 0)
        return err_fail(err, ERR_INVALID, "cannot read the folder '%s': %s", full, strerror(errno));
    int result = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        AUTO_FREE char *below = str_format("%s%s%s", path, *path ? "/" : "", name);
        if (result == 0)
            result = put_entry(self, fd, name, below, err);
        free(entries[i]);
    }
    free(entries);
    return result;
}

int
archive_context_pack(const char *folder, const char *file, archive_put_fn *put, void *arg,
                     err_t **err)
{
    AUTO_CONTEXT self = {.folder = folder, .file = file ? file : "", .tar = {put, arg}};
    if ((file ? find_rules(&self, err) : archive_patterns_parse("", &self.patterns, err)) < 0 ||
        put_folder(&self, "", err) < 0 || archive_tar_end(&self.tar, err) < 0)
        return err_wrap(err, "cannot pack the build context '%s'", folder);
    return 0;
}
