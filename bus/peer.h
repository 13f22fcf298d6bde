/*  peer: one end of the bus: a name, a connection to the broker, the conversations that are open
 *  over it.
 *
 *  For one thread, and it never waits (bus_peer_join and bus_peer_ask apart). Its owner polls the
 *  descriptors, calls bus_peer_dispatch, and gets callbacks from there; every function may be called
 *  in a callback except bus_peer_destroy. actors/ is built on it.
 */
#ifndef KURTOSIS_BUS_PEER_H
#define KURTOSIS_BUS_PEER_H

#include "bus/frame.h"
#include "bus/limits.h"
#include "bus/table.h"
#include "bus/timers.h"

#include <poll.h>

#define BUS_PEER_FDS 2u

typedef struct bus_peer bus_peer_t;
typedef struct bus_talk bus_talk_t;

/* One conversation, embedded in whatever its owner keeps of it; zero it before use. */
struct bus_talk {
    bus_link_t link;
    bus_timer_t timer;
    bus_peer_t *owner;    /* NULL while it is not open */
    uint64_t correlation; /* the asker's number for it */
    bool mine;            /* this side asked */
    char other[BUS_NAME_MAX + 1];
    /* A frame of this conversation: *msg may be taken (zmq_msg_move), frame points into it. Or,
     * with frame NULL, it ended here: error (may be taken) is TIMEOUT, or UNAVAILABLE when the
     * broker is gone. When it ended (the last frame, or frame NULL) owner is NULL already: it may
     * be freed. */
    void (*on_frame)(bus_talk_t *self, const bus_frame_t *frame, zmq_msg_t *msg, err_t **error);
};

typedef struct {
    const char *name;
    const char *program; /* may be NULL */
    const char *endpoint;
    const uint8_t *broker_key;
    const bus_keys_t *keys;
    /* ASK, TELL or OPEN from another peer; *msg may be taken. */
    void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg);
    /* Welcome arrived; or the broker is gone and every conversation has ended. May be NULL. */
    void (*on_bus)(void *arg, bool joined);
    void *arg;
} bus_peer_config_t;

/* Starts to connect. Everything in the config but arg is copied. */
int bus_peer_new(const bus_peer_config_t *config, bus_peer_t **ret_peer, err_t **err);
/* Says goodbye and closes; open conversations end with UNAVAILABLE. */
void bus_peer_destroy(bus_peer_t **self_p);
AUTO_FOR(bus_peer)

/* Waits until the broker has said Welcome. UNAVAILABLE: nobody listens (at once), or the connection
 * closes again and again while it is set up; DENIED: our key or name; TIMEOUT. */
int bus_peer_join(bus_peer_t *self, int timeout_ms, err_t **err);
bool bus_peer_joined(const bus_peer_t *self);

/* To be polled for reading. Call bus_peer_dispatch before the first poll and after each, and again
 * before sleeping when anything was sent since: the descriptors tell of changes only. Returns how
 * many are set. */
unsigned bus_peer_fds(const bus_peer_t *self, struct pollfd ret_fds[BUS_PEER_FDS]);
/* Handles what is due and what waits. fds: as polled, so that what had no news is not looked at;
 * NULL looks at all. True when there may be more: call again before sleeping. */
bool bus_peer_dispatch(bus_peer_t *self, const struct pollfd *fds);
/* The peer's timers, for its owner's too. */
bus_timers_t *bus_peer_timers(bus_peer_t *self);

/* The next free correlation number of this peer. Any thread. */
uint64_t bus_peer_number(bus_peer_t *self);
/* The one frame of a conversation that this peer asks for: sends msg (taken, always) to
 * talk->other. The caller has set correlation, other and on_frame. deadline (clock_ns, 0 for never)
 * ends it with TIMEOUT here and CANCEL there. On failure (UNAVAILABLE, LIMIT) it is not open. */
int bus_peer_open(bus_peer_t *self, bus_talk_t *talk, int64_t deadline, zmq_msg_t *msg,
                  err_t **err);
/* Takes part in a conversation that another asked for by frame; the caller has set on_frame.
 * INVALID if it is open already. */
int bus_peer_accept(bus_peer_t *self, bus_talk_t *talk, const bus_frame_t *frame, err_t **err);
/* Any further frame; msg is taken, always. Fails with UNAVAILABLE or LIMIT. */
int bus_peer_send(bus_peer_t *self, zmq_msg_t *msg, err_t **err);
/* Sends a frame without a body, about an open conversation. */
void bus_talk_say(bus_talk_t *self, bus_kind_t kind, uint32_t count);
/* Sends an error about an open conversation and closes it. */
void bus_talk_fail(bus_talk_t *self, const err_t *error);
/* Forgets it: no callback comes any more. Does nothing if it is not open. */
void bus_talk_close(bus_talk_t *self);
/* Answers a call that was not accepted. */
void bus_peer_refuse(bus_peer_t *self, const bus_frame_t *frame, const err_t *error);

/* Asks and waits, dispatching meanwhile. *ret_reply is the whole REPLY (yours, zmq_msg_close),
 * ret_frame points into it. */
int bus_peer_ask(bus_peer_t *self, const char *to, const char *method, const void *body,
                 size_t size, int timeout_ms, zmq_msg_t *ret_reply, bus_frame_t *ret_frame,
                 err_t **err);

#endif
