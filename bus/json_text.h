/*  json text: the texts that proto3's JSON has for bytes, times and names. */
#ifndef KURTOSIS_BUS_JSON_TEXT_H
#define KURTOSIS_BUS_JSON_TEXT_H

#include "base/str.h"

#include <stdint.h>

/* Appends standard base64, padded. */
void json_base64_put(str_t *out, const uint8_t *bytes, size_t size);
/* Bytes that a base64 text of this length has at most. */
#define JSON_BASE64_SPACE(len) ((len) / 4 * 3 + 3)
/* Reads base64 of either alphabet, padded or not, into out; false if it is none. */
bool json_base64_get(const char *text, size_t len, uint8_t *out, size_t *ret_size);

/* Appends "2026-01-31T10:20:30.5Z"; a time outside of the years 1..9999 becomes the nearest one
 * inside. */
void json_timestamp_put(str_t *out, int64_t seconds, int32_t nanos);
/* Reads RFC 3339 with any offset; false if it is none or outside of these years. */
bool json_timestamp_get(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

/* Appends "-1.5s"; more than 10,000 years become 10,000. */
void json_duration_put(str_t *out, int64_t seconds, int32_t nanos);
/* Reads that form; false if it is none or longer. */
bool json_duration_get(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

/* Appends the lowerCamelCase form of a field's name. */
void json_name_put(str_t *out, const char *name);
/* Is this that form of it? */
bool json_name_is(const char *text, const char *name);

#endif
