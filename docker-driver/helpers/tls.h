/*  tls: how the driver and its helper program docker-tls talk.
 *
 *    docker-tls NAME FOLDER [unverified]
 *
 *  NAME: of the daemon, for its certificate. FOLDER: has ca.pem, cert.pem, key.pem; each may be
 *  missing. Descriptor TLS_HELPER_FD is the connection, blocking. Standard output first gets a line,
 *  TLS_HELPER_OK or what is wrong, and the program ends; its child stays: then standard input goes into the connection, encrypted, and what
 *  comes out of it to standard output.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_HELPERS_TLS_H
#define KURTOSIS_DOCKER_DRIVER_HELPERS_TLS_H

#define TLS_HELPER_FD 3
#define TLS_HELPER_OK "ok"
#define TLS_HELPER_UNVERIFIED "unverified"

#endif
