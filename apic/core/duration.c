/*  duration: see duration.h. */
#include "apic/core/duration.h"

#include "base/clock.h"
#include "base/str.h"

#include <inttypes.h>

/* value / unit with as many decimals as it takes, without trailing zeros. */
static void
add_fraction(str_t *out, uint64_t value, uint64_t unit, const char *suffix)
{
    str_printf(out, "%" PRIu64, value / unit);
    uint64_t rest = value % unit;
    if (rest) {
        str_add_char(out, '.');
        for (; rest; rest = rest * 10 % unit)
            str_add_char(out, (char)('0' + rest * 10 / unit));
    }
    str_add(out, suffix);
}

char *
duration_text(int64_t ns)
{
    str_t out = STR_EMPTY;
    uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        str_add_char(&out, '-');

    if (left == 0)
        str_add(&out, "0s");
    else if (left < 1000)
        add_fraction(&out, left, 1, "ns");
    else if (left < 1000000)
        add_fraction(&out, left, 1000, "\302\265s");
    else if (left < NS_PER_SECOND)
        add_fraction(&out, left, NS_PER_MS, "ms");
    else {
        uint64_t minutes = left / (60 * NS_PER_SECOND);
        if (minutes >= 60)
            str_printf(&out, "%" PRIu64 "h", minutes / 60);
        if (minutes > 0)
            str_printf(&out, "%" PRIu64 "m", minutes % 60);
        add_fraction(&out, left % (60 * NS_PER_SECOND), NS_PER_SECOND, "s");
    }
    return str_take(&out);
}
