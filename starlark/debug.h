/*  debug: switches for finding bugs of ours, given in star_options_t.debug. They change speed,
 * never results. */
#ifndef STARLARK_DEBUG_H
#define STARLARK_DEBUG_H

#include "starlark/starlark.h"

typedef enum {
    STAR_DEBUG_COLLECT = 1 << 0, /* collect garbage at every place where it may be collected */
    STAR_DEBUG_TINY_STACKS =
        1 << 1, /* value stacks of a few slots, so that they are grown all the time */
    STAR_DEBUG_CALLS = 1 << 2, /* note which built-in functions were called: star_debug_called() */
} star_debug_t;

/* How often the interpreter has looked around so far: at star_cancel(), the step limit and the
 * collector. */
uint64_t star_debug_looks(const star_t *star);
/* Whether a call of this built-in function, or of this method of any value, has succeeded. */
bool star_debug_called(star_value_t function);
/* The names that every program knows: a list of strings. */
star_value_t star_debug_names(star_t *star);

#endif
