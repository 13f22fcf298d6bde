/*  peer_inside: what peer.c, talk.c and wait.c share. Nobody else includes it. */
#ifndef KURTOSIS_BUS_PEER_INSIDE_H
#define KURTOSIS_BUS_PEER_INSIDE_H

#include "bus/peer.h"

#include <stdatomic.h>

typedef struct parcel {
    struct parcel *next;
    zmq_msg_t msg;
} parcel_t;

struct bus_peer {
    char name[BUS_NAME_MAX + 1];
    char program[BUS_NAME_MAX + 1];
    char *endpoint;
    uint8_t broker_key[BUS_KEY_SIZE];
    bus_keys_t keys;
    void (*on_call)(void *arg, const bus_frame_t *frame, zmq_msg_t *msg);
    void (*on_bus)(void *arg, bool joined);
    void *arg;

    void *socket;
    void *monitor; /* NULL over inproc */
    int socket_fd, monitor_fd;
    atomic_uint_least64_t number;
    bool joined;
    bool reached;        /* something listened, at least once */
    bool refused;        /* nothing listened, and never did */
    unsigned handshakes; /* failed ones in a row */
    err_t *join_error;   /* why the last HELLO or handshake was refused */
    bool dirty;          /* the socket was used since it was last found empty */
    bus_timer_t retry;   /* says HELLO again after a refusal */
    bus_timers_t timers;
    bus_table_t talks;
    unsigned asked; /* talks of ours */
    parcel_t *outbox, **outbox_end;
    unsigned outbox_count;
};

/* peer.c: sends, or keeps in the outbox; msg is taken. */
int bus_peer_put(bus_peer_t *self, zmq_msg_t *msg, err_t **err);
/* Puts a frame in this peer's name. */
void bus_peer_say(bus_peer_t *self, bus_frame_t frame);

/* talk.c: the open conversation that a frame belongs to, or NULL. */
bus_talk_t *bus_peer_find_talk(const bus_peer_t *self, const bus_frame_t *frame);
/* Ends all, each with its callback. */
void bus_peer_end_talks(bus_peer_t *self, const err_t *error);

#endif
