/*  replaces: see replaces.h. */
#include "apic/run/replaces.h"

#include "apic/packages/locator.h"
#include "apic/run/map.h"

#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS run_replaces(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";

static int
db_fail(sqlite3 *db, err_t **err)
{
    err_fail(err, ERR_UNKNOWN, "the enclave's database: %s", sqlite3_errmsg(db));
    return err_wrap(err, "cannot remember what packages are replaced by");
}

/* Every package that was ever replaced, with the last value. */
static int
load(sqlite3 *db, run_map_t *past, err_t **err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT name, value FROM run_replaces", -1, &statement, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        const char *value = (const char *)sqlite3_column_text(statement, 1);
        run_map_put(past, name, strdup(value));
        rc = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? 0 : db_fail(db, err);
}

static int
save_one(sqlite3 *db, const packages_replace_t *replace, err_t **err)
{
    static const char text[] = "INSERT INTO run_replaces(name, value) SELECT ?1, ?2"
                               " WHERE (SELECT count(*) FROM run_replaces) < ?3"
                               " OR EXISTS(SELECT 1 FROM run_replaces WHERE name = ?1)"
                               " ON CONFLICT(name) DO UPDATE SET value = excluded.value";
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, replace->from, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, replace->to, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, RUN_REPLACES_MAX);
        rc = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? 0 : db_fail(db, err);
}

/* Does the local folder of an earlier run have to go? */
static bool
is_outdated(const packages_t *packages, const char *from)
{
    for (size_t i = 0; i < packages->n_replaces; i++)
        if (!strcmp(packages->replaces[i].from, from))
            return !packages_replace_is_local(packages->replaces[i].to);
    return true;
}

static int
clone_again(const run_enclave_t *enclave, const run_request_t *request, const char *package_id,
            err_t **err)
{
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(package_id, &locator, err) < 0 ||
        run_fetch(enclave, request, locator->author, locator->repo, locator->version, package_id,
                  err) < 0)
        return err_wrap(err, "An error occurred cloning package '%s'", package_id);
    return 0;
}

int
run_replaces_apply(const run_enclave_t *enclave, const run_request_t *request,
                   const packages_t *packages, err_t **err)
{
    const run_world_t *world = enclave->world;
    run_map_t past = {0};
    int rc = load(world->db_lock(world->self), &past, err);
    world->db_unlock(world->self);

    const char *from;
    void *to;
    for (size_t cursor = 0; rc == 0 && run_map_next(&past, &cursor, &from, &to);)
        if (packages_replace_is_local(to) && is_outdated(packages, from))
            rc = clone_again(enclave, request, from, err);
    run_map_done(&past, free);
    if (rc < 0)
        return rc;

    sqlite3 *db = world->db_lock(world->self);
    for (size_t i = 0; rc == 0 && i < packages->n_replaces; i++)
        rc = save_one(db, &packages->replaces[i], err);
    world->db_unlock(world->self);
    return rc;
}
