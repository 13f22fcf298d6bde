/*  podman: starts Podman's service where Podman is installed. */
#ifndef KURTOSIS_DOCKER_DRIVER_PODMAN_H
#define KURTOSIS_DOCKER_DRIVER_PODMAN_H

#include "base/err.h"

/* Starts `podman system service` at Podman's usual socket, which stays when we end, since containers
 * of ours use it. *ret_path: the socket, yours; NULL where Podman is not installed, or Docker
 * is. UNAVAILABLE with
 * what it says when it does not listen within ENDPOINT_PODMAN_MS. */
int docker_podman_start(char **ret_path, err_t **err);

#endif
