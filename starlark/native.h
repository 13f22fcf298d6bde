/*  native: what the functions written in C use to look at their arguments. Messages as in the Go
 * implementation. */
#ifndef STARLARK_NATIVE_H
#define STARLARK_NATIVE_H

#include "starlark/ops.h"

/* Between `least` and `most` positional arguments and no named ones. */
bool sl_positional(star_t *s, const star_args_t *args, size_t least, size_t most);
/* Argument `index`, which is there, as a string or an int: "f: for parameter 1: got int, want
 * string". */
bool sl_arg_string(star_t *s, const star_args_t *args, size_t index, sl_string_t **ret_string);
bool sl_arg_int(star_t *s, const star_args_t *args, size_t index, int64_t *ret_int);
bool sl_arg_iterable(star_t *s, const star_args_t *args, size_t index);
/* "f: for parameter NAME: got T, want WANT" */
bool sl_bad_param(star_t *s, const star_args_t *args, const char *name, value_t got,
                  const char *want);
/* "f: MESSAGE" from the error that is set. Always false. */
bool sl_prefix_error(star_t *s, const char *name);
/* Calls a value from C code: the only way for a builtin with SL_CALLS_BACK. */
value_t sl_call_value(star_t *s, value_t callee, const value_t *args, size_t n_args,
                      const value_t *names, const value_t *named, size_t n_named);
/* int(x) of a number: "cannot convert string to int". */
value_t sl_number_to_int(star_t *s, value_t x);

/* A module of functions. */
value_t sl_library(star_t *s, const char *name, const sl_native_t *table);

#define SL_COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif
