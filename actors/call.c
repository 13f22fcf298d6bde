/*  call: incoming asks, tells and streams: from the frame to the handler, and the handler's answer.
 */
#include "actors/inside.h"

#include <string.h>
#include <sys/eventfd.h>

/* -------------------------------------------------------------------------- arrival (loop thread)
 */

static const entry_t *
find_entry(const actor_t *self, bus_text_t name)
{
    bus_link_t *at = bus_table_find(&self->methods, bus_hash(name.data, name.len));
    for (; at; at = bus_link_next(at)) {
        const entry_t *entry = BUS_OF(entry_t, link, at);
        if (bus_text_is(name, entry->method->name, strlen(entry->method->name)))
            return entry;
    }
    return NULL;
}

static int
check(const actor_t *self, const bus_frame_t *frame, const entry_t **ret_entry, err_t **err)
{
    const entry_t *entry = *ret_entry = find_entry(self, frame->method);
    if (!entry)
        return err_fail(err, ERR_UNSUPPORTED, "'%s' has no method '%.*s'", self->name,
                        (int)frame->method.len, frame->method.data);
    bool streams = entry->method->client_streams || entry->method->server_streams;
    if (streams != (frame->kind == BUS_KIND_OPEN))
        return err_fail(err, ERR_INVALID, "%s is %s stream and cannot be used by %s",
                        entry->method->name, streams ? "a" : "no", bus_kind_name(frame->kind));
    return 0;
}

static line_t *
make_call(actor_t *self, const entry_t *entry, const bus_frame_t *frame, zmq_msg_t *msg)
{
    char from[BUS_NAME_MAX + 1];
    bus_text_copy(frame->from, from);
    line_t *call = line_new(self, entry->method, from, false);
    call->handler = entry->handler;
    call->tell = frame->kind == BUS_KIND_TELL;
    call->trace = frame->trace;
    call->talk.correlation = frame->correlation;
    if (frame->remaining)
        call->deadline = clock_ns() + frame->remaining * NS_PER_MS;
    call->request_body = (size_t)((const char *)frame->body - (const char *)zmq_msg_data(msg));
    return call;
}

/* Puts it among the calls that must be answered before the actor may end. */
static void
enter(line_t *call)
{
    actor_t *actor = call->actor;
    call->next_call = actor->calls;
    if (actor->calls)
        actor->calls->prev_call = call;
    actor->calls = call;
}

static void
leave(line_t *call)
{
    actor_t *actor = call->actor;
    if (call->prev_call)
        call->prev_call->next_call = call->next_call;
    else
        actor->calls = call->next_call;
    if (call->next_call)
        call->next_call->prev_call = call->prev_call;
    call->prev_call = call->next_call = NULL;
    if (!actor->calls)
        pthread_cond_broadcast(&actor->changed);
}

static void
run_on_loop(line_t *call)
{
    actor_t *actor = call->actor; /* the call may be gone after */
    const char *name = call->method->name;
    int64_t began = clock_coarse_ns();
    work_call(call);
    actor_mind_time(actor, name, began);
    actor_run_posts(actor);
}

static int
start(actor_t *self, line_t *call, err_t **err)
{
    bool on_loop = call->handler->where == ACTOR_LOOP;
    pthread_mutex_lock(&self->lock);
    bool stopping = self->stopping;
    bool queued = stopping || on_loop || work_put(self, call);
    if (!stopping && queued) {
        enter(call);
        if (!call->tell)
            line_hold(call); /* the peer's */
    }
    pthread_mutex_unlock(&self->lock);
    if (stopping)
        return err_fail(err, ERR_UNAVAILABLE, "'%s' is stopping", self->name);
    if (!queued)
        return err_fail(err, ERR_LIMIT, "'%s' has %u calls waiting already", self->name,
                        ACTOR_QUEUE_MAX);
    if (on_loop)
        run_on_loop(call);
    return 0;
}

void
call_on_frame(void *arg, const bus_frame_t *frame, zmq_msg_t *msg)
{
    actor_t *self = arg;
    AUTO(err) error = NULL;
    const entry_t *entry;
    if (check(self, frame, &entry, &error) < 0) {
        bus_peer_refuse(self->peer, frame, error);
        return;
    }
    line_t *call = make_call(self, entry, frame, msg);
    if (!call->tell && bus_peer_accept(self->peer, &call->talk, frame, &error) < 0) {
        bus_peer_refuse(self->peer, frame, error);
        line_unhold(call);
        return;
    }
    zmq_msg_move(&call->request, msg); /* frame points into nothing from here on */
    if (start(self, call, &error) < 0) {
        bus_talk_fail(&call->talk, error);
        line_unhold(call);
    }
}

/* Tells what still runs to end. What a handler keeps beyond that ends for its caller when the peer
 * leaves. */
void
call_cancel_all(actor_t *self)
{
    pthread_mutex_lock(&self->lock);
    for (line_t *call = self->calls; call; call = call->next_call) {
        err_t *error = NULL;
        err_fail(&error, ERR_CANCELLED, "'%s' is stopping", self->name);
        line_end(call, error);
    }
    pthread_mutex_unlock(&self->lock);
}

/* -------------------------------------------------------------------------------------- answers */

/* Sends the last frame of a call and forgets it. */
static void
post_last(actor_t *actor, post_t *post)
{
    bus_talk_t *talk = &post->line->talk;
    if (!talk->owner)
        return;
    bus_peer_send(actor->peer, &post->msg, NULL);
    zmq_msg_init(&post->msg);
    bus_talk_close(talk);
    line_unhold(post->line); /* the peer's */
}

static void
answer(line_t *call, zmq_msg_t *msg)
{
    actor_t *actor = call->actor;
    pthread_mutex_lock(&actor->lock);
    call->answered = true;
    leave(call);
    if (call->tell)
        zmq_msg_close(msg);
    else
        actor_post(actor, (post_t){.fn = post_last, .line = call, .msg = *msg});
    pthread_mutex_unlock(&actor->lock);
    line_unhold(call); /* the handler's */
}

static void
fail(line_t *call, const err_t *error)
{
    AUTO_STR out = STR_EMPTY;
    zmq_msg_t msg;
    bus_frame_t frame = {.kind = BUS_KIND_ERROR,
                         .answer = true,
                         .correlation = call->talk.correlation,
                         .trace = call->trace,
                         .to = bus_text(call->talk.other),
                         .from = bus_text(call->actor->name)};
    bus_frame_begin(&out, &frame);
    bus_err_pack(error, &out);
    bus_msg_take(&out, &msg);
    answer(call, &msg);
}

static void
finish(line_t *call, bus_kind_t kind, const ProtobufCMessage *message)
{
    AUTO(err) error = NULL;
    zmq_msg_t msg;
    if ((kind == BUS_KIND_END) != call->method->server_streams)
        err_fail(&error, ERR_INTERNAL, "the handler of %s ends it the wrong way",
                 call->method->name);
    else if (message && message->descriptor != call->method->response)
        err_fail(&error, ERR_INTERNAL, "the handler of %s answers with a %s", call->method->name,
                 message->descriptor->name);
    else
        line_pack(call, kind, message, &msg, &error);
    if (error)
        fail(call, error);
    else
        answer(call, &msg);
}

void
actor_call_reply(actor_call_t **call_p, const ProtobufCMessage *reply)
{
    finish(&TAKE(*call_p)->line, BUS_KIND_REPLY, reply);
}

void
actor_call_end(actor_call_t **call_p)
{
    finish(&TAKE(*call_p)->line, BUS_KIND_END, NULL);
}

void
actor_call_fail(actor_call_t **call_p, err_t **err_p)
{
    err_t *error = TAKE(*err_p);
    if (!error)
        err_fail(&error, ERR_INTERNAL, "a handler failed without saying why");
    fail(&TAKE(*call_p)->line, error);
    err_destroy(&error);
}

int
actor_call_send(actor_call_t *call, const ProtobufCMessage *item, err_t **err)
{
    line_t *line = &call->line;
    if (!line->method->server_streams || item->descriptor != line->method->response)
        return err_fail(err, ERR_INTERNAL, "the handler of %s cannot send a %s", line->method->name,
                        item->descriptor->name);
    return line_send(line, item, err);
}

int
actor_call_send_packed(actor_call_t *call, const void *body, size_t size, err_t **err)
{
    line_t *line = &call->line;
    zmq_msg_t msg;
    if (!line->method->server_streams)
        return err_fail(err, ERR_INTERNAL, "the handler of %s cannot send messages",
                        line->method->name);
    if (line_frame(line, BUS_KIND_DATA, body, size, &msg, err) < 0)
        return -1;
    return line_send_frame(line, &msg, err);
}

int
actor_call_recv(actor_call_t *call, int timeout_ms, ProtobufCMessage **ret_item, err_t **err)
{
    line_t *line = &call->line;
    ProtobufCMessage *item = NULL;
    int result = line_recv(line, line->method->request, timeout_ms, &item, err);
    if (result > 0 && scope_check(line->talk.other, item, err) < 0) {
        bus_message_destroy(&item);
        return err_wrap(err, "'%s' refuses %s", line->actor->name, line->method->shortname);
    }
    if (result > 0)
        *ret_item = item;
    return result;
}

/* ------------------------------------------------------------------------------------ what a call
 * is */

const char *
actor_call_from(const actor_call_t *call)
{
    return call->line.talk.other;
}

actor_t *
actor_call_actor(const actor_call_t *call)
{
    return call->line.actor;
}

const bus_method_t *
actor_call_method(const actor_call_t *call)
{
    return call->line.method;
}

int64_t
actor_call_deadline(const actor_call_t *call)
{
    return call->line.deadline;
}

int
actor_call_cancel_fd(actor_call_t *call)
{
    line_t *line = &call->line;
    pthread_mutex_lock(&line->actor->lock);
    if (line->cancel_fd < 0)
        line->cancel_fd = eventfd(line->over, EFD_CLOEXEC | EFD_NONBLOCK);
    int fd = line->cancel_fd;
    pthread_mutex_unlock(&line->actor->lock);
    return fd;
}

int
actor_call_recv_fd(actor_call_t *call)
{
    return line_recv_fd(&call->line);
}

bool
actor_call_cancelled(const actor_call_t *call)
{
    actor_t *actor = call->line.actor;
    pthread_mutex_lock(&actor->lock);
    bool over = call->line.over;
    pthread_mutex_unlock(&actor->lock);
    return over;
}

/* --------------------------------------------------------------------------------------- scopes */

actor_call_t *
actor_scope_new(actor_t *self, actor_call_t *within)
{
    line_t *line = line_new(self, NULL, self->name, false);
    line->trace = line_trace(self, within ? &within->line : NULL, bus_peer_number(self->peer));
    if (within)
        line->deadline = within->line.deadline;
    line_join(line, within);
    return (actor_call_t *)line;
}

void
actor_scope_cancel(actor_call_t *scope, const char *why)
{
    line_t *line = &scope->line;
    err_t *error = NULL;
    err_fail(&error, ERR_CANCELLED, "%s", why);
    pthread_mutex_lock(&line->actor->lock);
    line_end(line, error);
    pthread_mutex_unlock(&line->actor->lock);
}

void
actor_scope_destroy(actor_call_t **scope_p)
{
    actor_call_t *scope = TAKE(*scope_p);
    if (scope)
        line_unhold(&scope->line);
}
