/*  store: runtime values, in memory and in the enclave's database. */
#include "apic/run/store.h"

#include "apic/core/db.h"
#include "apic/run/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS run_values(uuid TEXT NOT NULL, field TEXT NOT NULL,"
    " is_string INTEGER NOT NULL, text BLOB NOT NULL, PRIMARY KEY(uuid, field)) STRICT;"
    "CREATE TABLE IF NOT EXISTS run_services(name TEXT PRIMARY KEY, uuid TEXT NOT NULL,"
    " value TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS run_tasks(name TEXT PRIMARY KEY) STRICT;"
    "CREATE TABLE IF NOT EXISTS run_texts(key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;";

typedef struct {
    char uuid[UUID_LEN + 1];
    char *value;
} known_t;

struct run_store {
    run_world_t world;
    pthread_mutex_t lock; /* of what follows */
    run_map_t values;     /* uuid -> run_map_t of field -> types_datum_t */
    run_map_t services;   /* name -> known_t */
};

static int load(run_store_t *self, sqlite3 *db, err_t **err);
static run_map_t *fields_require(run_store_t *self, const char *uuid);

static void
datum_free(void *value)
{
    types_datum_done(value);
    free(value);
}

static void
fields_free(void *value)
{
    run_map_done(value, datum_free);
    free(value);
}

static void
known_free(void *value)
{
    known_t *known = value;
    free(known->value);
    free(known);
}

static int
db_fail(sqlite3 *db, err_t **err)
{
    return err_fail(err, ERR_UNKNOWN, "the enclave's database: %s", sqlite3_errmsg(db));
}

int
run_store_new(const run_world_t *world, run_store_t **ret_store, err_t **err)
{
    AUTO(run_store) self = calloc(1, sizeof(*self));
    self->world = *world;
    pthread_mutex_init(&self->lock, NULL);
    sqlite3 *db = world->db_lock(world->self);
    int rc = sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK ? load(self, db, err)
                                                                     : db_fail(db, err);
    world->db_unlock(world->self);
    if (rc < 0)
        return err_wrap(err, "cannot read the values of earlier runs");
    *ret_store = TAKE(self);
    return 0;
}

void
run_store_destroy(run_store_t **self_p)
{
    run_store_t *self = *self_p;
    if (!self)
        return;
    run_map_done(&self->values, fields_free);
    run_map_done(&self->services, known_free);
    pthread_mutex_destroy(&self->lock);
    free(self);
    *self_p = NULL;
}

void
run_store_reserve(run_store_t *self, const char *uuid)
{
    pthread_mutex_lock(&self->lock);
    fields_require(self, uuid);
    pthread_mutex_unlock(&self->lock);
}

/* Runs one statement with text parameters (NULL-terminated; lengths by strlen). */
static int
write_texts(run_store_t *self, const char *sql, const char *const *texts, err_t **err)
{
    sqlite3 *db = self->world.db_lock(self->world.self);
    sqlite3_stmt *statement = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        rc = db_fail(db, err);
    for (int i = 0; rc == 0 && texts[i]; i++)
        sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    if (rc == 0 && sqlite3_step(statement) != SQLITE_DONE)
        rc = db_fail(db, err);
    sqlite3_finalize(statement);
    self->world.db_unlock(self->world.self);
    return rc;
}

/* Values of one UUID, on their way into the database. */
typedef struct {
    const char *uuid;
    const run_value_t *values;
    size_t count;
} writing_t;

static int
write_values(sqlite3 *db, void *arg, err_t **err)
{
    const writing_t *self = arg;
    DB_STATEMENT statement = {0};
    if (db_prepare(db, &statement, "INSERT OR REPLACE INTO run_values VALUES(?, ?, ?, ?)", err) < 0)
        return -1;
    for (size_t i = 0; i < self->count; i++) {
        const types_datum_t *value = self->values[i].value;
        db_bind_text(&statement, 1, self->uuid);
        db_bind_text(&statement, 2, self->values[i].field);
        db_bind_int(&statement, 3, value->is_string);
        db_bind_blob(&statement, 4, value->text.data, value->text.len);
        if (db_step(&statement, err) < 0)
            return err_wrap(err, "cannot keep the value '%s' of '%s'", self->values[i].field,
                            self->uuid);
        db_reset(&statement);
    }
    return 0;
}

int
run_store_set(run_store_t *self, const char *uuid, const run_value_t *values, size_t count,
              err_t **err)
{
    writing_t writing = {uuid, values, count};
    const int rc =
        db_transaction(self->world.db_lock(self->world.self), write_values, &writing, err);
    self->world.db_unlock(self->world.self);
    if (rc < 0)
        return err_wrap(err, "cannot keep what an instruction gave");
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        types_datum_t *copy = calloc(1, sizeof(*copy));
        *copy = TYPES_DATUM_EMPTY;
        types_datum_copy(copy, values[i].value);
        void *old = run_map_put(fields_require(self, uuid), values[i].field, copy);
        if (old)
            datum_free(old);
    }
    pthread_mutex_unlock(&self->lock);
    return 0;
}

int
run_store_get(run_store_t *self, const char *uuid, const char *field, types_datum_t *ret,
              err_t **err)
{
    pthread_mutex_lock(&self->lock);
    const run_map_t *fields = run_map_get(&self->values, uuid);
    const types_datum_t *value = fields ? run_map_get(fields, field) : NULL;
    const bool empty = fields && !fields->count;
    if (value)
        types_datum_copy(ret, value);
    pthread_mutex_unlock(&self->lock);
    if (value)
        return 0;
    if (!fields)
        return err_fail(err, ERR_NOT_FOUND,
                        "Recipe result value with key UUID '%s' does not exist on the recipe "
                        "result repository",
                        uuid);
    return empty ? err_fail(err, ERR_NOT_FOUND, "Runtime UUID '%s' was found, but not set", uuid)
                 : err_fail(err, ERR_NOT_FOUND,
                            "An error happened getting runtime value field '%s' '%s'", uuid, field);
}

bool
run_store_uuid(run_store_t *self, const char *name, char ret_uuid[UUID_LEN + 1])
{
    pthread_mutex_lock(&self->lock);
    const known_t *known = run_map_get(&self->services, name);
    if (known)
        memcpy(ret_uuid, known->uuid, UUID_LEN + 1);
    pthread_mutex_unlock(&self->lock);
    return known;
}

static void
know(run_store_t *self, const char *name, const char *uuid, const char *value)
{
    known_t *known = calloc(1, sizeof(*known));
    memcpy(known->uuid, uuid, UUID_LEN + 1);
    known->value = strdup(value);
    void *old = run_map_put(&self->services, name, known);
    if (old)
        known_free(old);
}

int
run_store_know(run_store_t *self, const char *name, const char *uuid, const char *value,
               err_t **err)
{
    if (write_texts(self, "INSERT OR REPLACE INTO run_services VALUES(?, ?, ?)",
                    (const char *const[]){name, uuid, value, NULL}, err) < 0)
        return err_wrap(err, "cannot remember service '%s'", name);
    pthread_mutex_lock(&self->lock);
    know(self, name, uuid, value);
    pthread_mutex_unlock(&self->lock);
    return 0;
}

static int
by_name(const void *one, const void *two)
{
    return strcmp(((const run_known_t *)one)->name, ((const run_known_t *)two)->name);
}

run_known_t *
run_store_known(run_store_t *self, size_t *ret_count)
{
    const char *name;
    void *value;
    pthread_mutex_lock(&self->lock);
    run_known_t *items = calloc(self->services.count + 1, sizeof(*items));
    size_t count = 0;
    for (size_t cursor = 0; run_map_next(&self->services, &cursor, &name, &value); count++) {
        const known_t *known = value;
        items[count].name = strdup(name);
        items[count].value = strdup(known->value);
        memcpy(items[count].uuid, known->uuid, UUID_LEN + 1);
    }
    pthread_mutex_unlock(&self->lock);
    qsort(items, count, sizeof(*items), by_name);
    *ret_count = count;
    return items;
}

void
run_known_free(run_known_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(items[i].name);
        free(items[i].value);
    }
    free(items);
}

int
run_store_task_begin(run_store_t *self, const char *name, err_t **err)
{
    return write_texts(self, "INSERT OR IGNORE INTO run_tasks VALUES(?)",
                       (const char *const[]){name, NULL}, err);
}

int
run_store_task_end(run_store_t *self, const char *name, err_t **err)
{
    return write_texts(self, "DELETE FROM run_tasks WHERE name = ?",
                       (const char *const[]){name, NULL}, err);
}

char **
run_store_tasks(run_store_t *self)
{
    sqlite3 *db = self->world.db_lock(self->world.self);
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    char **names = calloc(1, sizeof(*names));
    sqlite3_prepare_v2(db, "SELECT name FROM run_tasks ORDER BY name", -1, &statement, NULL);
    while (statement && sqlite3_step(statement) == SQLITE_ROW) {
        names = realloc(names, (count + 2) * sizeof(*names));
        names[count++] = strdup((const char *)sqlite3_column_text(statement, 0));
        names[count] = NULL;
    }
    sqlite3_finalize(statement);
    self->world.db_unlock(self->world.self);
    return names;
}

int
run_store_put_text(run_store_t *self, const char *key, const char *text, err_t **err)
{
    return write_texts(self, "INSERT OR REPLACE INTO run_texts VALUES(?, ?)",
                       (const char *const[]){key, text, NULL}, err);
}

char *
run_store_get_text(run_store_t *self, const char *key)
{
    sqlite3 *db = self->world.db_lock(self->world.self);
    sqlite3_stmt *statement = NULL;
    char *text = NULL;
    if (sqlite3_prepare_v2(db, "SELECT text FROM run_texts WHERE key = ?", -1, &statement, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW)
            text = strdup((const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    self->world.db_unlock(self->world.self);
    return text;
}

static run_map_t *
fields_require(run_store_t *self, const char *uuid)
{
    run_map_t *fields = run_map_get(&self->values, uuid);
    if (!fields) {
        fields = calloc(1, sizeof(*fields));
        run_map_put(&self->values, uuid, fields);
    }
    return fields;
}

static int
load(run_store_t *self, sqlite3 *db, err_t **err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "SELECT uuid, field, is_string, text FROM run_values", -1,
                           &statement, NULL) != SQLITE_OK)
        return db_fail(db, err);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        types_datum_t *value = calloc(1, sizeof(*value));
        *value = TYPES_DATUM_EMPTY;
        const void *bytes = sqlite3_column_blob(statement, 3);
        types_datum_set_string(value, bytes ? bytes : "",
                               (size_t)sqlite3_column_bytes(statement, 3));
        value->is_string = sqlite3_column_int(statement, 2);
        run_map_put(fields_require(self, (const char *)sqlite3_column_text(statement, 0)),
                    (const char *)sqlite3_column_text(statement, 1), value);
    }
    sqlite3_finalize(statement);
    if (sqlite3_prepare_v2(db, "SELECT name, uuid, value FROM run_services WHERE length(uuid) = 32",
                           -1, &statement, NULL) != SQLITE_OK)
        return db_fail(db, err);
    while (sqlite3_step(statement) == SQLITE_ROW)
        know(self, (const char *)sqlite3_column_text(statement, 0),
             (const char *)sqlite3_column_text(statement, 1),
             (const char *)sqlite3_column_text(statement, 2));
    sqlite3_finalize(statement);
    return 0;
}
