/*  run: runs of scripts and packages in an enclave. The public face of this folder for the API
 * container.
 *
 *  A run is interpretation (the script becomes a plan), validation (all that is wrong is said
 * before anything starts; images are fetched), execution (step by step, each recorded when it is
 * done). It goes on when the client that started it goes away; the last that it said is kept, and
 * others can attach to it. Clients are sent lines as fast as they read. Runs execute one after the
 * other.
 *
 *      static const actor_method_t methods[] = {
 *          {"api_container_api.ApiContainerService/RunStarlarkScript", ACTOR_WORKER,
 * on_run_script},
 *      ...
 *      static void on_run_script(void *state, actor_call_t *call, const ProtobufCMessage *request)
 *      {
 *          run_script(((api_t *)state)->run, call, request);
 *      }
 */
#ifndef KURTOSIS_APIC_RUN_H
#define KURTOSIS_APIC_RUN_H

#include "apic/core/core.h"

#define RUN_LINES_MAX (16u << 20)   /* bytes of lines kept for clients that have not read them */
#define RUN_HISTORY_MAX (4u << 20)  /* bytes of a run's last lines kept for clients to come */
#define RUN_HISTORY_KEPT (1u << 19) /* the same when the run has ended */
#define RUN_LINES_AHEAD 65536u     /* bytes of lines that a run is ahead of a client who reads on */
#define RUN_LINES_PATIENCE_MS 1000 /* a client who takes nothing for so long is not waited for */
#define RUN_BATCH_BYTES 32768u     /* of lines in one message, for clients that take several */
#define RUN_BATCH_LINES 512u       /* lines in one message */
#define RUN_READERS_MAX 8u         /* clients that are attached to runs of others */
#define RUN_RUNS_MAX 16u           /* runs at the same time, waiting ones included */
#define RUN_PARALLELISM 4u /* services that add_services starts at once, unless the client says */
#define RUN_IMAGES 4u      /* images that are fetched at once */

typedef struct run run_t;

/* Reads what earlier runs left. core must outlive it; *ret_run is yours. */
int run_new(core_t *core, run_t **ret_run, err_t **err);
/* Stops the runs under way, what they ask of others included, and waits for them; new ones are
 * refused from now on.
 * Call it after core_stop and while the actor still answers: the runs ask through it. */
void run_stop(run_t *self);
/* Frees. After run_stop and actor_destroy. */
void run_destroy(run_t **self_p);
AUTO_FOR(run)

/* Handlers of the API, for worker threads; each answers and frees the call. These two are for both
 * methods, with a line or with many in a message. */
void run_script(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
void run_package(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
/* AttachStarlarkRun: what a run of another client says. */
void run_attach(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
/* GetStarlarkRun: the last run that came to an end. */
void run_last(run_t *self, actor_call_t *call, const ProtobufCMessage *request);

/* ProvideRepository and RefuseRepository: answers to a run's repository_wanted line. The archive is
 * taken: *archive_p is cleared. NOT_FOUND when no run waits for it. */
int run_provide(run_t *self, const char *id, char **archive_p, err_t **err);
int run_refuse(run_t *self, const char *id, const char *reason, err_t **err);

/* GetStarlarkScriptPlanYaml, GetStarlarkPackagePlanYaml: what would be done. */
void run_script_plan(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
void run_package_plan(run_t *self, actor_call_t *call, const ProtobufCMessage *request);

#endif
