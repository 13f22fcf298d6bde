/*  content: see content.h. */
#include "apic/core/content.h"

#include "apic/core/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PART_SIZE 65536
#define HASH_BYTES 32
#define SUFFIX ".tgz"

_Static_assert(CONTENT_HASH_SIZE == 2 * HASH_BYTES + 1, "two digits a byte");

int
content_hash(const char *archive, char ret_hash[CONTENT_HASH_SIZE], err_t **err)
{
    AUTO_FD int fd = open(archive, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot read '%s': %s", archive, strerror(errno));
    crypto_generichash_state state;
    uint8_t part[PART_SIZE], hash[HASH_BYTES];
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (ssize_t got; (got = read(fd, part, sizeof part)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_fail(err, ERR_UNKNOWN, "cannot read '%s': %s", archive, strerror(errno));
        crypto_generichash_update(&state, part, (size_t)got);
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(ret_hash, CONTENT_HASH_SIZE, hash, sizeof hash);
    return 0;
}

char *
content_path(const core_t *self, const char *hash)
{
    return str_format("%s/%s" SUFFIX, self->store, hash);
}

int
content_take(const core_t *self, const char *archive, const char *hash, err_t **err)
{
    AUTO_FREE char *path = content_path(self, hash);
    if (access(path, F_OK) == 0) {
        unlink(archive);
        return 0;
    }
    if (rename(archive, path) < 0)
        return err_fail(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNKNOWN,
                        "cannot move '%s' to '%s': %s", archive, path, strerror(errno));
    return 0;
}

/* 1 or 0; negative when the database does not say. */
static int
is_used(sqlite3 *db, const char *hash, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT 1 FROM artifact WHERE content = ?1 LIMIT 1", err) < 0)
        return -1;
    db_bind_text(&st, 1, hash);
    return db_step(&st, err);
}

void
content_release(const core_t *self, sqlite3 *db, const char *hash)
{
    if (!hash[0] || is_used(db, hash, NULL) != 0)
        return; /* the next start tries again */
    AUTO_FREE char *path = content_path(self, hash);
    unlink(path);
}

int
content_sweep(const core_t *self, sqlite3 *db, err_t **err)
{
    DIR *folder = opendir(self->store);
    if (!folder)
        return err_fail(err, ERR_UNKNOWN, "cannot read the folder '%s': %s", self->store,
                        strerror(errno));
    int rc = 0;
    for (struct dirent *entry; rc >= 0 && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        AUTO_FREE char *hash = strndup(entry->d_name, strcspn(entry->d_name, "."));
        AUTO_FREE char *path = str_format("%s/%s", self->store, entry->d_name);
        rc = is_used(db, hash, err);
        if (rc == 0)
            unlink(path);
    }
    closedir(folder);
    return rc < 0 ? -1 : 0;
}
