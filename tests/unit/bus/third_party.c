/*  third_party: see third_party.h. No header of ours is included here. */
#include "tests/unit/bus/third_party.h"

#include <sodium.h>
#include <string.h>

#define HEADER 32
#define PATIENCE_MS 30000

enum { HELLO = 1, ASK = 4 };

static size_t
put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return size;
}

/* A frame of side 0 with correlation in its last byte, and 30,000 ms for an ASK. */
static void
send_frame(zsock_t *self, unsigned kind, uint8_t correlation, const char *to, const char *from,
           const char *method, const uint8_t *body, size_t size)
{
    uint8_t bytes[1024] = {'K', 1, (uint8_t)kind, 0};
    size_t end = HEADER;
    bytes[11] = correlation;
    bytes[14] = kind == ASK ? 30000 >> 8 : 0;
    bytes[15] = kind == ASK ? 30000 & 0xff : 0;
    bytes[28] = (uint8_t)strlen(to);
    bytes[29] = (uint8_t)strlen(from);
    bytes[30] = (uint8_t)strlen(method);
    end += put(bytes + end, to, strlen(to));
    end += put(bytes + end, from, strlen(from));
    end += put(bytes + end, method, strlen(method));
    end += put(bytes + end, body, size);
    zframe_t *frame = zframe_new(bytes, end);
    zframe_send(&frame, self, 0);
}

/* MessagePack: a short string, and a short byte string. */
static size_t
put_text(uint8_t *at, const char *text)
{
    at[0] = (uint8_t)(0xa0 | strlen(text));
    return 1 + put(at + 1, text, strlen(text));
}

static size_t
put_bin(uint8_t *at, const void *bytes, size_t size)
{
    at[0] = 0xc4;
    at[1] = (uint8_t)size;
    return 2 + put(at + 2, bytes, size);
}

zsock_t *
third_party_hello(const char *endpoint, const char *name, const uint8_t *broker_key,
                  const uint8_t *public_key, const uint8_t *secret_key)
{
    uint8_t proof[crypto_box_NONCEBYTES + crypto_box_MACBYTES + 100], body[400];
    size_t size = 0, len = strlen(name);
    zsys_handler_set(NULL); /* signals are the test's */
    zsock_t *self = zsock_new(ZMQ_DEALER);
    if (!self || zsock_connect(self, "%s", endpoint) < 0) {
        zsock_destroy(&self);
        return NULL;
    }
    zsock_set_rcvtimeo(self, PATIENCE_MS);
    randombytes_buf(proof, crypto_box_NONCEBYTES);
    if (crypto_box_easy(proof + crypto_box_NONCEBYTES, (const uint8_t *)name, len, proof,
                        broker_key, secret_key) != 0) {
        zsock_destroy(&self);
        return NULL;
    }
    body[size++] = 0x85; /* a map of five */
    size += put_text(body + size, "version");
    body[size++] = 1;
    size += put_text(body + size, "name");
    size += put_text(body + size, name);
    size += put_text(body + size, "public_key");
    size += put_bin(body + size, public_key, 32);
    size += put_text(body + size, "proof");
    size += put_bin(body + size, proof, crypto_box_NONCEBYTES + crypto_box_MACBYTES + len);
    size += put_text(body + size, "program");
    size += put_text(body + size, "third-party 0.1");
    send_frame(self, HELLO, 0, "broker", name, "", body, size);
    return self;
}

void
third_party_ask(zsock_t *self, const char *from, const char *to, const char *method,
                uint8_t correlation, const void *body, size_t size)
{
    send_frame(self, ASK, correlation, to, from, method, body, size);
}

zframe_t *
third_party_recv(zsock_t *self, third_party_frame_t *ret_frame)
{
    zframe_t *frame = zframe_recv(self);
    const uint8_t *bytes = frame ? zframe_data(frame) : NULL;
    size_t size = frame ? zframe_size(frame) : 0, at = HEADER;
    if (size < HEADER || memcmp(bytes, "K\1", 2) != 0 || zframe_more(frame) ||
        size < (size_t)HEADER + bytes[28] + bytes[29] + bytes[30]) {
        zframe_destroy(&frame);
        return NULL;
    }
    *ret_frame = (third_party_frame_t){.kind = bytes[2], .side = bytes[3]};
    for (int i = 4; i < 12; i++)
        ret_frame->correlation = ret_frame->correlation << 8 | bytes[i];
    at += put((uint8_t *)ret_frame->to, bytes + at, bytes[28]);
    at += put((uint8_t *)ret_frame->from, bytes + at, bytes[29]);
    at += put((uint8_t *)ret_frame->method, bytes + at, bytes[30]);
    ret_frame->body = bytes + at;
    ret_frame->body_size = size - at;
    return frame;
}
