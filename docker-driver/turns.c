/*  turns: see turns.h. */
#include "docker-driver/turns.h"

#include "base/auto.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct docker_turn {
    docker_turn_t *next; /* under lock */
    char *network;
    size_t users; /* who have it or wait for it; under lock */
    pthread_rwlock_t door;
};

void
docker_turns_init(docker_turns_t *self)
{
    pthread_mutex_init(&self->lock, NULL);
}

void
docker_turns_done(docker_turns_t *self)
{
    pthread_mutex_destroy(&self->lock);
}

static docker_turn_t *
turn_new(const char *network)
{
    docker_turn_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->network = strdup(network);
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&self->door, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return self;
}

/* The one of this network, with one more user. */
static docker_turn_t *
require(docker_turns_t *self, const char *network)
{
    pthread_mutex_lock(&self->lock);
    docker_turn_t *turn = self->first;
    while (turn && strcmp(turn->network, network) != 0)
        turn = turn->next;
    if (!turn) {
        turn = turn_new(network);
        turn->next = self->first;
        self->first = turn;
    }
    turn->users++;
    pthread_mutex_unlock(&self->lock);
    return turn;
}

docker_turn_t *
docker_turns_attach(docker_turns_t *self, const char *network)
{
    docker_turn_t *turn = require(self, network);
    pthread_rwlock_rdlock(&turn->door);
    return turn;
}

docker_turn_t *
docker_turns_detach(docker_turns_t *self, const char *network)
{
    docker_turn_t *turn = require(self, network);
    pthread_rwlock_wrlock(&turn->door);
    return turn;
}

void
docker_turns_end(docker_turns_t *self, docker_turn_t **turn_p)
{
    docker_turn_t *turn = TAKE(*turn_p);
    if (!turn)
        return;
    pthread_rwlock_unlock(&turn->door);
    pthread_mutex_lock(&self->lock);
    bool last = --turn->users == 0;
    if (last) {
        docker_turn_t **link = &self->first;
        while (*link != turn)
            link = &(*link)->next;
        *link = turn->next;
    }
    pthread_mutex_unlock(&self->lock);
    if (!last)
        return;
    pthread_rwlock_destroy(&turn->door);
    free(turn->network);
    free(turn);
}
