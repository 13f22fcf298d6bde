/*  actor: birth, the loop thread, timers, threads, drain and death. See actors.h. */
#include "actors/inside.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/eventfd.h>

struct timer {
    bus_timer_t timer;
    struct timer *next;
    actor_t *actor;
    int id;
    int repeat_ms;
    void (*fn)(void *arg);
    void *arg;
};

static const actor_method_t no_methods[] = {{0}};

/* -------------------------------------------------------------------------------------- holders */

void
actor_hold(actor_t *self)
{
    atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
}

static void
actor_free(actor_t *self)
{
    bus_table_done(&self->methods);
    free(self->entries);
    err_destroy(&self->join_error);
    if (self->wake_fd >= 0)
        close(self->wake_fd);
    if (self->stop_fd >= 0)
        close(self->stop_fd);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    pthread_cond_destroy(&self->work);
    free(self->name);
    free(self);
}

void
actor_unhold(actor_t *self)
{
    if (atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) == 1)
        actor_free(self);
}

bool
actor_wait(actor_t *self, pthread_cond_t *cond, int64_t until)
{
    struct timespec deadline = {until / NS_PER_SECOND, until % NS_PER_SECOND};
    if (!until)
        return pthread_cond_wait(cond, &self->lock) == 0;
    return pthread_cond_timedwait(cond, &self->lock, &deadline) == 0;
}

bool
actor_on_loop(const actor_t *self)
{
    return pthread_equal(pthread_self(), self->loop);
}

void
actor_mind_time(const actor_t *self, const char *what, int64_t began)
{
    int64_t took = (clock_coarse_ns() - began) / NS_PER_MS;
    if (took >= ACTOR_SLOW_MS)
        log_warn("actor.slow", "name=%s callback=%s ms=%lld", self->name, what, (long long)took);
}

/* ---------------------------------------------------------------------------------------- posts */

void
actor_post(actor_t *self, post_t post)
{
    if (self->closed) {
        zmq_msg_close(&post.msg); /* does nothing to one that was never made */
        return;
    }
    post_t *copy = malloc(sizeof *copy);
    if (!copy)
        abort();
    *copy = post;
    copy->next = NULL;
    if (copy->line)
        line_hold(copy->line);
    *self->posts_end = copy;
    self->posts_end = &copy->next;
    if (self->asleep) {
        self->asleep = false;
        eventfd_write(self->wake_fd, 1);
    }
}

static post_t *
take_posts(actor_t *self)
{
    post_t *posts = self->posts;
    self->posts = NULL;
    self->posts_end = &self->posts;
    return posts;
}

static void
post_free(post_t *post)
{
    zmq_msg_close(&post->msg);
    if (post->line)
        line_unhold(post->line);
    free(post);
}

void
actor_run_posts(actor_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->asleep = false;
    post_t *post = take_posts(self);
    pthread_mutex_unlock(&self->lock);
    while (post) {
        post_t *next = post->next;
        post->fn(self, post);
        post_free(post);
        post = next;
    }
}

/* ---------------------------------------------------------------------------------------- the loop
 */

static void
on_bus(void *arg, bool joined)
{
    actor_t *self = arg;
    int64_t began = clock_coarse_ns();
    if (self->on_bus)
        self->on_bus(self->state, joined);
    actor_mind_time(self, "on_bus", began);
}

static void
turn(actor_t *self)
{
    struct pollfd fds[BUS_PEER_FDS + 1];
    bus_peer_fds(self->peer, fds);
    fds[BUS_PEER_FDS] = (struct pollfd){.fd = self->wake_fd, .events = POLLIN};
    pthread_mutex_lock(&self->lock);
    bool sleeps = self->asleep = !self->posts && !self->closing;
    pthread_mutex_unlock(&self->lock);
    int wait = sleeps ? bus_timers_wait_ms(bus_peer_timers(self->peer), clock_ns()) : 0;
    poll(fds, BUS_PEER_FDS + 1, wait);
    eventfd_t value;
    if (fds[BUS_PEER_FDS].revents)
        eventfd_read(self->wake_fd, &value);
    actor_run_posts(self);
    for (bool more = bus_peer_dispatch(self->peer, fds); more;) {
        actor_run_posts(self);
        more = bus_peer_dispatch(self->peer, NULL);
    }
}

static void
timers_clear(actor_t *self)
{
    for (struct timer *timer; (timer = self->timers);) {
        self->timers = timer->next;
        bus_timers_remove(bus_peer_timers(self->peer), &timer->timer);
        free(timer);
    }
}

/* After this no post runs any more; what was posted too late is thrown away. */
static void
close_loop(actor_t *self)
{
    actor_run_posts(self);
    timers_clear(self);
    bus_peer_destroy(&self->peer);
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    post_t *post = take_posts(self);
    pthread_mutex_unlock(&self->lock);
    while (post) {
        post_t *next = post->next;
        if (post->line)
            line_drop(post->line);
        free(post->timer);
        post_free(post);
        post = next;
    }
}

static void *
run(void *arg)
{
    actor_t *self = arg;
    err_t *error = NULL;
    int joined = bus_peer_join(self->peer, self->connect_ms, &error);
    pthread_mutex_lock(&self->lock);
    self->join_error = error;
    self->phase = joined < 0 ? ACTOR_FAILED : ACTOR_RUNNING;
    self->closing |= joined < 0;
    pthread_cond_broadcast(&self->changed);
    bool closing = self->closing;
    pthread_mutex_unlock(&self->lock);
    while (bus_peer_dispatch(self->peer, NULL))
        continue;
    while (!closing) {
        turn(self);
        pthread_mutex_lock(&self->lock);
        closing = self->closing;
        pthread_mutex_unlock(&self->lock);
    }
    close_loop(self);
    return NULL;
}

/* ---------------------------------------------------------------------------------------- birth */

static int
add_methods(actor_t *self, const actor_method_t *methods, err_t **err)
{
    size_t count = 0;
    while (methods[count].method)
        count++;
    self->entries = calloc(count + 1, sizeof *self->entries);
    if (!self->entries)
        abort();
    for (size_t i = 0; i < count; i++) {
        entry_t *entry = &self->entries[i];
        entry->handler = &methods[i];
        entry->method = bus_method_find(methods[i].method);
        if (!entry->method)
            return err_fail(err, ERR_INTERNAL, "the schema has no method '%s'", methods[i].method);
        bus_table_put(&self->methods, &entry->link,
                      bus_hash(methods[i].method, strlen(methods[i].method)));
    }
    return 0;
}

static int
start(actor_t *self, const actor_config_t *config, err_t **err)
{
    bus_peer_config_t peer = {.name = config->name,
                              .program = config->program,
                              .endpoint = config->endpoint,
                              .broker_key = config->broker_key,
                              .keys = &config->keys,
                              .on_call = call_on_frame,
                              .on_bus = on_bus,
                              .arg = self};
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->wake_fd < 0 || self->stop_fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot make a descriptor: %s", strerror(errno));
    if (add_methods(self, config->methods ? config->methods : no_methods, err) < 0 ||
        bus_peer_new(&peer, &self->peer, err) < 0)
        return -1;
    pthread_mutex_lock(&self->lock); /* so that the loop sees self->loop */
    int failed = pthread_create(&self->loop, NULL, run, self);
    while (!failed && self->phase == ACTOR_JOINING)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    if (failed) {
        bus_peer_destroy(&self->peer);
        return err_fail(err, ERR_LIMIT, "cannot start a thread: %s", strerror(failed));
    }
    if (self->phase == ACTOR_RUNNING)
        return 0;
    pthread_join(self->loop, NULL);
    if (err)
        *err = TAKE(self->join_error);
    return -1;
}

int
actor_new(const actor_config_t *config, actor_t **ret_actor, err_t **err)
{
    actor_t *self = calloc(1, sizeof *self);
    if (!self || !(self->name = strdup(config->name)))
        abort();
    atomic_init(&self->holders, 1);
    self->state = config->state;
    self->on_bus = config->on_bus;
    self->workers_max = config->workers_max ? config->workers_max : ACTOR_WORKERS;
    self->connect_ms = config->connect_timeout_ms ? config->connect_timeout_ms : ACTOR_CONNECT_MS;
    self->drain_ms = ACTOR_DRAIN_MS;
    randombytes_buf(&self->traces, sizeof self->traces);
    self->posts_end = &self->posts;
    self->jobs_end = &self->jobs;
    self->wake_fd = self->stop_fd = -1;
    pthread_mutex_init(&self->lock, NULL);
    clock_cond_init(&self->changed);
    clock_cond_init(&self->work);
    if (start(self, config, err) < 0) {
        err_wrap(err, "cannot start the actor '%s'", config->name);
        actor_unhold(self);
        return -1;
    }
    *ret_actor = self;
    return 0;
}

/* ---------------------------------------------------------------------------------------- death */

static void
post_cancel_all(actor_t *self, post_t *post)
{
    (void)post;
    call_cancel_all(self);
}

static void
join_spawned(actor_t *self)
{
    pthread_mutex_lock(&self->lock);
    spawned_t *all = TAKE(self->spawned);
    pthread_mutex_unlock(&self->lock);
    for (spawned_t *at = all, *next; at; at = next) {
        next = at->next;
        pthread_join(at->thread, NULL);
        free(at);
    }
}

void
actor_destroy(actor_t **self_p)
{
    actor_t *self = TAKE(*self_p);
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    eventfd_write(self->stop_fd, 1);
    int64_t until = clock_ns() + self->drain_ms * NS_PER_MS;
    while (self->calls && actor_wait(self, &self->changed, until))
        continue;
    self->cancelled = true;
    actor_post(self, (post_t){.fn = post_cancel_all});
    pthread_cond_broadcast(&self->work);
    while (self->workers)
        actor_wait(self, &self->changed, 0);
    pthread_mutex_unlock(&self->lock);
    join_spawned(self);
    pthread_mutex_lock(&self->lock);
    self->closing = true;
    if (self->asleep)
        eventfd_write(self->wake_fd, 1);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->loop, NULL);
    actor_unhold(self);
}

void
actor_set_drain(actor_t *self, int drain_ms)
{
    pthread_mutex_lock(&self->lock);
    self->drain_ms = drain_ms;
    pthread_mutex_unlock(&self->lock);
}

int
actor_stopping_fd(const actor_t *self)
{
    return self->stop_fd;
}

bool
actor_stopping(const actor_t *self)
{
    actor_t *locked = (actor_t *)self;
    pthread_mutex_lock(&locked->lock);
    bool stopping = self->stopping;
    pthread_mutex_unlock(&locked->lock);
    return stopping;
}

const char *
actor_name(const actor_t *self)
{
    return self->name;
}

/* --------------------------------------------------------------------------------------- timers */

static void
timer_drop(struct timer *timer)
{
    actor_t *actor = timer->actor;
    for (struct timer **at = &actor->timers; *at; at = &(*at)->next)
        if (*at == timer) {
            *at = timer->next;
            break;
        }
    bus_timers_remove(bus_peer_timers(actor->peer), &timer->timer);
    pthread_mutex_lock(&actor->lock);
    actor->timers_count--;
    pthread_mutex_unlock(&actor->lock);
    free(timer);
}

static void
on_timer(bus_timer_t *due)
{
    struct timer *timer = BUS_OF(struct timer, timer, due);
    actor_t *actor = timer->actor;
    void (*fn)(void *arg) = timer->fn;
    void *arg = timer->arg;
    if (timer->repeat_ms > 0)
        bus_timers_set(bus_peer_timers(actor->peer), due,
                       clock_ns() + timer->repeat_ms * NS_PER_MS);
    else
        timer_drop(timer);
    int64_t began = clock_coarse_ns();
    fn(arg); /* it may stop its own timer */
    actor_mind_time(actor, "timer", began);
}

static void
post_timer(actor_t *self, post_t *post)
{
    struct timer *timer = TAKE(post->timer);
    timer->next = self->timers;
    self->timers = timer;
    bus_timers_set(bus_peer_timers(self->peer), &timer->timer, post->when);
}

static bool
timer_stop(actor_t *self, int id)
{
    for (struct timer *at = self->timers; at; at = at->next)
        if (at->id == id) {
            timer_drop(at);
            return true;
        }
    return false;
}

static void
post_timer_stop(actor_t *self, post_t *post)
{
    timer_stop(self, (int)post->number);
}

int
actor_timer(actor_t *self, int delay_ms, int repeat_ms, void (*fn)(void *arg), void *arg)
{
    struct timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        abort();
    timer->timer.fn = on_timer;
    timer->actor = self;
    timer->repeat_ms = repeat_ms;
    timer->fn = fn;
    timer->arg = arg;
    pthread_mutex_lock(&self->lock);
    int id = -1;
    if (self->timers_count < ACTOR_TIMERS_MAX && !self->closed) {
        self->timers_count++;
        id = timer->id = ++self->timer_id;
        actor_post(self, (post_t){.fn = post_timer,
                                  .timer = TAKE(timer),
                                  .when = clock_ns() + delay_ms * NS_PER_MS});
    }
    pthread_mutex_unlock(&self->lock);
    free(timer);
    return id;
}

void
actor_timer_stop(actor_t *self, int id)
{
    /* On the loop thread at once, unless its start is still posted: then the stop comes behind it.
     */
    if (actor_on_loop(self) && timer_stop(self, id))
        return;
    pthread_mutex_lock(&self->lock);
    actor_post(self, (post_t){.fn = post_timer_stop, .number = (uint32_t)id});
    pthread_mutex_unlock(&self->lock);
}

/* -------------------------------------------------------------------------------------- threads */

static void *
spawned_run(void *arg)
{
    spawned_t *self = arg;
    self->fn(self->arg);
    pthread_mutex_lock(&self->actor->lock);
    self->done = true;
    pthread_mutex_unlock(&self->actor->lock);
    return NULL;
}

/* Joins those that have ended. Under lock. */
static void
reap_spawned(actor_t *self)
{
    for (spawned_t **at = &self->spawned; *at;) {
        spawned_t *spawned = *at;
        if (!spawned->done) {
            at = &spawned->next;
            continue;
        }
        *at = spawned->next;
        self->spawned_count--;
        pthread_join(spawned->thread, NULL);
        free(spawned);
    }
}

int
actor_spawn(actor_t *self, void (*fn)(void *arg), void *arg, err_t **err)
{
    spawned_t *spawned = calloc(1, sizeof *spawned);
    if (!spawned)
        abort();
    *spawned = (spawned_t){.fn = fn, .arg = arg, .actor = self};
    pthread_mutex_lock(&self->lock);
    reap_spawned(self);
    int failed = EAGAIN;
    if (self->spawned_count < ACTOR_THREADS_MAX && !self->stopping)
        failed = pthread_create(&spawned->thread, NULL, spawned_run, spawned);
    if (!failed) {
        spawned->next = self->spawned;
        self->spawned = spawned;
        self->spawned_count++;
    }
    unsigned count = self->spawned_count;
    pthread_mutex_unlock(&self->lock);
    if (!failed)
        return 0;
    free(spawned);
    return err_fail(err, ERR_LIMIT, "'%s' cannot start a thread beside its %u", self->name, count);
}
