/*  child: see child.h. */
#include "cli/child.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

bool
child_exists(const char *program)
{
    const char *path = getenv("PATH");
    AUTO_FREE char *folders = strdup(path ? path : "");
    char *rest = folders;
    for (const char *folder; (folder = strsep(&rest, ":"));) {
        AUTO_FREE char *file = str_format("%s/%s", *folder ? folder : ".", program);
        if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

/* input_fd < 0: no input. */
static int
spawn(const char *const *argv, int input_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    posix_spawn_file_actions_init(&actions);
    if (input_fd >= 0)
        posix_spawn_file_actions_adddup2(&actions, input_fd, STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    sigemptyset(&none); /* ours are blocked */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int failed =
        posix_spawnp(ret_pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

int
child_run(const char *const *argv, const char *input, err_t **err)
{
    int fds[2] = {-1, -1}; /* a socket: writing to one that nobody reads is no signal */
    pid_t pid;
    int status = 0;
    if (input && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return err_fail(err, ERR_LIMIT, "cannot run '%s': %s", argv[0], strerror(errno));
    const int failed = spawn(argv, fds[0], &pid);
    if (input)
        close(fds[0]);
    for (size_t left = input && !failed ? strlen(input) : 0; left > 0;) {
        const ssize_t sent = send(fds[1], input + strlen(input) - left, left, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            break;
        left -= sent > 0 ? (size_t)sent : 0;
    }
    if (input)
        close(fds[1]);
    if (failed)
        return err_fail(err, failed == ENOENT ? ERR_NOT_FOUND : ERR_UNKNOWN, "cannot run '%s': %s",
                        argv[0], strerror(failed));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_fail(err, ERR_UNKNOWN, "'%s' has failed with %s %d", argv[0],
                    WIFEXITED(status) ? "exit code" : "signal",
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}
