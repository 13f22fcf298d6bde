/*  actors: what an actor is. The public face of this folder.
 *
 *  One actor is one state struct, one loop thread, one table of handlers by method, one bus peer. It shares no
 *  memory with other actors. Its file opens with that table.
 *
 *    - A handler marked ACTOR_LOOP runs on the loop thread: short, never waits (over 50 ms it is logged).
 *      It may keep the call and answer later.
 *    - A handler marked ACTOR_WORKER runs on a worker thread and reads top to bottom; it may wait: ask others,
 *      open streams, use files and sockets. When it returns the call must have been answered (else the runtime
 *      answers INTERNAL). At most workers_max run at once, further calls wait in a bounded queue (LIMIT past it).
 *
 *  A program that only asks (the SDK, the CLI) is an actor without methods.
 *
 *  All functions are safe on any thread of the process unless they say otherwise.
 */
#ifndef KURTOSIS_ACTORS_H
#define KURTOSIS_ACTORS_H

#include "bus/bus.h"

typedef struct actor actor_t;
typedef struct actor_call actor_call_t;     /* one incoming ask, tell or stream */
typedef struct actor_stream actor_stream_t; /* one outgoing stream */

/* ----------------------------------------------------------------------------------- defining an actor */

/* state: the actor's state as given in the config. request: the decoded request, lent until the handler
 * returns; NULL for methods with client_streams (use actor_call_recv). call: the handler's, until answered. */
typedef void(actor_handler_fn)(void *state, actor_call_t *call, const ProtobufCMessage *request);

typedef enum { ACTOR_LOOP, ACTOR_WORKER } actor_where_t;

typedef struct {
    const char *method; /* full name from the schema; streaming follows from the schema */
    actor_where_t where;
    actor_handler_fn *handler;
} actor_method_t;

typedef struct {
    const char *name;     /* bus name, e.g. "driver/docker" */
    const char *program;  /* for people: "kurtosis-docker-driver 1.20.0" */
    const char *endpoint; /* the broker's: inproc://, ipc:// or tcp:// */
    uint8_t broker_key[BUS_KEY_SIZE];
    bus_keys_t keys;               /* this actor's */
    const actor_method_t *methods; /* ends with {0}; NULL for none. Checked against the schema. */
    void *state;
    unsigned workers_max;   /* 0 means 16 */
    int connect_timeout_ms; /* how long actor_new waits for Welcome; 0 means 5000 */
    /* Loop thread. joined: Welcome arrived (first time or after a reconnect); !joined: the broker is gone, all
     * asks under way have failed with UNAVAILABLE. May be NULL. */
    void (*on_bus)(void *state, bool joined);
} actor_config_t;

/* Starts the loop and joins the bus. On failure: UNAVAILABLE (nobody listens: reported at once over ipc and tcp; or,
 * over tcp, the connection is closed again and again while it is set up, as when broker_key is not the broker's),
 * DENIED (the broker does not take this key, or not for this name), TIMEOUT. Reconnects by itself later; then asks fail
 * with UNAVAILABLE until it is back. If another connection takes the name, this one stays away. */
int actor_new(const actor_config_t *config, actor_t **ret_actor, err_t **err);
/* Asks the actor to drain: new calls are refused with UNAVAILABLE, running ones get drain_ms to end, then they
 * are cancelled. Returns when everything has ended; frees. Not from the actor's own threads. A call that a handler keeps
 * beyond that has failed for its caller; answering it still is harmless, and needed to free it. */
void actor_destroy(actor_t **self_p);
AUTO_FOR(actor)
void actor_set_drain(actor_t *self, int drain_ms); /* default 5000 */

/* Runs fn(arg) on the loop thread after delay_ms; then every repeat_ms if > 0. Returns an id for actor_timer_stop. */
/* -1 when the actor has 1024 timers already. Stopping one that has fired or never was is fine. On the loop thread a
 * stopped timer does not fire any more; from other threads it may fire once while the stop is on its way. */
int actor_timer(actor_t *self, int delay_ms, int repeat_ms, void (*fn)(void *arg), void *arg);
void actor_timer_stop(actor_t *self, int id);
/* Runs fn(arg) on a thread of its own that is joined by actor_destroy; fn watches actor_stopping_fd. */
int actor_spawn(actor_t *self, void (*fn)(void *arg), void *arg, err_t **err);
/* Readable from the moment the actor stops. Lent. */
int actor_stopping_fd(const actor_t *self);
bool actor_stopping(const actor_t *self);
const char *actor_name(const actor_t *self);

/* --------------------------------------------------------------------------------- answering a call */

/* Name of the peer that called; the broker vouches for it. Lent as long as the call lives. */
const char *actor_call_from(const actor_call_t *call);
const bus_method_t *actor_call_method(const actor_call_t *call);
actor_t *actor_call_actor(const actor_call_t *call); /* that serves it; lent */
/* Nanoseconds of clock_ns() at which the caller gives up; 0 for never. */
int64_t actor_call_deadline(const actor_call_t *call);

/* Each of these three ends the call and frees it: *call_p is NULL after. They never fail: if the caller is gone,
 * nothing happens. fail takes the error. end closes a server stream. */
void actor_call_reply(actor_call_t **call_p, const ProtobufCMessage *reply);
void actor_call_fail(actor_call_t **call_p, err_t **err_p);
void actor_call_end(actor_call_t **call_p);

/* Sends one message of a server stream; waits for credit (worker threads; on the loop thread LIMIT instead of
 * waiting). CANCELLED when the caller gave up. */
int actor_call_send(actor_call_t *call, const ProtobufCMessage *item, err_t **err);
/* The same with a message that is packed already, as bus_msgpack_pack makes it: for what many are sent. */
int actor_call_send_packed(actor_call_t *call, const void *body, size_t size, err_t **err);
/* Receives one message of a client stream: 1 and *ret_item (yours), 0 at the end, negative on failure or cancel.
 * Worker threads. timeout_ms < 0 waits for ever; TIMEOUT otherwise. */
int actor_call_recv(actor_call_t *call, int timeout_ms, ProtobufCMessage **ret_item, err_t **err);
/* Readable once the caller has given up or the connection is lost; for poll(2) beside other descriptors. Lent. */
int actor_call_cancel_fd(actor_call_t *call);
/* Readable while a message of the client stream (or its end) waits. Lent. */
int actor_call_recv_fd(actor_call_t *call);
bool actor_call_cancelled(const actor_call_t *call);

/* --------------------------------------------------------------------------------------- asking others */

/* All of these wait, so not on the loop thread. within: the call on whose behalf this is asked, or NULL; its
 * cancellation cancels this too (CANCELLED), and its trace id goes along. timeout_ms 0 means 30 s, negative none. */

/* A `within` without a caller: for work of this process that can be called off. Asks, streams and scopes within it share
 * one trace id and fail with CANCELLED from actor_scope_cancel on, which gives the reason; so they do when the call or
 * scope is over that it is within itself (may be NULL). actor_call_cancel_fd and actor_call_cancelled are for scopes too.
 * Destroy it when nothing that was asked within it is under way. */
actor_call_t *actor_scope_new(actor_t *self, actor_call_t *within);
void actor_scope_cancel(actor_call_t *scope, const char *why); /* once more is fine */
void actor_scope_destroy(actor_call_t **scope_p);

/* One request, one reply. The deadline of within, if it is nearer, counts. *ret_reply is yours; NULL ret_reply throws it away. */
int actor_ask(actor_t *self, actor_call_t *within, const char *to, const char *method,
              const ProtobufCMessage *request, int timeout_ms, ProtobufCMessage **ret_reply,
              err_t **err);
/* The same without waiting, so for the loop thread too: on_reply comes on the loop thread, exactly once, with the
 * reply (lent until it returns) or error (lent); also when the actor ends before an answer came. */
typedef void(actor_reply_fn)(void *arg, const ProtobufCMessage *reply, const err_t *error);
void actor_ask_later(actor_t *self, actor_call_t *within, const char *to, const char *method,
                     const ProtobufCMessage *request, int timeout_ms, actor_reply_fn *on_reply,
                     void *arg);
/* One message of at most BUS_TELL_MAX bytes, no reply, no promise. */
int actor_tell(actor_t *self, const char *to, const char *method, const ProtobufCMessage *request,
               err_t **err);

/* Opens a stream of a method with client_streams and/or server_streams. request: the one request of a server
 * stream; NULL for client streams (send them). No deadline of its own. */
int actor_stream_open(actor_t *self, actor_call_t *within, const char *to, const char *method,
                      const ProtobufCMessage *request, actor_stream_t **ret_stream, err_t **err);
/* Waits for credit; fails with the other side's error if it ended the stream. */
int actor_stream_send(actor_stream_t *self, const ProtobufCMessage *item, err_t **err);
/* No more from us. */
int actor_stream_end(actor_stream_t *self, err_t **err);
/* 1 and *ret_item (yours), 0 at the end, negative on failure. The single reply of a client stream is one item.
 * timeout_ms < 0 waits for ever. */
int actor_stream_recv(actor_stream_t *self, int timeout_ms, ProtobufCMessage **ret_item,
                      err_t **err);
/* Readable while a message, the end or an error waits; for poll(2). Lent. */
int actor_stream_recv_fd(actor_stream_t *self);
/* Cancels if the other side has not ended; frees. */
void actor_stream_destroy(actor_stream_t **self_p);
AUTO_FOR(actor_stream)

/* ---------------------------------------------------------------------------------------- supervising */

/* A child process that is kept running: started again when it dies, after 100 ms, doubled up to 5 s, back to
 * 100 ms once it has run for 10 s; each death is logged. SIGTERM on destroy, SIGKILL after grace_ms. */
typedef struct actor_child actor_child_t;

/* argv: NULL-terminated, copied. extra_env: "NAME=value", NULL-terminated, copied, may be NULL. on_exit (may be
 * NULL): a death, with wait status; on the supervisor's thread. The child dies with its parent (PR_SET_PDEATHSIG). */
int actor_child_new(const char *name, const char *const *argv, const char *const *extra_env,
                    int grace_ms, void (*on_exit)(void *arg, int status), void *arg,
                    actor_child_t **ret_child, err_t **err);
int actor_child_pid(const actor_child_t *self); /* 0 between lives */
void actor_child_destroy(actor_child_t **self_p);
AUTO_FOR(actor_child)

/* -------------------------------------------------------------------------------------------- process */

/* First thing in main of a program with actors: blocks the signals that are waited for, ignores SIGPIPE, makes malloc
 * use two arenas and give back what is free. Before any thread. */
void actor_process_init(void);
/* Waits for SIGTERM, SIGINT or actor_process_stop; returns the signal (0 for the latter). Main thread. */
int actor_process_wait(void);
void actor_process_stop(void);

#endif
