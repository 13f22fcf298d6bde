#include "tests/unit/actors/stage.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>

/* What the handlers of these tests do and note down. */
typedef struct {
    actor_t *self; /* the actor, for handlers that ask */
    counter_t begun, over, cancelled, told, joined, left;
    int gate; /* eventfd-like: handlers of "gate" wait until it is opened */
    actor_call_t *kept;
    pthread_mutex_t lock;
    int at_once, most_at_once;
} notes_t;

static notes_t notes;
static stage_t *stage;

static void
count_at_once(int more)
{
    pthread_mutex_lock(&notes.lock);
    notes.at_once += more;
    if (notes.at_once > notes.most_at_once)
        notes.most_at_once = notes.at_once;
    pthread_mutex_unlock(&notes.lock);
}

static void
wait_gate(actor_call_t *call)
{
    struct pollfd fds[] = {{.fd = notes.gate, .events = POLLIN},
                           {.fd = actor_call_cancel_fd(call), .events = POLLIN}};
    poll(fds, 2, PATIENCE_MS);
    if (actor_call_cancelled(call))
        counter_add(&notes.cancelled, 1);
}

static void
reply_empty(actor_call_t *call)
{
    Orchestrator__Empty empty = ORCHESTRATOR__EMPTY__INIT;
    actor_call_reply(&call, &empty.base);
}

/* StopEnclave: what it does is in the enclave's name. */
static void
on_stop_enclave(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const char *what = ((const Orchestrator__EnclaveRef *)request)->enclave_uuid;
    err_t *error = NULL;
    (void)state;
    count_at_once(1);
    counter_add(&notes.begun, 1);
    if (strcmp(what, "gate") == 0)
        wait_gate(call);
    if (strcmp(what, "onward") == 0 &&
        ask_services(notes.self, call, UUID, PATIENCE_MS, &error) < 0) {
        counter_add(&notes.cancelled, err_code(error) == ERR_CANCELLED);
        count_at_once(-1);
        actor_call_fail(&call, &error);
        return;
    }
    count_at_once(-1);
    if (strcmp(what, "forget") == 0)
        return;
    if (strcmp(what, "wrong type") == 0) {
        Orchestrator__ImageInfo other = ORCHESTRATOR__IMAGE_INFO__INIT;
        actor_call_reply(&call, &other.base);
    } else if (strcmp(what, "wrong end") == 0) {
        actor_call_end(&call);
    } else {
        reply_empty(call);
    }
    counter_add(&notes.over, 1);
}

static void
on_keep(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    (void)request;
    notes.kept = call;
    counter_add(&notes.begun, 1);
}

static void
on_told(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)state;
    (void)request;
    counter_add(&notes.told, 1);
    reply_empty(call); /* goes nowhere */
}

static void
on_services_loop(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    Orchestrator__GetServicesReply reply = ORCHESTRATOR__GET_SERVICES_REPLY__INIT;
    (void)state;
    (void)request;
    actor_call_reply(&call, &reply.base);
}

static const actor_method_t methods[] = {
    {METHOD("StopEnclave"), ACTOR_WORKER, on_stop_enclave},
    {METHOD("DestroyEnclave"), ACTOR_LOOP, on_keep},
    {METHOD("StopEngine"), ACTOR_LOOP, on_told},
    {METHOD("GetServices"), ACTOR_LOOP, on_services_loop},
    {0},
};

static int
setup(void **state)
{
    if (stage_setup(state) < 0)
        return -1;
    stage = *state;
    notes = (notes_t){.begun = COUNTER_INIT,
                      .over = COUNTER_INIT,
                      .cancelled = COUNTER_INIT,
                      .told = COUNTER_INIT,
                      .joined = COUNTER_INIT,
                      .left = COUNTER_INIT,
                      .lock = PTHREAD_MUTEX_INITIALIZER};
    notes.gate = eventfd(0, EFD_CLOEXEC);
    return notes.gate < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
    close(notes.gate);
    return stage_teardown(state);
}

static void
open_gate(void)
{
    eventfd_write(notes.gate, 1);
}

static int
ask_stop(actor_t *actor, const char *what, int timeout_ms, err_t **err)
{
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = (char *)what;
    return actor_ask(actor, NULL, DRIVER, METHOD("StopEnclave"), &ref.base, timeout_ms, NULL, err);
}

/* Asks on threads of their own. */
typedef struct {
    pthread_t thread;
    actor_t *actor;
    const char *what;
    int timeout_ms;
    int result;
    err_t *error;
} asker_t;

static void *
asker_run(void *arg)
{
    asker_t *self = arg;
    self->result = ask_stop(self->actor, self->what, self->timeout_ms, &self->error);
    return NULL;
}

static void
asker_start(asker_t *self, actor_t *actor, const char *what, int timeout_ms)
{
    *self = (asker_t){.actor = actor, .what = what, .timeout_ms = timeout_ms};
    pthread_create(&self->thread, NULL, asker_run, self);
}

static err_code_t
asker_end(asker_t *self)
{
    pthread_join(self->thread, NULL);
    err_code_t code = self->result < 0 ? err_code(self->error) : 0;
    err_destroy(&self->error);
    return code;
}

/* ------------------------------------------------------------------------------------------ calls
 */

static atomic_int last_code;

static void
note_code(void *arg, const ProtobufCMessage *reply, const err_t *error)
{
    (void)reply;
    last_code = error ? (int)err_code(error) : 0;
    counter_add(arg, 1);
}

static void
what_goes_wrong_in_a_handler_reaches_the_asker_as_a_chain(void **state)
{
    (void)state;
    const struct {
        const char *what;
        const char *words;
    } cases[] = {
        {"forget", "cannot ask 'driver/test' for StopEnclave: the handler of "
                   "orchestrator.Orchestrator/StopEnclave returned without an answer"},
        {"wrong type", "answers with a orchestrator.ImageInfo"},
        {"wrong end", "ends it the wrong way"},
    };
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) error = NULL;
        assert_true(ask_stop(engine, cases[i].what, PATIENCE_MS, &error) < 0);
        assert_error(error, ERR_INTERNAL, cases[i].words);
    }
}

static void
a_method_that_is_not_there_is_unsupported(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor) driver = stage_actor(stage, DRIVER, NULL, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    assert_true(ask_stop(engine, "x", PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNSUPPORTED, "'driver/test' has no method");
}

static void
who_may_not_ask_is_denied(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) client = stage_actor(stage, "client/1", NULL, NULL);
    AUTO(actor) apic = stage_actor(stage, APIC, NULL, NULL);
    assert_true(ask_stop(client, "x", PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_DENIED, "'client/1' may not call");
    err_destroy(&error);
    assert_true(ask_services(apic, NULL, "ffffffffffffffffffffffffffffffff", PATIENCE_MS, &error) <
                0);
    assert_error(error, ERR_DENIED, "may only name its own enclave");
    err_destroy(&error);
    assert_true(ask_services(apic, NULL, "", PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_DENIED, "may only name its own enclave");
    err_destroy(&error);
    assert_done(ask_services(apic, NULL, UUID, PATIENCE_MS, &error), error);
}

static void
a_deadline_that_passes_is_a_timeout_and_cancels_the_handler(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    assert_true(ask_stop(engine, "gate", 50, &error) < 0);
    assert_error(error, ERR_TIMEOUT, "'driver/test' did not answer in time");
    counter_wait(&notes.cancelled, 1);
}

static void
a_call_that_is_cancelled_cancels_what_it_asked_for(void **state)
{
    (void)state;
    /* The engine asks an API container, which asks the driver on its behalf. */
    static const actor_method_t keeps[] = {{METHOD("GetServices"), ACTOR_LOOP, on_keep}, {0}};
    AUTO(actor) driver = stage_actor(stage, DRIVER, keeps, NULL);
    AUTO(actor) middle = stage_actor(stage, APIC, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    notes.self = middle;
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = (char *)"onward";
    counter_t replies = COUNTER_INIT;
    actor_ask_later(engine, NULL, APIC, METHOD("StopEnclave"), &ref.base, -1, note_code, &replies);
    counter_wait(&notes.begun, 2); /* the middle's and the driver's */
    actor_destroy(&engine);
    counter_wait(&notes.cancelled, 1);
    struct pollfd fd = {.fd = actor_call_cancel_fd(notes.kept), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_true(actor_call_cancelled(notes.kept));
    reply_empty(notes.kept);
}

static void
on_reply(void *arg, const ProtobufCMessage *reply, const err_t *error)
{
    assert_null(error);
    assert_true(reply->descriptor == &orchestrator__empty__descriptor);
    counter_add(arg, 1);
}

static void
a_kept_call_is_answered_later_from_another_thread(void **state)
{
    (void)state;
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    counter_t replies = COUNTER_INIT;
    actor_ask_later(engine, NULL, DRIVER, METHOD("DestroyEnclave"), &ref.base, PATIENCE_MS,
                    on_reply, &replies);
    counter_wait(&notes.begun, 1);
    assert_string_equal(actor_call_from(notes.kept), "engine");
    assert_string_equal(actor_call_method(notes.kept)->shortname, "DestroyEnclave");
    assert_true(actor_call_deadline(notes.kept) > clock_ns());
    assert_int_equal(counter_get(&replies), 0);
    reply_empty(notes.kept);
    counter_wait(&replies, 1);
}

static void
an_ask_without_waiting_hears_of_failure_too(void **state)
{
    (void)state;
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    counter_t replies = COUNTER_INIT;
    actor_ask_later(engine, NULL, DRIVER, METHOD("DestroyEnclave"), &ref.base, 0, note_code,
                    &replies);
    counter_wait(&replies, 1);
    assert_int_equal(last_code, ERR_UNAVAILABLE);
    actor_ask_later(engine, NULL, DRIVER, METHOD("Exec"), &ref.base, 0, note_code, &replies);
    counter_wait(&replies, 2);
    assert_int_equal(last_code, ERR_INTERNAL);
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    actor_ask_later(engine, NULL, DRIVER, METHOD("DestroyEnclave"), &ref.base, 0, note_code,
                    &replies);
    counter_wait(&notes.begun, 1);
    actor_destroy(&engine); /* nobody waits any more, and still it is told */
    counter_wait(&replies, 3);
    assert_int_equal(last_code, ERR_UNAVAILABLE);
    reply_empty(notes.kept);
}

static void
a_tell_arrives_and_nobody_waits_for_it(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    Orchestrator__StopEngineArgs args = ORCHESTRATOR__STOP_ENGINE_ARGS__INIT;
    for (int i = 0; i < 10; i++)
        assert_done(actor_tell(engine, DRIVER, METHOD("StopEngine"), &args.base, &error), error);
    counter_wait(&notes.told, 10);
    assert_done(actor_tell(engine, "driver/none", METHOD("StopEngine"), &args.base, &error), error);
    assert_done(ask_services(engine, NULL, UUID, PATIENCE_MS, &error), error);
}

/* ---------------------------------------------------------------------------------------- workers
 */

static void
no_more_workers_run_than_allowed(void **state)
{
    (void)state;
    enum { WORKERS = 3, ASKERS = 12 };
    asker_t askers[ASKERS];
    actor_config_t config = stage_config(stage, DRIVER, methods, NULL);
    config.workers_max = WORKERS;
    AUTO(actor) driver = NULL;
    assert_int_equal(actor_new(&config, &driver, NULL), 0);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    for (int i = 0; i < ASKERS; i++)
        asker_start(&askers[i], engine, "gate", PATIENCE_MS);
    counter_wait(&notes.begun, WORKERS);
    open_gate();
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(asker_end(&askers[i]), 0);
    assert_int_equal(notes.most_at_once, WORKERS);
    assert_int_equal(counter_get(&notes.begun), ASKERS);
}

static void
calls_over_the_queue_are_refused(void **state)
{
    (void)state;
    enum { QUEUE = 1024 };
    actor_config_t config = stage_config(stage, DRIVER, methods, NULL);
    config.workers_max = 1;
    AUTO(actor) driver = NULL;
    assert_int_equal(actor_new(&config, &driver, NULL), 0);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    counter_t replies = COUNTER_INIT;
    ref.enclave_uuid = (char *)"gate";
    actor_ask_later(engine, NULL, DRIVER, METHOD("StopEnclave"), &ref.base, -1, note_code,
                    &replies);
    counter_wait(&notes.begun, 1);
    for (int i = 0; i < QUEUE + 1; i++)
        actor_ask_later(engine, NULL, DRIVER, METHOD("StopEnclave"), &ref.base, -1, note_code,
                        &replies);
    counter_wait(&replies, 1);
    assert_int_equal(last_code, ERR_LIMIT);
    assert_int_equal(counter_get(&replies), 1);
    open_gate();
    counter_wait(&replies, QUEUE + 2);
    assert_int_equal(last_code, 0);
}

static void
a_call_whose_asker_gave_up_while_it_waited_is_not_begun(void **state)
{
    (void)state;
    actor_config_t config = stage_config(stage, DRIVER, methods, NULL);
    config.workers_max = 1;
    AUTO(actor) driver = NULL;
    assert_int_equal(actor_new(&config, &driver, NULL), 0);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    asker_t first;
    asker_start(&first, engine, "gate", PATIENCE_MS);
    counter_wait(&notes.begun, 1);
    assert_true(ask_stop(engine, "x", 30, NULL) < 0);
    /* An answer of the loop means that the cancel before it has been seen. */
    assert_int_equal(ask_services(engine, NULL, UUID, PATIENCE_MS, NULL), 0);
    open_gate();
    assert_int_equal(asker_end(&first), 0);
    assert_int_equal(ask_stop(engine, "y", PATIENCE_MS, NULL), 0);
    assert_int_equal(counter_get(&notes.begun), 2);
}

static void
ask_here(void *arg)
{
    AUTO(err) error = NULL;
    if (ask_services(notes.self, NULL, UUID, 0, &error) < 0 && err_code(error) == ERR_INTERNAL)
        counter_add(arg, 1);
}

static void
the_loop_must_not_wait(void **state)
{
    (void)state;
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    notes.self = engine;
    counter_t refused = COUNTER_INIT;
    actor_timer(engine, 0, 0, ask_here, &refused);
    counter_wait(&refused, 1);
}

/* ------------------------------------------------------------------------------------------- life
 */

static void
an_actor_that_cannot_join_says_why(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    actor_t *actor = NULL;
    actor_config_t config = stage_config(stage, "engine", NULL, NULL);
    config.endpoint = "ipc:///tmp/kurtosis-nobody-listens-here";
    int64_t began = clock_ns();
    assert_true(actor_new(&config, &actor, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE,
                 "cannot start the actor 'engine': 'engine' cannot join the bus");
    assert_true(clock_ns() - began < AT_ONCE);
    err_destroy(&error);
    config = stage_config(stage, "engine", NULL, NULL);
    bus_keys_new(&config.keys);
    assert_true(actor_new(&config, &actor, &error) < 0);
    assert_error(error, ERR_DENIED, "may not be called 'engine'");
    err_destroy(&error);
    static const actor_method_t wrong[] = {{"no.Such/Method", ACTOR_LOOP, on_keep}, {0}};
    config = stage_config(stage, "engine", wrong, NULL);
    assert_true(actor_new(&config, &actor, &error) < 0);
    assert_error(error, ERR_INTERNAL, "the schema has no method 'no.Such/Method'");
}

static void
on_bus(void *state, bool joined)
{
    (void)state;
    counter_add(joined ? &notes.joined : &notes.left, 1);
}

static void
an_actor_outlives_its_broker_and_is_back_with_the_next(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    actor_config_t config = stage_config(stage, "engine", NULL, NULL);
    config.on_bus = on_bus;
    AUTO(actor) engine = NULL;
    assert_int_equal(actor_new(&config, &engine, NULL), 0);
    AUTO(actor) driver = stage_actor(stage, DRIVER, methods, NULL);
    asker_t asker;
    asker_start(&asker, engine, "gate", PATIENCE_MS);
    counter_wait(&notes.begun, 1);
    stage_stop(stage);
    assert_int_equal(asker_end(&asker), ERR_UNAVAILABLE);
    counter_wait(&notes.cancelled, 1); /* the handler, too, knows that nobody hears its answer */
    counter_wait(&notes.left, 1);
    assert_true(ask_stop(engine, "x", PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "no connection to the broker");
    stage_start(stage);
    counter_wait(&notes.joined, 2);
    assert_int_equal(bus_broker_wait_peer(stage->broker, DRIVER, PATIENCE_MS, NULL), 0);
    assert_int_equal(ask_stop(engine, "x", PATIENCE_MS, NULL), 0);
}

static void *
destroy(void *arg)
{
    actor_destroy(arg);
    return NULL;
}

static void
a_draining_actor_ends_what_runs_and_refuses_what_comes(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    actor_t *driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    asker_t asker;
    asker_start(&asker, engine, "gate", PATIENCE_MS);
    counter_wait(&notes.begun, 1);
    int stopping = actor_stopping_fd(driver);
    assert_false(actor_stopping(driver));
    pthread_t thread;
    pthread_create(&thread, NULL, destroy, &driver);
    struct pollfd fd = {.fd = stopping, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_true(ask_stop(engine, "x", PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "'driver/test' is stopping");
    open_gate();
    assert_int_equal(asker_end(&asker), 0); /* the running one was allowed to end */
    pthread_join(thread, NULL);
    assert_int_equal(counter_get(&notes.cancelled), 0);
}

static void
a_drain_that_takes_too_long_is_cancelled(void **state)
{
    (void)state;
    actor_t *driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    asker_t asker;
    asker_start(&asker, engine, "gate", PATIENCE_MS);
    counter_wait(&notes.begun, 1);
    actor_set_drain(driver, 20);
    int64_t began = clock_ns();
    actor_destroy(&driver);
    assert_true(clock_ns() - began < AT_ONCE);
    assert_int_equal(counter_get(&notes.cancelled), 1);
    assert_int_equal(asker_end(&asker), 0); /* it answered all the same */
}

static void
a_call_kept_beyond_the_end_may_still_be_answered(void **state)
{
    (void)state;
    actor_t *driver = stage_actor(stage, DRIVER, methods, NULL);
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    counter_t replies = COUNTER_INIT;
    actor_ask_later(engine, NULL, DRIVER, METHOD("DestroyEnclave"), &ref.base, 0, note_code,
                    &replies);
    counter_wait(&notes.begun, 1);
    actor_set_drain(driver, 0);
    actor_destroy(&driver);
    counter_wait(&replies, 1);
    assert_int_equal(last_code, ERR_UNAVAILABLE);
    assert_true(actor_call_cancelled(notes.kept));
    reply_empty(notes.kept);
}

static void
tick(void *arg)
{
    counter_add(arg, 1);
}

static void
timers_run_in_order_and_can_be_stopped(void **state)
{
    (void)state;
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    counter_t fast = COUNTER_INIT, once = COUNTER_INIT, never = COUNTER_INIT;
    int repeating = actor_timer(engine, 1, 1, tick, &fast);
    int stopped = actor_timer(engine, 60000, 0, tick, &never);
    actor_timer(engine, 5, 0, tick, &once);
    assert_true(repeating > 0 && stopped > repeating);
    counter_wait(&fast, 10);
    counter_wait(&once, 1);
    actor_timer_stop(engine, repeating);
    actor_timer_stop(engine, stopped);
    actor_timer_stop(engine, 12345);
    int then = 0;
    counter_t after = COUNTER_INIT;
    actor_timer(engine, 0, 0, tick, &after); /* behind the stops */
    counter_wait(&after, 1);
    then = counter_get(&fast);
    actor_timer(engine, 20, 0, tick, &after);
    counter_wait(&after, 2);
    assert_int_equal(counter_get(&fast), then);
    assert_int_equal(counter_get(&once), 1);
    assert_int_equal(counter_get(&never), 0);
}

static void
nothing(void *arg)
{
    (void)arg;
}

static void
timers_over_the_limit_are_refused(void **state)
{
    (void)state;
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    for (int i = 0; i < 1024; i++)
        assert_true(actor_timer(engine, 60000, 0, nothing, NULL) > 0);
    assert_int_equal(actor_timer(engine, 60000, 0, nothing, NULL), -1);
}

static void
until_stopped(void *arg)
{
    struct pollfd fd = {.fd = actor_stopping_fd(notes.self), .events = POLLIN};
    counter_add(&notes.begun, 1);
    poll(&fd, 1, PATIENCE_MS);
    counter_add(arg, 1);
}

static void
short_lived(void *arg)
{
    counter_add(arg, 1);
}

/* A thread that has done its work counts until it has ended, too. */
static void
spawn_in_time(actor_t *actor, void (*fn)(void *arg), void *arg)
{
    int64_t until = clock_ns() + PATIENCE_MS * NS_PER_MS;
    while (actor_spawn(actor, fn, arg, NULL) < 0 && clock_ns() < until)
        sched_yield();
}

static void
threads_of_an_actor_end_with_it(void **state)
{
    (void)state;
    actor_t *engine = stage_actor(stage, "engine", NULL, NULL);
    notes.self = engine;
    counter_t ended = COUNTER_INIT, done = COUNTER_INIT;
    /* Those that have ended do not count: more than the limit can have been there. */
    for (int i = 0; i < 200; i++)
        spawn_in_time(engine, short_lived, &done);
    counter_wait(&done, 200);
    for (int i = 0; i < 3; i++)
        spawn_in_time(engine, until_stopped, &ended);
    counter_wait(&notes.begun, 3);
    assert_int_equal(counter_get(&ended), 0);
    actor_destroy(&engine);
    assert_int_equal(counter_get(&ended), 3);
}

static void
threads_over_the_limit_are_refused(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor) engine = stage_actor(stage, "engine", NULL, NULL);
    counter_t ended = COUNTER_INIT;
    notes.self = engine;
    for (int i = 0; i < 64; i++)
        assert_done(actor_spawn(engine, until_stopped, &ended, &error), error);
    assert_true(actor_spawn(engine, until_stopped, &ended, &error) < 0);
    assert_error(error, ERR_LIMIT, "'engine' cannot start a thread beside its 64");
    counter_wait(&notes.begun, 64);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_goes_wrong_in_a_handler_reaches_the_asker_as_a_chain),
        TEST(a_method_that_is_not_there_is_unsupported),
        TEST(who_may_not_ask_is_denied),
        TEST(a_deadline_that_passes_is_a_timeout_and_cancels_the_handler),
        TEST(a_call_that_is_cancelled_cancels_what_it_asked_for),
        TEST(a_kept_call_is_answered_later_from_another_thread),
        TEST(an_ask_without_waiting_hears_of_failure_too),
        TEST(a_tell_arrives_and_nobody_waits_for_it),
        TEST(no_more_workers_run_than_allowed),
        TEST(calls_over_the_queue_are_refused),
        TEST(a_call_whose_asker_gave_up_while_it_waited_is_not_begun),
        TEST(the_loop_must_not_wait),
        TEST(an_actor_that_cannot_join_says_why),
        TEST(an_actor_outlives_its_broker_and_is_back_with_the_next),
        TEST(a_draining_actor_ends_what_runs_and_refuses_what_comes),
        TEST(a_drain_that_takes_too_long_is_cancelled),
        TEST(a_call_kept_beyond_the_end_may_still_be_answered),
        TEST(timers_run_in_order_and_can_be_stopped),
        TEST(timers_over_the_limit_are_refused),
        TEST(threads_of_an_actor_end_with_it),
        TEST(threads_over_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
