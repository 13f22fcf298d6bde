/*  direct: see direct.h. */
#include "tests/unit/docker-driver/direct.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define DIRECT_QUEUE_MAX 16

typedef struct node {
    ProtobufCMessage *item;
    struct node *next;
} node_t;

typedef struct {
    node_t *first, **last;
    int count;
    bool ended;
} queue_t;

struct direct {
    docker_t *docker;
    const char *method;
    ProtobufCMessage *request;
    docker_call_t call;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    queue_t in, out; /* under lock */
    bool cancelled;  /* under lock */
    err_t *failure;  /* under lock */
};

static ProtobufCMessage *
copy_of(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size ? size : 1);
    protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
    free(bytes);
    return copy;
}

static void
put(queue_t *queue, ProtobufCMessage *item)
{
    node_t *node = calloc(1, sizeof *node);
    node->item = item;
    if (!queue->first)
        queue->last = &queue->first;
    *queue->last = node;
    queue->last = &node->next;
    queue->count++;
}

static ProtobufCMessage *
take(queue_t *queue)
{
    node_t *node = queue->first;
    ProtobufCMessage *item = node->item;
    queue->first = node->next;
    queue->count--;
    free(node);
    return item;
}

/* ---------------------------------------------------------------------------------------- unary */

#define RUN_ASK(fn, Request, Reply)                                                                \
    return fn(docker, NULL, request, (Orchestrator__##Reply **)ret_reply, err);
#define RUN_DO(fn, Request, Reply)                                                                 \
    (void)ret_reply;                                                                               \
    return fn(docker, NULL, request, err);
#define RUN_DOWN(fn, Request, Reply) abort();
#define RUN_UP(fn, Request, Reply) abort();
#define RUN_BOTH(fn, Request, Reply) abort();

int
direct_ask(docker_t *docker, const char *method, const void *request, void *ret_reply, err_t **err)
{
#define RUN(shape, name, fn, Request, Reply)                                                       \
    if (strcmp(method, #name) == 0) {                                                              \
        RUN_##shape(fn, Request, Reply)                                                            \
    }
    DOCKER_OPERATIONS(RUN)
#undef RUN
    abort();
}

/* ------------------------------------------------------------------------------------ streaming */

static int
on_send(void *arg, const ProtobufCMessage *item, err_t **err)
{
    direct_t *self = arg;
    pthread_mutex_lock(&self->lock);
    while (self->out.count >= DIRECT_QUEUE_MAX && !self->cancelled)
        pthread_cond_wait(&self->changed, &self->lock);
    bool cancelled = self->cancelled;
    if (!cancelled)
        put(&self->out, copy_of(item));
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return cancelled ? err_fail(err, ERR_CANCELLED, "the caller gave up") : 0;
}

static int
on_recv(void *arg, ProtobufCMessage **ret_item, err_t **err)
{
    direct_t *self = arg;
    pthread_mutex_lock(&self->lock);
    while (!self->in.first && !self->in.ended && !self->cancelled)
        pthread_cond_wait(&self->changed, &self->lock);
    int result = self->in.first   ? 1
                 : self->in.ended ? 0
                                  : err_fail(err, ERR_CANCELLED, "the caller gave up");
    if (result == 1) {
        eventfd_t one;
        eventfd_read(self->call.recv_fd, &one);
        *ret_item = take(&self->in);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return result;
}

#define STREAM_ASK(fn, Request, Reply) abort();
#define STREAM_DO(fn, Request, Reply) abort();
#define STREAM_DOWN(fn, Request, Reply)                                                            \
    result =                                                                                       \
        fn(self->docker, &self->call, (const Orchestrator__##Request *)self->request, &failure);
#define STREAM_UP(fn, Request, Reply)                                                              \
    Orchestrator__##Reply *made = NULL;                                                            \
    result = fn(self->docker, &self->call, &made, &failure);                                       \
    reply = (ProtobufCMessage *)made;
#define STREAM_BOTH(fn, Request, Reply) result = fn(self->docker, &self->call, &failure);

static void *
stream_main(void *arg)
{
    direct_t *self = arg;
    err_t *failure = NULL;
    ProtobufCMessage *reply = NULL;
    int result = 0;
#define STREAM(shape, name, fn, Request, Reply)                                                    \
    if (strcmp(self->method, #name) == 0) {                                                        \
        STREAM_##shape(fn, Request, Reply)                                                         \
    }
    DOCKER_OPERATIONS(STREAM)
#undef STREAM
    pthread_mutex_lock(&self->lock);
    if (reply)
        put(&self->out, reply);
    if (result < 0 && !failure)
        abort(); /* a failure without a reason is a bug */
    self->failure = failure;
    self->out.ended = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

direct_t *
direct_open(docker_t *docker, const char *method, const void *request)
{
    direct_t *self = calloc(1, sizeof *self);
    self->docker = docker;
    self->method = method;
    self->request = request ? copy_of(request) : NULL;
    self->call = (docker_call_t){.cancel_fd = eventfd(0, EFD_CLOEXEC),
                                 .recv_fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK),
                                 .send = on_send,
                                 .recv = on_recv,
                                 .arg = self};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    pthread_create(&self->thread, NULL, stream_main, self);
    return self;
}

void
direct_send(direct_t *self, const void *item)
{
    pthread_mutex_lock(&self->lock);
    while (self->in.count >= DIRECT_QUEUE_MAX && !self->out.ended && !self->cancelled)
        pthread_cond_wait(&self->changed, &self->lock);
    if (!self->out.ended) {
        put(&self->in, copy_of(item));
        eventfd_write(self->call.recv_fd, 1);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void
direct_end(direct_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->in.ended = true;
    eventfd_write(self->call.recv_fd, 1);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

int
direct_recv(direct_t *self, int timeout_ms, void *ret_item, err_t **err)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    int result = -1;
    pthread_mutex_lock(&self->lock);
    bool late = false;
    while (!self->out.first && !self->out.ended && !late)
        late = pthread_cond_timedwait(&self->changed, &self->lock, &until) == ETIMEDOUT;
    if (self->out.first) {
        *(ProtobufCMessage **)ret_item = take(&self->out);
        result = 1;
    } else if (!self->out.ended) {
        err_fail(err, ERR_TIMEOUT, "nothing came within %d ms", timeout_ms);
    } else if (!self->failure) {
        result = 0;
    } else if (err) {
        *err = err_dup(self->failure);
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return result;
}

void
direct_cancel(direct_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->cancelled = true;
    eventfd_write(self->call.cancel_fd, 1);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void
direct_close(direct_t **self_p)
{
    direct_t *self = TAKE(*self_p);
    if (!self)
        return;
    direct_cancel(self);
    pthread_join(self->thread, NULL);
    while (self->in.first)
        protobuf_c_message_free_unpacked(take(&self->in), NULL);
    while (self->out.first)
        protobuf_c_message_free_unpacked(take(&self->out), NULL);
    if (self->request)
        protobuf_c_message_free_unpacked(self->request, NULL);
    close(self->call.cancel_fd);
    close(self->call.recv_fd);
    err_destroy(&self->failure);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    free(self);
}
