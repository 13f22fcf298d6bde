/*  seen: what never changes of a container, remembered by its id, so that listing services that run is one question to
 *  Docker and not one for each. What changes (state, ports of the host) always comes from Docker. */
#ifndef KURTOSIS_DOCKER_DRIVER_SEEN_H
#define KURTOSIS_DOCKER_DRIVER_SEEN_H

#include <jansson.h>
#include <pthread.h>

#define DOCKER_SEEN_MAX 256u /* containers; with more, all are forgotten and asked for again */

typedef struct {
    pthread_mutex_t lock;
    json_t
        *containers; /* id -> the parts of GET /containers/{id}/json that stay; made on first use */
} docker_seen_t;

void docker_seen_init(docker_seen_t *self);
void docker_seen_done(docker_seen_t *self);
/* Remembers a container; inspected: GET /containers/{id}/json. */
void docker_seen_add(docker_seen_t *self, const json_t *inspected);
void docker_seen_forget(docker_seen_t *self, const char *id);
/* As if it had just been inspected; listed: its element of GET /containers/json. A new reference, or NULL when it has
 * to be inspected: it is not known, or does not simply run. */
json_t *docker_seen_find(docker_seen_t *self, const json_t *listed);

#endif
