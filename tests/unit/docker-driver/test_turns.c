/*  turns: who may change what is attached to a network. */
#include "base/auto.h"
#include "docker-driver/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ROUNDS 2000

typedef struct {
    docker_turns_t *turns;
    const char *network;
    bool detaches;
    atomic_int *attaching, *detaching, *wrong; /* of the network */
} visitor_t;

static void *
visit(void *arg)
{
    visitor_t *self = arg;
    for (int i = 0; i < ROUNDS; i++) {
        docker_turn_t *turn = self->detaches ? docker_turns_detach(self->turns, self->network)
                                             : docker_turns_attach(self->turns, self->network);
        atomic_int *mine = self->detaches ? self->detaching : self->attaching;
        atomic_fetch_add(mine, 1);
        if (*self->detaching > (self->detaches ? 1 : 0) || (self->detaches && *self->attaching))
            atomic_fetch_add(self->wrong, 1);
        atomic_fetch_sub(mine, 1);
        docker_turns_end(self->turns, &turn);
    }
    return NULL;
}

static void
one_detaches_while_nobody_else_attaches_or_detaches(void **state)
{
    (void)state;
    docker_turns_t turns = {.first = NULL};
    docker_turns_init(&turns);
    atomic_int attaching[2] = {0}, detaching[2] = {0}, wrong = 0;
    visitor_t visitors[8];
    pthread_t threads[ARRAY_LEN(visitors)];
    for (size_t i = 0; i < ARRAY_LEN(visitors); i++) {
        visitors[i] = (visitor_t){.turns = &turns,
                                  .network = i % 2 ? "kt-a" : "kt-b",
                                  .detaches = i >= ARRAY_LEN(visitors) / 2,
                                  .attaching = &attaching[i % 2],
                                  .detaching = &detaching[i % 2],
                                  .wrong = &wrong};
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
    assert_null(turns.first);
    docker_turns_done(&turns);
}

static void *
detach_one(void *arg)
{
    docker_turn_t *turn = docker_turns_detach(arg, "kt-b");
    docker_turns_end(arg, &turn);
    return NULL;
}

static void
networks_and_those_who_attach_do_not_wait_for_each_other(void **state)
{
    (void)state;
    docker_turns_t turns = {.first = NULL};
    docker_turns_init(&turns);
    docker_turn_t *detaching = docker_turns_detach(&turns, "kt-a");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, detach_one, &turns), 0);
    pthread_join(thread, NULL); /* ends, although kt-a is taken */
    docker_turn_t *one = docker_turns_attach(&turns, "kt-b");
    docker_turn_t *two = docker_turns_attach(&turns, "kt-b");
    docker_turns_end(&turns, &one);
    docker_turns_end(&turns, &two);
    docker_turns_end(&turns, &detaching);
    docker_turns_end(&turns, &detaching); /* nothing: it has ended */
    assert_null(turns.first);
    docker_turns_done(&turns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_detaches_while_nobody_else_attaches_or_detaches),
        cmocka_unit_test(networks_and_those_who_attach_do_not_wait_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
