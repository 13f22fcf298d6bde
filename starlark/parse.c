/*  parse: tokens to a tree, by recursive descent. Grammar:
 * https://github.com/bazelbuild/starlark/blob/master/spec.md; messages are those of the Go
 * implementation. */
#include "starlark/parse.h"

#include <stdio.h>

/* ------------------------------------------------------------------ arena */

struct arena_block {
    arena_block_t *next;
    size_t size;
    _Alignas(16) char bytes[];
};

void *
sl_arena_alloc(arena_t *arena, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if ((size_t)(arena->end - arena->at) < size) {
        size_t whole = size > 16000 ? size + sizeof(arena_block_t) : 32000;
        arena_block_t *block = sl_realloc(arena->star, NULL, 0, whole);
        if (block == NULL)
            return NULL;
        *block = (arena_block_t){arena->blocks, whole};
        arena->blocks = block;
        arena->at = block->bytes;
        arena->end = (char *)block + whole;
    }
    void *memory = arena->at;
    arena->at += size;
    memset(memory, 0, size);
    return memory;
}

void
sl_arena_done(arena_t *arena)
{
    for (arena_block_t *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        sl_free(arena->star, block, block->size);
    }
    arena->blocks = NULL;
    arena->at = arena->end = NULL;
}

bool
sl_list_add(arena_t *arena, list_t *list, node_t *node)
{
    if (node == NULL)
        return false;
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
        node_t **items = sl_arena_alloc(arena, capacity * sizeof *items);
        if (items == NULL)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
    return true;
}

/* ------------------------------------------------------------------ tools of the parser */

bool
sl_parser_next(parser_t *p)
{
    return sl_lexer_next(&p->lexer);
}

node_t *
sl_parser_error(parser_t *p, const char *want)
{
    sl_syntax_error(p->star, p->file, p->lexer.token.pos, "got %s, want %s",
                    sl_token_quoted(p->lexer.token.kind), want);
    return NULL;
}

bool
sl_parser_consume(parser_t *p, token_kind_t kind)
{
    if (p->lexer.token.kind != kind)
        return sl_parser_error(p, sl_token_quoted(kind)) != NULL;
    return sl_parser_next(p);
}

node_t *
sl_parser_node(parser_t *p, node_kind_t kind, pos_t pos)
{
    node_t *node = sl_arena_alloc(p->arena, sizeof *node);
    if (node != NULL) {
        node->kind = (uint8_t)kind;
        node->pos = pos;
    }
    return node;
}

node_t *
sl_parser_ident(parser_t *p)
{
    token_t *token = &p->lexer.token;

    if (token->kind != T_IDENT) {
        sl_syntax_error(p->star, p->file, token->pos, "not an identifier");
        return NULL;
    }
    node_t *node = sl_parser_node(p, N_IDENT, token->pos);
    if (node == NULL)
        return NULL;
    node->ident.name = SL_STRING_OF(token->value);
    return sl_parser_next(p) ? node : NULL;
}

bool
sl_parser_enter(parser_t *p)
{
    if (++p->depth <= SL_NESTING_MAX)
        return true;
    return sl_syntax_error(p->star, p->file, p->lexer.token.pos,
                           "nested too deeply: the limit is %d", SL_NESTING_MAX);
}

pos_t
sl_node_start(const node_t *node)
{
    for (;;)
        switch (node->kind) {
        case N_BINARY:
        case N_INDEX:
        case N_ENTRY:
        case N_NAMED_ARG:
            node = node->two.x;
            break;
        case N_COND:
            node = node->cond.yes;
            break;
        case N_DOT:
            node = node->dot.x;
            break;
        case N_CALL:
            node = node->call.function;
            break;
        case N_SLICE:
            node = node->slice.x;
            break;
        case N_TUPLE:
            if (!node->trailing || node->seq.items.count == 0)
                return node->seq.start;
            node = node->seq.items.items[0];
            break;
        case N_LIST:
        case N_DICT:
            return node->seq.start;
        case N_COMPREHENSION:
            return node->comp.start;
        default:
            return node->pos;
        }
}

/* ------------------------------------------------------------------ parameters */

static bool
parse_param(parser_t *p, param_t *param)
{
    token_t *token = &p->lexer.token;

    param->pos = token->pos;
    if (token->kind == T_STAR || token->kind == T_STARSTAR) {
        param->kind = token->kind == T_STAR ? PARAM_STAR : PARAM_STARSTAR;
        if (!sl_parser_next(p))
            return false;
        if (param->kind == PARAM_STARSTAR || token->kind == T_IDENT)
            return (param->name = sl_parser_ident(p)) != NULL;
        return true;
    }
    param->name = sl_parser_ident(p);
    if (param->name == NULL)
        return false;
    if (token->kind != T_EQ)
        return true;
    param->kind = PARAM_DEFAULT;
    param->pos = token->pos;
    return sl_parser_next(p) && (param->value = sl_parse_test(p)) != NULL;
}

/* Up to `end`, which is not consumed. */
bool
sl_parse_params(parser_t *p, function_t *function, token_kind_t end)
{
    uint32_t capacity = 0;

    while (p->lexer.token.kind != end && p->lexer.token.kind != T_EOF) {
        if (function->n_params > 0 && !sl_parser_consume(p, T_COMMA))
            return false;
        if (p->lexer.token.kind == end)
            break; /* a trailing comma */
        if (function->n_params == capacity) {
            capacity = capacity ? capacity * 2 : 4;
            param_t *params = sl_arena_alloc(p->arena, capacity * sizeof *params);
            if (params == NULL)
                return false;
            if (function->n_params > 0)
                memcpy(params, function->params, function->n_params * sizeof *params);
            function->params = params;
        }
        if (!parse_param(p, &function->params[function->n_params]))
            return false;
        function->n_params++;
    }
    return true;
}

/* ------------------------------------------------------------------ statements */

static bool parse_statement(parser_t *p, list_t *out);

static bool
parse_suite(parser_t *p, list_t *body)
{
    if (p->lexer.token.kind != T_NEWLINE)
        return sl_parse_simple(p, body, true);
    if (!sl_parser_next(p) || !sl_parser_consume(p, T_INDENT))
        return false;
    while (p->lexer.token.kind != T_OUTDENT && p->lexer.token.kind != T_EOF)
        if (!parse_statement(p, body))
            return false;
    return sl_parser_consume(p, T_OUTDENT);
}

static node_t *
parse_def(parser_t *p)
{
    node_t *node = sl_parser_node(p, N_DEF, p->lexer.token.pos);
    function_t *function = sl_arena_alloc(p->arena, sizeof *function);

    if (node == NULL || function == NULL || !sl_parser_next(p) ||
        (node->def.name = sl_parser_ident(p)) == NULL)
        return NULL;
    node->def.function = function;
    function->name = node->def.name->ident.name;
    function->pos = node->pos;
    if (!sl_parser_consume(p, T_LPAREN) || !sl_parse_params(p, function, T_RPAREN) ||
        !sl_parser_consume(p, T_RPAREN) || !sl_parser_consume(p, T_COLON) ||
        !parse_suite(p, &function->body))
        return NULL;
    return node;
}

/* At `if` or `elif`. */
static node_t *
parse_if(parser_t *p)
{
    node_t *node = sl_parser_node(p, N_IF, p->lexer.token.pos);

    if (node == NULL || !sl_parser_next(p) || (node->branch.condition = sl_parse_test(p)) == NULL ||
        !sl_parser_consume(p, T_COLON) || !parse_suite(p, &node->branch.yes))
        return NULL;
    if (p->lexer.token.kind == T_ELIF) {
        if (!sl_parser_enter(p))
            return NULL;
        if (!sl_list_add(p->arena, &node->branch.no, parse_if(p)))
            return NULL;
        p->depth--;
    } else if (p->lexer.token.kind == T_ELSE) {
        if (!sl_parser_next(p) || !sl_parser_consume(p, T_COLON) ||
            !parse_suite(p, &node->branch.no))
            return NULL;
    }
    return node;
}

static node_t *
parse_for(parser_t *p)
{
    node_t *node = sl_parser_node(p, N_FOR, p->lexer.token.pos);

    if (node == NULL || !sl_parser_next(p) || (node->loop.vars = sl_parse_loop_vars(p)) == NULL ||
        !sl_parser_consume(p, T_IN) || (node->loop.x = sl_parse_expr(p, false)) == NULL ||
        !sl_parser_consume(p, T_COLON) || !parse_suite(p, &node->loop.body))
        return NULL;
    return node;
}

static node_t *
parse_while(parser_t *p)
{
    node_t *node = sl_parser_node(p, N_WHILE, p->lexer.token.pos);

    if (node == NULL || !sl_parser_next(p) || (node->branch.condition = sl_parse_test(p)) == NULL ||
        !sl_parser_consume(p, T_COLON) || !parse_suite(p, &node->branch.yes))
        return NULL;
    return node;
}

static bool
parse_statement(parser_t *p, list_t *out)
{
    node_t *node;

    switch (p->lexer.token.kind) {
    case T_DEF:
    case T_IF:
    case T_FOR:
    case T_WHILE:
        if (!sl_parser_enter(p))
            return false;
        node = p->lexer.token.kind == T_DEF   ? parse_def(p)
               : p->lexer.token.kind == T_IF  ? parse_if(p)
               : p->lexer.token.kind == T_FOR ? parse_for(p)
                                              : parse_while(p);
        p->depth--;
        return sl_list_add(p->arena, out, node);
    default:
        return sl_parse_simple(p, out, true);
    }
}

static bool
load_names(parser_t *p, node_t *node, list_t *from, list_t *to)
{
    token_t *token = &p->lexer.token;

    while (token->kind != T_RPAREN && token->kind != T_EOF) {
        if (!sl_parser_consume(p, T_COMMA))
            return false;
        if (token->kind == T_RPAREN)
            break;
        pos_t pos = token->pos;
        node_t *name = NULL;
        if (token->kind == T_IDENT) {
            name = sl_parser_ident(p);
            if (name == NULL)
                return false;
            const char *text = name->ident.name->bytes;
            if (token->kind != T_EQ)
                return sl_syntax_error(
                    p->star, p->file, token->pos,
                    "load operand must be \"%s\" or %s=\"originalname\" (want '=' after %s)", text,
                    text, text);
            if (!sl_parser_next(p))
                return false;
            if (token->kind != T_STRING)
                return sl_syntax_error(
                    p->star, p->file, token->pos,
                    "original name of loaded symbol must be quoted: %s=\"originalname\"", text);
        } else if (token->kind != T_STRING) {
            return sl_syntax_error(p->star, p->file, token->pos,
                                   "load operand must be \"name\" or localname=\"name\" (got %s)",
                                   sl_token_quoted(token->kind));
        }
        node_t *original =
            sl_parser_node(p, N_IDENT, (pos_t){token->pos.line, token->pos.column + 1});
        sl_string_t *text = SL_STRING_OF(token->value);
        if (original == NULL ||
            (text = sl_string_intern(p->star, text->bytes, text->length)) == NULL)
            return false;
        original->ident.name = text;
        (void)pos;
        if (!sl_parser_next(p) || !sl_list_add(p->arena, from, original) ||
            !sl_list_add(p->arena, to, name != NULL ? name : original))
            return false;
    }
    node->load.from = from->items;
    node->load.to = to->items;
    node->load.count = from->count;
    return true;
}

static node_t *
parse_load(parser_t *p)
{
    token_t *token = &p->lexer.token;
    node_t *node = sl_parser_node(p, N_LOAD, token->pos);
    list_t from = {0}, to = {0};

    if (node == NULL || !sl_parser_next(p))
        return NULL;
    pos_t paren = token->pos;
    if (!sl_parser_consume(p, T_LPAREN))
        return NULL;
    if (token->kind != T_STRING) {
        sl_syntax_error(p->star, p->file, token->pos,
                        "first operand of load statement must be a string literal");
        return NULL;
    }
    node->load.path = token->value;
    if (!sl_parser_next(p) || !load_names(p, node, &from, &to) || !sl_parser_consume(p, T_RPAREN))
        return NULL;
    if (node->load.count == 0) {
        sl_syntax_error(p->star, p->file, paren, "load statement must import at least 1 symbol");
        return NULL;
    }
    return node;
}

static node_t *
parse_small(parser_t *p)
{
    token_t *token = &p->lexer.token;
    pos_t pos = token->pos;
    node_t *node, *x;

    switch (token->kind) {
    case T_RETURN:
        if ((node = sl_parser_node(p, N_RETURN, pos)) == NULL || !sl_parser_next(p))
            return NULL;
        if (token->kind != T_EOF && token->kind != T_NEWLINE && token->kind != T_SEMI)
            if ((node->x = sl_parse_expr(p, false)) == NULL)
                return NULL;
        return node;
    case T_BREAK:
    case T_CONTINUE:
    case T_PASS:
        node = sl_parser_node(p, token->kind == T_PASS ? N_PASS : N_BRANCH, pos);
        if (node == NULL)
            return NULL;
        node->op = (uint8_t)token->kind;
        return sl_parser_next(p) ? node : NULL;
    case T_LOAD:
        return parse_load(p);
    default:
        break;
    }
    if ((x = sl_parse_expr(p, false)) == NULL)
        return NULL;
    pos = token->pos;
    if (token->kind != T_EQ && !(token->kind >= T_PLUS_EQ && token->kind <= T_GTGT_EQ)) {
        node = sl_parser_node(p, N_EXPR, sl_node_start(x));
        if (node != NULL)
            node->x = x;
        return node;
    }
    if ((node = sl_parser_node(p, N_ASSIGN, pos)) == NULL)
        return NULL;
    node->op = (uint8_t)token->kind;
    node->two.x = x;
    if (!sl_parser_next(p) || (node->two.y = sl_parse_expr(p, false)) == NULL)
        return NULL;
    return node;
}

bool
sl_parse_simple(parser_t *p, list_t *out, bool consume_newline)
{
    token_t *token = &p->lexer.token;

    for (;;) {
        if (!sl_list_add(p->arena, out, parse_small(p)))
            return false;
        if (token->kind != T_SEMI)
            break;
        if (!sl_parser_next(p))
            return false;
        if (token->kind == T_NEWLINE || token->kind == T_EOF)
            break;
    }
    if (token->kind != T_EOF && consume_newline) /* `x = 1` may end the file */
        return sl_parser_consume(p, T_NEWLINE);
    return true;
}

/* ------------------------------------------------------------------ files */

static bool
parse_one_expression(parser_t *p, file_t *file)
{
    node_t *node = sl_parser_node(p, N_RETURN, p->lexer.token.pos);

    if (node == NULL || (node->x = sl_parse_expr(p, false)) == NULL)
        return false;
    node->op = T_LAMBDA; /* a return that is not in the source */
    if (p->lexer.token.kind == T_NEWLINE && !sl_parser_next(p))
        return false;
    if (p->lexer.token.kind != T_EOF) {
        sl_syntax_error(p->star, p->file, p->lexer.token.pos, "got %s after expression, want EOF",
                        sl_token_quoted(p->lexer.token.kind));
        return false;
    }
    return sl_list_add(p->arena, &file->body, node);
}

file_t *
sl_parse(star_t *s, arena_t *arena, const char *name, const char *text, size_t length,
         bool expression)
{
    parser_t *p = sl_arena_alloc(arena, sizeof *p); /* holds the stack of indentations: large */
    file_t *file = sl_arena_alloc(arena, sizeof *file);

    if (p == NULL || file == NULL || (file->name = sl_string_intern(s, name, strlen(name))) == NULL)
        return NULL;
    p->star = s;
    p->arena = arena;
    p->file = file->name;
    if (length > 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        length -= 3;
    }
    sl_lexer_init(&p->lexer, s, file->name, text, length);
    if (!sl_parser_next(p))
        return NULL;
    if (expression)
        return parse_one_expression(p, file) ? file : NULL;
    while (p->lexer.token.kind != T_EOF) {
        if (p->lexer.token.kind == T_NEWLINE) {
            if (!sl_parser_next(p))
                return NULL;
        } else if (!parse_statement(p, &file->body)) {
            return NULL;
        }
    }
    return file;
}
