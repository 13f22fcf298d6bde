/*  starlark: the Starlark language as a library.
 *
 *  It runs source text and gives back values. It does no I/O, has no globals and knows nothing
 * about its host: what a program may see or do beyond the language, the host hands in as values
 * (functions, types, modules).
 *
 *      star_t *star = NULL;
 *      if (star_new(&(star_options_t){.limits = {.steps = 1000000}}, &star) < 0)
 *          return -1;
 *      star_value_t env = star_dict_new(star);
 *      star_dict_put(star, env, "greet", star_function_new(star, "greet", on_greet, NULL));
 *      star_value_t module = star_run(star, "hello.star", text, strlen(text), env);
 *      if (!star_ok(module))
 *          fprintf(stderr, "%s\n", star_error(star)->text);
 *      star_destroy(&star);
 *
 *  A whole host is in starlark/example.c.
 *
 *  Interpreters and threads. A star_t and all its values belong to one thread at a time; any number
 * of them run side by side. Only star_cancel() may be called from another thread. What several are
 * to use at once is made a module, and that an image: star_image_new().
 *
 *  Values. A star_value_t is 64 bits, passed by value. It is either absent (all zero: "no value",
 * the result of a function that failed) or a Starlark value. None, booleans, floats and ints of up
 * to 48 bits are the bits themselves; everything else lives in the interpreter's heap and is
 * collected when nothing refers to it.
 *
 *  How long a value lives. The heap is only collected while Starlark code runs: inside star_run(),
 * star_eval() and star_call(). So:
 *    - In a callback of yours (host function, host type, load), every argument and every value you
 * made or got from a call stays alive until the callback returns, whatever you call in between.
 *    - Outside of callbacks, what you make stays alive until star_destroy(), or the
 * star_scope_close() of the scope in which you made it.
 *    - A value read out of a container is alive as long as the container holds it.
 *    - To keep one longer: star_pin(), or store it in a host object whose `visit` shows it.
 *
 *  Failing. A function that returns a value returns the absent one; a function that returns int
 * returns a negative number. star_error() then says why. Making values out of absent ones fails
 * too, with the first error kept, so a host may build something deep and look once at the end. A
 * callback fails by `return star_fail(star, "...")`.
 */
#ifndef STARLARK_H
#define STARLARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct star star_t;
typedef struct star_value {
    uint64_t bits;
} star_value_t;

#define STAR_ABSENT ((star_value_t){0})
static inline bool
star_ok(star_value_t value)
{
    return value.bits != 0;
}

/* ------------------------------------------------------------------ interpreter */

/* All memory goes through one function: `ptr` NULL makes, `new_size` 0 frees, else it grows or
 * shrinks. `old_size` is what was asked for before. NULL means there is no more: the program fails
 * with an error. */
typedef void *star_alloc_fn(void *user, void *ptr, size_t old_size, size_t new_size);
/* One call of print(): the text without a line end; not NUL-terminated. Negative after star_fail()
 * stops the program. `user` is that of the options, here and below. */
typedef int star_print_fn(star_t *star, const char *text, size_t length, void *user);
/* load("path", ...): the module or dict whose members are loaded, or absent after star_fail().
 * Absent callback: every load fails. */
typedef star_value_t star_load_fn(star_t *star, const char *path, void *user);
/* Nanoseconds since 1970, for time.now(). Without it time.now() fails. */
typedef int64_t star_clock_fn(void *user);
/* The bytes of the TZif file of a time zone ("Europe/Berlin"), alive until the next call; NULL if
 * there is no such zone. Without it only UTC is known. */
typedef const void *star_zone_fn(const char *name, size_t *ret_length, void *user);

/* For a profile: `steps` instructions were executed since the last call, the last of them where the
 * call stack (star_stack_frame()) is now. It must not run code or make values. With it, the
 * interpreter is slower. */
typedef void star_sample_fn(star_t *star, uint64_t steps, void *user);

/* Switches of the dialect; all are off by default. */
typedef enum {
    STAR_DIALECT_SET = 1 << 0,       /* set() and its values */
    STAR_DIALECT_RECURSION = 1 << 1, /* recursion, and `while` */
    STAR_DIALECT_GLOBAL_REASSIGN =
        1 << 2, /* globals may be assigned again; top-level if, for, while */
} star_dialect_t;

/* What a program may use; 0 means the default. Past a limit the program fails with an error that
 * names it. */
typedef struct {
    uint64_t steps;  /* instructions executed; default: no limit */
    size_t memory;   /* bytes of heap and stacks; default: 4 GiB */
    uint32_t depth;  /* nested calls; default: 100,000. Nesting of source text has its own limit of
                        1,000 */
    uint64_t output; /* bytes given to print(); default: no limit */
} star_limits_t;

typedef struct {
    star_alloc_fn *alloc; /* NULL: realloc() and free() */
    void *alloc_user;
    star_print_fn *print; /* NULL: print() discards */
    star_load_fn *load;
    star_clock_fn *clock;
    star_zone_fn *zone;
    star_sample_fn *sample;
    void *user;
    unsigned dialect; /* star_dialect_t flags */
    star_limits_t limits;
    unsigned debug; /* star_debug_t flags of starlark/debug.h; 0 */
} star_options_t;

/* An interpreter, or -1 if there is no memory. `options` may be NULL. */
int star_new(const star_options_t *options, star_t **ret_star);
/* Frees it with all its values; their finalizers run. NULL and pointers to NULL are fine. */
void star_destroy(star_t **star_p);
/* The `user` of the options. */
void *star_user(const star_t *star);
/* Asks the program to stop with the error `Starlark computation cancelled: REASON`; from any
 * thread, at any time. `reason` must outlive the interpreter. NULL takes the request back. */
void star_cancel(star_t *star, const char *reason);
/* Instructions executed so far; bytes held now and at most. */
uint64_t star_steps(const star_t *star);
size_t star_memory(const star_t *star, size_t *ret_peak);
/* Collects garbage now. Only values that are reachable, pinned or in an open scope survive. */
void star_collect(star_t *star);

/* ------------------------------------------------------------------ lifetime */

typedef size_t star_scope_t;
/* Values made between open and close are let go at close, except `keep`, which moves to the scope
 * outside. */
star_scope_t star_scope_open(star_t *star);
void star_scope_close(star_t *star, star_scope_t scope, star_value_t keep);
/* Keeps a value alive until it has been unpinned as often as pinned. */
int star_pin(star_t *star, star_value_t value);
void star_unpin(star_t *star, star_value_t value);

/* ------------------------------------------------------------------ errors */

typedef enum {
    STAR_ERROR_SYNTAX,    /* one error, at frames[0] */
    STAR_ERROR_RESOLVE,   /* one or more: each a frame whose `message` is set */
    STAR_ERROR_EVAL,      /* the program failed; frames are the call stack, outermost first */
    STAR_ERROR_LIMIT,     /* as EVAL: a limit was reached, or there was no memory */
    STAR_ERROR_CANCELLED, /* as EVAL: star_cancel() */
} star_error_kind_t;

/* A place in the source, and who was there. Lines and columns count from 1; columns count code
 * points. A frame of a built-in or host function has the file "<builtin>" and 0:0. */
typedef struct {
    const char *file;
    uint32_t line;
    uint32_t column;     /* of a call: its opening parenthesis */
    const char *name;    /* of the function; "<toplevel>" for a file's own code */
    const char *message; /* syntax and resolve errors: what is wrong here; else NULL */
} star_frame_t;

typedef struct {
    star_error_kind_t kind;
    const char *message; /* syntax, resolve: of the first; eval: without "Error: " or call stack */
    const char *text;    /* everything, in lines, as a program would print it */
    size_t n_frames;
    const star_frame_t *frames;
} star_error_t;

/* Why the last failure was; NULL if none. Lent, until star_error_clear() or the next star_run(),
 * star_eval() or star_call() made outside of callbacks. In a callback: frames are only there once a
 * nested run or call has failed. */
const star_error_t *star_error(star_t *star);
void star_error_clear(star_t *star);
/* Records a failure of the calling host function (unless there is one already: the first counts)
 * and returns the absent value; star_fail_code is the same for functions that return int, and
 * returns -1. */
star_value_t star_fail(star_t *star, const char *format, ...) __attribute__((format(printf, 2, 3)));
int star_fail_code(star_t *star, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with a text of `length` bytes, which may hold anything. */
star_value_t star_fail_text(star_t *star, const char *text, size_t length);

/* The running call stack. 0 is the innermost frame: in a host function, its own; 1 its caller, with
 * the position of the call. False past the outermost. The strings are lent until the frame returns.
 */
bool star_stack_frame(star_t *star, size_t index, star_frame_t *ret_frame);
size_t star_stack_depth(const star_t *star);

/* ------------------------------------------------------------------ running code */

/* Runs a file in a fresh module. `env` is a dict of predeclared names (string to value), or absent.
 * `file` names it in positions and is the module's name. The result is a module whose members are
 * all the file's globals, frozen deeply together with all they reach; absent on failure. May be
 * called in callbacks (this is how a host writes an import): the new module then starts a call
 * stack of its own for the recursion check, and frames of an error are those of the inner run only.
 */
star_value_t star_run(star_t *star, const char *file, const char *text, size_t length,
                      star_value_t env);
/* The value of one expression. */
star_value_t star_eval(star_t *star, const char *file, const char *text, size_t length,
                       star_value_t env);
/* Runs statements as star_run() does, but puts the globals into `env` unfrozen: for a REPL. */
int star_exec(star_t *star, const char *file, const char *text, size_t length, star_value_t env);
/* Checks syntax and names only. */
int star_check(star_t *star, const char *file, const char *text, size_t length, star_value_t env);
typedef struct star_text star_text_t;
/* The compiled code of a file, appended as text: a line an instruction. */
int star_disassemble(star_t *star, const char *file, const char *text, size_t length,
                     star_value_t env, star_text_t *out);

typedef struct {
    const char *name;
    star_value_t value;
} star_named_t;

/* Calls a function, host function, or any value that can be called. */
star_value_t star_call(star_t *star, star_value_t function, const star_value_t *args, size_t n_args,
                       const star_named_t *named, size_t n_named);

/* ------------------------------------------------------------------ values: what they are */

typedef enum {
    STAR_NONE,
    STAR_BOOL,
    STAR_INT,
    STAR_FLOAT,
    STAR_STRING,
    STAR_BYTES,
    STAR_LIST,
    STAR_TUPLE,
    STAR_DICT,
    STAR_SET,
    STAR_RANGE,
    STAR_FUNCTION, /* def and lambda */
    STAR_BUILTIN,  /* built-in and host functions, and bound methods of built-in types */
    STAR_STRUCT,
    STAR_MODULE,
    STAR_OBJECT, /* of a host type */
    STAR_OTHER,  /* what is left: string iterables, time.time, time.duration */
} star_kind_t;

star_kind_t star_kind(star_value_t value);
/* "NoneType", "int", "builtin_function_or_method", ... or the host type's name; lent. */
const char *star_type_name(star_value_t value);

star_value_t star_none(void);
star_value_t star_bool(bool value);
star_value_t star_float(double value);
star_value_t star_int(star_t *star, int64_t value);
/* From decimal digits with an optional sign. */
star_value_t star_int_text(star_t *star, const char *digits, size_t length);

bool star_get_bool(star_value_t value);
/* False if it is not an int, or does not fit. */
bool star_get_int(star_value_t value, int64_t *ret_int);
/* False if it is neither int nor float. A big int is rounded, or infinite. */
bool star_get_number(star_value_t value, double *ret_number);

/* Strings are bytes, normally UTF-8. `length` may be (size_t)-1: up to the NUL. */
star_value_t star_string(star_t *star, const char *bytes, size_t length);
star_value_t star_string_format(star_t *star, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
star_value_t star_bytes(star_t *star, const void *bytes, size_t length);
/* The bytes of a string or bytes value, with a NUL after them; NULL for anything else. `ret_length`
 * may be NULL. Lent as long as the value lives. */
const char *star_get_text(star_value_t value, size_t *ret_length);
/* Is it this string? */
bool star_is_text(star_value_t value, const char *text);

star_value_t star_list(star_t *star, const star_value_t *items, size_t count);
star_value_t star_tuple(star_t *star, const star_value_t *items, size_t count);
/* Fails on a frozen list, or one that is being iterated. */
int star_list_append(star_t *star, star_value_t list, star_value_t item);
/* Of list and tuple: item `index`, absent past the end. */
star_value_t star_at(star_value_t sequence, size_t index);
/* Of list, tuple, dict, set, range, string (bytes), bytes; of host objects with `length`. Else -1.
 */
int64_t star_length(star_value_t value);

star_value_t star_dict_new(star_t *star);
int star_dict_set(star_t *star, star_value_t dict, star_value_t key, star_value_t value);
/* Absent if there is no such key (no error is set), or on failure (unhashable key). */
star_value_t star_dict_get(star_t *star, star_value_t dict, star_value_t key);
/* The same with a string key. */
int star_dict_put(star_t *star, star_value_t dict, const char *key, star_value_t value);
star_value_t star_dict_find(star_t *star, star_value_t dict, const char *key);
/* Removes; 1 if it was there, 0 if not. */
int star_dict_remove(star_t *star, star_value_t dict, star_value_t key);
/* Walks in insertion order: *cursor starts at 0; false at the end. Do not insert or remove
 * meanwhile. */
bool star_dict_next(star_value_t dict, size_t *cursor, star_value_t *ret_key,
                    star_value_t *ret_value);

/* A set of the items; works also where the dialect has no set(). */
star_value_t star_set(star_t *star, const star_value_t *items, size_t count);

/* A struct. `constructor` decides equality and is printed before the fields: absent for `struct`,
 * or a string. The first of equal names must be the only one. */
star_value_t star_struct(star_t *star, star_value_t constructor, const star_named_t *fields,
                         size_t count);
/* Walks the fields in order of their names. */
bool star_struct_next(star_value_t structure, size_t *cursor, star_value_t *ret_name,
                      star_value_t *ret_value);

/* A module value `<module "NAME">` with these members (a dict of strings, which is frozen). */
star_value_t star_module(star_t *star, const char *name, star_value_t members);
const char *star_module_name(star_value_t module);
star_value_t star_module_get(star_t *star, star_value_t module, const char *member);
bool star_module_next(star_value_t module, size_t *cursor, star_value_t *ret_name,
                      star_value_t *ret_value);

/* ------------------------------------------------------------------ modules for many interpreters */

/* A module that any number of interpreters use at once, in any threads: nothing of it ever changes,
 * no collector looks at it, and it is counted. A host that loads files from many threads runs each
 * file once, in an interpreter of its own, and gives the image to all that load it:
 *
 *      star_value_t module = star_run(maker, "lib.star", text, length, env);
 *      star_image_t *image = NULL;
 *      if (!star_ok(module) || star_image_new(&maker, module, &image) < 0)
 *          fprintf(stderr, "%s\n", star_error(maker)->text);
 *      ...
 *      return star_image_module(star, image);       // in the load callback of other interpreters
 *      ...
 *      star_image_unref(&image);
 *
 * Functions of the module run in the interpreter that calls them: with its limits, its print and
 * load, its dialect, its call stack. What they make belongs to it. Memory of the image is charged to
 * none. What the module was made with is shared, too: host functions, whose `user` is then seen by
 * all threads, and host objects, of which only what reads is called (they are frozen). Finalizers
 * and `alloc` of the maker's options run in the thread that lets the image go. */
typedef struct star_image star_image_t;

/* Turns an interpreter into the image of `module`, one of its module values. What the module reaches
 * is frozen and stays; everything else goes away, pinned or not, and with it the interpreter:
 * *star_p is NULL. On failure (it is running, this is no module, no memory) the interpreter is as it
 * was, star_error() says why. The image has one reference, the caller's. */
int star_image_new(star_t **star_p, star_value_t module, star_image_t **ret_image);
star_image_t *star_image_ref(star_image_t *image);
/* Lets it go, and the image itself with the last reference. NULL and pointers to NULL are fine. */
void star_image_unref(star_image_t **image_p);
/* The module, as a value of this interpreter; it holds a reference until its own end. Absent if
 * there is no memory. */
star_value_t star_image_module(star_t *star, star_image_t *image);
/* Bytes held. */
size_t star_image_memory(const star_image_t *image);

/* ------------------------------------------------------------------ values: what they do */

/* 1 or 0; -1 if the comparison fails. */
int star_equal(star_t *star, star_value_t a, star_value_t b);
typedef enum { STAR_LT, STAR_LE, STAR_GT, STAR_GE, STAR_EQ, STAR_NE } star_compare_t;
int star_compare(star_t *star, star_compare_t op, star_value_t a, star_value_t b);
bool star_truth(star_value_t value);
int star_hash(star_t *star, star_value_t value, uint32_t *ret_hash);
/* Deeply, and for ever: lists, dicts and sets may not be changed any more. */
void star_freeze(star_t *star, star_value_t value);
/* value.name: 1 found, 0 there is none (no error is set), -1 failed. */
int star_get_attr(star_t *star, star_value_t value, const char *name, star_value_t *ret_value);
/* The names of its attributes, sorted: a list of strings. */
star_value_t star_dir(star_t *star, star_value_t value);

/* Iteration over list, tuple, dict (keys), set, range, string iterables and host objects with
 * `next`. The container cannot be changed between begin and end. Every begin that returned 0 needs
 * its end. */
typedef struct {
    star_value_t container;
    uint64_t cursor;
} star_iter_t;
int star_iter_begin(star_t *star, star_value_t container, star_iter_t *ret_iter);
/* 1 and *ret_item, 0 at the end, -1 failed. */
int star_iter_next(star_t *star, star_iter_t *iter, star_value_t *ret_item);
void star_iter_end(star_t *star, star_iter_t *iter);

/* ------------------------------------------------------------------ text */

/* Bytes that grow, charged to the interpreter's memory. {0} and star_text_init() make an empty one.
 * After a failure to grow it stays as it was and star_text_take() fails, so puts need no check. */
struct star_text {
    star_t *star;
    char *data; /* NUL-terminated once something was put */
    size_t length;
    size_t capacity;
    bool failed;
};

void star_text_init(star_text_t *text, star_t *star);
void star_text_done(star_text_t *text);
void star_text_put(star_text_t *text, const char *bytes, size_t length);
void star_text_puts(star_text_t *text, const char *string);
void star_text_printf(star_text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The text as a string value; frees the text. */
star_value_t star_text_take(star_text_t *text);

/* str(value) and repr(value) appended: -1 if it fails (a host type's repr failed, no memory, too
 * long). */
int star_str(star_t *star, star_value_t value, star_text_t *text);
int star_repr(star_t *star, star_value_t value, star_text_t *text);
/* The quoted form of a string, as repr() has it. */
void star_quote(star_text_t *text, const char *bytes, size_t length);

/* ------------------------------------------------------------------ functions */

/* One call of a host function. Everything is lent until it returns. */
typedef struct {
    const char *name;  /* of the function */
    void *user;        /* given with the function */
    star_value_t self; /* of a method of a host type: the receiver; else absent */
    size_t n_args;
    const star_value_t *args;
    size_t n_named;            /* named arguments, in the order of the call */
    const star_value_t *names; /* strings */
    const star_value_t *values;
} star_args_t;

/* Returns the result, or absent after star_fail(). It may call any function of this header. */
typedef star_value_t star_function_fn(star_t *star, const star_args_t *args);

/* A function value; `name` is copied. */
star_value_t star_function_new(star_t *star, const char *name, star_function_fn *function,
                               void *user);
/* The same as a method: `self` is given to every call. Prints as a built-in method of `self`. */
star_value_t star_method_new(star_t *star, const char *name, star_function_fn *function, void *user,
                             star_value_t self);

/* Many at once: puts each into the dict `env`. The table ends with a NULL name. */
typedef struct {
    const char *name;
    star_function_fn *function;
    void *user;
} star_function_t;
int star_functions_put(star_t *star, star_value_t env, const star_function_t *table);

/* Puts the arguments of a call into `ret_values`, one per name. A name ending in "?" is optional,
 * and absent if not given; one ending in "??" also takes None as not given. All after an optional
 * one are optional. Errors as in the Go implementation: `f: got 3 arguments, want at most 2`, `f:
 * missing argument for x`, `f: unexpected keyword argument "k" (did you mean x?)`, `f: got multiple
 * values for keyword argument "x"`. */
int star_args_bind(star_t *star, const star_args_t *args, const char *const *names, size_t count,
                   star_value_t *ret_values);

/* What a def or lambda looks like from outside. */
typedef struct {
    const char *name; /* "lambda" for a lambda */
    const char *file;
    uint32_t line, column; /* of `def` or `lambda` */
    const char *doc;       /* its doc string, or NULL */
    size_t n_params;       /* all of them, with *args and **kwargs last */
    size_t n_keyword_only;
    bool has_varargs, has_kwargs;
} star_function_info_t;
/* False if it is not a STAR_FUNCTION. */
bool star_function_info(star_value_t function, star_function_info_t *ret_info);
/* The name of parameter `index` and, if it has one, its default (else absent). NULL past the last.
 */
const char *star_function_param(star_value_t function, size_t index, star_value_t *ret_default);
/* The name of a function or built-in; NULL for anything else. */
const char *star_function_name(star_value_t function);

/* ------------------------------------------------------------------ host types */

typedef struct star_visitor star_visitor_t;
void star_visit(star_visitor_t *visitor, star_value_t value);

typedef enum {
    STAR_OP_ADD,
    STAR_OP_SUB,
    STAR_OP_MUL,
    STAR_OP_DIV,
    STAR_OP_FLOORDIV,
    STAR_OP_MOD,
    STAR_OP_AND,
    STAR_OP_OR,
    STAR_OP_XOR,
    STAR_OP_LSHIFT,
    STAR_OP_RSHIFT,
    STAR_OP_IN,
} star_op_t;

/* A type of the host: a constant table, alive as long as the interpreter. All but `name` may be
 * NULL. `data` is the object's memory, `self` the object. A host with many types of one make embeds
 * this as the first member of a table of its own and finds it again with star_object_type(). */
typedef struct star_type star_type_t;
struct star_type {
    const char *name;
    /* self.name: 1 and *ret_value; 0 none; -1 after star_fail(). */
    int (*attr)(star_t *star, star_value_t self, const char *name, star_value_t *ret_value);
    /* self.name = value: 0; 1 there is no such field; -1 after star_fail(). NULL: none can be
     * assigned. */
    int (*set_attr)(star_t *star, star_value_t self, const char *name, star_value_t value);
    /* Appends the names of the attributes (strings, any order) to `list`. */
    int (*dir)(star_t *star, star_value_t self, star_value_t list);
    /* How it prints; -1 after star_fail(). NULL: <NAME>. `str` NULL: as repr. */
    int (*repr)(star_t *star, star_value_t self, star_text_t *text);
    int (*str)(star_t *star, star_value_t self, star_text_t *text);
    /* 1 or 0; both are of this type. NULL: only itself. */
    int (*equal)(star_t *star, star_value_t self, star_value_t other);
    /* NULL: unhashable, `unhashable type: NAME`. Equal objects need equal hashes. */
    int (*hash)(star_t *star, star_value_t self, uint32_t *ret_hash);
    bool (*truth)(star_value_t self); /* NULL: true */
    int64_t (*length)(star_value_t self);
    star_value_t (*index)(star_t *star, star_value_t self, star_value_t key);
    int (*set_index)(star_t *star, star_value_t self, star_value_t key, star_value_t value);
    /* The item at *cursor (0 at first, below 2^47), which it moves on: 1, 0 at the end, -1 after
     * star_fail().
     */
    int (*next)(star_t *star, star_value_t self, uint64_t *cursor, star_value_t *ret_item);
    star_value_t (*call)(star_t *star, star_value_t self, const star_args_t *args);
    /* self OP other, or other OP self if `swapped`: 1 and *ret_value; 0 not defined; -1 failed. */
    int (*binary)(star_t *star, star_op_t op, star_value_t self, star_value_t other, bool swapped,
                  star_value_t *ret_value);
    /* Calls star_visit() for each value it holds: for the collector and for freeze. Must not do
     * anything else. */
    void (*visit)(void *data, star_visitor_t *visitor);
    /* The object becomes frozen (the values it shows to `visit` are frozen anyway). */
    void (*freeze)(void *data);
    /* The object goes away. Must not touch other values. */
    void (*finalize)(void *data);
    /* Messages speak of it as of a struct with the constructor "NAME": `"NAME" struct has no .x
     * attribute`. */
    bool is_record;
};

/* An object with `size` zeroed bytes, aligned for anything, which never move. */
star_value_t star_object_new(star_t *star, const star_type_t *type, size_t size);
/* Its bytes if it is of this type; NULL if not. */
void *star_object_data(star_value_t value, const star_type_t *type);
/* The type of any host object; NULL for other values. */
const star_type_t *star_object_type(star_value_t value);
bool star_object_frozen(star_value_t value);

/* ------------------------------------------------------------------ libraries */

star_value_t star_lib_json(star_t *star);   /* module: encode, decode, indent */
star_value_t star_lib_math(star_t *star);   /* module */
star_value_t star_lib_time(star_t *star);   /* module */
star_value_t star_lib_struct(star_t *star); /* function: struct(**fields) */
star_value_t star_lib_module(star_t *star); /* function: module(name, **members) */

int star_json_encode(star_t *star, star_value_t value, star_text_t *text);
star_value_t star_json_decode(star_t *star, const char *text, size_t length);
int star_json_indent(star_t *star, const char *json, size_t length, const char *prefix,
                     const char *indent, star_text_t *text);

/* The candidate a user may have meant with `word`, or NULL: equal letters but for case and `_`, or
 * a small edit distance. */
const char *star_nearest(const char *word, const char *const *candidates, size_t count);

#endif
