/*  args: what an API container is told when it is started: its environment.
 *
 *    SERIALIZED_ARGS            JSON object; of its keys enclaveUuid, logLevel, enclaveDataVolume,
 * kurtosisBackendType, enclaveEnvVars and isProductionEnclave are read, the others are for other
 * programs OWN_IP_ADDRESS             address of this container in the enclave's network
 *    KURTOSIS_SUBNET            that network, e.g. "172.16.0.0/22"
 *    KURTOSIS_GATEWAY           its gateway
 *    KURTOSIS_BUS_ENDPOINT      the broker's, e.g. "ipc:///run/kurtosis/bus/broker"
 *    KURTOSIS_BUS_BROKER_KEY    its public key, Z85
 *    KURTOSIS_BUS_SECRET        our secret key, Z85
 *    KURTOSIS_DRIVER            bus name of the driver; "driver/<kurtosisBackendType>" if not set
 *    KURTOSIS_GIT_MIRROR        where repositories are cloned from instead, "FROM=TO ..."; optional
 *    KURTOSIS_GIT_CA_PEM        certificates of the user's own authorities; optional
 *    KURTOSIS_GITHUB_TOKEN      the user's access token for private packages; optional
 *    KURTOSIS_PACKAGE_CACHE     folder of cloned repositories that enclaves share; optional
 *    KURTOSIS_ENCLAVE_NAME      for people; the shortened UUID if not set
 */
#ifndef KURTOSIS_APIC_ARGS_H
#define KURTOSIS_APIC_ARGS_H

#include "apic/core/core.h"
#include "base/log.h"

#define ARGS_JSON_MAX 1048576u /* bytes of SERIALIZED_ARGS */

/* Plain data and copies; args_done. */
typedef struct {
    char *enclave_uuid, *enclave_name, *enclave_env, *data_folder, *backend_kind, *driver;
    char *own_ip, *subnet, *gateway, *endpoint, *git_mirrors, *git_ca, *github_token,
        *package_cache;
    bool is_production;
    log_level_t log_level;
    uint8_t broker_key[BUS_KEY_SIZE];
    bus_keys_t keys;
} args_t;

/* Reads the environment through get (getenv). What is missing or wrong is one INVALID that names
 * the variable. */
int args_read(char *(*get)(const char *name), args_t *ret_args, err_t **err);
void args_done(args_t *self); /* wipes the keys, too */

#endif
