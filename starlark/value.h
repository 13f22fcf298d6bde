/*  value: what a value is made of. For the files of this folder only.
 *
 *  A value is 64 bits:
 *
 *      0000 0000 0000 0000        absent: no value. An unassigned variable, a failed call
 *      0000 0000 0000 0002, 6, 7  None, False, True
 *      0000 pppp pppp pppp        pointer to an object; every object begins with an sl_obj_t
 *      0002 .... to fff2 ....     a double, with 0002 added to its top 16 bits
 *      ffff iiii iiii iiii        an int of 48 bits, two's complement
 *
 *  Ints that do not fit 48 bits are objects (sl_big_t), and only those: every int has one form, so
 *  that equal small values have equal bits.
 *
 *  Objects never move. Strings used as names in source text are interned: one object for equal
 *  bytes.
 */
#ifndef STARLARK_VALUE_H
#define STARLARK_VALUE_H

#include "starlark/starlark.h"

#include <string.h>

typedef star_value_t value_t;

#define SL_LIKELY(x) __builtin_expect(!!(x), 1)
#define SL_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define SL_TAG_INT 0xffff000000000000u
#define SL_TAG_MASK 0x0000ffffffffffffu
#define SL_DOUBLE_OFFSET 0x0002000000000000u
#define SL_INT_MAX ((int64_t)0x7fffffffffff)
#define SL_INT_MIN (-SL_INT_MAX - 1)

#define SL_NONE ((value_t){2})
#define SL_FALSE ((value_t){6})
#define SL_TRUE ((value_t){7})

/* All kinds of objects: name in C, type name in Starlark. */
#define SL_TYPES(X)                                                                                \
    X(STRING, "string")                                                                            \
    X(BYTES, "bytes")                                                                              \
    X(BIG, "int")                                                                                  \
    X(LIST, "list")                                                                                \
    X(TUPLE, "tuple")                                                                              \
    X(DICT, "dict")                                                                                \
    X(SET, "set")                                                                                  \
    X(RANGE, "range")                                                                              \
    X(FUNCTION, "function")                                                                        \
    X(BUILTIN, "builtin_function_or_method")                                                       \
    X(BOUND, "builtin_function_or_method")                                                         \
    X(STRUCT, "struct")                                                                            \
    X(MODULE, "module")                                                                            \
    X(HOST, "object")                                                                              \
    X(ELEMS, "string.elems")                                                                       \
    X(TIME, "time.time")                                                                           \
    X(DURATION, "time.duration")                                                                   \
    X(CELL, "cell")                                                                                \
    X(CODE, "code")                                                                                \
    X(GLOBALS, "globals")                                                                          \
    X(SHAPE, "shape")                                                                              \
    X(BUFFER, "buffer")                                                                            \
    X(ZONE, "zone")

typedef enum {
    SL_FREE = 0, /* an unused cell */
#define SL_TYPE_ENUM(name, text) SL_##name,
    SL_TYPES(SL_TYPE_ENUM)
#undef SL_TYPE_ENUM
        SL_TYPE_COUNT
} sl_type_t;

typedef struct {
    uint8_t type;   /* sl_type_t */
    uint8_t mark;   /* the collector's: see heap.c */
    uint8_t flags;  /* SL_FROZEN... */
    uint8_t class;  /* the heap's: size class of the cell, 0xff for a large object */
    uint32_t extra; /* the type's */
} sl_obj_t;

enum {
    SL_FROZEN = 1,   /* may not be changed, nor what it reaches */
    SL_INTERNED = 2, /* a string: in the table of interned strings */
    SL_SHARED = 4,   /* a string: its bytes are in a buffer */
    SL_OWN = 8,      /* a string: its bytes are memory of its own */
    SL_IMAGE = 16,   /* shared by interpreters: never written to; its mark is 0 */
    SL_LARGE = 0xff,
};

typedef struct {
    sl_obj_t obj; /* extra: hash, 0 if not yet known */
    uint32_t length;
    char *bytes;   /* length, and a NUL unless SL_SHARED */
    char inside[]; /* where they normally are; if SL_SHARED, the sl_buffer_t they are in */
} sl_string_t;     /* also SL_BYTES */

/* Bytes of long strings that were put together with +. A string ends where the next one goes on: s
 * + "x" is appended in place, if s ends at `used`, and s and the new string share the bytes. */
typedef struct {
    sl_obj_t obj;
    star_t *star;
    size_t used, capacity;
    char *data; /* `used` bytes and a NUL */
} sl_buffer_t;

typedef struct {
    sl_obj_t obj; /* extra: number of limbs, at least 1; the top one is not 0 */
    bool negative;
    uint64_t limbs[];
} sl_big_t;

typedef struct {
    sl_obj_t obj; /* extra: iterations going on */
    uint32_t count;
    uint32_t capacity;
    value_t *items;
} sl_list_t;

typedef struct {
    sl_obj_t obj; /* extra: count */
    value_t items[];
} sl_tuple_t;

typedef struct {
    value_t key; /* absent: removed */
    value_t value;
    uint32_t hash;
} sl_entry_t;

/* A dict or set: entries in order of insertion, and for more than SL_DICT_SMALL of them an
 * open-addressing index of entry numbers + 1. */
typedef struct {
    sl_obj_t obj;   /* extra: iterations going on */
    uint32_t count; /* entries present */
    uint32_t used;  /* entries present or removed */
    uint32_t first; /* entries before it are removed */
    uint32_t capacity;
    uint32_t mask; /* size of the index - 1; 0: no index */
    sl_entry_t *entries;
    uint32_t *index;
} sl_dict_t;
#define SL_DICT_SMALL 8

typedef struct {
    sl_obj_t obj;
    int64_t start, stop, step, count;
} sl_range_t;

typedef struct {
    sl_obj_t obj;
    value_t value;
} sl_cell_t;

/* The names of a struct's fields, sorted, shared by structs made alike. */
typedef struct {
    sl_obj_t obj;        /* extra: count */
    value_t constructor; /* absent for `struct` */
    uint32_t hash;
    value_t names[];
} sl_shape_t;

typedef struct {
    sl_obj_t obj;
    sl_shape_t *shape;
    value_t values[];
} sl_struct_t;

typedef struct {
    sl_obj_t obj;
    sl_string_t *name;
    sl_dict_t *members;
} sl_module_t;

/* A file's variables. */
typedef struct {
    sl_obj_t obj;  /* extra: count */
    value_t names; /* tuple */
    value_t slots[];
} sl_globals_t;

typedef struct sl_code sl_code_t; /* code.h */

typedef struct {
    sl_obj_t obj; /* extra: number of free variables */
    sl_code_t *code;
    sl_globals_t *globals;
    sl_tuple_t
        *defaults;  /* of the last parameters; absent items are required (keyword-only); or NULL */
    value_t free[]; /* cells */
} sl_function_t;

typedef struct {
    sl_obj_t obj; /* extra: SL_CALLS_BACK, SL_CALLED */
    sl_string_t *name;
    star_function_fn *function;
    void *user;
} sl_builtin_t;
enum {
    SL_CALLS_BACK = 1, /* it may run code, or is to be watched */
    SL_CALLED = 2,     /* it was watched and called */
};

typedef struct {
    sl_obj_t obj;
    sl_builtin_t *builtin;
    value_t self;
} sl_bound_t;

typedef struct {
    sl_obj_t obj;
    const star_type_t *type;
    size_t size;
    _Alignas(16) char data[];
} sl_host_t;

/* What .elems(), .codepoints() and their _ords forms of strings and bytes give. */
typedef struct {
    sl_obj_t obj; /* extra: sl_elems_kind_t */
    sl_string_t *string;
} sl_elems_t;
typedef enum {
    SL_BY_ELEM,
    SL_BY_ELEM_ORD,
    SL_BY_CODEPOINT,
    SL_BY_CODEPOINT_ORD,
    SL_BY_BYTE
} sl_elems_kind_t;

static inline bool
sl_same(value_t a, value_t b)
{
    return a.bits == b.bits;
}

static inline bool
sl_is_int(value_t v) /* a small one */
{
    return v.bits >= SL_TAG_INT;
}

static inline int64_t
sl_int_of(value_t v)
{
    return (int64_t)(v.bits << 16) >> 16;
}

static inline bool
sl_int_fits(int64_t i)
{
    return i >= SL_INT_MIN && i <= SL_INT_MAX;
}

static inline value_t
sl_small(int64_t i) /* i fits */
{
    return (value_t){SL_TAG_INT | ((uint64_t)i & SL_TAG_MASK)};
}

static inline bool
sl_is_float(value_t v)
{
    return v.bits - SL_DOUBLE_OFFSET < SL_TAG_INT - SL_DOUBLE_OFFSET;
}

static inline double
sl_float_of(value_t v)
{
    uint64_t bits = v.bits - SL_DOUBLE_OFFSET;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline value_t
sl_float(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    if (SL_UNLIKELY(d != d))
        bits = 0x7ff8000000000000u;
    return (value_t){bits + SL_DOUBLE_OFFSET};
}

static inline value_t
sl_bool(bool b)
{
    return b ? SL_TRUE : SL_FALSE;
}

static inline bool
sl_is_bool(value_t v)
{
    return (v.bits | 1) == 7;
}

static inline bool
sl_is_obj(value_t v)
{
    return v.bits - 16 < ((uint64_t)1 << 48) - 16;
}

static inline sl_obj_t *
sl_obj(value_t v)
{
    return (sl_obj_t *)(uintptr_t)v.bits;
}

static inline value_t
sl_value(const void *object)
{
    return (value_t){(uint64_t)(uintptr_t)object};
}

static inline bool
sl_is(value_t v, sl_type_t type)
{
    return sl_is_obj(v) && sl_obj(v)->type == type;
}

/* The object behind a value whose type is known. */
#define SL_AS(ctype, v) ((ctype *)(uintptr_t)(v).bits)
#define SL_STRING_OF(v) SL_AS(sl_string_t, v)
#define SL_LIST_OF(v) SL_AS(sl_list_t, v)
#define SL_TUPLE_OF(v) SL_AS(sl_tuple_t, v)
#define SL_DICT_OF(v) SL_AS(sl_dict_t, v)

#endif
