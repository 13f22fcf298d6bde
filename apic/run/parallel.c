/*  parallel: the third phase when steps run side by side: each as soon as what it depends on is
 * done. The first failure keeps the others from starting, and ends what waits or is under way. */
#include "apic/run/graph.h"
#include "apic/run/phases.h"
#include "apic/run/recorder.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64 /* steps at the same time */

typedef struct {
    const run_enclave_t *enclave;
    const run_plan_t *plan;
    const run_lines_t *lines;
    const run_request_t *request;

    pthread_mutex_t lock; /* of what follows, and of the sink */
    pthread_cond_t changed;
    size_t *left;  /* per step: dependencies that are not done */
    size_t *ready; /* steps that can start: a queue */
    size_t n_ready, next_ready;
    size_t n_begun, n_running;
    run_deps_t *users; /* per step: the steps that depend on it */
    size_t failed;     /* the first one */
    err_t *err;        /* why */

    run_recorder_t recorder;
} parallel_t;

static void *work(void *arg);
static void prepare(parallel_t *self);
static void done(parallel_t *self);

int
run_execute_parallel(const run_enclave_t *self, const run_request_t *request,
                     const run_plan_t *plan, const run_lines_t *lines, int64_t *ret_duration)
{
    parallel_t run = {.enclave = self, .plan = plan, .lines = lines, .request = request};
    pthread_t threads[THREADS_MAX];
    size_t n_threads = 0;
    const int64_t start = clock_ns();

    prepare(&run);
    run_recorder_init(&run.recorder, self->world, plan);
    while (n_threads < THREADS_MAX && n_threads < plan->n_steps &&
           pthread_create(&threads[n_threads], NULL, work, &run) == 0)
        n_threads++;
    if (!n_threads && plan->n_steps)
        work(&run); /* no thread to be had: this one does it all */
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    *ret_duration = clock_ns() - start;
    AUTO(err) why = NULL;
    int rc = run_recorder_done(&run.recorder, &why);
    if (!run.err && rc < 0) {
        AUTO_FREE char *text = err_lines(why);
        run_lines_error(lines, RUN_EXECUTION, text);
    }
    if (run.err) {
        const plan_step_t *step = plan->steps[run.failed];
        AUTO_FREE char *place = plan_step_place(step);
        err_wrap(&run.err, "An error occurred executing instruction (number %zu) at %s:\n%s",
                 run.failed + 1, place, step->text);
        err_wrap(&run.err, "One or more instructions failed to execute in parallel. This if the "
                           "first error that was found.");
        AUTO_FREE char *text = err_lines(run.err);
        run_lines_error(lines, RUN_EXECUTION, text);
        rc = -1;
    }
    done(&run);
    return rc;
}

static void
prepare(parallel_t *self)
{
    const size_t n = self->plan->n_steps;
    run_deps_t *deps = run_graph_new(self->plan);
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->changed);
    self->left = calloc(n + 1, sizeof(*self->left));
    self->ready = calloc(n + 1, sizeof(*self->ready));
    self->users = calloc(n + 1, sizeof(*self->users));
    for (size_t i = 0; i < n; i++) {
        self->left[i] = deps[i].count;
        if (!deps[i].count)
            self->ready[self->n_ready++] = i;
        for (size_t k = 0; k < deps[i].count; k++) {
            run_deps_t *users = &self->users[deps[i].items[k]];
            users->items = realloc(users->items, (users->count + 1) * sizeof(*users->items));
            users->items[users->count++] = i;
        }
    }
    run_graph_free(deps, n);
}

static void
done(parallel_t *self)
{
    run_graph_free(self->users, self->plan->n_steps);
    free(self->left);
    free(self->ready);
    err_destroy(&self->err);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}

static bool
stopped(void *arg)
{
    parallel_t *self = arg;
    pthread_mutex_lock(&self->lock);
    const bool failed = self->err;
    pthread_mutex_unlock(&self->lock);
    return failed || self->enclave->stopped(self->enclave->arg);
}

/* Ends early when a step has failed. */
static bool
sleep_for(void *arg, int64_t ms)
{
    parallel_t *self = arg;
    const struct timespec until = clock_after_ms(ms);
    pthread_mutex_lock(&self->lock);
    while (!self->err && pthread_cond_timedwait(&self->changed, &self->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&self->lock);
    return stopped(self);
}

/* Lines of different steps come from different threads. */
static void
locked_sink(void *arg, run_line_t *line)
{
    parallel_t *self = arg;
    pthread_mutex_lock(&self->lock);
    self->lines->sink(self->lines->arg, line);
    pthread_mutex_unlock(&self->lock);
}

static int
run_one(parallel_t *self, size_t index, size_t number, err_t **err)
{
    const plan_step_t *step = self->plan->steps[index];
    const run_lines_t lines = {locked_sink, self};
    plan_exec_t exec = {
        .world = self->enclave->world,
        .store = self->enclave->store,
        .parallelism = self->request->parallelism,
        .non_blocking = self->request->non_blocking,
        .stopped = stopped,
        .sleep = sleep_for,
        .arg = self,
    };
    int64_t duration;
    run_lines_progress(&lines, (const char *const[]){"Execution in progress", NULL}, number,
                       self->plan->n_steps, step->uuid);
    if (run_step(&exec, step, step->uuid, &lines, &duration, err) < 0)
        return -1;
    return run_recorder_add(&self->recorder, index, err);
}

static void *
work(void *arg)
{
    parallel_t *self = arg;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        while (self->next_ready == self->n_ready && self->n_running && !self->err)
            pthread_cond_wait(&self->changed, &self->lock);
        if (self->err || self->next_ready == self->n_ready)
            break;
        const size_t index = self->ready[self->next_ready++], number = ++self->n_begun;
        err_t *err = NULL;
        self->n_running++;
        pthread_mutex_unlock(&self->lock);
        const int rc = run_one(self, index, number, &err);
        pthread_mutex_lock(&self->lock);
        self->n_running--;
        for (size_t i = 0; rc == 0 && i < self->users[index].count; i++) {
            const size_t user = self->users[index].items[i];
            if (--self->left[user] == 0)
                self->ready[self->n_ready++] = user;
        }
        if (rc < 0 && !self->err) {
            self->failed = index;
            self->err = TAKE(err);
            if (self->enclave->cancel)
                self->enclave->cancel(self->enclave->arg, "another instruction has failed");
        }
        err_destroy(&err);
        pthread_cond_broadcast(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}
