/*  memory: what is freed goes back to the system. */
#ifndef KURTOSIS_BASE_MEMORY_H
#define KURTOSIS_BASE_MEMORY_H

#include <malloc.h>

/* Gives the pages that free() keeps for later back to the system: for a process that has just let go of the largest
 * thing it ever holds. From any thread; takes a millisecond or so. Builds with sanitizers have an allocator of their own,
 * and glibc's, which is then never set up, crashes when two threads are the first to use it: nothing is done there. */
static inline void
memory_give_back(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    malloc_trim(0);
#endif
}

#endif
