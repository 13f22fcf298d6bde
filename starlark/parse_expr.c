/*  parse_expr: the expressions of the parser. */
#include "starlark/parse.h"

enum { PREC_NOT = 2, PREC_COMPARE = 3, PREC_MAX = 10 };

/* How tightly a binary operator binds; -1: not one. */
static int
precedence(token_kind_t kind)
{
    switch (kind) {
    case T_OR:
        return 0;
    case T_AND:
        return 1;
    case T_NOT:
    case T_IN:
    case T_NOT_IN:
    case T_LT:
    case T_GT:
    case T_LE:
    case T_GE:
    case T_EQL:
    case T_NEQ:
        return PREC_COMPARE;
    case T_PIPE:
        return 4;
    case T_CIRCUMFLEX:
        return 5;
    case T_AMP:
        return 6;
    case T_LTLT:
    case T_GTGT:
        return 7;
    case T_PLUS:
    case T_MINUS:
        return 8;
    case T_STAR:
    case T_SLASH:
    case T_SLASHSLASH:
    case T_PERCENT:
        return 9;
    default:
        return -1;
    }
}

static node_t *parse_suffixes(parser_t *p);

static node_t *
unary(parser_t *p, pos_t pos, token_kind_t op, node_t *x)
{
    node_t *node = x != NULL ? sl_parser_node(p, N_UNARY, pos) : NULL;
    if (node != NULL) {
        node->op = (uint8_t)op;
        node->x = x;
    }
    return node;
}

static node_t *
pair(parser_t *p, node_kind_t kind, pos_t pos, node_t *x, node_t *y)
{
    node_t *node = x != NULL && y != NULL ? sl_parser_node(p, kind, pos) : NULL;
    if (node != NULL) {
        node->two.x = x;
        node->two.y = y;
    }
    return node;
}

static node_t *
parse_binary(parser_t *p, int least)
{
    token_t *token = &p->lexer.token;
    token_kind_t last = T_EOF;
    node_t *x;

    if (!sl_parser_enter(p))
        return NULL;
    if (token->kind == T_NOT && least <= PREC_NOT) {
        pos_t pos = token->pos;
        x = sl_parser_next(p) ? unary(p, pos, T_NOT, parse_binary(p, PREC_NOT)) : NULL;
    } else {
        x = parse_suffixes(p);
    }
    for (int chain = 0; x != NULL && precedence(token->kind) >= least; chain++) {
        int prec = precedence(token->kind);
        if (chain > SL_CHAIN_MAX) {
            sl_syntax_error(p->star, p->file, token->pos, "more than %d operators in a row",
                            SL_CHAIN_MAX);
            return NULL;
        }
        token_kind_t op = token->kind;
        if (op == T_NOT) {
            if (!sl_parser_next(p))
                return NULL;
            if (token->kind != T_IN)
                return sl_parser_error(p, "in");
            op = T_NOT_IN;
        }
        if (prec == PREC_COMPARE && precedence(last) == PREC_COMPARE) {
            sl_syntax_error(p->star, p->file, token->pos,
                            "%s does not associate with %s (use parens)", sl_token_text(last),
                            sl_token_text(op));
            return NULL;
        }
        pos_t pos = token->pos;
        if (!sl_parser_next(p) ||
            (x = pair(p, N_BINARY, pos, x, parse_binary(p, prec + 1))) == NULL)
            return NULL;
        x->op = (uint8_t)op;
        last = op;
    }
    p->depth--;
    return x;
}

static node_t *
parse_lambda(parser_t *p, bool conditional)
{
    node_t *node = sl_parser_node(p, N_LAMBDA, p->lexer.token.pos);
    function_t *function = sl_arena_alloc(p->arena, sizeof *function);
    node_t *result, *body;

    if (node == NULL || function == NULL || !sl_parser_enter(p) || !sl_parser_next(p) ||
        !sl_parse_params(p, function, T_COLON) || !sl_parser_consume(p, T_COLON))
        return NULL;
    function->pos = node->pos;
    function->name = sl_string_intern(p->star, "lambda", 6);
    node->def.function = function;
    pos_t pos = p->lexer.token.pos;
    body = conditional                       ? sl_parse_test(p)
           : p->lexer.token.kind == T_LAMBDA ? parse_lambda(p, false)
                                             : parse_binary(p, 0);
    if (function->name == NULL || body == NULL ||
        (result = sl_parser_node(p, N_RETURN, pos)) == NULL)
        return NULL;
    result->x = body;
    p->depth--;
    return sl_list_add(p->arena, &function->body, result) ? node : NULL;
}

node_t *
sl_parse_test(parser_t *p)
{
    token_t *token = &p->lexer.token;

    if (token->kind == T_LAMBDA)
        return parse_lambda(p, true);
    node_t *x = parse_binary(p, 0);
    if (x == NULL || token->kind != T_IF)
        return x;
    node_t *node = sl_parser_node(p, N_COND, token->pos);
    if (node == NULL || !sl_parser_enter(p) || !sl_parser_next(p) ||
        (node->cond.condition = parse_binary(p, 0)) == NULL)
        return NULL;
    if (token->kind != T_ELSE) {
        sl_syntax_error(p->star, p->file, node->pos, "conditional expression without else clause");
        return NULL;
    }
    node->cond.yes = x;
    if (!sl_parser_next(p) || (node->cond.no = sl_parse_test(p)) == NULL)
        return NULL;
    p->depth--;
    return node;
}

static bool
ends_list(token_kind_t kind)
{
    return kind == T_EOF || kind == T_NEWLINE || kind == T_EQ || kind == T_RBRACE ||
           kind == T_RBRACK || kind == T_RPAREN || kind == T_SEMI;
}

/* At the comma after the first of several. */
static bool
parse_more(parser_t *p, list_t *items, bool trailing_comma)
{
    token_t *token = &p->lexer.token;

    while (token->kind == T_COMMA) {
        pos_t comma = token->pos;
        if (!sl_parser_next(p))
            return false;
        if (ends_list(token->kind)) {
            if (!trailing_comma)
                return sl_syntax_error(p->star, p->file, comma,
                                       "unparenthesized tuple with trailing comma");
            break;
        }
        if (!sl_list_add(p->arena, items, sl_parse_test(p)))
            return false;
    }
    return true;
}

node_t *
sl_parse_expr(parser_t *p, bool in_parens)
{
    node_t *x = sl_parse_test(p);

    if (x == NULL || p->lexer.token.kind != T_COMMA)
        return x;
    node_t *tuple = sl_parser_node(p, N_TUPLE, sl_node_start(x));
    if (tuple == NULL || !sl_list_add(p->arena, &tuple->seq.items, x) ||
        !parse_more(p, &tuple->seq.items, in_parens))
        return NULL;
    tuple->trailing = true;
    return tuple;
}

node_t *
sl_parse_loop_vars(parser_t *p)
{
    node_t *x = parse_suffixes(p);

    if (x == NULL || p->lexer.token.kind != T_COMMA)
        return x;
    node_t *tuple = sl_parser_node(p, N_TUPLE, sl_node_start(x));
    if (tuple == NULL || !sl_list_add(p->arena, &tuple->seq.items, x))
        return NULL;
    tuple->trailing = true;
    while (p->lexer.token.kind == T_COMMA) {
        if (!sl_parser_next(p))
            return NULL;
        if (p->lexer.token.kind == T_IN)
            break;
        if (!sl_list_add(p->arena, &tuple->seq.items, parse_suffixes(p)))
            return NULL;
    }
    return tuple;
}

/* ------------------------------------------------------------------ brackets */

/* At `for` after the body; consumes the closing bracket. */
static node_t *
parse_comprehension(parser_t *p, pos_t start, node_t *body, token_kind_t end)
{
    token_t *token = &p->lexer.token;
    node_t *node = body != NULL ? sl_parser_node(p, N_COMPREHENSION, start) : NULL;

    if (node == NULL)
        return NULL;
    node->comp.body = body;
    node->comp.start = start;
    node->comp.is_dict = end == T_RBRACE;
    while (token->kind != end) {
        pos_t pos = token->pos;
        node_t *clause;
        if (token->kind == T_FOR) {
            node_t *vars, *x;
            if (!sl_parser_next(p) || (vars = sl_parse_loop_vars(p)) == NULL ||
                !sl_parser_consume(p, T_IN) || (x = parse_binary(p, 0)) == NULL)
                return NULL;
            clause = pair(p, N_FOR_CLAUSE, pos, vars, x);
        } else if (token->kind == T_IF) {
            clause = sl_parser_node(p, N_IF_CLAUSE, pos);
            if (clause == NULL || !sl_parser_next(p))
                return NULL;
            clause->x = token->kind == T_LAMBDA ? parse_lambda(p, false) : parse_binary(p, 0);
            if (clause->x == NULL)
                return NULL;
        } else {
            return sl_parser_error(p, end == T_RBRACE ? "'}', for, or if" : "']', for, or if");
        }
        if (node->comp.clauses.count == SL_NESTING_MAX / 4) {
            sl_syntax_error(p->star, p->file, pos, "more than %d clauses in a comprehension",
                            SL_NESTING_MAX / 4);
            return NULL;
        }
        if (!sl_list_add(p->arena, &node->comp.clauses, clause))
            return NULL;
    }
    return sl_parser_next(p) ? node : NULL;
}

static node_t *
parse_list(parser_t *p)
{
    pos_t start = p->lexer.token.pos;
    node_t *node = sl_parser_node(p, N_LIST, start);

    if (node == NULL || !sl_parser_next(p))
        return NULL;
    node->seq.start = start;
    if (p->lexer.token.kind != T_RBRACK) {
        node_t *x = sl_parse_test(p);
        if (x == NULL)
            return NULL;
        if (p->lexer.token.kind == T_FOR)
            return parse_comprehension(p, start, x, T_RBRACK);
        if (!sl_list_add(p->arena, &node->seq.items, x) || !parse_more(p, &node->seq.items, true))
            return NULL;
    }
    return sl_parser_consume(p, T_RBRACK) ? node : NULL;
}

static node_t *
parse_entry(parser_t *p)
{
    node_t *key = sl_parse_test(p);
    pos_t colon = p->lexer.token.pos;

    if (key == NULL || !sl_parser_consume(p, T_COLON))
        return NULL;
    return pair(p, N_ENTRY, colon, key, sl_parse_test(p));
}

static node_t *
parse_dict(parser_t *p)
{
    pos_t start = p->lexer.token.pos;
    node_t *node = sl_parser_node(p, N_DICT, start);

    if (node == NULL || !sl_parser_next(p))
        return NULL;
    node->seq.start = start;
    while (p->lexer.token.kind != T_RBRACE) {
        node_t *entry = parse_entry(p);
        if (entry == NULL)
            return NULL;
        if (node->seq.items.count == 0 && p->lexer.token.kind == T_FOR)
            return parse_comprehension(p, start, entry, T_RBRACE);
        if (!sl_list_add(p->arena, &node->seq.items, entry))
            return NULL;
        if (p->lexer.token.kind != T_COMMA)
            break;
        if (!sl_parser_next(p))
            return NULL;
    }
    return sl_parser_consume(p, T_RBRACE) ? node : NULL;
}

static node_t *
parse_paren(parser_t *p)
{
    pos_t start = p->lexer.token.pos;

    if (!sl_parser_next(p))
        return NULL;
    if (p->lexer.token.kind == T_RPAREN) {
        node_t *tuple = sl_parser_node(p, N_TUPLE, start);
        if (tuple == NULL)
            return NULL;
        tuple->seq.start = start;
        return sl_parser_next(p) ? tuple : NULL;
    }
    node_t *node = sl_parser_node(p, N_PAREN, start);
    if (node == NULL || (node->x = sl_parse_expr(p, true)) == NULL ||
        !sl_parser_consume(p, T_RPAREN))
        return NULL;
    return node;
}

static node_t *
parse_primary(parser_t *p)
{
    token_t *token = &p->lexer.token;
    pos_t pos = token->pos;
    token_kind_t kind = token->kind;
    node_t *node;

    switch (kind) {
    case T_IDENT:
        return sl_parser_ident(p);
    case T_INT:
    case T_FLOAT:
    case T_STRING:
    case T_BYTES:
        node = sl_parser_node(p, N_LITERAL, pos);
        if (node == NULL)
            return NULL;
        node->literal = token->value;
        node->op = (uint8_t)kind;
        return sl_parser_next(p) ? node : NULL;
    case T_LBRACK:
    case T_LBRACE:
    case T_LPAREN:
        if (!sl_parser_enter(p))
            return NULL;
        node = kind == T_LBRACK ? parse_list(p) : kind == T_LBRACE ? parse_dict(p) : parse_paren(p);
        p->depth--;
        return node;
    case T_PLUS:
    case T_MINUS:
    case T_TILDE:
        if (!sl_parser_enter(p))
            return NULL;
        node = sl_parser_next(p) ? unary(p, pos, kind, parse_suffixes(p)) : NULL;
        p->depth--;
        return node;
    default:
        return sl_parser_error(p, "primary expression");
    }
}

/* ------------------------------------------------------------------ suffixes */

static node_t *
parse_arg(parser_t *p)
{
    token_t *token = &p->lexer.token;
    pos_t pos = token->pos;

    if (token->kind == T_STAR || token->kind == T_STARSTAR) {
        node_t *node = sl_parser_node(p, token->kind == T_STAR ? N_STAR_ARG : N_STARSTAR_ARG, pos);
        if (node == NULL || !sl_parser_next(p) || (node->x = sl_parse_test(p)) == NULL)
            return NULL;
        return node;
    }
    node_t *x = sl_parse_test(p);
    if (x == NULL || token->kind != T_EQ)
        return x;
    if (x->kind != N_IDENT) {
        sl_syntax_error(p->star, p->file, token->pos, "keyword argument must have form name=expr");
        return NULL;
    }
    return sl_parser_next(p) ? pair(p, N_NAMED_ARG, pos, x, sl_parse_test(p)) : NULL;
}

static node_t *
parse_call(parser_t *p, node_t *function)
{
    node_t *node = sl_parser_node(p, N_CALL, p->lexer.token.pos);

    if (node == NULL || !sl_parser_next(p))
        return NULL;
    node->call.function = function;
    while (p->lexer.token.kind != T_RPAREN && p->lexer.token.kind != T_EOF) {
        if (node->call.args.count > 0 && !sl_parser_consume(p, T_COMMA))
            return NULL;
        if (p->lexer.token.kind == T_RPAREN)
            break;
        if (!sl_list_add(p->arena, &node->call.args, parse_arg(p)))
            return NULL;
    }
    return sl_parser_consume(p, T_RPAREN) ? node : NULL;
}

static node_t *
parse_index(parser_t *p, node_t *x)
{
    token_t *token = &p->lexer.token;
    pos_t pos = token->pos;
    node_t *low = NULL, *high = NULL, *step = NULL;

    if (!sl_parser_next(p))
        return NULL;
    if (token->kind != T_COLON) {
        if ((low = sl_parse_expr(p, false)) == NULL)
            return NULL;
        if (token->kind == T_RBRACK)
            return sl_parser_next(p) ? pair(p, N_INDEX, pos, x, low) : NULL;
    }
    if (token->kind == T_COLON) {
        if (!sl_parser_next(p))
            return NULL;
        if (token->kind != T_COLON && token->kind != T_RBRACK && (high = sl_parse_test(p)) == NULL)
            return NULL;
    }
    if (token->kind == T_COLON) {
        if (!sl_parser_next(p))
            return NULL;
        if (token->kind != T_RBRACK && (step = sl_parse_test(p)) == NULL)
            return NULL;
    }
    node_t *node = sl_parser_consume(p, T_RBRACK) ? sl_parser_node(p, N_SLICE, pos) : NULL;
    if (node == NULL)
        return NULL;
    node->slice.x = x;
    node->slice.low = low;
    node->slice.high = high;
    node->slice.step = step;
    return node;
}

static node_t *
parse_suffixes(parser_t *p)
{
    token_t *token = &p->lexer.token;
    node_t *x = parse_primary(p);

    for (int chain = 0; x != NULL; chain++) {
        if (chain > SL_CHAIN_MAX) {
            sl_syntax_error(p->star, p->file, token->pos, "more than %d operators in a row",
                            SL_CHAIN_MAX);
            return NULL;
        }
        if (token->kind == T_LPAREN || token->kind == T_LBRACK) {
            if (!sl_parser_enter(p))
                return NULL;
            x = token->kind == T_LPAREN ? parse_call(p, x) : parse_index(p, x);
            p->depth--;
        } else if (token->kind == T_DOT) {
            node_t *node = sl_parser_node(p, N_DOT, token->pos);
            if (node == NULL || !sl_parser_next(p))
                return NULL;
            node->dot.x = x;
            node->dot.name_pos = token->pos;
            node_t *name = sl_parser_ident(p);
            if (name == NULL)
                return NULL;
            node->dot.name = name->ident.name;
            x = node;
        } else {
            break;
        }
    }
    return x;
}
