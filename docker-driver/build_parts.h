/*  build_parts: what builds of images share, whoever builds: the context that comes from the caller, and the log that goes
 *  to him. */
#ifndef KURTOSIS_DOCKER_DRIVER_BUILD_PARTS_H
#define KURTOSIS_DOCKER_DRIVER_BUILD_PARTS_H

#include "base/str.h"
#include "docker-driver/docker-driver.h"

typedef struct {
    const docker_call_t *call;
    Orchestrator__BuildImagePart *part; /* the present piece of the context */
    size_t used;
    bool has_context; /* all of it has come: the caller listens now */
    str_t log;        /* not sent yet */
    str_t tail;       /* the last of it */
} build_parts_t;

#define BUILD_PARTS(call_) {.call = (call_), .log = STR_EMPTY, .tail = STR_EMPTY}
void build_parts_done(build_parts_t *self);

/* The next bytes of the context; 0 at its end. arg: a build_parts_t. */
long build_parts_context(void *arg, char *buffer, size_t size, err_t **err);

void build_parts_log(build_parts_t *self, const char *text, size_t size);
/* Sends what was logged. While the caller still sends the context he does not listen: what is said then waits. */
int build_parts_send(build_parts_t *self, err_t **err);
/* The last step: what was built, which is looked at. */
int build_parts_end(build_parts_t *self, docker_t *docker, const char *image, err_t **err);
/* Puts the last lines that were logged into the error of a build that failed. */
void build_parts_failed(const build_parts_t *self, const char *image, err_t **err);

#endif
