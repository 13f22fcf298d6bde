/*  methods: the tables that the build writes from the schema (bus/schema/tool/table.c), both sorted
 * by name. */
#ifndef KURTOSIS_BUS_METHODS_H
#define KURTOSIS_BUS_METHODS_H

#include "bus/bus.h"

extern const size_t bus_methods_count_;
extern const bus_method_t bus_methods_[];
extern const size_t bus_messages_count_;
extern const ProtobufCMessageDescriptor *const bus_messages_[];

#endif
