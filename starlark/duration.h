/*  duration: what the files of the time library share. */
#ifndef STARLARK_DURATION_H
#define STARLARK_DURATION_H

#include "starlark/code.h"
#include "starlark/native.h"

#define SL_SECOND ((int64_t)1000000000)

value_t sl_duration_new(star_t *s, int64_t nanoseconds);
void sl_duration_put(star_text_t *text, int64_t nanoseconds);
bool sl_duration_parse(star_t *s, const sl_string_t *text, int64_t *ret_nanoseconds);
int sl_duration_attr(star_t *s, value_t v, const sl_string_t *name, value_t *ret_value);
int sl_duration_binary(star_t *s, star_op_t op, value_t a, value_t b, value_t *ret_value);

/* ---- civil.c: seconds since 1970 and calendar fields ---- */

typedef struct {
    int64_t year;
    int month, day, hour, minute, second; /* month and day from 1 */
    int weekday, yearday;                 /* from 0 (Sunday), from 1 */
} sl_civil_t;

sl_civil_t sl_civil_of(int64_t seconds);
/* Any fields, also out of range: 13 months are a year and a month. False if the year is absurd. */
bool sl_civil_seconds(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                      int64_t second, int64_t *ret_seconds);
/* Seconds east of UTC at a time, and the abbreviation (at most 15 bytes). */
int32_t sl_zone_offset(const sl_zone_t *zone, int64_t seconds, char abbreviation[16]);
/* The offset for a local time. */
int32_t sl_zone_local_offset(const sl_zone_t *zone, int64_t local);
/* Go's layouts: "2006-01-02T15:04:05Z07:00". */
void sl_layout_put(star_text_t *text, const sl_time_t *time, const char *layout, size_t length);
typedef struct {
    int64_t fields[6]; /* year month day hour minute second */
    uint32_t nanosecond;
    bool has_offset;
    int32_t offset;
} sl_parsed_t;
bool sl_layout_parse(const char *text, size_t length, const char *layout, size_t layout_length,
                     sl_parsed_t *out);

#endif
