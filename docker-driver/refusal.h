/*  refusal: what Docker says when it refuses, as an error that says what to do.
 *
 *  Docker answers {"message": "..."} with a status that is too coarse ("500" for a port in use), so
 *  the text decides too: one table of what is known.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_REFUSAL_H
#define KURTOSIS_DOCKER_DRIVER_REFUSAL_H

#include "base/err.h"

/* Starts the chain in *err from a status >= 400 and its body (JSON or not; may be empty). Returns
 * -1. */
int docker_refusal(int status, const char *body, err_t **err);
/* The same for a bare text, as streams of JSON lines carry it. */
int docker_refusal_text(int status, const char *text, err_t **err);

/* What is known about an error that docker_refusal made, or about a chain around one. */
typedef enum {
    DOCKER_OTHER,
    DOCKER_NO_IMAGE,      /* the image is not present */
    DOCKER_NO_NETWORK,    /* the network is gone */
    DOCKER_NAME_TAKEN,    /* a container of this name exists */
    DOCKER_NETWORK_TAKEN, /* a network of this name exists */
    DOCKER_PORT_TAKEN,    /* a host port is in use */
    DOCKER_ADDRESS_TAKEN, /* an address in the network is in use */
    DOCKER_POOL_OVERLAP,  /* the subnet overlaps another network's */
    DOCKER_BEING_REMOVED, /* someone is removing this container already */
    DOCKER_ENDPOINTS,     /* the network has containers attached */
    DOCKER_IN_USE,        /* the volume is used by a container */
    DOCKER_NOT_RUNNING,   /* the container does not run */
    DOCKER_NO_MANIFEST,   /* the image has none for this architecture */
    DOCKER_NO_SPACE,      /* the disk is full */
    DOCKER_REASONS
} docker_reason_t;

docker_reason_t docker_reason(const err_t *error);
/* The host port that a DOCKER_PORT_TAKEN is about; 0 when the text does not say. */
unsigned docker_taken_port(const err_t *error);

#endif
