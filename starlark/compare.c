/*  compare: equality, order, hashing, truth and sorting. */
#include "starlark/code.h"
#include "starlark/ops.h"

#include <math.h>

static const char *const op_text[] = {"<", "<=", ">", ">=", "==", "!="};

static bool
holds(star_compare_t op, int order)
{
    switch (op) {
    case STAR_LT:
        return order < 0;
    case STAR_LE:
        return order <= 0;
    case STAR_GT:
        return order > 0;
    case STAR_GE:
        return order >= 0;
    case STAR_EQ:
        return order == 0;
    default:
        return order != 0;
    }
}

int
sl_string_compare(const sl_string_t *a, const sl_string_t *b)
{
    uint32_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->bytes, b->bytes, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* NaN is above everything and equal to itself, so that sorting is total. */
static int
double_compare(double a, double b)
{
    if (a == b)
        return 0;
    if (a < b || (isnan(b) && !isnan(a)))
        return -1;
    return isnan(a) && isnan(b) ? 0 : 1;
}

static bool
is_number(value_t v)
{
    return sl_is_float(v) || sl_is_integer(v);
}

static int
number_compare(value_t a, value_t b)
{
    if (sl_is_float(a) && sl_is_float(b))
        return double_compare(sl_float_of(a), sl_float_of(b));
    if (sl_is_float(b))
        return isnan(sl_float_of(b)) ? -1 : sl_int_compare_double(a, sl_float_of(b));
    if (sl_is_float(a))
        return isnan(sl_float_of(a)) ? 1 : -sl_int_compare_double(b, sl_float_of(a));
    return sl_int_compare(a, b);
}

static int
items_equal(star_t *s, const value_t *a, size_t n_a, const value_t *b, size_t n_b, int depth)
{
    if (n_a != n_b)
        return 0;
    for (size_t i = 0; i < n_a; i++) {
        if (!sl_tick(s))
            return -1;
        int equal = sl_equal(s, a[i], b[i], depth - 1);
        if (equal <= 0)
            return equal;
    }
    return 1;
}

static int
dicts_equal(star_t *s, const sl_dict_t *a, const sl_dict_t *b, int depth)
{
    size_t cursor = 0;
    sl_entry_t *entry;

    if (a->count != b->count)
        return 0;
    while ((entry = sl_dict_walk(a, &cursor)) != NULL) {
        if (!sl_tick(s))
            return -1;
        sl_entry_t *other = sl_dict_lookup(s, b, entry->key, entry->hash);
        if (other == NULL)
            return s->failed ? -1 : 0;
        int equal = sl_equal(s, entry->value, other->value, depth - 1);
        if (equal <= 0)
            return equal;
    }
    return 1;
}

static int
structs_equal(star_t *s, const sl_struct_t *a, const sl_struct_t *b, int depth)
{
    const sl_shape_t *x = a->shape, *y = b->shape;

    if (x != y) {
        if (x->obj.extra != y->obj.extra || star_ok(x->constructor) != star_ok(y->constructor))
            return 0;
        if (star_ok(x->constructor)) {
            int equal = sl_equal(s, x->constructor, y->constructor, depth - 1);
            if (equal <= 0)
                return equal;
        }
        for (uint32_t i = 0; i < x->obj.extra; i++)
            if (!sl_string_equal(SL_STRING_OF(x->names[i]), SL_STRING_OF(y->names[i])))
                return 0;
    }
    return items_equal(s, a->values, x->obj.extra, b->values, x->obj.extra, depth);
}

/* Each interpreter has its own of the universe's; a shared module has those of its maker. */
static bool
builtins_equal(const sl_builtin_t *a, const sl_builtin_t *b)
{
    return a == b ||
           (a->function == b->function && a->user == b->user &&
            ((a->obj.flags | b->obj.flags) & SL_IMAGE) && sl_string_equal(a->name, b->name));
}

static int
objects_equal(star_t *s, value_t a, value_t b, int depth)
{
    switch ((sl_type_t)sl_obj(a)->type) {
    case SL_STRING:
    case SL_BYTES:
        if (SL_STRING_OF(a)->length == SL_STRING_OF(b)->length)
            sl_worked(s, SL_STRING_OF(a)->length);
        return sl_string_equal(SL_STRING_OF(a), SL_STRING_OF(b));
    case SL_BIG:
        return sl_int_compare(a, b) == 0;
    case SL_LIST:
        return items_equal(s, SL_LIST_OF(a)->items, SL_LIST_OF(a)->count, SL_LIST_OF(b)->items,
                           SL_LIST_OF(b)->count, depth);
    case SL_TUPLE:
        return items_equal(s, SL_TUPLE_OF(a)->items, sl_obj(a)->extra, SL_TUPLE_OF(b)->items,
                           sl_obj(b)->extra, depth);
    case SL_DICT:
    case SL_SET:
        return dicts_equal(s, SL_DICT_OF(a), SL_DICT_OF(b), depth);
    case SL_RANGE: {
        const sl_range_t *x = SL_AS(sl_range_t, a), *y = SL_AS(sl_range_t, b);
        return x->count == y->count &&
               (x->count == 0 || (x->start == y->start && (x->count == 1 || x->step == y->step)));
    }
    case SL_STRUCT:
        return structs_equal(s, SL_AS(sl_struct_t, a), SL_AS(sl_struct_t, b), depth);
    case SL_BUILTIN:
        return builtins_equal(SL_AS(sl_builtin_t, a), SL_AS(sl_builtin_t, b));
    case SL_BOUND:
        return builtins_equal(SL_AS(sl_bound_t, a)->builtin, SL_AS(sl_bound_t, b)->builtin) &&
               sl_same(SL_AS(sl_bound_t, a)->self, SL_AS(sl_bound_t, b)->self);
    case SL_TIME:
    case SL_DURATION:
        return sl_time_order(a, b) == 0;
    case SL_HOST: {
        const star_type_t *type = SL_AS(sl_host_t, a)->type;
        if (type != SL_AS(sl_host_t, b)->type || type->equal == NULL)
            return 0;
        sl_host_scope_t scope = sl_host_enter(s);
        int equal = type->equal(s, a, b);
        sl_host_leave(s, scope);
        return equal;
    }
    default:
        return 0;
    }
}

int
sl_equal(star_t *s, value_t a, value_t b, int depth)
{
    if (depth < 1) {
        sl_fail(s, "comparison exceeded maximum recursion depth");
        return -1;
    }
    if (sl_same(a, b) && !sl_is_obj(a))
        return 1;
    if (is_number(a) && is_number(b))
        return number_compare(a, b) == 0;
    if (!sl_is_obj(a) || !sl_is_obj(b) || sl_obj(a)->type != sl_obj(b)->type)
        return 0;
    if (a.bits == b.bits && sl_obj(a)->type != SL_LIST && sl_obj(a)->type != SL_DICT &&
        sl_obj(a)->type != SL_TUPLE)
        return 1;
    return objects_equal(s, a, b, depth);
}

static int
items_compare(star_t *s, star_compare_t op, const value_t *a, size_t n_a, const value_t *b,
              size_t n_b, int depth)
{
    for (size_t i = 0; i < n_a && i < n_b; i++) {
        if (!sl_tick(s))
            return -1;
        int equal = sl_equal(s, a[i], b[i], depth - 1);
        if (equal < 0)
            return -1;
        if (!equal)
            return sl_compare(s, op, a[i], b[i], depth - 1);
    }
    return holds(op, (n_a > n_b) - (n_a < n_b));
}

/* a OP b for sets: <= is "is a subset of". */
static int
sets_compare(star_t *s, star_compare_t op, const sl_dict_t *a, const sl_dict_t *b)
{
    size_t cursor = 0;
    sl_entry_t *entry;

    if (op == STAR_GT || op == STAR_GE)
        return sets_compare(s, op == STAR_GT ? STAR_LT : STAR_LE, b, a);
    if (op == STAR_LT ? a->count >= b->count : a->count > b->count)
        return 0;
    while ((entry = sl_dict_walk(a, &cursor)) != NULL)
        if (!sl_tick(s) || sl_dict_lookup(s, b, entry->key, entry->hash) == NULL)
            return s->failed ? -1 : 0;
    return 1;
}

int
sl_compare(star_t *s, star_compare_t op, value_t a, value_t b, int depth)
{
    if (op == STAR_EQ)
        return sl_equal(s, a, b, depth);
    if (op == STAR_NE) {
        int equal = sl_equal(s, a, b, depth);
        return equal < 0 ? equal : !equal;
    }
    if (depth < 1) {
        sl_fail(s, "comparison exceeded maximum recursion depth");
        return -1;
    }
    if (is_number(a) && is_number(b))
        return holds(op, number_compare(a, b));
    if (sl_is_bool(a) && sl_is_bool(b))
        return holds(op, (int)a.bits - (int)b.bits);
    if (sl_is_obj(a) && sl_is_obj(b) && sl_obj(a)->type == sl_obj(b)->type) {
        switch (sl_obj(a)->type) {
        case SL_STRING:
        case SL_BYTES:
            return holds(op, sl_string_compare(SL_STRING_OF(a), SL_STRING_OF(b)));
        case SL_LIST:
            return items_compare(s, op, SL_LIST_OF(a)->items, SL_LIST_OF(a)->count,
                                 SL_LIST_OF(b)->items, SL_LIST_OF(b)->count, depth);
        case SL_TUPLE:
            return items_compare(s, op, SL_TUPLE_OF(a)->items, sl_obj(a)->extra,
                                 SL_TUPLE_OF(b)->items, sl_obj(b)->extra, depth);
        case SL_SET:
            return sets_compare(s, op, SL_DICT_OF(a), SL_DICT_OF(b));
        case SL_TIME:
        case SL_DURATION:
            return holds(op, sl_time_order(a, b));
        default:
            break;
        }
    }
    sl_fail(s, "%s %s %s not implemented", star_type_name(a), op_text[op], star_type_name(b));
    return -1;
}

int
star_equal(star_t *star, star_value_t a, star_value_t b)
{
    return sl_equal(star, a, b, SL_COMPARE_DEPTH_MAX);
}

int
star_compare(star_t *star, star_compare_t op, star_value_t a, star_value_t b)
{
    return sl_compare(star, op, a, b, SL_COMPARE_DEPTH_MAX);
}

/* ------------------------------------------------------------------ truth */

bool
sl_truth(value_t v)
{
    if (sl_is_bool(v))
        return v.bits == SL_TRUE.bits;
    if (sl_is_int(v))
        return sl_int_of(v) != 0;
    if (sl_is_float(v))
        return sl_float_of(v) != 0;
    if (!sl_is_obj(v))
        return false;
    switch (sl_obj(v)->type) {
    case SL_STRING:
    case SL_BYTES:
        return SL_STRING_OF(v)->length > 0;
    case SL_LIST:
        return SL_LIST_OF(v)->count > 0;
    case SL_TUPLE:
        return sl_obj(v)->extra > 0;
    case SL_DICT:
    case SL_SET:
        return SL_DICT_OF(v)->count > 0;
    case SL_RANGE:
        return SL_AS(sl_range_t, v)->count > 0;
    case SL_ELEMS:
        return SL_AS(sl_elems_t, v)->string->length > 0;
    case SL_DURATION:
        return SL_AS(sl_duration_t, v)->nanoseconds != 0;
    case SL_HOST: {
        const star_type_t *type = SL_AS(sl_host_t, v)->type;
        return type->truth == NULL || type->truth(v);
    }
    default:
        return true;
    }
}

bool
star_truth(star_value_t value)
{
    return sl_truth(value);
}

/* ------------------------------------------------------------------ hashing */

static uint32_t
mix(uint32_t hash, uint32_t next)
{
    return (hash ^ next) * 0x9e3779b1u + (hash >> 15);
}

static bool hash_at(star_t *s, value_t v, uint32_t *ret_hash, int depth);

static bool
hash_items(star_t *s, const value_t *items, size_t count, uint32_t *ret_hash, int depth)
{
    uint32_t hash = 0x345678;
    for (size_t i = 0; i < count; i++) {
        uint32_t item;
        if (!sl_tick(s) || !hash_at(s, items[i], &item, depth - 1))
            return false;
        hash = mix(hash, item);
    }
    *ret_hash = hash;
    return true;
}

static bool
hash_host(star_t *s, value_t v, uint32_t *ret_hash)
{
    const star_type_t *type = SL_AS(sl_host_t, v)->type;

    if (type->hash == NULL)
        return sl_fail(s, "unhashable type: %s", type->name);
    sl_host_scope_t scope = sl_host_enter(s);
    int result = type->hash(s, v, ret_hash);
    sl_host_leave(s, scope);
    return result >= 0;
}

static bool
hash_at(star_t *s, value_t v, uint32_t *ret_hash, int depth)
{
    if (depth < 1)
        return sl_fail_kind(s, STAR_ERROR_LIMIT,
                            "value is nested too deeply to be hashed: the limit is %d",
                            SL_PRINT_DEPTH_MAX);
    if (sl_is_int(v)) {
        *ret_hash = sl_int_hash(v);
        return true;
    }
    if (sl_is_float(v)) {
        *ret_hash = sl_float_hash(s, sl_float_of(v));
        return !s->failed;
    }
    if (!sl_is_obj(v)) {
        *ret_hash = (uint32_t)v.bits * 0x9e3779b1u;
        return true;
    }
    switch ((sl_type_t)sl_obj(v)->type) {
    case SL_STRING:
    case SL_BYTES:
        *ret_hash = sl_string_hash(SL_STRING_OF(v));
        return true;
    case SL_BIG:
        *ret_hash = sl_int_hash(v);
        return true;
    case SL_TUPLE:
        return hash_items(s, SL_TUPLE_OF(v)->items, sl_obj(v)->extra, ret_hash, depth);
    case SL_STRUCT: {
        sl_struct_t *structure = SL_AS(sl_struct_t, v);
        uint32_t names, values;
        if (!hash_items(s, structure->shape->names, structure->shape->obj.extra, &names, depth) ||
            !hash_items(s, structure->values, structure->shape->obj.extra, &values, depth))
            return false;
        *ret_hash = mix(names, values);
        return true;
    }
    case SL_FUNCTION:
        *ret_hash = sl_hash_bytes(&v, sizeof v);
        return true;
    case SL_BUILTIN:
        *ret_hash = sl_string_hash(SL_AS(sl_builtin_t, v)->name);
        return true;
    case SL_BOUND:
        *ret_hash = sl_string_hash(SL_AS(sl_bound_t, v)->builtin->name);
        return true;
    case SL_TIME:
        *ret_hash =
            sl_hash_bytes(&SL_AS(sl_time_t, v)->seconds, sizeof(int64_t)) ^ sl_obj(v)->extra;
        return true;
    case SL_DURATION:
        *ret_hash = sl_hash_bytes(&SL_AS(sl_duration_t, v)->nanoseconds, sizeof(int64_t));
        return true;
    case SL_HOST:
        return hash_host(s, v, ret_hash);
    case SL_RANGE:
    case SL_MODULE:
    case SL_ELEMS:
        return sl_fail(s, "unhashable: %s", star_type_name(v));
    default:
        return sl_fail(s, "unhashable type: %s", star_type_name(v));
    }
}

bool
sl_hash(star_t *s, value_t value, uint32_t *ret_hash)
{
    if (sl_is_int(value)) {
        *ret_hash = sl_int_hash(value);
        return true;
    }
    if (SL_LIKELY(sl_is(value, SL_STRING))) {
        *ret_hash = sl_string_hash(SL_STRING_OF(value));
        return true;
    }
    return hash_at(s, value, ret_hash, SL_PRINT_DEPTH_MAX);
}

int
star_hash(star_t *star, star_value_t value, uint32_t *ret_hash)
{
    return sl_hash(star, value, ret_hash) ? 0 : -1;
}

/* ------------------------------------------------------------------ sorting */

typedef struct {
    value_t key, item;
} pair_t;

/* Must `b` come before `a`, which stands before it? 1, 0, -1 failed. */
static int
out_of_order(star_t *s, value_t a, value_t b, bool reverse)
{
    if (sl_is_int(a) && sl_is_int(b))
        return reverse ? sl_int_of(a) < sl_int_of(b) : sl_int_of(b) < sl_int_of(a);
    if (sl_is(a, SL_STRING) && sl_is(b, SL_STRING)) {
        int order = sl_string_compare(SL_STRING_OF(b), SL_STRING_OF(a));
        return reverse ? order > 0 : order < 0;
    }
    return reverse ? sl_compare(s, STAR_LT, a, b, SL_COMPARE_DEPTH_MAX)
                   : sl_compare(s, STAR_LT, b, a, SL_COMPARE_DEPTH_MAX);
}

static bool
insertion_sort(star_t *s, pair_t *pairs, size_t count, bool reverse)
{
    for (size_t i = 1; i < count; i++) {
        if (!sl_tick(s))
            return false;
        pair_t pair = pairs[i];
        size_t j = i;
        for (; j > 0; j--) {
            int out = out_of_order(s, pairs[j - 1].key, pair.key, reverse);
            if (out < 0)
                return false;
            if (!out)
                break;
            pairs[j] = pairs[j - 1];
        }
        pairs[j] = pair;
    }
    return true;
}

static bool
merge(star_t *s, const pair_t *from, pair_t *to, size_t left, size_t middle, size_t right,
      bool reverse)
{
    size_t i = left, j = middle, out = left;

    while (i < middle && j < right) {
        if (!sl_tick(s))
            return false;
        int swap = out_of_order(s, from[i].key, from[j].key, reverse);
        if (swap < 0)
            return false;
        to[out++] = swap ? from[j++] : from[i++];
    }
    memcpy(to + out, from + i, (middle - i) * sizeof *to);
    memcpy(to + out + (middle - i), from + j, (right - j) * sizeof *to);
    return true;
}

/* Sorted runs of RUN, then merged two by two, back and forth between two arrays. */
static bool
merge_sort(star_t *s, pair_t *pairs, pair_t *other, size_t count, bool reverse, pair_t **ret_sorted)
{
    enum { RUN = 12 };

    for (size_t i = 0; i < count; i += RUN)
        if (!insertion_sort(s, pairs + i, count - i < RUN ? count - i : RUN, reverse))
            return false;
    for (size_t width = RUN; width < count; width *= 2) {
        if (!sl_poll(s, false))
            return false;
        for (size_t i = 0; i < count; i += 2 * width) {
            size_t middle = i + width < count ? i + width : count;
            size_t right = i + 2 * width < count ? i + 2 * width : count;
            if (middle < right &&
                out_of_order(s, pairs[middle - 1].key, pairs[middle].key, reverse) == 0)
                memcpy(other + i, pairs + i, (right - i) * sizeof *pairs);
            else if (s->failed || !merge(s, pairs, other, i, middle, right, reverse))
                return false;
        }
        pair_t *swap = pairs;
        pairs = other;
        other = swap;
    }
    *ret_sorted = pairs;
    return true;
}

bool
sl_sort(star_t *s, value_t *items, value_t *keys, size_t count, bool reverse)
{
    pair_t *sorted;
    size_t size = 2 * count * sizeof *sorted;

    if (count < 2)
        return true;
    pair_t *pairs = sl_realloc(s, NULL, 0, size);
    if (pairs == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        pairs[i] = (pair_t){keys != NULL ? keys[i] : items[i], items[i]};
    bool fine = merge_sort(s, pairs, pairs + count, count, reverse, &sorted);
    if (fine)
        for (size_t i = 0; i < count; i++)
            items[i] = sorted[i].item;
    sl_free(s, pairs, size);
    return fine;
}
