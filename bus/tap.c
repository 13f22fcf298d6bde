/*  tap: see tap.h. */
#include "bus/tap.h"

#include "base/clock.h"
#include "bus/bus.h"
#include "bus/schema/bus.pb-c.h"

#include <string.h>

struct bus_tap {
    bus_tap_t *next;
    bus_member_t *member; /* who looks */
    uint64_t correlation, trace;
    Bus__TapArgs *args; /* owned */
    uint32_t number;    /* of the last DATA */
    unsigned under_way; /* not yet credited */
    uint64_t missed;    /* since the last one told */
};

static void
tap_free(bus_tap_t *self)
{
    bus_message_destroy(&self->args);
    free(self);
}

int
bus_taps_open(bus_taps_t *self, bus_member_t *member, const bus_frame_t *frame, err_t **err)
{
    ProtobufCMessage *args = NULL;
    if (self->count >= BUS_TAPS_MAX)
        return err_fail(err, ERR_LIMIT, "%u look at the messages of this bus already", self->count);
    if (bus_msgpack_unpack(&bus__tap_args__descriptor, frame->body, frame->body_size, &args, err) <
        0)
        return err_wrap(err, "the broker refuses Tap");
    bus_tap_t *tap = calloc(1, sizeof *tap);
    if (!tap)
        abort();
    *tap = (bus_tap_t){.next = self->first,
                       .member = member,
                       .correlation = frame->correlation,
                       .trace = frame->trace,
                       .args = (Bus__TapArgs *)args};
    self->first = tap;
    self->count++;
    return 0;
}

static bus_tap_t **
find(bus_taps_t *self, const bus_member_t *member, uint64_t correlation)
{
    bus_tap_t **at = &self->first;
    while (*at && ((*at)->member != member || (*at)->correlation != correlation))
        at = &(*at)->next;
    return at;
}

static void
remove_at(bus_taps_t *self, bus_tap_t **at)
{
    bus_tap_t *tap = *at;
    *at = tap->next;
    self->count--;
    tap_free(tap);
}

bool
bus_taps_has(const bus_taps_t *self, const bus_member_t *member, uint64_t correlation)
{
    return *find((bus_taps_t *)self, member, correlation) != NULL;
}

bool
bus_taps_continue(bus_taps_t *self, bus_member_t *member, const bus_frame_t *frame)
{
    bus_tap_t **at = find(self, member, frame->correlation);
    if (!*at)
        return false;
    if (frame->kind == BUS_KIND_CREDIT)
        (*at)->under_way -= frame->count < (*at)->under_way ? frame->count : (*at)->under_way;
    else if (bus_kind_flags(frame->kind) & BUS_FLAG_ENDS)
        remove_at(self, at);
    return true;
}

void
bus_taps_close(bus_taps_t *self, const bus_member_t *member)
{
    for (bus_tap_t **at = &self->first; *at;)
        if (!member || (*at)->member == member)
            remove_at(self, at);
        else
            at = &(*at)->next;
}

/* ---------------------------------------------------------------------------------------- telling */

static bool
wants(const bus_tap_t *self, const bus_frame_t *frame)
{
    const char *peer = self->args->peer;
    size_t len = strlen(peer);
    return len == 0 || bus_text_is(frame->from, peer, len) || bus_text_is(frame->to, peer, len);
}

static void
pack_event(const bus_tap_t *self, const bus_frame_t *passed, str_t *out)
{
    char from[BUS_NAME_MAX + 1], to[BUS_NAME_MAX + 1], method[BUS_NAME_MAX + 1];
    Bus__TapEvent event = BUS__TAP_EVENT__INIT;
    bus_text_copy(passed->from, from);
    bus_text_copy(passed->to, to);
    bus_text_copy(passed->method, method);
    event.time = clock_wall_ns();
    event.from = from;
    event.to = to;
    event.method = method;
    event.kind = (char *)bus_kind_name(passed->kind);
    event.correlation = passed->correlation;
    event.trace = passed->trace;
    event.body_bytes = (uint32_t)passed->body_size;
    event.missed = self->missed;
    event.answer = passed->answer;
    bus_msgpack_pack(&event.base, out);
}

void
bus_taps_tell(bus_taps_t *self, const bus_frame_t *frame,
              bool (*deliver)(void *arg, bus_member_t *member, zmq_msg_t *msg), void *arg)
{
    for (bus_tap_t *tap = self->first; tap; tap = tap->next) {
        if (!wants(tap, frame))
            continue;
        if (tap->under_way >= BUS_CREDIT) {
            tap->missed++;
            continue;
        }
        zmq_msg_t msg;
        AUTO_STR body = STR_EMPTY;
        pack_event(tap, frame, &body);
        bus_frame_t data = {.kind = BUS_KIND_DATA,
                            .answer = true,
                            .correlation = tap->correlation,
                            .trace = tap->trace,
                            .count = tap->number + 1,
                            .to = bus_text(tap->member->name),
                            .from = bus_text(BUS_ADDRESS_BROKER),
                            .body = body.data,
                            .body_size = body.len};
        bus_frame_msg(&data, &msg);
        if (deliver(arg, tap->member, &msg)) {
            tap->number++;
            tap->under_way++;
            tap->missed = 0;
        } else {
            tap->missed++;
        }
        zmq_msg_close(&msg);
    }
}
