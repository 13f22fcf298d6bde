/*  gate: who may join the bus, and as what. One table: the kind of name, and what proves it.
 *
 *    engine            the engine's own key
 *    driver/<cluster>  the key that the engine made for the driver it started
 *    apic/<uuid>       the key made when the enclave was; kept in engine.db
 *    client/..., gateway   the public key of a user: a file in keys/users. Files are read at every
 * attempt, so that a user added a moment ago may come in.
 */
#include "engine/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

/* Does this file hold the key, as a line of Z85 text? */
static bool
file_holds(int folder, const char *name, const char *key_text)
{
    AUTO_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char text[BUS_KEY_TEXT_SIZE + 1] = "";
    if (fd < 0 || read(fd, text, sizeof text - 1) < BUS_KEY_TEXT_SIZE - 1)
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    return !strcmp(text, key_text);
}

static bool
is_user(engine_t *self, const uint8_t key[BUS_KEY_SIZE])
{
    char key_text[BUS_KEY_TEXT_SIZE];
    bus_key_to_text(key, key_text);
    DIR *folder = opendir(self->users);
    if (!folder)
        return false;
    bool found = false;
    unsigned looked = 0;
    for (struct dirent *entry; !found && looked < ENGINE_USERS_MAX && (entry = readdir(folder));)
        if (str_ends(entry->d_name, ".pub")) {
            found = file_holds(dirfd(folder), entry->d_name, key_text);
            looked++;
        }
    closedir(folder);
    return found;
}

static bool
same_key(const uint8_t one[BUS_KEY_SIZE], const uint8_t other[BUS_KEY_SIZE])
{
    return sodium_memcmp(one, other, BUS_KEY_SIZE) == 0;
}

static bool
may_engine(engine_t *self, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    (void)name;
    return same_key(key, self->keys.public_key);
}

static bool
may_driver(engine_t *self, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    return !strcmp(name, self->driver) && same_key(key, self->driver_keys.public_key);
}

static bool
may_apic(engine_t *self, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    return engine_store_knows_apic(self->store, name + strlen("apic/"), key);
}

static bool
may_user(engine_t *self, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    (void)name;
    return is_user(self, key);
}

static bool (*const rules[BUS_ROLES])(engine_t *, const char *, const uint8_t *) = {
    [BUS_ROLE_ENGINE] = may_engine, [BUS_ROLE_DRIVER] = may_driver, [BUS_ROLE_APIC] = may_apic,
    [BUS_ROLE_CLIENT] = may_user,   [BUS_ROLE_GATEWAY] = may_user,
};

bool
engine_gate_may_join(void *self, const char *name, const uint8_t key[BUS_KEY_SIZE])
{
    bus_role_t role = bus_role_of(name);
    return rules[role] && rules[role](self, name, key);
}

bool
engine_gate_is_known(void *self, const uint8_t key[BUS_KEY_SIZE])
{
    return is_user(self, key);
}
