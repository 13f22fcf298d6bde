/*  router: see router.h.
 *
 *  A frame of a member passes these gates: it can be taken apart; its `from` is the name that the
 *  member proved; then, if it opens something, the role table and the limits allow it and the
 *  receiver is there; if it continues something, that is open between exactly these two. It then
 *  goes on as the very message that came. Whoever is gone is removed, and each of its dialogs ends
 *  with UNAVAILABLE for the other.
 */
#include "bus/router.h"

#include "base/clock.h"
#include "base/log.h"
#include "bus/hello.h"
#include "bus/listing.h"
#include "bus/monitor.h"

#include <errno.h>
#include <string.h>

typedef enum { DELIVERED, FULL, GONE } delivery_t;

/* ------------------------------------------------------------------------------------- delivery */

static void
mark_gone(bus_router_t *self, bus_member_t *member)
{
    if (member->gone)
        return;
    member->gone = true;
    member->next_gone = self->gone;
    self->gone = member;
}

/* msg is moved out when it is DELIVERED. */
static delivery_t
send_to_route(bus_router_t *self, const void *route, zmq_msg_t *msg)
{
    zmq_msg_t id;
    bus_msg_goes(msg);
    zmq_msg_init_size(&id, BUS_ROUTE_SIZE);
    memcpy(zmq_msg_data(&id), route, BUS_ROUTE_SIZE);
    if (zmq_msg_send(&id, self->socket, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        int why = zmq_errno();
        zmq_msg_close(&id);
        return why == EAGAIN ? FULL : GONE;
    }
    return zmq_msg_send(msg, self->socket, ZMQ_DONTWAIT) < 0 ? GONE : DELIVERED;
}

static delivery_t
deliver(bus_router_t *self, bus_member_t *member, zmq_msg_t *msg)
{
    delivery_t result = member->gone ? GONE : send_to_route(self, member->route, msg);
    if (result == DELIVERED)
        member->messages_out++;
    else if (result == GONE)
        mark_gone(self, member);
    return result;
}

/* Something small that must arrive: kept if the member takes nothing now. */
static void
deliver_or_owe(bus_router_t *self, bus_member_t *member, zmq_msg_t *msg)
{
    if (deliver(self, member, msg) != FULL)
        return;
    if (member->owed_count >= BUS_OWED_MAX) {
        self->dropped++;
        return;
    }
    bus_owed_t *owed = malloc(sizeof *owed);
    if (!owed)
        abort();
    zmq_msg_init(&owed->msg);
    zmq_msg_move(&owed->msg, msg);
    owed->next = member->owed;
    member->owed = owed;
    self->owing += member->owed_count++ == 0;
    self->sweep_at = clock_ns() + BUS_OWED_MS * NS_PER_MS;
}

static void
deliver_owed(bus_router_t *self, bus_member_t *member)
{
    while (member->owed && deliver(self, member, &member->owed->msg) == DELIVERED) {
        bus_owed_t *owed = member->owed;
        member->owed = owed->next;
        zmq_msg_close(&owed->msg);
        free(owed);
        if (--member->owed_count == 0)
            self->owing--;
    }
}

static void
error_msg(bus_frame_t frame, const err_t *error, zmq_msg_t *ret_msg)
{
    AUTO_STR body = STR_EMPTY;
    bus_err_pack(error, &body);
    frame.kind = BUS_KIND_ERROR;
    frame.body = body.data;
    frame.body_size = body.len;
    bus_frame_msg(&frame, ret_msg);
}

/* Tells one side of a dialog that it has failed, in the name of the other side. */
static void
tell_error(bus_router_t *self, bus_member_t *to, const bus_frame_t *frame, const err_t *error)
{
    zmq_msg_t msg;
    error_msg(*frame, error, &msg);
    deliver_or_owe(self, to, &msg);
    zmq_msg_close(&msg);
}

/* Answers the sender of a frame that does not go on. */
static void
answer_error(bus_router_t *self, bus_member_t *sender, const bus_frame_t *frame, const err_t *error)
{
    if (frame->kind == BUS_KIND_ERROR || !frame->kind) {
        self->dropped++;
        if (frame->kind)
            return;
    }
    tell_error(self, sender,
               &(bus_frame_t){.answer = !frame->answer,
                              .correlation = frame->correlation,
                              .to = bus_text(sender->name),
                              .from = frame->answer && frame->to.len
                                          ? frame->to
                                          : bus_text(BUS_ADDRESS_BROKER)},
               error);
}

/* Ends a dialog and tells one side of it, or (side 2) both. */
static void
end_dialog(bus_router_t *self, bus_dialog_t *dialog, unsigned side, const err_t *error)
{
    for (unsigned i = 0; i < 2; i++)
        if (side == i || side == 2)
            tell_error(self, dialog->side[i],
                       &(bus_frame_t){.answer = i == 0,
                                      .correlation = dialog->correlation,
                                      .to = bus_text(dialog->side[i]->name),
                                      .from = bus_text(dialog->side[!i]->name)},
                       error);
    bus_dialog_close(&self->members, dialog);
}

static bool
deliver_event(void *arg, bus_member_t *member, zmq_msg_t *msg)
{
    return deliver(arg, member, msg) == DELIVERED;
}

/* A message was passed on. */
static void
tell_taps(bus_router_t *self, const bus_frame_t *frame)
{
    if (self->taps.first)
        bus_taps_tell(&self->taps, frame, deliver_event, self);
}

/* -------------------------------------------------------------------------------------- members */

static void
remove_member(bus_router_t *self, bus_member_t *member)
{
    AUTO(err) error = NULL;
    err_fail(&error, ERR_UNAVAILABLE, "'%s' has left the bus", member->name);
    for (unsigned side = 0; side < 2; side++)
        while (member->dialogs[side])
            end_dialog(self, member->dialogs[side], !side, error);
    bus_taps_close(&self->taps, member);
    self->owing -= member->owed_count > 0;
    if (self->on_peer)
        self->on_peer(self->arg, member->name, false);
    pthread_mutex_lock(&self->lock);
    bus_members_remove(&self->members, member);
    pthread_mutex_unlock(&self->lock);
}

static void
remove_gone(bus_router_t *self)
{
    for (bus_member_t *member; (member = self->gone);) {
        self->gone = member->next_gone;
        remove_member(self, member);
    }
}

static void
say_bye(bus_router_t *self, bus_member_t *member, const err_t *error)
{
    zmq_msg_t msg;
    AUTO_STR body = STR_EMPTY;
    bus_err_pack(error, &body);
    bus_frame_t frame = {.kind = BUS_KIND_BYE,
                         .to = bus_text(member->name),
                         .from = bus_text(BUS_ADDRESS_BROKER),
                         .body = body.data,
                         .body_size = body.len};
    bus_frame_msg(&frame, &msg);
    deliver(self, member, &msg);
    zmq_msg_close(&msg);
}

typedef struct {
    bus_router_t *router;
    int fd;
} lost_t;

static void
mark_lost(void *arg, bus_link_t *link)
{
    lost_t *lost = arg;
    bus_member_t *member = BUS_OF(bus_member_t, by_route, link);
    if (member->fd == lost->fd)
        mark_gone(lost->router, member);
}

void
bus_router_events(bus_router_t *self)
{
    uint16_t event;
    uint32_t value;
    while (bus_monitor_next(self->monitor, &event, &value)) {
        lost_t lost = {.router = self, .fd = (int)value};
        if (event == ZMQ_EVENT_DISCONNECTED)
            bus_table_each(&self->members.by_route, mark_lost, &lost);
    }
    remove_gone(self);
}

static int
check_hello(bus_router_t *self, const bus_frame_t *frame, zmq_msg_t *msg, bus_hello_t *ret_hello,
            err_t **err)
{
    if (bus_hello_unpack(frame->body, frame->body_size, &self->keys, ret_hello, err) < 0)
        return -1;
    /* Over tcp CURVE has proven a key already: it must be the same. */
    const char *user = zmq_msg_gets(msg, "User-Id");
    char key[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(ret_hello->public_key, key);
    if (user && *user && strcmp(user, key) != 0)
        return err_fail(err, ERR_DENIED, "the key of Hello is not the one of the connection");
    if (!self->may_join(self->arg, ret_hello->name, ret_hello->public_key))
        return err_fail(err, ERR_DENIED, "the key %s may not be called '%s'", key, ret_hello->name);
    if (self->members.by_name.count >= BUS_PEERS_MAX)
        return err_fail(err, ERR_LIMIT, "there are %u peers on the bus already", BUS_PEERS_MAX);
    return 0;
}

/* Takes a name from the member that has it. */
static void
replace(bus_router_t *self, bus_member_t *old)
{
    AUTO(err) error = NULL;
    err_fail(&error, ERR_EXISTS, "another connection has taken the name '%s'", old->name);
    say_bye(self, old, error);
    mark_gone(self, old);
}

static void
send_welcome(bus_router_t *self, bus_member_t *member)
{
    zmq_msg_t msg;
    AUTO_STR body = STR_EMPTY;
    bus_welcome_pack(member->name, self->id, &body);
    bus_frame_t frame = {.kind = BUS_KIND_WELCOME,
                         .to = bus_text(member->name),
                         .from = bus_text(BUS_ADDRESS_BROKER),
                         .body = body.data,
                         .body_size = body.len};
    bus_frame_msg(&frame, &msg);
    deliver(self, member, &msg);
    zmq_msg_close(&msg);
}

/* Descriptors are used again: who had this connection's before must be gone first. libzmq tells of
 * a loss before it closes the descriptor, so the event waits already. */
static bus_member_t *
enter(bus_router_t *self, const uint8_t route[BUS_ROUTE_SIZE], const bus_hello_t *hello, int fd)
{
    bus_router_events(self);
    bus_member_t *old = bus_members_by_name(&self->members, hello->name, strlen(hello->name));
    bus_member_t *same = bus_members_by_route(&self->members, route, BUS_ROUTE_SIZE);
    if (old && old != same)
        replace(self, old);
    if (same)
        mark_gone(self, same); /* a second Hello on one connection starts anew */
    remove_gone(self);
    pthread_mutex_lock(&self->lock);
    bus_member_t *member = bus_members_add(&self->members, route, hello->name, hello->program);
    pthread_mutex_unlock(&self->lock);
    member->since = clock_ns();
    member->fd = fd;
    return member;
}

static void
on_hello(bus_router_t *self, const void *from, const bus_frame_t *frame, zmq_msg_t *msg)
{
    AUTO(err) error = NULL;
    bus_hello_t hello = {0};
    uint8_t route[BUS_ROUTE_SIZE];
    memcpy(route, from, sizeof route);
    if (check_hello(self, frame, msg, &hello, &error) < 0) {
        zmq_msg_t answer;
        self->dropped++;
        log_err(LOG_WARN, "bus.refused", error, "peers=%zu", self->members.by_name.count);
        err_wrap(&error, "the broker refuses this peer");
        error_msg((bus_frame_t){.answer = true,
                                .from = bus_text(BUS_ADDRESS_BROKER),
                                .to = bus_text(BUS_ADDRESS_BROKER)},
                  error, &answer);
        send_to_route(self, route, &answer);
        zmq_msg_close(&answer);
        return;
    }
    bus_member_t *member = enter(self, route, &hello, zmq_msg_get(msg, ZMQ_SRCFD));
    send_welcome(self, member);
    if (self->on_peer)
        self->on_peer(self->arg, member->name, true);
    pthread_mutex_lock(&self->lock);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* -------------------------------------------------------------------------------- the broker
 * itself */

static int
answer_own(bus_router_t *self, bus_member_t *from, const bus_frame_t *frame, err_t **err)
{
    static const char list[] = "bus.Broker/ListPeers", tap[] = "bus.Broker/Tap";
    if (frame->kind == BUS_KIND_OPEN && bus_text_is(frame->method, tap, sizeof tap - 1))
        return bus_taps_open(&self->taps, from, frame, err);
    if (frame->kind != BUS_KIND_ASK || !bus_text_is(frame->method, list, sizeof list - 1))
        return err_fail(err, ERR_UNSUPPORTED, "the broker answers %s and, as a stream, %s only",
                        list, tap);
    zmq_msg_t msg;
    AUTO_STR body = STR_EMPTY;
    bus_listing_pack(&self->members, self->dropped, &body);
    bus_frame_t reply = {.kind = BUS_KIND_REPLY,
                         .answer = true,
                         .correlation = frame->correlation,
                         .trace = frame->trace,
                         .to = frame->from,
                         .from = frame->to,
                         .body = body.data,
                         .body_size = body.len};
    bus_frame_msg(&reply, &msg);
    deliver_or_owe(self, from, &msg);
    zmq_msg_close(&msg);
    return 0;
}

/* --------------------------------------------------------------------------------------- frames */

static int
find_receiver(bus_router_t *self, bus_member_t *from, const bus_frame_t *frame,
              bus_member_t **ret_to, err_t **err)
{
    char to[BUS_NAME_MAX + 1], method[BUS_NAME_MAX + 1];
    bus_text_copy(frame->to, to);
    bus_text_copy(frame->method, method);
    if (!bus_role_may(from->name, to, method))
        return err_fail(err, ERR_DENIED, "'%s' may not call %s of '%s'", from->name, method, to);
    if (strcmp(to, BUS_ADDRESS_BROKER) == 0) {
        *ret_to = NULL;
        return 0;
    }
    *ret_to = bus_members_by_name(&self->members, frame->to.data, frame->to.len);
    if (!*ret_to || (*ret_to)->gone)
        return err_fail(err, ERR_UNAVAILABLE, "'%s' is not on the bus", to);
    if ((*ret_to)->bytes + frame->body_size > BUS_PEER_BYTES_MAX)
        return err_fail(err, ERR_LIMIT, "%zu bytes are under way to '%s' already", (*ret_to)->bytes,
                        to);
    return 0;
}

static int
check_opening(bus_router_t *self, const bus_member_t *from, const bus_frame_t *frame, err_t **err)
{
    if (from->asked >= BUS_PEER_TALKS_MAX)
        return err_fail(err, ERR_LIMIT, "'%s' has %u asks and streams open already", from->name,
                        from->asked);
    if (self->members.dialogs.count >= BUS_TALKS_MAX)
        return err_fail(err, ERR_LIMIT, "%u asks and streams are open on this bus already",
                        BUS_TALKS_MAX);
    if (!frame->correlation || bus_dialog_find(&self->members, from, frame->correlation) ||
        bus_taps_has(&self->taps, from, frame->correlation))
        return err_fail(err, ERR_INVALID, "the correlation number %llu is in use or zero",
                        (unsigned long long)frame->correlation);
    return 0;
}

/* ASK, OPEN and TELL. */
static int
on_opening(bus_router_t *self, bus_member_t *from, const bus_frame_t *frame, zmq_msg_t *msg,
           err_t **err)
{
    bus_member_t *to;
    bus_dialog_t *dialog = NULL;
    bool opens = frame->kind != BUS_KIND_TELL;
    if (!opens && frame->body_size > BUS_TELL_MAX)
        return err_fail(err, ERR_LIMIT, "the body of a tell has %zu bytes, at most %u are allowed",
                        frame->body_size, BUS_TELL_MAX);
    if (find_receiver(self, from, frame, &to, err) < 0 ||
        (opens && check_opening(self, from, frame, err) < 0))
        return -1;
    if (!to)
        return answer_own(self, from, frame, err);
    if (opens) {
        dialog = bus_dialog_open(&self->members, from, to, frame->correlation,
                                 frame->kind == BUS_KIND_OPEN, frame->body_size);
        if (frame->remaining) {
            int64_t now = clock_ns();
            dialog->expires = now + (frame->remaining + (int64_t)BUS_GRACE_MS) * NS_PER_MS;
            if (!self->sweep_at)
                self->sweep_at = now + BUS_SWEEP_MS * NS_PER_MS;
        }
    }
    tell_taps(self, frame); /* while it is there: it moves */
    delivery_t result = deliver(self, to, msg);
    if (result == DELIVERED)
        return 0;
    if (dialog)
        bus_dialog_close(&self->members, dialog);
    return result == FULL ? err_fail(err, ERR_LIMIT, "'%s' has too many messages waiting", to->name)
                          : err_fail(err, ERR_UNAVAILABLE, "'%s' has left the bus", to->name);
}

/* The dialog that a continuing frame of sender belongs to; NULL if none is open between the two. */
static bus_dialog_t *
find_dialog(bus_router_t *self, bus_member_t *sender, const bus_frame_t *frame)
{
    bus_member_t *other = bus_members_by_name(&self->members, frame->to.data, frame->to.len);
    bus_member_t *asker = frame->answer ? other : sender;
    bus_dialog_t *dialog =
        asker ? bus_dialog_find(&self->members, asker, frame->correlation) : NULL;
    return dialog && dialog->side[frame->answer] == sender && dialog->side[!frame->answer] == other
               ? dialog
               : NULL;
}

/* What a continuing frame must also fulfil. */
static int
check_flow(bus_dialog_t *dialog, const bus_frame_t *frame, err_t **err)
{
    unsigned side = frame->answer;
    if (!dialog->stream && (frame->kind == BUS_KIND_DATA || frame->kind == BUS_KIND_CREDIT ||
                            frame->kind == BUS_KIND_END))
        return err_fail(err, ERR_INVALID, "an ask is no stream: it has no frames of kind %s",
                        bus_kind_name(frame->kind));
    if (frame->kind == BUS_KIND_CREDIT &&
        bus_dialog_credit(dialog, side, frame->count) != frame->count)
        return err_fail(err, ERR_INVALID, "'%s' credits messages that it never got",
                        dialog->side[side]->name);
    if (frame->kind != BUS_KIND_DATA)
        return 0;
    if (dialog->side[!side]->bytes + frame->body_size > BUS_PEER_BYTES_MAX)
        return err_fail(err, ERR_LIMIT, "too many bytes are under way to '%s'",
                        dialog->side[!side]->name);
    if (!bus_dialog_flow(dialog, side, frame->body_size))
        return err_fail(err, ERR_LIMIT, "'%s' sends more than %u messages without credit",
                        dialog->side[side]->name, BUS_CREDIT);
    return 0;
}

static void
on_continuing(bus_router_t *self, bus_member_t *sender, const bus_frame_t *frame, zmq_msg_t *msg)
{
    bus_dialog_t *dialog = find_dialog(self, sender, frame);
    if (!dialog) {
        if (!frame->answer && bus_taps_continue(&self->taps, sender, frame))
            return;
        self->dropped++; /* mostly frames that crossed the end of their dialog on the way */
        return;
    }
    AUTO(err) error = NULL;
    if (check_flow(dialog, frame, &error) < 0) {
        end_dialog(self, dialog, 2, error);
        return;
    }
    unsigned side = frame->answer;
    bool ends =
        (bus_kind_flags(frame->kind) & BUS_FLAG_ENDS) || (frame->kind == BUS_KIND_END && side);
    tell_taps(self, frame);
    delivery_t result = deliver(self, dialog->side[!side], msg);
    if (result == FULL) {
        err_fail(&error, ERR_LIMIT, "'%s' has too many messages waiting",
                 dialog->side[!side]->name);
        end_dialog(self, dialog, ends ? !side : 2, error);
    } else if (ends) {
        bus_dialog_close(&self->members, dialog);
    }
}

/* A frame that was refused although its sender is known: if it was part of a dialog, that ends for
 * both. */
static void
refuse(bus_router_t *self, bus_member_t *sender, const bus_frame_t *frame, const err_t *error)
{
    bus_dialog_t *dialog = NULL;
    if ((bus_kind_flags(frame->kind) & BUS_FLAG_CONTINUES) && frame->to.len)
        dialog = find_dialog(self, sender, frame);
    if (dialog)
        end_dialog(self, dialog, 2, error);
    else
        answer_error(self, sender, frame, error);
}

static void
on_member_msg(bus_router_t *self, bus_member_t *sender, zmq_msg_t *msg)
{
    AUTO(err) error = NULL;
    bus_frame_t frame;
    sender->messages_in++;
    if (bus_frame_decode(zmq_msg_data(msg), zmq_msg_size(msg), &frame, &error) < 0) {
        refuse(self, sender, &frame, error);
        return;
    }
    unsigned flags = bus_kind_flags(frame.kind);
    if (frame.kind == BUS_KIND_HELLO) {
        on_hello(self, sender->route, &frame, msg);
    } else if (frame.kind == BUS_KIND_BYE) {
        mark_gone(self, sender);
    } else if (flags & BUS_FLAG_JOIN) {
        self->dropped++;
    } else if (!bus_text_is(frame.from, sender->name, sender->name_len)) {
        err_fail(&error, ERR_DENIED, "'%s' cannot send in the name of '%.*s'", sender->name,
                 (int)frame.from.len, frame.from.data);
        self->dropped++;
        answer_error(self, sender, &frame, error);
    } else if (flags & BUS_FLAG_CONTINUES) {
        on_continuing(self, sender, &frame, msg);
    } else if (on_opening(self, sender, &frame, msg, &error) < 0) {
        self->dropped++;
        answer_error(self, sender, &frame, error);
    }
}

/* A frame of a connection that has not said Hello. */
static void
on_stranger_msg(bus_router_t *self, zmq_msg_t *route, zmq_msg_t *msg)
{
    AUTO(err) error = NULL;
    bus_frame_t frame;
    if (zmq_msg_size(route) != BUS_ROUTE_SIZE) {
        self->dropped++; /* our peers leave the routing id to the ROUTER */
        return;
    }
    if (bus_frame_decode(zmq_msg_data(msg), zmq_msg_size(msg), &frame, &error) == 0) {
        if (frame.kind == BUS_KIND_HELLO) {
            on_hello(self, zmq_msg_data(route), &frame, msg);
            return;
        }
        err_fail(&error, ERR_DENIED, "the first frame of a connection must be HELLO");
    }
    self->dropped++;
    if (frame.kind == BUS_KIND_ERROR || frame.kind == BUS_KIND_BYE)
        return;
    zmq_msg_t answer;
    error_msg((bus_frame_t){.answer = true,
                            .correlation = frame.correlation,
                            .to = bus_text(BUS_ADDRESS_BROKER),
                            .from = bus_text(BUS_ADDRESS_BROKER)},
              error, &answer);
    send_to_route(self, zmq_msg_data(route), &answer);
    zmq_msg_close(&answer);
}

void
bus_router_frame(bus_router_t *self, zmq_msg_t *route, zmq_msg_t *msg)
{
    bus_member_t *sender =
        bus_members_by_route(&self->members, zmq_msg_data(route), zmq_msg_size(route));
    if (!sender)
        on_stranger_msg(self, route, msg);
    else if (zmq_msg_more(msg))
        self->dropped++;
    else
        on_member_msg(self, sender, msg);
    remove_gone(self);
}

/* ------------------------------------------------------------------------------------ now and then
 */

typedef struct {
    bus_router_t *router;
    int64_t now;
    bool timed; /* some dialog has a deadline */
} sweep_t;

static void
sweep_dialog(void *arg, bus_link_t *link)
{
    sweep_t *sweep = arg;
    bus_dialog_t *dialog = BUS_OF(bus_dialog_t, link, link);
    if (dialog->expires && dialog->expires <= sweep->now)
        bus_dialog_close(&sweep->router->members, dialog);
    else
        sweep->timed |= dialog->expires != 0;
}

static void
sweep_member(void *arg, bus_link_t *link)
{
    deliver_owed(arg, BUS_OF(bus_member_t, by_name, link));
}

void
bus_router_sweep(bus_router_t *self, int64_t now)
{
    if (!self->sweep_at || self->sweep_at > now)
        return;
    sweep_t sweep = {.router = self, .now = now};
    bus_table_each(&self->members.dialogs, sweep_dialog, &sweep);
    if (self->owing)
        bus_table_each(&self->members.by_name, sweep_member, self);
    self->sweep_at = self->owing   ? now + BUS_OWED_MS * NS_PER_MS
                     : sweep.timed ? now + BUS_SWEEP_MS * NS_PER_MS
                                   : 0;
    remove_gone(self);
}

void
bus_router_close(bus_router_t *self)
{
    AUTO(err) error = NULL;
    err_fail(&error, ERR_UNAVAILABLE, "the broker stops");
    size_t slot = 0;
    for (bus_link_t *link; (link = bus_table_any(&self->members.by_name, &slot));) {
        bus_member_t *member = BUS_OF(bus_member_t, by_name, link);
        say_bye(self, member, error);
        /* Everybody is told by BYE; dialogs need no errors of their own. */
        for (unsigned side = 0; side < 2; side++)
            while (member->dialogs[side])
                bus_dialog_close(&self->members, member->dialogs[side]);
        pthread_mutex_lock(&self->lock);
        bus_members_remove(&self->members, member);
        pthread_mutex_unlock(&self->lock);
    }
    bus_taps_close(&self->taps, NULL);
    bus_members_done(&self->members);
}
