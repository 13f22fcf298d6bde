/*  words: see words.h. */
#include "docker-driver/words.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* What means more than itself to a shell: anywhere outside quotes, at the start of a word, within "...". */
#define SPECIAL "|&;<>()$`*?[\n"
#define SPECIAL_FIRST "#~"
#define SPECIAL_QUOTED "$`"

typedef struct {
    char **words;
    size_t count;
    str_t word;
    bool has_word; /* also an empty one, "" */
} words_t;

static void
end_word(words_t *self)
{
    if (!self->has_word)
        return;
    self->words = realloc(self->words, (self->count + 1) * sizeof *self->words);
    if (!self->words)
        abort();
    self->words[self->count++] = strdup(self->word.len ? self->word.data : "");
    str_clear(&self->word);
    self->has_word = false;
}

static int
needs_shell(char what, err_t **err)
{
    return err_fail(err, ERR_UNSUPPORTED, "'%s' means something to a shell only",
                    what == '\n' ? "a new line" : (char[]){what, 0});
}

/* From a quote to the one that ends it; *at_p is left there. */
static int
take_quoted(words_t *self, const char **at_p, err_t **err)
{
    const char quote = **at_p;
    const char *at = *at_p + 1;
    for (; *at && *at != quote; at++) {
        if (quote == '"' && strchr(SPECIAL_QUOTED, *at))
            return needs_shell(*at, err);
        if (quote == '"' && *at == '\\' && at[1] && strchr("\"\\$`", at[1]))
            at++;
        str_add_char(&self->word, *at);
    }
    *at_p = at;
    return *at ? 0 : err_fail(err, ERR_INVALID, "a %c has no end", quote);
}

static int
split(words_t *self, const char *line, err_t **err)
{
    for (const char *at = line; *at; at++) {
        bool is_quote = *at == '\'' || *at == '"';
        if (*at == ' ' || *at == '\t') {
            end_word(self);
            continue;
        }
        if (strchr(SPECIAL, *at) || (!self->has_word && strchr(SPECIAL_FIRST, *at)) ||
            (*at == '=' && self->count == 0))
            return needs_shell(*at, err);
        self->has_word = true;
        if (is_quote && take_quoted(self, &at, err) < 0)
            return -1;
        if (*at == '\\' && at[1])
            at++;
        if (!is_quote)
            str_add_char(&self->word, *at);
    }
    end_word(self);
    return self->count ? 0 : err_fail(err, ERR_INVALID, "it is empty");
}

int
words_split(const char *line, char ***ret_words, size_t *ret_count, err_t **err)
{
    words_t self = {.word = STR_EMPTY};
    int result = split(&self, line, err);
    str_done(&self.word);
    if (result < 0) {
        words_free(self.words, self.count);
        return -1;
    }
    *ret_words = self.words;
    *ret_count = self.count;
    return 0;
}

void
words_free(char **words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
}
