/*  compile_expr: expressions, conditions and assignment to code. */
#include "starlark/compile.h"
#include "starlark/ops.h"

static node_t *
unparen(node_t *node)
{
    while (node->kind == N_PAREN)
        node = node->x;
    return node;
}

int
sl_plain_local(const node_t *node)
{
    return node->kind == N_IDENT && node->ident.binding->scope == SCOPE_LOCAL
               ? (int)node->ident.binding->index
               : -1;
}

/* May `dst` be written before all operands were read? Not if it is a variable. */
static bool
is_temp(const fn_t *f, int reg)
{
    return reg >= f->n_locals;
}

/* ------------------------------------------------------------------ variables */

static void
check(fn_t *f, int reg, node_t *ident)
{
    sl_place(f, ident->pos);
    sl_emit_d(f, SL_OP_CHECK, reg, sl_constant(f, sl_value(ident->ident.name)));
}

static void
check_local(fn_t *f, node_t *ident)
{
    uint32_t index = ident->ident.binding->index;

    if (!sl_set_has(f->assigned, index)) {
        sl_set_add(f->unsure, index);
        check(f, (int)index, ident);
    }
}

static void
ident_to(fn_t *f, node_t *node, int dst)
{
    binding_t *binding = node->ident.binding;

    switch (binding->scope) {
    case SCOPE_LOCAL:
        check_local(f, node);
        if (dst != (int)binding->index)
            sl_emit(f, SL_OP_MOVE, dst, (int)binding->index, 0);
        break;
    case SCOPE_CELL:
        sl_emit(f, SL_OP_CELL_GET, dst, (int)binding->index, 0);
        if (!sl_set_has(f->assigned, binding->index))
            check(f, dst, node);
        break;
    case SCOPE_FREE:
        sl_place(f, node->pos);
        sl_emit(f, SL_OP_FREE_GET, dst, (int)binding->index, 0);
        break;
    case SCOPE_GLOBAL:
        sl_place(f, node->pos);
        sl_emit_d(f, SL_OP_GLOBAL_GET, dst, (int)binding->index);
        break;
    default:
        sl_emit_d(f, SL_OP_CONST, dst, sl_constant(f, binding->value));
    }
}

void
sl_mark_assigned(fn_t *f, node_t *target)
{
    target = unparen(target);
    if (target->kind == N_IDENT &&
        (target->ident.binding->scope == SCOPE_LOCAL || target->ident.binding->scope == SCOPE_CELL))
        sl_set_add(f->assigned, target->ident.binding->index);
    else if (target->kind == N_TUPLE || target->kind == N_LIST)
        for (uint32_t i = 0; i < target->seq.items.count; i++)
            sl_mark_assigned(f, target->seq.items.items[i]);
}

static void
assign_ident(fn_t *f, node_t *node, int value)
{
    binding_t *binding = node->ident.binding;

    switch (binding->scope) {
    case SCOPE_LOCAL:
        if (value != (int)binding->index)
            sl_emit(f, SL_OP_MOVE, (int)binding->index, value, 0);
        break;
    case SCOPE_CELL:
        sl_emit(f, SL_OP_CELL_SET, (int)binding->index, value, 0);
        break;
    case SCOPE_GLOBAL:
        sl_emit_d(f, SL_OP_GLOBAL_SET, value, (int)binding->index);
        break;
    default:
        break;
    }
    sl_mark_assigned(f, node);
}

/* Plain local variables in consecutive registers: the first one; else -1. */
static int
consecutive(const list_t *targets)
{
    int first = targets->count > 0 ? sl_plain_local(targets->items[0]) : -1;

    for (uint32_t i = 1; first >= 0 && i < targets->count; i++)
        if (sl_plain_local(targets->items[i]) != first + (int)i)
            return -1;
    return first;
}

void
sl_assign(fn_t *f, node_t *left, int value, pos_t pos)
{
    int mark = f->next;

    left = unparen(left);
    switch (left->kind) {
    case N_IDENT:
        assign_ident(f, left, value);
        break;
    case N_INDEX: {
        int container = sl_expr_any(f, left->two.x), key = sl_expr_any(f, left->two.y);
        sl_place(f, left->pos);
        sl_emit(f, SL_OP_SET_INDEX, container, key, value);
        break;
    }
    case N_DOT: {
        int object = sl_expr_any(f, left->dot.x);
        sl_place(f, left->pos);
        sl_emit(f, SL_OP_SET_ATTR, object, value, 0);
        sl_emit_name(f, left->dot.name);
        break;
    }
    case N_TUPLE:
    case N_LIST: {
        list_t *targets = &left->seq.items;
        int first = consecutive(targets);
        bool direct = first >= 0;
        if (!direct)
            first = sl_temps(f, (int)targets->count);
        sl_place(f, pos);
        sl_emit(f, SL_OP_UNPACK, first, value, (int)targets->count);
        for (uint32_t i = 0; i < targets->count && !direct; i++)
            sl_assign(f, targets->items[i], first + (int)i, pos);
        if (direct)
            sl_mark_assigned(f, left);
        break;
    }
    default:
        break;
    }
    f->next = mark;
}

/* ------------------------------------------------------------------ operators */

/* A literal int that fits an instruction. */
static bool
immediate(node_t *node, int *ret_value)
{
    int sign = 1;

    node = unparen(node);
    if (node->kind == N_UNARY && node->op == T_MINUS) {
        sign = -1;
        node = unparen(node->x);
    }
    if (node->kind != N_LITERAL || node->op != T_INT || !sl_is_int(node->literal))
        return false;
    int64_t value = sl_int_of(node->literal) * sign;
    if (value < INT16_MIN || value > INT16_MAX)
        return false;
    *ret_value = (int)value;
    return true;
}

static int
binary_op(token_kind_t op)
{
    switch (op) {
    case T_PLUS:
    case T_PLUS_EQ:
        return SL_OP_ADD;
    case T_MINUS:
    case T_MINUS_EQ:
        return SL_OP_SUB;
    case T_STAR:
    case T_STAR_EQ:
        return SL_OP_MUL;
    case T_SLASH:
    case T_SLASH_EQ:
        return SL_OP_DIV;
    case T_SLASHSLASH:
    case T_SLASHSLASH_EQ:
        return SL_OP_FLOORDIV;
    case T_PERCENT:
    case T_PERCENT_EQ:
        return SL_OP_MOD;
    case T_AMP:
    case T_AMP_EQ:
        return SL_OP_AND;
    case T_PIPE:
    case T_PIPE_EQ:
        return SL_OP_OR;
    case T_CIRCUMFLEX:
    case T_CIRCUMFLEX_EQ:
        return SL_OP_XOR;
    case T_LTLT:
    case T_LTLT_EQ:
        return SL_OP_SHL;
    case T_GTGT:
    case T_GTGT_EQ:
        return SL_OP_SHR;
    case T_IN:
        return SL_OP_IN;
    case T_NOT_IN:
        return SL_OP_NOT_IN;
    case T_EQL:
        return SL_OP_EQ;
    case T_NEQ:
        return SL_OP_NE;
    case T_LT:
        return SL_OP_LT;
    case T_LE:
        return SL_OP_LE;
    case T_GT:
        return SL_OP_GT;
    default:
        return SL_OP_GE;
    }
}

static int
immediate_op(int op)
{
    switch (op) {
    case SL_OP_ADD:
        return SL_OP_ADD_INT;
    case SL_OP_SUB:
        return SL_OP_SUB_INT;
    case SL_OP_MUL:
        return SL_OP_MUL_INT;
    case SL_OP_FLOORDIV:
        return SL_OP_FLOORDIV_INT;
    case SL_OP_MOD:
        return SL_OP_MOD_INT;
    default:
        return -1;
    }
}

/* An operand: a variable's register, or computed into `into` if that is a temporary nobody reads.
 */
static int
operand(fn_t *f, node_t *node, int into)
{
    node = unparen(node);
    int local = sl_plain_local(node);
    if (local >= 0) {
        check_local(f, node);
        return local;
    }
    int reg = into >= 0 && is_temp(f, into) ? into : sl_temp(f);
    sl_expr_to(f, node, reg);
    return reg;
}

/* dst = x OP y, with y a node. */
static void
operate(fn_t *f, int op, int dst, int x, node_t *y, pos_t pos)
{
    int value;

    if (immediate_op(op) >= 0 && immediate(y, &value)) {
        sl_place(f, pos);
        sl_emit(f, immediate_op(op), dst, x, value & 0xffff);
        return;
    }
    int reg = operand(f, y, -1);
    sl_place(f, pos);
    sl_emit(f, op, dst, x, reg);
}

static void
logical_to(fn_t *f, node_t *node, int dst)
{
    int end = -1, reg = is_temp(f, dst) ? dst : sl_temp(f);

    sl_expr_to(f, node->two.x, reg);
    sl_jump_if(f, reg, node->op == T_OR, &end);
    sl_expr_to(f, node->two.y, reg);
    sl_patch_here(f, end);
    if (reg != dst)
        sl_emit(f, SL_OP_MOVE, dst, reg, 0);
}

static void
binary_to(fn_t *f, node_t *node, int dst)
{
    if (node->op == T_AND || node->op == T_OR) {
        logical_to(f, node, dst);
        return;
    }
    operate(f, binary_op(node->op), dst, operand(f, node->two.x, dst), node->two.y, node->pos);
}

static void
unary_to(fn_t *f, node_t *node, int dst)
{
    int value;

    if (node->op == T_MINUS && immediate(node, &value)) {
        sl_emit_d(f, SL_OP_INT, dst, value);
        return;
    }
    int x = operand(f, node->x, dst);
    sl_place(f, node->pos);
    sl_emit(f,
            node->op == T_NOT     ? SL_OP_NOT
            : node->op == T_MINUS ? SL_OP_NEG
            : node->op == T_PLUS  ? SL_OP_POS
                                  : SL_OP_INVERT,
            dst, x, 0);
}

/* ------------------------------------------------------------------ conditions */

static bool
is_comparison(const node_t *node)
{
    return node->kind == N_BINARY && (node->op == T_EQL || node->op == T_NEQ || node->op == T_LT ||
                                      node->op == T_LE || node->op == T_GT || node->op == T_GE);
}

static void
compare_jump(fn_t *f, node_t *node, bool sense, int *chain)
{
    int value, distance = binary_op(node->op) - SL_OP_EQ;
    int x = operand(f, node->two.x, -1);

    if (immediate(node->two.y, &value)) {
        sl_place(f, node->pos);
        sl_emit_x(f, SL_OP_JEQ_INT + distance, sense, x, 0, value & 0xffff);
    } else {
        int y = operand(f, node->two.y, -1);
        sl_place(f, node->pos);
        sl_emit_x(f, SL_OP_JEQ + distance, sense, x, y, 0);
    }
    sl_jump(f, chain);
}

void
sl_condition(fn_t *f, node_t *node, bool sense, int *chain)
{
    int mark = f->next;

    node = unparen(node);
    if (node->kind == N_UNARY && node->op == T_NOT) {
        sl_condition(f, node->x, !sense, chain);
    } else if (node->kind == N_BINARY && (node->op == T_AND || node->op == T_OR)) {
        bool shortcut = node->op == T_OR; /* the value that decides at once */
        if (shortcut == sense) {
            sl_condition(f, node->two.x, sense, chain);
            sl_condition(f, node->two.y, sense, chain);
        } else {
            int skip = -1;
            sl_condition(f, node->two.x, shortcut, &skip);
            sl_condition(f, node->two.y, sense, chain);
            sl_patch_here(f, skip);
        }
    } else if (is_comparison(node)) {
        compare_jump(f, node, sense, chain);
    } else {
        sl_jump_if(f, operand(f, node, -1), sense, chain);
    }
    f->next = mark;
}

static void
cond_to(fn_t *f, node_t *node, int dst)
{
    int no = -1, end = -1;

    sl_condition(f, node->cond.condition, false, &no);
    sl_expr_to(f, node->cond.yes, dst);
    sl_jump(f, &end);
    sl_patch_here(f, no);
    sl_expr_to(f, node->cond.no, dst);
    sl_patch_here(f, end);
}

/* ------------------------------------------------------------------ calls */

typedef struct {
    int positional, named, flags;
    node_t *varargs, *kwargs;
    value_t *names;
} args_t;

static void
compile_args(fn_t *f, const list_t *list, args_t *args)
{
    args->names = sl_arena_alloc(f->c->arena, (list->count + 1) * sizeof *args->names);
    if (args->names == NULL) {
        f->c->failed = true;
        return;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        node_t *arg = list->items[i];
        if (arg->kind == N_STAR_ARG) {
            args->varargs = arg->x;
        } else if (arg->kind == N_STARSTAR_ARG) {
            args->kwargs = arg->x;
        } else if (arg->kind == N_NAMED_ARG) {
            args->names[args->named++] = sl_value(arg->two.x->ident.name);
            sl_expr_to(f, arg->two.y, sl_temp(f));
        } else {
            args->positional++;
            sl_expr_to(f, arg, sl_temp(f));
        }
    }
    if (args->varargs != NULL) {
        args->flags |= 2;
        sl_expr_to(f, args->varargs, sl_temp(f));
    }
    if (args->kwargs != NULL) {
        args->flags |= 4;
        sl_expr_to(f, args->kwargs, sl_temp(f));
    }
}

static void
call_to(fn_t *f, node_t *node, int dst)
{
    node_t *function = unparen(node->call.function);
    bool method = function->kind == N_DOT;
    bool reuse = is_temp(f, dst) && dst == f->next - 1;
    int base = reuse ? dst : sl_temp(f);
    args_t args = {.flags = method};

    if (method) {
        sl_temp(f);
        int object = operand(f, function->dot.x, base + 1);
        sl_place(f, function->pos);
        sl_emit(f, SL_OP_METHOD, base, object, 0);
        sl_emit_name(f, function->dot.name);
        f->next = base + 2;
    } else {
        sl_expr_to(f, function, base);
    }
    compile_args(f, &node->call.args, &args);
    sl_place(f, node->pos);
    if (args.named == 0 && !(args.flags & 6)) {
        sl_emit(f, method ? SL_OP_CALL_METHOD : SL_OP_CALL, base, args.positional, 0);
    } else {
        value_t names =
            f->c->failed ? STAR_ABSENT : sl_tuple_of(f->c->star, args.names, (size_t)args.named);
        if (!star_ok(names))
            f->c->failed = true;
        sl_emit_x(f, SL_OP_CALL_FULL, args.flags, base, args.positional, args.named);
        sl_instr_t word = {.word = 0};
        word.name = (uint32_t)sl_constant(f, names);
        word.cache = f->n_caches++;
        sl_emit(f, 0, 0, 0, 0);
        if (!f->c->failed)
            f->instrs[f->n_instrs - 1] = word;
    }
    if (dst != base)
        sl_emit(f, SL_OP_MOVE, dst, base, 0);
}

/* ------------------------------------------------------------------ displays and comprehensions */

enum { DIRECT_MAX = 64 }; /* items of a display that are put together from registers */

static void
sequence_to(fn_t *f, node_t *node, int dst)
{
    list_t *items = &node->seq.items;
    int op = node->kind == N_LIST ? SL_OP_LIST : SL_OP_TUPLE;

    if (items->count <= DIRECT_MAX) {
        int first = f->next;
        for (uint32_t i = 0; i < items->count; i++)
            sl_expr_to(f, items->items[i], sl_temp(f));
        sl_place(f, sl_node_start(node));
        sl_emit(f, op, dst, first, (int)items->count);
        return;
    }
    int list = sl_temp(f);
    sl_place(f, sl_node_start(node));
    sl_emit(f, SL_OP_LIST, list, 0, 0);
    for (uint32_t i = 0; i < items->count; i++) {
        int mark = f->next;
        sl_emit(f, SL_OP_LIST_ADD, list, operand(f, items->items[i], -1), 0);
        f->next = mark;
    }
    sl_emit(f, op == SL_OP_LIST ? SL_OP_MOVE : SL_OP_LIST_TUPLE, dst, list, 0);
}

static void
dict_to(fn_t *f, node_t *node, int dst)
{
    int dict = is_temp(f, dst) ? dst : sl_temp(f);

    sl_place(f, node->pos);
    sl_emit(f, SL_OP_DICT, dict, 0, 0);
    for (uint32_t i = 0; i < node->seq.items.count; i++) {
        node_t *entry = node->seq.items.items[i];
        int mark = f->next, key = operand(f, entry->two.x, -1),
            value = operand(f, entry->two.y, -1);
        sl_place(f, entry->pos);
        sl_emit(f, SL_OP_DICT_ADD, dict, key, value);
        f->next = mark;
    }
    if (dict != dst)
        sl_emit(f, SL_OP_MOVE, dst, dict, 0);
}

void
sl_for_begin(fn_t *f, for_t *state, node_t *vars, node_t *x, pos_t pos)
{
    int iteration = sl_temps(f, 2);

    *state = (for_t){.loop = {f->loop, -1, -1, iteration}, .jump = -1, .dead = f->dead};
    int mark = f->next, container = operand(f, x, iteration);
    sl_place(f, pos);
    sl_emit(f, SL_OP_ITER, iteration, container, 0);
    f->next = mark;
    state->start = f->n_instrs;
    sl_jump(f, &state->jump);
    f->loop = &state->loop;
    state->assigned = sl_arena_alloc(f->c->arena, f->set_words * 8);
    if (state->assigned == NULL)
        f->c->failed = true;
    else
        memcpy(state->assigned, f->assigned, f->set_words * 8);
    /* The item arrives in the variable, or in the register after the iteration's two. */
    int item = sl_plain_local(vars);
    if (item < 0)
        sl_assign(f, vars, sl_temp(f), pos);
    else
        sl_mark_assigned(f, vars);
}

void
sl_for_end(fn_t *f, for_t *state, node_t *vars, pos_t pos)
{
    int iteration = state->loop.reg, item = sl_plain_local(vars);

    sl_patch_here(f, state->loop.continues);
    sl_patch_here(f, state->jump);
    sl_place(f, pos);
    sl_emit(f, SL_OP_NEXT, iteration, item >= 0 ? item : iteration + 2, 0);
    sl_jump_back(f, SL_OP_JUMP, (int)state->start + 1);
    sl_patch_here(f, state->loop.breaks);
    sl_emit(f, SL_OP_ITER_END, iteration, 0, 0);
    if (!f->c->failed && sl_grow(f->c->star, (void **)&f->loops, &f->loops_capacity,
                                 sizeof *f->loops, f->n_loops + 1) == 0)
        f->loops[f->n_loops++] =
            (sl_loop_t){(uint32_t)state->start, (uint32_t)f->n_instrs - 1, (uint16_t)iteration};
    else
        f->c->failed = true;
    f->loop = state->loop.outer;
    f->dead = state->dead;
    if (state->assigned != NULL)
        memcpy(f->assigned, state->assigned, f->set_words * 8);
}

/* The clauses from `index` on, innermost the body. */
static void
clauses(fn_t *f, node_t *node, uint32_t index, int result)
{
    int mark = f->next;

    if (index == node->comp.clauses.count) {
        node_t *body = node->comp.body;
        if (node->comp.is_dict) {
            int key = operand(f, body->two.x, -1), value = operand(f, body->two.y, -1);
            sl_place(f, body->pos);
            sl_emit(f, SL_OP_DICT_SET, result, key, value);
        } else {
            sl_emit(f, SL_OP_LIST_ADD, result, operand(f, body, -1), 0);
        }
    } else if (node->comp.clauses.items[index]->kind == N_IF_CLAUSE) {
        int skip = -1;
        sl_condition(f, node->comp.clauses.items[index]->x, false, &skip);
        clauses(f, node, index + 1, result);
        sl_patch_here(f, skip);
    } else {
        node_t *clause = node->comp.clauses.items[index];
        for_t loop;
        sl_for_begin(f, &loop, clause->two.x, clause->two.y, clause->pos);
        clauses(f, node, index + 1, result);
        sl_for_end(f, &loop, clause->two.x, clause->pos);
    }
    f->next = mark;
}

static void
comprehension_to(fn_t *f, node_t *node, int dst)
{
    int result = is_temp(f, dst) ? dst : sl_temp(f);

    sl_place(f, node->comp.start);
    sl_emit(f, node->comp.is_dict ? SL_OP_DICT : SL_OP_LIST, result, 0, 0);
    clauses(f, node, 0, result);
    if (result != dst)
        sl_emit(f, SL_OP_MOVE, dst, result, 0);
}

static void
slice_to(fn_t *f, node_t *node, int dst)
{
    int first = sl_temps(f, 4);
    node_t *parts[] = {node->slice.low, node->slice.high, node->slice.step};

    sl_expr_to(f, node->slice.x, first);
    for (int i = 0; i < 3; i++) {
        if (parts[i] != NULL)
            sl_expr_to(f, parts[i], first + 1 + i);
        else
            sl_emit_d(f, SL_OP_CONST, first + 1 + i, sl_constant(f, SL_NONE));
    }
    sl_place(f, node->pos);
    sl_emit(f, SL_OP_SLICE, dst, first, 0);
}

static void
literal_to(fn_t *f, value_t value, int dst)
{
    if (sl_is_int(value) && sl_int_of(value) >= INT32_MIN && sl_int_of(value) <= INT32_MAX)
        sl_emit_d(f, SL_OP_INT, dst, (int)sl_int_of(value));
    else
        sl_emit_d(f, SL_OP_CONST, dst, sl_constant(f, value));
}

/* ------------------------------------------------------------------ all expressions */

void
sl_expr_to(fn_t *f, node_t *node, int dst)
{
    int mark = f->next;

    if (f->c->failed)
        return;
    node = unparen(node);
    switch (node->kind) {
    case N_IDENT:
        ident_to(f, node, dst);
        break;
    case N_LITERAL:
        literal_to(f, node->literal, dst);
        break;
    case N_UNARY:
        unary_to(f, node, dst);
        break;
    case N_BINARY:
        binary_to(f, node, dst);
        break;
    case N_COND:
        cond_to(f, node, dst);
        break;
    case N_DOT: {
        int object = operand(f, node->dot.x, dst);
        sl_place(f, node->pos);
        sl_emit(f, SL_OP_ATTR, dst, object, 0);
        sl_emit_name(f, node->dot.name);
        break;
    }
    case N_CALL:
        call_to(f, node, dst);
        break;
    case N_INDEX: {
        int container = operand(f, node->two.x, dst);
        int key = operand(f, node->two.y, -1);
        sl_place(f, node->pos);
        sl_emit(f, SL_OP_INDEX, dst, container, key);
        break;
    }
    case N_SLICE:
        slice_to(f, node, dst);
        break;
    case N_LIST:
    case N_TUPLE:
        sequence_to(f, node, dst);
        break;
    case N_DICT:
        dict_to(f, node, dst);
        break;
    case N_COMPREHENSION:
        comprehension_to(f, node, dst);
        break;
    case N_LAMBDA:
        sl_compile_function(f, node->def.function, dst);
        break;
    default:
        break;
    }
    f->next = mark;
}

int
sl_expr_any(fn_t *f, node_t *node)
{
    return operand(f, node, -1);
}
