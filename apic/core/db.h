/*  db: the enclave's SQLite file, opened with care, and statements that read like a sentence.
 *
 *  One connection for the process, taken and given back with db_lock and db_unlock. What was
 * committed survives the death of the process at any instant (WAL); the file belongs to one process
 * at a time.
 *
 *      DB_STATEMENT st = {0};
 *      if (db_prepare(db, &st, "SELECT uuid FROM service WHERE name = ?1", err) < 0)
 *          return -1;
 *      db_bind_text(&st, 1, name);
 *      while ((rc = db_step(&st, err)) > 0)
 *          use(db_text(&st, 0));
 *      return rc;
 *
 *  Functions with a sqlite3 * are called with the lock held.
 */
#ifndef KURTOSIS_APIC_CORE_DB_H
#define KURTOSIS_APIC_CORE_DB_H

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define DB_BUSY_MS 10000 /* how long another process may hold the file before it is an error */
#define DB_CACHE_KB 256  /* page cache of the connection */

typedef struct db db_t;

/* Opens or makes the file (its folder must exist) and runs schema, statements that may be repeated.
 */
int db_open(const char *path, const char *schema, db_t **ret_db, err_t **err);
/* The same, with another time to wait for a process that holds the file. */
int db_open_within(const char *path, const char *schema, int busy_ms, db_t **ret_db, err_t **err);
void db_destroy(db_t **self_p);
AUTO_FOR(db)

/* Any thread; not recursive. */
sqlite3 *db_lock(db_t *self);
void db_unlock(db_t *self);

/* One statement of the connection; finalised when it goes out of scope. */
typedef struct {
    sqlite3_stmt *stmt;
    int failed; /* first result of a bind that was not SQLITE_OK */
} db_statement_t;

void db_statement_done(db_statement_t *self);
#define DB_STATEMENT __attribute__((cleanup(db_statement_done))) db_statement_t

int db_prepare(sqlite3 *db, db_statement_t *self, const char *sql, err_t **err);
/* Values are copied. Index from 1. text NULL binds NULL. A failed bind is reported by db_step. */
void db_bind_text(db_statement_t *self, int index, const char *text);
void db_bind_int(db_statement_t *self, int index, int64_t value);
void db_bind_blob(db_statement_t *self, int index, const void *data, size_t size);
/* 1: a row, 0: done, negative: failed. */
int db_step(db_statement_t *self, err_t **err);
/* Ready to be bound and stepped again. */
void db_reset(db_statement_t *self);
/* Columns of the row, from 0. Text is never NULL ("" instead) and lent until the next step. */
const char *db_text(const db_statement_t *self, int column);
int64_t db_int(const db_statement_t *self, int column);
const void *db_blob(const db_statement_t *self, int column, size_t *ret_size);

/* Statements without parameters or results. */
int db_exec(sqlite3 *db, const char *sql, err_t **err);
/* fn(db, arg) between BEGIN IMMEDIATE and COMMIT; ROLLBACK when it fails. */
int db_transaction(sqlite3 *db, int (*fn)(sqlite3 *db, void *arg, err_t **err), void *arg,
                   err_t **err);

#endif
