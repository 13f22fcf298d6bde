/*  address: where a Docker daemon listens, connections to it, and what goes wrong with them. */
#ifndef KURTOSIS_DOCKER_DRIVER_ADDRESS_H
#define KURTOSIS_DOCKER_DRIVER_ADDRESS_H

#include "base/err.h"
#include "docker-driver/endpoint.h"

/* Embedded; all strings its own. */
typedef struct {
    docker_endpoint_t endpoint;
    char *text;        /* "unix:///path", "tcp://name:port", "ssh://user@name" */
    char *path;        /* of the unix socket, or NULL */
    char *name, *port; /* of TCP; name alone: what ssh connects to */
} docker_address_t;

/* See docker_http_new. On failure nothing is held but what done frees. */
int docker_address_init(docker_address_t *self, const char *host, err_t **err);
void docker_address_done(docker_address_t *self);

/* A new connection that does not block afterwards; waits for it at most timeout_ms. */
int docker_address_connect(const docker_address_t *self, int timeout_ms, int *ret_fd, err_t **err);

/* The connection broke (errno in code; 0: it was closed). Returns -1. */
int docker_address_broke(const docker_address_t *self, int code, err_t **err);
/* Puts before the chain in *err that what listens there is no Docker daemon. Returns -1. */
int docker_address_odd(const docker_address_t *self, err_t **err);

#endif
