/*  debug: switches for finding bugs of ours, given in star_options_t.debug. They change speed,
 * never results. */
#ifndef STARLARK_DEBUG_H
#define STARLARK_DEBUG_H

#include "starlark/starlark.h"

typedef enum {
    STAR_DEBUG_COLLECT = 1 << 0, /* collect garbage at every place where it may be collected */
    STAR_DEBUG_TINY_STACKS =
        1 << 1, /* value stacks of a few slots, so that they are grown all the time */
} star_debug_t;

/* How often the interpreter has looked around so far: at star_cancel(), the step limit and the
 * collector. */
uint64_t star_debug_looks(const star_t *star);

#endif
