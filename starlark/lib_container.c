/*  lib_container: the methods of list, dict and set. */
#include "starlark/native.h"

#define FAIL(...) return star_fail(s, __VA_ARGS__)
#define SELF_LIST SL_LIST_OF(args->self)
#define SELF_DICT SL_DICT_OF(args->self)

/* A changeability check whose error begins with the method's name. */
static bool
list_ok(star_t *s, const star_args_t *args, const char *verb)
{
    return sl_list_changeable(s, SELF_LIST, verb) || sl_prefix_error(s, args->name);
}

static bool
dict_ok(star_t *s, const star_args_t *args, const char *verb)
{
    return sl_dict_changeable(s, SELF_DICT, verb) || sl_prefix_error(s, args->name);
}

/* ------------------------------------------------------------------ list */

static value_t
list_append(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1) || !list_ok(s, args, "append to") ||
        !sl_list_push(s, SELF_LIST, args->args[0]))
        return STAR_ABSENT;
    return SL_NONE;
}

static value_t
list_clear(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 0, 0) || !list_ok(s, args, "clear"))
        return STAR_ABSENT;
    SELF_LIST->count = 0;
    return SL_NONE;
}

static value_t
list_extend(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1) || !sl_arg_iterable(s, args, 0) ||
        !list_ok(s, args, "extend") || !sl_list_extend(s, SELF_LIST, args->args[0]))
        return STAR_ABSENT;
    return SL_NONE;
}

/* start and end as in slices, from arguments 1 and 2. */
static bool
index_range(star_t *s, const star_args_t *args, int64_t length, int64_t *ret_start,
            int64_t *ret_end)
{
    int64_t ends[2] = {0, length};

    for (size_t i = 0; i < 2; i++) {
        if (args->n_args <= i + 1 || sl_same(args->args[i + 1], SL_NONE))
            continue;
        if (!sl_is_integer(args->args[i + 1]))
            return sl_fail(s, "%s: invalid %s index: got %s, want int", args->name,
                           i == 0 ? "start" : "end", star_type_name(args->args[i + 1]));
        if (!sl_get_index(args->args[i + 1], &ends[i]))
            ends[i] = sl_int_sign(args->args[i + 1]) < 0 ? -length : length;
        if (ends[i] < 0)
            ends[i] += length;
        ends[i] = ends[i] < 0 ? 0 : ends[i] > length ? length : ends[i];
    }
    *ret_start = ends[0];
    *ret_end = ends[1];
    return true;
}

static value_t
list_index(star_t *s, const star_args_t *args)
{
    int64_t start = 0, end = 0;

    if (!sl_positional(s, args, 1, 3) || !index_range(s, args, SELF_LIST->count, &start, &end))
        return STAR_ABSENT;
    for (int64_t i = start; i < end && i < SELF_LIST->count; i++) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        int equal = sl_equal(s, SELF_LIST->items[i], args->args[0], SL_COMPARE_DEPTH_MAX);
        if (equal < 0)
            return sl_prefix_error(s, "index") ? SL_NONE : STAR_ABSENT;
        if (equal)
            return sl_small(i);
    }
    FAIL("index: value not in list");
}

static value_t
list_insert(star_t *s, const star_args_t *args)
{
    int64_t index;

    if (!sl_positional(s, args, 2, 2) || !sl_arg_int(s, args, 0, &index) ||
        !list_ok(s, args, "insert into") ||
        !sl_list_reserve(s, SELF_LIST, (size_t)SELF_LIST->count + 1))
        return STAR_ABSENT;
    sl_list_t *list = SELF_LIST;
    if (index < 0)
        index += list->count;
    index = index < 0 ? 0 : index > list->count ? list->count : index;
    memmove(list->items + index + 1, list->items + index,
            (size_t)(list->count - index) * sizeof(value_t));
    list->items[index] = args->args[1];
    list->count++;
    return SL_NONE;
}

static void
remove_at(sl_list_t *list, int64_t index)
{
    memmove(list->items + index, list->items + index + 1,
            (size_t)(list->count - index - 1) * sizeof(value_t));
    list->count--;
}

static value_t
list_pop(star_t *s, const star_args_t *args)
{
    sl_list_t *list = SELF_LIST;
    int64_t given = (int64_t)list->count - 1;

    if (!sl_positional(s, args, 0, 1) || (args->n_args == 1 && !sl_arg_int(s, args, 0, &given)))
        return STAR_ABSENT;
    int64_t index = given < 0 && list->count > 0 ? given + list->count : given;
    if (index < 0 || index >= list->count) {
        if (list->count == 0)
            FAIL("pop: index %lld out of range: empty list", (long long)given);
        FAIL("pop: list index %lld out of range [%d:%d]", (long long)given, -(int)list->count,
             (int)list->count - 1);
    }
    if (!list_ok(s, args, "pop from"))
        return STAR_ABSENT;
    value_t item = list->items[index];
    remove_at(list, index);
    return item;
}

static value_t
list_remove(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1) || !list_ok(s, args, "remove from"))
        return STAR_ABSENT;
    for (uint32_t i = 0; i < SELF_LIST->count; i++) {
        if (!sl_tick(s))
            return STAR_ABSENT;
        int equal = sl_equal(s, SELF_LIST->items[i], args->args[0], SL_COMPARE_DEPTH_MAX);
        if (equal < 0)
            return sl_prefix_error(s, "remove") ? SL_NONE : STAR_ABSENT;
        if (equal) {
            if (i < SELF_LIST->count)
                remove_at(SELF_LIST, i);
            return SL_NONE;
        }
    }
    FAIL("remove: element not found");
}

const sl_native_t sl_list_methods[] = {
    {"append", list_append, 0}, {"clear", list_clear, 0},
    {"extend", list_extend, 0}, {"index", list_index, 0},
    {"insert", list_insert, 0}, {"pop", list_pop, 0},
    {"remove", list_remove, 0}, {0},
};

/* ------------------------------------------------------------------ dict */

static value_t
dict_clear(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 0, 0) || !dict_ok(s, args, "clear"))
        return STAR_ABSENT;
    sl_dict_clear(SELF_DICT);
    return SL_NONE;
}

/* The entry of argument 0: NULL if there is none; *ret_fine is false after a failure. */
static sl_entry_t *
entry_of(star_t *s, const star_args_t *args, bool *ret_fine)
{
    uint32_t hash;
    sl_entry_t *entry = NULL;

    if (sl_hash(s, args->args[0], &hash))
        entry = sl_dict_lookup(s, SELF_DICT, args->args[0], hash);
    *ret_fine = !s->failed;
    if (s->failed)
        sl_prefix_error(s, args->name);
    return entry;
}

static value_t
dict_get(star_t *s, const star_args_t *args)
{
    bool fine;

    if (!sl_positional(s, args, 1, 2))
        return STAR_ABSENT;
    if (sl_is(args->args[0], SL_STRING)) {
        sl_entry_t *found = sl_dict_lookup_string(SELF_DICT, SL_STRING_OF(args->args[0]));
        return found != NULL ? found->value : args->n_args == 2 ? args->args[1] : SL_NONE;
    }
    sl_entry_t *entry = entry_of(s, args, &fine);
    if (!fine)
        return STAR_ABSENT;
    return entry != NULL ? entry->value : args->n_args == 2 ? args->args[1] : SL_NONE;
}

typedef enum { KEYS, VALUES, ITEMS } part_t;

static value_t
parts(star_t *s, const star_args_t *args, part_t part)
{
    size_t cursor = 0;
    sl_entry_t *entry;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    sl_list_t *list = sl_list_new(s, SELF_DICT->count);
    if (list == NULL)
        return STAR_ABSENT;
    while ((entry = sl_dict_walk(SELF_DICT, &cursor)) != NULL) {
        value_t item = part == KEYS ? entry->key : entry->value;
        if (part == ITEMS)
            item = sl_tuple_of(s, (value_t[]){entry->key, entry->value}, 2);
        if (!star_ok(item) || !sl_tick(s))
            return STAR_ABSENT;
        list->items[list->count++] = item;
    }
    return sl_value(list);
}

static value_t
dict_items(star_t *s, const star_args_t *args)
{
    return parts(s, args, ITEMS);
}

static value_t
dict_keys(star_t *s, const star_args_t *args)
{
    return parts(s, args, KEYS);
}

static value_t
dict_values(star_t *s, const star_args_t *args)
{
    return parts(s, args, VALUES);
}

static value_t
dict_pop(star_t *s, const star_args_t *args)
{
    bool fine;

    if (!sl_positional(s, args, 1, 2) || !dict_ok(s, args, "delete from"))
        return STAR_ABSENT;
    sl_entry_t *entry = entry_of(s, args, &fine);
    if (!fine)
        return STAR_ABSENT;
    if (entry == NULL)
        return args->n_args == 2 ? args->args[1] : star_fail(s, "pop: missing key");
    value_t value = entry->value;
    sl_dict_remove_entry(SELF_DICT, entry);
    return value;
}

static value_t
dict_popitem(star_t *s, const star_args_t *args)
{
    size_t cursor = 0;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    sl_entry_t *entry = sl_dict_walk(SELF_DICT, &cursor);
    if (entry == NULL)
        FAIL("popitem: empty dict");
    if (!dict_ok(s, args, "delete from"))
        return STAR_ABSENT;
    value_t pair = sl_tuple_of(s, (value_t[]){entry->key, entry->value}, 2);
    if (star_ok(pair))
        sl_dict_remove_entry(SELF_DICT, entry);
    return pair;
}

static value_t
dict_setdefault(star_t *s, const star_args_t *args)
{
    bool fine;

    if (!sl_positional(s, args, 1, 2))
        return STAR_ABSENT;
    sl_entry_t *entry = entry_of(s, args, &fine);
    if (!fine || entry != NULL)
        return fine ? entry->value : STAR_ABSENT;
    value_t value = args->n_args == 2 ? args->args[1] : SL_NONE;
    if (!dict_ok(s, args, "insert into") || !sl_dict_store(s, SELF_DICT, args->args[0], value))
        return STAR_ABSENT;
    return value;
}

/* Element `index` of a sequence of pairs. */
static bool
put_pair(star_t *s, sl_dict_t *dict, value_t pair, size_t index)
{
    value_t items[2], extra;
    uint64_t cursor = 0;
    size_t count = 0;

    if (!sl_iter_start(s, pair)) {
        star_error_clear(s);
        return sl_fail(s, "dictionary update sequence element #%zu is not iterable (%s)", index,
                       star_type_name(pair));
    }
    while (sl_next(s, pair, &cursor, count < 2 ? &items[count] : &extra) > 0)
        count++;
    sl_iter_done(pair);
    if (count != 2 && !s->failed)
        return sl_fail(s, "dictionary update sequence element #%zu has length %zu, want 2", index,
                       count);
    return !s->failed && sl_dict_store(s, dict, items[0], items[1]);
}

bool
sl_dict_update(star_t *s, sl_dict_t *dict, const star_args_t *args)
{
    size_t cursor = 0, index = 0;
    uint64_t at = 0;
    sl_entry_t *entry;
    value_t from = args->n_args > 0 ? args->args[0] : STAR_ABSENT, pair;
    bool fine = true;

    if (sl_is(from, SL_DICT) && SL_DICT_OF(from) != dict) {
        while (fine && (entry = sl_dict_walk(SL_DICT_OF(from), &cursor)) != NULL)
            fine = sl_tick(s) && sl_dict_changeable(s, dict, "insert into") &&
                   sl_dict_insert(s, dict, entry->key, entry->hash, entry->value, NULL);
    } else if (star_ok(from) && !sl_is(from, SL_DICT)) {
        if (!sl_iter_start(s, from)) {
            star_error_clear(s);
            return sl_fail(s, "%s: got %s, want iterable", args->name, star_type_name(from));
        }
        int more = 0;
        while (fine && (more = sl_next(s, from, &at, &pair)) > 0)
            fine = sl_tick(s) && put_pair(s, dict, pair, index++);
        fine = fine && more == 0;
        sl_iter_done(from);
    }
    for (size_t i = 0; fine && i < args->n_named; i++)
        fine = sl_dict_store(s, dict, args->names[i], args->values[i]);
    return fine || sl_prefix_error(s, args->name);
}

static value_t
dict_update(star_t *s, const star_args_t *args)
{
    if (args->n_args > 1)
        FAIL("update: got %zu arguments, want at most 1", args->n_args);
    return sl_dict_update(s, SELF_DICT, args) ? SL_NONE : STAR_ABSENT;
}

const sl_native_t sl_dict_methods[] = {
    {"clear", dict_clear, 0},
    {"get", dict_get, 0},
    {"items", dict_items, 0},
    {"keys", dict_keys, 0},
    {"pop", dict_pop, 0},
    {"popitem", dict_popitem, 0},
    {"setdefault", dict_setdefault, 0},
    {"update", dict_update, 0},
    {"values", dict_values, 0},
    {0},
};

/* ------------------------------------------------------------------ set */

bool
sl_set_extend(star_t *s, sl_dict_t *set, value_t iterable)
{
    uint64_t cursor = 0;
    value_t item;
    uint32_t hash;
    int more = 0;

    if (!sl_iter_start(s, iterable))
        return false;
    while (!s->failed && (more = sl_next(s, iterable, &cursor, &item)) > 0)
        if (!sl_tick(s) || !sl_hash(s, item, &hash) ||
            !sl_dict_insert(s, set, item, hash, SL_NONE, NULL))
            break;
    sl_iter_done(iterable);
    return !s->failed && more == 0;
}

/* Argument 0 as a set: itself, or a new one. */
static sl_dict_t *
other_set(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 1, 1) || !sl_arg_iterable(s, args, 0))
        return NULL;
    if (sl_is(args->args[0], SL_SET))
        return SL_DICT_OF(args->args[0]);
    sl_dict_t *set = sl_dict_new(s, SL_SET, 0);
    return set != NULL && sl_set_extend(s, set, args->args[0]) ? set : NULL;
}

static value_t
set_combine(star_t *s, const star_args_t *args, star_op_t op)
{
    sl_dict_t *other = other_set(s, args);
    return other != NULL ? sl_binary(s, op, args->self, sl_value(other)) : STAR_ABSENT;
}

static value_t
set_union(star_t *s, const star_args_t *args)
{
    return set_combine(s, args, STAR_OP_OR);
}

static value_t
set_intersection(star_t *s, const star_args_t *args)
{
    return set_combine(s, args, STAR_OP_AND);
}

static value_t
set_difference(star_t *s, const star_args_t *args)
{
    return set_combine(s, args, STAR_OP_SUB);
}

static value_t
set_symmetric_difference(star_t *s, const star_args_t *args)
{
    return set_combine(s, args, STAR_OP_XOR);
}

static value_t
set_compare(star_t *s, const star_args_t *args, star_compare_t op)
{
    sl_dict_t *other = other_set(s, args);
    int holds =
        other != NULL ? sl_compare(s, op, args->self, sl_value(other), SL_COMPARE_DEPTH_MAX) : -1;
    return holds < 0 ? STAR_ABSENT : sl_bool(holds);
}

static value_t
set_issubset(star_t *s, const star_args_t *args)
{
    return set_compare(s, args, STAR_LE);
}

static value_t
set_issuperset(star_t *s, const star_args_t *args)
{
    return set_compare(s, args, STAR_GE);
}

static value_t
set_add(star_t *s, const star_args_t *args)
{
    uint32_t hash;
    bool fine;

    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    if (entry_of(s, args, &fine) != NULL)
        return SL_NONE;
    if (!fine || !dict_ok(s, args, "insert into") || !sl_hash(s, args->args[0], &hash) ||
        !sl_dict_insert(s, SELF_DICT, args->args[0], hash, SL_NONE, NULL))
        return STAR_ABSENT;
    return SL_NONE;
}

static value_t
take_out(star_t *s, const star_args_t *args, bool must_be_there)
{
    bool fine;

    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    sl_entry_t *entry = entry_of(s, args, &fine);
    if (!fine)
        return STAR_ABSENT;
    if (entry == NULL)
        return must_be_there ? star_fail(s, "%s: missing key", args->name) : SL_NONE;
    if (!dict_ok(s, args, "delete from"))
        return STAR_ABSENT;
    sl_dict_remove_entry(SELF_DICT, entry);
    return SL_NONE;
}

static value_t
set_discard(star_t *s, const star_args_t *args)
{
    return take_out(s, args, false);
}

static value_t
set_remove(star_t *s, const star_args_t *args)
{
    return take_out(s, args, true);
}

static value_t
set_pop(star_t *s, const star_args_t *args)
{
    size_t cursor = 0;

    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    sl_entry_t *entry = sl_dict_walk(SELF_DICT, &cursor);
    if (entry == NULL)
        FAIL("pop: empty set");
    if (!dict_ok(s, args, "delete from"))
        return STAR_ABSENT;
    value_t key = entry->key;
    sl_dict_remove_entry(SELF_DICT, entry);
    return key;
}

const sl_native_t sl_set_methods[] = {
    {"add", set_add, 0},
    {"clear", dict_clear, 0},
    {"difference", set_difference, 0},
    {"discard", set_discard, 0},
    {"intersection", set_intersection, 0},
    {"issubset", set_issubset, 0},
    {"issuperset", set_issuperset, 0},
    {"pop", set_pop, 0},
    {"remove", set_remove, 0},
    {"symmetric_difference", set_symmetric_difference, 0},
    {"union", set_union, 0},
    {0},
};
