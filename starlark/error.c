/*  error: memory, failures and the call stack they leave. */
#include "starlark/code.h"
#include "starlark/heap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ memory */

void *
sl_raw_realloc(star_t *s, void *ptr, size_t old_size, size_t new_size)
{
    if (ptr == NULL && new_size == 0)
        return NULL;
    if (s->options.alloc != NULL)
        return s->options.alloc(s->options.alloc_user, ptr, old_size, new_size);
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

void *
sl_realloc(star_t *s, void *ptr, size_t old_size, size_t new_size)
{
    if (new_size > old_size && (new_size > s->options.limits.memory ||
                                s->memory - old_size > s->options.limits.memory - new_size)) {
        sl_fail_memory(s);
        return NULL;
    }
    if (new_size > old_size && (s->n_frames > 0 || s->compiling > 0)) {
        const char *cancel = __atomic_load_n(&s->cancel, __ATOMIC_ACQUIRE);
        if (SL_UNLIKELY(cancel != NULL)) {
            sl_fail_cancelled(s, cancel);
            return NULL;
        }
        if (new_size > SL_CELL_MAX)
            sl_worked(s, new_size);
    }
    void *fresh = sl_raw_realloc(s, ptr, old_size, new_size);
    if (fresh == NULL && new_size > 0) {
        sl_fail_memory(s);
        return NULL;
    }
    s->memory += new_size - old_size;
    if (s->memory > s->peak)
        s->peak = s->memory;
    return fresh;
}

void
sl_free(star_t *s, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    sl_raw_realloc(s, ptr, size, 0);
    s->memory -= size;
}

int
sl_grow(star_t *s, void **items, size_t *capacity, size_t item_size, size_t need)
{
    if (need <= *capacity)
        return 0;
    size_t bigger = *capacity < 8 ? 8 : *capacity * 2;
    if (bigger < need)
        bigger = need;
    void *grown = sl_realloc(s, *items, *capacity * item_size, bigger * item_size);
    if (grown == NULL)
        return -1;
    *items = grown;
    *capacity = bigger;
    return 0;
}

/* ------------------------------------------------------------------ failing */

void *
sl_error_alloc(star_t *s, size_t size)
{
    size_t whole = sizeof(sl_error_part_t) + size;
    sl_error_part_t *part = sl_raw_realloc(s, NULL, 0, whole);
    if (part == NULL)
        return NULL;
    *part = (sl_error_part_t){s->error_parts, whole};
    s->error_parts = part;
    return part + 1;
}

char *
sl_error_dup(star_t *s, const char *text, size_t length)
{
    char *copy = sl_error_alloc(s, length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

/* A text cut short would say something else: the lack of memory is the error then. */
static void
no_memory_for_error(star_t *s)
{
    s->error_kind = STAR_ERROR_LIMIT;
    s->message = s->emergency;
    snprintf(s->emergency, sizeof s->emergency,
             "out of memory: the limit is %zu bytes, %zu are in use", s->options.limits.memory,
             s->memory);
}

static bool __attribute__((format(printf, 3, 0)))
fail_v(star_t *s, star_error_kind_t kind, const char *format, va_list args)
{
    va_list again;

    if (s->failed)
        return false;
    star_error_clear(s);
    s->failed = true;
    s->error_kind = kind;
    va_copy(again, args);
    int length = vsnprintf(s->emergency, sizeof s->emergency, format, args);
    s->message = s->emergency;
    if (length >= (int)sizeof s->emergency) {
        char *text = sl_error_alloc(s, (size_t)length + 1);
        if (text != NULL) {
            vsnprintf(text, (size_t)length + 1, format, again);
            s->message = text;
        } else {
            no_memory_for_error(s);
        }
    }
    va_end(again);
    return false;
}

bool
sl_fail(star_t *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(s, STAR_ERROR_EVAL, format, args);
    va_end(args);
    return false;
}

bool
sl_fail_kind(star_t *s, star_error_kind_t kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(s, kind, format, args);
    va_end(args);
    return false;
}

bool
sl_fail_memory(star_t *s)
{
    return sl_fail_kind(s, STAR_ERROR_LIMIT,
                        "out of memory: the limit is %zu bytes, %zu are in use",
                        s->options.limits.memory, s->memory);
}

bool
sl_fail_cancelled(star_t *s, const char *reason)
{
    return sl_fail_kind(s, STAR_ERROR_CANCELLED, "Starlark computation cancelled: %s", reason);
}

star_value_t
star_fail(star_t *star, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(star, STAR_ERROR_EVAL, format, args);
    va_end(args);
    return STAR_ABSENT;
}

int
star_fail_code(star_t *star, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(star, STAR_ERROR_EVAL, format, args);
    va_end(args);
    return -1;
}

star_value_t
star_fail_text(star_t *star, const char *text, size_t length)
{
    if (star->failed)
        return STAR_ABSENT;
    sl_fail(star, "%.200s", text);
    char *copy = sl_error_dup(star, text, length);
    if (copy != NULL)
        star->message = copy;
    else
        no_memory_for_error(star);
    return STAR_ABSENT;
}

/* ------------------------------------------------------------------ the call stack */

sl_place_t
sl_code_place(const sl_code_t *code, const sl_instr_t *pc)
{
    uint32_t at = (uint32_t)(pc - code->instrs);
    size_t low = 0, high = code->n_places;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code->places[middle].pc < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? code->places[low - 1] : (sl_place_t){0, code->line, code->column};
}

static size_t
frames_of(const sl_frame_t *frame)
{
    return (frame->code != NULL) + (frame->native != NULL);
}

/* The frames that one entry of our stack shows: its function, and the builtin it is calling.
 * Innermost is 0. */
static star_frame_t
show_frame(const sl_frame_t *frame, size_t index)
{
    if (frame->native != NULL && index == 0)
        return (star_frame_t){"<builtin>", 0, 0, frame->native->name->bytes, NULL};
    sl_place_t place = sl_code_place(frame->code, frame->pc);
    return (star_frame_t){frame->code->file->bytes, place.line, place.column,
                          frame->code->name->bytes, NULL};
}

bool
star_stack_frame(star_t *star, size_t index, star_frame_t *ret_frame)
{
    for (size_t i = star->n_frames; i-- > 0;) {
        size_t here = frames_of(&star->frames[i]);
        if (index < here) {
            *ret_frame = show_frame(&star->frames[i], index);
            return true;
        }
        index -= here;
    }
    return false;
}

size_t
star_stack_depth(const star_t *star)
{
    size_t depth = 0;
    for (size_t i = 0; i < star->n_frames; i++)
        depth += frames_of(&star->frames[i]);
    return depth;
}

static void
add_frame(star_t *s, star_frame_t *frames, size_t *count, star_frame_t frame)
{
    const char *file = sl_error_dup(s, frame.file, strlen(frame.file));
    const char *name = sl_error_dup(s, frame.name, strlen(frame.name));
    if (file == NULL || name == NULL)
        return;
    frame.file = file;
    frame.name = name;
    frames[(*count)++] = frame;
}

enum { CAPTURE_MAX = 2000 }; /* frames of an error: more are left out in the middle */

static void
capture(star_t *s, const sl_code_t *callee)
{
    size_t depth = 1, count = 0, seen = 0;

    if (s->captured || !s->failed)
        return;
    s->captured = true;
    s->error.n_frames = 0;
    for (size_t i = s->run_frame; i < s->n_frames; i++)
        depth += frames_of(&s->frames[i]);
    size_t skip = depth > CAPTURE_MAX ? depth - CAPTURE_MAX : 0;
    star_frame_t *frames = sl_error_alloc(s, (depth - skip) * sizeof *frames);
    if (frames == NULL)
        return;
    for (size_t i = s->run_frame; i < s->n_frames; i++)
        for (size_t j = frames_of(&s->frames[i]); j-- > 0; seen++)
            if (seen < CAPTURE_MAX / 2 || seen >= CAPTURE_MAX / 2 + skip)
                add_frame(s, frames, &count, show_frame(&s->frames[i], j));
    if (callee != NULL)
        add_frame(s, frames, &count,
                  (star_frame_t){callee->file->bytes, callee->line, callee->column,
                                 callee->name->bytes, NULL});
    s->error.frames = frames;
    s->error.n_frames = count;
}

void
sl_error_capture(star_t *s)
{
    capture(s, NULL);
}

void
sl_error_capture_callee(star_t *s, const sl_code_t *callee)
{
    capture(s, callee);
}

/* "Traceback (most recent call last):" as the Go implementation prints it; for syntax and names a
 * line each. */
static size_t
write_text(const star_t *s, char *out, size_t size)
{
    size_t at = 0;
    bool eval = s->error_kind != STAR_ERROR_SYNTAX && s->error_kind != STAR_ERROR_RESOLVE;

#define PUT(...)                                                                                   \
    at += (size_t)snprintf(out != NULL ? out + at : NULL, out != NULL ? size - at : 0, __VA_ARGS__)
    if (eval && s->error.n_frames > 0)
        PUT("Traceback (most recent call last):\n");
    for (size_t i = 0; i < s->error.n_frames; i++) {
        const star_frame_t *frame = &s->error.frames[i];
        if (!eval)
            PUT("%s%s:%u:%u: %s", i > 0 ? "\n" : "", frame->file, frame->line, frame->column,
                frame->message);
        else if (frame->line == 0)
            PUT("  %s: in %s\n", frame->file, frame->name);
        else
            PUT("  %s:%u:%u: in %s\n", frame->file, frame->line, frame->column, frame->name);
    }
    if (eval && s->error.n_frames > 0 && s->error.frames[s->error.n_frames - 1].line == 0)
        PUT("Error in %s: %s", s->error.frames[s->error.n_frames - 1].name, s->message);
    else if (eval)
        PUT("Error: %s", s->message);
    else if (s->error.n_frames == 0)
        PUT("%s", s->message);
#undef PUT
    return at;
}

const star_error_t *
star_error(star_t *star)
{
    if (!star->failed)
        return NULL;
    sl_error_capture(star);
    star->error.kind = star->error_kind;
    star->error.message = star->message;
    if (star->error.text == NULL) {
        size_t size = write_text(star, NULL, 0) + 1;
        char *text = sl_error_alloc(star, size);
        if (text != NULL)
            write_text(star, text, size);
        star->error.text = text != NULL ? text : star->message;
    }
    return &star->error;
}

void
star_error_clear(star_t *star)
{
    for (sl_error_part_t *part = star->error_parts, *next; part != NULL; part = next) {
        next = part->next;
        sl_raw_realloc(star, part, part->size, 0);
    }
    star->error_parts = NULL;
    star->failed = star->captured = false;
    star->error = (star_error_t){0};
    star->message = star->emergency;
}
