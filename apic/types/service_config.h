/*  service_config: what a service is to be, as plain data. */
#ifndef KURTOSIS_APIC_TYPES_SERVICE_CONFIG_H
#define KURTOSIS_APIC_TYPES_SERVICE_CONFIG_H

#include "apic/core/core.h"
#include "apic/types/image.h"
#include "apic/types/recipe.h"

#define TYPES_IP_PLACEHOLDER "KURTOSIS_IP_ADDR_PLACEHOLDER"
#define TYPES_DOCKER_SOCKET "/var/run/docker.sock" /* the one host path that may be mounted */

/* A port of a service. */
typedef struct {
    char *id;
    uint32_t number;
    Orchestrator__Transport transport;
    char *application_protocol; /* "" when there is none */
    int64_t wait_ns;            /* < 0: not waited for */
    char *url;                  /* NULL when not given */
} types_port_t;

typedef struct types_service_config {
    core_service_config_t *core; /* all that a driver needs, but the name */
    types_image_t image;
    types_port_t *ports; /* private ones, in the order of the script */
    size_t n_ports;
    types_condition_t *ready; /* NULL: none */
    bool needs_host;          /* privileged, host processes or bind mounts */
} types_service_config_t;

/* From a ServiceConfig (INVALID for other values), in the order in which Kurtosis looks at the
 * fields. *ret is yours. */
int types_cast_service_config(star_t *star, star_value_t value, const types_places_t *places,
                              types_service_config_t **ret, err_t **err);
void types_service_config_destroy(types_service_config_t **self_p);
AUTO_FOR(types_service_config)

/* One PortSpec. Fills *ret (types_port_done). */
int types_cast_port(star_t *star, star_value_t value, const char *id, types_port_t *ret,
                    err_t **err);
void types_port_done(types_port_t *self);
const char *types_transport_name(Orchestrator__Transport transport); /* "TCP" */

/* The Service that plan.add_service returns: hostname and address are references. */
star_value_t types_service_new(star_t *star, const char *name, const char *hostname,
                               const char *address, const types_port_t *ports, size_t n_ports);

/* A dict of mount path to artifact name or Directory: each directory is reported in order.
 * directory: its artifacts (NULL-terminated, yours), or a persistent key (yours) with its size. */
typedef int types_directory_fn(void *arg, const char *path, char **artifacts, char *key,
                               uint64_t megabytes, err_t **err);
int types_cast_files(star_t *star, star_value_t value, types_directory_fn *directory, void *arg,
                     err_t **err);

/* StoreSpec, or a string that is its src. *ret_name is NULL when none was given; both yours. */
int types_cast_store(star_value_t value, char **ret_src, char **ret_name, err_t **err);

/* Into the driver's words. */
int types_cast_user(star_value_t value, Orchestrator__ServiceSpec *spec, err_t **err);
/* A list of Tolerations, or absent: only checked, for a single machine has no use for them. */
int types_check_tolerations(star_value_t list, err_t **err);
/* Refuses paths of the host that no service may have; *ret_needs: privileged, processes of the host
 * or such a path? */
int types_check_host(const Orchestrator__ServiceSpec *spec, bool *ret_needs, err_t **err);
int types_cast_gpu(star_t *star, star_value_t value, Orchestrator__ServiceSpec *spec, err_t **err);
/* Moves pairs into a repeated field. */
void types_pairs_move(types_pairs_t *pairs, Orchestrator__Pair ***ret, size_t *ret_count);

#endif
