/*  env: variables, and env files. */
#include "apic/compose/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void
vars_done(vars_t *self)
{
    for (size_t i = 0; i < self->n; i++) {
        free(self->items[i].name);
        free(self->items[i].value);
    }
    free(self->items);
    *self = (vars_t){0};
}

static var_t *
find(const vars_t *self, const char *name)
{
    for (size_t i = 0; i < self->n; i++)
        if (!strcmp(self->items[i].name, name))
            return &self->items[i];
    return NULL;
}

const char *
vars_get(const vars_t *self, const char *name)
{
    const var_t *var = find(self, name);
    return var ? var->value : NULL;
}

int
vars_set(vars_t *self, const char *name, const char *value, err_t **err)
{
    if (self->bytes + strlen(value) > COMPOSE_TEXT_MAX || self->n == COMPOSE_NODES_MAX)
        return err_fail(err, ERR_LIMIT, "the variables have more than %u bytes or are more than %u",
                        COMPOSE_TEXT_MAX, COMPOSE_NODES_MAX);
    var_t *var = find(self, name);
    self->bytes += strlen(value);
    if (!var) {
        if ((self->n & (self->n - 1)) == 0) {
            self->items = realloc(self->items, (self->n ? self->n * 2 : 1) * sizeof(*self->items));
            if (!self->items)
                abort();
        }
        var = &self->items[self->n++];
        *var = (var_t){strdup(name), NULL};
    }
    free(var->value);
    var->value = strdup(value);
    return 0;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(((const var_t *)a)->name, ((const var_t *)b)->name);
}

void
vars_sort(vars_t *self)
{
    if (self->n)
        qsort(self->items, self->n, sizeof(*self->items), compare);
}

/* --------------------------------------------------------------------------------------------
 * files */

/* Appends the variable at *at, which is a '$'; or the '$' itself where there is none. */
static int
expand_one(const vars_t *self, const char **at, str_t *out, err_t **err)
{
    const char *name = *at + 1;
    const bool has_brace = *name == '{';
    name += has_brace;
    const size_t size = text_variable_size(name);
    if (!size || (has_brace && name[size] != '}')) {
        str_add_char(out, *(*at)++);
        return 0;
    }
    AUTO_FREE char *text = strndup(name, size);
    const char *value = vars_get(self, text);
    if (value && out->len + strlen(value) > COMPOSE_TEXT_MAX)
        return err_fail(err, ERR_LIMIT, "a value has more than %u bytes", COMPOSE_TEXT_MAX);
    str_add(out, value ? value : "");
    *at = name + size + has_brace;
    return 0;
}

/* Reads a value in quotes, *at behind the first; it may go over several lines. */
static int
read_quoted(const vars_t *self, const char **at, char quote, bool expand, str_t *out, err_t **err)
{
    static const char escapes[][2] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}};
    while (**at && **at != quote) {
        if (quote == '"' && **at == '\\' && (*at)[1]) {
            char c = *++*at;
            for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
                if (c == escapes[i][0])
                    c = escapes[i][1];
            str_add_char(out, c);
            ++*at;
        } else if (quote == '"' && **at == '$' && expand) {
            if (expand_one(self, at, out, err) < 0)
                return -1;
        } else {
            str_add_char(out, *(*at)++);
        }
    }
    if (!**at)
        return err_fail(err, ERR_INVALID, "a quote %c has no end", quote);
    ++*at;
    *at += strcspn(*at, "\n");
    return 0;
}

static int
read_plain(const vars_t *self, const char **at, bool expand, str_t *out, err_t **err)
{
    const char *start = *at;
    size_t size = strcspn(start, "\n");
    *at += size;
    for (size_t i = 0; i < size; i++)
        if (start[i] == '#' && (i == 0 || isblank((unsigned char)start[i - 1])))
            size = i;
    while (size && isspace((unsigned char)start[size - 1]))
        size--;
    AUTO_FREE char *text = strndup(start, size);
    for (const char *c = text; *c;) {
        if (*c != '$' || !expand)
            str_add_char(out, *c++);
        else if (expand_one(self, &c, out, err) < 0)
            return -1;
    }
    return 0;
}

static int
read_line(vars_t *self, const char **at, bool expand, err_t **err)
{
    size_t size = 0;
    if (str_starts(*at, "export") && isblank((unsigned char)(*at)[6]))
        *at += 6 + strspn(*at + 6, " \t");
    while ((*at)[size] && !strchr("=:\n# \t\r", (*at)[size]))
        size++;
    AUTO_FREE char *name = strndup(*at, size);
    *at += size;
    *at += strspn(*at, " \t");
    if (!size)
        return err_fail(err, ERR_INVALID, "a line does not begin with a name");
    if (**at != '=' && **at != ':') {
        const size_t rest = strcspn(*at, "\n");
        const bool is_empty = strspn(*at, "\r") == rest || **at == '#';
        *at += rest;
        return is_empty ? 0
                        : err_fail(err, ERR_INVALID, "there is no '=' behind the name '%s'", name);
    }
    ++*at;
    *at += strspn(*at, " \t");
    AUTO_STR value = STR_EMPTY;
    const char quote = **at;
    int rc;
    if (quote == '"' || quote == '\'') {
        ++*at;
        rc = read_quoted(self, at, quote, expand, &value, err);
    } else {
        rc = read_plain(self, at, expand, &value, err);
    }
    return rc < 0 ? rc : vars_set(self, name, value.data, err);
}

int
vars_read(vars_t *self, const char *text, bool expand, err_t **err)
{
    if (str_starts(text, "\xef\xbb\xbf"))
        text += 3;
    size_t line = 1;
    const char *counted = text;
    for (const char *at = text; *(at += strspn(at, " \t\r\n"));) {
        for (; counted < at; counted++)
            line += *counted == '\n';
        if (*at == '#')
            at += strcspn(at, "\n");
        else if (read_line(self, &at, expand, err) < 0)
            return err_wrap(err, "line %zu", line);
    }
    return 0;
}
