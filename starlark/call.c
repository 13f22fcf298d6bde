/*  call: frames, the binding of arguments, and the ways between C code and the machine. */
#include "starlark/machine.h"
#include "starlark/native.h"
#include "starlark/ops.h"

/* ------------------------------------------------------------------ stacks */

/* Registers for `need` values at `base` if they end before *limit, else in the next chunk. */
static value_t *
reserve(star_t *s, value_t *base, value_t **limit, size_t need)
{
    if (base != NULL && base + need <= *limit)
        return base;
    sl_chunk_t **link = &s->chunks, *last = NULL;
    for (; *link != NULL; link = &(*link)->next) {
        bool current = (*link)->values + (*link)->count == *limit;
        last = *link;
        if (current) {
            link = &(*link)->next;
            break;
        }
    }
    if (*limit == NULL)
        link = &s->chunks;
    if (*link == NULL || (*link)->count < need) {
        size_t count = last == NULL ? 2048 : last->count < 65536 ? last->count * 2 : last->count;
        if (s->options.debug & STAR_DEBUG_TINY_STACKS)
            count = need;
        if (count < need)
            count = need + need / 4;
        sl_chunk_t *chunk = sl_realloc(s, NULL, 0, sizeof *chunk + count * sizeof(value_t));
        if (chunk == NULL)
            return NULL;
        memset(chunk->values, 0, count * sizeof(value_t));
        chunk->next = *link;
        chunk->count = count;
        *link = chunk;
    }
    *limit = (*link)->values + (*link)->count;
    return (*link)->values;
}

static sl_frame_t *
push_frame(star_t *s)
{
    if (s->n_frames == s->frames_capacity) {
        size_t capacity = s->frames_capacity ? s->frames_capacity * 2 : 16;
        size_t most = (size_t)s->options.limits.depth + SL_ENTRIES_MAX;
        if (s->n_frames >= most) {
            sl_fail_kind(s, STAR_ERROR_LIMIT, "too many nested calls: the limit is %u",
                         s->options.limits.depth);
            return NULL;
        }
        if (capacity > most)
            capacity = most;
        sl_frame_t *frames = sl_realloc(s, s->frames, s->frames_capacity * sizeof *frames,
                                        capacity * sizeof *frames);
        if (frames == NULL)
            return NULL;
        s->frames = frames;
        s->frames_capacity = capacity;
    }
    return &s->frames[s->n_frames++];
}

void
sl_stacks_done(star_t *s)
{
    sl_free(s, s->frames, s->frames_capacity * sizeof *s->frames);
    for (sl_chunk_t *chunk = s->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        sl_free(s, chunk, sizeof *chunk + chunk->count * sizeof(value_t));
    }
    sl_free(s, s->spare, SL_SPARE);
    s->spare = NULL;
    s->frames = NULL;
    s->chunks = NULL;
    s->frames_capacity = 0;
}

/* The end of the registers in use, and of their chunk. */
static value_t *
stack_top(const star_t *s, value_t **limit)
{
    if (s->n_frames == 0) {
        *limit = s->chunks != NULL ? s->chunks->values + s->chunks->count : NULL;
        return s->chunks != NULL ? s->chunks->values : NULL;
    }
    const sl_frame_t *frame = SL_FRAME(s);
    *limit = frame->limit;
    return frame->base + (frame->code != NULL ? frame->code->n_registers : 0);
}

/* ------------------------------------------------------------------ binding */

static bool
fail_missing(star_t *s, const sl_code_t *code, const value_t *locals)
{
    star_text_t text;
    size_t missing = 0;

    star_text_init(&text, s);
    for (size_t i = 0; i < code->n_params; i++)
        if (!star_ok(locals[i])) {
            star_text_puts(&text, missing++ > 0 ? ", " : "");
            star_text_put(&text, code->params[i]->bytes, code->params[i]->length);
        }
    sl_fail(s, "function %s missing %zu argument%s (%s)", code->name->bytes, missing,
            missing == 1 ? "" : "s", text.data != NULL ? text.data : "");
    star_text_done(&text);
    return false;
}

static bool
fail_keyword(star_t *s, const sl_code_t *code, const char *problem, const sl_string_t *name)
{
    return sl_fail(s, "function %s got %s \"%s\"", code->name->bytes, problem, name->bytes);
}

static bool
bind_named(star_t *s, const sl_code_t *code, value_t *locals, const value_t *names,
           const value_t *values, size_t count, sl_dict_t *kwargs)
{
    for (size_t i = 0; i < count; i++) {
        sl_string_t *name = SL_STRING_OF(names[i]);
        size_t p = 0;
        while (p < code->n_params && !sl_string_equal(code->params[p], name))
            p++;
        if (p < code->n_params) {
            if (star_ok(locals[p]))
                return fail_keyword(s, code, "multiple values for parameter", name);
            locals[p] = values[i];
            continue;
        }
        bool fresh;
        if (kwargs == NULL)
            return fail_keyword(s, code, "an unexpected keyword argument", name);
        if (!sl_dict_insert(s, kwargs, names[i], sl_string_hash(name), values[i], &fresh))
            return false;
        if (!fresh)
            return fail_keyword(s, code, "multiple values for parameter", name);
    }
    return true;
}

/* `args` and `named` do not overlap `locals` here. */
static bool
bind_all(star_t *s, sl_function_t *function, value_t *locals, const value_t *args, size_t n_args,
         const value_t *names, const value_t *named, size_t n_named)
{
    const sl_code_t *code = function->code;
    size_t n_params = code->n_params, n_positional = n_params - code->n_keyword_only;
    size_t n_defaults = function->defaults != NULL ? function->defaults->obj.extra : 0;
    sl_dict_t *kwargs = NULL;
    size_t given = n_args < n_positional ? n_args : n_positional;

    if (code->n_params_all == 0)
        return n_args + n_named == 0 || sl_fail(s, "function %s accepts no arguments (%zu given)",
                                                code->name->bytes, n_args + n_named);
    if (n_args > n_positional && !code->has_varargs)
        return sl_fail(s, "function %s accepts %s%zu positional argument%s (%zu given)",
                       code->name->bytes, n_defaults > code->n_keyword_only ? "at most " : "",
                       n_positional, n_positional == 1 ? "" : "s", n_args);
    memcpy(locals, args, given * sizeof *locals);
    memset(locals + given, 0, (code->n_params_all - given) * sizeof *locals);
    if (code->has_varargs) {
        locals[n_params] = sl_tuple_of(s, args + given, n_args - given);
        if (!star_ok(locals[n_params]))
            return false;
    }
    if (code->has_kwargs) {
        kwargs = sl_dict_new(s, SL_DICT, 0);
        if (kwargs == NULL)
            return false;
        locals[code->n_params_all - 1] = sl_value(kwargs);
    }
    if (!bind_named(s, code, locals, names, named, n_named, kwargs))
        return false;
    bool missing = false;
    for (size_t i = given; i < n_params; i++)
        if (!star_ok(locals[i])) {
            size_t first = n_params - n_defaults;
            if (i >= first)
                locals[i] = function->defaults->items[i - first];
            missing |= !star_ok(locals[i]);
        }
    return !missing || fail_missing(s, code, locals);
}

bool
sl_enter(star_t *s, sl_function_t *function, value_t *base, value_t *limit, const value_t *args,
         size_t n_args, const value_t *names, const value_t *named, size_t n_named, value_t *result)
{
    sl_code_t *code = function->code;
    value_t small[64], *copy = small;

    sl_notes_t *notes = sl_notes_of(s, code);
    if (notes == NULL) {
        sl_error_capture(s);
        return false;
    }
    if (notes->active > 0 && !(s->options.dialect & STAR_DIALECT_RECURSION)) {
        sl_fail(s, "function %s called recursively", code->name->bytes);
        sl_error_capture_callee(s, code);
        return false;
    }
    base = reserve(s, base, &limit, code->n_registers + 1);
    size_t size = (n_args + n_named) * sizeof *copy;
    if (base == NULL || (n_args + n_named > 64 && (copy = sl_realloc(s, NULL, 0, size)) == NULL)) {
        sl_error_capture(s);
        return false;
    }
    if (n_args > 0)
        memcpy(copy, args, n_args * sizeof *copy);
    if (n_named > 0)
        memcpy(copy + n_args, named, n_named * sizeof *copy);
    bool fine = bind_all(s, function, base, copy, n_args, names, copy + n_args, n_named);
    if (copy != small)
        sl_free(s, copy, size);
    if (!fine) {
        sl_error_capture_callee(s, code);
        return false;
    }
    sl_frame_t *frame = push_frame(s);
    if (frame == NULL) {
        sl_error_capture(s);
        return false;
    }
    notes->active++;
    *frame = (sl_frame_t){.code = code,
                          .notes = notes,
                          .function = function,
                          .base = base,
                          .limit = limit,
                          .pc = code->instrs,
                          .result = result};
    return true;
}

/* ------------------------------------------------------------------ other callees */

value_t
sl_call_native(star_t *s, sl_builtin_t *builtin, value_t self, const value_t *args, size_t n_args,
               const value_t *names, const value_t *named, size_t n_named)
{
    star_args_t call = {
        builtin->name->bytes, builtin->user, self, n_args, args, n_named, names, named};
    value_t result;

    SL_FRAME(s)->native = builtin;
    if (builtin->obj.extra & SL_CALLS_BACK) {
        sl_host_scope_t scope = sl_host_enter(s);
        result = builtin->function(s, &call);
        sl_host_leave(s, scope);
        if ((s->options.debug & STAR_DEBUG_CALLS) && star_ok(result) &&
            !(builtin->obj.flags & SL_IMAGE))
            builtin->obj.extra |= SL_CALLED;
    } else {
        result = builtin->function(s, &call);
    }
    if (sl_is(self, SL_STRING))
        sl_worked(s, SL_STRING_OF(self)->length);
    if (SL_UNLIKELY(!star_ok(result) || s->failed)) {
        if (!s->failed)
            sl_fail(s, "%s failed without giving a reason", builtin->name->bytes);
        sl_error_capture(s);
        SL_FRAME(s)->native = NULL;
        return STAR_ABSENT;
    }
    SL_FRAME(s)->native = NULL;
    return result;
}

static value_t
call_host_object(star_t *s, value_t callee, const star_args_t *args)
{
    const star_type_t *type = SL_AS(sl_host_t, callee)->type;
    sl_host_scope_t scope = sl_host_enter(s);
    value_t result = type->call(s, callee, args);

    sl_host_leave(s, scope);
    if (!star_ok(result) && !s->failed)
        sl_fail(s, "%s failed without giving a reason", type->name);
    return result;
}

value_t
sl_call_other(star_t *s, value_t callee, const value_t *args, size_t n_args, const value_t *names,
              const value_t *named, size_t n_named)
{
    if (sl_is(callee, SL_BUILTIN))
        return sl_call_native(s, SL_AS(sl_builtin_t, callee), STAR_ABSENT, args, n_args, names,
                              named, n_named);
    if (sl_is(callee, SL_BOUND)) {
        sl_bound_t *bound = SL_AS(sl_bound_t, callee);
        return sl_call_native(s, bound->builtin, bound->self, args, n_args, names, named, n_named);
    }
    if (sl_is(callee, SL_HOST) && SL_AS(sl_host_t, callee)->type->call != NULL) {
        star_args_t call = {
            star_type_name(callee), NULL, callee, n_args, args, n_named, names, named};
        return call_host_object(s, callee, &call);
    }
    return star_fail(s, "invalid call of non-function (%s)", star_type_name(callee));
}

bool
sl_spread(star_t *s, const value_t *args, size_t n_args, const value_t *names, size_t n_named,
          value_t varargs, value_t kwargs, sl_spread_t *ret_spread)
{
    sl_list_t *extra = NULL;
    sl_dict_t *dict = NULL;
    size_t n_extra = 0, n_dict = 0, cursor = 0;
    sl_entry_t *entry;

    if (star_ok(kwargs)) {
        if (!sl_is(kwargs, SL_DICT))
            return sl_fail(s, "argument after ** must be a mapping, not %s",
                           star_type_name(kwargs));
        dict = SL_DICT_OF(kwargs);
        n_dict = dict->count;
    }
    if (star_ok(varargs)) {
        if ((extra = sl_list_new(s, 0)) == NULL)
            return false;
        if (!sl_list_extend(s, extra, varargs)) {
            if (sl_count(varargs) < 0 && !s->captured) {
                star_error_clear(s);
                sl_fail(s, "argument after * must be iterable, not %s", star_type_name(varargs));
            }
            return false;
        }
        n_extra = extra->count;
    }
    sl_tuple_t *all = sl_tuple_new(s, n_args + n_extra + 2 * (n_named + n_dict));
    if (all == NULL)
        return false;
    value_t *out = all->items, *values = out + n_args + n_extra + n_named + n_dict;
    /* Everything at once, so that a failure below leaves no unset item behind. */
    memset(all->items, 0, all->obj.extra * sizeof(value_t));
    if (n_args > 0)
        memcpy(out, args, n_args * sizeof *out);
    if (n_extra > 0)
        memcpy(out + n_args, extra->items, n_extra * sizeof *out);
    out += n_args + n_extra;
    if (n_named > 0) {
        memcpy(out, names, n_named * sizeof *out);
        memcpy(values, args + n_args, n_named * sizeof *out);
    }
    for (size_t i = n_named; dict != NULL && (entry = sl_dict_walk(dict, &cursor)) != NULL; i++) {
        if (!sl_is(entry->key, SL_STRING))
            return sl_fail(s, "keywords must be strings, not %s", star_type_name(entry->key));
        out[i] = entry->key;
        values[i] = entry->value;
    }
    *ret_spread = (sl_spread_t){all, n_args + n_extra, n_named + n_dict};
    return true;
}

/* ------------------------------------------------------------------ leaving */

void
sl_unwind(star_t *s)
{
    while (s->n_frames > 0 && SL_FRAME(s)->code != NULL) {
        sl_frame_t *frame = SL_FRAME(s);
        uint32_t at = (uint32_t)(frame->pc - frame->code->instrs);
        for (size_t i = 0; i < frame->code->n_loops; i++) {
            const sl_loop_t *loop = &frame->code->loops[i];
            if (at > loop->start && at <= loop->end)
                sl_iter_done(frame->base[loop->reg]);
        }
        frame->notes->active--;
        s->n_frames--;
    }
}

/* ------------------------------------------------------------------ C code calls */

static bool
enter_machine(star_t *s)
{
    value_t *limit, *top;

    if (s->n_frames == 0 && s->failed)
        star_error_clear(s); /* the failure of an earlier run */
    if (s->failed)
        return false;
    if (s->entries >= SL_ENTRIES_MAX)
        return sl_fail_kind(s, STAR_ERROR_LIMIT,
                            "host code and Starlark call each other too deeply: the limit is %d",
                            SL_ENTRIES_MAX);
    top = stack_top(s, &limit);
    top = reserve(s, top, &limit, 0);
    sl_frame_t *frame = top != NULL ? push_frame(s) : NULL;
    if (frame == NULL)
        return false;
    *frame = (sl_frame_t){.base = top, .limit = limit};
    s->entries++;
    return true;
}

static value_t
leave_machine(star_t *s, sl_host_scope_t scope, value_t result)
{
    s->entries--;
    s->n_frames--;
    sl_host_leave(s, scope);
    if (star_ok(result) && s->heap.log && sl_heap_log(s, result) < 0)
        return STAR_ABSENT;
    return result;
}

/* What runs in the machine is kept alive by the machine, not by the log. */
static sl_host_scope_t
machine_scope(star_t *s)
{
    sl_host_scope_t scope = sl_host_enter(s);
    s->heap.log = false;
    return scope;
}

value_t
sl_call_value(star_t *s, value_t callee, const value_t *args, size_t n_args, const value_t *names,
              const value_t *named, size_t n_named)
{
    value_t result = STAR_ABSENT, ignored;

    if (!enter_machine(s))
        return STAR_ABSENT;
    sl_host_scope_t scope = machine_scope(s);
    if (sl_is(callee, SL_FUNCTION)) {
        sl_frame_t *frame = SL_FRAME(s);
        if (sl_enter(s, SL_AS(sl_function_t, callee), frame->base, frame->limit, args, n_args,
                     names, named, n_named, &ignored))
            result = sl_machine_run(s);
    } else {
        result = sl_call_other(s, callee, args, n_args, names, named, n_named);
        if (!star_ok(result))
            sl_error_capture(s);
    }
    return leave_machine(s, scope, result);
}

star_value_t
star_call(star_t *star, star_value_t function, const star_value_t *args, size_t n_args,
          const star_named_t *named, size_t n_named)
{
    value_t small[32], *both = small, result = STAR_ABSENT;
    size_t size = 2 * n_named * sizeof *both;

    if (star->n_frames == 0 && star->failed)
        star_error_clear(star);
    for (size_t i = 0; i < n_args; i++)
        if (!star_ok(args[i]))
            return star_fail(star, "an absent value was used");
    if (n_named > 16 && (both = sl_realloc(star, NULL, 0, size)) == NULL)
        return STAR_ABSENT;
    for (size_t i = 0; i < n_named; i++) {
        sl_string_t *name = sl_string_intern(star, named[i].name, strlen(named[i].name));
        if (name == NULL || !star_ok(named[i].value)) {
            star_fail(star, "an absent value was used");
            goto out;
        }
        both[i] = sl_value(name);
        both[n_named + i] = named[i].value;
    }
    result = sl_call_value(star, function, args, n_args, both, both + n_named, n_named);
out:
    if (both != small)
        sl_free(star, both, size);
    return result;
}

/* ------------------------------------------------------------------ running files */

typedef struct {
    size_t run_frame;
    bool captured;
} run_t;

/* Compiles and runs; *ret_globals are the file's variables. */
static value_t
run(star_t *s, const char *file, const char *text, size_t length, value_t env, bool expression,
    sl_globals_t **ret_globals)
{
    value_t result = STAR_ABSENT, ignored;
    size_t run_frame = s->run_frame;

    if (s->n_frames == 0 && s->failed)
        star_error_clear(s);
    if (star_ok(env) && !sl_is(env, SL_DICT))
        return star_fail(s, "the environment is not a dict");
    sl_host_scope_t made = sl_host_enter(s); /* the code lives at least until it has run */
    s->heap.log = false;                     /* nothing is collected while compiling */
    sl_code_t *code =
        s->failed ? NULL : sl_compile(s, file, text, length, env, expression, ret_globals);
    s->heap.log = true;
    if (code != NULL &&
        (sl_heap_log(s, sl_value(code)) < 0 || sl_heap_log(s, sl_value(*ret_globals)) < 0))
        code = NULL;
    sl_function_t *function = code != NULL ? sl_function_alloc(s, 0) : NULL;
    if (function != NULL) {
        function->code = code;
        function->globals = *ret_globals;
        function->defaults = NULL;
        if (enter_machine(s)) {
            sl_host_scope_t scope = machine_scope(s);
            s->run_frame = s->n_frames - 1;
            sl_frame_t *frame = SL_FRAME(s);
            if (sl_enter(s, function, frame->base, frame->limit, NULL, 0, NULL, NULL, 0, &ignored))
                result = sl_machine_run(s);
            s->run_frame = run_frame;
            result = leave_machine(s, scope, result);
        }
    }
    sl_globals_t *globals = *ret_globals;
    sl_host_leave(s, made);
    if (star_ok(result) && s->heap.log &&
        (sl_heap_log(s, sl_value(globals)) < 0 || sl_heap_log(s, result) < 0))
        return STAR_ABSENT;
    return result;
}

static bool
globals_to_dict(star_t *s, const sl_globals_t *globals, sl_dict_t *dict)
{
    for (uint32_t i = 0; i < globals->obj.extra; i++)
        if (star_ok(globals->slots[i])) {
            value_t name = SL_TUPLE_OF(globals->names)->items[i];
            if (!sl_dict_insert(s, dict, name, sl_string_hash(SL_STRING_OF(name)),
                                globals->slots[i], NULL))
                return false;
        }
    return true;
}

star_value_t
star_run(star_t *star, const char *file, const char *text, size_t length, star_value_t env)
{
    sl_globals_t *globals = NULL;

    if (!star_ok(run(star, file, text, length, env, false, &globals)))
        return STAR_ABSENT;
    sl_dict_t *members = sl_dict_new(star, SL_DICT, globals->obj.extra);
    if (members == NULL || !globals_to_dict(star, globals, members))
        return STAR_ABSENT;
    star_freeze(star, sl_value(members));
    return star->failed ? STAR_ABSENT : sl_module_new(star, file, members);
}

star_value_t
star_eval(star_t *star, const char *file, const char *text, size_t length, star_value_t env)
{
    sl_globals_t *globals = NULL;
    return run(star, file, text, length, env, true, &globals);
}

int
star_exec(star_t *star, const char *file, const char *text, size_t length, star_value_t env)
{
    sl_globals_t *globals = NULL;

    if (!sl_is(env, SL_DICT))
        return star_fail_code(star, "the environment is not a dict");
    if (!star_ok(run(star, file, text, length, env, false, &globals)))
        return -1;
    return globals_to_dict(star, globals, SL_DICT_OF(env)) ? 0 : -1;
}

int
star_check(star_t *star, const char *file, const char *text, size_t length, star_value_t env)
{
    sl_globals_t *globals = NULL;

    if (star->n_frames == 0 && star->failed)
        star_error_clear(star);
    if (star_ok(env) && !sl_is(env, SL_DICT))
        return star_fail_code(star, "the environment is not a dict");
    return sl_compile(star, file, text, length, env, false, &globals) != NULL ? 0 : -1;
}
