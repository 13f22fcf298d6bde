/*  db: what was committed stays, what failed does not, one process at a time. */
#include "apic/core/db.h"
#include "tests/unit/apic_core/support.h"

#include <signal.h>
#include <sys/wait.h>

static char *folder, *path;

static int
setup(void **state)
{
    (void)state;
    folder = support_folder();
    path = str_format("%s/x.db", folder);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    free(path);
    support_folder_drop(folder);
    return 0;
}

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v INTEGER, b BLOB) STRICT;";

static int
put_two(sqlite3 *db, void *arg, err_t **err)
{
    if (db_exec(db, "INSERT INTO t (k, v) VALUES ('a', 1)", err) < 0)
        return -1;
    return db_exec(db, arg, err);
}

static int64_t
count(db_t *db)
{
    DB_STATEMENT st = {0};
    assert_int_equal(db_prepare(db_lock(db), &st, "SELECT count(*) FROM t", NULL), 0);
    assert_int_equal(db_step(&st, NULL), 1);
    int64_t n = db_int(&st, 0);
    db_unlock(db);
    return n;
}

static void
a_transaction_is_all_or_nothing(void **state)
{
    (void)state;
    AUTO(db) db = NULL;
    AUTO(err) err = NULL;
    assert_int_equal(db_open(path, schema, &db, NULL), 0);
    assert_true(
        db_transaction(db_lock(db), put_two, (void *)"INSERT INTO t (k) VALUES ('a')", &err) < 0);
    db_unlock(db);
    assert_int_equal(err_code(err), ERR_EXISTS);
    assert_int_equal(count(db), 0);
    assert_int_equal(
        db_transaction(db_lock(db), put_two, (void *)"INSERT INTO t (k) VALUES ('b')", NULL), 0);
    db_unlock(db);
    assert_int_equal(count(db), 2);
}

static void
values_come_back_as_they_were_bound(void **state)
{
    (void)state;
    AUTO(db) db = NULL;
    assert_int_equal(db_open(path, schema, &db, NULL), 0);
    sqlite3 *handle = db_lock(db);
    DB_STATEMENT in;
    assert_int_equal(db_prepare(handle, &in, "INSERT INTO t (k, v, b) VALUES (?1, ?2, ?3)", NULL),
                     0);
    db_bind_text(&in, 1, "it's");
    db_bind_int(&in, 2, INT64_MIN);
    db_bind_blob(&in, 3, "a\0b", 3);
    assert_int_equal(db_step(&in, NULL), 0);

    DB_STATEMENT out;
    size_t size;
    assert_int_equal(db_prepare(handle, &out, "SELECT k, v, b FROM t", NULL), 0);
    assert_int_equal(db_step(&out, NULL), 1);
    assert_string_equal(db_text(&out, 0), "it's");
    assert_true(db_int(&out, 1) == INT64_MIN);
    assert_memory_equal(db_blob(&out, 2, &size), "a\0b", 3);
    assert_int_equal(size, 3);
    db_unlock(db);
}

static void
what_was_committed_survives_a_kill(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        db_t *db = NULL;
        sqlite3 *handle;
        if (db_open(path, schema, &db, NULL) == 0 && (handle = db_lock(db)) &&
            db_exec(handle, "INSERT INTO t (k) VALUES ('x')", NULL) == 0 &&
            db_exec(handle, "BEGIN; INSERT INTO t (k) VALUES ('y')", NULL) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));

    AUTO(db) db = NULL;
    assert_int_equal(db_open(path, schema, &db, NULL), 0);
    assert_int_equal(count(db), 1);
}

static void
a_file_that_another_process_has_open_is_a_clear_error(void **state)
{
    (void)state;
    int ready[2], done[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        db_t *db = NULL;
        char c = db_open(path, schema, &db, NULL) == 0;
        close(done[1]);
        if (write(ready[1], &c, 1) != 1 || read(done[0], &c, 1) != 0)
            _exit(1);
        _exit(0);
    }
    char c = 0;
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, 1);
    AUTO(db) db = NULL;
    AUTO(err) err = NULL;
    assert_true(db_open_within(path, schema, 50, &db, &err) < 0);
    assert_int_equal(err_code(err), ERR_STATE);
    close(done[1]);
    waitpid(child, NULL, 0);
    close(done[0]);
    close(ready[0]);
    close(ready[1]);
}

static void
a_file_that_is_no_database_is_a_clear_error(void **state)
{
    (void)state;
    AUTO(db) db = NULL;
    err_t *err = NULL;
    char junk[4096];
    memset(junk, 'x', sizeof junk);
    support_write(path, junk, sizeof junk);
    assert_true(db_open(path, schema, &db, &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, path));
    assert_non_null(strstr(why, "damaged"));
}

static void
a_folder_that_is_not_there_is_a_clear_error(void **state)
{
    (void)state;
    AUTO(db) db = NULL;
    err_t *err = NULL;
    assert_true(db_open("/nowhere/x.db", schema, &db, &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "'/nowhere/x.db'"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_transaction_is_all_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(values_come_back_as_they_were_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_committed_survives_a_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_another_process_has_open_is_a_clear_error,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_database_is_a_clear_error, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_a_clear_error, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
