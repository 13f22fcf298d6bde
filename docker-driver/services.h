/*  services: what starting and restarting share. */
#ifndef KURTOSIS_DOCKER_DRIVER_SERVICES_H
#define KURTOSIS_DOCKER_DRIVER_SERVICES_H

#include "docker-driver/docker-driver.h"

/* Looks at a container that has just been started, and for DOCKER_QUICK_EXIT_MS waits for its end:
 * one that ends in that time with a status other than 0 is STATE, with its last lines between
 * CONTAINER LOGS markers. */
int docker_service_settled(docker_t *self, const docker_call_t *call, const char *id,
                           Orchestrator__ServiceInfo **ret_info, err_t **err);

/* Removes a service's container and the volumes of its files; fine when there is nothing. ret_ports (NULL if not
 * wanted): its label of public ports, "" for none; yours, free(). */
int docker_service_remove_all(docker_t *self, const docker_call_t *call, const char *enclave_uuid,
                              const char *service_uuid, char **ret_ports, err_t **err);

#endif
