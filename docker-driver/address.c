/*  address: see address.h. */
#include "docker-driver/address.h"

#include "base/str.h"
#include "docker-driver/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define TCP_PORT "2375" /* where none is given */
#define TLS_PORT "2376" /* the same, with TLS */

static int
bad_address(const docker_address_t *self, err_t **err)
{
    return err_fail(err, ERR_INVALID,
                    "cannot use the Docker address '%.200s': give unix:///path/of/docker.sock, "
                    "tcp://name:port or ssh://user@name (environment variable DOCKER_HOST, or a "
                    "Docker context)",
                    self->text);
}

static int
parse_tcp(docker_address_t *self, err_t **err)
{
    const char *name = self->text + strlen("tcp://");
    const char *colon = strrchr(name, ':');
    const char *bracket = strchr(name, ']');
    if (!*name)
        return bad_address(self, err);
    if (colon && bracket && colon < bracket)
        colon = NULL;
    size_t size = colon ? (size_t)(colon - name) : strcspn(name, "/");
    const char *usual = self->endpoint.certificates ? TLS_PORT : TCP_PORT;
    self->port = strdup(colon && colon[1] ? colon + 1 : usual);
    self->port[strcspn(self->port, "/")] = '\0';
    self->name = *name == '[' && size > 2 ? strndup(name + 1, size - 2) : strndup(name, size);
    return 0;
}

/* "ssh://user@name:port": the port goes apart; nothing of it may look like an option. */
static int
parse_ssh(docker_address_t *self, err_t **err)
{
    const char *name = self->text + strlen("ssh://");
    size_t size = strcspn(name, "/");
    const char *colon = memchr(name, ':', size);
    if (!size || *name == '-' || (name[size] && name[size + 1]))
        return bad_address(self, err);
    self->name = strndup(name, colon ? (size_t)(colon - name) : size);
    if (colon)
        self->port = strndup(colon + 1, size - (size_t)(colon + 1 - name));
    if (self->port && (!*self->port || self->port[strspn(self->port, "0123456789")]))
        return bad_address(self, err);
    return 0;
}

int
docker_address_init(docker_address_t *self, const char *host, err_t **err)
{
    if (docker_endpoint_find(&self->endpoint, host, err) < 0)
        return -1;
    self->text = strdup(self->endpoint.host);
    if (str_starts(self->text, "unix:///") &&
        strlen(self->text + 7) < sizeof((struct sockaddr_un *)NULL)->sun_path) {
        self->path = strdup(self->text + 7);
        return 0;
    }
    if (str_starts(self->text, "ssh://"))
        return parse_ssh(self, err);
    return str_starts(self->text, "tcp://") ? parse_tcp(self, err) : bad_address(self, err);
}

void
docker_address_done(docker_address_t *self)
{
    docker_endpoint_done(&self->endpoint);
    free(self->text);
    free(self->path);
    free(self->name);
    free(self->port);
    *self = (docker_address_t){0};
}

/* ----------------------------------------------------------------------------------- connecting */

static int
cannot_connect(const docker_address_t *self, const char *why, int code, err_t **err)
{
    if (code == EACCES)
        return err_fail(err, ERR_UNAVAILABLE,
                        "cannot connect to the Docker daemon at '%s': permission denied: join the "
                        "group of the socket "
                        "(sudo usermod -aG docker $USER, then log in again)",
                        self->text);
    return err_fail(err, ERR_UNAVAILABLE,
                    "cannot connect to the Docker daemon at '%s' (%s): is it running? Start it "
                    "with 'sudo systemctl start "
                    "docker', or set DOCKER_HOST to where it listens",
                    self->text, why);
}

/* A connected socket, or -1 with errno. */
static int
open_socket(int family, const struct sockaddr *address, socklen_t size, int timeout_ms)
{
    AUTO_FD int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
        return -1;
    while (connect(fd, address, size) < 0)
        if (errno != EINTR) {
            errno = errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno;
            return -1;
        }
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return -1;
    int made = fd;
    fd = -1;
    return made;
}

static int
connect_tcp(const docker_address_t *self, int timeout_ms, int *ret_fd, err_t **err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int code = getaddrinfo(self->name, self->port, &hints, &found);
    if (code != 0)
        return cannot_connect(self, gai_strerror(code), 0, err);
    int fd = -1, one = 1;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = open_socket(at->ai_family, at->ai_addr, at->ai_addrlen, timeout_ms);
    code = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return cannot_connect(self, strerror(code), code, err);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *ret_fd = fd;
    return 0;
}

int
docker_address_connect(const docker_address_t *self, int timeout_ms, int *ret_fd, err_t **err)
{
    if (!self->path) {
        if (str_starts(self->text, "ssh://"))
            return docker_dial_ssh(self, ret_fd, err);
        if (!self->endpoint.certificates)
            return connect_tcp(self, timeout_ms, ret_fd, err);
        AUTO_FD int plain = -1;
        return connect_tcp(self, timeout_ms, &plain, err) < 0
                   ? -1
                   : docker_dial_tls(self, plain, timeout_ms, ret_fd, err);
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, self->path, strlen(self->path) + 1);
    int fd = open_socket(AF_UNIX, (struct sockaddr *)&address, sizeof address, timeout_ms);
    if (fd < 0)
        return cannot_connect(self, strerror(errno), errno, err);
    *ret_fd = fd;
    return 0;
}

int
docker_address_broke(const docker_address_t *self, int code, err_t **err)
{
    return err_fail(err, ERR_UNAVAILABLE, "the connection to the Docker daemon at '%s' broke (%s)",
                    self->text, code ? strerror(code) : "it was closed");
}

int
docker_address_odd(const docker_address_t *self, err_t **err)
{
    return err_wrap(
        err, "what listens at '%s' does not speak as a Docker daemon does: check DOCKER_HOST",
        self->text);
}
