/*  source: see source.h. */
#include "docker-driver/source.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS 5000

docker_source_t *
docker_source_new(docker_t *docker, const char *root, logs_batch_t *batch, const char *id)
{
    docker_source_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->docker = docker;
    self->root = root;
    self->batch = batch;
    self->id = strdup(id);
    self->request =
        (docker_request_t){.reply = STR_EMPTY, .path_stat = STR_EMPTY, .api_version = STR_EMPTY};
    self->delay_ms = RETRY_FIRST_MS;
    return self;
}

/* Ends the request under way. */
static void
drop_transfer(docker_source_t *self)
{
    docker_transfer_destroy(&self->transfer);
    docker_request_done(&self->request);
    free(TAKE(self->path));
}

/* Closes what following needs; the cursor is in the store. */
static void
drop_following(docker_source_t *self)
{
    drop_transfer(self);
    if (self->has_entries)
        docker_entries_done(&self->entries);
    self->has_entries = false;
    logs_writer_destroy(&self->writer);
}

void
docker_source_destroy(docker_source_t **self_p)
{
    docker_source_t *self = TAKE(*self_p);
    if (!self)
        return;
    drop_following(self);
    free(self->id);
    free(self->enclave);
    free(self->service);
    free(self);
}

/* It is tried again later; said at once, since it may last. */
static void
wait_for_better(docker_source_t *self, const err_t *why, int64_t now)
{
    if (self->delay_ms > RETRY_FIRST_MS * 4)
        log_err(LOG_WARN, "logs.interrupted", why, "container=%.12s again_ms=%d", self->id,
                self->delay_ms);
    logs_batch_done(self->batch);
    logs_batch_init(self->batch);
    drop_following(self);
    self->state = SOURCE_WAITING;
    self->retry_at = now + self->delay_ms * NS_PER_MS;
    self->delay_ms = self->delay_ms * 2 < RETRY_MOST_MS ? self->delay_ms * 2 : RETRY_MOST_MS;
}

static void
request(docker_source_t *self, char *path, int64_t now)
{
    AUTO(err) err = NULL;
    self->path = path;
    self->request.method = "GET";
    self->request.path = path;
    self->request.arg = self;
    self->transfer = docker_http_begin(self->docker->http, &self->request, &err);
    if (!self->transfer)
        wait_for_better(self, err, now);
}

/* -------------------------------------------------------------------------------------- storing */

static int
store(docker_source_t *self, err_t **err)
{
    if (!self->batch->lines)
        return 0;
    uint8_t cursor[DOCKER_CURSOR_SIZE];
    docker_cursor_keep(&self->cursor, clock_ahead_ns());
    docker_cursor_put(&self->cursor, cursor);
    uint64_t before = logs_writer_bytes(self->writer);
    if (logs_writer_put(self->writer, self->batch, cursor, sizeof cursor, err) < 0)
        return err_wrap(err, "cannot store what service '%s' prints", self->service);
    self->bytes += logs_writer_bytes(self->writer) - before;
    self->delay_ms = RETRY_FIRST_MS;
    return 0;
}

static int
mark(docker_source_t *self, logs_mark_t what, err_t **err)
{
    uint8_t cursor[DOCKER_CURSOR_SIZE];
    docker_cursor_keep(&self->cursor, clock_ahead_ns());
    docker_cursor_put(&self->cursor, cursor);
    uint64_t before = logs_writer_bytes(self->writer);
    int result = logs_writer_mark(self->writer, what, cursor, sizeof cursor, err);
    self->bytes += logs_writer_bytes(self->writer) - before;
    return result;
}

static int
on_line(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size, err_t **err)
{
    docker_source_t *self = arg;
    if (!docker_cursor_take(&self->cursor, time, !docker_entries_open(&self->entries)))
        return 0;
    if (size && line[size - 1] == '\r')
        size--; /* terminals end lines so */
    logs_batch_add(self->batch, stream == DOCKER_ERR ? LOGS_ERR : LOGS_OUT, time, line, size);
    return self->batch->bytes.len < LOGS_BATCH_MAX ? 0 : store(self, err);
}

static int
on_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_entries_feed(&((docker_source_t *)arg)->entries, data, size, err);
}

/* Readers that follow hear that it runs before Docker has a line of it. */
static int
on_open(void *arg, err_t **err)
{
    docker_source_t *self = arg;
    return self->running ? mark(self, LOGS_BEGAN, err) : 0;
}

/* ------------------------------------------------------------------------------------ following */

/* What readers of the store may want to know of the service. */
static int
describe(docker_source_t *self, const json_t *labels, err_t **err)
{
    AUTO_JSON *meta =
        json_pack("{s:s, s:s, s:s, s:s}", "enclave_uuid", self->enclave, "service_uuid",
                  self->service, "enclave_name", docker_text(labels, DOCKER_LABEL_ENCLAVE_NAME),
                  "service_name", docker_text(labels, DOCKER_LABEL_ID));
    AUTO_FREE char *text = meta ? docker_json_text(meta) : strdup("{}");
    return logs_writer_describe(self->writer, text, err);
}

static int
open_store(docker_source_t *self, const json_t *labels, err_t **err)
{
    size_t size;
    if (logs_writer_open(self->root, self->enclave, self->service, &self->writer, err) < 0 ||
        describe(self, labels, err) < 0)
        return -1;
    const void *bytes = logs_writer_cursor(self->writer, &size);
    docker_cursor_init(&self->cursor, self->id, bytes, size);
    docker_cursor_begin(&self->cursor, clock_ahead_ns(), clock_wall_ns());
    docker_entries_init(&self->entries, self->tty, on_line, self);
    self->has_entries = true;
    return 0;
}

static void
follow(docker_source_t *self, int64_t now)
{
    AUTO_FREE char *since = docker_since(self->cursor.since);
    self->again = false;
    self->state = SOURCE_FOLLOWING;
    self->request.timeout_ms = -1;
    self->request.opened = on_open;
    self->request.sink = on_bytes;
    request(self,
            docker_path("/containers/%s/logs?stdout=1&stderr=1&timestamps=1&follow=1&since=%s",
                        self->id, since),
            now);
}

static void
inspected(docker_source_t *self, int64_t now)
{
    AUTO_JSON *container = NULL;
    AUTO(err) err = NULL;
    if (self->request.status == 404) {
        drop_transfer(self);
        self->state = SOURCE_GONE;
        return;
    }
    if (self->request.failure ||
        docker_json(self->request.reply.data, self->request.reply.len, &container, &err) < 0) {
        wait_for_better(self, self->request.failure ? self->request.failure : err, now);
        return;
    }
    drop_transfer(self);
    const json_t *labels = docker_at(container, "Config", "Labels", NULL);
    self->tty = json_is_true(docker_at(container, "Config", "Tty", NULL));
    self->running = json_is_true(docker_at(container, "State", "Running", NULL));
    free(self->enclave);
    free(self->service);
    self->enclave = strdup(docker_text(labels, DOCKER_LABEL_ENCLAVE));
    self->service = strdup(docker_text(labels, DOCKER_LABEL_GUID));
    bool ours = !strcmp(docker_text(labels, DOCKER_LABEL_CONTAINER_TYPE), DOCKER_TYPE_SERVICE) &&
                logs_name_is_valid(self->enclave) && logs_name_is_valid(self->service);
    if (!ours)
        self->state = SOURCE_GONE;
    else if (open_store(self, labels, &err) < 0)
        wait_for_better(self, err, now);
    else
        follow(self, now);
}

/* The stream is over: because the container ended, or because something failed. */
static void
followed(docker_source_t *self, int64_t now)
{
    AUTO(err) err = NULL;
    bool gone = self->request.status == 404;
    if (gone)
        err_destroy(&self->request.failure);
    if (self->request.failure) {
        wait_for_better(self, self->request.failure, now);
        return;
    }
    if (docker_entries_end(&self->entries, &err) < 0 || store(self, &err) < 0 ||
        mark(self, LOGS_ENDED, &err) < 0) {
        wait_for_better(self, err, now);
        return;
    }
    drop_following(self);
    self->state = gone || self->removed ? SOURCE_GONE : self->again ? SOURCE_PENDING : SOURCE_ENDED;
}

void
docker_source_begin(docker_source_t *self, int64_t now)
{
    if (self->state != SOURCE_PENDING && (self->state != SOURCE_WAITING || self->retry_at > now))
        return;
    self->again = false;
    self->state = SOURCE_INSPECTING;
    self->request.timeout_ms = 0;
    self->request.opened = NULL;
    self->request.sink = NULL;
    request(self, docker_path("/containers/%s/json", self->id), now);
}

void
docker_source_advance(docker_source_t *self, short events, int64_t now)
{
    docker_transfer_advance(self->transfer, events, now);
    if (self->transfer->finished) {
        docker_transfer_destroy(&self->transfer);
        if (self->state == SOURCE_INSPECTING)
            inspected(self, now);
        else
            followed(self, now);
        return;
    }
    AUTO(err) err = NULL;
    if (self->state == SOURCE_FOLLOWING && store(self, &err) < 0)
        wait_for_better(self, err, now);
}
