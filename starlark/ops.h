/*  ops: what values do, in all cases. For the files of this folder only. A bool result is false
 * after an error. */
#ifndef STARLARK_OPS_H
#define STARLARK_OPS_H

#include "starlark/heap.h"

/* ---- compare.c ---- */

/* 1, 0, or -1 failed. Values nested deeper than `depth` fail. */
int sl_equal(star_t *s, value_t a, value_t b, int depth);
/* The same for an ordering operator, of values of any types. */
int sl_compare(star_t *s, star_compare_t op, value_t a, value_t b, int depth);
bool sl_hash(star_t *s, value_t value, uint32_t *ret_hash);
int sl_string_compare(const sl_string_t *a, const sl_string_t *b);
bool sl_truth(value_t value);
/* Sorts in place, stably. `keys`, if given, decide the order and are moved along. */
bool sl_sort(star_t *s, value_t *items, value_t *keys, size_t count, bool reverse);

/* ---- binary.c ---- */

/* In the order of star_op_t. */
value_t sl_binary(star_t *s, star_op_t op, value_t a, value_t b);
value_t sl_negate(star_t *s, value_t v);
value_t sl_plus(star_t *s, value_t v);
value_t sl_invert(star_t *s, value_t v);
int sl_contains(star_t *s, value_t container, value_t item); /* 1, 0, -1 */
/* a += b and a |= b: lists and dicts are changed in place. */
value_t sl_add_in(star_t *s, value_t a, value_t b);
value_t sl_or_in(star_t *s, value_t a, value_t b);

/* ---- index.c ---- */

value_t sl_index(star_t *s, value_t container, value_t key);
bool sl_set_index(star_t *s, value_t container, value_t key, value_t value);
value_t sl_slice(star_t *s, value_t container, value_t low, value_t high, value_t step);
/* The item at *cursor: 1, 0 at the end, -1 failed. Starts at 0. */
int sl_next(star_t *s, value_t container, uint64_t *cursor, value_t *ret_item);
/* May it be iterated? Locks lists, dicts and sets against changes; sl_iter_done() unlocks. */
bool sl_iter_start(star_t *s, value_t container);
void sl_iter_done(value_t container);
/* Number of items, -1 if it has none (not iterable, or unknown). */
int64_t sl_count(value_t value);
/* Appends all items to a list. */
bool sl_list_extend(star_t *s, sl_list_t *list, value_t iterable);

/* ---- attr.c ---- */

/* value.name: 1, 0 no such attribute (no error set), -1 failed. */
int sl_attr(star_t *s, value_t value, sl_string_t *name, value_t *ret_value);
/* Fails with "T has no .x field or method (did you mean .y?)". */
bool sl_attr_missing(star_t *s, value_t value, sl_string_t *name);
bool sl_set_attr(star_t *s, value_t value, sl_string_t *name, value_t attr);
/* The builtin of a method of a built-in type, or NULL. */
sl_builtin_t *sl_method(star_t *s, sl_type_t type, const sl_string_t *name);
int sl_methods_init(star_t *s);

/* ---- int.c: ints of any size ---- */

value_t sl_int(star_t *s, int64_t i);
bool sl_is_integer(value_t v); /* small or big */
value_t sl_int_add(star_t *s, value_t a, value_t b);
value_t sl_int_sub(star_t *s, value_t a, value_t b);
value_t sl_int_mul(star_t *s, value_t a, value_t b);
value_t sl_int_floordiv(star_t *s, value_t a, value_t b); /* b is not 0 */
value_t sl_int_mod(star_t *s, value_t a, value_t b);
value_t sl_int_bits(star_t *s, star_op_t op, value_t a, value_t b);
value_t sl_int_shift(star_t *s, value_t a, int64_t left);
value_t sl_int_negate(star_t *s, value_t a);
int sl_int_compare(value_t a, value_t b);
int sl_int_sign(value_t a);
/* Exact comparison: -1, 0, 1. `d` is not NaN. */
int sl_int_compare_double(value_t a, double d);
double sl_int_double(value_t a); /* rounded to nearest; infinite if too large */
/* Of an integral, finite double. */
value_t sl_int_of_double(star_t *s, double d);
uint32_t sl_int_hash(value_t a);
/* Digits in base 2, 8, 10 or 16 (`upper`: ABCDEF). */
bool sl_int_put(star_t *s, star_text_t *text, value_t a, int base, bool upper);
/* Digits only; absent without an error if one is not of the base (2 to 36). */
value_t sl_int_parse(star_t *s, const char *digits, size_t length, int base, bool negative);
bool sl_get_index(value_t v, int64_t *ret_index); /* fits int64 */

/* ---- float.c ---- */

/* The shortest digits that read back as `d`, in %g form; without a forced ".0". */
size_t sl_float_shortest(double d, char out[40]);
/* As str() has it. */
void sl_float_put(star_text_t *text, double d);
/* printf's e, f, g, E, F, G of the Go implementation. */
void sl_float_format(star_text_t *text, double d, char verb);
/* Reads all of the text as a float literal: false if it is not one. Infinite if too large. */
bool sl_float_parse(const char *text, size_t length, double *ret_double);
uint32_t sl_float_hash(star_t *s, double d);
value_t sl_float_mod(double a, double b);

/* ---- repr.c ---- */

bool sl_put_value(star_t *s, star_text_t *text, value_t value, bool quoted);
value_t sl_str(star_t *s, value_t value);
/* str(value) for a message; "" if it fails, which is then the error. */
const char *sl_shown(star_t *s, value_t value);

/* ---- utf8.c ---- */

/* The code point at `bytes` and its length; of a wrong byte U+FFFD and 1. */
uint32_t sl_utf8_get(const char *bytes, size_t length, size_t *ret_length);
size_t sl_utf8_put(uint32_t code, char out[4]);
bool sl_unicode_printable(uint32_t code);
/* Appends UTF-8 with every wrong byte as U+FFFD. */
void sl_put_utf8(star_text_t *text, const char *bytes, size_t length);

/* ---- format.c ---- */

value_t sl_percent(star_t *s, sl_string_t *format, value_t args);
value_t sl_format(star_t *s, const star_args_t *args);

/* ---- call.c ---- */

const char *sl_nearest(const char *word, value_t names, size_t skip_after);

/* ---- builtin.c, lib_*.c ---- */

int sl_universe_init(star_t *s);
/* Pairs or a mapping, then named arguments, into a dict: dict() and dict.update(). */
bool sl_dict_update(star_t *s, sl_dict_t *dict, const star_args_t *args);
bool sl_set_extend(star_t *s, sl_dict_t *set, value_t iterable);
typedef struct {
    const char *name;
    star_function_fn *function;
    uint32_t flags;
} sl_native_t;
/* Puts a table of functions into a dict: "json.encode" as "encode". */
bool sl_natives_put(star_t *s, sl_dict_t *dict, const sl_native_t *table);
extern const sl_native_t sl_string_methods[], sl_bytes_methods[], sl_list_methods[],
    sl_dict_methods[], sl_set_methods[], sl_universe[];
/* lib_time.c: attributes and operators of its values, as sl_attr() and star_type_t.binary. */
int sl_time_attr(star_t *s, value_t value, const sl_string_t *name, value_t *ret_value);
int sl_time_binary(star_t *s, star_op_t op, value_t a, value_t b, value_t *ret_value);
bool sl_time_put(star_t *s, star_text_t *text, value_t value);
extern const char *const sl_time_names[], *const sl_duration_names[];
int sl_time_order(value_t a, value_t b); /* -1, 0, 1 */

#endif
