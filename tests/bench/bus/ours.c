/*  ours: the same through the broker, once with bare peers, once with actors. */
#include "tests/bench/bus/bench.h"

#include "actors/actors.h"
#include "bus/peer.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define DRIVER "driver/bench"
#define METHOD "orchestrator.Orchestrator/InspectImage"

typedef struct {
    char endpoint[100];
    bus_keys_t broker_keys, keys;
} ends_t;

static bool
may_join(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    (void)arg;
    (void)name;
    (void)public_key;
    return true;
}

static void
hub(void *arg)
{
    ends_t *ends = arg;
    bus_broker_t *broker;
    const char *endpoints[] = {ends->endpoint, NULL};
    bus_broker_config_t config = {
        .endpoints = endpoints, .keys = ends->broker_keys, .may_join = may_join};
    if (bus_broker_new(&config, &broker, NULL) < 0)
        exit(1);
    child_ready();
    for (;;)
        pause();
}

static void
ends_init(ends_t *ends, const char *folder)
{
    snprintf(ends->endpoint, sizeof ends->endpoint, "ipc://%s/broker", folder);
    bus_keys_new(&ends->broker_keys);
    bus_keys_new(&ends->keys);
}

/* ------------------------------------------------------------------------------------------- peers
 */

static bus_peer_t *
join(const ends_t *ends, const char *name,
     void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg), void *arg)
{
    bus_peer_t *peer;
    bus_peer_config_t config = {.name = name,
                                .endpoint = ends->endpoint,
                                .broker_key = ends->broker_keys.public_key,
                                .keys = &ends->keys,
                                .on_call = on_call,
                                .arg = arg};
    if (bus_peer_new(&config, &peer, NULL) < 0 || bus_peer_join(peer, 5000, NULL) < 0)
        exit(1);
    return peer;
}

static void
turn(bus_peer_t *peer, struct pollfd fds[BUS_PEER_FDS])
{
    bool more = bus_peer_dispatch(peer, fds);
    if (!more)
        poll(fds, BUS_PEER_FDS, -1);
    else
        fds[0].revents = fds[1].revents = POLLIN;
}

static void
on_call(void *arg, const bus_frame_t *frame, zmq_msg_t *msg)
{
    bus_frame_t reply = {.kind = BUS_KIND_REPLY,
                         .answer = true,
                         .correlation = frame->correlation,
                         .to = frame->from,
                         .from = frame->to,
                         .body = frame->body,
                         .body_size = frame->body_size};
    zmq_msg_t answer;
    (void)msg;
    bus_frame_msg(&reply, &answer);
    bus_peer_send(*(bus_peer_t **)arg, &answer, NULL);
}

static void
echo(void *arg)
{
    bus_peer_t *peer;
    struct pollfd fds[BUS_PEER_FDS];
    peer = join(arg, DRIVER, on_call, &peer);
    child_ready();
    bus_peer_fds(peer, fds);
    for (fds[0].revents = fds[1].revents = POLLIN;;)
        turn(peer, fds);
}

typedef struct {
    bus_peer_t *peer;
    bus_talk_t talks[WINDOW];
    int left, back; /* to be sent, come back */
} asker_t;

static void on_reply(bus_talk_t *talk, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error);

static void
ask(asker_t *self, bus_talk_t *talk)
{
    uint8_t body[MESSAGE_SIZE];
    zmq_msg_t msg;
    memset(body, 'x', sizeof body);
    talk->correlation = bus_peer_number(self->peer);
    talk->mine = true;
    talk->on_frame = on_reply;
    memcpy(talk->other, DRIVER, sizeof DRIVER);
    bus_frame_t frame = {.kind = BUS_KIND_ASK,
                         .correlation = talk->correlation,
                         .remaining = 30000,
                         .to = bus_text(DRIVER),
                         .from = bus_text("engine"),
                         .method = bus_text(METHOD),
                         .body = body,
                         .body_size = sizeof body};
    bus_frame_msg(&frame, &msg);
    self->left--;
    if (bus_peer_open(self->peer, talk, clock_ns() + 30 * NS_PER_SECOND, &msg, NULL) < 0)
        exit(1);
}

static asker_t asker;

static void
on_reply(bus_talk_t *talk, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error)
{
    (void)msg;
    (void)error;
    if (!frame || frame->kind != BUS_KIND_REPLY)
        exit(1);
    asker.back++;
    if (asker.left > 0)
        ask(&asker, talk);
}

static void
run_window(int trips, int window, struct pollfd fds[BUS_PEER_FDS])
{
    asker.left = trips;
    asker.back = 0;
    for (int i = 0; i < window; i++)
        ask(&asker, &asker.talks[i]);
    while (asker.back < trips) {
        bool more = bus_peer_dispatch(asker.peer, fds);
        fds[0].revents = fds[1].revents = POLLIN;
        if (!more && asker.back < trips)
            poll(fds, BUS_PEER_FDS, -1);
    }
}

result_t
ours_round(const char *folder, int trips, int single_trips)
{
    ends_t ends;
    struct pollfd fds[BUS_PEER_FDS];
    result_t result;
    ends_init(&ends, folder);
    int hub_pid = child_start(hub, &ends), echo_pid = child_start(echo, &ends);
    asker.peer = join(&ends, "engine", NULL, NULL);
    bus_peer_fds(asker.peer, fds);
    fds[0].revents = fds[1].revents = POLLIN;
    run_window(1000, 1, fds);
    int64_t began = clock_ns();
    run_window(trips, WINDOW, fds);
    result.per_second = trips * 1e9 / (double)(clock_ns() - began);
    double *times = calloc((size_t)single_trips, sizeof *times);
    for (int i = 0; i < single_trips; i++) {
        int64_t start = clock_ns();
        run_window(1, 1, fds);
        times[i] = (double)(clock_ns() - start) / 1000;
    }
    result.p50_us = median_of(times, single_trips);
    free(times);
    child_end(echo_pid);
    child_end(hub_pid);
    return result;
}

/* ------------------------------------------------------------------------------------------ actors
 */

static void
on_inspect(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    Orchestrator__ImageInfo info = ORCHESTRATOR__IMAGE_INFO__INIT;
    (void)state;
    info.id = ((const Orchestrator__ImageRef *)request)->image;
    actor_call_reply(&call, &info.base);
}

static const actor_method_t methods[] = {{METHOD, ACTOR_LOOP, on_inspect}, {0}};

static actor_t *
start_actor(const ends_t *ends, const char *name, const actor_method_t *table)
{
    actor_t *actor;
    actor_config_t config = {
        .name = name, .endpoint = ends->endpoint, .keys = ends->keys, .methods = table};
    memcpy(config.broker_key, ends->broker_keys.public_key, BUS_KEY_SIZE);
    if (actor_new(&config, &actor, NULL) < 0)
        exit(1);
    return actor;
}

static void
echo_actor(void *arg)
{
    start_actor(arg, DRIVER, methods);
    child_ready();
    for (;;)
        pause();
}

typedef struct {
    actor_t *actor;
    Orchestrator__ImageRef ref;
    char image[MESSAGE_SIZE + 1];
    int left, back, wanted; /* loop thread */
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool all;
} loop_asker_t;

static void
on_image(void *arg, const ProtobufCMessage *reply, const err_t *error)
{
    loop_asker_t *self = arg;
    (void)reply;
    if (error)
        exit(1);
    if (++self->back == self->wanted) {
        pthread_mutex_lock(&self->lock);
        self->all = true;
        pthread_cond_signal(&self->done);
        pthread_mutex_unlock(&self->lock);
    }
    if (self->left-- > 0)
        actor_ask_later(self->actor, NULL, DRIVER, METHOD, &self->ref.base, 0, on_image, self);
}

static void
begin_window(void *arg)
{
    loop_asker_t *self = arg;
    int window = self->left < WINDOW ? self->left : WINDOW;
    self->left -= window;
    for (int i = 0; i < window; i++)
        actor_ask_later(self->actor, NULL, DRIVER, METHOD, &self->ref.base, 0, on_image, self);
}

static void
run_actor_window(loop_asker_t *self, int trips)
{
    self->left = self->wanted = trips;
    self->back = 0;
    self->all = false;
    actor_timer(self->actor, 0, 0, begin_window, self);
    pthread_mutex_lock(&self->lock);
    while (!self->all)
        pthread_cond_wait(&self->done, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

result_t
actors_round(const char *folder, int trips, int single_trips)
{
    ends_t ends;
    result_t result;
    static loop_asker_t self = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                .done = PTHREAD_COND_INITIALIZER};
    ends_init(&ends, folder);
    int hub_pid = child_start(hub, &ends), echo_pid = child_start(echo_actor, &ends);
    self.actor = start_actor(&ends, "engine", NULL);
    orchestrator__image_ref__init(&self.ref);
    memset(self.image, 'x', MESSAGE_SIZE - 10);
    self.ref.image = self.image;
    run_actor_window(&self, 1000);
    int64_t began = clock_ns();
    run_actor_window(&self, trips);
    result.per_second = trips * 1e9 / (double)(clock_ns() - began);
    /* One at a time the way that workers ask: a thread that waits. */
    double *times = calloc((size_t)single_trips, sizeof *times);
    for (int i = 0; i < single_trips; i++) {
        int64_t start = clock_ns();
        if (actor_ask(self.actor, NULL, DRIVER, METHOD, &self.ref.base, 0, NULL, NULL) < 0)
            exit(1);
        times[i] = (double)(clock_ns() - start) / 1000;
    }
    result.p50_us = median_of(times, single_trips);
    free(times);
    child_end(echo_pid);
    child_end(hub_pid);
    return result;
}

/* ------------------------------------------------------------------------------------------ memory
 */

typedef struct {
    const ends_t *ends;
    int peers;
} crowd_t;

static void
crowd(void *arg)
{
    crowd_t *self = arg;
    for (int i = 0; i < self->peers; i++) {
        char name[20];
        snprintf(name, sizeof name, "client/%d", i);
        join(self->ends, name, NULL, NULL);
    }
    child_ready();
    for (;;)
        pause();
}

double
memory_of_broker(const char *folder, int peers, int seconds)
{
    ends_t ends;
    ends_init(&ends, folder);
    int hub_pid = child_start(hub, &ends);
    crowd_t arg = {.ends = &ends, .peers = peers};
    int crowd_pid = child_start(crowd, &arg);
    sleep((unsigned)seconds);
    double resident = resident_mb(hub_pid);
    child_end(crowd_pid);
    child_end(hub_pid);
    return resident;
}
