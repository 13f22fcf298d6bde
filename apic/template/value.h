/*  value: what a template computes with, the memory it lies in, and the text that is written.
 *
 *  A value that lies in a map or list is "boxed" (an interface {} in Go) until it is the result of
 * a pipeline. That shows in two places: a field of a boxed null is an error while one of an unboxed
 * null is nothing, and errors name the type of a boxed value interface {}.
 */
#ifndef KURTOSIS_APIC_TEMPLATE_VALUE_H
#define KURTOSIS_APIC_TEMPLATE_VALUE_H

#include "apic/template/template.h"

#include <stdint.h>

/* X(name, Go's type, what Go's reflect calls its kind is the comment) */
#define TPL_KINDS(X)                                                                               \
    X(NONE, "<nil>")        /* no value: an absent key, or null once it is unboxed */              \
    X(NULL, "interface {}") /* null in a map or list; always boxed */                              \
    X(BOOL, "bool")                                                                                \
    X(INT, "int")     /* constants, len, indexes */                                                \
    X(INT64, "int64") /* Int64 of a number of the data */                                          \
    X(BYTE, "uint8")  /* index of a string */                                                      \
    X(FLOAT, "float64")                                                                            \
    X(COMPLEX, "complex128") /* 1i */                                                              \
    X(STRING, "string")                                                                            \
    X(NUM, "json.Number") /* a number of the data, as its text */                                  \
    X(LIST, "[]interface {}")                                                                      \
    X(MAP, "map[string]interface {}")

typedef enum {
#define TPL_KIND(name, type) TPL_##name,
    TPL_KINDS(TPL_KIND)
#undef TPL_KIND
} tpl_kind_t;

/* Bytes that lie elsewhere; NULs count as others do. */
typedef struct {
    const char *bytes;
    size_t len;
} tpl_text_t;

typedef struct tpl_value tpl_value_t;
typedef struct tpl_entry tpl_entry_t;

struct tpl_value {
    tpl_kind_t kind : 8;
    bool boxed;
    union {
        bool truth;
        int64_t number; /* INT, INT64, BYTE */
        struct {
            double real, imaginary; /* FLOAT has no imaginary part */
        };
        tpl_text_t text; /* STRING, NUM */
        struct {
            union {
                const tpl_value_t *items;   /* LIST */
                const tpl_entry_t *entries; /* MAP, sorted by key, keys differ */
            };
            size_t count;
        };
    };
};

struct tpl_entry {
    tpl_text_t key;
    tpl_value_t value;
};

#define TPL_NO_VALUE ((tpl_value_t){.kind = TPL_NONE})
#define TPL_TEXT_OF(literal) ((tpl_text_t){(literal), sizeof(literal) - 1})

static inline tpl_value_t
tpl_string(tpl_text_t text)
{
    return (tpl_value_t){.kind = TPL_STRING, .text = text};
}

static inline tpl_value_t
tpl_bool(bool truth)
{
    return (tpl_value_t){.kind = TPL_BOOL, .truth = truth};
}

static inline tpl_value_t
tpl_int(int64_t number)
{
    return (tpl_value_t){.kind = TPL_INT, .number = number};
}

/* The value outside of its box; null becomes none. */
static inline tpl_value_t
tpl_unboxed(tpl_value_t value)
{
    if (value.kind == TPL_NULL)
        return TPL_NO_VALUE;
    value.boxed = false;
    return value;
}

bool tpl_is_nil(const tpl_value_t *value);           /* none or null */
bool tpl_is_text(const tpl_value_t *value);          /* STRING or NUM */
bool tpl_is_integer(const tpl_value_t *value);       /* INT, INT64 or BYTE */
bool tpl_is_true(const tpl_value_t *value);          /* for if, and, or, not */
const char *tpl_type_name(const tpl_value_t *value); /* of the value itself; lent for ever */
const char *
tpl_boxed_type_name(const tpl_value_t *value); /* interface {} where it is boxed; lent for ever */
bool tpl_text_is(tpl_text_t a, tpl_text_t b);
int tpl_text_compare(tpl_text_t a, tpl_text_t b); /* bytewise: <0, 0, >0 */
/* The element of a map, boxed; none when the key is absent. */
tpl_value_t tpl_map_get(const tpl_value_t *map, tpl_text_t key);

/* --------------------------------------------------------------------------------------- memory */

/* Memory that is freed as a whole. */
typedef struct tpl_block tpl_block_t;
typedef struct {
    tpl_block_t *blocks;
    size_t left; /* bytes that may still be taken */
} tpl_arena_t;

#define TPL_ARENA ((tpl_arena_t){.left = TEMPLATE_MEMORY_MAX})

void tpl_arena_done(tpl_arena_t *self);
/* size bytes of zeros, aligned for anything; NULL with LIMIT when there is no more. */
void *tpl_arena_alloc(tpl_arena_t *self, size_t size, err_t **err);
/* A copy of the bytes. */
int tpl_arena_text(tpl_arena_t *self, const char *bytes, size_t len, tpl_text_t *ret, err_t **err);

/* --------------------------------------------------------------------------------------- output */

/* Text that is written and must not grow without end. What is too much is left out, and is_full
 * remembers it. */
typedef struct {
    str_t *text;
    size_t left;
    bool is_full;
} tpl_out_t;

void tpl_out_bytes(tpl_out_t *self, const char *bytes, size_t len);
void tpl_out_add(tpl_out_t *self, const char *text);
void tpl_out_char(tpl_out_t *self, uint32_t c); /* as UTF-8 */
void tpl_out_repeat(tpl_out_t *self, char c, size_t count);
/* LIMIT when something was left out. */
int tpl_out_check(const tpl_out_t *self, err_t **err);

#endif
