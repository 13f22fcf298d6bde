/*  map: texts to pointers, in the order in which they came. Not for several threads at once. */
#ifndef KURTOSIS_APIC_RUN_MAP_H
#define KURTOSIS_APIC_RUN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *key; /* NULL: was removed */
    void *value;
    uint32_t hash;
} run_map_item_t;

/* Embedded; all zero is an empty one. */
typedef struct {
    run_map_item_t *items; /* in order of arrival, with the gaps of removed ones */
    size_t n_items, space;
    uint32_t *slots; /* index + 1 into items; 0: free */
    size_t n_slots;  /* a power of two */
    size_t count;
} run_map_t;

/* free_value may be NULL. The map is empty after. */
void run_map_done(run_map_t *self, void (*free_value)(void *value));
/* NULL when there is none. */
void *run_map_get(const run_map_t *self, const char *key);
/* Sets; the old value (NULL when there was none) is handed back. The key is copied. value must not
 * be NULL. */
void *run_map_put(run_map_t *self, const char *key, void *value);
/* Takes out; NULL when there was none. */
void *run_map_remove(run_map_t *self, const char *key);
/* Walks in order: *cursor starts at 0. */
bool run_map_next(const run_map_t *self, size_t *cursor, const char **ret_key, void **ret_value);

#endif
