/*  outside: how the suite sees what a driver left behind, without asking the driver. */
#ifndef KURTOSIS_TESTS_CONTRACT_OUTSIDE_H
#define KURTOSIS_TESTS_CONTRACT_OUTSIDE_H

/* Names of Docker's containers, networks and volumes with part in them; a line each; yours, free().
 */
char *docker_holds(const char *part);
void docker_forget_image(const char *image);
/* Unless it is in use. */
void docker_forget_volume(const char *volume);

#endif
