/*  identifiers: which enclave or service is meant; see sdk.h. */
#include "sdk/contexts.h"

#include <string.h>

/* The fields of an identifier, in the order in which they are tried. */
typedef struct {
    const char *uuid, *shortened_uuid, *name;
} item_t;
typedef item_t(item_fn)(const void *identifiers, size_t index);

static const char *
field(const item_t *item, int which)
{
    return which == 0 ? item->uuid : which == 1 ? item->shortened_uuid : item->name;
}

static int
find(const void *identifiers, size_t count, item_fn *get, const char *what, const char *identifier,
     const char **ret_uuid, err_t **err)
{
    static const char *const fields[] = {"UUID", "shortened UUID", "name"};
    for (int which = 0; which < 3; which++) {
        const char *found = NULL;
        for (size_t i = 0; i < count; i++) {
            item_t item = get(identifiers, i);
            if (strcmp(field(&item, which), identifier) || (found && !strcmp(found, item.uuid)))
                continue;
            if (found)
                return err_fail(err, ERR_INVALID,
                                "more than one %s has the %s '%s'; use a full UUID, e.g. '%s'",
                                what, fields[which], identifier, found);
            found = item.uuid;
        }
        if (found) {
            *ret_uuid = found;
            return 0;
        }
    }
    return err_fail(err, ERR_NOT_FOUND, "no %s found with identifier '%s'", what, identifier);
}

static item_t
enclave_item(const void *identifiers, size_t index)
{
    const EngineApi__EnclaveIdentifiers *item =
        ((const EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *)identifiers)
            ->allidentifiers[index];
    return (item_t){item->enclave_uuid, item->shortened_uuid, item->name};
}

static item_t
service_item(const void *identifiers, size_t index)
{
    const ApiContainerApi__ServiceIdentifiers *item =
        ((const ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *)identifiers)
            ->allidentifiers[index];
    return (item_t){item->service_uuid, item->shortened_uuid, item->name};
}

int
enclave_identifiers_find(
    const EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *identifiers,
    const char *identifier, const char **ret_uuid, err_t **err)
{
    return find(identifiers, identifiers->n_allidentifiers, enclave_item, "enclave", identifier,
                ret_uuid, err);
}

int
service_identifiers_find(
    const ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *identifiers,
    const char *identifier, const char **ret_uuid, err_t **err)
{
    return find(identifiers, identifiers->n_allidentifiers, service_item, "service", identifier,
                ret_uuid, err);
}
