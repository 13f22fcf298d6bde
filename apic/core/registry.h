/*  registry: the services of the enclave in its database: registrations, addresses, identifiers
 * ever used.
 *
 *  A service is registered before its container is made and acknowledged when its batch has
 * succeeded. What a killed process leaves between the two is stale: unknown to everybody but
 * registry_stale, until its container is gone.
 */
#ifndef KURTOSIS_APIC_CORE_REGISTRY_H
#define KURTOSIS_APIC_CORE_REGISTRY_H

#include "apic/core/core.h"
#include "apic/core/ip.h"
#include "base/uuid.h"

#include <sqlite3.h>

extern const char registry_schema[];

/* Call once, before everything else: takes the addresses nobody may have and marks as stale what
 * was not acknowledged. */
int registry_open(sqlite3 *db, const ip_net_t *net, uint32_t gateway, uint32_t own_ip, err_t **err);

/* Registers a service under a new UUID and the lowest free address; EXISTS, LIMIT. */
int registry_add(sqlite3 *db, const ip_net_t *net, const core_service_config_t *config,
                 char ret_uuid[UUID_LEN + 1], char ret_ip[IP_TEXT_SIZE], err_t **err);
/* Gives a registered service a new configuration: same UUID and address, status REGISTERED. */
int registry_update(sqlite3 *db, const char *uuid, const core_service_config_t *config,
                    err_t **err);
/* The service runs for good: status STARTED; its identifiers are remembered for ever. */
int registry_acknowledge(sqlite3 *db, const char *uuid, err_t **err);
int registry_set_status(sqlite3 *db, const char *uuid, core_service_status_t status, err_t **err);
/* Not acknowledged any more: for removal, also by the next process. */
int registry_set_stale(sqlite3 *db, const char *uuid, err_t **err);
/* Forgets the service and frees its address. Fine when there is none. */
int registry_delete(sqlite3 *db, const char *uuid, err_t **err);

/* By UUID, shortened UUID, name; NOT_FOUND, INVALID when ambiguous. */
int registry_find(sqlite3 *db, const char *identifier, core_service_t **ret_service, err_t **err);
/* By name alone. */
int registry_find_name(sqlite3 *db, const char *name, core_service_t **ret_service, err_t **err);
/* All, by name. */
int registry_all(sqlite3 *db, core_service_t ***ret_services, size_t *ret_count, err_t **err);
int registry_count(sqlite3 *db, size_t *ret_count, err_t **err);
int registry_config(sqlite3 *db, const char *uuid, core_service_config_t **ret_config, err_t **err);
/* A stale service (of this name, or any for NULL): 1 and copies, or 0. */
int registry_stale(sqlite3 *db, const char *name, char **ret_uuid, char **ret_name, err_t **err);
/* Is a container of this UUID ours, stale or not? 1 or 0. */
int registry_knows(sqlite3 *db, const char *uuid, err_t **err);
int registry_identifiers(sqlite3 *db, void (*fn)(void *arg, const char *uuid, const char *name),
                         void *arg, err_t **err);

#endif
