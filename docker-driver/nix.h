/*  nix: builds an image from a flake with the program `nix`, where it is: in the PATH, or in /nix, which the engine's
 *  container shares with the Docker host where there is one. What is in /nix/store needs nothing from outside, so the
 *  host's own Nix runs here, and its daemon, if there is one, builds.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_NIX_H
#define KURTOSIS_DOCKER_DRIVER_NIX_H

#include "docker-driver/build_parts.h"

#define NIX_FOLDER "/nix"
#define NIX_STOP_MS 5000         /* for nix to end when its caller gives up; then it is killed */
#define NIX_RESULT_MAX 1048576u /* bytes that it may print as its result */

/* Takes the flake as the build's context, builds its output, loads the archive that this is, and gives the first image in it
 * the reference args->image. The log goes to the caller as it comes. UNSUPPORTED where there is no Nix, INVALID when
 * the flake cannot be built or its output is no image with a tag, CANCELLED. Leaves nothing but what is in the store. */
int docker_nix_build(docker_t *self, const Orchestrator__BuildImageArgs *args, build_parts_t *parts,
                     err_t **err);

#endif
