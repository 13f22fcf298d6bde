/*  context: the one ØMQ context of this process. */
#include "bus/bus.h"

#include <errno.h>
#include <pthread.h>
#include <zmq.h>

#define SOCKETS_MAX 8192 /* each peer has one, and a pair for its monitor */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *context;

void *
bus_context(void)
{
    pthread_mutex_lock(&lock);
    if (!context) {
        context = zmq_ctx_new();
        if (!context)
            abort();
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
        zmq_ctx_set(context, ZMQ_BLOCKY, 0);
    }
    void *lent = context;
    pthread_mutex_unlock(&lock);
    return lent;
}

void
bus_context_term(void)
{
    pthread_mutex_lock(&lock);
    void *old = TAKE(context);
    pthread_mutex_unlock(&lock);
    while (old && zmq_ctx_term(old) < 0 && zmq_errno() == EINTR)
        continue;
}
