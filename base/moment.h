/*  moment: points in time as people and Docker write them, by RFC 3339: "2006-01-02T15:04:05.999999999Z". Nanoseconds since
 *  1970 in an int64_t. */
#ifndef KURTOSIS_BASE_MOMENT_H
#define KURTOSIS_BASE_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOMENT_SIZE 40u /* bytes of such a text */

/* Reads it, in UTC or with "+01:00"; false for anything else, and outside of the years 1970 to 2261. */
bool moment_parse(const char *text, size_t size, int64_t *ret_time);
/* Writes it in UTC, with so many (1..9) digits of the second. */
void moment_text(int64_t time, int digits, char ret_text[MOMENT_SIZE]);

#endif
