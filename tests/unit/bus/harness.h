/*  harness: a broker with an ipc endpoint in a folder of its own, and peers that answer, for the
 *  tests of the bus. */
#ifndef KURTOSIS_TESTS_BUS_HARNESS_H
#define KURTOSIS_TESTS_BUS_HARNESS_H

#include "bus/bus.h"
#include "bus/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PATIENCE_MS 30000 /* for what must happen; sanitizers and shared machines are slow */
/* What happens by itself, and not because PATIENCE_MS have passed. */
#define AT_ONCE (PATIENCE_MS * NS_PER_MS / 2)

typedef struct {
    char folder[64];
    char ipc[96];        /* endpoint */
    char inproc[64];     /* endpoint */
    char tcp[64];        /* endpoint with the real port; only when asked for */
    int heartbeat_ms;    /* 0 for the usual */
    bus_keys_t keys;     /* the broker's */
    bus_keys_t peer;     /* a key that may join under every name */
    bus_keys_t stranger; /* one that may not */
    bus_broker_t *broker;
} harness_t;

/* Fixtures for cmocka_unit_test_setup_teardown: with ipc and inproc, or with tcp besides. */
int harness_setup(void **state);
int harness_setup_tcp(void **state);
int harness_teardown(void **state);
void harness_start(harness_t *self, bool tcp); /* the broker, again; on the port it had */

/* A joined peer of that name, with the good key. */
bus_peer_t *harness_peer(harness_t *self, const char *endpoint, const char *name,
                         void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg),
                         void *arg);
/* Without waiting for Welcome. */
bus_peer_t *harness_peer_with(const char *endpoint, const char *name, const bus_keys_t *keys,
                              const uint8_t *broker_key,
                              void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg),
                              void *arg);

/* A peer on a thread of its own that answers every ASK with its own body. */
typedef struct echo echo_t;
echo_t *echo_new(harness_t *self, const char *endpoint, const char *name);
void echo_destroy(echo_t **self_p);

/* A raw DEALER at the broker's ipc endpoint; receives with a timeout of PATIENCE_MS. */
void *raw_new(harness_t *self);
void raw_send(void *socket, const void *bytes, size_t size);
/* The next frame; decoded into *ret_frame, which points into *msg (yours, zmq_msg_close). */
void raw_recv(void *socket, zmq_msg_t *msg, bus_frame_t *ret_frame);
/* Says Hello and takes the Welcome. */
void raw_join(harness_t *self, void *socket, const char *name);
/* Sends a frame without a body, or with that body. */
void raw_say(void *socket, bus_frame_t frame);
/* The next frame must be an ERROR with this correlation whose text has these words. */
void raw_expect_error(void *socket, uint64_t correlation, err_code_t code, const char *words);

#define assert_error(error, wanted_code, words)                                                    \
    do {                                                                                           \
        AUTO_FREE char *text_ = err_string(error);                                                 \
        if (err_code(error) != (wanted_code) || !strstr(text_, words))                             \
            fail_msg("error %d '%s', wanted %d '%s'", err_code(error), text_, wanted_code, words); \
    } while (0)

#endif
