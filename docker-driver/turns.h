/*  turns: who may change what is attached to a network. Many may attach at once, or one may detach: Docker (seen with 20.10)
 *  miscounts what is attached when two detach at the same moment, or one detaches while another attaches.
 *
 *      docker_turn_t *turn = docker_turns_attach(&docker->turns, network);
 *      ... start a container on it ...
 *      docker_turns_end(&docker->turns, &turn);
 *
 *  Any thread. One that waits to detach goes before those that come later to attach.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_TURNS_H
#define KURTOSIS_DOCKER_DRIVER_TURNS_H

#include <pthread.h>

/* Of one network; exists while someone has it or waits for it. */
typedef struct docker_turn docker_turn_t;

/* Embedded. */
typedef struct {
    pthread_mutex_t lock;
    docker_turn_t *first; /* under lock */
} docker_turns_t;

void docker_turns_init(docker_turns_t *self);
void docker_turns_done(docker_turns_t *self);

/* Waits until it is our turn. network: its name. */
docker_turn_t *docker_turns_attach(docker_turns_t *self, const char *network);
docker_turn_t *docker_turns_detach(docker_turns_t *self, const char *network);
/* Gives it back and clears *turn_p, which may be NULL. On the thread that took it. */
void docker_turns_end(docker_turns_t *self, docker_turn_t **turn_p);

#endif
