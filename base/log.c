/*  log: see log.h. */
#include "base/log.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char log_actor[80] = "-";
static log_level_t log_least = LOG_INFO;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void
log_init(const char *actor, log_level_t lowest)
{
    snprintf(log_actor, sizeof log_actor, "%s", actor);
    log_least = lowest;
}

int
log_level_parse(const char *name, log_level_t *ret_level)
{
    static const struct {
        const char *name;
        log_level_t level;
    } words[] = {
        {"trace", LOG_DEBUG},  {"debug", LOG_DEBUG}, {"info", LOG_INFO},   {"warn", LOG_WARN},
        {"warning", LOG_WARN}, {"error", LOG_ERROR}, {"fatal", LOG_ERROR}, {"panic", LOG_ERROR},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(name, words[i].name) == 0) {
            *ret_level = words[i].level;
            return 0;
        }
    return -1;
}

static void
begin(str_t *line, log_level_t level, const char *event)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    str_printf(line, "%s.%03ldZ %s %s %s", stamp, now.tv_nsec / 1000000, level_names[level],
               log_actor, event);
}

static void
end(str_t *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] == '\n')
            line->data[i] = ' ';
    str_add_char(line, '\n');
    ssize_t written = write(STDERR_FILENO, line->data, line->len);
    (void)written;
}

void
log_write(log_level_t level, const char *event, const char *format, ...)
{
    if (level < log_least)
        return;
    AUTO_STR line = STR_EMPTY;
    begin(&line, level, event);
    if (*format)
        str_add_char(&line, ' ');
    va_list args;
    va_start(args, format);
    str_vprintf(&line, format, args);
    va_end(args);
    end(&line);
}

void
log_err(log_level_t level, const char *event, const err_t *err, const char *format, ...)
{
    if (level < log_least)
        return;
    AUTO_STR line = STR_EMPTY;
    begin(&line, level, event);
    if (*format)
        str_add_char(&line, ' ');
    va_list args;
    va_start(args, format);
    str_vprintf(&line, format, args);
    va_end(args);
    AUTO_FREE char *text = err_string(err);
    str_printf(&line, " error=\"%s\"", text);
    end(&line);
}
