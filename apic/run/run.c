/*  run: handlers of the API that run scripts and packages: what a client asks for becomes a job. */
#include "apic/run/run.h"

#include "apic/packages/locator.h"
#include "apic/run/bring.h"
#include "apic/run/job.h"
#include "apic/run/phases.h"
#include "apic/run/record.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct run {
    run_world_t world;
    run_store_t *store;
    run_bring_t *bring;
    pthread_mutex_t executing; /* held by the run that changes the enclave */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    unsigned n_jobs;
    bool is_stopping;
    struct job *jobs[RUN_RUNS_MAX];
    unsigned n_attached;
    run_feed_t *newest;  /* of the run that was started last; NULL before the first */
    run_feed_t *current; /* of the run that changes the enclave now; NULL when there is none */
};

/* One run that a client asked for. */
typedef struct job {
    run_t *run;
    ProtobufCMessage *args; /* what the request's texts are in */
    run_request_t request;
    run_world_t world;
    actor_call_t *scope; /* of what it asks of others */
    run_feed_t *feed;
    star_t *star; /* at work, or NULL; under run->lock */
} job_t;

static job_t *job_new(run_t *self, actor_call_t *call, const ProtobufCMessage *request);
static void job_free(job_t *job);
static int admit(job_t *job, err_t **err);
static void leave(job_t *job);
static run_enclave_t enclave_of(job_t *job);
static void plan(run_t *self, actor_call_t *call, const run_request_t *request);
static void start(run_t *self, actor_call_t *call, job_t *job);
static void serve(actor_call_t *call, run_reader_t *reader, const char *about);
static void work(void *arg, const run_lines_t *lines);

static const char stopping[] = "the API container stops";

int
run_new(core_t *core, run_t **ret_run, err_t **err)
{
    AUTO(run) self = calloc(1, sizeof(*self));
    self->bring = run_bring_new();
    pthread_mutex_init(&self->executing, NULL);
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->changed);
    run_world_core(&self->world, core, NULL);
    if (run_store_new(&self->world, &self->store, err) < 0)
        return -1;
    *ret_run = TAKE(self);
    return 0;
}

void
run_stop(run_t *self)
{
    run_bring_stop(self->bring);
    pthread_mutex_lock(&self->lock);
    self->is_stopping = true;
    for (size_t i = 0; i < RUN_RUNS_MAX; i++) {
        if (!self->jobs[i])
            continue;
        if (self->jobs[i]->star)
            star_cancel(self->jobs[i]->star, stopping);
        actor_scope_cancel(self->jobs[i]->scope, stopping);
    }
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
    run_feed_drop(&self->newest);
    run_store_destroy(&self->store);
    run_bring_destroy(&self->bring);
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
                .client_repositories = (args)->client_repositories,                                \
                .n_client_repositories = (args)->n_client_repositories,                            \
                .parallelism = parallelism((args)->_parallelism_case ? (args)->parallelism : 0),   \
                .fetch_mode = (args)->_image_download_mode_case &&                                 \
                                      (args)->image_download_mode ==                               \
                                          API_CONTAINER_API__IMAGE_DOWNLOAD_MODE__always           \
                                  ? ORCHESTRATOR__FETCH_MODE__FETCH_ALWAYS                         \
                                  : ORCHESTRATOR__FETCH_MODE__FETCH_MISSING

void
run_script(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    job_t *job = job_new(self, call, request);
    const ApiContainerApi__RunStarlarkScriptArgs *args =
        (const ApiContainerApi__RunStarlarkScriptArgs *)job->args;
    job->request = (run_request_t){
        .script = args->serialized_script,
        .main_file = "",
        COMMON(args),
    };
    start(self, call, job);
}

/* How older clients say where the package is. */
static void
take_content(const ApiContainerApi__RunStarlarkPackageArgs *args, run_request_t *request)
{
    switch (args->starlark_package_content_case) {
    case API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS__STARLARK_PACKAGE_CONTENT_LOCAL:
        request->archive = args->local.data;
        request->archive_size = args->local.len;
        break;
    case API_CONTAINER_API__RUN_STARLARK_PACKAGE_ARGS__STARLARK_PACKAGE_CONTENT_REMOTE:
        request->clone = args->remote;
        break;
    default:
        break;
    }
}

void
run_package(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    job_t *job = job_new(self, call, request);
    const ApiContainerApi__RunStarlarkPackageArgs *args =
        (const ApiContainerApi__RunStarlarkPackageArgs *)job->args;
    job->request = (run_request_t){
        .package_id = args->package_id,
        .main_file = args->_relative_path_to_main_file_case ? args->relative_path_to_main_file : "",
        .clone = args->_clone_package_case && args->clone_package,
        .token = args->_github_auth_token_case ? args->github_auth_token : "",
        COMMON(args),
    };
    if (!args->_clone_package_case)
        take_content(args, &job->request);
    start(self, call, job);
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
    job_t *job = job_new(self, call, NULL);
    const run_enclave_t enclave = enclave_of(job);
    if (admit(job, &err) == 0) {
        run_plan_yaml(&enclave, request, &yaml, &err);
        leave(job);
    }
    job_free(job);
    if (err) {
        actor_call_fail(&call, &err);
        return;
    }
    ApiContainerApi__PlanYaml reply = API_CONTAINER_API__PLAN_YAML__INIT;
    reply.plan_yaml = yaml;
    actor_call_reply(&call, &reply.base);
}

/* The run that a client means who attaches; yours. */
static int
find_feed(run_t *self, run_feed_t **ret_feed, err_t **err)
{
    int rc = 0;
    pthread_mutex_lock(&self->lock);
    run_feed_t *feed = self->current ? self->current : self->newest;
    if (!feed)
        rc = err_fail(err, ERR_NOT_FOUND,
                      "nothing has been run in this enclave since its API "
                      "container was started");
    else if (self->n_attached == RUN_READERS_MAX)
        rc = err_fail(err, ERR_LIMIT,
                      "%u clients are attached to runs of this enclave, which is the limit",
                      RUN_READERS_MAX);
    if (rc == 0) {
        self->n_attached++;
        *ret_feed = run_feed_hold(feed);
    }
    pthread_mutex_unlock(&self->lock);
    return rc;
}

void
run_attach(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__AttachStarlarkRunArgs *args =
        (const ApiContainerApi__AttachStarlarkRunArgs *)request;
    run_feed_t *feed = NULL;
    run_reader_t *reader = NULL;
    AUTO(err) err = NULL;
    if (find_feed(self, &feed, &err) < 0 ||
        run_reader_new(feed, args->only_new, &reader, &err) < 0) {
        actor_call_fail(&call, &err);
    } else {
        AUTO_FREE char *about = run_feed_about(feed);
        serve(call, reader, about);
    }
    if (!feed)
        return;
    run_feed_drop(&feed);
    pthread_mutex_lock(&self->lock);
    self->n_attached--;
    pthread_mutex_unlock(&self->lock);
}

void
run_last(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    AUTO_MESSAGE ApiContainerApi__GetStarlarkRunResponse *reply =
        run_record_get(self->store, self->world.is_production);
    (void)request;
    actor_call_reply(&call, &reply->base);
}

int
run_provide(run_t *self, const char *id, char **archive_p, err_t **err)
{
    return run_bring_put(self->bring, id, archive_p, err);
}

int
run_refuse(run_t *self, const char *id, const char *reason, err_t **err)
{
    return run_bring_refuse(self->bring, id, reason, err);
}

/* ----------------------------------------------------------------------------------------- jobs */

/* request: what it is run by; NULL for a plan. */
static job_t *
job_new(run_t *self, actor_call_t *call, const ProtobufCMessage *request)
{
    job_t *job = calloc(1, sizeof(*job));
    if (!job)
        abort();
    job->run = self;
    job->args = request ? bus_message_dup(request) : NULL;
    job->scope = actor_scope_new(actor_call_actor(call), NULL);
    run_world_core(&job->world, self->world.core, job->scope);
    return job;
}

static void
job_free(job_t *job)
{
    actor_scope_destroy(&job->scope);
    run_feed_drop(&job->feed);
    protobuf_c_message_free_unpacked(job->args, NULL);
    free(job);
}

/* One more run is under way, unless that is too many. */
static int
admit(job_t *job, err_t **err)
{
    run_t *self = job->run;
    pthread_mutex_lock(&self->lock);
    const bool is_stopping = self->is_stopping, is_full = self->n_jobs == RUN_RUNS_MAX;
    if (!is_stopping && !is_full) {
        size_t slot = 0;
        while (self->jobs[slot])
            slot++;
        self->jobs[slot] = job;
        self->n_jobs++;
    }
    pthread_mutex_unlock(&self->lock);
    if (is_stopping)
        return err_fail(err, ERR_UNAVAILABLE, "%s", stopping);
    return !is_full ? 0
                    : err_fail(err, ERR_LIMIT,
                               "%u runs are under way in this enclave, which is the limit; wait "
                               "until one has ended",
                               RUN_RUNS_MAX);
}

static void
leave(job_t *job)
{
    run_t *self = job->run;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < RUN_RUNS_MAX; i++)
        if (self->jobs[i] == job)
            self->jobs[i] = NULL;
    if (self->current == job->feed)
        self->current = NULL;
    self->n_jobs--;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* It is what clients see who attach now, unless another run changes the enclave. */
static void
show(run_t *self, run_feed_t *feed)
{
    pthread_mutex_lock(&self->lock);
    run_feed_t *before = self->newest;
    self->newest = run_feed_hold(feed);
    pthread_mutex_unlock(&self->lock);
    run_feed_drop(&before);
}

static void
start(run_t *self, actor_call_t *call, job_t *job)
{
    AUTO(err) err = NULL;
    const char *id = job->request.package_id;
    AUTO_FREE char *title = id ? str_format("package '%s'", id) : strdup("a script");
    run_reader_t *reader = NULL;
    run_feed_t *feed = run_feed_new(title);
    job->feed = run_feed_hold(feed);
    int rc = run_reader_new(feed, false, &reader, &err);
    if (rc == 0 && (rc = admit(job, &err)) == 0) {
        show(self, feed);
        rc = run_job_start(work, job, feed, &err);
        if (rc < 0)
            leave(job);
    }
    if (rc == 0) {
        serve(call, reader, NULL);
        run_feed_leave(feed);
        run_bring_wake(self->bring);
        run_feed_drop(&feed);
        return;
    }
    run_feed_drop(&feed);
    run_reader_destroy(&reader);
    job_free(job);
    actor_call_fail(&call, &err);
}

/* Lines that are packed, one after the other. */
static int
send_lines(actor_call_t *call, bool in_batches, const str_t *lines, size_t count)
{
    AUTO_STR batch = STR_EMPTY;
    if (!in_batches)
        return actor_call_send_packed(call, lines->data, lines->len, NULL);
    bus_msgpack_pack_list("lines", lines->data, lines->len, count, &batch);
    return actor_call_send_packed(call, batch.data, batch.len, NULL);
}

/* Sends the lines as they come, until the run has ended or the client has gone. about: what it is,
 * as the first line; may be NULL. */
static void
serve(actor_call_t *call, run_reader_t *reader, const char *about)
{
    const bool in_batches = actor_call_method(call)->response ==
                            &api_container_api__starlark_run_response_lines__descriptor;
    const size_t most = in_batches ? RUN_BATCH_LINES : 1;
    const int cancel_fd = actor_call_cancel_fd(call);
    AUTO_STR lines = STR_EMPTY;
    size_t count = about != NULL;
    if (about)
        run_lines_info(&(run_lines_t){run_lines_pack, &lines}, about);
    else
        count = run_reader_take(reader, most, cancel_fd, &lines);
    while (count && send_lines(call, in_batches, &lines, count) == 0) {
        str_clear(&lines);
        count = run_reader_take(reader, most, cancel_fd, &lines);
    }
    run_reader_destroy(&reader);
    actor_call_end(&call);
}

static void
running(void *arg, star_t *star)
{
    job_t *self = arg;
    pthread_mutex_lock(&self->run->lock);
    self->star = star;
    if (star && self->run->is_stopping)
        star_cancel(star, stopping);
    pthread_mutex_unlock(&self->run->lock);
}

static void
entered(void *arg)
{
    job_t *self = arg;
    pthread_mutex_lock(&self->run->lock);
    self->run->current = self->feed;
    pthread_mutex_unlock(&self->run->lock);
}

static void
cancel(void *arg, const char *why)
{
    actor_scope_cancel(((job_t *)arg)->scope, why);
}

static bool
stopped(void *arg)
{
    run_t *run = ((job_t *)arg)->run;
    pthread_mutex_lock(&run->lock);
    const bool is_stopping = run->is_stopping;
    pthread_mutex_unlock(&run->lock);
    return is_stopping;
}

static bool
sleep_for(void *arg, int64_t ms)
{
    run_t *run = ((job_t *)arg)->run;
    const struct timespec until = clock_after_ms(ms);
    pthread_mutex_lock(&run->lock);
    while (!run->is_stopping &&
           pthread_cond_timedwait(&run->changed, &run->lock, &until) != ETIMEDOUT)
        ;
    const bool is_stopping = run->is_stopping;
    pthread_mutex_unlock(&run->lock);
    return is_stopping;
}

static int
bring(void *arg, const char *url, const char *version, char **ret_archive, err_t **err)
{
    const job_t *self = arg;
    return run_bring_ask(self->run->bring, self->feed, url, version, ret_archive, err);
}

static void
warn(void *arg, const char *text)
{
    run_lines_warning(&(run_lines_t){run_feed_add, ((job_t *)arg)->feed}, text);
}

static run_enclave_t
enclave_of(job_t *job)
{
    return (run_enclave_t){
        .world = &job->world,
        .store = job->run->store,
        .lock = &job->run->executing,
        .running = running,
        .stopped = stopped,
        .sleep = sleep_for,
        .entered = entered,
        .cancel = cancel,
        .warn = job->feed ? warn : NULL,
        .bring = job->feed ? bring : NULL,
        .arg = job,
    };
}

/* What the run has said, on its way: the end is recorded before the client hears of it. */
typedef struct {
    const job_t *job;
    const run_lines_t *lines;
} tap_t;

static void
on_line(void *arg, run_line_t *line)
{
    const tap_t *tap = arg;
    const job_t *job = tap->job;
    if (line->run_response_line_case ==
            API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT &&
        !job->request.dry_run) {
        AUTO(err) err = NULL;
        if (run_record_put(job->run->store, job->run->world.is_production, &job->request, &err) < 0)
            log_err(LOG_WARN, "run.not_recorded", err, "enclave=%s", job->run->world.enclave_uuid);
    }
    tap->lines->sink(tap->lines->arg, line);
}

static void
work(void *arg, const run_lines_t *lines)
{
    job_t *self = arg;
    tap_t tap = {self, lines};
    const run_lines_t tapped = {on_line, &tap};
    const run_enclave_t enclave = enclave_of(self);
    log_info("run.started", "package=%s",
             self->request.package_id ? self->request.package_id : PACKAGES_SCRIPT);
    static const char *const outcomes[] = {"refused", "failed", "succeeded", "dry"};
    const run_outcome_t outcome = run_phases(&enclave, &self->request, &tapped);
    log_info("run.ended", "outcome=%s", outcomes[outcome]);
    leave(self);
    job_free(self);
}
