/*  docs/wire-protocol.md is enough for others: a peer written from it alone, with czmq, joins our broker and talks. */
#include "tests/unit/bus/harness.h"
#include "tests/unit/bus/third_party.h"

#include <string.h>

enum { WELCOME = 2, REPLY = 7, ERROR = 12 };

#define NAME "client/other"

static bool
has(const third_party_frame_t *frame, const char *bytes)
{
    return memmem(frame->body, frame->body_size, bytes, strlen(bytes)) != NULL;
}

/* The next frame must be this; its body starts with these bytes and has these others, and these. */
static void
expect(zsock_t *sock, unsigned kind, uint64_t correlation, const char *from, const char *start,
       const char *words, const char *more)
{
    third_party_frame_t frame;
    zframe_t *bytes = third_party_recv(sock, &frame);
    assert_non_null(bytes);
    assert_int_equal(frame.kind, kind);
    assert_int_equal(frame.correlation, correlation);
    assert_string_equal(frame.to, NAME);
    assert_string_equal(frame.from, from);
    assert_true(frame.body_size >= strlen(start));
    assert_memory_equal(frame.body, start, strlen(start));
    if (!has(&frame, words) || !has(&frame, more))
        fail_msg("'%s' or '%s' is not in it", words, more);
    zframe_destroy(&bytes);
}

static zsock_t *
join(harness_t *self)
{
    zsock_t *sock = third_party_hello(self->ipc, NAME, self->keys.public_key, self->peer.public_key,
                                      self->peer.secret_key);
    assert_non_null(sock);
    expect(sock, WELCOME, 0, "broker",
           "\x83"
           "\xa7version\x01"
           "\xa4name\xac" NAME "\xa9"
           "broker_id\xd9\x20",
           "", "");
    return sock;
}

static void
a_stranger_says_hello_and_asks_who_is_there(void **state)
{
    harness_t *self = *state;
    echo_t *echo = echo_new(self, self->ipc, "engine");
    zsock_t *sock = join(self);
    third_party_ask(sock, NAME, "broker", "bus.Broker/ListPeers", 1, "\x80", 1);
    expect(sock, REPLY, 1, "broker",
           "\x81"
           "\xa5peers\x92", /* two: itself first */
           "\xa4name\xac" NAME "\xa4role\xa6"
           "client\xa7program\xaf"
           "third-party 0.1",
           "\xa4name\xa6"
           "engine");
    zsock_destroy(&sock);
    echo_destroy(&echo);
}

static void
a_stranger_asks_another_peer(void **state)
{
    harness_t *self = *state;
    echo_t *echo = echo_new(self, self->ipc, "engine");
    zsock_t *sock = join(self);
    third_party_ask(sock, NAME, "engine", "engine_api.EngineService/GetEngineInfo", 2, "\x80", 1);
    expect(sock, REPLY, 2, "engine", "\x80", "", "");
    zsock_destroy(&sock);
    echo_destroy(&echo);
}

static void
a_stranger_reads_why_it_was_refused(void **state)
{
    harness_t *self = *state;
    zsock_t *sock = join(self);
    third_party_ask(sock, NAME, "engine", "engine_api.EngineService/GetEngineInfo", 3, "\x80", 1);
    expect(sock, ERROR, 3, "broker",
           "\x81"
           "\xa5links",
           "\xa4"
           "code\x0e",
           "'engine' is not on the bus");
    zsock_destroy(&sock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stranger_says_hello_and_asks_who_is_there),
        TEST(a_stranger_asks_another_peer),
        TEST(a_stranger_reads_why_it_was_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
