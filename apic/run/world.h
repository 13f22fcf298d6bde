/*  world: what a run needs of its enclave, behind one struct of functions.
 *
 *  In the API container it is the core (world_core.c); the tests have one without containers, so
 * that whole packages are interpreted and validated in milliseconds. The functions are those of
 * apic/core/core.h, with the same rules; `self` is the first argument of each. Any thread.
 */
#ifndef KURTOSIS_APIC_RUN_WORLD_H
#define KURTOSIS_APIC_RUN_WORLD_H

#include "apic/core/core.h"
#include "apic/types/image.h"

/* What is known of an image that was made present. */
typedef struct {
    Orchestrator__FetchOrigin origin;
    char *architecture; /* yours; NULL when it is not known */
    char *warning;      /* yours; NULL when there is none */
} run_image_t;

/* Hears how an image comes along: a line of text at a time, without its newline. */
typedef struct {
    void (*say)(void *arg, const char *text);
    void *arg;
} run_image_news_t;

/* What is free in the cluster. */
typedef struct {
    bool complete; /* the other two are known */
    uint64_t millicpus, megabytes;
    char *architecture; /* yours; NULL when it is not known */
} run_resources_t;

typedef struct {
    void *self;
    core_t *core;         /* lent; of an API container's world only, as is the next */
    actor_call_t *within; /* lent; what the driver is asked is asked within it; may be NULL */
    const char *enclave_uuid;
    const char *enclave_env; /* JSON, or "" */
    const char *backend;     /* "docker", "podman", "kubernetes" */
    bool is_production;
    const char *repositories; /* folder of packages */
    const char *tmp;          /* folder for temporary files */

    int (*services_start)(void *self, core_service_config_t *const *configs, size_t count,
                          unsigned parallelism, core_service_t **ret_services, err_t **ret_errors,
                          err_t **err);
    int (*service_remove)(void *self, const char *name, char **ret_uuid, err_t **err);
    int (*service_stop)(void *self, const char *name, err_t **err);
    int (*service_restart)(void *self, const char *name, err_t **err);
    int (*service_find)(void *self, const char *name, core_service_t **ret_service, err_t **err);
    /* What the service was started with. */
    int (*service_config)(void *self, const char *name, core_service_config_t **ret_config,
                          err_t **err);
    core_service_t **(*services_all)(void *self, size_t *ret_count);
    int (*service_exec)(void *self, const char *name, char *const *argv, int timeout_ms,
                        int *ret_code, str_t *output, err_t **err);
    int (*service_request)(void *self, const char *name, const char *port_id,
                           const core_request_t *request, int *ret_status, str_t *ret_body,
                           err_t **err);

    bool (*artifact_exists)(void *self, const char *name, char **ret_uuid);
    char **(*artifact_names)(void *self, size_t *ret_count);
    /* A GET whose status must be 2xx, into a new file. */
    int (*download)(void *self, const char *url, const char *path, int timeout_ms, err_t **err);
    int (*archive_path)(void *self, const char *path, char **ret_archive, char **ret_md5,
                        err_t **err);
    int (*artifact_put)(void *self, const char *name, const char *archive, const char *md5,
                        core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err);
    int (*artifact_put_files)(void *self, const char *name, const core_file_t *files, size_t count,
                              core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err);
    int (*artifact_put_from_service)(void *self, const char *service, const char *path,
                                     const char *name, char **ret_uuid, err_t **err);

    int (*package_clone)(void *self, const char *author, const char *repo, const char *version,
                         const char *token_of, char **ret_note, err_t **err);
    int (*package_put)(void *self, const char *package_id, const char *archive, err_t **err);
    int (*package_token)(void *self, const char *package_id, const char *token, err_t **err);

    /* Makes the image present: pulls or builds it. Waits; up to 4 at once. */
    int (*image_fetch)(void *self, const types_image_t *image, Orchestrator__FetchMode mode,
                       const run_image_news_t *news, run_image_t *ret, err_t **err);
    int (*resources)(void *self, bool measure, run_resources_t *ret, err_t **err);

    sqlite3 *(*db_lock)(void *self);
    void (*db_unlock)(void *self);
} run_world_t;

/* Fills the world of this API container, which stays where it is; core and within must outlive it.
 */
void run_world_core(run_world_t *self, core_t *core, actor_call_t *within);

#endif
