/*  endpoint: which Docker is used, by the rules of the docker command and then some:
 *
 *    1. DOCKER_HOST; with tcp:// and DOCKER_TLS_VERIFY the certificates are in DOCKER_CERT_PATH, else
 *       in ~/.docker (DOCKER_TLS alone: encrypted, but the daemon's certificate is not verified)
 *    2. the context that DOCKER_CONTEXT names, else the one chosen with `docker context use`, with
 *       its certificates
 *    3. the first of the usual sockets on which something listens: the system's, a rootless Docker's,
 *       Docker Desktop's, Podman's
 *    4. Podman, where it and no Docker is installed: its service is started and stays
 */
#ifndef KURTOSIS_DOCKER_DRIVER_ENDPOINT_H
#define KURTOSIS_DOCKER_DRIVER_ENDPOINT_H

#include "base/err.h"

#include <stdbool.h>

#define ENDPOINT_PODMAN_MS 15000 /* for Podman's service to listen */

/* Embedded; all strings its own. */
typedef struct {
    char *host;         /* "unix:///path", "tcp://name:port", "ssh://user@name" */
    char *certificates; /* folder of ca.pem, cert.pem and key.pem; NULL: no TLS */
    bool is_unverified; /* the daemon's certificate is not looked at */
} docker_endpoint_t;

/* host: taken as DOCKER_HOST would be; NULL: as above. NOT_FOUND for a context that is not there,
 * INVALID for one that makes no sense. On failure nothing is held but what done frees. */
int docker_endpoint_find(docker_endpoint_t *self, const char *host, err_t **err);
void docker_endpoint_done(docker_endpoint_t *self);

/* A file of the user's Docker configuration: $DOCKER_CONFIG/<name>, else ~/.docker/<name>. Yours, free(). */
char *docker_config_path(const char *name);

/* Does something listen on the unix socket? */
bool docker_endpoint_listens(const char *path);

#endif
