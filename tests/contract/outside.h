/*  outside: how the suite sees what a driver left behind, without asking the driver. */
#ifndef KURTOSIS_TESTS_CONTRACT_OUTSIDE_H
#define KURTOSIS_TESTS_CONTRACT_OUTSIDE_H

#include "bus/schema/orchestrator.pb-c.h"

#include <stdbool.h>

/* Names of Docker's containers, networks and volumes with part in them; a line each; yours, free().
 */
char *docker_holds(const char *part);
/* What Docker says about a container; yours, free(). */
char *docker_inspect(const char *container_id);
/* The same for a container that is made as the driver makes it, and removed again unstarted. */
char *docker_describe(const Orchestrator__ServiceSpec *spec);
/* Removes a container behind the driver's back. */
void docker_forget_container(const char *container_id);
/* Waits until no volume has part in its name; false when one still has after 30 s. */
bool docker_wait_gone(const char *part);
void docker_forget_image(const char *image);
/* Unless it is in use. */
void docker_forget_volume(const char *volume);

/* The same of the simulated orchestrator, at the socket whose path this environment variable has (tests/sim/main.c). */
#define OUTSIDE_SIM_SOCKET "KURTOSIS_SIM_OUTSIDE"
char *sim_holds(const char *part);
void sim_forget_container(const char *container_id);
bool sim_wait_gone(const char *part);
void sim_forget_image(const char *image);
void sim_forget_volume(const char *volume);

#endif
