/*  compile: statements and functions to code; the front door of the compiler. */
#include "starlark/compile.h"
#include "starlark/ops.h"

static void stmts(fn_t *f, list_t *list);

static uint64_t *
copy_set(fn_t *f, const uint64_t *set)
{
    uint64_t *copy = sl_arena_alloc(f->c->arena, f->set_words * 8);
    if (copy == NULL)
        f->c->failed = true;
    else
        memcpy(copy, set, f->set_words * 8);
    return copy;
}

/* ------------------------------------------------------------------ assignment */

static int
in_place_op(token_kind_t op)
{
    static const int ops[] = {
        [T_PLUS_EQ] = SL_OP_ADD_IN,
        [T_MINUS_EQ] = SL_OP_SUB,
        [T_STAR_EQ] = SL_OP_MUL,
        [T_SLASH_EQ] = SL_OP_DIV,
        [T_SLASHSLASH_EQ] = SL_OP_FLOORDIV,
        [T_PERCENT_EQ] = SL_OP_MOD,
        [T_AMP_EQ] = SL_OP_AND,
        [T_PIPE_EQ] = SL_OP_OR_IN,
        [T_CIRCUMFLEX_EQ] = SL_OP_XOR,
        [T_LTLT_EQ] = SL_OP_SHL,
        [T_GTGT_EQ] = SL_OP_SHR,
    };
    return ops[op];
}

/* value = value OP y */
static void
change(fn_t *f, node_t *node, int dst, int value)
{
    node_t *y = node->two.y;
    int op = in_place_op(node->op);
    bool small = y->kind == N_LITERAL && y->op == T_INT && sl_is_int(y->literal) &&
                 sl_int_of(y->literal) <= INT16_MAX;

    if (small && (op == SL_OP_ADD_IN || op == SL_OP_SUB)) {
        sl_place(f, node->pos);
        sl_emit(f, op == SL_OP_SUB ? SL_OP_SUB_INT : SL_OP_ADD_INT, dst, value,
                (int)sl_int_of(y->literal));
        return;
    }
    int operand = sl_expr_any(f, y);
    sl_place(f, node->pos);
    sl_emit(f, op, dst, value, operand);
}

static void
augmented(fn_t *f, node_t *node)
{
    node_t *left = node->two.x;

    while (left->kind == N_PAREN)
        left = left->x;
    switch (left->kind) {
    case N_IDENT: {
        int value = sl_expr_any(f, left), local = sl_plain_local(left);
        int result = local >= 0 ? local : sl_temp(f);
        change(f, node, result, value);
        sl_assign(f, left, result, node->pos);
        break;
    }
    case N_INDEX: {
        int container = sl_expr_any(f, left->two.x), key = sl_expr_any(f, left->two.y),
            value = sl_temp(f);
        sl_place(f, left->pos);
        sl_emit(f, SL_OP_INDEX, value, container, key);
        change(f, node, value, value);
        sl_place(f, left->pos);
        sl_emit(f, SL_OP_SET_INDEX, container, key, value);
        break;
    }
    case N_DOT: {
        int object = sl_expr_any(f, left->dot.x), value = sl_temp(f);
        sl_place(f, left->pos);
        sl_emit(f, SL_OP_ATTR, value, object, 0);
        sl_emit_name(f, left->dot.name);
        change(f, node, value, value);
        sl_place(f, left->pos);
        sl_emit(f, SL_OP_SET_ATTR, object, value, 0);
        sl_emit_name(f, left->dot.name);
        break;
    }
    default:
        break;
    }
}

static void
assignment(fn_t *f, node_t *node)
{
    node_t *left = node->two.x, *right = node->two.y;

    while (left->kind == N_PAREN)
        left = left->x;
    while (right->kind == N_PAREN)
        right = right->x;
    int local = sl_plain_local(left);
    if (local >= 0) {
        sl_expr_to(f, right, local);
        sl_mark_assigned(f, left);
        return;
    }
    bool left_many = left->kind == N_TUPLE || left->kind == N_LIST;
    bool right_many = right->kind == N_TUPLE || right->kind == N_LIST;
    if (left_many && right_many && left->seq.items.count == right->seq.items.count &&
        left->seq.items.count < 64) {
        /* a, b = x, y: no tuple is needed */
        int first = f->next;
        for (uint32_t i = 0; i < right->seq.items.count; i++)
            sl_expr_to(f, right->seq.items.items[i], sl_temp(f));
        for (uint32_t i = 0; i < left->seq.items.count; i++)
            sl_assign(f, left->seq.items.items[i], first + (int)i, node->pos);
        return;
    }
    sl_assign(f, left, sl_expr_any(f, right), node->pos);
}

/* ------------------------------------------------------------------ control flow */

static void
if_stmt(fn_t *f, node_t *node)
{
    int no = -1, end = -1;
    bool dead = f->dead;

    sl_condition(f, node->branch.condition, false, &no);
    uint64_t *before = copy_set(f, f->assigned);
    stmts(f, &node->branch.yes);
    bool dead_yes = f->dead;
    f->dead = dead;
    if (node->branch.no.count == 0) {
        sl_patch_here(f, no);
        if (before != NULL) /* what holds after: what held before */
            memcpy(f->assigned, before, f->set_words * 8);
        return;
    }
    if (!dead_yes)
        sl_jump(f, &end);
    sl_patch_here(f, no);
    uint64_t *after_yes = copy_set(f, f->assigned);
    if (f->c->failed)
        return;
    memcpy(f->assigned, before, f->set_words * 8);
    stmts(f, &node->branch.no);
    sl_patch_here(f, end);
    bool dead_no = f->dead;
    if (dead_no && !dead_yes)
        memcpy(f->assigned, after_yes, f->set_words * 8);
    else if (!dead_no && !dead_yes)
        for (size_t i = 0; i < f->set_words; i++)
            f->assigned[i] &= after_yes[i];
    f->dead = dead || (dead_yes && dead_no);
}

static void
for_stmt(fn_t *f, node_t *node)
{
    for_t loop;

    sl_for_begin(f, &loop, node->loop.vars, node->loop.x, node->pos);
    stmts(f, &node->loop.body);
    sl_for_end(f, &loop, node->loop.vars, node->pos);
}

static void
while_stmt(fn_t *f, node_t *node)
{
    loop_t loop = {f->loop, -1, -1, -1};
    bool dead = f->dead;
    int start = (int)f->n_instrs;

    sl_condition(f, node->branch.condition, false, &loop.breaks);
    uint64_t *before = copy_set(f, f->assigned);
    f->loop = &loop;
    stmts(f, &node->branch.yes);
    f->loop = loop.outer;
    sl_patch_here(f, loop.continues);
    sl_jump_back(f, SL_OP_LOOP, start);
    sl_patch_here(f, loop.breaks);
    f->dead = dead;
    if (before != NULL)
        memcpy(f->assigned, before, f->set_words * 8);
}

static void
return_stmt(fn_t *f, node_t *node)
{
    int value = node->x != NULL ? sl_expr_any(f, node->x) : -1;

    for (loop_t *loop = f->loop; loop != NULL; loop = loop->outer)
        if (loop->reg >= 0)
            sl_emit(f, SL_OP_ITER_END, loop->reg, 0, 0);
    if (value >= 0)
        sl_emit(f, SL_OP_RETURN, value, 0, 0);
    else
        sl_emit(f, SL_OP_RETURN_NONE, 0, 0, 0);
    f->dead = true;
}

static void
load_stmt(fn_t *f, node_t *node)
{
    int module = sl_temps(f, 3), value = module + 2;

    sl_emit_d(f, SL_OP_CONST, module + 1, sl_constant(f, node->load.path));
    sl_place(f, node->pos);
    sl_emit_d(f, SL_OP_LOAD, module, sl_constant(f, node->load.path));
    for (uint32_t i = 0; i < node->load.count; i++) {
        sl_place(f, node->load.from[i]->pos);
        sl_emit(f, SL_OP_LOAD_NAME, value, module, 0);
        sl_emit_name(f, node->load.from[i]->ident.name);
        sl_assign(f, node->load.to[i], value, node->pos);
    }
}

static void
stmt(fn_t *f, node_t *node)
{
    int mark = f->next;

    switch (node->kind) {
    case N_EXPR:
        if (node->x->kind != N_LITERAL)
            sl_expr_any(f, node->x);
        break;
    case N_ASSIGN:
        if (node->op == T_EQ)
            assignment(f, node);
        else
            augmented(f, node);
        break;
    case N_IF:
        if_stmt(f, node);
        break;
    case N_FOR:
        for_stmt(f, node);
        break;
    case N_WHILE:
        while_stmt(f, node);
        break;
    case N_RETURN:
        return_stmt(f, node);
        break;
    case N_BRANCH:
        sl_jump(f, node->op == T_BREAK ? &f->loop->breaks : &f->loop->continues);
        f->dead = true;
        break;
    case N_LOAD:
        load_stmt(f, node);
        break;
    case N_DEF: {
        int local = sl_plain_local(node->def.name), reg = local >= 0 ? local : sl_temp(f);
        sl_compile_function(f, node->def.function, reg);
        sl_assign(f, node->def.name, reg, node->pos);
        break;
    }
    default:
        break;
    }
    f->next = mark;
}

static void
stmts(fn_t *f, list_t *list)
{
    for (uint32_t i = 0; i < list->count && !f->c->failed; i++)
        stmt(f, list->items[i]);
}

/* ------------------------------------------------------------------ functions */

/* Variables that inner functions see live in cells from the start. */
static void
make_cells(fn_t *f, uint32_t n_params)
{
    for (uint32_t i = 0; i < f->function->n_locals; i++) {
        if (i < n_params)
            sl_set_add(f->assigned, i);
        if (f->function->locals[i]->scope != SCOPE_CELL)
            continue;
        if (i >= n_params)
            sl_emit(f, SL_OP_ABSENT, (int)i, 0, 0);
        sl_emit(f, SL_OP_CELL, (int)i, 0, 0);
    }
}

static sl_code_t *
function_code(compiler_t *c, fn_t *outer, function_t *function, uint32_t n_params)
{
    fn_t f;
    sl_code_t *code = NULL;

    if (function->n_locals > SL_REGISTERS_MAX / 2) {
        sl_fail_kind(c->star, STAR_ERROR_LIMIT, "function %s has more than %d variables",
                     function->name->bytes, SL_REGISTERS_MAX / 2);
        c->failed = true;
    }
    if (sl_fn_init(&f, c, outer, function)) {
        make_cells(&f, n_params);
        stmts(&f, &function->body);
        sl_emit(&f, SL_OP_RETURN_NONE, 0, 0, 0);
        code = sl_finish(&f);
    }
    sl_fn_done(&f);
    return code;
}

/* The tuple of defaults: of the parameters from the first that has one; those without
 * (keyword-only) are absent. */
static bool
defaults_to(fn_t *f, function_t *function, int dst)
{
    int first = -1, count = 0;

    for (uint32_t i = 0; i < function->n_params; i++) {
        param_t *param = &function->params[i];
        if (param->kind > PARAM_DEFAULT || (param->kind == PARAM_PLAIN && first < 0))
            continue;
        int reg = sl_temp(f);
        if (first < 0)
            first = reg;
        count++;
        if (param->kind == PARAM_DEFAULT)
            sl_expr_to(f, param->value, reg);
        else
            sl_emit(f, SL_OP_ABSENT, reg, 0, 0);
    }
    if (count > 0)
        sl_emit(f, SL_OP_TUPLE, dst, first, count);
    return count > 0;
}

void
sl_compile_function(fn_t *f, function_t *function, int dst)
{
    int mark = f->next;
    /* The closure is put together in a temporary: a default may read the variable it goes to. */
    int reg = dst >= f->n_locals ? dst : sl_temp(f);
    bool defaults = defaults_to(f, function, reg);
    uint32_t n_params = 0;

    for (uint32_t i = 0; i < function->n_params; i++)
        n_params += function->params[i].name != NULL;
    sl_code_t *code = f->c->failed ? NULL : function_code(f->c, f, function, n_params);
    if (code != NULL) {
        int at = sl_emit_d(f, SL_OP_FUNCTION, reg, sl_constant(f, sl_value(code)));
        if (!f->c->failed)
            f->instrs[at].x = defaults;
        if (reg != dst)
            sl_emit(f, SL_OP_MOVE, dst, reg, 0);
    }
    f->next = mark;
}

static sl_globals_t *
make_globals(star_t *s, const file_t *file)
{
    sl_tuple_t *names = sl_tuple_new(s, file->n_globals);

    if (names == NULL)
        return NULL;
    for (uint32_t i = 0; i < file->n_globals; i++)
        names->items[i] = sl_value(file->globals[i]->first->ident.name);
    sl_globals_t *globals =
        sl_heap_new(s, SL_GLOBALS, sizeof *globals + file->n_globals * sizeof(value_t));
    if (globals == NULL)
        return NULL;
    globals->obj.extra = file->n_globals;
    globals->names = sl_value(names);
    memset(globals->slots, 0, file->n_globals * sizeof(value_t));
    return globals;
}

sl_code_t *
sl_compile(star_t *s, const char *name, const char *text, size_t length, value_t env,
           bool expression, sl_globals_t **ret_globals)
{
    arena_t arena = {.star = s};
    compiler_t c = {.star = s, .arena = &arena};
    sl_code_t *code = NULL;
    file_t *file = NULL;

    if (length > SL_STRING_MAX / 2) {
        sl_fail_kind(s, STAR_ERROR_LIMIT, "file of %zu bytes is too long: the limit is %d", length,
                     SL_STRING_MAX / 2);
        return NULL;
    }
    s->compiling++;
    file = sl_parse(s, &arena, name, text, length, expression);
    if (file != NULL && sl_resolve(s, &arena, file, env)) {
        c.file = file->name;
        file->toplevel->body = file->body;
        sl_globals_t *globals = make_globals(s, file);
        if (globals != NULL)
            code = function_code(&c, NULL, file->toplevel, 0);
        if (code != NULL) {
            code->is_toplevel = true;
            *ret_globals = globals;
        }
    }
    sl_arena_done(&arena);
    s->compiling--;
    if (code == NULL && !s->failed)
        sl_fail_memory(s);
    return code;
}
