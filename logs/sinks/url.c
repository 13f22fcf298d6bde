/*  url: which log sinks there are; for whoever takes their URLs from a user. See logs.h. */
#include "logs/logs.h"

#include "logs/sinks/kinds.h"

#include <string.h>

static const struct {
    const char *prefix;
    sink_needs_t needs;
} kinds[] = {
#define ROW(prefix, needs, keep, path, deliver) {prefix, SINK_NEEDS_##needs},
    LOGS_SINKS(ROW)
#undef ROW
};

static const struct {
    const char *words;
} needed[] = {[SINK_NEEDS_PATH] = {"a whole path"},
              [SINK_NEEDS_PORT] = {"a host, a colon and a port"},
              [SINK_NEEDS_HOST] = {"a host"}};

static bool
fits(const char *rest, sink_needs_t needs)
{
    const char *colon = strrchr(rest, ':');
    switch (needs) {
    case SINK_NEEDS_PATH:
        return *rest == '/';
    case SINK_NEEDS_PORT:
        return colon && colon != rest && colon[1];
    case SINK_NEEDS_HOST:
        return *rest && *rest != '/';
    }
    return false;
}

/* What may stand at the end of an HTTP address. */
static int
check_end(const char *url, const char *prefix, const char *rest, err_t **err)
{
    const char *end = strchr(rest, '#');
    if (!end || (str_ends(prefix, "https://") && str_starts(end, SINK_ROOTS "/")))
        return 0;
    return err_fail(err, ERR_INVALID,
                    "the log sink '%s' ends in '%s': only '" SINK_ROOTS
                    "/path' can stand there, and only with https",
                    url, end);
}

int
logs_sink_check(const char *url, err_t **err)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_starts(url, kinds[i].prefix))
            continue;
        const char *rest = url + strlen(kinds[i].prefix);
        if (fits(rest, kinds[i].needs))
            return kinds[i].needs == SINK_NEEDS_HOST ? check_end(url, kinds[i].prefix, rest, err)
                                                     : 0;
        return err_fail(err, ERR_INVALID, "the log sink '%s' needs %s behind '%s'", url,
                        needed[kinds[i].needs].words, kinds[i].prefix);
    }
    return err_fail(err, ERR_INVALID,
                    "there is no log sink like '%s'; there are file://, syslog+unix://, "
                    "syslog+udp://, syslog+tcp://, "
                    "loki+http(s):// and otlp+http(s)://",
                    url);
}
