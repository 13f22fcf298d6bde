/*  entries: lines out of Docker's log stream, fast, for the log store.
 *
 *  Without a terminal each frame is one entry of Docker's log: a time, a blank, and at most 16384 bytes, which a longer line
 *  goes on behind. An entry that is shorter and has no newline is the end of an output: the line ends there too, so that the
 *  same log always gives the same lines in the same order, however often its container began anew. Podman, whose times are
 *  whole seconds, makes an entry of every piece that is printed: there only a newline ends a line. With a terminal the
 *  entries are not told apart (see demux.h) and this holds only for output that ends in a newline.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_ENTRIES_H
#define KURTOSIS_DOCKER_DRIVER_ENTRIES_H

#include "docker-driver/demux.h"

#define DOCKER_ENTRY_MAX (4u * 1024 * 1024) /* bytes of a frame; a larger one is no log's */

typedef struct {
    docker_line_fn *line;
    void *arg;
    bool tty;
    str_t frame;                 /* what has come of an incomplete one, its head included */
    str_t parts[DOCKER_STREAMS]; /* of a line that goes on */
    int64_t times[DOCKER_STREAMS];
    bool is_open[DOCKER_STREAMS];
    char second[20]; /* the last second seen, as text, and what it means */
    int64_t second_ns;
    docker_demux_t demux; /* with a terminal */
    docker_lines_t lines;
    str_t complaint; /* of the daemon */
} docker_entries_t;

/* line's time is that of the line's first entry. Must stay where it is. */
void docker_entries_init(docker_entries_t *self, bool tty, docker_line_fn *line, void *arg);
void docker_entries_done(docker_entries_t *self);
/* Takes bytes as they come, cut anywhere. Negative: what line returned, or INVALID. */
int docker_entries_feed(docker_entries_t *self, const char *data, size_t size, err_t **err);
/* The stream has ended: gives out what has no newline; an error when the daemon complained or a frame is cut. */
int docker_entries_end(docker_entries_t *self, err_t **err);
/* Whether a line has begun and goes on. */
bool docker_entries_open(const docker_entries_t *self);

#endif
