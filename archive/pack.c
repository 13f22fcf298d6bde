/*  pack: a tree, a file or files in memory become one gzip-compressed tar; see archive.h.
 *
 *  First the tree is listed (names only, ignore rules applied), then sorted, then each entry is
 * read once and given both to the archive and to the content hash.
 */
#include "archive/archive.h"
#include "archive/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define PART_SIZE 65536

/* ----------------------------------------------------------------------------------------- gzip */

struct archive_gzip {
    char *path;
    gzFile file;
    bool ended;
};

int
archive_gzip_new(const char *path, archive_gzip_t **ret_gzip, err_t **err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "wb");
    if (!file) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return err_fail(err, ERR_INVALID, "cannot create '%s': %s", path, strerror(error));
    }
    archive_gzip_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->path = strdup(path);
    self->file = file;
    *ret_gzip = self;
    return 0;
}

static int
gzip_fail(archive_gzip_t *self, err_t **err)
{
    int code;
    const char *why = gzerror(self->file, &code);
    return err_fail(err, ERR_LIMIT, "cannot write '%s': %s", self->path,
                    code == Z_ERRNO ? strerror(errno) : why);
}

int
archive_gzip_add(archive_gzip_t *self, const void *data, size_t size, err_t **err)
{
    for (const char *at = data; size > 0;) {
        unsigned part = size > PART_SIZE ? PART_SIZE : (unsigned)size;
        if (gzwrite(self->file, at, part) != (int)part)
            return gzip_fail(self, err);
        at += part, size -= part;
    }
    return 0;
}

int
archive_gzip_end(archive_gzip_t *self, err_t **err)
{
    int result = gzclose(TAKE(self->file));
    if (result != Z_OK)
        return err_fail(err, ERR_LIMIT, "cannot write '%s': %s", self->path,
                        result == Z_ERRNO ? strerror(errno) : zError(result));
    self->ended = true;
    return 0;
}

void
archive_gzip_destroy(archive_gzip_t **self_p)
{
    archive_gzip_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->file)
        gzclose(self->file);
    if (!self->ended)
        unlink(self->path);
    free(self->path);
    free(self);
}

/* ----------------------------------------------------------------------------- the archive file */

typedef struct {
    archive_gzip_t *gzip;
    const char *path; /* of the archive; lent */
    uint64_t size_max;
    archive_digest_t digest;
    archive_tar_t tar;
} writer_t;

#define AUTO_WRITER __attribute__((cleanup(writer_done))) writer_t

static int writer_put(void *arg, const void *data, size_t size, err_t **err);

static void
writer_done(writer_t *self)
{
    archive_gzip_destroy(&self->gzip);
}

static int
writer_init(writer_t *self, const char *path, uint64_t size_max, err_t **err)
{
    *self = (writer_t){.path = path, .size_max = size_max, .tar = {writer_put, self}};
    archive_digest_init(&self->digest, ARCHIVE_MD5);
    return archive_gzip_new(path, &self->gzip, err);
}

static int
writer_check_size(writer_t *self, uint64_t size, err_t **err)
{
    if (size < self->size_max)
        return 0;
    return err_fail(err, ERR_LIMIT,
                    "the files, which are now compressed, exceed or reach %llu MiB; upload less, "
                    "or leave files "
                    "out with a '" ARCHIVE_IGNORE_FILE "' file",
                    (unsigned long long)(self->size_max >> 20));
}

static int
writer_put(void *arg, const void *data, size_t size, err_t **err)
{
    writer_t *self = arg;
    if (archive_gzip_add(self->gzip, data, size, err) < 0)
        return -1;
    return writer_check_size(self, (uint64_t)gzoffset(self->gzip->file), err);
}

static int
writer_end(writer_t *self, char *ret_md5, err_t **err)
{
    if (archive_tar_end(&self->tar, err) < 0 || archive_gzip_end(self->gzip, err) < 0)
        return -1;
    struct stat about;
    if (stat(self->path, &about) < 0)
        return err_fail(err, ERR_INTERNAL, "cannot look at '%s': %s", self->path, strerror(errno));
    if (writer_check_size(self, (uint64_t)about.st_size, err) < 0) {
        unlink(self->path);
        return -1;
    }
    if (ret_md5)
        archive_digest_end(&self->digest, ret_md5);
    return 0;
}

/* Name of an entry as the hash sees it. */
static void
hash_name(writer_t *self, const char *relative)
{
    if (*relative) {
        archive_digest_add(&self->digest, "/", 1);
        archive_digest_add(&self->digest, relative, strlen(relative));
    }
}

/* ------------------------------------------------------------------------------- listing a tree */

typedef struct {
    const char *root;
    char real_root[PATH_MAX];
    const archive_ignore_t *ignore;
    bool only_packable; /* what cannot be carried is left out */
    char **paths;       /* relative to root */
    size_t count, space;
} tree_t;

static void
tree_done(tree_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->paths[i]);
    free(self->paths);
}

static int
tree_add(tree_t *self, char *path, err_t **err)
{
    if (self->count == ARCHIVE_MEMBERS_MAX || strlen(path) > ARCHIVE_PATH_MAX) {
        free(path);
        return err_fail(err, ERR_LIMIT,
                        "'%s' has more than %u files or a path longer than %u bytes", self->root,
                        ARCHIVE_MEMBERS_MAX, ARCHIVE_PATH_MAX);
    }
    if (self->count == self->space) {
        self->space = self->space ? self->space * 2 : 64;
        self->paths = realloc(self->paths, self->space * sizeof *self->paths);
        if (!self->paths)
            abort();
    }
    self->paths[self->count++] = path;
    return 0;
}

/* A link must stay within the tree. ret_target and ret_real: PATH_MAX each. */
static int
read_link(const tree_t *self, const char *path, char *ret_target, char *ret_real, err_t **err)
{
    ssize_t len = readlink(path, ret_target, PATH_MAX - 1);
    if (len < 0)
        return err_fail(err, ERR_INVALID, "cannot read the link '%s': %s", path, strerror(errno));
    ret_target[len] = '\0';
    if (!realpath(path, ret_real))
        return err_fail(err, ERR_INVALID, "the link '%s' leads to '%s', which cannot be read: %s",
                        path, ret_target, strerror(errno));
    size_t root_len = strlen(self->real_root);
    if (*ret_target == '/' || strncmp(ret_real, self->real_root, root_len) ||
        (ret_real[root_len] && ret_real[root_len] != '/'))
        return err_fail(err, ERR_INVALID,
                        "the link '%s' leads to '%s', out of the directory '%s'; only links that "
                        "stay within it "
                        "can be packed",
                        path, ret_target, self->root);
    return 0;
}

static bool
is_packable(const tree_t *self, const char *relative, mode_t mode)
{
    char target[PATH_MAX], real[PATH_MAX];
    AUTO_FREE char *path = str_format("%s/%s", self->root, relative);
    return S_ISLNK(mode) ? read_link(self, path, target, real, NULL) == 0
                         : S_ISREG(mode) || S_ISDIR(mode);
}

static int
tree_list(tree_t *self, const char *folder, err_t **err)
{
    AUTO_FREE char *full = str_format("%s%s%s", self->root, *folder ? "/" : "", folder);
    DIR *entries = opendir(full);
    if (!entries)
        return err_fail(err, ERR_INVALID, "cannot read the directory '%s': %s", full,
                        strerror(errno));
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(entries));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char *path = str_format("%s%s%s", folder, *folder ? "/" : "", entry->d_name);
        struct stat about;
        if (fstatat(dirfd(entries), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0) {
            result = err_fail(err, ERR_INVALID, "cannot look at '%s/%s': %s", self->root, path,
                              strerror(errno));
            free(path);
        } else if (archive_ignore_matches(self->ignore, path, S_ISDIR(about.st_mode)) ||
                   (self->only_packable && !is_packable(self, path, about.st_mode))) {
            free(path);
        } else {
            result = tree_add(self, path, err);
            if (result == 0 && S_ISDIR(about.st_mode))
                result = tree_list(self, path, err);
        }
    }
    closedir(entries);
    return result;
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ------------------------------------------------------------------------------------ one entry */

/* Reads size bytes of an open file into the hash and, when to_tar, the archive. */
static int
copy_file(writer_t *self, int fd, const char *path, uint64_t size, bool to_tar, err_t **err)
{
    char part[PART_SIZE];
    for (uint64_t left = size; left > 0;) {
        ssize_t got = read(fd, part, left < sizeof part ? (size_t)left : sizeof part);
        if (got < 0)
            return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
        if (got == 0)
            return err_fail(err, ERR_INVALID, "'%s' became shorter while it was being read", path);
        archive_digest_add(&self->digest, part, (size_t)got);
        if (to_tar && writer_put(self, part, (size_t)got, err) < 0)
            return -1;
        left -= (uint64_t)got;
    }
    return to_tar ? archive_tar_pad(&self->tar, size, err) : 0;
}

static int
pack_regular(writer_t *self, const char *path, const char *name, err_t **err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return err_fail(err, ERR_INVALID, "'%s' is no regular file any more", path);
    if (archive_tar_header(&self->tar, name, &about, NULL, err) < 0)
        return -1;
    return copy_file(self, fd, path, (uint64_t)about.st_size, true, err);
}

/* A link is carried as a link; its target's bytes go into the hash. */
static int
pack_link(writer_t *self, const tree_t *tree, const char *path, const char *name,
          const struct stat *about, err_t **err)
{
    char target[PATH_MAX], real[PATH_MAX];
    if (read_link(tree, path, target, real, err) < 0)
        return -1;
    if (archive_tar_header(&self->tar, name, about, target, err) < 0)
        return -1;
    AUTO_FD int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat real_about;
    if (fd < 0 || fstat(fd, &real_about) < 0)
        return err_fail(err, ERR_INVALID, "cannot read '%s': %s", real, strerror(errno));
    if (!S_ISREG(real_about.st_mode))
        return 0;
    return copy_file(self, fd, real, (uint64_t)real_about.st_size, false, err);
}

static int
pack_entry(writer_t *self, const tree_t *tree, const char *name, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/%s", tree->root, name);
    struct stat about;
    if (lstat(path, &about) < 0)
        return err_fail(err, ERR_INVALID, "cannot look at '%s': %s", path, strerror(errno));
    hash_name(self, name);
    if (S_ISREG(about.st_mode))
        return pack_regular(self, path, name, err);
    if (S_ISLNK(about.st_mode))
        return pack_link(self, tree, path, name, &about, err);
    if (S_ISDIR(about.st_mode))
        return archive_tar_header(&self->tar, name, &about, NULL, err);
    return err_fail(err, ERR_INVALID, "'%s' is a socket, pipe or device and cannot be packed",
                    path);
}

static int
pack_tree(writer_t *self, const char *root, bool only_packable, err_t **err)
{
    AUTO(archive_ignore) ignore = NULL;
    if (archive_ignore_read(root, &ignore, err) < 0)
        return -1;
    __attribute__((cleanup(tree_done)))
    tree_t tree = {.root = root, .ignore = ignore, .only_packable = only_packable};
    if (!realpath(root, tree.real_root))
        return err_fail(err, ERR_INVALID, "cannot find '%s': %s", root, strerror(errno));
    if (tree_list(&tree, "", err) < 0)
        return -1;
    if (tree.count)
        qsort(tree.paths, tree.count, sizeof *tree.paths, by_bytes);
    for (size_t i = 0; i < tree.count; i++)
        if (pack_entry(self, &tree, tree.paths[i], err) < 0)
            return -1;
    return 0;
}

/* ----------------------------------------------------------------------------------- the public */

static int
pack(const char *path, const char *archive, uint64_t size_max, bool only_packable, char *ret_md5,
     err_t **err)
{
    struct stat about;
    if (stat(path, &about) < 0)
        return err_fail(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "cannot pack '%s': %s",
                        path, strerror(errno));
    AUTO_WRITER writer;
    if (writer_init(&writer, archive, size_max, err) < 0)
        return err_wrap(err, "cannot pack '%s'", path);
    int result;
    if (S_ISDIR(about.st_mode)) {
        result = pack_tree(&writer, path, only_packable, err);
    } else if (S_ISREG(about.st_mode)) {
        const char *slash = strrchr(path, '/');
        result = pack_regular(&writer, path, slash ? slash + 1 : path, err);
    } else {
        result = err_fail(err, ERR_INVALID, "it is neither a file nor a directory");
    }
    if (result < 0 || writer_end(&writer, ret_md5, err) < 0)
        return err_wrap(err, "cannot pack '%s'", path);
    return 0;
}

int
archive_tgz_pack(const char *path, const char *archive, uint64_t size_max,
                 char ret_md5[ARCHIVE_MD5_SIZE], err_t **err)
{
    return pack(path, archive, size_max, false, ret_md5, err);
}

int
archive_tgz_pack_package(const char *folder, const char *archive, uint64_t size_max, err_t **err)
{
    return pack(folder, archive, size_max, true, NULL, err);
}

static bool
is_clean(const char *path)
{
    if (!*path || strlen(path) > ARCHIVE_PATH_MAX)
        return false;
    for (const char *at = path;;) {
        size_t len = strcspn(at, "/");
        if (len == 0 || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        if (!at[len])
            return true;
        at += len + 1;
    }
}

/* The path of every file and of every directory above one, sorted, each once. */
static int
list_files(tree_t *tree, const archive_file_t *files, size_t count, err_t **err)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_clean(files[i].path))
            return err_fail(
                err, ERR_INVALID,
                "'%s' cannot be a path in an archive: it must be relative, without '.' and '..'",
                files[i].path);
        for (const char *slash = files[i].path; (slash = strchr(slash, '/')); slash++)
            if (tree_add(tree, strndup(files[i].path, (size_t)(slash - files[i].path)), err) < 0)
                return -1;
        if (tree_add(tree, strdup(files[i].path), err) < 0)
            return -1;
    }
    if (tree->count)
        qsort(tree->paths, tree->count, sizeof *tree->paths, by_bytes);
    return 0;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const archive_file_t *)a)->path, ((const archive_file_t *)b)->path);
}

static int
pack_memory(writer_t *self, const archive_file_t *files, size_t count, const tree_t *tree,
            err_t **err)
{
    for (size_t i = 0; i < tree->count; i++) {
        const char *name = tree->paths[i];
        archive_file_t key = {.path = name};
        const archive_file_t *file =
            count ? bsearch(&key, files, count, sizeof *files, by_path) : NULL;
        if (i > 0 && !strcmp(name, tree->paths[i - 1])) {
            if (file)
                return err_fail(err, ERR_INVALID, "'%s' is there twice, or as file and directory",
                                name);
            continue;
        }
        struct stat about = {.st_mode = file ? S_IFREG | 0644 : S_IFDIR | 0755,
                             .st_size = file ? (off_t)file->size : 0};
        hash_name(self, name);
        if (archive_tar_header(&self->tar, name, &about, NULL, err) < 0)
            return -1;
        if (file && file->size) {
            archive_digest_add(&self->digest, file->data, file->size);
            if (writer_put(self, file->data, file->size, err) < 0 ||
                archive_tar_pad(&self->tar, file->size, err) < 0)
                return -1;
        }
    }
    return 0;
}

int
archive_tgz_pack_files(const archive_file_t *files, size_t count, const char *archive,
                       char ret_md5[ARCHIVE_MD5_SIZE], err_t **err)
{
    __attribute__((cleanup(tree_done))) tree_t tree = {.root = "the files"};
    if (list_files(&tree, files, count, err) < 0)
        return -1;
    AUTO_FREE archive_file_t *sorted = calloc(count ? count : 1, sizeof *sorted);
    if (!sorted)
        abort();
    if (count) {
        memcpy(sorted, files, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_path);
    }
    AUTO_WRITER writer;
    if (writer_init(&writer, archive, UINT64_MAX, err) < 0 ||
        pack_memory(&writer, sorted, count, &tree, err) < 0)
        return err_wrap(err, "cannot pack %zu files", count);
    return writer_end(&writer, ret_md5, err);
}
