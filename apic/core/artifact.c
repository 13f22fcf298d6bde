/*  artifact: the files artifacts of the enclave: archives in the store's folder, names in the
 * database.
 *
 *  An archive is written elsewhere and moved to its place, so that a reader has the old or the new
 * content and never a mixture. The database may say less than the disk after a kill (a hash that is
 * unknown, an archive that nobody names, which is swept when the store is opened) but never more.
 */
#include "apic/core/internal.h"

#include "archive/archive.h"
#include "base/names.h"
#include "base/uuid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char schema[] = "CREATE TABLE IF NOT EXISTS artifact ("
                             "  uuid TEXT PRIMARY KEY,"
                             "  name TEXT NOT NULL UNIQUE,"
                             "  md5 TEXT" /* content hash; NULL: not known */
                             ") STRICT, WITHOUT ROWID;";

/* One artifact on its way into the store. */
typedef struct {
    core_t *core;
    const char *name, *archive, *md5;
    bool may_replace;
    core_artifact_outcome_t outcome;
    char *uuid;
} put_t;

static int put_locked(sqlite3 *db, put_t *self, err_t **err);
static int insert(sqlite3 *db, void *arg, err_t **err);
static int set_md5(sqlite3 *db, const char *uuid, const char *md5, err_t **err);
static int move_in(const core_t *self, const char *archive, const char *uuid, err_t **err);
static int sweep(core_t *self, err_t **err);
static int find(sqlite3 *db, const char *identifier, char **ret_uuid, char **ret_name, err_t **err);

int
artifacts_open(core_t *self, err_t **err)
{
    int rc = db_exec(db_lock(self->db), schema, err);
    db_unlock(self->db);
    return rc < 0 ? rc : sweep(self, err);
}

int
artifacts_find(core_t *self, const char *identifier, char **ret_uuid, char **ret_name, err_t **err)
{
    int rc = find(db_lock(self->db), identifier, ret_uuid, ret_name, err);
    db_unlock(self->db);
    return rc;
}

bool
core_artifact_exists(core_t *self, const char *identifier, char **ret_uuid)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    if (artifacts_find(self, identifier, &uuid, &name, NULL) < 0)
        return false;
    if (ret_uuid)
        *ret_uuid = TAKE(uuid);
    return true;
}

int
core_artifact_list(core_t *self, void (*fn)(void *arg, const char *uuid, const char *name),
                   void *arg, err_t **err)
{
    DB_STATEMENT st = {0};
    sqlite3 *db = db_lock(self->db);
    int rc = db_prepare(db, &st, "SELECT uuid, name FROM artifact ORDER BY name", err);
    while (rc >= 0 && (rc = db_step(&st, err)) > 0)
        fn(arg, db_text(&st, 0), db_text(&st, 1));
    db_statement_done(&st);
    db_unlock(self->db);
    return rc;
}

typedef struct {
    char **names;
    size_t count;
} names_t;

static void
add_name(void *arg, const char *uuid, const char *name)
{
    (void)uuid;
    names_t *self = arg;
    self->names = realloc(self->names, (self->count + 1) * sizeof *self->names);
    if (!self->names || !(self->names[self->count++] = strdup(name)))
        abort();
}

char **
core_artifact_names(core_t *self, size_t *ret_count)
{
    names_t names = {0};
    core_artifact_list(self, add_name, &names, NULL);
    *ret_count = names.count;
    return names.names;
}

static bool
is_taken(void *arg, const char *name)
{
    return core_artifact_exists(arg, name, NULL);
}

char *
core_artifact_name_new(core_t *self)
{
    return names_new(NAMES_ARTIFACT, is_taken, self);
}

int
core_artifact_open(core_t *self, const char *identifier, int *ret_fd, err_t **err)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    if (artifacts_find(self, identifier, &uuid, &name, err) < 0)
        return -1;
    AUTO_FREE char *path = str_format("%s/%s.tgz", self->store, uuid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot open the content of files artifact '%s': %s",
                        name, strerror(errno));
    *ret_fd = fd;
    return 0;
}

/* -------------------------------------------------------------------------------------- storing */

int
core_archive_path(core_t *self, const char *path, char **ret_archive, char **ret_md5, err_t **err)
{
    AUTO_FREE char *archive = core_tmp_path(self, ".tgz");
    char md5[ARCHIVE_MD5_SIZE];
    if (archive_tgz_pack(path, archive, UINT64_MAX, md5, err) < 0)
        return err_wrap(err, "cannot compress '%s'", path);
    *ret_archive = TAKE(archive);
    *ret_md5 = strdup(md5);
    return 0;
}

int
core_artifact_put(core_t *self, const char *name, const char *archive, const char *md5,
                  bool may_replace, core_artifact_outcome_t *ret_outcome, char **ret_uuid,
                  err_t **err)
{
    put_t put = {
        .core = self, .name = name, .archive = archive, .md5 = md5, .may_replace = may_replace};
    int rc = put_locked(db_lock(self->db), &put, err);
    db_unlock(self->db);
    if (rc < 0) {
        free(put.uuid);
        return err_wrap(err, "cannot store files artifact '%s'", name);
    }
    if (ret_outcome)
        *ret_outcome = put.outcome;
    if (ret_uuid)
        *ret_uuid = TAKE(put.uuid);
    free(put.uuid);
    return 0;
}

int
core_artifact_put_foreign(core_t *self, const char *name, const char *archive, char **ret_uuid,
                          err_t **err)
{
    if (archive_tgz_check(archive, err) < 0)
        return err_wrap(err, "cannot store files artifact '%s'", name);
    return core_artifact_put(self, name, archive, NULL, false, NULL, ret_uuid, err);
}

int
core_artifact_put_files(core_t *self, const char *name, const core_file_t *files, size_t count,
                        core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err)
{
    AUTO_FREE char *archive = core_tmp_path(self, ".tgz");
    AUTO_FREE archive_file_t *theirs = calloc(count + 1, sizeof *theirs);
    char md5[ARCHIVE_MD5_SIZE];
    if (!theirs)
        abort();
    for (size_t i = 0; i < count; i++)
        theirs[i] =
            (archive_file_t){.path = files[i].path, .data = files[i].data, .size = files[i].size};
    if (archive_tgz_pack_files(theirs, count, archive, md5, err) < 0)
        return err_wrap(err, "cannot compress files artifact '%s'", name);
    int rc = core_artifact_put(self, name, archive, md5, true, ret_outcome, ret_uuid, err);
    unlink(archive);
    return rc;
}

static int
copy_out(core_t *self, actor_call_t *within, const core_service_t *service, const char *path,
         const char *archive, err_t **err)
{
    Orchestrator__CopyOutArgs args = ORCHESTRATOR__COPY_OUT_ARGS__INIT;
    args.enclave_uuid = self->enclave_uuid;
    args.service_uuid = service->uuid;
    args.path = (char *)path;
    AUTO(actor_stream) stream = NULL;
    AUTO(archive_gzip) gzip = NULL;
    if (core_stream(self, within, "CopyOut", &args.base, &stream, err) < 0 ||
        archive_gzip_new(archive, &gzip, err) < 0)
        return -1;
    uint64_t size = 0;
    for (;;) {
        AUTO_MESSAGE Orchestrator__TarChunk *chunk = NULL;
        int rc = core_recv(self, within, stream, -1, (ProtobufCMessage **)&chunk, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return archive_gzip_end(gzip, err);
        size += chunk->data.len;
        if (size > ARCHIVE_UNPACKED_MAX)
            return err_fail(err, ERR_LIMIT, "it has more than %llu bytes",
                            (unsigned long long)ARCHIVE_UNPACKED_MAX);
        if (archive_gzip_add(gzip, chunk->data.data, chunk->data.len, err) < 0)
            return -1;
    }
}

int
core_artifact_put_from_service(core_t *self, actor_call_t *within, const char *identifier,
                               const char *path, const char *name, char **ret_uuid, err_t **err)
{
    AUTO(core_service) service = NULL;
    if (core_service_find(self, identifier, &service, err) < 0)
        return err_wrap(err, "cannot copy '%s' from service '%s'", path, identifier);
    AUTO_FREE char *archive = core_tmp_path(self, ".tgz");
    if (copy_out(self, within, service, path, archive, err) < 0 ||
        archive_tgz_check(archive, err) < 0) {
        unlink(archive);
        return err_wrap(err, "cannot copy '%s' from service '%s'", path, service->name);
    }
    int rc = core_artifact_put(self, name, archive, NULL, true, NULL, ret_uuid, err);
    unlink(archive);
    return rc;
}

/* -------------------------------------------------------------------------------------- helpers */

static int
count_artifacts(sqlite3 *db, size_t *ret_count, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT count(*) FROM artifact", err) < 0 || db_step(&st, err) < 0)
        return -1;
    *ret_count = (size_t)db_int(&st, 0);
    return 0;
}

/* The artifact of this name: 1 and copies (md5 "" when not known), or 0. */
static int
find_name(sqlite3 *db, const char *name, char **ret_uuid, char **ret_md5, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT uuid, md5 FROM artifact WHERE name = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, name);
    int rc = db_step(&st, err);
    if (rc > 0) {
        *ret_uuid = strdup(db_text(&st, 0));
        *ret_md5 = strdup(db_text(&st, 1));
    }
    return rc;
}

static int
put_new(sqlite3 *db, put_t *self, err_t **err)
{
    size_t count;
    if (count_artifacts(db, &count, err) < 0)
        return -1;
    if (count >= CORE_ARTIFACTS_MAX)
        return err_fail(err, ERR_LIMIT, "an enclave may have %u files artifacts",
                        CORE_ARTIFACTS_MAX);
    char uuid[UUID_LEN + 1];
    uuid_new(uuid);
    self->uuid = strdup(uuid);
    self->outcome = CORE_ARTIFACT_NEW;
    if (move_in(self->core, self->archive, self->uuid, err) < 0)
        return -1;
    return db_transaction(db, insert, self, err);
}

static int
put_locked(sqlite3 *db, put_t *self, err_t **err)
{
    if (!self->name[0])
        return err_fail(err, ERR_INVALID, "its name is empty");
    AUTO_FREE char *md5 = NULL;
    int rc = find_name(db, self->name, &self->uuid, &md5, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return put_new(db, self, err);
    if (!self->may_replace)
        return err_fail(err, ERR_EXISTS, "Files artifact name '%s' has already been used",
                        self->name);
    if (self->md5 && md5[0] && strcmp(md5, self->md5) == 0) {
        unlink(self->archive);
        self->outcome = CORE_ARTIFACT_SAME;
        return 0;
    }
    self->outcome = CORE_ARTIFACT_UPDATED;
    if (set_md5(db, self->uuid, NULL, err) < 0 ||
        move_in(self->core, self->archive, self->uuid, err) < 0)
        return -1;
    return self->md5 ? set_md5(db, self->uuid, self->md5, err) : 0;
}

static int
insert(sqlite3 *db, void *arg, err_t **err)
{
    const put_t *self = arg;
    DB_STATEMENT st;
    if (db_prepare(db, &st, "INSERT INTO artifact (uuid, name, md5) VALUES (?1, ?2, ?3)", err) < 0)
        return -1;
    db_bind_text(&st, 1, self->uuid);
    db_bind_text(&st, 2, self->name);
    db_bind_text(&st, 3, self->md5);
    return db_step(&st, err);
}

static int
set_md5(sqlite3 *db, const char *uuid, const char *md5, err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "UPDATE artifact SET md5 = ?2 WHERE uuid = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    db_bind_text(&st, 2, md5);
    return db_step(&st, err);
}

static int
move_in(const core_t *self, const char *archive, const char *uuid, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/%s.tgz", self->store, uuid);
    if (rename(archive, path) < 0)
        return err_fail(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNKNOWN,
                        "cannot move '%s' to '%s': %s", archive, path, strerror(errno));
    return 0;
}

static int
find(sqlite3 *db, const char *identifier, char **ret_uuid, char **ret_name, err_t **err)
{
    static const char *const ways[] = {
        "SELECT uuid, name FROM artifact WHERE uuid = ?1",
        "SELECT uuid, name FROM artifact WHERE substr(uuid, 1, 12) = ?1",
        "SELECT uuid, name FROM artifact WHERE name = ?1",
    };
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        DB_STATEMENT st;
        if (db_prepare(db, &st, ways[i], err) < 0)
            return -1;
        db_bind_text(&st, 1, identifier);
        int rc = db_step(&st, err);
        if (rc < 0)
            return -1;
        if (rc == 0)
            continue;
        AUTO_FREE char *uuid = strdup(db_text(&st, 0));
        AUTO_FREE char *name = strdup(db_text(&st, 1));
        if ((rc = db_step(&st, err)) < 0)
            return -1;
        if (rc > 0)
            return err_fail(
                err, ERR_INVALID,
                "'%s' is the shortened UUID of several files artifacts; use a full UUID or a name",
                identifier);
        *ret_uuid = TAKE(uuid);
        *ret_name = TAKE(name);
        return 0;
    }
    return err_fail(err, ERR_NOT_FOUND, "no files artifact has the name or UUID '%s'", identifier);
}

/* Removes archives that no artifact names: they were on their way when a process was killed. */
static int
sweep(core_t *self, err_t **err)
{
    DIR *folder = opendir(self->store);
    if (!folder)
        return err_fail(err, ERR_UNKNOWN, "cannot read the folder '%s': %s", self->store,
                        strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        AUTO_FREE char *uuid = strndup(entry->d_name, strcspn(entry->d_name, "."));
        if (uuid_is(uuid) && core_artifact_exists(self, uuid, NULL))
            continue;
        AUTO_FREE char *path = str_format("%s/%s", self->store, entry->d_name);
        unlink(path);
    }
    closedir(folder);
    return 0;
}
