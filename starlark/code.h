/*  code: what the compiler makes and the machine runs. For the files of this folder only. */
#ifndef STARLARK_CODE_H
#define STARLARK_CODE_H

#include "starlark/state.h"

/* An instruction: 8 bytes. a, b, c are registers unless opcodes.def says otherwise. */
union sl_instr {
    struct {
        uint8_t op;
        uint8_t x;
        uint16_t a;
        union {
            struct {
                uint16_t b;
                union {
                    uint16_t c;
                    int16_t i; /* a small int */
                };
            };
            int32_t d; /* a jump, counted from the next instruction; or an index */
        };
    };
    struct {            /* the second word of an instruction with one */
        uint32_t name;  /* a constant */
        uint32_t cache; /* an inline cache */
    };
    uint64_t word;
};

enum sl_op {
#define OP(name, words, operands, effect) SL_OP_##name,
#include "starlark/opcodes.def"
#undef OP
    SL_OP_COUNT
};

typedef struct {
    uint32_t pc;
    uint32_t line, column;
} sl_place_t;

/* A `for` loop: between start and end, the container in register `reg` is being iterated. */
typedef struct {
    uint32_t start, end;
    uint16_t reg;
} sl_loop_t;

/* What a GETATTR or METHOD instruction found last time. */
typedef struct {
    uintptr_t key;  /* a shape, a module, or a type number */
    uint32_t index; /* of the field */
    value_t value;  /* of the module's member; the builtin of the type's method */
    sl_obj_t
        *keeps; /* what `key` points at, kept alive so that the address stays its own; or NULL */
} sl_cache_t;

/* Where a closure's free variable comes from, when the function is made. */
typedef struct {
    bool from_free; /* a free variable of the maker; else a cell in its register */
    uint16_t index;
    uint32_t name; /* constant */
} sl_capture_t;

/* What an interpreter notes about a function while it runs it. That of its own code is at
 * `code->notes`; of the code of an image, which many interpreters run at once, each has its own in
 * its table. */
typedef struct sl_notes {
    sl_code_t *code;
    uint32_t active; /* activations on the call stack, for the recursion check */
    uint32_t n_caches;
    sl_cache_t caches[];
} sl_notes_t;

/* A compiled function. */
struct sl_code {
    sl_obj_t obj;
    sl_notes_t *notes; /* NULL: of an image */
    sl_string_t *name, *file, *doc;
    uint32_t line, column;   /* of def or lambda */
    uint16_t n_params;       /* without *args and **kwargs: they come after */
    uint16_t n_keyword_only; /* the last of n_params */
    uint16_t n_params_all;
    bool has_varargs, has_kwargs, is_toplevel;
    bool simple; /* only positional parameters: no keyword-only, *args, **kwargs */
    uint32_t n_registers;
    sl_string_t **params; /* n_params_all names */
    sl_instr_t *instrs;
    value_t *constants;
    sl_place_t *places;
    sl_capture_t *captures;
    sl_loop_t *loops;
    size_t n_instrs, n_constants, n_places, n_caches, n_captures, n_loops;
};

void sl_code_release(star_t *s, sl_code_t *code);
sl_notes_t *sl_notes_new(star_t *s, sl_code_t *code);
void sl_notes_free(star_t *s, sl_notes_t *notes);
/* Those of this interpreter about the code of an image; NULL after an error. */
sl_notes_t *sl_notes_find(star_t *s, sl_code_t *code);
static inline sl_notes_t *
sl_notes_of(star_t *s, sl_code_t *code)
{
    return SL_LIKELY(code->notes != NULL) ? code->notes : sl_notes_find(s, code);
}
/* The place of the instruction before `pc`. */
sl_place_t sl_code_place(const sl_code_t *code, const sl_instr_t *pc);
/* Source text to the function of its top level; absent after an error. `globals` receives the
 * file's variables (a new object). With `expression` the text is one expression, which the function
 * returns. */
sl_code_t *sl_compile(star_t *s, const char *file, const char *text, size_t length, value_t env,
                      bool expression, sl_globals_t **ret_globals);
/* The code in words, a line an instruction, with the functions in it. */
void sl_disassemble(star_t *s, const sl_code_t *code, star_text_t *text);

/* Objects of the time library. */
typedef struct {
    sl_obj_t obj;
    char *data; /* a TZif file; NULL: always `offset` */
    size_t size;
    int32_t offset; /* seconds east of UTC */
    char name[64];
} sl_zone_t;

typedef struct {
    sl_obj_t obj;    /* extra: nanoseconds within the second */
    int64_t seconds; /* since 1970 */
    sl_zone_t *zone; /* NULL: UTC */
} sl_time_t;

typedef struct {
    sl_obj_t obj;
    int64_t nanoseconds;
} sl_duration_t;

#endif
