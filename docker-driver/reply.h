/*  reply: turns Docker's JSON into the orchestrator's messages. Nothing here asks Docker; nothing
 *  trusts what it reads: a missing or wrongly typed value reads as empty. Messages are yours,
 *  free_unpacked with NULL.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_REPLY_H
#define KURTOSIS_DOCKER_DRIVER_REPLY_H

#include "base/err.h"
#include "base/str.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <jansson.h>

/* Of GET /images/{name}/json. image: what was asked for. */
Orchestrator__ImageInfo *docker_reply_image(const char *image, const json_t *reply);
/* Of an element of GET /containers/json. */
Orchestrator__EngineInfo *docker_reply_engine(const json_t *container);
/* Of GET /networks and GET /containers/json, both filtered for enclaves; sorted by creation time,
 * then name. */
Orchestrator__GetEnclavesReply *docker_reply_enclaves(const json_t *networks,
                                                      const json_t *containers);
/* Of GET /containers/{id}/json. */
Orchestrator__ServiceInfo *docker_reply_service(const json_t *container);
/* What an event says that happened, in Docker's word also where Podman says it; lent. */
const char *docker_reply_action(const json_t *event);
/* Of one line of GET /events: NULL when it is none that callers hear of (start, die, oom, destroy).
 */
Orchestrator__ContainerEvent *docker_reply_event(const json_t *event);

/* Running and restarting count as running. state: "running", "exited", ... */
Orchestrator__ContainerState docker_reply_state(const char *state);

/* What a pull has done so far, from the lines of POST /images/create. */
typedef struct {
    json_t *layers; /* id -> [total, done, finished], made on first use */
    unsigned layers_total, layers_done;
    uint64_t bytes_total, bytes_done;
} docker_progress_t;
/* Takes one line: 1 when the numbers changed, 0 when not, negative when it says that the pull
 * failed. */
int docker_progress_line(docker_progress_t *self, const json_t *line, err_t **err);
void docker_progress_done(docker_progress_t *self);

/* Cuts a stream into lines and parses each as JSON. Bytes come cut anywhere; lines over 1 MiB are
 * LIMIT. */
typedef struct {
    str_t text;
    int (*line)(void *arg, const json_t *json, err_t **err);
    void *arg;
} docker_json_lines_t;
int docker_json_lines_feed(docker_json_lines_t *self, const char *data, size_t size, err_t **err);
void docker_json_lines_done(docker_json_lines_t *self);

#endif
