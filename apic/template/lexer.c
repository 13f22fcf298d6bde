/*  lexer: see lexer.h. */
#include "apic/template/lexer.h"

#include "apic/template/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

static const char LEFT[] = "{{", RIGHT[] = "}}", COMMENT_BEGIN[] = "/*", COMMENT_END[] = "*/";

#define MARKER_LEN 2 /* the blank and the minus of a trim marker */

static const struct {
    const char *word;
    tpl_token_kind_t kind;
} keywords[] = {
#define TPL_TOKEN_WORD(name, word) {word, TPL_TOKEN_##name},
    TPL_KEYWORDS(TPL_TOKEN_WORD)
#undef TPL_TOKEN_WORD
        {"true", TPL_TOKEN_BOOL},
    {"false", TPL_TOKEN_BOOL},
};

/* ----------------------------------------------------------------------------------------- looking
 */

void
tpl_lexer_init(tpl_lexer_t *self, tpl_text_t input)
{
    *self = (tpl_lexer_t){.input = input, .line = 1, .start_line = 1};
}

static bool
is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The byte at an offset from where reading goes on; -1 behind the end. */
static int
byte_at(const tpl_lexer_t *self, size_t offset)
{
    return offset < self->input.len - self->next
               ? (unsigned char)self->input.bytes[self->next + offset]
               : -1;
}

static bool
looking_at(const tpl_lexer_t *self, size_t offset, const char *word)
{
    size_t len = strlen(word);
    return self->input.len - self->next >= offset + len &&
           !memcmp(self->input.bytes + self->next + offset, word, len);
}

/* Offset of a word from where reading goes on; -1 when there is none. */
static ssize_t
distance_to(const tpl_lexer_t *self, const char *word)
{
    const char *from = self->input.bytes + self->next;
    const char *found = memmem(from, self->input.len - self->next, word, strlen(word));
    return found ? found - from : -1;
}

/* At "}}", or at " -}}". */
static bool
at_right(const tpl_lexer_t *self, bool *ret_trims)
{
    *ret_trims = is_blank(byte_at(self, 0)) && byte_at(self, 1) == '-' &&
                 looking_at(self, MARKER_LEN, RIGHT);
    return *ret_trims || looking_at(self, 0, RIGHT);
}

/* The character where reading goes on, and its bytes; 0 bytes at the end. */
static size_t
peek(const tpl_lexer_t *self, uint32_t *ret)
{
    *ret = 0;
    if (self->next == self->input.len)
        return 0;
    return utf8_get(self->input.bytes + self->next, self->input.len - self->next, ret);
}

/* May a name end here? */
static bool
at_terminator(const tpl_lexer_t *self)
{
    int c = byte_at(self, 0);
    return c < 0 || is_blank(c) || (c && strchr(".,|:)(", c)) || looking_at(self, 0, RIGHT);
}

/* ------------------------------------------------------------------------------------ producing */

static void
count_lines(tpl_lexer_t *self, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        self->line += self->input.bytes[i] == '\n';
}

/* Forgets what was read. */
static void
ignore(tpl_lexer_t *self)
{
    count_lines(self, self->start, self->next);
    self->start = self->next;
    self->start_line = self->line;
}

static tpl_token_t
emit(tpl_lexer_t *self, tpl_token_kind_t kind)
{
    tpl_token_t token = {kind,
                         (uint32_t)self->start,
                         self->start_line,
                         {self->input.bytes + self->start, self->next - self->start}};
    ignore(self);
    return token;
}

__attribute__((format(printf, 2, 3))) static tpl_token_t
fail(tpl_lexer_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(self->message, sizeof self->message, format, args);
    va_end(args);
    if (len >= (int)sizeof self->message)
        len = (int)sizeof self->message - 1;
    tpl_token_t token = {
        TPL_TOKEN_ERROR, (uint32_t)self->start, self->start_line, {self->message, (size_t)len}};
    self->start = self->next = self->input.len;
    return token;
}

/* "U+002D '-'" */
static tpl_token_t
fail_char(tpl_lexer_t *self, const char *what)
{
    uint32_t c;
    size_t len = peek(self, &c);
    if (!len)
        return fail(self, "%s U+FFFFFFFFFFFFFFFF", what);
    if (!tpl_is_print(c))
        return fail(self, "%s U+%04X", what, c);
    return fail(self, "%s U+%04X '%.*s'", what, c, (int)len, self->input.bytes + self->next);
}

/* What is read so far, for an error. */
static tpl_token_t
fail_number(tpl_lexer_t *self)
{
    return fail(self, "bad number syntax: \"%.*s\"", (int)(self->next - self->start),
                self->input.bytes + self->start);
}

/* ---------------------------------------------------------------------------------- outside
 * actions */

/* Behind "{{" or "{{- ", at the comment. */
static bool
skip_comment(tpl_lexer_t *self, tpl_token_t *ret_error)
{
    bool trims;

    self->next += strlen(COMMENT_BEGIN);
    ssize_t end = distance_to(self, COMMENT_END);
    if (end < 0) {
        *ret_error = fail(self, "unclosed comment");
        return false;
    }
    self->next += (size_t)end + strlen(COMMENT_END);
    if (!at_right(self, &trims)) {
        *ret_error = fail(self, "comment ends before closing delimiter");
        return false;
    }
    self->next += trims ? MARKER_LEN + strlen(RIGHT) : strlen(RIGHT);
    while (trims && is_blank(byte_at(self, 0)))
        self->next++;
    ignore(self);
    return true;
}

/* At "{{": false when it was a comment, which is read over. */
static bool
read_left(tpl_lexer_t *self, tpl_token_t *ret)
{
    size_t marker;

    self->next += strlen(LEFT);
    marker = byte_at(self, 0) == '-' && is_blank(byte_at(self, 1)) ? MARKER_LEN : 0;
    if (looking_at(self, marker, COMMENT_BEGIN)) {
        self->next += marker;
        return !skip_comment(self, ret);
    }
    *ret = emit(self, TPL_TOKEN_LEFT);
    self->next += marker;
    ignore(self);
    self->in_action = true;
    self->parens = 0;
    return true;
}

static tpl_token_t
next_outside(tpl_lexer_t *self)
{
    for (;;) {
        tpl_token_t token;
        ssize_t len = distance_to(self, LEFT);
        if (len < 0) {
            self->next = self->input.len;
            return emit(self, self->start < self->next ? TPL_TOKEN_TEXT : TPL_TOKEN_EOF);
        }
        if (len > 0) {
            size_t end = self->next + (size_t)len, kept = end;
            bool trims = end + 3 < self->input.len && self->input.bytes[end + 2] == '-' &&
                         is_blank((unsigned char)self->input.bytes[end + 3]);
            while (trims && kept > self->start &&
                   is_blank((unsigned char)self->input.bytes[kept - 1]))
                kept--;
            self->next = kept;
            token = emit(self, TPL_TOKEN_TEXT);
            self->next = end;
            ignore(self);
            if (token.text.len)
                return token;
        }
        if (read_left(self, &token))
            return token;
    }
}

/* ----------------------------------------------------------------------------------- inside
 * actions */

static tpl_token_t
read_right(tpl_lexer_t *self, bool trims)
{
    self->next += trims ? MARKER_LEN : 0;
    ignore(self);
    self->next += strlen(RIGHT);
    tpl_token_t token = emit(self, TPL_TOKEN_RIGHT);
    while (trims && is_blank(byte_at(self, 0)))
        self->next++;
    ignore(self);
    self->in_action = false;
    return token;
}

/* Blanks, but for the one that belongs to " -}}". */
static tpl_token_t
read_space(tpl_lexer_t *self)
{
    bool trims;
    while (is_blank(byte_at(self, 0)) && !(at_right(self, &trims) && trims))
        self->next++;
    return emit(self, TPL_TOKEN_SPACE);
}

static void
skip_word(tpl_lexer_t *self)
{
    uint32_t c;
    for (size_t len; (len = peek(self, &c)) > 0 && tpl_is_word(c);)
        self->next += len;
}

static tpl_token_t
read_identifier(tpl_lexer_t *self)
{
    skip_word(self);
    if (!at_terminator(self))
        return fail_char(self, "bad character");
    tpl_text_t word = {self->input.bytes + self->start, self->next - self->start};
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (tpl_text_is(word, (tpl_text_t){keywords[i].word, strlen(keywords[i].word)}))
            return emit(self, keywords[i].kind);
    return emit(self, TPL_TOKEN_IDENTIFIER);
}

/* Behind "." or "$". */
static tpl_token_t
read_name(tpl_lexer_t *self, tpl_token_kind_t kind)
{
    if (at_terminator(self))
        return emit(self, kind == TPL_TOKEN_FIELD ? TPL_TOKEN_DOT : kind);
    skip_word(self);
    if (!at_terminator(self))
        return fail_char(self, "bad character");
    return emit(self, kind);
}

/* Behind the quote that begins it; a backslash takes the next character with it. */
static tpl_token_t
read_quoted(tpl_lexer_t *self, char quote, tpl_token_kind_t kind, const char *error)
{
    for (;;) {
        int c = byte_at(self, 0);
        if (c < 0 || c == '\n')
            return fail(self, "%s", error);
        self->next++;
        if (c == quote)
            return emit(self, kind);
        if (c == '\\' && byte_at(self, 0) >= 0 && byte_at(self, 0) != '\n')
            self->next++;
    }
}

static tpl_token_t
read_raw(tpl_lexer_t *self)
{
    ssize_t end = distance_to(self, "`");
    if (end < 0)
        return fail(self, "unterminated raw quoted string");
    self->next += (size_t)end + 1;
    return emit(self, TPL_TOKEN_RAW_STRING);
}

static bool
accept(tpl_lexer_t *self, const char *set)
{
    int c = byte_at(self, 0);
    if (c <= 0 || !strchr(set, c))
        return false;
    self->next++;
    return true;
}

static void
accept_run(tpl_lexer_t *self, const char *set)
{
    while (accept(self, set))
        ;
}

/* One number with its sign; false when a letter or digit follows it. */
static bool
scan_number(tpl_lexer_t *self)
{
    static const char decimal[] = "0123456789_", hex[] = "0123456789abcdefABCDEF_";
    const char *digits = decimal;

    accept(self, "+-");
    if (accept(self, "0")) {
        if (accept(self, "xX"))
            digits = hex;
        else if (accept(self, "oO"))
            digits = "01234567_";
        else if (accept(self, "bB"))
            digits = "01_";
    }
    accept_run(self, digits);
    if (accept(self, "."))
        accept_run(self, digits);
    if ((digits == decimal && accept(self, "eE")) || (digits == hex && accept(self, "pP"))) {
        accept(self, "+-");
        accept_run(self, decimal);
    }
    accept(self, "i");
    uint32_t c;
    size_t len = peek(self, &c);
    if (len && tpl_is_word(c)) {
        self->next += len;
        return false;
    }
    return true;
}

static tpl_token_t
read_number(tpl_lexer_t *self)
{
    if (!scan_number(self))
        return fail_number(self);
    if (byte_at(self, 0) != '+' && byte_at(self, 0) != '-')
        return emit(self, TPL_TOKEN_NUMBER);
    if (!scan_number(self) || self->input.bytes[self->next - 1] != 'i')
        return fail_number(self);
    return emit(self, TPL_TOKEN_COMPLEX);
}

/* What begins with a sign of its own; false for names and numbers. */
static bool
read_sign(tpl_lexer_t *self, int c, tpl_token_t *ret)
{
    switch (c) {
    case '=':
        *ret = emit(self, TPL_TOKEN_ASSIGN);
        return true;
    case ':':
        *ret = accept(self, "=") ? emit(self, TPL_TOKEN_DECLARE) : fail(self, "expected :=");
        return true;
    case '|':
        *ret = emit(self, TPL_TOKEN_PIPE);
        return true;
    case '"':
        *ret = read_quoted(self, '"', TPL_TOKEN_STRING, "unterminated quoted string");
        return true;
    case '\'':
        *ret = read_quoted(self, '\'', TPL_TOKEN_CHAR, "unterminated character constant");
        return true;
    case '`':
        *ret = read_raw(self);
        return true;
    case '$':
        *ret = read_name(self, TPL_TOKEN_VARIABLE);
        return true;
    case '(':
        self->parens++;
        *ret = emit(self, TPL_TOKEN_LEFT_PAREN);
        return true;
    case ')':
        *ret = self->parens-- ? emit(self, TPL_TOKEN_RIGHT_PAREN)
                              : fail(self, "unexpected right paren");
        return true;
    default:
        return false;
    }
}

static tpl_token_t
next_inside(tpl_lexer_t *self)
{
    bool trims;
    uint32_t c;
    tpl_token_t token;

    if (at_right(self, &trims))
        return self->parens ? fail(self, "unclosed left paren") : read_right(self, trims);
    size_t len = peek(self, &c);
    if (!len)
        return fail(self, "unclosed action");
    if (is_blank((int)c))
        return read_space(self);
    self->next += len;
    if (read_sign(self, (int)c, &token))
        return token;
    bool digit_follows = byte_at(self, 0) >= '0' && byte_at(self, 0) <= '9';
    if (c == '.' && byte_at(self, 0) >= 0 && !digit_follows)
        return read_name(self, TPL_TOKEN_FIELD);
    if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) {
        self->next -= len;
        return read_number(self);
    }
    if (tpl_is_word(c))
        return read_identifier(self);
    if (c < 0x80 && tpl_is_print(c))
        return emit(self, TPL_TOKEN_OTHER);
    self->next -= len;
    return fail_char(self, "unrecognized character in action:");
}

tpl_token_t
tpl_lexer_next(tpl_lexer_t *self)
{
    return self->in_action ? next_inside(self) : next_outside(self);
}
