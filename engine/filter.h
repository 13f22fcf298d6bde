/*  filter: conditions on log lines. */
#ifndef KURTOSIS_ENGINE_FILTER_H
#define KURTOSIS_ENGINE_FILTER_H

#include "base/str.h"
#include "bus/schema/engine.pb-c.h"

#include "base/err.h"

#define ENGINE_FILTERS_MAX 64u          /* conditions of one request */
#define ENGINE_FILTER_PATTERN_MAX 4096u /* bytes of one pattern */
#define ENGINE_FILTER_STEPS_MAX                                                                    \
    200000u /* steps of one match; a runaway pattern ends the request                              \
             */

/* Conditions that must all hold. Used by one thread. */
typedef struct engine_filter engine_filter_t;

/* INVALID for a pattern that is none, LIMIT for too many or too long ones. */
int engine_filter_new(EngineApi__LogLineFilter *const *filters, size_t count,
                      engine_filter_t **ret_filter, err_t **err);
void engine_filter_destroy(engine_filter_t **self_p);
AUTO_FOR(engine_filter)

/* 1 when the line is wanted, 0 when not; LIMIT when a pattern takes too long on it. */
int engine_filter_matches(engine_filter_t *self, const void *line, size_t size, err_t **err);

/* Appends bytes as valid UTF-8 without NUL: what is neither becomes U+FFFD. */
void engine_text_clean(str_t *out, const void *bytes, size_t size);

#endif
