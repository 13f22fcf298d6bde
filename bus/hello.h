/*  hello: who a peer is, proven. Body of HELLO and WELCOME. */
#ifndef KURTOSIS_BUS_HELLO_H
#define KURTOSIS_BUS_HELLO_H

#include "bus/bus.h"

#define BUS_NONCE_SIZE 24u

typedef struct {
    char name[BUS_NAME_MAX + 1];
    char program[BUS_NAME_MAX + 1];
    uint8_t public_key[BUS_KEY_SIZE]; /* the sender has its secret key */
} bus_hello_t;

/* Appends the body of a HELLO. nonce: NULL takes a random one. program may be NULL; what is over
 * 100 bytes is cut. */
void bus_hello_pack(const bus_keys_t *keys, const uint8_t broker_key[BUS_KEY_SIZE],
                    const char *name, const char *program, const uint8_t nonce[BUS_NONCE_SIZE],
                    str_t *out);
/* The broker's side: INVALID for a malformed body, DENIED for a proof that does not hold. */
int bus_hello_unpack(const void *body, size_t size, const bus_keys_t *broker_keys,
                     bus_hello_t *ret_hello, err_t **err);
/* Appends the body of a WELCOME. */
void bus_welcome_pack(const char *name, const char *broker_id, str_t *out);

#endif
