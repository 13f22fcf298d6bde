/*  bench: asks through our broker against raw libzmq through the same hops. Three processes each:
 *  hub, echo, asker. */
#ifndef KURTOSIS_BENCH_BUS_H
#define KURTOSIS_BENCH_BUS_H

#include "base/clock.h"
#include "bus/bus.h"

#define MESSAGE_SIZE 200
#define WINDOW 64

/* How one round went. */
typedef struct {
    double per_second; /* round trips with WINDOW in flight */
    double p50_us;     /* round trip with one in flight */
} result_t;

/* Forks hub and echo for endpoints in folder, asks, ends them. */
result_t raw_round(const char *folder, int trips, int single_trips);
result_t ours_round(const char *folder, int trips, int single_trips);
/* The same through actors: messages of the schema, encoded and decoded, a handler on the loop of
 * the asked. */
result_t actors_round(const char *folder, int trips, int single_trips);
/* Resident megabytes of a broker's process with that many idle peers, after seconds. */
double memory_of_broker(const char *folder, int peers, int seconds);

/* main.c: runs fn(arg) in a child process and returns its pid once fn has called ready(). */
int child_start(void (*fn)(void *arg), void *arg);
void child_ready(void);
void child_end(int pid);
double median_of(double *values, int count);
double resident_mb(int pid);

#endif
