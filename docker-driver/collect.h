/*  collect: keeps what services print. One thread follows the logs of all service containers of this daemon, from their first
 *  byte to their last, and puts them into the log store (logs/logs.h).
 *
 *  Which containers there are comes from Docker: all of them when the thread begins and whenever the event stream was cut, then
 *  each that starts. A container that died at once is still there to be read, and before a service is removed its log is read to
 *  the end. Nothing waits for this when a service is made.
 *
 *  What cannot be stored (a full disk) or read (a daemon that went away) is read again later from where the store ends. So lines
 *  are lost only when Docker throws them away first: it keeps DOCKER_LOG_FILES times DOCKER_LOG_SIZE of each container.
 *
 *  All functions: any thread; a NULL collector does nothing.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_COLLECT_H
#define KURTOSIS_DOCKER_DRIVER_COLLECT_H

#include "docker-driver/api.h"

#define DOCKER_COLLECT_FINISH_MS 10000 /* how long removing a service waits for its last lines */
#define DOCKER_COLLECT_FLUSH_MS 3000   /* how long a reader waits for lines that are on their way */
#define DOCKER_COLLECT_KEEP_MS 600000  /* between looks for what is too old */
#define DOCKER_COLLECT_QUOTA (UINT64_C(4) << 30) /* bytes of all logs, unless configured */

typedef struct docker_collector docker_collector_t;

typedef struct {
    const char *root;     /* of the log store */
    uint64_t quota;       /* bytes */
    int64_t retention_ns; /* age of the oldest line */
} docker_collect_config_t;

/* Starts the thread. STATE when another driver uses the store. */
int docker_collector_new(docker_t *docker, const docker_collect_config_t *config,
                         docker_collector_t **ret_collector, err_t **err);
/* What was read is stored; the rest is read by the next one. */
void docker_collector_destroy(docker_collector_t **self_p);
AUTO_FOR(docker_collector)

/* Waits until what a container that has ended printed is stored, at most DOCKER_COLLECT_FINISH_MS. Says in the log when it is
 * not. */
void docker_collector_finish(docker_collector_t *self, const char *container_id);
/* Waits until a container's line of `time` (nanoseconds since 1970), which was its last one at `asked` (clock_ns()), is
 * stored, and with it all before it; false when it is not in time, at deadline (clock_ns()). runs: whether it runs, and so is
 * to be followed. */
bool docker_collector_await(docker_collector_t *self, const char *container_id, bool runs,
                            int64_t time, int64_t asked, int64_t deadline);
/* Ends a container and finishes it: before it is removed. Nothing when logs are not collected. */
void docker_logs_drain(docker_t *docker, const char *container_id);
/* Removes the logs of an enclave, whose containers are gone. */
void docker_collector_forget(docker_collector_t *self, const char *enclave_uuid);

#endif
