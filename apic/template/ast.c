/*  ast: see ast.h. */
#include "apic/template/ast.h"

#include "apic/template/functions.h"
#include "apic/template/text.h"

#include <string.h>

static void
put_text(str_t *out, tpl_text_t text)
{
    str_add_bytes(out, text.bytes, text.len);
}

static void
put_quoted(str_t *out, tpl_text_t text)
{
    tpl_out_t quoted = {.text = out, .left = TEMPLATE_OUTPUT_MAX};
    tpl_quote(&quoted, text, false);
}

static void
put_row(str_t *out, const tpl_node_t *first, const char *between)
{
    for (const tpl_node_t *node = first; node; node = node->next) {
        if (node != first)
            str_add(out, between);
        if (node->kind == TPL_NODE_PIPE)
            str_add_char(out, '(');
        tpl_node_put(out, node);
        if (node->kind == TPL_NODE_PIPE)
            str_add_char(out, ')');
    }
}

static void
put_pipe(str_t *out, const tpl_node_t *node)
{
    if (node->pipe.variables) {
        put_row(out, node->pipe.variables, ", ");
        str_add(out, node->pipe.assigns ? " = " : " := ");
    }
    put_row(out, node->pipe.commands, " | ");
}

static void
put_chain(str_t *out, const tpl_node_t *node)
{
    if (node->kind == TPL_NODE_CHAIN)
        put_row(out, node->chain.base, "");
    for (unsigned i = 0; i < node->chain.count; i++) {
        if (i > 0 || node->kind != TPL_NODE_VARIABLE)
            str_add_char(out, '.');
        put_text(out, node->chain.names[i]);
    }
}

void
tpl_node_put(str_t *out, const tpl_node_t *node)
{
    switch (node->kind) {
    case TPL_NODE_PIPE:
        put_pipe(out, node);
        break;
    case TPL_NODE_COMMAND:
        put_row(out, node->command.words, " ");
        break;
    case TPL_NODE_FUNCTION:
        str_add(out, node->function->name);
        break;
    case TPL_NODE_FIELD:
    case TPL_NODE_VARIABLE:
    case TPL_NODE_CHAIN:
        put_chain(out, node);
        break;
    case TPL_NODE_DOT:
        str_add_char(out, '.');
        break;
    case TPL_NODE_NIL:
        str_add(out, "nil");
        break;
    case TPL_NODE_BOOL:
    case TPL_NODE_NUMBER:
    case TPL_NODE_STRING:
        put_text(out, node->literal.source);
        break;
    case TPL_NODE_INVOKE:
        str_add(out, "{{template ");
        put_quoted(out, node->invoke.name);
        if (node->invoke.pipe) {
            str_add_char(out, ' ');
            put_pipe(out, node->invoke.pipe);
        }
        str_add(out, "}}");
        break;
    case TPL_NODE_ACTION:
        str_add(out, "{{");
        put_pipe(out, node->control.pipe);
        str_add(out, "}}");
        break;
    case TPL_NODE_ELSE:
        str_add(out, "{{else}}");
        break;
    case TPL_NODE_END:
        str_add(out, "{{end}}");
        break;
    /* Errors name none of these. */
    case TPL_NODE_TEXT:
    case TPL_NODE_IF:
    case TPL_NODE_WITH:
    case TPL_NODE_RANGE:
    case TPL_NODE_BREAK:
    case TPL_NODE_CONTINUE:
    case TPL_NODE_LIST:
        break;
    }
}

bool
tpl_node_is_empty(const tpl_node_t *list)
{
    for (const tpl_node_t *node = list->first; node; node = node->next) {
        if (node->kind != TPL_NODE_TEXT)
            return false;
        for (size_t i = 0; i < node->text.len; i++)
            if (!memchr(" \t\n\v\f\r", node->text.bytes[i], 6))
                return false;
    }
    return true;
}

tpl_definition_t *
tpl_definition_find(const template_t *self, tpl_text_t name)
{
    for (tpl_definition_t *definition = self->definitions; definition;
         definition = definition->next)
        if (tpl_text_is(definition->name, name))
            return definition;
    return NULL;
}
