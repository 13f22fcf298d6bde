/*  logins: the user's logins to image registries, for the engine.
 *
 *  They are in Docker's configuration of the user ($DOCKER_CONFIG/config.json, ~/.docker/config.json)
 *  or known to programs that it names, so only the user's side can read them, while images are pulled
 *  by the engine's driver. The driver's program reads them ("kurtosis-docker-driver logins"), through
 *  a pipe; over the bus, which is encrypted, they go to the engine's driver.
 */
#ifndef KURTOSIS_CLI_LOGINS_H
#define KURTOSIS_CLI_LOGINS_H

#include "actors/actors.h"

/* Gives the engine's driver the logins of now; does nothing for a user without a configuration. What
 * goes wrong is a warning: most images need no login. */
void logins_send(actor_t *actor);

#endif
