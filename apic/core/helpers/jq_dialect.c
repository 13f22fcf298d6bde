/*  jq_dialect: see jq_dialect.h. */
#include "apic/core/helpers/jq_dialect.h"

#include "base/auto.h"

#include <ctype.h>
#include <string.h>

#define IFS_MAX 200    /* ifs within ifs of one query; those further in stay as they are */
#define NESTING_MAX 50 /* strings within queries within strings; what is further in stays, too */

typedef struct {
    const char *at;
    str_t *out;
    int nesting;
} text_t;

/* One query: the program, or what stands in a string in "\( )". */
typedef struct {
    bool has_else[IFS_MAX];
    size_t ifs;
    bool after_term; /* what was read last is a value, to which a suffix can belong */
} query_t;

static void put_query(text_t *self);

/* Words after which a value begins, rather than its suffix. */
static const char *const keywords[] = {
    "and",    "as",      "catch", "def", "elif",   "else", "foreach", "if",
    "import", "include", "label", "or",  "reduce", "then", "try",
};

static bool
is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void
copy(text_t *self, size_t size)
{
    str_add_bytes(self->out, self->at, size);
    self->at += size;
}

/* A string, with the queries in it. */
static void
put_string(text_t *self)
{
    copy(self, 1);
    while (*self->at && *self->at != '"') {
        if (*self->at != '\\' || !self->at[1]) {
            copy(self, 1);
            continue;
        }
        const bool is_query = self->at[1] == '(' && self->nesting < NESTING_MAX;
        copy(self, 2);
        if (is_query) {
            self->nesting++;
            put_query(self);
            self->nesting--;
        }
    }
    if (*self->at)
        copy(self, 1);
}

static bool
is_keyword(const char *word, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (strlen(keywords[i]) == size && !strncmp(word, keywords[i], size))
            return true;
    return false;
}

static bool
is(const char *word, size_t size, const char *other)
{
    return strlen(other) == size && !strncmp(word, other, size);
}

static void
put_word(text_t *self, query_t *query)
{
    const char *word = self->at;
    size_t size = 0;
    while (is_word_byte(word[size]))
        size++;
    const char *next = word + size + strspn(word + size, " \t\r\n");
    const bool is_key = *next == ':'; /* of an object */
    if (!is_key && is(word, size, "if")) {
        if (query->ifs < IFS_MAX)
            query->has_else[query->ifs] = false;
        query->ifs++;
    } else if (!is_key && is(word, size, "else") && query->ifs && query->ifs <= IFS_MAX) {
        query->has_else[query->ifs - 1] = true;
    } else if (!is_key && is(word, size, "end") && query->ifs) {
        if (--query->ifs < IFS_MAX && !query->has_else[query->ifs])
            str_add(self->out, "else . ");
    }
    query->after_term = !is_keyword(word, size);
    copy(self, size);
}

/* Up to the ")" that ends it, which is copied too, or the end of the program. */
static void
put_query(text_t *self)
{
    query_t query = {.ifs = 0};
    int parentheses = 0;
    while (*self->at) {
        const char c = *self->at;
        if (c == '"') {
            put_string(self);
            query.after_term = true;
        } else if (c == '#') {
            copy(self, strcspn(self->at, "\n"));
        } else if ((c == '.' || c == '$' || c == '@') && is_word_byte(self->at[1])) {
            copy(self, 1); /* a field, a variable, a format, a number: no keyword */
            while (is_word_byte(*self->at))
                copy(self, 1);
            query.after_term = true;
        } else if (is_word_byte(c)) {
            put_word(self, &query);
        } else if (isspace((unsigned char)c)) {
            copy(self, 1);
        } else if (c == '.' && self->at[1] == '.') {
            copy(self, 2);
            query.after_term = true;
        } else if (c == '.' && self->at[1] == '[' && query.after_term) {
            self->at++;
        } else if (c == ')' && parentheses == 0 && self->nesting) {
            copy(self, 1);
            return;
        } else {
            parentheses += (c == '(') - (c == ')');
            query.after_term = strchr(")]}?", c);
            copy(self, 1);
        }
    }
}

void
jq_dialect_put(const char *program, str_t *out)
{
    text_t text = {.at = program, .out = out};
    put_query(&text);
}
