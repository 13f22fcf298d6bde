/*  identify: see identify.h. */
#include "engine/identify.h"

#include "base/uuid.h"

#include <string.h>

typedef bool(fits_fn)(const Orchestrator__Enclave *enclave, const char *identifier);

static bool
fits_uuid(const Orchestrator__Enclave *enclave, const char *identifier)
{
    return !strcmp(enclave->enclave_uuid, identifier);
}

static bool
fits_short_uuid(const Orchestrator__Enclave *enclave, const char *identifier)
{
    return strlen(identifier) == UUID_SHORT_LEN &&
           !strncmp(enclave->enclave_uuid, identifier, UUID_SHORT_LEN);
}

static bool
fits_name(const Orchestrator__Enclave *enclave, const char *identifier)
{
    return !strcmp(enclave->name, identifier);
}

static const struct {
    fits_fn *fits;
    const char *what;
} kinds[] = {{fits_uuid, "UUID"}, {fits_short_uuid, "shortened UUID"}, {fits_name, "name"}};

int
engine_identify(Orchestrator__Enclave *const *enclaves, size_t count, const char *identifier,
                const Orchestrator__Enclave **ret_enclave, err_t **err)
{
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        const Orchestrator__Enclave *found = NULL;
        for (size_t i = 0; i < count; i++) {
            if (!kinds[kind].fits(enclaves[i], identifier))
                continue;
            if (found)
                return err_fail(
                    err, ERR_INVALID,
                    "more than one enclave has the %s '%s'; name it by its full UUID, e.g. '%s'",
                    kinds[kind].what, identifier, found->enclave_uuid);
            found = enclaves[i];
        }
        if (found) {
            *ret_enclave = found;
            return 0;
        }
    }
    return err_fail(err, ERR_NOT_FOUND,
                    "there is no enclave '%s'; 'kurtosis enclave ls' shows those there are",
                    identifier);
}
