/*  spec: a ServiceSpec checked, and as the body of Docker's "create container". Asks nobody. */
#ifndef KURTOSIS_DOCKER_DRIVER_SPEC_H
#define KURTOSIS_DOCKER_DRIVER_SPEC_H

#include "base/err.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <jansson.h>

#define DOCKER_MOUNTS_MAX 500u        /* files, persistent and bind mounts of one service */
#define DOCKER_MEMORY_MIN_MEGABYTES 6 /* Docker refuses less */

/* What the body needs beside the spec. All lent. */
typedef struct {
    const Orchestrator__ServiceSpec *spec;
    const char *network; /* name of the enclave's network */
    const char *enclave_name;
    char *const *files_guids;   /* one random UUID per files mount */
    const uint32_t *host_ports; /* one per port, 0: Docker picks; NULL: as the spec says */
    const char *maker; /* random UUID: label of the persistent volumes that this container makes */
    char *const *image_entrypoint; /* of the image, for files_to_be_moved */
    size_t image_entrypoint_count;
    char *const *image_cmd;
    size_t image_cmd_count;
} docker_making_t;

/* INVALID or LIMIT for what cannot be: the error says what is wrong with which field. */
int docker_spec_check(const Orchestrator__ServiceSpec *spec, err_t **err);

/* The body; a new reference. INVALID when the port label cannot be made. */
int docker_spec_body(const docker_making_t *making, json_t **ret_body, err_t **err);

#endif
