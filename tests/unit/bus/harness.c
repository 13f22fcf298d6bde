/*  harness: see harness.h. */
#include "tests/unit/bus/harness.h"

#include "base/clock.h"
#include "base/file.h"
#include "bus/hello.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

static bool
may_join(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    harness_t *self = arg;
    (void)name;
    return memcmp(public_key, self->peer.public_key, BUS_KEY_SIZE) == 0;
}

static bool
is_known(void *arg, const uint8_t public_key[BUS_KEY_SIZE])
{
    harness_t *self = arg;
    return memcmp(public_key, self->peer.public_key, BUS_KEY_SIZE) == 0;
}

void
harness_start(harness_t *self, bool tcp)
{
    if (!*self->tcp)
        strcpy(self->tcp, "tcp://127.0.0.1:*");
    const char *endpoints[] = {self->ipc, self->inproc, tcp ? self->tcp : NULL, NULL};
    bus_broker_config_t config = {.endpoints = endpoints,
                                  .keys = self->keys,
                                  .may_join = may_join,
                                  .is_known = is_known,
                                  .arg = self,
                                  .heartbeat_ms = self->heartbeat_ms};
    AUTO(err) error = NULL;
    if (bus_broker_new(&config, &self->broker, &error) < 0) {
        AUTO_FREE char *text = err_string(error);
        fail_msg("%s", text);
    }
    if (tcp)
        snprintf(self->tcp, sizeof self->tcp, "tcp://127.0.0.1:%d", bus_broker_port(self->broker));
}

static int
setup(void **state, bool tcp)
{
    static int last;
    harness_t *self = calloc(1, sizeof *self);
    strcpy(self->folder, "/tmp/kurtosis-bus-XXXXXX");
    if (!self || !mkdtemp(self->folder))
        return -1;
    snprintf(self->ipc, sizeof self->ipc, "ipc://%s/broker", self->folder);
    snprintf(self->inproc, sizeof self->inproc, "inproc://harness.%d", ++last);
    bus_keys_new(&self->keys);
    bus_keys_new(&self->peer);
    bus_keys_new(&self->stranger);
    harness_start(self, tcp);
    *state = self;
    return 0;
}

int
harness_setup(void **state)
{
    return setup(state, false);
}

int
harness_setup_tcp(void **state)
{
    return setup(state, true);
}

int
harness_teardown(void **state)
{
    harness_t *self = *state;
    bus_broker_destroy(&self->broker);
    file_remove_tree(self->folder, NULL);
    free(self);
    bus_context_term(); /* hangs if a socket was forgotten */
    return 0;
}

bus_peer_t *
harness_peer_with(const char *endpoint, const char *name, const bus_keys_t *keys,
                  const uint8_t *broker_key,
                  void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg), void *arg)
{
    bus_peer_t *peer = NULL;
    bus_peer_config_t config = {.name = name,
                                .program = "test",
                                .endpoint = endpoint,
                                .broker_key = broker_key,
                                .keys = keys,
                                .on_call = on_call,
                                .arg = arg};
    assert_int_equal(bus_peer_new(&config, &peer, NULL), 0);
    return peer;
}

bus_peer_t *
harness_peer(harness_t *self, const char *endpoint, const char *name,
             void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg), void *arg)
{
    AUTO(err) error = NULL;
    bus_peer_t *peer =
        harness_peer_with(endpoint, name, &self->peer, self->keys.public_key, on_call, arg);
    if (bus_peer_join(peer, PATIENCE_MS, &error) < 0) {
        AUTO_FREE char *text = err_string(error);
        bus_peer_destroy(&peer);
        fail_msg("%s", text);
    }
    return peer;
}

/* ----------------------------------------------------------------------------------------- echo */

struct echo {
    bus_peer_t *peer;
    pthread_t thread;
    int stop_fd;
    char name[BUS_NAME_MAX + 1];
};

static void
on_call(void *arg, const bus_frame_t *frame, zmq_msg_t *msg)
{
    echo_t *self = arg;
    zmq_msg_t answer;
    (void)msg;
    if (frame->kind != BUS_KIND_ASK)
        return;
    bus_frame_t reply = {.kind = BUS_KIND_REPLY,
                         .answer = true,
                         .correlation = frame->correlation,
                         .to = frame->from,
                         .from = bus_text(self->name),
                         .body = frame->body,
                         .body_size = frame->body_size};
    bus_frame_msg(&reply, &answer);
    bus_peer_send(self->peer, &answer, NULL);
}

static void *
echo_run(void *arg)
{
    echo_t *self = arg;
    struct pollfd fds[BUS_PEER_FDS + 1];
    bus_peer_fds(self->peer, fds);
    fds[BUS_PEER_FDS] = (struct pollfd){.fd = self->stop_fd, .events = POLLIN};
    while (!(fds[BUS_PEER_FDS].revents)) {
        if (bus_peer_dispatch(self->peer, NULL))
            continue;
        poll(fds, BUS_PEER_FDS + 1, bus_timers_wait_ms(bus_peer_timers(self->peer), clock_ns()));
    }
    bus_peer_destroy(&self->peer);
    return NULL;
}

echo_t *
echo_new(harness_t *self, const char *endpoint, const char *name)
{
    echo_t *echo = calloc(1, sizeof *echo);
    strcpy(echo->name, name);
    echo->stop_fd = eventfd(0, EFD_CLOEXEC);
    echo->peer = harness_peer(self, endpoint, name, on_call, echo);
    pthread_create(&echo->thread, NULL, echo_run, echo);
    return echo;
}

void
echo_destroy(echo_t **self_p)
{
    echo_t *self = TAKE(*self_p);
    eventfd_write(self->stop_fd, 1);
    pthread_join(self->thread, NULL);
    close(self->stop_fd);
    free(self);
}

/* ------------------------------------------------------------------------------------------ raw */

void *
raw_new(harness_t *self)
{
    void *socket = zmq_socket(bus_context(), ZMQ_DEALER);
    int linger = 0, patience = PATIENCE_MS;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(zmq_connect(socket, self->ipc), 0);
    return socket;
}

void
raw_send(void *socket, const void *bytes, size_t size)
{
    assert_int_equal(zmq_send(socket, bytes, size, 0), size);
}

void
raw_recv(void *socket, zmq_msg_t *msg, bus_frame_t *ret_frame)
{
    zmq_msg_init(msg);
    if (zmq_msg_recv(msg, socket, 0) < 0)
        fail_msg("no frame came: %s", zmq_strerror(zmq_errno()));
    assert_int_equal(bus_frame_decode(zmq_msg_data(msg), zmq_msg_size(msg), ret_frame, NULL), 0);
}

void
raw_say(void *socket, bus_frame_t frame)
{
    zmq_msg_t msg;
    bus_frame_msg(&frame, &msg);
    bus_msg_goes(&msg);
    assert_true(zmq_msg_send(&msg, socket, 0) >= 0);
}

void
raw_join(harness_t *self, void *socket, const char *name)
{
    AUTO_STR body = STR_EMPTY;
    zmq_msg_t msg;
    bus_frame_t frame;
    bus_hello_pack(&self->peer, self->keys.public_key, name, "raw", NULL, &body);
    raw_say(socket,
            (bus_frame_t){.kind = BUS_KIND_HELLO, .body = body.data, .body_size = body.len});
    raw_recv(socket, &msg, &frame);
    assert_int_equal(frame.kind, BUS_KIND_WELCOME);
    zmq_msg_close(&msg);
}

void
raw_expect_error(void *socket, uint64_t correlation, err_code_t code, const char *words)
{
    zmq_msg_t msg;
    bus_frame_t frame;
    raw_recv(socket, &msg, &frame);
    assert_string_equal(bus_kind_name(frame.kind), "ERROR");
    assert_int_equal(frame.correlation, correlation);
    AUTO(err) error = bus_err_unpack(frame.body, frame.body_size);
    zmq_msg_close(&msg);
    assert_error(error, code, words);
}
