/*  peer: see peer.h.
 *
 *  Over ipc and tcp a monitor tells when the connection is up (then HELLO goes out) and when it is lost (then all
 *  conversations end); libzmq connects again by itself. Over inproc there are no such events: HELLO is the first
 *  message, and the broker's BYE says that it is gone.
 */
#include "bus/peer.h"

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

typedef struct parcel {
    struct parcel *next;
    zmq_msg_t msg;
} parcel_t;

struct bus_peer {
    char name[BUS_NAME_MAX + 1];
    char program[BUS_NAME_MAX + 1];
    char *endpoint;
    uint8_t broker_key[BUS_KEY_SIZE];
    bus_keys_t keys;
    void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg);
    void (*on_bus)(void *arg, bool joined);
    void *arg;

    void *socket;
    void *monitor; /* NULL over inproc */
    int socket_fd, monitor_fd;
    atomic_uint_least64_t number;
    bool joined;
    bool reached;       /* something listened, at least once */
    bool refused;       /* nothing listened, and never did */
    unsigned handshakes; /* failed ones in a row */
    err_t *join_error;  /* why the last HELLO or handshake was refused */
    bool dirty;         /* the socket was used since it was last found empty */
    bus_timer_t retry;  /* says HELLO again after a refusal */
    bus_timers_t timers;
    bus_table_t talks;
    unsigned asked; /* talks of ours */
    parcel_t *outbox, **outbox_end;
    unsigned outbox_count;
};

/* ------------------------------------------------------------------------------------------ sending */

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

static int
send_msg(bus_peer_t *self, zmq_msg_t *msg, err_t **err)
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
    return err_fail(err, ERR_UNAVAILABLE, "'%s' has no connection to the broker at '%s'", self->name,
                    self->endpoint);
}

int
bus_peer_send(bus_peer_t *self, zmq_msg_t *msg, err_t **err)
{
    if (!self->joined) {
        zmq_msg_close(msg);
        return not_joined(self, err);
    }
    return send_msg(self, msg, err);
}

static void
say(bus_peer_t *self, bus_frame_t frame)
{
    zmq_msg_t msg;
    frame.from = bus_text(self->name);
    bus_frame_msg(&frame, &msg);
    send_msg(self, &msg, NULL);
}

static void
say_hello(bus_peer_t *self)
{
    AUTO_STR body = STR_EMPTY;
    bus_hello_pack(&self->keys, self->broker_key, self->name, self->program, NULL, &body);
    outbox_clear(self);
    say(self, (bus_frame_t){.kind = BUS_KIND_HELLO,
                            .to = bus_text(BUS_ADDRESS_BROKER),
                            .body = body.data,
                            .body_size = body.len});
}

/* ------------------------------------------------------------------------------------ conversations */

static uint64_t
hash_of(bool mine, const char *other, size_t len, uint64_t correlation)
{
    uint64_t hash = bus_hash_number(correlation);
    return mine ? hash : hash ^ bus_hash(other, len);
}

static bus_talk_t *
find(const bus_peer_t *self, const bus_frame_t *frame)
{
    bool mine = frame->answer;
    uint64_t hash = hash_of(mine, frame->from.data, frame->from.len, frame->correlation);
    for (bus_link_t *at = bus_table_find(&self->talks, hash); at; at = bus_link_next(at)) {
        bus_talk_t *talk = BUS_OF(bus_talk_t, link, at);
        if (talk->correlation != frame->correlation || talk->mine != mine)
            continue;
        if (bus_text_is(frame->from, talk->other, strlen(talk->other)) ||
            (mine && bus_text_is(frame->from, BUS_ADDRESS_BROKER, strlen(BUS_ADDRESS_BROKER))))
            return talk;
    }
    return NULL;
}

static void
talk_put(bus_peer_t *self, bus_talk_t *talk, bool mine)
{
    if (talk->mine != mine) /* an owner that reads it on other threads has set it already */
        talk->mine = mine;
    talk->owner = self;
    self->asked += mine;
    bus_table_put(&self->talks, &talk->link,
                  hash_of(mine, talk->other, strlen(talk->other), talk->correlation));
}

void
bus_talk_close(bus_talk_t *self)
{
    bus_peer_t *peer = TAKE(self->owner);
    if (!peer)
        return;
    bus_table_remove(&peer->talks, &self->link);
    bus_timers_remove(&peer->timers, &self->timer);
    peer->asked -= self->mine;
}

static bus_frame_t
frame_of(const bus_talk_t *talk, bus_kind_t kind)
{
    return (bus_frame_t){.kind = kind,
                         .answer = !talk->mine,
                         .correlation = talk->correlation,
                         .to = bus_text(talk->other)};
}

void
bus_talk_say(bus_talk_t *self, bus_kind_t kind, uint32_t count)
{
    bus_frame_t frame = frame_of(self, kind);
    frame.count = count;
    if (self->owner)
        say(self->owner, frame);
}

static void
say_error(bus_peer_t *self, bus_frame_t frame, const err_t *error)
{
    AUTO_STR body = STR_EMPTY;
    bus_err_pack(error, &body);
    frame.body = body.data;
    frame.body_size = body.len;
    say(self, frame);
}

void
bus_talk_fail(bus_talk_t *self, const err_t *error)
{
    if (!self->owner)
        return;
    say_error(self->owner, frame_of(self, BUS_KIND_ERROR), error);
    bus_talk_close(self);
}

void
bus_peer_refuse(bus_peer_t *self, const bus_frame_t *frame, const err_t *error)
{
    char to[BUS_NAME_MAX + 1];
    if (!self->joined || !(bus_kind_flags(frame->kind) & BUS_FLAG_OPENS))
        return;
    bus_text_copy(frame->from, to);
    say_error(self,
              (bus_frame_t){.kind = BUS_KIND_ERROR,
                            .answer = true,
                            .correlation = frame->correlation,
                            .to = bus_text(to)},
              error);
}

static void
on_deadline(bus_timer_t *timer)
{
    bus_talk_t *talk = BUS_OF(bus_talk_t, timer, timer);
    AUTO(err) error = NULL;
    err_fail(&error, ERR_TIMEOUT, "'%s' did not answer in time", talk->other);
    bus_talk_say(talk, BUS_KIND_CANCEL, 0);
    bus_talk_close(talk);
    talk->on_frame(talk, NULL, NULL, &error);
}

int
bus_peer_open(bus_peer_t *self, bus_talk_t *talk, int64_t deadline, zmq_msg_t *msg, err_t **err)
{
    if (self->asked >= BUS_PEER_TALKS_MAX) {
        zmq_msg_close(msg);
        return err_fail(err, ERR_LIMIT, "%u asks and streams of '%s' are open already", self->asked,
                        self->name);
    }
    if (bus_peer_send(self, msg, err) < 0)
        return -1;
    talk_put(self, talk, true);
    if (deadline) {
        talk->timer.fn = on_deadline;
        bus_timers_set(&self->timers, &talk->timer, deadline);
    }
    return 0;
}

int
bus_peer_accept(bus_peer_t *self, bus_talk_t *talk, const bus_frame_t *frame, err_t **err)
{
    bus_frame_t key = *frame;
    key.answer = false;
    if (find(self, &key))
        return err_fail(err, ERR_INVALID, "this conversation is open already");
    talk->correlation = frame->correlation;
    bus_text_copy(frame->from, talk->other);
    talk_put(self, talk, false);
    return 0;
}

uint64_t
bus_peer_number(bus_peer_t *self)
{
    return atomic_fetch_add_explicit(&self->number, 1, memory_order_relaxed) + 1;
}

/* ---------------------------------------------------------------------------------------- receiving */

static void
end_all(bus_peer_t *self, const err_t *error)
{
    size_t slot = 0;
    for (bus_link_t *link; (link = bus_table_any(&self->talks, &slot));) {
        bus_talk_t *talk = BUS_OF(bus_talk_t, link, link);
        AUTO(err) copy = err_dup(error);
        bus_talk_close(talk);
        talk->on_frame(talk, NULL, NULL, &copy);
    }
}

/* The broker is gone: error (taken) is why. */
static void
leave(bus_peer_t *self, err_t *error)
{
    AUTO(err) why = error;
    outbox_clear(self);
    if (!self->joined)
        return;
    self->joined = false;
    end_all(self, why);
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
        /* Over inproc nothing else tells that a new broker is there: HELLO waits in the socket for it. */
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
        bus_talk_t *talk = find(self, &frame);
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

static bool
receive(bus_peer_t *self)
{
    unsigned left = BUS_BATCH_MAX;
    while (left--) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, self->socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&msg);
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
        self->dirty = false;
        outbox_flush(self);
        more = receive(self) || outbox_moves(self);
    }
    return more || self->dirty;
}

/* --------------------------------------------------------------------------------- birth and death */

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
    set_int(self->socket, ZMQ_HEARTBEAT_TIMEOUT, BUS_HEARTBEAT_TIMEOUT_MS);
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
        say(self, (bus_frame_t){.kind = BUS_KIND_BYE, .to = bus_text(BUS_ADDRESS_BROKER)});
    self->joined = false;
    AUTO(err) error = NULL;
    err_fail(&error, ERR_UNAVAILABLE, "'%s' has left the bus", self->name);
    end_all(self, error);
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

/* ---------------------------------------------------------------------------------------- waiting */

/* Sleeps until something happens or until; after a dispatch that left nothing. */
static void
sleep_until(bus_peer_t *self, int64_t until)
{
    struct pollfd fds[BUS_PEER_FDS];
    int64_t now = clock_ns();
    int wait = bus_timers_wait_ms(&self->timers, now);
    if (until) {
        int64_t left = until > now ? (until - now + NS_PER_MS - 1) / NS_PER_MS : 0;
        wait = wait < 0 || wait > left ? (int)left : wait;
    }
    poll(fds, bus_peer_fds(self, fds), wait);
}

int
bus_peer_join(bus_peer_t *self, int timeout_ms, err_t **err)
{
    int64_t until = clock_ns() + timeout_ms * NS_PER_MS;
    for (;;) {
        bool more = bus_peer_dispatch(self, NULL);
        if (self->joined)
            return 0;
        bool late = clock_ns() >= until;
        if (self->join_error && err)
            *err = err_dup(self->join_error);
        else if (self->refused)
            err_fail(err, ERR_UNAVAILABLE, "nobody listens there");
        else if (late)
            err_fail(err, ERR_TIMEOUT, "no answer within %d ms", timeout_ms);
        if (self->join_error || self->refused || late)
            break;
        if (!more)
            sleep_until(self, until);
    }
    return err_wrap(err, "'%s' cannot join the bus at '%s'", self->name, self->endpoint);
}

typedef struct {
    bus_talk_t talk;
    bool done;
    zmq_msg_t reply;
    bus_frame_t frame;
    err_t *error;
} wait_t;

static void
on_answer(bus_talk_t *talk, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error)
{
    wait_t *self = BUS_OF(wait_t, talk, talk);
    self->done = true;
    if (!frame)
        self->error = TAKE(*error);
    else if (frame->kind == BUS_KIND_ERROR)
        self->error = bus_err_unpack(frame->body, frame->body_size);
    else if (frame->kind != BUS_KIND_REPLY)
        err_fail(&self->error, ERR_INVALID, "'%s' answers with a frame of kind %s", talk->other,
                 bus_kind_name(frame->kind));
    else
        zmq_msg_move(&self->reply, msg);
    bus_talk_close(talk);
}

int
bus_peer_ask(bus_peer_t *self, const char *to, const char *method, const void *body, size_t size,
             int timeout_ms, zmq_msg_t *ret_reply, bus_frame_t *ret_frame, err_t **err)
{
    size_t len = strlen(to);
    if (!len || len > BUS_NAME_MAX || size > BUS_BODY_MAX)
        return err_fail(err, ERR_INVALID, "cannot send %zu bytes to '%s'", size, to);
    wait_t wait = {.talk = {.on_frame = on_answer, .correlation = bus_peer_number(self)}};
    zmq_msg_init(&wait.reply);
    memcpy(wait.talk.other, to, len);
    bus_frame_t frame = {.kind = BUS_KIND_ASK,
                         .correlation = wait.talk.correlation,
                         .remaining = (uint32_t)timeout_ms,
                         .to = bus_text(to),
                         .from = bus_text(self->name),
                         .method = bus_text(method),
                         .body = body,
                         .body_size = size};
    zmq_msg_t msg;
    bus_frame_msg(&frame, &msg);
    if (bus_peer_open(self, &wait.talk, clock_ns() + timeout_ms * NS_PER_MS, &msg, err) < 0)
        return -1;
    for (;;) {
        bool more = bus_peer_dispatch(self, NULL);
        if (wait.done)
            break;
        if (!more)
            sleep_until(self, 0);
    }
    if (wait.error) {
        if (err)
            *err = TAKE(wait.error);
        err_destroy(&wait.error);
        return err_wrap(err, "cannot ask '%s' for %s", to, method);
    }
    *ret_reply = wait.reply;
    return bus_frame_decode(zmq_msg_data(ret_reply), zmq_msg_size(ret_reply), ret_frame, err);
}
