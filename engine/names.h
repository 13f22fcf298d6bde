/*  names: which names an enclave may have. */
#ifndef KURTOSIS_ENGINE_NAMES_H
#define KURTOSIS_ENGINE_NAMES_H

#include <stdbool.h>

#define ENGINE_NAME_MAX 60u                  /* bytes of an enclave's name */
#define ENGINE_NAME_RESERVED "idle-enclave-" /* prefix that users may not have */

/* ^[-A-Za-z0-9]{1,60}$, and not reserved? */
bool engine_name_is_valid(const char *name);

#endif
