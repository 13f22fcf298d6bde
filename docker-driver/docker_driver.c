/*  docker_driver: the actor "driver/docker": orchestrator operations on a Docker Engine, for
 *  whoever the bus lets through.
 *
 *    orchestrator.Orchestrator   all of it, each on a worker thread: DOCKER_OPERATIONS
 *
 *  It keeps nothing: a driver that is killed and started again knows what its forerunner knew. What
 *  its callers had under way fails at once with UNAVAILABLE and may be asked again.
 */
#include "docker-driver/driver.h"

#include "docker-driver/docker-driver.h"

#include <string.h>
#include <sys/epoll.h>

#define METHOD(name) "orchestrator.Orchestrator/" #name

static int
send_item(void *arg, const ProtobufCMessage *item, err_t **err)
{
    return actor_call_send(arg, item, err);
}

static int
recv_item(void *arg, ProtobufCMessage **ret_item, err_t **err)
{
    return actor_call_recv(arg, -1, ret_item, err);
}

static docker_call_t
call_of(actor_call_t *call)
{
    const bus_method_t *method = actor_call_method(call);
    return (docker_call_t){.cancel_fd = actor_call_cancel_fd(call),
                           .recv_fd = method->client_streams ? actor_call_recv_fd(call) : -1,
                           .send = send_item,
                           .recv = recv_item,
                           .arg = call};
}

/* These last until their caller has enough: when the driver is to end, it does not wait for that.
 */
static const char *const endless[] = {"WatchEnclave", "GetLogs", "Shell"};

/* Makes also the driver's end a reason to cancel an endless operation. What it returns is to be
 * closed; -1 for other operations. */
static int
cancel_at_end(actor_call_t *call, docker_call_t *from)
{
    const int reasons[] = {from->cancel_fd, actor_stopping_fd(actor_call_actor(call))};
    bool is_endless = false;
    for (size_t i = 0; i < ARRAY_LEN(endless); i++)
        is_endless |= !strcmp(actor_call_method(call)->shortname, endless[i]);
    int both = is_endless ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (both < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        epoll_ctl(both, EPOLL_CTL_ADD, reasons[i], &(struct epoll_event){.events = EPOLLIN});
    from->cancel_fd = both;
    return both;
}

/* Answers with the one reply, or why there is none. */
static void
answer(actor_call_t *call, int result, const ProtobufCMessage *reply, err_t **err)
{
    if (result < 0)
        actor_call_fail(&call, err);
    else
        actor_call_reply(&call, reply);
}

/* Ends a server stream. */
static void
finish(actor_call_t *call, int result, err_t **err)
{
    if (result < 0 && err_code(*err) == ERR_CANCELLED && actor_stopping(actor_call_actor(call))) {
        err_destroy(err);
        err_fail(err, ERR_UNAVAILABLE, "the driver of Docker ends");
    }
    if (result < 0)
        actor_call_fail(&call, err);
    else
        actor_call_end(&call);
}

/* One handler per shape: what the operation takes and how it answers. */
#define RUN_ASK(fn, Request, Reply)                                                                \
    Orchestrator__##Reply *reply = NULL;                                                           \
    int result = fn(state, &from, (const Orchestrator__##Request *)request, &reply, &error);       \
    answer(call, result, (ProtobufCMessage *)reply, &error);                                       \
    bus_message_destroy(&reply);
#define RUN_UP(fn, Request, Reply)                                                                 \
    (void)request;                                                                                 \
    Orchestrator__##Reply *reply = NULL;                                                           \
    int result = fn(state, &from, &reply, &error);                                                 \
    answer(call, result, (ProtobufCMessage *)reply, &error);                                       \
    bus_message_destroy(&reply);
#define RUN_DO(fn, Request, Reply)                                                                 \
    Orchestrator__##Reply nothing;                                                                 \
    orchestrator__empty__init(&nothing);                                                           \
    int result = fn(state, &from, (const Orchestrator__##Request *)request, &error);               \
    answer(call, result, &nothing.base, &error);
#define RUN_DOWN(fn, Request, Reply)                                                               \
    finish(call, fn(state, &from, (const Orchestrator__##Request *)request, &error), &error);
#define RUN_BOTH(fn, Request, Reply)                                                               \
    (void)request;                                                                                 \
    finish(call, fn(state, &from, &error), &error);

#define HANDLER(shape, method, fn, Request, Reply)                                                 \
    static void on_##method(void *state, actor_call_t *call, const ProtobufCMessage *request)      \
    {                                                                                              \
        docker_call_t from = call_of(call);                                                        \
        AUTO_FD int until = cancel_at_end(call, &from);                                            \
        (void)until;                                                                               \
        AUTO(err) error = NULL;                                                                    \
        RUN_##shape(fn, Request, Reply)                                                            \
    }
DOCKER_OPERATIONS(HANDLER)

const actor_method_t docker_driver_methods[] = {
#define ROW(shape, method, fn, Request, Reply) {METHOD(method), ACTOR_WORKER, on_##method},
    DOCKER_OPERATIONS(ROW)
#undef ROW
        {0},
};
