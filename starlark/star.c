/*  star: an interpreter's beginning, end and limits. */
#include "starlark/machine.h"
#include "starlark/ops.h"

#include <stdlib.h>

int
star_new(const star_options_t *options, star_t **ret_star)
{
    static const star_options_t none = {0};
    star_t *s;

    if (options == NULL)
        options = &none;
    s = options->alloc != NULL ? options->alloc(options->alloc_user, NULL, 0, sizeof *s)
                               : malloc(sizeof *s);
    if (s == NULL)
        return -1;
    memset(s, 0, sizeof *s);
    s->options = *options;
    if (s->options.limits.memory == 0)
        s->options.limits.memory = (size_t)4 << 30;
    if (s->options.limits.depth == 0)
        s->options.limits.depth = SL_DEPTH_DEFAULT;
    s->message = s->emergency;
    s->memory = s->peak = sizeof *s;
    s->budget = s->slice = 0;
    sl_heap_init(s);
    if (sl_universe_init(s) < 0) {
        star_destroy(&s);
        return -1;
    }
    *ret_star = s;
    return 0;
}

void
star_destroy(star_t **star_p)
{
    star_t *s = star_p != NULL ? *star_p : NULL;

    if (s == NULL)
        return;
    sl_heap_done(s);
    sl_stacks_done(s);
    sl_images_done(s);
    star_error_clear(s);
    star_options_t options = s->options;
    if (options.alloc != NULL)
        options.alloc(options.alloc_user, s, sizeof *s, 0);
    else
        free(s);
    *star_p = NULL;
}

void *
star_user(const star_t *star)
{
    return star->options.user;
}

void
star_cancel(star_t *star, const char *reason)
{
    __atomic_store_n(&star->cancel, reason, __ATOMIC_RELEASE);
}

uint64_t
star_steps(const star_t *star)
{
    return star->steps + (uint64_t)(star->slice - star->budget);
}

size_t
star_memory(const star_t *star, size_t *ret_peak)
{
    if (ret_peak != NULL)
        *ret_peak = star->peak;
    return star->memory;
}

uint64_t
star_debug_looks(const star_t *star)
{
    return star->looks;
}

bool
sl_poll(star_t *s, bool may_collect)
{
    const char *cancel = __atomic_load_n(&s->cancel, __ATOMIC_ACQUIRE);
    uint64_t limit = s->options.limits.steps;

    uint64_t passed = (uint64_t)(s->slice - s->budget);

    s->steps += passed;
    s->looks++;
    s->slice = s->budget = 0;
    if (s->options.sample != NULL && passed > 0)
        s->options.sample(s, passed, s->options.user);
    if (cancel != NULL)
        return sl_fail_cancelled(s, cancel);
    if (limit > 0 && s->steps >= limit)
        return sl_fail_kind(s, STAR_ERROR_LIMIT, "too many steps: the limit is %llu",
                            (unsigned long long)limit);
    if (may_collect && (s->heap.wanted || (s->options.debug & STAR_DEBUG_COLLECT)))
        sl_heap_collect(s);
    s->slice = s->options.sample != NULL ? SL_SAMPLE_STEPS : SL_POLL_STEPS;
    if (limit > 0 && limit - s->steps < (uint64_t)s->slice)
        s->slice = (int64_t)(limit - s->steps);
    if (s->options.debug & STAR_DEBUG_COLLECT)
        s->slice = 0;
    if (s->heap.wanted)
        s->slice = 0;
    s->budget = s->slice;
    return true;
}

bool
sl_tick_slow(star_t *s)
{
    s->budget -= SL_TICKS / 8;
    return sl_poll(s, false);
}

/* ------------------------------------------------------------------ freezing */

static void
freeze_visit(star_visitor_t *self, value_t value)
{
    if (!sl_is_obj(value) || self->failed)
        return;
    sl_obj_t *object = sl_obj(value);
    if (object->flags & SL_FROZEN)
        return;
    if (self->count == self->capacity && sl_grow(self->star, (void **)&self->stack, &self->capacity,
                                                 sizeof *self->stack, self->count + 1) < 0) {
        self->failed = true;
        return;
    }
    object->flags |= SL_FROZEN;
    self->stack[self->count++] = object;
}

void
star_freeze(star_t *star, star_value_t value)
{
    star_visitor_t visitor = {.visit = freeze_visit, .star = star};

    freeze_visit(&visitor, value);
    while (visitor.count > 0) {
        sl_obj_t *object = visitor.stack[--visitor.count];
        if (object->type == SL_HOST) {
            sl_host_t *host = (sl_host_t *)object;
            if (host->type->freeze != NULL)
                host->type->freeze(host->data);
        }
        if (object->type ==
            SL_FUNCTION) { /* not its file's variables: those are frozen when the file ends */
            sl_function_t *function = (sl_function_t *)object;
            if (function->defaults != NULL)
                freeze_visit(&visitor, sl_value(function->defaults));
            for (uint32_t i = 0; i < object->extra; i++)
                freeze_visit(&visitor, function->free[i]);
        } else if (object->type != SL_CODE && object->type != SL_GLOBALS &&
                   object->type != SL_BUILTIN) {
            sl_visit_children(&visitor, object);
        }
    }
    sl_free(star, visitor.stack, visitor.capacity * sizeof *visitor.stack);
}
