/*  child: keeps a child process running. See actors.h.
 *
 *  One thread per child makes it (PR_SET_PDEATHSIG follows that thread, so it lives as long as the
 *  child), waits for its end on a pidfd, and starts it again after a pause.
 */
#include "actors/actors.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define LIVES_LONG_MS 10000 /* a child that lived so long starts with the shortest pause again */

struct actor_child {
    char *name;
    char **argv, **envp; /* owned */
    int grace_ms;
    void (*on_exit)(void *arg, int status);
    void *arg;
    int stop_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int pid;      /* under lock; 0 between lives */
    bool tried;   /* under lock: the first start is decided */
    err_t *error; /* under lock: why the first start failed */
};

/* ---------------------------------------------------------------------------------------- one life
 */

/* In the child, between fork and exec: only what is async-signal-safe. */
static void __attribute__((noreturn)) become(const actor_child_t *self, int parent, int report_fd)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() == parent)
        execvpe(self->argv[0], self->argv, self->envp);
    int why = errno;
    ssize_t written = write(report_fd, &why, sizeof why);
    (void)written;
    _exit(127);
}

/* Returns the child's pid, or -1 and *err when it cannot be made or its program cannot be run. */
static int
give_birth(const actor_child_t *self, err_t **err)
{
    int ends[2], why = 0, parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_fail(err, ERR_LIMIT, "cannot make a pipe: %s", strerror(errno));
    int pid = fork();
    if (pid == 0)
        become(self, parent, ends[1]);
    int failed = errno;
    close(ends[1]);
    ssize_t got =
        pid < 0 ? 0 : read(ends[0], &why, sizeof why); /* the end of file is exec's success */
    close(ends[0]);
    if (pid < 0)
        return err_fail(err, ERR_LIMIT, "cannot make a process: %s", strerror(failed));
    if (got != sizeof why)
        return pid;
    waitpid(pid, NULL, 0);
    return err_fail(err, why == ENOENT ? ERR_NOT_FOUND : ERR_STATE, "cannot run '%s': %s",
                    self->argv[0], strerror(why));
}

/* Waits for fd or the stop, at most timeout_ms (-1: for ever). */
static void
wait_for(const actor_child_t *self, int fd, int timeout_ms, bool *ret_ended, bool *ret_stop)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = self->stop_fd, .events = POLLIN}};
    int64_t until = clock_ns() + timeout_ms * NS_PER_MS;
    while (poll(fds, *ret_stop ? 1 : 2, timeout_ms) < 0 && errno == EINTR)
        if (timeout_ms >= 0)
            timeout_ms = until > clock_ns() ? (int)((until - clock_ns()) / NS_PER_MS) : 0;
    *ret_ended = fds[0].revents != 0;
    *ret_stop |= fds[1].revents != 0;
}

/* Until the child's end; asks it to end when stopped. Returns its wait status. */
static int
live(actor_child_t *self, int pid, bool *ret_stop)
{
    AUTO_FD int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool ended = false;
    int status = 0;
    if (pidfd >= 0)
        fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    wait_for(self, pidfd, -1, &ended, ret_stop);
    if (!ended) {
        kill(pid, SIGTERM);
        wait_for(self, pidfd, self->grace_ms, &ended, ret_stop);
    }
    if (!ended)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void
log_death(const actor_child_t *self, int pid, int status, bool stopped)
{
    log_level_t level = stopped ? LOG_INFO : LOG_WARN;
    if (WIFSIGNALED(status))
        log_write(level, "child.died", "name=%s pid=%d signal=%d", self->name, pid,
                  WTERMSIG(status));
    else
        log_write(level, "child.died", "name=%s pid=%d exit=%d", self->name, pid,
                  WEXITSTATUS(status));
}

/* ------------------------------------------------------------------------------------ life after
 * life */

static void
set_pid(actor_child_t *self, int pid, err_t *error)
{
    pthread_mutex_lock(&self->lock);
    self->pid = pid > 0 ? pid : 0;
    if (!self->tried)
        self->error = error;
    else
        err_destroy(&error);
    self->tried = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* One life; false when there is nothing to wait for: the very first start failed. */
static bool
once(actor_child_t *self, bool first, bool *ret_stop)
{
    err_t *error = NULL;
    int pid = give_birth(self, &error);
    if (pid < 0 && !first)
        log_err(LOG_ERROR, "child.failed", error, "name=%s", self->name);
    else if (pid > 0)
        log_info("child.started", "name=%s pid=%d", self->name, pid);
    set_pid(self, pid, error);
    if (pid < 0)
        return !first;
    int status = live(self, pid, ret_stop);
    set_pid(self, 0, NULL);
    log_death(self, pid, status, *ret_stop);
    if (self->on_exit)
        self->on_exit(self->arg, status);
    return true;
}

static void *
run(void *arg)
{
    actor_child_t *self = arg;
    bool stop = false, ended;
    int pause_ms = PAUSE_MIN_MS;
    for (bool first = true; !stop; first = false) {
        int64_t began = clock_ns();
        if (!once(self, first, &stop))
            break;
        if (clock_ns() - began >= LIVES_LONG_MS * NS_PER_MS)
            pause_ms = PAUSE_MIN_MS;
        if (!stop)
            wait_for(self, -1, pause_ms, &ended, &stop);
        pause_ms = 2 * pause_ms > PAUSE_MAX_MS ? PAUSE_MAX_MS : 2 * pause_ms;
    }
    return NULL;
}

/* ----------------------------------------------------------------------------------- public
 * functions */

static size_t
count_of(const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    return count;
}

/* Is this "NAME=value" set anew by one of the others? */
static bool
names_same(const char *variable, const char *const *others)
{
    size_t len = strcspn(variable, "=") + 1;
    for (; others && *others; others++)
        if (strncmp(variable, *others, len) == 0)
            return true;
    return false;
}

static void
copy_strings(actor_child_t *self, const char *const *argv, const char *const *extra_env)
{
    size_t args = count_of(argv), extra = count_of(extra_env);
    size_t inherited = count_of((const char *const *)environ);
    self->argv = calloc(args + 1, sizeof *self->argv);
    self->envp = calloc(inherited + extra + 1, sizeof *self->envp);
    if (!self->argv || !self->envp)
        abort();
    for (size_t i = 0; i < args; i++)
        self->argv[i] = str_format("%s", argv[i]);
    for (size_t i = 0; i < extra; i++)
        self->envp[i] = str_format("%s", extra_env[i]);
    for (size_t i = 0, at = extra; i < inherited; i++)
        if (!names_same(environ[i], extra_env))
            self->envp[at++] = str_format("%s", environ[i]);
}

static void
free_strings(char **texts)
{
    for (char **at = texts; at && *at; at++)
        free(*at);
    free(texts);
}

static void
child_free(actor_child_t *self)
{
    if (self->stop_fd >= 0)
        close(self->stop_fd);
    free_strings(self->argv);
    free_strings(self->envp);
    err_destroy(&self->error);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    free(self->name);
    free(self);
}

int
actor_child_new(const char *name, const char *const *argv, const char *const *extra_env,
                int grace_ms, void (*on_exit)(void *arg, int status), void *arg,
                actor_child_t **ret_child, err_t **err)
{
    actor_child_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->name = str_format("%s", name);
    copy_strings(self, argv, extra_env);
    self->grace_ms = grace_ms;
    self->on_exit = on_exit;
    self->arg = arg;
    self->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->changed);
    int failed = self->stop_fd < 0 ? errno : pthread_create(&self->thread, NULL, run, self);
    if (failed) {
        child_free(self);
        return err_fail(err, ERR_LIMIT, "cannot supervise '%s': %s", name, strerror(failed));
    }
    pthread_mutex_lock(&self->lock);
    while (!self->tried)
        pthread_cond_wait(&self->changed, &self->lock);
    err_t *error = TAKE(self->error);
    pthread_mutex_unlock(&self->lock);
    if (!error) {
        *ret_child = self;
        return 0;
    }
    pthread_join(self->thread, NULL);
    child_free(self);
    if (err)
        *err = TAKE(error);
    err_destroy(&error);
    return err_wrap(err, "cannot start '%s'", name);
}

int
actor_child_pid(const actor_child_t *self)
{
    actor_child_t *locked = (actor_child_t *)self;
    pthread_mutex_lock(&locked->lock);
    int pid = self->pid;
    pthread_mutex_unlock(&locked->lock);
    return pid;
}

void
actor_child_destroy(actor_child_t **self_p)
{
    actor_child_t *self = TAKE(*self_p);
    if (!self)
        return;
    eventfd_write(self->stop_fd, 1);
    pthread_join(self->thread, NULL);
    child_free(self);
}
