/*  heap: the collector. See heap.h.
 *
 *  Colours: new objects are white; a collection paints what it reaches black, and then the meaning
 * of the two changes places, so that nothing has to be painted back. Sweeping frees cells that have
 * the old white, and must be over before the next collection starts.
 */
#include "starlark/heap.h"

#include "starlark/code.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

enum { ALLOWED_MIN = 4 << 20 };

static void release(star_t *s, sl_obj_t *object);
static void sweep_block(star_t *s, sl_class_t *class, sl_block_t *block);

/* ------------------------------------------------------------------ allocation */

int
sl_heap_init(star_t *s)
{
    s->heap.white = 1;
    s->heap.black = 2;
    s->heap.allowed = ALLOWED_MIN;
    s->heap.log = true;
    return 0;
}

static void *
refill(star_t *s, sl_class_t *class, size_t number)
{
    while (class->unswept != NULL && class->free == NULL) {
        sl_block_t *block = class->unswept;
        class->unswept = block->next;
        sweep_block(s, class, block);
    }
    if (class->free != NULL) {
        void *cell = class->free;
        UNPOISON(cell, number * 16);
        class->free = ((void **)cell)[1];
        return cell;
    }
    if (class->bump == class->end) {
        sl_block_t *block = sl_realloc(s, NULL, 0, SL_BLOCK_SIZE);
        if (block == NULL)
            return NULL;
        *block = (sl_block_t){.next = class->blocks, .cell = (uint32_t)(number * 16)};
        class->blocks = block;
        class->bump = block->cells;
        class->end = block->cells +
                     (SL_BLOCK_SIZE - offsetof(sl_block_t, cells)) / block->cell * block->cell;
        POISON(block->cells, SL_BLOCK_SIZE - offsetof(sl_block_t, cells));
    }
    void *cell = class->bump;
    UNPOISON(cell, number * 16);
    class->bump += number * 16;
    class->blocks->count++;
    return cell;
}

void
sl_heap_charge(star_t *s, size_t bytes)
{
    s->heap.since += bytes;
    if (s->heap.since > s->heap.allowed && !s->heap.wanted) {
        s->heap.wanted = true;
        s->slice -= s->budget; /* look around at the next chance */
        s->budget = 0;
    }
}

int
sl_heap_log(star_t *s, value_t value)
{
    if (!sl_is_obj(value))
        return 0;
    if (sl_grow(s, (void **)&s->heap.temps, &s->heap.temps_capacity, sizeof value,
                s->heap.n_temps + 1) < 0)
        return -1;
    s->heap.temps[s->heap.n_temps++] = value;
    return 0;
}

void *
sl_heap_new_slow(star_t *s, sl_type_t type, size_t size)
{
    sl_obj_t *object;
    uint8_t number = SL_LARGE;

    /* Room for the log first, so that nothing is lost half way. */
    if (s->heap.log && sl_grow(s, (void **)&s->heap.temps, &s->heap.temps_capacity, sizeof(value_t),
                               s->heap.n_temps + 1) < 0)
        return NULL;
    if (size <= SL_CELL_MAX) {
        number = (uint8_t)((size + 15) / 16);
        object = refill(s, &s->heap.classes[number], number);
        if (object == NULL)
            return NULL;
    } else {
        sl_large_t *large = sl_realloc(s, NULL, 0, size + offsetof(sl_large_t, object));
        if (large == NULL)
            return NULL;
        large->next = s->heap.large;
        large->size = size + offsetof(sl_large_t, object);
        s->heap.large = large;
        object = &large->object;
    }
    sl_heap_charge(s, size);
    *object = (sl_obj_t){type, s->heap.white, 0, number, 0};
    if (s->heap.log)
        s->heap.temps[s->heap.n_temps++] = sl_value(object);
    return object;
}

/* ------------------------------------------------------------------ marking */

static void
mark_object(star_t *s, sl_obj_t *object)
{
    sl_heap_t *heap = &s->heap;

    if (object->mark != heap->white)
        return;
    object->mark = heap->black;
    switch (object->type) { /* those without children */
    case SL_STRING:
    case SL_BYTES:
        if (object->flags & SL_SHARED) {
            sl_buffer_t *buffer;
            memcpy(&buffer, ((sl_string_t *)object)->inside, sizeof buffer);
            buffer->obj.mark = heap->black;
        }
        return;
    case SL_BIG:
    case SL_RANGE:
    case SL_BUFFER:
        return;
    default:
        break;
    }
    if (heap->n_grey == heap->grey_capacity) {
        size_t capacity = heap->grey_capacity ? heap->grey_capacity * 2 : 1024;
        sl_obj_t **grey = sl_raw_realloc(s, heap->grey, heap->grey_capacity * sizeof *grey,
                                         capacity * sizeof *grey);
        if (grey == NULL) {
            heap->grey_overflow = true;
            object->mark = (uint8_t)(heap->black | 0x80); /* found again by find_lost() */
            return;
        }
        heap->grey = grey;
        heap->grey_capacity = capacity;
    }
    heap->grey[heap->n_grey++] = object;
}

static void
mark_visit(star_visitor_t *self, value_t value)
{
    if (sl_is_obj(value))
        mark_object(self->star, sl_obj(value));
}

void
star_visit(star_visitor_t *visitor, star_value_t value)
{
    visitor->visit(visitor, value);
}

static void
visit_many(star_visitor_t *v, const value_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        v->visit(v, values[i]);
}

static void
visit_object(star_visitor_t *v, const void *object)
{
    if (object != NULL)
        v->visit(v, sl_value(object));
}

static void
visit_notes(star_visitor_t *v, const sl_notes_t *notes)
{
    for (uint32_t i = 0; i < notes->n_caches; i++)
        visit_object(v, notes->caches[i].keeps);
}

static void
visit_code(star_visitor_t *v, sl_code_t *code)
{
    visit_object(v, code->name);
    visit_object(v, code->file);
    visit_object(v, code->doc);
    visit_many(v, code->constants, code->n_constants);
    for (size_t i = 0; i < code->n_params_all; i++)
        visit_object(v, code->params[i]);
    if (code->notes != NULL)
        visit_notes(v, code->notes);
}

void
sl_visit_children(star_visitor_t *v, sl_obj_t *object)
{
    switch ((sl_type_t)object->type) {
    case SL_LIST: {
        sl_list_t *list = (sl_list_t *)object;
        visit_many(v, list->items, list->count);
        break;
    }
    case SL_TUPLE:
        visit_many(v, ((sl_tuple_t *)object)->items, object->extra);
        break;
    case SL_DICT:
    case SL_SET: {
        sl_dict_t *dict = (sl_dict_t *)object;
        for (size_t i = dict->first; i < dict->used; i++) {
            v->visit(v, dict->entries[i].key);
            v->visit(v, dict->entries[i].value);
        }
        break;
    }
    case SL_FUNCTION: {
        sl_function_t *function = (sl_function_t *)object;
        visit_object(v, function->code);
        visit_object(v, function->globals);
        visit_object(v, function->defaults);
        visit_many(v, function->free, object->extra);
        break;
    }
    case SL_BUILTIN:
        visit_object(v, ((sl_builtin_t *)object)->name);
        break;
    case SL_BOUND:
        visit_object(v, ((sl_bound_t *)object)->builtin);
        v->visit(v, ((sl_bound_t *)object)->self);
        break;
    case SL_STRUCT: {
        sl_struct_t *structure = (sl_struct_t *)object;
        visit_object(v, structure->shape);
        visit_many(v, structure->values, structure->shape->obj.extra);
        break;
    }
    case SL_SHAPE: {
        sl_shape_t *shape = (sl_shape_t *)object;
        v->visit(v, shape->constructor);
        visit_many(v, shape->names, object->extra);
        break;
    }
    case SL_MODULE:
        visit_object(v, ((sl_module_t *)object)->name);
        visit_object(v, ((sl_module_t *)object)->members);
        break;
    case SL_HOST: {
        sl_host_t *host = (sl_host_t *)object;
        if (host->type->visit != NULL)
            host->type->visit(host->data, v);
        break;
    }
    case SL_ELEMS:
        visit_object(v, ((sl_elems_t *)object)->string);
        break;
    case SL_CELL:
        v->visit(v, ((sl_cell_t *)object)->value);
        break;
    case SL_CODE:
        visit_code(v, (sl_code_t *)object);
        break;
    case SL_GLOBALS:
        v->visit(v, ((sl_globals_t *)object)->names);
        visit_many(v, ((sl_globals_t *)object)->slots, object->extra);
        break;
    case SL_TIME:
        visit_object(v, ((sl_time_t *)object)->zone);
        break;
    case SL_FREE:
    case SL_STRING:
    case SL_BYTES:
    case SL_BIG:
    case SL_RANGE:
    case SL_DURATION:
    case SL_ZONE:
    case SL_BUFFER:
    case SL_TYPE_COUNT:
        break;
    }
}

static void
drain(star_t *s, star_visitor_t *visitor)
{
    while (s->heap.n_grey > 0)
        sl_visit_children(visitor, s->heap.grey[--s->heap.n_grey]);
}

/* There was no memory for the list of grey objects: look for those that fell off it. */
static void
find_lost(star_t *s, star_visitor_t *visitor)
{
    uint8_t lost = (uint8_t)(s->heap.black | 0x80);

    s->heap.grey_overflow = false;
    for (size_t i = 0; i <= SL_CLASS_COUNT; i++)
        for (sl_block_t *block = s->heap.classes[i].blocks; block != NULL; block = block->next)
            for (uint32_t j = 0; j < block->count; j++) {
                sl_obj_t *object = (sl_obj_t *)(block->cells + (size_t)j * block->cell);
                UNPOISON(object, sizeof *object);
                if (object->type != SL_FREE && object->mark == lost) {
                    object->mark = s->heap.black;
                    sl_visit_children(visitor, object);
                    drain(s, visitor);
                }
            }
    for (sl_large_t *large = s->heap.large; large != NULL; large = large->next)
        if (large->object.mark == lost) {
            large->object.mark = s->heap.black;
            sl_visit_children(visitor, &large->object);
            drain(s, visitor);
        }
}

/* The registers of all frames; what lies above them is cleared, since it may name objects that go
 * away now. */
static void
mark_stack(star_t *s, star_visitor_t *v)
{
    for (size_t i = 0; i < s->n_frames; i++) {
        sl_frame_t *frame = &s->frames[i];
        value_t *end = frame->base + (frame->code != NULL ? frame->code->n_registers : 0);
        visit_many(v, frame->base, (size_t)(end - frame->base));
        visit_object(v, frame->code);
        visit_object(v, frame->function);
        visit_object(v, frame->native);
        if (i + 1 == s->n_frames || s->frames[i + 1].limit != frame->limit)
            memset(end, 0, (size_t)(frame->limit - end) * sizeof *end);
    }
    const value_t *top = s->n_frames ? s->frames[s->n_frames - 1].limit : NULL;
    bool above = top == NULL;
    for (sl_chunk_t *chunk = s->chunks; chunk != NULL; chunk = chunk->next) {
        if (above)
            memset(chunk->values, 0, chunk->count * sizeof(value_t));
        if (chunk->values + chunk->count == top)
            above = true;
    }
}

static void
mark_roots(star_t *s, star_visitor_t *v)
{
    mark_stack(s, v);
    visit_many(v, s->heap.temps, s->heap.n_temps);
    for (size_t i = 0; i < s->heap.n_pins; i++)
        v->visit(v, s->heap.pins[i].value);
    visit_object(v, s->universe);
    for (size_t i = 0; i < SL_TYPE_COUNT; i++)
        visit_object(v, s->methods[i]);
    visit_many(v, s->chars, 256);
    v->visit(v, s->empty_string);
    v->visit(v, s->empty_tuple);
    v->visit(v, s->lib_struct);
    for (size_t i = 0; s->notes != NULL && i <= s->notes_mask; i++)
        if (s->notes[i] != NULL)
            visit_notes(v, s->notes[i]);
}

/* ------------------------------------------------------------------ weak tables */

uint32_t
sl_weak_slot(void *const *table, uint32_t mask, uint32_t hash)
{
    uint32_t i = hash & mask;
    while (table[i] != NULL)
        i = (i + 1) & mask;
    return i;
}

/* Drops what was not marked and closes the gaps: entries after a gap are put in again. */
#define SWEEP_TABLE(table, mask, n, hash_of)                                                       \
    do {                                                                                           \
        if ((table) == NULL)                                                                       \
            break;                                                                                 \
        for (uint32_t i = 0; i <= (mask); i++)                                                     \
            if ((table)[i] != NULL && (table)[i]->obj.mark == s->heap.white) {                     \
                (table)[i] = NULL;                                                                 \
                (n)--;                                                                             \
                gaps = true;                                                                       \
            }                                                                                      \
        if (!gaps)                                                                                 \
            break;                                                                                 \
        uint32_t start_ = 0;                                                                       \
        while ((table)[start_] != NULL)                                                            \
            start_++;                                                                              \
        for (uint32_t k = 1; k <= (mask); k++) {                                                   \
            uint32_t i = (start_ + k) & (mask);                                                    \
            if ((table)[i] == NULL)                                                                \
                continue;                                                                          \
            __typeof__((table)[i]) entry = (table)[i];                                             \
            (table)[i] = NULL;                                                                     \
            (table)[sl_weak_slot((void *const *)(table), (mask), hash_of)] = entry;                \
        }                                                                                          \
    } while (0)

static void
sweep_tables(star_t *s)
{
    sl_heap_t *heap = &s->heap;
    bool gaps = false;

    SWEEP_TABLE(heap->interned, heap->interned_mask, heap->n_interned, entry->obj.extra);
    gaps = false;
    SWEEP_TABLE(heap->shapes, heap->shapes_mask, heap->n_shapes, entry->hash);
}

/* ------------------------------------------------------------------ sweeping */

static void
sweep_block(star_t *s, sl_class_t *class, sl_block_t *block)
{
    uint8_t dead = s->heap.black; /* the colours have changed places since the marking */

    for (uint32_t i = 0; i < block->count; i++) {
        sl_obj_t *object = (sl_obj_t *)(block->cells + (size_t)i * block->cell);
        UNPOISON(object, sizeof *object + sizeof(void *));
        if (object->type != SL_FREE) {
            if (object->mark != dead)
                continue;
            release(s, object);
            object->type = SL_FREE;
        }
        ((void **)object)[1] = class->free;
        class->free = object;
        POISON(object, block->cell);
    }
}

static void
sweep_rest(star_t *s)
{
    for (size_t i = 0; i <= SL_CLASS_COUNT; i++) {
        sl_class_t *class = &s->heap.classes[i];
        while (class->unswept != NULL) {
            sl_block_t *block = class->unswept;
            class->unswept = block->next;
            sweep_block(s, class, block);
        }
    }
}

static void
sweep_large(star_t *s)
{
    for (sl_large_t **p = &s->heap.large; *p != NULL;) {
        sl_large_t *large = *p;
        if (large->object.mark == s->heap.black) {
            *p = large->next;
            release(s, &large->object);
            sl_free(s, large, large->size);
        } else {
            p = &large->next;
        }
    }
}

/* How much may be allocated until the next collection: as much as is alive, but near the limit half
 * of what is left. */
static void
set_allowance(star_t *s)
{
    size_t allowed = s->memory > ALLOWED_MIN ? s->memory : ALLOWED_MIN;
    size_t left = s->options.limits.memory > s->memory ? s->options.limits.memory - s->memory : 0;
    size_t least = 64 * 1024;

    if (allowed > left / 2)
        allowed = left / 2;
    s->heap.allowed = allowed > least ? allowed : least;
    s->heap.since = 0;
    s->heap.wanted = false;
}

void
sl_heap_collect(star_t *s)
{
    star_visitor_t visitor = {.visit = mark_visit, .star = s};

    sweep_rest(s);
    mark_roots(s, &visitor);
    drain(s, &visitor);
    while (s->heap.grey_overflow)
        find_lost(s, &visitor);
    sweep_tables(s);

    uint8_t white = s->heap.white;
    s->heap.white = s->heap.black;
    s->heap.black = white;
    for (size_t i = 0; i <= SL_CLASS_COUNT; i++) {
        s->heap.classes[i].free = NULL;
        s->heap.classes[i].unswept = s->heap.classes[i].blocks;
    }
    sweep_large(s);
    set_allowance(s);
    if (s->options.debug & STAR_DEBUG_COLLECT)
        sweep_rest(s);
}

/* Frees what an object holds outside of its cell. */
static void
release(star_t *s, sl_obj_t *object)
{
    switch (object->type) {
    case SL_LIST: {
        sl_list_t *list = (sl_list_t *)object;
        sl_free(s, list->items, list->capacity * sizeof(value_t));
        break;
    }
    case SL_DICT:
    case SL_SET: {
        sl_dict_t *dict = (sl_dict_t *)object;
        sl_free(s, dict->entries, dict->capacity * sizeof(sl_entry_t));
        if (dict->mask)
            sl_free(s, dict->index, ((size_t)dict->mask + 1) * sizeof(uint32_t));
        break;
    }
    case SL_CODE:
        sl_code_release(s, (sl_code_t *)object);
        break;
    case SL_STRING:
    case SL_BYTES:
        if (object->flags & SL_OWN)
            sl_free(s, ((sl_string_t *)object)->bytes, (size_t)((sl_string_t *)object)->length + 1);
        break;
    case SL_BUFFER:
        sl_free(s, ((sl_buffer_t *)object)->data, ((sl_buffer_t *)object)->capacity);
        break;
    case SL_ZONE:
        sl_free(s, ((sl_zone_t *)object)->data, ((sl_zone_t *)object)->size);
        break;
    case SL_HOST: {
        sl_host_t *host = (sl_host_t *)object;
        if (host->type->finalize != NULL)
            host->type->finalize(host->data);
        break;
    }
    default:
        break;
    }
}

void
sl_heap_walk(star_t *s, bool (*each)(star_t *s, sl_obj_t *object))
{
    for (size_t i = 0; i <= SL_CLASS_COUNT; i++)
        for (sl_block_t *block = s->heap.classes[i].blocks; block != NULL; block = block->next)
            for (uint32_t j = 0; j < block->count; j++) {
                sl_obj_t *object = (sl_obj_t *)(block->cells + (size_t)j * block->cell);
                UNPOISON(object, sizeof *object);
                if (object->type != SL_FREE && !each(s, object))
                    return;
            }
    for (sl_large_t *large = s->heap.large; large != NULL; large = large->next)
        if (!each(s, &large->object))
            return;
}

/* Blocks in which no cell is used. The lists of free cells are not kept. */
static void
free_empty_blocks(star_t *s)
{
    for (size_t i = 0; i <= SL_CLASS_COUNT; i++)
        for (sl_block_t **p = &s->heap.classes[i].blocks; *p != NULL;) {
            sl_block_t *block = *p;
            uint32_t used = 0;
            for (uint32_t j = 0; j < block->count && used == 0; j++) {
                sl_obj_t *object = (sl_obj_t *)(block->cells + (size_t)j * block->cell);
                UNPOISON(object, sizeof *object);
                used += object->type != SL_FREE;
            }
            if (used > 0) {
                p = &block->next;
                continue;
            }
            *p = block->next;
            UNPOISON(block, SL_BLOCK_SIZE);
            sl_free(s, block, SL_BLOCK_SIZE);
        }
}

static void
free_lists(star_t *s)
{
    sl_heap_t *heap = &s->heap;

    sl_raw_realloc(s, heap->grey, heap->grey_capacity * sizeof *heap->grey, 0);
    sl_free(s, heap->temps, heap->temps_capacity * sizeof *heap->temps);
    sl_free(s, heap->pins, heap->pins_capacity * sizeof *heap->pins);
    if (heap->interned != NULL)
        sl_free(s, heap->interned, ((size_t)heap->interned_mask + 1) * sizeof(void *));
    if (heap->shapes != NULL)
        sl_free(s, heap->shapes, ((size_t)heap->shapes_mask + 1) * sizeof(void *));
    heap->grey = NULL;
    heap->temps = NULL;
    heap->pins = NULL;
    heap->interned = NULL;
    heap->shapes = NULL;
    heap->grey_capacity = heap->temps_capacity = heap->pins_capacity = 0;
    heap->n_temps = heap->n_pins = 0;
}

void
sl_heap_strip(star_t *s, value_t keep)
{
    s->heap.n_temps = s->heap.n_pins = 0;
    s->universe = NULL;
    memset(s->methods, 0, sizeof s->methods);
    memset(s->chars, 0, sizeof s->chars);
    s->empty_string = s->empty_tuple = s->lib_struct = keep;
    star_collect(s);
    free_lists(s);
    for (size_t i = 0; i <= SL_CLASS_COUNT; i++)
        s->heap.classes[i].free = NULL;
    free_empty_blocks(s);
}

void
sl_heap_done(star_t *s)
{
    sl_heap_t *heap = &s->heap;

    for (size_t i = 0; i <= SL_CLASS_COUNT; i++)
        for (sl_block_t *block = heap->classes[i].blocks, *next; block != NULL; block = next) {
            next = block->next;
            for (uint32_t j = 0; j < block->count; j++) {
                sl_obj_t *object = (sl_obj_t *)(block->cells + (size_t)j * block->cell);
                UNPOISON(object, block->cell);
                if (object->type != SL_FREE)
                    release(s, object);
            }
            UNPOISON(block, SL_BLOCK_SIZE);
            sl_free(s, block, SL_BLOCK_SIZE);
        }
    for (sl_large_t *large = heap->large, *next; large != NULL; large = next) {
        next = large->next;
        release(s, &large->object);
        sl_free(s, large, large->size);
    }
    free_lists(s);
}

/* ------------------------------------------------------------------ scopes and pins */

star_scope_t
star_scope_open(star_t *star)
{
    return star->heap.n_temps;
}

void
star_scope_close(star_t *star, star_scope_t scope, star_value_t keep)
{
    if (scope > star->heap.n_temps)
        return;
    star->heap.n_temps = scope;
    if (star_ok(keep))
        sl_heap_log(star, keep);
}

int
star_pin(star_t *star, star_value_t value)
{
    sl_heap_t *heap = &star->heap;

    if (!sl_is_obj(value))
        return 0;
    for (size_t i = 0; i < heap->n_pins; i++)
        if (sl_same(heap->pins[i].value, value)) {
            heap->pins[i].count++;
            return 0;
        }
    if (sl_grow(star, (void **)&heap->pins, &heap->pins_capacity, sizeof *heap->pins,
                heap->n_pins + 1) < 0)
        return -1;
    heap->pins[heap->n_pins++] = (sl_pin_t){value, 1};
    return 0;
}

void
star_unpin(star_t *star, star_value_t value)
{
    sl_heap_t *heap = &star->heap;

    for (size_t i = 0; i < heap->n_pins; i++)
        if (sl_same(heap->pins[i].value, value)) {
            if (--heap->pins[i].count == 0)
                heap->pins[i] = heap->pins[--heap->n_pins];
            return;
        }
}

void
star_collect(star_t *star)
{
    sl_heap_collect(star);
    sweep_rest(star);
}
