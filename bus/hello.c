/*  hello: see hello.h. */
#include "bus/hello.h"

#include "bus/frame.h"
#include "bus/schema/bus.pb-c.h"

#include <sodium.h>
#include <string.h>

#define PROOF_MAX (BUS_NONCE_SIZE + BUS_NAME_MAX + crypto_box_MACBYTES)

_Static_assert(BUS_NONCE_SIZE == crypto_box_NONCEBYTES, "the nonce is crypto_box's");

void
bus_hello_pack(const bus_keys_t *keys, const uint8_t broker_key[BUS_KEY_SIZE], const char *name,
               const char *program, const uint8_t nonce[BUS_NONCE_SIZE], str_t *out)
{
    uint8_t proof[PROOF_MAX];
    char program_cut[BUS_NAME_MAX + 1];
    size_t len = strlen(name);
    strncpy(program_cut, program ? program : "", BUS_NAME_MAX);
    program_cut[BUS_NAME_MAX] = '\0';
    if (sodium_init() < 0)
        abort();
    if (nonce)
        memcpy(proof, nonce, BUS_NONCE_SIZE);
    else
        randombytes_buf(proof, BUS_NONCE_SIZE);
    /* Only a public key of low order fails; then the zeroed proof fails at the other side, with its
     * words. */
    if (crypto_box_easy(proof + BUS_NONCE_SIZE, (const uint8_t *)name, len, proof, broker_key,
                        keys->secret_key) < 0)
        memset(proof, 0, sizeof proof);
    Bus__Hello hello = BUS__HELLO__INIT;
    hello.version = BUS_VERSION;
    hello.name = (char *)name;
    hello.public_key = (ProtobufCBinaryData){BUS_KEY_SIZE, (uint8_t *)keys->public_key};
    hello.proof = (ProtobufCBinaryData){BUS_NONCE_SIZE + len + crypto_box_MACBYTES, proof};
    hello.program = program_cut;
    bus_msgpack_pack(&hello.base, out);
}

static int
check(const Bus__Hello *hello, const bus_keys_t *broker_keys, err_t **err)
{
    uint8_t opened[BUS_NAME_MAX];
    size_t len = strlen(hello->name);
    if (hello->version != BUS_VERSION)
        return err_fail(err, ERR_INVALID, "the peer speaks version %u, the broker version %u",
                        hello->version, BUS_VERSION);
    if (!len || len > BUS_NAME_MAX || bus_role_of(hello->name) == BUS_ROLE_NONE)
        return err_fail(err, ERR_INVALID, "'%.*s' is not the name of a peer", BUS_NAME_MAX,
                        hello->name);
    for (const char *c = hello->name; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("'\"\\*", *c))
            return err_fail(err, ERR_INVALID, "the name has characters that a name cannot have");
    if (strlen(hello->program) > BUS_NAME_MAX)
        return err_fail(err, ERR_INVALID, "the program's name has over %u bytes", BUS_NAME_MAX);
    if (hello->public_key.len != BUS_KEY_SIZE)
        return err_fail(err, ERR_INVALID, "the public key has %zu bytes instead of %u",
                        hello->public_key.len, BUS_KEY_SIZE);
    if (hello->proof.len != BUS_NONCE_SIZE + len + crypto_box_MACBYTES)
        return err_fail(err, ERR_INVALID, "the proof has %zu bytes", hello->proof.len);
    if (crypto_box_open_easy(opened, hello->proof.data + BUS_NONCE_SIZE,
                             hello->proof.len - BUS_NONCE_SIZE, hello->proof.data,
                             hello->public_key.data, broker_keys->secret_key) < 0 ||
        memcmp(opened, hello->name, len) != 0)
        return err_fail(err, ERR_DENIED,
                        "the proof of '%s' does not hold: it was made with another key, or for "
                        "another broker",
                        hello->name);
    return 0;
}

int
bus_hello_unpack(const void *body, size_t size, const bus_keys_t *broker_keys,
                 bus_hello_t *ret_hello, err_t **err)
{
    AUTO_MESSAGE ProtobufCMessage *message = NULL;
    if (bus_msgpack_unpack(&bus__hello__descriptor, body, size, &message, err) < 0)
        return -1;
    const Bus__Hello *hello = (const Bus__Hello *)message;
    if (check(hello, broker_keys, err) < 0)
        return -1;
    memcpy(ret_hello->name, hello->name, strlen(hello->name) + 1);
    memcpy(ret_hello->program, hello->program, strlen(hello->program) + 1);
    memcpy(ret_hello->public_key, hello->public_key.data, BUS_KEY_SIZE);
    return 0;
}

void
bus_welcome_pack(const char *name, const char *broker_id, str_t *out)
{
    Bus__Welcome welcome = BUS__WELCOME__INIT;
    welcome.version = BUS_VERSION;
    welcome.name = (char *)name;
    welcome.broker_id = (char *)broker_id;
    bus_msgpack_pack(&welcome.base, out);
}
