/*  tap: who is told of the messages that pass a broker: `kurtosis bus tap`. Names, kinds and sizes, no content. The
 *  router's thread.
 *
 *  Each tap is a server stream of the broker's own. It has the credit of every stream; what passes while there is none is
 *  counted and not told, so that a slow reader holds up nobody.
 */
#ifndef KURTOSIS_BUS_TAP_H
#define KURTOSIS_BUS_TAP_H

#include "bus/members.h"

typedef struct bus_tap bus_tap_t;

typedef struct {
    bus_tap_t *first; /* NULL: nobody looks, and nothing is to be done for a message */
    unsigned count;
} bus_taps_t;

/* Opens one for the sender of this OPEN. INVALID for a body that cannot be read, LIMIT past BUS_TAPS_MAX. */
int bus_taps_open(bus_taps_t *self, bus_member_t *member, const bus_frame_t *frame, err_t **err);
bool bus_taps_has(const bus_taps_t *self, const bus_member_t *member, uint64_t correlation);
/* CREDIT, CANCEL, ERROR of the reader; false when it has no such tap. */
bool bus_taps_continue(bus_taps_t *self, bus_member_t *member, const bus_frame_t *frame);
/* The member is gone; NULL: all are. */
void bus_taps_close(bus_taps_t *self, const bus_member_t *member);

/* Tells all who look, through deliver, of one message; deliver returns whether it was taken. */
void bus_taps_tell(bus_taps_t *self, const bus_frame_t *frame,
                   bool (*deliver)(void *arg, bus_member_t *member, zmq_msg_t *msg), void *arg);

#endif
