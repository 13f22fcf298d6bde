/*  parse: what the two files of the parser share. */
#ifndef STARLARK_PARSE_H
#define STARLARK_PARSE_H

#include "starlark/syntax.h"

typedef struct {
    star_t *star;
    arena_t *arena;
    sl_string_t *file;
    int depth; /* of nesting */
    lexer_t lexer;
} parser_t;

/* All return NULL or false after an error. */
bool sl_parser_next(parser_t *p);
bool sl_parser_consume(parser_t *p, token_kind_t kind);
node_t *sl_parser_error(parser_t *p, const char *want); /* "got X, want Y" */
node_t *sl_parser_node(parser_t *p, node_kind_t kind, pos_t pos);
node_t *sl_parser_ident(parser_t *p);
/* One level deeper; the caller counts p->depth down again. */
bool sl_parser_enter(parser_t *p);
bool sl_parse_params(parser_t *p, function_t *function, token_kind_t end);
bool sl_parse_simple(parser_t *p, list_t *out, bool consume_newline);

/* An expression, or several with commas: a tuple. In parentheses a trailing comma is allowed. */
node_t *sl_parse_expr(parser_t *p, bool in_parens);
/* One expression: conditional, lambda, or operators. */
node_t *sl_parse_test(parser_t *p);
/* x, or x, y, ... of `for x, y in`. */
node_t *sl_parse_loop_vars(parser_t *p);

#endif
