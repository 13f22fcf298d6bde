/*  keep: see logs.h. Age is that of the last write to a file: nothing is read.
 *
 *  Hot files that a writer has open are locked, and stay. What is left of a log without lines goes with its folder.
 */
#include "base/clock.h"
#include "base/file.h"
#include "logs/chunk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* ----------------------------------------------------------------------------------------- tree */

static bool
is_folder(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Names in a folder that may be UUIDs; an empty list when it is not there. */
static char **
names_in(const char *path, size_t *ret_count)
{
    DIR *folder = opendir(path);
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        AUTO_FREE char *inside = str_format("%s/%s", path, entry->d_name);
        if (!logs_name_is_valid(entry->d_name) || !is_folder(inside))
            continue;
        names = realloc(names, (count + 1) * sizeof *names);
        if (!names)
            abort();
        names[count++] = strdup(entry->d_name);
    }
    if (folder)
        closedir(folder);
    *ret_count = count;
    return names;
}

static void
names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

int
logs_each(const char *root,
          int (*fn)(void *arg, const char *enclave, const char *service, err_t **err), void *arg,
          err_t **err)
{
    size_t enclaves, services = 0;
    int result = 0;
    char **enclave = names_in(root, &enclaves);
    for (size_t i = 0; i < enclaves && result >= 0; i++) {
        AUTO_FREE char *path = str_format("%s/%s", root, enclave[i]);
        char **service = names_in(path, &services);
        for (size_t k = 0; k < services && result >= 0; k++)
            result = fn(arg, enclave[i], service[k], err);
        names_free(service, services);
    }
    names_free(enclave, enclaves);
    return result < 0 ? result : 0;
}

bool
logs_exists(const char *root, const char *enclave, const char *service)
{
    AUTO_FREE char *path = NULL;
    AUTO_FOLDER files = {0};
    return logs_folder_path(root, enclave, service, &path, NULL) == 0 &&
           logs_folder_read(path, &files, NULL) == 0 && files.hot_count + files.pack_count > 0;
}

char *
logs_meta(const char *root, const char *enclave, const char *service)
{
    AUTO_FREE char *folder = NULL;
    if (logs_folder_path(root, enclave, service, &folder, NULL) < 0)
        return NULL;
    AUTO_FREE char *path = str_format("%s/" LOGS_META, folder);
    AUTO_STR text = STR_EMPTY;
    if (file_read(path, LOGS_META_MAX, &text, NULL) < 0)
        return NULL;
    return str_take(&text);
}

int
logs_lock(const char *root, int *ret_fd, err_t **err)
{
    if (mkdir(root, 0700) < 0 && errno != EEXIST)
        return logs_file_failed("make the folder", root, err);
    AUTO_FREE char *path = str_format("%s/lock", root);
    AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return logs_file_failed("make", path, err);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return err_fail(err, ERR_STATE, "the log store '%s' is used by another driver", root);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* -------------------------------------------------------------------------------------- keeping */

/* A file that may go. */
typedef struct {
    char *path;
    int64_t time; /* of the last write */
    uint64_t size;
} old_t;

typedef struct {
    const char *root;
    const logs_limits_t *limits;
    old_t *list;
    size_t count;
    uint64_t bytes;
} keeping_t;

/* A hot file that a writer holds stays. */
static bool
is_held(const char *path)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static int
look_at_file(keeping_t *self, const char *path, bool may_go)
{
    struct stat info;
    if (lstat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    int64_t time = (int64_t)info.st_mtim.tv_sec * NS_PER_SECOND + info.st_mtim.tv_nsec;
    if (may_go && time < self->limits->oldest && unlink(path) == 0)
        return 1;
    self->bytes += (uint64_t)info.st_size;
    if (!may_go)
        return 0;
    if (self->count % 64 == 0) {
        self->list = realloc(self->list, (self->count + 64) * sizeof *self->list);
        if (!self->list)
            abort();
    }
    self->list[self->count++] = (old_t){strdup(path), time, (uint64_t)info.st_size};
    return 0;
}

/* Removes the folder of a log that has no lines any more, and its enclave's if that was the last. */
static void
drop_folder(const char *path)
{
    AUTO_FREE char *meta = str_format("%s/" LOGS_META, path), *draft = str_format("%s/new", path),
                   *parent = strdup(path);
    unlink(meta);
    unlink(draft);
    rmdir(path);
    *strrchr(parent, '/') = '\0';
    rmdir(parent);
}

static int
look_at_log(void *arg, const char *enclave, const char *service, err_t **err)
{
    keeping_t *self = arg;
    AUTO_FREE char *folder = NULL;
    AUTO_FOLDER files = {0};
    if (logs_folder_path(self->root, enclave, service, &folder, err) < 0 ||
        logs_folder_read(folder, &files, NULL) < 0)
        return 0;
    size_t gone = 0;
    for (size_t i = 0; i < files.pack_count; i++) {
        AUTO_FREE char *path = logs_path(folder, files.packs[i], LOGS_PACK);
        gone += (size_t)look_at_file(self, path, true);
    }
    for (size_t i = 0; i < files.hot_count; i++) {
        AUTO_FREE char *path = logs_path(folder, files.hots[i], LOGS_HOT);
        gone += (size_t)look_at_file(self, path, !is_held(path));
    }
    if (gone && gone == files.pack_count + files.hot_count)
        drop_folder(folder);
    return 0;
}

static int
by_time(const void *a, const void *b)
{
    const old_t *one = a, *other = b;
    return one->time < other->time ? -1 : one->time > other->time;
}

int
logs_keep(const char *root, const logs_limits_t *limits, uint64_t *ret_bytes, err_t **err)
{
    keeping_t self = {.root = root, .limits = limits};
    int result = logs_each(root, look_at_log, &self, err);
    if (self.count)
        qsort(self.list, self.count, sizeof *self.list, by_time);
    bool over = result == 0 && self.bytes > limits->quota;
    for (size_t i = 0; i < self.count; i++) {
        if (over && self.bytes > limits->quota - limits->quota / 10 &&
            unlink(self.list[i].path) == 0)
            self.bytes -= self.list[i].size;
        free(self.list[i].path);
    }
    free(self.list);
    if (ret_bytes)
        *ret_bytes = self.bytes;
    return result;
}

/* ------------------------------------------------------------------------------------- removing */

int
logs_remove(const char *root, const char *enclave, err_t **err)
{
    if (!logs_name_is_valid(enclave))
        return err_fail(err, ERR_INVALID, "'%.100s' is no UUID", enclave);
    AUTO_FREE char *path = str_format("%s/%s", root, enclave);
    return file_remove_tree(path, err);
}
