/*  dict: hash tables that keep the order of insertion, for dict and set.
 *
 *  Entries stand in an array in order. Up to SL_DICT_SMALL of them are searched one after the
 * other; beyond that an index (open addressing, linear probing) holds entry numbers + 1. Removing
 * leaves a hole (absent key) that the index still points at; holes go away when the array is full
 * and is packed.
 */
#include "starlark/heap.h"
#include "starlark/ops.h"

/* Slots - 1 of the index for so many entries; 0: none. */
static uint32_t
mask_of(uint32_t capacity)
{
    uint32_t mask = 15;

    if (capacity <= SL_DICT_SMALL)
        return 0;
    while (mask < capacity + capacity / 2)
        mask = mask * 2 + 1;
    return mask;
}

sl_dict_t *
sl_dict_new(star_t *s, sl_type_t type, size_t capacity)
{
    sl_dict_t *dict = sl_heap_new(s, type, sizeof *dict);
    if (dict == NULL)
        return NULL;
    sl_obj_t header = dict->obj;
    *dict = (sl_dict_t){.obj = header};
    if (capacity > SL_COUNT_MAX) {
        sl_fail_kind(s, STAR_ERROR_LIMIT, "%zu items are too many: the limit is %d", capacity,
                     SL_COUNT_MAX);
        return NULL;
    }
    if (capacity > 0) {
        dict->entries = sl_realloc(s, NULL, 0, capacity * sizeof *dict->entries);
        if (dict->entries == NULL)
            return NULL;
        dict->capacity = (uint32_t)capacity;
        uint32_t mask = mask_of(dict->capacity);
        if (mask > 0) {
            size_t size = ((size_t)mask + 1) * sizeof *dict->index;
            dict->index = sl_realloc(s, NULL, 0, size);
            if (dict->index == NULL)
                return NULL;
            memset(dict->index, 0, size);
            dict->mask = mask;
        }
        sl_heap_charge(s, capacity * sizeof *dict->entries);
    }
    return dict;
}

/* ------------------------------------------------------------------ finding */

/* The slots of a hash in turn: all bits of the hash take part, since those of ints are the int
 * itself. */
typedef struct {
    uint32_t slot, rest;
} probe_t;

static inline probe_t
probe(uint32_t hash, uint32_t mask)
{
    return (probe_t){hash & mask, hash};
}

static inline void
probe_next(probe_t *self, uint32_t mask)
{
    self->rest >>= 5;
    self->slot = (self->slot * 5 + self->rest + 1) & mask;
}

/* 1 if the entry has this key, 0 if not, -1 if comparing failed. The hashes are equal. */
static int
same_key(star_t *s, const sl_entry_t *entry, value_t key)
{
    if (sl_same(entry->key, key))
        return 1;
    if (sl_is_int(key) && sl_is_int(entry->key))
        return 0;
    if (sl_is(key, SL_STRING) && sl_is(entry->key, SL_STRING))
        return sl_string_equal(SL_STRING_OF(key), SL_STRING_OF(entry->key));
    if (!star_ok(entry->key))
        return 0;
    return sl_equal(s, entry->key, key, SL_COMPARE_DEPTH_MAX);
}

sl_entry_t *
sl_dict_lookup(star_t *s, const sl_dict_t *dict, value_t key, uint32_t hash)
{
    if (dict->mask == 0) {
        for (uint32_t i = dict->first; i < dict->used; i++)
            if (dict->entries[i].hash == hash) {
                int same = same_key(s, &dict->entries[i], key);
                if (same)
                    return same > 0 ? &dict->entries[i] : NULL;
            }
        return NULL;
    }
    for (probe_t p = probe(hash, dict->mask); dict->index[p.slot] != 0;
         probe_next(&p, dict->mask)) {
        sl_entry_t *entry = &dict->entries[dict->index[p.slot] - 1];
        if (entry->hash == hash) {
            int same = same_key(s, entry, key);
            if (same)
                return same > 0 ? entry : NULL;
        }
    }
    return NULL;
}

static inline bool
is_text(const sl_entry_t *entry, const char *bytes, size_t length)
{
    return sl_is(entry->key, SL_STRING) && SL_STRING_OF(entry->key)->length == length &&
           memcmp(SL_STRING_OF(entry->key)->bytes, bytes, length) == 0;
}

sl_entry_t *
sl_dict_lookup_string(const sl_dict_t *dict, const sl_string_t *key)
{
    uint32_t hash = sl_string_hash((sl_string_t *)key);
    value_t value = sl_value(key);

    if (dict->mask == 0) {
        for (uint32_t i = dict->first; i < dict->used; i++)
            if (sl_same(dict->entries[i].key, value))
                return &dict->entries[i];
        for (uint32_t i = dict->first; i < dict->used; i++)
            if (dict->entries[i].hash == hash &&
                is_text(&dict->entries[i], key->bytes, key->length))
                return &dict->entries[i];
        return NULL;
    }
    for (probe_t p = probe(hash, dict->mask); dict->index[p.slot] != 0;
         probe_next(&p, dict->mask)) {
        sl_entry_t *entry = &dict->entries[dict->index[p.slot] - 1];
        if (sl_same(entry->key, value) ||
            (entry->hash == hash && is_text(entry, key->bytes, key->length)))
            return entry;
    }
    return NULL;
}

sl_entry_t *
sl_dict_lookup_text(const sl_dict_t *dict, const char *text)
{
    size_t length = strlen(text);
    uint32_t hash = sl_hash_bytes(text, length);

    if (dict->mask == 0) {
        for (uint32_t i = dict->first; i < dict->used; i++)
            if (dict->entries[i].hash == hash && is_text(&dict->entries[i], text, length))
                return &dict->entries[i];
        return NULL;
    }
    for (probe_t p = probe(hash, dict->mask); dict->index[p.slot] != 0;
         probe_next(&p, dict->mask)) {
        sl_entry_t *entry = &dict->entries[dict->index[p.slot] - 1];
        if (entry->hash == hash && is_text(entry, text, length))
            return entry;
    }
    return NULL;
}

/* ------------------------------------------------------------------ changing */

static void
index_put(uint32_t *index, uint32_t mask, uint32_t hash, uint32_t number)
{
    probe_t p = probe(hash, mask);
    while (index[p.slot] != 0)
        probe_next(&p, mask);
    index[p.slot] = number + 1;
}

/* A new index, of the entries as they are numbered without holes. */
static uint32_t *
index_packed(star_t *s, const sl_dict_t *dict, uint32_t mask)
{
    size_t size = ((size_t)mask + 1) * sizeof(uint32_t);
    uint32_t *index = sl_realloc(s, NULL, 0, size), number = 0;

    if (index == NULL)
        return NULL;
    memset(index, 0, size);
    for (uint32_t i = dict->first; i < dict->used; i++) {
        if (!star_ok(dict->entries[i].key))
            continue;
        index_put(index, mask, dict->entries[i].hash, number++);
        if (!sl_tick(s)) {
            sl_free(s, index, size);
            return NULL;
        }
    }
    return index;
}
/* Room for one more entry: packs holes away, or grows. */
static bool
make_room(star_t *s, sl_dict_t *dict)
{
    uint32_t capacity = dict->capacity;

    if (dict->count >= SL_COUNT_MAX)
        return sl_fail_kind(s, STAR_ERROR_LIMIT, "more than %d items in a dict or set",
                            SL_COUNT_MAX);
    if (dict->used == 0 || dict->count > dict->used / 4 * 3)
        capacity = capacity < 4 ? 4 : capacity * 2;
    uint32_t mask = mask_of(capacity), *index = NULL;
    if (mask > 0 && (index = index_packed(s, dict, mask)) == NULL)
        return false;
    if (capacity != dict->capacity) {
        sl_entry_t *entries = sl_realloc(s, dict->entries, dict->capacity * sizeof *entries,
                                         (size_t)capacity * sizeof *entries);
        if (entries == NULL) {
            if (index != NULL)
                sl_free(s, index, ((size_t)mask + 1) * sizeof *index);
            return false;
        }
        sl_heap_charge(s, (capacity - dict->capacity) * (sizeof *entries + 6));
        dict->entries = entries;
        dict->capacity = capacity;
    }
    if (dict->mask > 0)
        sl_free(s, dict->index, ((size_t)dict->mask + 1) * sizeof *index);
    dict->index = index;
    dict->mask = mask;
    if (dict->count == dict->used)
        return true;
    uint32_t used = 0;
    for (uint32_t i = dict->first; i < dict->used; i++)
        if (star_ok(dict->entries[i].key))
            dict->entries[used++] = dict->entries[i];
    dict->used = used;
    dict->first = 0;
    return true;
}

bool
sl_dict_insert(star_t *s, sl_dict_t *dict, value_t key, uint32_t hash, value_t value, bool *ret_new)
{
    sl_entry_t *entry = sl_dict_lookup(s, dict, key, hash);

    if (SL_UNLIKELY(s->failed))
        return false;
    if (ret_new != NULL)
        *ret_new = entry == NULL;
    if (entry != NULL) {
        entry->value = value;
        return true;
    }
    if (dict->used == dict->capacity && !make_room(s, dict))
        return false;
    dict->entries[dict->used] = (sl_entry_t){key, value, hash};
    if (dict->mask)
        index_put(dict->index, dict->mask, hash, dict->used);
    dict->used++;
    dict->count++;
    return true;
}

bool
sl_dict_changeable(star_t *s, const sl_dict_t *dict, const char *verb)
{
    if (dict->obj.flags & SL_FROZEN)
        return sl_fail(s, "cannot %s frozen hash table", verb);
    if (dict->obj.extra > 0)
        return sl_fail(s, "cannot %s hash table during iteration", verb);
    return true;
}

bool
sl_dict_store(star_t *s, sl_dict_t *dict, value_t key, value_t value)
{
    uint32_t hash;
    return sl_dict_changeable(s, dict, "insert into") && sl_hash(s, key, &hash) &&
           sl_dict_insert(s, dict, key, hash, value, NULL);
}

value_t
sl_dict_load(star_t *s, const sl_dict_t *dict, value_t key)
{
    uint32_t hash;
    if (!sl_hash(s, key, &hash))
        return STAR_ABSENT;
    sl_entry_t *entry = sl_dict_lookup(s, dict, key, hash);
    return entry != NULL ? entry->value : STAR_ABSENT;
}

void
sl_dict_remove_entry(sl_dict_t *dict, sl_entry_t *entry)
{
    entry->key = STAR_ABSENT;
    entry->value = STAR_ABSENT;
    dict->count--;
    while (dict->first < dict->used && !star_ok(dict->entries[dict->first].key))
        dict->first++;
}

void
sl_dict_clear(sl_dict_t *dict)
{
    dict->count = dict->used = dict->first = 0;
    if (dict->mask)
        memset(dict->index, 0, ((size_t)dict->mask + 1) * sizeof *dict->index);
}

sl_entry_t *
sl_dict_walk(const sl_dict_t *dict, size_t *cursor)
{
    size_t i = *cursor < dict->first ? dict->first : *cursor;

    while (i < dict->used && !star_ok(dict->entries[i].key))
        i++;
    if (i >= dict->used)
        return NULL;
    *cursor = i + 1;
    return &dict->entries[i];
}

/* ------------------------------------------------------------------ for hosts */

star_value_t
star_dict_new(star_t *star)
{
    sl_dict_t *dict = sl_dict_new(star, SL_DICT, 0);
    return dict != NULL ? sl_value(dict) : STAR_ABSENT;
}

static bool
is_dict(star_t *s, value_t dict)
{
    return sl_is(dict, SL_DICT) || sl_fail(s, "%s is not a dict", star_type_name(dict));
}

int
star_dict_set(star_t *star, star_value_t dict, star_value_t key, star_value_t value)
{
    if (!star_ok(key) || !star_ok(value))
        return star_fail_code(star, "an absent value was used");
    return is_dict(star, dict) && sl_dict_store(star, SL_DICT_OF(dict), key, value) ? 0 : -1;
}

star_value_t
star_dict_get(star_t *star, star_value_t dict, star_value_t key)
{
    return is_dict(star, dict) ? sl_dict_load(star, SL_DICT_OF(dict), key) : STAR_ABSENT;
}

int
star_dict_put(star_t *star, star_value_t dict, const char *key, star_value_t value)
{
    sl_string_t *name = sl_string_intern(star, key, strlen(key));
    return name != NULL ? star_dict_set(star, dict, sl_value(name), value) : -1;
}

star_value_t
star_dict_find(star_t *star, star_value_t dict, const char *key)
{
    if (!is_dict(star, dict))
        return STAR_ABSENT;
    sl_entry_t *entry = sl_dict_lookup_text(SL_DICT_OF(dict), key);
    return entry != NULL ? entry->value : STAR_ABSENT;
}

int
star_dict_remove(star_t *star, star_value_t dict, star_value_t key)
{
    uint32_t hash;

    if (!is_dict(star, dict) || !sl_dict_changeable(star, SL_DICT_OF(dict), "delete from") ||
        !sl_hash(star, key, &hash))
        return -1;
    sl_entry_t *entry = sl_dict_lookup(star, SL_DICT_OF(dict), key, hash);
    if (entry == NULL)
        return star->failed ? -1 : 0;
    sl_dict_remove_entry(SL_DICT_OF(dict), entry);
    return 1;
}

bool
star_dict_next(star_value_t dict, size_t *cursor, star_value_t *ret_key, star_value_t *ret_value)
{
    sl_entry_t *entry = sl_is(dict, SL_DICT) ? sl_dict_walk(SL_DICT_OF(dict), cursor) : NULL;

    if (entry == NULL)
        return false;
    *ret_key = entry->key;
    *ret_value = entry->value;
    return true;
}

star_value_t
star_set(star_t *star, const star_value_t *items, size_t count)
{
    sl_dict_t *set = sl_dict_new(star, SL_SET, 0);
    if (set == NULL)
        return STAR_ABSENT;
    for (size_t i = 0; i < count; i++) {
        if (!star_ok(items[i]))
            return star_fail(star, "an absent value was used");
        if (!sl_dict_store(star, set, items[i], SL_NONE))
            return STAR_ABSENT;
    }
    return sl_value(set);
}
