/*  api_container: the container of an enclave's API container, as it is made with the enclave and
 *  later put in the place of another. */
#ifndef KURTOSIS_DOCKER_DRIVER_API_CONTAINER_H
#define KURTOSIS_DOCKER_DRIVER_API_CONTAINER_H

#include "docker-driver/api.h"

/* All lent. */
typedef struct {
    const char *enclave_uuid, *enclave_name;
    const char *image, *version, *log_level;
    bool is_production;
    const char *network;               /* its name */
    const char *ip, *subnet, *gateway; /* its address, and those of the network */
    char *const *env;                  /* further environment, "NAME=value" */
    size_t n_env;
} docker_api_container_t;

/* The body that makes it; a new reference. */
json_t *docker_api_container_body(const docker_api_container_t *self);

#endif
