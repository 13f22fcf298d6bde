#include "tests/unit/bus/harness.h"

#include "base/clock.h"
#include "bus/hello.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define METHOD "engine_api.EngineService/GetEngineInfo"

static int
ask(bus_peer_t *peer, int timeout_ms, err_t **err)
{
    zmq_msg_t reply;
    bus_frame_t frame;
    if (bus_peer_ask(peer, "engine", METHOD, "hello", 5, timeout_ms, &reply, &frame, err) < 0)
        return -1;
    int same = frame.body_size == 5 && memcmp(frame.body, "hello", 5) == 0;
    zmq_msg_close(&reply);
    return same ? 0 : -1;
}

static void
ask_works(harness_t *self, const char *endpoint)
{
    echo_t *echo = echo_new(self, endpoint, "engine");
    bus_peer_t *peer = harness_peer(self, endpoint, "client/1", NULL, NULL);
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(peer, PATIENCE_MS, NULL), 0);
    bus_peer_destroy(&peer);
    echo_destroy(&echo);
}

static void
an_ask_is_answered_over_ipc(void **state)
{
    harness_t *self = *state;
    ask_works(self, self->ipc);
}

static void
an_ask_is_answered_over_inproc(void **state)
{
    harness_t *self = *state;
    ask_works(self, self->inproc);
}

static void
an_ask_is_answered_over_tcp(void **state)
{
    harness_t *self = *state;
    ask_works(self, self->tcp);
}

static void
transports_meet_in_one_broker(void **state)
{
    harness_t *self = *state;
    echo_t *echo = echo_new(self, self->inproc, "engine");
    const char *const endpoints[] = {self->ipc, self->inproc, self->tcp};
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        bus_peer_t *peer = harness_peer(self, endpoints[i], "client/1", NULL, NULL);
        assert_int_equal(ask(peer, PATIENCE_MS, NULL), 0);
        bus_peer_destroy(&peer);
    }
    echo_destroy(&echo);
}

/* Runs the loop of a peer until *done. */
static void
run_until(bus_peer_t *peer, const bool *done)
{
    int64_t until = clock_ns() + PATIENCE_MS * NS_PER_MS;
    while (!*done) {
        struct pollfd fds[BUS_PEER_FDS];
        int64_t now = clock_ns();
        if (now > until)
            fail_msg("it did not happen in time");
        if (bus_peer_dispatch(peer, NULL) || *done)
            continue;
        int wait = bus_timers_wait_ms(bus_peer_timers(peer), now);
        int left = (int)((until - now) / NS_PER_MS) + 1;
        poll(fds, bus_peer_fds(peer, fds), wait < 0 || wait > left ? left : wait);
    }
}

/* ------------------------------------------------------------------------------------ tcp and keys */

static void
over_tcp_the_wrong_key_is_denied(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    bus_peer_t *peer = harness_peer_with(self->tcp, "client/1", &self->stranger,
                                         self->keys.public_key, NULL, NULL);
    assert_true(bus_peer_join(peer, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_DENIED, "the broker does not know this key");
    bus_peer_destroy(&peer);
}

static void
over_tcp_a_broker_of_another_key_is_noticed(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    bus_peer_t *peer = harness_peer_with(self->tcp, "client/1", &self->peer,
                                         self->stranger.public_key, NULL, NULL);
    assert_true(bus_peer_join(peer, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "its key is not the expected one");
    bus_peer_destroy(&peer);
}

static void
over_tcp_nothing_passes_without_curve(void **state)
{
    harness_t *self = *state;
    void *raw = zmq_socket(bus_context(), ZMQ_DEALER);
    int linger = 0, patience = 300;
    zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(raw, ZMQ_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(zmq_connect(raw, self->tcp), 0);
    zmq_send(raw, "K", 1, 0); /* would be answered with an error */
    char byte;
    assert_int_equal(zmq_recv(raw, &byte, 1, 0), -1);
    zmq_close(raw);
}

static void
over_tcp_a_peer_cannot_prove_another_key_than_its_connection_has(void **state)
{
    harness_t *self = *state;
    /* A connection with the good key, a Hello of a stranger's. */
    void *raw = zmq_socket(bus_context(), ZMQ_DEALER);
    int linger = 0, patience = PATIENCE_MS;
    zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(raw, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(raw, ZMQ_CURVE_SERVERKEY, self->keys.public_key, BUS_KEY_SIZE);
    zmq_setsockopt(raw, ZMQ_CURVE_PUBLICKEY, self->peer.public_key, BUS_KEY_SIZE);
    zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, self->peer.secret_key, BUS_KEY_SIZE);
    assert_int_equal(zmq_connect(raw, self->tcp), 0);
    AUTO_STR body = STR_EMPTY;
    bus_hello_pack(&self->stranger, self->keys.public_key, "client/1", "raw", NULL, &body);
    raw_say(raw, (bus_frame_t){.kind = BUS_KIND_HELLO, .body = body.data, .body_size = body.len});
    raw_expect_error(raw, 0, ERR_DENIED, "not the one of the connection");
    zmq_close(raw);
}

static void
over_ipc_the_wrong_key_is_denied_with_the_reason(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    bus_peer_t *peer = harness_peer_with(self->ipc, "client/1", &self->stranger,
                                         self->keys.public_key, NULL, NULL);
    assert_true(bus_peer_join(peer, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_DENIED, "may not be called 'client/1'");
    assert_true(ask(peer, PATIENCE_MS, NULL) < 0);
    bus_peer_destroy(&peer);
}

/* ---------------------------------------------------------------------------- nobody, and too late */

static void
when_nobody_listens_it_is_said_at_once(void **state)
{
    harness_t *self = *state;
    AUTO_FREE char *nowhere = str_format("ipc://%s/nowhere", self->folder);
    const char *const endpoints[] = {nowhere, "tcp://127.0.0.1:1"};
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++) {
        AUTO(err) error = NULL;
        int64_t began = clock_ns();
        bus_peer_t *peer = harness_peer_with(endpoints[i], "client/1", &self->peer,
                                             self->keys.public_key, NULL, NULL);
        assert_true(bus_peer_join(peer, PATIENCE_MS, &error) < 0);
        assert_error(error, ERR_UNAVAILABLE, "nobody listens there");
        assert_true(clock_ns() - began < AT_ONCE);
        bus_peer_destroy(&peer);
    }
}

static void
a_listener_that_says_nothing_is_a_timeout(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    void *mute = zmq_socket(bus_context(), ZMQ_ROUTER);
    AUTO_FREE char *endpoint = str_format("ipc://%s/mute", self->folder);
    assert_int_equal(zmq_bind(mute, endpoint), 0);
    bus_peer_t *peer =
        harness_peer_with(endpoint, "client/1", &self->peer, self->keys.public_key, NULL, NULL);
    assert_true(bus_peer_join(peer, 50, &error) < 0);
    assert_error(error, ERR_TIMEOUT, "no answer within 50 ms");
    bus_peer_destroy(&peer);
    zmq_close(mute);
}

static void
an_endpoint_that_is_none_is_refused(void **state)
{
    harness_t *self = *state;
    bus_peer_t *peer = NULL;
    AUTO(err) error = NULL;
    bus_peer_config_t config = {.name = "client/1",
                                .endpoint = "carrier://pigeon",
                                .broker_key = self->keys.public_key,
                                .keys = &self->peer};
    assert_true(bus_peer_new(&config, &peer, &error) < 0);
    assert_error(error, ERR_INVALID, "cannot use the bus at 'carrier://pigeon'");
    err_destroy(&error);
    config.name = "nobody";
    assert_true(bus_peer_new(&config, &peer, &error) < 0);
    assert_error(error, ERR_INVALID, "'nobody' is not the name of a peer");
}

static void
an_ask_past_its_deadline_fails_here_and_is_cancelled_there(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    void *engine = raw_new(self);
    raw_join(self, engine, "engine");
    bus_peer_t *peer = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    assert_true(ask(peer, 30, &error) < 0);
    assert_error(error, ERR_TIMEOUT, "'engine' did not answer in time");
    zmq_msg_t msg;
    bus_frame_t frame;
    raw_recv(engine, &msg, &frame);
    assert_int_equal(frame.kind, BUS_KIND_ASK);
    assert_true(frame.remaining > 0 && frame.remaining <= 30);
    zmq_msg_close(&msg);
    raw_recv(engine, &msg, &frame);
    assert_int_equal(frame.kind, BUS_KIND_CANCEL);
    zmq_msg_close(&msg);
    bus_peer_destroy(&peer);
    zmq_close(engine);
}

static void
an_ask_to_somebody_who_is_not_there_fails_at_once(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    bus_peer_t *peer = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    assert_true(ask(peer, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "'engine' is not on the bus");
    bus_peer_destroy(&peer);
}

/* ---------------------------------------------------------------------------------- many at a time */

typedef struct {
    bus_talk_t talk;
    int *done;
    err_code_t code;
    bool ended;
} pending_t;

static void
on_frame(bus_talk_t *talk, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error)
{
    pending_t *self = BUS_OF(pending_t, talk, talk);
    (void)msg;
    assert_null(talk->owner);
    if (!frame)
        self->code = err_code(*error);
    else if (frame->kind == BUS_KIND_ERROR) {
        AUTO(err) why = bus_err_unpack(frame->body, frame->body_size);
        self->code = err_code(why);
    }
    self->ended = true;
    ++*self->done;
}

static int
open_one(bus_peer_t *peer, pending_t *pending, int *done, err_t **err)
{
    zmq_msg_t msg;
    *pending = (pending_t){.talk = {.on_frame = on_frame, .other = "engine"}, .done = done};
    pending->talk.correlation = bus_peer_number(peer);
    bus_frame_t frame = {.kind = BUS_KIND_ASK,
                         .correlation = pending->talk.correlation,
                         .to = bus_text("engine"),
                         .from = bus_text("client/1"),
                         .method = bus_text(METHOD)};
    bus_frame_msg(&frame, &msg);
    return bus_peer_open(peer, &pending->talk, 0, &msg, err);
}

static void
run_until_count(bus_peer_t *peer, const int *count, int wanted)
{
    bool done = false;
    while (*count < wanted) {
        struct pollfd fds[BUS_PEER_FDS];
        if (bus_peer_dispatch(peer, NULL) || *count >= wanted)
            continue;
        if (poll(fds, bus_peer_fds(peer, fds), PATIENCE_MS) == 0)
            run_until(peer, &done); /* fails */
    }
}

static void
asks_over_the_limit_are_refused_here_already(void **state)
{
    harness_t *self = *state;
    static pending_t pending[BUS_PEER_TALKS_MAX + 1];
    AUTO(err) error = NULL;
    int done = 0;
    echo_t *echo = echo_new(self, self->ipc, "engine");
    bus_peer_t *peer = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    for (unsigned i = 0; i < BUS_PEER_TALKS_MAX; i++)
        assert_int_equal(open_one(peer, &pending[i], &done, NULL), 0);
    assert_true(open_one(peer, &pending[BUS_PEER_TALKS_MAX], &done, &error) < 0);
    assert_error(error, ERR_LIMIT, "4096 asks and streams of 'client/1' are open already");
    run_until_count(peer, &done, BUS_PEER_TALKS_MAX);
    assert_int_equal(open_one(peer, &pending[0], &done, NULL), 0);
    run_until_count(peer, &done, BUS_PEER_TALKS_MAX + 1);
    bus_peer_destroy(&peer);
    echo_destroy(&echo);
}

static void
a_peer_that_leaves_ends_what_it_had_open(void **state)
{
    harness_t *self = *state;
    void *engine = raw_new(self);
    raw_join(self, engine, "engine");
    bus_peer_t *peer = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    pending_t pending[10];
    int done = 0;
    for (size_t i = 0; i < ARRAY_LEN(pending); i++)
        assert_int_equal(open_one(peer, &pending[i], &done, NULL), 0);
    bus_talk_close(&pending[9].talk); /* forgotten: no callback */
    bus_peer_destroy(&peer);
    assert_int_equal(done, 9);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(pending[i].code, ERR_UNAVAILABLE);
    assert_false(pending[9].ended);
    zmq_close(engine);
}

/* ------------------------------------------------------------------------------ a broker that goes */

static bool joined_now;
static int changes;

static void
on_bus(void *arg, bool joined)
{
    (void)arg;
    joined_now = joined;
    changes++;
}

static bus_peer_t *
watching_peer(harness_t *self, const char *endpoint)
{
    bus_peer_t *peer = NULL;
    bus_peer_config_t config = {.name = "client/1",
                                .endpoint = endpoint,
                                .broker_key = self->keys.public_key,
                                .keys = &self->peer,
                                .on_bus = on_bus};
    joined_now = false;
    changes = 0;
    assert_int_equal(bus_peer_new(&config, &peer, NULL), 0);
    assert_int_equal(bus_peer_join(peer, PATIENCE_MS, NULL), 0);
    assert_true(joined_now);
    return peer;
}

static void
comes_back(harness_t *self, const char *endpoint, bool tcp)
{
    bus_peer_t *peer = watching_peer(self, endpoint);
    void *engine = raw_new(self);
    raw_join(self, engine, "engine");
    pending_t pending;
    int done = 0;
    assert_int_equal(open_one(peer, &pending, &done, NULL), 0);
    bus_peer_dispatch(peer, NULL);
    bus_broker_destroy(&self->broker);
    run_until_count(peer, &changes, 2);
    assert_false(joined_now);
    assert_int_equal(done, 1);
    assert_int_equal(pending.code, ERR_UNAVAILABLE);
    AUTO(err) error = NULL;
    assert_true(ask(peer, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "no connection to the broker at");
    zmq_close(engine);
    harness_start(self, tcp);
    run_until_count(peer, &changes, 3);
    assert_true(joined_now);
    echo_t *echo = echo_new(self, self->ipc, "engine");
    assert_int_equal(ask(peer, PATIENCE_MS, NULL), 0);
    bus_peer_destroy(&peer);
    echo_destroy(&echo);
}

static void
after_a_broker_restart_a_peer_is_back_over_ipc(void **state)
{
    harness_t *self = *state;
    comes_back(self, self->ipc, false);
}

static void
after_a_broker_restart_a_peer_is_back_over_inproc(void **state)
{
    harness_t *self = *state;
    comes_back(self, self->inproc, false);
}

static void
after_a_broker_restart_a_peer_is_back_over_tcp_with_curve(void **state)
{
    harness_t *self = *state;
    comes_back(self, self->tcp, true);
}

static void
a_peer_whose_name_was_taken_stays_away(void **state)
{
    harness_t *self = *state;
    bus_peer_t *peer = watching_peer(self, self->ipc);
    bus_peer_t *second = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    run_until_count(peer, &changes, 2);
    assert_false(joined_now);
    AUTO(err) error = NULL;
    assert_true(ask(peer, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_EXISTS, "another connection has taken the name 'client/1'");
    assert_true(bus_peer_joined(second));
    bus_peer_destroy(&second);
    bus_peer_destroy(&peer);
}

/* ----------------------------------------------------------------------------- killed, and silent */

/* The program run again as a peer: "peer <endpoint> <broker key> <secret key>"; it joins and then does nothing. */
static int
be_a_peer(char **args)
{
    bus_keys_t keys;
    uint8_t broker_key[BUS_KEY_SIZE];
    bus_peer_t *peer = NULL;
    if (bus_key_from_text(args[1], broker_key, NULL) < 0 ||
        bus_key_from_text(args[2], keys.public_key, NULL) < 0 ||
        bus_key_from_text(args[3], keys.secret_key, NULL) < 0)
        return 1;
    bus_peer_config_t config = {
        .name = "engine", .endpoint = args[0], .broker_key = broker_key, .keys = &keys};
    if (bus_peer_new(&config, &peer, NULL) < 0 || bus_peer_join(peer, PATIENCE_MS, NULL) < 0)
        return 1;
    for (;;)
        pause();
}

static int
start_other(harness_t *self, const char *endpoint)
{
    char broker_key[BUS_KEY_TEXT_SIZE], public_key[BUS_KEY_TEXT_SIZE],
        secret_key[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(self->keys.public_key, broker_key);
    bus_key_to_text(self->peer.public_key, public_key);
    bus_key_to_text(self->peer.secret_key, secret_key);
    int pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "test_bus_peer", "peer", endpoint, broker_key, public_key,
              secret_key, NULL);
        _exit(127);
    }
    assert_int_equal(bus_broker_wait_peer(self->broker, "engine", PATIENCE_MS, NULL), 0);
    return pid;
}

static void
killed(harness_t *self, const char *endpoint)
{
    int pid = start_other(self, endpoint);
    bus_peer_t *peer = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    pending_t pending[3];
    int done = 0;
    for (size_t i = 0; i < ARRAY_LEN(pending); i++)
        assert_int_equal(open_one(peer, &pending[i], &done, NULL), 0);
    bus_peer_dispatch(peer, NULL);
    int64_t began = clock_ns();
    kill(pid, SIGKILL);
    run_until_count(peer, &done, ARRAY_LEN(pending));
    int64_t took = clock_ns() - began;
    waitpid(pid, NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(pending); i++)
        assert_int_equal(pending[i].code, ERR_UNAVAILABLE);
    print_message("noticed after %.2f ms\n", (double)took / NS_PER_MS);
    assert_true(took < AT_ONCE);
    bus_peer_destroy(&peer);
}

static void
a_killed_peer_is_noticed_at_once_over_ipc(void **state)
{
    harness_t *self = *state;
    killed(self, self->ipc);
}

static void
a_killed_peer_is_noticed_at_once_over_tcp(void **state)
{
    harness_t *self = *state;
    killed(self, self->tcp);
}

/* As when a host is gone: the connection stands, and nothing comes. Only the heartbeat can tell. */
static void
a_peer_that_falls_silent_is_gone_after_a_heartbeat_and_its_patience(void **state)
{
    enum { HEARTBEAT_MS = 500 };
    harness_t *self = *state;
    bus_broker_destroy(&self->broker);
    self->heartbeat_ms = HEARTBEAT_MS;
    harness_start(self, true);
    int pid = start_other(self, self->tcp);
    bus_peer_t *peer = harness_peer(self, self->ipc, "client/1", NULL, NULL);
    pending_t pending;
    int done = 0;
    int64_t began = clock_ns();
    kill(pid, SIGSTOP);
    assert_int_equal(open_one(peer, &pending, &done, NULL), 0);
    run_until_count(peer, &done, 1);
    int64_t took = (clock_ns() - began) / NS_PER_MS;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    print_message("noticed after %d ms\n", (int)took);
    assert_int_equal(pending.code, ERR_UNAVAILABLE);
    assert_true(took <
                20 * HEARTBEAT_MS); /* 3 at most; the rest is for sanitizers and shared machines */
    bus_peer_destroy(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)
#define TEST_TCP(name) cmocka_unit_test_setup_teardown(name, harness_setup_tcp, harness_teardown)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ask_is_answered_over_ipc),
        TEST(an_ask_is_answered_over_inproc),
        TEST_TCP(an_ask_is_answered_over_tcp),
        TEST_TCP(transports_meet_in_one_broker),
        TEST_TCP(over_tcp_the_wrong_key_is_denied),
        TEST_TCP(over_tcp_a_broker_of_another_key_is_noticed),
        TEST_TCP(over_tcp_nothing_passes_without_curve),
        TEST_TCP(over_tcp_a_peer_cannot_prove_another_key_than_its_connection_has),
        TEST(over_ipc_the_wrong_key_is_denied_with_the_reason),
        TEST(when_nobody_listens_it_is_said_at_once),
        TEST(a_listener_that_says_nothing_is_a_timeout),
        TEST(an_endpoint_that_is_none_is_refused),
        TEST(an_ask_past_its_deadline_fails_here_and_is_cancelled_there),
        TEST(an_ask_to_somebody_who_is_not_there_fails_at_once),
        TEST(asks_over_the_limit_are_refused_here_already),
        TEST(a_peer_that_leaves_ends_what_it_had_open),
        TEST(after_a_broker_restart_a_peer_is_back_over_ipc),
        TEST(after_a_broker_restart_a_peer_is_back_over_inproc),
        TEST_TCP(after_a_broker_restart_a_peer_is_back_over_tcp_with_curve),
        TEST(a_peer_whose_name_was_taken_stays_away),
        TEST(a_killed_peer_is_noticed_at_once_over_ipc),
        TEST_TCP(a_killed_peer_is_noticed_at_once_over_tcp),
        TEST_TCP(a_peer_that_falls_silent_is_gone_after_a_heartbeat_and_its_patience),
    };
    if (argc == 6 && strcmp(argv[1], "peer") == 0)
        return be_a_peer(argv + 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
