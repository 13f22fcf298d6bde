/*  hijack: a raw connection to a command in a container, both ways, as Docker gives it for
 *  terminals.
 *
 *  The request asks for "Upgrade: tcp"; after the answer's head the connection is the command's
 *  standard input and output.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_HIJACK_H
#define KURTOSIS_DOCKER_DRIVER_HIJACK_H

#include "docker-driver/http.h"

#define HIJACK_MS 30000 /* for the answer's head */

/* Sends POST path with a JSON body and reads the answer's head. *ret_fd: the connection, not
 * blocking, yours. *ret_first: output that came with the head, appended. A refusal is an error as
 * for any request. */
int docker_hijack(docker_http_t *http, const char *path, const char *body, int cancel_fd,
                  int *ret_fd, str_t *ret_first, err_t **err);

#endif
