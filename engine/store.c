/*  store: see store.h. */
#include "engine/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#define BUSY_MS 10000

static const char schema[] = "PRAGMA journal_mode = WAL;"
                             "PRAGMA synchronous = NORMAL;"
                             "PRAGMA cache_size = -256;"
                             "CREATE TABLE IF NOT EXISTS enclaves ("
                             "  uuid TEXT PRIMARY KEY,"
                             "  name TEXT NOT NULL,"
                             "  creation_time INTEGER NOT NULL,"
                             "  stage INTEGER NOT NULL,"
                             "  apic_key BLOB NOT NULL"
                             ") STRICT;"
                             "CREATE INDEX IF NOT EXISTS enclaves_by_name ON enclaves (name);";

/* The statements, prepared once. */
#define STATEMENTS(X)                                                                              \
    X(ADD, "INSERT INTO enclaves VALUES (?1, ?2, ?3, 1, ?4)")                                      \
    X(STAGE, "UPDATE enclaves SET stage = ?2 WHERE uuid = ?1")                                     \
    X(FORGET, "DELETE FROM enclaves WHERE uuid = ?1")                                              \
    X(TRIM, "DELETE FROM enclaves WHERE stage = 4 AND uuid NOT IN "                                \
            "(SELECT uuid FROM enclaves WHERE stage = 4 ORDER BY creation_time DESC LIMIT ?1)")    \
    X(ALL, "SELECT uuid, name, creation_time, stage FROM enclaves ORDER BY creation_time, uuid")   \
    X(NAME, "SELECT 1 FROM enclaves WHERE name = ?1")                                              \
    X(KEY, "SELECT apic_key FROM enclaves WHERE uuid = ?1 AND stage != 4")

enum {
#define STATEMENT_ENUM(name, sql) SQL_##name,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        SQL_COUNT
};
static const char *const sql_text[SQL_COUNT] = {
#define STATEMENT_TEXT(name, sql) sql,
    STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

struct engine_store {
    pthread_mutex_t lock; /* guards all below */
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    char *path;
};

static int
db_fail(engine_store_t *self, err_t **err)
{
    int code = sqlite3_errcode(self->db) & 0xff;
    err_code_t kind = code == SQLITE_FULL ? ERR_LIMIT : ERR_INTERNAL;
    return err_fail(err, kind, "cannot use the engine's database '%s': %s", self->path,
                    sqlite3_errmsg(self->db));
}

int
engine_store_open(const char *path, engine_store_t **ret_store, err_t **err)
{
    AUTO(engine_store) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    self->path = strdup(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &self->db, flags, NULL) != SQLITE_OK)
        return db_fail(self, err);
    sqlite3_busy_timeout(self->db, BUSY_MS);
    if (sqlite3_exec(self->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return db_fail(self, err);
    for (int i = 0; i < SQL_COUNT; i++)
        if (sqlite3_prepare_v3(self->db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL) != SQLITE_OK)
            return db_fail(self, err);
    *ret_store = TAKE(self);
    return 0;
}

void
engine_store_destroy(engine_store_t **self_p)
{
    engine_store_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(self->statements[i]);
    sqlite3_close(self->db);
    pthread_mutex_destroy(&self->lock);
    free(self->path);
    free(self);
}

/* Locks, and lends a statement with its first parameter (a text, may be NULL) bound; statement_end
 * follows. */
static sqlite3_stmt *
statement_begin(engine_store_t *self, int which, const char *first)
{
    pthread_mutex_lock(&self->lock);
    sqlite3_stmt *statement = self->statements[which];
    if (first)
        sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
    return statement;
}

static void
statement_end(engine_store_t *self, sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    pthread_mutex_unlock(&self->lock);
}

static int
statement_run(engine_store_t *self, sqlite3_stmt *statement, err_t **err)
{
    int result = sqlite3_step(statement) == SQLITE_DONE ? 0 : db_fail(self, err);
    statement_end(self, statement);
    return result;
}

static int
trim_history(engine_store_t *self, err_t **err)
{
    sqlite3_stmt *statement = statement_begin(self, SQL_TRIM, NULL);
    sqlite3_bind_int(statement, 1, ENGINE_HISTORY_MAX);
    return statement_run(self, statement, err);
}

int
engine_store_add(engine_store_t *self, const char *uuid, const char *name, int64_t creation_time,
                 const uint8_t apic_key[BUS_KEY_SIZE], err_t **err)
{
    if (trim_history(self, err) < 0)
        return -1;
    sqlite3_stmt *statement = statement_begin(self, SQL_ADD, uuid);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, creation_time);
    sqlite3_bind_blob(statement, 4, apic_key, BUS_KEY_SIZE, SQLITE_STATIC);
    return statement_run(self, statement, err);
}

int
engine_store_set_stage(engine_store_t *self, const char *uuid, engine_stage_t stage, err_t **err)
{
    sqlite3_stmt *statement = statement_begin(self, SQL_STAGE, uuid);
    sqlite3_bind_int(statement, 2, (int)stage);
    return statement_run(self, statement, err);
}

int
engine_store_forget(engine_store_t *self, const char *uuid, err_t **err)
{
    return statement_run(self, statement_begin(self, SQL_FORGET, uuid), err);
}

int
engine_store_records(engine_store_t *self, engine_record_t **ret_records, size_t *ret_count,
                     err_t **err)
{
    engine_record_t *records = NULL;
    size_t count = 0;
    sqlite3_stmt *statement = statement_begin(self, SQL_ALL, NULL);
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        if (count % 64 == 0) {
            records = realloc(records, (count + 64) * sizeof *records);
            if (!records)
                abort();
        }
        engine_record_t *record = &records[count++];
        *record = (engine_record_t){.name = strdup((const char *)sqlite3_column_text(statement, 1)),
                                    .creation_time = sqlite3_column_int64(statement, 2),
                                    .stage = (engine_stage_t)sqlite3_column_int(statement, 3)};
        strncpy(record->uuid, (const char *)sqlite3_column_text(statement, 0), UUID_LEN);
    }
    int result = step == SQLITE_DONE ? 0 : db_fail(self, err);
    statement_end(self, statement);
    if (result < 0) {
        engine_records_free(records, count);
        return result;
    }
    *ret_records = records;
    *ret_count = count;
    return 0;
}

void
engine_records_free(engine_record_t *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(records[i].name);
    free(records);
}

const engine_record_t *
engine_records_find(const engine_record_t *records, size_t count, const char *uuid)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(records[i].uuid, uuid))
            return &records[i];
    return NULL;
}

bool
engine_store_knows_name(engine_store_t *self, const char *name)
{
    sqlite3_stmt *statement = statement_begin(self, SQL_NAME, name);
    bool known = sqlite3_step(statement) != SQLITE_DONE;
    statement_end(self, statement);
    return known;
}

bool
engine_store_knows_apic(engine_store_t *self, const char *uuid, const uint8_t key[BUS_KEY_SIZE])
{
    sqlite3_stmt *statement = statement_begin(self, SQL_KEY, uuid);
    bool known = sqlite3_step(statement) == SQLITE_ROW &&
                 sqlite3_column_bytes(statement, 0) == BUS_KEY_SIZE &&
                 !memcmp(sqlite3_column_blob(statement, 0), key, BUS_KEY_SIZE);
    statement_end(self, statement);
    return known;
}
