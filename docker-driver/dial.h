/*  dial: connections that a program carries: TLS and ssh.
 *
 *  What comes back is one end of a socket pair, used like any other connection; at the other end is a
 *  process of its own: our helper for TLS (OpenSSL stays out of the driver), or the user's ssh, as the
 *  docker command does it. It ends when the connection is closed, or with us.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_DIAL_H
#define KURTOSIS_DOCKER_DRIVER_DIAL_H

#include "docker-driver/address.h"

/* Encrypts the connection `plain` (TCP; lent). UNAVAILABLE, with what is wrong with a certificate;
 * TIMEOUT. *ret_fd does not block and is yours. */
int docker_dial_tls(const docker_address_t *self, int plain, int timeout_ms, int *ret_fd,
                    err_t **err);
/* `ssh [-p port] user@name docker system dial-stdio`; asks nobody for a password. What ssh says goes
 * to our standard error. */
int docker_dial_ssh(const docker_address_t *self, int *ret_fd, err_t **err);

#endif
