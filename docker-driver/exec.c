/*  exec: Exec and Shell. */
#include "docker-driver/api.h"
#include "docker-driver/demux.h"
#include "docker-driver/hijack.h"
#include "docker-driver/parts.h"
#include "docker-driver/words.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* The command that is run when a shell is asked for and none is named. */
static const char *const shell_command[] = {
    "sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"};

/* What ends input on a terminal, twice: in the middle of a line the first only hands over the line.
 * Closing the connection's one side would not do: Docker then ends the output too. */
#define END_KEYS "\x04\x04"

/* How Docker says, as the only output, that a command could not even be begun; and why. */
#define NOT_BEGUN "OCI runtime exec failed"
#define NOT_BEGUN_PODMAN "Error: " /* and then, with these words in it */
#define NOT_BEGUN_PODMAN_ALSO "OCI runtime"
static const char *const not_there[] = {"executable file not found", "command that was not found",
                                        "\": stat /"}; /* of a path */
#define NOT_BEGUN_MAX 4096u                            /* bytes of it */

/* A command in a container. */
typedef struct {
    docker_t *docker;
    const docker_call_t *call;
    char *service; /* name, for errors */
    char *container_id;
    char *id;
    str_t
        not_begun; /* output that is Docker's complaint, held back where that is wanted; else empty */
    bool has_shown; /* output went to the caller */
} exec_t;

static void
exec_done(exec_t *self)
{
    free(self->service);
    free(self->container_id);
    free(self->id);
    str_done(&self->not_begun);
}

static json_t *
exec_body(const Orchestrator__ExecArgs *args, bool tty)
{
    json_t *body = json_pack("{s:b, s:b, s:b, s:b}", "AttachStdout", 1, "AttachStderr", 1,
                             "AttachStdin", tty, "Tty", tty);
    json_t *command = json_array();
    for (size_t i = 0; i < args->n_command; i++)
        json_array_append_new(command, docker_string(args->command[i]));
    for (size_t i = 0; !args->n_command && i < ARRAY_LEN(shell_command); i++)
        json_array_append_new(command, json_string(shell_command[i]));
    json_object_set_new(body, "Cmd", command);
    if (*args->user)
        json_object_set_new(body, "User", docker_string(args->user));
    if (*args->directory)
        json_object_set_new(body, "WorkingDir", docker_string(args->directory));
    return body;
}

/* The container as it was seen last, or as Docker lists it. */
static int
find(exec_t *self, const Orchestrator__ExecArgs *args, bool anew, json_t **ret_container,
     err_t **err)
{
    docker_seen_t *seen = &self->docker->seen;
    if (!anew &&
        (*ret_container = docker_seen_find_service(seen, args->enclave_uuid, args->service_uuid)))
        return 0;
    if (docker_service_find(self->docker, self->call, args->enclave_uuid, args->service_uuid,
                            ret_container, err) < 0)
        return err_wrap(err, "cannot run a command in service '%.100s'", args->service_uuid);
    docker_seen_add_service(seen, args->enclave_uuid, args->service_uuid, *ret_container);
    return 0;
}

static int
make_in(exec_t *self, const json_t *container, const Orchestrator__ExecArgs *args, bool tty,
        err_t **err)
{
    AUTO_JSON *reply = NULL;
    free(self->service);
    free(self->container_id);
    self->service = strdup(docker_service_name(container));
    self->container_id = strdup(docker_text(container, "Id"));
    char *path = docker_path("/containers/%s/exec", self->container_id);
    if (docker_post(self->docker, self->call, path, exec_body(args, tty), &reply, err) < 0)
        return err_wrap(err, "cannot run '%.200s' in service '%s'",
                        args->n_command ? args->command[0] : "a shell", self->service);
    self->id = strdup(docker_text(reply, "Id"));
    return 0;
}

static int
exec_make(exec_t *self, const Orchestrator__ExecArgs *args, bool tty, err_t **err)
{
    AUTO_JSON *seen = NULL;
    AUTO_JSON *listed = NULL;
    AUTO(err) failure = NULL;
    if (find(self, args, false, &seen, err) < 0)
        return -1;
    if (make_in(self, seen, args, tty, &failure) == 0)
        return 0;
    if (err_code(failure) != ERR_NOT_FOUND) {
        if (err)
            *err = TAKE(failure);
        return -1;
    }
    /* the service may have got another container meanwhile */
    docker_seen_forget(&self->docker->seen, self->container_id);
    return find(self, args, true, &listed, err) < 0 ? -1 : make_in(self, listed, args, tty, err);
}

/* ------------------------------------------------------------------------------------ exit code */

typedef struct {
    exec_t *exec;
    int code;
} ending_t;

/* 1 when the command has ended. */
static int
has_ended(void *arg, err_t **err)
{
    ending_t *self = arg;
    AUTO_JSON *reply = NULL;
    if (docker_get(self->exec->docker, self->exec->call,
                   docker_path("/exec/%s/json", self->exec->id), &reply, err) < 0)
        return -1;
    if (json_is_true(json_object_get(reply, "Running")))
        return 0;
    self->code = (int)docker_int(reply, "ExitCode");
    return 1;
}

/* Sends the last message. The output may end a little before Docker has heard of the command's end;
 * then its event is waited for. */
static int
send_end(exec_t *self, err_t **err)
{
    ending_t ending = {.exec = self};
    int ended = has_ended(&ending, err);
    if (ended == 0) {
        AUTO_FREE char *filters =
            docker_filters("type", "container", "container", self->container_id,
                           DOCKER_EVENT_EXEC_END, DOCKER_EVENT_END, NULL);
        ended = docker_await(self->docker, self->call, filters, -1, has_ended, &ending, err);
    }
    if (ended < 0)
        return err_wrap(err, "cannot learn how the command in service '%s' ended", self->service);
    Orchestrator__ExecOutput last = ORCHESTRATOR__EXEC_OUTPUT__INIT;
    last.is_end = true;
    last.exit_code = ending.code;
    return self->call->send(self->call->arg, &last.base, err);
}

/* ----------------------------------------------------------------------------------------- Exec */

static int
send_output(void *arg, docker_stream_t stream, bool starts, const char *data, size_t size,
            err_t **err)
{
    const exec_t *self = arg;
    (void)starts;
    while (size) {
        Orchestrator__ExecOutput output = ORCHESTRATOR__EXEC_OUTPUT__INIT;
        output.stream = stream == DOCKER_ERR ? ORCHESTRATOR__OUTPUT_STREAM__STDERR
                                             : ORCHESTRATOR__OUTPUT_STREAM__STDOUT;
        output.data.len = size < DOCKER_OUTPUT_MAX ? size : DOCKER_OUTPUT_MAX;
        output.data.data = (uint8_t *)data;
        if (self->call->send(self->call->arg, &output.base, err) < 0)
            return -1;
        data += output.data.len;
        size -= output.data.len;
    }
    return 0;
}

static bool
is_complaint(const char *output)
{
    return str_starts(output, NOT_BEGUN) ||
           (str_starts(output, NOT_BEGUN_PODMAN) && strstr(output, NOT_BEGUN_PODMAN_ALSO));
}

static bool
says_not_there(const char *text)
{
    bool is_absent = false;
    for (size_t i = 0; i < ARRAY_LEN(not_there); i++)
        is_absent |= strstr(text, not_there[i]) != NULL;
    return is_absent;
}

static int
flush(exec_t *self, docker_stream_t stream, err_t **err)
{
    self->has_shown |= self->not_begun.len > 0;
    int result = send_output(self, stream, true, self->not_begun.data, self->not_begun.len, err);
    str_clear(&self->not_begun);
    return result;
}

/* Passes output on, or holds it back when it is Docker's complaint that the command could not be begun. */
static int
show(void *arg, docker_stream_t stream, bool starts, const char *data, size_t size, err_t **err)
{
    exec_t *self = arg;
    if (self->has_shown)
        return send_output(self, stream, starts, data, size, err);
    str_add_bytes(&self->not_begun, data, size);
    if (is_complaint(self->not_begun.data) && self->not_begun.len <= NOT_BEGUN_MAX)
        return 0;
    return flush(self, stream, err);
}

static int
say_complaint(const exec_t *self, err_t **err)
{
    return err_fail(err, ERR_INVALID, "Docker says '%.*s'",
                    (int)strcspn(self->not_begun.data, "\r\n"), self->not_begun.data);
}

static int
on_output(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_demux_feed(arg, data, size, err);
}

/* Its output to the caller; with show, but for a complaint. */
static int
run(exec_t *self, docker_piece_fn *piece, err_t **err)
{
    docker_demux_t demux;
    docker_demux_init(&demux, false, piece, self);
    AUTO_FREE char *path = docker_path("/exec/%s/start", self->id);
    AUTO_REQUEST start = {.method = "POST",
                          .path = path,
                          .body = "{\"Detach\":false,\"Tty\":false}",
                          .timeout_ms = -1,
                          .sink = on_output,
                          .arg = &demux};
    int result = docker_http_do(self->docker->http, &start, docker_cancel_fd(self->call), err);
    if (result == 0)
        result = docker_demux_end(&demux, err);
    docker_demux_done(&demux);
    return result < 0 ? err_wrap(err, "cannot run a command in service '%s'", self->service) : 0;
}

/* A command whose being there is not known: 1 when it has run, 0 when it is not there. */
static int
try(exec_t *self, const Orchestrator__ExecArgs *args, err_t **err)
{
    AUTO(err) failure = NULL;
    int result = exec_make(self, args, false, &failure);
    if (result == 0)
        result = run(self, show, &failure);
    ending_t ending = {.exec = self};
    AUTO_FREE char *why = result < 0 ? err_string(failure) : NULL;
    if (why ? says_not_there(why)
            : says_not_there(self->not_begun.data) && has_ended(&ending, NULL) > 0 &&
                  (ending.code == 126 || ending.code == 127)) /* and no command said it */
        return 0;
    if (result < 0) {
        if (err)
            *err = TAKE(failure);
        return -1;
    }
    if (flush(self, DOCKER_OUT, err) < 0 || send_end(self, err) < 0)
        return -1;
    return 1;
}

static int
run_words(exec_t *self, const Orchestrator__ExecArgs *request, err_t **err)
{
    Orchestrator__ExecArgs args = *request;
    if (words_split(request->line, &args.command, &args.n_command, err) < 0)
        return err_wrap(err, "there is no shell in it, so its words are run as they are");
    int ran = try(self, &args, err);
    if (ran == 0)
        err_fail(err, ERR_INVALID, "there is no shell in it, and no program '%s'", args.command[0]);
    words_free(args.command, args.n_command);
    return ran > 0 ? 0 : -1;
}

static int
run_line(exec_t *self, const Orchestrator__ExecArgs *request, err_t **err)
{
    char *command[] = {(char *)"sh", (char *)"-c", request->line};
    Orchestrator__ExecArgs args = *request;
    args.command = command;
    args.n_command = ARRAY_LEN(command);
    int ran = try(self, &args, err);
    if (ran)
        return ran > 0 ? 0 : -1;
    exec_t again = {.docker = self->docker, .call = self->call, .not_begun = STR_EMPTY};
    int result = run_words(&again, request, err);
    if (result < 0)
        err_wrap(err, "cannot run '%.200s' in service '%s'", request->line, self->service);
    exec_done(&again);
    return result;
}

int
docker_exec(docker_t *self, const docker_call_t *call, const Orchestrator__ExecArgs *request,
            err_t **err)
{
    exec_t exec = {.docker = self, .call = call, .not_begun = STR_EMPTY};
    if (!request->n_command && !*request->line)
        return err_fail(err, ERR_INVALID, "no command was given to run in service '%.100s'",
                        request->service_uuid);
    int result =
        *request->line ? run_line(&exec, request, err) : exec_make(&exec, request, false, err);
    if (result == 0 && !*request->line && (result = run(&exec, send_output, err)) == 0)
        result = send_end(&exec, err);
    exec_done(&exec);
    return result;
}

/* ---------------------------------------------------------------------------------------- Shell */

typedef struct {
    exec_t exec;
    int fd;           /* the command's terminal */
    str_t first;      /* output that came before the loop began */
    str_t pending;    /* keys that the command has not taken yet */
    bool input_ended; /* the caller says no more */
    bool ended;       /* the command's output ended */
} shell_t;

static int
resize(shell_t *self, const Orchestrator__ShellInput *input, err_t **err)
{
    if (!input->rows || !input->columns)
        return 0;
    char *path = docker_path("/exec/%s/resize?h=%d&w=%d", self->exec.id,
                             (int)(input->rows & 0xffff), (int)(input->columns & 0xffff));
    AUTO(err) failure = NULL;
    if (docker_post(self->exec.docker, self->exec.call, path, NULL, NULL, &failure) == 0)
        return 0;
    if (err_code(failure) != ERR_CANCELLED)
        return 0; /* the command may have ended this moment: its end is told by its output */
    if (err)
        *err = TAKE(failure);
    return -1;
}

static int
take_input(shell_t *self, err_t **err)
{
    AUTO_ITEM Orchestrator__ShellInput *input = NULL;
    int got = self->exec.call->recv(self->exec.call->arg, (ProtobufCMessage **)&input, err);
    if (got == 0) {
        self->input_ended = true;
        str_add(&self->pending, END_KEYS);
    }
    if (got <= 0)
        return got;
    str_add_bytes(&self->pending, input->data.data, input->data.len);
    return resize(self, input, err);
}

static int
push_input(shell_t *self, err_t **err)
{
    while (self->pending.len) {
        ssize_t sent = send(self->fd, self->pending.data, self->pending.len, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            str_clear(&self->pending); /* it has ended; its last output may still be to read */
            return 0;
        }
        if (sent < 0)
            return err_fail(err, ERR_UNAVAILABLE, "the connection broke (%s)", strerror(errno));
        self->pending.len -= (size_t)sent;
        memmove(self->pending.data, self->pending.data + sent, self->pending.len + 1);
    }
    return 0;
}

static int
pull_output(shell_t *self, err_t **err)
{
    char buffer[16384];
    ssize_t got = recv(self->fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0)
        return err_fail(err, ERR_UNAVAILABLE, "the connection broke (%s)", strerror(errno));
    self->ended = got == 0;
    return show(&self->exec, DOCKER_OUT, true, buffer, (size_t)got, err);
}

/* Carries keys in and output out until the command's output ends. */
static int
carry(shell_t *self, err_t **err)
{
    const docker_call_t *call = self->exec.call;
    while (!self->ended) {
        if (push_input(self, err) < 0)
            return -1;
        bool wants_input = !self->input_ended && !self->pending.len;
        struct pollfd fds[] = {
            {.fd = self->fd, .events = (short)(POLLIN | (self->pending.len ? POLLOUT : 0))},
            {.fd = wants_input ? call->recv_fd : -1, .events = POLLIN},
            {.fd = call->cancel_fd, .events = POLLIN},
        };
        if (poll(fds, ARRAY_LEN(fds), -1) < 0)
            continue;
        if (fds[2].revents)
            return err_fail(err, ERR_CANCELLED, "the caller gave up");
        if (fds[1].revents && take_input(self, err) < 0)
            return -1;
        if (fds[0].revents & (POLLIN | POLLHUP | POLLERR) && pull_output(self, err) < 0)
            return -1;
    }
    return 0;
}

static int
say_why_not_begun(const shell_t *self, const Orchestrator__ExecArgs *args, err_t **err)
{
    const exec_t *exec = &self->exec;
    AUTO_JSON *container = NULL;
    if (!says_not_there(exec->not_begun.data) || args->n_command) {
        say_complaint(exec, err);
    } else {
        docker_get(exec->docker, exec->call, docker_path("/containers/%s/json", exec->container_id),
                   &container, NULL);
        const char *program = docker_text(container, "Path");
        err_fail(err, ERR_UNSUPPORTED,
                 "there is no shell in it: its image has no program 'sh'; what it has can be run "
                 "by its path with 'kurtosis service exec' or a plan's exec, e.g. '%.200s'",
                 *program ? program : "/program");
    }
    return err_wrap(err, "cannot open a shell in service '%s'", exec->service);
}

static int
shell_run(shell_t *self, const Orchestrator__ShellInput *first, err_t **err)
{
    if (exec_make(&self->exec, first->start, true, err) < 0)
        return -1;
    AUTO_FREE char *path = docker_path("/exec/%s/start", self->exec.id);
    if (docker_hijack(self->exec.docker->http, path, "{\"Detach\":false,\"Tty\":true}",
                      docker_cancel_fd(self->exec.call), &self->fd, &self->first, err) < 0)
        return err_wrap(err, "cannot open a shell in service '%s'", self->exec.service);
    str_add_bytes(&self->pending, first->data.data, first->data.len);
    if (resize(self, first, err) < 0 ||
        show(&self->exec, DOCKER_OUT, true, self->first.data, self->first.len, err) < 0 ||
        carry(self, err) < 0)
        return err_wrap(err, "the shell in service '%s' broke off", self->exec.service);
    return self->exec.not_begun.len ? say_why_not_begun(self, first->start, err)
                                    : send_end(&self->exec, err);
}

int
docker_shell(docker_t *self, const docker_call_t *call, err_t **err)
{
    AUTO_ITEM Orchestrator__ShellInput *first = NULL;
    shell_t shell = {.exec = {.docker = self, .call = call, .not_begun = STR_EMPTY},
                     .fd = -1,
                     .first = STR_EMPTY,
                     .pending = STR_EMPTY};
    int got = call->recv(call->arg, (ProtobufCMessage **)&first, err);
    if (got < 0)
        return err_wrap(err, "cannot open a shell");
    if (got == 0 || !first->start)
        return err_fail(err, ERR_INVALID, "cannot open a shell: the first message must say where");
    int result = shell_run(&shell, first, err);
    if (shell.fd >= 0)
        close(shell.fd);
    str_done(&shell.first);
    str_done(&shell.pending);
    exec_done(&shell.exec);
    return result;
}
