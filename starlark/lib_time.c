/*  lib_time: the time module: times and durations. The clock and the files of time zones come from
 * the host. */
#include "starlark/duration.h"

#include <stdio.h>

#define FAIL(...) return star_fail(s, __VA_ARGS__)

static const char rfc3339[] = "2006-01-02T15:04:05Z07:00";

const char *const sl_time_names[] = {"day",    "format",    "hour",       "in_location",
                                     "minute", "month",     "nanosecond", "second",
                                     "unix",   "unix_nano", "year",       NULL};

static value_t
time_new(star_t *s, int64_t seconds, int64_t nanoseconds, sl_zone_t *zone)
{
    sl_time_t *time = sl_heap_new(s, SL_TIME, sizeof *time);
    if (time == NULL)
        return STAR_ABSENT;
    int64_t carry = nanoseconds / SL_SECOND - (nanoseconds % SL_SECOND < 0);
    time->seconds = seconds + carry;
    time->obj.extra = (uint32_t)(nanoseconds - carry * SL_SECOND);
    time->zone = zone;
    return sl_value(time);
}

/* ------------------------------------------------------------------ zones */

static sl_zone_t *
zone_new(star_t *s, const char *name, int32_t offset, const void *data, size_t size)
{
    sl_zone_t *zone = sl_heap_new(s, SL_ZONE, sizeof *zone);
    if (zone == NULL)
        return NULL;
    zone->data = NULL;
    zone->size = 0;
    zone->offset = offset;
    snprintf(zone->name, sizeof zone->name, "%s", name);
    if (data == NULL)
        return zone;
    zone->data = sl_realloc(s, NULL, 0, size);
    if (zone->data == NULL)
        return NULL;
    zone->size = size;
    memcpy(zone->data, data, size);
    return zone;
}

/* The bytes of a zone's file, or NULL. */
static const void *
zone_file(star_t *s, const char *name, size_t *ret_size)
{
    const void *data = NULL;

    if (s->options.zone != NULL && strlen(name) < 64)
        data = s->options.zone(name, ret_size, s->options.user);
    return data != NULL && *ret_size >= 44 && *ret_size < 1 << 20 && memcmp(data, "TZif", 4) == 0
               ? data
               : NULL;
}

static bool
is_utc(const char *name)
{
    return name[0] == 0 || strcmp(name, "UTC") == 0;
}

/* "UTC", "Local" (which is UTC here) or the name of a zone. *ret_zone NULL is UTC. */
static bool
find_zone(star_t *s, const char *name, sl_zone_t **ret_zone)
{
    size_t size = 0;

    *ret_zone = NULL;
    if (is_utc(name) || strcmp(name, "Local") == 0)
        return true;
    const void *data = zone_file(s, name, &size);
    if (data == NULL)
        return sl_fail(s, "unknown time zone %s", name);
    *ret_zone = zone_new(s, name, 0, data, size);
    return *ret_zone != NULL;
}

/* ------------------------------------------------------------------ values */

static value_t
on_in_location(star_t *s, const star_args_t *args)
{
    sl_string_t *name;
    sl_zone_t *zone;
    const sl_time_t *time = SL_AS(sl_time_t, args->self);

    if (!sl_positional(s, args, 1, 1) || !sl_arg_string(s, args, 0, &name) ||
        !find_zone(s, name->bytes, &zone))
        return STAR_ABSENT;
    return time_new(s, time->seconds, time->obj.extra, zone);
}

static value_t
on_format(star_t *s, const star_args_t *args)
{
    sl_string_t *layout;
    star_text_t text;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_string(s, args, 0, &layout))
        return STAR_ABSENT;
    star_text_init(&text, s);
    sl_layout_put(&text, SL_AS(sl_time_t, args->self), layout->bytes, layout->length);
    return star_text_take(&text);
}

static int
time_method(star_t *s, value_t self, const char *name, star_function_fn *function,
            value_t *ret_value)
{
    sl_builtin_t *builtin = sl_builtin_new(s, name, function, NULL, 0);
    *ret_value = builtin != NULL ? sl_bound_new(s, builtin, self) : STAR_ABSENT;
    return star_ok(*ret_value) ? 1 : -1;
}

static int
time_attr(star_t *s, value_t value, const sl_string_t *name, value_t *ret_value)
{
    const sl_time_t *time = SL_AS(sl_time_t, value);
    char zone[16];
    sl_civil_t c = sl_civil_of(time->seconds + sl_zone_offset(time->zone, time->seconds, zone));
    const struct {
        const char *name;
        int64_t value;
    } fields[] = {
        {"year", c.year},
        {"month", c.month},
        {"day", c.day},
        {"hour", c.hour},
        {"minute", c.minute},
        {"second", c.second},
        {"nanosecond", time->obj.extra},
        {"unix", time->seconds},
        {"unix_nano", (int64_t)((uint64_t)time->seconds * (uint64_t)SL_SECOND + time->obj.extra)},
    };

    for (size_t i = 0; i < SL_COUNT_OF(fields); i++)
        if (strcmp(name->bytes, fields[i].name) == 0) {
            *ret_value = sl_int(s, fields[i].value);
            return star_ok(*ret_value) ? 1 : -1;
        }
    if (strcmp(name->bytes, "format") == 0)
        return time_method(s, value, "format", on_format, ret_value);
    if (strcmp(name->bytes, "in_location") == 0)
        return time_method(s, value, "in_location", on_in_location, ret_value);
    return 0;
}

int
sl_time_attr(star_t *s, value_t value, const sl_string_t *name, value_t *ret_value)
{
    return sl_is(value, SL_DURATION) ? sl_duration_attr(s, value, name, ret_value)
                                     : time_attr(s, value, name, ret_value);
}

static int
shifted(star_t *s, value_t time, int64_t nanoseconds, bool back, value_t *ret_value)
{
    const sl_time_t *t = SL_AS(sl_time_t, time);
    int64_t whole = nanoseconds / SL_SECOND, rest = nanoseconds % SL_SECOND;

    *ret_value = back ? time_new(s, t->seconds - whole, (int64_t)t->obj.extra - rest, t->zone)
                      : time_new(s, t->seconds + whole, (int64_t)t->obj.extra + rest, t->zone);
    return star_ok(*ret_value) ? 1 : -1;
}

int
sl_time_binary(star_t *s, star_op_t op, value_t a, value_t b, value_t *ret_value)
{
    bool a_time = sl_is(a, SL_TIME), b_time = sl_is(b, SL_TIME);

    if (a_time && b_time && op == STAR_OP_SUB) {
        const sl_time_t *x = SL_AS(sl_time_t, a), *y = SL_AS(sl_time_t, b);
        int64_t seconds = x->seconds - y->seconds, total;
        if (__builtin_mul_overflow(seconds, SL_SECOND, &total) ||
            __builtin_add_overflow(total, (int64_t)x->obj.extra - (int64_t)y->obj.extra, &total))
            total = seconds < 0 ? INT64_MIN : INT64_MAX;
        *ret_value = sl_duration_new(s, total);
        return star_ok(*ret_value) ? 1 : -1;
    }
    if (a_time && sl_is(b, SL_DURATION) && (op == STAR_OP_ADD || op == STAR_OP_SUB))
        return shifted(s, a, SL_AS(sl_duration_t, b)->nanoseconds, op == STAR_OP_SUB, ret_value);
    if (b_time && sl_is(a, SL_DURATION) && op == STAR_OP_ADD)
        return shifted(s, b, SL_AS(sl_duration_t, a)->nanoseconds, false, ret_value);
    if (a_time || b_time)
        return 0;
    int done = sl_duration_binary(s, op, a, b, ret_value);
    return done > 0 && !star_ok(*ret_value) ? -1 : done;
}

bool
sl_time_put(star_t *s, star_text_t *text, value_t value)
{
    (void)s;
    if (sl_is(value, SL_DURATION)) {
        sl_duration_put(text, SL_AS(sl_duration_t, value)->nanoseconds);
        return true;
    }
    static const char layout[] = "2006-01-02 15:04:05.999999999 -0700 MST";
    sl_layout_put(text, SL_AS(sl_time_t, value), layout, sizeof layout - 1);
    return true;
}

int
sl_time_order(value_t a, value_t b)
{
    if (sl_is(a, SL_DURATION)) {
        int64_t x = SL_AS(sl_duration_t, a)->nanoseconds, y = SL_AS(sl_duration_t, b)->nanoseconds;
        return (x > y) - (x < y);
    }
    const sl_time_t *x = SL_AS(sl_time_t, a), *y = SL_AS(sl_time_t, b);
    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (x->obj.extra > y->obj.extra) - (x->obj.extra < y->obj.extra);
}

/* ------------------------------------------------------------------ functions */

static value_t
on_from_timestamp(star_t *s, const star_args_t *args)
{
    int64_t seconds, nanoseconds = 0;

    if (!sl_positional(s, args, 1, 2) || !sl_arg_int(s, args, 0, &seconds) ||
        (args->n_args == 2 && !sl_arg_int(s, args, 1, &nanoseconds)))
        return STAR_ABSENT;
    if (seconds > (int64_t)1 << 55 || seconds < -((int64_t)1 << 55))
        FAIL("from_timestamp: for parameter 1: %lld out of range", (long long)seconds);
    return time_new(s, seconds, nanoseconds, NULL);
}

static value_t
on_is_valid_timezone(star_t *s, const star_args_t *args)
{
    sl_string_t *name;
    size_t size;

    if (!sl_positional(s, args, 1, 1) || !sl_arg_string(s, args, 0, &name))
        return STAR_ABSENT;
    return sl_bool(is_utc(name->bytes) || strcmp(name->bytes, "Local") == 0 ||
                   zone_file(s, name->bytes, &size) != NULL);
}

static value_t
on_now(star_t *s, const star_args_t *args)
{
    if (!sl_positional(s, args, 0, 0))
        return STAR_ABSENT;
    if (s->options.clock == NULL)
        FAIL("now: this application has no clock");
    int64_t now = s->options.clock(s->options.user);
    return time_new(s, now / SL_SECOND, now % SL_SECOND, NULL);
}

static value_t
on_parse_duration(star_t *s, const star_args_t *args)
{
    int64_t nanoseconds;

    if (!sl_positional(s, args, 1, 1))
        return STAR_ABSENT;
    if (sl_is(args->args[0], SL_DURATION))
        return args->args[0];
    if (!sl_is(args->args[0], SL_STRING))
        FAIL("parse_duration: for parameter 1: got %s, want a duration or string",
             star_type_name(args->args[0]));
    if (!sl_duration_parse(s, SL_STRING_OF(args->args[0]), &nanoseconds))
        return STAR_ABSENT;
    return sl_duration_new(s, nanoseconds);
}

static value_t
on_parse_time(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"x", "format?", "location?"};
    value_t v[3];
    sl_parsed_t parsed;
    sl_zone_t *zone = NULL;
    int64_t seconds;

    if (star_args_bind(s, args, names, 3, v) < 0)
        return STAR_ABSENT;
    for (size_t i = 0; i < 3; i++)
        if (star_ok(v[i]) && !sl_is(v[i], SL_STRING)) {
            sl_bad_param(s, args, i == 0 ? "x" : i == 1 ? "format" : "location", v[i], "string");
            return STAR_ABSENT;
        }
    const sl_string_t *text = SL_STRING_OF(v[0]);
    const char *layout = star_ok(v[1]) ? SL_STRING_OF(v[1])->bytes : rfc3339;
    size_t length = star_ok(v[1]) ? SL_STRING_OF(v[1])->length : sizeof rfc3339 - 1;
    if (star_ok(v[2]) && !find_zone(s, SL_STRING_OF(v[2])->bytes, &zone))
        return STAR_ABSENT;
    if (!sl_layout_parse(text->bytes, text->length, layout, length, &parsed) ||
        !sl_civil_seconds(parsed.fields[0], parsed.fields[1], parsed.fields[2], parsed.fields[3],
                          parsed.fields[4], parsed.fields[5], &seconds))
        FAIL("parsing time \"%s\" as \"%s\": cannot parse it", text->bytes, layout);
    if (parsed.has_offset && (parsed.offset != 0 || zone == NULL)) {
        if (parsed.offset != 0 && (zone = zone_new(s, "", parsed.offset, NULL, 0)) == NULL)
            return STAR_ABSENT;
        return time_new(s, seconds - parsed.offset, parsed.nanosecond, zone);
    }
    return time_new(s, seconds - sl_zone_local_offset(zone, seconds), parsed.nanosecond, zone);
}

static value_t
on_time(star_t *s, const star_args_t *args)
{
    static const char *const names[] = {"year?",   "month?",  "day?",        "hour?",
                                        "minute?", "second?", "nanosecond?", "location?"};
    value_t v[8];
    int64_t n[7], seconds;
    sl_zone_t *zone = NULL;

    if (args->n_args > 0)
        FAIL("time: unexpected positional arguments");
    if (star_args_bind(s, args, names, 8, v) < 0)
        return STAR_ABSENT;
    for (size_t i = 0; i < 7; i++) {
        char name[16];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(names[i], "?"), names[i]);
        n[i] = 0;
        if (star_ok(v[i]) && !sl_is_integer(v[i])) {
            sl_bad_param(s, args, name, v[i], "int");
            return STAR_ABSENT;
        }
        if (star_ok(v[i]) && !sl_get_index(v[i], &n[i]))
            FAIL("time: for parameter %s: out of range", name);
    }
    if (star_ok(v[7]) && !sl_is(v[7], SL_STRING)) {
        sl_bad_param(s, args, "location", v[7], "string");
        return STAR_ABSENT;
    }
    if (star_ok(v[7]) && !find_zone(s, SL_STRING_OF(v[7])->bytes, &zone))
        return STAR_ABSENT;
    if (!sl_civil_seconds(n[0], n[1], n[2], n[3], n[4], n[5], &seconds))
        FAIL("time: a field is out of range");
    return time_new(s, seconds - sl_zone_local_offset(zone, seconds), n[6], zone);
}

static const sl_native_t functions[] = {
    {"from_timestamp", on_from_timestamp, 0},
    {"is_valid_timezone", on_is_valid_timezone, 0},
    {"now", on_now, 0},
    {"parse_duration", on_parse_duration, 0},
    {"parse_time", on_parse_time, 0},
    {"time", on_time, 0},
    {0},
};

star_value_t
star_lib_time(star_t *star)
{
    static const struct {
        const char *name;
        int64_t nanoseconds;
    } constants[] = {{"nanosecond", 1},     {"microsecond", 1000},      {"millisecond", 1000000},
                     {"second", SL_SECOND}, {"minute", 60 * SL_SECOND}, {"hour", 3600 * SL_SECOND}};
    sl_dict_t *members = sl_dict_new(star, SL_DICT, 0);

    if (members == NULL || !sl_natives_put(star, members, functions))
        return STAR_ABSENT;
    for (size_t i = 0; i < SL_COUNT_OF(constants); i++)
        if (star_dict_put(star, sl_value(members), constants[i].name,
                          sl_duration_new(star, constants[i].nanoseconds)) < 0)
            return STAR_ABSENT;
    return star_module(star, "time", sl_value(members));
}
