/*  table: see table.h. */
#include "bus/table.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 16u

uint64_t
bus_hash(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t hash = size;
    for (uint64_t eight; size; size -= size < 8 ? size : 8, bytes += 8) {
        eight = 0;
        memcpy(&eight, bytes, size < 8 ? size : 8);
        hash = bus_hash_number(hash ^ eight) + (hash << 5);
    }
    return hash;
}

void
bus_table_done(bus_table_t *self)
{
    free(self->slots);
    *self = (bus_table_t){0};
}

static void
grow(bus_table_t *self)
{
    size_t size = self->slots ? 2 * (self->mask + 1) : SLOTS_MIN;
    bus_link_t **slots = calloc(size, sizeof *slots);
    if (!slots)
        abort();
    for (size_t i = 0; self->slots && i <= self->mask; i++)
        for (bus_link_t *link = self->slots[i], *next; link; link = next) {
            next = link->next;
            link->next = slots[link->hash & (size - 1)];
            slots[link->hash & (size - 1)] = link;
        }
    free(self->slots);
    self->slots = slots;
    self->mask = size - 1;
}

void
bus_table_put(bus_table_t *self, bus_link_t *link, uint64_t hash)
{
    if (!self->slots || self->count > self->mask)
        grow(self);
    bus_link_t **slot = &self->slots[hash & self->mask];
    link->hash = hash;
    link->next = *slot;
    *slot = link;
    self->count++;
}

void
bus_table_remove(bus_table_t *self, bus_link_t *link)
{
    if (!self->slots)
        return;
    for (bus_link_t **at = &self->slots[link->hash & self->mask]; *at; at = &(*at)->next)
        if (*at == link) {
            *at = link->next;
            link->next = NULL;
            self->count--;
            return;
        }
}

static bus_link_t *
first_of(bus_link_t *link, uint64_t hash)
{
    while (link && link->hash != hash)
        link = link->next;
    return link;
}

bus_link_t *
bus_table_find(const bus_table_t *self, uint64_t hash)
{
    return self->slots ? first_of(self->slots[hash & self->mask], hash) : NULL;
}

bus_link_t *
bus_link_next(const bus_link_t *link)
{
    return first_of(link->next, link->hash);
}

bus_link_t *
bus_table_any(const bus_table_t *self, size_t *slot)
{
    for (; self->count && *slot <= self->mask; ++*slot)
        if (self->slots[*slot])
            return self->slots[*slot];
    return NULL;
}

void
bus_table_each(const bus_table_t *self, void (*fn)(void *arg, bus_link_t *link), void *arg)
{
    for (size_t i = 0; self->count && i <= self->mask; i++)
        for (bus_link_t *link = self->slots[i], *next; link; link = next) {
            next = link->next;
            fn(arg, link);
        }
}
