/*  hijack: a raw connection to a command in a container, both ways, as Docker gives it for terminals.
 *
 *  The request asks for "Upgrade: tcp"; after the answer's head the connection is the command's standard input and output. The
 *  descriptor does not block: writes that cannot go at once are kept by the caller.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_HIJACK_H
#define KURTOSIS_DOCKER_DRIVER_HIJACK_H

#include "docker-driver/http.h"

#define HIJACK_HEAD_MAX 16384u /* bytes of the answer's head */

typedef struct docker_hijack docker_hijack_t;

/* Sends POST path with a JSON body and reads the answer's head. A refusal is an error as for any request. */
int docker_hijack_new(docker_http_t *http, const char *path, const char *body, int cancel_fd,
                      docker_hijack_t **ret_hijack, err_t **err);
void docker_hijack_destroy(docker_hijack_t **self_p);
AUTO_FOR(docker_hijack)

/* For poll(2); lent. */
int docker_hijack_fd(const docker_hijack_t *self);
/* Whether read has something that poll does not know of. */
bool docker_hijack_ready(const docker_hijack_t *self);
/* Bytes read or written; 0 when it would wait; for read -2 at the end. Negative on failure. */
long docker_hijack_read(docker_hijack_t *self, char *buffer, size_t size, err_t **err);
long docker_hijack_write(docker_hijack_t *self, const char *data, size_t size, err_t **err);
#define HIJACK_END (-2)

/* Parses an answer's head: bytes of it when it is complete, 0 when more is needed, negative for what is none. */
long docker_hijack_head(const char *data, size_t size, int *ret_status, err_t **err);

#endif
