/*  machine: what the running loop (vm.c) and the calls (call.c) share. */
#ifndef STARLARK_MACHINE_H
#define STARLARK_MACHINE_H

#include "starlark/code.h"
#include "starlark/heap.h"

#define SL_FRAME(s) (&(s)->frames[(s)->n_frames - 1])

/* Runs the innermost frame until it returns to C code: its result, or absent after a failure. */
value_t sl_machine_run(star_t *s);

/* Makes a frame for a function and binds its arguments. `base` is where its registers go, if they
 * fit before `limit`; arguments may overlap them. False after a failure. */
bool sl_enter(star_t *s, sl_function_t *function, value_t *base, value_t *limit,
              const value_t *args, size_t n_args, const value_t *names, const value_t *named,
              size_t n_named, value_t *result);

/* Calls a builtin from the innermost frame. */
value_t sl_call_native(star_t *s, sl_builtin_t *builtin, value_t self, const value_t *args,
                       size_t n_args, const value_t *names, const value_t *named, size_t n_named);

/* Anything that can be called but a function: builtins, methods, host objects. */
value_t sl_call_other(star_t *s, value_t callee, const value_t *args, size_t n_args,
                      const value_t *names, const value_t *named, size_t n_named);

/* One tuple of all arguments of f(x, k=y, *args, **kwargs): positional ones, then names, then their
 * values. */
typedef struct {
    sl_tuple_t *all;
    size_t n_args, n_named;
} sl_spread_t;
bool sl_spread(star_t *s, const value_t *args, size_t n_args, const value_t *names, size_t n_named,
               value_t varargs, value_t kwargs, sl_spread_t *ret_spread);

/* Frees the stacks and the spare memory; nothing runs. */
void sl_stacks_done(star_t *s);

/* Leaves all frames down to the C code that entered, after a failure. */
void sl_unwind(star_t *s);

/* ---- vm_ops.c ---- */

/* FUNCTION: a closure of `code` in the running frame. */
value_t sl_op_make_function(star_t *s, const sl_frame_t *frame, sl_code_t *code, value_t defaults);
/* UNPACK: exactly `want` items. */
bool sl_op_unpack(star_t *s, value_t from, value_t *to, size_t want);
/* LOAD and LOAD_NAME. */
value_t sl_op_load_file(star_t *s, value_t path);
value_t sl_op_loaded_name(star_t *s, value_t module, value_t path, sl_string_t *name);
/* DICT_ADD: fails if the key is there. */
bool sl_op_dict_add(star_t *s, value_t dict, value_t key, value_t value);

#endif
