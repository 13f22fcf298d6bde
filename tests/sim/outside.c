/*  outside: what somebody sees and does who looks at the simulated orchestrator itself, past the driver: a socket at which
 *  a connection says one line, gets the answer, and is closed.
 *
 *    holds PART               names of containers, networks and volumes with PART in them, as "KIND NAME", a line each
 *    forget-container ID      removes it
 *    forget-image NAME        so, too
 *    forget-volume NAME       so, too
 */
#include "docker-driver/labels.h"
#include "tests/sim/inside.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LINE_MAX_BYTES 4096

typedef struct {
    sim_t *sim;
    int fd;
} outside_t;

/* name: taken. */
static void
add(str_t *out, const char *kind, char *name, const char *part)
{
    if (strstr(name, part))
        str_printf(out, "%s %s\n", kind, name);
    free(name);
}

static void
holds(sim_t *self, const char *part, str_t *out)
{
    for (const sim_container_t *at = self->containers; at; at = at->next)
        add(out, "container", sim_container_name(at), part);
    for (const sim_engine_t *at = self->engines; at; at = at->next)
        add(out, "container", docker_name_engine(at->info->guid), part);
    for (const sim_enclave_t *at = self->enclaves; at; at = at->next)
        add(out, "network", docker_name_network(at->about->name), part);
    for (const sim_volume_t *at = self->volumes; at; at = at->next)
        add(out, "volume", strdup(at->name), part);
}

static void
forget_container(sim_t *self, const char *id, str_t *out)
{
    (void)out;
    for (sim_container_t *at = self->containers; at; at = at->next)
        if (strcmp(at->id, id) == 0) {
            sim_remove(self, at);
            return;
        }
}

static void
forget_image(sim_t *self, const char *image, str_t *out)
{
    (void)out;
    sim_image_forget(self, image);
}

static void
forget_volume(sim_t *self, const char *volume, str_t *out)
{
    (void)out;
    sim_volumes_remove(self, volume, NULL, NULL);
}

static const struct {
    const char *word;
    void (*fn)(sim_t *self, const char *what, str_t *out);
} words[] = {
    {"holds ", holds},
    {"forget-container ", forget_container},
    {"forget-image ", forget_image},
    {"forget-volume ", forget_volume},
};

static void
answer(sim_t *self, int fd)
{
    char line[LINE_MAX_BYTES];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof line && (got = recv(fd, line + size, sizeof line - size, 0)) > 0) {
        size += (size_t)got;
        if (line[size - 1] == '\n')
            break;
    }
    if (!size || line[size - 1] != '\n')
        return;
    line[size - 1] = '\0';
    AUTO_STR out = STR_EMPTY;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(line, words[i].word))
            words[i].fn(self, line + strlen(words[i].word), &out);
    pthread_mutex_unlock(&self->lock);
    for (size_t at = 0; at < out.len; at += (size_t)got)
        if ((got = send(fd, out.data + at, out.len - at, MSG_NOSIGNAL)) <= 0)
            return;
}

static void
serve(void *arg)
{
    outside_t *outside = arg;
    struct pollfd fds[] = {
        {.fd = outside->fd, .events = POLLIN},
        {.fd = actor_stopping_fd(outside->sim->actor), .events = POLLIN},
    };
    while (!fds[1].revents) {
        if (poll(fds, ARRAY_LEN(fds), -1) < 0 || !fds[0].revents)
            continue;
        AUTO_FD int fd = accept4(outside->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            answer(outside->sim, fd);
    }
    close(outside->fd);
    free(outside);
}

int
sim_outside_serve(sim_t *self, const char *path, err_t **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return err_fail(err, ERR_LIMIT, "the path of the socket '%s' is too long", path);
    strcpy(address.sun_path, path);
    outside_t *outside = calloc(1, sizeof *outside);
    if (!outside)
        abort();
    outside->sim = self;
    outside->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result =
        outside->fd >= 0 && bind(outside->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(outside->fd, 16) == 0
            ? actor_spawn(self->actor, serve, outside, err)
            : err_fail(err, ERR_UNAVAILABLE, "cannot listen at '%s': %s", path, strerror(errno));
    if (result < 0) {
        if (outside->fd >= 0)
            close(outside->fd);
        free(outside);
    }
    return result;
}
