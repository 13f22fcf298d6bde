/*  line: one side of one conversation: what came in, what may go out, and how it ended. See
 *  inside.h. */
#include "actors/inside.h"

#include <string.h>
#include <sys/eventfd.h>

/* ------------------------------------------------------------------------------------ birth and
 * death */

line_t *
line_new(actor_t *actor, const bus_method_t *method, const char *other, bool mine)
{
    /* Not calloc: glibc's does not take from the thread's own cache, and every ask makes a line. */
    line_t *self = malloc(sizeof *self);
    if (!self)
        abort();
    *self = (line_t){.holders = 1,
                     .actor = actor,
                     .method = method,
                     .talk = {.on_frame = line_on_frame, .mine = mine},
                     .recv_fd = -1,
                     .cancel_fd = -1};
    memcpy(self->talk.other, other, strlen(other));
    self->inbox_end = &self->inbox;
    zmq_msg_init(&self->request);
    clock_cond_init(&self->changed);
    actor_hold(actor);
    return self;
}

static bool
is_scope(const line_t *self)
{
    return !self->method;
}

static void end_scope(line_t *self, const err_t *why);

void
line_hold(line_t *self)
{
    atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
}

static void
item_destroy(item_t *item)
{
    zmq_msg_close(&item->msg);
    free(item);
}

uint64_t
line_trace(const actor_t *actor, const line_t *within, uint64_t number)
{
    uint64_t trace = within ? within->trace : bus_hash_number(actor->traces + number);
    return trace ? trace : 1;
}

void
line_join(line_t *self, actor_call_t *within)
{
    if (!within || within->line.actor != self->actor)
        return;
    pthread_mutex_lock(&self->actor->lock);
    self->within = &within->line;
    line_hold(self->within);
    self->next_branch = self->within->branches;
    self->within->branches = self;
    if (is_scope(self) && self->within->over)
        end_scope(self, self->within->error);
    pthread_mutex_unlock(&self->actor->lock);
}

static void
leave_parent(line_t *self)
{
    pthread_mutex_lock(&self->actor->lock);
    for (line_t **at = &self->within->branches; *at; at = &(*at)->next_branch)
        if (*at == self) {
            *at = self->next_branch;
            break;
        }
    pthread_mutex_unlock(&self->actor->lock);
}

void
line_unhold(line_t *self)
{
    actor_t *actor = self->actor;
    if (atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) > 1)
        return;
    line_t *within = self->within;
    if (within)
        leave_parent(self);
    for (item_t *item = self->inbox, *next; item; item = next) {
        next = item->next;
        item_destroy(item);
    }
    if (self->recv_fd >= 0)
        close(self->recv_fd);
    if (self->cancel_fd >= 0)
        close(self->cancel_fd);
    err_destroy(&self->error);
    zmq_msg_close(&self->request);
    pthread_cond_destroy(&self->changed);
    free(self);
    if (within)
        line_unhold(within);
    actor_unhold(actor);
}

/* ------------------------------------------------------------------------------------------- its
 * state */

static bool
has_news(const line_t *self)
{
    return self->inbox || self->in_end || self->over;
}

/* Its descriptor is readable as long as there is something to receive. */
static void
show_news(line_t *self)
{
    eventfd_t value;
    if (self->recv_fd < 0)
        return;
    if (has_news(self))
        eventfd_write(self->recv_fd, 1);
    else
        eventfd_read(self->recv_fd, &value);
}

static void
tell_all(line_t *self)
{
    show_news(self);
    pthread_cond_broadcast(&self->changed);
}

void
line_end(line_t *self, err_t *error)
{
    if (self->over) {
        err_destroy(&error);
        return;
    }
    self->over = true;
    self->error = error;
    if (self->cancel_fd >= 0)
        eventfd_write(self->cancel_fd, 1);
    tell_all(self);
    for (line_t *branch = self->branches; branch; branch = branch->next_branch)
        if (is_scope(branch))
            end_scope(branch, self->error);
        else
            tell_all(branch);
}

/* What it was within is over, for this reason (may be NULL). Under lock. */
static void
end_scope(line_t *self, const err_t *why)
{
    err_t *error = NULL;
    err_fail(&error, ERR_CANCELLED, "%s", why ? err_text(why) : "whoever wanted it gave up");
    line_end(self, error);
}

bool
line_dead(const line_t *self)
{
    return self->over || (self->within && self->within->over);
}

int
line_why(const line_t *self, err_t **err)
{
    const line_t *dead = self->over ? self : self->within;
    if (!dead->error)
        return err_fail(err, ERR_CANCELLED, "'%s' gave up", dead->talk.other);
    if (dead != self)
        return err_fail(err, ERR_CANCELLED, "the call that this was for is over: %s",
                        err_text(dead->error));
    if (err)
        *err = err_dup(self->error);
    return -1;
}

/* ----------------------------------------------------------------------------- frames (loop
 * thread) */

static void
put_item(line_t *self, const bus_frame_t *frame, zmq_msg_t *msg)
{
    item_t *item = malloc(sizeof *item);
    if (!item)
        abort();
    item->next = NULL;
    item->body = (size_t)((const char *)frame->body - (const char *)zmq_msg_data(msg));
    zmq_msg_init(&item->msg);
    zmq_msg_move(&item->msg, msg);
    *self->inbox_end = item;
    self->inbox_end = &item->next;
}

static void
take_credit(line_t *self, uint32_t count)
{
    for (; count && self->out_count; count--) {
        self->out_bytes -= self->out_sizes[self->out_first];
        self->out_first = (self->out_first + 1) % BUS_CREDIT;
        self->out_count--;
    }
}

/* The reply, or (frame NULL, or of another kind) the error, for an ask without a waiting thread. */
static void
call_back(line_t *self, const bus_frame_t *frame)
{
    AUTO(err) error = NULL;
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    if (frame && frame->kind == BUS_KIND_REPLY)
        bus_msgpack_unpack(self->method->response, frame->body, frame->body_size, &reply, &error);
    else
        error = err_dup(self->error);
    if (error)
        err_wrap(&error, "cannot ask '%s' for %s", self->talk.other, self->method->shortname);
    int64_t began = clock_coarse_ns();
    self->on_reply(self->on_reply_arg, reply, error);
    actor_mind_time(self->actor, self->method->name, began);
}

void
line_fail(line_t *self, err_t *error)
{
    pthread_mutex_lock(&self->actor->lock);
    bool first = !self->over && !self->in_end;
    line_end(self, error);
    pthread_mutex_unlock(&self->actor->lock);
    if (first && self->on_reply)
        call_back(self, NULL);
}

void
line_drop(line_t *self)
{
    err_t *error = NULL;
    err_fail(&error, ERR_UNAVAILABLE, "'%s' has ended", self->actor->name);
    line_fail(self, error);
}

static void
on_data(line_t *self, const bus_frame_t *frame, zmq_msg_t *msg)
{
    if (frame->count == ++self->in_number) {
        put_item(self, frame, msg);
        return;
    }
    err_t *error = NULL;
    err_fail(&error, ERR_INTERNAL, "message %u of a stream from '%s' is missing", self->in_number,
             self->talk.other);
    bus_talk_fail(&self->talk, error);
    line_end(self, error);
}

void
line_on_frame(bus_talk_t *talk, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error)
{
    line_t *self = BUS_OF(line_t, talk, talk);
    actor_t *actor = self->actor;
    pthread_mutex_lock(&actor->lock);
    switch (frame ? frame->kind : 0) {
    case BUS_KIND_DATA:
        on_data(self, frame, msg);
        break;
    case BUS_KIND_REPLY:
        if (!self->on_reply)
            put_item(self, frame, msg);
        self->in_end = true;
        break;
    case BUS_KIND_END:
        self->in_end = true;
        break;
    case BUS_KIND_CREDIT:
        take_credit(self, frame->count);
        break;
    case BUS_KIND_ERROR:
        line_end(self, bus_err_unpack(frame->body, frame->body_size));
        break;
    case BUS_KIND_CANCEL:
        line_end(self, NULL);
        break;
    default:
        line_end(self, error ? TAKE(*error) : NULL);
        break;
    }
    tell_all(self);
    pthread_mutex_unlock(&actor->lock);
    if (talk->owner)
        return;
    if (self->on_reply)
        call_back(self, frame);
    line_unhold(self); /* the peer's */
    if (frame)
        actor_run_posts(actor);
}

/* ---------------------------------------------------------------------------------- sending,
 * receiving */

/* Where the body begins is *ret_header. */
static void
begin_frame(const line_t *self, bus_kind_t kind, str_t *out, size_t *ret_header)
{
    bool opens = bus_kind_flags(kind) & (BUS_FLAG_OPENS | BUS_FLAG_ALONE);
    bus_frame_t frame = {.kind = kind,
                         .answer = !self->talk.mine,
                         .correlation = self->talk.correlation,
                         .remaining = opens ? self->remaining : 0,
                         .trace = self->trace,
                         .to = bus_text(self->talk.other),
                         .from = bus_text(self->actor->name),
                         .method = bus_text(opens ? self->method->name : "")};
    bus_frame_begin(out, &frame);
    *ret_header = out->len;
}

static int
end_frame(const line_t *self, bus_kind_t kind, str_t *out, size_t header, zmq_msg_t *ret_msg,
          err_t **err)
{
    unsigned most = kind == BUS_KIND_TELL ? BUS_TELL_MAX : BUS_BODY_MAX;
    if (out->len - header > most)
        return err_fail(err, ERR_LIMIT, "a message for %s has %zu bytes, at most %u are allowed",
                        self->method->name, out->len - header, most);
    bus_msg_take(out, ret_msg);
    return 0;
}

int
line_pack(const line_t *self, bus_kind_t kind, const ProtobufCMessage *message, zmq_msg_t *ret_msg,
          err_t **err)
{
    AUTO_STR out = STR_EMPTY;
    size_t header;
    begin_frame(self, kind, &out, &header);
    if (message)
        bus_msgpack_pack(message, &out);
    return end_frame(self, kind, &out, header, ret_msg, err);
}

int
line_frame(const line_t *self, bus_kind_t kind, const void *body, size_t size, zmq_msg_t *ret_msg,
           err_t **err)
{
    AUTO_STR out = STR_EMPTY;
    size_t header;
    begin_frame(self, kind, &out, &header);
    str_add_bytes(&out, body, size);
    return end_frame(self, kind, &out, header, ret_msg, err);
}

static void
post_send(actor_t *actor, post_t *post)
{
    if (post->line->talk.owner)
        bus_peer_send(actor->peer, &post->msg, NULL);
    zmq_msg_init(&post->msg);
}

static void
post_say(actor_t *actor, post_t *post)
{
    bus_talk_t *talk = &post->line->talk;
    bus_kind_t kind = (bus_kind_t)post->when;
    (void)actor;
    if (!talk->owner)
        return;
    bus_talk_say(talk, kind, post->number);
    if (kind == BUS_KIND_CANCEL) {
        bus_talk_close(talk);
        line_unhold(post->line); /* the peer's */
    }
}

void
line_say(line_t *self, bus_kind_t kind)
{
    actor_post(self->actor, (post_t){.fn = post_say, .line = self, .when = kind});
}

static bool
has_room(const line_t *self)
{
    return self->out_count < BUS_CREDIT && self->out_bytes < BUS_CREDIT_BYTES;
}

static int
wait_for_room(line_t *self, err_t **err)
{
    actor_t *actor = self->actor;
    while (!line_dead(self) && !has_room(self) && !(self->talk.mine && self->in_end)) {
        if (actor_on_loop(actor))
            return err_fail(err, ERR_LIMIT, "'%s' does not take more messages now",
                            self->talk.other);
        actor_wait(actor, &self->changed, 0);
    }
    if (line_dead(self))
        return line_why(self, err);
    if (self->talk.mine && self->in_end)
        return err_fail(err, ERR_STATE, "'%s' has ended the stream", self->talk.other);
    return 0;
}

int
line_send_frame(line_t *self, zmq_msg_t *msg, err_t **err)
{
    actor_t *actor = self->actor;
    size_t size = zmq_msg_size(msg);
    pthread_mutex_lock(&actor->lock);
    int result = wait_for_room(self, err);
    if (result == 0) {
        self->out_sizes[(self->out_first + self->out_count++) % BUS_CREDIT] = (uint32_t)size;
        self->out_bytes += size;
        bus_frame_count(msg, ++self->out_number);
        actor_post(actor, (post_t){.fn = post_send, .line = self, .msg = *msg});
    }
    pthread_mutex_unlock(&actor->lock);
    if (result < 0)
        zmq_msg_close(msg);
    return result;
}

int
line_send(line_t *self, const ProtobufCMessage *item, err_t **err)
{
    zmq_msg_t msg;
    if (line_pack(self, BUS_KIND_DATA, item, &msg, err) < 0)
        return -1;
    return line_send_frame(self, &msg, err);
}

static void
give_credit(line_t *self, size_t size)
{
    self->eaten++;
    self->eaten_bytes += size;
    if (self->in_end || self->over ||
        (self->eaten < BUS_CREDIT / 2 && self->eaten_bytes < BUS_CREDIT_BYTES / 2))
        return;
    actor_post(
        self->actor,
        (post_t){.fn = post_say, .line = self, .when = BUS_KIND_CREDIT, .number = self->eaten});
    self->eaten = 0;
    self->eaten_bytes = 0;
}

/* The next item, NULL at the end or on failure (then *err). Under lock. */
static item_t *
take_item(line_t *self, int64_t until, err_t **err, int *ret_result)
{
    bool waiting = true;
    while (!has_news(self) && !line_dead(self) && waiting)
        waiting = actor_wait(self->actor, &self->changed, until);
    item_t *item = self->inbox;
    *ret_result = 0;
    /* What an ended stream brought is still good; what a caller sent who gave up is not wanted any
     * more. */
    if (item && (self->talk.mine || !line_dead(self))) {
        self->inbox = item->next;
        if (!self->inbox)
            self->inbox_end = &self->inbox;
        give_credit(self, zmq_msg_size(&item->msg));
        show_news(self);
        *ret_result = 1;
        return item;
    }
    if (line_dead(self))
        *ret_result = line_why(self, err);
    else if (!self->in_end)
        *ret_result = err_fail(err, ERR_TIMEOUT, "no message from '%s' in time", self->talk.other);
    return NULL;
}

int
line_recv(line_t *self, const ProtobufCMessageDescriptor *descriptor, int timeout_ms,
          ProtobufCMessage **ret_item, err_t **err)
{
    actor_t *actor = self->actor;
    int64_t until = timeout_ms < 0 ? 0 : clock_ns() + timeout_ms * NS_PER_MS;
    int result;
    pthread_mutex_lock(&actor->lock);
    item_t *item = take_item(self, until, err, &result);
    pthread_mutex_unlock(&actor->lock);
    if (!item)
        return result;
    ProtobufCMessage *message = NULL;
    int unpacked = bus_msgpack_unpack(descriptor, (char *)zmq_msg_data(&item->msg) + item->body,
                                      zmq_msg_size(&item->msg) - item->body, &message, err);
    item_destroy(item);
    if (unpacked < 0)
        return err_wrap(err, "a message of '%s' cannot be read", self->talk.other);
    if (ret_item)
        *ret_item = message;
    else
        bus_message_destroy(&message);
    return 1;
}

int
line_recv_fd(line_t *self)
{
    pthread_mutex_lock(&self->actor->lock);
    if (self->recv_fd < 0) {
        self->recv_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        show_news(self);
    }
    int fd = self->recv_fd;
    pthread_mutex_unlock(&self->actor->lock);
    return fd;
}
