/*  graph: dependencies of steps. One table of names (services, artifacts, references) says which
 * step made each last; a step comes after the makers of what it uses. */
#include "apic/run/graph.h"

#include "apic/run/reference.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const run_plan_t *plan;
    run_deps_t *deps;
    run_map_t makers; /* name -> index + 1 */
    size_t *waits;    /* steps of order WAIT so far */
    size_t n_waits;
} graph_t;

static void add_step(graph_t *self, size_t index);

run_deps_t *
run_graph_new(const run_plan_t *plan)
{
    graph_t self = {
        .plan = plan,
        .deps = calloc(plan->n_steps + 1, sizeof(run_deps_t)),
        .waits = calloc(plan->n_steps + 1, sizeof(size_t)),
    };
    for (size_t i = 0; i < plan->n_steps; i++)
        add_step(&self, i);
    run_map_done(&self.makers, NULL);
    free(self.waits);
    return self.deps;
}

void
run_graph_free(run_deps_t *self, size_t count)
{
    for (size_t i = 0; self && i < count; i++)
        free(self[i].items);
    free(self);
}

static void
depend(graph_t *self, size_t index, size_t on)
{
    run_deps_t *deps = &self->deps[index];
    size_t at = deps->count;
    while (at > 0 && deps->items[at - 1] > on)
        at--;
    if (on == index || (at > 0 && deps->items[at - 1] == on))
        return;
    deps->items = realloc(deps->items, (deps->count + 1) * sizeof(*deps->items));
    memmove(deps->items + at + 1, deps->items + at, (deps->count - at) * sizeof(*deps->items));
    deps->items[at] = on;
    deps->count++;
}

static void
consume(graph_t *self, size_t index, const char *name)
{
    const size_t maker = (size_t)run_map_get(&self->makers, name);
    if (!maker || maker - 1 == index)
        return;
    depend(self, index, maker - 1);
    for (size_t i = 0; i < self->n_waits; i++)
        depend(self, index, self->waits[i]);
}

static void
produce(graph_t *self, size_t index, const char *name)
{
    run_map_put(&self->makers, name, (void *)(index + 1));
}

/* Calls fn for every reference in the text. */
static void
each_reference(graph_t *self, size_t index, const char *text,
               void (*fn)(graph_t *self, size_t index, const char *name))
{
    const size_t size = strlen(text);
    run_reference_t found;
    for (size_t at = 0; run_reference_find(text, size, at, &found); at = found.end) {
        AUTO_FREE char *name = strndup(text + found.start, found.end - found.start);
        fn(self, index, name);
    }
}

/* The first step that hands a reference out makes its value. */
static void
produce_new(graph_t *self, size_t index, const char *name)
{
    if (!run_map_get(&self->makers, name))
        produce(self, index, name);
}

static bool
has_name(char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

/* After every step that works with the service, or depends on the one that made it. */
static void
follow_users(graph_t *self, size_t index, const char *service)
{
    const size_t maker = (size_t)run_map_get(&self->makers, service);
    for (size_t i = 0; i < index; i++) {
        const plan_step_t *step = self->plan->steps[i];
        bool is_user = has_name(step->uses, step->n_uses, service) ||
                       has_name(step->services, step->n_services, service);
        for (size_t k = 0; maker && !is_user && k < self->deps[i].count; k++)
            is_user = self->deps[i].items[k] == maker - 1;
        if (is_user)
            depend(self, index, i);
    }
}

static void
add_step(graph_t *self, size_t index)
{
    const plan_step_t *step = self->plan->steps[index];
    const plan_order_t order = step->kind->order;
    const bool adds =
        step->kind->again == PLAN_AGAIN_SERVICE || step->kind->again == PLAN_AGAIN_SERVICES;

    if (order == PLAN_ORDER_PRINT && index > 0)
        depend(self, index, index - 1);
    if (order == PLAN_ORDER_REMOVE && step->n_services)
        follow_users(self, index, step->services[0]);
    for (size_t i = 0; i < step->n_uses; i++)
        consume(self, index, step->uses[i]);
    /* a second add of a name is an update, and comes after the first */
    for (size_t i = 0; i < step->n_services; i++)
        consume(self, index, step->services[i]);
    each_reference(self, index, step->text, consume);

    if (order == PLAN_ORDER_WAIT)
        self->waits[self->n_waits++] = index;
    if (order == PLAN_ORDER_TOUCH)
        for (size_t i = 0; i < step->n_uses; i++)
            produce(self, index, step->uses[i]);
    if (order == PLAN_ORDER_TOUCH || order == PLAN_ORDER_REMOVE || adds)
        for (size_t i = 0; i < step->n_services; i++)
            produce(self, index, step->services[i]);
    for (size_t i = 0; i < step->n_artifacts; i++)
        produce(self, index, step->artifacts[i].name);
    each_reference(self, index, step->returned, produce_new);
}
