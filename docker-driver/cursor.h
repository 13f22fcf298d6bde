/*  cursor: where in a container's log the stored lines end, so that following it again loses and doubles none.
 *
 *  Docker only knows times, and times are no positions: several lines may have the same one, lines of the two outputs may
 *  stand in another order than their times, a clock may be set back. So a cursor is a time and a number: of the lines at or
 *  after `since`, the first `skip` are stored. Docker gives exactly the lines at or after a time, always in the same order,
 *  so the number is right whatever the times are, as long as no line before `since` is still to come: `since` stays some
 *  seconds behind the newest line, and goes back to the beginning when a line comes that is older than it, or when the clock
 *  was set back so that one may have been printed while nobody followed.
 *  (One that is set back and forward again within that time is not noticed.)
 */
#ifndef KURTOSIS_DOCKER_DRIVER_CURSOR_H
#define KURTOSIS_DOCKER_DRIVER_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCKER_CURSOR_SIZE 80u
/* How far since is behind the newest line, at least. */
#define DOCKER_CURSOR_BEHIND_NS INT64_C(2000000000)
/* A line that is so much older than the one before it is of a clock that was set back, not of outputs in disorder. */
#define DOCKER_CURSOR_BACK_NS INT64_C(1000000000)
#define DOCKER_CURSOR_ID 24u /* bytes of the container's id that are compared */

typedef struct {
    char id[DOCKER_CURSOR_ID]; /* beginning of the container's id */
    int64_t since;             /* nanoseconds since 1970; 0: the beginning */
    uint64_t skip;             /* lines at or after it that are stored */
    int64_t next_since;        /* what since will be, and lines at or after that */
    uint64_t next_skip;
    int64_t newest; /* of all stored lines */
    uint64_t total; /* stored lines of this container */
    int64_t
        ahead; /* the most that clock_ahead_ns() was since the log was last read anew; 0: not known */
    uint64_t left;  /* lines still to be skipped, while a log is followed again; not stored */
    int64_t recent; /* newest line since the clock was last set back; not stored */
} docker_cursor_t;

/* For a container: from bytes of the store if they are of the same container, else the beginning. */
void docker_cursor_init(docker_cursor_t *self, const char *id, const void *bytes, size_t size);
void docker_cursor_put(const docker_cursor_t *self, uint8_t ret_bytes[DOCKER_CURSOR_SIZE]);
/* The log is being read anew, from self->since. ahead: clock_ahead_ns(); now: nanoseconds since 1970. */
void docker_cursor_begin(docker_cursor_t *self, int64_t ahead, int64_t now);
/* It is about to be stored. */
void docker_cursor_keep(docker_cursor_t *self, int64_t ahead);
/* A line has come: whether it is new. between_lines: no other line has begun and goes on. */
bool docker_cursor_take(docker_cursor_t *self, int64_t time, bool between_lines);
/* Whether a line that was Docker's last one `ago` nanoseconds before now has come, as far as its time tells. */
bool docker_cursor_has(const docker_cursor_t *self, int64_t time, int64_t ago);

#endif
