/*  functions: what a template can call. */
#ifndef KURTOSIS_APIC_TEMPLATE_FUNCTIONS_H
#define KURTOSIS_APIC_TEMPLATE_FUNCTIONS_H

#include "apic/template/ast.h"

/* One call. */
typedef struct {
    tpl_arena_t *arena; /* for what the result needs */
    const tpl_value_t *args;
    size_t count;
    const char *callee; /* of call: the text of its first argument */
    err_t **err;
} tpl_call_t;

/* Fails with the text of the error alone: the executor says which function it was. */
typedef int tpl_function_fn(const tpl_call_t *call, tpl_value_t *ret);

struct tpl_function {
    const char *name;
    tpl_function_fn *run; /* NULL: "and" and "or", which the executor does, as they need not look at
                             all arguments */
    unsigned fixed;       /* arguments that must be there */
    bool is_variadic;     /* any number more */
    bool takes_format;    /* the first argument is a string */
    bool unboxes;         /* arguments come unboxed */
};

/* NULL when there is none of this name. Lent for ever. */
const tpl_function_t *tpl_function_find(tpl_text_t name);

/* The methods of a number of the data: "Int64", "Float64", "String". NULL when there is none of
 * this name. */
tpl_function_fn *tpl_method_find(tpl_text_t name);

#endif
