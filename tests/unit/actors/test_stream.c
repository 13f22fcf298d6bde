#include "tests/unit/actors/stage.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>

/* The driver of these tests; what it does is in the request, so that no state is shared. */
typedef struct {
    counter_t sent, received, cancelled, ended;
} driver_t;

/* Exec: command {"count", n} sends n pieces numbered in exit_code; {"fail", n} fails after n;
 * {"wait"} sends one and waits to be cancelled. */
static void
on_exec(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    driver_t *driver = state;
    const Orchestrator__ExecArgs *args = (const Orchestrator__ExecArgs *)request;
    Orchestrator__ExecOutput item = ORCHESTRATOR__EXEC_OUTPUT__INIT;
    err_t *error = NULL;
    int count = args->n_command > 1 ? atoi(args->command[1]) : 1;
    for (int i = 0; i < count; i++) {
        item.exit_code = i;
        if (actor_call_send(call, &item.base, &error) < 0) {
            counter_add(&driver->cancelled, 1);
            actor_call_fail(&call, &error);
            return;
        }
        counter_add(&driver->sent, 1);
    }
    if (strcmp(args->command[0], "wait") == 0) {
        struct pollfd fd = {.fd = actor_call_cancel_fd(call), .events = POLLIN};
        if (poll(&fd, 1, PATIENCE_MS) == 1 && actor_call_cancelled(call))
            counter_add(&driver->cancelled, 1);
    }
    if (strcmp(args->command[0], "fail") == 0) {
        err_fail(&error, ERR_STATE, "the command broke");
        actor_call_fail(&call, &error);
        return;
    }
    actor_call_end(&call);
    counter_add(&driver->ended, 1);
}

/* StartService: counts its parts; the reply's exit_code is their number. A spec named "stop"
 * answers at once. */
static void
on_start(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    driver_t *driver = state;
    Orchestrator__ServiceInfo info = ORCHESTRATOR__SERVICE_INFO__INIT;
    err_t *error = NULL;
    int result;
    assert_null(request);
    for (;;) {
        AUTO_MESSAGE ProtobufCMessage *item = NULL;
        result = actor_call_recv(call, -1, &item, &error);
        if (result <= 0)
            break;
        const Orchestrator__StartServicePart *part = (const Orchestrator__StartServicePart *)item;
        if ((int)part->mount_index != info.exit_code)
            err_fail(&error, ERR_INTERNAL, "part %u came as part %d", part->mount_index,
                     info.exit_code);
        if (error)
            break;
        info.exit_code++;
        counter_add(&driver->received, 1);
        if (part->spec && part->spec->name && strcmp(part->spec->name, "stop") == 0)
            break;
    }
    if (error) {
        counter_add(&driver->cancelled, err_code(error) == ERR_CANCELLED);
        actor_call_fail(&call, &error);
    } else {
        actor_call_reply(&call, &info.base);
    }
}

/* Shell: sends back what it gets. */
static void
on_shell(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    err_t *error = NULL;
    int result;
    (void)state;
    (void)request;
    for (;;) {
        AUTO_MESSAGE ProtobufCMessage *item = NULL;
        result = actor_call_recv(call, PATIENCE_MS, &item, &error);
        if (result <= 0)
            break;
        Orchestrator__ExecOutput output = ORCHESTRATOR__EXEC_OUTPUT__INIT;
        output.data = ((Orchestrator__ShellInput *)item)->data;
        result = actor_call_send(call, &output.base, &error);
        if (result < 0)
            break;
    }
    if (error)
        actor_call_fail(&call, &error);
    else
        actor_call_end(&call);
}

static const actor_method_t methods[] = {
    {METHOD("Exec"), ACTOR_WORKER, on_exec},
    {METHOD("StartService"), ACTOR_WORKER, on_start},
    {METHOD("Shell"), ACTOR_WORKER, on_shell},
    {0},
};

typedef struct {
    stage_t *stage;
    driver_t driver;
    actor_t *driver_actor, *apic;
} world_t;

static world_t world;

static int
setup(void **state)
{
    if (stage_setup(state) < 0)
        return -1;
    world = (world_t){.stage = *state,
                      .driver = {COUNTER_INIT, COUNTER_INIT, COUNTER_INIT, COUNTER_INIT}};
    world.driver_actor = stage_actor(world.stage, DRIVER, methods, &world.driver);
    world.apic = stage_actor(world.stage, APIC, NULL, NULL);
    actor_set_drain(world.driver_actor, 0);
    return 0;
}

static int
teardown(void **state)
{
    actor_destroy(&world.apic);
    actor_destroy(&world.driver_actor);
    return stage_teardown(state);
}

static actor_stream_t *
open_exec(const char *what, int count)
{
    char number[20];
    char *command[] = {(char *)what, number};
    actor_stream_t *stream = NULL;
    AUTO(err) error = NULL;
    snprintf(number, sizeof number, "%d", count);
    Orchestrator__ExecArgs args = ORCHESTRATOR__EXEC_ARGS__INIT;
    args.enclave_uuid = (char *)UUID;
    args.n_command = 2;
    args.command = command;
    assert_done(
        actor_stream_open(world.apic, NULL, DRIVER, METHOD("Exec"), &args.base, &stream, &error),
        error);
    return stream;
}

static int
next_code(actor_stream_t *stream, err_t **err)
{
    AUTO_MESSAGE ProtobufCMessage *item = NULL;
    int result = actor_stream_recv(stream, PATIENCE_MS, &item, err);
    return result > 0 ? ((Orchestrator__ExecOutput *)item)->exit_code : result < 0 ? -1 : -2;
}

static void
a_server_stream_arrives_complete_and_in_order(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = open_exec("count", 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(next_code(stream, NULL), i);
    assert_int_equal(next_code(stream, NULL), -2);
    assert_int_equal(next_code(stream, NULL), -2); /* the end stays the end */
}

static void
an_empty_stream_just_ends(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = open_exec("count", 0);
    assert_int_equal(next_code(stream, NULL), -2);
}

static void
a_sender_is_never_more_than_its_credit_ahead(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = open_exec("count", 500);
    counter_wait(&world.driver.sent, BUS_CREDIT);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(next_code(stream, NULL), i);
        /* Between receiving and counting the sender may have got the credit for what was received.
         */
        assert_true(counter_get(&world.driver.sent) <= i + 1 + (int)BUS_CREDIT);
    }
    assert_int_equal(next_code(stream, NULL), -2);
}

static void
items_before_an_error_arrive_before_the_error(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_exec("fail", 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(next_code(stream, NULL), i);
    assert_int_equal(next_code(stream, &error), -1);
    assert_error(error, ERR_STATE, "the command broke");
}

static void
destroying_a_stream_cancels_a_sender_that_waits_for_credit(void **state)
{
    (void)state;
    actor_stream_t *stream = open_exec("count", 1000);
    counter_wait(&world.driver.sent, BUS_CREDIT);
    actor_stream_destroy(&stream);
    counter_wait(&world.driver.cancelled, 1);
}

static void
destroying_a_stream_shows_on_the_cancel_descriptor(void **state)
{
    (void)state;
    actor_stream_t *stream = open_exec("wait", 1);
    assert_int_equal(next_code(stream, NULL), 0);
    actor_stream_destroy(&stream);
    counter_wait(&world.driver.cancelled, 1);
}

static void
the_descriptor_of_a_stream_is_readable_while_something_waits(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = open_exec("count", 3);
    struct pollfd fd = {.fd = actor_stream_recv_fd(stream), .events = POLLIN};
    counter_wait(&world.driver.ended, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
        assert_int_equal(next_code(stream, NULL), i);
    }
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1); /* the end */
    assert_int_equal(next_code(stream, NULL), -2);
    AUTO(actor_stream) waiting = open_exec("wait", 1);
    fd.fd = actor_stream_recv_fd(waiting);
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    assert_int_equal(next_code(waiting, NULL), 0);
    assert_int_equal(poll(&fd, 1, 0), 0);
}

static void
receiving_with_a_timeout_gives_up_and_may_go_on(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_exec("wait", 1);
    assert_int_equal(next_code(stream, NULL), 0);
    assert_true(actor_stream_recv(stream, 20, NULL, &error) < 0);
    assert_error(error, ERR_TIMEOUT, "no message from 'driver/test' in time");
    err_destroy(&error);
    assert_true(actor_stream_recv(stream, 0, NULL, &error) < 0);
    assert_error(error, ERR_TIMEOUT, "in time");
}

/* ------------------------------------------------------------------------------------ client
 * streams */

static actor_stream_t *
open_start(void)
{
    actor_stream_t *stream = NULL;
    AUTO(err) error = NULL;
    assert_done(
        actor_stream_open(world.apic, NULL, DRIVER, METHOD("StartService"), NULL, &stream, &error),
        error);
    return stream;
}

static int
send_part(actor_stream_t *stream, unsigned index, const char *uuid, const char *name, size_t size,
          err_t **err)
{
    AUTO_FREE uint8_t *bytes = calloc(1, size + 1);
    Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
    Orchestrator__ServiceSpec spec = ORCHESTRATOR__SERVICE_SPEC__INIT;
    spec.enclave_uuid = (char *)uuid;
    spec.name = (char *)name;
    part.spec = uuid ? &spec : NULL;
    part.mount_index = index;
    part.data = (ProtobufCBinaryData){size, bytes};
    return actor_stream_send(stream, &part.base, err);
}

static void
a_client_stream_is_answered_with_one_reply(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_start();
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    for (unsigned i = 0; i < 300; i++)
        assert_done(send_part(stream, i, i ? NULL : UUID, "db", 100, &error), error);
    assert_done(actor_stream_end(stream, &error), error);
    assert_int_equal(actor_stream_recv(stream, PATIENCE_MS, &reply, NULL), 1);
    assert_int_equal(((Orchestrator__ServiceInfo *)reply)->exit_code, 300);
    assert_int_equal(actor_stream_recv(stream, PATIENCE_MS, NULL, NULL), 0);
    assert_true(send_part(stream, 0, NULL, NULL, 1, &error) < 0);
}

static void
chunks_of_the_largest_size_flow(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_start();
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    for (unsigned i = 0; i < 20; i++)
        assert_done(send_part(stream, i, i ? NULL : UUID, "db", BUS_CHUNK_MAX, &error), error);
    assert_done(send_part(stream, 20, NULL, NULL, 15 << 20, &error), error);
    assert_done(actor_stream_end(stream, &error), error);
    assert_int_equal(actor_stream_recv(stream, PATIENCE_MS, &reply, NULL), 1);
    assert_int_equal(((Orchestrator__ServiceInfo *)reply)->exit_code, 21);
}

static void
a_message_over_the_limit_is_refused_here(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_start();
    assert_true(send_part(stream, 0, UUID, "db", BUS_BODY_MAX, &error) < 0);
    assert_error(error, ERR_LIMIT, "at most 16777216 are allowed");
}

static void
an_early_reply_ends_the_sending(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_start();
    assert_done(send_part(stream, 0, UUID, "stop", 1, &error), error);
    int result = 0;
    for (unsigned i = 1; i < 1000 && result == 0; i++)
        result = send_part(stream, i, NULL, NULL, 1, &error);
    assert_error(error, ERR_STATE, "'driver/test' has ended the stream");
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    assert_int_equal(actor_stream_recv(stream, PATIENCE_MS, &reply, NULL), 1);
    assert_int_equal(((Orchestrator__ServiceInfo *)reply)->exit_code, 1);
}

static void
a_caller_who_gives_up_reaches_the_receiving_handler(void **state)
{
    (void)state;
    actor_stream_t *stream = open_start();
    assert_int_equal(send_part(stream, 0, UUID, "db", 1, NULL), 0);
    counter_wait(&world.driver.received, 1);
    actor_stream_destroy(&stream);
    counter_wait(&world.driver.cancelled, 1);
}

static void
an_api_container_cannot_name_another_enclave_in_a_stream(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = open_start();
    assert_done(send_part(stream, 0, "another", "db", 1, &error), error);
    assert_true(actor_stream_recv(stream, PATIENCE_MS, NULL, &error) < 0);
    assert_error(error, ERR_DENIED, "may only name its own enclave");
    assert_int_equal(counter_get(&world.driver.received), 0);
}

static void
a_stream_of_both_directions_echoes(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor) engine = stage_actor(world.stage, "engine", NULL, NULL);
    AUTO(actor_stream) stream = NULL;
    assert_done(actor_stream_open(engine, NULL, DRIVER, METHOD("Shell"), NULL, &stream, &error),
                error);
    for (uint8_t i = 0; i < 100; i++) {
        Orchestrator__ShellInput input = ORCHESTRATOR__SHELL_INPUT__INIT;
        AUTO_MESSAGE ProtobufCMessage *item = NULL;
        input.data = (ProtobufCBinaryData){1, &i};
        assert_done(actor_stream_send(stream, &input.base, &error), error);
        assert_int_equal(actor_stream_recv(stream, PATIENCE_MS, &item, NULL), 1);
        assert_int_equal(((Orchestrator__ExecOutput *)item)->data.data[0], i);
    }
    assert_done(actor_stream_end(stream, &error), error);
    assert_int_equal(actor_stream_recv(stream, PATIENCE_MS, NULL, NULL), 0);
    actor_stream_destroy(&stream);
    actor_destroy(&engine);
}

/* ------------------------------------------------------------------------------------------- loss
 */

static void
a_broker_that_stops_ends_every_stream_on_both_sides(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) receiving = open_exec("wait", 1);
    AUTO(actor_stream) sending = open_start();
    assert_int_equal(next_code(receiving, NULL), 0);
    assert_int_equal(send_part(sending, 0, UUID, "db", 1, NULL), 0);
    counter_wait(&world.driver.received, 1);
    stage_stop(world.stage);
    assert_int_equal(next_code(receiving, &error), -1);
    assert_int_equal(err_code(error), ERR_UNAVAILABLE);
    err_destroy(&error);
    assert_true(actor_stream_recv(sending, PATIENCE_MS, NULL, &error) < 0);
    assert_int_equal(err_code(error), ERR_UNAVAILABLE);
    counter_wait(&world.driver.cancelled, 1);
    assert_true(send_part(sending, 1, NULL, NULL, 1, NULL) < 0);
}

static void
a_stream_to_somebody_who_is_not_there_fails(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO(actor_stream) stream = NULL;
    assert_done(actor_stream_open(world.apic, NULL, "driver/none", METHOD("StartService"), NULL,
                                  &stream, &error),
                error);
    assert_true(actor_stream_recv(stream, PATIENCE_MS, NULL, &error) < 0);
    assert_error(error, ERR_UNAVAILABLE, "'driver/none' is not on the bus");
}

static void
what_does_not_fit_the_schema_is_refused(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = NULL;
    Orchestrator__ExecArgs args = ORCHESTRATOR__EXEC_ARGS__INIT;
    actor_t *apic = world.apic;
    assert_true(
        actor_stream_open(apic, NULL, DRIVER, METHOD("Nothing"), &args.base, &stream, NULL) < 0);
    assert_true(actor_stream_open(apic, NULL, DRIVER, METHOD("GetServices"), &args.base, &stream,
                                  NULL) < 0);
    assert_true(actor_stream_open(apic, NULL, DRIVER, METHOD("Exec"), NULL, &stream, NULL) < 0);
    assert_true(actor_stream_open(apic, NULL, DRIVER, METHOD("StartService"), &args.base, &stream,
                                  NULL) < 0);
    assert_true(actor_ask(apic, NULL, DRIVER, METHOD("Exec"), &args.base, 0, NULL, NULL) < 0);
    assert_true(actor_ask(apic, NULL, DRIVER, METHOD("GetServices"), &args.base, 0, NULL, NULL) <
                0);
    assert_true(actor_ask(apic, NULL, "", METHOD("Exec"), &args.base, 0, NULL, NULL) < 0);
    assert_null(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_stream_arrives_complete_and_in_order),
        TEST(an_empty_stream_just_ends),
        TEST(a_sender_is_never_more_than_its_credit_ahead),
        TEST(items_before_an_error_arrive_before_the_error),
        TEST(destroying_a_stream_cancels_a_sender_that_waits_for_credit),
        TEST(destroying_a_stream_shows_on_the_cancel_descriptor),
        TEST(the_descriptor_of_a_stream_is_readable_while_something_waits),
        TEST(receiving_with_a_timeout_gives_up_and_may_go_on),
        TEST(a_client_stream_is_answered_with_one_reply),
        TEST(chunks_of_the_largest_size_flow),
        TEST(a_message_over_the_limit_is_refused_here),
        TEST(an_early_reply_ends_the_sending),
        TEST(a_caller_who_gives_up_reaches_the_receiving_handler),
        TEST(an_api_container_cannot_name_another_enclave_in_a_stream),
        TEST(a_stream_of_both_directions_echoes),
        TEST(a_broker_that_stops_ends_every_stream_on_both_sides),
        TEST(a_stream_to_somebody_who_is_not_there_fails),
        TEST(what_does_not_fit_the_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
