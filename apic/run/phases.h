/*  phases: one run from beginning to end, on the calling thread; what it says goes to a sink as it
 * happens. */
#ifndef KURTOSIS_APIC_RUN_PHASES_H
#define KURTOSIS_APIC_RUN_PHASES_H

#include "apic/run/edits.h"
#include "apic/run/lines.h"
#include "apic/run/map.h"

#include <pthread.h>

/* What a client asked for. All lent. */
typedef struct {
    const char *package_id;    /* NULL: a script */
    const char *script;        /* of a script */
    const char *params;        /* JSON object, "" for none */
    const char *main_file;     /* relative to the package, "" for main.star */
    const char *main_function; /* "" for run */
    const char *token;         /* for the package's repository, "" for none */
    const void *archive;       /* the package itself, a gzip-compressed tar; NULL: it is there */
    size_t archive_size;
    bool clone; /* the package comes from its repository, every time */
    bool dry_run;
    bool parallel;     /* steps side by side, as their dependencies allow */
    bool non_blocking; /* tasks stay when they are done */
    bool check_resources;
    bool allow_privileged;
    bool no_caching;      /* everything is done, whatever earlier runs did */
    unsigned parallelism; /* > 0 */
    Orchestrator__FetchMode fetch_mode;
    char *const *client_repositories; /* beginnings of URLs that the client fetches itself */
    size_t n_client_repositories;
} run_request_t;

/* What all runs of an enclave share. */
typedef struct {
    const run_world_t *world;
    run_store_t *store;
    /* Taken by every run that changes the enclave, from its interpretation to its end. */
    pthread_mutex_t *lock;
    /* See run_interpreter_t and plan_exec_t. */
    void (*running)(void *arg, star_t *star);
    bool (*stopped)(void *arg);
    bool (*sleep)(void *arg, int64_t ms);
    /* The run has the lock now; may be NULL. */
    void (*entered)(void *arg);
    /* What its steps have asked of others is called off; may be NULL. */
    void (*cancel)(void *arg, const char *why);
    /* Says something that the user should know; may be NULL. */
    void (*warn)(void *arg, const char *text);
    /* Fetches a repository by way of the client, to an archive (yours, free and unlink). May be
     * NULL: no client does. */
    int (*bring)(void *arg, const char *url, const char *version, char **ret_archive, err_t **err);
    void *arg;
} run_enclave_t;

typedef enum {
    RUN_REFUSED, /* the package could not be set up: nothing is recorded */
    RUN_FAILED,
    RUN_SUCCEEDED,
    RUN_DRY
} run_outcome_t;

run_outcome_t run_phases(const run_enclave_t *self, const run_request_t *request,
                         const run_lines_t *lines);

/* The plan of the request as YAML (yours), without running or recording anything. */
int run_plan_yaml(const run_enclave_t *self, const run_request_t *request, char **ret_yaml,
                  err_t **err);

/* ------------------------------------------------------------------------------- for siblings only
 */

/* A program with the memory it stands on; zero it (text: STR_EMPTY) before. */
typedef struct {
    run_program_t program;
    const run_enclave_t *enclave; /* lent */
    const run_request_t *request; /* lent */
    packages_manifest_t *manifest;
    str_t text;
    char *file;
    run_map_t warnings; /* text -> anything; each once */
} run_setup_t;
/* Puts a repository into its folder: its own server's or what the client brings. token_of as in
 * core_package_clone. */
int run_fetch(const run_enclave_t *enclave, const run_request_t *request, const char *author,
              const char *repo, const char *version, const char *token_of, err_t **err);
int run_setup(const run_enclave_t *enclave, const run_request_t *request, run_setup_t *self,
              err_t **err);
void run_setup_done(run_setup_t *self);

/* Validation: says every failing step, then makes the images present. -1: something failed, and was
 * said. */
int run_validate(const run_enclave_t *self, const run_request_t *request, const run_plan_t *plan,
                 const run_lines_t *lines);
/* Makes the images of env present, RUN_IMAGES at once; a dry run names them and fetches nothing. */
int run_images(const run_enclave_t *self, const run_request_t *request, const plan_env_t *env,
               const char *architecture, const run_lines_t *lines);
/* Execution: step by step. *ret_duration is the time of all steps. -1: a step failed, and was said.
 */
int run_execute(const run_enclave_t *self, const run_request_t *request, const run_plan_t *plan,
                const run_lines_t *lines, int64_t *ret_duration);
/* The same side by side, each step as soon as those that it depends on are done. */
int run_execute_parallel(const run_enclave_t *self, const run_request_t *request,
                         const run_plan_t *plan, const run_lines_t *lines, int64_t *ret_duration);
/* Runs one step and says its lines. */
int run_step(plan_exec_t *exec, const plan_step_t *step, const char *id, const run_lines_t *lines,
             int64_t *ret_duration, err_t **err);

#endif
