/*  layout: times as text, by Go's layouts: the text of Mon Jan 2 15:04:05 MST 2006, in any
 * arrangement. */
#include "starlark/duration.h"

#include <stdio.h>
#include <strings.h>

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

typedef enum {
    P_TEXT,
    P_YEAR,
    P_YEAR2,
    P_MONTH_LONG,
    P_MONTH_SHORT,
    P_MONTH2,
    P_MONTH,
    P_WEEKDAY_LONG,
    P_WEEKDAY_SHORT,
    P_DAY2,
    P_DAY_SPACE,
    P_DAY,
    P_YEARDAY,
    P_HOUR24,
    P_HOUR2,
    P_HOUR,
    P_MINUTE2,
    P_MINUTE,
    P_SECOND2,
    P_SECOND,
    P_PM,
    P_PM_LOW,
    P_ZONE_NAME,
    P_ZONE,
    P_FRACTION0,
    P_FRACTION9,
} piece_t;

/* Longest first where one begins with another. */
static const struct {
    const char *text;
    piece_t piece;
} pieces[] = {
    {"January", P_MONTH_LONG}, {"Jan", P_MONTH_SHORT}, {"Monday", P_WEEKDAY_LONG},
    {"Mon", P_WEEKDAY_SHORT},  {"MST", P_ZONE_NAME},   {"2006", P_YEAR},
    {"002", P_YEARDAY},        {"01", P_MONTH2},       {"02", P_DAY2},
    {"03", P_HOUR2},           {"04", P_MINUTE2},      {"05", P_SECOND2},
    {"06", P_YEAR2},           {"15", P_HOUR24},       {"1", P_MONTH},
    {"_2", P_DAY_SPACE},       {"2", P_DAY},           {"3", P_HOUR},
    {"4", P_MINUTE},           {"5", P_SECOND},        {"PM", P_PM},
    {"pm", P_PM_LOW},          {"Z07:00:00", P_ZONE},  {"Z070000", P_ZONE},
    {"Z07:00", P_ZONE},        {"Z0700", P_ZONE},      {"Z07", P_ZONE},
    {"-07:00:00", P_ZONE},     {"-070000", P_ZONE},    {"-07:00", P_ZONE},
    {"-0700", P_ZONE},         {"-07", P_ZONE},
};

/* The next piece of a layout and how long it is. */
static piece_t
next_piece(const char *p, size_t length, size_t *ret_length)
{
    if (length >= 2 && (*p == '.' || *p == ',') && (p[1] == '0' || p[1] == '9')) {
        size_t n = 1;
        while (n < length && p[n] == p[1])
            n++;
        if (n == length || p[n] < '0' || p[n] > '9') {
            *ret_length = n;
            return p[1] == '0' ? P_FRACTION0 : P_FRACTION9;
        }
    }
    for (size_t i = 0; i < SL_COUNT_OF(pieces); i++) {
        size_t n = strlen(pieces[i].text);
        if (n > length || memcmp(p, pieces[i].text, n) != 0)
            continue;
        if (pieces[i].piece == P_MONTH_SHORT && n < length && p[n] >= 'a' && p[n] <= 'z')
            continue;
        if (pieces[i].piece == P_DAY_SPACE && length >= 5 && memcmp(p, "_2006", 5) == 0)
            continue;
        *ret_length = n;
        return pieces[i].piece;
    }
    *ret_length = 1;
    return P_TEXT;
}

/* ------------------------------------------------------------------ writing */

static void
put_zone(star_text_t *text, const char *form, size_t length, int32_t offset)
{
    bool z = form[0] == 'Z', colon = memchr(form, ':', length) != NULL,
         seconds = length == 9 || length == 7;
    int32_t size = offset < 0 ? -offset : offset;

    if (z && offset == 0) {
        star_text_puts(text, "Z");
        return;
    }
    star_text_printf(text, "%c%02d", offset < 0 ? '-' : '+', size / 3600);
    if (length > 3)
        star_text_printf(text, "%s%02d", colon ? ":" : "", size / 60 % 60);
    if (seconds)
        star_text_printf(text, "%s%02d", colon ? ":" : "", size % 60);
}

static void
put_fraction(star_text_t *text, const char *form, size_t length, uint32_t nanosecond, bool trim)
{
    char digits[16];
    size_t n = length - 1 > 9 ? 9 : length - 1;

    snprintf(digits, sizeof digits, "%09u", nanosecond);
    while (trim && n > 0 && digits[n - 1] == '0')
        n--;
    if (n == 0)
        return;
    star_text_put(text, form, 1);
    star_text_put(text, digits, n);
}

void
sl_layout_put(star_text_t *text, const sl_time_t *time, const char *layout, size_t length)
{
    char zone[16];
    int32_t offset = sl_zone_offset(time->zone, time->seconds, zone);
    sl_civil_t c = sl_civil_of(time->seconds + offset);
    int hour12 = c.hour % 12 == 0 ? 12 : c.hour % 12;

    for (size_t i = 0, n; i < length; i += n) {
        const char *p = layout + i;
        switch (next_piece(p, length - i, &n)) {
        case P_TEXT:
            star_text_put(text, p, n);
            break;
        case P_YEAR:
            star_text_printf(text, "%s%04lld", c.year < 0 ? "-" : "",
                             c.year < 0 ? -(long long)c.year : (long long)c.year);
            break;
        case P_YEAR2:
            star_text_printf(text, "%02d", (int)(c.year % 100));
            break;
        case P_MONTH_LONG:
            star_text_puts(text, months[c.month - 1]);
            break;
        case P_MONTH_SHORT:
            star_text_put(text, months[c.month - 1], 3);
            break;
        case P_MONTH2:
            star_text_printf(text, "%02d", c.month);
            break;
        case P_MONTH:
            star_text_printf(text, "%d", c.month);
            break;
        case P_WEEKDAY_LONG:
            star_text_puts(text, days[c.weekday]);
            break;
        case P_WEEKDAY_SHORT:
            star_text_put(text, days[c.weekday], 3);
            break;
        case P_DAY2:
            star_text_printf(text, "%02d", c.day);
            break;
        case P_DAY_SPACE:
            star_text_printf(text, "%2d", c.day);
            break;
        case P_DAY:
            star_text_printf(text, "%d", c.day);
            break;
        case P_YEARDAY:
            star_text_printf(text, "%03d", c.yearday);
            break;
        case P_HOUR24:
            star_text_printf(text, "%02d", c.hour);
            break;
        case P_HOUR2:
            star_text_printf(text, "%02d", hour12);
            break;
        case P_HOUR:
            star_text_printf(text, "%d", hour12);
            break;
        case P_MINUTE2:
            star_text_printf(text, "%02d", c.minute);
            break;
        case P_MINUTE:
            star_text_printf(text, "%d", c.minute);
            break;
        case P_SECOND2:
            star_text_printf(text, "%02d", c.second);
            break;
        case P_SECOND:
            star_text_printf(text, "%d", c.second);
            break;
        case P_PM:
            star_text_puts(text, c.hour < 12 ? "AM" : "PM");
            break;
        case P_PM_LOW:
            star_text_puts(text, c.hour < 12 ? "am" : "pm");
            break;
        case P_ZONE_NAME:
            star_text_puts(text, zone);
            break;
        case P_ZONE:
            put_zone(text, p, n, offset);
            break;
        case P_FRACTION0:
            put_fraction(text, p, n, time->obj.extra, false);
            break;
        case P_FRACTION9:
            put_fraction(text, p, n, time->obj.extra, true);
            break;
        }
    }
}

/* ------------------------------------------------------------------ reading */

typedef struct {
    const char *p, *end;
} input_t;

/* Between `least` and `most` digits. */
static bool
take_number(input_t *in, int least, int most, int64_t *ret_number)
{
    int n = 0;
    int64_t number = 0;

    while (n < most && in->p < in->end && *in->p >= '0' && *in->p <= '9') {
        number = number * 10 + (*in->p++ - '0');
        n++;
    }
    *ret_number = number;
    return n >= least;
}

static bool
take_name(input_t *in, const char *const *names, size_t count, bool shortened, int64_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = shortened ? 3 : strlen(names[i]);
        if ((size_t)(in->end - in->p) >= n && strncasecmp(in->p, names[i], n) == 0) {
            in->p += n;
            *ret_index = (int64_t)i;
            return true;
        }
    }
    return false;
}

static bool
take_zone(input_t *in, const char *form, size_t length, int32_t *ret_offset)
{
    bool colon = memchr(form, ':', length) != NULL, negative;
    int64_t parts[3] = {0, 0, 0};
    int count = length == 3 ? 1 : length == 9 || length == 7 ? 3 : 2;

    *ret_offset = 0;
    if (form[0] == 'Z' && in->p < in->end && *in->p == 'Z') {
        in->p++;
        return true;
    }
    if (in->p >= in->end || (*in->p != '+' && *in->p != '-'))
        return false;
    negative = *in->p++ == '-';
    for (int i = 0; i < count; i++) {
        if (i > 0 && colon && (in->p >= in->end || *in->p++ != ':'))
            return false;
        if (!take_number(in, 2, 2, &parts[i]) || (i > 0 && parts[i] > 59) || parts[i] > 24)
            if (i == 0 || parts[i] > 59)
                return false;
    }
    int32_t offset = (int32_t)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    *ret_offset = negative ? -offset : offset;
    return true;
}

static bool
take_fraction(input_t *in, size_t digits, bool exact, uint32_t *ret_nanosecond)
{
    uint32_t nanosecond = 0, scale = 100000000;
    size_t n = 0;

    if (in->p >= in->end || (*in->p != '.' && *in->p != ','))
        return !exact;
    for (in->p++; in->p < in->end && *in->p >= '0' && *in->p <= '9' && (!exact || n < digits);
         in->p++, n++) {
        nanosecond += (uint32_t)(*in->p - '0') * scale;
        scale /= 10;
    }
    *ret_nanosecond = nanosecond;
    return exact ? n == digits : n > 0;
}

typedef struct {
    int64_t f[6];
    int64_t ignored, yearday, pm;
    bool has_pm;
} fields_t;

static bool
take_piece(input_t *in, piece_t piece, const char *form, size_t length, fields_t *t,
           sl_parsed_t *out)
{
    switch (piece) {
    case P_YEAR:
        return take_number(in, 4, 4, &t->f[0]);
    case P_YEAR2:
        if (!take_number(in, 2, 2, &t->f[0]))
            return false;
        t->f[0] += t->f[0] >= 69 ? 1900 : 2000;
        return true;
    case P_MONTH_LONG:
    case P_MONTH_SHORT:
        if (!take_name(in, months, 12, piece == P_MONTH_SHORT, &t->f[1]))
            return false;
        t->f[1]++;
        return true;
    case P_WEEKDAY_LONG:
    case P_WEEKDAY_SHORT:
        return take_name(in, days, 7, piece == P_WEEKDAY_SHORT, &t->ignored);
    case P_MONTH2:
        return take_number(in, 2, 2, &t->f[1]);
    case P_MONTH:
        return take_number(in, 1, 2, &t->f[1]);
    case P_DAY2:
        return take_number(in, 2, 2, &t->f[2]);
    case P_DAY_SPACE:
        while (in->p < in->end && *in->p == ' ')
            in->p++;
        return take_number(in, 1, 2, &t->f[2]);
    case P_DAY:
        return take_number(in, 1, 2, &t->f[2]);
    case P_YEARDAY:
        return take_number(in, 3, 3, &t->yearday);
    case P_HOUR24:
        return take_number(in, 1, 2, &t->f[3]);
    case P_HOUR2:
        return take_number(in, 2, 2, &t->f[3]);
    case P_HOUR:
        return take_number(in, 1, 2, &t->f[3]);
    case P_MINUTE2:
        return take_number(in, 2, 2, &t->f[4]);
    case P_MINUTE:
        return take_number(in, 1, 2, &t->f[4]);
    case P_SECOND2:
    case P_SECOND:
        if (!take_number(in, piece == P_SECOND2 ? 2 : 1, 2, &t->f[5]))
            return false;
        /* A fraction may follow that the layout does not mention. */
        if (in->p + 1 < in->end && *in->p == '.' && in->p[1] >= '0' && in->p[1] <= '9' &&
            form[length] != '.' && form[length] != ',')
            return take_fraction(in, 9, false, &out->nanosecond);
        return true;
    case P_PM:
    case P_PM_LOW:
        t->has_pm = true;
        if (in->end - in->p < 2 || (in->p[1] | 0x20) != 'm')
            return false;
        t->pm = (*in->p | 0x20) == 'p';
        in->p += 2;
        return t->pm || (in->p[-2] | 0x20) == 'a';
    case P_ZONE_NAME:
        while (in->p < in->end && *in->p >= 'A' && *in->p <= 'Z')
            in->p++;
        return true;
    case P_ZONE:
        out->has_offset = true;
        return take_zone(in, form, length, &out->offset);
    case P_FRACTION0:
        return take_fraction(in, length - 1, true, &out->nanosecond);
    case P_FRACTION9:
        return take_fraction(in, length - 1, false, &out->nanosecond);
    default:
        if (in->p >= in->end || *in->p != *form)
            return false;
        in->p++;
        return true;
    }
}

static bool
in_range(const fields_t *t)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = t->f[0];
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return t->f[1] >= 1 && t->f[1] <= 12 && t->f[2] >= 1 &&
           t->f[2] <= lengths[t->f[1] - 1] + (leap && t->f[1] == 2) && t->f[3] <= 23 &&
           t->f[4] <= 59 && t->f[5] <= 59;
}

bool
sl_layout_parse(const char *text, size_t length, const char *layout, size_t layout_length,
                sl_parsed_t *out)
{
    input_t in = {text, text + length};
    fields_t t = {.f = {0, 1, 1, 0, 0, 0}};

    memset(out, 0, sizeof *out);
    for (size_t i = 0, n; i < layout_length; i += n) {
        piece_t piece = next_piece(layout + i, layout_length - i, &n);
        if (!take_piece(&in, piece, layout + i, n, &t, out))
            return false;
    }
    if (t.has_pm)
        t.f[3] = t.f[3] % 12 + 12 * t.pm;
    if (in.p != in.end || !in_range(&t))
        return false;
    if (t.yearday > 0) {
        t.f[1] = 1;
        t.f[2] = t.yearday;
    }
    memcpy(out->fields, t.f, sizeof t.f);
    return true;
}
