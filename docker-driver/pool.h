/*  pool: connections to a Docker daemon, kept while they are idle. Any thread. */
#ifndef KURTOSIS_DOCKER_DRIVER_POOL_H
#define KURTOSIS_DOCKER_DRIVER_POOL_H

#include "docker-driver/address.h"

#include <pthread.h>

#define POOL_IDLE_MAX 16u    /* idle connections that are kept */
#define POOL_CONNECT_MS 5000 /* for a new connection */

/* Embedded. */
typedef struct {
    docker_address_t address; /* read by any thread */
    pthread_mutex_t lock;
    int idle[POOL_IDLE_MAX]; /* under lock */
    size_t idle_count;       /* under lock */
} docker_pool_t;

/* host: see docker_http_new. done may be called after a failure. */
int docker_pool_init(docker_pool_t *self, const char *host, err_t **err);
void docker_pool_done(docker_pool_t *self);

/* An idle connection that is still alive; -1 when there is none. */
int docker_pool_take(docker_pool_t *self);
/* A new one. */
int docker_pool_connect(docker_pool_t *self, int *ret_fd, err_t **err);
/* Keeps it, or closes it when enough are kept. */
void docker_pool_give(docker_pool_t *self, int fd);

#endif
