/*  work: the worker threads of an actor. They come when a call waits and none is idle, and go when
 *  idle for long. */
#include "actors/inside.h"

/* Whether the caller has given up, or the actor ends, before the handler began. */
static bool
is_over(line_t *call, err_t **err)
{
    pthread_mutex_lock(&call->actor->lock);
    bool over = call->over;
    if (over)
        line_why(call, err);
    pthread_mutex_unlock(&call->actor->lock);
    return over;
}

void
work_call(line_t *call)
{
    AUTO_MESSAGE ProtobufCMessage *request = NULL;
    AUTO(err) error = NULL;
    actor_call_t *handle = (actor_call_t *)call;
    bool streams = call->method->client_streams;
    const uint8_t *frame = zmq_msg_data(&call->request);
    if (!streams && (bus_msgpack_unpack(call->method->request, frame + call->request_body,
                                        zmq_msg_size(&call->request) - call->request_body, &request,
                                        &error) < 0 ||
                     scope_check(call->talk.other, request, &error) < 0)) {
        err_wrap(&error, "'%s' refuses %s", call->actor->name, call->method->shortname);
        actor_call_fail(&handle, &error);
        return;
    }
    zmq_msg_close(&call->request); /* what it said is in request */
    zmq_msg_init(&call->request);
    call->handler->handler(call->actor->state, handle, request);
}

static void
run_job(actor_t *self, line_t *call)
{
    AUTO(err) error = NULL;
    actor_call_t *handle = (actor_call_t *)call;
    line_hold(call); /* the thread's: the handler gives away its own by answering */
    if (is_over(call, &error))
        actor_call_fail(&handle, &error);
    else
        work_call(call);
    pthread_mutex_lock(&self->lock);
    bool answered = call->answered;
    pthread_mutex_unlock(&self->lock);
    if (!answered) {
        err_fail(&error, ERR_INTERNAL, "the handler of %s returned without an answer",
                 call->method->name);
        log_err(LOG_ERROR, "actor.unanswered", error, "name=%s", self->name);
        actor_call_fail(&handle, &error);
    }
    line_unhold(call);
}

/* The next job, NULL when there is none for long or the actor ends. Under lock. */
static line_t *
next_job(actor_t *self)
{
    int64_t until = clock_ns() + ACTOR_IDLE_MS * NS_PER_MS;
    self->idle++;
    while (!self->jobs && !self->cancelled && actor_wait(self, &self->work, until))
        continue;
    self->idle--;
    line_t *call = self->jobs;
    if (!call)
        return NULL;
    self->jobs = call->next_job;
    if (!self->jobs)
        self->jobs_end = &self->jobs;
    self->jobs_count--;
    return call;
}

static void *
run(void *arg)
{
    actor_t *self = arg;
    pthread_mutex_lock(&self->lock);
    for (line_t *call; (call = next_job(self));) {
        pthread_mutex_unlock(&self->lock);
        run_job(self, call);
        pthread_mutex_lock(&self->lock);
    }
    self->workers--;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    actor_unhold(self);
    return NULL;
}

/* Under lock, so the thread waits until the job is there. */
static bool
start_thread(actor_t *self)
{
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &detached, run, self) == 0;
    pthread_attr_destroy(&detached);
    if (started) {
        actor_hold(self);
        self->workers++;
    }
    return started;
}

bool
work_put(actor_t *self, line_t *call)
{
    bool wants_thread = self->idle <= self->jobs_count && self->workers < self->workers_max;
    if (self->jobs_count >= ACTOR_QUEUE_MAX ||
        (wants_thread && !start_thread(self) && !self->workers))
        return false;
    call->next_job = NULL;
    *self->jobs_end = call;
    self->jobs_end = &call->next_job;
    self->jobs_count++;
    pthread_cond_signal(&self->work);
    return true;
}
