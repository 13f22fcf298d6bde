/*  methods: finds operations and messages of the schema by name. */
#include "bus/methods.h"

#include <string.h>

static int
method_compare(const void *name, const void *method)
{
    return strcmp(name, ((const bus_method_t *)method)->name);
}

static int
message_compare(const void *name, const void *message)
{
    return strcmp(name, (*(const ProtobufCMessageDescriptor *const *)message)->name);
}

const bus_method_t *
bus_methods(size_t *ret_count)
{
    *ret_count = bus_methods_count_;
    return bus_methods_;
}

const bus_method_t *
bus_method_find(const char *name)
{
    return bsearch(name, bus_methods_, bus_methods_count_, sizeof *bus_methods_, method_compare);
}

const ProtobufCMessageDescriptor *const *
bus_messages(size_t *ret_count)
{
    *ret_count = bus_messages_count_;
    return bus_messages_;
}

const ProtobufCMessageDescriptor *
bus_message_find(const char *name)
{
    const ProtobufCMessageDescriptor *const *found =
        bsearch(name, bus_messages_, bus_messages_count_, sizeof *bus_messages_, message_compare);
    return found ? *found : NULL;
}
