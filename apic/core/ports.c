/*  ports: see ports.h. */
#include "apic/core/ports.h"

#include "base/duration.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* One port on its way. */
typedef struct {
    const ports_target_t *target;
    struct sockaddr_in address;
    int fd;           /* of the attempt under way, or -1 */
    int64_t at;       /* when that attempt is given up, or the next one begins */
    int64_t begin;    /* of the waiting */
    int64_t deadline; /* when the port's wait has run out */
    unsigned attempts;
    int reason; /* errno of the last attempt */
    bool open;
} port_t;

static int ports_init(const ports_wait_t *self, port_t *ports, size_t *ret_count, err_t **err);
static int port_step(port_t *port, int64_t now, err_t **err);
static int port_fail(const port_t *port, const char *ip, err_t **err);
static int wait_a_while(const ports_wait_t *self, port_t *ports, size_t count, err_t **err);

int
ports_wait(const ports_wait_t *self, err_t **err)
{
    if (self->count > PORTS_MAX)
        return err_fail(err, ERR_LIMIT, "a service may have %d ports, this one has %zu", PORTS_MAX,
                        self->count);
    AUTO_FREE port_t *ports = calloc(self->count + 1, sizeof *ports);
    if (!ports)
        abort();
    size_t count = 0;
    int rc = ports_init(self, ports, &count, err);

    size_t waiting = 1;
    while (rc == 0 && waiting > 0) {
        waiting = 0;
        int64_t now = clock_ns();
        for (size_t i = 0; i < count && rc == 0; i++) {
            rc = port_step(&ports[i], now, err);
            if (rc == 0 && !ports[i].open && now >= ports[i].deadline)
                rc = port_fail(&ports[i], self->ip, err);
            waiting += !ports[i].open;
        }
        if (rc == 0 && waiting > 0)
            rc = wait_a_while(self, ports, count, err);
    }
    for (size_t i = 0; i < count; i++)
        if (ports[i].fd >= 0)
            close(ports[i].fd);
    return rc;
}

static int
ports_init(const ports_wait_t *self, port_t *ports, size_t *ret_count, err_t **err)
{
    int64_t now = clock_ns();
    for (size_t i = 0; i < self->count; i++) {
        const ports_target_t *target = &self->targets[i];
        if (target->wait_ns < 0 || target->transport == PORTS_UDP)
            continue;
        port_t *port = &ports[(*ret_count)++];
        *port = (port_t){
            .target = target,
            .fd = -1,
            .at = now,
            .begin = now,
            .deadline = target->wait_ns > INT64_MAX - now ? INT64_MAX : now + target->wait_ns,
            .address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target->number)},
        };
        if (inet_pton(AF_INET, self->ip, &port->address.sin_addr) != 1)
            return err_fail(err, ERR_INVALID, "'%s' is not an IPv4 address", self->ip);
    }
    return 0;
}

/* ------------------------------------------------------------------------------------- attempts */

static void
attempt_over(port_t *port, int reason, int64_t now)
{
    port->reason = reason;
    if (port->fd >= 0)
        close(port->fd);
    port->fd = -1;
    /* A port that opens is known of late by a small part of the time it took, at most. */
    int64_t pause = (now - port->begin) / PORTS_PATIENCE;
    port->at = now + (pause < PORTS_FIRST_PAUSE  ? PORTS_FIRST_PAUSE
                      : pause > PORTS_LAST_PAUSE ? PORTS_LAST_PAUSE
                                                 : pause);
}

/* A connection to an address of this very host can meet itself; that is nobody's answer. */
static bool
is_own_echo(int fd)
{
    struct sockaddr_in here = {0}, there = {0};
    socklen_t size = sizeof here;
    return getsockname(fd, (struct sockaddr *)&here, &size) == 0 &&
           getpeername(fd, (struct sockaddr *)&there, &size) == 0 &&
           here.sin_port == there.sin_port && here.sin_addr.s_addr == there.sin_addr.s_addr;
}

static void
attempt_connected(port_t *port, int64_t now)
{
    if (is_own_echo(port->fd)) {
        attempt_over(port, ECONNREFUSED, now);
        return;
    }
    /* The service sees a reset and not a client that says nothing. */
    setsockopt(port->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
               sizeof(struct linger));
    close(port->fd);
    port->fd = -1;
    port->open = true;
}

static int
attempt_start(port_t *port, int64_t now, err_t **err)
{
    int protocol = port->target->transport == PORTS_SCTP ? IPPROTO_SCTP : IPPROTO_TCP;
    port->attempts++;
    port->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (port->fd < 0 && (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT))
        return err_fail(
            err, ERR_UNSUPPORTED,
            "port '%s' is an SCTP port and the kernel here has no SCTP to check it with; "
            "give the port wait=None",
            port->target->id);
    if (port->fd < 0)
        attempt_over(port, errno, now);
    else if (connect(port->fd, (struct sockaddr *)&port->address, sizeof port->address) == 0)
        attempt_connected(port, now);
    else if (errno == EINPROGRESS)
        port->at = now + PORTS_ATTEMPT;
    else
        attempt_over(port, errno, now);
    return 0;
}

static void
attempt_look(port_t *port, int64_t now)
{
    struct pollfd poll_fd = {.fd = port->fd, .events = POLLOUT};
    int reason = 0;
    socklen_t size = sizeof reason;
    if (poll(&poll_fd, 1, 0) <= 0) {
        if (now >= port->at)
            attempt_over(port, ETIMEDOUT, now);
        return;
    }
    getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &reason, &size);
    if (reason)
        attempt_over(port, reason, now);
    else
        attempt_connected(port, now);
}

static int
port_step(port_t *port, int64_t now, err_t **err)
{
    if (port->open)
        return 0;
    if (port->fd >= 0)
        attempt_look(port, now);
    if (!port->open && port->fd < 0 && now >= port->at)
        return attempt_start(port, now, err);
    return 0;
}

static int
port_fail(const port_t *port, const char *ip, err_t **err)
{
    AUTO_STR wait = STR_EMPTY;
    duration_put(&wait, port->target->wait_ns);
    return err_fail(err, ERR_TIMEOUT,
                    "port '%s' (%u/%s) at '%s' did not answer within %s: %u attempts, %d to %d ms "
                    "apart, the last one "
                    "ended with \"%s\"",
                    port->target->id, port->target->number,
                    port->target->transport == PORTS_SCTP ? "SCTP" : "TCP", ip, wait.data,
                    port->attempts, (int)(PORTS_FIRST_PAUSE / NS_PER_MS),
                    (int)(PORTS_LAST_PAUSE / NS_PER_MS),
                    strerror(port->reason ? port->reason : ETIMEDOUT));
}

/* Until a connection attempt ends, the next is due, a wait runs out, a hint comes or the caller
 * gives up. */
static int
wait_a_while(const ports_wait_t *self, port_t *ports, size_t count, err_t **err)
{
    AUTO_FREE struct pollfd *fds = calloc(count + 2, sizeof *fds);
    if (!fds)
        abort();
    int64_t until = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = ports[i].fd, .events = POLLOUT};
        if (ports[i].open)
            continue;
        int64_t next = ports[i].at < ports[i].deadline ? ports[i].at : ports[i].deadline;
        until = next < until ? next : until;
    }
    fds[count] = (struct pollfd){.fd = self->cancel_fd, .events = POLLIN};
    fds[count + 1] = (struct pollfd){.fd = self->hint_fd, .events = POLLIN};

    int64_t left = until - clock_ns();
    struct timespec pause = {.tv_sec = left / NS_PER_SECOND, .tv_nsec = left % NS_PER_SECOND};
    if (left < 0)
        pause = (struct timespec){0};
    if (ppoll(fds, count + 2, &pause, NULL) < 0 && errno != EINTR)
        return err_fail(err, ERR_INTERNAL, "cannot wait for ports: %s", strerror(errno));
    if (fds[count].revents)
        return err_fail(err, ERR_CANCELLED, "the caller gave up");
    if (fds[count + 1].revents)
        return self->on_hint(self->arg, err);
    return 0;
}
