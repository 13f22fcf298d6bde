/*  run: handlers of the API that run scripts and packages: what a client asks for becomes a job. */
#include "apic/run/run.h"

#include "apic/packages/locator.h"
#include "apic/run/job.h"
#include "apic/run/phases.h"
#include "apic/run/record.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct run {
    run_world_t world;
    run_store_t *store;
    pthread_mutex_t executing; /* held by the run that changes the enclave */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    unsigned n_jobs;
    bool is_stopping;
    star_t *running[RUN_RUNS_MAX]; /* interpreters at work */
};

/* One run that a client asked for. */
typedef struct {
    run_t *run;
    ProtobufCMessage *args; /* what the request's texts are in */
    run_request_t request;
    star_t **slot; /* in run->running; NULL when it does not interpret */
} job_arg_t;

static int admit(run_t *self, err_t **err);
static void leave(run_t *self);
static run_enclave_t enclave_of(job_arg_t *arg);
static void plan(run_t *self, actor_call_t *call, const run_request_t *request);
static void start(run_t *self, actor_call_t *call, job_arg_t *arg);
static void serve(actor_call_t *call, run_job_t *job);
static void work(void *arg, const run_lines_t *lines);

int
run_new(core_t *core, run_t **ret_run, err_t **err)
{
    AUTO(run) self = calloc(1, sizeof(*self));
    pthread_mutex_init(&self->executing, NULL);
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    run_world_core(&self->world, core);
    if (run_store_new(&self->world, &self->store, err) < 0)
        return -1;
    *ret_run = TAKE(self);
    return 0;
}

void
run_stop(run_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->is_stopping = true;
    for (size_t i = 0; i < RUN_RUNS_MAX; i++)
        if (self->running[i])
            star_cancel(self->running[i], "the API container stops");
    pthread_cond_broadcast(&self->changed);
    while (self->n_jobs)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

void
run_destroy(run_t **self_p)
{
    run_t *self = *self_p;
    if (!self)
        return;
    run_stop(self);
    run_store_destroy(&self->store);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->executing);
    free(self);
    *self_p = NULL;
}

/* ---------------------------------------------------------------------------------------- handlers
 */

static unsigned
parallelism(int32_t asked)
{
    if (asked <= 0)
        return RUN_PARALLELISM;
    return asked > (int32_t)CORE_PARALLELISM_MAX ? CORE_PARALLELISM_MAX : (unsigned)asked;
}

/* Fields that all requests have, whose unset forms have defaults. */
#define PLAN(args)                                                                                 \
    .params = (args)->_serialized_params_case ? (args)->serialized_params : "",                    \
    .main_function = (args)->_main_function_name_case ? (args)->main_function_name : "",           \
    .allow_privileged = (args)->_allow_privileged_mode_case && (args)->allow_privileged_mode

/* And those of what is run. */
#define COMMON(args)                                                                               \
    PLAN(args), .dry_run = (args)->_dry_run_case && (args)->dry_run,                               \
                .parallel = (args)->_parallel_case && (args)->parallel,                            \
                .non_blocking = (args)->_non_blocking_mode_case && (args)->non_blocking_mode,      \
                .check_resources = !(args)->_resource_check_case || (args)->resource_check,        \
                .no_caching = (args)->n_experimental_features > 0,                                 \
                .parallelism = parallelism((args)->_parallelism_case ? (args)->parallelism : 0),   \
                .fetch_mode = (args)->_image_download_mode_case &&                                 \
                                      (args)->image_download_mode ==                               \
                                          API_CONTAINER_API__IMAGE_DOWNLOAD_MODE__always           \
                                  ? ORCHESTRATOR__FETCH_MODE__FETCH_ALWAYS                         \
                                  : ORCHESTRATOR__FETCH_MODE__FETCH_MISSING

void
run_script(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    job_arg_t *arg = calloc(1, sizeof(*arg));
    arg->args = bus_message_dup(request);
    const ApiContainerApi__RunStarlarkScriptArgs *args =
        (const ApiContainerApi__RunStarlarkScriptArgs *)arg->args;
    arg->request = (run_request_t){
        .script = args->serialized_script,
        .main_file = "",
        COMMON(args),
    };
    start(self, call, arg);
}

void
run_package(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    job_arg_t *arg = calloc(1, sizeof(*arg));
    arg->args = bus_message_dup(request);
    const ApiContainerApi__RunStarlarkPackageArgs *args =
        (const ApiContainerApi__RunStarlarkPackageArgs *)arg->args;
    arg->request = (run_request_t){
        .package_id = args->package_id,
        .main_file = args->_relative_path_to_main_file_case ? args->relative_path_to_main_file : "",
        .clone = args->_clone_package_case && args->clone_package,
        .token = args->_github_auth_token_case ? args->github_auth_token : "",
        COMMON(args),
    };
    start(self, call, arg);
}

void
run_script_plan(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__StarlarkScriptPlanYamlArgs *args =
        (const ApiContainerApi__StarlarkScriptPlanYamlArgs *)request;
    plan(self, call,
         &(run_request_t){.script = args->serialized_script, .main_file = "", PLAN(args)});
}

void
run_package_plan(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__StarlarkPackagePlanYamlArgs *args =
        (const ApiContainerApi__StarlarkPackagePlanYamlArgs *)request;
    plan(self, call,
         &(run_request_t){
             .package_id = args->package_id,
             .clone = args->is_remote,
             .main_file =
                 args->_relative_path_to_main_file_case ? args->relative_path_to_main_file : "",
             PLAN(args),
         });
}

/* It is short, so the worker does it itself. */
static void
plan(run_t *self, actor_call_t *call, const run_request_t *request)
{
    AUTO(err) err = NULL;
    AUTO_FREE char *yaml = NULL;
    job_arg_t arg = {.run = self};
    const run_enclave_t enclave = enclave_of(&arg);
    if (admit(self, &err) == 0) {
        run_plan_yaml(&enclave, request, &yaml, &err);
        leave(self);
    }
    if (err) {
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__PlanYaml reply = API_CONTAINER_API__PLAN_YAML__INIT;
    reply.plan_yaml = yaml;
    actor_call_reply(&call, &reply.base);
}

void
run_last(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    AUTO_MESSAGE ApiContainerApi__GetStarlarkRunResponse *reply =
        run_record_get(self->store, self->world.is_production);
    (void)request;
    actor_call_reply(&call, &reply->base);
}

/* ----------------------------------------------------------------------------------------- jobs */

static void
arg_free(job_arg_t *arg)
{
    protobuf_c_message_free_unpacked(arg->args, NULL);
    free(arg);
}

/* One more run is under way, unless that is too many. */
static int
admit(run_t *self, err_t **err)
{
    pthread_mutex_lock(&self->lock);
    const bool is_stopping = self->is_stopping, is_full = self->n_jobs == RUN_RUNS_MAX;
    if (!is_stopping && !is_full)
        self->n_jobs++;
    pthread_mutex_unlock(&self->lock);
    if (is_stopping)
        return err_fail(err, ERR_UNAVAILABLE, "the API container stops");
    return !is_full ? 0
                    : err_fail(err, ERR_LIMIT,
                               "%u runs are under way in this enclave, which is the limit; wait "
                               "until one has ended",
                               RUN_RUNS_MAX);
}

static void
leave(run_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->n_jobs--;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void
start(run_t *self, actor_call_t *call, job_arg_t *arg)
{
    AUTO(err) err = NULL;
    run_job_t *job = NULL;
    arg->run = self;
    if (admit(self, &err) == 0 && run_job_new(work, arg, &job, &err) < 0)
        leave(self);
    if (err) {
        arg_free(arg);
        actor_call_fail(&call, &err);
        return;
    }
    serve(call, job);
}

/* Sends the lines as they come, until the run has ended or the client has gone. */
static void
serve(actor_call_t *call, run_job_t *job)
{
    run_line_t *line;
    while ((line = run_job_next(job, actor_call_cancel_fd(call)))) {
        const int rc = actor_call_send(call, &line->base, NULL);
        protobuf_c_message_free_unpacked(&line->base, NULL);
        if (rc < 0)
            break;
    }
    run_job_leave(&job);
    actor_call_end(&call);
}

static void
running(void *arg, star_t *star)
{
    job_arg_t *self = arg;
    run_t *run = self->run;
    pthread_mutex_lock(&run->lock);
    if (self->slot) {
        *self->slot = NULL;
        self->slot = NULL;
    }
    for (size_t i = 0; star && i < RUN_RUNS_MAX; i++)
        if (!run->running[i]) {
            self->slot = &run->running[i];
            *self->slot = star;
            if (run->is_stopping)
                star_cancel(star, "the API container stops");
            break;
        }
    pthread_mutex_unlock(&run->lock);
}

static bool
stopped(void *arg)
{
    run_t *run = ((job_arg_t *)arg)->run;
    pthread_mutex_lock(&run->lock);
    const bool is_stopping = run->is_stopping;
    pthread_mutex_unlock(&run->lock);
    return is_stopping;
}

static bool
sleep_for(void *arg, int64_t ms)
{
    run_t *run = ((job_arg_t *)arg)->run;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&run->lock);
    while (!run->is_stopping &&
           pthread_cond_timedwait(&run->changed, &run->lock, &until) != ETIMEDOUT)
        ;
    const bool is_stopping = run->is_stopping;
    pthread_mutex_unlock(&run->lock);
    return is_stopping;
}

static run_enclave_t
enclave_of(job_arg_t *arg)
{
    return (run_enclave_t){
        .world = &arg->run->world,
        .store = arg->run->store,
        .lock = &arg->run->executing,
        .running = running,
        .stopped = stopped,
        .sleep = sleep_for,
        .arg = arg,
    };
}

/* What the run has said, on its way: the end is recorded before the client hears of it. */
typedef struct {
    const job_arg_t *job;
    const run_lines_t *lines;
} tap_t;

static void
on_line(void *arg, run_line_t *line)
{
    const tap_t *tap = arg;
    const job_arg_t *job = tap->job;
    if (line->run_response_line_case ==
        API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT) {
        AUTO(err) err = NULL;
        if (run_record_put(job->run->store, job->run->world.is_production, &job->request, &err) < 0)
            log_err(LOG_WARN, "run.not_recorded", err, "enclave=%s", job->run->world.enclave_uuid);
    }
    tap->lines->sink(tap->lines->arg, line);
}

static void
work(void *arg, const run_lines_t *lines)
{
    job_arg_t *self = arg;
    run_t *run = self->run;
    tap_t tap = {self, lines};
    const run_lines_t tapped = {on_line, &tap};
    const run_enclave_t enclave = enclave_of(self);
    log_info("run.started", "package=%s",
             self->request.package_id ? self->request.package_id : PACKAGES_SCRIPT);
    static const char *const outcomes[] = {"refused", "failed", "succeeded", "dry"};
    const run_outcome_t outcome = run_phases(&enclave, &self->request, &tapped);
    log_info("run.ended", "outcome=%s", outcomes[outcome]);
    arg_free(self);
    leave(run);
}
