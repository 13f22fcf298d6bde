/*  index: elements, slices and iteration of containers. */
#include "starlark/ops.h"

/* ------------------------------------------------------------------ counting and items */

int64_t
sl_count(value_t v)
{
    if (!sl_is_obj(v))
        return -1;
    switch (sl_obj(v)->type) {
    case SL_LIST:
        return SL_LIST_OF(v)->count;
    case SL_TUPLE:
        return sl_obj(v)->extra;
    case SL_DICT:
    case SL_SET:
        return SL_DICT_OF(v)->count;
    case SL_RANGE:
        return SL_AS(sl_range_t, v)->count;
    case SL_STRING:
    case SL_BYTES:
        return SL_STRING_OF(v)->length;
    case SL_ELEMS: {
        const sl_elems_t *elems = SL_AS(sl_elems_t, v);
        bool bytes = elems->obj.extra != SL_BY_CODEPOINT && elems->obj.extra != SL_BY_CODEPOINT_ORD;
        return bytes ? (int64_t)elems->string->length : -1;
    }
    case SL_HOST: {
        const star_type_t *type = SL_AS(sl_host_t, v)->type;
        return type->length != NULL ? type->length(v) : -1;
    }
    default:
        return -1;
    }
}

int64_t
star_length(star_value_t value)
{
    return sl_count(value);
}

static value_t
byte_string(star_t *s, const sl_string_t *string, size_t index)
{
    return sl_string_char(s, (unsigned char)string->bytes[index]);
}

static int
next_elem(star_t *s, const sl_elems_t *elems, uint64_t *cursor, value_t *ret_item)
{
    const sl_string_t *string = elems->string;
    size_t n = 1;

    if (*cursor >= string->length)
        return 0;
    const char *at = string->bytes + *cursor;
    switch ((sl_elems_kind_t)elems->obj.extra) {
    case SL_BY_ELEM:
        *ret_item = byte_string(s, string, *cursor);
        break;
    case SL_BY_ELEM_ORD:
    case SL_BY_BYTE:
        *ret_item = sl_small((unsigned char)*at);
        break;
    case SL_BY_CODEPOINT:
        sl_utf8_get(at, string->length - *cursor, &n);
        *ret_item = sl_string_new(s, at, n);
        if (n == 1 && (unsigned char)*at >= 0x80)
            *ret_item = sl_string_new(s, "\xef\xbf\xbd", 3);
        break;
    case SL_BY_CODEPOINT_ORD:
        *ret_item = sl_small(sl_utf8_get(at, string->length - *cursor, &n));
        break;
    }
    *cursor += n;
    return star_ok(*ret_item) ? 1 : -1;
}

int
sl_next(star_t *s, value_t container, uint64_t *cursor, value_t *ret_item)
{
    uint64_t at = *cursor;

    switch (sl_obj(container)->type) {
    case SL_LIST:
        if (at >= SL_LIST_OF(container)->count)
            return 0;
        *ret_item = SL_LIST_OF(container)->items[at];
        break;
    case SL_TUPLE:
        if (at >= sl_obj(container)->extra)
            return 0;
        *ret_item = SL_TUPLE_OF(container)->items[at];
        break;
    case SL_DICT:
    case SL_SET: {
        size_t walk = at;
        sl_entry_t *entry = sl_dict_walk(SL_DICT_OF(container), &walk);
        if (entry == NULL)
            return 0;
        *ret_item = entry->key;
        *cursor = walk;
        return 1;
    }
    case SL_RANGE: {
        const sl_range_t *range = SL_AS(sl_range_t, container);
        if (at >= (uint64_t)range->count)
            return 0;
        *ret_item = sl_int(s, range->start + (int64_t)at * range->step);
        if (!star_ok(*ret_item))
            return -1;
        break;
    }
    case SL_ELEMS:
        return next_elem(s, SL_AS(sl_elems_t, container), cursor, ret_item);
    case SL_HOST: {
        sl_host_scope_t scope = sl_host_enter(s);
        int more = SL_AS(sl_host_t, container)->type->next(s, container, cursor, ret_item);
        sl_host_leave(s, scope);
        return more;
    }
    default:
        return 0;
    }
    *cursor = at + 1;
    return 1;
}

bool
sl_iter_start(star_t *s, value_t container)
{
    switch (sl_is_obj(container) ? sl_obj(container)->type : SL_FREE) {
    case SL_LIST:
    case SL_DICT:
    case SL_SET:
        if (!(sl_obj(container)->flags & SL_FROZEN))
            sl_obj(container)->extra++;
        return true;
    case SL_TUPLE:
    case SL_RANGE:
    case SL_ELEMS:
        return true;
    case SL_HOST:
        if (SL_AS(sl_host_t, container)->type->next != NULL)
            return true;
        break;
    default:
        break;
    }
    return sl_fail(s, "%s value is not iterable", star_type_name(container));
}

void
sl_iter_done(value_t container)
{
    if (!sl_is_obj(container))
        return;
    sl_obj_t *object = sl_obj(container);
    if ((object->type == SL_LIST || object->type == SL_DICT || object->type == SL_SET) &&
        !(object->flags & SL_FROZEN) && object->extra > 0)
        object->extra--;
}

int
star_iter_begin(star_t *star, star_value_t container, star_iter_t *ret_iter)
{
    if (!sl_iter_start(star, container))
        return -1;
    *ret_iter = (star_iter_t){container, 0};
    return 0;
}

int
star_iter_next(star_t *star, star_iter_t *iter, star_value_t *ret_item)
{
    return sl_next(star, iter->container, &iter->cursor, ret_item);
}

void
star_iter_end(star_t *star, star_iter_t *iter)
{
    (void)star;
    sl_iter_done(iter->container);
    iter->container = STAR_ABSENT;
}

static bool
extend_slowly(star_t *s, sl_list_t *list, value_t iterable)
{
    uint64_t cursor = 0;
    value_t item;
    int more;

    while ((more = sl_next(s, iterable, &cursor, &item)) > 0)
        if (!sl_list_push(s, list, item) || !sl_tick(s))
            return false;
    return more == 0;
}

bool
sl_list_extend(star_t *s, sl_list_t *list, value_t iterable)
{
    const value_t *items;
    size_t count;

    if (!sl_iter_start(s, iterable))
        return false;
    int64_t length = sl_count(iterable);
    bool fine;
    if (sl_is(iterable, SL_LIST) || sl_is(iterable, SL_TUPLE)) {
        count = (size_t)length;
        fine = sl_list_reserve(s, list,
                               list->count + count); /* before looking: it may be the same list */
        items =
            sl_is(iterable, SL_LIST) ? SL_LIST_OF(iterable)->items : SL_TUPLE_OF(iterable)->items;
        fine = fine &&
               (count == 0 || sl_copy(s, list->items + list->count, items, count * sizeof *items));
        if (fine)
            list->count += (uint32_t)count;
    } else {
        fine = (length <= 0 || sl_list_reserve(s, list, list->count + (size_t)length)) &&
               extend_slowly(s, list, iterable);
    }
    sl_iter_done(iterable);
    return fine;
}

/* ------------------------------------------------------------------ indexing */

static bool
out_of_range(star_t *s, const char *what, int64_t given, int64_t length)
{
    if (length == 0)
        return sl_fail(s, "index %lld out of range: empty %s", (long long)given, what);
    return sl_fail(s, "%s index %lld out of range [%lld:%lld]", what, (long long)given,
                   (long long)-length, (long long)(length - 1));
}

/* The index as a position in [0, length), or false with an error. */
static bool
position(star_t *s, const char *what, value_t key, int64_t length, int64_t *ret_index)
{
    int64_t given;

    if (!sl_is_integer(key))
        return sl_fail(s, "%s index: got %s, want int", what, star_type_name(key));
    if (!sl_get_index(key, &given)) {
        value_t text = sl_str(s, key);
        return star_ok(text) &&
               sl_fail(s, "%s index: %s out of range", what, SL_STRING_OF(text)->bytes);
    }
    int64_t index = given < 0 ? given + length : given;
    if (index < 0 || index >= length)
        return out_of_range(s, what, given, length);
    *ret_index = index;
    return true;
}

static value_t
missing_key(star_t *s, value_t key)
{
    star_text_t text;

    star_text_init(&text, s);
    star_text_puts(&text, "key ");
    if (sl_put_value(s, &text, key, true)) {
        star_text_puts(&text, " not in dict");
        if (!text.failed)
            star_fail_text(s, text.data, text.length);
    }
    star_text_done(&text);
    return STAR_ABSENT;
}

value_t
sl_index(star_t *s, value_t container, value_t key)
{
    int64_t index;
    sl_type_t type = sl_is_obj(container) ? sl_obj(container)->type : SL_FREE;

    switch (type) {
    case SL_DICT: {
        value_t found = sl_dict_load(s, SL_DICT_OF(container), key);
        return star_ok(found) || s->failed ? found : missing_key(s, key);
    }
    case SL_LIST:
    case SL_TUPLE:
        if (!position(s, star_type_name(container), key, sl_count(container), &index))
            return STAR_ABSENT;
        return type == SL_LIST ? SL_LIST_OF(container)->items[index]
                               : SL_TUPLE_OF(container)->items[index];
    case SL_STRING:
        return position(s, "string", key, sl_count(container), &index)
                   ? byte_string(s, SL_STRING_OF(container), (size_t)index)
                   : STAR_ABSENT;
    case SL_BYTES:
        return position(s, "bytes", key, sl_count(container), &index)
                   ? sl_small((unsigned char)SL_STRING_OF(container)->bytes[index])
                   : STAR_ABSENT;
    case SL_RANGE: {
        const sl_range_t *range = SL_AS(sl_range_t, container);
        return position(s, "range", key, range->count, &index)
                   ? sl_int(s, range->start + index * range->step)
                   : STAR_ABSENT;
    }
    case SL_ELEMS: {
        const sl_elems_t *elems = SL_AS(sl_elems_t, container);
        if (sl_count(container) < 0)
            break;
        if (!position(s, star_type_name(container), key, elems->string->length, &index))
            return STAR_ABSENT;
        return elems->obj.extra == SL_BY_ELEM
                   ? byte_string(s, elems->string, (size_t)index)
                   : sl_small((unsigned char)elems->string->bytes[index]);
    }
    case SL_HOST: {
        const star_type_t *host = SL_AS(sl_host_t, container)->type;
        if (host->index == NULL)
            break;
        sl_host_scope_t scope = sl_host_enter(s);
        value_t item = host->index(s, container, key);
        sl_host_leave(s, scope);
        if (!star_ok(item) && !s->failed)
            missing_key(s, key);
        return item;
    }
    default:
        break;
    }
    return star_fail(s, "unhandled index operation %s[%s]", star_type_name(container),
                     star_type_name(key));
}

bool
sl_set_index(star_t *s, value_t container, value_t key, value_t value)
{
    int64_t index;

    if (sl_is(container, SL_DICT))
        return sl_dict_store(s, SL_DICT_OF(container), key, value);
    if (sl_is(container, SL_LIST)) {
        sl_list_t *list = SL_LIST_OF(container);
        if (!position(s, "list", key, list->count, &index) ||
            !sl_list_changeable(s, list, "assign to element of"))
            return false;
        list->items[index] = value;
        return true;
    }
    const star_type_t *type = star_object_type(container);
    if (type != NULL && type->set_index != NULL) {
        sl_host_scope_t scope = sl_host_enter(s);
        int result = type->set_index(s, container, key, value);
        sl_host_leave(s, scope);
        return result >= 0 || sl_fail(s, "%s failed without giving a reason", type->name);
    }
    return sl_fail(s, "%s value does not support item assignment", star_type_name(container));
}

/* ------------------------------------------------------------------ slicing */

/* One end of a slice, as Python has it: None is `missing`, negative counts from the end, clipped to
 * [low, high]. */
static bool
slice_end(star_t *s, const char *what, value_t given, int64_t missing, int64_t length, int64_t low,
          int64_t high, int64_t *ret_end)
{
    int64_t index;

    *ret_end = missing;
    if (sl_same(given, SL_NONE))
        return true;
    if (!sl_is_integer(given))
        return sl_fail(s, "invalid %s index: got %s, want int", what, star_type_name(given));
    if (!sl_get_index(given, &index))
        index = sl_int_sign(given) < 0 ? INT64_MIN / 2 : INT64_MAX / 2;
    if (index < 0)
        index += length;
    *ret_end = index < low ? low : index > high ? high : index;
    return true;
}

static bool
slice_ends(star_t *s, int64_t length, value_t low, value_t high, value_t step, int64_t out[3])
{
    out[2] = 1;
    if (!sl_same(step, SL_NONE)) {
        if (!sl_is_integer(step))
            return sl_fail(s, "invalid slice step: got %s, want int", star_type_name(step));
        if (sl_int_sign(step) == 0)
            return sl_fail(s, "zero is not a valid slice step");
        if (!sl_get_index(step, &out[2]) || out[2] > INT32_MAX || out[2] < INT32_MIN)
            out[2] = sl_int_sign(step) > 0 ? (int64_t)1 << 40 : -((int64_t)1 << 40);
    }
    if (out[2] > 0)
        return slice_end(s, "start", low, 0, length, 0, length, &out[0]) &&
               slice_end(s, "end", high, length, length, 0, length, &out[1]);
    return slice_end(s, "start", low, length - 1, length, -1, length - 1, &out[0]) &&
           slice_end(s, "end", high, -1, length, -1, length - 1, &out[1]);
}

static value_t
slice_bytes(star_t *s, sl_string_t *string, int64_t start, int64_t step, int64_t count)
{
    bool is_string = string->obj.type == SL_STRING;

    if (step == 1 && is_string)
        return count == string->length ? sl_value(string)
                                       : sl_string_new(s, string->bytes + start, (size_t)count);
    sl_string_t *slice = sl_string_alloc(s, string->obj.type, (size_t)count);
    if (slice == NULL)
        return STAR_ABSENT;
    if (step == 1 && !sl_copy(s, slice->bytes, string->bytes + start, (size_t)count))
        return STAR_ABSENT;
    for (int64_t i = 0; step != 1 && i < count; i++) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        slice->bytes[i] = string->bytes[start + i * step];
    }
    return sl_value(slice);
}

static bool
slice_items(star_t *s, value_t *to, const value_t *from, const int64_t ends[3], int64_t count)
{
    if (ends[2] == 1)
        return count == 0 || sl_copy(s, to, from + ends[0], (size_t)count * sizeof *to);
    for (int64_t i = 0; i < count; i++) {
        if (!sl_tick(s))
            return false;
        to[i] = from[ends[0] + i * ends[2]];
    }
    return true;
}

value_t
sl_slice(star_t *s, value_t container, value_t low, value_t high, value_t step)
{
    int64_t ends[3], length = sl_count(container);
    sl_type_t type = sl_is_obj(container) ? sl_obj(container)->type : SL_FREE;

    if (type != SL_LIST && type != SL_TUPLE && type != SL_STRING && type != SL_BYTES &&
        type != SL_RANGE)
        return star_fail(s, "invalid slice operand %s", star_type_name(container));
    if (!slice_ends(s, length, low, high, step, ends))
        return STAR_ABSENT;
    int64_t count = ends[2] > 0 ? (ends[1] - ends[0] + ends[2] - 1) / ends[2]
                                : (ends[0] - ends[1] - ends[2] - 1) / -ends[2];
    if (count < 0)
        count = 0;
    switch (type) {
    case SL_STRING:
    case SL_BYTES:
        return slice_bytes(s, SL_STRING_OF(container), ends[0], ends[2], count);
    case SL_RANGE: {
        const sl_range_t *range = SL_AS(sl_range_t, container);
        int64_t start = range->start, stop = range->start, wider;
        /* Ends of an empty range, or of steps that only reach one item, may lie beyond all ints. */
        if (__builtin_mul_overflow(range->step, ends[2], &wider))
            wider = range->step;
        if (__builtin_mul_overflow(range->step, ends[0], &start) ||
            __builtin_add_overflow(start, range->start, &start) ||
            __builtin_mul_overflow(range->step, ends[1], &stop) ||
            __builtin_add_overflow(stop, range->start, &stop))
            start = stop = range->start;
        return sl_range_new(s, start, stop, wider, count);
    }
    case SL_TUPLE: {
        if (count == 0)
            return s->empty_tuple;
        sl_tuple_t *tuple = sl_tuple_new(s, (size_t)count);
        if (tuple == NULL)
            return STAR_ABSENT;
        if (!slice_items(s, tuple->items, SL_TUPLE_OF(container)->items, ends, count)) {
            tuple->obj.extra = 0; /* nobody looks at the rest */
            return STAR_ABSENT;
        }
        return sl_value(tuple);
    }
    default: {
        sl_list_t *list = sl_list_new(s, (size_t)count);
        if (list == NULL)
            return STAR_ABSENT;
        if (!slice_items(s, list->items, SL_LIST_OF(container)->items, ends, count))
            return STAR_ABSENT;
        list->count = (uint32_t)count;
        return sl_value(list);
    }
    }
}
