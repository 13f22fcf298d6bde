/*  shell: service shell. The terminal in raw mode, its keys and its size to the driver, the output
 * back. */
#include "cli/commands.h"

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/session.h"

#include "bus/schema/orchestrator.pb-c.h"
#include "cli/backend.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

/* The terminal as it was. Set before raw_on, which the interrupt thread may undo. */
static struct termios cooked;
static bool is_raw;

static void
raw_off(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
    is_raw = false;
}

static void
raw_on(void)
{
    if (tcgetattr(STDIN_FILENO, &cooked) < 0)
        return;
    struct termios raw = cooked;
    cfmakeraw(&raw);
    is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    interrupt_set_cleanup(raw_off);
}

static int
send_size(actor_stream_t *stream, err_t **err)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
        return 0;
    Orchestrator__ShellInput input = ORCHESTRATOR__SHELL_INPUT__INIT;
    input.rows = size.ws_row;
    input.columns = size.ws_col;
    return actor_stream_send(stream, &input.base, err);
}

/* 1 to go on, 0 when there are no more keys. */
static int
send_keys(actor_stream_t *stream, err_t **err)
{
    uint8_t keys[4096];
    ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
    if (got < 0 && errno == EINTR)
        return 1;
    if (got <= 0)
        return actor_stream_end(stream, err) < 0 ? -1 : 0;
    Orchestrator__ShellInput input = ORCHESTRATOR__SHELL_INPUT__INIT;
    input.data = (ProtobufCBinaryData){(size_t)got, keys};
    return actor_stream_send(stream, &input.base, err) < 0 ? -1 : 1;
}

/* 1 to go on, 0 at the end with *ret_code. */
static int
show_output(actor_stream_t *stream, int *ret_code, err_t **err)
{
    AUTO_MESSAGE Orchestrator__ExecOutput *piece = NULL;
    int got = actor_stream_recv(stream, -1, (ProtobufCMessage **)&piece, err);
    if (got <= 0)
        return got;
    for (size_t done = 0; done < piece->data.len;) {
        ssize_t part = write(STDOUT_FILENO, piece->data.data + done, piece->data.len - done);
        if (part < 0 && errno != EINTR && errno != EAGAIN)
            return err_fail(err, ERR_UNKNOWN, "cannot write to the terminal: %s", strerror(errno));
        done += part > 0 ? (size_t)part : 0;
    }
    *ret_code = piece->exit_code;
    return piece->is_end ? 0 : 1;
}

/* Keeps the signal of a new size for signalfd. All threads must, also those of the session: a signal goes to any that
 * does not block it, and is lost there. So this comes before them. */
static sigset_t
resize_block(void)
{
    sigset_t resized;
    sigemptyset(&resized);
    sigaddset(&resized, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &resized, NULL);
    return resized;
}

static int
relay(actor_stream_t *stream, const sigset_t *resized, int *ret_code, err_t **err)
{
    AUTO_FD int resize_fd = signalfd(-1, resized, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd waits[] = {{.fd = actor_stream_recv_fd(stream), .events = POLLIN},
                             {.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = resize_fd, .events = POLLIN}};
    if (send_size(stream, err) < 0)
        return -1;
    for (int result = 1; result > 0;) {
        if (poll(waits, ARRAY_LEN(waits), -1) < 0)
            continue;
        if (waits[2].revents) {
            struct signalfd_siginfo ignored;
            while (read(resize_fd, &ignored, sizeof ignored) > 0)
                ;
            if (send_size(stream, err) < 0)
                return -1;
        }
        if (waits[1].revents) {
            int more = send_keys(stream, err);
            if (more < 0)
                return -1;
            if (more == 0)
                waits[1].fd = -1;
        }
        if (waits[0].revents)
            result = show_output(stream, ret_code, err);
        if (result < 0)
            return -1;
    }
    return 0;
}

int
service_shell_run(const cli_call_t *call, err_t **err)
{
    sigset_t resized = resize_block();
    AUTO_SESSION session = {0};
    AUTO(service_context) service = NULL;
    AUTO(actor_stream) stream = NULL;
    int code = 0;
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0 ||
        enclave_context_get_service_context(session.enclave, cli_arg(call, "service"), &service,
                                            err) < 0)
        return -1;
    Orchestrator__ExecArgs start = ORCHESTRATOR__EXEC_ARGS__INIT;
    start.enclave_uuid = (char *)enclave_context_uuid(session.enclave);
    start.service_uuid = (char *)service_context_uuid(service);
    Orchestrator__ShellInput first = ORCHESTRATOR__SHELL_INPUT__INIT;
    first.start = &start;
    if (actor_stream_open(kurtosis_context_actor(session.kurtosis), NULL, BACKEND_DRIVER,
                          "orchestrator.Orchestrator/Shell", NULL, &stream, err) < 0 ||
        actor_stream_send(stream, &first.base, err) < 0)
        return err_wrap(err, "cannot open a shell in the service '%s'", cli_arg(call, "service"));
    raw_on();
    int result = relay(stream, &resized, &code, err);
    raw_off();
    if (result < 0 && err_code(*err) == ERR_UNSUPPORTED)
        return err_wrap(err, "cannot open a shell in the service '%s'", cli_arg(call, "service"));
    if (result < 0)
        return err_wrap(err, "the shell in the service '%s' was cut off", cli_arg(call, "service"));
    return code == 0 ? 0 : CLI_FAILED;
}
