/*  broker: the ROUTER, its endpoints and its thread. What it does with each frame is in router.c.
 */
#include "bus/monitor.h"
#include "bus/router.h"
#include "bus/zap.h"

#include "base/clock.h"
#include "base/uuid.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Known to libzmq 4.3 and documented, but only declared with its draft interface. */
#ifndef ZMQ_ZERO_COPY_RECV
#define ZMQ_ZERO_COPY_RECV 10
#endif

#define ENDPOINTS_MAX 8u
#define UNBIND_MS 500 /* for listeners to be gone */

struct bus_broker {
    bus_router_t router; /* the thread's, but for its lock and by_name under it */
    bus_zap_t *zap;      /* NULL without a tcp endpoint */
    int stop_fd;
    int port;
    char *bound[ENDPOINTS_MAX];      /* as libzmq names them */
    unsigned bound_count, listeners; /* the latter without inproc */
    bool started;
    pthread_t thread;
};

/* ----------------------------------------------------------------------------------------- the
 * loop */

/* Takes up to BUS_BATCH_MAX messages; false when the socket is empty. */
static bool
take_batch(bus_router_t *router)
{
    unsigned left = BUS_BATCH_MAX;
    bool more = true;
    while (more && left--) {
        zmq_msg_t route, msg;
        zmq_msg_init(&route);
        zmq_msg_init(&msg);
        more = zmq_msg_recv(&route, router->socket, ZMQ_DONTWAIT) >= 0;
        if (more && zmq_msg_more(&route) && zmq_msg_recv(&msg, router->socket, ZMQ_DONTWAIT) >= 0) {
            bool parts = zmq_msg_more(&msg);
            bus_msg_came(&msg);
            bus_router_frame(router, &route, &msg);
            /* A frame is one part; the router refuses others, and what follows is thrown away here.
             */
            while (parts && zmq_msg_recv(&msg, router->socket, ZMQ_DONTWAIT) >= 0)
                parts = zmq_msg_more(&msg);
        }
        zmq_msg_close(&route);
        zmq_msg_close(&msg);
    }
    return more;
}

static int
fd_of(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
    return fd;
}

static int
wait_ms(const bus_router_t *router)
{
    if (!router->sweep_at)
        return -1;
    int64_t left = (router->sweep_at - clock_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return left < 0 ? 0 : (int)left;
}

/* A peer in this process connects again as soon as it hears BYE: not to this broker, which must
 * have gone from the address by then. */
static void
unbind_inproc(bus_broker_t *self)
{
    for (unsigned i = 0; i < self->bound_count; i++)
        if (str_starts(self->bound[i], "inproc://"))
            zmq_unbind(self->router.socket, self->bound[i]);
}

/* libzmq closes listeners on its own thread, and unlinks their files then: the next broker must not
 * come before. */
static void
unbind_others(bus_broker_t *self)
{
    int64_t until = clock_ns() + UNBIND_MS * NS_PER_MS;
    for (unsigned i = 0; i < self->bound_count; i++)
        if (!str_starts(self->bound[i], "inproc://"))
            zmq_unbind(self->router.socket, self->bound[i]);
    struct pollfd fd = {.fd = fd_of(self->router.monitor), .events = POLLIN};
    for (int64_t left; self->listeners && (left = until - clock_ns()) > 0;) {
        uint16_t event;
        uint32_t value;
        while (bus_monitor_next(self->router.monitor, &event, &value))
            self->listeners -= event != ZMQ_EVENT_DISCONNECTED;
        if (self->listeners)
            poll(&fd, 1, (int)(left / NS_PER_MS) + 1);
    }
}

static void *
run(void *arg)
{
    bus_broker_t *self = arg;
    bus_router_t *router = &self->router;
    struct pollfd fds[] = {{.fd = fd_of(router->socket), .events = POLLIN},
                           {.fd = fd_of(router->monitor), .events = POLLIN},
                           {.fd = self->stop_fd, .events = POLLIN}};
    bool events = true; /* the monitor has some, perhaps */
    for (unsigned turns = 0; !fds[2].revents;) {
        bool more = take_batch(router);
        if (events && (!more || ++turns == BUS_TURNS_MAX)) {
            bus_router_events(router);
            events = false;
            turns = 0;
            continue; /* errors went out: the socket's descriptor may have been used up */
        }
        if (router->sweep_at && router->sweep_at <= clock_ns()) {
            bus_router_sweep(router, clock_ns());
            continue;
        }
        /* The socket's descriptor tells of changes only, so sleep only when it was just found
         * empty. */
        if (poll(fds, 3, more ? 0 : wait_ms(router)) > 0)
            events |= fds[1].revents != 0;
    }
    unbind_inproc(self);
    bus_router_close(router);
    unbind_others(self);
    return NULL;
}

/* ------------------------------------------------------------------------------------ endpoints */

static int
set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* libzmq unlinks what is there and binds, even if another broker listens on it. */
static int
prepare_ipc(const char *path, err_t **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return err_fail(err, ERR_INVALID, "the path has %zu bytes, a socket's can have %zu",
                        strlen(path), sizeof address.sun_path - 1);
    AUTO_FREE char *copy = strdup(path);
    const char *folder = dirname(copy);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return err_fail(err, ERR_STATE, "cannot make folder '%s': %s", folder, strerror(errno));
    memcpy(address.sun_path, path, strlen(path) + 1);
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return err_fail(err, ERR_EXISTS, "another process listens there already");
    return 0;
}

static int
use_curve(bus_broker_t *self, const bus_broker_config_t *config, err_t **err)
{
    void *socket = self->router.socket;
    if (self->zap)
        return 0;
    if (!config->is_known)
        return err_fail(err, ERR_INVALID, "a tcp endpoint needs is_known");
    if (bus_zap_new(self->router.id, config->is_known, config->arg, &self->zap, err) < 0)
        return -1;
    if (zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, self->router.id, strlen(self->router.id)) < 0 ||
        set_int(socket, ZMQ_CURVE_SERVER, 1) < 0 ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, config->keys.secret_key, BUS_KEY_SIZE) < 0)
        return err_fail(err, ERR_INTERNAL, "cannot use CURVE: %s", zmq_strerror(zmq_errno()));
    return 0;
}

static int
bind_one(bus_broker_t *self, const char *endpoint, err_t **err)
{
    char bound[256] = "";
    size_t size = sizeof bound;
    if (self->bound_count == ENDPOINTS_MAX)
        return err_fail(err, ERR_LIMIT, "a broker has at most %u endpoints", ENDPOINTS_MAX);
    if (zmq_bind(self->router.socket, endpoint) < 0)
        return err_fail(err, zmq_errno() == EADDRINUSE ? ERR_EXISTS : ERR_STATE, "%s",
                        zmq_strerror(zmq_errno()));
    zmq_getsockopt(self->router.socket, ZMQ_LAST_ENDPOINT, bound, &size);
    self->bound[self->bound_count++] = str_format("%s", bound);
    self->listeners += !str_starts(endpoint, "inproc://");
    if (str_starts(endpoint, "tcp://"))
        self->port = (int)strtol(strrchr(bound, ':') + 1, NULL, 10);
    return 0;
}

/* A listener takes the socket's options as they are when it is bound: tcp comes last, with CURVE.
 */
static int
bind_all(bus_broker_t *self, const bus_broker_config_t *config, err_t **err)
{
    for (int tcp = 0; tcp < 2; tcp++)
        for (const char *const *at = config->endpoints; *at; at++) {
            bool is_tcp = str_starts(*at, "tcp://"), is_ipc = str_starts(*at, "ipc://");
            int result = 0;
            if (!is_tcp && !is_ipc && !str_starts(*at, "inproc://"))
                result = err_fail(err, ERR_INVALID, "an endpoint is inproc://, ipc:// or tcp://");
            if (is_tcp != tcp)
                continue;
            if (result == 0 && is_ipc)
                result = prepare_ipc(*at + strlen("ipc://"), err);
            if (result == 0 && is_tcp)
                result = use_curve(self, config, err);
            if (result < 0 || bind_one(self, *at, err) < 0)
                return err_wrap(err, "cannot listen on '%s'", *at);
        }
    return 0;
}

static int
open_socket(bus_router_t *router, int heartbeat_ms, err_t **err)
{
    int64_t most = BUS_FRAME_MAX + BUS_FRAME_SLACK;
    /* Small messages are copied out of a connection's buffer instead of keeping it alive: a tenth less memory per
     * connection, of which a broker has many. For a peer with its one, copying would be slower for nothing. Where a
     * libzmq does not have it, nothing is lost. */
    zmq_ctx_set(bus_context(), ZMQ_ZERO_COPY_RECV, 0);
    router->socket = zmq_socket(bus_context(), ZMQ_ROUTER);
    if (!router->socket)
        return err_fail(err, ERR_LIMIT, "cannot make a socket: %s", zmq_strerror(zmq_errno()));
    set_int(router->socket, ZMQ_ROUTER_MANDATORY, 1);
    set_int(router->socket, ZMQ_SNDHWM, BUS_HWM);
    set_int(router->socket, ZMQ_RCVHWM, BUS_HWM);
    set_int(router->socket, ZMQ_LINGER, BUS_LINGER_MS);
    set_int(router->socket, ZMQ_BACKLOG, SOMAXCONN);
    set_int(router->socket, ZMQ_HEARTBEAT_IVL, heartbeat_ms);
    set_int(router->socket, ZMQ_HEARTBEAT_TIMEOUT, 2 * heartbeat_ms);
    set_int(router->socket, ZMQ_HANDSHAKE_IVL, BUS_HANDSHAKE_MS);
    zmq_setsockopt(router->socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    router->monitor = bus_monitor_new(router->socket, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                                                          ZMQ_EVENT_CLOSE_FAILED);
    if (!router->monitor)
        return err_fail(err, ERR_LIMIT, "cannot watch a socket: %s", zmq_strerror(zmq_errno()));
    return 0;
}

/* ----------------------------------------------------------------------------------- public
 * functions */

int
bus_broker_new(const bus_broker_config_t *config, bus_broker_t **ret_broker, err_t **err)
{
    AUTO(bus_broker) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    bus_router_t *router = &self->router;
    pthread_mutex_init(&router->lock, NULL);
    clock_cond_init(&router->changed);
    router->keys = config->keys;
    router->may_join = config->may_join;
    router->on_peer = config->on_peer;
    router->arg = config->arg;
    uuid_new(router->id);
    self->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (self->stop_fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot start the broker: %s", strerror(errno));
    int heartbeat_ms = config->heartbeat_ms ? config->heartbeat_ms : BUS_HEARTBEAT_MS;
    if (open_socket(router, heartbeat_ms, err) < 0 || bind_all(self, config, err) < 0)
        return err_wrap(err, "cannot start the broker");
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        return err_fail(err, ERR_LIMIT, "cannot start the broker's thread");
    self->started = true;
    *ret_broker = TAKE(self);
    return 0;
}

void
bus_broker_destroy(bus_broker_t **self_p)
{
    bus_broker_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->started) {
        eventfd_write(self->stop_fd, 1);
        pthread_join(self->thread, NULL);
    }
    if (self->router.socket) {
        bus_monitor_destroy(self->router.socket, &self->router.monitor);
        zmq_close(self->router.socket);
    }
    bus_zap_destroy(&self->zap);
    for (unsigned i = 0; i < self->bound_count; i++)
        free(self->bound[i]);
    if (self->stop_fd >= 0)
        close(self->stop_fd);
    pthread_mutex_destroy(&self->router.lock);
    pthread_cond_destroy(&self->router.changed);
    bus_keys_wipe(&self->router.keys);
    free(self);
}

int
bus_broker_wait_peer(bus_broker_t *self, const char *name, int timeout_ms, err_t **err)
{
    int64_t until = clock_ns() + timeout_ms * NS_PER_MS;
    struct timespec deadline = {until / NS_PER_SECOND, until % NS_PER_SECOND};
    bool there = false, late = false, given_up = false;
    pthread_mutex_lock(&self->router.lock);
    while (!(there = bus_members_by_name(&self->router.members, name, strlen(name))) && !late &&
           !(given_up = self->router.given_up))
        late = pthread_cond_timedwait(&self->router.changed, &self->router.lock, &deadline) != 0;
    pthread_mutex_unlock(&self->router.lock);
    if (there)
        return 0;
    return given_up ? err_fail(err, ERR_STATE, "'%s' will not join the bus", name)
                    : err_fail(err, ERR_TIMEOUT, "'%s' did not join the bus within %d ms", name,
                               timeout_ms);
}

void
bus_broker_give_up(bus_broker_t *self)
{
    pthread_mutex_lock(&self->router.lock);
    self->router.given_up = true;
    pthread_cond_broadcast(&self->router.changed);
    pthread_mutex_unlock(&self->router.lock);
}

int
bus_broker_port(const bus_broker_t *self)
{
    return self->port;
}
