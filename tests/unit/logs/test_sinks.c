/*  Sinks: what is sent, and the program that forwards a store to small receivers which also refuse and hang up. */
#include "logs/sinks/sinks.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define E "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define S "5e51ce00000000000000000000000001"
#define TIME INT64_C(1700000000123456789)
#define COUNT 1200
#define PATIENCE_MS 30000

typedef struct {
    char root[64];
    pid_t program, receiver;
} place_t;

static int
setup(void **state)
{
    place_t *self = calloc(1, sizeof *self);
    strcpy(self->root, "/tmp/kurtosis-sinks-XXXXXX");
    *state = self;
    return mkdtemp(self->root) ? 0 : -1;
}

static void
end(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGTERM);
        waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

static void
stop(place_t *self)
{
    end(&self->program);
}

static int
teardown(void **state)
{
    place_t *self = *state;
    stop(self);
    end(&self->receiver);
    file_remove_tree(self->root, NULL);
    free(self);
    return 0;
}

static void
start(place_t *self, const char *url)
{
    self->program = fork();
    if (self->program == 0) {
        AUTO_FREE char *root = str_format("%s/logs", self->root);
        execl(SINK_PROGRAM, "kurtosis-log-sink", root, url, NULL);
        _exit(127);
    }
}

/* Lines "line <number>" from from to to. */
static void
print(const place_t *self, int from, int to)
{
    AUTO_FREE char *root = str_format("%s/logs", self->root);
    AUTO(logs_writer) writer = NULL;
    logs_batch_t batch;
    mkdir(root, 0700);
    assert_int_equal(logs_writer_open(root, E, S, &writer, NULL), 0);
    assert_int_equal(logs_writer_describe(
                         writer, "{\"enclave_name\": \"blue\", \"service_name\": \"web\"}", NULL),
                     0);
    logs_batch_init(&batch);
    for (int i = from; i < to; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "line %d", i);
        logs_batch_add(&batch, LOGS_OUT, TIME + i, text, (size_t)size);
    }
    assert_int_equal(logs_writer_put(writer, &batch, "", 0, NULL), 0);
    logs_batch_done(&batch);
}

/* ------------------------------------------------------------------------------------- receivers */

static int
listen_tcp(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Waits for something to read. */
static void
await(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&one, 1, PATIENCE_MS), 1);
}

static size_t
receive(int fd, str_t *out)
{
    char bytes[65536];
    await(fd);
    ssize_t got = read(fd, bytes, sizeof bytes);
    assert_true(got >= 0);
    str_add_bytes(out, bytes, (size_t)got);
    return (size_t)got;
}

/* Takes one request of a connection: its body. */
static char *
take_request(int fd, str_t *head)
{
    const char *end;
    str_clear(head);
    while (!(end = strstr(head->data, "\r\n\r\n")))
        if (receive(fd, head) == 0)
            return NULL;
    const char *length = strcasestr(head->data, "content-length:");
    assert_non_null(length);
    size_t wanted = (size_t)(end + 4 - head->data) + strtoul(length + 15, NULL, 10);
    if (strcasestr(head->data, "expect: 100"))
        assert_true(write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 25);
    while (head->len < wanted)
        assert_true(receive(fd, head) > 0);
    return strdup(strstr(head->data, "\r\n\r\n") + 4);
}

/* ---------------------------------------------------------------------------------------- formats */

static const logs_line_t lines[] = {{LOGS_OUT, TIME, "one \"1\"", 7},
                                    {LOGS_ERR, TIME + 1, "two", 3}};
static const sink_batch_t example = {E, "blue", S, "web", lines, 2};

static void
messages_are_what_their_receivers_expect(void **state)
{
    (void)state;
    AUTO_FREE char *json = sink_json_line(&example, &lines[0]),
                   *out = sink_syslog_line(&example, &lines[0]),
                   *err = sink_syslog_line(&example, &lines[1]), *loki = sink_loki_body(&example),
                   *otlp = sink_otlp_body(&example);
    assert_string_equal(json,
                        "{\"timestamp\":\"2023-11-14T22:13:20.123456789Z\",\"log\":\"one "
                        "\\\"1\\\"\",\"stream\":\"stdout\","
                        "\"kurtosis_enclave_uuid\":\"" E "\",\"kurtosis_enclave_name\":\"blue\","
                        "\"kurtosis_service_uuid\":\"" S "\",\"kurtosis_service_name\":\"web\"}");
    assert_string_equal(
        out,
        "<14>1 2023-11-14T22:13:20.123456Z blue web 5e51ce000000 - [kurtosis@32473 enclave=\"" E
        "\" service=\"" S "\"] one \"1\"");
    assert_true(str_starts(err, "<11>1 "));
    assert_string_equal(
        loki,
        "{\"streams\":[{\"stream\":{\"job\":\"kurtosis\",\"stream\":\"stdout\",\"kurtosis_enclave_"
        "uuid\":\"" E "\",\"kurtosis_enclave_name\":\"blue\",\"kurtosis_service_uuid\":\"" S
        "\",\"kurtosis_service_name\":\"web\"},\"values\":[[\"1700000000123456789\",\"one "
        "\\\"1\\\"\"]]},"
        "{\"stream\":{\"job\":\"kurtosis\",\"stream\":\"stderr\",\"kurtosis_enclave_uuid\":\"" E
        "\",\"kurtosis_enclave_name\":\"blue\",\"kurtosis_service_uuid\":\"" S
        "\",\"kurtosis_service_name\":\"web\"},\"values\":[[\"1700000000123456790\",\"two\"]]}]}");
    json_t *parsed = json_loads(otlp, 0, NULL);
    json_t *logs =
        json_object_get(json_array_get(json_object_get(parsed, "resourceLogs"), 0), "scopeLogs");
    json_t *records = json_object_get(json_array_get(logs, 0), "logRecords"),
           *second = json_array_get(records, 1);
    assert_int_equal(json_array_size(records), 2);
    assert_string_equal(json_string_value(json_object_get(second, "timeUnixNano")),
                        "1700000000123456790");
    assert_int_equal(json_integer_value(json_object_get(second, "severityNumber")), 17);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(second, "body"), "stringValue")), "two");
    json_decref(parsed);
}

static void
urls_of_no_receiver_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
                                       "http://x",
                                       "file://",
                                       "file://relative",
                                       "syslog+udp://host",
                                       "syslog+tcp://:5",
                                       "loki+http://",
                                       "syslog+unix://x",
                                       "loki+http://host#ca=/x",
                                       "loki+https://host#ca=x",
                                       "otlp+https://host/path#other",
                                       "ftp://host/x"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        sink_t *sink;
        AUTO(err) err = NULL;
        assert_int_equal(sink_new(urls[i], &sink, &err), -1);
        assert_int_equal(err_code(err), ERR_INVALID);
    }
}

/* ---------------------------------------------------------------------------------------- program */

static void
datagrams_of_syslog_arrive(void **state)
{
    place_t *self = *state;
    for (int is_udp = 0; is_udp < 2; is_udp++) {
        struct sockaddr_un path = {.sun_family = AF_UNIX};
        struct sockaddr_in host = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof host;
        snprintf(path.sun_path, sizeof path.sun_path, "%s/log", self->root);
        int fd = socket(is_udp ? AF_INET : AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(is_udp ? bind(fd, (struct sockaddr *)&host, size)
                                : bind(fd, (struct sockaddr *)&path, sizeof path),
                         0);
        if (is_udp)
            getsockname(fd, (struct sockaddr *)&host, &size);
        AUTO_FREE char *url = is_udp ? str_format("syslog+udp://127.0.0.1:%u", ntohs(host.sin_port))
                                     : str_format("syslog+unix://%s/log", self->root);
        if (!is_udp)
            print(self, 0, 20);
        start(self, url);
        for (int i = 0; i < 20; i++) {
            AUTO_STR message = STR_EMPTY;
            receive(fd, &message);
            AUTO_FREE char *expected = str_format("] line %d", i);
            assert_true(str_starts(message.data, "<14>1 ") && str_ends(message.data, expected));
        }
        stop(self);
        close(fd);
    }
}

static void
a_stream_of_syslog_goes_on_where_it_was_after_a_stop(void **state)
{
    place_t *self = *state;
    unsigned port;
    int listener = listen_tcp(&port), next = 0;
    AUTO_FREE char *url = str_format("syslog+tcp://127.0.0.1:%u", port);
    for (int round = 0; round < 3; round++) {
        print(self, round * COUNT, (round + 1) * COUNT);
        start(self, url);
        await(listener);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        AUTO_STR bytes = STR_EMPTY;
        size_t used = 0;
        while (next < (round + 1) * COUNT) {
            char *message;
            size_t size = strtoul(bytes.data + used, &message, 10);
            if (!size || bytes.len < (size_t)(message + 1 - bytes.data) + size) {
                assert_true(receive(fd, &bytes) > 0);
                continue;
            }
            AUTO_FREE char *text = strndup(message + 1, size),
                           *expected = str_format("] line %d", next++);
            if (!str_ends(text, expected))
                fail_msg("'%s' does not end in '%s'", text, expected);
            used = (size_t)(message + 1 - bytes.data) + size;
        }
        stop(self);
        close(fd);
    }
    close(listener);
}

/* How many lines of the batch are the next ones. */
static int
count_lines(const char *body, int next)
{
    for (;; next++) {
        AUTO_FREE char *line = str_format("\"line %d\"", next);
        if (!strstr(body, line))
            return next;
    }
}

static void
http_receivers_that_refuse_and_hang_up_get_every_line(void **state)
{
    place_t *self = *state;
    static const struct {
        const char *url, *path;
    } rows[] = {{"loki+http://127.0.0.1:%u", "POST /loki/api/v1/push "},
                {"otlp+http://127.0.0.1:%u", "POST /v1/logs "}};
    print(self, 0, COUNT);
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        unsigned port;
        int listener = listen_tcp(&port), next = 0, fd = -1;
        AUTO_FREE char *url =
            str_format(row ? "otlp+http://127.0.0.1:%u" : "loki+http://127.0.0.1:%u", port);
        AUTO_STR head = STR_EMPTY;
        start(self, url);
        for (int request = 0; next < COUNT; request++) {
            char *body = NULL;
            while (!body) {
                if (fd < 0) {
                    await(listener);
                    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                }
                body = take_request(fd, &head);
                if (!body || request == 1) {
                    close(fd);
                    fd = -1;
                }
            }
            assert_true(str_starts(head.data, rows[row].path));
            const char *answer = request == 0 ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
                                              : "HTTP/1.1 204 No Content\r\n\r\n";
            if (request != 1) {
                if (request != 0)
                    next = count_lines(body, next);
                assert_true(write(fd, answer, strlen(answer)) > 0);
            }
            free(body);
        }
        assert_int_equal(next, COUNT);
        stop(self);
        close(fd);
        close(listener);
    }
}

/* Starts a receiver with TLS: what it prints, after its port. */
static FILE *
start_receiver(place_t *self, unsigned *ret_port)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    self->receiver = fork();
    if (self->receiver == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execlp("python3", "python3", TLS_RECEIVER, self->root, NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    assert_int_equal(fscanf(out, "%u", ret_port), 1);
    assert_int_equal(getc(out), '\n');
    return out;
}

/* Takes bodies until there are the lines from next to last, each once and in order. */
static void
take_bodies(FILE *out, int next, int last)
{
    char *body = NULL;
    size_t space = 0;
    while (next < last) {
        int found = 0, before = next;
        assert_true(getline(&body, &space, out) > 0);
        for (const char *at = body; (at = strstr(at, "\"line ")); at++)
            found++;
        next = count_lines(body, next);
        assert_int_equal(next - before, found);
    }
    assert_int_equal(next, last);
    free(body);
}

static void
receivers_with_tls_get_every_line_once(void **state)
{
    place_t *self = *state;
    static const char *const kinds[] = {"loki", "otlp"};
    unsigned port;
    FILE *out = start_receiver(self, &port);
    print(self, 0, COUNT);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        AUTO_FREE char *url =
            str_format("%s+https://127.0.0.1:%u#ca=%s/good.pem", kinds[i], port, self->root);
        start(self, url);
        take_bodies(out, 0, COUNT * ((int)i + 1));
        print(self, COUNT * ((int)i + 1), COUNT * ((int)i + 2));
        take_bodies(out, COUNT * ((int)i + 1), COUNT * ((int)i + 2));
        stop(self);
    }
    fclose(out);
}

static void
a_receiver_that_cannot_be_trusted_gets_nothing_and_is_named(void **state)
{
    place_t *self = *state;
    unsigned port;
    FILE *out = start_receiver(self, &port);
    static const struct {
        const char *host, *roots, *says, *hint;
    } rows[] = {{"127.0.0.1", "stranger.pem", "certificate", "#ca=/path"},
                {"127.0.0.1", NULL, "certificate", "#ca=/path"},
                {"localhost", "good.pem", "'localhost'", "#ca=/path"},
                {"127.0.0.1", "nowhere.pem", "nowhere.pem", ""}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(err) err = NULL;
        AUTO(sink) sink = NULL;
        AUTO_STR url = STR_EMPTY;
        str_printf(&url, "loki+https://%s:%u", rows[i].host, port);
        if (rows[i].roots)
            str_printf(&url, "#ca=%s/%s", self->root, rows[i].roots);
        assert_int_equal(sink_new(url.data, &sink, &err), 0);
        assert_int_equal(sink_deliver(sink, &example, &err), -1);
        assert_int_equal(err_code(err), ERR_UNAVAILABLE);
        AUTO_FREE char *text = err_string(err);
        if (!strstr(text, rows[i].says) || !strstr(text, rows[i].host) ||
            !strstr(text, rows[i].hint))
            fail_msg("%s", text);
    }
    /* The first that comes is of one who trusts it. */
    print(self, 0, 3);
    AUTO_FREE char *url = str_format("loki+https://127.0.0.1:%u#ca=%s/good.pem", port, self->root);
    start(self, url);
    take_bodies(out, 0, 3);
    fclose(out);
}

static void
a_file_gets_the_lines_that_come_while_the_program_runs(void **state)
{
    place_t *self = *state;
    AUTO_FREE char *path = str_format("%s/out", self->root), *url = str_format("file://%s", path);
    AUTO_FREE char *root = str_format("%s/logs", self->root);
    mkdir(root, 0700);
    start(self, url);
    print(self, 0, 3);
    print(self, 3, 700);
    int count = 0;
    for (int wait = 0; wait < PATIENCE_MS / 10 && count < 700; wait++) {
        AUTO_STR line = STR_EMPTY;
        FILE *file = fopen(path, "r");
        count = 0;
        for (int c; file && (c = getc(file)) != EOF;)
            count += c == '\n';
        if (file)
            fclose(file);
        poll(NULL, 0, 10);
    }
    assert_int_equal(count, 700);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_what_their_receivers_expect),
        cmocka_unit_test(urls_of_no_receiver_are_refused),
        IN_PLACE(datagrams_of_syslog_arrive),
        IN_PLACE(a_stream_of_syslog_goes_on_where_it_was_after_a_stop),
        IN_PLACE(http_receivers_that_refuse_and_hang_up_get_every_line),
        IN_PLACE(receivers_with_tls_get_every_line_once),
        IN_PLACE(a_receiver_that_cannot_be_trusted_gets_nothing_and_is_named),
        IN_PLACE(a_file_gets_the_lines_that_come_while_the_program_runs),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
