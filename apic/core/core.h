/*  core: what an API container knows and can do, without Starlark: its services, files artifacts,
 * database.
 *
 *  Every function may be called from any worker thread; those with `within` wait for the driver and
 * end early with CANCELLED when that call is cancelled; with within NULL, when this process is to
 * end. Nothing here knows Starlark: apic/plan and apic/run stand on it, and so do the handlers of
 * the public API (apic/api).
 */
#ifndef KURTOSIS_APIC_CORE_H
#define KURTOSIS_APIC_CORE_H

#include "actors/actors.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <sqlite3.h>

typedef struct core core_t;

/* --------------------------------------------------------------------------------------- limits */

#define CORE_SERVICES_MAX                                                                          \
    1024u                    /* services of an enclave; its network has about as many addresses */
#define CORE_BATCH_MAX 1024u /* services of one core_services_start */
#define CORE_PARALLELISM_MAX 64u       /* services of a batch that start at once */
#define CORE_EXEC_OUTPUT_MAX 10485760u /* bytes a command may print */
#define CORE_CHUNK                                                                                 \
    65536u /* bytes of a message of a files artifact: memory is shorter than time                  \
            */
#define CORE_FAILURE_LINES 100u       /* log lines of a service that could not start */
#define CORE_FAILURE_BYTES 65536u     /* and their bytes */
#define CORE_START_TIMEOUT_MS 600000  /* for the driver to make, fill and start a container */
#define CORE_REMOVE_TIMEOUT_MS 120000 /* for the driver to remove or stop a container */
#define CORE_STOP_GRACE_SECONDS 10u   /* between SIGTERM and SIGKILL of a service */
#define CORE_ARTIFACTS_MAX 100000u    /* files artifacts of an enclave */
#define CORE_PREVIEW_MAX 1048576u     /* bytes of a file that an inspection shows as text */
#define CORE_PREVIEWS_MAX 8388608u    /* and of all files of one inspection */

/* ---------------------------------------------------------------------------------------- life of
 * a core */

/* All text is copied. */
typedef struct {
    const char *enclave_uuid, *enclave_name;
    const char *data_folder; /* "/kurtosis-data" */
    bool is_production;
    const char *enclave_env;  /* JSON text, "" for none */
    const char *backend_kind; /* "docker", "podman", "kubernetes" */
    const char *driver;       /* bus name */
    const char *subnet, *gateway, *own_ip;
    const char *git_mirrors; /* "FROM=TO ...", NULL or "" for none */
    const char *git_ca; /* certificates of the user's own authorities, PEM; NULL or "" for none */
    const char *cache_folder; /* of cloned repositories, shared by enclaves; NULL or "" for none */
    const char *github_token; /* the user's, kept in clear in the data folder; NULL or "" keeps what
                                 is there */
} core_config_t;

/* Opens the database and the folders of the enclave, making what is not there. */
int core_new(const core_config_t *config, core_t **ret_core, err_t **err);
/* The actor through which the driver is asked; once. Starts to watch the enclave's containers and
 * undoes, as soon as the driver answers, what a killed process had not finished. Until then
 * functions that need the driver wait. */
int core_attach(core_t *self, actor_t *actor, err_t **err);
/* Ends what waits with within NULL, now and from now on. What it had begun is undone. */
void core_stop(core_t *self);
/* After actor_destroy. */
void core_destroy(core_t **self_p);
AUTO_FOR(core)

/* ------------------------------------------------------------------------------------- services */

/* A directory of a service that is filled from artifacts, in list order; later ones overwrite. */
typedef struct {
    char *path;       /* absolute, in the container */
    char **artifacts; /* names (or UUIDs), NULL-terminated */
} core_files_t;

/* How long a private port may take to answer. */
typedef struct {
    char *port_id;
    int64_t wait_ns; /* < 0: not checked */
} core_port_wait_t;

/* A service to start. All memory is the config's own: core_service_config_destroy. */
typedef struct core_service_config {
    /* name, image, ports, entrypoint, cmd, env ... as in the orchestrator's schema; core fills
     * enclave_uuid, service_uuid, private_ip, files and replace. ip_address_placeholder, which is never empty, is
     * replaced by the private IP in entrypoint, cmd and env values. */
    Orchestrator__ServiceSpec *spec;
    core_files_t *files;
    size_t n_files;
    core_port_wait_t *waits;
    size_t n_waits;
} core_service_config_t;

core_service_config_t *core_service_config_new(void); /* spec is made, empty */
void core_service_config_destroy(core_service_config_t **self_p);
AUTO_FOR(core_service_config)

typedef enum {
    CORE_SERVICE_REGISTERED,
    CORE_SERVICE_STARTED,
    CORE_SERVICE_STOPPED
} core_service_status_t;

/* A registered service. Copies; core_service_destroy. */
typedef struct core_service {
    char *name, *uuid, *private_ip, *hostname;
    core_service_status_t status;
    struct {
        char *id;
        uint32_t number;
        Orchestrator__Transport transport;
        char *application_protocol;
        int64_t wait_ns;
    } * ports;
    size_t n_ports;
} core_service_t;
void core_service_destroy(core_service_t **self_p);
AUTO_FOR(core_service)

/* Adds (or updates in place, where the name is registered: same UUID and IP) all services of a
 * batch, at most parallelism at once, port checks included. The first failure stops further starts;
 * the batch's new services are then removed again. ret_services[i] (count of them, yours) is set on
 * success. ret_errors may be NULL; else ret_errors[i] says what failed for service i (yours). */
int core_services_start(core_t *self, actor_call_t *within, core_service_config_t *const *configs,
                        size_t count, unsigned parallelism, core_service_t **ret_services,
                        err_t **ret_errors, err_t **err);
/* Removes container, files volumes and registration and frees the address. ret_uuid (may be NULL)
 * is yours. */
int core_service_remove(core_t *self, actor_call_t *within, const char *identifier, char **ret_uuid,
                        err_t **err);
int core_service_stop(core_t *self, actor_call_t *within, const char *identifier, err_t **err);
int core_service_restart(core_t *self, actor_call_t *within, const char *identifier, err_t **err);
/* By full UUID, shortened UUID, name, in this order; NOT_FOUND, or INVALID when ambiguous. */
int core_service_find(core_t *self, const char *identifier, core_service_t **ret_service,
                      err_t **err);
/* All registered services by name; array and items yours (core_services_free). */
core_service_t **core_services_all(core_t *self, size_t *ret_count);
void core_services_free(core_service_t **services, size_t count);
/* What a registered service (full UUID) was started with; yours. */
int core_service_config(core_t *self, const char *uuid, core_service_config_t **ret_config,
                        err_t **err);
/* The services' containers as the driver sees them now; yours (bus_message_destroy). uuid NULL:
 * all. */
int core_service_containers(core_t *self, actor_call_t *within, const char *uuid,
                            Orchestrator__GetServicesReply **ret_reply, err_t **err);
/* Calls fn for every service that was ever added, in the order of adding; removed ones too. */
int core_service_identifiers(core_t *self,
                             void (*fn)(void *arg, const char *uuid, const char *name), void *arg,
                             err_t **err);

/* Images. on_step: each step that the driver tells of, the last one included; on the calling thread,
 * the step is lent. */
typedef void(core_image_step_fn)(void *arg, const Orchestrator__FetchImageProgress *step);
/* Makes an image present by pulling it. */
int core_image_fetch(core_t *self, actor_call_t *within, const Orchestrator__FetchImageArgs *args,
                     core_image_step_fn *on_step, void *arg, err_t **err);
/* Builds an image; folder is the build context on our disk. */
int core_image_build(core_t *self, actor_call_t *within, const Orchestrator__BuildImageArgs *args,
                     const char *folder, core_image_step_fn *on_step, void *arg, err_t **err);

/* Runs argv in a running service; output is stdout and stderr merged in arrival order, LIMIT past
 * 10485760 bytes (the command has still run). user may be NULL. timeout_ms < 0: none (TIMEOUT
 * else). */
int core_service_exec(core_t *self, actor_call_t *within, const char *identifier, char *const *argv,
                      const char *user, int timeout_ms, int *ret_code, str_t *output, err_t **err);

/* One HTTP request from here to http://<private ip>:<number><endpoint>; redirects are followed.
 * method "GET" or "POST"; headers: "Name: value", NULL-terminated, may be NULL; body and
 * content_type may be NULL. */
typedef struct {
    const char *method, *endpoint, *body, *content_type;
    const char *const *headers;
    int timeout_ms; /* < 0: none */
} core_request_t;
int core_service_request(core_t *self, actor_call_t *within, const char *identifier,
                         const char *port_id, const core_request_t *request, int *ret_status,
                         str_t *ret_body, err_t **err);
/* The same to a port by number, which need not be one of the service's declared ports. */
int core_service_request_number(core_t *self, actor_call_t *within, const char *identifier,
                                unsigned number, const core_request_t *request, int *ret_status,
                                str_t *ret_body, err_t **err);

/* ---------------------------------------------------------------------------------- files
 * artifacts */

typedef enum {
    CORE_ARTIFACT_NEW,
    CORE_ARTIFACT_UPDATED,
    CORE_ARTIFACT_SAME
} core_artifact_outcome_t;

/* Exists by UUID, shortened UUID or name? *ret_uuid (may be NULL) is yours. */
bool core_artifact_exists(core_t *self, const char *identifier, char **ret_uuid);
/* All names, sorted; array and items yours. */
char **core_artifact_names(core_t *self, size_t *ret_count);
/* Calls fn for every artifact, by name. */
int core_artifact_list(core_t *self, void (*fn)(void *arg, const char *uuid, const char *name),
                       void *arg, err_t **err);
/* Opens the archive of an artifact for reading: a descriptor (yours, close()) that keeps its
 * content whatever happens to the artifact. NOT_FOUND, INVALID when ambiguous. */
int core_artifact_open(core_t *self, const char *identifier, int *ret_fd, err_t **err);
/* Calls fn for every member in archive order: path (a directory's ends in "/"), size, and its text
 * if it is printable text of at most CORE_PREVIEW_MAX bytes, else NULL. */
typedef void(core_member_fn)(void *arg, const char *path, uint64_t size, const char *text);
int core_artifact_inspect(core_t *self, const char *identifier, core_member_fn *fn, void *arg,
                          err_t **err);
/* A fresh nature-themed name, "<adjective>-<noun>", not in use; yours. */
char *core_artifact_name_new(core_t *self);

/* Compresses a file or directory of ours (a package's) to a temporary archive: content hash (MD5
 * text; yours) and path (yours, unlink and free). Symbolic links that leave
 * the directory are refused. */
int core_archive_path(core_t *self, const char *path, char **ret_archive, char **ret_md5,
                      err_t **err);
/* Stores an archive under a name: new, replaced under the same UUID, or the same content as before
 * (md5 known and equal). The archive file is taken (moved). md5 may be NULL (unknown). may_replace
 * false: EXISTS when the name is taken. */
int core_artifact_put(core_t *self, const char *name, const char *archive, const char *md5,
                      bool may_replace, core_artifact_outcome_t *ret_outcome, char **ret_uuid,
                      err_t **err);
/* The same for an archive from outside: INVALID when it is not a gzip-compressed tar or has members
 * that would leave it, by their names or through one of its symbolic links. */
int core_artifact_put_foreign(core_t *self, const char *name, const char *archive, char **ret_uuid,
                              err_t **err);
/* The same for files in memory (rendered templates): paths are relative, without "..". */
typedef struct {
    const char *path;
    const char *data;
    size_t size;
} core_file_t;
int core_artifact_put_files(core_t *self, const char *name, const core_file_t *files, size_t count,
                            core_artifact_outcome_t *ret_outcome, char **ret_uuid, err_t **err);
/* Downloads url (redirects followed, within timeout_ms) into the new file path; *ret_status is the
 * HTTP status. */
int core_download(core_t *self, actor_call_t *within, const char *url, const char *path,
                  int timeout_ms, int *ret_status, err_t **err);
/* Copies a path out of a service into an artifact (new, or new content under the old UUID). */
int core_artifact_put_from_service(core_t *self, actor_call_t *within, const char *service,
                                   const char *path, const char *name, char **ret_uuid,
                                   err_t **err);

/* ---------------------------------------------------------------------------------------- packages
 */

/* Unpacks an archive from outside as the package's folder in core_repositories; what was there is
 * replaced in one step. */
int core_package_put(core_t *self, const char *package_id, const char *archive, err_t **err);
/* Clones github.com/author/repo at a version ("": the default branch) into its folder in
 * core_repositories; what was there is replaced once all is there. The access token is the one of
 * the package token_of, else the user's ("": only the user's). Ends early after core_stop.
 * *ret_note (may be NULL; yours) is set when the server cannot be reached and an older copy had to
 * do. */
int core_package_clone(core_t *self, const char *author, const char *repo, const char *version,
                       const char *token_of, char **ret_note, err_t **err);
/* Keeps an access token for a package, or the user's for "", in clear, in the enclave's data. */
int core_package_token(core_t *self, const char *package_id, const char *token, err_t **err);

/* ----------------------------------------------------------------------------------------- the
 * rest */

/* A path for a temporary file in core_tmp that does not exist yet; yours, free(). What a killed
 * process left there is removed by core_new. */
char *core_tmp_path(const core_t *self, const char *suffix);

const char *core_enclave_uuid(const core_t *self);
bool core_is_production(const core_t *self);
/* JSON text of the enclave environment variables, "" when there is none. */
const char *core_enclave_env(const core_t *self);
/* Kind of the backend: "docker", "podman", "kubernetes". */
const char *core_backend_kind(const core_t *self);
actor_t *core_actor(core_t *self);
/* Bus name of this enclave's driver. */
const char *core_driver(const core_t *self);
/* Folder of uploaded and cloned packages, AUTHOR/REPO below it; folder for temporary files. Lent.
 */
const char *core_repositories(const core_t *self);
const char *core_tmp(const core_t *self);

/* The enclave's database (WAL, one connection, serialised by core_db_lock/unlock). Each user makes
 * its own tables with CREATE TABLE IF NOT EXISTS ... STRICT. */
sqlite3 *core_db_lock(core_t *self);
void core_db_unlock(core_t *self);

#endif
