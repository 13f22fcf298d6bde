/*  trace: what BuildKit tells of a build, as lines of text.
 *
 *  Docker passes BuildKit's own messages on as base64 of protobuf (moby.buildkit.v1.StatusResponse).
 *  Of these the steps and what they print are read; the rest is skipped, and nothing is trusted.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_TRACE_H
#define KURTOSIS_DOCKER_DRIVER_TRACE_H

#include "base/str.h"

#include <stdint.h>

#define TRACE_STEPS_MAX 4096u /* steps of a build that are told only once */

/* Embedded; zero it before. */
typedef struct {
    uint64_t *told; /* steps that were told: hashes of their digests */
    size_t count;
} trace_t;

/* Appends lines, each with its newline, for one message; one that makes no sense adds none. */
void trace_feed(trace_t *self, const char *base64, str_t *ret_lines);
void trace_done(trace_t *self);

#endif
