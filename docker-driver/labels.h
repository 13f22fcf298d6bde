/*  labels: what objects are called and labelled, so that `docker ps` shows what Kurtosis users know
 *  and every object of ours is found again by its labels alone.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_LABELS_H
#define KURTOSIS_DOCKER_DRIVER_LABELS_H

#include "base/err.h"
#include "base/str.h"
#include "bus/schema/orchestrator.pb-c.h"

/* The one table of label keys: our name, the key, what the value is. */
#define DOCKER_LABELS(X)                                                                           \
    X(APP, "com.kurtosistech.app-id", "\"kurtosis\", on every object")                             \
    X(CONTAINER_TYPE, "com.kurtosistech.container-type", "see DOCKER_TYPE_*")                      \
    X(VOLUME_TYPE, "com.kurtosistech.volume-type", "see DOCKER_VOLUME_*")                          \
    X(ID, "com.kurtosistech.id", "service name; enclave UUID of networks; GUID of engines")        \
    X(GUID, "com.kurtosistech.guid", "UUID of the object")                                         \
    X(ENCLAVE, "com.kurtosistech.enclave-id", "enclave UUID, on all objects of an enclave")        \
    X(ENCLAVE_NAME, "com.kurtosistech.enclave-name", "on networks and services")                   \
    X(CREATED, "com.kurtosistech.enclave-creation-time", "RFC 3339, on networks")                  \
    X(PRODUCTION, "com.kurtosistech.enclave-production",                                           \
      "\"true\" on networks of production enclaves")                                               \
    X(PRIVATE_IP, "com.kurtosistech.private-ip", "on API and service containers")                  \
    X(PORTS, "com.kurtosistech.ports", "docker_ports_pack")                                        \
    X(PUBLIC_PORTS, "com.kurtosistech.public-ports", "docker_host_ports_label")                    \
    X(OF_SERVICE, "com.kurtosistech.user-service-guid", "service UUID, on volumes of its files")   \
    X(ENGINE_KEY, "com.kurtosistech.engine-public-key", "Z85 public key of the engine's broker")   \
    X(ENGINE_VERSION, "com.kurtosistech.engine-version", "version of the engine")                  \
    X(LOG_ENCLAVE, "kurtosis_enclave_uuid", "on all objects of an enclave")                        \
    X(LOG_ENCLAVE_NAME, "kurtosis_enclave_name", "on services")                                    \
    X(LOG_SERVICE, "kurtosis_service_uuid", "on services")                                         \
    X(LOG_SERVICE_NAME, "kurtosis_service_name", "on services")                                    \
    X(TRAEFIK, "traefik.enable", "\"true\" on services with an http port")

#define DOCKER_LABEL_LINE(name, key, meaning)                                                      \
    static const char DOCKER_LABEL_##name[] __attribute__((unused)) = key;
DOCKER_LABELS(DOCKER_LABEL_LINE)
#undef DOCKER_LABEL_LINE

#define DOCKER_LABEL_CUSTOM "com.kurtosistech.custom." /* prefix of labels given by the user */
#define DOCKER_APP "kurtosis"

#define DOCKER_TYPE_ENGINE "kurtosis-engine"
#define DOCKER_TYPE_API "api-container"
#define DOCKER_TYPE_SERVICE "user-service"

#define DOCKER_VOLUME_ENCLAVE "enclave-data"
#define DOCKER_VOLUME_FILES "files-artifacts-expansion"
#define DOCKER_VOLUME_PERSISTENT "persistent-directory"
#define DOCKER_VOLUME_ENGINE "engine-data"
#define DOCKER_VOLUME_BUS "engine-bus"
#define DOCKER_VOLUME_LOGS "kurtosis-logs-storage"
#define DOCKER_VOLUME_PACKAGES "package-cache"

#define DOCKER_ENGINE_DATA "kurtosis-engine-data"  /* volume: the engine's database and keys */
#define DOCKER_ENGINE_BUS "kurtosis-engine-bus"    /* volume: folder of the broker's ipc socket */
#define DOCKER_ENGINE_LOGS "kurtosis-logs-storage" /* volume: what services print */
#define DOCKER_PACKAGES "kurtosis-package-cache"   /* volume: repositories, cloned by enclaves */
#define DOCKER_PACKAGES_DIR "/kurtosis-packages"   /* where it is mounted */
#define DOCKER_LOGS_DIR "/var/log/kurtosis"        /* where it is mounted */
#define DOCKER_DATA_DIR "/kurtosis-data"           /* where data volumes are mounted */
#define DOCKER_BUS_DIR "/run/kurtosis/bus"         /* where the bus volume is mounted */

#define DOCKER_NAME_MAX                                                                            \
    256u /* bytes of an object's name and of a label's key, its prefix included */
#define DOCKER_LABEL_VALUE_MAX 65518u
#define DOCKER_SERVICE_NAME_MAX 63u

/* Names; yours, free(). */
char *docker_name_engine(const char *guid);
char *docker_name_network(const char *enclave_name);
char *docker_name_api(const char *enclave_uuid);
char *docker_name_service(const char *name, const char *uuid);
char *docker_name_files(const char *guid, const char *enclave_uuid);
char *docker_name_persistent(const char *key, const char *enclave_uuid);

/* INVALID for what is not a UUID of ours, an enclave's name, a service's name; what says which in
 * the error. */
int docker_check_uuid(const char *what, const char *text, err_t **err);
int docker_check_enclave_name(const char *name, err_t **err);
int docker_check_service_name(const char *what, const char *name, err_t **err);
int docker_check_label(const char *key, const char *value, err_t **err);

/* The port label "<id>:<number>/<TRANSPORT>[/<protocol>]", joined with ','. pack: INVALID for a
 * number outside 1..65535, an id or protocol with a separator in it, an id or a port given twice.
 */
int docker_ports_pack(Orchestrator__ServicePort *const *ports, size_t count, str_t *out,
                      err_t **err);
/* Reads one, in the separators of now (", : /") or of older versions ("- . _"). *ret_ports: an
 * array of *ret_count messages, yours (an empty one is NULL). INVALID for what is neither. */
int docker_ports_unpack(const char *text, Orchestrator__ServicePort ***ret_ports, size_t *ret_count,
                        err_t **err);
void docker_ports_free(Orchestrator__ServicePort **ports, size_t count);

/* "tcp", "udp", "sctp". Lent for ever. */
const char *docker_transport_name(Orchestrator__Transport transport);

#endif
