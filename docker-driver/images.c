/*  images: InspectImage, FetchImage, LoadImage.
 *
 *  One pull of an image runs at a time: the first caller does it on his thread, later ones wait for
 *  its progress and its end. When the first gives up, one of the others pulls on (Docker keeps the
 *  layers it has).
 */
#include "docker-driver/api.h"
#include "docker-driver/auth.h"
#include "docker-driver/reply.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

/* A pull under way. All fields are under pulls_lock. */
typedef struct docker_pull {
    char *image;
    Orchestrator__FetchImageProgress progress;
    bool has_leader;
    bool ended;
    err_t *failure;
    unsigned users;
    struct waiter *waiters;
    struct docker_pull *next;
} pull_t;

/* A caller who waits for another's pull: fd becomes readable when there is news. */
typedef struct waiter {
    int fd;
    struct waiter *next;
} waiter_t;

/* -------------------------------------------------------------------------------------- inspect */

int
docker_image_look(docker_t *self, const docker_call_t *call, const char *image,
                  Orchestrator__ImageInfo **ret_info, err_t **err)
{
    docker_reference_t reference = {0};
    AUTO_JSON *reply = NULL;
    if (docker_reference_parse(image, &reference, err) < 0)
        return -1;
    AUTO_FREE char *full = docker_reference_full(&reference);
    docker_reference_done(&reference);
    if (docker_get(self, call, docker_path("/images/%s/json", full), &reply, err) < 0)
        return err_wrap(err, "cannot inspect image '%s'", full);
    *ret_info = docker_reply_image(image, reply);
    return 0;
}

int
docker_image_inspect(docker_t *self, const docker_call_t *call,
                     const Orchestrator__ImageRef *request, Orchestrator__ImageInfo **ret_reply,
                     err_t **err)
{
    return docker_image_look(self, call, request->image, ret_reply, err);
}

/* ---------------------------------------------------------------------------------------- pulls */

static void
tell_waiters(pull_t *pull)
{
    for (waiter_t *waiter = pull->waiters; waiter; waiter = waiter->next)
        eventfd_write(waiter->fd, 1);
}

static pull_t *
pull_require(docker_t *self, const char *image)
{
    for (pull_t *pull = self->pulls; pull; pull = pull->next)
        if (strcmp(pull->image, image) == 0 && !pull->ended)
            return pull;
    pull_t *pull = calloc(1, sizeof *pull);
    if (!pull)
        abort();
    pull->image = strdup(image);
    orchestrator__fetch_image_progress__init(&pull->progress);
    pull->next = self->pulls;
    self->pulls = pull;
    return pull;
}

static void
pull_leave(docker_t *self, pull_t *pull)
{
    if (--pull->users > 0)
        return;
    for (pull_t **at = &self->pulls; *at; at = &(*at)->next)
        if (*at == pull) {
            *at = pull->next;
            break;
        }
    err_destroy(&pull->failure);
    free(pull->image);
    free(pull);
}

/* Sends the numbers of a pull on. */
static int
send_progress(const docker_call_t *call, const Orchestrator__FetchImageProgress *progress,
              err_t **err)
{
    return call && call->send ? call->send(call->arg, &progress->base, err) : 0;
}

typedef struct {
    docker_t *docker;
    const docker_call_t *call;
    pull_t *pull;
    docker_progress_t progress;
} leader_t;

static int
on_pull_line(void *arg, const json_t *line, err_t **err)
{
    leader_t *self = arg;
    int changed = docker_progress_line(&self->progress, line, err);
    if (changed <= 0)
        return changed;
    pthread_mutex_lock(&self->docker->pulls_lock);
    self->pull->progress.layers_total = self->progress.layers_total;
    self->pull->progress.layers_done = self->progress.layers_done;
    self->pull->progress.bytes_total = self->progress.bytes_total;
    self->pull->progress.bytes_done = self->progress.bytes_done;
    Orchestrator__FetchImageProgress copy = self->pull->progress;
    tell_waiters(self->pull);
    pthread_mutex_unlock(&self->docker->pulls_lock);
    return send_progress(self->call, &copy, err);
}

static int
on_json(void *arg, const char *data, size_t size, err_t **err)
{
    return docker_json_lines_feed(arg, data, size, err);
}

static int
pull_once(leader_t *self, const docker_reference_t *reference, const char *auth,
          const char *platform, err_t **err)
{
    AUTO_FREE char *path = docker_path("/images/create?fromImage=%s&tag=%s&platform=%s",
                                       reference->name, reference->tag, platform);
    AUTO_FREE char *header = auth ? str_format("X-Registry-Auth: %s", auth) : NULL;
    docker_json_lines_t lines = {.line = on_pull_line, .arg = self};
    AUTO_REQUEST request = {.method = "POST",
                            .path = path,
                            .header = header,
                            .idle_ms = self->docker->pull_idle_ms,
                            .sink = on_json,
                            .arg = &lines};
    int result = docker_http_do(self->docker->http, &request, docker_cancel_fd(self->call), err);
    docker_json_lines_done(&lines);
    if (result < 0 && err && err_code(*err) == ERR_TIMEOUT)
        err_wrap(err, "nothing came of the image for %d s: its registry does not go on",
                 self->docker->pull_idle_ms / 1000);
    if (header)
        explicit_bzero(header, strlen(header));
    return result;
}

/* Pulls on this thread, unless another's pull ended since the image was found to be missing. */
static int
lead(docker_t *self, const docker_call_t *call, pull_t *pull,
     const Orchestrator__FetchImageArgs *args, err_t **err)
{
    docker_reference_t reference = {0};
    Orchestrator__ImageInfo *info = NULL;
    if (args->mode == ORCHESTRATOR__FETCH_MODE__FETCH_MISSING &&
        docker_image_look(self, call, args->image, &info, NULL) == 0) {
        orchestrator__image_info__free_unpacked(info, NULL);
        return 0;
    }
    if (docker_reference_parse(args->image, &reference, err) < 0)
        return -1;
    leader_t leader = {.docker = self, .call = call, .pull = pull};
    AUTO_FREE char *auth = docker_auth_header(*args->registry ? args->registry : reference.host,
                                              args->username, args->password);
    AUTO(err) failure = NULL;
    int result = pull_once(&leader, &reference, auth, "", &failure);
    if (result < 0 && docker_reason(failure) == DOCKER_NO_MANIFEST) {
        err_destroy(&failure);
        result = pull_once(&leader, &reference, auth, "linux/amd64", &failure);
    }
    if (auth)
        explicit_bzero(auth, strlen(auth));
    docker_progress_done(&leader.progress);
    docker_reference_done(&reference);
    if (result < 0 && err)
        *err = TAKE(failure);
    return result;
}

/* Waits for news of another's pull and passes it on: 1 when it ended, 0 when its leader gave up. */
static int
follow(docker_t *self, const docker_call_t *call, pull_t *pull, int fd, err_t **err)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = docker_cancel_fd(call), .events = POLLIN}};
        if (poll(fds, ARRAY_LEN(fds), -1) < 0)
            continue;
        if (fds[1].revents)
            return err_fail(err, ERR_CANCELLED, "the caller gave up");
        eventfd_t count;
        eventfd_read(fd, &count);
        pthread_mutex_lock(&self->pulls_lock);
        bool ended = pull->ended, led = pull->has_leader;
        Orchestrator__FetchImageProgress copy = pull->progress;
        pthread_mutex_unlock(&self->pulls_lock);
        if (ended || !led)
            return ended;
        if (send_progress(call, &copy, err) < 0)
            return -1;
    }
}

/* Under pulls_lock, before and after. Takes the lead when nobody has it, else follows; 0 when the
 * pull went well. */
static int
take_part(docker_t *self, const docker_call_t *call, pull_t *pull, int fd,
          const Orchestrator__FetchImageArgs *args, err_t **err)
{
    while (!pull->ended) {
        if (pull->has_leader) {
            pthread_mutex_unlock(&self->pulls_lock);
            int result = follow(self, call, pull, fd, err);
            pthread_mutex_lock(&self->pulls_lock);
            if (result < 0)
                return -1;
            continue;
        }
        pull->has_leader = true;
        pthread_mutex_unlock(&self->pulls_lock);
        AUTO(err) failure = NULL;
        int result = lead(self, call, pull, args, &failure);
        pthread_mutex_lock(&self->pulls_lock);
        pull->has_leader = false;
        bool gave_up = result < 0 && err_code(failure) == ERR_CANCELLED;
        pull->ended = !gave_up;
        if (!gave_up)
            pull->failure = TAKE(failure);
        tell_waiters(pull);
        if (gave_up) {
            if (err)
                *err = TAKE(failure);
            return -1;
        }
    }
    if (!pull->failure)
        return 0;
    if (err)
        *err = err_dup(pull->failure);
    return -1;
}

static int
pull_shared(docker_t *self, const docker_call_t *call, const Orchestrator__FetchImageArgs *args,
            err_t **err)
{
    AUTO_FD int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_fail(err, ERR_LIMIT, "no file descriptor is left");
    waiter_t waiter = {.fd = fd};
    /* Different credentials may see different things, so they do not share. */
    AUTO_FREE char *key = str_format("%s %s %s", args->image, args->registry, args->username);
    pthread_mutex_lock(&self->pulls_lock);
    pull_t *pull = pull_require(self, key);
    pull->users++;
    waiter.next = pull->waiters;
    pull->waiters = &waiter;
    int result = take_part(self, call, pull, fd, args, err);
    for (waiter_t **at = &pull->waiters; *at; at = &(*at)->next)
        if (*at == &waiter) {
            *at = waiter.next;
            break;
        }
    pull_leave(self, pull);
    pthread_mutex_unlock(&self->pulls_lock);
    return result;
}

/* ---------------------------------------------------------------------------------------- fetch */

static int
send_end(const docker_call_t *call, Orchestrator__FetchOrigin origin, Orchestrator__ImageInfo *info,
         const char *warning, err_t **err)
{
    Orchestrator__FetchImageProgress last = ORCHESTRATOR__FETCH_IMAGE_PROGRESS__INIT;
    last.origin = origin;
    last.info = info;
    last.warning = (char *)warning;
    int result = send_progress(call, &last, err);
    orchestrator__image_info__free_unpacked(info, NULL);
    return result;
}

int
docker_image_fetch(docker_t *self, const docker_call_t *call,
                   const Orchestrator__FetchImageArgs *request, err_t **err)
{
    Orchestrator__ImageInfo *info = NULL;
    AUTO(err) failure = NULL;
    bool missing_only = request->mode == ORCHESTRATOR__FETCH_MODE__FETCH_MISSING;
    if (missing_only) {
        if (docker_image_look(self, call, request->image, &info, &failure) == 0)
            return send_end(call, ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL, info, "", err);
        if (err_code(failure) != ERR_NOT_FOUND) {
            if (err)
                *err = TAKE(failure);
            return -1;
        }
        err_destroy(&failure);
    }
    if (pull_shared(self, call, request, &failure) == 0) {
        if (docker_image_look(self, call, request->image, &info, err) < 0)
            return -1;
        return send_end(call, ORCHESTRATOR__FETCH_ORIGIN__FETCH_REMOTE, info, "", err);
    }
    if (!missing_only && err_code(failure) != ERR_CANCELLED &&
        docker_image_look(self, call, request->image, &info, NULL) == 0) {
        AUTO_FREE char *why = err_string(failure);
        AUTO_FREE char *warning = str_format(
            "image '%s' could not be pulled, the local copy is used: %s", request->image, why);
        return send_end(call, ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL, info, warning, err);
    }
    if (err)
        *err = TAKE(failure);
    return err_wrap(err, "cannot pull image '%.300s'", request->image);
}

int
docker_image_require(docker_t *self, const docker_call_t *call, const char *image, err_t **err)
{
    docker_call_t quiet = {.cancel_fd = docker_cancel_fd(call), .recv_fd = -1};
    Orchestrator__FetchImageArgs args = ORCHESTRATOR__FETCH_IMAGE_ARGS__INIT;
    args.image = (char *)image;
    args.mode = ORCHESTRATOR__FETCH_MODE__FETCH_MISSING;
    return docker_image_fetch(self, &quiet, &args, err);
}

/* ----------------------------------------------------------------------------------------- load */

typedef struct {
    const docker_call_t *call;
    Orchestrator__ImageChunk *chunk; /* the present piece */
    size_t used;
} loading_t;

/* What Docker says it loaded first: a reference, or an id. */
typedef struct {
    char *image;
    bool is_named;
} loaded_t;

static long
load_source(void *arg, char *buffer, size_t size, err_t **err)
{
    loading_t *self = arg;
    while (!self->chunk || self->used == self->chunk->data.len) {
        orchestrator__image_chunk__free_unpacked(self->chunk, NULL);
        self->chunk = NULL;
        self->used = 0;
        int got = self->call->recv(self->call->arg, (ProtobufCMessage **)&self->chunk, err);
        if (got <= 0)
            return got;
    }
    size_t part = self->chunk->data.len - self->used;
    part = part < size ? part : size;
    memcpy(buffer, self->chunk->data.data + self->used, part);
    self->used += part;
    return (long)part;
}

static int
on_load_line(void *arg, const json_t *line, err_t **err)
{
    loaded_t *self = arg;
    static const char *const prefixes[] = {"Loaded image: ", "Loaded image ID: "};
    const char *text = docker_text(line, "stream");
    if (*docker_text(line, "error"))
        return docker_refusal_text(500, docker_text(line, "error"), err);
    for (size_t i = 0; i < ARRAY_LEN(prefixes) && !self->image; i++)
        if (str_starts(text, prefixes[i])) {
            const char *name = text + strlen(prefixes[i]);
            self->image = strndup(name, strcspn(name, ",\r\n")); /* Podman names all of them */
            self->is_named = i == 0;
        }
    return 0;
}

int
docker_image_load_from(docker_t *self, const docker_call_t *call,
                       long (*source)(void *arg, char *buffer, size_t size, err_t **err), void *arg,
                       char **ret_image, err_t **err)
{
    loaded_t loaded = {0};
    docker_json_lines_t lines = {.line = on_load_line, .arg = &loaded};
    AUTO_REQUEST load = {.method = "POST",
                         .path = "/images/load?quiet=1",
                         .content_type = "application/x-tar",
                         .timeout_ms = -1,
                         .source = source,
                         .arg = arg};
    int result = docker_http_do(self->http, &load, docker_cancel_fd(call), err);
    if (result == 0)
        result = docker_json_lines_feed(&lines, load.reply.data, load.reply.len, err);
    docker_json_lines_done(&lines);
    AUTO_FREE char *image = loaded.image;
    if (result < 0)
        return -1;
    if (!image)
        return err_fail(err, ERR_INVALID,
                        "the archive holds no image: it must be as 'docker save' writes it");
    *ret_image = TAKE(image);
    return loaded.is_named;
}

int
docker_image_load(docker_t *self, const docker_call_t *call, Orchestrator__ImageInfo **ret_reply,
                  err_t **err)
{
    loading_t loading = {.call = call};
    AUTO_FREE char *image = NULL;
    int result = docker_image_load_from(self, call, load_source, &loading, &image, err);
    if (result >= 0)
        result = docker_image_look(self, call, image, ret_reply, err);
    orchestrator__image_chunk__free_unpacked(loading.chunk, NULL);
    return result < 0 ? err_wrap(err, "cannot load the image") : 0;
}
