/*  host_ports: which ports of the host services get that ask for none in particular.
 *
 *  Docker would pick too, but anew at each start of a container. Here a port comes from the names of enclave, service
 *  and port, so it is the same after stop and start, after an update, and when the same package runs again in an
 *  enclave of the same name. A port that another service of ours has is passed over; one that someone else uses is
 *  found out when Docker starts the container, and passed over from then on.
 *
 *  What services have is said by their label PUBLIC_PORTS ("<id>:<number>,..."), read once from all containers.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_HOST_PORTS_H
#define KURTOSIS_DOCKER_DRIVER_HOST_PORTS_H

#include "docker-driver/docker-driver.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define DOCKER_HOST_PORTS_FIRST                                                                    \
    20000u /* below the ports that Linux gives to outgoing connections */
#define DOCKER_HOST_PORTS_COUNT 10000u

typedef struct {
    pthread_mutex_t lock;
    bool is_loaded;
    uint8_t taken[DOCKER_HOST_PORTS_COUNT / 8];
} docker_host_ports_t;

/* ret_numbers[i]: of spec->ports[i]; 0 where it is not published, or where no port is left and Docker is to pick.
 * before: label of the container that this one replaces; NULL for none. */
int docker_host_ports_choose(docker_t *self, const docker_call_t *call, const char *enclave_name,
                             const Orchestrator__ServiceSpec *spec, const char *before,
                             uint32_t *ret_numbers, err_t **err);
/* Another one for a port that turned out to be in use; 0 when there is none. */
uint32_t docker_host_ports_instead(docker_t *self, uint32_t number);
/* They are free again. label: as above. */
void docker_host_ports_release(docker_t *self, const char *label);
/* The label; yours, free(). */
char *docker_host_ports_label(const Orchestrator__ServiceSpec *spec, const uint32_t *numbers);

#endif
