/*  watch: WatchEnclave. Docker's event stream, filtered by the enclave's label; when the daemon
 *  goes away it is opened again until the caller gives up. */
#include "base/clock.h"
#include "docker-driver/api.h"
#include "docker-driver/reply.h"

#include <poll.h>

#define BACKOFF_FIRST_MS 5
#define BACKOFF_MOST_MS 1000

typedef struct {
    const docker_call_t *call;
    const char *enclave_uuid;
    docker_json_lines_t lines;
    bool was_open;    /* at some time */
    bool caller_gone; /* sending failed */
} watch_t;

static int
tell(watch_t *self, const Orchestrator__ContainerEvent *event, err_t **err)
{
    int result = self->call->send(self->call->arg, &event->base, err);
    self->caller_gone = result < 0;
    return result;
}

static int
on_open(void *arg, err_t **err)
{
    watch_t *self = arg;
    Orchestrator__ContainerEvent event = ORCHESTRATOR__CONTAINER_EVENT__INIT;
    event.enclave_uuid = (char *)self->enclave_uuid;
    event.action = self->was_open ? "resync" : "ready";
    event.timestamp = clock_wall_ns();
    self->was_open = true;
    return tell(self, &event, err);
}

static int
on_line(void *arg, const json_t *line, err_t **err)
{
    watch_t *self = arg;
    AUTO_ITEM Orchestrator__ContainerEvent *event = docker_reply_event(line);
    return event ? tell(self, event, err) : 0;
}

static int
on_bytes(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_json_lines_feed(&((watch_t *)arg)->lines, data, size, err);
}

static char *
events_path(const char *enclave_uuid)
{
    AUTO_FREE char *label = docker_label_filter(DOCKER_LABEL_ENCLAVE, enclave_uuid);
    AUTO_FREE char *filters =
        docker_filters("type", "container", "label", label, "event", "start", DOCKER_EVENT_END,
                       "event", "oom", DOCKER_EVENT_GONE, NULL);
    /* From now: Docker opens its answer a moment before it subscribes, and what happens between is
     * in its memory. */
    AUTO_FREE char *since = docker_since(clock_wall_ns());
    return docker_path("/events?since=%s&filters=%s", since, filters);
}

/* Returns true when the caller gave up meanwhile. */
static bool
back_off(int cancel_fd, int *delay_ms)
{
    struct pollfd fd = {.fd = cancel_fd, .events = POLLIN};
    bool cancelled = poll(&fd, 1, *delay_ms) > 0;
    *delay_ms = *delay_ms * 2 < BACKOFF_MOST_MS ? *delay_ms * 2 : BACKOFF_MOST_MS;
    return cancelled;
}

int
docker_enclave_watch(docker_t *self, const docker_call_t *call,
                     const Orchestrator__EnclaveRef *request, err_t **err)
{
    watch_t watch = {.call = call, .enclave_uuid = request->enclave_uuid};
    watch.lines = (docker_json_lines_t){.line = on_line, .arg = &watch};
    if (docker_check_uuid("enclave", request->enclave_uuid, err) < 0)
        return err_wrap(err, "cannot watch an enclave");
    for (int delay_ms = BACKOFF_FIRST_MS;;) {
        AUTO(err) failure = NULL;
        AUTO_FREE char *path = events_path(request->enclave_uuid);
        AUTO_REQUEST events = {.method = "GET",
                               .path = path,
                               .timeout_ms = -1,
                               .opened = on_open,
                               .sink = on_bytes,
                               .arg = &watch};
        int64_t begin = clock_ns();
        docker_http_do(self->http, &events, docker_cancel_fd(call), &failure);
        docker_json_lines_done(&watch.lines);
        bool final = watch.caller_gone || err_code(failure) == ERR_CANCELLED || !watch.was_open;
        if (final && failure) {
            if (err)
                *err = TAKE(failure);
            return err_wrap(err, "cannot watch enclave '%s'", request->enclave_uuid);
        }
        if (clock_ns() - begin > BACKOFF_MOST_MS * NS_PER_MS)
            delay_ms = BACKOFF_FIRST_MS;
        if (back_off(docker_cancel_fd(call), &delay_ms))
            return err_fail(err, ERR_CANCELLED, "the caller gave up");
    }
}
