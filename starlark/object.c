/*  object: making strings, lists, tuples, functions, modules, structs, host objects. */
#include "starlark/heap.h"
#include "starlark/ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ strings */

uint32_t
sl_hash_bytes(const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ length;

    for (; length >= 8; length -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    if (length > 0) {
        uint64_t word = 0;
        memcpy(&word, p, length);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    uint32_t short_hash = (uint32_t)(hash ^ (hash >> 29));
    return short_hash ? short_hash : 1;
}

uint32_t
sl_string_hash(sl_string_t *string)
{
    if (string->obj.extra == 0)
        string->obj.extra = sl_hash_bytes(string->bytes, string->length);
    return string->obj.extra;
}

sl_string_t *
sl_string_alloc(star_t *s, sl_type_t type, size_t length)
{
    if (length > SL_STRING_MAX) {
        sl_fail_kind(s, STAR_ERROR_LIMIT, "string of %zu bytes is too long: the limit is %d",
                     length, SL_STRING_MAX);
        return NULL;
    }
    sl_string_t *string = sl_heap_new(s, type, sizeof *string + length + 1);
    if (string == NULL)
        return NULL;
    string->length = (uint32_t)length;
    string->bytes = string->inside;
    string->bytes[length] = 0;
    return string;
}

enum { SHARED_MIN = 4096 }; /* bytes of a string that is worth a buffer */

static sl_string_t *
shared_string(star_t *s, sl_type_t type, sl_buffer_t *buffer, size_t length)
{
    sl_string_t *string = sl_heap_new(s, type, sizeof *string + sizeof buffer);
    if (string == NULL)
        return NULL;
    string->obj.flags |= SL_SHARED;
    string->length = (uint32_t)length;
    string->bytes = buffer->data;
    memcpy(string->inside, &buffer, sizeof buffer);
    return string;
}

static sl_buffer_t *
buffer_new(star_t *s, size_t capacity)
{
    sl_buffer_t *buffer = sl_heap_new(s, SL_BUFFER, sizeof *buffer);
    if (buffer == NULL)
        return NULL;
    buffer->star = s;
    buffer->used = buffer->capacity = 0;
    buffer->data = sl_realloc(s, NULL, 0, capacity);
    if (buffer->data == NULL)
        return NULL;
    buffer->capacity = capacity;
    sl_heap_charge(s, capacity);
    return buffer;
}

value_t
sl_string_concat(star_t *s, sl_string_t *a, sl_string_t *b)
{
    size_t length = (size_t)a->length + b->length;
    sl_string_t *string;
    sl_buffer_t *buffer = NULL;

    if (a->length < SHARED_MIN || length > SL_STRING_MAX) {
        if ((string = sl_string_alloc(s, a->obj.type, length)) == NULL)
            return STAR_ABSENT;
        memcpy(string->bytes, a->bytes, a->length);
        return sl_copy(s, string->bytes + a->length, b->bytes, b->length) ? sl_value(string)
                                                                          : STAR_ABSENT;
    }
    if (a->obj.flags & SL_SHARED)
        memcpy(&buffer, a->inside, sizeof buffer);
    if (buffer == NULL || buffer->used != a->length || buffer->capacity <= length) {
        if ((buffer = buffer_new(s, length + length / 2)) == NULL)
            return STAR_ABSENT;
        if (!sl_copy(s, buffer->data, a->bytes, a->length))
            return STAR_ABSENT;
    }
    if ((string = shared_string(s, a->obj.type, buffer, length)) == NULL)
        return STAR_ABSENT;
    if (!sl_copy(s, buffer->data + a->length, b->bytes, b->length))
        return STAR_ABSENT;
    buffer->used = length;
    buffer->data[length] = 0;
    return sl_value(string);
}

value_t
sl_string_new(star_t *s, const char *bytes, size_t length)
{
    if (length <= 1)
        return length == 0 ? s->empty_string : sl_string_char(s, (unsigned char)bytes[0]);
    sl_string_t *string = sl_string_alloc(s, SL_STRING, length);
    return string != NULL && sl_copy(s, string->bytes, bytes, length) ? sl_value(string)
                                                                      : STAR_ABSENT;
}

value_t
sl_string_char(star_t *s, unsigned char byte)
{
    if (!star_ok(s->chars[byte])) {
        sl_string_t *string = sl_string_intern(s, (char *)&byte, 1);
        if (string == NULL)
            return STAR_ABSENT;
        s->chars[byte] = sl_value(string);
    }
    return s->chars[byte];
}

static int
weak_table_grow(star_t *s, void ***table, uint32_t *mask, uint32_t count, bool strings)
{
    if (*table != NULL && count * 2 < *mask)
        return 0;
    uint32_t new_mask = *table == NULL ? 255 : *mask * 2 + 1;
    void **grown = sl_realloc(s, NULL, 0, ((size_t)new_mask + 1) * sizeof(void *));
    if (grown == NULL)
        return -1;
    memset(grown, 0, ((size_t)new_mask + 1) * sizeof(void *));
    if (*table != NULL) {
        for (uint32_t i = 0; i <= *mask; i++) {
            void *entry = (*table)[i];
            if (entry == NULL)
                continue;
            uint32_t hash =
                strings ? ((sl_string_t *)entry)->obj.extra : ((sl_shape_t *)entry)->hash;
            grown[sl_weak_slot(grown, new_mask, hash)] = entry;
        }
        sl_free(s, *table, ((size_t)*mask + 1) * sizeof(void *));
    }
    *table = grown;
    *mask = new_mask;
    return 0;
}

sl_string_t *
sl_string_intern(star_t *s, const char *bytes, size_t length)
{
    sl_heap_t *heap = &s->heap;
    uint32_t hash = sl_hash_bytes(bytes, length);

    if (heap->interned != NULL)
        for (uint32_t i = hash & heap->interned_mask; heap->interned[i] != NULL;
             i = (i + 1) & heap->interned_mask) {
            sl_string_t *string = heap->interned[i];
            if (string->obj.extra == hash && string->length == length &&
                memcmp(string->bytes, bytes, length) == 0) {
                if (heap->log && sl_heap_log(s, sl_value(string)) < 0)
                    return NULL;
                return string;
            }
        }
    if (weak_table_grow(s, (void ***)&heap->interned, &heap->interned_mask, heap->n_interned,
                        true) < 0)
        return NULL;
    sl_string_t *string = sl_string_alloc(s, SL_STRING, length);
    if (string == NULL)
        return NULL;
    memcpy(string->bytes, bytes, length);
    string->obj.extra = hash;
    string->obj.flags |= SL_INTERNED;
    heap->interned[sl_weak_slot((void **)heap->interned, heap->interned_mask, hash)] = string;
    heap->n_interned++;
    return string;
}

star_value_t
star_string(star_t *star, const char *bytes, size_t length)
{
    return sl_string_new(star, bytes, length == (size_t)-1 ? strlen(bytes) : length);
}

star_value_t
star_string_format(star_t *star, const char *format, ...)
{
    char small[512];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < 0)
        return star_fail(star, "cannot format text");
    if ((size_t)length < sizeof small)
        return sl_string_new(star, small, (size_t)length);
    sl_string_t *string = sl_string_alloc(star, SL_STRING, (size_t)length);
    if (string == NULL)
        return STAR_ABSENT;
    va_start(args, format);
    vsnprintf(string->bytes, (size_t)length + 1, format, args);
    va_end(args);
    return sl_value(string);
}

star_value_t
star_bytes(star_t *star, const void *bytes, size_t length)
{
    sl_string_t *string = sl_string_alloc(star, SL_BYTES, length);
    if (string == NULL)
        return STAR_ABSENT;
    memcpy(string->bytes, bytes, length);
    return sl_value(string);
}

bool
sl_string_own(star_t *s, sl_string_t *string)
{
    if (!(string->obj.flags & SL_SHARED))
        return true;
    char *own = sl_realloc(s, NULL, 0, (size_t)string->length + 1);
    if (own == NULL)
        return false;
    memcpy(own, string->bytes, string->length);
    own[string->length] = 0;
    string->bytes = own;
    string->obj.flags = (uint8_t)((string->obj.flags & ~SL_SHARED) | SL_OWN);
    return true;
}

const char *
star_get_text(star_value_t value, size_t *ret_length)
{
    if (!sl_is(value, SL_STRING) && !sl_is(value, SL_BYTES))
        return NULL;
    sl_string_t *string = SL_STRING_OF(value);
    if ((string->obj.flags & SL_SHARED) &&
        string->bytes[string->length] != 0) { /* a longer one goes on there */
        sl_buffer_t *buffer;
        memcpy(&buffer, string->inside, sizeof buffer);
        if (!sl_string_own(buffer->star, string))
            return NULL;
    }
    if (ret_length != NULL)
        *ret_length = string->length;
    return string->bytes;
}

bool
star_is_text(star_value_t value, const char *text)
{
    return sl_is(value, SL_STRING) && SL_STRING_OF(value)->length == strlen(text) &&
           memcmp(SL_STRING_OF(value)->bytes, text, SL_STRING_OF(value)->length) == 0;
}

/* ------------------------------------------------------------------ lists and tuples */

static bool
count_is_fine(star_t *s, size_t count)
{
    return count <= SL_COUNT_MAX ||
           sl_fail_kind(s, STAR_ERROR_LIMIT, "%zu items are too many: the limit is %d", count,
                        SL_COUNT_MAX);
}

sl_list_t *
sl_list_new(star_t *s, size_t capacity)
{
    if (!count_is_fine(s, capacity))
        return NULL;
    sl_list_t *list = sl_heap_new(s, SL_LIST, sizeof *list);
    if (list == NULL)
        return NULL;
    list->count = list->capacity = 0;
    list->items = NULL;
    if (capacity > 0 && !sl_list_reserve(s, list, capacity))
        return NULL;
    return list;
}

bool
sl_list_reserve(star_t *s, sl_list_t *list, size_t count)
{
    if (count <= list->capacity)
        return true;
    if (!count_is_fine(s, count))
        return false;
    size_t capacity = list->capacity + list->capacity / 2 + 4;
    if (capacity < count)
        capacity = count;
    value_t *items =
        sl_realloc(s, list->items, list->capacity * sizeof *items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    sl_heap_charge(s, (capacity - list->capacity) * sizeof *items);
    list->items = items;
    list->capacity = (uint32_t)capacity;
    return true;
}

bool
sl_list_push(star_t *s, sl_list_t *list, value_t value)
{
    if (list->count == list->capacity && !sl_list_reserve(s, list, (size_t)list->count + 1))
        return false;
    list->items[list->count++] = value;
    return true;
}

sl_tuple_t *
sl_tuple_new(star_t *s, size_t count)
{
    if (!count_is_fine(s, count))
        return NULL;
    sl_tuple_t *tuple = sl_heap_new(s, SL_TUPLE, sizeof *tuple + count * sizeof(value_t));
    if (tuple != NULL)
        tuple->obj.extra = (uint32_t)count;
    return tuple;
}

value_t
sl_tuple_of(star_t *s, const value_t *items, size_t count)
{
    if (count == 0)
        return s->empty_tuple;
    sl_tuple_t *tuple = sl_tuple_new(s, count);
    if (tuple == NULL)
        return STAR_ABSENT;
    if (!sl_copy(s, tuple->items, items, count * sizeof *items)) {
        tuple->obj.extra = 0; /* nobody looks at the rest */
        return STAR_ABSENT;
    }
    return sl_value(tuple);
}

static bool
all_ok(star_t *s, const value_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!star_ok(items[i]))
            return sl_fail(s, "an absent value was used");
    return true;
}

star_value_t
star_list(star_t *star, const star_value_t *items, size_t count)
{
    if (!all_ok(star, items, count))
        return STAR_ABSENT;
    sl_list_t *list = sl_list_new(star, count);
    if (list == NULL)
        return STAR_ABSENT;
    if (count > 0)
        memcpy(list->items, items, count * sizeof *items);
    list->count = (uint32_t)count;
    return sl_value(list);
}

star_value_t
star_tuple(star_t *star, const star_value_t *items, size_t count)
{
    return all_ok(star, items, count) ? sl_tuple_of(star, items, count) : STAR_ABSENT;
}

bool
sl_list_changeable(star_t *s, const sl_list_t *list, const char *verb)
{
    if (list->obj.flags & SL_FROZEN)
        return sl_fail(s, "cannot %s frozen list", verb);
    if (list->obj.extra > 0)
        return sl_fail(s, "cannot %s list during iteration", verb);
    return true;
}

int
star_list_append(star_t *star, star_value_t list, star_value_t item)
{
    if (!sl_is(list, SL_LIST))
        return star_fail_code(star, "cannot append to %s", star_type_name(list));
    return all_ok(star, &item, 1) && sl_list_changeable(star, SL_LIST_OF(list), "append to") &&
                   sl_list_push(star, SL_LIST_OF(list), item)
               ? 0
               : -1;
}

star_value_t
star_at(star_value_t sequence, size_t index)
{
    if (sl_is(sequence, SL_LIST) && index < SL_LIST_OF(sequence)->count)
        return SL_LIST_OF(sequence)->items[index];
    if (sl_is(sequence, SL_TUPLE) && index < SL_TUPLE_OF(sequence)->obj.extra)
        return SL_TUPLE_OF(sequence)->items[index];
    return STAR_ABSENT;
}

/* ------------------------------------------------------------------ functions, ranges, iterables
 */

sl_function_t *
sl_function_alloc(star_t *s, size_t n_free)
{
    sl_function_t *function =
        sl_heap_new(s, SL_FUNCTION, sizeof *function + n_free * sizeof(value_t));
    if (function != NULL)
        function->obj.extra = (uint32_t)n_free;
    return function;
}

sl_builtin_t *
sl_builtin_new(star_t *s, const char *name, star_function_fn *function, void *user, uint32_t flags)
{
    sl_string_t *text = sl_string_intern(s, name, strlen(name));
    if (text == NULL)
        return NULL;
    sl_builtin_t *builtin = sl_heap_new(s, SL_BUILTIN, sizeof *builtin);
    if (builtin == NULL)
        return NULL;
    builtin->obj.extra = flags | (s->options.debug & STAR_DEBUG_CALLS ? SL_CALLS_BACK : 0);
    builtin->name = text;
    builtin->function = function;
    builtin->user = user;
    return builtin;
}

value_t
sl_bound_new(star_t *s, sl_builtin_t *builtin, value_t self)
{
    sl_bound_t *bound = sl_heap_new(s, SL_BOUND, sizeof *bound);
    if (bound == NULL)
        return STAR_ABSENT;
    bound->builtin = builtin;
    bound->self = self;
    return sl_value(bound);
}

star_value_t
star_function_new(star_t *star, const char *name, star_function_fn *function, void *user)
{
    sl_builtin_t *builtin = sl_builtin_new(star, name, function, user, SL_CALLS_BACK);
    return builtin != NULL ? sl_value(builtin) : STAR_ABSENT;
}

star_value_t
star_method_new(star_t *star, const char *name, star_function_fn *function, void *user,
                star_value_t self)
{
    sl_builtin_t *builtin = sl_builtin_new(star, name, function, user, SL_CALLS_BACK);
    return builtin != NULL && all_ok(star, &self, 1) ? sl_bound_new(star, builtin, self)
                                                     : STAR_ABSENT;
}

int
star_functions_put(star_t *star, star_value_t env, const star_function_t *table)
{
    for (; table->name != NULL; table++)
        if (star_dict_put(star, env, table->name,
                          star_function_new(star, table->name, table->function, table->user)) < 0)
            return -1;
    return 0;
}

value_t
sl_range_new(star_t *s, int64_t start, int64_t stop, int64_t step, int64_t count)
{
    sl_range_t *range = sl_heap_new(s, SL_RANGE, sizeof *range);
    if (range == NULL)
        return STAR_ABSENT;
    range->start = start;
    range->stop = stop;
    range->step = step;
    range->count = count;
    return sl_value(range);
}

value_t
sl_elems_new(star_t *s, sl_string_t *string, sl_elems_kind_t kind)
{
    sl_elems_t *elems = sl_heap_new(s, SL_ELEMS, sizeof *elems);
    if (elems == NULL)
        return STAR_ABSENT;
    elems->obj.extra = kind;
    elems->string = string;
    return sl_value(elems);
}

/* ------------------------------------------------------------------ modules */

value_t
sl_module_new(star_t *s, const char *name, sl_dict_t *members)
{
    sl_string_t *text = sl_string_intern(s, name, strlen(name));
    if (text == NULL)
        return STAR_ABSENT;
    sl_module_t *module = sl_heap_new(s, SL_MODULE, sizeof *module);
    if (module == NULL)
        return STAR_ABSENT;
    module->name = text;
    module->members = members;
    return sl_value(module);
}

star_value_t
star_module(star_t *star, const char *name, star_value_t members)
{
    if (!sl_is(members, SL_DICT))
        return star_fail(star, "the members of module %s are not a dict", name);
    value_t module = sl_module_new(star, name, SL_DICT_OF(members));
    if (star_ok(module))
        star_freeze(star, members);
    return module;
}

const char *
star_module_name(star_value_t module)
{
    return sl_is(module, SL_MODULE) ? SL_AS(sl_module_t, module)->name->bytes : NULL;
}

star_value_t
star_module_get(star_t *star, star_value_t module, const char *member)
{
    if (!sl_is(module, SL_MODULE))
        return star_fail(star, "%s is not a module", star_type_name(module));
    sl_entry_t *entry = sl_dict_lookup_text(SL_AS(sl_module_t, module)->members, member);
    return entry != NULL ? entry->value : STAR_ABSENT;
}

bool
star_module_next(star_value_t module, size_t *cursor, star_value_t *ret_name,
                 star_value_t *ret_value)
{
    return sl_is(module, SL_MODULE) && star_dict_next(sl_value(SL_AS(sl_module_t, module)->members),
                                                      cursor, ret_name, ret_value);
}

/* ------------------------------------------------------------------ structs */

int
sl_shape_find(const sl_shape_t *shape, const sl_string_t *name)
{
    uint32_t low = 0, high = shape->obj.extra;

    if (high <= 8) {
        for (uint32_t i = 0; i < high; i++)
            if (sl_string_equal(SL_STRING_OF(shape->names[i]), name))
                return (int)i;
        return -1;
    }
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = sl_string_compare(SL_STRING_OF(shape->names[middle]), name);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static bool
shape_is(const sl_shape_t *shape, value_t constructor, const value_t *names, size_t count)
{
    if (shape->obj.extra != count || !sl_same(shape->constructor, constructor))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!sl_same(shape->names[i], names[i]))
            return false;
    return true;
}

/* Names are interned, so shapes of equal names have equal pointers. */
sl_shape_t *
sl_shape_of(star_t *s, value_t constructor, const value_t *sorted_names, size_t count)
{
    sl_heap_t *heap = &s->heap;
    uint32_t hash =
        sl_hash_bytes(sorted_names, count * sizeof *sorted_names) ^ (uint32_t)constructor.bits;
    bool shared = heap->n_shapes < SL_SHAPES_MAX;

    if (heap->shapes != NULL)
        for (uint32_t i = hash & heap->shapes_mask; heap->shapes[i] != NULL;
             i = (i + 1) & heap->shapes_mask)
            if (heap->shapes[i]->hash == hash &&
                shape_is(heap->shapes[i], constructor, sorted_names, count))
                return heap->shapes[i];
    if (shared &&
        weak_table_grow(s, (void ***)&heap->shapes, &heap->shapes_mask, heap->n_shapes, false) < 0)
        return NULL;
    sl_shape_t *shape = sl_heap_new(s, SL_SHAPE, sizeof *shape + count * sizeof(value_t));
    if (shape == NULL)
        return NULL;
    shape->obj.extra = (uint32_t)count;
    shape->constructor = constructor;
    shape->hash = hash;
    memcpy(shape->names, sorted_names, count * sizeof(value_t));
    if (shared) {
        heap->shapes[sl_weak_slot((void **)heap->shapes, heap->shapes_mask, hash)] = shape;
        heap->n_shapes++;
    }
    return shape;
}

typedef struct {
    value_t name, value;
} field_t;

static int
by_name(const void *a, const void *b)
{
    return sl_string_compare(SL_STRING_OF(((const field_t *)a)->name),
                             SL_STRING_OF(((const field_t *)b)->name));
}

static void
sort_fields(field_t *fields, size_t count)
{
    if (count > 16) {
        qsort(fields, count, sizeof *fields, by_name);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        field_t field = fields[i];
        size_t j = i;
        for (; j > 0 && by_name(&fields[j - 1], &field) > 0; j--)
            fields[j] = fields[j - 1];
        fields[j] = field;
    }
}

static value_t
struct_of_fields(star_t *s, value_t constructor, field_t *fields, size_t count)
{
    value_t small[32] = {0}, *names = small;
    sl_struct_t *structure = NULL;

    sort_fields(fields, count);
    if (count > 32 && (names = sl_realloc(s, NULL, 0, count * sizeof *names)) == NULL)
        return STAR_ABSENT;
    for (size_t i = 0; i < count; i++) {
        names[i] = fields[i].name;
        if (i > 0 && sl_same(names[i], names[i - 1])) {
            sl_fail(s, "struct: duplicate field %s", SL_STRING_OF(names[i])->bytes);
            goto out;
        }
    }
    sl_shape_t *shape = sl_shape_of(s, constructor, names, count);
    if (shape == NULL || (structure = sl_heap_new(
                              s, SL_STRUCT, sizeof *structure + count * sizeof(value_t))) == NULL)
        goto out;
    structure->shape = shape;
    for (size_t i = 0; i < count; i++)
        structure->values[i] = fields[i].value;
out:
    if (names != small)
        sl_free(s, names, count * sizeof *names);
    return structure != NULL ? sl_value(structure) : STAR_ABSENT;
}

value_t
sl_struct_new(star_t *s, value_t constructor, const value_t *names, const value_t *values,
              size_t count)
{
    field_t small[32], *fields = small;
    value_t result = STAR_ABSENT;

    if (!count_is_fine(s, count) ||
        (count > 32 && (fields = sl_realloc(s, NULL, 0, count * sizeof *fields)) == NULL))
        return STAR_ABSENT;
    for (size_t i = 0; i < count; i++) {
        sl_string_t *name = SL_STRING_OF(names[i]);
        if (!(name->obj.flags & SL_INTERNED) &&
            (name = sl_string_intern(s, name->bytes, name->length)) == NULL)
            goto out;
        fields[i] = (field_t){sl_value(name), values[i]};
    }
    result = struct_of_fields(s, constructor, fields, count);
out:
    if (fields != small)
        sl_free(s, fields, count * sizeof *fields);
    return result;
}

star_value_t
star_struct(star_t *star, star_value_t constructor, const star_named_t *fields, size_t count)
{
    value_t result = STAR_ABSENT;

    if (!count_is_fine(star, count))
        return STAR_ABSENT;
    if (sl_is(constructor, SL_STRING)) {
        sl_string_t *name = sl_string_intern(star, SL_STRING_OF(constructor)->bytes,
                                             SL_STRING_OF(constructor)->length);
        if (name == NULL)
            return STAR_ABSENT;
        constructor = sl_value(name);
    }
    size_t size = (count + 1) * sizeof(field_t);
    field_t *sorted = sl_realloc(star, NULL, 0, size);
    if (sorted == NULL)
        return STAR_ABSENT;
    for (size_t i = 0; i < count; i++) {
        sl_string_t *name = sl_string_intern(star, fields[i].name, strlen(fields[i].name));
        if (name == NULL || !all_ok(star, &fields[i].value, 1))
            goto out;
        sorted[i] = (field_t){sl_value(name), fields[i].value};
    }
    result = struct_of_fields(star, constructor, sorted, count);
out:
    sl_free(star, sorted, size);
    return result;
}

bool
star_struct_next(star_value_t structure, size_t *cursor, star_value_t *ret_name,
                 star_value_t *ret_value)
{
    if (!sl_is(structure, SL_STRUCT))
        return false;
    sl_struct_t *self = SL_AS(sl_struct_t, structure);
    if (*cursor >= self->shape->obj.extra)
        return false;
    *ret_name = self->shape->names[*cursor];
    *ret_value = self->values[*cursor];
    ++*cursor;
    return true;
}

/* ------------------------------------------------------------------ host objects */

star_value_t
star_object_new(star_t *star, const star_type_t *type, size_t size)
{
    sl_host_t *host = sl_heap_new(star, SL_HOST, sizeof *host + size);
    if (host == NULL)
        return STAR_ABSENT;
    host->type = type;
    host->size = size;
    memset(host->data, 0, size);
    return sl_value(host);
}

void *
star_object_data(star_value_t value, const star_type_t *type)
{
    return sl_is(value, SL_HOST) && SL_AS(sl_host_t, value)->type == type
               ? SL_AS(sl_host_t, value)->data
               : NULL;
}

const star_type_t *
star_object_type(star_value_t value)
{
    return sl_is(value, SL_HOST) ? SL_AS(sl_host_t, value)->type : NULL;
}

bool
star_object_frozen(star_value_t value)
{
    return sl_is_obj(value) && (sl_obj(value)->flags & SL_FROZEN);
}
