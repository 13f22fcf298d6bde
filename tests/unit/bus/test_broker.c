#include "tests/unit/bus/harness.h"

#include "base/clock.h"
#include "bus/hello.h"
#include "bus/schema/bus.pb-c.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ENGINE_METHOD "engine_api.EngineService/GetEngineInfo"
#define LOGS_METHOD "engine_api.EngineService/GetServiceLogs"

static bus_frame_t
ask(const char *from, const char *to, const char *method, uint64_t correlation)
{
    return (bus_frame_t){.kind = BUS_KIND_ASK,
                         .correlation = correlation,
                         .to = bus_text(to),
                         .from = bus_text(from),
                         .method = bus_text(method)};
}

static bus_frame_t
more(bus_kind_t kind, bool answer, const char *from, const char *to, uint64_t correlation)
{
    return (bus_frame_t){.kind = kind,
                         .answer = answer,
                         .correlation = correlation,
                         .to = bus_text(to),
                         .from = bus_text(from)};
}

static void
expect(void *socket, bus_kind_t kind, uint64_t correlation)
{
    zmq_msg_t msg;
    bus_frame_t frame;
    raw_recv(socket, &msg, &frame);
    if (frame.kind != kind || frame.correlation != correlation)
        fail_msg("got %s %llu, wanted %s %llu", bus_kind_name(frame.kind),
                 (unsigned long long)frame.correlation, bus_kind_name(kind),
                 (unsigned long long)correlation);
    zmq_msg_close(&msg);
}

/* What the broker says to ListPeers; also proof that it has handled everything sent before on this socket. */
static void
list_peers(void *client, const char *name, uint64_t correlation, Bus__ListPeersReply **ret_reply)
{
    zmq_msg_t msg;
    bus_frame_t frame;
    raw_say(client, ask(name, "broker", "bus.Broker/ListPeers", correlation));
    raw_recv(client, &msg, &frame);
    assert_int_equal(frame.kind, BUS_KIND_REPLY);
    assert_int_equal(frame.correlation, correlation);
    assert_int_equal(bus_msgpack_unpack(&bus__list_peers_reply__descriptor, frame.body,
                                        frame.body_size, (ProtobufCMessage **)ret_reply, NULL),
                     0);
    zmq_msg_close(&msg);
}

static uint64_t
dropped(void *client, const char *name, uint64_t correlation)
{
    AUTO_MESSAGE Bus__ListPeersReply *reply = NULL;
    list_peers(client, name, correlation, &reply);
    return reply->frames_dropped;
}

/* Two raw peers: a client, and an engine that answers by hand. */
typedef struct {
    void *client, *engine;
} pair_t;

static pair_t
pair_new(harness_t *self)
{
    pair_t pair = {raw_new(self), raw_new(self)};
    raw_join(self, pair.client, "client/1");
    raw_join(self, pair.engine, "engine");
    return pair;
}

static void
pair_close(pair_t *pair)
{
    zmq_close(pair->client);
    zmq_close(pair->engine);
}

/* ---------------------------------------------------------------------------------------- strangers */

static void
what_comes_before_hello_is_denied(void **state)
{
    harness_t *self = *state;
    void *raw = raw_new(self);
    raw_say(raw, ask("client/1", "engine", ENGINE_METHOD, 5));
    raw_expect_error(raw, 5, ERR_DENIED, "must be HELLO");
    raw_send(raw, "K", 1);
    raw_expect_error(raw, 0, ERR_INVALID, "its header alone has 32");
    zmq_close(raw);
}

typedef struct {
    const char *what;
    const char *name;       /* in Hello */
    const char *proof_name; /* the name that is proven */
    bool stranger_key;      /* a good proof, of a key that may not join */
    bool foreign_proof;     /* the good key, proven by another one's secret */
    bool foreign_broker;    /* proven to another broker */
    err_code_t code;
    const char *words;
} hello_case_t;

static const hello_case_t hello_cases[] = {
    {.what = "stranger",
     .name = "engine",
     .stranger_key = true,
     .code = ERR_DENIED,
     .words = "may not be called 'engine'"},
    {.what = "foreign proof",
     .name = "engine",
     .foreign_proof = true,
     .code = ERR_DENIED,
     .words = "does not hold"},
    {.what = "another broker",
     .name = "engine",
     .foreign_broker = true,
     .code = ERR_DENIED,
     .words = "does not hold"},
    {.what = "another name proven",
     .name = "engine",
     .proof_name = "gatewa",
     .code = ERR_DENIED,
     .words = "does not hold"},
    {.what = "no role", .name = "somebody", .code = ERR_INVALID, .words = "not the name of a peer"},
    {.what = "the broker's name",
     .name = "broker",
     .code = ERR_INVALID,
     .words = "not the name of a peer"},
    {.what = "no name",
     .name = "",
     .proof_name = "x",
     .code = ERR_INVALID,
     .words = "not the name of a peer"},
    {.what = "blank in the name", .name = "client/a b", .code = ERR_INVALID, .words = "characters"},
    {.what = "quote in the name", .name = "client/a'b", .code = ERR_INVALID, .words = "characters"},
};

static void
a_hello_that_does_not_prove_its_name_is_refused(void **state)
{
    harness_t *self = *state;
    for (size_t i = 0; i < ARRAY_LEN(hello_cases); i++) {
        const hello_case_t *row = &hello_cases[i];
        bus_keys_t keys = row->stranger_key || row->foreign_proof ? self->stranger : self->peer;
        AUTO_STR body = STR_EMPTY;
        AUTO_STR changed = STR_EMPTY;
        bus_hello_pack(&keys,
                       row->foreign_broker ? self->stranger.public_key : self->keys.public_key,
                       row->proof_name ? row->proof_name : row->name, "raw", NULL, &body);
        AUTO_MESSAGE Bus__Hello *hello = NULL;
        assert_int_equal(bus_msgpack_unpack(&bus__hello__descriptor, body.data, body.len,
                                            (ProtobufCMessage **)&hello, NULL),
                         0);
        free(hello->name);
        hello->name = strdup(row->name);
        if (row->foreign_proof)
            memcpy(hello->public_key.data, self->peer.public_key, BUS_KEY_SIZE);
        bus_msgpack_pack(&hello->base, &changed);
        void *raw = raw_new(self);
        raw_say(raw, (bus_frame_t){
                         .kind = BUS_KIND_HELLO, .body = changed.data, .body_size = changed.len});
        raw_expect_error(raw, 0, row->code, row->words);
        zmq_close(raw);
    }
}

static void
a_hello_of_a_malformed_body_is_refused(void **state)
{
    harness_t *self = *state;
    const char *const bodies[] = {"", "\x80", "\xc1", "\x81\xa7version\xa3one",
                                  "\xdf\xff\xff\xff\xff"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        void *raw = raw_new(self);
        raw_say(raw, (bus_frame_t){.kind = BUS_KIND_HELLO,
                                   .body = bodies[i],
                                   .body_size = strlen(bodies[i])});
        raw_expect_error(raw, 0, ERR_INVALID, "the broker refuses this peer");
        zmq_close(raw);
    }
}

static void
noise_of_any_shape_does_not_stop_the_broker(void **state)
{
    harness_t *self = *state;
    void *stranger = raw_new(self);
    pair_t pair = pair_new(self);
    srand(7);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 1));
    expect(pair.engine, BUS_KIND_ASK, 1);
    for (int i = 0; i < 2000; i++) {
        uint8_t noise[80];
        size_t size = (size_t)rand() % sizeof noise;
        for (size_t k = 0; k < size; k++)
            noise[k] = (uint8_t)rand();
        if (size > 3 && i % 2) {
            noise[0] = 'K';
            noise[1] = 1;
            noise[2] = 4 + noise[2] % 9; /* no HELLO or BYE, which would be believed */
            noise[3] = 0;
        }
        raw_send(i % 4 < 2 ? stranger : pair.client, noise, size);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(zmq_send(stranger, "a", 1, ZMQ_SNDMORE), 1);
        raw_send(stranger, "b", 1);
        assert_int_equal(zmq_send(pair.client, "a", 1, ZMQ_SNDMORE), 1);
        raw_send(pair.client, "b", 1);
    }
    /* Nobody read the errors; the old ask is still answered. */
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 1));
    zmq_msg_t msg;
    bus_frame_t frame;
    for (frame.kind = 0; frame.kind != BUS_KIND_REPLY;) {
        raw_recv(pair.client, &msg, &frame);
        zmq_msg_close(&msg);
    }
    zmq_close(stranger);
    pair_close(&pair);
}

/* ------------------------------------------------------------------------------------------- asks */

static void
an_ask_that_cannot_go_on_is_answered_with_the_reason(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    void *driver = raw_new(self);
    raw_join(self, driver, "driver/docker");
    raw_say(pair.client, ask("engine", "driver/docker", "orchestrator.Orchestrator/StopEngine", 3));
    raw_expect_error(pair.client, 3, ERR_DENIED, "'client/1' cannot send in the name of 'engine'");
    raw_say(pair.client,
            ask("client/1", "driver/docker", "orchestrator.Orchestrator/StopEngine", 4));
    raw_expect_error(pair.client, 4, ERR_DENIED, "'client/1' may not call");
    raw_say(driver, ask("driver/docker", "engine", ENGINE_METHOD, 5));
    raw_expect_error(driver, 5, ERR_DENIED, "'driver/docker' may not call");
    raw_say(pair.client, ask("client/1", "apic/7", "api_container_api.ApiContainerService/X", 6));
    raw_expect_error(pair.client, 6, ERR_UNAVAILABLE, "'apic/7' is not on the bus");
    raw_say(pair.client, ask("client/1", "broker", "bus.Broker/Nothing", 7));
    raw_expect_error(pair.client, 7, ERR_UNSUPPORTED,
                     "the broker answers bus.Broker/ListPeers and");
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 0));
    raw_expect_error(pair.client, 0, ERR_INVALID, "in use or zero");
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 8));
    expect(pair.engine, BUS_KIND_ASK, 8);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 8));
    raw_expect_error(pair.client, 8, ERR_INVALID, "the correlation number 8 is in use");
    zmq_close(driver);
    pair_close(&pair);
}

static void
only_the_one_who_was_asked_can_answer_and_only_once(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    void *other = raw_new(self);
    raw_join(self, other, "gateway");
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 9));
    expect(pair.engine, BUS_KIND_ASK, 9);
    uint64_t before = dropped(other, "gateway", 1);
    raw_say(other, more(BUS_KIND_REPLY, true, "gateway", "client/1", 9));
    raw_say(other, more(BUS_KIND_ERROR, true, "gateway", "client/1", 9));
    raw_say(other, more(BUS_KIND_CANCEL, false, "gateway", "engine", 9));
    raw_say(other, more(BUS_KIND_DATA, false, "gateway", "nobody", 9));
    assert_int_equal(dropped(other, "gateway", 2), before + 4);
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 9));
    expect(pair.client, BUS_KIND_REPLY, 9);
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 9));
    raw_say(pair.engine, ask("engine", "broker", "bus.Broker/ListPeers", 1));
    expect(pair.engine, BUS_KIND_REPLY, 1);
    assert_int_equal(dropped(pair.client, "client/1", 10), before + 5);
    zmq_close(other);
    pair_close(&pair);
}

static void
a_cancel_reaches_the_one_who_was_asked_and_ends_the_ask(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 9));
    expect(pair.engine, BUS_KIND_ASK, 9);
    raw_say(pair.client, more(BUS_KIND_CANCEL, false, "client/1", "engine", 9));
    expect(pair.engine, BUS_KIND_CANCEL, 9);
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 9)); /* too late */
    raw_say(pair.engine, ask("engine", "broker", "bus.Broker/ListPeers", 1));
    expect(pair.engine, BUS_KIND_REPLY, 1);
    assert_true(dropped(pair.client, "client/1", 10) >= 1); /* and nothing else came before */
    pair_close(&pair);
}

static void
an_ask_to_oneself_works(void **state)
{
    harness_t *self = *state;
    void *engine = raw_new(self);
    raw_join(self, engine, "engine");
    raw_say(engine, ask("engine", "engine", ENGINE_METHOD, 1));
    expect(engine, BUS_KIND_ASK, 1);
    raw_say(engine, more(BUS_KIND_REPLY, true, "engine", "engine", 1));
    expect(engine, BUS_KIND_REPLY, 1);
    raw_say(engine, ask("engine", "engine", ENGINE_METHOD, 2));
    expect(engine, BUS_KIND_ASK, 2);
    zmq_close(engine);
}

/* --------------------------------------------------------------------------------------- streams */

static void
open_stream(pair_t *pair, uint64_t number)
{
    bus_frame_t frame = ask("client/1", "engine", LOGS_METHOD, number);
    frame.kind = BUS_KIND_OPEN;
    raw_say(pair->client, frame);
    expect(pair->engine, BUS_KIND_OPEN, number);
}

static void
a_stream_flows_with_credit_and_ends(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    open_stream(&pair, 3);
    for (unsigned i = 0; i < 3 * BUS_CREDIT; i++) {
        raw_say(pair.engine, more(BUS_KIND_DATA, true, "engine", "client/1", 3));
        expect(pair.client, BUS_KIND_DATA, 3);
        bus_frame_t credit = more(BUS_KIND_CREDIT, false, "client/1", "engine", 3);
        credit.count = 1;
        raw_say(pair.client, credit);
        expect(pair.engine, BUS_KIND_CREDIT, 3);
    }
    raw_say(pair.client, more(BUS_KIND_END, false, "client/1", "engine", 3)); /* half of it */
    expect(pair.engine, BUS_KIND_END, 3);
    raw_say(pair.engine, more(BUS_KIND_DATA, true, "engine", "client/1", 3));
    expect(pair.client, BUS_KIND_DATA, 3);
    raw_say(pair.engine, more(BUS_KIND_END, true, "engine", "client/1", 3));
    expect(pair.client, BUS_KIND_END, 3);
    open_stream(&pair, 3); /* the number is free again */
    pair_close(&pair);
}

static void
a_sender_without_credit_loses_its_stream(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    open_stream(&pair, 3);
    for (unsigned i = 0; i < BUS_CREDIT; i++) {
        raw_say(pair.engine, more(BUS_KIND_DATA, true, "engine", "client/1", 3));
        expect(pair.client, BUS_KIND_DATA, 3);
    }
    raw_say(pair.engine, more(BUS_KIND_DATA, true, "engine", "client/1", 3));
    raw_expect_error(pair.client, 3, ERR_LIMIT,
                     "'engine' sends more than 64 messages without credit");
    raw_expect_error(pair.engine, 3, ERR_LIMIT, "without credit");
    open_stream(&pair, 4);
    bus_frame_t credit = more(BUS_KIND_CREDIT, false, "client/1", "engine", 4);
    credit.count = 1;
    raw_say(pair.client, credit);
    raw_expect_error(pair.client, 4, ERR_INVALID, "credits messages that it never got");
    raw_expect_error(pair.engine, 4, ERR_INVALID, "never got");
    pair_close(&pair);
}

static void
an_ask_is_no_stream(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    const bus_kind_t kinds[] = {BUS_KIND_DATA, BUS_KIND_END, BUS_KIND_CREDIT};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 10 + i));
        expect(pair.engine, BUS_KIND_ASK, 10 + i);
        raw_say(pair.engine, more(kinds[i], true, "engine", "client/1", 10 + i));
        raw_expect_error(pair.client, 10 + i, ERR_INVALID, "an ask is no stream");
        raw_expect_error(pair.engine, 10 + i, ERR_INVALID, "an ask is no stream");
    }
    pair_close(&pair);
}

/* ------------------------------------------------------------------------------------------ limits */

static void
a_body_over_the_limit_is_an_error_and_a_far_larger_one_costs_the_connection(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    AUTO_FREE uint8_t *body = calloc(1, BUS_BODY_MAX + 200000);
    bus_frame_t frame = ask("client/1", "engine", ENGINE_METHOD, 1);
    frame.body = body;
    frame.body_size = BUS_BODY_MAX;
    raw_say(pair.client, frame);
    expect(pair.engine, BUS_KIND_ASK, 1);
    frame.correlation = 2;
    frame.body_size++;
    raw_say(pair.client, frame);
    raw_expect_error(pair.client, 2, ERR_LIMIT, "at most 16777216 are allowed");
    frame.correlation = 3;
    frame.body_size = BUS_BODY_MAX + 200000;
    raw_say(pair.client, frame);
    raw_expect_error(pair.engine, 1, ERR_UNAVAILABLE, "'client/1' has left the bus");
    pair_close(&pair);
}

static void
one_peer_can_have_so_many_asks_open_and_no_more(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    for (unsigned i = 1; i <= BUS_PEER_TALKS_MAX; i++) {
        raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, i));
        expect(pair.engine, BUS_KIND_ASK, i);
    }
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 99999));
    raw_expect_error(pair.client, 99999, ERR_LIMIT, "'client/1' has 4096 asks and streams open");
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 77));
    expect(pair.client, BUS_KIND_REPLY, 77);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 99999));
    expect(pair.engine, BUS_KIND_ASK, 99999);
    pair_close(&pair);
}

static void
a_tell_is_small(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    AUTO_FREE uint8_t *body = calloc(1, BUS_TELL_MAX + 1);
    bus_frame_t frame = ask("client/1", "engine", ENGINE_METHOD, 1);
    frame.kind = BUS_KIND_TELL;
    frame.body = body;
    frame.body_size = BUS_TELL_MAX;
    raw_say(pair.client, frame);
    expect(pair.engine, BUS_KIND_TELL, 1);
    frame.body_size++;
    raw_say(pair.client, frame);
    raw_expect_error(pair.client, 1, ERR_LIMIT, "at most 65536 are allowed");
    pair_close(&pair);
}

static void
bytes_under_way_to_one_peer_are_limited(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    AUTO_FREE uint8_t *body = calloc(1, BUS_BODY_MAX);
    bus_frame_t frame = ask("client/1", "engine", ENGINE_METHOD, 1);
    frame.body = body;
    frame.body_size = BUS_BODY_MAX;
    for (; frame.correlation <= BUS_PEER_BYTES_MAX / BUS_BODY_MAX; frame.correlation++) {
        raw_say(pair.client, frame);
        expect(pair.engine, BUS_KIND_ASK, frame.correlation);
    }
    raw_say(pair.client, frame);
    raw_expect_error(pair.client, frame.correlation, ERR_LIMIT, "bytes are under way to 'engine'");
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 1));
    expect(pair.client, BUS_KIND_REPLY, 1);
    raw_say(pair.client, frame);
    expect(pair.engine, BUS_KIND_ASK, frame.correlation);
    pair_close(&pair);
}

/* A peer that reads nothing: its own messages pile up to the mark, and nobody else's. */
static void
a_peer_that_does_not_read_stalls_nobody(void **state)
{
    harness_t *self = *state;
    void *engine = raw_new(self), *other = raw_new(self);
    raw_join(self, engine, "engine");
    raw_join(self, other, "gateway");
    echo_t *echo = echo_new(self, self->ipc, "apic/1");
    /* TELLs have no conversation that limits them. */
    AUTO_FREE uint8_t *body = calloc(1, 20000);
    bus_frame_t tell = ask("gateway", "engine", ENGINE_METHOD, 1);
    tell.kind = BUS_KIND_TELL;
    tell.body = body;
    tell.body_size = 20000;
    zmq_msg_t msg;
    bus_frame_t frame = {0};
    int patience = 0, sent = 0;
    zmq_setsockopt(other, ZMQ_RCVTIMEO, &patience, sizeof patience);
    for (; !frame.kind && sent < 200000; sent++) {
        tell.correlation++;
        raw_say(other, tell);
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, other, ZMQ_DONTWAIT) >= 0) {
            bus_frame_decode(zmq_msg_data(&msg), zmq_msg_size(&msg), &frame, NULL);
            AUTO(err) error = bus_err_unpack(frame.body, frame.body_size);
            assert_error(error, ERR_LIMIT, "'engine' has too many messages waiting");
        }
        zmq_msg_close(&msg);
    }
    assert_int_equal(frame.kind, BUS_KIND_ERROR);
    bus_peer_t *client = harness_peer(self, self->ipc, "client/2", NULL, NULL);
    zmq_msg_t reply;
    bus_frame_t answer;
    assert_int_equal(bus_peer_ask(client, "apic/1", "api_container_api.ApiContainerService/X", "x",
                                  1, PATIENCE_MS, &reply, &answer, NULL),
                     0);
    zmq_msg_close(&reply);
    bus_peer_destroy(&client);
    echo_destroy(&echo);
    zmq_close(other);
    zmq_close(engine);
}

/* ------------------------------------------------------------------------------- coming and going */

static void
a_new_connection_takes_the_name_and_what_was_pending_ends(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 1));
    expect(pair.engine, BUS_KIND_ASK, 1);
    void *second = raw_new(self);
    raw_join(self, second, "engine");
    raw_expect_error(pair.client, 1, ERR_UNAVAILABLE, "'engine' has left the bus");
    zmq_msg_t msg;
    bus_frame_t frame;
    raw_recv(pair.engine, &msg, &frame);
    assert_int_equal(frame.kind, BUS_KIND_BYE);
    AUTO(err) error = bus_err_unpack(frame.body, frame.body_size);
    assert_error(error, ERR_EXISTS, "another connection has taken the name 'engine'");
    zmq_msg_close(&msg);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 2));
    expect(second, BUS_KIND_ASK, 2);
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 2));
    raw_expect_error(pair.engine, 2, ERR_DENIED, "must be HELLO");
    zmq_close(second);
    pair_close(&pair);
}

static void
a_second_hello_on_one_connection_starts_anew(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 1));
    expect(pair.engine, BUS_KIND_ASK, 1);
    raw_join(self, pair.client, "client/9");
    raw_expect_error(pair.engine, 1, ERR_UNAVAILABLE, "'client/1' has left the bus");
    raw_say(pair.client, ask("client/9", "engine", ENGINE_METHOD, 1));
    expect(pair.engine, BUS_KIND_ASK, 1);
    pair_close(&pair);
}

static void
whoever_hangs_up_is_gone_for_both_sides_of_every_conversation(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    void *driver = raw_new(self);
    raw_join(self, driver, "driver/docker");
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 1));
    expect(pair.engine, BUS_KIND_ASK, 1);
    open_stream(&pair, 2);
    raw_say(pair.engine,
            ask("engine", "driver/docker", "orchestrator.Orchestrator/GetEnclaves", 1));
    expect(driver, BUS_KIND_ASK, 1);
    zmq_close(pair.engine);
    raw_expect_error(pair.client, 2, ERR_UNAVAILABLE, "'engine' has left the bus");
    raw_expect_error(pair.client, 1, ERR_UNAVAILABLE, "'engine' has left the bus");
    raw_expect_error(driver, 1, ERR_UNAVAILABLE, "'engine' has left the bus");
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 3));
    raw_expect_error(pair.client, 3, ERR_UNAVAILABLE, "'engine' is not on the bus");
    zmq_close(driver);
    zmq_close(pair.client);
}

static void
the_last_words_of_a_peer_are_delivered(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    int linger = PATIENCE_MS;
    raw_say(pair.client, ask("client/1", "engine", ENGINE_METHOD, 1));
    expect(pair.engine, BUS_KIND_ASK, 1);
    zmq_setsockopt(pair.engine, ZMQ_LINGER, &linger, sizeof linger);
    raw_say(pair.engine, more(BUS_KIND_REPLY, true, "engine", "client/1", 1));
    zmq_close(pair.engine);
    expect(pair.client, BUS_KIND_REPLY, 1);
    zmq_close(pair.client);
}

static void
the_broker_lists_who_is_there(void **state)
{
    harness_t *self = *state;
    pair_t pair = pair_new(self);
    AUTO_MESSAGE Bus__ListPeersReply *reply = NULL;
    list_peers(pair.client, "client/1", 1, &reply);
    assert_int_equal(reply->n_peers, 2);
    assert_string_equal(reply->peers[0]->name, "client/1");
    assert_string_equal(reply->peers[0]->role, "client");
    assert_string_equal(reply->peers[0]->program, "raw");
    assert_int_equal(reply->peers[0]->messages_in, 1);
    assert_string_equal(reply->peers[1]->name, "engine");
    assert_int_equal(reply->peers[1]->messages_out, 1);
    assert_int_equal(reply->frames_dropped, 0);
    pair_close(&pair);
}

static void
one_can_wait_for_a_peer_to_join(void **state)
{
    harness_t *self = *state;
    AUTO(err) error = NULL;
    assert_true(bus_broker_wait_peer(self->broker, "apic/1", 10, &error) < 0);
    assert_error(error, ERR_TIMEOUT, "'apic/1' did not join the bus within 10 ms");
    echo_t *echo = echo_new(self, self->ipc, "apic/1");
    assert_int_equal(bus_broker_wait_peer(self->broker, "apic/1", PATIENCE_MS, NULL), 0);
    bus_broker_give_up(self->broker);
    assert_int_equal(bus_broker_wait_peer(self->broker, "apic/1", PATIENCE_MS, NULL), 0);
    err_destroy(&error);
    assert_true(bus_broker_wait_peer(self->broker, "apic/2", PATIENCE_MS, &error) < 0);
    assert_error(error, ERR_STATE, "'apic/2' will not join the bus");
    echo_destroy(&echo);
}

static void
a_stopping_broker_says_goodbye(void **state)
{
    harness_t *self = *state;
    void *raw = raw_new(self);
    raw_join(self, raw, "client/1");
    int64_t began = clock_ns();
    bus_broker_destroy(&self->broker);
    assert_true(clock_ns() - began < AT_ONCE);
    zmq_msg_t msg;
    bus_frame_t frame;
    raw_recv(raw, &msg, &frame);
    assert_int_equal(frame.kind, BUS_KIND_BYE);
    zmq_msg_close(&msg);
    zmq_close(raw);
}

static void
a_thousand_peers_ask_and_leave(void **state)
{
    harness_t *self = *state;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    enum { PEERS = 1000 };
    static bus_peer_t *peers[PEERS];
    echo_t *echo = echo_new(self, self->ipc, "engine");
    for (int i = 0; i < PEERS; i++) {
        char name[20];
        snprintf(name, sizeof name, "client/%d", i);
        peers[i] = harness_peer(self, self->ipc, name, NULL, NULL);
    }
    for (int i = 0; i < PEERS; i++) {
        zmq_msg_t reply;
        bus_frame_t frame;
        assert_int_equal(bus_peer_ask(peers[i], "engine", ENGINE_METHOD, &i, sizeof i, PATIENCE_MS,
                                      &reply, &frame, NULL),
                         0);
        assert_memory_equal(frame.body, &i, sizeof i);
        zmq_msg_close(&reply);
    }
    for (int i = 0; i < PEERS; i++)
        bus_peer_destroy(&peers[i]);
    echo_destroy(&echo);
}

/* ------------------------------------------------------------------------------------- endpoints */

static bool
yes(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE])
{
    (void)arg;
    (void)name;
    (void)public_key;
    return true;
}

static void
an_endpoint_that_cannot_be_used_is_an_error_that_names_it(void **state)
{
    harness_t *self = *state;
    AUTO_FREE char *deep = str_format("ipc:///tmp/%0120d/x", 0);
    const struct {
        const char *endpoint;
        err_code_t code;
        const char *words;
    } cases[] = {
        {self->ipc, ERR_EXISTS, "another process listens there already"},
        {self->inproc, ERR_EXISTS, "in use"},
        {"ipc:///proc/none/broker", ERR_STATE, "cannot make folder '/proc/none'"},
        {deep, ERR_INVALID, "a socket's can have 107"},
        {"udp://127.0.0.1:1", ERR_INVALID, "inproc://, ipc:// or tcp://"},
        {"nonsense", ERR_INVALID, "inproc://, ipc:// or tcp://"},
        {"tcp://127.0.0.1:*", ERR_INVALID, "needs is_known"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) error = NULL;
        AUTO(bus_broker) broker = NULL;
        const char *endpoints[] = {cases[i].endpoint, NULL};
        bus_broker_config_t config = {.endpoints = endpoints, .keys = self->keys, .may_join = yes};
        assert_true(bus_broker_new(&config, &broker, &error) < 0);
        assert_error(error, cases[i].code, cases[i].words);
        AUTO_FREE char *text = err_string(error);
        assert_non_null(strstr(text, cases[i].endpoint));
    }
}

static void
a_socket_left_behind_by_a_dead_broker_is_no_hindrance(void **state)
{
    harness_t *self = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/old", self->folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd); /* the file stays, as after SIGKILL */
    AUTO(bus_broker) broker = NULL;
    AUTO_FREE char *endpoint = str_format("ipc://%s", address.sun_path);
    const char *endpoints[] = {endpoint, NULL};
    bus_broker_config_t config = {.endpoints = endpoints, .keys = self->keys, .may_join = yes};
    assert_int_equal(bus_broker_new(&config, &broker, NULL), 0);
    echo_t *echo = echo_new(self, endpoint, "engine");
    echo_destroy(&echo);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_before_hello_is_denied),
        TEST(a_hello_that_does_not_prove_its_name_is_refused),
        TEST(a_hello_of_a_malformed_body_is_refused),
        TEST(noise_of_any_shape_does_not_stop_the_broker),
        TEST(an_ask_that_cannot_go_on_is_answered_with_the_reason),
        TEST(only_the_one_who_was_asked_can_answer_and_only_once),
        TEST(a_cancel_reaches_the_one_who_was_asked_and_ends_the_ask),
        TEST(an_ask_to_oneself_works),
        TEST(a_stream_flows_with_credit_and_ends),
        TEST(a_sender_without_credit_loses_its_stream),
        TEST(an_ask_is_no_stream),
        TEST(a_body_over_the_limit_is_an_error_and_a_far_larger_one_costs_the_connection),
        TEST(one_peer_can_have_so_many_asks_open_and_no_more),
        TEST(a_tell_is_small),
        TEST(bytes_under_way_to_one_peer_are_limited),
        TEST(a_peer_that_does_not_read_stalls_nobody),
        TEST(a_new_connection_takes_the_name_and_what_was_pending_ends),
        TEST(a_second_hello_on_one_connection_starts_anew),
        TEST(whoever_hangs_up_is_gone_for_both_sides_of_every_conversation),
        TEST(the_last_words_of_a_peer_are_delivered),
        TEST(the_broker_lists_who_is_there),
        TEST(one_can_wait_for_a_peer_to_join),
        TEST(a_stopping_broker_says_goodbye),
        TEST(a_thousand_peers_ask_and_leave),
        TEST(an_endpoint_that_cannot_be_used_is_an_error_that_names_it),
        TEST(a_socket_left_behind_by_a_dead_broker_is_no_hindrance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
