/*  listing: who is on the bus, as the broker's answer to ListPeers. */
#ifndef KURTOSIS_BUS_LISTING_H
#define KURTOSIS_BUS_LISTING_H

#include "bus/members.h"

/* Appends the body of a bus.ListPeersReply. dropped: frames, for its field. */
void bus_listing_pack(const bus_members_t *members, uint64_t dropped, str_t *out);

#endif
