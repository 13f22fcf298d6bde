/*  router: what a broker does with each frame. One thread, no waiting; broker.c owns the thread. */
#ifndef KURTOSIS_BUS_ROUTER_H
#define KURTOSIS_BUS_ROUTER_H

#include "bus/members.h"
#include "bus/tap.h"

#include <pthread.h>

typedef struct {
    void *socket;  /* the ROUTER */
    void *monitor; /* its events: ZMQ_EVENT_DISCONNECTED */
    bus_keys_t keys;
    char id[33]; /* of this broker's life */
    bool (*may_join)(void *arg, const char *name, const uint8_t public_key[BUS_KEY_SIZE]);
    void (*on_peer)(void *arg, const char *name, bool joined); /* may be NULL */
    void *arg;
    bus_members_t
        members; /* who is in it changes under lock; only the router's thread changes it */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a member came, or will not; on CLOCK_MONOTONIC */
    bool given_up;          /* under lock: nobody waits for members any more */
    bus_taps_t taps;
    bus_member_t *gone; /* to be removed before the next frame */
    uint64_t dropped;   /* frames */
    unsigned owing;     /* members with owed frames */
    int64_t sweep_at;   /* when bus_router_sweep wants to be called; 0 for not at all */
} bus_router_t;

/* Handles one message of the peer with this routing id; both are the caller's to close, msg may
 * have been moved out. */
void bus_router_frame(bus_router_t *self, zmq_msg_t *route, zmq_msg_t *msg);
/* Takes the monitor's events: members whose connections are lost are removed. When the socket is
 * empty, so that what they said before is heard. */
void bus_router_events(bus_router_t *self);
/* Ends asks far past their deadline, and delivers what is owed. */
void bus_router_sweep(bus_router_t *self, int64_t now);
/* Says BYE to all and forgets them. */
void bus_router_close(bus_router_t *self);

#endif
