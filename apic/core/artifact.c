/*  artifact: the files artifacts of the enclave: names in the database, archives in the store's folder (content.h).
 *
 *  An artifact's archive is exchanged by one statement, so that a reader has the old or the new content and never a
 *  mixture, and a kill leaves one of them.
 */
#include "apic/core/content.h"
#include "apic/core/internal.h"

#include "archive/archive.h"
#include "base/names.h"
#include "base/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS artifact ("
    "  uuid TEXT PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  md5 TEXT,"             /* of names and bytes, see archive_tgz_pack; NULL: not known */
    "  content TEXT NOT NULL" /* content_hash of its archive */
    ") STRICT, WITHOUT ROWID;";
static const char index_schema[] =
    "CREATE INDEX IF NOT EXISTS artifact_content ON artifact (content);";
/* Archives were named after their artifacts once: they go on under these names. */
static const char upgrade[] = "BEGIN;"
                              "ALTER TABLE artifact ADD COLUMN content TEXT NOT NULL DEFAULT '';"
                              "UPDATE artifact SET content = uuid;"
                              "COMMIT;";

/* One artifact on its way into the store. */
typedef struct {
    core_t *core;
    const char *name, *archive, *md5;
    char content[CONTENT_HASH_SIZE];
    bool may_replace;
    core_artifact_outcome_t outcome;
    char *uuid;
} put_t;

static int put_locked(sqlite3 *db, put_t *self, err_t **err);
static int find(sqlite3 *db, const char *identifier, char **ret_uuid, char **ret_name, err_t **err);

/* Makes the tables, or those of an earlier version to what they are now. */
static int
require_tables(sqlite3 *db, err_t **err)
{
    int is_now;
    {
        DB_STATEMENT st = {0};
        if (db_exec(db, schema, err) < 0 ||
            db_prepare(db, &st,
                       "SELECT 1 FROM pragma_table_info('artifact') WHERE name = 'content'",
                       err) < 0)
            return -1;
        is_now = db_step(&st, err);
    }
    if (is_now < 0 || (is_now == 0 && db_exec(db, upgrade, err) < 0))
        return -1;
    return db_exec(db, index_schema, err);
}

int
artifacts_open(core_t *self, err_t **err)
{
    sqlite3 *db = db_lock(self->db);
    int rc = require_tables(db, err);
    if (rc >= 0)
        rc = content_sweep(self, db, err);
    db_unlock(self->db);
    return rc;
}

bool
core_artifact_exists(core_t *self, const char *identifier, char **ret_uuid)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    int rc = find(db_lock(self->db), identifier, &uuid, &name, NULL);
    db_unlock(self->db);
    if (rc < 0)
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

static int
open_locked(const core_t *self, sqlite3 *db, const char *identifier, int *ret_fd, err_t **err)
{
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *name = NULL;
    DB_STATEMENT st = {0};
    if (find(db, identifier, &uuid, &name, err) < 0 ||
        db_prepare(db, &st, "SELECT content FROM artifact WHERE uuid = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, uuid);
    if (db_step(&st, err) < 0)
        return -1;
    AUTO_FREE char *path = content_path(self, db_text(&st, 0));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_UNKNOWN, "cannot open the content of files artifact '%s': %s",
                        name, strerror(errno));
    *ret_fd = fd;
    return 0;
}

int
core_artifact_open(core_t *self, const char *identifier, int *ret_fd, err_t **err)
{
    int rc = open_locked(self, db_lock(self->db), identifier, ret_fd, err);
    db_unlock(self->db);
    return rc;
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
    int rc = content_hash(archive, put.content, err);
    if (rc == 0) {
        rc = put_locked(db_lock(self->db), &put, err);
        db_unlock(self->db);
    }
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
find_name(sqlite3 *db, const char *name, char **ret_uuid, char **ret_md5, char **ret_content,
          err_t **err)
{
    DB_STATEMENT st;
    if (db_prepare(db, &st, "SELECT uuid, md5, content FROM artifact WHERE name = ?1", err) < 0)
        return -1;
    db_bind_text(&st, 1, name);
    int rc = db_step(&st, err);
    if (rc > 0) {
        *ret_uuid = strdup(db_text(&st, 0));
        *ret_md5 = strdup(db_text(&st, 1));
        *ret_content = strdup(db_text(&st, 2));
    }
    return rc;
}

/* Moves the archive in and runs a statement that names it. */
static int
put_row(sqlite3 *db, const put_t *self, const char *sql, err_t **err)
{
    DB_STATEMENT st;
    if (content_take(self->core, self->archive, self->content, err) < 0 ||
        db_prepare(db, &st, sql, err) < 0)
        return -1;
    db_bind_text(&st, 1, self->uuid);
    db_bind_text(&st, 2, self->name);
    db_bind_text(&st, 3, self->md5);
    db_bind_text(&st, 4, self->content);
    return db_step(&st, err);
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
    int rc = put_row(
        db, self, "INSERT INTO artifact (uuid, name, md5, content) VALUES (?1, ?2, ?3, ?4)", err);
    if (rc < 0)
        content_release(self->core, db, self->content);
    return rc;
}

static int
put_locked(sqlite3 *db, put_t *self, err_t **err)
{
    if (!self->name[0])
        return err_fail(err, ERR_INVALID, "its name is empty");
    AUTO_FREE char *md5 = NULL;
    AUTO_FREE char *content = NULL;
    int rc = find_name(db, self->name, &self->uuid, &md5, &content, err);
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
    rc = put_row(db, self, "UPDATE artifact SET name = ?2, md5 = ?3, content = ?4 WHERE uuid = ?1",
                 err);
    content_release(self->core, db, rc < 0 ? self->content : content);
    return rc;
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
