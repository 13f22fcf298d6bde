/*  pool: see pool.h. */
#include "docker-driver/pool.h"

#include <poll.h>
#include <stdbool.h>

int
docker_pool_init(docker_pool_t *self, const char *host, err_t **err)
{
    pthread_mutex_init(&self->lock, NULL);
    return docker_address_init(&self->address, host, err);
}

void
docker_pool_done(docker_pool_t *self)
{
    for (size_t i = 0; i < self->idle_count; i++)
        close(self->idle[i]);
    self->idle_count = 0;
    pthread_mutex_destroy(&self->lock);
    docker_address_done(&self->address);
}

int
docker_pool_take(docker_pool_t *self)
{
    for (;;) {
        pthread_mutex_lock(&self->lock);
        int fd = self->idle_count ? self->idle[--self->idle_count] : -1;
        pthread_mutex_unlock(&self->lock);
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        if (fd < 0 || poll(&entry, 1, 0) == 0)
            return fd;
        close(fd); /* nothing can be to read here but its end */
    }
}

int
docker_pool_connect(docker_pool_t *self, int *ret_fd, err_t **err)
{
    return docker_address_connect(&self->address, POOL_CONNECT_MS, ret_fd, err);
}

void
docker_pool_give(docker_pool_t *self, int fd)
{
    pthread_mutex_lock(&self->lock);
    bool keep = self->idle_count < POOL_IDLE_MAX;
    if (keep)
        self->idle[self->idle_count++] = fd;
    pthread_mutex_unlock(&self->lock);
    if (!keep)
        close(fd);
}
