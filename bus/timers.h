/*  timers: things that are due at a time, in one heap. One thread; time is clock_ns() and is passed
 *  in. */
#ifndef KURTOSIS_BUS_TIMERS_H
#define KURTOSIS_BUS_TIMERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct bus_timer {
    int64_t due;                      /* nanoseconds of clock_ns() */
    size_t place;                     /* 1 and up while in the heap, 0 outside */
    void (*fn)(struct bus_timer *me); /* it is out of the heap when fn runs, and may be put again or
                                         freed there */
} bus_timer_t;

typedef struct {
    bus_timer_t **heap; /* heap[1] is due first */
    size_t count;
    size_t space;
} bus_timers_t;

void bus_timers_done(bus_timers_t *self);
/* Puts in, or moves if it is in. */
void bus_timers_set(bus_timers_t *self, bus_timer_t *timer, int64_t due);
/* Does nothing if it is not in. */
void bus_timers_remove(bus_timers_t *self, bus_timer_t *timer);
/* Runs what is due at now; those put meanwhile with due <= now run the next time. */
void bus_timers_run(bus_timers_t *self, int64_t now);
/* Milliseconds until the first is due, rounded up; -1 without any. For poll(2). */
int bus_timers_wait_ms(const bus_timers_t *self, int64_t now);

#endif
