/*  ast: a template as a tree. Made by the parser, walked by the executor, never changed in between.
 */
#ifndef KURTOSIS_APIC_TEMPLATE_AST_H
#define KURTOSIS_APIC_TEMPLATE_AST_H

#include "apic/template/value.h"

typedef struct tpl_node tpl_node_t;
typedef struct tpl_function tpl_function_t;

typedef enum {
    /* Things in a list. */
    TPL_NODE_TEXT,
    TPL_NODE_ACTION, /* {{pipe}} */
    TPL_NODE_IF,
    TPL_NODE_WITH,
    TPL_NODE_RANGE,
    TPL_NODE_INVOKE, /* {{template "name" pipe}} */
    TPL_NODE_BREAK,
    TPL_NODE_CONTINUE,
    TPL_NODE_LIST,
    /* How lists end; in no tree. */
    TPL_NODE_ELSE,
    TPL_NODE_END,
    /* Things that have a value. */
    TPL_NODE_PIPE,
    TPL_NODE_COMMAND,
    TPL_NODE_FUNCTION,
    TPL_NODE_FIELD,    /* .a.b */
    TPL_NODE_VARIABLE, /* $x.a.b */
    TPL_NODE_CHAIN,    /* (pipe).a.b */
    TPL_NODE_DOT,
    TPL_NODE_NIL,
    TPL_NODE_BOOL,
    TPL_NODE_NUMBER,
    TPL_NODE_STRING,
} tpl_node_kind_t;

struct tpl_node {
    tpl_node_kind_t kind;
    uint32_t pos;     /* byte in the template */
    tpl_node_t *next; /* in its list, pipe, command or row of declarations */
    union {
        tpl_text_t text;   /* TEXT */
        tpl_node_t *first; /* LIST */
        struct {
            tpl_node_t *pipe;      /* ACTION, IF, WITH, RANGE */
            tpl_node_t *body;      /* but for ACTION: a LIST */
            tpl_node_t *otherwise; /* a LIST or NULL */
        } control;
        struct {
            tpl_text_t name;
            tpl_node_t *pipe; /* or NULL */
        } invoke;
        struct {
            tpl_node_t *commands;
            tpl_node_t *variables; /* declared or assigned, VARIABLEs */
            unsigned variable_count;
            bool assigns;
        } pipe;
        struct {
            tpl_node_t *words; /* the function or operand, then its arguments */
            unsigned count;
        } command;
        const tpl_function_t *function; /* FUNCTION */
        struct {
            tpl_node_t *base; /* CHAIN: what the names are looked up in */
            const tpl_text_t *
                names; /* FIELD, CHAIN: without dots; VARIABLE: the variable with "$" comes first */
            unsigned count;
        } chain;
        struct {
            tpl_text_t source; /* as it was written */
            tpl_value_t value;
            bool overflows; /* see tpl_number_t */
        } literal;          /* BOOL, NUMBER, STRING */
    };
};

/* A name and what it stands for. */
typedef struct tpl_definition {
    struct tpl_definition *next;
    tpl_text_t name;
    tpl_node_t *root; /* a LIST */
} tpl_definition_t;

struct template
{
    tpl_arena_t arena;
    tpl_text_t name;
    tpl_text_t text;
    tpl_node_t *root;              /* the template itself */
    tpl_definition_t *definitions; /* its own, and the template under its name */
};

/* Appends a node as Go writes it: blanks single, no comments. */
void tpl_node_put(str_t *out, const tpl_node_t *node);
/* Is there nothing but white space in a list? */
bool tpl_node_is_empty(const tpl_node_t *list);
/* NULL when there is none. */
tpl_definition_t *tpl_definition_find(const template_t *self, tpl_text_t name);

#endif
