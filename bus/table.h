/*  table: a hash table of objects that embed their link, so that putting one in allocates nothing.
 *
 *      typedef struct { bus_link_t link; char name[20]; } thing_t;
 *      bus_table_put(&table, &thing->link, bus_hash(name, len));
 *      for (bus_link_t *at = bus_table_find(&table, hash); at; at = bus_link_next(at)) ... compare,
 *  container
 *
 *  One thread. The table never owns the objects. The first member of an object is its link, or
 *  BUS_OF finds the object that a link is in.
 */
#ifndef KURTOSIS_BUS_TABLE_H
#define KURTOSIS_BUS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bus_link {
    struct bus_link *next;
    uint64_t hash;
} bus_link_t;

typedef struct {
    bus_link_t **slots; /* a power of two of them; NULL while never used */
    size_t mask;
    size_t count; /* objects in the table */
} bus_table_t;

#define BUS_OF(type, member, at) ((type *)((char *)(at)-offsetof(type, member)))

/* FNV-1a with a final mix. */
uint64_t bus_hash(const void *data, size_t size);
/* A good hash of a number. */
static inline uint64_t
bus_hash_number(uint64_t number)
{
    number ^= number >> 33;
    number *= UINT64_C(0xff51afd7ed558ccd);
    number ^= number >> 33;
    return number;
}

void bus_table_done(bus_table_t *self); /* the objects are the caller's */
void bus_table_put(bus_table_t *self, bus_link_t *link, uint64_t hash);
/* Does nothing if link is not in the table. */
void bus_table_remove(bus_table_t *self, bus_link_t *link);
/* The first object of this hash, or NULL; others of the same hash follow by bus_link_next. */
bus_link_t *bus_table_find(const bus_table_t *self, uint64_t hash);
bus_link_t *bus_link_next(const bus_link_t *link);
/* Some object of the table, or NULL. For emptying it: start with *slot = 0, remove what comes, ask
 * again. */
bus_link_t *bus_table_any(const bus_table_t *self, size_t *slot);
/* Calls fn for each; fn may remove the object it gets, and no other. */
void bus_table_each(const bus_table_t *self, void (*fn)(void *arg, bus_link_t *link), void *arg);

#endif
