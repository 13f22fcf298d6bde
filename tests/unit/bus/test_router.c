/*  The router by hand, without a broker's thread: what happens over time, with a clock of the test's own. */
#include "bus/hello.h"
#include "bus/monitor.h"
#include "bus/router.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bus_router_t router;
static void *peers[2]; /* "engine", "driver/docker" */
static bus_keys_t keys;

static bool
may_join(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    (void)arg;
    (void)name;
    (void)public_key;
    return true;
}

/* Lets the router handle what waits. */
static void
pump(void)
{
    zmq_msg_t route, msg;
    zmq_msg_init(&route);
    zmq_msg_init(&msg);
    while (zmq_msg_recv(&route, router.socket, ZMQ_DONTWAIT) >= 0) {
        assert_true(zmq_msg_recv(&msg, router.socket, ZMQ_DONTWAIT) >= 0);
        bus_router_frame(&router, &route, &msg);
    }
    zmq_msg_close(&route);
    zmq_msg_close(&msg);
}

static void
say(void *socket, bus_frame_t frame)
{
    zmq_msg_t msg;
    bus_frame_msg(&frame, &msg);
    assert_true(zmq_msg_send(&msg, socket, ZMQ_DONTWAIT) >= 0);
}

/* The kind of the next frame; 0 for none. */
static unsigned
next_kind(void *socket, err_code_t *ret_code)
{
    zmq_msg_t msg;
    bus_frame_t frame = {0};
    zmq_msg_init(&msg);
    if (zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT) >= 0)
        bus_frame_decode(zmq_msg_data(&msg), zmq_msg_size(&msg), &frame, NULL);
    if (ret_code && frame.kind == BUS_KIND_ERROR) {
        AUTO(err) error = bus_err_unpack(frame.body, frame.body_size);
        *ret_code = err_code(error);
    }
    unsigned kind = frame.kind;
    zmq_msg_close(&msg);
    return kind;
}

static int
setup(void **state)
{
    (void)state;
    const char *names[] = {"engine", "driver/docker"};
    int one = 1, mark = 10;
    router = (bus_router_t){.may_join = may_join, .id = "0123"};
    pthread_mutex_init(&router.lock, NULL);
    pthread_cond_init(&router.changed, NULL);
    bus_keys_new(&router.keys);
    bus_keys_new(&keys);
    router.socket = zmq_socket(bus_context(), ZMQ_ROUTER);
    router.monitor = bus_monitor_new(router.socket, ZMQ_EVENT_DISCONNECTED);
    zmq_setsockopt(router.socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
    zmq_setsockopt(router.socket, ZMQ_SNDHWM, &mark, sizeof mark);
    if (zmq_bind(router.socket, "inproc://router.test") < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        AUTO_STR body = STR_EMPTY;
        peers[i] = zmq_socket(bus_context(), ZMQ_DEALER);
        zmq_setsockopt(peers[i], ZMQ_RCVHWM, &mark, sizeof mark);
        zmq_connect(peers[i], "inproc://router.test");
        bus_hello_pack(&keys, router.keys.public_key, names[i], "t", NULL, &body);
        say(peers[i],
            (bus_frame_t){.kind = BUS_KIND_HELLO, .body = body.data, .body_size = body.len});
        pump();
        if (next_kind(peers[i], NULL) != BUS_KIND_WELCOME)
            return -1;
    }
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    bus_router_close(&router);
    bus_monitor_destroy(router.socket, &router.monitor);
    zmq_close(router.socket);
    zmq_close(peers[0]);
    zmq_close(peers[1]);
    pthread_mutex_destroy(&router.lock);
    pthread_cond_destroy(&router.changed);
    bus_context_term();
    return 0;
}

static bus_frame_t
ask(bus_kind_t kind, uint64_t correlation, uint32_t remaining)
{
    return (bus_frame_t){.kind = kind,
                         .correlation = correlation,
                         .remaining = remaining,
                         .to = bus_text("driver/docker"),
                         .from = bus_text("engine"),
                         .method = bus_text("orchestrator.Orchestrator/GetEnclaves")};
}

static void
an_ask_that_nobody_ends_is_forgotten_some_time_after_its_deadline(void **state)
{
    (void)state;
    int64_t now = clock_ns();
    assert_int_equal(router.sweep_at, 0);
    say(peers[0], ask(BUS_KIND_ASK, 1, 1000));
    say(peers[0], ask(BUS_KIND_ASK, 2, 0));
    pump();
    assert_int_equal(router.members.dialogs.count, 2);
    assert_true(router.sweep_at > now);
    bus_router_sweep(&router, now + (1000 + BUS_GRACE_MS - 500) * NS_PER_MS);
    assert_int_equal(router.members.dialogs.count, 2);
    bus_router_sweep(&router, now + (1000 + BUS_GRACE_MS + 5000) * NS_PER_MS);
    assert_int_equal(router.members.dialogs.count, 1); /* the one without a deadline stays */
    assert_int_equal(router.sweep_at, 0);              /* and nothing is left to look for */
}

static void
an_error_for_a_peer_that_takes_no_more_is_delivered_later(void **state)
{
    (void)state;
    err_code_t code = 0;
    /* The engine asks, then its own queue is filled up to the mark by tells to itself. */
    say(peers[0], ask(BUS_KIND_ASK, 1, 0));
    pump();
    bus_frame_t tell = ask(BUS_KIND_TELL, 2, 0);
    tell.to = bus_text("engine");
    for (int i = 0; i < 100 && !router.owing; i++) {
        say(peers[0], tell);
        pump(); /* the refusal of a tell is owed, too */
    }
    assert_int_equal(router.owing, 1);
    assert_true(router.sweep_at > 0);
    say(peers[1], (bus_frame_t){.kind = BUS_KIND_BYE});
    pump();
    bus_router_sweep(&router, router.sweep_at);
    assert_int_equal(router.owing, 1); /* still full */
    unsigned errors = 0;
    for (int i = 0; i < 1000 && router.owing; i++) {
        while (next_kind(peers[0], &code) == BUS_KIND_TELL)
            continue;
        errors += code == ERR_UNAVAILABLE;
        pump(); /* an empty socket has heard that there is room */
        bus_router_sweep(&router, router.sweep_at);
    }
    assert_int_equal(router.owing, 0);
    while (next_kind(peers[0], &code))
        errors += code == ERR_UNAVAILABLE;
    assert_true(errors >= 1); /* the driver is gone */
    assert_int_equal(router.members.dialogs.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ask_that_nobody_ends_is_forgotten_some_time_after_its_deadline),
        TEST(an_error_for_a_peer_that_takes_no_more_is_delivered_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
