/*  lex: source text to tokens. Messages are those of the Go implementation. */
#include "starlark/ops.h"
#include "starlark/syntax.h"
#include "starlark/unicode.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const texts[] = {
#define TOKEN(name, text) text,
#include "starlark/tokens.def"
#undef TOKEN
};

static const struct {
    const char *word;
    token_kind_t kind;
} keywords[] = {
    {"and", T_AND},
    {"break", T_BREAK},
    {"continue", T_CONTINUE},
    {"def", T_DEF},
    {"elif", T_ELIF},
    {"else", T_ELSE},
    {"for", T_FOR},
    {"if", T_IF},
    {"in", T_IN},
    {"lambda", T_LAMBDA},
    {"load", T_LOAD},
    {"not", T_NOT},
    {"or", T_OR},
    {"pass", T_PASS},
    {"return", T_RETURN},
    {"while", T_WHILE},
    /* reserved for the future */
    {"as", T_ILLEGAL},
    {"class", T_ILLEGAL},
    {"del", T_ILLEGAL},
    {"except", T_ILLEGAL},
    {"finally", T_ILLEGAL},
    {"from", T_ILLEGAL},
    {"global", T_ILLEGAL},
    {"import", T_ILLEGAL},
    {"is", T_ILLEGAL},
    {"nonlocal", T_ILLEGAL},
    {"raise", T_ILLEGAL},
    {"try", T_ILLEGAL},
    {"with", T_ILLEGAL},
    {"yield", T_ILLEGAL},
};

/* Of those with one beginning, the longest first; the frequent ones before the others. */
static const struct {
    char text[4];
    token_kind_t kind;
} operators[] = {
    {"(", T_LPAREN},      {")", T_RPAREN},
    {",", T_COMMA},       {":", T_COLON},
    {"[", T_LBRACK},      {"]", T_RBRACK},
    {".", T_DOT},         {"==", T_EQL},
    {"=", T_EQ},          {"//=", T_SLASHSLASH_EQ},
    {"<<=", T_LTLT_EQ},   {">>=", T_GTGT_EQ},
    {"//", T_SLASHSLASH}, {"<<", T_LTLT},
    {">>", T_GTGT},       {"**", T_STARSTAR},
    {"+=", T_PLUS_EQ},    {"-=", T_MINUS_EQ},
    {"*=", T_STAR_EQ},    {"/=", T_SLASH_EQ},
    {"%=", T_PERCENT_EQ}, {"&=", T_AMP_EQ},
    {"|=", T_PIPE_EQ},    {"^=", T_CIRCUMFLEX_EQ},
    {"!=", T_NEQ},        {"<=", T_LE},
    {">=", T_GE},         {"+", T_PLUS},
    {"-", T_MINUS},       {"*", T_STAR},
    {"/", T_SLASH},       {"%", T_PERCENT},
    {"&", T_AMP},         {"|", T_PIPE},
    {"^", T_CIRCUMFLEX},  {"~", T_TILDE},
    {";", T_SEMI},        {"{", T_LBRACE},
    {"}", T_RBRACE},      {"<", T_LT},
    {">", T_GT},
};

const char *
sl_token_text(token_kind_t kind)
{
    return texts[kind];
}

const char *
sl_token_quoted(token_kind_t kind)
{
    static const char *const quoted[] = {
#define TOKEN(name, text) "'" text "'",
#include "starlark/tokens.def"
#undef TOKEN
    };
    return kind >= T_PLUS && kind <= T_STARSTAR ? quoted[kind] : texts[kind];
}

bool
sl_syntax_error(star_t *s, sl_string_t *file, pos_t pos, const char *format, ...)
{
    char message[400];
    va_list args;

    if (s->failed)
        return false;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    sl_fail_kind(s, STAR_ERROR_SYNTAX, "%s", message);
    s->captured = true;
    star_frame_t *frame = sl_error_alloc(s, sizeof *frame);
    const char *name = sl_error_dup(s, file->bytes, file->length);
    const char *text = sl_error_dup(s, message, strlen(message));
    if (frame != NULL && name != NULL && text != NULL) {
        *frame = (star_frame_t){name, pos.line, pos.column, "", text};
        s->error.frames = frame;
        s->error.n_frames = 1;
        return false;
    }
    star_error_clear(s);
    return sl_fail_memory(s);
}

#define FAIL(lexer, pos, ...) sl_syntax_error((lexer)->star, (lexer)->file, (pos), __VA_ARGS__)

bool
sl_lexer_init(lexer_t *lexer, star_t *s, sl_string_t *file, const char *text, size_t length)
{
    lexer->star = s;
    lexer->file = file;
    lexer->at = text;
    lexer->end = text + length;
    lexer->pos = (pos_t){1, 1};
    lexer->brackets = 0;
    lexer->line_start = true;
    lexer->pending = 0;
    lexer->indents[0] = 0;
    lexer->n_indents = 1;
    lexer->ended = false;
    lexer->token = (token_t){.kind = T_NEWLINE, .pos = {1, 1}};
    return true;
}

static int
peek(const lexer_t *lexer)
{
    return lexer->at < lexer->end ? (unsigned char)*lexer->at : -1;
}

static int
peek_at(const lexer_t *lexer, size_t offset)
{
    return (size_t)(lexer->end - lexer->at) > offset ? (unsigned char)lexer->at[offset] : -1;
}

/* One byte further; columns count code points. */
static void
advance(lexer_t *lexer)
{
    unsigned char c = (unsigned char)*lexer->at++;
    if (c == '\n') {
        lexer->pos.line++;
        lexer->pos.column = 1;
    } else if ((c & 0xc0) != 0x80) {
        lexer->pos.column++;
    }
}

static bool
is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* ------------------------------------------------------------------ names and numbers */

static bool
read_name(lexer_t *lexer)
{
    token_t *token = &lexer->token;
    const char *start = lexer->at;

    while (is_name_start(peek(lexer)) || is_digit(peek(lexer))) {
        if (peek(lexer) >= 0x80) {
            size_t n;
            uint32_t code = sl_utf8_get(lexer->at, (size_t)(lexer->end - lexer->at), &n);
            if (!sl_unicode_letter(code) && !(lexer->at > start && sl_unicode_digit(code))) {
                if (lexer->at == start && n == 1)
                    return FAIL(lexer, token->pos, "unexpected input character '\\x%02x'",
                                (unsigned char)*lexer->at);
                if (lexer->at == start)
                    return FAIL(lexer, token->pos, "unexpected input character '%.*s'", (int)n,
                                lexer->at);
                break;
            }
            while (--n > 0)
                advance(lexer);
        }
        advance(lexer);
    }
    token->start = start;
    token->length = (size_t)(lexer->at - start);
    if (token->length >= 2 && token->length <= 8)
        for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
            if (start[0] == keywords[i].word[0] && strlen(keywords[i].word) == token->length &&
                memcmp(start, keywords[i].word, token->length) == 0) {
                token->kind = keywords[i].kind;
                return true;
            }
    token->kind = T_IDENT;
    sl_string_t *name = sl_string_intern(lexer->star, start, token->length);
    token->value = name != NULL ? sl_value(name) : STAR_ABSENT;
    return name != NULL;
}

static bool
int_token(lexer_t *lexer, const char *digits, int base)
{
    lexer->token.kind = T_INT;
    lexer->token.value =
        sl_int_parse(lexer->star, digits, (size_t)(lexer->at - digits), base, false);
    return star_ok(lexer->token.value);
}

static bool
is_digit_of(int c, int base)
{
    int low = c | 0x20;
    return base <= 10 ? c >= '0' && c < '0' + base : is_digit(c) || (low >= 'a' && low <= 'f');
}

static bool
read_based(lexer_t *lexer, int base, const char *name)
{
    advance(lexer);
    advance(lexer);
    const char *digits = lexer->at;
    while (is_digit_of(peek(lexer), base))
        advance(lexer);
    if (lexer->at == digits)
        return FAIL(lexer, lexer->token.pos, "invalid %s literal", name);
    return int_token(lexer, digits, base);
}

static bool
read_exponent(lexer_t *lexer)
{
    advance(lexer);
    if (peek(lexer) == '+' || peek(lexer) == '-')
        advance(lexer);
    if (!is_digit(peek(lexer)))
        return FAIL(lexer, lexer->token.pos, "invalid float literal");
    while (is_digit(peek(lexer)))
        advance(lexer);
    return true;
}

static bool
read_number(lexer_t *lexer)
{
    const char *start = lexer->at;
    bool fraction = false, exponent = false;
    int second = peek_at(lexer, 1) | 0x20;

    if (peek(lexer) == '0' && second == 'x')
        return read_based(lexer, 16, "hex");
    if (peek(lexer) == '0' && second == 'o')
        return read_based(lexer, 8, "octal");
    if (peek(lexer) == '0' && second == 'b')
        return read_based(lexer, 2, "binary");
    while (is_digit(peek(lexer)))
        advance(lexer);
    if (peek(lexer) == '.') {
        fraction = true;
        advance(lexer);
        while (is_digit(peek(lexer)))
            advance(lexer);
    }
    if ((peek(lexer) | 0x20) == 'e') {
        exponent = true;
        if (!read_exponent(lexer))
            return false;
    }
    if (!fraction && !exponent) {
        if (*start == '0' && lexer->at - start > 1) {
            for (const char *p = start; p < lexer->at; p++)
                if (*p != '0')
                    return FAIL(lexer, lexer->token.pos,
                                "obsolete form of octal literal; use 0o%.*s",
                                (int)(lexer->at - start - 1), start + 1);
        }
        return int_token(lexer, start, 10);
    }
    double d;
    if (!sl_float_parse(start, (size_t)(lexer->at - start), &d))
        return FAIL(lexer, lexer->token.pos, "invalid float literal");
    if (d - d != 0)
        return FAIL(lexer, lexer->token.pos, "floating-point literal too large");
    lexer->token.kind = T_FLOAT;
    lexer->token.value = sl_float(d);
    return true;
}

/* ------------------------------------------------------------------ strings */

static int
hex_value(const char *p, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        int c = p[i], low = c | 0x20;
        int digit = is_digit(c) ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* \x.. \u.... \U........ \ooo at p, after the backslash. The number of bytes read, 0 after an
 * error. */
static size_t
numeric_escape(lexer_t *lexer, const char *p, const char *end, bool bytes, star_text_t *out)
{
    char utf8[4];
    int value = 0;
    size_t used = 0;
    pos_t pos = lexer->token.pos;
    char kind = *p;

    if (kind >= '0' && kind <= '7') {
        while (used < 3 && p + used < end && p[used] >= '0' && p[used] <= '7')
            value = value * 8 + (p[used++] - '0');
        if (value > 255) {
            FAIL(lexer, pos, "invalid escape sequence \\%.*s", (int)used, p);
            return 0;
        }
        if (!bytes && value > 127) {
            FAIL(lexer, pos,
                 "non-ASCII octal escape \\%.*s (use \\u%04X for the UTF-8 encoding of U+%04X)",
                 (int)used, p, (unsigned)value, (unsigned)value);
            return 0;
        }
        star_text_put(out, (char[]){(char)value}, 1);
        return used;
    }
    int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
    if (end - p < digits + 1) {
        FAIL(lexer, pos, "truncated escape sequence \\%.*s", (int)(end - p), p);
        return 0;
    }
    value = hex_value(p + 1, digits);
    if (value < 0) {
        FAIL(lexer, pos, "invalid escape sequence \\%.*s", digits + 1, p);
        return 0;
    }
    if (kind == 'x') {
        if (!bytes && value > 127) {
            FAIL(lexer, pos,
                 "non-ASCII hex escape \\x%.2s (use \\u%04X for the UTF-8 encoding of U+%04X)",
                 p + 1, (unsigned)value, (unsigned)value);
            return 0;
        }
        star_text_put(out, (char[]){(char)value}, 1);
        return 3;
    }
    if (value > 0x10ffff) {
        FAIL(lexer, pos, "code point out of range: \\%.*s (max \\U0010ffff)", digits + 1, p);
        return 0;
    }
    if (value >= 0xd800 && value < 0xe000) {
        FAIL(lexer, pos, "invalid Unicode code point U+%04X", (unsigned)value);
        return 0;
    }
    star_text_put(out, utf8, sl_utf8_put((uint32_t)value, utf8));
    return (size_t)digits + 1;
}

static bool
unescape(lexer_t *lexer, const char *p, const char *end, bool raw, bool bytes, star_text_t *out)
{
    static const char simple[] = "a\ab\bf\fn\nr\rt\tv\v\\\\''\"\"";

    while (p < end) {
        if (*p == '\r') { /* line ends are \n, however they were written */
            star_text_put(out, "\n", 1);
            p += end - p > 1 && p[1] == '\n' ? 2 : 1;
        } else if (*p != '\\' || raw) {
            const char *stop = p + 1;
            while (stop < end && *stop != '\r' && (*stop != '\\' || raw))
                stop++;
            star_text_put(out, p, (size_t)(stop - p));
            p = stop;
        } else if (p[1] == '\n') {
            p += 2;
        } else if (p[1] == '\r') {
            p += end - p > 2 && p[2] == '\n' ? 3 : 2;
        } else {
            size_t i = 0;
            while (i < sizeof simple - 1 && simple[i] != p[1])
                i += 2;
            if (i < sizeof simple - 1) {
                star_text_put(out, &simple[i + 1], 1);
                p += 2;
                continue;
            }
            if (strchr("01234567xuU", p[1]) == NULL || p[1] == 0)
                return FAIL(lexer, lexer->token.pos, "invalid escape sequence \\%c", p[1]);
            size_t used = numeric_escape(lexer, p + 1, end, bytes, out);
            if (used == 0)
                return false;
            p += 1 + used;
        }
    }
    return true;
}

static bool
string_value(lexer_t *lexer, const char *start, const char *end, bool raw, bool bytes)
{
    star_t *s = lexer->star;
    token_t *token = &lexer->token;

    token->kind = bytes ? T_BYTES : T_STRING;
    if (!bytes && (raw || memchr(start, '\\', (size_t)(end - start)) == NULL) &&
        memchr(start, '\r', (size_t)(end - start)) == NULL) {
        sl_string_t *string =
            end - start <= 64 ? sl_string_intern(s, start, (size_t)(end - start)) : NULL;
        token->value = string != NULL ? sl_value(string)
                       : s->failed    ? STAR_ABSENT
                                      : sl_string_new(s, start, (size_t)(end - start));
        return star_ok(token->value);
    }
    star_text_t text;
    star_text_init(&text, s);
    if (!unescape(lexer, start, end, raw, bytes, &text)) {
        star_text_done(&text);
        return false;
    }
    if (!bytes) {
        token->value = star_text_take(&text);
        return star_ok(token->value);
    }
    token->value =
        text.failed ? STAR_ABSENT : star_bytes(s, text.data != NULL ? text.data : "", text.length);
    star_text_done(&text);
    return star_ok(token->value);
}

/* At the opening quote; prefixes were read. */
static bool
read_string(lexer_t *lexer, bool raw, bool bytes)
{
    int quote = peek(lexer);
    bool triple = peek_at(lexer, 1) == quote && peek_at(lexer, 2) == quote;
    size_t width = triple ? 3 : 1;

    for (size_t i = 0; i < width; i++)
        advance(lexer);
    const char *start = lexer->at;
    for (;;) {
        int c = peek(lexer);
        if (c < 0)
            return FAIL(lexer, lexer->token.pos, "unexpected EOF in string");
        if (c == quote && (!triple || (peek_at(lexer, 1) == quote && peek_at(lexer, 2) == quote)))
            break;
        if (c == '\n' && !triple)
            return FAIL(lexer, lexer->token.pos, "unexpected newline in string");
        if (c == '\\') {
            advance(lexer);
            if (peek(lexer) < 0)
                return FAIL(lexer, lexer->token.pos, "unexpected EOF in string");
            if (peek(lexer) == '\r' && peek_at(lexer, 1) == '\n')
                advance(lexer);
        }
        advance(lexer);
    }
    const char *end = lexer->at;
    for (size_t i = 0; i < width; i++)
        advance(lexer);
    return string_value(lexer, start, end, raw, bytes);
}

/* ------------------------------------------------------------------ lines and indentation */

/* At the start of a line: skips blank ones, compares the indentation of the next. */
static bool
read_indent(lexer_t *lexer)
{
    for (;;) {
        uint32_t column = 0;
        if (!sl_tick(lexer->star))
            return false;
        while (peek(lexer) == ' ' || peek(lexer) == '\t' ||
               (peek(lexer) == '\r' && peek_at(lexer, 1) == '\n')) {
            if (peek(lexer) == ' ')
                column++;
            else if (peek(lexer) == '\t')
                column = (column / 8 + 1) * 8;
            advance(lexer);
        }
        if (peek(lexer) == '#')
            while (peek(lexer) >= 0 && peek(lexer) != '\n')
                advance(lexer);
        if (peek(lexer) == '\n') {
            advance(lexer);
            continue;
        }
        if (peek(lexer) < 0)
            column = 0;
        lexer->line_start = false;
        uint32_t current = lexer->indents[lexer->n_indents - 1];
        if (column > current) {
            if (lexer->n_indents == SL_INDENT_MAX)
                return FAIL(lexer, lexer->pos, "more than %d levels of indentation", SL_INDENT_MAX);
            lexer->indents[lexer->n_indents++] = column;
            lexer->pending = 1;
        } else if (column < current) {
            while (column < lexer->indents[lexer->n_indents - 1]) {
                lexer->n_indents--;
                lexer->pending--;
            }
            if (column != lexer->indents[lexer->n_indents - 1])
                return FAIL(lexer, lexer->pos,
                            "unindent does not match any outer indentation level");
        }
        return true;
    }
}

/* Spaces, comments and line ends that do not matter; true if a token begins here. */
static bool
skip_space(lexer_t *lexer)
{
    for (;;) {
        int c = peek(lexer);
        if (c == ' ' || c == '\t' || c == '\r') {
            advance(lexer);
        } else if (c == '#') {
            while (peek(lexer) >= 0 && peek(lexer) != '\n')
                advance(lexer);
        } else if (c == '\n' && lexer->brackets > 0) {
            advance(lexer);
        } else if (c == '\\' && (peek_at(lexer, 1) == '\n' ||
                                 (peek_at(lexer, 1) == '\r' && peek_at(lexer, 2) == '\n'))) {
            advance(lexer);
            if (peek(lexer) == '\r')
                advance(lexer);
            advance(lexer);
        } else if (c == '\\') {
            return FAIL(lexer, lexer->pos, "stray backslash in program");
        } else {
            return true;
        }
    }
}

static bool
read_end(lexer_t *lexer)
{
    token_t *token = &lexer->token;

    if (lexer->brackets == 0 && lexer->n_indents > 1 && token->kind != T_NEWLINE &&
        token->kind != T_OUTDENT && !lexer->ended) {
        lexer->ended = true; /* a last line without a line end ends before the block does */
        token->kind = T_NEWLINE;
        return true;
    }
    lexer->ended = true;
    if (lexer->n_indents > 1) {
        lexer->n_indents--;
        token->kind = T_OUTDENT;
        return true;
    }
    token->kind = T_EOF;
    return true;
}

static bool
read_operator(lexer_t *lexer)
{
    token_t *token = &lexer->token;

    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].text[0] != *lexer->at)
            continue;
        size_t length = strlen(operators[i].text);
        if ((size_t)(lexer->end - lexer->at) < length ||
            memcmp(lexer->at, operators[i].text, length) != 0)
            continue;
        token->kind = operators[i].kind;
        lexer->at += length;
        lexer->pos.column += (uint32_t)length;
        if (token->kind == T_LPAREN || token->kind == T_LBRACK || token->kind == T_LBRACE)
            lexer->brackets++;
        if (token->kind == T_RPAREN || token->kind == T_RBRACK || token->kind == T_RBRACE) {
            if (lexer->brackets == 0)
                return FAIL(lexer, token->pos, "unexpected %s", sl_token_quoted(token->kind));
            lexer->brackets--;
        }
        return true;
    }
    if (*lexer->at == '!')
        return FAIL(lexer, token->pos, "unexpected '!'");
    if (*lexer->at > ' ')
        return FAIL(lexer, token->pos, "unexpected input character '%c'", *lexer->at);
    return FAIL(lexer, token->pos, "unexpected input character '\\x%02x'",
                (unsigned char)*lexer->at);
}

bool
sl_lexer_next(lexer_t *lexer)
{
    token_t *token = &lexer->token;

    if (lexer->line_start && !read_indent(lexer))
        return false;
    token->pos = lexer->pos;
    if (lexer->pending != 0) {
        token->kind = lexer->pending > 0 ? T_INDENT : T_OUTDENT;
        lexer->pending += lexer->pending > 0 ? -1 : 1;
        return true;
    }
    if (!skip_space(lexer))
        return false;
    token->pos = lexer->pos;
    token->start = lexer->at;
    int c = peek(lexer);
    if (c < 0)
        return read_end(lexer);
    if (c == '\n') {
        advance(lexer);
        lexer->line_start = true;
        token->kind = T_NEWLINE;
        return true;
    }
    if (is_digit(c) || (c == '.' && is_digit(peek_at(lexer, 1))))
        return read_number(lexer);
    if (c == '"' || c == '\'')
        return read_string(lexer, false, false);
    if (c == 'r' || c == 'b') {
        size_t prefix = peek_at(lexer, 1) == (c == 'r' ? 'b' : 'r') ? 2 : 1;
        int quote = peek_at(lexer, prefix);
        if (quote == '"' || quote == '\'') {
            bool raw = c == 'r' || prefix == 2, bytes = c == 'b' || prefix == 2;
            for (size_t i = 0; i < prefix; i++)
                advance(lexer);
            return read_string(lexer, raw, bytes);
        }
    }
    return is_name_start(c) ? read_name(lexer) : read_operator(lexer);
}
