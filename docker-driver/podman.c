/*  podman: see podman.h. */
#include "docker-driver/podman.h"

#include "base/clock.h"
#include "base/str.h"
#include "docker-driver/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LISTEN_MS 5 /* between attempts to connect to a socket that has its name already */

/* Is the program in one of the folders, "one:another"? */
static bool
is_in(const char *folders, const char *program)
{
    while (folders && *folders) {
        size_t len = strcspn(folders, ":");
        AUTO_FREE char *path = str_format("%.*s/%s", (int)len, folders, program);
        if (access(path, X_OK) == 0)
            return true;
        folders += len + (folders[len] == ':');
    }
    return false;
}

/* Where Docker is installed too, it is only not running: its user does not want Podman. */
static bool
is_wanted(void)
{
    return is_in(getenv("PATH"), "podman") && !is_in(getenv("PATH"), "dockerd") &&
           !is_in("/usr/bin:/usr/sbin", "dockerd");
}

/* Its usual folder, made if it is not there; yours. */
static char *
folder_make(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char *folder = getuid() == 0         ? strdup("/run/podman")
                   : runtime && *runtime ? str_format("%s/podman", runtime)
                                         : str_format("/run/user/%u/podman", getuid());
    mkdir(folder, 0700);
    return folder;
}

/* Begins it in a session of its own; what it says goes into a file. */
static int
spawn(const char *path, const char *log, pid_t *ret_pid, err_t **err)
{
    AUTO_FREE char *address = str_format("unix://%s", path);
    char *const argv[] = {(char *)"podman",   (char *)"system", (char *)"service",
                          (char *)"--time=0", address,          NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    int code = posix_spawnp(ret_pid, "podman", &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code ? err_fail(err, ERR_UNAVAILABLE, "cannot run 'podman': %s", strerror(code)) : 0;
}

/* What it said; yours. */
static char *
said(const char *log)
{
    char text[1024] = "";
    AUTO_FD int fd = open(log, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return strdup(*text ? text : "it says nothing");
}

/* Waits until the socket is there and listens, which it does some instants after it has its name. */
static int
await(const char *path, int watch_fd, pid_t pid, const char *log, err_t **err)
{
    AUTO_FD int ended = (int)syscall(SYS_pidfd_open, pid, 0);
    int64_t until = clock_ns() + ENDPOINT_PODMAN_MS * NS_PER_MS;
    char events[4096];
    while (!docker_endpoint_listens(path)) {
        int64_t left = (until - clock_ns()) / NS_PER_MS;
        bool is_named = access(path, F_OK) == 0;
        struct pollfd fds[] = {{.fd = watch_fd, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
        int count = poll(fds, ARRAY_LEN(fds), left <= 0 ? 0 : is_named ? LISTEN_MS : (int)left);
        if ((count < 0 && errno == EINTR) || (count == 0 && is_named && left > 0))
            continue;
        if (count <= 0 || (fds[1].revents && !fds[0].revents)) {
            AUTO_FREE char *why = said(log);
            waitpid(pid, NULL, WNOHANG);
            return err_fail(err, ERR_UNAVAILABLE,
                            "there is no Docker, and Podman's service does not start: %s", why);
        }
        if (read(watch_fd, events, sizeof events) < 0)
            continue;
    }
    return 0;
}

int
docker_podman_start(char **ret_path, err_t **err)
{
    pid_t pid;
    if (!is_wanted())
        return 0;
    AUTO_FREE char *folder = folder_make();
    AUTO_FREE char *path = str_format("%s/podman.sock", folder);
    AUTO_FREE char *log = str_format("%s/kurtosis-podman.log", folder);
    AUTO_FD int watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch_fd < 0 || inotify_add_watch(watch_fd, folder, IN_CREATE) < 0)
        return err_fail(err, ERR_UNAVAILABLE, "cannot use the folder '%s' for Podman's socket: %s",
                        folder, strerror(errno));
    unlink(path); /* of a service that is gone */
    if (spawn(path, log, &pid, err) < 0 || await(path, watch_fd, pid, log, err) < 0)
        return -1;
    *ret_path = TAKE(path);
    return 0;
}
