/*  build_parts: see build_parts.h. */
#include "docker-driver/build_parts.h"

#include "base/utf8.h"
#include "docker-driver/api.h"

#include <string.h>

#define LOG_MAX 65536u  /* bytes of log in one message */
#define TAIL_LINES 20   /* last lines of a build that failed, in its error */
#define TAIL_MAX 16384u /* and their bytes */

void
build_parts_done(build_parts_t *self)
{
    orchestrator__build_image_part__free_unpacked(self->part, NULL);
    str_done(&self->log);
    str_done(&self->tail);
}

long
build_parts_context(void *arg, char *buffer, size_t size, err_t **err)
{
    build_parts_t *self = arg;
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

void
build_parts_log(build_parts_t *self, const char *text, size_t size)
{
    utf8_clean(&self->log, text, size);
    utf8_clean(&self->tail, text, size);
    keep_last(&self->tail, TAIL_MAX);
}

int
build_parts_send(build_parts_t *self, err_t **err)
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

int
build_parts_end(build_parts_t *self, docker_t *docker, const char *image, err_t **err)
{
    Orchestrator__FetchImageProgress last = ORCHESTRATOR__FETCH_IMAGE_PROGRESS__INIT;
    Orchestrator__ImageInfo *info = NULL;
    if (build_parts_send(self, err) < 0 ||
        docker_image_look(docker, self->call, image, &info, err) < 0)
        return -1;
    last.origin = ORCHESTRATOR__FETCH_ORIGIN__FETCH_BUILT;
    last.info = info;
    int result = self->call->send(self->call->arg, &last.base, err);
    orchestrator__image_info__free_unpacked(info, NULL);
    return result;
}

void
build_parts_failed(const build_parts_t *self, const char *image, err_t **err)
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
    err_wrap(err, "cannot build image '%.300s'", image);
}
