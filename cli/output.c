/*  output: see output.h. */
#include "cli/output.h"

#include "base/utf8.h"
#include "cli/progress.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const style_codes[OUT_STYLES] = {
    [OUT_PLAIN] = "0",       [OUT_BOLD] = "1",         [OUT_RED] = "31",
    [OUT_GREEN] = "32",      [OUT_YELLOW] = "33",      [OUT_BLUE] = "34",
    [OUT_MAGENTA] = "35",    [OUT_CYAN] = "36",        [OUT_WHITE] = "37",
    [OUT_BRIGHT_RED] = "91", [OUT_BRIGHT_BLUE] = "94", [OUT_BRIGHT_WHITE] = "97",
};

static const struct {
    const char *name;
    out_style_t style;
} levels[] = {
    [LOG_DEBUG] = {"DEBU", OUT_WHITE},
    [LOG_INFO] = {"INFO", OUT_CYAN},
    [LOG_WARN] = {"WARN", OUT_YELLOW},
    [LOG_ERROR] = {"ERRO", OUT_RED},
};

/* Set once by out_init. */
static bool stdout_coloured, stderr_coloured, interactive;
static log_level_t lowest = LOG_INFO;
static int write_error; /* the first errno of stdout; atomic */

void
out_init(log_level_t level)
{
    const char *ci = getenv("CI"), *none = getenv("NO_COLOR"), *term = getenv("TERM");
    bool may = !(none && *none) && !(term && !strcmp(term, "dumb"));
    stdout_coloured = may && isatty(STDOUT_FILENO);
    stderr_coloured = may && isatty(STDERR_FILENO);
    interactive = isatty(STDOUT_FILENO) && !(ci && !strcmp(ci, "true"));
    lowest = level;
}

bool
out_is_interactive(void)
{
    return interactive;
}

bool
out_coloured(void)
{
    return stdout_coloured;
}

void
out_style(str_t *out, out_style_t style, bool coloured, const char *text)
{
    if (coloured)
        str_printf(out, "\033[%sm%s\033[0m", style_codes[style], text);
    else
        str_add(out, text);
}

/* Who reads stdout has gone: nothing is left to do, as for a program that SIGPIPE ends. */
static void
flush(FILE *stream)
{
    if ((fflush(stream) == 0 && !ferror(stream)) || stream != stdout)
        return;
    if (errno == EPIPE)
        _exit(1);
    int none = 0;
    __atomic_compare_exchange_n(&write_error, &none, errno, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

static void
write_all(FILE *stream, const char *text)
{
    progress_hide();
    fputs(text, stream);
    flush(stream);
    progress_show();
}

int
out_check(err_t **err)
{
    int why = __atomic_load_n(&write_error, __ATOMIC_RELAXED);
    return why ? err_fail(err, ERR_LIMIT, "cannot write to standard output: %s", strerror(why)) : 0;
}

void
out_text(const char *text)
{
    write_all(stdout, text);
}

void
out_bytes(const void *bytes, size_t size)
{
    progress_hide();
    fwrite(bytes, 1, size, stdout);
    flush(stdout);
    progress_show();
}

void
out_line(const char *format, ...)
{
    AUTO_STR line = STR_EMPTY;
    va_list args;
    va_start(args, format);
    str_vprintf(&line, format, args);
    va_end(args);
    str_add_char(&line, '\n');
    write_all(stdout, line.data);
}

static void
write_styled(FILE *stream, bool coloured, out_style_t style, const char *format, va_list args)
{
    AUTO_STR text = STR_EMPTY;
    AUTO_STR line = STR_EMPTY;
    str_vprintf(&text, format, args);
    out_style(&line, style, coloured && style != OUT_PLAIN, text.data);
    str_add_char(&line, '\n');
    write_all(stream, line.data);
}

void
out_error_line(out_style_t style, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_styled(stderr, stderr_coloured, style, format, args);
    va_end(args);
}

void
out_log(log_level_t level, const char *format, ...)
{
    if (level < lowest)
        return;
    time_t now = time(NULL);
    struct tm local;
    char stamp[40], zone[8];
    localtime_r(&now, &local);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    AUTO_STR line = STR_EMPTY;
    out_style(&line, levels[level].style, stderr_coloured, levels[level].name);
    if (local.tm_gmtoff == 0)
        str_printf(&line, "[%sZ] ", stamp);
    else
        str_printf(&line, "[%s%.3s:%s] ", stamp, zone, zone + 3);
    va_list args;
    va_start(args, format);
    str_vprintf(&line, format, args);
    va_end(args);
    str_add_char(&line, '\n');
    write_all(stderr, line.data);
}

void
out_spotlight(const char *message)
{
    AUTO_STR frame = STR_EMPTY;
    size_t width = utf8_count(message, strlen(message)) + 24;
    for (size_t i = 0; i < width; i++)
        str_add_char(&frame, '=');
    out_info("%s", frame.data);
    out_info("||          %s          ||", message);
    out_info("%s", frame.data);
}

/* --------------------------------------------------------------------------------------- errors */

/* "--- at FILE:LINE (FUNC) ---", blanks around it aside? */
static bool
is_position(const char *line, size_t len)
{
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    while (len > 0 && isspace((unsigned char)*line))
        line++, len--;
    if (len < 9 || strncmp(line, "--- at", 6) != 0 || strncmp(line + len - 3, "---", 3) != 0)
        return false;
    line += 6, len -= 9;
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    if (!len || line[len - 1] != ')')
        return false;
    for (const char *at = line, *end = line + len; (at = memchr(at, ':', (size_t)(end - at))); at++) {
        const char *next = at + 1;
        while (isdigit((unsigned char)*next))
            next++;
        while (isspace((unsigned char)*next))
            next++;
        if (*next == '(')
            return true;
    }
    return false;
}

char *
out_clean_error(const char *text)
{
    str_t clean = STR_EMPTY;
    if (!strchr(text, '\n'))
        return strdup(text);
    bool first = true;
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        if (!is_position(line, len)) {
            str_add(&clean, first ? "" : "\n  ");
            str_add_bytes(&clean, line, len);
            first = false;
        }
        line += len + (line[len] == '\n');
    }
    return str_take(&clean);
}

char *
out_error_text(const err_t *err)
{
    AUTO_STR text = STR_EMPTY;
    for (const err_t *link = err; link; link = err_cause(link)) {
        str_printf(&text, "%s%s", link == err ? "" : "\nCaused by: ", err_text(link));
        int line;
        const char *file = err_file(link, &line);
        if (lowest == LOG_DEBUG && file && *file)
            str_printf(&text, "\n --- at %s:%d ---", file, line);
    }
    return lowest == LOG_DEBUG ? str_take(&text) : out_clean_error(text.data);
}

void
out_report(const err_t *err)
{
    AUTO_FREE char *text = out_error_text(err);
    out_error_line(OUT_RED, "Error:  %s", text);
}

/* --------------------------------------------------------------------------------------- tables */

void
out_table_init(out_table_t *self, size_t columns)
{
    *self = (out_table_t){.columns = columns};
}

void
out_table_done(out_table_t *self)
{
    for (size_t i = 0; i < self->cells; i++)
        free(self->texts[i]);
    free(self->texts);
    free(self->styles);
}

void
out_table_add(out_table_t *self, out_style_t style, const char *text)
{
    if (self->cells % 64 == 0) {
        self->texts = realloc(self->texts, (self->cells + 64) * sizeof *self->texts);
        self->styles = realloc(self->styles, (self->cells + 64) * sizeof *self->styles);
        if (!self->texts || !self->styles)
            abort();
    }
    self->texts[self->cells] = strdup(text);
    self->styles[self->cells++] = style;
}

void
out_table_header(out_table_t *self, const char *const *names)
{
    for (size_t i = 0; i < self->columns; i++)
        out_table_add(self, OUT_BOLD, names[i]);
    self->has_header = true;
}

void
out_table_write(const out_table_t *self, bool coloured, str_t *out)
{
    AUTO_FREE size_t *widths = calloc(self->columns, sizeof *widths);
    if (!widths)
        abort();
    for (size_t i = 0; i < self->cells; i++) {
        size_t width = utf8_count(self->texts[i], strlen(self->texts[i]));
        if (width > widths[i % self->columns])
            widths[i % self->columns] = width;
    }
    for (size_t i = 0; i < self->cells; i++) {
        size_t column = i % self->columns,
               width = utf8_count(self->texts[i], strlen(self->texts[i]));
        out_style(out, self->styles[i], coloured, self->texts[i]);
        if (column + 1 == self->columns)
            str_add_char(out, '\n');
        else
            str_printf(out, "%*s", (int)(widths[column] + 3 - width), "");
    }
}

/* -------------------------------------------------------------------------------------- numbers */

void
out_time(str_t *out, int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm local;
    char text[64];
    localtime_r(&when, &local);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S %Z", &local);
    str_add(out, text);
}

void
out_size(str_t *out, uint64_t bytes)
{
    if (bytes < 1024) {
        str_printf(out, "%4llu", (unsigned long long)bytes);
        return;
    }
    static const char units[] = "KMGTP";
    double size = (double)bytes / 1024;
    size_t unit = 0;
    while (size >= 1024 && units[unit + 1]) {
        size /= 1024;
        unit++;
    }
    str_printf(out, "%.1f%c", size, units[unit]);
}
