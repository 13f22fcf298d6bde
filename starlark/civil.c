/*  civil: the Gregorian calendar, and the offsets of time zones (TZif files, RFC 8536). */
#include "starlark/duration.h"

#include <stdio.h>
#include <stdlib.h>

/* Days since 1970-01-01 of a day; months from 1. Any year. */
static int64_t
days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

sl_civil_t
sl_civil_of(int64_t seconds)
{
    sl_civil_t civil;
    int64_t days = floor_div(seconds, 86400);
    int rest = (int)(seconds - days * 86400);

    civil.hour = rest / 3600;
    civil.minute = rest / 60 % 60;
    civil.second = rest % 60;
    civil.weekday = (int)((days % 7 + 11) % 7);
    int64_t shifted = days + 719468, era = floor_div(shifted, 146097);
    int64_t of_era = shifted - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * of_year + 2) / 153;
    civil.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    civil.month = (int)(month < 10 ? month + 3 : month - 9);
    civil.year = year_of_era + era * 400 + (civil.month <= 2);
    civil.yearday = (int)(days - days_of(civil.year, 1, 1) + 1);
    return civil;
}

bool
sl_civil_seconds(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                 int64_t second, int64_t *ret_seconds)
{
    enum { MOST = 1 << 30 };
    const int64_t all[] = {year, month, day, hour, minute, second};

    for (size_t i = 0; i < SL_COUNT_OF(all); i++)
        if (all[i] > MOST || all[i] < -MOST)
            return false;
    year += floor_div(month - 1, 12);
    month -= floor_div(month - 1, 12) * 12;
    *ret_seconds =
        (days_of(year, (int)month, 1) + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

/* ------------------------------------------------------------------ TZif */

static int64_t
big_endian(const unsigned char *p, int bytes)
{
    uint64_t value = p[0] & 0x80 && bytes < 8 ? ~(uint64_t)0 : 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return (int64_t)value;
}

/* The parts of the last data block of a file. */
typedef struct {
    const unsigned char *times, *indices, *types, *letters, *footer;
    int64_t n_times, n_types, n_letters;
    int width; /* bytes of a time */
    size_t footer_length;
} tzif_t;

static bool
read_block(const unsigned char *p, size_t size, int width, tzif_t *out, size_t *ret_used)
{
    if (size < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    int64_t counts[6];
    for (int i = 0; i < 6; i++)
        if ((counts[i] = big_endian(p + 20 + 4 * i, 4)) < 0 || counts[i] > 1 << 20)
            return false;
    out->n_times = counts[3];
    out->n_types = counts[4];
    out->n_letters = counts[5];
    out->width = width;
    out->times = p + 44;
    out->indices = out->times + out->n_times * width;
    out->types = out->indices + out->n_times;
    out->letters = out->types + out->n_types * 6;
    size_t used = (size_t)(44 + out->n_times * (width + 1) + out->n_types * 6 + out->n_letters +
                           counts[2] * (width + 4) + counts[1] + counts[0]);
    *ret_used = used;
    return used <= size && out->n_types > 0;
}

static bool
read_tzif(const sl_zone_t *zone, tzif_t *out)
{
    const unsigned char *p = (const unsigned char *)zone->data;
    size_t used;

    if (!read_block(p, zone->size, 4, out, &used))
        return false;
    out->footer_length = 0;
    if (p[4] < '2')
        return true;
    size_t first = used;
    if (!read_block(p + first, zone->size - first, 8, out, &used))
        return false;
    out->footer = p + first + used;
    out->footer_length = zone->size - first - used;
    return true;
}

/* ------------------------------------------------------------------ the rule after the last
 * transition */

typedef struct {
    const char *p, *end;
} rule_t;

static void
rule_name(rule_t *r, char out[16])
{
    size_t n = 0;
    bool quoted = r->p < r->end && *r->p == '<';

    for (r->p += quoted; r->p < r->end; r->p++) {
        char c = *r->p;
        if (quoted ? c == '>' : !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            break;
        if (n < 15)
            out[n++] = c;
    }
    r->p += quoted && r->p < r->end;
    out[n] = 0;
}

static int
rule_number(rule_t *r)
{
    int n = 0;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && n < 100000)
        n = n * 10 + (*r->p++ - '0');
    return n;
}

static int32_t
rule_time(rule_t *r)
{
    bool negative = r->p < r->end && *r->p == '-';
    int32_t seconds, unit = 3600;

    if (r->p < r->end && (*r->p == '-' || *r->p == '+'))
        r->p++;
    seconds = rule_number(r) * 3600;
    while (r->p < r->end && *r->p == ':') {
        r->p++;
        unit /= 60;
        seconds += rule_number(r) * unit;
    }
    return negative ? -seconds : seconds;
}

/* Seconds of `year` (local standard of the day) when ",M3.5.0/2" happens. */
static int64_t
rule_day(rule_t *r, int64_t year)
{
    int64_t day;
    int32_t time = 7200;

    if (r->p < r->end && *r->p == ',')
        r->p++;
    if (r->p < r->end && *r->p == 'M') {
        r->p++;
        int month = rule_number(r);
        r->p += r->p < r->end;
        int week = rule_number(r);
        r->p += r->p < r->end;
        int weekday = rule_number(r);
        month = month < 1 ? 1 : month > 12 ? 12 : month;
        int64_t first = days_of(year, month, 1);
        day = first + ((weekday - (int)((first % 7 + 11) % 7)) + 7) % 7 + 7 * (week - 1);
        int64_t next = month == 12 ? days_of(year + 1, 1, 1) : days_of(year, month + 1, 1);
        while (day >= next)
            day -= 7;
    } else {
        bool julian = r->p < r->end && *r->p == 'J';
        r->p += julian;
        int number = rule_number(r);
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        day = days_of(year, 1, 1) + number - julian + (julian && leap && number >= 60);
    }
    if (r->p < r->end && *r->p == '/') {
        r->p++;
        time = rule_time(r);
    }
    return day * 86400 + time;
}

static bool
rule_offset(const tzif_t *tz, int64_t seconds, int32_t *ret_offset, char abbreviation[16])
{
    char summer[16];
    rule_t r = {(const char *)tz->footer + 1, (const char *)tz->footer + tz->footer_length};

    if (tz->footer_length < 4 || tz->footer[0] != '\n')
        return false;
    rule_name(&r, abbreviation);
    int32_t standard = -rule_time(&r), dst = standard + 3600;
    *ret_offset = standard;
    if (r.p >= r.end || *r.p == '\n')
        return abbreviation[0] != 0;
    rule_name(&r, summer);
    if (r.p < r.end && *r.p != ',')
        dst = -rule_time(&r);
    int64_t year = sl_civil_of(seconds + standard).year;
    int64_t start = rule_day(&r, year) - standard, end = rule_day(&r, year) - dst;
    bool is_summer =
        start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
    if (is_summer) {
        *ret_offset = dst;
        memcpy(abbreviation, summer, sizeof summer);
    }
    return true;
}

/* ------------------------------------------------------------------ offsets */

int32_t
sl_zone_offset(const sl_zone_t *zone, int64_t seconds, char abbreviation[16])
{
    tzif_t tz;
    int32_t offset;

    snprintf(abbreviation, 16, "UTC");
    if (zone == NULL)
        return 0;
    if (zone->data == NULL) {
        int minutes = abs(zone->offset) / 60;
        snprintf(abbreviation, 16, "%c%02d%02d", zone->offset < 0 ? '-' : '+', minutes / 60 % 100,
                 minutes % 60);
        return zone->offset;
    }
    if (!read_tzif(zone, &tz))
        return 0;
    int64_t low = 0, high = tz.n_times; /* the first transition after the time */
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (big_endian(tz.times + middle * tz.width, tz.width) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == tz.n_times && rule_offset(&tz, seconds, &offset, abbreviation))
        return offset;
    int64_t type = low > 0 ? tz.indices[low - 1] : 0;
    if (type >= tz.n_types)
        return 0;
    int64_t letter = tz.types[type * 6 + 5];
    if (letter < tz.n_letters)
        snprintf(abbreviation, 16, "%.*s", (int)(tz.n_letters - letter),
                 (const char *)tz.letters + letter);
    return (int32_t)big_endian(tz.types + type * 6, 4);
}

int32_t
sl_zone_local_offset(const sl_zone_t *zone, int64_t local)
{
    char ignored[16];
    int32_t first = sl_zone_offset(zone, local, ignored);
    int32_t second = sl_zone_offset(zone, local - first, ignored);

    if (second == first)
        return first;
    /* Around a change: the offset that holds at the time it gives. */
    return sl_zone_offset(zone, local - second, ignored) == second ? second : first;
}
