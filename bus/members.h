/*  members: who is on a broker's bus, and which conversations are open between them. Plain data: no
 *  socket, no thread, no clock. One thread.
 */
#ifndef KURTOSIS_BUS_MEMBERS_H
#define KURTOSIS_BUS_MEMBERS_H

#include "bus/frame.h"
#include "bus/limits.h"
#include "bus/table.h"

#define BUS_ROUTE_SIZE 5u /* bytes of the routing ids that a ROUTER makes itself */

typedef struct bus_member bus_member_t;
typedef struct bus_dialog bus_dialog_t;

/* A frame that could not be delivered yet. */
typedef struct bus_owed {
    struct bus_owed *next;
    zmq_msg_t msg;
} bus_owed_t;

/* A registered peer: one connection that has said Hello. */
struct bus_member {
    bus_link_t by_route;
    bus_link_t by_name;
    uint8_t route[BUS_ROUTE_SIZE];
    bool gone; /* it is on the list of those to be removed */
    int fd;    /* of its connection in this process; -1 for inproc */
    bus_role_t role;
    int64_t since; /* clock_ns() */
    uint64_t messages_in, messages_out;
    unsigned asked;           /* open dialogs that it asked for */
    size_t bytes;             /* of bodies under way to it */
    bus_dialog_t *dialogs[2]; /* those it takes part in: [0] as asker, [1] as the asked */
    bus_member_t *next_gone;
    bus_owed_t *owed;
    unsigned owed_count;
    unsigned name_len;
    char *program;
    char name[]; /* NUL-terminated */
};

/* Bodies of a stream that are under way in one direction: as many as the receiver has not credited
 * yet. */
typedef struct {
    uint8_t first, count;
    uint32_t sizes[BUS_CREDIT];
} bus_flow_t;

/* An open ask or stream between two members. side 0 is the asker, 1 the asked. */
struct bus_dialog {
    bus_link_t link;
    uint64_t correlation;
    int64_t expires; /* clock_ns() at which it is given up; 0 for never */
    bus_member_t *side[2];
    bus_dialog_t *prev[2], *next[2]; /* in the lists of the two */
    size_t ask_bytes;                /* of the opening frame, counted for the asked until the end */
    bool stream;
    bus_flow_t flow[]; /* streams: [side that sends] */
};

typedef struct {
    bus_table_t by_route, by_name, dialogs;
} bus_members_t;

void bus_members_done(bus_members_t *self); /* all must be gone */

/* The member is registered at once; name and program are copied. */
bus_member_t *bus_members_add(bus_members_t *self, const uint8_t route[BUS_ROUTE_SIZE],
                              const char *name, const char *program);
/* Its dialogs must be closed. Frees. */
void bus_members_remove(bus_members_t *self, bus_member_t *member);
/* Each: the member, or NULL. */
bus_member_t *bus_members_by_route(const bus_members_t *self, const void *route, size_t size);
bus_member_t *bus_members_by_name(const bus_members_t *self, const char *name, size_t len);

/* size: bytes of the opening body. */
bus_dialog_t *bus_dialog_open(bus_members_t *self, bus_member_t *asker, bus_member_t *asked,
                              uint64_t correlation, bool stream, size_t size);
/* NULL if this asker has none of this number. */
bus_dialog_t *bus_dialog_find(const bus_members_t *self, const bus_member_t *asker,
                              uint64_t correlation);
/* Frees. */
void bus_dialog_close(bus_members_t *self, bus_dialog_t *dialog);
/* A body of size goes from side to the other. False when the sender has no credit left. */
bool bus_dialog_flow(bus_dialog_t *self, unsigned side, size_t size);
/* side credits count bodies that it got. Returns how many of them were really under way. */
unsigned bus_dialog_credit(bus_dialog_t *self, unsigned side, uint32_t count);

#endif
