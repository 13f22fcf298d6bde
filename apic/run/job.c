/*  job: a run's thread and its queue of lines. */
#include "apic/run/job.h"

#include "apic/run/run.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

typedef struct item {
    struct item *next;
    run_line_t *line;
    size_t size;
} item_t;

/* Freed by whoever goes last, the thread or the reader. */
struct run_job {
    void (*work)(void *arg, const run_lines_t *lines);
    void *arg;
    pthread_mutex_t lock; /* of what follows */
    int event;            /* eventfd: readable when there is something to see for the reader */
    item_t *first, **last;
    pthread_cond_t room; /* lines were taken, or nobody takes any more */
    size_t bytes;        /* of the lines in the queue */
    bool is_slow;        /* the reader has taken nothing for RUN_LINES_PATIENCE_MS */
    size_t dropped;      /* lines that were left out since the last one that was kept */
    bool is_over, is_left;
};

static void *thread(void *arg);
static run_sink_fn on_line;

int
run_job_new(void (*work)(void *arg, const run_lines_t *lines), void *arg, run_job_t **ret_job,
            err_t **err)
{
    run_job_t *self = calloc(1, sizeof(*self));
    pthread_t id;
    pthread_attr_t attributes;
    self->work = work;
    self->arg = arg;
    self->last = &self->first;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&self->room, &clock);
    pthread_condattr_destroy(&clock);
    self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int failed = self->event < 0 ? errno : pthread_create(&id, &attributes, thread, self);
    pthread_attr_destroy(&attributes);
    if (failed) {
        self->is_over = true;
        run_job_leave(&self);
        return err_fail(err, ERR_LIMIT, "no thread can be started for a run: %s", strerror(failed));
    }
    *ret_job = self;
    return 0;
}

static void
item_free(item_t *item)
{
    if (item->line)
        protobuf_c_message_free_unpacked(&item->line->base, NULL);
    free(item);
}

static void
job_free(run_job_t *self)
{
    while (self->first) {
        item_t *item = self->first;
        self->first = item->next;
        item_free(item);
    }
    if (self->event >= 0)
        close(self->event);
    pthread_cond_destroy(&self->room);
    pthread_mutex_destroy(&self->lock);
    free(self);
    malloc_trim(0); /* a run is the largest thing this process ever holds */
}

static void
wake(run_job_t *self)
{
    eventfd_write(self->event, 1);
}

/* Takes the first line out; *ret_over says that there will be none any more. */
static run_line_t *
take(run_job_t *self, bool *ret_over)
{
    run_line_t *line = NULL;
    pthread_mutex_lock(&self->lock);
    item_t *item = self->first;
    if (item) {
        self->first = item->next;
        if (!self->first)
            self->last = &self->first;
        self->bytes -= item->size;
        self->is_slow = false;
        if (self->bytes < RUN_LINES_AHEAD / 2)
            pthread_cond_signal(&self->room);
        line = TAKE(item->line);
    }
    *ret_over = self->is_over;
    pthread_mutex_unlock(&self->lock);
    if (item)
        item_free(item);
    return line;
}

run_line_t *
run_job_next(run_job_t *self, int cancel_fd)
{
    for (;;) {
        bool is_over;
        eventfd_t unused;
        run_line_t *line = take(self, &is_over);
        if (line || is_over)
            return line;
        struct pollfd fds[] = {{self->event, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
        if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        eventfd_read(self->event, &unused);
    }
}

void
run_job_leave(run_job_t **self_p)
{
    run_job_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->is_left = true;
    pthread_cond_signal(&self->room);
    const bool is_last = self->is_over;
    pthread_mutex_unlock(&self->lock);
    if (is_last)
        job_free(self);
}

static void *
thread(void *arg)
{
    run_job_t *self = arg;
    const run_lines_t lines = {on_line, self};
    self->work(self->arg, &lines);
    pthread_mutex_lock(&self->lock);
    self->is_over = true;
    const bool is_last = self->is_left;
    wake(self);
    pthread_mutex_unlock(&self->lock);
    if (is_last)
        job_free(self);
    return NULL;
}

/* Errors and the end are kept whatever the queue holds. */
static bool
is_needed(const run_line_t *line)
{
    return line->run_response_line_case ==
               API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR ||
           line->run_response_line_case ==
               API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT;
}

/* A run does not go far ahead of a reader who keeps reading: memory is shorter than time. It does
 * not wait for one who has stopped. */
static void
wait_for_reader(run_job_t *self)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RUN_LINES_PATIENCE_MS / 1000;
    while (self->bytes > RUN_LINES_AHEAD && !self->is_left && !self->is_slow)
        self->is_slow = pthread_cond_timedwait(&self->room, &self->lock, &until) == ETIMEDOUT;
}

static void
append(run_job_t *self, run_line_t *line, size_t size)
{
    item_t *item = malloc(sizeof(*item));
    *item = (item_t){NULL, line, size};
    *self->last = item;
    self->last = &item->next;
    self->bytes += size;
}

static void
forward(void *arg, run_line_t *line)
{
    append(arg, line, 0);
}

static void
on_line(void *arg, run_line_t *line)
{
    run_job_t *self = arg;
    const size_t size = protobuf_c_message_get_packed_size(&line->base);
    pthread_mutex_lock(&self->lock);
    wait_for_reader(self);
    const bool is_full = self->bytes + size > RUN_LINES_MAX && !is_needed(line);
    if (self->is_left || is_full) {
        self->dropped += is_full;
        protobuf_c_message_free_unpacked(&line->base, NULL);
    } else {
        if (self->dropped) {
            AUTO_FREE char *text = str_format("%zu lines were left out here, for they came faster "
                                              "than they were read",
                                              self->dropped);
            self->dropped = 0;
            wake(self);
            run_lines_warning(&(run_lines_t){forward, self}, text);
        }
        if (!self->first)
            wake(self);
        append(self, line, size);
    }
    pthread_mutex_unlock(&self->lock);
}
