#include "tests/unit/bus/harness.h"

#include "base/clock.h"

#include <string.h>

#define METHOD "engine_api.EngineService/GetEngineInfo"

static void
ask_works(harness_t *self, const char *endpoint)
{
    echo_t *echo = echo_new(self, endpoint, "engine");
    bus_peer_t *peer = harness_peer(self, endpoint, "client/1", NULL, NULL);
    for (int i = 0; i < 100; i++) {
        zmq_msg_t reply;
        bus_frame_t frame;
        AUTO(err) error = NULL;
        if (bus_peer_ask(peer, "engine", METHOD, "hello", 5, PATIENCE_MS, &reply, &frame, &error) < 0) {
            AUTO_FREE char *text = err_string(error);
            fail_msg("%s", text);
        }
        assert_int_equal(frame.body_size, 5);
        assert_memory_equal(frame.body, "hello", 5);
        zmq_msg_close(&reply);
    }
    bus_peer_destroy(&peer);
    echo_destroy(&echo);
}

static void
an_ask_is_answered_over_ipc(void **state)
{
    harness_t *self = *state;
    ask_works(self, self->ipc);
}

static void
an_ask_is_answered_over_inproc(void **state)
{
    harness_t *self = *state;
    ask_works(self, self->inproc);
}

static void
an_ask_is_answered_over_tcp(void **state)
{
    harness_t *self = *state;
    ask_works(self, self->tcp);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_ask_is_answered_over_ipc, harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(an_ask_is_answered_over_inproc, harness_setup,
                                        harness_teardown),
        cmocka_unit_test_setup_teardown(an_ask_is_answered_over_tcp, harness_setup_tcp,
                                        harness_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
