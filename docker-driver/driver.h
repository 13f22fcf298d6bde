/*  driver: the actor's table of methods; its state is a docker_t. */
#ifndef KURTOSIS_DOCKER_DRIVER_DRIVER_H
#define KURTOSIS_DOCKER_DRIVER_DRIVER_H

#include "actors/actors.h"

#define DOCKER_WORKERS_MAX                                                                         \
    1024u /* operations at once; a watch or a followed log holds one as long as it lasts */

extern const actor_method_t docker_driver_methods[];

#endif
