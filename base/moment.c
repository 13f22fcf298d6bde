/*  moment: see moment.h. */
#include "base/moment.h"

#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/* Reads exactly count digits. */
static bool
digits(const char **text, const char *end, int count, int *ret_value)
{
    *ret_value = 0;
    for (; count; count--, (*text)++) {
        if (*text == end || !isdigit((unsigned char)**text))
            return false;
        *ret_value = *ret_value * 10 + (**text - '0');
    }
    return true;
}

static bool
word(const char **text, const char *end, char c)
{
    if (*text == end || **text != c)
        return false;
    (*text)++;
    return true;
}

static bool
zone(const char **text, const char *end, int64_t *ret_seconds)
{
    *ret_seconds = 0;
    if (word(text, end, 'Z'))
        return true;
    int sign = word(text, end, '+') ? 1 : word(text, end, '-') ? -1 : 0;
    int hours, minutes;
    if (!sign || !digits(text, end, 2, &hours) || !word(text, end, ':') ||
        !digits(text, end, 2, &minutes))
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool
moment_parse(const char *text, size_t size, int64_t *ret_time)
{
    const char *end = text + size;
    struct tm tm = {0};
    int64_t nanos = 0, offset;
    if (!digits(&text, end, 4, &tm.tm_year) || !word(&text, end, '-') ||
        !digits(&text, end, 2, &tm.tm_mon) || !word(&text, end, '-') ||
        !digits(&text, end, 2, &tm.tm_mday) || !word(&text, end, 'T') ||
        !digits(&text, end, 2, &tm.tm_hour) || !word(&text, end, ':') ||
        !digits(&text, end, 2, &tm.tm_min) || !word(&text, end, ':') ||
        !digits(&text, end, 2, &tm.tm_sec))
        return false;
    if (word(&text, end, '.')) {
        int64_t unit = NS_PER_SECOND;
        for (; text != end && isdigit((unsigned char)*text); text++) {
            unit /= 10;
            nanos += (*text - '0') * unit;
        }
    }
    if (!zone(&text, end, &offset) || text != end)
        return false;
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_year < 1970 ||
        tm.tm_year > 2261)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_time = ((int64_t)timegm(&tm) - offset) * NS_PER_SECOND + nanos;
    return true;
}

void
moment_text(int64_t time, int digits, char ret_text[MOMENT_SIZE])
{
    time_t seconds = (time_t)(time / NS_PER_SECOND);
    int64_t fraction = time % NS_PER_SECOND;
    struct tm tm;
    if (fraction < 0) {
        seconds--;
        fraction += NS_PER_SECOND;
    }
    gmtime_r(&seconds, &tm);
    size_t len = strftime(ret_text, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    for (int i = digits; i < 9; i++)
        fraction /= 10;
    snprintf(ret_text + len, MOMENT_SIZE - len, ".%0*dZ", digits, (int)fraction);
}
