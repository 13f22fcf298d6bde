/*  heap: where objects live and how the unused are collected.
 *
 *  Objects of up to SL_CELL_MAX bytes are cells of blocks, one size a block; larger ones stand
 * alone. Collection marks from the roots and sweeps block by block when cells are needed. It
 * happens only in sl_poll(), that is, between instructions of the machine: C code that does not
 * call back into the machine sees objects stay. While code of a host runs (it may call back), every
 * new object is also logged in heap.temps, which are roots.
 */
#ifndef STARLARK_HEAP_H
#define STARLARK_HEAP_H

#include "starlark/state.h"

int sl_heap_init(star_t *s);
void sl_heap_done(star_t *s);
void sl_heap_collect(star_t *s);
/* Calls `each` with every object of the heap, which must be swept. */
void sl_heap_walk(star_t *s, bool (*each)(star_t *s, sl_obj_t *object));
/* Forgets everything but `keep` and what it reaches, and all that only a running interpreter needs.
 * Nothing can be made in the heap any more. */
void sl_heap_strip(star_t *s, value_t keep);
void *sl_heap_new_slow(star_t *s, sl_type_t type, size_t size);
/* Charges bytes an object holds outside of its cell, so that they bring the next collection nearer.
 */
void sl_heap_charge(star_t *s, size_t bytes);
int sl_heap_log(star_t *s, value_t value);
/* The free slot for an entry of this hash in a table of interned strings or shapes. */
uint32_t sl_weak_slot(void *const *table, uint32_t mask, uint32_t hash);

/* A new object with its header filled in and nothing else; NULL after an error. */
static inline void *
sl_heap_new(star_t *s, sl_type_t type, size_t size)
{
    if (SL_LIKELY(size <= SL_CELL_MAX && !s->heap.log)) {
        size_t number = (size + 15) / 16;
        sl_class_t *class = &s->heap.classes[number];
        sl_obj_t *object = class->free;
        if (SL_LIKELY(object != NULL && s->heap.since <= s->heap.allowed)) {
#ifdef __SANITIZE_ADDRESS__
            return sl_heap_new_slow(s, type, size);
#endif
            class->free = ((void **)object)[1];
            s->heap.since += number * 16;
            *object = (sl_obj_t){type, s->heap.white, 0, (uint8_t)number, 0};
            return object;
        }
    }
    return sl_heap_new_slow(s, type, size);
}

/* What the collector and freeze see of an object: calls visit() with each value it holds. */
struct star_visitor {
    void (*visit)(star_visitor_t *self, value_t value);
    star_t *star;
    sl_obj_t **stack; /* freeze: objects whose contents are to be visited */
    size_t count, capacity;
    bool failed;
};
void sl_visit_children(star_visitor_t *visitor, sl_obj_t *object);

/* Runs code of the host between these, so that what it makes stays alive. */
typedef struct {
    size_t temps;
    bool log;
} sl_host_scope_t;

static inline sl_host_scope_t
sl_host_enter(star_t *s)
{
    sl_host_scope_t scope = {s->heap.n_temps, s->heap.log};
    s->heap.log = true;
    return scope;
}

static inline void
sl_host_leave(star_t *s, sl_host_scope_t scope)
{
    s->heap.n_temps = scope.temps;
    s->heap.log = scope.log;
}

/* ---- the objects of object.c ---- */

value_t sl_string_new(star_t *s, const char *bytes, size_t length);
/* With unset bytes (but the final NUL): to be filled at once. */
sl_string_t *sl_string_alloc(star_t *s, sl_type_t type, size_t length);
/* Bytes of its own for one that shares them with others. */
bool sl_string_own(star_t *s, sl_string_t *string);
/* a + b, of one type. */
value_t sl_string_concat(star_t *s, sl_string_t *a, sl_string_t *b);
/* The one string of these bytes. */
sl_string_t *sl_string_intern(star_t *s, const char *bytes, size_t length);
uint32_t sl_string_hash(sl_string_t *string);
uint32_t sl_hash_bytes(const void *bytes, size_t length);
static inline bool
sl_string_equal(const sl_string_t *a, const sl_string_t *b)
{
    return a == b || (a->length == b->length && !(a->obj.flags & b->obj.flags & SL_INTERNED) &&
                      memcmp(a->bytes, b->bytes, a->length) == 0);
}
/* A string of one byte. */
value_t sl_string_char(star_t *s, unsigned char byte);

sl_list_t *sl_list_new(star_t *s, size_t capacity);
bool sl_list_reserve(star_t *s, sl_list_t *list, size_t count);
bool sl_list_push(star_t *s, sl_list_t *list,
                  value_t value);                  /* unchecked: not frozen, not iterated */
sl_tuple_t *sl_tuple_new(star_t *s, size_t count); /* items are unset */
value_t sl_tuple_of(star_t *s, const value_t *items, size_t count);
sl_function_t *sl_function_alloc(star_t *s, size_t n_free);
sl_builtin_t *sl_builtin_new(star_t *s, const char *name, star_function_fn *function, void *user,
                             uint32_t flags);
value_t sl_bound_new(star_t *s, sl_builtin_t *builtin, value_t self);
value_t sl_range_new(star_t *s, int64_t start, int64_t stop, int64_t step, int64_t count);
value_t sl_module_new(star_t *s, const char *name, sl_dict_t *members);
value_t sl_elems_new(star_t *s, sl_string_t *string, sl_elems_kind_t kind);
sl_shape_t *sl_shape_of(star_t *s, value_t constructor, const value_t *sorted_names, size_t count);
/* A struct from fields in any order; fails on equal names. */
value_t sl_struct_new(star_t *s, value_t constructor, const value_t *names, const value_t *values,
                      size_t count);
/* The index of a field, or -1. */
int sl_shape_find(const sl_shape_t *shape, const sl_string_t *name);

/* ---- dict.c; keys are hashed by the caller where `hash` is given ---- */

sl_dict_t *sl_dict_new(star_t *s, sl_type_t type, size_t capacity);
/* The entry of a key, or NULL: not there, or failed (s->failed). */
sl_entry_t *sl_dict_lookup(star_t *s, const sl_dict_t *dict, value_t key, uint32_t hash);
sl_entry_t *sl_dict_lookup_string(const sl_dict_t *dict, const sl_string_t *key);
sl_entry_t *sl_dict_lookup_text(const sl_dict_t *dict, const char *text);
/* Inserts or replaces. Unchecked: not frozen, not iterated. *ret_new, if given, says if the key is
 * new. */
bool sl_dict_insert(star_t *s, sl_dict_t *dict, value_t key, uint32_t hash, value_t value,
                    bool *ret_new);
/* The same with all checks and hashing. */
bool sl_dict_store(star_t *s, sl_dict_t *dict, value_t key, value_t value);
value_t sl_dict_load(star_t *s, const sl_dict_t *dict, value_t key);
void sl_dict_remove_entry(sl_dict_t *dict, sl_entry_t *entry);
void sl_dict_clear(sl_dict_t *dict);
/* The next entry at or after *cursor, which moves past it; NULL at the end. */
sl_entry_t *sl_dict_walk(const sl_dict_t *dict, size_t *cursor);
/* Fails if it may not be changed: "cannot insert into frozen hash table". */
bool sl_dict_changeable(star_t *s, const sl_dict_t *dict, const char *verb);
bool sl_list_changeable(star_t *s, const sl_list_t *list, const char *verb);

#endif
