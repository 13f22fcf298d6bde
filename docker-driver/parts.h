/*  parts: pieces of the JSON bodies that make containers, used by engine, API and service
 *  containers alike. All return new references. */
#ifndef KURTOSIS_DOCKER_DRIVER_PARTS_H
#define KURTOSIS_DOCKER_DRIVER_PARTS_H

#include "docker-driver/labels.h"

#include <jansson.h>

#define DOCKER_LOG_SIZE "100m" /* of a log file of a container */
#define DOCKER_LOG_FILES "3"   /* kept */

/* {"com.kurtosistech.app-id": "kurtosis"}, and with the labels that everything of an enclave has.
 */
json_t *docker_labels(void);
json_t *docker_enclave_labels(const char *enclave_uuid);
/* Text that is not UTF-8 is put in with its wrong bytes replaced. */
void docker_label_set(json_t *labels, const char *key, const char *value);

/* Appends "name=value" to a list of environment entries unless it has one of this name. */
void docker_env_add(json_t *env, const char *name, const char *value);

/* A volume mount that makes the volume, with these labels (taken), if there is none. */
json_t *docker_volume_mount(const char *volume, const char *target, json_t *labels);
/* The same of a volume of no enclave, with our labels and this type. */
json_t *docker_shared_mount(const char *volume, const char *target, const char *type);
/* The volume with the broker's ipc socket, where engine and API containers have it. */
json_t *docker_bus_mount(void);
json_t *docker_bind_mount(const char *source, const char *target);
/* Docker's own log files, bounded. */
json_t *docker_log_config(void);
/* A JSON string; wrong UTF-8 is replaced by '?'. */
json_t *docker_string(const char *text);

/* The host's own network state, as files: its routes are no place for enclaves. */
#define DOCKER_HOST_NET_SOURCE "/proc/1/net"
#define DOCKER_HOST_NET_DIR "/run/kurtosis/host-net"
#define DOCKER_HOST_NET_ENV "KURTOSIS_HOST_NET" /* where it is mounted; /proc/net if not set */

#endif
