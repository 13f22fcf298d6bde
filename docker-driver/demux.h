/*  demux: takes Docker's output streams apart.
 *
 *  Without a terminal Docker sends frames: stream number (0 input, 1 output, 2 error, 3 the
 *  daemon's own complaint), three zero bytes, the size (32 bits, big endian), then that many bytes.
 *  With a terminal the bytes come as they are.
 *
 *     01 00 00 00  00 00 00 06  h e l l o \n
 *
 *  docker_demux passes pieces on as they come, in order of arrival. docker_lines puts such pieces
 *  together to lines with their times (from a log stream with timestamps=1). Neither waits nor
 * holds more than a line.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_DEMUX_H
#define KURTOSIS_DOCKER_DRIVER_DEMUX_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define DOCKER_LINE_MAX (1024u * 1024) /* bytes of a line; a longer one is split */

typedef enum { DOCKER_OUT, DOCKER_ERR, DOCKER_STREAMS } docker_stream_t;

/* starts: whether this piece is the beginning of a frame (always, with a terminal). Negative stops
 * the feeding. */
typedef int(docker_piece_fn)(void *arg, docker_stream_t stream, bool starts, const char *data,
                             size_t size, err_t **err);

typedef struct {
    bool tty;
    docker_piece_fn *piece;
    void *arg;
    uint8_t head[8];
    size_t head_len;
    uint32_t left;   /* bytes of the frame that are still to come */
    bool begun;      /* some of its bytes have been passed on */
    str_t complaint; /* of the daemon */
} docker_demux_t;

void docker_demux_init(docker_demux_t *self, bool tty, docker_piece_fn *piece, void *arg);
void docker_demux_done(docker_demux_t *self);
/* Takes bytes as they come, cut anywhere. Negative: what piece returned, or INVALID for what is no
 * such stream. */
int docker_demux_feed(docker_demux_t *self, const char *data, size_t size, err_t **err);
/* The stream has ended: an error when the daemon complained or the last frame is cut. */
int docker_demux_end(docker_demux_t *self, err_t **err);

/* line has no newline. time: nanoseconds since 1970; 0 if the stream had none. */
typedef int(docker_line_fn)(void *arg, docker_stream_t stream, int64_t time, const char *line,
                            size_t size, err_t **err);

typedef struct {
    bool tty;
    docker_line_fn *line;
    void *arg;
    struct {
        str_t stamp;  /* of the entry, while it is incomplete */
        str_t text;   /* of the line so far */
        int64_t time; /* of the line */
        bool stamped; /* the entry's stamp is complete */
        bool is_open; /* a line has begun */
        size_t entry; /* bytes of the present entry */
    } side[DOCKER_STREAMS];
} docker_lines_t;

void docker_lines_init(docker_lines_t *self, bool tty, docker_line_fn *line, void *arg);
void docker_lines_done(docker_lines_t *self);
/* A docker_piece_fn with arg = docker_lines_t. */
int docker_lines_piece(void *self, docker_stream_t stream, bool starts, const char *data,
                       size_t size, err_t **err);
/* Gives out what has no newline. */
int docker_lines_end(docker_lines_t *self, err_t **err);

#endif
