/*  build: BuildImage.
 *
 *  Docker builds with BuildKit, as `docker build` does: one request asks for the build and streams
 *  what goes on, a second one carries the build context up and is named in the first, since a
 *  connection of HTTP/1.1 cannot do both at once. Podman has one request, with the context as its
 *  body. Both run on the caller's thread; the context goes through in pieces. Flakes are built by Nix
 *  (nix.h).
 */
#include "base/uuid.h"
#include "docker-driver/api.h"
#include "docker-driver/auth.h"
#include "docker-driver/build_parts.h"
#include "docker-driver/nix.h"
#include "docker-driver/reply.h"
#include "docker-driver/trace.h"

#include <string.h>

#define ARGS_MAX (256u * 1024) /* bytes of all build arguments */

typedef struct {
    build_parts_t parts;
    trace_t trace;
    docker_json_lines_t lines;
} build_t;

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
        build_parts_log(&self->parts, lines.data, lines.len);
    } else {
        build_parts_log(&self->parts, text, strlen(text));
    }
    return 0;
}

static int
on_answer(void *arg, const char *data, size_t size, err_t **err)
{
    build_t *self = arg;
    int result = docker_json_lines_feed(&self->lines, data, size, err);
    return result < 0 ? result : build_parts_send(&self->parts, err);
}

/* ------------------------------------------------------------------------------------- requests */

static long
context_source(void *arg, char *buffer, size_t size, err_t **err)
{
    return build_parts_context(&((build_t *)arg)->parts, buffer, size, err);
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
                                 docker_cancel_fd(self->parts.call), err);
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
    return docker_http_do(docker->http, &request, docker_cancel_fd(self->parts.call), err);
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
    if (!args->is_flake && (!*args->file || *args->file == '/' || strstr(args->file, "..")))
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
    int podman = -1;
    if (check_args(args, &full, err) < 0)
        return -1;
    if (args->is_flake)
        return docker_nix_build(docker, args, &self->parts, err) < 0
                   ? -1
                   : build_parts_end(&self->parts, docker, args->image, err);
    if ((podman = docker_is_podman(docker, self->parts.call, err)) < 0)
        return -1;
    AUTO_FREE char *path = build_path(args, full);
    return (podman ? run_single : run_pair)(docker, self, path, err) < 0
               ? -1
               : build_parts_end(&self->parts, docker, args->image, err);
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
    build_t state = {.parts = BUILD_PARTS(call)};
    state.lines = (docker_json_lines_t){.line = on_line, .arg = &state};
    int result = build(self, &state, first->args, err);
    if (result < 0)
        build_parts_failed(&state.parts, first->args ? first->args->image : "", err);
    docker_json_lines_done(&state.lines);
    trace_done(&state.trace);
    build_parts_done(&state.parts);
    return result;
}
