/*  filler: messages with contents, of any type, for tests of the codecs. */
#ifndef KURTOSIS_TESTS_BUS_FILLER_H
#define KURTOSIS_TESTS_BUS_FILLER_H

#include "bus/bus.h"

/* Every field has a value that can be told from its neighbour's: the same in each run. Yours. */
ProtobufCMessage *filler_sample(const ProtobufCMessageDescriptor *descriptor);
/* Fields at random, with the edges of their ranges; the same for the same seed. Yours. */
ProtobufCMessage *filler_random(const ProtobufCMessageDescriptor *descriptor, uint64_t *seed);
/* A random number; seed moves on. */
uint64_t filler_next(uint64_t *seed);
/* Are they equal, field by field? */
bool filler_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);

#endif
