/*  binary: operators of values of all types. Quick cases are in vm.c. */
#include "starlark/ops.h"

#include <math.h>

static const char *const op_text[] = {"+", "-", "*", "/",  "//", "%",
                                      "&", "|", "^", "<<", ">>", "in"};

static bool
is_sequence(value_t v, sl_type_t type)
{
    return sl_is(v, type);
}

/* ------------------------------------------------------------------ numbers */

static value_t
float_op(star_t *s, star_op_t op, double a, double b)
{
    switch (op) {
    case STAR_OP_ADD:
        return sl_float(a + b);
    case STAR_OP_SUB:
        return sl_float(a - b);
    case STAR_OP_MUL:
        return sl_float(a * b);
    case STAR_OP_DIV:
        return b != 0 ? sl_float(a / b) : star_fail(s, "floating-point division by zero");
    case STAR_OP_FLOORDIV:
        return b != 0 ? sl_float(floor(a / b)) : star_fail(s, "floored division by zero");
    default:
        return b != 0 ? sl_float_mod(a, b) : star_fail(s, "floating-point modulo by zero");
    }
}

static bool
to_double(star_t *s, value_t v, double *ret_double)
{
    if (!star_get_number(v, ret_double))
        return false;
    if (isinf(*ret_double) && !sl_is_float(v))
        return sl_fail(s, "int too large to convert to float");
    return true;
}

static value_t
shift(star_t *s, star_op_t op, value_t a, value_t b)
{
    int64_t count;

    if (sl_int_sign(b) < 0)
        return star_fail(s, "negative shift count: %s", sl_shown(s, b));
    if (op == STAR_OP_LSHIFT) {
        if (!sl_get_index(b, &count) || count >= 512) {
            value_t text = sl_str(s, b);
            return star_ok(text)
                       ? star_fail(s, "shift count too large: %s", SL_STRING_OF(text)->bytes)
                       : text;
        }
        return sl_int_shift(s, a, count);
    }
    if (!sl_get_index(b, &count))
        return sl_small(sl_int_sign(a) < 0 ? -1 : 0);
    return sl_int_shift(s, a, -count);
}

static value_t
int_op(star_t *s, star_op_t op, value_t a, value_t b)
{
    switch (op) {
    case STAR_OP_ADD:
        return sl_int_add(s, a, b);
    case STAR_OP_SUB:
        return sl_int_sub(s, a, b);
    case STAR_OP_MUL:
        return sl_int_mul(s, a, b);
    case STAR_OP_FLOORDIV:
        return sl_int_sign(b) != 0 ? sl_int_floordiv(s, a, b)
                                   : star_fail(s, "floored division by zero");
    case STAR_OP_MOD:
        return sl_int_sign(b) != 0 ? sl_int_mod(s, a, b) : star_fail(s, "integer modulo by zero");
    case STAR_OP_DIV: {
        double x, y;
        if (!to_double(s, a, &x) || !to_double(s, b, &y))
            return STAR_ABSENT;
        return float_op(s, op, x, y);
    }
    case STAR_OP_LSHIFT:
    case STAR_OP_RSHIFT:
        return shift(s, op, a, b);
    default:
        return sl_int_bits(s, op, a, b);
    }
}

/* ------------------------------------------------------------------ sequences */

static value_t
concat_lists(star_t *s, const sl_list_t *a, const sl_list_t *b)
{
    sl_list_t *list = sl_list_new(s, (size_t)a->count + b->count);
    if (list == NULL)
        return STAR_ABSENT;
    if ((a->count > 0 && !sl_copy(s, list->items, a->items, a->count * sizeof *list->items)) ||
        (b->count > 0 &&
         !sl_copy(s, list->items + a->count, b->items, b->count * sizeof *list->items)))
        return STAR_ABSENT;
    list->count = a->count + b->count;
    return sl_value(list);
}

static value_t
concat_tuples(star_t *s, value_t a, value_t b)
{
    size_t n_a = sl_obj(a)->extra, n_b = sl_obj(b)->extra;
    if (n_a == 0 || n_b == 0)
        return n_a == 0 ? b : a;
    sl_tuple_t *tuple = sl_tuple_new(s, n_a + n_b);
    if (tuple == NULL)
        return STAR_ABSENT;
    if (!sl_copy(s, tuple->items, SL_TUPLE_OF(a)->items, n_a * sizeof(value_t)) ||
        !sl_copy(s, tuple->items + n_a, SL_TUPLE_OF(b)->items, n_b * sizeof(value_t))) {
        tuple->obj.extra = 0; /* nobody looks at the rest */
        return STAR_ABSENT;
    }
    return sl_value(tuple);
}

/* How often: 0 if negative; false if it is more than `most`. */
static bool
times_of(star_t *s, value_t times, size_t each, size_t most, size_t *ret_times)
{
    int64_t n;

    if (sl_int_sign(times) <= 0 || each == 0) {
        *ret_times = 0;
        return true;
    }
    if (!sl_get_index(times, &n) || (uint64_t)n > most / each)
        return sl_fail_kind(s, STAR_ERROR_LIMIT, "excessive repeat: the limit is %zu", most);
    *ret_times = (size_t)n;
    return true;
}

static value_t
repeat_bytes(star_t *s, sl_string_t *from, value_t times)
{
    size_t n = 0, length = from->length;

    if (!times_of(s, times, length, SL_STRING_MAX, &n))
        return STAR_ABSENT;
    if (n == 1)
        return sl_value(from);
    sl_string_t *string = sl_string_alloc(s, from->obj.type, length * n);
    if (string == NULL)
        return STAR_ABSENT;
    if (n > 0 && (!sl_copy(s, string->bytes, from->bytes, length) ||
                  !sl_repeat(s, string->bytes, length, length * n)))
        return STAR_ABSENT;
    return sl_value(string);
}

static value_t
repeat(star_t *s, value_t sequence, value_t times)
{
    size_t n = 0;

    if (sl_is(sequence, SL_STRING) || sl_is(sequence, SL_BYTES))
        return repeat_bytes(s, SL_STRING_OF(sequence), times);
    bool is_list = sl_is(sequence, SL_LIST);
    size_t count = is_list ? SL_LIST_OF(sequence)->count : sl_obj(sequence)->extra;
    const value_t *from = is_list ? SL_LIST_OF(sequence)->items : SL_TUPLE_OF(sequence)->items;
    if (!times_of(s, times, count, SL_COUNT_MAX, &n))
        return STAR_ABSENT;
    sl_list_t *list = is_list ? sl_list_new(s, count * n) : NULL;
    sl_tuple_t *tuple = is_list ? NULL : sl_tuple_new(s, count * n);
    if (list == NULL && tuple == NULL)
        return STAR_ABSENT;
    value_t *to = is_list ? list->items : tuple->items;
    size_t size = count * sizeof *to;
    if (n > 0 && (!sl_copy(s, to, from, size) || !sl_repeat(s, to, size, size * n))) {
        if (!is_list)
            tuple->obj.extra = 0; /* nobody looks at the rest */
        return STAR_ABSENT;
    }
    if (is_list)
        list->count = (uint32_t)(count * n);
    return is_list ? sl_value(list) : sl_value(tuple);
}

static bool
is_repeatable(value_t v)
{
    return sl_is(v, SL_STRING) || sl_is(v, SL_BYTES) || sl_is(v, SL_LIST) || sl_is(v, SL_TUPLE);
}

/* ------------------------------------------------------------------ dicts, sets, structs */

static bool
copy_entries(star_t *s, sl_dict_t *to, const sl_dict_t *from)
{
    size_t cursor = 0;
    sl_entry_t *entry;

    while ((entry = sl_dict_walk(from, &cursor)) != NULL)
        if (!sl_tick(s) || !sl_dict_insert(s, to, entry->key, entry->hash, entry->value, NULL))
            return false;
    return true;
}

static value_t
dict_union(star_t *s, const sl_dict_t *a, const sl_dict_t *b)
{
    sl_dict_t *dict = sl_dict_new(s, a->obj.type, a->count);
    return dict != NULL && copy_entries(s, dict, a) && copy_entries(s, dict, b) ? sl_value(dict)
                                                                                : STAR_ABSENT;
}

static value_t
set_op(star_t *s, star_op_t op, const sl_dict_t *a, const sl_dict_t *b)
{
    if (op == STAR_OP_OR)
        return dict_union(s, a, b);
    sl_dict_t *set = sl_dict_new(s, SL_SET, 0);
    if (set == NULL)
        return STAR_ABSENT;
    for (int turn = 0; turn < (op == STAR_OP_XOR ? 2 : 1); turn++) {
        const sl_dict_t *from = turn ? b : a, *other = turn ? a : b;
        size_t cursor = 0;
        sl_entry_t *entry;
        while ((entry = sl_dict_walk(from, &cursor)) != NULL) {
            bool both = sl_dict_lookup(s, other, entry->key, entry->hash) != NULL;
            if (s->failed || !sl_tick(s) ||
                (both == (op == STAR_OP_AND) &&
                 !sl_dict_insert(s, set, entry->key, entry->hash, SL_NONE, NULL)))
                return STAR_ABSENT;
        }
    }
    return sl_value(set);
}

/* Fields of both; those of b win. */
static value_t
merge_structs(star_t *s, value_t a, value_t b)
{
    sl_struct_t *x = SL_AS(sl_struct_t, a), *y = SL_AS(sl_struct_t, b);

    if (!sl_same(x->shape->constructor, y->shape->constructor)) {
        int equal =
            star_ok(x->shape->constructor) && star_ok(y->shape->constructor)
                ? sl_equal(s, x->shape->constructor, y->shape->constructor, SL_COMPARE_DEPTH_MAX)
                : 0;
        if (equal <= 0)
            return equal < 0
                       ? STAR_ABSENT
                       : star_fail(s,
                                   "cannot add structs of different constructors: struct + struct");
    }
    size_t most = (size_t)x->shape->obj.extra + y->shape->obj.extra, count = 0;
    value_t *names = sl_realloc(s, NULL, 0, (most + 1) * 2 * sizeof *names), *values = names + most;
    if (names == NULL)
        return STAR_ABSENT;
    for (uint32_t i = 0; i < y->shape->obj.extra; i++, count++) {
        names[count] = y->shape->names[i];
        values[count] = y->values[i];
    }
    for (uint32_t i = 0; i < x->shape->obj.extra; i++)
        if (sl_shape_find(y->shape, SL_STRING_OF(x->shape->names[i])) < 0) {
            names[count] = x->shape->names[i];
            values[count++] = x->values[i];
        }
    value_t result = sl_struct_new(s, x->shape->constructor, names, values, count);
    sl_free(s, names, (most + 1) * 2 * sizeof *names);
    return result;
}

/* ------------------------------------------------------------------ all */

/* 1 and *ret_value, 0 not defined, -1 failed. */
static int
host_binary(star_t *s, star_op_t op, value_t a, value_t b, value_t *ret_value)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        value_t self = swapped ? b : a, other = swapped ? a : b;
        const star_type_t *type = star_object_type(self);
        if (type == NULL || type->binary == NULL)
            continue;
        sl_host_scope_t scope = sl_host_enter(s);
        int result = type->binary(s, op, self, other, swapped, ret_value);
        sl_host_leave(s, scope);
        if (result != 0)
            return result;
    }
    return 0;
}

static value_t
same_type_op(star_t *s, star_op_t op, value_t a, value_t b)
{
    switch (sl_obj(a)->type) {
    case SL_STRING:
    case SL_BYTES:
        if (op == STAR_OP_ADD)
            return sl_string_concat(s, SL_STRING_OF(a), SL_STRING_OF(b));
        break;
    case SL_LIST:
        if (op == STAR_OP_ADD)
            return concat_lists(s, SL_LIST_OF(a), SL_LIST_OF(b));
        break;
    case SL_TUPLE:
        if (op == STAR_OP_ADD)
            return concat_tuples(s, a, b);
        break;
    case SL_DICT:
        if (op == STAR_OP_OR)
            return dict_union(s, SL_DICT_OF(a), SL_DICT_OF(b));
        break;
    case SL_SET:
        if (op == STAR_OP_OR || op == STAR_OP_AND || op == STAR_OP_XOR || op == STAR_OP_SUB)
            return set_op(s, op, SL_DICT_OF(a), SL_DICT_OF(b));
        break;
    case SL_STRUCT:
        if (op == STAR_OP_ADD)
            return merge_structs(s, a, b);
        break;
    default:
        break;
    }
    return STAR_ABSENT;
}

value_t
sl_binary(star_t *s, star_op_t op, value_t a, value_t b)
{
    bool a_int = sl_is_integer(a), b_int = sl_is_integer(b);
    value_t result;

    if (a_int && b_int)
        return int_op(s, op, a, b);
    if (op <= STAR_OP_MOD && (a_int || sl_is_float(a)) && (b_int || sl_is_float(b))) {
        double x, y;
        if (!to_double(s, a, &x) || !to_double(s, b, &y))
            return STAR_ABSENT;
        return float_op(s, op, x, y);
    }
    if (op == STAR_OP_MOD && sl_is(a, SL_STRING))
        return sl_percent(s, SL_STRING_OF(a), b);
    if (op == STAR_OP_MUL && a_int && is_repeatable(b))
        return repeat(s, b, a);
    if (op == STAR_OP_MUL && b_int && is_repeatable(a))
        return repeat(s, a, b);
    if (sl_is_obj(a) && sl_is_obj(b) && sl_obj(a)->type == sl_obj(b)->type) {
        result = same_type_op(s, op, a, b);
        if (star_ok(result) || s->failed)
            return result;
    }
    int done = 0;
    if (is_sequence(a, SL_TIME) || is_sequence(a, SL_DURATION) || is_sequence(b, SL_DURATION))
        done = sl_time_binary(s, op, a, b, &result);
    if (done == 0)
        done = host_binary(s, op, a, b, &result);
    if (done > 0)
        return result;
    if (done == 0 || !s->failed)
        sl_fail(s, "unknown binary op: %s %s %s", star_type_name(a), op_text[op],
                star_type_name(b));
    return STAR_ABSENT;
}

static value_t
unknown_unary(star_t *s, const char *op, value_t v)
{
    return star_fail(s, "unknown unary op: %s %s", op, star_type_name(v));
}

value_t
sl_negate(star_t *s, value_t v)
{
    if (sl_is_integer(v))
        return sl_int_negate(s, v);
    if (sl_is_float(v))
        return sl_float(-sl_float_of(v));
    return unknown_unary(s, "-", v);
}

value_t
sl_plus(star_t *s, value_t v)
{
    return sl_is_integer(v) || sl_is_float(v) ? v : unknown_unary(s, "+", v);
}

value_t
sl_invert(star_t *s, value_t v)
{
    return sl_is_integer(v) ? sl_int_sub(s, sl_small(-1), v) : unknown_unary(s, "~", v);
}

/* ------------------------------------------------------------------ in place */

value_t
sl_add_in(star_t *s, value_t a, value_t b)
{
    if (sl_is(a, SL_LIST) && sl_iter_start(s, b)) {
        sl_iter_done(b);
        sl_list_t *list = SL_LIST_OF(a);
        return sl_list_changeable(s, list, "apply += to") && sl_list_extend(s, list, b)
                   ? a
                   : STAR_ABSENT;
    }
    if (sl_is(a, SL_LIST))
        star_error_clear(s); /* b is not iterable, but may define list + b */
    return sl_binary(s, STAR_OP_ADD, a, b);
}

value_t
sl_or_in(star_t *s, value_t a, value_t b)
{
    if (sl_is(a, SL_DICT) && sl_is(b, SL_DICT)) {
        if (!sl_dict_changeable(s, SL_DICT_OF(a), "apply |= to"))
            return STAR_ABSENT;
        return a.bits == b.bits || copy_entries(s, SL_DICT_OF(a), SL_DICT_OF(b)) ? a : STAR_ABSENT;
    }
    return sl_binary(s, STAR_OP_OR, a, b);
}

/* ------------------------------------------------------------------ in */

static int
list_contains(star_t *s, const value_t *items, size_t count, value_t item)
{
    for (size_t i = 0; i < count; i++) {
        if (!sl_tick(s))
            return -1;
        int equal = sl_equal(s, items[i], item, SL_COMPARE_DEPTH_MAX);
        if (equal != 0)
            return equal;
    }
    return 0;
}

static int
bad_in(star_t *s, const char *what, value_t item)
{
    return star_fail_code(s, "'in <%s>' requires %s as left operand, not %s", what, what,
                          star_type_name(item));
}

static int
has_part(star_t *s, const sl_string_t *text, const sl_string_t *part)
{
    const char *found = sl_search(s, text->bytes, text->length, part->bytes, part->length);
    return found != NULL ? 1 : s->failed ? -1 : 0;
}

int
sl_contains(star_t *s, value_t container, value_t item)
{
    uint32_t hash;
    value_t result;

    switch (sl_is_obj(container) ? sl_obj(container)->type : SL_FREE) {
    case SL_LIST:
        return list_contains(s, SL_LIST_OF(container)->items, SL_LIST_OF(container)->count, item);
    case SL_TUPLE:
        return list_contains(s, SL_TUPLE_OF(container)->items, sl_obj(container)->extra, item);
    case SL_DICT:
    case SL_SET:
        if (!sl_hash(s, item, &hash))
            return -1;
        if (sl_dict_lookup(s, SL_DICT_OF(container), item, hash) != NULL)
            return 1;
        return s->failed ? -1 : 0;
    case SL_STRING:
        if (!sl_is(item, SL_STRING))
            return bad_in(s, "string", item);
        sl_worked(s, SL_STRING_OF(container)->length);
        return has_part(s, SL_STRING_OF(container), SL_STRING_OF(item));
    case SL_BYTES:
        sl_worked(s, SL_STRING_OF(container)->length);
        if (sl_is(item, SL_BYTES))
            return has_part(s, SL_STRING_OF(container), SL_STRING_OF(item));
        if (sl_is_integer(item)) {
            if (!sl_is_int(item) || sl_int_of(item) < 0 || sl_int_of(item) > 255)
                return star_fail_code(s, "int in bytes: %s out of range", sl_shown(s, item));
            return memchr(SL_STRING_OF(container)->bytes, (int)sl_int_of(item),
                          SL_STRING_OF(container)->length) != NULL;
        }
        return star_fail_code(s, "'in bytes' requires bytes or int as left operand, not %s",
                              star_type_name(item));
    case SL_RANGE: {
        const sl_range_t *range = SL_AS(sl_range_t, container);
        int64_t i;
        if (!sl_is_integer(item))
            return star_fail_code(s, "'in <range>' requires integer as left operand, not %s",
                                  star_type_name(item));
        if (!sl_get_index(item, &i))
            return 0;
        __int128 offset = (__int128)i - range->start;
        if (range->count == 0 || offset % range->step != 0)
            return 0;
        return offset / range->step >= 0 && offset / range->step < range->count;
    }
    default:
        break;
    }
    int done = host_binary(s, STAR_OP_IN, item, container, &result);
    if (done > 0)
        return sl_truth(result);
    if (done == 0)
        sl_fail(s, "unknown binary op: %s in %s", star_type_name(item), star_type_name(container));
    return -1;
}
