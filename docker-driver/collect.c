/*  collect: see collect.h.
 *
 *  The thread has the lock except while it waits in poll(2): the sources are its own, and callers only look at them, add
 *  some, or set one to PENDING, between its turns.
 */
#include "docker-driver/collect.h"

#include "base/clock.h"
#include "base/log.h"
#include "docker-driver/reply.h"
#include "docker-driver/source.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#define RETRY_FIRST_MS 20
#define RETRY_MOST_MS 2000
#define GATHER_MS 3
#define KEEP_SHARE 32u /* of the quota: after so much was written it is looked at */
#define KEEP_BYTES_MIN (1u << 20)

/* A request of the collector's own: the event stream, the list of containers. */
typedef struct {
    docker_request_t request;
    docker_transfer_t *transfer;
    char *path;
} asking_t;

struct docker_collector {
    docker_t *docker;
    char *root;
    uint64_t quota;
    int64_t retention_ns;
    int lock_fd; /* of the store */
    int wake_fd; /* written when there is something new to do */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    bool stopping;
    docker_source_t **sources;
    size_t count;
    logs_batch_t batch;
    asking_t events, list;
    docker_json_lines_t lines; /* of events */
    int64_t events_at; /* clock_ns(): then the event stream is opened again; 0 while it is open */
    int delay_ms;
    uint64_t written; /* since the limits were looked at */
    bool busy;        /* lines came in the last turn */
    int64_t keep_at;
    struct pollfd *fds;
    size_t fds_space;
};

static void *collect(void *self);

/* ------------------------------------------------------------------------------------- sources */

static docker_source_t *
find(docker_collector_t *self, const char *id)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->sources[i]->id, id) == 0)
            return self->sources[i];
    return NULL;
}

static docker_source_t *
require(docker_collector_t *self, const char *id)
{
    docker_source_t *source = find(self, id);
    if (source)
        return source;
    source = docker_source_new(self->docker, self->root, &self->batch, id);
    LIST_ADD(self->sources, self->count, source);
    return source;
}

/* The container may have more to say: reads it once more, now or when what is being read has ended. */
static docker_source_t *
read_again(docker_collector_t *self, const char *id)
{
    docker_source_t *source = require(self, id);
    if (source->state == SOURCE_ENDED)
        source->state = SOURCE_PENDING;
    else
        source->again = true;
    return source;
}

static void
drop_gone(docker_collector_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->sources[i]->state == SOURCE_GONE)
            docker_source_destroy(&self->sources[i]);
        else
            self->sources[kept++] = self->sources[i];
    self->count = kept;
}

/* ---------------------------------------------------------------------------- events and the list */

static void
asking_done(asking_t *self)
{
    docker_transfer_destroy(&self->transfer);
    docker_request_done(&self->request);
    free(TAKE(self->path));
}

static int
asking_begin(docker_collector_t *self, asking_t *asking, char *path, err_t **err)
{
    asking_done(asking);
    asking->path = path;
    asking->request.method = "GET";
    asking->request.path = path;
    asking->request.arg = self;
    asking->transfer = docker_http_begin(self->docker->http, &asking->request, err);
    return asking->transfer ? 0 : -1;
}

/* Again from the beginning of everything: events, and what they do not tell. */
static void
ask_later(docker_collector_t *self, const err_t *why)
{
    if (self->delay_ms > RETRY_FIRST_MS * 8)
        log_err(LOG_WARN, "logs.no_events", why, "again_ms=%d", self->delay_ms);
    asking_done(&self->events);
    docker_json_lines_done(&self->lines);
    self->events_at = clock_ns() + self->delay_ms * NS_PER_MS;
    self->delay_ms = self->delay_ms * 2 < RETRY_MOST_MS ? self->delay_ms * 2 : RETRY_MOST_MS;
}

static int
on_event(void *arg, const json_t *event, err_t **err)
{
    (void)err;
    docker_collector_t *self = arg;
    const char *id = docker_text(json_object_get(event, "Actor"), "ID"),
               *action = docker_reply_action(event);
    if (strcmp(action, "start") == 0 && *id) {
        read_again(self, id);
        return 0;
    }
    docker_source_t *source = find(self, id);
    if (strcmp(action, "destroy") != 0 || !source)
        return 0;
    if (source->state == SOURCE_FOLLOWING || source->state == SOURCE_INSPECTING)
        source->removed = true;
    else
        source->state = SOURCE_GONE;
    return 0;
}

static int
on_event_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_json_lines_feed(&((docker_collector_t *)arg)->lines, data, size, err);
}

static int
on_events_open(void *arg, err_t **err)
{
    docker_collector_t *self = arg;
    self->delay_ms = RETRY_FIRST_MS;
    return asking_begin(self, &self->list,
                        docker_containers_path(DOCKER_LABEL_APP, DOCKER_APP, DOCKER_TYPE_SERVICE),
                        err);
}

static void
open_events(docker_collector_t *self)
{
    AUTO(err) err = NULL;
    AUTO_FREE char *label = docker_label_filter(DOCKER_LABEL_CONTAINER_TYPE, DOCKER_TYPE_SERVICE);
    AUTO_FREE char *filters = docker_filters("type", "container", "label", label, "event", "start",
                                             DOCKER_EVENT_GONE, NULL);
    /* Docker opens its answer a moment before it subscribes, and what happens between is in its memory. */
    AUTO_FREE char *since = docker_since(clock_wall_ns());
    self->events_at = 0;
    self->lines = (docker_json_lines_t){.text = STR_EMPTY, .line = on_event, .arg = self};
    self->events.request =
        (docker_request_t){.timeout_ms = -1, .opened = on_events_open, .sink = on_event_bytes};
    if (asking_begin(self, &self->events,
                     docker_path("/events?since=%s&filters=%s", since, filters), &err) < 0)
        ask_later(self, err);
}

static void
listed(docker_collector_t *self)
{
    AUTO_JSON *containers = NULL;
    AUTO(err) err = NULL;
    if (self->list.request.failure ||
        docker_json(self->list.request.reply.data, self->list.request.reply.len, &containers,
                    &err) < 0) {
        ask_later(self, self->list.request.failure ? self->list.request.failure : err);
        return;
    }
    for (size_t i = 0; i < self->count; i++)
        self->sources[i]->listed = false;
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        read_again(self, docker_text(container, "Id"))->listed = true;
    }
    for (i = 0; i < self->count; i++)
        if (!self->sources[i]->listed && self->sources[i]->state == SOURCE_ENDED)
            self->sources[i]->state = SOURCE_GONE;
    asking_done(&self->list);
}

static void
asking_advance(docker_collector_t *self, asking_t *asking, short events, int64_t now)
{
    docker_transfer_advance(asking->transfer, events, now);
    if (!asking->transfer->finished)
        return;
    docker_transfer_destroy(&asking->transfer);
    if (asking == &self->events)
        ask_later(self, asking->request.failure);
    else
        listed(self);
}

/* --------------------------------------------------------------------------------------- limits */

static void
keep(docker_collector_t *self, int64_t now)
{
    AUTO(err) err = NULL;
    logs_limits_t limits = {.oldest = clock_wall_ns() - self->retention_ns, .quota = self->quota};
    self->written = 0;
    self->keep_at = now + DOCKER_COLLECT_KEEP_MS * NS_PER_MS;
    if (logs_keep(self->root, &limits, NULL, &err) < 0)
        log_err(LOG_WARN, "logs.not_kept_small", err, "%s", "");
}

static bool
must_keep(const docker_collector_t *self, int64_t now)
{
    uint64_t share = self->quota / KEEP_SHARE;
    return now >= self->keep_at ||
           self->written > (share > KEEP_BYTES_MIN ? share : KEEP_BYTES_MIN);
}

/* --------------------------------------------------------------------------------------- thread */

static void
watch(docker_collector_t *self, size_t *count, docker_transfer_t *transfer, int fd)
{
    if (*count == self->fds_space) {
        self->fds_space = self->fds_space ? self->fds_space * 2 : 64;
        self->fds = realloc(self->fds, self->fds_space * sizeof *self->fds);
        if (!self->fds)
            abort();
    }
    self->fds[(*count)++] =
        (struct pollfd){.fd = fd, .events = transfer ? docker_transfer_events(transfer) : POLLIN};
}

/* In the order in which take_turn looks: wake, events, list, sources. */
static size_t
watch_all(docker_collector_t *self)
{
    size_t count = 0;
    asking_t *const askings[] = {&self->events, &self->list};
    watch(self, &count, NULL, self->wake_fd);
    for (size_t i = 0; i < ARRAY_LEN(askings); i++)
        watch(self, &count, askings[i]->transfer,
              askings[i]->transfer ? askings[i]->transfer->fd : -1);
    for (size_t i = 0; i < self->count; i++)
        watch(self, &count, self->sources[i]->transfer,
              self->sources[i]->transfer ? self->sources[i]->transfer->fd : -1);
    return count;
}

static int
wait_ms(const docker_collector_t *self, int64_t now)
{
    int64_t first = self->keep_at;
    if (self->events_at && self->events_at < first)
        first = self->events_at;
    const asking_t *const askings[] = {&self->events, &self->list};
    for (size_t i = 0; i < ARRAY_LEN(askings); i++)
        if (askings[i]->transfer &&
            (askings[i]->transfer->finished || askings[i]->transfer->deadline)) {
            int64_t at = askings[i]->transfer->finished ? now : askings[i]->transfer->deadline;
            first = at < first ? at : first;
        }
    for (size_t i = 0; i < self->count; i++) {
        const docker_source_t *source = self->sources[i];
        int64_t at = source->state == SOURCE_PENDING   ? now
                     : source->state == SOURCE_WAITING ? source->retry_at
                     : source->transfer == NULL        ? INT64_MAX
                     : source->transfer->finished      ? now
                     : source->transfer->deadline      ? source->transfer->deadline
                                                       : INT64_MAX;
        first = at < first ? at : first;
    }
    return first <= now ? 0 : (int)((first - now) / NS_PER_MS) + 1;
}

/* What has a transfer that was watched, and not begun since. */
static void
take_turn(docker_collector_t *self, size_t watched, int64_t now)
{
    asking_t *const askings[] = {&self->events, &self->list};
    for (size_t i = 0; i < ARRAY_LEN(askings); i++)
        if (askings[i]->transfer)
            asking_advance(self, askings[i], self->fds[1 + i].fd < 0 ? 0 : self->fds[1 + i].revents,
                           now);
    size_t sources = watched - 3 < self->count ? watched - 3 : self->count;
    for (size_t i = 0; i < sources; i++) {
        docker_source_t *source = self->sources[i];
        short found = self->fds[3 + i].revents;
        bool due =
            source->transfer && (source->transfer->finished ||
                                 (source->transfer->deadline && now >= source->transfer->deadline));
        if (source->transfer && (found || due))
            docker_source_advance(source, found, now);
    }
    self->busy = false;
    for (size_t i = 0; i < self->count; i++) {
        docker_source_begin(self->sources[i], now);
        self->busy |= self->sources[i]->bytes > 0;
        self->written += self->sources[i]->bytes;
        self->sources[i]->bytes = 0;
    }
    drop_gone(self);
    if (self->events_at && now >= self->events_at)
        open_events(self);
    if (must_keep(self, now))
        keep(self, now);
    pthread_cond_broadcast(&self->changed);
}

static void *
collect(void *arg)
{
    docker_collector_t *self = arg;
    prctl(PR_SET_NAME, "logs");
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        size_t count = watch_all(self);
        int timeout = wait_ms(self, clock_ns());
        bool busy = self->busy;
        pthread_mutex_unlock(&self->lock);
        /* Docker sends line by line: those that follow each other closely are taken together. */
        if (busy)
            poll(self->fds, 1, GATHER_MS);
        int found = poll(self->fds, count, timeout);
        pthread_mutex_lock(&self->lock);
        for (size_t i = 0; found <= 0 && i < count; i++)
            self->fds[i].revents = 0;
        uint64_t drained;
        if (self->fds[0].revents && read(self->wake_fd, &drained, sizeof drained) < 0)
            continue;
        take_turn(self, count, clock_ns());
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* --------------------------------------------------------------------------------------- public */

int
docker_collector_new(docker_t *docker, const docker_collect_config_t *config,
                     docker_collector_t **ret_collector, err_t **err)
{
    AUTO(docker_collector) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->changed);
    self->docker = docker;
    self->root = strdup(config->root);
    self->quota = config->quota ? config->quota : DOCKER_COLLECT_QUOTA;
    self->retention_ns = config->retention_ns ? config->retention_ns : LOGS_RETENTION_NS;
    self->lock_fd = -1;
    self->delay_ms = RETRY_FIRST_MS;
    self->events_at = clock_ns();
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    logs_batch_init(&self->batch);
    self->events.request = self->list.request =
        (docker_request_t){.reply = STR_EMPTY, .path_stat = STR_EMPTY, .api_version = STR_EMPTY};
    self->lines.text = STR_EMPTY;
    if (self->wake_fd < 0)
        return err_fail(err, ERR_INTERNAL, "cannot make an event descriptor: %s", strerror(errno));
    if (logs_lock(config->root, &self->lock_fd, err) < 0)
        return err_wrap(err, "cannot collect the logs of services");
    if (pthread_create(&self->thread, NULL, collect, self) != 0)
        return err_fail(err, ERR_INTERNAL, "cannot start a thread for logs");
    self->has_thread = true;
    *ret_collector = TAKE(self);
    return 0;
}

static void
wake(docker_collector_t *self)
{
    uint64_t one = 1;
    if (write(self->wake_fd, &one, sizeof one) < 0) {
        /* It is awake as often as it can be. */
    }
}

void
docker_collector_destroy(docker_collector_t **self_p)
{
    docker_collector_t *self = TAKE(*self_p);
    if (!self)
        return;
    if (self->has_thread) {
        pthread_mutex_lock(&self->lock);
        self->stopping = true;
        pthread_mutex_unlock(&self->lock);
        wake(self);
        pthread_join(self->thread, NULL);
    }
    for (size_t i = 0; i < self->count; i++)
        docker_source_destroy(&self->sources[i]);
    free(self->sources);
    asking_done(&self->events);
    asking_done(&self->list);
    docker_json_lines_done(&self->lines);
    logs_batch_done(&self->batch);
    free(self->fds);
    free(self->root);
    if (self->lock_fd >= 0)
        close(self->lock_fd);
    if (self->wake_fd >= 0)
        close(self->wake_fd);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* With the lock. False once the deadline is over. */
static bool
wait_change(docker_collector_t *self, int64_t deadline)
{
    struct timespec until = {.tv_sec = (time_t)(deadline / NS_PER_SECOND),
                             .tv_nsec = deadline % NS_PER_SECOND};
    return !self->stopping && pthread_cond_timedwait(&self->changed, &self->lock, &until) == 0;
}

void
docker_collector_finish(docker_collector_t *self, const char *container_id)
{
    if (!self)
        return;
    int64_t deadline = clock_ns() + DOCKER_COLLECT_FINISH_MS * NS_PER_MS;
    pthread_mutex_lock(&self->lock);
    docker_source_t *source = require(self, container_id);
    if (source->state == SOURCE_ENDED)
        source->state = SOURCE_PENDING;
    wake(self);
    while ((source = find(self, container_id)) && source->state != SOURCE_ENDED)
        if (!wait_change(self, deadline)) {
            log_warn("logs.unfinished", "container=%.12s waited_ms=%d", container_id,
                     DOCKER_COLLECT_FINISH_MS);
            break;
        }
    pthread_mutex_unlock(&self->lock);
}

bool
docker_collector_await(docker_collector_t *self, const char *container_id, bool runs, int64_t time,
                       int64_t asked, int64_t deadline)
{
    if (!self)
        return true;
    pthread_mutex_lock(&self->lock);
    docker_source_t *source = require(self, container_id);
    if (source->state == SOURCE_ENDED &&
        (runs || !docker_cursor_has(&source->cursor, time, clock_ns() - asked)))
        source->state = SOURCE_PENDING;
    wake(self);
    bool there = true, settled = false;
    while (there && !settled) {
        source = find(self, container_id);
        settled = !source || source->state == SOURCE_ENDED ||
                  (source->state == SOURCE_FOLLOWING &&
                   docker_cursor_has(&source->cursor, time, clock_ns() - asked));
        if (!settled)
            there = wait_change(self, deadline);
    }
    pthread_mutex_unlock(&self->lock);
    return settled;
}

void
docker_collector_forget(docker_collector_t *self, const char *enclave_uuid)
{
    AUTO(err) err = NULL;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->count; i++)
        if (self->sources[i]->enclave && strcmp(self->sources[i]->enclave, enclave_uuid) == 0)
            self->sources[i]->state = SOURCE_GONE;
    drop_gone(self);
    if (logs_remove(self->root, enclave_uuid, &err) < 0)
        log_err(LOG_WARN, "logs.not_removed", err, "enclave=%s", enclave_uuid);
    wake(self);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void
docker_logs_drain(docker_t *docker, const char *container_id)
{
    if (!docker->collector)
        return;
    docker_post(docker, NULL, docker_path("/containers/%s/kill", container_id), NULL, NULL, NULL);
    docker_collector_finish(docker->collector, container_id);
}

int
docker_collect_logs(docker_t *self, const char *root, uint64_t quota, int64_t retention_ns,
                    err_t **err)
{
    const docker_collect_config_t config = {
        .root = root, .quota = quota, .retention_ns = retention_ns};
    return docker_collector_new(self, &config, &self->collector, err);
}
