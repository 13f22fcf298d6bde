/*  unpack: reading gzip-compressed tars that somebody else made; see archive.h.
 *
 *  Nothing in an archive is trusted: names are taken apart component by component and opened with
 * O_NOFOLLOW from the folder's descriptor, members and bytes are counted.
 */
#include "archive/archive.h"
#include "archive/symlinks.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PART_SIZE 65536

struct archive_reader {
    struct archive *tar;
    const char *path; /* of the archive; lent */
    uint64_t bytes;   /* read so far */
    symlinks_t symlinks;
    const archive_stack_t *below; /* what it is unpacked on; NULL for nothing */
    /* An uncompressed tar that comes by take; NULL for an archive on the disk. */
    archive_take_fn *take;
    void *take_arg;
    err_t **take_err;
    bool take_failed;
    char *piece;
};

/* The links of one archive. */
typedef struct {
    char *name;
    symlinks_t symlinks;
} layer_t;

struct archive_stack {
    layer_t *layers; /* those that have links */
    size_t count, links;
};

static int walk(archive_reader_t *reader, archive_member_fn *fn, void *arg, err_t **err);

static void
reader_done(archive_reader_t *self)
{
    if (self->tar)
        archive_read_free(self->tar);
    symlinks_done(&self->symlinks);
    free(self->piece);
}

static int
reader_init(archive_reader_t *self, const char *path, err_t **err)
{
    self->path = path;
    self->tar = archive_read_new();
    if (!self->tar)
        abort();
    archive_read_support_filter_gzip(self->tar);
    archive_read_support_format_tar(self->tar);
    struct stat about;
    if (stat(path, &about) < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot read the archive '%s': %s", path,
                        strerror(errno));
    if (archive_read_open_filename(self->tar, path, PART_SIZE) != ARCHIVE_OK)
        return err_fail(err, ERR_INVALID, "'%s' is no gzip-compressed tar archive: %s", path,
                        archive_error_string(self->tar));
    return 0;
}

/* Why libarchive could not go on: what take said, or what is wrong with the archive. */
static int
damaged(const archive_reader_t *self, err_t **err)
{
    return self->take_failed ? -1
                             : err_fail(err, ERR_INVALID, "the archive '%s' is damaged: %s",
                                        self->path, archive_error_string(self->tar));
}

ssize_t
archive_reader_read(archive_reader_t *self, void *data, size_t size, err_t **err)
{
    la_ssize_t got = archive_read_data(self->tar, data, size);
    if (got < 0)
        return damaged(self, err);
    self->bytes += (uint64_t)got;
    if (self->bytes > ARCHIVE_UNPACKED_MAX)
        return err_fail(err, ERR_LIMIT, "the archive '%s' unpacks to more than %llu bytes",
                        self->path, (unsigned long long)ARCHIVE_UNPACKED_MAX);
    return got;
}

/* "./a//b/" -> "a/b"; "" for the root itself; negative for what would leave it. */
static int
clean_name(const char *name, char ret_name[ARCHIVE_PATH_MAX + 1])
{
    size_t len = 0;
    for (const char *at = name; *at;) {
        size_t part = strcspn(at, "/");
        bool dot = part == 1 && at[0] == '.';
        if (part == 2 && at[0] == '.' && at[1] == '.') {
            if (len == 0)
                return -1;
            while (len > 0 && ret_name[--len] != '/')
                ;
        } else if (part > 0 && !dot) {
            if (len + part + 2 > ARCHIVE_PATH_MAX)
                return -1;
            if (len > 0)
                ret_name[len++] = '/';
            memcpy(ret_name + len, at, part);
            len += part;
        }
        at += part + (at[part] == '/');
    }
    ret_name[len] = '\0';
    return 0;
}

static const char *
entry_name(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    return name ? name : archive_entry_pathname_utf8(entry);
}

static const char *
entry_hardlink(struct archive_entry *entry)
{
    const char *name = archive_entry_hardlink(entry);
    return name ? name : archive_entry_hardlink_utf8(entry);
}

/* INVALID if a name passes through a symbolic link of an archive below. */
static int
check_below(const archive_reader_t *self, const char *name, err_t **err)
{
    for (size_t i = 0; self->below && i < self->below->count; i++) {
        const layer_t *layer = &self->below->layers[i];
        size_t passed = symlinks_passed(&layer->symlinks, name);
        if (passed > 0)
            return err_fail(err, ERR_INVALID,
                            "'%s' has a member '%s' that would be unpacked through '%.*s', which "
                            "is a symbolic link in '%s', wherever it leads",
                            self->path, name, (int)passed, name, layer->name);
    }
    return 0;
}

static bool
is_symlink(const archive_reader_t *self, const char *name)
{
    bool found = symlinks_has(&self->symlinks, name);
    for (size_t i = 0; !found && self->below && i < self->below->count; i++)
        found = symlinks_has(&self->below->layers[i].symlinks, name);
    return found;
}

/* Takes a name of the archive apart: INVALID if it would leave the destination, by itself or through a symbolic link. */
static int
take_name(const archive_reader_t *self, const char *raw, char ret_name[ARCHIVE_PATH_MAX + 1],
          err_t **err)
{
    if (!raw || clean_name(raw, ret_name) < 0)
        return err_fail(err, ERR_INVALID,
                        "the archive '%s' has a member '%s' that would leave the destination",
                        self->path, raw ? raw : "?");
    size_t passed = symlinks_passed(&self->symlinks, ret_name);
    if (passed > 0)
        return err_fail(err, ERR_INVALID,
                        "the archive '%s' has a member '%s' that would be unpacked through the "
                        "symbolic link '%.*s' of the same archive, wherever it leads",
                        self->path, raw, (int)passed, ret_name);
    return check_below(self, ret_name, err);
}

/* The clean name of an entry; what is or becomes a symbolic link (a hard link to one is one) is remembered. */
static int
take_entry(archive_reader_t *self, struct archive_entry *entry, char ret_name[ARCHIVE_PATH_MAX + 1],
           err_t **err)
{
    const char *hardlink = entry_hardlink(entry);
    char target[ARCHIVE_PATH_MAX + 1];
    if (take_name(self, entry_name(entry), ret_name, err) < 0 ||
        (hardlink && take_name(self, hardlink, target, err) < 0))
        return -1;
    if (hardlink ? !is_symlink(self, target) : archive_entry_filetype(entry) != AE_IFLNK)
        return 0;
    if (!*ret_name)
        return err_fail(err, ERR_INVALID,
                        "the archive '%s' would make a symbolic link of the destination itself",
                        self->path);
    if (symlinks_add(&self->symlinks, ret_name, err) < 0)
        return err_wrap(err, "cannot read the archive '%s'", self->path);
    return 0;
}

int
archive_tgz_walk(const char *archive, archive_member_fn *fn, void *arg, err_t **err)
{
    __attribute__((cleanup(reader_done))) archive_reader_t reader = {0};
    return reader_init(&reader, archive, err) < 0 ? -1 : walk(&reader, fn, arg, err);
}

static int
walk(archive_reader_t *reader, archive_member_fn *fn, void *arg, err_t **err)
{
    struct archive_entry *entry;
    for (unsigned count = 0;; count++) {
        int result = archive_read_next_header(reader->tar, &entry);
        if (result < ARCHIVE_WARN && reader->take)
            return damaged(reader, err);
        if (result < ARCHIVE_WARN)
            return err_fail(err, ERR_INVALID,
                            "'%s' is no gzip-compressed tar archive, or damaged: %s", reader->path,
                            archive_error_string(reader->tar));
        if (!reader->take && archive_filter_code(reader->tar, 0) != ARCHIVE_FILTER_GZIP)
            return err_fail(err, ERR_INVALID,
                            "'%s' is no gzip-compressed tar archive: it is a tar "
                            "that is not compressed",
                            reader->path);
        if (result == ARCHIVE_EOF)
            return 0;
        if (count == ARCHIVE_MEMBERS_MAX)
            return err_fail(err, ERR_LIMIT, "the archive '%s' has more than %u members",
                            reader->path, ARCHIVE_MEMBERS_MAX);
        char name[ARCHIVE_PATH_MAX + 1];
        if (take_entry(reader, entry, name, err) < 0)
            return -1;
        mode_t type = archive_entry_filetype(entry);
        bool is_link = reader->take && type == AE_IFLNK;
        if (!*name || entry_hardlink(entry) || (type != AE_IFREG && type != AE_IFDIR && !is_link))
            continue;
        const char *link = is_link ? archive_entry_symlink(entry) : NULL;
        archive_member_t member = {
            name, type == AE_IFDIR, type == AE_IFDIR ? 0 : (uint64_t)archive_entry_size(entry),
            archive_entry_perm(entry), is_link && !link ? "" : link};
        result = fn(arg, &member, reader, err);
        if (result < 0)
            return result;
    }
}

static int
pass_by(void *arg, const archive_member_t *member, archive_reader_t *reader, err_t **err)
{
    (void)arg;
    (void)member;
    (void)reader;
    (void)err;
    return 0;
}

int
archive_tgz_check(const char *archive, err_t **err)
{
    return archive_tgz_walk(archive, pass_by, NULL, err);
}

/* --------------------------------------------------------------------------------- one on another */

archive_stack_t *
archive_stack_new(void)
{
    archive_stack_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    return self;
}

void
archive_stack_destroy(archive_stack_t **self_p)
{
    archive_stack_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->layers[i].name);
        symlinks_done(&self->layers[i].symlinks);
    }
    free(self->layers);
    free(self);
}

bool
archive_stack_has_links(const archive_stack_t *self)
{
    return self->count > 0;
}

int
archive_stack_add(archive_stack_t *self, const char *archive, const char *name, err_t **err)
{
    __attribute__((cleanup(reader_done))) archive_reader_t reader = {.below = self};
    if (reader_init(&reader, archive, err) < 0)
        return -1;
    reader.path = name;
    if (walk(&reader, pass_by, NULL, err) < 0)
        return -1;
    if (reader.symlinks.count == 0)
        return 0;
    self->links += reader.symlinks.count;
    if (self->links > ARCHIVE_SYMLINKS_MAX)
        return err_fail(err, ERR_LIMIT, "there are more than %u symbolic links in all",
                        ARCHIVE_SYMLINKS_MAX);
    self->layers = realloc(self->layers, (self->count + 1) * sizeof *self->layers);
    if (!self->layers)
        abort();
    self->layers[self->count++] = (layer_t){.name = strdup(name), .symlinks = reader.symlinks};
    reader.symlinks = (symlinks_t){0};
    return 0;
}

/* -------------------------------------------------------------------------------------- to disk */

/* Opens the directory of a member below the folder, making what is missing; *ret_base is its last
 * component. */
static int
open_parent(int folder, const char *path, const char **ret_base, err_t **err)
{
    int at = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    const char *slash;
    while (at >= 0 && (slash = strchr(path, '/'))) {
        AUTO_FREE char *name = strndup(path, (size_t)(slash - path));
        if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
            break;
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            break;
        close(at);
        at = next;
        path = slash + 1;
    }
    if (at < 0 || strchr(path, '/')) {
        int error = errno;
        if (at >= 0)
            close(at);
        return err_fail(err, ERR_INVALID, "cannot make a directory for '%s': %s", path,
                        strerror(error));
    }
    *ret_base = path;
    return at;
}

static int
write_file(int fd, archive_reader_t *reader, const char *path, err_t **err)
{
    char part[PART_SIZE];
    for (;;) {
        ssize_t got = archive_reader_read(reader, part, sizeof part, err);
        if (got <= 0)
            return (int)got;
        for (ssize_t done = 0; done < got;) {
            ssize_t now = write(fd, part + done, (size_t)(got - done));
            if (now < 0 && errno == EINTR)
                continue;
            if (now < 0)
                return err_fail(err, ERR_LIMIT, "cannot write '%s': %s", path, strerror(errno));
            done += now;
        }
    }
}

static int
unpack_member(void *arg, const archive_member_t *member, archive_reader_t *reader, err_t **err)
{
    int folder = *(int *)arg;
    const char *base;
    AUTO_FD int parent = open_parent(folder, member->path, &base, err);
    if (parent < 0)
        return -1;
    if (member->is_directory) {
        if (mkdirat(parent, base, 0755) < 0 && errno != EEXIST)
            return err_fail(err, ERR_INVALID, "cannot make the directory '%s': %s", member->path,
                            strerror(errno));
        return 0;
    }
    if (unlinkat(parent, base, 0) < 0 && errno != ENOENT)
        return err_fail(err, ERR_INVALID, "cannot replace '%s': %s", member->path, strerror(errno));
    if (member->link)
        return symlinkat(member->link, parent, base) == 0
                   ? 0
                   : err_fail(err, ERR_INVALID, "cannot make the link '%s': %s", member->path,
                              strerror(errno));
    AUTO_FD int fd =
        openat(parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_fail(err, ERR_INVALID, "cannot create '%s': %s", member->path, strerror(errno));
    if (write_file(fd, reader, member->path, err) < 0)
        return -1;
    if (fchmod(fd, member->mode & 0777) < 0)
        return err_fail(err, ERR_INVALID, "cannot set the mode of '%s': %s", member->path,
                        strerror(errno));
    return 0;
}

int
archive_tgz_unpack(const char *archive, const char *folder, err_t **err)
{
    AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_INVALID, "cannot unpack into '%s': %s", folder, strerror(errno));
    int result = archive_tgz_walk(archive, unpack_member, &fd, err);
    return result < 0 ? err_wrap(err, "cannot unpack into '%s'", folder) : 0;
}

/* ------------------------------------------------------------------------------- piece by piece */

static la_ssize_t
on_take(struct archive *tar, void *arg, const void **ret_piece)
{
    archive_reader_t *self = arg;
    long got = self->take(self->take_arg, self->piece, PART_SIZE, self->take_err);
    *ret_piece = self->piece;
    if (got >= 0)
        return got;
    self->take_failed = true;
    archive_set_error(tar, ECANCELED, "it does not come");
    return -1;
}

/* What comes after the end of the tar. */
static int
drain(archive_reader_t *self, err_t **err)
{
    long got;
    while ((got = self->take(self->take_arg, self->piece, PART_SIZE, err)) > 0)
        ;
    return got < 0 ? -1 : 0;
}

int
archive_tar_unpack(archive_take_fn *take, void *arg, const char *folder, err_t **err)
{
    __attribute__((cleanup(reader_done))) archive_reader_t reader = {
        .path = folder, .take = take, .take_arg = arg, .take_err = err, .piece = malloc(PART_SIZE)};
    AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_INVALID, "cannot unpack into '%s': %s", folder, strerror(errno));
    reader.tar = archive_read_new();
    if (!reader.tar || !reader.piece)
        abort();
    archive_read_support_format_tar(reader.tar);
    int result = archive_read_open(reader.tar, &reader, NULL, on_take, NULL) == ARCHIVE_OK
                     ? walk(&reader, unpack_member, &fd, err)
                     : damaged(&reader, err);
    if (result == 0)
        result = drain(&reader, err);
    return result < 0 ? err_wrap(err, "cannot unpack into '%s'", folder) : 0;
}
