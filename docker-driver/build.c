/*  build: BuildImage.
 *
 *  Docker builds with BuildKit, as `docker build` does: one request asks for the build and streams
 *  what goes on, a second one carries the build context up and is named in the first, since a
 *  connection of HTTP/1.1 cannot do both at once. Podman has one request, with the context as its
 *  body. Both run on the caller's thread; the context goes through in pieces.
 */
#include "base/utf8.h"
#include "base/uuid.h"
#include "docker-driver/api.h"
#include "docker-driver/auth.h"
#include "docker-driver/reply.h"
#include "docker-driver/trace.h"

#include <string.h>

#define LOG_MAX 65536u         /* bytes of log in one message */
#define TAIL_LINES 20          /* last lines of a build that failed, in its error */
#define TAIL_MAX 16384u        /* and their bytes */
#define ARGS_MAX (256u * 1024) /* bytes of all build arguments */

typedef struct {
    const docker_call_t *call;
    Orchestrator__BuildImagePart *part; /* the present piece of the context */
    size_t used;
    bool has_context; /* all of it has come: the caller listens now */
    trace_t trace;
    str_t log;  /* not sent yet */
    str_t tail; /* the last of it */
    docker_json_lines_t lines;
} build_t;

/* ------------------------------------------------------------------------------------------ log */

/* Keeps the last bytes of text, from the beginning of a line on. */
static void
keep_last(str_t *text, size_t most)
{
    if (text->len <= most)
        return;
    const char *from = text->data + text->len - most;
    const char *newline = memchr(from, '\n', most);
    AUTO_FREE char *kept = strdup(newline && newline[1] ? newline + 1 : from);
    str_clear(text);
    str_add(text, kept);
}

static void
log_add(build_t *self, const char *text, size_t size)
{
    utf8_clean(&self->log, text, size);
    utf8_clean(&self->tail, text, size);
    keep_last(&self->tail, TAIL_MAX);
}

/* While the caller still sends the context he does not listen: what is said then waits. */
static int
log_send(build_t *self, err_t **err)
{
    if (!self->has_context) {
        keep_last(&self->log, LOG_MAX);
        return 0;
    }
    int result = 0;
    for (size_t at = 0; at < self->log.len && result == 0;) {
        size_t part = self->log.len - at;
        if (part > LOG_MAX)
            for (part = LOG_MAX; part > 1 && (self->log.data[at + part] & 0xC0) == 0x80;)
                part--; /* not within a character */
        AUTO_FREE char *text = strndup(self->log.data + at, part);
        Orchestrator__FetchImageProgress progress = ORCHESTRATOR__FETCH_IMAGE_PROGRESS__INIT;
        progress.log = text;
        result = self->call->send(self->call->arg, &progress.base, err);
        at += part;
    }
    str_clear(&self->log);
    return result;
}

/* One line of Docker's answer. */
static int
on_line(void *arg, const json_t *line, err_t **err)
{
    build_t *self = arg;
    const char *text = docker_text(line, "stream");
    if (*docker_text(line, "error"))
        return docker_refusal_text(400, docker_text(line, "error"), err);
    if (strcmp(docker_text(line, "id"), "moby.buildkit.trace") == 0) {
        AUTO_STR lines = STR_EMPTY;
        trace_feed(&self->trace, docker_text(line, "aux"), &lines);
        log_add(self, lines.data, lines.len);
    } else {
        log_add(self, text, strlen(text));
    }
    return 0;
}

static int
on_answer(void *arg, const char *data, size_t size, err_t **err)
{
    build_t *self = arg;
    int result = docker_json_lines_feed(&self->lines, data, size, err);
    return result < 0 ? result : log_send(self, err);
}

/* ------------------------------------------------------------------------------------- requests */

/* The next bytes of the context. */
static long
context_source(void *arg, char *buffer, size_t size, err_t **err)
{
    build_t *self = arg;
    while (!self->part || self->used == self->part->data.len) {
        orchestrator__build_image_part__free_unpacked(self->part, NULL);
        self->part = NULL;
        self->used = 0;
        int got = self->call->recv(self->call->arg, (ProtobufCMessage **)&self->part, err);
        self->has_context = got == 0;
        if (got <= 0)
            return got;
    }
    size_t part = self->part->data.len - self->used;
    part = part < size ? part : size;
    memcpy(buffer, self->part->data.data + self->used, part);
    self->used += part;
    return (long)part;
}

static char *
build_path(const Orchestrator__BuildImageArgs *args, const char *full)
{
    AUTO_JSON *values = json_object();
    for (size_t i = 0; i < args->n_args; i++)
        json_object_set_new(values, args->args[i]->name, json_string(args->args[i]->value));
    AUTO_FREE char *text = docker_json_text(values);
    return docker_path("/build?t=%s&dockerfile=%s&target=%s&buildargs=%s", full, args->file,
                       args->target, text);
}

/* With BuildKit: the build, and the request that carries its context. */
static int
run_pair(docker_t *docker, build_t *self, const char *path, err_t **err)
{
    char id[UUID_LEN + 1];
    uuid_new(id);
    AUTO_FREE char *build = str_format("%s&version=2&remote=upload-request&buildid=%s", path, id);
    AUTO_FREE char *upload = str_format("/build?version=2&buildid=upload-request:%s", id);
    docker_request_t requests[] = {
        {.method = "POST", .path = build, .timeout_ms = -1, .sink = on_answer, .arg = self},
        {.method = "POST",
         .path = upload,
         .content_type = "application/x-tar",
         .timeout_ms = -1,
         .source = context_source,
         .arg = self},
    };
    int result = docker_http_run(docker->http, requests, ARRAY_LEN(requests),
                                 docker_cancel_fd(self->call), err);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        docker_request_done(&requests[i]);
    return result;
}

static int
run_single(docker_t *docker, build_t *self, const char *path, err_t **err)
{
    AUTO_FREE char *build = str_format("%s&rm=1&forcerm=1", path);
    AUTO_FREE char *logins = docker_auth_all();
    AUTO_FREE char *header = logins ? str_format("X-Registry-Config: %s", logins) : NULL;
    AUTO_REQUEST request = {.method = "POST",
                            .path = build,
                            .header = header,
                            .content_type = "application/x-tar",
                            .timeout_ms = -1,
                            .source = context_source,
                            .sink = on_answer,
                            .arg = self};
    return docker_http_do(docker->http, &request, docker_cancel_fd(self->call), err);
}

/* Puts the build's last lines into its error. */
static int
failed(const build_t *self, const char *image, err_t **err)
{
    const char *from = self->tail.data + self->tail.len;
    for (int lines = 0; from > self->tail.data && lines <= TAIL_LINES; from--)
        lines += from[-1] == '\n' && from != self->tail.data + self->tail.len;
    if (from > self->tail.data)
        from += strcspn(from, "\n") + 1;
    if (err && err_code(*err) != ERR_CANCELLED && *from) {
        AUTO(err) cause = TAKE(*err);
        AUTO_FREE char *why = err_string(cause);
        err_fail(err, err_code(cause), "%s; the last lines of the build were:\n%s", why, from);
    }
    return err_wrap(err, "cannot build image '%.300s'", image);
}

/* ---------------------------------------------------------------------------------------- build */

static int
check_args(const Orchestrator__BuildImageArgs *args, char **ret_full, err_t **err)
{
    docker_reference_t reference = {0};
    size_t size = 0;
    if (!args)
        return err_fail(err, ERR_INVALID, "the first part of a build does not say what to build");
    for (size_t i = 0; i < args->n_args; i++)
        size += strlen(args->args[i]->name) + strlen(args->args[i]->value);
    if (size > ARGS_MAX)
        return err_fail(err, ERR_LIMIT, "the build arguments have more than %u bytes", ARGS_MAX);
    if (!*args->file || *args->file == '/' || strstr(args->file, ".."))
        return err_fail(err, ERR_INVALID, "'%.200s' is no path of a Dockerfile in its context",
                        args->file);
    if (docker_reference_parse(args->image, &reference, err) < 0)
        return -1;
    *ret_full = docker_reference_full(&reference);
    docker_reference_done(&reference);
    return 0;
}

static int
build(docker_t *docker, build_t *self, const Orchestrator__BuildImageArgs *args, err_t **err)
{
    AUTO_FREE char *full = NULL;
    Orchestrator__FetchImageProgress last = ORCHESTRATOR__FETCH_IMAGE_PROGRESS__INIT;
    Orchestrator__ImageInfo *info = NULL;
    int podman = -1;
    if (check_args(args, &full, err) < 0 ||
        (podman = docker_is_podman(docker, self->call, err)) < 0)
        return -1;
    AUTO_FREE char *path = build_path(args, full);
    if ((podman ? run_single : run_pair)(docker, self, path, err) < 0 || log_send(self, err) < 0 ||
        docker_image_look(docker, self->call, args->image, &info, err) < 0)
        return -1;
    last.origin = ORCHESTRATOR__FETCH_ORIGIN__FETCH_BUILT;
    last.info = info;
    int result = self->call->send(self->call->arg, &last.base, err);
    orchestrator__image_info__free_unpacked(info, NULL);
    return result;
}

int
docker_image_build(docker_t *self, const docker_call_t *call, err_t **err)
{
    AUTO_ITEM Orchestrator__BuildImagePart *first = NULL;
    int got = call->recv(call->arg, (ProtobufCMessage **)&first, err);
    if (got < 0)
        return -1;
    if (!got)
        return err_fail(err, ERR_INVALID, "nothing was said about what to build");
    build_t state = {.call = call, .log = STR_EMPTY, .tail = STR_EMPTY};
    state.lines = (docker_json_lines_t){.line = on_line, .arg = &state};
    int result = build(self, &state, first->args, err);
    if (result < 0)
        failed(&state, first->args ? first->args->image : "", err);
    orchestrator__build_image_part__free_unpacked(state.part, NULL);
    docker_json_lines_done(&state.lines);
    trace_done(&state.trace);
    str_done(&state.log);
    str_done(&state.tail);
    return result;
}
