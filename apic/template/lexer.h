/*  lexer: the text of a template as tokens, one at a time. */
#ifndef KURTOSIS_APIC_TEMPLATE_LEXER_H
#define KURTOSIS_APIC_TEMPLATE_LEXER_H

#include "apic/template/value.h"

/* Keywords come after TPL_KEYWORD. X(name, its word) */
#define TPL_KEYWORDS(X)                                                                            \
    X(BLOCK, "block")                                                                              \
    X(BREAK, "break")                                                                              \
    X(CONTINUE, "continue")                                                                        \
    X(DEFINE, "define")                                                                            \
    X(ELSE, "else")                                                                                \
    X(END, "end")                                                                                  \
    X(IF, "if")                                                                                    \
    X(NIL, "nil")                                                                                  \
    X(RANGE, "range")                                                                              \
    X(TEMPLATE, "template")                                                                        \
    X(WITH, "with")

typedef enum {
    TPL_TOKEN_ERROR, /* text says what is wrong; the last token */
    TPL_TOKEN_EOF,
    TPL_TOKEN_TEXT, /* between actions, trimmed */
    TPL_TOKEN_LEFT, /* {{ */
    TPL_TOKEN_RIGHT,
    TPL_TOKEN_SPACE,
    TPL_TOKEN_BOOL,
    TPL_TOKEN_CHAR, /* 'x' */
    TPL_TOKEN_NUMBER,
    TPL_TOKEN_COMPLEX, /* 1+2i */
    TPL_TOKEN_STRING,  /* "x" */
    TPL_TOKEN_RAW_STRING,
    TPL_TOKEN_IDENTIFIER,
    TPL_TOKEN_FIELD,    /* .x */
    TPL_TOKEN_VARIABLE, /* $x or $ */
    TPL_TOKEN_ASSIGN,
    TPL_TOKEN_DECLARE, /* := */
    TPL_TOKEN_PIPE,
    TPL_TOKEN_LEFT_PAREN,
    TPL_TOKEN_RIGHT_PAREN,
    TPL_TOKEN_OTHER, /* another printable character */
    TPL_KEYWORD,     /* errors show those behind it without quotes */
    TPL_TOKEN_DOT,
#define TPL_TOKEN_NAME(name, word) TPL_TOKEN_##name,
    TPL_KEYWORDS(TPL_TOKEN_NAME)
#undef TPL_TOKEN_NAME
} tpl_token_kind_t;

typedef struct {
    tpl_token_kind_t kind;
    uint32_t pos;  /* byte in the template */
    uint32_t line; /* 1.. */
    tpl_text_t text;
} tpl_token_t;

typedef struct {
    tpl_text_t input;
    size_t start, next; /* of the token being read */
    uint32_t line, start_line;
    bool in_action;
    unsigned parens;   /* open in this action */
    char message[128]; /* of an error token */
} tpl_lexer_t;

void tpl_lexer_init(tpl_lexer_t *self, tpl_text_t input);
/* Bytes of a token live as long as the template, those of an error as long as the lexer. */
tpl_token_t tpl_lexer_next(tpl_lexer_t *self);

#endif
