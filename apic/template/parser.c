/*  parser: tokens to a tree, by recursive descent. Messages are Go's. */
#include "apic/template/ast.h"
#include "apic/template/functions.h"
#include "apic/template/lexer.h"
#include "apic/template/text.h"

#include <stdio.h>
#include <string.h>

/* A declared variable, while what is around it is parsed. */
typedef struct scope {
    struct scope *up;
    tpl_text_t name;
} scope_t;

typedef struct {
    template_t *template;
    tpl_lexer_t lexer;
    tpl_token_t ahead[3]; /* tokens put back; the next one is the last */
    unsigned ahead_count;
    tpl_token_t last; /* token read last, for the line of errors */
    scope_t *scope;   /* innermost variable */
    unsigned ranges;  /* range bodies around here, in this definition */
    unsigned depth;
    uint32_t action_line; /* line of "{{"; 0 outside */
    err_t **err;
} parser_t;

/* An ended list: what ended it is an ELSE or END node. */
static int parse_list(parser_t *self, tpl_node_t **ret_list, tpl_node_t **ret_end);
static int parse_pipe(parser_t *self, const char *context, tpl_token_kind_t end, tpl_node_t **ret);
static int parse_control(parser_t *self, tpl_node_kind_t kind, tpl_node_t **ret);

/* --------------------------------------------------------------------------------------- errors */

#define fail(self, ...) fail_with(self, ERR_INVALID, __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static int
fail_with(parser_t *self, err_code_t code, const char *format, ...)
{
    AUTO_STR text = STR_EMPTY;
    va_list args;
    va_start(args, format);
    str_vprintf(&text, format, args);
    va_end(args);
    return err_fail(self->err, code, "template: %.*s:%u: %s", (int)self->template->name.len,
                    self->template->name.bytes, self->last.line, text.data);
}

/* A token as errors show it. */
static void
put_token(str_t *out, const tpl_token_t *token)
{
    if (token->kind == TPL_TOKEN_EOF) {
        str_add(out, "EOF");
    } else if (token->kind > TPL_KEYWORD) {
        str_printf(out, "<%.*s>", (int)token->text.len, token->text.bytes);
    } else {
        /* At most ten bytes of it, quoted. */
        tpl_out_t quoted = {.text = out, .left = 200};
        bool is_long = token->text.len > 10;
        tpl_quote(&quoted, (tpl_text_t){token->text.bytes, is_long ? 10 : token->text.len}, false);
        str_add(out, is_long ? "..." : "");
    }
}

static int
fail_unexpected(parser_t *self, const tpl_token_t *token, const char *context)
{
    AUTO_STR text = STR_EMPTY;
    if (token->kind != TPL_TOKEN_ERROR) {
        put_token(&text, token);
        return fail(self, "unexpected %s in %s", text.data, context);
    }
    str_add_bytes(&text, token->text.bytes, token->text.len);
    if (self->action_line && self->action_line != token->line)
        str_printf(&text, "%s started at %.*s:%u",
                   str_ends(text.data, " action") ? "" : " in action",
                   (int)self->template->name.len, self->template->name.bytes, self->action_line);
    return fail(self, "%s", text.data);
}

static int
fail_unexpected_node(parser_t *self, const char *format, const tpl_node_t *node,
                     const char *context)
{
    AUTO_STR text = STR_EMPTY;
    tpl_node_put(&text, node);
    return fail(self, "%s %s%s%s", format, text.data, *context ? " in " : "", context);
}

/* --------------------------------------------------------------------------------------- tokens */

static tpl_token_t
next(parser_t *self)
{
    self->last =
        self->ahead_count ? self->ahead[--self->ahead_count] : tpl_lexer_next(&self->lexer);
    return self->last;
}

static void
put_back(parser_t *self, tpl_token_t token)
{
    self->ahead[self->ahead_count++] = token;
}

static tpl_token_t
peek(parser_t *self)
{
    tpl_token_t token = next(self);
    put_back(self, token);
    return token;
}

static tpl_token_t
next_word(parser_t *self)
{
    tpl_token_t token;
    do
        token = next(self);
    while (token.kind == TPL_TOKEN_SPACE);
    return token;
}

static tpl_token_t
peek_word(parser_t *self)
{
    tpl_token_t token = next_word(self);
    put_back(self, token);
    return token;
}

static int
expect(parser_t *self, tpl_token_kind_t kind, const char *context)
{
    tpl_token_t token = next_word(self);
    return token.kind == kind ? 0 : fail_unexpected(self, &token, context);
}

/* ---------------------------------------------------------------------------------------- nodes */

static int
node_new(parser_t *self, tpl_node_kind_t kind, uint32_t pos, tpl_node_t **ret)
{
    *ret = tpl_arena_alloc(&self->template->arena, sizeof **ret, self->err);
    if (!*ret)
        return -1;
    (*ret)->kind = kind;
    (*ret)->pos = pos;
    return 0;
}

static int
enter(parser_t *self)
{
    if (++self->depth <= TEMPLATE_DEPTH_MAX)
        return 0;
    return fail_with(self, ERR_LIMIT, "nested deeper than %u", TEMPLATE_DEPTH_MAX);
}

static int
declare(parser_t *self, tpl_text_t name)
{
    scope_t *scope = tpl_arena_alloc(&self->template->arena, sizeof *scope, self->err);
    if (!scope)
        return -1;
    *scope = (scope_t){self->scope, name};
    self->scope = scope;
    return 0;
}

static bool
is_declared(const parser_t *self, tpl_text_t name)
{
    for (const scope_t *scope = self->scope; scope; scope = scope->up)
        if (tpl_text_is(scope->name, name))
            return true;
    return false;
}

/* The text of a string literal. */
static int
unquote(parser_t *self, const tpl_token_t *token, tpl_text_t *ret)
{
    AUTO_STR text = STR_EMPTY;
    if (!tpl_unquote(token->text, &text))
        return fail(self, "invalid syntax");
    return tpl_arena_text(&self->template->arena, text.data, text.len, ret, self->err);
}

/* ---------------------------------------------------------------------------------------- operands
 */

static int
parse_literal(parser_t *self, const tpl_token_t *token, tpl_node_t *node)
{
    node->literal.source = token->text;
    switch (token->kind) {
    case TPL_TOKEN_BOOL:
        node->kind = TPL_NODE_BOOL;
        node->literal.value = tpl_bool(*token->text.bytes == 't');
        return 0;
    case TPL_TOKEN_STRING:
    case TPL_TOKEN_RAW_STRING:
        node->kind = TPL_NODE_STRING;
        node->literal.value.kind = TPL_STRING;
        return unquote(self, token, &node->literal.value.text);
    case TPL_TOKEN_CHAR: {
        uint32_t c;
        node->kind = TPL_NODE_NUMBER;
        if (token->text.len < 3)
            return fail(self, "invalid syntax");
        if (!tpl_unquote_char(token->text, &c))
            return fail(self, "malformed character constant: %.*s", (int)token->text.len,
                        token->text.bytes);
        node->literal.value = tpl_int(c);
        return 0;
    }
    default: {
        tpl_number_t number;
        AUTO(err) why = NULL;
        node->kind = TPL_NODE_NUMBER;
        if (tpl_number_parse(token->text, token->kind == TPL_TOKEN_COMPLEX, &number, &why) < 0)
            return fail(self, "%s", err_text(why));
        node->literal.value = number.value;
        node->literal.overflows = number.overflows;
        return 0;
    }
    }
}

static int
one_name(parser_t *self, tpl_text_t name, tpl_node_t *node)
{
    tpl_text_t *names = tpl_arena_alloc(&self->template->arena, sizeof *names, self->err);
    if (!names)
        return -1;
    *names = name;
    node->chain.names = names;
    node->chain.count = 1;
    return 0;
}

/* An operand without the fields behind it; *ret is NULL when there is none. */
static int
parse_term(parser_t *self, tpl_node_t **ret)
{
    tpl_token_t token = next_word(self);
    tpl_node_t *node;

    *ret = NULL;
    if (node_new(self, TPL_NODE_DOT, token.pos, &node) < 0)
        return -1;
    switch (token.kind) {
    case TPL_TOKEN_IDENTIFIER:
        node->kind = TPL_NODE_FUNCTION;
        node->function = tpl_function_find(token.text);
        if (!node->function)
            return fail(self, "function \"%.*s\" not defined", (int)token.text.len,
                        token.text.bytes);
        break;
    case TPL_TOKEN_DOT:
        break;
    case TPL_TOKEN_NIL:
        node->kind = TPL_NODE_NIL;
        break;
    case TPL_TOKEN_VARIABLE:
        node->kind = TPL_NODE_VARIABLE;
        if (!is_declared(self, token.text))
            return fail(self, "undefined variable \"%.*s\"", (int)token.text.len, token.text.bytes);
        if (one_name(self, token.text, node) < 0)
            return -1;
        break;
    case TPL_TOKEN_FIELD:
        node->kind = TPL_NODE_FIELD;
        if (one_name(self, (tpl_text_t){token.text.bytes + 1, token.text.len - 1}, node) < 0)
            return -1;
        break;
    case TPL_TOKEN_LEFT_PAREN:
        return parse_pipe(self, "parenthesized pipeline", TPL_TOKEN_RIGHT_PAREN, ret);
    case TPL_TOKEN_BOOL:
    case TPL_TOKEN_CHAR:
    case TPL_TOKEN_NUMBER:
    case TPL_TOKEN_COMPLEX:
    case TPL_TOKEN_STRING:
    case TPL_TOKEN_RAW_STRING:
        if (parse_literal(self, &token, node) < 0)
            return -1;
        break;
    default:
        put_back(self, token);
        return 0;
    }
    *ret = node;
    return 0;
}

/* Names of the fields that follow, behind those that the term has already. */
static int
parse_names(parser_t *self, tpl_text_t first, bool has_first, tpl_node_t *node)
{
    AUTO_STR names = STR_EMPTY;
    if (has_first)
        str_add_bytes(&names, &first, sizeof first);
    while (peek(self).kind == TPL_TOKEN_FIELD) {
        tpl_token_t token = next(self);
        tpl_text_t name = {token.text.bytes + 1, token.text.len - 1};
        str_add_bytes(&names, &name, sizeof name);
    }
    tpl_text_t *copy = tpl_arena_alloc(&self->template->arena, names.len, self->err);
    if (!copy)
        return -1;
    memcpy(copy, names.data, names.len);
    node->chain.names = copy;
    node->chain.count = (unsigned)(names.len / sizeof first);
    return 0;
}

static int
parse_operand(parser_t *self, tpl_node_t **ret)
{
    if (parse_term(self, ret) < 0)
        return -1;
    if (!*ret || peek(self).kind != TPL_TOKEN_FIELD)
        return 0;

    tpl_node_t *term = *ret;
    switch (term->kind) {
    case TPL_NODE_FIELD:
    case TPL_NODE_VARIABLE:
        term->pos = peek(self).pos;
        return parse_names(self, term->chain.names[0], true, term);
    case TPL_NODE_BOOL:
    case TPL_NODE_STRING:
    case TPL_NODE_NUMBER:
    case TPL_NODE_NIL:
    case TPL_NODE_DOT: {
        AUTO_STR text = STR_EMPTY, quoted = STR_EMPTY;
        tpl_out_t out = {.text = &quoted, .left = 1000};
        tpl_node_put(&text, term);
        tpl_quote(&out, (tpl_text_t){text.data, text.len}, false);
        next(self);
        return fail(self, "unexpected . after term %s", quoted.data);
    }
    default:
        if (node_new(self, TPL_NODE_CHAIN, peek(self).pos, ret) < 0)
            return -1;
        (*ret)->chain.base = term;
        return parse_names(self, (tpl_text_t){0}, false, *ret);
    }
}

/* ------------------------------------------------------------------------------------ pipelines */

static int
parse_command(parser_t *self, tpl_node_t **ret)
{
    if (node_new(self, TPL_NODE_COMMAND, peek_word(self).pos, ret) < 0)
        return -1;
    tpl_node_t **tail = &(*ret)->command.words;
    for (;;) {
        tpl_node_t *operand;
        if (parse_operand(self, &operand) < 0)
            return -1;
        if (operand) {
            *tail = operand;
            tail = &operand->next;
            (*ret)->command.count++;
        }
        tpl_token_t token = next(self);
        if (token.kind == TPL_TOKEN_SPACE)
            continue;
        if (token.kind == TPL_TOKEN_RIGHT || token.kind == TPL_TOKEN_RIGHT_PAREN)
            put_back(self, token);
        else if (token.kind != TPL_TOKEN_PIPE)
            return fail_unexpected(self, &token, "operand");
        return (*ret)->command.count ? 0 : fail(self, "empty command");
    }
}

static int
add_variable(parser_t *self, const tpl_token_t *token, tpl_node_t *pipe)
{
    tpl_node_t *variable, **tail = &pipe->pipe.variables;
    while (*tail)
        tail = &(*tail)->next;
    if (node_new(self, TPL_NODE_VARIABLE, token->pos, &variable) < 0 ||
        one_name(self, token->text, variable) < 0)
        return -1;
    *tail = variable;
    pipe->pipe.variable_count++;
    return declare(self, token->text);
}

/* "$x :=", "$x =" and in a range also "$i, $x :=", if they are there. */
static int
parse_variables(parser_t *self, const char *context, tpl_node_t *pipe)
{
    while (peek_word(self).kind == TPL_TOKEN_VARIABLE) {
        tpl_token_t variable = next(self), behind = peek(self), word = peek_word(self);
        if (word.kind == TPL_TOKEN_ASSIGN || word.kind == TPL_TOKEN_DECLARE) {
            pipe->pipe.assigns = word.kind == TPL_TOKEN_ASSIGN;
            next(self);
            return add_variable(self, &variable, pipe);
        }
        if (word.kind != TPL_TOKEN_OTHER || *word.text.bytes != ',') {
            /* An argument: it goes back, with the blank behind it. */
            if (behind.kind == TPL_TOKEN_SPACE)
                put_back(self, behind);
            put_back(self, variable);
            return 0;
        }
        next(self);
        if (add_variable(self, &variable, pipe) < 0)
            return -1;
        if (strcmp(context, "range") != 0 || pipe->pipe.variable_count > 1)
            return fail(self, "too many declarations in %s", context);
        tpl_token_kind_t kind = peek_word(self).kind;
        if (kind != TPL_TOKEN_VARIABLE && kind != TPL_TOKEN_RIGHT && kind != TPL_TOKEN_RIGHT_PAREN)
            return fail(self, "range can only initialize variables");
    }
    return 0;
}

static int
check_pipe(parser_t *self, const tpl_node_t *pipe, const char *context)
{
    unsigned stage = 1;
    if (!pipe->pipe.commands)
        return fail(self, "missing value for %s", context);
    for (const tpl_node_t *command = pipe->pipe.commands->next; command; command = command->next) {
        stage++;
        switch (command->command.words->kind) {
        case TPL_NODE_BOOL:
        case TPL_NODE_DOT:
        case TPL_NODE_NIL:
        case TPL_NODE_NUMBER:
        case TPL_NODE_STRING:
            return fail(self, "non executable command in pipeline stage %u", stage);
        default:
            break;
        }
    }
    return 0;
}

static bool
begins_operand(tpl_token_kind_t kind)
{
    switch (kind) {
    case TPL_TOKEN_BOOL:
    case TPL_TOKEN_CHAR:
    case TPL_TOKEN_NUMBER:
    case TPL_TOKEN_COMPLEX:
    case TPL_TOKEN_STRING:
    case TPL_TOKEN_RAW_STRING:
    case TPL_TOKEN_IDENTIFIER:
    case TPL_TOKEN_FIELD:
    case TPL_TOKEN_VARIABLE:
    case TPL_TOKEN_DOT:
    case TPL_TOKEN_NIL:
    case TPL_TOKEN_LEFT_PAREN:
        return true;
    default:
        return false;
    }
}

static int
parse_pipe(parser_t *self, const char *context, tpl_token_kind_t end, tpl_node_t **ret)
{
    if (enter(self) < 0 || node_new(self, TPL_NODE_PIPE, peek_word(self).pos, ret) < 0 ||
        parse_variables(self, context, *ret) < 0)
        return -1;
    tpl_node_t **tail = &(*ret)->pipe.commands;
    for (;;) {
        tpl_token_t token = next_word(self);
        if (token.kind == end) {
            self->depth--;
            return check_pipe(self, *ret, context);
        }
        if (!begins_operand(token.kind))
            return fail_unexpected(self, &token, context);
        put_back(self, token);
        if (parse_command(self, tail) < 0)
            return -1;
        tail = &(*tail)->next;
    }
}

/* -------------------------------------------------------------------------------------- actions */

static int
parse_template_name(parser_t *self, const char *context, tpl_text_t *ret)
{
    tpl_token_t token = next_word(self);
    if (token.kind != TPL_TOKEN_STRING && token.kind != TPL_TOKEN_RAW_STRING)
        return fail_unexpected(self, &token, context);
    return unquote(self, &token, ret);
}

/* Gives a name to a list. Of two with the same name one must be empty, and the other counts. */
static int
define(parser_t *self, tpl_text_t name, tpl_node_t *root)
{
    template_t *template = self->template;
    tpl_definition_t *old = tpl_definition_find(template, name);
    if (old && !tpl_node_is_empty(old->root)) {
        if (tpl_node_is_empty(root))
            return 0;
        AUTO_STR quoted = STR_EMPTY;
        tpl_out_t out = {.text = &quoted, .left = 1000};
        tpl_quote(&out, name, false);
        return fail(self, "template: multiple definition of template %s", quoted.data);
    }
    if (!old) {
        old = tpl_arena_alloc(&template->arena, sizeof *old, self->err);
        if (!old)
            return -1;
        *old = (tpl_definition_t){.next = template->definitions, .name = name};
        template->definitions = old;
    }
    old->root = root;
    return 0;
}

/* What stands between a define or block and its end: it sees no variables but "$", and no range. */
static int
parse_body_of_definition(parser_t *self, tpl_text_t name, const char *context)
{
    scope_t *scope = self->scope;
    unsigned ranges = self->ranges;
    tpl_node_t *root, *end;

    self->scope = NULL;
    self->ranges = 0;
    if (declare(self, TPL_TEXT_OF("$")) < 0 || parse_list(self, &root, &end) < 0)
        return -1;
    if (end->kind != TPL_NODE_END)
        return fail_unexpected_node(self, "unexpected", end, context);
    self->scope = scope;
    self->ranges = ranges;
    return define(self, name, root);
}

static int
parse_definition(parser_t *self)
{
    tpl_text_t name;
    if (parse_template_name(self, "define clause", &name) < 0 ||
        expect(self, TPL_TOKEN_RIGHT, "define clause") < 0)
        return -1;
    return parse_body_of_definition(self, name, "define clause");
}

static int
parse_block(parser_t *self, tpl_node_t **ret)
{
    tpl_text_t name;
    tpl_node_t *pipe;
    uint32_t pos = peek_word(self).pos;
    if (parse_template_name(self, "block clause", &name) < 0 ||
        parse_pipe(self, "block clause", TPL_TOKEN_RIGHT, &pipe) < 0 ||
        parse_body_of_definition(self, name, "block clause") < 0 ||
        node_new(self, TPL_NODE_INVOKE, pos, ret) < 0)
        return -1;
    (*ret)->invoke.name = name;
    (*ret)->invoke.pipe = pipe;
    return 0;
}

static int
parse_invoke(parser_t *self, tpl_node_t **ret)
{
    if (node_new(self, TPL_NODE_INVOKE, peek_word(self).pos, ret) < 0 ||
        parse_template_name(self, "template clause", &(*ret)->invoke.name) < 0)
        return -1;
    tpl_token_t token = next_word(self);
    if (token.kind == TPL_TOKEN_RIGHT)
        return 0;
    put_back(self, token);
    return parse_pipe(self, "template clause", TPL_TOKEN_RIGHT, &(*ret)->invoke.pipe);
}

static int
parse_jump(parser_t *self, const tpl_token_t *keyword, tpl_node_t **ret)
{
    bool is_break = keyword->kind == TPL_TOKEN_BREAK;
    const char *name = is_break ? "{{break}}" : "{{continue}}";
    if (expect(self, TPL_TOKEN_RIGHT, name) < 0)
        return -1;
    if (!self->ranges)
        return fail(self, "%s outside {{range}}", name);
    return node_new(self, is_break ? TPL_NODE_BREAK : TPL_NODE_CONTINUE, keyword->pos, ret);
}

/* "else if" and "else with" are an else whose list is the other action; it has the same end. */
static int
parse_else(parser_t *self, tpl_node_t *node)
{
    tpl_token_kind_t chained = node->kind == TPL_NODE_IF     ? TPL_TOKEN_IF
                               : node->kind == TPL_NODE_WITH ? TPL_TOKEN_WITH
                                                             : TPL_TOKEN_ERROR;
    tpl_node_t *end;
    if (peek(self).kind == chained && chained != TPL_TOKEN_ERROR) {
        tpl_token_t token = next(self);
        return node_new(self, TPL_NODE_LIST, token.pos, &node->control.otherwise) < 0
                   ? -1
                   : parse_control(self, node->kind, &node->control.otherwise->first);
    }
    if (parse_list(self, &node->control.otherwise, &end) < 0)
        return -1;
    return end->kind == TPL_NODE_END ? 0
                                     : fail_unexpected_node(self, "expected end; found", end, "");
}

static int
parse_control(parser_t *self, tpl_node_kind_t kind, tpl_node_t **ret)
{
    static const char *const contexts[] = {
        [TPL_NODE_IF] = "if", [TPL_NODE_WITH] = "with", [TPL_NODE_RANGE] = "range"};
    scope_t *scope = self->scope;
    tpl_node_t *end;

    if (enter(self) < 0 || node_new(self, kind, peek_word(self).pos, ret) < 0 ||
        parse_pipe(self, contexts[kind], TPL_TOKEN_RIGHT, &(*ret)->control.pipe) < 0)
        return -1;
    self->ranges += kind == TPL_NODE_RANGE;
    if (parse_list(self, &(*ret)->control.body, &end) < 0)
        return -1;
    self->ranges -= kind == TPL_NODE_RANGE;
    if (end->kind == TPL_NODE_ELSE && parse_else(self, *ret) < 0)
        return -1;
    self->scope = scope;
    self->depth--;
    return 0;
}

static int
parse_end(parser_t *self, const tpl_token_t *keyword, tpl_node_t **ret)
{
    bool is_else = keyword->kind == TPL_TOKEN_ELSE;
    tpl_token_kind_t kind = peek_word(self).kind;
    if (node_new(self, is_else ? TPL_NODE_ELSE : TPL_NODE_END, keyword->pos, ret) < 0)
        return -1;
    if (is_else && (kind == TPL_TOKEN_IF || kind == TPL_TOKEN_WITH))
        return 0;
    return expect(self, TPL_TOKEN_RIGHT, is_else ? "else" : "end");
}

static int
parse_action(parser_t *self, tpl_node_t **ret)
{
    tpl_token_t token = next_word(self);
    switch (token.kind) {
    case TPL_TOKEN_BLOCK:
        return parse_block(self, ret);
    case TPL_TOKEN_BREAK:
    case TPL_TOKEN_CONTINUE:
        return parse_jump(self, &token, ret);
    case TPL_TOKEN_ELSE:
    case TPL_TOKEN_END:
        return parse_end(self, &token, ret);
    case TPL_TOKEN_IF:
        return parse_control(self, TPL_NODE_IF, ret);
    case TPL_TOKEN_RANGE:
        return parse_control(self, TPL_NODE_RANGE, ret);
    case TPL_TOKEN_TEMPLATE:
        return parse_invoke(self, ret);
    case TPL_TOKEN_WITH:
        return parse_control(self, TPL_NODE_WITH, ret);
    default:
        put_back(self, token);
        if (node_new(self, TPL_NODE_ACTION, token.pos, ret) < 0)
            return -1;
        return parse_pipe(self, "command", TPL_TOKEN_RIGHT, &(*ret)->control.pipe);
    }
}

static int
parse_text_or_action(parser_t *self, tpl_node_t **ret)
{
    tpl_token_t token = next_word(self);
    if (token.kind == TPL_TOKEN_TEXT) {
        if (node_new(self, TPL_NODE_TEXT, token.pos, ret) < 0)
            return -1;
        (*ret)->text = token.text;
        return 0;
    }
    if (token.kind != TPL_TOKEN_LEFT)
        return fail_unexpected(self, &token, "input");
    self->action_line = token.line;
    int result = parse_action(self, ret);
    self->action_line = 0;
    return result;
}

/* ---------------------------------------------------------------------------------------- lists */

static int
parse_list(parser_t *self, tpl_node_t **ret_list, tpl_node_t **ret_end)
{
    if (enter(self) < 0 || node_new(self, TPL_NODE_LIST, peek_word(self).pos, ret_list) < 0)
        return -1;
    tpl_node_t **tail = &(*ret_list)->first;
    while (peek_word(self).kind != TPL_TOKEN_EOF) {
        tpl_node_t *node;
        if (parse_text_or_action(self, &node) < 0)
            return -1;
        if (node->kind == TPL_NODE_ELSE || node->kind == TPL_NODE_END) {
            *ret_end = node;
            self->depth--;
            return 0;
        }
        *tail = node;
        tail = &node->next;
    }
    return fail(self, "unexpected EOF");
}

static int
parse_top(parser_t *self)
{
    template_t *template = self->template;
    if (declare(self, TPL_TEXT_OF("$")) < 0 ||
        node_new(self, TPL_NODE_LIST, 0, &template->root) < 0)
        return -1;
    tpl_node_t **tail = &template->root->first;
    while (peek(self).kind != TPL_TOKEN_EOF) {
        if (peek(self).kind == TPL_TOKEN_LEFT) {
            tpl_token_t left = next(self), word = next_word(self);
            if (word.kind == TPL_TOKEN_DEFINE) {
                if (parse_definition(self) < 0)
                    return -1;
                continue;
            }
            put_back(self, word);
            put_back(self, left);
        }
        tpl_node_t *node;
        if (parse_text_or_action(self, &node) < 0)
            return -1;
        if (node->kind == TPL_NODE_ELSE || node->kind == TPL_NODE_END)
            return fail_unexpected_node(self, "unexpected", node, "");
        *tail = node;
        tail = &node->next;
    }
    return define(self, template->name, template->root);
}

int
template_parse(const char *name, const char *text, size_t size, template_t **ret_template,
               err_t **err)
{
    if (size > TEMPLATE_TEXT_MAX)
        return err_fail(err, ERR_LIMIT, "the template '%s' has more than %u bytes", name,
                        TEMPLATE_TEXT_MAX);

    AUTO(template) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->arena = TPL_ARENA;
    if (tpl_arena_text(&self->arena, name, strlen(name), &self->name, err) < 0 ||
        tpl_arena_text(&self->arena, text, size, &self->text, err) < 0)
        return -1;
    parser_t parser = {.template = self, .err = err};
    tpl_lexer_init(&parser.lexer, self->text);
    if (parse_top(&parser) < 0)
        return -1;
    *ret_template = TAKE(self);
    return 0;
}

void
template_destroy(template_t **self_p)
{
    template_t *self = TAKE(*self_p);
    if (!self)
        return;
    tpl_arena_done(&self->arena);
    free(self);
}
