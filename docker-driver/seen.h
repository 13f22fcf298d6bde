/*  seen: what never changes of a container, remembered by its id, so that listing services that run is one question to
 *  Docker and not one for each, and that a command in a service needs none to find it. What changes (state, ports of
 *  the host) always comes from Docker. */
#ifndef KURTOSIS_DOCKER_DRIVER_SEEN_H
#define KURTOSIS_DOCKER_DRIVER_SEEN_H

#include <jansson.h>
#include <pthread.h>

#define DOCKER_SEEN_MAX 256u /* containers; with more, all are forgotten and asked for again */

typedef struct {
    pthread_mutex_t lock;
    json_t
        *containers; /* id -> the parts of GET /containers/{id}/json that stay; made on first use */
    json_t *services; /* "enclave/service" -> {"Id": ..., "Labels": {...}}; made on first use */
} docker_seen_t;

void docker_seen_init(docker_seen_t *self);
void docker_seen_done(docker_seen_t *self);
/* Remembers a container; inspected: GET /containers/{id}/json. */
void docker_seen_add(docker_seen_t *self, const json_t *inspected);
/* Which container a service is; listed: its element of GET /containers/json. */
void docker_seen_add_service(docker_seen_t *self, const char *enclave_uuid,
                             const char *service_uuid, const json_t *listed);
/* Its "Id" and "Labels" as they are listed: a new reference, or NULL when it is not known. There may be no such container
 * any more: what uses it hears that from Docker, forgets it and looks again. */
json_t *docker_seen_find_service(docker_seen_t *self, const char *enclave_uuid,
                                 const char *service_uuid);
/* Forgets a container, as itself and as a service. */
void docker_seen_forget(docker_seen_t *self, const char *id);
/* As if it had just been inspected; listed: its element of GET /containers/json. A new reference, or NULL when it has
 * to be inspected: it is not known, or does not simply run. */
json_t *docker_seen_find(docker_seen_t *self, const json_t *listed);

#endif
