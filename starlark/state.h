/*  state: what an interpreter is made of. For the files of this folder only. */
#ifndef STARLARK_STATE_H
#define STARLARK_STATE_H

#include "starlark/debug.h"
#include "starlark/value.h"

/* Limits that have no option. */
enum {
    SL_NESTING_MAX = 1000,     /* of brackets, blocks and functions in source text */
    SL_CHAIN_MAX = 3000,       /* of operators in a row, as in a + b + c */
    SL_PRINT_DEPTH_MAX = 1000, /* of values inside values, for str(), hash(), json */
    SL_COMPARE_DEPTH_MAX = 10, /* of values inside values, for == and < */
    /* What is done with one value of these sizes without looking at star_cancel() takes less than
       50 ms. */
    SL_STRING_MAX = 1 << 26,  /* bytes of one string */
    SL_COUNT_MAX = 1 << 23,   /* items of one list, tuple, dict, set */
    SL_LIMBS_MAX = 16 << 10,  /* 64-bit parts of one int: a million bits */
    SL_REGISTERS_MAX = 60000, /* of one function */
    SL_SHAPES_MAX = 1 << 16,  /* shapes of structs that are shared; more are made but not shared */
    SL_DEPTH_DEFAULT = 100000,
    SL_SPARE = 512,        /* bytes of the first piece of memory of a text */
    SL_PIECE = 1 << 20,    /* bytes copied or searched between looks at star_cancel() */
    SL_TICKS = 1 << 14,    /* items looked at in C code between looks at star_cancel() */
    SL_ENTRIES_MAX = 180,  /* C code calling Starlark calling C code ... */
    SL_SAMPLE_STEPS = 100, /* steps between calls of a host's `sample` */
    SL_POLL_STEPS = 10000, /* steps between looks at star_cancel() and the step limit */
};

/* ---- heap: heap.c ---- */

#define SL_CELL_MAX 512 /* larger objects are allocated one by one */
#define SL_CLASS_COUNT (SL_CELL_MAX / 16)
#define SL_BLOCK_SIZE (32 * 1024 - 64)

typedef struct sl_block {
    struct sl_block *next;
    uint32_t cell;  /* bytes of each */
    uint32_t count; /* cells that were handed out at least once */
    _Alignas(16) char cells[];
} sl_block_t;

typedef struct sl_large {
    struct sl_large *next;
    size_t size; /* of all of this */
    _Alignas(16) sl_obj_t object;
} sl_large_t;

typedef struct {
    void *free;          /* first free cell; each holds the next after its header */
    char *bump, *end;    /* never used cells of the newest block */
    sl_block_t *blocks;  /* newest first */
    sl_block_t *unswept; /* blocks of `blocks` that the last collection has not looked at yet */
} sl_class_t;

typedef struct {
    sl_class_t classes[SL_CLASS_COUNT + 1];
    sl_large_t *large;
    size_t since;         /* bytes allocated since the last collection */
    size_t allowed;       /* since > allowed: time for the next one */
    uint8_t white, black; /* colours: they change places with each collection */
    bool wanted;
    sl_obj_t **grey; /* to be visited */
    size_t n_grey, grey_capacity;
    bool grey_overflow; /* some are marked but are not in `grey` */
    value_t *temps;     /* what open scopes and running callbacks keep alive */
    size_t n_temps, temps_capacity;
    bool log; /* new objects go into temps */
    struct sl_pin *pins;
    size_t n_pins, pins_capacity;
    sl_string_t **interned; /* open addressing; weak */
    uint32_t n_interned, interned_mask;
    sl_shape_t **shapes; /* the same */
    uint32_t n_shapes, shapes_mask;
} sl_heap_t;

typedef struct sl_pin {
    value_t value;
    uint32_t count;
} sl_pin_t;

/* ---- machine: vm.c ---- */

typedef union sl_instr sl_instr_t;

typedef struct {
    sl_code_t *code; /* NULL: C code that called into the machine */
    struct sl_notes *notes;
    sl_function_t *function;
    value_t *base;        /* its registers */
    value_t *limit;       /* end of the stack chunk they are in */
    const sl_instr_t *pc; /* the one after that which is running */
    sl_builtin_t *native; /* the builtin it is calling, or NULL */
    value_t *result;      /* where the caller wants what it returns */
} sl_frame_t;

typedef struct sl_chunk {
    struct sl_chunk *next;
    size_t count;
    value_t values[];
} sl_chunk_t;

typedef struct sl_error_part {
    struct sl_error_part *next;
    size_t size;
} sl_error_part_t;

/* A module that interpreters share. It is part of the interpreter that made it, of which only the
 * heap is left. */
struct star_image {
    uint32_t references; /* atomic */
    star_t *star;
    value_t module;
    star_image_t *next; /* of those that go away */
};

struct star {
    int64_t budget;     /* steps until the next look around: see sl_poll() */
    int64_t slice;      /* what budget was at the last look */
    uint64_t steps;     /* up to the last look */
    uint64_t looks;     /* calls of sl_poll() */
    uint32_t ticks;     /* items looked at in C code */
    uint32_t compiling; /* files, nested */
    const char *cancel; /* atomic */
    sl_heap_t heap;

    sl_frame_t *frames;
    size_t n_frames, frames_capacity;
    size_t run_frame; /* first frame of the innermost star_run() */
    sl_chunk_t *chunks;
    char *spare;      /* SL_SPARE bytes that no text uses now; or NULL */
    uint32_t entries; /* of C code into the machine, nested */

    star_options_t options;
    size_t memory, peak;
    uint64_t output;

    sl_dict_t *universe;               /* name -> value */
    sl_dict_t *methods[SL_TYPE_COUNT]; /* name -> builtin; NULL for types without */
    value_t chars[256];                /* strings of one byte, made when needed */
    value_t empty_string, empty_tuple;
    value_t lib_struct; /* made when needed */

    /* Modules of others: image.c. */
    star_image_t image;    /* what this becomes when it is shared */
    star_image_t **images; /* in use */
    size_t n_images, images_capacity;
    struct sl_notes **notes; /* about the code of images; open addressing by its address */
    uint32_t n_notes, notes_mask;

    /* The error. */
    bool failed, captured;
    star_error_kind_t error_kind;
    char *message;
    star_error_t error;
    sl_error_part_t *error_parts; /* memory of what `error` points at */
    char emergency[256];          /* message when there is no memory */
};

/* Memory: charged to the limit, fails with an error. Contents of a grown block are kept. */
void *sl_realloc(star_t *s, void *ptr, size_t old_size, size_t new_size);
void sl_free(star_t *s, void *ptr, size_t size);
/* The same without charge or error, for error messages. */
void *sl_raw_realloc(star_t *s, void *ptr, size_t old_size, size_t new_size);

/* Grows an array of `*capacity` items to hold `need`: doubles. Negative on failure. */
int sl_grow(star_t *s, void **items, size_t *capacity, size_t item_size, size_t need);

/* ---- errors: error.c ---- */

/* Sets the error (unless there is one) and returns false. */
bool sl_fail(star_t *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sl_fail_kind(star_t *s, star_error_kind_t kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool sl_fail_memory(star_t *s);
bool sl_fail_cancelled(star_t *s, const char *reason);
/* Records the call stack, if that has not happened. */
void sl_error_capture(star_t *s);
/* The same, with a last frame for a function that could not be entered. */
void sl_error_capture_callee(star_t *s, const sl_code_t *callee);
/* Memory that lives as long as the error; NULL if there is none. */
void *sl_error_alloc(star_t *s, size_t size);
char *sl_error_dup(star_t *s, const char *text, size_t length);

/* image.c: lets the images go that this interpreter uses, and its notes about them. */
void sl_images_done(star_t *s);

/* Looks around: step limit, cancellation, collector. False: the program has to stop. */
bool sl_poll(star_t *s, bool may_collect);

/* C code that goes through many items says so at each: it costs steps and is stopped as the machine
 * is. False: stop. */
bool sl_tick_slow(star_t *s);
static inline bool
sl_tick(star_t *s)
{
    return SL_LIKELY(++s->ticks % SL_TICKS != 0) || sl_tick_slow(s);
}
/* The same for `count` items at once. */
static inline bool
sl_ticks(star_t *s, uint32_t count)
{
    uint32_t before = s->ticks;
    s->ticks += count;
    return SL_LIKELY((before ^ s->ticks) < SL_TICKS) || sl_tick_slow(s);
}
/* work.c: long work in pieces. False, or NULL and s->failed: stop. The first is memcpy(). */
bool sl_copy_pieces(star_t *s, void *to, const void *from, size_t size);
static inline bool
sl_copy(star_t *s, void *to, const void *from, size_t size)
{
    if (SL_UNLIKELY(size > SL_PIECE))
        return sl_copy_pieces(s, to, from, size);
    memcpy(to, from, size);
    return true;
}
/* Fills `size` bytes with the first `length` of them, again and again. */
bool sl_repeat(star_t *s, void *to, size_t length, size_t size);
/* memmem(). */
const char *sl_search(star_t *s, const char *in, size_t length, const char *what, size_t n);

/* C code that has worked on so many bytes at once: the next look comes sooner. */
static inline void
sl_worked(star_t *s, size_t bytes)
{
    s->budget -= (int64_t)(bytes >> 6);
}

#endif
