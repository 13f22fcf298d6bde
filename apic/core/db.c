/*  db: see db.h. */
#include "apic/core/db.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct db {
    sqlite3 *handle;
    pthread_mutex_t lock;
};

/* Memory is short in an API container: a small page cache, no memory mapping, the index of the log
 * on the heap (which also makes the file this process's own). A kill loses nothing that was
 * committed: the pages are the kernel's by then; synchronous=NORMAL only means that a power cut may
 * lose the last transactions. */
static const char pragmas[] = "PRAGMA locking_mode = EXCLUSIVE;"
                              "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = NORMAL;"
                              "PRAGMA foreign_keys = ON;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA wal_autocheckpoint = 200;"
                              "PRAGMA journal_size_limit = 1048576;";

static int db_fail(sqlite3 *db, int rc, const char *what, err_t **err);

int
db_open(const char *path, const char *schema, db_t **ret_db, err_t **err)
{
    return db_open_within(path, schema, DB_BUSY_MS, ret_db, err);
}

int
db_open_within(const char *path, const char *schema, int busy_ms, db_t **ret_db, err_t **err)
{
    AUTO(db) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);

    int rc =
        sqlite3_open_v2(path, &self->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        db_fail(self->handle, rc, "open", err);
        return err_wrap(err, "cannot open the enclave database '%s'", path);
    }
    sqlite3_busy_timeout(self->handle, busy_ms);
    sqlite3_db_config(self->handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, 256, 64);

    char cache[64];
    snprintf(cache, sizeof cache, "PRAGMA cache_size = -%d;", DB_CACHE_KB);
    if (db_exec(self->handle, cache, err) < 0 || db_exec(self->handle, pragmas, err) < 0 ||
        db_exec(self->handle, schema, err) < 0)
        return err_wrap(err, "cannot open the enclave database '%s'", path);

    *ret_db = TAKE(self);
    return 0;
}

void
db_destroy(db_t **self_p)
{
    db_t *self = TAKE(*self_p);
    if (!self)
        return;
    sqlite3_close(self->handle);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

sqlite3 *
db_lock(db_t *self)
{
    pthread_mutex_lock(&self->lock);
    return self->handle;
}

void
db_unlock(db_t *self)
{
    pthread_mutex_unlock(&self->lock);
}

void
db_statement_done(db_statement_t *self)
{
    sqlite3_finalize(TAKE(self->stmt));
}

int
db_prepare(sqlite3 *db, db_statement_t *self, const char *sql, err_t **err)
{
    *self = (db_statement_t){0};
    int rc = sqlite3_prepare_v2(db, sql, -1, &self->stmt, NULL);
    return rc == SQLITE_OK ? 0 : db_fail(db, rc, sql, err);
}

static void
note(db_statement_t *self, int rc)
{
    if (rc != SQLITE_OK && !self->failed)
        self->failed = rc;
}

void
db_bind_text(db_statement_t *self, int index, const char *text)
{
    note(self, text ? sqlite3_bind_text(self->stmt, index, text, -1, SQLITE_TRANSIENT)
                    : sqlite3_bind_null(self->stmt, index));
}

void
db_bind_int(db_statement_t *self, int index, int64_t value)
{
    note(self, sqlite3_bind_int64(self->stmt, index, value));
}

void
db_bind_blob(db_statement_t *self, int index, const void *data, size_t size)
{
    note(self, sqlite3_bind_blob64(self->stmt, index, size ? data : "", size, SQLITE_TRANSIENT));
}

int
db_step(db_statement_t *self, err_t **err)
{
    sqlite3 *db = sqlite3_db_handle(self->stmt);
    if (self->failed)
        return db_fail(db, self->failed, sqlite3_sql(self->stmt), err);
    int rc = sqlite3_step(self->stmt);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return db_fail(db, rc, sqlite3_sql(self->stmt), err);
}

void
db_reset(db_statement_t *self)
{
    sqlite3_reset(self->stmt);
    sqlite3_clear_bindings(self->stmt);
}

const char *
db_text(const db_statement_t *self, int column)
{
    const char *text = (const char *)sqlite3_column_text(self->stmt, column);
    return text ? text : "";
}

int64_t
db_int(const db_statement_t *self, int column)
{
    return sqlite3_column_int64(self->stmt, column);
}

const void *
db_blob(const db_statement_t *self, int column, size_t *ret_size)
{
    const void *data = sqlite3_column_blob(self->stmt, column);
    *ret_size = (size_t)sqlite3_column_bytes(self->stmt, column);
    return data ? data : "";
}

int
db_exec(sqlite3 *db, const char *sql, err_t **err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_fail(db, rc, sql, err);
}

int
db_transaction(sqlite3 *db, int (*fn)(sqlite3 *db, void *arg, err_t **err), void *arg, err_t **err)
{
    if (db_exec(db, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    if (fn(db, arg, err) < 0 || db_exec(db, "COMMIT", err) < 0) {
        db_exec(db, "ROLLBACK", NULL);
        return -1;
    }
    return 0;
}

/* One sentence for a result code; the codes that a user can do something about say what. */
static int
db_fail(sqlite3 *db, int rc, const char *what, err_t **err)
{
    const char *why = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return err_fail(
            err, ERR_LIMIT,
            "the disk that holds the enclave's data is full; free some space and try again");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_fail(err, ERR_STATE, "another process holds the enclave database");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_fail(err, ERR_STATE, "the enclave database is damaged (%s)", why);
    case SQLITE_CONSTRAINT:
        return err_fail(err, ERR_EXISTS, "the enclave database refuses it: %s", why);
    default:
        return err_fail(err, ERR_INTERNAL, "the enclave database failed at \"%.60s\": %s", what,
                        why);
    }
}
