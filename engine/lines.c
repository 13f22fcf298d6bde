/*  lines: see lines.h. */
#include "engine/lines.h"

#include "base/clock.h"

void
engine_lines_init(engine_lines_t *self)
{
    self->text = STR_EMPTY;
    self->count = 0;
}

void
engine_lines_done(engine_lines_t *self)
{
    str_done(&self->text);
    self->count = 0;
}

void
engine_lines_add(engine_lines_t *self, int64_t time, const void *line, size_t size)
{
    self->offsets[self->count++] = self->text.len;
    self->time = time;
    engine_text_clean(&self->text, line, size);
    str_add_bytes(&self->text, "", 1);
}

bool
engine_lines_full(const engine_lines_t *self)
{
    return self->count == ENGINE_LINES_MAX || self->text.len >= ENGINE_LINES_BYTES;
}

int
engine_lines_send(engine_lines_t *self, EngineApi__GetServiceLogsResponse *step,
                  EngineApi__LogLine *entry,
                  int (*send)(void *arg, const ProtobufCMessage *item, err_t **err), void *arg,
                  err_t **err)
{
    if (!self->count)
        return 0;
    char *list[ENGINE_LINES_MAX];
    for (size_t i = 0; i < self->count; i++)
        list[i] = self->text.data + self->offsets[i];
    Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    timestamp.seconds = self->time / NS_PER_SECOND;
    timestamp.nanos = (int32_t)(self->time % NS_PER_SECOND);
    entry->line = list;
    entry->n_line = self->count;
    entry->timestamp = &timestamp;
    int result = send(arg, &step->base, err);
    entry->line = NULL;
    entry->n_line = 0;
    entry->timestamp = NULL;
    str_clear(&self->text);
    self->count = 0;
    return result;
}
