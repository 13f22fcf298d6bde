/*  helper: see helper.h. */
#include "apic/core/helper.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define PART_SIZE 65536
#define ENV_MAX 16

/* What a helper may know of our environment, with with_proxies. */
static const char *const proxy_names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

/* One run. */
typedef struct {
    const helper_t *work;
    pid_t pid;
    int in, out, errors; /* our ends; -1 when closed */
    size_t sent;
    int64_t deadline; /* clock_ns; 0 for none */
    str_t *message;
} run_t;

static int start(run_t *self, err_t **err);
static int talk(run_t *self, err_t **err);
static int finish(run_t *self, bool kill_it, int *ret_status, err_t **err);

int
helper_run(const helper_t *work, int *ret_status, str_t *message, err_t **err)
{
    run_t self = {.work = work, .in = -1, .out = -1, .errors = -1, .message = message};
    if (work->timeout_ms >= 0)
        self.deadline = clock_ns() + work->timeout_ms * NS_PER_MS;

    int rc = start(&self, err);
    if (rc < 0)
        return rc;
    rc = talk(&self, err);
    int status_rc = finish(&self, rc < 0, ret_status, rc < 0 ? NULL : err);
    return rc < 0 ? rc : status_rc;
}

/* ------------------------------------------------------------------------------------- starting */

/* <folder of this program>/../lib/kurtosis/<name> */
static char *
helper_path(const char *name)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len < 0 ? 0 : len] = 0;
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = 0;
    return str_format("%s/../lib/kurtosis/%s", program, name);
}

static void
environment(const helper_t *work, char *ret_env[ENV_MAX])
{
    size_t n = 0;
    for (size_t i = 0; work->with_proxies && i < ARRAY_LEN(proxy_names); i++) {
        const char *value = getenv(proxy_names[i]);
        if (value)
            ret_env[n++] = str_format("%s=%s", proxy_names[i], value);
    }
    ret_env[n] = NULL;
}

static int
spawn(const char *path, char *const *env, int in, int out, int errors, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_adddup2(&files, errors, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    char *argv[] = {(char *)path, NULL};
    int rc = posix_spawn(ret_pid, path, &files, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

static int
start(run_t *self, err_t **err)
{
    AUTO_FREE char *path = helper_path(self->work->name);
    /* Above 2, or the spawn's dup2 onto itself would leave it close-on-exec. */
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = pipe2(pipes[i], O_CLOEXEC) < 0 ? errno : 0;

    char *env[ENV_MAX];
    environment(self->work, env);
    if (rc == 0)
        rc = spawn(path, env, pipes[0][0], pipes[1][1], pipes[2][1], &self->pid);
    for (char **e = env; *e; e++)
        free(*e);
    int theirs[] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    self->in = pipes[0][1];
    self->out = pipes[1][0];
    self->errors = pipes[2][0];
    if (rc == 0) {
        fcntl(self->in, F_SETFL, O_NONBLOCK);
        return 0;
    }
    int ours[] = {self->in, self->out, self->errors};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (ours[i] >= 0)
            close(ours[i]);
    return err_fail(err, ERR_UNAVAILABLE, "cannot run the helper '%s': %s", path, strerror(rc));
}

/* -------------------------------------------------------------------------------------- talking */

static void
shut(int *fd)
{
    close(*fd);
    *fd = -1;
}

/* A helper that does not read on has said why, or will: that it closed its input is no failure of
 * ours. */
static void
send_input(run_t *self)
{
    const char *input = self->work->input;
    ssize_t sent = write(self->in, input + self->sent, self->work->input_size - self->sent);
    if (sent > 0)
        self->sent += (size_t)sent;
    else if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    else
        self->sent = self->work->input_size;
}

static int
take_output(run_t *self, char *part, err_t **err)
{
    ssize_t got = read(self->out, part, PART_SIZE);
    if (got < 0 && errno == EINTR)
        return 0;
    if (got <= 0) {
        shut(&self->out);
        return 0;
    }
    return self->work->on_output(self->work->arg, part, (size_t)got, err);
}

static void
take_message(run_t *self, char *part)
{
    ssize_t got = read(self->errors, part, PART_SIZE);
    if (got < 0 && errno == EINTR)
        return;
    if (got <= 0) {
        shut(&self->errors);
        return;
    }
    size_t space =
        HELPER_MESSAGE_MAX > self->message->len ? HELPER_MESSAGE_MAX - self->message->len : 0;
    str_add_bytes(self->message, part, (size_t)got < space ? (size_t)got : space);
}

static int
time_left(const run_t *self)
{
    if (!self->deadline)
        return -1;
    int64_t left = self->deadline - clock_ns();
    return left <= 0 ? 0 : (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

static int
talk(run_t *self, err_t **err)
{
    AUTO_FREE char *part = malloc(PART_SIZE);
    if (!part)
        abort();
    while (self->out >= 0 || self->errors >= 0) {
        if (self->in >= 0 && self->sent == self->work->input_size)
            shut(&self->in);
        int left = time_left(self);
        if (left == 0)
            return err_fail(err, ERR_TIMEOUT, "it took longer than %d ms", self->work->timeout_ms);
        struct pollfd fds[] = {
            {.fd = self->in, .events = POLLOUT},
            {.fd = self->out, .events = POLLIN},
            {.fd = self->errors, .events = POLLIN},
            {.fd = self->work->cancel_fd, .events = POLLIN},
        };
        if (poll(fds, ARRAY_LEN(fds), left) < 0) {
            if (errno == EINTR)
                continue;
            return err_fail(err, ERR_INTERNAL, "cannot wait for a helper: %s", strerror(errno));
        }
        if (fds[3].revents)
            return err_fail(err, ERR_CANCELLED, "the caller gave up");
        if (fds[0].revents)
            send_input(self);
        if (fds[2].revents)
            take_message(self, part);
        if (fds[1].revents) {
            int rc = take_output(self, part, err);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

/* Ends the process if need be, and reaps it. */
static int
finish(run_t *self, bool kill_it, int *ret_status, err_t **err)
{
    int ours[] = {self->in, self->out, self->errors};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (ours[i] >= 0)
            close(ours[i]);
    if (kill_it)
        kill(self->pid, SIGKILL);
    int status = 0;
    while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status)) {
        *ret_status = WEXITSTATUS(status);
        return 0;
    }
    return err_fail(err, ERR_INTERNAL, "the helper '%s' was ended by signal %d", self->work->name,
                    WTERMSIG(status));
}
