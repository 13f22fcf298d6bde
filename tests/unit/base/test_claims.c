/*  claims: one at a time per name, several names at once, and a waiter that can give up. */
#include "base/claims.h"
#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    claims_t *claims;
    const char *names[2];
    int rc, fd;
    int64_t deadline;
    err_code_t code;
} taker_t;

static void *
take(void *arg)
{
    taker_t *self = arg;
    err_t *err = NULL;
    self->rc = claims_take(self->claims, self->names, 2, self->fd, self->deadline, &err);
    self->code = err ? err_code(err) : 0;
    err_destroy(&err);
    return NULL;
}

static void
names_that_nobody_holds_are_taken_at_once(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    const char *a[] = {"a"}, *bc[] = {"b", "c"};
    assert_int_equal(claims_take(claims, a, 1, -1, 0, NULL), 0);
    assert_int_equal(claims_take(claims, bc, 2, -1, 0, NULL), 0);
    claims_release(claims, a, 1);
    assert_int_equal(claims_take(claims, a, 1, -1, 0, NULL), 0);
    claims_release(claims, a, 1);
    claims_release(claims, bc, 2);
}

static void
a_waiter_gets_its_names_when_all_of_them_are_free(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    const char *a[] = {"a"}, *b[] = {"b"};
    claims_take(claims, a, 1, -1, 0, NULL);
    claims_take(claims, b, 1, -1, 0, NULL);
    taker_t taker = {.claims = claims, .names = {"a", "b"}, .fd = -1, .rc = 1};
    pthread_t thread;
    pthread_create(&thread, NULL, take, &taker);
    claims_release(claims, a, 1);
    claims_release(claims, b, 1);
    pthread_join(thread, NULL);
    assert_int_equal(taker.rc, 0);
    claims_release(claims, taker.names, 2);
}

static void
a_waiter_gives_up_when_its_caller_does(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    const char *b[] = {"b"};
    claims_take(claims, b, 1, -1, 0, NULL);
    taker_t taker = {.claims = claims, .names = {"a", "b"}, .fd = eventfd(1, EFD_CLOEXEC)};
    take(&taker);
    assert_true(taker.rc < 0);
    assert_int_equal(taker.code, ERR_CANCELLED);
    close(taker.fd);
    claims_release(claims, b, 1);
}

static void
a_waiter_gives_up_when_its_time_is_over(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    const char *a[] = {"a"};
    claims_take(claims, a, 1, -1, 0, NULL);
    taker_t taker = {
        .claims = claims, .names = {"a", "b"}, .fd = -1, .deadline = clock_ns() + 20 * NS_PER_MS};
    take(&taker);
    assert_true(taker.rc < 0);
    assert_int_equal(taker.code, ERR_TIMEOUT);
    assert_true(clock_ns() >= taker.deadline);
    claims_release(claims, a, 1);
}

static void
one_that_does_not_wait_is_told_no(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    assert_true(claims_try(claims, "a"));
    assert_false(claims_try(claims, "a"));
    assert_true(claims_try(claims, "b"));
    claims_release(claims, (const char *[]){"a"}, 1);
    assert_true(claims_try(claims, "a"));
}

static void
where_descriptors_are_short_nobody_waits_and_nothing_is_taken(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    const char *b[] = {"b"};
    claims_take(claims, b, 1, -1, 0, NULL);
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    taker_t taker = {.claims = claims, .names = {"a", "b"}, .fd = -1};
    setrlimit(RLIMIT_NOFILE, &none);
    take(&taker);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_true(taker.rc < 0);
    assert_int_equal(taker.code, ERR_LIMIT);
    assert_true(claims_try(claims, "a"));
    claims_release(claims, b, 1); /* wakes nobody: there is none */
    assert_true(claims_try(claims, "b"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_nobody_holds_are_taken_at_once),
        cmocka_unit_test(a_waiter_gets_its_names_when_all_of_them_are_free),
        cmocka_unit_test(a_waiter_gives_up_when_its_caller_does),
        cmocka_unit_test(a_waiter_gives_up_when_its_time_is_over),
        cmocka_unit_test(one_that_does_not_wait_is_told_no),
        cmocka_unit_test(where_descriptors_are_short_nobody_waits_and_nothing_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
