/*  kurtosis-log-sink ROOT URL: forwards the lines of a log store to one receiver (sinks.h), as long as it runs.
 *
 *  The store is the queue: besides one batch nothing is held, and a receiver that is away for a while gets what the store still
 *  has when it is back. How far each log has been delivered is in <root>/.sinks/<hash of the URL>, written after a delivery and
 *  at most once a second: a receiver gets a line twice rather than not at all.
 *
 *  Ends on SIGTERM and SIGINT.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "logs/sinks/sinks.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#define RETRY_FIRST_MS 100
#define RETRY_MOST_MS 30000
#define SAVE_MS 1000
#define LOGS_AT_ONCE_MAX 100000u /* logs whose position is kept */

/* A log and how far it is delivered. */
typedef struct {
    char enclave[LOGS_NAME_MAX + 1], service[LOGS_NAME_MAX + 1];
    logs_position_t position;
    logs_reader_t *reader;
    char *enclave_name, *service_name;
    bool seen; /* in this turn */
} log_t;

typedef struct {
    const char *root;
    char *path; /* of the positions */
    sink_t *sink;
    logs_watch_t *watch;
    log_t *logs;
    size_t count;
    bool dirty;
    int64_t save_at; /* milliseconds */
    int signal_fd;
    int delay_ms;
} state_t;

/* ------------------------------------------------------------------------------------- positions */

static log_t *
require(state_t *self, const char *enclave, const char *service)
{
    for (size_t i = 0; i < self->count; i++)
        if (!strcmp(self->logs[i].service, service) && !strcmp(self->logs[i].enclave, enclave))
            return &self->logs[i];
    if (self->count == LOGS_AT_ONCE_MAX)
        return NULL;
    if (self->count % 64 == 0) {
        self->logs = realloc(self->logs, (self->count + 64) * sizeof *self->logs);
        if (!self->logs)
            abort();
    }
    log_t *log = &self->logs[self->count++];
    *log = (log_t){0};
    snprintf(log->enclave, sizeof log->enclave, "%s", enclave);
    snprintf(log->service, sizeof log->service, "%s", service);
    return log;
}

static void
load(state_t *self)
{
    char enclave[LOGS_NAME_MAX + 1], service[LOGS_NAME_MAX + 1];
    logs_position_t position;
    FILE *file = fopen(self->path, "re");
    while (file && fscanf(file, "%64s %64s %" SCNu64 " %" SCNu64 " %" SCNu32, enclave, service,
                          &position.number, &position.offset, &position.line) == 5) {
        log_t *log = require(self, enclave, service);
        if (log)
            log->position = position;
    }
    if (file)
        fclose(file);
}

static void
save(state_t *self)
{
    AUTO_FREE char *draft = str_format("%s.new", self->path);
    FILE *file = self->dirty ? fopen(draft, "we") : NULL;
    self->save_at = clock_ns() / NS_PER_MS + SAVE_MS;
    if (!file)
        return;
    for (size_t i = 0; i < self->count; i++)
        fprintf(file, "%s %s %" PRIu64 " %" PRIu64 " %" PRIu32 "\n", self->logs[i].enclave,
                self->logs[i].service, self->logs[i].position.number, self->logs[i].position.offset,
                self->logs[i].position.line);
    if (fclose(file) == 0 && rename(draft, self->path) == 0)
        self->dirty = false;
}

/* ------------------------------------------------------------------------------------ delivering */

/* Waits; true when the process is to end. */
static bool
ends(state_t *self, int fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = self->signal_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (poll(fds, ARRAY_LEN(fds), timeout_ms) < 0 && errno == EINTR)
        continue;
    return fds[0].revents != 0;
}

/* Delivers a batch, however long it takes; true when the process is to end first. */
static bool
deliver(state_t *self, const sink_batch_t *batch)
{
    for (;;) {
        AUTO(err) err = NULL;
        if (sink_deliver(self->sink, batch, &err) == 0) {
            self->delay_ms = RETRY_FIRST_MS;
            return false;
        }
        if (err_code(err) == ERR_INVALID) {
            log_err(LOG_ERROR, "sink.refused", err, "lines=%zu service=%s", batch->count,
                    batch->service_name);
            return false;
        }
        log_err(LOG_WARN, "sink.failed", err, "again_ms=%d", self->delay_ms);
        if (ends(self, -1, self->delay_ms))
            return true;
        self->delay_ms = self->delay_ms * 2 < RETRY_MOST_MS ? self->delay_ms * 2 : RETRY_MOST_MS;
    }
}

static void
read_meta(state_t *self, log_t *log)
{
    AUTO_FREE char *text = logs_meta(self->root, log->enclave, log->service);
    json_t *meta = text ? json_loads(text, 0, NULL) : NULL;
    const char *enclave = json_string_value(json_object_get(meta, "enclave_name")),
               *service = json_string_value(json_object_get(meta, "service_name"));
    free(log->enclave_name);
    free(log->service_name);
    log->enclave_name = strdup(enclave && *enclave ? enclave : log->enclave);
    log->service_name = strdup(service && *service ? service : log->service);
    json_decref(meta);
}

/* Lines of a log, gathered. */
typedef struct {
    str_t text;
    logs_line_t lines[SINK_LINES_MAX];
    size_t offsets[SINK_LINES_MAX], count;
} gathered_t;

static int
gather(log_t *log, gathered_t *out, err_t **err)
{
    logs_line_t line;
    int got = 1;
    str_clear(&out->text);
    for (out->count = 0; out->count < SINK_LINES_MAX && out->text.len < SINK_BYTES_MAX;
         out->count++) {
        if ((got = logs_reader_next(log->reader, &line, err)) <= 0)
            break;
        out->offsets[out->count] = out->text.len;
        utf8_clean(&out->text, line.text, line.size);
        out->lines[out->count] = line;
        out->lines[out->count].size = out->text.len - out->offsets[out->count];
    }
    for (size_t i = 0; i < out->count; i++)
        out->lines[i].text = out->text.data + out->offsets[i];
    return got < 0 ? -1 : out->count > 0;
}

/* Delivers what a log has; true when the process is to end. */
static bool
forward(state_t *self, log_t *log, gathered_t *gathered)
{
    AUTO(err) err = NULL;
    int got;
    if (!log->reader) {
        if (logs_reader_open(self->root, log->enclave, log->service, &log->reader, NULL) < 0)
            return false;
        logs_reader_seek(log->reader, &log->position);
        read_meta(self, log);
    }
    while ((got = gather(log, gathered, &err)) > 0) {
        const sink_batch_t batch = {.enclave_uuid = log->enclave,
                                    .enclave_name = log->enclave_name,
                                    .service_uuid = log->service,
                                    .service_name = log->service_name,
                                    .lines = gathered->lines,
                                    .count = gathered->count};
        if (deliver(self, &batch))
            return true;
        log->position = logs_reader_position(log->reader);
        self->dirty = true;
        if (clock_ns() / NS_PER_MS >= self->save_at)
            save(self);
    }
    if (got < 0) {
        log_err(LOG_ERROR, "sink.damaged", err, "service=%s", log->service);
        log->position = (logs_position_t){.number = log->position.number + 1};
        logs_reader_seek(log->reader, &log->position);
    }
    return false;
}

static int
see(void *arg, const char *enclave, const char *service, err_t **err)
{
    state_t *self = arg;
    log_t *log = require(self, enclave, service);
    if (!log)
        return 0;
    log->seen = true;
    return log->reader                                                          ? 0
           : logs_watch_add(self->watch, self->root, enclave, service, err) < 0 ? -1
                                                                                : 0;
}

static void
forget(log_t *log)
{
    logs_reader_destroy(&log->reader);
    free(TAKE(log->enclave_name));
    free(TAKE(log->service_name));
}

/* Of the root and each enclave: a log that is not there makes the folder above it be watched. */
static void
watch_folders(state_t *self)
{
    logs_watch_add(self->watch, self->root, "-", "-", NULL);
    DIR *root = opendir(self->root);
    for (struct dirent *entry; root && (entry = readdir(root));)
        if (logs_name_is_valid(entry->d_name))
            logs_watch_add(self->watch, self->root, entry->d_name, "-", NULL);
    if (root)
        closedir(root);
}

/* Looks which logs there are, and delivers what they have; true when the process is to end. */
static bool
turn(state_t *self, gathered_t *gathered)
{
    AUTO(err) err = NULL;
    for (size_t i = 0; i < self->count; i++)
        self->logs[i].seen = false;
    logs_watch_drain(self->watch);
    watch_folders(self);
    if (logs_each(self->root, see, self, &err) < 0)
        log_err(LOG_WARN, "sink.not_watched", err, "%s", "");
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->logs[i].seen)
            self->logs[kept++] = self->logs[i];
        else
            forget(&self->logs[i]);
    self->dirty |= kept != self->count;
    self->count = kept;
    for (size_t i = 0; i < self->count; i++)
        if (forward(self, &self->logs[i], gathered))
            return true;
    return false;
}

/* FNV-1a. */
static uint64_t
hash(const char *text)
{
    uint64_t value = 14695981039346656037u;
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 1099511628211u;
    return value;
}

static int
run(state_t *self, const char *url, err_t **err)
{
    AUTO_FREE char *folder = str_format("%s/.sinks", self->root);
    mkdir(self->root, 0700);
    mkdir(folder, 0700);
    self->path = str_format("%s/%016" PRIx64, folder, hash(url));
    if (sink_new(url, &self->sink, err) < 0 || logs_watch_new(&self->watch, err) < 0)
        return -1;
    load(self);
    log_info("sink.ready", "to=%s logs=%zu", url, self->count);
    gathered_t *gathered = calloc(1, sizeof *gathered);
    if (!gathered)
        abort();
    gathered->text = STR_EMPTY;
    while (!turn(self, gathered) &&
           !ends(self, logs_watch_fd(self->watch), self->dirty ? SAVE_MS : -1))
        if (self->dirty && clock_ns() / NS_PER_MS >= self->save_at)
            save(self);
    save(self);
    str_done(&gathered->text);
    free(gathered);
    return 0;
}

int
main(int argc, char **argv)
{
    AUTO(err) err = NULL;
    sigset_t signals;
    log_init("log-sink", LOG_INFO);
    if (argc != 3) {
        fputs("usage: kurtosis-log-sink ROOT URL\n", stderr);
        return 1;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    state_t state = {.root = argv[1], .delay_ms = RETRY_FIRST_MS};
    state.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    int result = run(&state, argv[2], &err);
    if (result < 0)
        log_err(LOG_ERROR, "sink.cannot_begin", err, "%s", "");
    for (size_t i = 0; i < state.count; i++)
        forget(&state.logs[i]);
    free(state.logs);
    free(state.path);
    logs_watch_destroy(&state.watch);
    sink_destroy(&state.sink);
    close(state.signal_fd);
    curl_global_cleanup();
    return result < 0 ? 1 : 0;
}
