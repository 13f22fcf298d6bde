/*  timers: see timers.h. */
#include "bus/timers.h"

#include "base/clock.h"

#include <limits.h>
#include <stdlib.h>

void
bus_timers_done(bus_timers_t *self)
{
    free(self->heap);
    *self = (bus_timers_t){0};
}

static void
put(bus_timers_t *self, bus_timer_t *timer, size_t place)
{
    self->heap[place] = timer;
    timer->place = place;
}

/* Moves timer from a free place to where it belongs. */
static void
settle(bus_timers_t *self, bus_timer_t *timer, size_t place)
{
    for (; place > 1 && self->heap[place / 2]->due > timer->due; place /= 2)
        put(self, self->heap[place / 2], place);
    for (size_t child; (child = 2 * place) <= self->count; place = child) {
        if (child < self->count && self->heap[child + 1]->due < self->heap[child]->due)
            child++;
        if (self->heap[child]->due >= timer->due)
            break;
        put(self, self->heap[child], place);
    }
    put(self, timer, place);
}

void
bus_timers_set(bus_timers_t *self, bus_timer_t *timer, int64_t due)
{
    if (!timer->place) {
        if (self->count + 2 > self->space) {
            self->space = self->space ? 2 * self->space : 16;
            self->heap = realloc(self->heap, self->space * sizeof *self->heap);
            if (!self->heap)
                abort();
        }
        timer->place = ++self->count;
    }
    timer->due = due;
    settle(self, timer, timer->place);
}

void
bus_timers_remove(bus_timers_t *self, bus_timer_t *timer)
{
    if (!timer->place)
        return;
    size_t place = timer->place;
    bus_timer_t *last = self->heap[self->count--];
    if (last != timer)
        settle(self, last, place);
    timer->place = 0;
}

void
bus_timers_run(bus_timers_t *self, int64_t now)
{
    for (size_t most = self->count; most && self->count && self->heap[1]->due <= now; most--) {
        bus_timer_t *timer = self->heap[1];
        bus_timers_remove(self, timer);
        timer->fn(timer);
    }
}

int
bus_timers_wait_ms(const bus_timers_t *self, int64_t now)
{
    if (!self->count)
        return -1;
    int64_t wait = (self->heap[1]->due - now + NS_PER_MS - 1) / NS_PER_MS;
    return wait < 0 ? 0 : wait > INT_MAX ? INT_MAX : (int)wait;
}
