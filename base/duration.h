/*  duration: lengths of time as Go writes them: "1h2m3.5s", "250ms". Nanoseconds in an int64_t. */
#ifndef KURTOSIS_BASE_DURATION_H
#define KURTOSIS_BASE_DURATION_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* INVALID with Go's words, e.g. `time: missing unit in duration "5"`. */
int duration_parse(const char *text, int64_t *ret_ns, err_t **err);
/* Appends, e.g. "2m0s", "1.5s", "0s". */
void duration_put(str_t *out, int64_t ns);

#endif
