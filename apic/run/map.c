/*  map: an ordered hash table. */
#include "apic/run/map.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
hash_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash;
}

/* The slot of the key, or the free one where it would go. */
static size_t
slot_of(const run_map_t *self, const char *key, uint32_t hash)
{
    size_t slot = hash & (self->n_slots - 1);
    for (; self->slots[slot]; slot = (slot + 1) & (self->n_slots - 1)) {
        const run_map_item_t *item = &self->items[self->slots[slot] - 1];
        if (item->key && item->hash == hash && strcmp(item->key, key) == 0)
            break;
    }
    return slot;
}

/* Squeezes the gaps out of items and makes room for twice as many. */
static void
rebuild(run_map_t *self)
{
    size_t n = 0;
    for (size_t i = 0; i < self->n_items; i++)
        if (self->items[i].key)
            self->items[n++] = self->items[i];
    self->n_items = n;
    self->n_slots = 16;
    while (self->n_slots < n * 4)
        self->n_slots *= 2;
    self->space = self->n_slots / 2;
    self->items = realloc(self->items, self->space * sizeof(*self->items));
    free(self->slots);
    self->slots = calloc(self->n_slots, sizeof(*self->slots));
    for (size_t i = 0; i < n; i++)
        self->slots[slot_of(self, self->items[i].key, self->items[i].hash)] = (uint32_t)i + 1;
}

void
run_map_done(run_map_t *self, void (*free_value)(void *value))
{
    for (size_t i = 0; i < self->n_items; i++) {
        if (self->items[i].key && free_value)
            free_value(self->items[i].value);
        free(self->items[i].key);
    }
    free(self->items);
    free(self->slots);
    *self = (run_map_t){0};
}

void *
run_map_get(const run_map_t *self, const char *key)
{
    if (!self->count)
        return NULL;
    const size_t slot = slot_of(self, key, hash_of(key));
    return self->slots[slot] ? self->items[self->slots[slot] - 1].value : NULL;
}

void *
run_map_put(run_map_t *self, const char *key, void *value)
{
    const uint32_t hash = hash_of(key);
    if (self->n_items == self->space)
        rebuild(self);
    const size_t slot = slot_of(self, key, hash);
    if (self->slots[slot]) {
        run_map_item_t *item = &self->items[self->slots[slot] - 1];
        void *old = item->value;
        item->value = value;
        return old;
    }
    self->items[self->n_items] = (run_map_item_t){strdup(key), value, hash};
    self->slots[slot] = (uint32_t)++self->n_items;
    self->count++;
    return NULL;
}

void *
run_map_remove(run_map_t *self, const char *key)
{
    if (!self->count)
        return NULL;
    const size_t slot = slot_of(self, key, hash_of(key));
    if (!self->slots[slot])
        return NULL;
    run_map_item_t *item = &self->items[self->slots[slot] - 1];
    void *old = item->value;
    free(item->key);
    item->key = NULL; /* the slot stays taken until the next rebuild, so that chains hold */
    self->count--;
    return old;
}

bool
run_map_next(const run_map_t *self, size_t *cursor, const char **ret_key, void **ret_value)
{
    for (; *cursor < self->n_items; ++*cursor) {
        const run_map_item_t *item = &self->items[*cursor];
        if (!item->key)
            continue;
        *ret_key = item->key;
        *ret_value = item->value;
        ++*cursor;
        return true;
    }
    return false;
}
