/*  dial: see dial.h. */
#include "docker-driver/dial.h"

#include "base/str.h"
#include "docker-driver/helpers/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MESSAGE_MAX 2000
#define SSH_OPTIONS "-T -o BatchMode=yes -o ConnectTimeout=30"

/* <folder of this program>/../lib/kurtosis/docker-tls; yours. */
static char *
helper_path(void)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len < 0 ? 0 : len] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    return str_format("%s/../lib/kurtosis/docker-tls", program);
}

/* Starts a program that soon ends and leaves a child which carries the connection, so that nobody
 * has to wait for that one: standard input and output are `inside`, descriptor TLS_HELPER_FD is
 * `third`. */
static int
start(const char *program, char *const *argv, int inside, int third, pid_t *ret_pid, err_t **err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, inside, 0);
    posix_spawn_file_actions_adddup2(&actions, inside, 1);
    posix_spawn_file_actions_adddup2(&actions, third, TLS_HELPER_FD);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawnp(ret_pid, program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (code == 0)
        return 0;
    return err_fail(err, ERR_UNAVAILABLE, "cannot run '%s': %s", program, strerror(code));
}

static void
reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int
pair(int ret_ends[2], err_t **err)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_ends) < 0)
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    return 0;
}

static void
give(int *fd_p, int *ret_fd)
{
    fcntl(*fd_p, F_SETFL, fcntl(*fd_p, F_GETFL) | O_NONBLOCK);
    *ret_fd = *fd_p;
    *fd_p = -1;
}

/* The helper's first line: "ok", or what is wrong. */
static int
read_line(int fd, int timeout_ms, char ret_line[MESSAGE_MAX], err_t **err)
{
    size_t len = 0;
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int count = poll(&poll_fd, 1, timeout_ms);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return err_fail(err, ERR_TIMEOUT, "it did not answer within %d s", timeout_ms / 1000);
        ssize_t got = read(fd, ret_line + len, 1); /* what follows the line is the daemon's */
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || ret_line[len] == '\n' || len + 1 == MESSAGE_MAX) {
            ret_line[len] = '\0';
            return 0;
        }
        len++;
    }
}

int
docker_dial_tls(const docker_address_t *self, int plain, int timeout_ms, int *ret_fd, err_t **err)
{
    int ends[2];
    char line[MESSAGE_MAX];
    pid_t pid;
    AUTO_FREE char *program = helper_path();
    if (pair(ends, err) < 0)
        return -1;
    AUTO_FD int ours = ends[0];
    AUTO_FD int theirs = ends[1];
    fcntl(plain, F_SETFL, fcntl(plain, F_GETFL) & ~O_NONBLOCK);
    char *const argv[] = {program, self->name, self->endpoint.certificates,
                          self->endpoint.is_unverified ? (char *)TLS_HELPER_UNVERIFIED : NULL,
                          NULL};
    if (start(program, argv, theirs, plain, &pid, err) < 0)
        return -1;
    close(theirs);
    theirs = -1;
    int result = read_line(ours, timeout_ms, line, err);
    if (result < 0)
        kill(pid, SIGKILL);
    reap(pid);
    if (result < 0)
        return err_wrap(err, "cannot connect to the Docker daemon at '%s' with TLS", self->text);
    if (strcmp(line, TLS_HELPER_OK) != 0)
        return err_fail(err, ERR_UNAVAILABLE,
                        "cannot connect to the Docker daemon at '%s' with TLS: %s (certificates "
                        "are in '%s')",
                        self->text, *line ? line : "the helper 'docker-tls' ended",
                        self->endpoint.certificates);
    give(&ours, ret_fd);
    return 0;
}

int
docker_dial_ssh(const docker_address_t *self, int *ret_fd, err_t **err)
{
    int ends[2];
    pid_t pid;
    if (pair(ends, err) < 0)
        return -1;
    AUTO_FD int ours = ends[0];
    AUTO_FD int theirs = ends[1];
    /* A shell puts ssh into the background and ends; descriptor 3 since such a command's standard
     * input would be empty. */
    AUTO_FREE char *command =
        str_format("ssh " SSH_OPTIONS "%s%s -- \"$1\" docker system dial-stdio <&3 3<&- &",
                   self->port ? " -p " : "", self->port ? self->port : "");
    char *const argv[] = {(char *)"sh", (char *)"-c", command, (char *)"sh", self->name, NULL};
    if (start("sh", argv, theirs, theirs, &pid, err) < 0)
        return err_wrap(err, "cannot connect to the Docker daemon at '%s'", self->text);
    reap(pid);
    give(&ours, ret_fd);
    return 0;
}
