/*  json text: see json_text.h. */
#include "bus/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NANOS_PER_SECOND 1000000000
#define TIMESTAMP_MIN (-62135596800) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX 253402300799   /* 9999-12-31T23:59:59Z */
#define DURATION_MAX 315576000000    /* seconds of 10,000 years */

/* --------------------------------------------------------------------------------------- base64 */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
json_base64_put(str_t *out, const uint8_t *bytes, size_t size)
{
    str_reserve(out, size / 3 * 4 + 4);
    for (size_t i = 0; i < size; i += 3) {
        size_t here = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= here > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= here > 2 ? bytes[i + 2] : 0;
        char four[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        here > 1 ? alphabet[group >> 6 & 63] : '=',
                        here > 2 ? alphabet[group & 63] : '='};
        str_add_bytes(out, four, sizeof four);
    }
}

static int
digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool
json_base64_get(const char *text, size_t len, uint8_t *out, size_t *ret_size)
{
    size_t size = 0, padding = 0;
    uint32_t group = 0;

    while (padding < 2 && len > 0 && text[len - 1] == '=') {
        len--;
        padding++;
    }
    if (len % 4 == 1 || (padding && (len + padding) % 4 != 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        int digit = digit64(text[i]);
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
        if (i % 4 != 0)
            out[size++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    *ret_size = size;
    return true;
}

/* ---------------------------------------------------------------------------------------- times */

/* Days since 1970-01-01 of a date of the Gregorian calendar; years count from March here, so that
 * the day that is sometimes missing is the last of a year. */
static int64_t
days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void
date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (int)((5 * day_of_year + 2) / 153);
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* The fraction in 0, 3, 6 or 9 digits. */
static void
put_fraction(str_t *out, int32_t nanos)
{
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        str_printf(out, ".%03" PRId32, nanos / 1000000);
    else if (nanos % 1000 == 0)
        str_printf(out, ".%06" PRId32, nanos / 1000);
    else
        str_printf(out, ".%09" PRId32, nanos);
}

void
json_timestamp_put(str_t *out, int64_t seconds, int32_t nanos)
{
    int64_t year;
    int month, day;

    if (seconds < TIMESTAMP_MIN) {
        seconds = TIMESTAMP_MIN;
        nanos = 0;
    }
    if (seconds > TIMESTAMP_MAX) {
        seconds = TIMESTAMP_MAX;
        nanos = NANOS_PER_SECOND - 1;
    }
    if (nanos < 0 || nanos >= NANOS_PER_SECOND)
        nanos = nanos < 0 ? 0 : NANOS_PER_SECOND - 1;
    int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400;
    int second = (int)(seconds - days * 86400);
    date_of(days, &year, &month, &day);
    str_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month, day, second / 3600,
               second / 60 % 60, second % 60);
    put_fraction(out, nanos);
    str_add_char(out, 'Z');
}

/* Reads exactly count digits. */
static bool
get_digits(const char **text, int count, int *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return false;
        *ret = *ret * 10 + (**text - '0');
    }
    return true;
}

static bool
get_char(const char **text, char c)
{
    if (**text != c)
        return false;
    ++*text;
    return true;
}

/* Reads ".123", up to nine digits, if it is there. */
static bool
get_fraction(const char **text, int32_t *ret_nanos)
{
    int32_t unit = NANOS_PER_SECOND / 10;

    *ret_nanos = 0;
    if (!get_char(text, '.'))
        return true;
    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; ++*text, unit /= 10) {
        if (unit == 0)
            return false;
        *ret_nanos += (**text - '0') * unit;
    }
    return true;
}

/* Reads "Z" or "+01:00" as seconds east. */
static bool
get_offset(const char **text, int64_t *ret)
{
    int hours, minutes;
    bool is_west = **text == '-';

    *ret = 0;
    if (get_char(text, 'Z'))
        return true;
    if (!get_char(text, is_west ? '-' : '+') || !get_digits(text, 2, &hours) ||
        !get_char(text, ':') || !get_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool
is_date(int year, int month, int day)
{
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
    return days_of(year, month, day) < next;
}

bool
json_timestamp_get(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    int year, month, day, hour, minute, second;
    int64_t offset;

    if (!get_digits(&text, 4, &year) || !get_char(&text, '-') || !get_digits(&text, 2, &month) ||
        !get_char(&text, '-') || !get_digits(&text, 2, &day) || !get_char(&text, 'T') ||
        !get_digits(&text, 2, &hour) || !get_char(&text, ':') || !get_digits(&text, 2, &minute) ||
        !get_char(&text, ':') || !get_digits(&text, 2, &second) ||
        !get_fraction(&text, ret_nanos) || !get_offset(&text, &offset) || *text)
        return false;
    if (!is_date(year, month, day) || hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return *ret_seconds >= TIMESTAMP_MIN && *ret_seconds <= TIMESTAMP_MAX;
}

void
json_duration_put(str_t *out, int64_t seconds, int32_t nanos)
{
    if (seconds > DURATION_MAX || seconds < -DURATION_MAX) {
        seconds = seconds < 0 ? -DURATION_MAX : DURATION_MAX;
        nanos = 0;
    }
    if (nanos >= NANOS_PER_SECOND || nanos <= -NANOS_PER_SECOND)
        nanos = nanos < 0 ? 1 - NANOS_PER_SECOND : NANOS_PER_SECOND - 1;
    /* Both have the same sign, or the whole has none. */
    bool is_negative = seconds < 0 || (seconds == 0 && nanos < 0);
    str_printf(out, "%s%" PRId64, is_negative ? "-" : "", seconds < 0 ? -seconds : seconds);
    put_fraction(out, nanos < 0 ? -nanos : nanos);
    str_add_char(out, 's');
}

bool
json_duration_get(const char *text, int64_t *ret_seconds, int32_t *ret_nanos)
{
    bool is_negative = get_char(&text, '-');
    int64_t seconds = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        seconds = seconds * 10 + (*text - '0');
        if (seconds > DURATION_MAX)
            return false;
    }
    if (!get_fraction(&text, ret_nanos) || !get_char(&text, 's') || *text)
        return false;
    *ret_seconds = is_negative ? -seconds : seconds;
    *ret_nanos = is_negative ? -*ret_nanos : *ret_nanos;
    return seconds < DURATION_MAX || *ret_nanos == 0;
}

/* ---------------------------------------------------------------------------------------- names */

/* The next character of the lowerCamelCase form; 0 at the end. */
static char
next_camel(const char **name)
{
    bool is_upper = false;
    while (**name == '_') {
        is_upper = true;
        ++*name;
    }
    char c = **name;
    if (!c)
        return 0;
    ++*name;
    return is_upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void
json_name_put(str_t *out, const char *name)
{
    for (char c; (c = next_camel(&name));)
        str_add_char(out, c);
}

bool
json_name_is(const char *text, const char *name)
{
    for (char c; (c = next_camel(&name)); text++)
        if (*text != c)
            return false;
    return !*text;
}
