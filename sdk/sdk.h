/*  libkurtosis: every operation of Kurtosis as a C call. The public face of this folder.
 *
 *  A kurtosis_context is a connection to the engine, an enclave_context one to the API container of
 * an enclave, a service_context a service as it was when asked. Replies are the schema's own
 * structs ("bus/schema/api_container.pb-c.h" ...").
 *
 *      kurtosis_context_t *kurtosis;
 *      enclave_context_t *enclave;
 *      starlark_run_result_t *result;
 *      if (kurtosis_context_new(NULL, &kurtosis, &err) < 0 ||
 *          kurtosis_context_create_enclave(kurtosis, "my-enclave", NULL, &enclave, &err) < 0 ||
 *          enclave_context_run_starlark_package_blocking(enclave, "./my-package", NULL, &result,
 *                                                        &err) < 0)
 *          return report(err);
 *
 *  Call actor_process_init() first thing in main. All functions wait for the answer and may be
 * called from any thread. Results are negative on failure, with *err set (base/err.h): UNAVAILABLE
 * when no engine (or no API container) is there. What comes back through ret_ is yours:
 * bus_message_destroy, free or x_destroy.
 */
#ifndef KURTOSIS_SDK_H
#define KURTOSIS_SDK_H

#include "actors/actors.h"
#include "bus/schema/api_container.pb-c.h"
#include "bus/schema/engine.pb-c.h"

#define KURTOSIS_PORT 9720             /* of the engine's bus, on 127.0.0.1 */
#define KURTOSIS_UPLOAD_MAX 2097152000 /* compressed bytes of an upload; that many are refused */
#define KURTOSIS_PARAMS_MAX (8u * 1024 * 1024) /* bytes of a run's parameters and of a script */

typedef struct kurtosis_context kurtosis_context_t;
typedef struct enclave_context enclave_context_t;
typedef struct service_context service_context_t;

/* ----------------------------------------------------------------------------------- the engine */

/* How to reach the engine. Zero or NULL in a field means its default. */
typedef struct {
    const char *endpoint;   /* "tcp://127.0.0.1:9720" */
    const char *engine_key; /* public key of the engine, Z85; default: the line of
                               kurtosis_engine_key_path */
    const char *keys_path;  /* key pair of the user, made if absent; default: <data>/bus.key */
    const char *program;    /* what this program is, for people: "my-tool 1.0" */
    int connect_timeout_ms; /* default 5000 */
} kurtosis_options_t;

/* Folder of a user's keys, $XDG_DATA_HOME/kurtosis or ~/.local/share/kurtosis; yours, free(). */
char *kurtosis_data_folder(void);

/* Port of the engine's bus: KURTOSIS_BUS_PORT of the environment, else KURTOSIS_PORT. */
int kurtosis_port(void);
/* File with the engine's public key, one line of Z85: <data>/engine.pub, engine-<port>.pub for
 * another port than the usual one. Yours, free(). */
char *kurtosis_engine_key_path(void);

/* Connects and compares versions: STATE when major or minor differ. UNAVAILABLE when nobody
 * listens, NOT_FOUND when the engine's key is not known here, DENIED when the engine does not know
 * the user. */
int kurtosis_context_new(const kurtosis_options_t *options, kurtosis_context_t **ret_context,
                         err_t **err);
void kurtosis_context_destroy(kurtosis_context_t **self_p); /* after its enclave contexts */
AUTO_FOR(kurtosis_context)
const char *kurtosis_context_engine_version(const kurtosis_context_t *self); /* lent */
actor_t *
kurtosis_context_actor(kurtosis_context_t *self); /* lent; for operations of other actors */

/* Has this folder what makes it a package: kurtosis.yml, or a Compose file? NOT_FOUND when it has neither. */
int kurtosis_package_check(const char *folder, err_t **err);

/* May a library of one version talk to an engine of the other? Major and minor must be equal where
 * both are X.Y.Z; other texts are let through. */
bool kurtosis_versions_fit(const char *one, const char *other);

typedef struct {
    bool is_production;         /* services restart for ever */
    bool ipv6;                  /* containers have IPv6 addresses, too */
    const char *apic_version;   /* NULL: the engine's */
    const char *apic_log_level; /* NULL: "debug" */
} enclave_options_t;

/* name NULL or "" lets the engine choose; options may be NULL. EXISTS, INVALID. */
int kurtosis_context_create_enclave(kurtosis_context_t *self, const char *name,
                                    const enclave_options_t *options,
                                    enclave_context_t **ret_enclave, err_t **err);
/* Identifier: full UUID, shortened UUID or name. NOT_FOUND; INVALID when several live ones fit;
 * STATE when it or its API container does not run. */
int kurtosis_context_get_enclave_context(kurtosis_context_t *self, const char *identifier,
                                         enclave_context_t **ret_enclave, err_t **err);
int kurtosis_context_get_enclave(kurtosis_context_t *self, const char *identifier,
                                 EngineApi__EnclaveInfo **ret_info, err_t **err);
/* By creation time, then name. */
int kurtosis_context_get_enclaves(kurtosis_context_t *self,
                                  EngineApi__GetEnclavesResponse **ret_enclaves, err_t **err);
int kurtosis_context_get_enclave_identifiers(
    kurtosis_context_t *self,
    EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse **ret_identifiers, err_t **err);
int kurtosis_context_stop_enclave(kurtosis_context_t *self, const char *identifier, err_t **err);
int kurtosis_context_destroy_enclave(kurtosis_context_t *self, const char *identifier, err_t **err);
int kurtosis_context_clean(kurtosis_context_t *self, bool running_too,
                           EngineApi__CleanResponse **ret_removed, err_t **err);

/* Called for each message, on the caller's thread; message lent. A negative result (with *err) ends
 * the reading. */
typedef int(kurtosis_logs_fn)(void *arg, const EngineApi__GetServiceLogsResponse *message,
                              err_t **err);
/* Returns at the end of the lines; with follow_logs, of the services. */
int kurtosis_context_get_service_logs(kurtosis_context_t *self,
                                      const EngineApi__GetServiceLogsArgs *args,
                                      kurtosis_logs_fn *fn, void *arg, err_t **err);

/* -------------------------------------------------------------------------- identifiers offline */

/* The UUID that an identifier means, among all enclaves or services that are and were: full,
 * shortened, name, in this order; NOT_FOUND, or INVALID when ambiguous. *ret_uuid is lent from the
 * identifiers. */
int enclave_identifiers_find(
    const EngineApi__GetExistingAndHistoricalEnclaveIdentifiersResponse *identifiers,
    const char *identifier, const char **ret_uuid, err_t **err);
int service_identifiers_find(
    const ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse *identifiers,
    const char *identifier, const char **ret_uuid, err_t **err);

/* ------------------------------------------------------------------------------------- enclaves */

void enclave_context_destroy(enclave_context_t **self_p);
AUTO_FOR(enclave_context)
const char *enclave_context_name(const enclave_context_t *self); /* lent */
const char *enclave_context_uuid(const enclave_context_t *self); /* lent */
bool enclave_context_is_production(const enclave_context_t *self);

/* One service, by full UUID, shortened UUID or name. NOT_FOUND, INVALID. */
int enclave_context_get_service_context(enclave_context_t *self, const char *identifier,
                                        service_context_t **ret_service, err_t **err);
/* Those of the identifiers (keyed by them), or all (count 0; keyed by name). */
int enclave_context_get_services(enclave_context_t *self, const char *const *identifiers,
                                 size_t count, ApiContainerApi__GetServicesResponse **ret_services,
                                 err_t **err);
int enclave_context_get_service_identifiers(
    enclave_context_t *self,
    ApiContainerApi__GetExistingAndHistoricalServiceIdentifiersResponse **ret_identifiers,
    err_t **err);
int enclave_context_connect_services(enclave_context_t *self, ApiContainerApi__Connect connect,
                                     err_t **err);

/* Files artifacts. A directory's contents lie at the root of its archive. name NULL or "" lets the
 * API container choose; ret_name may be NULL. EXISTS, LIMIT (KURTOSIS_UPLOAD_MAX). */
int enclave_context_upload_files(enclave_context_t *self, const char *path, const char *name,
                                 char **ret_uuid, char **ret_name, err_t **err);
/* Writes the archive (gzip-compressed tar) to a new file. NOT_FOUND. */
int enclave_context_download_files_artifact(enclave_context_t *self, const char *identifier,
                                            const char *path, err_t **err);
int enclave_context_store_web_files(enclave_context_t *self, const char *url, const char *name,
                                    char **ret_uuid, err_t **err);
int enclave_context_store_service_files(enclave_context_t *self, const char *service,
                                        const char *path, const char *name, char **ret_uuid,
                                        err_t **err);
int enclave_context_inspect_files_artifact(
    enclave_context_t *self, const char *identifier,
    ApiContainerApi__InspectFilesArtifactContentsResponse **ret_contents, err_t **err);
/* Unordered. */
int enclave_context_get_all_files_artifacts(
    enclave_context_t *self, ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse **ret_list,
    err_t **err);

/* ----------------------------------------------------------------------------- running Starlark */

/* Start from STARLARK_RUN_CONFIG_DEFAULT. */
typedef struct {
    const char *main_file;     /* relative to the package's root; "" is "main.star" */
    const char *main_function; /* "" is "run" */
    const char *params;        /* JSON object, or YAML; "{}" */
    bool dry_run;
    int parallelism;
    ApiContainerApi__ImageDownloadMode image_download_mode;
    bool non_blocking, parallel, resource_check, privileged, no_instructions_caching;
    const char *github_auth_token; /* "" is none */
    /* Called with the arg of the lines when no more of them are there yet, and at the end: the time to write what was
     * gathered. May be NULL. */
    void (*on_pause)(void *arg);
    bool use_git; /* repositories for which the user's git has other addresses (url.*.insteadOf) are
                     fetched here, by the git program */
} starlark_run_config_t;

#define STARLARK_RUN_CONFIG_DEFAULT                                                                \
    ((starlark_run_config_t){.main_file = "",                                                      \
                             .main_function = "",                                                  \
                             .params = "{}",                                                       \
                             .parallelism = 4,                                                     \
                             .image_download_mode =                                                \
                                 API_CONTAINER_API__IMAGE_DOWNLOAD_MODE__missing,                  \
                             .resource_check = true,                                               \
                             .github_auth_token = ""})

/* Called for each line of a run, on the caller's thread; line lent. A negative result ends the
 * call, not the run: it goes on in the enclave. */
typedef int(starlark_line_fn)(void *arg, const ApiContainerApi__StarlarkRunResponseLine *line,
                              err_t **err);

/* What a run said, gathered. */
typedef struct starlark_run_result {
    bool is_successful; /* the last run_finished_event said so */
    str_t output;       /* each result and a newline, then the serialised output and a newline */
    ApiContainerApi__StarlarkInstruction **instructions; /* in the order in which they began */
    size_t n_instructions;
    char *interpretation_error, *validation_errors, *execution_error; /* NULL where there is none */
} starlark_run_result_t;
void starlark_run_result_destroy(starlark_run_result_t **self_p);
AUTO_FOR(starlark_run_result)
starlark_run_result_t *starlark_run_result_new(void);
/* A starlark_line_fn whose arg is a result: adds the line to it. */
int starlark_run_result_add(void *result, const ApiContainerApi__StarlarkRunResponseLine *line,
                            err_t **err);
/* Fails with what went wrong: interpretation before validation before execution; 0 when the run was
 * successful (or ended without a word on its success: dry runs do). */
int starlark_run_result_check(const starlark_run_result_t *self, err_t **err);

/* Each returns 0 when the stream ended, whatever the run's outcome: the lines tell. config may be
 * NULL. */
int enclave_context_run_starlark_script(enclave_context_t *self, const char *script,
                                        const starlark_run_config_t *config, starlark_line_fn *fn,
                                        void *arg, err_t **err);
/* Folder with kurtosis.yml, or with a Compose file: uploaded with every local package that it
 * replaces others by. */
int enclave_context_run_starlark_package(enclave_context_t *self, const char *folder,
                                         const starlark_run_config_t *config, starlark_line_fn *fn,
                                         void *arg, err_t **err);
/* "github.com/author/package[/path][@version]". */
int enclave_context_run_starlark_remote_package(enclave_context_t *self, const char *package_id,
                                                const starlark_run_config_t *config,
                                                starlark_line_fn *fn, void *arg, err_t **err);
/* These fail too where the run did. */
int enclave_context_run_starlark_script_blocking(enclave_context_t *self, const char *script,
                                                 const starlark_run_config_t *config,
                                                 starlark_run_result_t **ret_result, err_t **err);
int enclave_context_run_starlark_package_blocking(enclave_context_t *self, const char *folder,
                                                  const starlark_run_config_t *config,
                                                  starlark_run_result_t **ret_result, err_t **err);
int enclave_context_run_starlark_remote_package_blocking(enclave_context_t *self,
                                                         const char *package_id,
                                                         const starlark_run_config_t *config,
                                                         starlark_run_result_t **ret_result,
                                                         err_t **err);

/* The run of another client: the one that changes the enclave now, else the last one that was started. Lines from its
 * beginning, or with only_new from now on, to its end; returns as the others do. Its first line says which run it is.
 * NOT_FOUND when there was none. */
int enclave_context_attach_starlark_run(enclave_context_t *self, bool only_new,
                                        void (*on_pause)(void *arg), starlark_line_fn *fn,
                                        void *arg, err_t **err);

/* The run before this one, as the API container remembers it. */
int enclave_context_get_starlark_run(enclave_context_t *self,
                                     ApiContainerApi__GetStarlarkRunResponse **ret_run,
                                     err_t **err);
/* What a run would do, as YAML; nothing is run. Yours, free(). */
int enclave_context_get_starlark_script_plan_yaml(enclave_context_t *self, const char *script,
                                                  const starlark_run_config_t *config,
                                                  char **ret_yaml, err_t **err);
int enclave_context_get_starlark_package_plan_yaml(enclave_context_t *self, const char *folder,
                                                   const starlark_run_config_t *config,
                                                   char **ret_yaml, err_t **err);
int enclave_context_get_starlark_remote_package_plan_yaml(enclave_context_t *self,
                                                          const char *package_id,
                                                          const starlark_run_config_t *config,
                                                          char **ret_yaml, err_t **err);

/* YAML 1.1 as JSON, keys sorted; INVALID with the line. Text that is a JSON object already is
 * appended as it is. */
int starlark_params_to_json(const char *text, str_t *out, err_t **err);

/* ------------------------------------------------------------------------------------- services */

void service_context_destroy(service_context_t **self_p);
AUTO_FOR(service_context)
/* All that is known of it; lent. */
const ApiContainerApi__ServiceInfo *service_context_info(const service_context_t *self);
const char *service_context_name(const service_context_t *self);       /* lent */
const char *service_context_uuid(const service_context_t *self);       /* lent */
const char *service_context_private_ip(const service_context_t *self); /* lent */
const char *
service_context_public_ip(const service_context_t *self); /* lent; "" when there is none */
/* A port by its id, or NULL; lent. */
const ApiContainerApi__Port *service_context_private_port(const service_context_t *self,
                                                          const char *id);
const ApiContainerApi__Port *service_context_public_port(const service_context_t *self,
                                                         const char *id);
/* Runs argv (NULL-terminated) without a shell; *ret_output (yours) is stdout and stderr merged. */
int service_context_exec_command(service_context_t *self, const char *const *argv, int *ret_code,
                                 char **ret_output, err_t **err);
/* Waits until the endpoint answers 200 (and body_text, where not NULL, is the body). */
int service_context_wait_for_http_get(service_context_t *self, uint32_t port, const char *path,
                                      uint32_t retries, uint32_t retries_delay_ms,
                                      const char *body_text, err_t **err);
int service_context_wait_for_http_post(service_context_t *self, uint32_t port, const char *path,
                                       const char *request_body, uint32_t retries,
                                       uint32_t retries_delay_ms, const char *body_text,
                                       err_t **err);

#endif
