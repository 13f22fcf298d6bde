/*  package: the packages of the enclave, uploaded and cloned, in one folder; and access tokens. */
#include "apic/core/git.h"
#include "apic/core/internal.h"

#include "archive/archive.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST "github.com/"
#define PACKAGE_ID_MAX 4096u
#define SEGMENTS_MIN 2

/* "AUTHOR/REPO/..." of a package id: the host and a version cut off, every segment a plain name. */
static int
package_path(const char *package_id, char **ret_path, err_t **err)
{
    if (strncasecmp(package_id, HOST, strlen(HOST)) != 0 || strlen(package_id) > PACKAGE_ID_MAX)
        return err_fail(err, ERR_INVALID,
                        "'%s' is not a package id such as 'github.com/author/repository'",
                        package_id);
    AUTO_FREE char *text = strdup(package_id + strlen(HOST));
    text[strcspn(text, "@")] = 0;
    AUTO_STR path = STR_EMPTY;
    int segments = 0;
    char *rest = NULL;
    for (char *segment = strtok_r(text, "/", &rest); segment;
         segment = strtok_r(NULL, "/", &rest)) {
        if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
            return err_fail(err, ERR_INVALID, "the package id '%s' has a segment '%s'", package_id,
                            segment);
        str_printf(&path, "%s%s", segments++ ? "/" : "", segment);
    }
    if (segments < SEGMENTS_MIN)
        return err_fail(err, ERR_INVALID,
                        "the package id '%s' must have an author and a repository", package_id);
    *ret_path = str_take(&path);
    return 0;
}

/* What a file system without an exchange of names leaves: a moment in which to is not there. */
static int
exchange_in_steps(core_t *self, const char *from, const char *to)
{
    AUTO_FREE char *old = core_tmp_path(self, "");
    if (rename(to, old) < 0)
        return -1;
    if (rename(from, to) < 0) {
        const int why = errno;
        rename(old, to);
        errno = why;
        return -1;
    }
    return rename(old, from);
}

/* Puts the folder from in the place of to, whose parent exists; what was there is in from then. Whoever looks, also after
 * a kill, finds the old folder or the new one, whole. */
static int
replace_folder(core_t *self, const char *from, const char *to, err_t **err)
{
    pthread_mutex_lock(&self->packages);
    int rc = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
    if (rc < 0 && errno == ENOENT)
        rc = rename(from, to); /* the first of its name */
    else if (rc < 0 && (errno == EINVAL || errno == ENOSYS))
        rc = exchange_in_steps(self, from, to);
    const int why = errno;
    pthread_mutex_unlock(&self->packages);
    if (rc < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot put '%s' in the place of '%s': %s", from, to,
                        strerror(why));
    return 0;
}

int
core_package_put(core_t *self, const char *package_id, const char *archive, err_t **err)
{
    AUTO_FREE char *path = NULL;
    AUTO_FREE char *unpacked = core_tmp_path(self, "");
    if (package_path(package_id, &path, err) < 0)
        return -1;
    AUTO_FREE char *target = str_format("%s/%s", self->repositories, path);
    AUTO_FREE char *parent = strndup(target, (size_t)(strrchr(target, '/') - target));

    int rc = core_folder_make(unpacked, err);
    if (rc == 0)
        rc = archive_tgz_unpack(archive, unpacked, err);
    if (rc == 0)
        rc = core_folder_make(parent, err);
    if (rc == 0)
        rc = replace_folder(self, unpacked, target, err);
    file_remove_tree(unpacked, NULL);
    return rc < 0 ? err_wrap(err, "cannot store the package '%s'", package_id) : 0;
}

/* --------------------------------------------------------------------------------------- tokens */

/* The file of a package's token, or of the user's for "". */
static char *
token_path(const core_t *self, const char *package_id)
{
    char *path = str_format("%s/%s.txt", self->tokens, package_id[0] ? package_id : "token");
    for (char *at = path + strlen(self->tokens) + 1; *at; at++)
        if (*at == '/')
            *at = '-';
    return path;
}

/* 1 with the token, 0 when there is none. */
static int
read_token(const core_t *self, const char *package_id, str_t *token, err_t **err)
{
    AUTO_FREE char *path = token_path(self, package_id);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[GIT_TOKEN_MAX + 1];
    if (fd < 0 && (errno == ENOENT || errno == ENAMETOOLONG))
        return 0;
    const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (got < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot read the access token in '%s': %s", path,
                        strerror(errno));
    text[got] = 0;
    text[strcspn(text, " \r\n")] = 0;
    str_add(token, text);
    return token->len > 0;
}

int
core_package_token(core_t *self, const char *package_id, const char *token, err_t **err)
{
    if (strlen(token) > GIT_TOKEN_MAX || strpbrk(token, " \t\r\n"))
        return err_fail(err, ERR_INVALID,
                        "the access token for '%s' is none: it has blanks, or more than %u bytes",
                        package_id[0] ? package_id : "all packages", GIT_TOKEN_MAX);
    AUTO_FREE char *path = token_path(self, package_id);
    AUTO_FREE char *fresh = core_tmp_path(self, ".txt");
    AUTO_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const size_t size = strlen(token);
    if (fd < 0 || write(fd, token, size) != (ssize_t)size || rename(fresh, path) < 0) {
        const int why = errno;
        unlink(fresh);
        return err_fail(err, ERR_UNKNOWN, "cannot keep the access token for '%s': %s",
                        package_id[0] ? package_id : "all packages", strerror(why));
    }
    return 0;
}

/* --------------------------------------------------------------------------------------- clones */

/* A part of an address and of a path. */
static bool
is_plain(const char *name)
{
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 127 || strchr("/\\?#%", *at))
            return false;
    return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int
core_package_clone(core_t *self, const char *author, const char *repo, const char *version,
                   const char *token_of, char **ret_note, err_t **err)
{
    if (!is_plain(author) || !is_plain(repo))
        return err_fail(err, ERR_INVALID, "'%s/%s' is not the name of a repository", author, repo);
    AUTO_FREE char *url = str_format("https://" HOST "%s/%s.git", author, repo);
    AUTO_FREE char *parent = str_format("%s/%s", self->repositories, author);
    AUTO_FREE char *target = str_format("%s/%s", parent, repo);
    AUTO_FREE char *fresh = core_tmp_path(self, "");
    AUTO_STR token = STR_EMPTY;

    int found = token_of[0] ? read_token(self, token_of, &token, err) : 0;
    if (found == 0)
        found = read_token(self, "", &token, err);
    if (found < 0)
        return -1;
    const git_clone_t clone = {.url = url,
                               .mirrors = self->git_mirrors,
                               .version = version,
                               .token = found ? token.data : "",
                               .roots = self->git_roots,
                               .cancel_fd = self->stop_fd,
                               .cache = {.folder = self->cache}};
    if (git_clone(&clone, fresh, ret_note, err) < 0)
        return -1;
    int rc = core_folder_make(parent, err);
    if (rc == 0)
        rc = replace_folder(self, fresh, target, err);
    file_remove_tree(fresh, NULL);
    return rc < 0 ? err_wrap(err, "cannot store the package '" HOST "%s/%s'", author, repo) : 0;
}
