/*  patterns: see patterns.h.
 *
 *  A pattern is compiled to a row of tokens. Matching keeps the set of all places in the path that
 *  the tokens so far can reach, so that no pattern, however many stars it has, takes longer than its
 *  length times the path's.
 */
#include "archive/patterns.h"

#include "archive/archive.h"

#include <string.h>

typedef enum {
    TOKEN_CHAR,   /* this character */
    TOKEN_ONE,    /* any but '/' */
    TOKEN_CLASS,  /* one of set */
    TOKEN_NAME,   /* any number of characters but '/' */
    TOKEN_ALL,    /* any number of characters */
    TOKEN_FOLDERS /* nothing, or anything that ends with '/' */
} token_kind_t;

typedef struct {
    token_kind_t kind;
    unsigned char c;
    uint8_t set[32]; /* bit per character */
} token_t;

typedef struct {
    token_t *tokens;
    size_t count;
    bool takes_in; /* was written with '!' */
} pattern_t;

struct archive_patterns {
    pattern_t *patterns;
    size_t count;
    bool has_exceptions;
};

/* ------------------------------------------------------------------------------------ compiling */

static void
set_add(token_t *token, unsigned from, unsigned to)
{
    for (unsigned c = from; c <= to; c++)
        token->set[c / 8] |= (uint8_t)(1u << c % 8);
}

/* One character of a class, '\' before it taken away; NULL when the text ends. */
static const char *
class_char(const char *at, unsigned char *ret_char)
{
    if (*at == '\\')
        at++;
    *ret_char = (unsigned char)*at;
    return *at ? at + 1 : NULL;
}

/* Reads "[...]" from behind its '['; what follows it, or NULL when it never ends. */
static const char *
class_read(const char *at, token_t *token)
{
    bool negated = *at == '^';
    token->kind = TOKEN_CLASS;
    if (negated)
        at++;
    do {
        unsigned char from, to;
        if (!(at = class_char(at, &from)))
            return NULL;
        to = from;
        if (at[0] == '-' && at[1] != ']' && !(at = class_char(at + 1, &to)))
            return NULL;
        set_add(token, from, to);
    } while (*at != ']');
    for (size_t i = 0; negated && i < sizeof token->set; i++)
        token->set[i] = (uint8_t)~token->set[i];
    if (negated)
        token->set['/' / 8] &= (uint8_t) ~(1u << '/' % 8);
    return at + 1;
}

/* Reads the token at text; what follows it, or NULL when it is malformed. */
static const char *
token_read(const char *at, token_t *token)
{
    *token = (token_t){.kind = TOKEN_CHAR, .c = (unsigned char)*at};
    switch (*at++) {
    case '*':
        token->kind = TOKEN_NAME;
        if (*at != '*')
            return at;
        at += at[1] == '/' ? 2 : 1;
        token->kind = *at ? TOKEN_FOLDERS : TOKEN_ALL;
        return at;
    case '?':
        token->kind = TOKEN_ONE;
        return at;
    case '[':
        return class_read(at, token);
    case '\\':
        token->c = (unsigned char)*at;
        return *at ? at + 1 : NULL;
    default:
        return at;
    }
}

/* Shortens "./a//b/../c/" to "a/c" in place, and takes a leading '/' away. */
static void
clean(char *path)
{
    char *out = path;
    for (const char *at = path; *at;) {
        size_t len = strcspn(at, "/");
        bool is_up = len == 2 && at[0] == '.' && at[1] == '.';
        if (is_up && out > path) {
            while (--out > path && *out != '/')
                ;
        } else if (len && !is_up && !(len == 1 && *at == '.')) {
            if (out > path)
                *out++ = '/';
            memmove(out, at, len);
            out += len;
        }
        at += len + (at[len] == '/');
    }
    *out = '\0';
}

static int
pattern_add(archive_patterns_t *self, char *text, bool takes_in, err_t **err)
{
    clean(text);
    if (!*text)
        return 0;
    if (self->count == ARCHIVE_IGNORE_RULES_MAX)
        return err_fail(err, ERR_LIMIT, "it has more than %u rules", ARCHIVE_IGNORE_RULES_MAX);
    pattern_t pattern = {.takes_in = takes_in, .tokens = calloc(strlen(text), sizeof(token_t))};
    self->patterns = realloc(self->patterns, (self->count + 1) * sizeof *self->patterns);
    if (!pattern.tokens || !self->patterns)
        abort();
    const char *at = text;
    while (at && *at)
        at = token_read(at, &pattern.tokens[pattern.count++]);
    if (!at) {
        free(pattern.tokens);
        return err_fail(err, ERR_INVALID, "its pattern '%.200s' does not end", text);
    }
    self->patterns[self->count++] = pattern;
    self->has_exceptions |= takes_in;
    return 0;
}

static int
line_add(archive_patterns_t *self, const char *line, size_t len, err_t **err)
{
    static const char blanks[] = " \t\r\v\f";
    if (*line == '#')
        return 0;
    while (len && strchr(blanks, line[len - 1]))
        len--;
    while (len && strchr(blanks, *line))
        line++, len--;
    bool takes_in = len && *line == '!';
    if (takes_in)
        line++, len--;
    while (len && strchr(blanks, *line))
        line++, len--;
    if (takes_in && !len)
        return err_fail(err, ERR_INVALID, "a '!' of it has no pattern behind it");
    AUTO_FREE char *text = strndup(line, len);
    return pattern_add(self, text, takes_in, err);
}

int
archive_patterns_parse(const char *text, archive_patterns_t **ret_patterns, err_t **err)
{
    AUTO(archive_patterns) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (line_add(self, text, len, err) < 0)
            return -1;
        text += len + (text[len] == '\n');
    }
    *ret_patterns = TAKE(self);
    return 0;
}

void
archive_patterns_destroy(archive_patterns_t **self_p)
{
    archive_patterns_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        free(self->patterns[i].tokens);
    free(self->patterns);
    free(self);
}

/* ------------------------------------------------------------------------------------- matching */

static bool
takes_one(const token_t *token, unsigned char c)
{
    switch (token->kind) {
    case TOKEN_CHAR:
        return c == token->c;
    case TOKEN_ONE:
        return c != '/';
    case TOKEN_CLASS:
        return token->set[c / 8] >> c % 8 & 1;
    default:
        return false;
    }
}

/* From the places reached before a token to those after it: places[i] is "in front of path[i]". */
static void
step(const token_t *token, const char *path, size_t size, bool *places)
{
    if (token->kind == TOKEN_NAME || token->kind == TOKEN_ALL) {
        for (size_t i = 0; i < size; i++)
            if (places[i] && (token->kind == TOKEN_ALL || path[i] != '/'))
                places[i + 1] = true;
        return;
    }
    if (token->kind == TOKEN_FOLDERS) {
        bool any = false;
        for (size_t i = 0; i < size; i++) {
            any = any || places[i];
            if (any && path[i] == '/')
                places[i + 1] = true;
        }
        return;
    }
    for (size_t i = size; i-- > 0;)
        places[i + 1] = places[i] && takes_one(token, (unsigned char)path[i]);
    places[0] = false;
}

/* Does it match the path, or a folder above it? */
static bool
matches(const pattern_t *pattern, const char *path, size_t size)
{
    bool places[ARCHIVE_PATH_MAX + 2] = {true};
    for (size_t i = 0; i < pattern->count; i++)
        step(&pattern->tokens[i], path, size, places);
    for (size_t i = 1; i <= size; i++)
        if (places[i] && (i == size || path[i] == '/'))
            return true;
    return false;
}

bool
archive_patterns_leave_out(const archive_patterns_t *self, const char *path)
{
    size_t size = strnlen(path, ARCHIVE_PATH_MAX);
    for (size_t i = self->count; i-- > 0;)
        if (matches(&self->patterns[i], path, size))
            return !self->patterns[i].takes_in;
    return false;
}

bool
archive_patterns_have_exceptions(const archive_patterns_t *self)
{
    return self->has_exceptions;
}
