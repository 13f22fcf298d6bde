/*  listing: see listing.h. */
#include "bus/listing.h"

#include "base/clock.h"
#include "bus/schema/bus.pb-c.h"

#include <string.h>

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(Bus__Peer *const *)a)->name, (*(Bus__Peer *const *)b)->name);
}

typedef struct {
    Bus__Peer *peers, **list;
    size_t count;
    int64_t now;
} listing_t;

static void
list_one(void *arg, bus_link_t *link)
{
    listing_t *self = arg;
    bus_member_t *member = BUS_OF(bus_member_t, by_name, link);
    Bus__Peer *peer = self->list[self->count] = &self->peers[self->count];
    self->count++;
    bus__peer__init(peer);
    peer->name = member->name;
    peer->role = (char *)bus_role_name(member->role);
    peer->program = member->program;
    peer->connected_milliseconds = (uint64_t)((self->now - member->since) / NS_PER_MS);
    peer->messages_in = member->messages_in;
    peer->messages_out = member->messages_out;
}

void
bus_listing_pack(const bus_members_t *members, uint64_t dropped, str_t *out)
{
    size_t count = members->by_name.count;
    AUTO_FREE Bus__Peer *peers = calloc(count, sizeof *peers);
    AUTO_FREE Bus__Peer **list = calloc(count, sizeof *list);
    listing_t listing = {.peers = peers, .list = list, .now = clock_ns()};
    bus_table_each(&members->by_name, list_one, &listing);
    qsort(list, count, sizeof *list, by_name);
    Bus__ListPeersReply reply = BUS__LIST_PEERS_REPLY__INIT;
    reply.n_peers = count;
    reply.peers = list;
    reply.frames_dropped = dropped;
    bus_msgpack_pack(&reply.base, out);
}
