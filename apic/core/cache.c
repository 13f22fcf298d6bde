/*  cache: see cache.h. */
#include "apic/core/cache.h"

#include "apic/core/internal.h"
#include "archive/archive.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define DEPTH_MAX 64 /* folders in folders of a tree */

/* One tree, as the folder has it. */
typedef struct {
    char *name;
    uint64_t bytes;
    time_t used;
} tree_t;

/* ---------------------------------------------------------------------------------------- copying */

static int
copy_file(int from, int to, const char *name, mode_t mode, uint64_t *bytes, err_t **err)
{
    AUTO_FD int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_FD int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
    if (in < 0 || out < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot copy '%s': %s", name, strerror(errno));
    for (;;) {
        char part[65536];
        const ssize_t got = read(in, part, sizeof part);
        if (got == 0)
            return 0;
        if (got < 0 || write(out, part, (size_t)got) != got)
            return err_fail(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNKNOWN, "cannot copy '%s': %s",
                            name, strerror(errno));
        *bytes += (uint64_t)got;
        if (*bytes > CACHE_TREE_MAX)
            return err_fail(err, ERR_LIMIT, "it has more than %llu MiB",
                            (unsigned long long)(CACHE_TREE_MAX >> 20));
    }
}

static int
copy_link(int from, int to, const char *name, err_t **err)
{
    char target[PATH_MAX];
    const ssize_t size = readlinkat(from, name, target, sizeof target - 1);
    if (size >= 0)
        target[size] = 0;
    if (size < 0 || symlinkat(target, to, name) < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot copy the link '%s': %s", name, strerror(errno));
    return 0;
}

static int copy_folder(int from, const char *name, int to, const char *new_name, mode_t mode,
                       int depth, uint64_t *bytes, err_t **err);

static int
copy_one(int from, int to, const char *name, int depth, uint64_t *bytes, err_t **err)
{
    struct stat about;
    if (fstatat(from, name, &about, AT_SYMLINK_NOFOLLOW) < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot copy '%s': %s", name, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return copy_folder(from, name, to, name, about.st_mode, depth + 1, bytes, err);
    if (S_ISLNK(about.st_mode))
        return copy_link(from, to, name, err);
    return S_ISREG(about.st_mode) ? copy_file(from, to, name, about.st_mode, bytes, err) : 0;
}

static int
copy_content(int from, int to, int depth, uint64_t *bytes, err_t **err)
{
    const int again = fcntl(from, F_DUPFD_CLOEXEC, 0);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    if (!folder) {
        if (again >= 0)
            close(again);
        return err_fail(err, ERR_UNKNOWN, "cannot list a folder: %s", strerror(errno));
    }
    int rc = 0;
    for (const struct dirent *entry; rc == 0 && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = copy_one(from, to, entry->d_name, depth, bytes, err);
    closedir(folder);
    return rc;
}

static int
copy_folder(int from, const char *name, int to, const char *new_name, mode_t mode, int depth,
            uint64_t *bytes, err_t **err)
{
    if (depth > DEPTH_MAX)
        return err_fail(err, ERR_LIMIT, "it is more than %d folders deep", DEPTH_MAX);
    AUTO_FD int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (in >= 0 && mkdirat(to, new_name, mode & 0777) < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot make '%s': %s", new_name, strerror(errno));
    AUTO_FD int out =
        in < 0 ? -1 : openat(to, new_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0 || out < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot open '%s': %s", name, strerror(errno));
    return copy_content(in, out, depth, bytes, err);
}

/* to is made; on failure nothing is left of it. */
static int
copy_tree(const char *from, const char *to, uint64_t *ret_bytes, err_t **err)
{
    *ret_bytes = 0;
    const int rc = copy_folder(AT_FDCWD, from, AT_FDCWD, to, 0755, 0, ret_bytes, err);
    if (rc < 0)
        file_remove_tree(to, NULL);
    return rc;
}

/* ------------------------------------------------------------------------------------------ names */

static bool
is_commit(const char *text)
{
    return strlen(text) == CACHE_COMMIT_LEN && strspn(text, "0123456789abcdef") == CACHE_COMMIT_LEN;
}

static char *
tree_path(const cache_t *self, const char *url, const char *commit, bool is_private)
{
    char hash[ARCHIVE_SHA1_SIZE];
    archive_sha1(url, strlen(url), hash);
    return str_format("%s/trees/%s-%s-%s", self->folder, hash, commit,
                      is_private ? "private" : "open");
}

static char *
ref_path(const cache_t *self, const char *url, const char *version)
{
    char hash[ARCHIVE_SHA1_SIZE];
    AUTO_FREE char *both = str_format("%s\n%s", url, version);
    archive_sha1(both, strlen(both), hash);
    return str_format("%s/refs/%s", self->folder, hash);
}

/* The lock (yours, close()); -1 when there is no cache. kind: LOCK_SH or LOCK_EX. */
static int
lock(const cache_t *self, int kind)
{
    if (!self->folder || !self->folder[0])
        return -1;
    AUTO_FREE char *path = str_format("%s/lock", self->folder);
    AUTO_FREE char *trees = str_format("%s/trees", self->folder);
    AUTO_FREE char *refs = str_format("%s/refs", self->folder);
    AUTO(err) err = NULL;
    if (core_folder_make(trees, &err) < 0 || core_folder_make(refs, &err) < 0) {
        log_err(LOG_WARN, "cache.not_used", err, "folder=%s", self->folder);
        return -1;
    }
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = fd < 0 ? -1 : 0;
    while (fd >= 0 && (rc = flock(fd, kind)) < 0 && errno == EINTR)
        ;
    if (rc == 0)
        return fd;
    log_warn("cache.not_locked", "path=%s error=%s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --------------------------------------------------------------------------------------- versions */

int
cache_version(const cache_t *self, const char *url, const char *version,
              char ret_commit[CACHE_COMMIT_LEN + 1], time_t *ret_when)
{
    AUTO_FD int held = lock(self, LOCK_SH);
    if (held < 0)
        return 0;
    AUTO_FREE char *path = ref_path(self, url, version);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0 || read(fd, ret_commit, CACHE_COMMIT_LEN) < 0)
        return 0;
    ret_commit[CACHE_COMMIT_LEN] = 0;
    *ret_when = about.st_mtime;
    return is_commit(ret_commit);
}

/* Under the lock, alone. */
static void
write_version(const cache_t *self, const char *url, const char *version, const char *commit)
{
    AUTO_FREE char *path = ref_path(self, url, version);
    AUTO_FREE char *fresh = str_format("%s.new", path);
    AUTO_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, commit, CACHE_COMMIT_LEN) != (ssize_t)CACHE_COMMIT_LEN ||
        rename(fresh, path) < 0)
        log_warn("cache.version_not_kept", "url=%s error=%s", url, strerror(errno));
}

void
cache_put_version(const cache_t *self, const char *url, const char *version, const char *commit)
{
    AUTO_FD int held = lock(self, LOCK_EX);
    if (held >= 0)
        write_version(self, url, version, commit);
}

/* ------------------------------------------------------------------------------------------ trees */

int
cache_take(const cache_t *self, const char *url, const char *commit, bool with_private,
           const char *to)
{
    AUTO_FD int held = is_commit(commit) ? lock(self, LOCK_SH) : -1;
    if (held < 0)
        return 0;
    for (int is_private = 0; is_private <= with_private; is_private++) {
        AUTO_FREE char *path = tree_path(self, url, commit, is_private);
        AUTO(err) err = NULL;
        uint64_t bytes;
        if (access(path, F_OK) < 0)
            continue;
        if (copy_tree(path, to, &bytes, &err) == 0) {
            utimensat(AT_FDCWD, path, NULL, 0); /* it was used now */
            return 1;
        }
        log_err(LOG_WARN, "cache.not_read", err, "url=%s commit=%s", url, commit);
    }
    return 0;
}

static void
write_size(const char *path, uint64_t bytes)
{
    AUTO_FREE char *name = str_format("%s.size", path);
    FILE *file = fopen(name, "we");
    if (!file)
        return;
    fprintf(file, "%llu\n", (unsigned long long)bytes);
    fclose(file);
}

static uint64_t
read_size(const char *path)
{
    AUTO_FREE char *name = str_format("%s.size", path);
    FILE *file = fopen(name, "re");
    unsigned long long bytes = CACHE_TREE_MAX; /* nobody knows: it is the first to go */
    if (!file)
        return bytes;
    if (fscanf(file, "%llu", &bytes) != 1)
        bytes = CACHE_TREE_MAX;
    fclose(file);
    return bytes;
}

static int
by_use(const void *a, const void *b)
{
    const tree_t *one = a, *two = b;
    return one->used < two->used ? -1 : one->used > two->used;
}

static void
drop_tree(const char *path)
{
    AUTO_FREE char *size = str_format("%s.size", path);
    file_remove_tree(path, NULL);
    unlink(size);
}

/* All trees. */
static tree_t *
list_trees(const char *folder, size_t *ret_count, uint64_t *ret_bytes)
{
    DIR *dir = opendir(folder);
    tree_t *trees = NULL;
    *ret_count = 0;
    *ret_bytes = 0;
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        AUTO_FREE char *path = str_format("%s/%s", folder, entry->d_name);
        struct stat about;
        if (entry->d_name[0] == '.' || stat(path, &about) < 0 || !S_ISDIR(about.st_mode))
            continue;
        tree_t *grown = realloc(trees, (*ret_count + 1) * sizeof *trees);
        if (!grown)
            abort();
        trees = grown;
        trees[*ret_count] = (tree_t){TAKE(path), 0, about.st_mtime};
        trees[*ret_count].bytes = read_size(trees[*ret_count].name);
        *ret_bytes += trees[(*ret_count)++].bytes;
    }
    if (dir)
        closedir(dir);
    return trees;
}

/* Under the lock, alone: makes room for so many bytes. */
static void
make_room(const cache_t *self, uint64_t bytes)
{
    AUTO_FREE char *folder = str_format("%s/trees", self->folder);
    const uint64_t most = self->bytes_max ? self->bytes_max : CACHE_BYTES_MAX;
    size_t count;
    uint64_t all;
    tree_t *trees = list_trees(folder, &count, &all);
    if (count)
        qsort(trees, count, sizeof *trees, by_use);
    for (size_t i = 0; i < count; i++) {
        if (all + bytes > most) {
            drop_tree(trees[i].name);
            all -= trees[i].bytes;
        }
        free(trees[i].name);
    }
    free(trees);
}

void
cache_put(const cache_t *self, const char *url, const char *version, const char *commit,
          bool is_private, const char *tree)
{
    AUTO_FD int held = is_commit(commit) ? lock(self, LOCK_EX) : -1;
    if (held < 0)
        return;
    AUTO_FREE char *path = tree_path(self, url, commit, is_private);
    AUTO_FREE char *fresh = str_format("%s/new", self->folder);
    AUTO(err) err = NULL;
    uint64_t bytes;
    if (access(path, F_OK) < 0) {
        file_remove_tree(fresh, NULL); /* of one who was killed */
        if (copy_tree(tree, fresh, &bytes, &err) < 0) {
            log_err(LOG_INFO, "cache.not_kept", err, "url=%s commit=%s", url, commit);
            return;
        }
        make_room(self, bytes);
        write_size(path, bytes);
        if (rename(fresh, path) < 0)
            log_warn("cache.not_kept", "url=%s error=%s", url, strerror(errno));
    }
    write_version(self, url, version, commit);
}
