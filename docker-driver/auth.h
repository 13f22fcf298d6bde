/*  auth: registry credentials, from the caller or from Docker's configuration file. */
#ifndef KURTOSIS_DOCKER_DRIVER_AUTH_H
#define KURTOSIS_DOCKER_DRIVER_AUTH_H

#include "base/err.h"

/* An image reference in parts. "registry.io:5000/a/b:tag" -> host "registry.io:5000", name without
 * tag, tag "tag"
 * ("latest" where there is none; empty with a digest, which stays in name). All yours. */
typedef struct {
    char *host; /* "docker.io" where the reference names none */
    char *name; /* "registry.io:5000/a/b", "nginx", "nginx@sha256:..." */
    char *tag;
} docker_reference_t;
/* INVALID for what no image reference can be. */
int docker_reference_parse(const char *image, docker_reference_t *ret_reference, err_t **err);
void docker_reference_done(docker_reference_t *self);
/* The reference with ":latest" where there is no tag; yours. */
char *docker_reference_full(const docker_reference_t *self);

/* The value of header X-Registry-Auth for a registry host: base64url of a login as JSON. With a
 * username it is made of what is given, else looked up (logins.h). NULL when there is nothing: an
 * anonymous pull. Yours, free(). */
char *docker_auth_header(const char *host, const char *username, const char *password);
/* The value of header X-Registry-Config: all logins by host; NULL when there are none. Yours. */
char *docker_auth_all(void);

/* docker_auth_header, given the configuration's text; for tests. */
char *docker_auth_from_config(const char *config, const char *host);

#endif
