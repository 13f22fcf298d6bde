/*  graph: which steps of a plan must be done before which. */
#ifndef KURTOSIS_APIC_RUN_GRAPH_H
#define KURTOSIS_APIC_RUN_GRAPH_H

#include "apic/run/interpret.h"

/* The steps that one step comes after, by index, rising, each once. */
typedef struct {
    size_t *items;
    size_t count;
} run_deps_t;

/* One entry per step; yours (run_graph_free). Steps only depend on steps before them. */
run_deps_t *run_graph_new(const run_plan_t *plan);
void run_graph_free(run_deps_t *self, size_t count);

#endif
