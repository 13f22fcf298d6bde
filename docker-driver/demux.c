/*  demux: see demux.h. */
#include "docker-driver/demux.h"

#include "base/moment.h"

#include <string.h>

#define STAMP_MAX 64u       /* bytes of a time and its blank */
#define COMPLAINT_MAX 4000u /* bytes of the daemon's complaint that are kept */
#define ENTRY_MAX 16384u    /* bytes after which Docker's log drivers cut a line into entries */

enum { SIDE_IN = 0, SIDE_OUT = 1, SIDE_ERR = 2, SIDE_DAEMON = 3 };

/* ---------------------------------------------------------------------------------------- demux */

void
docker_demux_init(docker_demux_t *self, bool tty, docker_piece_fn *piece, void *arg)
{
    *self = (docker_demux_t){.tty = tty, .piece = piece, .arg = arg, .complaint = STR_EMPTY};
}

void
docker_demux_done(docker_demux_t *self)
{
    str_done(&self->complaint);
}

static int
pass_on(docker_demux_t *self, const char *data, size_t size, err_t **err)
{
    bool starts = !self->begun;
    self->begun = true;
    if (self->head[0] == SIDE_DAEMON) {
        size_t room = COMPLAINT_MAX - self->complaint.len;
        str_add_bytes(&self->complaint, data, size < room ? size : room);
        return 0;
    }
    return self->piece(self->arg, self->head[0] == SIDE_ERR ? DOCKER_ERR : DOCKER_OUT, starts, data,
                       size, err);
}

int
docker_demux_feed(docker_demux_t *self, const char *data, size_t size, err_t **err)
{
    if (self->tty)
        return size ? self->piece(self->arg, DOCKER_OUT, true, data, size, err) : 0;
    while (size) {
        if (self->left) {
            size_t part = size < self->left ? size : self->left;
            if (pass_on(self, data, part, err) < 0)
                return -1;
            data += part;
            size -= part;
            self->left -= (uint32_t)part;
            continue;
        }
        self->head[self->head_len++] = (uint8_t)*data++;
        size--;
        if (self->head_len < sizeof self->head)
            continue;
        if (self->head[0] > SIDE_DAEMON || self->head[1] || self->head[2] || self->head[3])
            return err_fail(err, ERR_INVALID,
                            "Docker's output stream has a frame of unknown kind %u", self->head[0]);
        self->left = (uint32_t)self->head[4] << 24 | (uint32_t)self->head[5] << 16 |
                     (uint32_t)self->head[6] << 8 | self->head[7];
        self->head_len = 0;
        self->begun = false;
    }
    return 0;
}

int
docker_demux_end(docker_demux_t *self, err_t **err)
{
    if (self->complaint.len)
        return err_fail(err, ERR_UNKNOWN, "Docker says '%s'", self->complaint.data);
    if (self->left || self->head_len)
        return err_fail(err, ERR_UNAVAILABLE,
                        "Docker's output stream broke off in the middle of a frame");
    return 0;
}

/* ---------------------------------------------------------------------------------------- lines */

void
docker_lines_init(docker_lines_t *self, bool tty, docker_line_fn *line, void *arg)
{
    *self = (docker_lines_t){.tty = tty, .line = line, .arg = arg};
    for (size_t i = 0; i < DOCKER_STREAMS; i++)
        self->side[i].stamp = self->side[i].text = STR_EMPTY;
}

void
docker_lines_done(docker_lines_t *self)
{
    for (size_t i = 0; i < DOCKER_STREAMS; i++) {
        str_done(&self->side[i].stamp);
        str_done(&self->side[i].text);
    }
}

static int
line_end(docker_lines_t *self, docker_stream_t stream, err_t **err)
{
    int result = self->line(self->arg, stream, self->side[stream].time,
                            self->side[stream].text.data, self->side[stream].text.len, err);
    str_clear(&self->side[stream].text);
    self->side[stream].is_open = false;
    return result;
}

static int
text_add(docker_lines_t *self, docker_stream_t stream, const char *data, size_t size, err_t **err)
{
    self->side[stream].is_open = true;
    while (self->side[stream].text.len + size > DOCKER_LINE_MAX) {
        size_t room = DOCKER_LINE_MAX - self->side[stream].text.len;
        str_add_bytes(&self->side[stream].text, data, room);
        data += room;
        size -= room;
        if (line_end(self, stream, err) < 0)
            return -1;
        self->side[stream].is_open = true;
    }
    str_add_bytes(&self->side[stream].text, data, size);
    return 0;
}

/* One byte of an entry's stamp. When what came is no stamp after all it is text. */
static int
stamp_add(docker_lines_t *self, docker_stream_t stream, char c, err_t **err)
{
    str_t *stamp = &self->side[stream].stamp;
    str_add_char(stamp, c);
    if (c != ' ' && c != '\n' && stamp->len < STAMP_MAX)
        return 0;
    self->side[stream].stamped = true;
    int64_t time;
    bool is_time = c == ' ' && moment_parse(stamp->data, stamp->len - 1, &time);
    if (is_time && !self->side[stream].is_open)
        self->side[stream].time = time;
    int result = is_time ? 0 : text_add(self, stream, stamp->data, stamp->len - (c == '\n'), err);
    str_clear(stamp);
    self->side[stream].is_open = true;
    if (result == 0 && c == '\n')
        result = line_end(self, stream, err);
    if (c == '\n')
        self->side[stream].stamped = false;
    return result;
}

int
docker_lines_piece(void *arg, docker_stream_t stream, bool starts, const char *data, size_t size,
                   err_t **err)
{
    docker_lines_t *self = arg;
    if (starts && !self->tty) {
        str_t *stamp = &self->side[stream].stamp;
        if (stamp->len && text_add(self, stream, stamp->data, stamp->len, err) < 0)
            return -1;
        str_clear(stamp);
        self->side[stream].stamped = false;
        self->side[stream].entry = 0;
    }
    while (size) {
        if (!self->side[stream].stamped) {
            if (stamp_add(self, stream, *data, err) < 0)
                return -1;
            data++;
            size--;
            self->side[stream].entry = 0;
            continue;
        }
        const char *newline = memchr(data, '\n', size);
        size_t part = newline ? (size_t)(newline - data) : size;
        if (self->tty && part > ENTRY_MAX - self->side[stream].entry)
            part = ENTRY_MAX - self->side[stream].entry;
        if (text_add(self, stream, data, part, err) < 0)
            return -1;
        self->side[stream].entry += part;
        data += part;
        size -= part;
        if (size && *data == '\n') {
            data++;
            size--;
            self->side[stream].stamped = false;
            if (line_end(self, stream, err) < 0)
                return -1;
        } else if (self->tty && self->side[stream].entry == ENTRY_MAX) {
            self->side[stream].stamped = false; /* the next entry of the same line */
        }
    }
    return 0;
}

int
docker_lines_end(docker_lines_t *self, err_t **err)
{
    for (int stream = 0; stream < DOCKER_STREAMS; stream++) {
        str_t *stamp = &self->side[stream].stamp;
        if (stamp->len && text_add(self, (docker_stream_t)stream, stamp->data, stamp->len, err) < 0)
            return -1;
        str_clear(stamp);
        if (self->side[stream].is_open && line_end(self, (docker_stream_t)stream, err) < 0)
            return -1;
    }
    return 0;
}
