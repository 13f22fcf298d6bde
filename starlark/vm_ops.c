/*  vm_ops: instructions of the machine that are too long for its loop. */
#include "starlark/machine.h"
#include "starlark/ops.h"

value_t
sl_op_make_function(star_t *s, const sl_frame_t *frame, sl_code_t *code, value_t defaults)
{
    sl_function_t *function = sl_function_alloc(s, code->n_captures);

    if (function == NULL)
        return STAR_ABSENT;
    function->code = code;
    function->globals = frame->function->globals;
    function->defaults = star_ok(defaults) ? SL_TUPLE_OF(defaults) : NULL;
    for (size_t i = 0; i < code->n_captures; i++) {
        const sl_capture_t *capture = &code->captures[i];
        function->free[i] = capture->from_free ? frame->function->free[capture->index]
                                               : frame->base[capture->index];
    }
    return sl_value(function);
}

bool
sl_op_unpack(star_t *s, value_t from, value_t *to, size_t want)
{
    const value_t *items = NULL;
    size_t count = 0;

    if (sl_is(from, SL_TUPLE)) {
        items = SL_TUPLE_OF(from)->items;
        count = sl_obj(from)->extra;
    } else if (sl_is(from, SL_LIST)) {
        items = SL_LIST_OF(from)->items;
        count = SL_LIST_OF(from)->count;
    }
    if (items != NULL || count > 0 || sl_is(from, SL_LIST)) {
        if (count == want) {
            if (want > 0)
                memcpy(to, items, want * sizeof *to);
            return true;
        }
    } else {
        uint64_t cursor = 0;
        value_t item;
        int more = 1;
        if (!sl_iter_start(s, from)) {
            star_error_clear(s);
            return sl_fail(s, "got %s in sequence assignment", star_type_name(from));
        }
        while (count < want && (more = sl_next(s, from, &cursor, &item)) > 0)
            to[count++] = item;
        int64_t length = sl_count(from);
        bool exact = more > 0 &&
                     (length >= 0 ? (size_t)length == want : sl_next(s, from, &cursor, &item) == 0);
        if (more > 0 && length >= 0)
            count = (size_t)length;
        sl_iter_done(from);
        if (exact || s->failed)
            return !s->failed;
        if (count == want)
            count++;
    }
    return sl_fail(s, "too %s values to unpack (got %zu, want %zu)", count < want ? "few" : "many",
                   count, want);
}

value_t
sl_op_load_file(star_t *s, value_t path)
{
    if (s->options.load == NULL)
        return star_fail(s, "cannot load %s: load not implemented by this application",
                         SL_STRING_OF(path)->bytes);
    sl_host_scope_t scope = sl_host_enter(s);
    value_t module = s->options.load(s, SL_STRING_OF(path)->bytes, s->options.user);
    sl_host_leave(s, scope);
    if (!star_ok(module) && !s->captured && s->error_kind == STAR_ERROR_EVAL) {
        star_text_t text;
        star_text_init(&text, s);
        star_text_printf(&text, "cannot load %s: %s", SL_STRING_OF(path)->bytes,
                         s->failed ? s->message : "no reason was given");
        star_error_clear(s);
        star_fail_text(s, text.data != NULL ? text.data : "cannot load", text.length);
        star_text_done(&text);
    }
    return module;
}

value_t
sl_op_loaded_name(star_t *s, value_t module, value_t path, sl_string_t *name)
{
    const sl_dict_t *members = sl_is(module, SL_MODULE) ? SL_AS(sl_module_t, module)->members
                               : sl_is(module, SL_DICT) ? SL_DICT_OF(module)
                                                        : NULL;
    sl_entry_t *entry = members != NULL ? sl_dict_lookup_string(members, name) : NULL;

    if (entry != NULL)
        return entry->value;
    const char *near = members != NULL ? sl_nearest(name->bytes, sl_value(members), 0) : NULL;
    return star_fail(s, "load: name %s not found in module %s%s%s%s", name->bytes,
                     SL_STRING_OF(path)->bytes, near != NULL ? " (did you mean " : "",
                     near != NULL ? near : "", near != NULL ? "?)" : "");
}

bool
sl_op_dict_add(star_t *s, value_t dict, value_t key, value_t value)
{
    uint32_t hash;
    bool fresh;

    if (!sl_hash(s, key, &hash) || !sl_dict_insert(s, SL_DICT_OF(dict), key, hash, value, &fresh))
        return false;
    if (fresh)
        return true;
    star_text_t text;
    star_text_init(&text, s);
    star_text_puts(&text, "duplicate key: ");
    sl_put_value(s, &text, key, true);
    if (!text.failed)
        star_fail_text(s, text.data, text.length);
    star_text_done(&text);
    return false;
}
