/*  last_lines: how a service ended by itself: its exit code and what it printed last. */
#ifndef KURTOSIS_CLI_LAST_LINES_H
#define KURTOSIS_CLI_LAST_LINES_H

#include "base/str.h"
#include "sdk/sdk.h"

#define LAST_LINES 10u /* of a service that ended */

/* Has it ended by itself, with a code other than 0? */
bool last_lines_wanted(const ApiContainerApi__ServiceInfo *info);
/* "3", "137 (its memory was used up)". */
void last_lines_code(str_t *out, const ApiContainerApi__Container *container);
/* Appends its last lines, each indented by two blanks and ended by a newline; nothing where there are none. */
void last_lines_put(str_t *out, kurtosis_context_t *kurtosis, const char *enclave_uuid,
                    const ApiContainerApi__ServiceInfo *info);

#endif
