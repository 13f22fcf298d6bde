/*  clock: time is monotonic nanoseconds in an int64_t; wall time only where a person or a file reads it. */
#ifndef KURTOSIS_BASE_CLOCK_H
#define KURTOSIS_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

/* Nanoseconds since some fixed moment; never goes back. Any thread. */
static inline int64_t
clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* The moment ms (>= 0) from now, for timed waits that end by this clock. */
static inline struct timespec
clock_after_ms(int64_t ms)
{
    const int64_t at = clock_ns() + ms * NS_PER_MS;
    return (struct timespec){.tv_sec = at / NS_PER_SECOND, .tv_nsec = at % NS_PER_SECOND};
}

/* A condition whose timed waits end by this clock. */
static inline void
clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* The same clock as of the last tick, up to 10 ms ago, at a fifth of the cost: for what only asks whether something took
 * long. Not to be compared with clock_ns(). */
static inline int64_t
clock_coarse_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* By how much the time of day is ahead of the machine's uptime, nanoseconds: less than before when it was set back. */
static inline int64_t
clock_ahead_ns(void)
{
    struct timespec uptime, now;
    clock_gettime(CLOCK_BOOTTIME, &uptime);
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)(now.tv_sec - uptime.tv_sec) * NS_PER_SECOND + now.tv_nsec - uptime.tv_nsec;
}

/* Nanoseconds since 1970-01-01T00:00:00Z. */
static inline int64_t
clock_wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

#endif
