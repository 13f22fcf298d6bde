/*  syntax: tokens, the tree of a file, and the two passes that make and check it. For this folder
 * only.
 *
 *  The tree lives in an arena that is freed whole after compiling. Names and literals in it are
 * values of the interpreter; they stay alive because nothing is collected meanwhile.
 */
#ifndef STARLARK_SYNTAX_H
#define STARLARK_SYNTAX_H

#include "starlark/heap.h"

/* ---- tokens ---- */

typedef enum {
#define TOKEN(name, text) T_##name,
#include "starlark/tokens.def"
#undef TOKEN
} token_kind_t;

typedef struct {
    uint32_t line, column;
} pos_t;

typedef struct {
    token_kind_t kind;
    pos_t pos;
    const char *start; /* its text */
    size_t length;
    value_t value; /* name or literal */
} token_t;

/* ---- arena ---- */

typedef struct arena_block arena_block_t;
typedef struct {
    star_t *star;
    arena_block_t *blocks;
    char *at, *end;
} arena_t;
void *sl_arena_alloc(arena_t *arena, size_t size); /* zeroed; NULL after an error */
void sl_arena_done(arena_t *arena);

/* ---- lexer ---- */

enum { SL_INDENT_MAX = 1000 };

typedef struct {
    star_t *star;
    sl_string_t *file;
    const char *at, *end;
    pos_t pos;       /* of `at` */
    int brackets;    /* open ones: newlines do not count within */
    bool line_start; /* indentation comes next */
    int pending;     /* > 0: INDENTs, < 0: OUTDENTs to be given */
    uint32_t indents[SL_INDENT_MAX];
    int n_indents;
    token_t token; /* the current one */
    bool ended;
} lexer_t;

bool sl_lexer_init(lexer_t *lexer, star_t *s, sl_string_t *file, const char *text, size_t length);
/* Reads the next token into lexer->token. False: an error was set. */
bool sl_lexer_next(lexer_t *lexer);
/* How a token is shown in messages; `quoted` puts '' around punctuation. */
const char *sl_token_text(token_kind_t kind);
const char *sl_token_quoted(token_kind_t kind);
/* A syntax error at a place. Returns false. */
bool sl_syntax_error(star_t *s, sl_string_t *file, pos_t pos, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- tree ---- */

typedef struct node node_t;
typedef struct list {
    node_t **items;
    uint32_t count, capacity;
} list_t;

typedef enum {
    /* expressions */
    N_IDENT,
    N_LITERAL,
    N_PAREN,
    N_UNARY,
    N_BINARY,
    N_COND,
    N_DOT,
    N_CALL,
    N_INDEX,
    N_SLICE,
    N_LIST,
    N_TUPLE,
    N_DICT,
    N_ENTRY,
    N_COMPREHENSION,
    N_FOR_CLAUSE,
    N_IF_CLAUSE,
    N_LAMBDA,
    N_NAMED_ARG,
    N_STAR_ARG,
    N_STARSTAR_ARG,
    /* statements */
    N_EXPR,
    N_ASSIGN,
    N_IF,
    N_FOR,
    N_WHILE,
    N_RETURN,
    N_BRANCH,
    N_PASS,
    N_LOAD,
    N_DEF,
} node_kind_t;

typedef enum {
    SCOPE_UNDEFINED,
    SCOPE_LOCAL,
    SCOPE_CELL,
    SCOPE_FREE,
    SCOPE_GLOBAL,
    SCOPE_PREDECLARED
} scope_t;

/* What a name means in a block; uses of one variable share it. */
typedef struct {
    scope_t scope;
    uint32_t index; /* LOCAL, CELL: register; FREE: number; GLOBAL: slot */
    node_t *first;  /* the identifier that bound it */
    value_t value;  /* PREDECLARED */
} binding_t;

typedef enum { PARAM_PLAIN, PARAM_DEFAULT, PARAM_STAR, PARAM_STARSTAR } param_kind_t;
typedef struct {
    param_kind_t kind;
    pos_t pos;     /* of =, * or **; of the name of a plain one */
    node_t *name;  /* identifier; NULL for a bare * */
    node_t *value; /* default */
} param_t;

typedef struct function {
    sl_string_t *name;
    pos_t pos;
    param_t *params;
    uint32_t n_params;
    list_t body; /* of a lambda: one return statement */
    /* by the resolver: */
    binding_t **locals; /* in order of registers */
    uint32_t n_locals, locals_capacity;
    binding_t **free; /* the bindings in the enclosing function */
    uint32_t n_free, free_capacity;
    bool has_varargs, has_kwargs;
    uint32_t n_keyword_only;
} function_t;

struct node {
    uint8_t kind;  /* node_kind_t */
    uint8_t op;    /* token_kind_t */
    bool trailing; /* TUPLE without parentheses */
    pos_t pos;     /* where an error in it is shown: operator, dot, bracket */
    union {
        struct {
            sl_string_t *name;
            binding_t *binding;
        } ident; /* IDENT */
        value_t literal;
        node_t *x; /* PAREN, UNARY, STAR_ARG, STARSTAR_ARG, EXPR, RETURN (NULL: none), IF_CLAUSE */
        struct {
            node_t *x, *y;
        } two; /* BINARY, INDEX, ENTRY, ASSIGN, NAMED_ARG, FOR_CLAUSE (vars, x), WHILE (.. body) */
        struct {
            node_t *condition, *yes, *no;
        } cond;
        struct {
            node_t *x;
            sl_string_t *name;
            pos_t name_pos;
        } dot;
        struct {
            node_t *function;
            list_t args;
        } call;
        struct {
            node_t *x, *low, *high, *step;
        } slice;
        struct {
            list_t items;
            pos_t start;
        } seq; /* LIST, TUPLE, DICT */
        struct {
            node_t *body;
            list_t clauses;
            bool is_dict;
            pos_t start;
        } comp;
        struct {
            node_t *condition;
            list_t yes, no;
        } branch; /* IF; WHILE: no `no` */
        struct {
            node_t *vars, *x;
            list_t body;
        } loop; /* FOR */
        struct {
            node_t *name;
            function_t *function;
        } def; /* DEF, LAMBDA: no name */
        struct {
            value_t path;
            node_t **from, **to;
            uint32_t count;
        } load;
    };
};

pos_t sl_node_start(const node_t *node);

typedef struct {
    list_t body;
    sl_string_t *name;
    function_t *toplevel;
    /* by the resolver: */
    binding_t **globals;
    uint32_t n_globals, globals_capacity;
} file_t;

/* Parses a file (or with `expression` one expression, which becomes a return statement). NULL after
 * an error. */
file_t *sl_parse(star_t *s, arena_t *arena, const char *name, const char *text, size_t length,
                 bool expression);
/* Gives every identifier its binding; collects all errors. `env` is a dict or absent. */
bool sl_resolve(star_t *s, arena_t *arena, file_t *file, value_t env);

bool sl_list_add(arena_t *arena, list_t *list, node_t *node);

#endif
