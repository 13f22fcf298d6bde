/*  zap: see zap.h.
 *
 *  libzmq asks at inproc://zeromq.zap.01, one address per context, so all brokers of the process
 *  share one thread and are told apart by their domain. A request has seven parts or more: version,
 *  request id, domain, address, identity, mechanism, and for CURVE the key. The answer has six:
 *  version, request id, status, text, user id, metadata.
 */
#include "bus/zap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
#define PARTS 7
#define PART_MAX 256 /* bytes of a part; longer ones are cut, and then do not fit */

struct bus_zap {
    bus_zap_t *next;
    char *domain;
    bool (*is_known)(void *arg, const uint8_t public_key[BUS_KEY_SIZE]);
    void *arg;
};

typedef struct {
    char data[PART_MAX];
    size_t size;
} part_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bus_zap_t *zaps;
static pthread_t thread;
static void *stop_send; /* PAIR to the thread */

static bool
receive(void *socket, part_t parts[PARTS], int *ret_count)
{
    int more = 1;
    size_t size = sizeof more;
    for (*ret_count = 0; more; ++*ret_count) {
        part_t extra, *part = *ret_count < PARTS ? &parts[*ret_count] : &extra;
        int got = zmq_recv(socket, part->data, PART_MAX, 0);
        if (got < 0)
            return false;
        part->size = got > PART_MAX ? PART_MAX : (size_t)got;
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

static bool
part_is(const part_t *part, const char *text)
{
    return part->size == strlen(text) && memcmp(part->data, text, part->size) == 0;
}

static bool
allowed(const part_t parts[PARTS], int count)
{
    if (count != PARTS || !part_is(&parts[0], "1.0") || !part_is(&parts[5], "CURVE") ||
        parts[6].size != BUS_KEY_SIZE)
        return false;
    bool known = false;
    pthread_mutex_lock(&lock);
    for (bus_zap_t *zap = zaps; zap; zap = zap->next)
        if (part_is(&parts[2], zap->domain))
            known = zap->is_known && zap->is_known(zap->arg, (const uint8_t *)parts[6].data);
    pthread_mutex_unlock(&lock);
    return known;
}

static void
answer(void *socket, const part_t parts[PARTS], int count)
{
    bool yes = allowed(parts, count);
    char user[BUS_KEY_TEXT_SIZE] = "";
    if (yes)
        bus_key_to_text((const uint8_t *)parts[6].data, user);
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(socket, parts[1].data, count > 1 ? parts[1].size : 0, ZMQ_SNDMORE);
    zmq_send(socket, yes ? "200" : "400", 3, ZMQ_SNDMORE);
    zmq_send(socket, yes ? "OK" : "unknown key", yes ? 2 : 11, ZMQ_SNDMORE);
    zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
}

typedef struct {
    void *socket, *stop;
} job_t;

static void *
run(void *arg)
{
    job_t job = *(job_t *)arg;
    free(arg);
    zmq_pollitem_t items[] = {{.socket = job.socket, .events = ZMQ_POLLIN},
                              {.socket = job.stop, .events = ZMQ_POLLIN}};
    part_t parts[PARTS];
    int count;
    while (zmq_poll(items, 2, -1) >= 0 || zmq_errno() == EINTR) {
        if (items[1].revents)
            break;
        if (items[0].revents && receive(job.socket, parts, &count))
            answer(job.socket, parts, count);
    }
    /* Now, for the next broker of this process: closing takes a while. */
    zmq_unbind(job.socket, ENDPOINT);
    zmq_close(job.socket);
    zmq_close(job.stop);
    return NULL;
}

static int
start(err_t **err)
{
    static unsigned last;
    char endpoint[40];
    snprintf(endpoint, sizeof endpoint, "inproc://bus.zap.%u", ++last);
    job_t *job = malloc(sizeof *job);
    if (!job)
        abort();
    job->socket = zmq_socket(bus_context(), ZMQ_REP);
    job->stop = zmq_socket(bus_context(), ZMQ_PAIR);
    stop_send = zmq_socket(bus_context(), ZMQ_PAIR);
    if (job->socket && job->stop && stop_send && zmq_bind(job->socket, ENDPOINT) == 0 &&
        zmq_bind(job->stop, endpoint) == 0 && zmq_connect(stop_send, endpoint) == 0 &&
        pthread_create(&thread, NULL, run, job) == 0)
        return 0;
    err_fail(err, ERR_INTERNAL, "cannot start the check of keys: %s", zmq_strerror(zmq_errno()));
    void *sockets[] = {job->socket, job->stop, TAKE(stop_send)};
    for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
        if (sockets[i])
            zmq_close(sockets[i]);
    free(job);
    return -1;
}

int
bus_zap_new(const char *domain, bool (*is_known)(void *arg, const uint8_t public_key[BUS_KEY_SIZE]),
            void *arg, bus_zap_t **ret_zap, err_t **err)
{
    bus_zap_t *self = calloc(1, sizeof *self);
    if (!self || !(self->domain = strdup(domain)))
        abort();
    self->is_known = is_known;
    self->arg = arg;
    pthread_mutex_lock(&lock);
    int result = zaps ? 0 : start(err);
    if (result == 0) {
        self->next = zaps;
        zaps = self;
    }
    pthread_mutex_unlock(&lock);
    if (result < 0) {
        free(self->domain);
        free(self);
        return -1;
    }
    *ret_zap = self;
    return 0;
}

void
bus_zap_destroy(bus_zap_t **self_p)
{
    bus_zap_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_mutex_lock(&lock);
    for (bus_zap_t **at = &zaps; *at; at = &(*at)->next)
        if (*at == self) {
            *at = self->next;
            break;
        }
    pthread_t old = thread;
    void *stop = zaps ? NULL : TAKE(stop_send);
    pthread_mutex_unlock(&lock);
    if (stop) {
        zmq_send(stop, "", 0, 0);
        pthread_join(old, NULL);
        zmq_close(stop);
    }
    free(self->domain);
    free(self);
}
