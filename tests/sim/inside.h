/*  inside: what sim.c and methods.c share. */
#ifndef KURTOSIS_TESTS_SIM_INSIDE_H
#define KURTOSIS_TESTS_SIM_INSIDE_H

#include "tests/sim/sim.h"

#include <pthread.h>

/* Who follows the events; lives on its handler's stack. */
typedef struct watcher {
    int fd; /* readable: there are events */
    Orchestrator__ContainerEvent *events[256];
    size_t count;
    struct watcher *next;
} watcher_t;

struct sim {
    actor_t *actor;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    sim_container_t *containers;
    watcher_t *watchers;
    unsigned starting, most, hold;
    bool refuse_removal, hang;
    unsigned hanging;
};

extern const actor_method_t sim_methods[];

/* All with the lock held. */
sim_container_t *sim_find(sim_t *self, const char *uuid);
sim_container_t *sim_find_name(sim_t *self, const char *name);
void sim_add(sim_t *self, sim_container_t *container);
void sim_remove(sim_t *self, sim_container_t *container);
void sim_run(sim_t *self, sim_container_t *container);
void sim_end(sim_t *self, sim_container_t *container, int exit_code);
void sim_event(sim_t *self, const sim_container_t *container, const char *action);

#endif
