/*  credential: see credential.h. */
#include "docker-driver/credential.h"

#include "base/clock.h"
#include "docker-driver/logins.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#define NOTHING "credentials not found" /* how a program says that it has none */

/* A program that runs. */
typedef struct {
    const char *program;
    pid_t pid;
    int out; /* what it prints */
} helper_t;

static int
start(helper_t *self, const char *verb, const char *server, err_t **err)
{
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) < 0)
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    }
    /* A server's name is shorter than a pipe is deep: this does not wait. */
    if (write(in[1], server, strlen(server)) < 0)
        self->pid = 0;
    close(in[1]);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    char *const argv[] = {(char *)self->program, (char *)verb, NULL};
    int code = posix_spawnp(&self->pid, self->program, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(in[0]);
    close(out[1]);
    if (code == 0) {
        self->out = out[0];
        return 0;
    }
    close(out[0]);
    return err_fail(err, code == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                    "cannot run '%s', which Docker's configuration names: %s", self->program,
                    strerror(code));
}

/* All that it prints, until it closes its output. */
static int
read_all(helper_t *self, str_t *ret_text, err_t **err)
{
    char piece[4096];
    int64_t until = clock_ns() + LOGINS_HELPER_MS * NS_PER_MS;
    for (;;) {
        int64_t left = (until - clock_ns()) / NS_PER_MS;
        struct pollfd fd = {.fd = self->out, .events = POLLIN};
        int count = poll(&fd, 1, left > 0 ? (int)left : 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return err_fail(err, ERR_TIMEOUT, "'%s' does not answer within %d s", self->program,
                            LOGINS_HELPER_MS / 1000);
        ssize_t got = read(self->out, piece, sizeof piece);
        if (got == 0)
            return 0;
        if (got < 0)
            continue;
        if (ret_text->len + (size_t)got > LOGINS_HELPER_MAX)
            return err_fail(err, ERR_LIMIT, "'%s' prints more than %u bytes", self->program,
                            LOGINS_HELPER_MAX);
        str_add_bytes(ret_text, piece, (size_t)got);
        explicit_bzero(piece, (size_t)got);
    }
}

/* Its exit code; -1 when it was ended by a signal. */
static int
end(helper_t *self, bool by_force)
{
    int status = 0;
    if (by_force)
        kill(-self->pid, SIGKILL);
    while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(self->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
docker_credential_run(const char *name, const char *verb, const char *server, json_t **ret_reply,
                      err_t **err)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return err_fail(err, ERR_INVALID, "'%.100s' is no name of a credential helper", name);
    AUTO_FREE char *program = str_format("docker-credential-%s", name);
    AUTO_STR text = STR_EMPTY;
    helper_t helper = {.program = program};
    if (start(&helper, verb, server, err) < 0)
        return -1;
    int result = read_all(&helper, &text, err);
    int code = end(&helper, result < 0);
    if (result < 0)
        return -1;
    if (code != 0 && strstr(text.data, NOTHING))
        return 0;
    if (code != 0)
        return err_fail(err, ERR_UNAVAILABLE, "'%s %s' failed (exit code %d): %.*s", program, verb,
                        code, (int)strcspn(text.data, "\r\n"), text.data);
    *ret_reply = json_loadb(text.data, text.len, 0, NULL);
    explicit_bzero(text.data, text.len);
    if (!json_is_object(*ret_reply)) {
        json_decref(*ret_reply);
        *ret_reply = NULL;
        return err_fail(err, ERR_UNAVAILABLE, "'%s %s' does not answer as it should", program,
                        verb);
    }
    return 1;
}
