/*  interpolate: replaces $NAME and ${NAME...} in the values of a file. */
#include "apic/compose/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const vars_t *vars;
    const char *path, *text; /* of the value that is being read, for errors */
    size_t bytes;            /* made so far */
    unsigned unused;         /* levels of words whose text is not needed */
} work_t;

static int expand(work_t *self, const char **at, bool is_nested, unsigned depth, str_t *out,
                  err_t **err);

static int
fail(const work_t *self, err_t **err)
{
    return err_fail(err, ERR_INVALID,
                    "invalid interpolation format for %s.\nYou may need to escape any $ with "
                    "another $.\n%s",
                    self->path, self->text);
}

static int
add(work_t *self, str_t *out, const char *text, err_t **err)
{
    self->bytes += strlen(text);
    if (self->bytes > COMPOSE_TEXT_MAX)
        return err_fail(err, ERR_LIMIT, "the values have more than %u bytes", COMPOSE_TEXT_MAX);
    str_add(out, text);
    return 0;
}

/* What is behind the name in braces: ":-", "-", ":+", "+", ":?", "?" and a word. */
static int
expand_form(work_t *self, const char *name, const char **at, unsigned depth, str_t *out,
            err_t **err)
{
    const char *value = vars_get(self->vars, name);
    const bool counts_empty = **at == ':';
    if (counts_empty)
        ++*at;
    const char form = **at;
    if (!form || !strchr("-+?", form))
        return fail(self, err);
    ++*at;
    const bool is_set = value && !(counts_empty && !value[0]);
    const bool is_unused = is_set != (form == '+');
    AUTO_STR word = STR_EMPTY;
    self->unused += is_unused;
    const int rc = expand(self, at, true, depth + 1, &word, err);
    self->unused -= is_unused;
    if (rc < 0)
        return rc;
    if (**at != '}')
        return fail(self, err);
    ++*at;
    if (form == '?' && !is_set && !self->unused)
        return err_fail(err, ERR_INVALID, "required variable %s is missing a value: %s", name,
                        word.data);
    if (form == '+')
        return is_set ? add(self, out, word.data, err) : 0;
    return add(self, out, is_set ? value : word.data, err);
}

/* The variable at *at, which is behind a '$'. */
static int
expand_one(work_t *self, const char **at, unsigned depth, str_t *out, err_t **err)
{
    const bool has_brace = **at == '{';
    const char *start = *at + has_brace;
    const size_t size = text_variable_size(start);
    if (!size)
        return fail(self, err);
    AUTO_FREE char *name = strndup(start, size);
    *at = start + size;
    if (has_brace && **at != '}')
        return expand_form(self, name, at, depth, out, err);
    *at += has_brace;
    const char *value = vars_get(self->vars, name);
    return add(self, out, value ? value : "", err);
}

/* Up to the end, or to the brace that ends a nested word. */
static int
expand(work_t *self, const char **at, bool is_nested, unsigned depth, str_t *out, err_t **err)
{
    if (depth > COMPOSE_DEPTH_MAX)
        return err_fail(err, ERR_LIMIT, "%s has more than %u levels of ${", self->path,
                        COMPOSE_DEPTH_MAX);
    while (**at && !(is_nested && **at == '}')) {
        const char c = *(*at)++;
        if (c != '$' || **at == '$') {
            const char text[2] = {c, 0};
            *at += c == '$';
            if (add(self, out, text, err) < 0)
                return -1;
        } else if (expand_one(self, at, depth, out, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
walk(work_t *self, node_t *node, const char *path, err_t **err)
{
    if (node->kind == NODE_SCALAR && strchr(node->text, '$')) {
        AUTO_STR out = STR_EMPTY;
        const char *at = node->text;
        self->path = path;
        self->text = node->text;
        if (expand(self, &at, false, 0, &out, err) < 0)
            return -1;
        free(node->text);
        node->text = str_take(&out);
        if (!node->text[0])
            node->is_plain = false;
    }
    for (size_t i = 0; i < node->n; i++) {
        const char *dot = path[0] ? "." : "";
        AUTO_FREE char *below = node->kind == NODE_MAP
                                    ? str_format("%s%s%s", path, dot, node->keys[i])
                                    : str_format("%s%s[%zu]", path, "", i);
        if (walk(self, node->items[i], below, err) < 0)
            return -1;
    }
    return 0;
}

int
interpolate(node_t *root, const vars_t *vars, err_t **err)
{
    work_t work = {.vars = vars};
    return walk(&work, root, "", err);
}
