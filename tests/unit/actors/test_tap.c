/*  tap: the broker tells who looks of the messages that pass, and is held up by nobody. */
#include "tests/unit/actors/stage.h"

#include "bus/limits.h"

#define BROKER "broker"

static stage_t *stage;
static actor_t *driver, *engine, *client;

static void
on_get(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    Orchestrator__GetServicesReply reply = ORCHESTRATOR__GET_SERVICES_REPLY__INIT;
    (void)state;
    (void)request;
    actor_call_reply(&call, &reply.base);
}

static const actor_method_t methods[] = {{METHOD("GetServices"), ACTOR_LOOP, on_get}, {0}};

static int
setup(void **state)
{
    if (stage_setup(state) < 0)
        return -1;
    stage = *state;
    driver = stage_actor(stage, DRIVER, methods, NULL);
    engine = stage_actor(stage, "engine", NULL, NULL);
    client = stage_actor(stage, "client/1", NULL, NULL);
    return 0;
}

static int
teardown(void **state)
{
    actor_destroy(&client);
    actor_destroy(&engine);
    actor_destroy(&driver);
    return stage_teardown(state);
}

/* The broker has seen everything that this actor sent before. */
static void
sync_with_broker(actor_t *actor)
{
    Bus__ListPeersArgs args = BUS__LIST_PEERS_ARGS__INIT;
    AUTO(err) error = NULL;
    assert_done(actor_ask(actor, NULL, BROKER, "bus.Broker/ListPeers", &args.base, PATIENCE_MS,
                          NULL, &error),
                error);
}

static actor_stream_t *
tap(actor_t *actor, const char *peer)
{
    Bus__TapArgs args = BUS__TAP_ARGS__INIT;
    actor_stream_t *stream = NULL;
    AUTO(err) error = NULL;
    args.peer = (char *)peer;
    assert_done(
        actor_stream_open(actor, NULL, BROKER, "bus.Broker/Tap", &args.base, &stream, &error),
        error);
    sync_with_broker(actor);
    return stream;
}

static Bus__TapEvent *
next(actor_stream_t *stream)
{
    Bus__TapEvent *event = NULL;
    AUTO(err) error = NULL;
    assert_done(actor_stream_recv(stream, PATIENCE_MS, (ProtobufCMessage **)&event, &error), error);
    assert_non_null(event);
    return event;
}

static void
ask_driver(actor_t *actor)
{
    AUTO(err) error = NULL;
    assert_done(ask_services(actor, NULL, UUID, PATIENCE_MS, &error), error);
}

static void
what_passes_is_told_by_name_kind_and_size(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = tap(client, "");
    int64_t began = clock_wall_ns();
    ask_driver(engine);
    AUTO_MESSAGE Bus__TapEvent *asked = next(stream);
    AUTO_MESSAGE Bus__TapEvent *answered = next(stream);
    assert_string_equal(asked->kind, "ASK");
    assert_string_equal(asked->from, "engine");
    assert_string_equal(asked->to, DRIVER);
    assert_string_equal(asked->method, METHOD("GetServices"));
    assert_true(asked->body_bytes > strlen(UUID));
    assert_true(asked->time >= began);
    assert_string_equal(answered->kind, "REPLY");
    assert_string_equal(answered->from, DRIVER);
    assert_string_equal(answered->to, "engine");
    assert_string_equal(answered->method, "");
    assert_int_equal(answered->correlation, asked->correlation);
    assert_int_equal(answered->trace, asked->trace);
    assert_int_equal(answered->missed, 0);
    assert_false(asked->answer);
    assert_true(answered->answer);
}

static void
one_peer_s_messages_can_be_picked_out(void **state)
{
    (void)state;
    AUTO(actor) apic = stage_actor(stage, APIC, NULL, NULL);
    AUTO(actor_stream) stream = tap(client, APIC);
    ask_driver(engine);
    ask_driver(apic);
    AUTO_MESSAGE Bus__TapEvent *asked = next(stream);
    AUTO_MESSAGE Bus__TapEvent *answered = next(stream);
    assert_string_equal(asked->from, APIC);
    assert_string_equal(answered->to, APIC);
    assert_int_equal(asked->missed, 0);
}

static void
who_reads_slowly_holds_up_nobody_and_is_told_what_was_missed(void **state)
{
    (void)state;
    AUTO(actor_stream) stream = tap(client, "");
    const int asks = BUS_CREDIT;
    for (int i = 0; i < asks; i++)
        ask_driver(engine);
    for (unsigned i = 0; i < BUS_CREDIT; i++) {
        AUTO_MESSAGE Bus__TapEvent *event = next(stream);
        assert_int_equal(event->missed, 0);
    }
    sync_with_broker(client); /* the credit has come */
    ask_driver(engine);
    AUTO_MESSAGE Bus__TapEvent *event = next(stream);
    assert_int_equal(event->missed, 2 * asks - BUS_CREDIT);
}

static void
only_so_many_look_at_once(void **state)
{
    (void)state;
    actor_stream_t *streams[BUS_TAPS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(streams); i++)
        streams[i] = tap(client, "");
    AUTO(actor_stream) over = tap(client, "");
    AUTO(err) error = NULL;
    assert_true(actor_stream_recv(over, PATIENCE_MS, NULL, &error) < 0);
    assert_error(error, ERR_LIMIT, "8 look at the messages of this bus already");
    /* Who has enough makes room. */
    actor_stream_destroy(&streams[0]);
    AUTO(actor_stream) another = tap(client, "");
    ask_driver(engine);
    AUTO_MESSAGE Bus__TapEvent *event = next(another);
    assert_string_equal(event->kind, "ASK");
    for (size_t i = 1; i < ARRAY_LEN(streams); i++)
        actor_stream_destroy(&streams[i]);
}

static void
who_looks_and_goes_is_forgotten(void **state)
{
    (void)state;
    actor_t *other = stage_actor(stage, "client/2", NULL, NULL);
    actor_stream_t *stream = tap(other, "");
    actor_stream_t *unread = tap(other, "");
    actor_stream_destroy(&stream);
    actor_stream_destroy(&unread);
    actor_destroy(&other);
    ask_driver(engine);
    other = stage_actor(stage, "client/2", NULL, NULL);
    stream = tap(other, "");
    ask_driver(engine);
    AUTO_MESSAGE Bus__TapEvent *event = next(stream);
    assert_int_equal(event->missed, 0);
    actor_stream_destroy(&stream);
    actor_destroy(&other);
}

static void
an_api_container_may_not_look(void **state)
{
    (void)state;
    AUTO(actor) apic = stage_actor(stage, APIC, NULL, NULL);
    Bus__TapArgs args = BUS__TAP_ARGS__INIT;
    AUTO(actor_stream) stream = NULL;
    AUTO(err) error = NULL;
    assert_done(
        actor_stream_open(apic, NULL, BROKER, "bus.Broker/Tap", &args.base, &stream, &error),
        error);
    assert_true(actor_stream_recv(stream, PATIENCE_MS, NULL, &error) < 0);
    assert_error(error, ERR_DENIED, "may not call bus.Broker/Tap");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_passes_is_told_by_name_kind_and_size),
        TEST(one_peer_s_messages_can_be_picked_out),
        TEST(who_reads_slowly_holds_up_nobody_and_is_told_what_was_missed),
        TEST(only_so_many_look_at_once),
        TEST(who_looks_and_goes_is_forgotten),
        TEST(an_api_container_may_not_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
