/*  third_party: a peer by somebody who has read docs/wire-protocol.md and has nothing of ours: its only
 *  libraries are czmq and libsodium, each byte is put where the document says. */
#ifndef KURTOSIS_TESTS_BUS_THIRD_PARTY_H
#define KURTOSIS_TESTS_BUS_THIRD_PARTY_H

#include <czmq.h>

/* What it takes apart of a frame; the bytes are lent by the zframe. */
typedef struct {
    unsigned kind, side;
    uint64_t correlation;
    char to[101], from[101], method[101];
    const uint8_t *body;
    size_t body_size;
} third_party_frame_t;

/* Connects and says HELLO. Keys have 32 bytes. NULL if it cannot connect. */
zsock_t *third_party_hello(const char *endpoint, const char *name, const uint8_t *broker_key,
                           const uint8_t *public_key, const uint8_t *secret_key);
/* Sends an ASK; size bytes of body, at most 255. */
void third_party_ask(zsock_t *self, const char *from, const char *to, const char *method,
                     uint8_t correlation, const void *body, size_t size);
/* The next frame (yours, zframe_destroy) taken apart; NULL if none comes or it is not as documented. */
zframe_t *third_party_recv(zsock_t *self, third_party_frame_t *ret_frame);

#endif
