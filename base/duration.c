/*  duration: reads and writes Go's durations. */
#include "base/duration.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

static int64_t
unit_find(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strlen(units[i].name) == size && memcmp(units[i].name, name, size) == 0)
            return units[i].ns;
    return 0;
}

static int
invalid(const char *text, err_t **err)
{
    return err_fail(err, ERR_INVALID, "time: invalid duration \"%s\"", text);
}

int
duration_parse(const char *text, int64_t *ret_ns, err_t **err)
{
    const char *at = text;
    const bool negative = *at == '-';
    __int128 total = 0;

    at += *at == '-' || *at == '+';
    if (!strcmp(at, "0")) {
        *ret_ns = 0;
        return 0;
    }
    if (!*at)
        return invalid(text, err);
    while (*at) {
        __int128 whole = 0, part = 0, scale = 1;
        size_t digits = 0;
        for (; isdigit((unsigned char)*at); at++, digits++)
            if ((whole = whole * 10 + (*at - '0')) > INT64_MAX)
                return invalid(text, err);
        if (*at == '.')
            for (at++; isdigit((unsigned char)*at); at++, digits++)
                if (scale < INT64_C(1000000000000000)) {
                    part = part * 10 + (*at - '0');
                    scale *= 10;
                }
        if (!digits)
            return invalid(text, err);
        const size_t size = strcspn(at, ".0123456789");
        if (!size)
            return err_fail(err, ERR_INVALID, "time: missing unit in duration \"%s\"", text);
        const int64_t unit = unit_find(at, size);
        if (!unit)
            return err_fail(err, ERR_INVALID, "time: unknown unit \"%.*s\" in duration \"%s\"",
                            (int)size, at, text);
        total += whole * unit + part * unit / scale;
        if (total > INT64_MAX)
            return invalid(text, err);
        at += size;
    }
    *ret_ns = negative ? -(int64_t)total : (int64_t)total;
    return 0;
}

/* value / scale with as many decimals as needed, and the unit. */
static void
put_fraction(str_t *out, uint64_t value, uint64_t scale, const char *unit)
{
    str_printf(out, "%llu", (unsigned long long)(value / scale));
    uint64_t rest = value % scale;
    if (rest) {
        str_add_char(out, '.');
        for (scale /= 10; rest; scale /= 10) {
            str_add_char(out, (char)('0' + rest / scale));
            rest %= scale;
        }
    }
    str_add(out, unit);
}

void
duration_put(str_t *out, int64_t ns)
{
    uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        str_add_char(out, '-');
    if (left == 0) {
        str_add(out, "0s");
    } else if (left < 1000) {
        put_fraction(out, left, 1, "ns");
    } else if (left < 1000000) {
        put_fraction(out, left, 1000, "\xc2\xb5s");
    } else if (left < 1000000000) {
        put_fraction(out, left, 1000000, "ms");
    } else {
        const uint64_t second = 1000000000, minute = 60 * second, hour = 60 * minute;
        if (left >= hour)
            str_printf(out, "%lluh", (unsigned long long)(left / hour));
        if (left >= minute)
            str_printf(out, "%llum", (unsigned long long)(left / minute % 60));
        put_fraction(out, left % minute, second, "s");
    }
}
