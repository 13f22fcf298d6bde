/*  members, and the tables and timers below them: plain data, so the tests own the clock. */
#include "bus/members.h"
#include "bus/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t routes[3][BUS_ROUTE_SIZE] = {
    {0, 1, 2, 3, 4}, {0, 1, 2, 3, 5}, {0, 9, 9, 9, 9}};

static bus_members_t members;
static bus_member_t *engine, *driver, *client;

static int
setup(void **state)
{
    (void)state;
    members = (bus_members_t){0};
    engine = bus_members_add(&members, routes[0], "engine", "e");
    driver = bus_members_add(&members, routes[1], "driver/docker", "d");
    client = bus_members_add(&members, routes[2], "client/1", "c");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    bus_members_remove(&members, engine);
    bus_members_remove(&members, driver);
    bus_members_remove(&members, client);
    bus_members_done(&members);
    return 0;
}

static void
members_are_found_by_route_and_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(bus_members_by_route(&members, routes[1], BUS_ROUTE_SIZE), driver);
    assert_ptr_equal(bus_members_by_name(&members, "client/1xx", 8), client);
    assert_null(bus_members_by_name(&members, "client/1x", 9));
    assert_null(bus_members_by_name(&members, "", 0));
    assert_null(bus_members_by_route(&members, "\0\1\2\3", 4));
    assert_null(bus_members_by_route(&members, "\0\1\2\3\7", 5));
    assert_int_equal(driver->role, BUS_ROLE_DRIVER);
}

static void
a_dialog_is_found_by_its_asker_and_counts_for_both(void **state)
{
    (void)state;
    bus_dialog_t *one = bus_dialog_open(&members, client, engine, 5, false, 100);
    bus_dialog_t *two = bus_dialog_open(&members, engine, driver, 5, false, 10);
    bus_dialog_t *self = bus_dialog_open(&members, engine, engine, 6, false, 1);
    assert_ptr_equal(bus_dialog_find(&members, client, 5), one);
    assert_ptr_equal(bus_dialog_find(&members, engine, 5), two);
    assert_null(bus_dialog_find(&members, driver, 5));
    assert_int_equal(engine->asked, 2);
    assert_int_equal(engine->bytes, 101);
    bus_dialog_close(&members, one);
    bus_dialog_close(&members, self);
    assert_null(bus_dialog_find(&members, client, 5));
    assert_int_equal(engine->bytes, 0);
    assert_ptr_equal(engine->dialogs[0], two);
    assert_null(engine->dialogs[1]);
    bus_dialog_close(&members, two);
    assert_int_equal(engine->asked + driver->asked + client->asked, 0);
}

static void
many_dialogs_close_in_any_order(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static bus_dialog_t *dialogs[COUNT];
    for (unsigned i = 0; i < COUNT; i++)
        dialogs[i] =
            bus_dialog_open(&members, i % 2 ? client : engine, driver, i + 1, i % 3 == 0, i);
    for (unsigned i = 0; i < COUNT; i++)
        assert_ptr_equal(bus_dialog_find(&members, i % 2 ? client : engine, i + 1), dialogs[i]);
    for (unsigned k = 0; k < COUNT; k++) {
        unsigned i = k * 7 % COUNT;
        bus_dialog_close(&members, dialogs[i]);
        assert_null(bus_dialog_find(&members, i % 2 ? client : engine, i + 1));
    }
    assert_int_equal(members.dialogs.count, 0);
    assert_int_equal(driver->bytes, 0);
    assert_null(driver->dialogs[1]);
}

static void
a_stream_counts_what_is_under_way_each_way(void **state)
{
    (void)state;
    bus_dialog_t *stream = bus_dialog_open(&members, client, engine, 1, true, 0);
    for (size_t i = 0; i < BUS_CREDIT; i++) {
        assert_true(bus_dialog_flow(stream, 1, 1000 + i));
        assert_true(bus_dialog_flow(stream, 0, 1));
    }
    assert_false(bus_dialog_flow(stream, 1, 1));
    assert_int_equal(client->bytes, BUS_CREDIT * 1000 + BUS_CREDIT * (BUS_CREDIT - 1) / 2);
    assert_int_equal(engine->bytes, BUS_CREDIT);
    assert_int_equal(bus_dialog_credit(stream, 0, 2), 2); /* the client got two */
    assert_int_equal(client->bytes,
                     (BUS_CREDIT - 2) * 1000 + BUS_CREDIT * (BUS_CREDIT - 1) / 2 - 1);
    assert_true(bus_dialog_flow(stream, 1, 5));
    assert_int_equal(bus_dialog_credit(stream, 0, 1000), BUS_CREDIT - 1);
    assert_int_equal(client->bytes, 0);
    assert_int_equal(bus_dialog_credit(stream, 0, 1), 0);
    bus_dialog_close(&members, stream);
    assert_int_equal(engine->bytes, 0);
}

/* ------------------------------------------------------------------------------------------ timers
 */

static int order[100], fired;
static bus_timer_t timers[100];
static bus_timers_t heap;

static void
on_timer(bus_timer_t *timer)
{
    order[fired++] = (int)(timer - timers);
}

static void
again(bus_timer_t *timer)
{
    fired++;
    bus_timers_set(&heap, timer,
                   timer->due); /* due at once, and still it is its turn only the next time */
}

static void
timers_fire_in_the_order_of_their_time(void **state)
{
    (void)state;
    fired = 0;
    for (int i = 0; i < 100; i++) {
        timers[i] = (bus_timer_t){.fn = on_timer};
        bus_timers_set(&heap, &timers[i], 1000 + i * 37 % 100);
    }
    assert_int_equal(bus_timers_wait_ms(&heap, 0), 1);
    bus_timers_set(&heap, &timers[5], 5000); /* moved */
    bus_timers_remove(&heap, &timers[6]);
    bus_timers_remove(&heap, &timers[6]);
    bus_timers_run(&heap, 1049);
    for (int i = 1; i < fired; i++)
        assert_true(timers[order[i - 1]].due <= timers[order[i]].due);
    assert_true(timers[order[fired - 1]].due <= 1049);
    bus_timers_run(&heap, 1100);
    assert_int_equal(fired, 98);
    bus_timers_run(&heap, 5000);
    assert_int_equal(order[98], 5);
    assert_int_equal(bus_timers_wait_ms(&heap, 0), -1);
    bus_timers_done(&heap);
}

static void
a_timer_that_sets_itself_does_not_keep_the_loop(void **state)
{
    (void)state;
    fired = 0;
    bus_timer_t timer = {.fn = again};
    bus_timers_set(&heap, &timer, 1);
    bus_timers_run(&heap, 10);
    assert_int_equal(fired, 1);
    assert_int_equal(bus_timers_wait_ms(&heap, 10), 0);
    bus_timers_run(&heap, 10);
    assert_int_equal(fired, 2);
    bus_timers_done(&heap);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_are_found_by_route_and_by_name),
        TEST(a_dialog_is_found_by_its_asker_and_counts_for_both),
        TEST(many_dialogs_close_in_any_order),
        TEST(a_stream_counts_what_is_under_way_each_way),
        cmocka_unit_test(timers_fire_in_the_order_of_their_time),
        cmocka_unit_test(a_timer_that_sets_itself_does_not_keep_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
