#include "tests/unit/actors/stage.h"

#include <poll.h>
#include <pthread.h>

static void
on_services(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const Orchestrator__GetServicesArgs *args = (const Orchestrator__GetServicesArgs *)request;
    Orchestrator__ServiceInfo info = ORCHESTRATOR__SERVICE_INFO__INIT;
    Orchestrator__ServiceInfo *list[] = {&info};
    Orchestrator__GetServicesReply reply = ORCHESTRATOR__GET_SERVICES_REPLY__INIT;
    (void)state;
    info.enclave_uuid = args->enclave_uuid;
    info.name = (char *)actor_call_from(call);
    reply.n_services = 1;
    reply.services = list;
    actor_call_reply(&call, &reply.base);
}

static const actor_method_t worker_methods[] = {
    {METHOD("GetServices"), ACTOR_WORKER, on_services},
    {0},
};
static const actor_method_t loop_methods[] = {
    {METHOD("GetServices"), ACTOR_LOOP, on_services},
    {0},
};

static void
ask_works(stage_t *self, const actor_method_t *methods)
{
    AUTO(actor) driver = stage_actor(self, DRIVER, methods, NULL);
    AUTO(actor) apic = stage_actor(self, APIC, NULL, NULL);
    for (int i = 0; i < 100; i++) {
        AUTO(err) error = NULL;
        AUTO_MESSAGE ProtobufCMessage *message = NULL;
        Orchestrator__GetServicesArgs args = ORCHESTRATOR__GET_SERVICES_ARGS__INIT;
        args.enclave_uuid = (char *)UUID;
        assert_done(actor_ask(apic, NULL, DRIVER, METHOD("GetServices"), &args.base, PATIENCE_MS,
                              &message, &error),
                    error);
        const Orchestrator__GetServicesReply *reply =
            (const Orchestrator__GetServicesReply *)message;
        assert_int_equal(reply->n_services, 1);
        assert_string_equal(reply->services[0]->enclave_uuid, UUID);
        assert_string_equal(reply->services[0]->name, APIC);
    }
}

static void
an_ask_is_answered_by_a_worker(void **state)
{
    ask_works(*state, worker_methods);
}

static void
an_ask_is_answered_on_the_loop(void **state)
{
    ask_works(*state, loop_methods);
}

static void
an_actor_in_the_process_of_the_broker_is_reached_over_inproc(void **state)
{
    stage_t *self = *state;
    actor_config_t config = stage_config(self, DRIVER, worker_methods, NULL);
    config.endpoint = "inproc://stage";
    AUTO(actor) driver = NULL;
    AUTO(actor) apic = stage_actor(self, APIC, NULL, NULL);
    assert_int_equal(actor_new(&config, &driver, NULL), 0);
    assert_int_equal(ask_services(apic, NULL, UUID, PATIENCE_MS, NULL), 0);
    /* A clean end is noticed at once here, too. */
    AUTO(err) error = NULL;
    actor_destroy(&driver);
    assert_true(ask_services(apic, NULL, UUID, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "'driver/test' is not on the bus");
    assert_int_equal(actor_new(&config, &driver, NULL), 0);
    assert_int_equal(ask_services(apic, NULL, UUID, PATIENCE_MS, NULL), 0);
}

typedef struct {
    actor_t *actor;
    actor_call_t *within;
    err_t *err;
} scoped_t;

static void *
ask_within(void *arg)
{
    scoped_t *self = arg;
    assert_true(ask_services(self->actor, self->within, UUID, PATIENCE_MS, &self->err) < 0);
    return NULL;
}

/* Keeps its calls for ever. */
static void
on_services_never(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    struct pollfd cancel = {.fd = actor_call_cancel_fd(call), .events = POLLIN};
    (void)request;
    counter_add(state, 1);
    poll(&cancel, 1, PATIENCE_MS);
    counter_add(state, actor_call_cancelled(call) ? 10 : 0);
    AUTO(err) error = NULL;
    err_fail(&error, ERR_CANCELLED, "given up");
    actor_call_fail(&call, &error);
}

static void
what_is_asked_within_a_scope_can_be_called_off(void **state)
{
    stage_t *self = *state;
    static const actor_method_t methods[] = {
        {METHOD("GetServices"), ACTOR_WORKER, on_services_never},
        {0},
    };
    counter_t counter = COUNTER_INIT;
    AUTO(actor) driver = stage_actor(self, DRIVER, methods, &counter);
    AUTO(actor) apic = stage_actor(self, APIC, NULL, NULL);
    actor_call_t *outer = actor_scope_new(apic, NULL), *inner = actor_scope_new(apic, outer);
    scoped_t asks[] = {{.actor = apic, .within = outer}, {.actor = apic, .within = inner}};
    pthread_t threads[ARRAY_LEN(asks)];
    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_within, &asks[i]), 0);
    counter_wait(&counter, 2);
    assert_false(actor_call_cancelled(inner));
    actor_scope_cancel(outer, "no more");
    for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
        pthread_join(threads[i], NULL);
        assert_error(asks[i].err, ERR_CANCELLED, "no more");
        err_destroy(&asks[i].err);
    }
    counter_wait(&counter, 22); /* the other side has heard of it */
    struct pollfd seen = {.fd = actor_call_cancel_fd(inner), .events = POLLIN};
    assert_int_equal(poll(&seen, 1, 0), 1);
    /* what comes later is refused at once, as is a scope within */
    AUTO(err) error = NULL;
    AUTO(err) late_error = NULL;
    actor_call_t *late = actor_scope_new(apic, outer);
    assert_true(ask_services(apic, inner, UUID, PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_CANCELLED, "no more");
    assert_true(ask_services(apic, late, UUID, PATIENCE_MS, &late_error) < 0);
    assert_error(late_error, ERR_CANCELLED, "no more");
    actor_scope_destroy(&late);
    actor_scope_destroy(&inner);
    actor_scope_destroy(&outer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_ask_is_answered_by_a_worker, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(an_ask_is_answered_on_the_loop, stage_setup,
                                        stage_teardown),
        cmocka_unit_test_setup_teardown(
            an_actor_in_the_process_of_the_broker_is_reached_over_inproc, stage_setup,
            stage_teardown),
        cmocka_unit_test_setup_teardown(what_is_asked_within_a_scope_can_be_called_off, stage_setup,
                                        stage_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
