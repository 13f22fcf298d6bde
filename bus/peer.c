/*  peer: see peer.h.
 *
 *  Over ipc and tcp a monitor tells when the connection is up (then HELLO goes out) and when it is
 *  lost (then all conversations end); libzmq connects again by itself. Over inproc there are no such
 *  events: HELLO is the first message, and the broker's BYE says that it is gone.
 */
#include "bus/peer_inside.h"

#include "base/clock.h"
#include "bus/hello.h"
#include "bus/limits.h"
#include "bus/monitor.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define EVENTS                                                                                     \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED |                    \
     ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                        \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* -------------------------------------------------------------------------------------- sending */

static int
set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

static void
outbox_clear(bus_peer_t *self)
{
    for (parcel_t *at = self->outbox, *next; at; at = next) {
        next = at->next;
        zmq_msg_close(&at->msg);
        free(at);
    }
    self->outbox = NULL;
    self->outbox_end = &self->outbox;
    self->outbox_count = 0;
}

static void
outbox_put(bus_peer_t *self, zmq_msg_t *msg)
{
    parcel_t *parcel = malloc(sizeof *parcel);
    if (!parcel)
        abort();
    parcel->next = NULL;
    zmq_msg_init(&parcel->msg);
    zmq_msg_move(&parcel->msg, msg);
    *self->outbox_end = parcel;
    self->outbox_end = &parcel->next;
    self->outbox_count++;
}

/* Sends what waits in the outbox, as far as the connection takes it. */
static void
outbox_flush(bus_peer_t *self)
{
    while (self->outbox) {
        parcel_t *parcel = self->outbox;
        bus_msg_goes(&parcel->msg);
        if (zmq_msg_send(&parcel->msg, self->socket, ZMQ_DONTWAIT) < 0)
            return;
        self->dirty = true;
        self->outbox = parcel->next;
        if (!self->outbox)
            self->outbox_end = &self->outbox;
        self->outbox_count--;
        free(parcel);
    }
}

int
bus_peer_put(bus_peer_t *self, zmq_msg_t *msg, err_t **err)
{
    self->dirty = true;
    bus_msg_goes(msg);
    if (!self->outbox && zmq_msg_send(msg, self->socket, ZMQ_DONTWAIT) >= 0)
        return 0;
    if (self->outbox_count >= BUS_PEER_OUTBOX_MAX) {
        zmq_msg_close(msg);
        return err_fail(err, ERR_LIMIT, "the broker at '%s' takes no more: %u messages wait",
                        self->endpoint, self->outbox_count);
    }
    outbox_put(self, msg);
    zmq_msg_close(msg);
    return 0;
}

static int
not_joined(bus_peer_t *self, err_t **err)
{
    if (self->join_error) {
        if (err)
            *err = err_dup(self->join_error);
        return err_wrap(err, "'%s' is not on the bus at '%s'", self->name, self->endpoint);
    }
    return err_fail(err, ERR_UNAVAILABLE, "'%s' has no connection to the broker at '%s'",
                    self->name, self->endpoint);
}

int
bus_peer_send(bus_peer_t *self, zmq_msg_t *msg, err_t **err)
{
    if (!self->joined) {
        zmq_msg_close(msg);
        return not_joined(self, err);
    }
    return bus_peer_put(self, msg, err);
}

void
bus_peer_say(bus_peer_t *self, bus_frame_t frame)
{
    zmq_msg_t msg;
    frame.from = bus_text(self->name);
    bus_frame_msg(&frame, &msg);
    bus_peer_put(self, &msg, NULL);
}

static void
say_hello(bus_peer_t *self)
{
    AUTO_STR body = STR_EMPTY;
    bus_hello_pack(&self->keys, self->broker_key, self->name, self->program, NULL, &body);
    outbox_clear(self);
    bus_peer_say(self, (bus_frame_t){.kind = BUS_KIND_HELLO,
                                     .to = bus_text(BUS_ADDRESS_BROKER),
                                     .body = body.data,
                                     .body_size = body.len});
}

/* ------------------------------------------------------------------------------------ receiving */

/* The broker is gone: error (taken) is why. */
static void
leave(bus_peer_t *self, err_t *error)
{
    AUTO(err) why = error;
    outbox_clear(self);
    if (!self->joined)
        return;
    self->joined = false;
    bus_peer_end_talks(self, why);
    if (self->on_bus)
        self->on_bus(self->arg, false);
}

static void
on_retry(bus_timer_t *timer)
{
    bus_peer_t *self = BUS_OF(bus_peer_t, retry, timer);
    if (!self->joined)
        say_hello(self);
}

static void
refused(bus_peer_t *self, err_t *error)
{
    err_destroy(&self->join_error);
    self->join_error = error;
}

static void
on_join_frame(bus_peer_t *self, const bus_frame_t *frame)
{
    if (frame->kind == BUS_KIND_WELCOME && !self->joined) {
        self->joined = true;
        self->handshakes = 0;
        err_destroy(&self->join_error);
        bus_timers_remove(&self->timers, &self->retry);
        if (self->on_bus)
            self->on_bus(self->arg, true);
    } else if (frame->kind == BUS_KIND_BYE) {
        err_t *why = bus_err_unpack(frame->body, frame->body_size);
        bool stopped = err_code(why) == ERR_UNAVAILABLE;
        if (!stopped)
            refused(self, err_dup(why));
        leave(self, why);
        /* Over inproc nothing else tells that a new broker is there: HELLO waits in the socket for
         * it. */
        if (stopped && !self->monitor) {
            zmq_disconnect(self->socket, self->endpoint);
            if (zmq_connect(self->socket, self->endpoint) == 0)
                say_hello(self);
        }
    } else if (frame->kind == BUS_KIND_ERROR && !self->joined) {
        refused(self, bus_err_unpack(frame->body, frame->body_size));
        self->retry.fn = on_retry;
        bus_timers_set(&self->timers, &self->retry, clock_ns() + BUS_HELLO_RETRY_MS * NS_PER_MS);
    }
}

static void
on_msg(bus_peer_t *self, zmq_msg_t *msg)
{
    bus_frame_t frame;
    if (bus_frame_decode(zmq_msg_data(msg), zmq_msg_size(msg), &frame, NULL) < 0)
        return;
    unsigned flags = bus_kind_flags(frame.kind);
    if ((flags & BUS_FLAG_JOIN) || (frame.kind == BUS_KIND_ERROR && !frame.correlation)) {
        on_join_frame(self, &frame);
    } else if (!self->joined) {
        return;
    } else if (flags & (BUS_FLAG_OPENS | BUS_FLAG_ALONE)) {
        self->on_call(self->arg, &frame, msg);
    } else {
        bus_talk_t *talk = bus_peer_find_talk(self, &frame);
        if (!talk)
            return; /* it crossed our own end on the way */
        if ((flags & BUS_FLAG_ENDS) || (frame.kind == BUS_KIND_END && frame.answer))
            bus_talk_close(talk);
        talk->on_frame(talk, &frame, msg, NULL);
    }
}

static void
on_event(bus_peer_t *self, uint16_t event, uint32_t value)
{
    err_t *error = NULL;
    switch (event) {
    case ZMQ_EVENT_CONNECTED:
        self->reached = true;
        break;
    case ZMQ_EVENT_CONNECT_RETRIED:
        self->refused = !self->reached;
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        self->handshakes = 0;
        say_hello(self);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        err_fail(&error, ERR_DENIED, "the broker does not know this key (status %u)", value);
        refused(self, error);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        if (++self->handshakes < BUS_HANDSHAKES_MAX)
            break;
        err_fail(&error, ERR_UNAVAILABLE,
                 "the connection is closed while it is set up: the other side is no broker, or its "
                 "key is not the expected one");
        refused(self, error);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        err_fail(&error, ERR_UNAVAILABLE, "the connection to the broker at '%s' is lost",
                 self->endpoint);
        leave(self, error);
        break;
    }
}

/* False when the socket is found empty: then nothing that was sent before needs another look. */
static bool
receive(bus_peer_t *self)
{
    unsigned left = BUS_BATCH_MAX;
    while (left--) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, self->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&msg);
            self->dirty = false;
            return false;
        }
        bus_msg_came(&msg);
        if (zmq_msg_more(&msg)) {
            while (zmq_msg_more(&msg) && zmq_msg_recv(&msg, self->socket, ZMQ_DONTWAIT) >= 0)
                continue;
        } else {
            on_msg(self, &msg);
        }
        zmq_msg_close(&msg);
    }
    return true;
}

/* Whether the socket has something to do that its descriptor does not tell again. */
static bool
outbox_moves(bus_peer_t *self)
{
    int events = 0;
    size_t size = sizeof events;
    if (!self->outbox || zmq_getsockopt(self->socket, ZMQ_EVENTS, &events, &size) < 0)
        return false;
    return events & (ZMQ_POLLIN | ZMQ_POLLOUT);
}

bool
bus_peer_dispatch(bus_peer_t *self, const struct pollfd *fds)
{
    uint16_t event;
    uint32_t value;
    if (self->monitor && (!fds || fds[1].revents))
        while (bus_monitor_next(self->monitor, &event, &value))
            on_event(self, event, value);
    bool more = !fds || fds[0].revents;
    bus_timers_run(&self->timers, clock_ns());
    for (unsigned turns = 0; (more || self->dirty) && turns < BUS_TURNS_MAX; turns++) {
        outbox_flush(self);
        more = receive(self) || outbox_moves(self);
    }
    return more || self->dirty;
}

/* --------------------------------------------------------------------------------- birth and death
 */

static int
open_socket(bus_peer_t *self, err_t **err)
{
    bool inproc = str_starts(self->endpoint, "inproc://");
    self->socket = zmq_socket(bus_context(), ZMQ_DEALER);
    if (!self->socket)
        return err_fail(err, ERR_LIMIT, "cannot make a socket: %s", zmq_strerror(zmq_errno()));
    set_int(self->socket, ZMQ_SNDHWM, BUS_HWM);
    set_int(self->socket, ZMQ_RCVHWM, BUS_HWM);
    set_int(self->socket, ZMQ_LINGER, BUS_LINGER_MS);
    set_int(self->socket, ZMQ_IMMEDIATE, !inproc);
    set_int(self->socket, ZMQ_RECONNECT_IVL, BUS_RECONNECT_MIN_MS);
    set_int(self->socket, ZMQ_RECONNECT_IVL_MAX, BUS_RECONNECT_MAX_MS);
    set_int(self->socket, ZMQ_HEARTBEAT_IVL, BUS_HEARTBEAT_MS);
    set_int(self->socket, ZMQ_HEARTBEAT_TIMEOUT, 2 * BUS_HEARTBEAT_MS);
    set_int(self->socket, ZMQ_HANDSHAKE_IVL, BUS_HANDSHAKE_MS);
    int64_t most = BUS_FRAME_MAX + BUS_FRAME_SLACK;
    zmq_setsockopt(self->socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    if (str_starts(self->endpoint, "tcp://")) {
        zmq_setsockopt(self->socket, ZMQ_CURVE_SERVERKEY, self->broker_key, BUS_KEY_SIZE);
        zmq_setsockopt(self->socket, ZMQ_CURVE_PUBLICKEY, self->keys.public_key, BUS_KEY_SIZE);
        zmq_setsockopt(self->socket, ZMQ_CURVE_SECRETKEY, self->keys.secret_key, BUS_KEY_SIZE);
    }
    if (!inproc && !(self->monitor = bus_monitor_new(self->socket, EVENTS)))
        return err_fail(err, ERR_LIMIT, "cannot watch a socket: %s", zmq_strerror(zmq_errno()));
    if (zmq_connect(self->socket, self->endpoint) < 0)
        return err_fail(err, ERR_INVALID, "cannot connect: %s", zmq_strerror(zmq_errno()));
    if (inproc)
        say_hello(self);
    return 0;
}

static int
fd_of(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    if (socket)
        zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
    return fd;
}

int
bus_peer_new(const bus_peer_config_t *config, bus_peer_t **ret_peer, err_t **err)
{
    if (bus_role_of(config->name) == BUS_ROLE_NONE || strlen(config->name) > BUS_NAME_MAX)
        return err_fail(err, ERR_INVALID, "'%s' is not the name of a peer", config->name);
    AUTO(bus_peer) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->outbox_end = &self->outbox;
    memcpy(self->name, config->name, strlen(config->name));
    strncpy(self->program, config->program ? config->program : "", BUS_NAME_MAX);
    self->endpoint = str_format("%s", config->endpoint);
    memcpy(self->broker_key, config->broker_key, BUS_KEY_SIZE);
    self->keys = *config->keys;
    self->on_call = config->on_call;
    self->on_bus = config->on_bus;
    self->arg = config->arg;
    if (open_socket(self, err) < 0)
        return err_wrap(err, "cannot use the bus at '%s'", self->endpoint);
    self->socket_fd = fd_of(self->socket);
    self->monitor_fd = fd_of(self->monitor);
    *ret_peer = TAKE(self);
    return 0;
}

void
bus_peer_destroy(bus_peer_t **self_p)
{
    bus_peer_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->joined)
        bus_peer_say(self, (bus_frame_t){.kind = BUS_KIND_BYE, .to = bus_text(BUS_ADDRESS_BROKER)});
    self->joined = false;
    AUTO(err) error = NULL;
    err_fail(&error, ERR_UNAVAILABLE, "'%s' has left the bus", self->name);
    bus_peer_end_talks(self, error);
    outbox_clear(self);
    if (self->socket) {
        bus_monitor_destroy(self->socket, &self->monitor);
        zmq_close(self->socket);
    }
    bus_table_done(&self->talks);
    bus_timers_done(&self->timers);
    err_destroy(&self->join_error);
    bus_keys_wipe(&self->keys);
    free(self->endpoint);
    free(self);
}

bool
bus_peer_joined(const bus_peer_t *self)
{
    return self->joined;
}

unsigned
bus_peer_fds(const bus_peer_t *self, struct pollfd ret_fds[BUS_PEER_FDS])
{
    ret_fds[0] = (struct pollfd){.fd = self->socket_fd, .events = POLLIN};
    ret_fds[1] = (struct pollfd){.fd = self->monitor_fd, .events = POLLIN};
    return BUS_PEER_FDS;
}

bus_timers_t *
bus_peer_timers(bus_peer_t *self)
{
    return &self->timers;
}
