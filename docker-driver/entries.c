/*  entries: see entries.h. */
#include "docker-driver/entries.h"

#include "base/clock.h"
#include "base/moment.h"

#include <string.h>

#define HEAD 8u
#define SECOND 19u       /* bytes of "2006-01-02T15:04:05" */
#define STAMP_MAX 64u    /* bytes of a time and its blank */
#define PART_SIZE 16384u /* bytes of an entry that another one goes on behind */
#define COMPLAINT_MAX 4000u
#define KIND_ERR 2
#define KIND_DAEMON 3

void
docker_entries_init(docker_entries_t *self, bool tty, docker_line_fn *line, void *arg)
{
    *self = (docker_entries_t){
        .tty = tty, .line = line, .arg = arg, .frame = STR_EMPTY, .complaint = STR_EMPTY};
    for (int i = 0; i < DOCKER_STREAMS; i++)
        self->parts[i] = STR_EMPTY;
    docker_lines_init(&self->lines, tty, line, arg);
    docker_demux_init(&self->demux, tty, docker_lines_piece, &self->lines);
}

void
docker_entries_done(docker_entries_t *self)
{
    str_done(&self->frame);
    str_done(&self->complaint);
    for (int i = 0; i < DOCKER_STREAMS; i++)
        str_done(&self->parts[i]);
    docker_lines_done(&self->lines);
    docker_demux_done(&self->demux);
}

bool
docker_entries_open(const docker_entries_t *self)
{
    if (self->tty)
        return self->lines.side[DOCKER_OUT].is_open;
    return self->is_open[DOCKER_OUT] || self->is_open[DOCKER_ERR];
}

/* "2006-01-02T15:04:05.999999999Z "; lines come in the same second, so that is read once. */
static bool
stamp(docker_entries_t *self, const char *text, size_t size, int64_t *ret_time, size_t *ret_used)
{
    const char *blank = memchr(text, ' ', size < STAMP_MAX ? size : STAMP_MAX);
    if (!blank)
        return false;
    *ret_used = (size_t)(blank - text) + 1;
    if (*ret_used == SECOND + 12 && text[SECOND] == '.' && blank[-1] == 'Z' &&
        memcmp(text, self->second, SECOND) == 0) {
        int64_t nanos = 0;
        const char *p = text + SECOND + 1;
        for (; p < blank - 1 && *p >= '0' && *p <= '9'; p++)
            nanos = nanos * 10 + (*p - '0');
        *ret_time = self->second_ns + nanos;
        return p == blank - 1;
    }
    if (!moment_parse(text, *ret_used - 1, ret_time))
        return false;
    if (*ret_used == SECOND + 12 && blank[-1] == 'Z') {
        memcpy(self->second, text, SECOND);
        self->second_ns = *ret_time - *ret_time % NS_PER_SECOND;
    }
    return true;
}

static int
line_end(docker_entries_t *self, docker_stream_t stream, err_t **err)
{
    str_t *parts = &self->parts[stream];
    int result = self->line(self->arg, stream, self->times[stream], parts->data, parts->len, err);
    str_done(parts);
    self->is_open[stream] = false;
    return result;
}

/* Adds to a line that goes on; what is too long for a line is given out. */
static int
part_add(docker_entries_t *self, docker_stream_t stream, const char *text, size_t size, err_t **err)
{
    str_t *parts = &self->parts[stream];
    self->is_open[stream] = true;
    while (parts->len + size > DOCKER_LINE_MAX) {
        size_t room = DOCKER_LINE_MAX - parts->len;
        if (room)
            str_add_bytes(parts, text, room);
        if (line_end(self, stream, err) < 0)
            return -1;
        self->is_open[stream] = true;
        text += room;
        size -= room;
    }
    if (size)
        str_add_bytes(parts, text, size);
    return 0;
}

static int
entry(docker_entries_t *self, docker_stream_t stream, const char *text, size_t size, err_t **err)
{
    int64_t time = 0;
    size_t used = 0;
    const char *begin = text;
    if (stamp(self, text, size, &time, &used)) {
        text += used;
        size -= used;
    }
    bool newline = size && text[size - 1] == '\n';
    /* Podman, whose times have no fractions, makes an entry of each piece that comes. */
    bool is_piece = used > SECOND && begin[SECOND] != '.';
    bool goes_on = !newline && (size >= PART_SIZE || is_piece);
    if (!self->is_open[stream]) {
        self->times[stream] = time;
        if (!goes_on && size <= DOCKER_LINE_MAX)
            return self->line(self->arg, stream, time, text, size - newline, err);
    }
    if (part_add(self, stream, text, size - newline, err) < 0)
        return -1;
    return goes_on ? 0 : line_end(self, stream, err);
}

static int
take_frame(docker_entries_t *self, const char *frame, size_t size, err_t **err)
{
    if (frame[0] == KIND_DAEMON) {
        size_t room = COMPLAINT_MAX - self->complaint.len;
        str_add_bytes(&self->complaint, frame + HEAD, size - HEAD < room ? size - HEAD : room);
        return 0;
    }
    return entry(self, frame[0] == KIND_ERR ? DOCKER_ERR : DOCKER_OUT, frame + HEAD, size - HEAD,
                 err);
}

/* The size of the frame that begins here, its head included; 0 while the head is incomplete. */
static int
frame_size(const char *data, size_t size, size_t *ret_size, err_t **err)
{
    const unsigned char *head = (const unsigned char *)data;
    *ret_size = 0;
    if (size < HEAD)
        return 0;
    size_t len = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
    if (head[0] > KIND_DAEMON || head[1] || head[2] || head[3] || len > DOCKER_ENTRY_MAX)
        return err_fail(err, ERR_INVALID,
                        "Docker's log stream has a frame of kind %u with %zu bytes", head[0], len);
    *ret_size = HEAD + len;
    return 0;
}

/* Completes a frame whose beginning came before; *ret_used of the bytes are needed for that. */
static int
complete(docker_entries_t *self, const char *data, size_t size, size_t *ret_used, err_t **err)
{
    size_t whole, used = 0;
    while (used < size) {
        if (frame_size(self->frame.data, self->frame.len, &whole, err) < 0)
            return -1;
        size_t missing = (whole ? whole : HEAD) - self->frame.len;
        size_t piece = missing < size - used ? missing : size - used;
        str_add_bytes(&self->frame, data + used, piece);
        used += piece;
        if (!whole && frame_size(self->frame.data, self->frame.len, &whole, err) < 0)
            return -1;
        if (whole && self->frame.len == whole) {
            int result = take_frame(self, self->frame.data, whole, err);
            str_clear(&self->frame);
            *ret_used = used;
            return result;
        }
    }
    *ret_used = used;
    return 0;
}

int
docker_entries_feed(docker_entries_t *self, const char *data, size_t size, err_t **err)
{
    if (self->tty)
        return docker_demux_feed(&self->demux, data, size, err);
    if (self->frame.len) {
        size_t used;
        if (complete(self, data, size, &used, err) < 0)
            return -1;
        data += used;
        size -= used;
    }
    while (size) {
        size_t whole;
        if (frame_size(data, size, &whole, err) < 0)
            return -1;
        if (!whole || whole > size) {
            str_add_bytes(&self->frame, data, size);
            return 0;
        }
        if (take_frame(self, data, whole, err) < 0)
            return -1;
        data += whole;
        size -= whole;
    }
    if (self->frame.space > 2 * PART_SIZE && !self->frame.len)
        str_done(&self->frame);
    return 0;
}

int
docker_entries_end(docker_entries_t *self, err_t **err)
{
    if (self->tty)
        return docker_lines_end(&self->lines, err);
    if (self->complaint.len)
        return err_fail(err, ERR_UNKNOWN, "Docker says '%s'", self->complaint.data);
    if (self->frame.len)
        return err_fail(err, ERR_UNAVAILABLE,
                        "Docker's log stream broke off in the middle of a frame");
    for (int i = 0; i < DOCKER_STREAMS; i++)
        if (self->is_open[i] && line_end(self, (docker_stream_t)i, err) < 0)
            return -1;
    return 0;
}
