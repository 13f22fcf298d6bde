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
