/*  compile: what the files of the compiler share.
 *
 *  Each function becomes code for a machine of registers: parameters and locals have fixed ones,
 * temporaries are a stack above them. Emitting after a failure does nothing, so that only the end
 * has to look at `failed`.
 */
#ifndef STARLARK_COMPILE_H
#define STARLARK_COMPILE_H

#include "starlark/code.h"
#include "starlark/syntax.h"

typedef struct loop {
    struct loop *outer;
    int breaks, continues; /* chains of jumps to be patched, -1: none */
    int reg;               /* of the iteration; -1 for `while` */
} loop_t;

typedef struct compiler {
    star_t *star;
    arena_t *arena;
    sl_string_t *file;
    bool failed;
} compiler_t;

typedef struct fn {
    compiler_t *c;
    struct fn *outer;
    function_t *function;
    sl_instr_t *instrs;
    value_t *constants;
    sl_place_t *places;
    sl_loop_t *loops;
    size_t n_instrs, n_constants, n_places, n_loops;
    size_t instrs_capacity, constants_capacity, places_capacity, loops_capacity;
    uint32_t n_caches;
    uint32_t *constant_table; /* hash index of constants */
    size_t constant_mask;
    int n_locals;
    int next;           /* first free temporary */
    uint32_t most;      /* registers needed */
    uint64_t *assigned; /* set of locals that surely have a value here */
    uint64_t *unsure;   /* locals that are checked somewhere, and so must start absent */
    size_t set_words;
    bool dead; /* the code here cannot be reached */
    loop_t *loop;
} fn_t;

/* ---- emit.c ---- */

int sl_emit(fn_t *f, int op, int a, int b, int c); /* index of the instruction */
int sl_emit_x(fn_t *f, int op, int x, int a, int b, int c);
int sl_emit_d(fn_t *f, int op, int a, int d);
void sl_emit_name(fn_t *f, sl_string_t *name); /* the second word N */
/* The next instruction can fail here. */
void sl_place(fn_t *f, pos_t pos);
int sl_constant(fn_t *f, value_t value);
int sl_temp(fn_t *f); /* a free register */
int sl_temps(fn_t *f, int count);
/* Jumps to a place not known yet form chains; `*chain` starts as -1. */
void sl_jump(fn_t *f, int *chain);
void sl_jump_if(fn_t *f, int reg, bool sense, int *chain);
void sl_patch(fn_t *f, int chain, int target);
void sl_patch_here(fn_t *f, int chain);
void sl_jump_back(fn_t *f, int op, int target);
sl_code_t *sl_finish(fn_t *f);
void sl_fn_done(fn_t *f);
bool sl_fn_init(fn_t *f, compiler_t *c, fn_t *outer, function_t *function);
bool sl_set_has(const uint64_t *set, uint32_t index);
void sl_set_add(uint64_t *set, uint32_t index);

/* ---- compile_expr.c ---- */

void sl_expr_to(fn_t *f, node_t *node, int dst);
/* The value in some register: that of a variable, or a new temporary. */
int sl_expr_any(fn_t *f, node_t *node);
/* Goes on, or jumps if the truth of `node` is `sense`. */
void sl_condition(fn_t *f, node_t *node, bool sense, int *chain);
/* Gives the value in a register to a variable, element, field, or to several. */
void sl_assign(fn_t *f, node_t *left, int value, pos_t pos);
/* If the target is a plain local variable, its register, else -1. */
int sl_plain_local(const node_t *node);
void sl_mark_assigned(fn_t *f, node_t *target);
/* R[dst] = the iterated items of `x`, one by one in `vars`, around a body that the caller compiles
 * in between. */
typedef struct {
    loop_t loop;
    int jump;
    size_t start;
    uint64_t *assigned;
    bool dead;
} for_t;
void sl_for_begin(fn_t *f, for_t *loop, node_t *vars, node_t *x, pos_t pos);
void sl_for_end(fn_t *f, for_t *loop, node_t *vars, pos_t pos);

/* ---- compile.c ---- */

/* R[dst] = the function. */
void sl_compile_function(fn_t *f, function_t *function, int dst);

#endif
