/*  jq_dialect: today's jq language in the words of libjq 1.6.
 *
 *    if A then B end            if A then B else . end
 *    .list.[0], .map.["key"]    .list[0], .map["key"]
 */
#ifndef KURTOSIS_APIC_CORE_HELPERS_JQ_DIALECT_H
#define KURTOSIS_APIC_CORE_HELPERS_JQ_DIALECT_H

#include "base/str.h"

/* Appends the program. One that is no jq program may come out differently, and is none still. */
void jq_dialect_put(const char *program, str_t *out);

#endif
