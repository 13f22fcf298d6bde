/*  members: see members.h. */
#include "bus/members.h"

#include <stdlib.h>
#include <string.h>

void
bus_members_done(bus_members_t *self)
{
    bus_table_done(&self->by_route);
    bus_table_done(&self->by_name);
    bus_table_done(&self->dialogs);
}

static uint64_t
hash_route(const void *route)
{
    uint32_t number;
    memcpy(&number, (const uint8_t *)route + 1, sizeof number); /* the first byte is always zero */
    return bus_hash_number(number);
}

bus_member_t *
bus_members_add(bus_members_t *self, const uint8_t route[BUS_ROUTE_SIZE], const char *name,
                const char *program)
{
    size_t len = strlen(name);
    bus_member_t *member = calloc(1, sizeof *member + len + 1);
    if (!member || !(member->program = strdup(program)))
        abort();
    memcpy(member->name, name, len + 1);
    memcpy(member->route, route, BUS_ROUTE_SIZE);
    member->name_len = (unsigned)len;
    member->role = bus_role_of(name);
    member->fd = -1;
    bus_table_put(&self->by_route, &member->by_route, hash_route(route));
    bus_table_put(&self->by_name, &member->by_name, bus_hash(name, len));
    return member;
}

void
bus_members_remove(bus_members_t *self, bus_member_t *member)
{
    bus_table_remove(&self->by_route, &member->by_route);
    bus_table_remove(&self->by_name, &member->by_name);
    for (bus_owed_t *owed = member->owed, *next; owed; owed = next) {
        next = owed->next;
        zmq_msg_close(&owed->msg);
        free(owed);
    }
    free(member->program);
    free(member);
}

bus_member_t *
bus_members_by_route(const bus_members_t *self, const void *route, size_t size)
{
    if (size != BUS_ROUTE_SIZE)
        return NULL;
    bus_link_t *at = bus_table_find(&self->by_route, hash_route(route));
    for (; at; at = bus_link_next(at)) {
        bus_member_t *member = BUS_OF(bus_member_t, by_route, at);
        if (memcmp(member->route, route, BUS_ROUTE_SIZE) == 0)
            return member;
    }
    return NULL;
}

bus_member_t *
bus_members_by_name(const bus_members_t *self, const char *name, size_t len)
{
    bus_link_t *at = bus_table_find(&self->by_name, bus_hash(name, len));
    for (; at; at = bus_link_next(at)) {
        bus_member_t *member = BUS_OF(bus_member_t, by_name, at);
        if (member->name_len == len && memcmp(member->name, name, len) == 0)
            return member;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------- dialogs */

static uint64_t
hash_dialog(const bus_member_t *asker, uint64_t correlation)
{
    return bus_hash_number(correlation ^ (uint64_t)(uintptr_t)asker << 16);
}

bus_dialog_t *
bus_dialog_open(bus_members_t *self, bus_member_t *asker, bus_member_t *asked, uint64_t correlation,
                bool stream, size_t size)
{
    bus_dialog_t *dialog = malloc(sizeof *dialog + (stream ? 2 * sizeof dialog->flow[0] : 0));
    if (!dialog)
        abort();
    *dialog = (bus_dialog_t){
        .correlation = correlation, .side = {asker, asked}, .ask_bytes = size, .stream = stream};
    for (unsigned side = 0; side < 2; side++) {
        bus_member_t *member = dialog->side[side];
        if (stream)
            dialog->flow[side] = (bus_flow_t){0};
        dialog->next[side] = member->dialogs[side];
        if (dialog->next[side])
            dialog->next[side]->prev[side] = dialog;
        member->dialogs[side] = dialog;
    }
    asker->asked++;
    asked->bytes += size;
    bus_table_put(&self->dialogs, &dialog->link, hash_dialog(asker, correlation));
    return dialog;
}

bus_dialog_t *
bus_dialog_find(const bus_members_t *self, const bus_member_t *asker, uint64_t correlation)
{
    bus_link_t *at = bus_table_find(&self->dialogs, hash_dialog(asker, correlation));
    for (; at; at = bus_link_next(at)) {
        bus_dialog_t *dialog = BUS_OF(bus_dialog_t, link, at);
        if (dialog->side[0] == asker && dialog->correlation == correlation)
            return dialog;
    }
    return NULL;
}

void
bus_dialog_close(bus_members_t *self, bus_dialog_t *dialog)
{
    bus_table_remove(&self->dialogs, &dialog->link);
    for (unsigned side = 0; side < 2; side++) {
        if (dialog->prev[side])
            dialog->prev[side]->next[side] = dialog->next[side];
        else
            dialog->side[side]->dialogs[side] = dialog->next[side];
        if (dialog->next[side])
            dialog->next[side]->prev[side] = dialog->prev[side];
        if (dialog->stream)
            bus_dialog_credit(dialog, side, BUS_CREDIT);
    }
    dialog->side[0]->asked--;
    dialog->side[1]->bytes -= dialog->ask_bytes;
    free(dialog);
}

bool
bus_dialog_flow(bus_dialog_t *self, unsigned side, size_t size)
{
    if (!self->stream || self->flow[side].count == BUS_CREDIT)
        return false;
    bus_flow_t *flow = &self->flow[side];
    flow->sizes[(flow->first + flow->count++) % BUS_CREDIT] = (uint32_t)size;
    self->side[!side]->bytes += size;
    return true;
}

unsigned
bus_dialog_credit(bus_dialog_t *self, unsigned side, uint32_t count)
{
    bus_flow_t *flow = &self->flow[!side];
    unsigned done = 0;
    for (; self->stream && done < count && flow->count; done++) {
        self->side[side]->bytes -= flow->sizes[flow->first];
        flow->first = (uint8_t)((flow->first + 1) % BUS_CREDIT);
        flow->count--;
    }
    return done;
}
