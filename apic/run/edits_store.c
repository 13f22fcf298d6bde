/*  edits_store: the enclave plan in the enclave's database: a row per step that was done, and one
 * per name it has. */
#include "apic/run/edits.h"

#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS run_steps(position INTEGER PRIMARY KEY, uuid TEXT NOT NULL,"
    " type TEXT NOT NULL, text TEXT NOT NULL, returned TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS run_step_names(position INTEGER NOT NULL, ordinal INTEGER NOT NULL,"
    " is_service INTEGER NOT NULL, name TEXT NOT NULL, md5 TEXT NOT NULL,"
    " PRIMARY KEY(position, ordinal)) STRICT;";

static int
db_fail(sqlite3 *db, err_t **err)
{
    return err_fail(err, ERR_UNKNOWN, "the enclave's database: %s", sqlite3_errmsg(db));
}

static char *
column(sqlite3_stmt *statement, int index)
{
    const unsigned char *text = sqlite3_column_text(statement, index);
    return strdup(text ? (const char *)text : "");
}

static void
add_name(run_past_t *past, sqlite3_stmt *statement)
{
    if (sqlite3_column_int(statement, 1)) {
        size_t count = 0;
        while (past->services[count])
            count++;
        past->services = realloc(past->services, (count + 2) * sizeof(*past->services));
        past->services[count] = column(statement, 2);
        past->services[count + 1] = NULL;
        return;
    }
    past->artifacts = realloc(past->artifacts, (past->n_artifacts + 1) * sizeof(*past->artifacts));
    past->artifacts[past->n_artifacts++] =
        (plan_artifact_t){column(statement, 2), column(statement, 3)};
}

static int
load_steps(sqlite3 *db, run_edits_t *self, run_map_t *by_position, err_t **err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db,
                           "SELECT uuid, type, text, returned, position FROM run_steps ORDER BY "
                           "position LIMIT ?",
                           -1, &statement, NULL) != SQLITE_OK)
        return db_fail(db, err);
    sqlite3_bind_int64(statement, 1, PLAN_STEPS_MAX);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if ((self->n_past & (self->n_past - 1)) == 0)
            self->past =
                realloc(self->past, (self->n_past ? self->n_past * 2 : 1) * sizeof(*self->past));
        self->past[self->n_past++] = (run_past_t){
            .position = (size_t)sqlite3_column_int64(statement, 4),
            .uuid = column(statement, 0),
            .type = column(statement, 1),
            .text = column(statement, 2),
            .returned = column(statement, 3),
            .services = calloc(1, sizeof(char *)),
        };
        AUTO_FREE char *position = column(statement, 4);
        run_map_put(by_position, position, (void *)self->n_past);
    }
    sqlite3_finalize(statement);
    return 0;
}

static int
load_names(sqlite3 *db, run_edits_t *self, const run_map_t *by_position, err_t **err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db,
                           "SELECT position, is_service, name, md5 FROM run_step_names ORDER BY "
                           "position, ordinal",
                           -1, &statement, NULL) != SQLITE_OK)
        return db_fail(db, err);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        AUTO_FREE char *position = column(statement, 0);
        const size_t index = (size_t)run_map_get(by_position, position);
        if (index)
            add_name(&self->past[index - 1], statement);
    }
    sqlite3_finalize(statement);
    return 0;
}

int
run_edits_load(const run_world_t *world, run_edits_t **ret_edits, err_t **err)
{
    AUTO(run_edits) self = calloc(1, sizeof(*self));
    run_map_t by_position = {0};
    sqlite3 *db = world->db_lock(world->self);
    int rc = sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(db, err);
    if (rc == 0)
        rc = load_steps(db, self, &by_position, err);
    if (rc == 0)
        rc = load_names(db, self, &by_position, err);
    world->db_unlock(world->self);
    run_map_done(&by_position, NULL);
    if (rc < 0)
        return err_wrap(err, "cannot read what earlier runs did");
    *ret_edits = TAKE(self);
    return 0;
}

/* The statements that record steps. */
typedef struct {
    sqlite3 *db;
    sqlite3_stmt *step, *forget_names, *name;
} writer_t;

static int
writer_init(writer_t *self, sqlite3 *db, err_t **err)
{
    *self = (writer_t){.db = db};
    if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO run_steps VALUES(?, ?, ?, ?, ?)", -1,
                           &self->step, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "DELETE FROM run_step_names WHERE position = ?", -1,
                           &self->forget_names, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO run_step_names VALUES(?, ?, ?, ?, ?)", -1, &self->name,
                           NULL) != SQLITE_OK)
        return db_fail(db, err);
    return 0;
}

static void
writer_done(writer_t *self)
{
    sqlite3_finalize(self->step);
    sqlite3_finalize(self->forget_names);
    sqlite3_finalize(self->name);
}

static int
finish_step(writer_t *self, sqlite3_stmt *statement, err_t **err)
{
    const int rc = sqlite3_step(statement) == SQLITE_DONE ? 0 : db_fail(self->db, err);
    sqlite3_reset(statement);
    return rc;
}

static int
insert_names(writer_t *self, size_t position, const plan_step_t *step, err_t **err)
{
    int rc = 0, ordinal = 0;
    for (size_t i = 0; rc == 0 && i < step->n_services + step->n_artifacts; i++) {
        const bool is_service = i < step->n_services;
        const plan_artifact_t *artifact =
            is_service ? NULL : &step->artifacts[i - step->n_services];
        sqlite3_bind_int64(self->name, 1, (sqlite3_int64)position);
        sqlite3_bind_int(self->name, 2, ordinal++);
        sqlite3_bind_int(self->name, 3, is_service);
        sqlite3_bind_text(self->name, 4, is_service ? step->services[i] : artifact->name, -1,
                          SQLITE_STATIC);
        sqlite3_bind_text(self->name, 5, is_service ? "" : artifact->md5, -1, SQLITE_STATIC);
        rc = finish_step(self, self->name, err);
    }
    return rc;
}

static int
insert(writer_t *self, size_t position, const plan_step_t *step, err_t **err)
{
    sqlite3_bind_int64(self->forget_names, 1, (sqlite3_int64)position);
    if (finish_step(self, self->forget_names, err) < 0)
        return -1;
    sqlite3_bind_int64(self->step, 1, (sqlite3_int64)position);
    const char *const texts[] = {step->uuid, step->kind->table.name, step->text, step->returned};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        sqlite3_bind_text(self->step, (int)i + 2, texts[i], -1, SQLITE_STATIC);
    if (finish_step(self, self->step, err) < 0)
        return -1;
    return insert_names(self, position, step, err);
}

/* One transaction: all or nothing. */
static int
finish(sqlite3 *db, int rc, err_t **err)
{
    if (rc == 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        rc = db_fail(db, err);
    if (rc < 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int
run_edits_begin(const run_world_t *world, const run_plan_t *plan, err_t **err)
{
    sqlite3 *db = world->db_lock(world->self);
    writer_t writer = {0};
    AUTO_FREE char *sql = str_format("BEGIN IMMEDIATE;"
                                     "DELETE FROM run_steps WHERE position >= %zu;"
                                     "DELETE FROM run_step_names WHERE position >= %zu;",
                                     plan->first, plan->first);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? writer_init(&writer, db, err)
                                                                  : db_fail(db, err);
    for (size_t i = 0; rc == 0 && i < plan->n_steps && plan->steps[i]->is_skipped; i++)
        rc = insert(&writer, plan->first + i, plan->steps[i], err);
    writer_done(&writer);
    rc = finish(db, rc, err);
    world->db_unlock(world->self);
    return rc < 0 ? err_wrap(err, "cannot record what this run does") : 0;
}

int
run_edits_done(const run_world_t *world, const run_plan_t *plan, const size_t *indexes,
               size_t count, err_t **err)
{
    sqlite3 *db = world->db_lock(world->self);
    writer_t writer = {0};
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK
                 ? writer_init(&writer, db, err)
                 : db_fail(db, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = insert(&writer, plan->first + indexes[i], plan->steps[indexes[i]], err);
    writer_done(&writer);
    rc = finish(db, rc, err);
    world->db_unlock(world->self);
    return rc < 0 ? err_wrap(err, "cannot record that an instruction was done") : 0;
}
