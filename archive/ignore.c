/*  ignore: the rules of one .kurtosisignore file; see archive.h. */
#include "archive/archive.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define IGNORE_FILE_MAX (1024 * 1024) /* bytes of one ignore file */

typedef struct {
    char *pattern;
    bool directories_only;
    bool whole_path;
} rule_t;

struct archive_ignore {
    rule_t *rules;
    size_t count;
};

/* A pattern whose '[' or '\' never ends is malformed: such a line is skipped. */
static bool
is_well_formed(const char *pattern)
{
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && !*++at)
            return false;
        if (*at != '[')
            continue;
        at++;
        if (*at == '^' || *at == '!')
            at++;
        for (bool first = true; *at != ']' || first; at++, first = false) {
            if (*at == '\\')
                at++;
            if (!*at)
                return false;
        }
    }
    return true;
}

static void
add_rule(archive_ignore_t *self, const char *line, size_t len)
{
    while (len > 0 && strchr(" \t\r\v\f", line[len - 1]))
        len--;
    while (len > 0 && strchr(" \t\r\v\f", *line))
        line++, len--;
    if (len == 0 || *line == '#' || self->count == ARCHIVE_IGNORE_RULES_MAX)
        return;
    rule_t rule = {.directories_only = line[len - 1] == '/'};
    if (rule.directories_only)
        len--;
    rule.pattern = strndup(line, len);
    rule.whole_path = strchr(rule.pattern, '/') != NULL;
    if (len == 0 || !is_well_formed(rule.pattern)) {
        free(rule.pattern);
        return;
    }
    self->rules = realloc(self->rules, (self->count + 1) * sizeof *self->rules);
    if (!self->rules)
        abort();
    self->rules[self->count++] = rule;
}

archive_ignore_t *
archive_ignore_parse(const char *text)
{
    archive_ignore_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        add_rule(self, line, len);
        line += len + (line[len] == '\n');
    }
    return self;
}

int
archive_ignore_read(const char *folder, archive_ignore_t **ret_rules, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/" ARCHIVE_IGNORE_FILE, folder);
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return err_fail(err, ERR_INVALID, "cannot read '%s': %s", path, strerror(errno));
        *ret_rules = archive_ignore_parse("");
        return 0;
    }
    AUTO_STR text = STR_EMPTY;
    if (file_read_fd(fd, path, IGNORE_FILE_MAX, &text, err) < 0)
        return -1;
    *ret_rules = archive_ignore_parse(text.data);
    return 0;
}

void
archive_ignore_destroy(archive_ignore_t **self_p)
{
    archive_ignore_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->rules[i].pattern);
    free(self->rules);
    free(self);
}

/* Does any component of the path match? All but the last are directories. */
static bool
component_matches(const rule_t *rule, const char *path, bool is_directory)
{
    char name[ARCHIVE_PATH_MAX + 1];
    for (const char *at = path;;) {
        size_t len = strcspn(at, "/");
        bool last = at[len] == '\0';
        if (len <= ARCHIVE_PATH_MAX && (is_directory || !last || !rule->directories_only)) {
            memcpy(name, at, len);
            name[len] = '\0';
            if (fnmatch(rule->pattern, name, FNM_PATHNAME) == 0)
                return true;
        }
        if (last)
            return false;
        at += len + 1;
    }
}

bool
archive_ignore_matches(const archive_ignore_t *self, const char *path, bool is_directory)
{
    for (size_t i = 0; i < self->count; i++) {
        const rule_t *rule = &self->rules[i];
        if (!rule->whole_path) {
            if (component_matches(rule, path, is_directory))
                return true;
        } else if (!rule->directories_only || is_directory) {
            const char *pattern = rule->pattern + (*rule->pattern == '/');
            if (fnmatch(pattern, path, FNM_PATHNAME) == 0)
                return true;
        }
    }
    return false;
}
