/*  claims: one at a time per name, several names at once, and a waiter that can give up. */
#include "apic/core/claims.h"
#include "tests/unit/apic_core/support.h"

#include <pthread.h>
#include <sys/eventfd.h>

typedef struct {
    claims_t *claims;
    const char *names[2];
    int rc, fd;
    err_code_t code;
} taker_t;

static void *
take(void *arg)
{
    taker_t *self = arg;
    err_t *err = NULL;
    self->rc = claims_take(self->claims, self->names, 2, self->fd, &err);
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
    assert_int_equal(claims_take(claims, a, 1, -1, NULL), 0);
    assert_int_equal(claims_take(claims, bc, 2, -1, NULL), 0);
    claims_release(claims, a, 1);
    assert_int_equal(claims_take(claims, a, 1, -1, NULL), 0);
    claims_release(claims, a, 1);
    claims_release(claims, bc, 2);
}

static void
a_waiter_gets_its_names_when_all_of_them_are_free(void **state)
{
    (void)state;
    AUTO(claims) claims = claims_new();
    const char *a[] = {"a"}, *b[] = {"b"};
    claims_take(claims, a, 1, -1, NULL);
    claims_take(claims, b, 1, -1, NULL);
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
    claims_take(claims, b, 1, -1, NULL);
    taker_t taker = {.claims = claims, .names = {"a", "b"}, .fd = eventfd(1, EFD_CLOEXEC)};
    take(&taker);
    assert_true(taker.rc < 0);
    assert_int_equal(taker.code, ERR_CANCELLED);
    close(taker.fd);
    claims_release(claims, b, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_nobody_holds_are_taken_at_once),
        cmocka_unit_test(a_waiter_gets_its_names_when_all_of_them_are_free),
        cmocka_unit_test(a_waiter_gives_up_when_its_caller_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
