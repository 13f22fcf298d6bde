/*  reconcile: removes what is left over of services and enclaves that are gone, whoever removed them and however.
 *
 *    what is left over                                      when
 *    volume of a service's files                            no container of that service exists
 *    volume of an enclave: its data, persistent directories neither network nor container of the enclave exists
 *
 *  Whatever a person can still see and remove as an enclave (a network, containers) is not touched: the engine and the
 *  API containers look after those. A thing goes only when it has been left over at two looks DOCKER_GRACE_MS apart,
 *  and Docker itself refuses to remove a volume that a container uses, one in the making included.
 *
 *  It looks some time after a container of ours was removed, and after Docker has come (back); never otherwise.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_RECONCILE_H
#define KURTOSIS_DOCKER_DRIVER_RECONCILE_H

#include "actors/actors.h"
#include "docker-driver/docker-driver.h"

#include <jansson.h>

#define DOCKER_GRACE_MS 30000
#define DOCKER_GRACE_ENV "KURTOSIS_GRACE_MS" /* another one, for tests */

/* Runs on a thread of the actor until it ends. docker must outlive the actor. */
int docker_reconcile_start(docker_t *docker, actor_t *actor, err_t **err);

/* One look. seen: names of left-over volumes -> when they were seen first (nanoseconds); changed. Removes those seen
 * grace_ns ago or earlier. *ret_next_ns: when to look again, -1 when nothing is left over. */
int docker_reconcile_look(docker_t *docker, const docker_call_t *call, json_t *seen, int64_t now_ns,
                          int64_t grace_ns, int64_t *ret_next_ns, err_t **err);

#endif
