/*  cursor: see cursor.h. */
#include "docker-driver/cursor.h"

#include <string.h>

/* What is stored, in this order after the id. */
#define FIELDS(X) X(since) X(skip) X(next_since) X(next_skip) X(newest) X(total) X(ahead)

static void
start(docker_cursor_t *self, const char *id)
{
    *self = (docker_cursor_t){.newest = INT64_MIN, .recent = INT64_MIN};
    size_t size = strlen(id);
    memcpy(self->id, id, size < sizeof self->id ? size : sizeof self->id);
}

void
docker_cursor_init(docker_cursor_t *self, const char *id, const void *bytes, size_t size)
{
    start(self, id);
    const uint8_t *at = bytes;
    if (size != DOCKER_CURSOR_SIZE || memcmp(at, self->id, sizeof self->id) != 0)
        return;
    at += sizeof self->id;
#define GET(field)                                                                                 \
    {                                                                                              \
        uint64_t value = 0;                                                                        \
        for (int i = 8; i-- > 0;)                                                                  \
            value = value << 8 | at[i];                                                            \
        self->field = (__typeof__(self->field))value;                                              \
        at += 8;                                                                                   \
    }
    FIELDS(GET)
#undef GET
    self->recent = self->newest;
}

void
docker_cursor_put(const docker_cursor_t *self, uint8_t ret_bytes[DOCKER_CURSOR_SIZE])
{
    uint8_t *at = ret_bytes;
    memset(at, 0, DOCKER_CURSOR_SIZE);
    memcpy(at, self->id, sizeof self->id);
    at += sizeof self->id;
#define PUT(field)                                                                                 \
    for (int i = 0; i < 8; i++)                                                                    \
        *at++ = (uint8_t)((uint64_t)self->field >> 8 * i);
    FIELDS(PUT)
#undef PUT
}

static void
restart(docker_cursor_t *self)
{
    self->since = 0;
    self->skip = self->total;
    self->next_since = self->newest + 1;
    self->next_skip = 0;
}

void
docker_cursor_begin(docker_cursor_t *self, int64_t ahead, int64_t now)
{
    bool set_back = self->ahead && ahead < self->ahead - DOCKER_CURSOR_BACK_NS;
    if (set_back || self->newest > now + DOCKER_CURSOR_BACK_NS)
        restart(self);
    self->ahead = ahead;
    self->left = self->skip;
}

void
docker_cursor_keep(docker_cursor_t *self, int64_t ahead)
{
    if (ahead > self->ahead)
        self->ahead = ahead;
}

bool
docker_cursor_take(docker_cursor_t *self, int64_t time, bool between_lines)
{
    if (time > self->recent || time < self->recent - DOCKER_CURSOR_BACK_NS)
        self->recent = time;
    if (self->left > 0) {
        if (time <= self->newest) {
            self->left--;
            return false;
        }
        /* Nothing stored is so new: Docker has thrown away what was to be skipped, and perhaps more. */
        self->left = 0;
    }
    self->total++;
    if (time < self->since) {
        restart(self);
        return true;
    }
    self->skip++;
    if (time >= self->next_since)
        self->next_skip++;
    if (time > self->newest)
        self->newest = time;
    if (between_lines && self->newest - self->next_since >= DOCKER_CURSOR_BEHIND_NS) {
        self->since = self->next_since;
        self->skip = self->next_skip;
        self->next_since = self->newest + 1;
        self->next_skip = 0;
    }
    return true;
}

bool
docker_cursor_has(const docker_cursor_t *self, int64_t time, int64_t ago)
{
    /* Lines that are newer by more than that were printed before a clock was set back. */
    return time == INT64_MIN ||
           (self->recent >= time && self->recent - time <= ago + DOCKER_CURSOR_BACK_NS);
}
