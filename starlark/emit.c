/*  emit: instructions, constants, jumps; and the finished code of a function. */
#include "starlark/compile.h"
#include "starlark/ops.h"

bool
sl_set_has(const uint64_t *set, uint32_t index)
{
    return set[index / 64] >> (index % 64) & 1;
}

void
sl_set_add(uint64_t *set, uint32_t index)
{
    set[index / 64] |= (uint64_t)1 << (index % 64);
}

bool
sl_fn_init(fn_t *f, compiler_t *c, fn_t *outer, function_t *function)
{
    *f = (fn_t){.c = c, .outer = outer, .function = function};
    f->n_locals = (int)function->n_locals;
    f->next = f->n_locals;
    f->most = (uint32_t)f->n_locals;
    f->set_words = function->n_locals / 64 + 1;
    f->assigned = sl_arena_alloc(c->arena, f->set_words * 8);
    f->unsure = sl_arena_alloc(c->arena, f->set_words * 8);
    if (f->assigned == NULL || f->unsure == NULL)
        c->failed = true;
    return !c->failed;
}

void
sl_fn_done(fn_t *f)
{
    star_t *s = f->c->star;

    sl_free(s, f->instrs, f->instrs_capacity * sizeof *f->instrs);
    sl_free(s, f->constants, f->constants_capacity * sizeof *f->constants);
    sl_free(s, f->places, f->places_capacity * sizeof *f->places);
    sl_free(s, f->loops, f->loops_capacity * sizeof *f->loops);
    if (f->constant_table != NULL)
        sl_free(s, f->constant_table, (f->constant_mask + 1) * sizeof *f->constant_table);
}

/* ------------------------------------------------------------------ instructions */

static int
emit(fn_t *f, sl_instr_t instr)
{
    if (f->c->failed || sl_grow(f->c->star, (void **)&f->instrs, &f->instrs_capacity, sizeof instr,
                                f->n_instrs + 1) < 0) {
        f->c->failed = true;
        return 0;
    }
    f->instrs[f->n_instrs] = instr;
    return (int)f->n_instrs++;
}

int
sl_emit_x(fn_t *f, int op, int x, int a, int b, int c)
{
    sl_instr_t instr = {.word = 0};
    instr.op = (uint8_t)op;
    instr.x = (uint8_t)x;
    instr.a = (uint16_t)a;
    instr.b = (uint16_t)b;
    instr.c = (uint16_t)c;
    return emit(f, instr);
}

int
sl_emit(fn_t *f, int op, int a, int b, int c)
{
    return sl_emit_x(f, op, 0, a, b, c);
}

int
sl_emit_d(fn_t *f, int op, int a, int d)
{
    sl_instr_t instr = {.word = 0};
    instr.op = (uint8_t)op;
    instr.a = (uint16_t)a;
    instr.d = d;
    return emit(f, instr);
}

void
sl_emit_name(fn_t *f, sl_string_t *name)
{
    sl_instr_t instr = {.word = 0};
    instr.name = (uint32_t)sl_constant(f, sl_value(name));
    instr.cache = f->n_caches++;
    emit(f, instr);
}

void
sl_place(fn_t *f, pos_t pos)
{
    if (f->n_places > 0) {
        sl_place_t *last = &f->places[f->n_places - 1];
        if (last->line == pos.line && last->column == pos.column)
            return;
        if (last->pc == f->n_instrs) {
            last->line = pos.line;
            last->column = pos.column;
            return;
        }
    }
    if (f->c->failed || sl_grow(f->c->star, (void **)&f->places, &f->places_capacity,
                                sizeof *f->places, f->n_places + 1) < 0) {
        f->c->failed = true;
        return;
    }
    f->places[f->n_places++] = (sl_place_t){(uint32_t)f->n_instrs, pos.line, pos.column};
}

/* ------------------------------------------------------------------ constants and registers */

static bool
rehash(fn_t *f)
{
    size_t mask = f->constant_table == NULL ? 31 : f->constant_mask * 2 + 1;
    uint32_t *table = sl_realloc(f->c->star, NULL, 0, (mask + 1) * sizeof *table);

    if (table == NULL)
        return false;
    memset(table, 0, (mask + 1) * sizeof *table);
    for (size_t i = 0; i < f->n_constants; i++) {
        size_t slot = sl_hash_bytes(&f->constants[i], sizeof(value_t)) & mask;
        while (table[slot] != 0)
            slot = (slot + 1) & mask;
        table[slot] = (uint32_t)i + 1;
    }
    if (f->constant_table != NULL)
        sl_free(f->c->star, f->constant_table, (f->constant_mask + 1) * sizeof *table);
    f->constant_table = table;
    f->constant_mask = mask;
    return true;
}

int
sl_constant(fn_t *f, value_t value)
{
    if (f->c->failed)
        return 0;
    if ((f->constant_table == NULL || f->n_constants * 2 > f->constant_mask) && !rehash(f)) {
        f->c->failed = true;
        return 0;
    }
    size_t slot = sl_hash_bytes(&value, sizeof value) & f->constant_mask;
    for (; f->constant_table[slot] != 0; slot = (slot + 1) & f->constant_mask)
        if (sl_same(f->constants[f->constant_table[slot] - 1], value))
            return (int)f->constant_table[slot] - 1;
    if (sl_grow(f->c->star, (void **)&f->constants, &f->constants_capacity, sizeof value,
                f->n_constants + 1) < 0) {
        f->c->failed = true;
        return 0;
    }
    f->constants[f->n_constants] = value;
    f->constant_table[slot] = (uint32_t)f->n_constants + 1;
    return (int)f->n_constants++;
}

int
sl_temps(fn_t *f, int count)
{
    int first = f->next;

    f->next += count;
    if (f->next > SL_REGISTERS_MAX) {
        if (!f->c->failed)
            sl_fail_kind(f->c->star, STAR_ERROR_LIMIT, "function %s needs more than %d registers",
                         f->function->name->bytes, SL_REGISTERS_MAX);
        f->c->failed = true;
        f->next = first;
        return 0;
    }
    if ((uint32_t)f->next > f->most)
        f->most = (uint32_t)f->next;
    return first;
}

int
sl_temp(fn_t *f)
{
    return sl_temps(f, 1);
}

/* ------------------------------------------------------------------ jumps */

void
sl_jump(fn_t *f, int *chain)
{
    *chain = sl_emit_d(f, SL_OP_JUMP, 0, *chain);
}

void
sl_jump_if(fn_t *f, int reg, bool sense, int *chain)
{
    *chain = sl_emit_d(f, sense ? SL_OP_JTRUE : SL_OP_JFALSE, reg, *chain);
}

void
sl_patch(fn_t *f, int chain, int target)
{
    while (chain >= 0 && !f->c->failed) {
        int next = f->instrs[chain].d;
        f->instrs[chain].d = target - (chain + 1);
        chain = next;
    }
}

void
sl_patch_here(fn_t *f, int chain)
{
    sl_patch(f, chain, (int)f->n_instrs);
}

void
sl_jump_back(fn_t *f, int op, int target)
{
    sl_emit_d(f, op, 0, target - ((int)f->n_instrs + 1));
}

/* ------------------------------------------------------------------ finished code */

static void *
moved(fn_t *f, const void *items, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *copy = sl_realloc(f->c->star, NULL, 0, count * size);
    if (copy == NULL)
        f->c->failed = true;
    else if (items != NULL)
        memcpy(copy, items, count * size);
    else
        memset(copy, 0, count * size);
    return copy;
}

/* Locals that are read where they may have no value start absent. Jumps are relative, so that
 * instructions may be put before all others. */
static void
prepend_absents(fn_t *f)
{
    size_t count = 0;

    for (int i = 0; i < f->n_locals; i++)
        count += sl_set_has(f->unsure, (uint32_t)i);
    if (count == 0 || f->c->failed)
        return;
    if (sl_grow(f->c->star, (void **)&f->instrs, &f->instrs_capacity, sizeof *f->instrs,
                f->n_instrs + count) < 0) {
        f->c->failed = true;
        return;
    }
    memmove(f->instrs + count, f->instrs, f->n_instrs * sizeof *f->instrs);
    f->n_instrs += count;
    size_t at = 0;
    for (int i = 0; i < f->n_locals; i++)
        if (sl_set_has(f->unsure, (uint32_t)i)) {
            f->instrs[at].word = 0;
            f->instrs[at].op = SL_OP_ABSENT;
            f->instrs[at++].a = (uint16_t)i;
        }
    for (size_t i = 0; i < f->n_places; i++)
        f->places[i].pc += (uint32_t)count;
    for (size_t i = 0; i < f->n_loops; i++) {
        f->loops[i].start += (uint32_t)count;
        f->loops[i].end += (uint32_t)count;
    }
}

static void
set_params(fn_t *f, sl_code_t *code)
{
    function_t *function = f->function;
    size_t at = 0;

    code->params = moved(f, NULL, code->n_params_all, sizeof *code->params);
    if (code->params == NULL)
        code->n_params_all = 0;
    for (int pass = 0; pass < 3; pass++) /* plain ones, then *args, then **kwargs */
        for (uint32_t i = 0; i < function->n_params && at < code->n_params_all; i++) {
            param_t *param = &function->params[i];
            int of_pass = param->kind == PARAM_STAR ? 1 : param->kind == PARAM_STARSTAR ? 2 : 0;
            if (of_pass == pass && param->name != NULL)
                code->params[at++] = param->name->ident.name;
        }
}

static void
set_captures(fn_t *f, sl_code_t *code)
{
    code->captures = moved(f, NULL, code->n_captures, sizeof *code->captures);
    if (code->captures == NULL)
        code->n_captures = 0;
    for (size_t i = 0; i < code->n_captures; i++) {
        binding_t *binding = f->function->free[i];
        code->captures[i] =
            (sl_capture_t){binding->scope == SCOPE_FREE, (uint16_t)binding->index,
                           (uint32_t)sl_constant(f, sl_value(binding->first->ident.name))};
    }
}

sl_code_t *
sl_finish(fn_t *f)
{
    function_t *function = f->function;
    sl_code_t *code = f->c->failed ? NULL : sl_heap_new(f->c->star, SL_CODE, sizeof *code);
    size_t params = 0;

    if (code == NULL) {
        f->c->failed = true;
        return NULL;
    }
    prepend_absents(f);
    sl_obj_t header = code->obj;
    *code = (sl_code_t){.obj = header,
                        .name = function->name,
                        .file = f->c->file,
                        .line = function->pos.line,
                        .column = function->pos.column};
    for (uint32_t i = 0; i < function->n_params; i++)
        params += function->params[i].kind <= PARAM_DEFAULT;
    code->n_params = (uint16_t)params;
    code->n_keyword_only = (uint16_t)function->n_keyword_only;
    code->has_varargs = function->has_varargs;
    code->has_kwargs = function->has_kwargs;
    code->n_params_all = (uint16_t)(params + function->has_varargs + function->has_kwargs);
    code->simple = code->n_params_all == params && function->n_keyword_only == 0;
    code->n_registers = f->most;
    code->n_captures = function->n_free;
    set_params(f, code);
    set_captures(f, code);
    if (function->body.count > 0 && function->body.items[0]->kind == N_EXPR &&
        function->body.items[0]->x->kind == N_LITERAL && function->body.items[0]->x->op == T_STRING)
        code->doc = SL_STRING_OF(function->body.items[0]->x->literal);
    code->constants = moved(f, f->constants, f->n_constants, sizeof *f->constants);
    code->instrs = moved(f, f->instrs, f->n_instrs, sizeof *f->instrs);
    code->places = moved(f, f->places, f->n_places, sizeof *f->places);
    code->loops = moved(f, f->loops, f->n_loops, sizeof *f->loops);
    code->n_constants = code->constants != NULL ? f->n_constants : 0;
    code->n_instrs = code->instrs != NULL ? f->n_instrs : 0;
    code->n_places = code->places != NULL ? f->n_places : 0;
    code->n_loops = code->loops != NULL ? f->n_loops : 0;
    code->n_caches = f->n_caches;
    if (!f->c->failed && (code->notes = sl_notes_new(f->c->star, code)) == NULL)
        f->c->failed = true;
    return f->c->failed ? NULL : code;
}

sl_notes_t *
sl_notes_new(star_t *s, sl_code_t *code)
{
    size_t size = sizeof(sl_notes_t) + code->n_caches * sizeof(sl_cache_t);
    sl_notes_t *notes = sl_realloc(s, NULL, 0, size);

    if (notes == NULL)
        return NULL;
    memset(notes, 0, size);
    notes->code = code;
    notes->n_caches = (uint32_t)code->n_caches;
    return notes;
}

void
sl_notes_free(star_t *s, sl_notes_t *notes)
{
    if (notes != NULL)
        sl_free(s, notes, sizeof *notes + notes->n_caches * sizeof *notes->caches);
}

void
sl_code_release(star_t *s, sl_code_t *code)
{
    sl_free(s, code->params, code->n_params_all * sizeof *code->params);
    sl_free(s, code->captures, code->n_captures * sizeof *code->captures);
    sl_free(s, code->constants, code->n_constants * sizeof *code->constants);
    sl_free(s, code->instrs, code->n_instrs * sizeof *code->instrs);
    sl_free(s, code->places, code->n_places * sizeof *code->places);
    sl_free(s, code->loops, code->n_loops * sizeof *code->loops);
    sl_notes_free(s, code->notes);
}
