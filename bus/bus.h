/*  bus: what crosses a wire. The public face of this folder.
 *
 *  Every message and operation is defined in bus/schema/<package>.proto; protobuf-c's descriptors of them serve
 *  every codec. An actor does not use peers directly: actors/actors.h wraps them. What others need of
 *  this folder: the schema's structs (generated headers "bus/schema/engine.pb-c.h" ...), the table of
 *  methods, the codecs, keys, and the broker that the engine process runs.
 */
#ifndef KURTOSIS_BUS_H
#define KURTOSIS_BUS_H

#include "base/err.h"
#include "base/str.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------- limits */

#define BUS_BODY_MAX (16u * 1024 * 1024) /* bytes of one message's body */
#define BUS_TELL_MAX 65536u /* bytes of a tell's body, since nothing else bounds how many wait */
#define BUS_DEPTH_MAX 32u   /* nesting of a body */
#define BUS_JSON_VALUES_MAX 262144u /* values in a JSON text */
#define BUS_NAME_MAX 100u           /* bytes of a peer's name and of a method's name */
#define BUS_CHUNK_MAX 3145728u      /* bytes of a chunk of a file */
#define BUS_CREDIT 64u              /* messages of a stream in flight, per direction */
#define BUS_CREDIT_BYTES (4u << 20) /* with so many bytes in flight a sender waits, too */

/* ------------------------------------------------------------------------------------------- schema */

/* One operation, read off the schema at build time. */
typedef struct {
    const char *name;      /* "engine_api.EngineService/CreateEnclave", as in a gRPC path */
    const char *shortname; /* "CreateEnclave" */
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
    bool client_streams; /* many requests */
    bool server_streams; /* many responses */
} bus_method_t;

/* All operations, sorted by name; *ret_count is set. Lent for ever. */
const bus_method_t *bus_methods(size_t *ret_count);
/* NULL when there is none of this full name. Lent for ever. */
const bus_method_t *bus_method_find(const char *name);

/* All messages, sorted by full name ("engine_api.EnclaveInfo"), but for the entries of maps; *ret_count is set.
 * Lent for ever. */
const ProtobufCMessageDescriptor *const *bus_messages(size_t *ret_count);
/* NULL when there is none of this full name. Lent for ever. */
const ProtobufCMessageDescriptor *bus_message_find(const char *name);

/* ------------------------------------------------------------------------------------------- codecs */

/* Appends msg as msgpack: a map of field name to value, unset (zero) fields left out, enums as numbers, bytes as bin,
 * map<> fields as maps, oneof by its set member, zero or not. Bytes of a string that are no UTF-8 become U+FFFD: what
 * may be arbitrary bytes belongs into a bytes field. Never fails. */
void bus_msgpack_pack(const ProtobufCMessage *msg, str_t *out);

/* Appends a message with nothing but a repeated field of messages, which are packed already, one after the other. */
void bus_msgpack_pack_list(const char *field, const void *packed, size_t size, size_t count,
                           str_t *out);

/* Decodes one message that fills the bytes exactly. Distrusts: no count is believed that is greater than the bytes left;
 * BUS_BODY_MAX, BUS_DEPTH_MAX and four times BUS_BODY_MAX of memory are LIMIT. Unknown fields pass, missing and nil ones
 * take their default; a wrong type, a field given twice, a string that is not UTF-8 or has a NUL is INVALID with the
 * field's path. *ret is yours: protobuf_c_message_free_unpacked(msg, NULL), or bus_message_destroy. */
int bus_msgpack_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t size,
                       ProtobufCMessage **ret, err_t **err);

/* The same for JSON by proto3's rules (https://protobuf.dev/programming-guides/json/): lowerCamelCase out
 * (field names with proto_names), both spellings in, 64-bit integers as strings, bytes base64, Timestamp
 * and Duration as text, enums by name. */
char *bus_json_pack(const ProtobufCMessage *msg, bool proto_names); /* yours, free() */
int bus_json_unpack(const ProtobufCMessageDescriptor *descriptor, const char *text, size_t size,
                    ProtobufCMessage **ret, err_t **err);

/* A deep copy (through the protobuf codec); yours. */
ProtobufCMessage *bus_message_dup(const ProtobufCMessage *msg);
/* Frees and clears; NULL is fine. Works on any message that a codec above made. */
void bus_message_destroy_(ProtobufCMessage **msg_p);
#define bus_message_destroy(msg_p) bus_message_destroy_((ProtobufCMessage **)(msg_p))
#define AUTO_MESSAGE __attribute__((cleanup(bus_message_auto_)))
static inline void
bus_message_auto_(void *p)
{
    bus_message_destroy_((ProtobufCMessage **)p);
}

/* An error chain as a message (bus.ErrorChain in msgpack), and back. */
void bus_err_pack(const err_t *error, str_t *out);
/* Yours; a clear error when the bytes are none. */
err_t *bus_err_unpack(const void *data, size_t size);

/* --------------------------------------------------------------------------------------------- keys */

#define BUS_KEY_SIZE 32      /* bytes of a CURVE key */
#define BUS_KEY_TEXT_SIZE 41 /* Z85 text of one, with NUL */

/* A CURVE key pair. Plain data; wipe with bus_keys_wipe when done. */
typedef struct {
    uint8_t public_key[BUS_KEY_SIZE];
    uint8_t secret_key[BUS_KEY_SIZE];
} bus_keys_t;

void bus_keys_new(bus_keys_t *self);
void bus_keys_wipe(bus_keys_t *self);
/* Reads a key pair from a file of two Z85 lines (public, secret), or makes one and writes it (mode 0600, its
 * folder 0700, made if absent; atomically). */
int bus_keys_require(const char *path, bus_keys_t *ret_keys, err_t **err);
void bus_key_to_text(const uint8_t key[BUS_KEY_SIZE], char ret_text[BUS_KEY_TEXT_SIZE]);
int bus_key_from_text(const char *text, uint8_t ret_key[BUS_KEY_SIZE], err_t **err);

/* -------------------------------------------------------------------------------------------- roles */

/* Who a peer is, by the first part of its name. bus/roles.c has the one table of who may call what. */
typedef enum {
    BUS_ROLE_NONE, /* not a name of ours */
    BUS_ROLE_ENGINE,
    BUS_ROLE_DRIVER,
    BUS_ROLE_APIC,
    BUS_ROLE_GATEWAY,
    BUS_ROLE_CLIENT,
    BUS_ROLES
} bus_role_t;

bus_role_t bus_role_of(const char *peer_name);
const char *bus_role_name(bus_role_t role);
/* May a peer called from ask the peer called to for method (full name)? */
bool bus_role_may(const char *from, const char *to, const char *method);

/* ------------------------------------------------------------------------------------------- broker */

/* The broker: one ROUTER, one thread. Every frame is checked (shape, size, sender, role) before it goes on;
 * what is wrong gets an error reply or is counted and dropped. */
typedef struct bus_broker bus_broker_t;

typedef struct {
    /* Endpoints to bind, NULL-terminated: "inproc://x", "ipc:///path" (its folder is made, 0700),
     * "tcp://ip:port" (CURVE, always). */
    const char *const *endpoints;
    bus_keys_t keys;
    /* Is this proven public key allowed to be called name? Called on the broker's thread; must not wait long.
     * inproc peers are asked too (their key is proven by the same Hello). */
    bool (*may_join)(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE]);
    /* Over tcp only: is this key known at all (before any frame)? Called on the ZAP thread. */
    bool (*is_known)(void *arg, const uint8_t public_key[BUS_KEY_SIZE]);
    /* A peer joined (true) or is gone (false). Called on the broker's thread; must not wait. May be NULL. */
    void (*on_peer)(void *arg, const char *name, bool joined);
    void *arg;
    /* Milliseconds between pings; a peer that says nothing for twice as long after one is gone. 0 means 5000. */
    int heartbeat_ms;
} bus_broker_config_t;

/* Binds and starts; returns when it listens. *ret_broker is yours. The config is copied, but not arg. */
int bus_broker_new(const bus_broker_config_t *config, bus_broker_t **ret_broker, err_t **err);
/* Stops the thread, within 1 s, and frees. */
void bus_broker_destroy(bus_broker_t **self_p);
AUTO_FOR(bus_broker)

/* Waits until a peer of this name is there; TIMEOUT after timeout_ms. Any thread but the broker's. */
int bus_broker_wait_peer(bus_broker_t *self, const char *name, int timeout_ms, err_t **err);
/* Ends these waits, now and later, with STATE: who was waited for will not come. Any thread. */
void bus_broker_give_up(bus_broker_t *self);
/* The port that "tcp://ip:*" got; 0 if there is no tcp endpoint. */
int bus_broker_port(const bus_broker_t *self);

/* The ØMQ context of this process, made on first use: inproc endpoints meet in it. */
void *bus_context(void);
/* Ends the context once every peer and broker of the process is gone; for tests and orderly exits. */
void bus_context_term(void);

#endif
