/*  symlinks: the symbolic links of an archive; see symlinks.h. */
#include "archive/symlinks.h"

#include "archive/archive.h"

#include <stdlib.h>

#define ROOM_FIRST 64
#define HASH_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define HASH_FACTOR UINT64_C(0x100000001b3)

static uint64_t hash_add(uint64_t hash, char byte);
static uint64_t hash_of(const char *path);
static uint64_t *slot_of(const symlinks_t *self, uint64_t hash);
static void grow(symlinks_t *self);

void
symlinks_done(symlinks_t *self)
{
    free(self->slots);
    *self = (symlinks_t){0};
}

int
symlinks_add(symlinks_t *self, const char *path, err_t **err)
{
    if (symlinks_has(self, path))
        return 0;
    if (self->count == ARCHIVE_SYMLINKS_MAX)
        return err_fail(err, ERR_LIMIT, "it has more than %u symbolic links", ARCHIVE_SYMLINKS_MAX);
    if (self->count * 2 >= self->room)
        grow(self);
    uint64_t hash = hash_of(path);
    *slot_of(self, hash) = hash;
    self->count++;
    return 0;
}

bool
symlinks_has(const symlinks_t *self, const char *path)
{
    return self->count > 0 && *slot_of(self, hash_of(path)) != 0;
}

size_t
symlinks_passed(const symlinks_t *self, const char *path)
{
    if (self->count == 0)
        return 0;
    uint64_t hash = HASH_START;
    for (size_t i = 0; path[i]; i++) {
        if (path[i] == '/' && *slot_of(self, hash ? hash : 1) != 0)
            return i;
        hash = hash_add(hash, path[i]);
    }
    return 0;
}

/* -------------------------------------------------------------------------------------- helpers */

static uint64_t
hash_add(uint64_t hash, char byte)
{
    return (hash ^ (uint8_t)byte) * HASH_FACTOR;
}

static uint64_t
hash_of(const char *path)
{
    uint64_t hash = HASH_START;
    while (*path)
        hash = hash_add(hash, *path++);
    return hash ? hash : 1;
}

/* Where this hash is, or would be put. There is always a free slot. */
static uint64_t *
slot_of(const symlinks_t *self, uint64_t hash)
{
    size_t at = hash & (self->room - 1);
    while (self->slots[at] != 0 && self->slots[at] != hash)
        at = (at + 1) & (self->room - 1);
    return &self->slots[at];
}

static void
grow(symlinks_t *self)
{
    symlinks_t old = *self;
    self->room = old.room ? old.room * 2 : ROOM_FIRST;
    self->slots = calloc(self->room, sizeof *self->slots);
    if (!self->slots)
        abort();
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i])
            *slot_of(self, old.slots[i]) = old.slots[i];
    free(old.slots);
}
