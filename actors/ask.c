/*  ask: outgoing asks, tells and streams. */
#include "actors/inside.h"

#include <string.h>

/* --------------------------------------------------------------------------------------- opening
 * one */

static int
check(const char *to, const char *name, const ProtobufCMessage *request, bool stream,
      const bus_method_t **ret_method, err_t **err)
{
    const bus_method_t *method = *ret_method = bus_method_find(name);
    if (!method)
        return err_fail(err, ERR_INTERNAL, "the schema has no method '%s'", name);
    if (!*to || strlen(to) > BUS_NAME_MAX)
        return err_fail(err, ERR_INVALID, "'%s' is no address", to);
    if (stream != (method->client_streams || method->server_streams))
        return err_fail(err, ERR_INTERNAL, "%s is %s stream", name, stream ? "no" : "a");
    if ((request == NULL) != method->client_streams)
        return err_fail(err, ERR_INTERNAL, "%s is opened with%s a request", name,
                        request ? "out" : "");
    if (request && request->descriptor != method->request)
        return err_fail(err, ERR_INTERNAL, "%s takes a %s, not a %s", name, method->request->name,
                        request->descriptor->name);
    return 0;
}

/* Sets its deadline, and what the frame that opens it says of that. */
static void
set_deadline(line_t *self, int timeout_ms, const actor_call_t *within)
{
    int64_t now = clock_ns();
    int64_t outer = within ? within->line.deadline : 0;
    int64_t deadline =
        timeout_ms < 0 ? 0 : now + (timeout_ms ? timeout_ms : ACTOR_ASK_MS) * NS_PER_MS;
    if (outer && (!deadline || outer < deadline))
        deadline = outer;
    self->deadline = deadline;
    if (!deadline)
        return;
    int64_t left = (deadline - now) / NS_PER_MS;
    self->remaining = left < 1 ? 1 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

static void
post_open(actor_t *actor, post_t *post)
{
    line_t *line = post->line;
    err_t *error = NULL;
    int failed = 0;
    line_hold(line);    /* the peer's */
    if (line->within) { /* otherwise nobody can have ended it yet */
        pthread_mutex_lock(&actor->lock);
        failed = line_dead(line) ? line_why(line, &error) : 0;
        pthread_mutex_unlock(&actor->lock);
    }
    if (!failed) {
        failed = bus_peer_open(actor->peer, &line->talk, post->when, &post->msg, &error);
        zmq_msg_init(&post->msg);
    }
    if (!failed)
        return;
    line_unhold(line);
    line_fail(line, error);
}

static line_t *
line_to(actor_t *self, actor_call_t *within, const char *to, const bus_method_t *method)
{
    line_t *line = line_new(self, method, to, true);
    line->talk.correlation = bus_peer_number(self->peer);
    line->trace = line_trace(self, within ? &within->line : NULL, line->talk.correlation);
    line_join(line, within);
    return line;
}

static int
open_line(line_t *line, bus_kind_t kind, const ProtobufCMessage *request, err_t **err)
{
    actor_t *actor = line->actor;
    zmq_msg_t msg;
    if (line_pack(line, kind, request, &msg, err) < 0)
        return -1;
    pthread_mutex_lock(&actor->lock);
    bool closed = actor->closed;
    actor_post(actor, (post_t){.fn = post_open, .line = line, .msg = msg, .when = line->deadline});
    pthread_mutex_unlock(&actor->lock);
    return closed ? err_fail(err, ERR_UNAVAILABLE, "'%s' has ended", actor->name) : 0;
}

/* ------------------------------------------------------------------------------------------ ask */

/* Waits for the end of an ask; tells the other side if nobody wants the answer any more. */
static int
await_reply(line_t *line, ProtobufCMessage **ret_reply, err_t **err)
{
    int result = line_recv(line, line->method->response, -1, ret_reply, err);
    pthread_mutex_lock(&line->actor->lock);
    if (!line->over && !line->in_end)
        line_say(line, BUS_KIND_CANCEL);
    pthread_mutex_unlock(&line->actor->lock);
    return result > 0   ? 0
           : result < 0 ? -1
                        : err_fail(err, ERR_INTERNAL, "it ended without a reply");
}

int
actor_ask(actor_t *self, actor_call_t *within, const char *to, const char *name,
          const ProtobufCMessage *request, int timeout_ms, ProtobufCMessage **ret_reply,
          err_t **err)
{
    const bus_method_t *method;
    if (check(to, name, request, false, &method, err) < 0)
        return -1;
    if (actor_on_loop(self))
        return err_fail(err, ERR_INTERNAL, "the loop of '%s' must not wait for %s", self->name,
                        name);
    line_t *line = line_to(self, within, to, method);
    set_deadline(line, timeout_ms, within);
    int result = open_line(line, BUS_KIND_ASK, request, err);
    if (result == 0)
        result = await_reply(line, ret_reply, err);
    line_unhold(line);
    return result < 0 ? err_wrap(err, "cannot ask '%s' for %s", to, method->shortname) : 0;
}

void
actor_ask_later(actor_t *self, actor_call_t *within, const char *to, const char *name,
                const ProtobufCMessage *request, int timeout_ms, actor_reply_fn *on_reply,
                void *arg)
{
    const bus_method_t *method;
    AUTO(err) error = NULL;
    if (check(to, name, request, false, &method, &error) < 0) {
        on_reply(arg, NULL, error);
        return;
    }
    line_t *line = line_to(self, within, to, method);
    set_deadline(line, timeout_ms, within);
    line->on_reply = on_reply;
    line->on_reply_arg = arg;
    if (open_line(line, BUS_KIND_ASK, request, &error) < 0)
        on_reply(arg, NULL, error);
    line_unhold(line);
}

static void
post_tell(actor_t *actor, post_t *post)
{
    bus_peer_send(actor->peer, &post->msg, NULL);
    zmq_msg_init(&post->msg);
}

int
actor_tell(actor_t *self, const char *to, const char *name, const ProtobufCMessage *request,
           err_t **err)
{
    const bus_method_t *method;
    zmq_msg_t msg;
    if (check(to, name, request, false, &method, err) < 0)
        return -1;
    line_t *line = line_to(self, NULL, to, method);
    int result = line_pack(line, BUS_KIND_TELL, request, &msg, err);
    if (result == 0) {
        pthread_mutex_lock(&self->lock);
        actor_post(self, (post_t){.fn = post_tell, .msg = msg});
        pthread_mutex_unlock(&self->lock);
    }
    line_unhold(line);
    return result;
}

/* -------------------------------------------------------------------------------------- streams */

int
actor_stream_open(actor_t *self, actor_call_t *within, const char *to, const char *name,
                  const ProtobufCMessage *request, actor_stream_t **ret_stream, err_t **err)
{
    const bus_method_t *method;
    if (check(to, name, request, true, &method, err) < 0)
        return -1;
    line_t *line = line_to(self, within, to, method);
    if (open_line(line, BUS_KIND_OPEN, request, err) < 0) {
        line_unhold(line);
        return err_wrap(err, "cannot open %s of '%s'", method->shortname, to);
    }
    *ret_stream = (actor_stream_t *)line;
    return 0;
}

int
actor_stream_send(actor_stream_t *self, const ProtobufCMessage *item, err_t **err)
{
    line_t *line = &self->line;
    if (!line->method->client_streams || item->descriptor != line->method->request ||
        line->answered)
        return err_fail(err, ERR_INTERNAL, "this stream of %s takes no %s", line->method->name,
                        item->descriptor->name);
    return line_send(line, item, err);
}

int
actor_stream_end(actor_stream_t *self, err_t **err)
{
    line_t *line = &self->line;
    actor_t *actor = line->actor;
    pthread_mutex_lock(&actor->lock);
    int result = line_dead(line) ? line_why(line, err) : 0;
    if (result == 0 && !line->answered)
        line_say(line, BUS_KIND_END);
    line->answered = true;
    pthread_mutex_unlock(&actor->lock);
    return result;
}

int
actor_stream_recv(actor_stream_t *self, int timeout_ms, ProtobufCMessage **ret_item, err_t **err)
{
    return line_recv(&self->line, self->line.method->response, timeout_ms, ret_item, err);
}

int
actor_stream_recv_fd(actor_stream_t *self)
{
    return line_recv_fd(&self->line);
}

void
actor_stream_destroy(actor_stream_t **self_p)
{
    line_t *line = (line_t *)TAKE(*self_p);
    if (!line)
        return;
    pthread_mutex_lock(&line->actor->lock);
    if (!line->over && !line->in_end)
        line_say(line, BUS_KIND_CANCEL);
    pthread_mutex_unlock(&line->actor->lock);
    line_unhold(line);
}
