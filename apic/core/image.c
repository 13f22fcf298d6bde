/*  image: images of services, which the driver pulls or builds. */
#include "apic/core/internal.h"

#include "archive/archive.h"

#include <string.h>

/* Gathers small pieces of a build context, so that a message is worth it. */
typedef struct {
    actor_stream_t *stream;
    size_t used;
    uint8_t piece[CORE_CHUNK];
} context_t;

/* What the driver says until its last word. */
static int
follow(core_t *self, actor_call_t *within, actor_stream_t *stream, core_image_step_fn *on_step,
       void *arg, err_t **err)
{
    for (;;) {
        AUTO_MESSAGE Orchestrator__FetchImageProgress *step = NULL;
        int got = core_recv(self, within, stream, -1, (ProtobufCMessage **)&step, err);
        if (got <= 0)
            return got;
        on_step(arg, step);
    }
}

int
core_image_fetch(core_t *self, actor_call_t *within, const Orchestrator__FetchImageArgs *args,
                 core_image_step_fn *on_step, void *arg, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    if (core_stream(self, within, "FetchImage", &args->base, &stream, err) < 0)
        return -1;
    return follow(self, within, stream, on_step, arg, err);
}

static int
flush(context_t *self, err_t **err)
{
    Orchestrator__BuildImagePart part = ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
    part.data = (ProtobufCBinaryData){.len = self->used, .data = self->piece};
    self->used = 0;
    return part.data.len ? actor_stream_send(self->stream, &part.base, err) : 0;
}

static int
put(void *arg, const void *data, size_t size, err_t **err)
{
    context_t *self = arg;
    for (const uint8_t *at = data; size > 0;) {
        size_t room = sizeof self->piece - self->used, part = size < room ? size : room;
        memcpy(self->piece + self->used, at, part);
        self->used += part;
        at += part;
        size -= part;
        if (self->used == sizeof self->piece && flush(self, err) < 0)
            return -1;
    }
    return 0;
}

int
core_image_build(core_t *self, actor_call_t *within, const Orchestrator__BuildImageArgs *args,
                 const char *folder, core_image_step_fn *on_step, void *arg, err_t **err)
{
    AUTO(actor_stream) stream = NULL;
    AUTO_FREE context_t *context = calloc(1, sizeof *context);
    Orchestrator__BuildImagePart first = ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
    if (!context)
        abort();
    first.args = (Orchestrator__BuildImageArgs *)args;
    if (core_stream(self, within, "BuildImage", NULL, &stream, err) < 0)
        return -1;
    context->stream = stream;
    if (actor_stream_send(stream, &first.base, err) < 0 ||
        archive_context_pack(folder, args->is_flake ? NULL : args->file, put, context, err) < 0 ||
        flush(context, err) < 0 || actor_stream_end(stream, err) < 0)
        return -1;
    return follow(self, within, stream, on_step, arg, err);
}
