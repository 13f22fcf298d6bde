/*  resolve: finds for each name of a file which variable it means, and what the grammar cannot
 * refuse. All errors of a file are collected; their order and words are those of the Go
 * implementation. */
#include "starlark/ops.h"
#include "starlark/syntax.h"

#include <stdarg.h>
#include <stdio.h>

/* A name and its binding, in a block. */
typedef struct {
    sl_string_t *name;
    binding_t *binding;
} bound_t;

/* A use of a name that is looked up when its function has been read. */
typedef struct block block_t;
typedef struct {
    node_t *ident;
    block_t *block;
} use_t;

/* A file, function or comprehension. */
struct block {
    block_t *parent;
    function_t *function; /* NULL for a comprehension; the file has its toplevel */
    bool is_file;
    bound_t *bound;
    uint32_t n_bound, bound_capacity;
    uint32_t *table; /* hash index of bound, once there are many */
    uint32_t table_mask;
    use_t *uses;
    uint32_t n_uses, uses_capacity;
    block_t *first_child, *last_child, *sibling;
};

typedef struct {
    star_t *star;
    arena_t *arena;
    file_t *file;
    value_t env;
    block_t *top, *block;
    int loops, ifs;
    size_t n_errors, errors_capacity;
    star_frame_t *errors;
    bool no_memory;
} resolver_t;

enum { ERRORS_MAX = 1000 };

static void expr(resolver_t *r, node_t *node);
static void stmts(resolver_t *r, list_t *list);

/* ------------------------------------------------------------------ errors and memory */

/* Errors that cannot be kept are no errors to show. */
static void
out_of_memory(resolver_t *r)
{
    star_error_clear(r->star);
    sl_fail_memory(r->star);
    r->no_memory = true;
}

static void __attribute__((format(printf, 3, 4)))
error(resolver_t *r, pos_t pos, const char *format, ...)
{
    char message[400];
    va_list args;

    if (r->no_memory)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (r->n_errors == 0) {
        sl_fail_kind(r->star, STAR_ERROR_RESOLVE, "%s", message);
        r->star->captured = true;
    }
    if (r->n_errors == r->errors_capacity) {
        size_t capacity = r->errors_capacity ? r->errors_capacity * 2 : 8;
        if (capacity > ERRORS_MAX)
            return;
        star_frame_t *errors = sl_error_alloc(r->star, capacity * sizeof *errors);
        if (errors == NULL) {
            out_of_memory(r);
            return;
        }
        if (r->n_errors > 0)
            memcpy(errors, r->errors, r->n_errors * sizeof *errors);
        r->errors = errors;
        r->errors_capacity = capacity;
    }
    const char *file = sl_error_dup(r->star, r->file->name->bytes, r->file->name->length);
    const char *text = sl_error_dup(r->star, message, strlen(message));
    if (file == NULL || text == NULL) {
        out_of_memory(r);
        return;
    }
    r->errors[r->n_errors++] = (star_frame_t){file, pos.line, pos.column, "", text};
    r->star->error.frames = r->errors;
    r->star->error.n_frames = r->n_errors;
}

/* Room for one more in an array of the arena. */
static bool
grow(resolver_t *r, void **items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    uint32_t bigger = *capacity ? *capacity * 2 : 8;
    void *grown = sl_arena_alloc(r->arena, bigger * size);
    if (grown == NULL) {
        r->no_memory = true;
        return false;
    }
    if (count > 0)
        memcpy(grown, *items, count * size);
    *items = grown;
    *capacity = bigger;
    return true;
}

/* ------------------------------------------------------------------ blocks */

static block_t *
push(resolver_t *r, function_t *function)
{
    block_t *block = sl_arena_alloc(r->arena, sizeof *block);

    if (block == NULL) {
        r->no_memory = true;
        return NULL;
    }
    block->parent = r->block;
    block->function = function;
    if (r->block != NULL) {
        if (r->block->last_child != NULL)
            r->block->last_child->sibling = block;
        else
            r->block->first_child = block;
        r->block->last_child = block;
    }
    r->block = block;
    return block;
}

/* The function (or file) around a block. */
static block_t *
container(block_t *block)
{
    while (block->function == NULL)
        block = block->parent;
    return block;
}

static binding_t *
find(const block_t *block, const sl_string_t *name)
{
    if (block->table == NULL) {
        for (uint32_t i = 0; i < block->n_bound; i++)
            if (block->bound[i].name == name)
                return block->bound[i].binding;
        return NULL;
    }
    for (uint32_t i = name->obj.extra & block->table_mask; block->table[i] != 0;
         i = (i + 1) & block->table_mask)
        if (block->bound[block->table[i] - 1].name == name)
            return block->bound[block->table[i] - 1].binding;
    return NULL;
}

static void
table_put(block_t *block, uint32_t number)
{
    uint32_t i = block->bound[number].name->obj.extra & block->table_mask;
    while (block->table[i] != 0)
        i = (i + 1) & block->table_mask;
    block->table[i] = number + 1;
}

static bool
put(resolver_t *r, block_t *block, sl_string_t *name, binding_t *binding)
{
    if (!grow(r, (void **)&block->bound, block->n_bound, &block->bound_capacity,
              sizeof *block->bound))
        return false;
    block->bound[block->n_bound++] = (bound_t){name, binding};
    if (block->n_bound < 16)
        return true;
    if (block->table == NULL || block->n_bound * 2 > block->table_mask) {
        uint32_t mask = block->table == NULL ? 63 : block->table_mask * 2 + 1;
        uint32_t *table = sl_arena_alloc(r->arena, ((size_t)mask + 1) * sizeof *table);
        if (table == NULL) {
            r->no_memory = true;
            block->n_bound--;
            return false;
        }
        block->table = table;
        block->table_mask = mask;
        for (uint32_t i = 0; i < block->n_bound; i++)
            table_put(block, i);
        return true;
    }
    table_put(block, block->n_bound - 1);
    return true;
}

static binding_t *
new_binding(resolver_t *r, scope_t scope, uint32_t index, node_t *first)
{
    binding_t *binding = sl_arena_alloc(r->arena, sizeof *binding);
    if (binding == NULL) {
        r->no_memory = true;
        return NULL;
    }
    *binding = (binding_t){.scope = scope, .index = index, .first = first};
    return binding;
}

/* A variable of the function around the present block. True if it was bound already. */
static bool
bind_local(resolver_t *r, node_t *ident)
{
    binding_t *binding = find(r->block, ident->ident.name);
    bool known = binding != NULL;

    if (!known) {
        function_t *function = container(r->block)->function;
        binding = new_binding(r, SCOPE_LOCAL, function->n_locals, ident);
        if (binding == NULL || !put(r, r->block, ident->ident.name, binding) ||
            !grow(r, (void **)&function->locals, function->n_locals, &function->locals_capacity,
                  sizeof *function->locals))
            return false;
        function->locals[function->n_locals++] = binding;
    }
    ident->ident.binding = binding;
    return known;
}

static bool
bind(resolver_t *r, node_t *ident)
{
    if (!r->block->is_file)
        return bind_local(r, ident);
    binding_t *binding = find(r->block, ident->ident.name);
    bool known = binding != NULL;
    if (!known) {
        file_t *file = r->file;
        binding = new_binding(r, SCOPE_GLOBAL, file->n_globals, ident);
        if (binding == NULL || !put(r, r->block, ident->ident.name, binding) ||
            !grow(r, (void **)&file->globals, file->n_globals, &file->globals_capacity,
                  sizeof *file->globals))
            return false;
        file->globals[file->n_globals++] = binding;
    } else if (!(r->star->options.dialect & STAR_DIALECT_GLOBAL_REASSIGN)) {
        error(r, ident->pos, "cannot reassign %s %s declared at %s:%u:%u",
              binding->scope == SCOPE_GLOBAL ? "global" : "local", ident->ident.name->bytes,
              r->file->name->bytes, binding->first->pos.line, binding->first->pos.column);
    }
    ident->ident.binding = binding;
    return known;
}

/* ------------------------------------------------------------------ uses */

/* " (did you mean x?)" or "". */
static void
hint(resolver_t *r, const use_t *use, char out[120])
{
    const char *names[2000];
    size_t count = 0;

    for (const block_t *block = use->block; block != NULL; block = block->parent)
        for (uint32_t i = 0; i < block->n_bound && count < sizeof names / sizeof *names; i++)
            if (block->bound[i].binding->scope != SCOPE_UNDEFINED &&
                block->bound[i].binding->first != NULL)
                names[count++] = block->bound[i].name->bytes;
    const char *near =
        r->n_errors < 50 ? star_nearest(use->ident->ident.name->bytes, names, count) : NULL;
    if (near != NULL)
        snprintf(out, 120, " (did you mean %.90s?)", near);
    else
        out[0] = 0;
}

static binding_t *
use_toplevel(resolver_t *r, const use_t *use)
{
    sl_string_t *name = use->ident->ident.name;
    binding_t *binding = find(r->top, name);
    sl_entry_t *entry;

    if (binding != NULL)
        return binding;
    bool set_is_off = false;
    entry = star_ok(r->env) ? sl_dict_lookup_string(SL_DICT_OF(r->env), name) : NULL;
    if (entry == NULL) {
        entry = sl_dict_lookup_string(r->star->universe, name);
        set_is_off = entry != NULL && strcmp(name->bytes, "set") == 0 &&
                     !(r->star->options.dialect & STAR_DIALECT_SET);
    }
    binding = new_binding(r, entry != NULL ? SCOPE_PREDECLARED : SCOPE_UNDEFINED, 0, NULL);
    if (binding == NULL)
        return NULL;
    if (entry != NULL) {
        binding->value = entry->value;
        if (set_is_off)
            error(r, use->ident->pos, "this Starlark dialect does not support sets");
    } else {
        char text[120];
        hint(r, use, text);
        error(r, use->ident->pos, "undefined: %s%s", name->bytes, text);
    }
    return binding;
}

/* Looks outwards through the blocks. A variable of an outer function becomes a cell there, and a
 * free variable of each function in between. */
static binding_t *
lookup(resolver_t *r, const use_t *use, block_t *block)
{
    sl_string_t *name = use->ident->ident.name;

    if (block->is_file)
        return use_toplevel(r, use);
    binding_t *binding = find(block, name);
    if (binding != NULL)
        return binding;
    binding = lookup(r, use, block->parent);
    if (binding == NULL)
        return NULL;
    if (block->function != NULL && (binding->scope == SCOPE_LOCAL || binding->scope == SCOPE_CELL ||
                                    binding->scope == SCOPE_FREE)) {
        function_t *function = block->function;
        if (binding->scope == SCOPE_LOCAL)
            binding->scope = SCOPE_CELL;
        if (!grow(r, (void **)&function->free, function->n_free, &function->free_capacity,
                  sizeof *function->free))
            return NULL;
        function->free[function->n_free] = binding;
        binding = new_binding(r, SCOPE_FREE, function->n_free++, binding->first);
        if (binding == NULL)
            return NULL;
    }
    return put(r, block, name, binding) ? binding : NULL;
}

static void
use(resolver_t *r, node_t *ident)
{
    use_t use = {ident, r->block};

    if ((r->star->options.dialect & STAR_DIALECT_GLOBAL_REASSIGN) && r->block->is_file) {
        ident->ident.binding = use_toplevel(r, &use);
        return;
    }
    block_t *block = container(r->block);
    if (grow(r, (void **)&block->uses, block->n_uses, &block->uses_capacity, sizeof use))
        block->uses[block->n_uses++] = use;
}

/* At the end of a function: uses of its own variables. The rest waits for the end of the file. */
static void
resolve_local_uses(resolver_t *r, block_t *function)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < function->n_uses; i++) {
        use_t *use = &function->uses[i];
        binding_t *binding = NULL;
        for (block_t *block = use->block; binding == NULL; block = block->parent) {
            binding = block->is_file ? NULL : find(block, use->ident->ident.name);
            if (block == function)
                break;
        }
        if (binding != NULL)
            use->ident->ident.binding = binding;
        else
            function->uses[left++] = *use;
    }
    function->n_uses = left;
    (void)r;
}

/* Inner blocks first, without recursion: their nesting is that of the source. */
static void
resolve_other_uses(resolver_t *r, block_t *block)
{
    for (block_t *child = block->first_child; child != NULL; child = child->sibling)
        resolve_other_uses(r, child);
    for (uint32_t i = 0; i < block->n_uses && !r->no_memory; i++)
        block->uses[i].ident->ident.binding = lookup(r, &block->uses[i], block->uses[i].block);
}

/* ------------------------------------------------------------------ expressions */

static void
assign(resolver_t *r, node_t *left, bool augmented)
{
    static const char *const names[] = {
        [N_LITERAL] = "literal",   [N_UNARY] = "unaryexpr",
        [N_BINARY] = "binaryexpr", [N_COND] = "condexpr",
        [N_CALL] = "callexpr",     [N_SLICE] = "sliceexpr",
        [N_DICT] = "dictexpr",     [N_COMPREHENSION] = "comprehension",
        [N_LAMBDA] = "lambdaexpr",
    };

    switch (left->kind) {
    case N_IDENT:
        bind(r, left);
        break;
    case N_INDEX:
        expr(r, left->two.x);
        expr(r, left->two.y);
        break;
    case N_DOT:
        expr(r, left->dot.x);
        break;
    case N_TUPLE:
    case N_LIST:
        if (augmented)
            error(r, sl_node_start(left), "can't use %s expression in augmented assignment",
                  left->kind == N_TUPLE ? "tuple" : "list");
        for (uint32_t i = 0; i < left->seq.items.count; i++)
            assign(r, left->seq.items.items[i], augmented);
        break;
    case N_PAREN:
        assign(r, left->x, augmented);
        break;
    default:
        error(r, sl_node_start(left), "can't assign to %s",
              left->kind < sizeof names / sizeof *names && names[left->kind] != NULL
                  ? names[left->kind]
                  : "expression");
    }
}

static void
call_args(resolver_t *r, node_t *call)
{
    bool varargs = false, kwargs = false;
    size_t named = 0, positional = 0;
    list_t *args = &call->call.args;

    for (uint32_t i = 0; i < args->count && !r->no_memory; i++) {
        node_t *arg = args->items[i];
        pos_t pos = sl_node_start(arg);
        switch (arg->kind) {
        case N_STARSTAR_ARG:
            if (kwargs)
                error(r, pos, "multiple **kwargs not allowed");
            kwargs = true;
            expr(r, arg->x);
            break;
        case N_STAR_ARG:
            if (kwargs)
                error(r, pos, "*args may not follow **kwargs");
            else if (varargs)
                error(r, pos, "multiple *args not allowed");
            varargs = true;
            expr(r, arg->x);
            break;
        case N_NAMED_ARG:
            if (kwargs)
                error(r, pos, "keyword argument may not follow **kwargs");
            else if (varargs)
                error(r, pos, "keyword argument may not follow *args");
            for (uint32_t j = 0; j < i && named < 256; j++)
                if (args->items[j]->kind == N_NAMED_ARG &&
                    args->items[j]->two.x->ident.name == arg->two.x->ident.name) {
                    error(r, pos, "keyword argument \"%s\" is repeated",
                          arg->two.x->ident.name->bytes);
                    break;
                }
            named++;
            expr(r, arg->two.y);
            break;
        default:
            if (varargs)
                error(r, pos, "positional argument may not follow *args");
            else if (kwargs)
                error(r, pos, "positional argument may not follow **kwargs");
            else if (named > 0)
                error(r, pos, "positional argument may not follow named");
            positional++;
            expr(r, arg);
        }
    }
    if (positional >= 256)
        error(r, sl_node_start(call), "%zu positional arguments in call, limit is 255", positional);
    if (named >= 256)
        error(r, sl_node_start(call), "%zu keyword arguments in call, limit is 255", named);
}

static void
comprehension(resolver_t *r, node_t *node)
{
    node_t *first = node->comp.clauses.items[0];

    expr(r, first->two.y); /* in the outer block: [x for x in x] */
    if (push(r, NULL) == NULL)
        return;
    assign(r, first->two.x, false);
    for (uint32_t i = 1; i < node->comp.clauses.count; i++) {
        node_t *clause = node->comp.clauses.items[i];
        if (clause->kind == N_IF_CLAUSE) {
            expr(r, clause->x);
        } else {
            assign(r, clause->two.x, false);
            expr(r, clause->two.y);
        }
    }
    expr(r, node->comp.body);
    r->block = r->block->parent;
}

static void
bind_param(resolver_t *r, node_t *name, pos_t pos)
{
    if (bind(r, name))
        error(r, pos, "duplicate parameter: %s", name->ident.name->bytes);
}

static void
params(resolver_t *r, function_t *function)
{
    param_t *star = NULL, *starstar = NULL;
    bool optional = false;

    for (uint32_t i = 0; i < function->n_params; i++) {
        param_t *param = &function->params[i];
        const char *kwargs = starstar != NULL ? starstar->name->ident.name->bytes : "";
        switch (param->kind) {
        case PARAM_PLAIN:
            if (starstar != NULL)
                error(r, param->pos, "required parameter may not follow **%s", kwargs);
            else if (star != NULL)
                function->n_keyword_only++;
            else if (optional)
                error(r, param->pos, "required parameter may not follow optional");
            bind_param(r, param->name, param->pos);
            break;
        case PARAM_DEFAULT:
            if (starstar != NULL)
                error(r, param->pos, "optional parameter may not follow **%s", kwargs);
            else if (star != NULL)
                function->n_keyword_only++;
            bind_param(r, param->name, param->pos);
            optional = true;
            break;
        case PARAM_STAR:
            if (starstar != NULL)
                error(r, param->pos, "* parameter may not follow **%s", kwargs);
            else if (star != NULL)
                error(r, param->pos, "multiple * parameters not allowed");
            else
                star = param;
            break;
        case PARAM_STARSTAR:
            if (starstar != NULL)
                error(r, param->pos, "multiple ** parameters not allowed");
            starstar = param;
            break;
        }
    }
    /* *args and **kwargs get the registers after all others. */
    if (star != NULL && star->name != NULL) {
        bind_param(r, star->name, star->name->pos);
        function->has_varargs = true;
    } else if (star != NULL && function->n_keyword_only == 0) {
        error(r, star->pos, "bare * must be followed by keyword-only parameters");
    }
    if (starstar != NULL) {
        bind_param(r, starstar->name, starstar->name->pos);
        function->has_kwargs = true;
    }
}

static void
function(resolver_t *r, function_t *function)
{
    int loops = r->loops, ifs = r->ifs;

    for (uint32_t i = 0; i < function->n_params; i++)
        if (function->params[i].value != NULL)
            expr(r, function->params[i].value);
    block_t *block = push(r, function);
    if (block == NULL)
        return;
    r->loops = r->ifs = 0;
    params(r, function);
    stmts(r, &function->body);
    resolve_local_uses(r, block);
    r->loops = loops;
    r->ifs = ifs;
    r->block = block->parent;
}

static void
expr(resolver_t *r, node_t *node)
{
    if (r->no_memory)
        return;
    switch (node->kind) {
    case N_IDENT:
        use(r, node);
        break;
    case N_PAREN:
    case N_UNARY:
        expr(r, node->x);
        break;
    case N_BINARY:
    case N_INDEX:
    case N_ENTRY:
        expr(r, node->two.x);
        expr(r, node->two.y);
        break;
    case N_COND:
        expr(r, node->cond.condition);
        expr(r, node->cond.yes);
        expr(r, node->cond.no);
        break;
    case N_DOT:
        expr(r, node->dot.x);
        break;
    case N_CALL:
        expr(r, node->call.function);
        call_args(r, node);
        break;
    case N_SLICE:
        expr(r, node->slice.x);
        if (node->slice.low != NULL)
            expr(r, node->slice.low);
        if (node->slice.high != NULL)
            expr(r, node->slice.high);
        if (node->slice.step != NULL)
            expr(r, node->slice.step);
        break;
    case N_LIST:
    case N_TUPLE:
    case N_DICT:
        for (uint32_t i = 0; i < node->seq.items.count; i++)
            expr(r, node->seq.items.items[i]);
        break;
    case N_COMPREHENSION:
        comprehension(r, node);
        break;
    case N_LAMBDA:
        function(r, node->def.function);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------ statements */

static bool
at_toplevel(const resolver_t *r)
{
    return container(r->block)->is_file &&
           !(r->star->options.dialect & STAR_DIALECT_GLOBAL_REASSIGN);
}

static void
load(resolver_t *r, node_t *node)
{
    if (!container(r->block)->is_file)
        error(r, node->pos, "load statement within a function");
    else if (r->loops > 0)
        error(r, node->pos, "load statement within a loop");
    else if (r->ifs > 0)
        error(r, node->pos, "load statement within a conditional");
    for (uint32_t i = 0; i < node->load.count; i++) {
        node_t *from = node->load.from[i];
        if (from->ident.name->length == 0) {
            error(r, from->pos, "load: empty identifier");
            continue;
        }
        if (from->ident.name->bytes[0] == '_')
            error(r, from->pos, "load: names with leading underscores are not exported: %s",
                  from->ident.name->bytes);
        node_t *to = node->load.to[i];
        if (bind_local(r, to) && !(r->star->options.dialect & STAR_DIALECT_GLOBAL_REASSIGN))
            error(r, to->pos, "cannot reassign top-level %s", to->ident.name->bytes);
    }
}

static void
stmt(resolver_t *r, node_t *node)
{
    switch (node->kind) {
    case N_EXPR:
        expr(r, node->x);
        break;
    case N_BRANCH:
        if (r->loops == 0)
            error(r, node->pos, "%s not in a loop", sl_token_text(node->op));
        break;
    case N_IF:
        if (at_toplevel(r))
            error(r, node->pos, "if statement not within a function");
        expr(r, node->branch.condition);
        r->ifs++;
        stmts(r, &node->branch.yes);
        stmts(r, &node->branch.no);
        r->ifs--;
        break;
    case N_ASSIGN:
        expr(r, node->two.y);
        assign(r, node->two.x, node->op != T_EQ);
        break;
    case N_DEF:
        bind(r, node->def.name);
        function(r, node->def.function);
        break;
    case N_FOR:
        if (at_toplevel(r))
            error(r, node->pos, "for loop not within a function");
        expr(r, node->loop.x);
        assign(r, node->loop.vars, false);
        r->loops++;
        stmts(r, &node->loop.body);
        r->loops--;
        break;
    case N_WHILE:
        if (!(r->star->options.dialect & STAR_DIALECT_RECURSION))
            error(r, node->pos, "this Starlark dialect does not support while loops");
        if (at_toplevel(r))
            error(r, node->pos, "while loop not within a function");
        expr(r, node->branch.condition);
        r->loops++;
        stmts(r, &node->branch.yes);
        r->loops--;
        break;
    case N_RETURN:
        if (container(r->block)->is_file && node->op != T_LAMBDA)
            error(r, node->pos, "return statement not within a function");
        if (node->x != NULL)
            expr(r, node->x);
        break;
    case N_LOAD:
        load(r, node);
        break;
    default:
        break;
    }
}

static void
stmts(resolver_t *r, list_t *list)
{
    for (uint32_t i = 0; i < list->count && !r->no_memory; i++)
        stmt(r, list->items[i]);
}

bool
sl_resolve(star_t *s, arena_t *arena, file_t *file, value_t env)
{
    resolver_t r = {.star = s, .arena = arena, .file = file, .env = env};

    file->toplevel = sl_arena_alloc(arena, sizeof *file->toplevel);
    if (file->toplevel == NULL || (r.top = push(&r, file->toplevel)) == NULL)
        return false;
    r.top->is_file = true;
    file->toplevel->name = sl_string_intern(s, "<toplevel>", 10);
    file->toplevel->pos = (pos_t){1, 1};
    if (file->toplevel->name == NULL)
        return false;
    stmts(&r, &file->body);
    resolve_local_uses(&r, r.top);
    resolve_other_uses(&r, r.top);
    return r.n_errors == 0 && !r.no_memory;
}
