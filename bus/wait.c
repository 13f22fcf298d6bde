/*  wait: the two functions of a peer that wait. See peer.h. */
#include "bus/peer_inside.h"

#include "base/clock.h"

#include <string.h>

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
