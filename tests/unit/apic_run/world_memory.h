/*  world_memory: an enclave in memory, for tests of whole runs. Services start at once; a command
 * is one of a few that it knows (`echo WORDS`, `exit CODE`, `/bin/sh -c ...` of a task, which
 * prints its script); a request is answered with what it asked. */
#ifndef TEST_WORLD_MEMORY_H
#define TEST_WORLD_MEMORY_H

#include "apic/run/world.h"

typedef struct world_memory world_memory_t;

/* repositories: folder of packages; lent. */
world_memory_t *world_memory_new(const char *repositories);
void world_memory_destroy(world_memory_t **self_p);
const run_world_t *world_memory_world(const world_memory_t *self);
/* The next start of this service fails. */
void world_memory_break(world_memory_t *self, const char *service);
/* The image cannot be fetched. */
void world_memory_lose_image(world_memory_t *self, const char *image);
/* Starts of services so far. */
size_t world_memory_starts(const world_memory_t *self);

#endif
