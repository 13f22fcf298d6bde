/*  manager: the engine as seen from this machine: connecting to it, starting and stopping it. */
#ifndef KURTOSIS_CLI_MANAGER_H
#define KURTOSIS_CLI_MANAGER_H

#include "cli/backend.h"
#include "sdk/sdk.h"

#define MANAGER_CONNECT_MS 5000 /* to an engine that runs */
#define MANAGER_START_MS 30000  /* from the container's start until the engine answers */
#define MANAGER_IMAGE "kurtosistech/engine"
#define MANAGER_APIC_IMAGE "kurtosistech/core"
#define MANAGER_STOP_SECONDS 10
#define MANAGER_CA_MAX 65536u /* bytes of the certificates of the user's own authorities */

typedef struct {
    const char *version;         /* "" is the CLI's own */
    const char *log_level;       /* of the engine */
    const char *github_token;    /* for private packages; "" for none */
    const char *log_retention;   /* how long logs are kept, e.g. "168h"; NULL for that */
    uint64_t log_quota;          /* bytes of all logs; 0 for the default */
    bool restart_api_containers; /* those that run are made anew, of this version */
    const char *log_sinks; /* URLs of where else they go, separated by commas; NULL for nowhere */
} manager_options_t;

typedef enum {
    MANAGER_STOPPED,
    MANAGER_RUNNING,
    MANAGER_NOT_RESPONDING, /* its container runs */
} manager_status_t;

/* What commands that need the engine call: connects, and starts the engine where none runs. */
int manager_ensure(kurtosis_context_t **ret_context, err_t **err);
/* Connects; UNAVAILABLE when none runs. Starts nothing. */
int manager_connect(kurtosis_context_t **ret_context, err_t **err);
/* Starts the engine; *ret_started is false when a fitting one ran. */
int manager_start(const manager_options_t *options, bool *ret_started, err_t **err);
/* Whether what the environment says of engines can be used: to be asked before one is stopped to make room for the next. */
int manager_check(err_t **err);
/* Stops and removes every engine of this machine; fine when there is none. */
int manager_stop(err_t **err);
/* *ret_version is yours when it runs. */
int manager_status(manager_status_t *ret_status, char **ret_version, err_t **err);
/* Removes the containers of engines that do not run; names of them (yours) and their number. */
int manager_clean(backend_t *backend, char ***ret_names, size_t *ret_count, err_t **err);

/* Removes the images of other versions that no container uses; their references, sorted. */
int manager_prune_images(backend_t *backend, char ***ret_names, size_t *ret_count, err_t **err);

#endif
