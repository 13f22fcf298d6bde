/*  docker-driver: orchestrator operations on a Docker Engine. The public face of this folder.
 *
 *  The operations of bus/schema/orchestrator.proto are plain functions here, one each, over a
 *  docker_t. They read top to bottom and wait, so each runs on a thread of its caller's; any number
 *  may run at once. docker_driver.c puts the actor's table of methods on top of them.
 *
 *  What is true lives in Docker: every operation looks objects up by their labels and nothing is
 *  remembered between calls but connections, locks and the pulls under way. An operation that fails
 *  takes back what it made.
 */
#ifndef KURTOSIS_DOCKER_DRIVER_H
#define KURTOSIS_DOCKER_DRIVER_H

#include "base/err.h"
#include "bus/schema/orchestrator.pb-c.h"

#define DOCKER_BUS_PORT 9720       /* of the bus, inside the engine container */
#define DOCKER_CHUNK_MAX 262144u   /* bytes of a piece of CopyOut */
#define DOCKER_OUTPUT_MAX 65536u   /* bytes of a piece of Exec and Shell */
#define DOCKER_LOGS_MAX 1000u      /* services whose logs one call reads */
#define DOCKER_FOLLOW_MAX 256u     /* services whose logs one call follows */
#define DOCKER_TAIL_LINES 20       /* last lines of a container that died at once, in the error */
#define DOCKER_QUICK_EXIT_MS 20    /* how long a started service is watched for dying at once */
#define DOCKER_START_TRIES 5       /* of a service whose host ports turned out to be taken */
#define DOCKER_PULL_IDLE_MS 600000 /* how long Docker may say nothing about a pull */
#define DOCKER_OVERLAP_TRIES 10    /* of an enclave whose subnet turned out to be taken */
/* Restart policy of engine and API containers. Not "unless-stopped": a daemon that starts after a
 * crash stops what still runs, and counts that as the user's wish. StopEngine and StopEnclave take
 * it away. */
#define DOCKER_COMES_BACK "always"
#define DOCKER_AWAIT_MS 30000 /* how long Docker may take to finish a removal */

typedef struct docker docker_t;

/* Who is asking: how to hear that he gave up, how to send him parts of the answer and get parts of
 * the question. Only the streaming operations use send and recv. A NULL call is a caller who never
 * gives up. */
typedef struct {
    int cancel_fd; /* readable once the caller has given up; -1 for never */
    int recv_fd;   /* readable while recv would not wait; -1 when there is nothing to receive */
    int (*send)(void *arg, const ProtobufCMessage *item, err_t **err); /* may wait */
    /* 1 and *ret_item (the callee's, free_unpacked with NULL), 0 at the end, negative. May wait. */
    int (*recv)(void *arg, ProtobufCMessage **ret_item, err_t **err);
    void *arg;
} docker_call_t;

/* host: see docker_http_new; NULL takes the environment's. Connects nothing yet. */
int docker_new(const char *host, docker_t **ret_docker, err_t **err);
/* Keeps what services print in the log store (logs/logs.h) at root, from now on. quota: bytes of all logs; retention_ns: age of
 * the oldest line; 0 for the defaults. Before other threads use the docker_t. */
int docker_collect_logs(docker_t *self, const char *root, uint64_t quota, int64_t retention_ns,
                        err_t **err);
void docker_destroy(docker_t **self_p);
AUTO_FOR(docker)

/* The one table of operations: shape, method, function, request, reply. What a shape's
 * functions take after (docker_t *self, const docker_call_t *call) and before err_t **err:
 *
 *   ASK    const Request *request, Reply **ret_reply
 *   DO     const Request *request                      the reply is Empty
 *   DOWN   const Request *request                      replies go by call->send
 *   UP     Reply **ret_reply                           requests come by call->recv
 *   BOTH   nothing                                     both
 *
 * Replies are the caller's, free_unpacked with NULL. */
#define DOCKER_OPERATIONS(X)                                                                       \
    X(ASK, GetClusterInfo, docker_cluster_info, GetClusterInfoArgs, ClusterInfo)                   \
    X(UP, LoadImage, docker_image_load, ImageChunk, ImageInfo)                                     \
    X(ASK, InspectImage, docker_image_inspect, ImageRef, ImageInfo)                                \
    X(DOWN, FetchImage, docker_image_fetch, FetchImageArgs, FetchImageProgress)                    \
    X(BOTH, BuildImage, docker_image_build, BuildImagePart, FetchImageProgress)                    \
    X(DO, SetRegistryLogins, docker_registry_logins_set, SetRegistryLoginsArgs, Empty)             \
    X(ASK, PruneImages, docker_images_prune, PruneImagesArgs, PruneImagesReply)                    \
    X(ASK, CreateEngine, docker_engine_create, CreateEngineArgs, EngineInfo)                       \
    X(ASK, GetEngines, docker_engines_get, Empty, GetEnginesReply)                                 \
    X(DO, StopEngine, docker_engine_stop, StopEngineArgs, Empty)                                   \
    X(DO, AuthorizeUser, docker_engine_authorize, AuthorizeUserArgs, Empty)                        \
    X(ASK, CreateEnclave, docker_enclave_create, CreateEnclaveArgs, Enclave)                       \
    X(ASK, GetEnclaves, docker_enclaves_get, GetEnclavesArgs, GetEnclavesReply)                    \
    X(DO, StopEnclave, docker_enclave_stop, EnclaveRef, Empty)                                     \
    X(DO, ReplaceApiContainer, docker_api_container_replace, ReplaceApiContainerArgs, Empty)       \
    X(DO, DestroyEnclave, docker_enclave_destroy, EnclaveRef, Empty)                               \
    X(UP, StartService, docker_service_start, StartServicePart, ServiceInfo)                       \
    X(ASK, GetServices, docker_services_get, GetServicesArgs, GetServicesReply)                    \
    X(DO, StopService, docker_service_stop, StopServiceArgs, Empty)                                \
    X(ASK, RestartService, docker_service_restart, ServiceRef, ServiceInfo)                        \
    X(DO, RemoveService, docker_service_remove, ServiceRef, Empty)                                 \
    X(DOWN, Exec, docker_exec, ExecArgs, ExecOutput)                                               \
    X(BOTH, Shell, docker_shell, ShellInput, ExecOutput)                                           \
    X(DOWN, CopyOut, docker_copy_out, CopyOutArgs, TarChunk)                                       \
    X(DOWN, Dump, docker_dump, DumpArgs, DumpPart)                                                 \
    X(DOWN, GetLogs, docker_logs_get, GetLogsArgs, ServiceLogLine)                                 \
    X(DO, FlushLogs, docker_logs_flush, FlushLogsArgs, Empty)                                      \
    X(DOWN, WatchEnclave, docker_enclave_watch, EnclaveRef, ContainerEvent)

#define DOCKER_DECLARE_ASK(fn, Request, Reply)                                                     \
    int fn(docker_t *self, const docker_call_t *call, const Orchestrator__##Request *request,      \
           Orchestrator__##Reply **ret_reply, err_t **err);
#define DOCKER_DECLARE_DO(fn, Request, Reply)                                                      \
    int fn(docker_t *self, const docker_call_t *call, const Orchestrator__##Request *request,      \
           err_t **err);
#define DOCKER_DECLARE_DOWN(fn, Request, Reply) DOCKER_DECLARE_DO(fn, Request, Reply)
#define DOCKER_DECLARE_UP(fn, Request, Reply)                                                      \
    int fn(docker_t *self, const docker_call_t *call, Orchestrator__##Reply **ret_reply,           \
           err_t **err);
#define DOCKER_DECLARE_BOTH(fn, Request, Reply)                                                    \
    int fn(docker_t *self, const docker_call_t *call, err_t **err);
#define DOCKER_DECLARE(shape, method, fn, Request, Reply) DOCKER_DECLARE_##shape(fn, Request, Reply)
DOCKER_OPERATIONS(DOCKER_DECLARE)
#undef DOCKER_DECLARE

#endif
