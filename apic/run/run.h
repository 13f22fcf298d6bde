/*  run: runs of scripts and packages in an enclave. The public face of this folder for the API
 * container.
 *
 *  A run is interpretation (the script becomes a plan), validation (all that is wrong is said
 * before anything starts; images are fetched), execution (step by step, each recorded when it is
 * done). It goes on when the client that started it goes away; what it says is kept as long as it
 * runs, within RUN_LINES_MAX bytes, and clients are sent it as fast as they read. Runs execute one
 * after the other.
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

#define RUN_LINES_MAX                                                                              \
    (64u * 1024 * 1024) /* bytes of lines that a client has not read yet; later ones are left out  \
                         */
#define RUN_LINES_AHEAD 65536u     /* bytes of lines that a run is ahead of a client who reads on */
#define RUN_LINES_PATIENCE_MS 1000 /* a client who takes nothing for so long is not waited for */
#define RUN_RUNS_MAX 16u           /* runs at the same time, waiting ones included */
#define RUN_PARALLELISM 4u /* services that add_services starts at once, unless the client says */
#define RUN_IMAGES 4u      /* images that are fetched at once */

typedef struct run run_t;

/* Reads what earlier runs left. core must outlive it; *ret_run is yours. */
int run_new(core_t *core, run_t **ret_run, err_t **err);
/* Stops the runs under way at their next step and waits for them; new ones are refused from now on.
 * Call it after core_stop and while the actor still answers: the runs ask through it. */
void run_stop(run_t *self);
/* Frees. After run_stop and actor_destroy. */
void run_destroy(run_t **self_p);
AUTO_FOR(run)

/* Handlers of the API, for worker threads; each answers and frees the call. */
void run_script(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
void run_package(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
/* GetStarlarkRun: the last run that came to an end. */
void run_last(run_t *self, actor_call_t *call, const ProtobufCMessage *request);

/* GetStarlarkScriptPlanYaml, GetStarlarkPackagePlanYaml: what would be done. */
void run_script_plan(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
void run_package_plan(run_t *self, actor_call_t *call, const ProtobufCMessage *request);

#endif
