/*  talk: the conversations of a peer. See peer.h. */
#include "bus/peer_inside.h"

#include <string.h>

static uint64_t
hash_of(bool mine, const char *other, size_t len, uint64_t correlation)
{
    uint64_t hash = bus_hash_number(correlation);
    return mine ? hash : hash ^ bus_hash(other, len);
}

bus_talk_t *
bus_peer_find_talk(const bus_peer_t *self, const bus_frame_t *frame)
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
        bus_peer_say(self->owner, frame);
}

static void
say_error(bus_peer_t *self, bus_frame_t frame, const err_t *error)
{
    AUTO_STR body = STR_EMPTY;
    bus_err_pack(error, &body);
    frame.body = body.data;
    frame.body_size = body.len;
    bus_peer_say(self, frame);
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
    if (bus_peer_find_talk(self, &key))
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

void
bus_peer_end_talks(bus_peer_t *self, const err_t *error)
{
    size_t slot = 0;
    for (bus_link_t *link; (link = bus_table_any(&self->talks, &slot));) {
        bus_talk_t *talk = BUS_OF(bus_talk_t, link, link);
        AUTO(err) copy = err_dup(error);
        bus_talk_close(talk);
        talk->on_frame(talk, NULL, NULL, &copy);
    }
}
