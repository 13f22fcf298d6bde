/*  lines: log lines of one request, gathered into messages of many lines of one service. */
#ifndef KURTOSIS_ENGINE_LINES_H
#define KURTOSIS_ENGINE_LINES_H

#include "engine/filter.h"

#include <stdint.h>

#define ENGINE_LINES_MAX 2000u          /* of one message */
#define ENGINE_LINES_BYTES (256u << 10) /* of one message, roughly */

/* Embedded; {0} is empty. */
typedef struct {
    str_t text; /* lines, each with a NUL behind it */
    size_t offsets[ENGINE_LINES_MAX];
    size_t count;
    int64_t time; /* of the last line */
} engine_lines_t;

void engine_lines_init(engine_lines_t *self);
void engine_lines_done(engine_lines_t *self);
/* Bytes that are no text are replaced. */
void engine_lines_add(engine_lines_t *self, int64_t time, const void *line, size_t size);
bool engine_lines_full(const engine_lines_t *self);
/* Sends step with the lines in this entry of it, which is empty again afterwards, as are the lines. send: as
 * actor_call_send. */
int engine_lines_send(engine_lines_t *self, EngineApi__GetServiceLogsResponse *step,
                      EngineApi__LogLine *entry,
                      int (*send)(void *arg, const ProtobufCMessage *item, err_t **err), void *arg,
                      err_t **err);

#endif
