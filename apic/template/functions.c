/*  functions: see functions.h. The table is at the end. */
#include "apic/template/functions.h"

#include "apic/template/format.h"
#include "apic/template/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A text that a function writes and that becomes its result. */
typedef struct {
    str_t text;
    tpl_out_t out;
} result_t;

#define RESULT(name)                                                                               \
    __attribute__((cleanup(result_done))) result_t name = {.text = STR_EMPTY};                     \
    name.out = (tpl_out_t)                                                                         \
    {                                                                                              \
        .text = &name.text, .left = TEMPLATE_OUTPUT_MAX                                            \
    }

static void
result_done(result_t *self)
{
    str_done(&self->text);
}

static int
result_take(const tpl_call_t *call, result_t *self, tpl_value_t *ret)
{
    *ret = (tpl_value_t){.kind = TPL_STRING};
    if (tpl_out_check(&self->out, call->err) < 0)
        return -1;
    return tpl_arena_text(call->arena, self->text.data, self->text.len, &ret->text, call->err);
}

static int
fail(const tpl_call_t *call, const char *text)
{
    return err_fail(call->err, ERR_INVALID, "%s", text);
}

/* Go's words for using nothing where something must be. */
static int
fail_zero(const tpl_call_t *call)
{
    return fail(call, "reflect: call of reflect.Value.Type on zero Value");
}

/* ---------------------------------------------------------------------------------- collections */

static int
run_len(const tpl_call_t *call, tpl_value_t *ret)
{
    const tpl_value_t *value = call->args;
    if (value->kind == TPL_NULL)
        return fail(call, "len of nil pointer");
    if (value->kind == TPL_NONE)
        return fail_zero(call);
    if (tpl_is_text(value))
        *ret = tpl_int((int64_t)value->text.len);
    else if (value->kind == TPL_LIST || value->kind == TPL_MAP)
        *ret = tpl_int((int64_t)value->count);
    else
        return err_fail(call->err, ERR_INVALID, "len of type %s", tpl_type_name(value));
    return 0;
}

/* An index of something with len elements; len itself is for the caller to refuse. */
static int
index_of(const tpl_call_t *call, const tpl_value_t *index, size_t len, size_t *ret)
{
    if (index->kind == TPL_NONE)
        return fail(call, "cannot index slice/array with nil");
    if (!tpl_is_integer(index) || index->boxed)
        return err_fail(call->err, ERR_INVALID, "cannot index slice/array with type %s",
                        tpl_boxed_type_name(index));
    if (index->number < 0 || (uint64_t)index->number > len)
        return err_fail(call->err, ERR_INVALID, "index out of range: %" PRId64, index->number);
    *ret = (size_t)index->number;
    return 0;
}

static int
index_text(const tpl_call_t *call, const tpl_value_t *index, tpl_value_t *item)
{
    size_t at;
    if (index_of(call, index, item->text.len, &at) < 0)
        return -1;
    if (at == item->text.len)
        return fail(call, "reflect: string index out of range");
    *item = (tpl_value_t){.kind = TPL_BYTE, .number = (unsigned char)item->text.bytes[at]};
    return 0;
}

static int
index_list(const tpl_call_t *call, const tpl_value_t *index, tpl_value_t *item)
{
    size_t at;
    if (index_of(call, index, item->count, &at) < 0)
        return -1;
    if (at == item->count)
        return fail(call, "reflect: slice index out of range");
    *item = item->items[at];
    return 0;
}

static int
index_map(const tpl_call_t *call, const tpl_value_t *index, tpl_value_t *item)
{
    if (index->kind == TPL_NONE)
        return fail(call, "value is nil; should be of type string");
    if (index->kind != TPL_STRING)
        return err_fail(call->err, ERR_INVALID, "value has type %s; should be string",
                        tpl_type_name(index));
    *item = tpl_map_get(item, index->text);
    if (item->kind == TPL_NONE)
        *item = (tpl_value_t){.kind = TPL_NULL, .boxed = true};
    return 0;
}

static int
run_index(const tpl_call_t *call, tpl_value_t *ret)
{
    tpl_value_t item = tpl_unboxed(call->args[0]);
    if (item.kind == TPL_NONE)
        return fail(call, "index of untyped nil");
    for (size_t i = 1; i < call->count; i++) {
        tpl_value_t index = tpl_unboxed(call->args[i]);
        int result;
        item = tpl_unboxed(item);
        if (item.kind == TPL_NONE)
            return fail(call, "index of nil pointer");
        if (tpl_is_text(&item))
            result = index_text(call, &index, &item);
        else if (item.kind == TPL_LIST)
            result = index_list(call, &index, &item);
        else if (item.kind == TPL_MAP)
            result = index_map(call, &index, &item);
        else
            return err_fail(call->err, ERR_INVALID, "can't index item of type %s",
                            tpl_type_name(&item));
        if (result < 0)
            return -1;
    }
    *ret = item;
    return 0;
}

static int
run_slice(const tpl_call_t *call, tpl_value_t *ret)
{
    tpl_value_t item = tpl_unboxed(call->args[0]);
    size_t indexes = call->count - 1;

    if (item.kind == TPL_NONE)
        return fail(call, "slice of untyped nil");
    if (indexes > 3)
        return err_fail(call->err, ERR_INVALID, "too many slice indexes: %zu", indexes);
    if (tpl_is_text(&item) && indexes == 3)
        return fail(call, "cannot 3-index slice a string");
    if (!tpl_is_text(&item) && item.kind != TPL_LIST)
        return err_fail(call->err, ERR_INVALID, "can't slice item of type %s",
                        tpl_type_name(&item));

    size_t len = item.kind == TPL_LIST ? item.count : item.text.len;
    size_t bounds[3] = {0, len, len};
    for (size_t i = 0; i < indexes; i++) {
        tpl_value_t index = call->args[i + 1]; /* not unboxed: Go does not either */
        if (index_of(call, &index, len, &bounds[i]) < 0)
            return -1;
    }
    for (size_t i = 0; i + 1 < (indexes == 3 ? 3 : 2); i++)
        if (bounds[i] > bounds[i + 1])
            return err_fail(call->err, ERR_INVALID, "invalid slice index: %zu > %zu", bounds[i],
                            bounds[i + 1]);
    *ret = item;
    if (item.kind == TPL_LIST) {
        ret->items = item.items + bounds[0];
        ret->count = bounds[1] - bounds[0];
    } else {
        ret->text = (tpl_text_t){item.text.bytes + bounds[0], bounds[1] - bounds[0]};
    }
    return 0;
}

static int
run_call(const tpl_call_t *call, tpl_value_t *ret)
{
    (void)ret;
    if (call->args[0].kind == TPL_NONE)
        return fail(call, "call of nil");
    return err_fail(call->err, ERR_INVALID, "non-function %s of type %s", call->callee,
                    tpl_type_name(call->args));
}

/* ----------------------------------------------------------------------------------- comparison */

typedef enum {
    BASIC_NONE,
    BASIC_BOOL,
    BASIC_COMPLEX,
    BASIC_INTEGER,
    BASIC_FLOAT,
    BASIC_TEXT
} basic_t;

static basic_t
basic_of(const tpl_value_t *value)
{
    switch (value->kind) {
    case TPL_BOOL:
        return BASIC_BOOL;
    case TPL_COMPLEX:
        return BASIC_COMPLEX;
    case TPL_INT:
    case TPL_INT64:
    case TPL_BYTE:
        return BASIC_INTEGER;
    case TPL_FLOAT:
        return BASIC_FLOAT;
    case TPL_STRING:
    case TPL_NUM:
        return BASIC_TEXT;
    default:
        return BASIC_NONE;
    }
}

static bool
are_equal(const tpl_value_t *a, const tpl_value_t *b, basic_t basic)
{
    switch (basic) {
    case BASIC_BOOL:
        return a->truth == b->truth;
    case BASIC_COMPLEX:
    case BASIC_FLOAT:
        return a->real == b->real && a->imaginary == b->imaginary;
    case BASIC_INTEGER:
        return a->number == b->number;
    case BASIC_TEXT:
        return tpl_text_is(a->text, b->text);
    case BASIC_NONE:
        break;
    }
    return false;
}

/* Appends a list or map as it appears in the next error. */
static void
put_shown(str_t *out, const tpl_value_t *value, char verb)
{
    tpl_out_t limited = {.text = out, .left = 1000};
    tpl_print_verb(&limited, value, verb);
}

/* Two values that are no scalars: nil equals nil, and nothing else can be compared. */
static int
equal_others(const tpl_call_t *call, const tpl_value_t *a, const tpl_value_t *b, bool *ret)
{
    AUTO_STR text = STR_EMPTY;
    *ret = a->kind == TPL_NONE && b->kind == TPL_NONE;
    if (a->kind == TPL_NONE || b->kind == TPL_NONE)
        return 0;
    if (a->kind == b->kind) {
        str_add(&text, "non-comparable type ");
        put_shown(&text, b, 's');
        str_printf(&text, ": %s", tpl_type_name(b));
    } else {
        str_add(&text, "non-comparable types ");
        put_shown(&text, a, 's');
        str_printf(&text, ": %s, %s: ", tpl_type_name(a), tpl_type_name(b));
        put_shown(&text, b, 'v');
    }
    return fail(call, text.data);
}

static int
equal(const tpl_call_t *call, const tpl_value_t *a, const tpl_value_t *b, bool *ret)
{
    basic_t one = basic_of(a), two = basic_of(b);
    *ret = false;
    if (one == two && one != BASIC_NONE) {
        *ret = are_equal(a, b, one);
        return 0;
    }
    if (one == two)
        return equal_others(call, a, b, ret);
    if (a->kind != TPL_NONE && b->kind != TPL_NONE)
        return fail(call, "incompatible types for comparison");
    return 0;
}

static int
run_eq(const tpl_call_t *call, tpl_value_t *ret)
{
    bool truth = false;
    if (call->count < 2)
        return fail(call, "missing argument for comparison");
    for (size_t i = 1; i < call->count && !truth; i++)
        if (equal(call, &call->args[0], &call->args[i], &truth) < 0)
            return -1;
    *ret = tpl_bool(truth);
    return 0;
}

static int
run_ne(const tpl_call_t *call, tpl_value_t *ret)
{
    bool truth;
    if (equal(call, &call->args[0], &call->args[1], &truth) < 0)
        return -1;
    *ret = tpl_bool(!truth);
    return 0;
}

/* *ret: <0, 0, >0. */
static int
compare(const tpl_call_t *call, int *ret)
{
    const tpl_value_t *a = &call->args[0], *b = &call->args[1];
    basic_t one = basic_of(a), two = basic_of(b);

    if (one == BASIC_NONE || two == BASIC_NONE)
        return fail(call, "invalid type for comparison");
    if (one != two)
        return fail(call, "incompatible types for comparison");
    switch (one) {
    case BASIC_INTEGER:
        *ret = (a->number > b->number) - (a->number < b->number);
        return 0;
    case BASIC_FLOAT:
        *ret = (a->real > b->real) - (a->real < b->real);
        return 0;
    case BASIC_TEXT:
        *ret = tpl_text_compare(a->text, b->text);
        return 0;
    default:
        return fail(call, "invalid type for comparison");
    }
}

#define ORDERING(name, condition)                                                                  \
    static int run_##name(const tpl_call_t *call, tpl_value_t *ret)                                \
    {                                                                                              \
        int order;                                                                                 \
        if (compare(call, &order) < 0)                                                             \
            return -1;                                                                             \
        *ret = tpl_bool(order condition);                                                          \
        return 0;                                                                                  \
    }
ORDERING(lt, < 0)
ORDERING(le, <= 0)
ORDERING(gt, > 0)
ORDERING(ge, >= 0)
#undef ORDERING

static int
run_not(const tpl_call_t *call, tpl_value_t *ret)
{
    *ret = tpl_bool(!tpl_is_true(call->args));
    return 0;
}

/* ------------------------------------------------------------------------------------- printing */

static int
run_print(const tpl_call_t *call, tpl_value_t *ret)
{
    RESULT(result);
    tpl_print(&result.out, call->args, call->count);
    return result_take(call, &result, ret);
}

static int
run_println(const tpl_call_t *call, tpl_value_t *ret)
{
    RESULT(result);
    tpl_println(&result.out, call->args, call->count);
    return result_take(call, &result, ret);
}

static int
run_printf(const tpl_call_t *call, tpl_value_t *ret)
{
    RESULT(result);
    tpl_printf(&result.out, call->args[0].text, call->args + 1, call->count - 1);
    return result_take(call, &result, ret);
}

/* ------------------------------------------------------------------------------------- escaping */

/* The arguments as print writes them, but nil as "<no value>". */
static void
put_joined(const tpl_call_t *call, tpl_out_t *out)
{
    for (size_t i = 0; i < call->count; i++) {
        bool is_text = tpl_is_text(&call->args[i]) || tpl_is_nil(&call->args[i]);
        bool was_text = i == 0 || tpl_is_text(&call->args[i - 1]) || tpl_is_nil(&call->args[i - 1]);
        if (!is_text && !was_text)
            tpl_out_char(out, ' ');
        tpl_print_action(out, &call->args[i]);
    }
}

static const char *
html_escape(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&#34;";
    case '\'':
        return "&#39;";
    case '\0':
        return "\xef\xbf\xbd";
    default:
        return NULL;
    }
}

static int
run_html(const tpl_call_t *call, tpl_value_t *ret)
{
    RESULT(plain);
    RESULT(escaped);
    put_joined(call, &plain.out);
    for (size_t i = 0; i < plain.text.len && !escaped.out.is_full; i++) {
        const char *escape = html_escape(plain.text.data[i]);
        if (escape)
            tpl_out_add(&escaped.out, escape);
        else
            tpl_out_bytes(&escaped.out, &plain.text.data[i], 1);
    }
    escaped.out.is_full |= plain.out.is_full;
    return result_take(call, &escaped, ret);
}

static void
put_js(tpl_out_t *out, uint32_t c, bool is_text)
{
    AUTO_STR hex = STR_EMPTY;
    if (c == '\\' || c == '\'' || c == '"') {
        tpl_out_char(out, '\\');
        tpl_out_char(out, c);
        return;
    }
    bool is_safe = c < 0x80 ? c >= ' ' && !strchr("<>&=", (int)c) : is_text && tpl_is_print(c);
    if (is_safe) {
        tpl_out_char(out, c);
        return;
    }
    str_printf(&hex, "\\u%04X", c);
    tpl_out_add(out, hex.data);
}

static int
run_js(const tpl_call_t *call, tpl_value_t *ret)
{
    RESULT(plain);
    RESULT(escaped);
    put_joined(call, &plain.out);
    for (size_t i = 0; i < plain.text.len && !escaped.out.is_full;) {
        uint32_t c;
        size_t len = utf8_get(plain.text.data + i, plain.text.len - i, &c);
        put_js(&escaped.out, c, len > 1);
        i += len;
    }
    escaped.out.is_full |= plain.out.is_full;
    return result_take(call, &escaped, ret);
}

static int
run_urlquery(const tpl_call_t *call, tpl_value_t *ret)
{
    RESULT(plain);
    RESULT(escaped);
    put_joined(call, &plain.out);
    for (size_t i = 0; i < plain.text.len && !escaped.out.is_full; i++) {
        unsigned char c = (unsigned char)plain.text.data[i];
        char hex[4];
        bool is_safe = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                       (c && strchr("-_.~", c));
        if (is_safe || c == ' ') {
            tpl_out_char(&escaped.out, is_safe ? c : '+');
            continue;
        }
        hex[0] = '%';
        hex[1] = "0123456789ABCDEF"[c >> 4];
        hex[2] = "0123456789ABCDEF"[c & 15];
        tpl_out_bytes(&escaped.out, hex, 3);
    }
    escaped.out.is_full |= plain.out.is_full;
    return result_take(call, &escaped, ret);
}

/* ---------------------------------------------------------------------------- methods of data's
 * numbers */

static int
fail_conversion(const tpl_call_t *call, const char *function, const char *why)
{
    return err_fail(call->err, ERR_INVALID, "strconv.%s: parsing \"%.*s\": %s", function,
                    (int)call->args[0].text.len, call->args[0].text.bytes, why);
}

static int
run_int64(const tpl_call_t *call, tpl_value_t *ret)
{
    AUTO_FREE char *text = strndup(call->args[0].text.bytes, call->args[0].text.len);
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*end || end == text)
        return fail_conversion(call, "ParseInt", "invalid syntax");
    if (errno == ERANGE)
        return fail_conversion(call, "ParseInt", "value out of range");
    *ret = (tpl_value_t){.kind = TPL_INT64, .number = number};
    return 0;
}

static int
run_float64(const tpl_call_t *call, tpl_value_t *ret)
{
    AUTO_FREE char *text = strndup(call->args[0].text.bytes, call->args[0].text.len);
    char *end;
    double number = strtod(text, &end);
    if (*end || end == text)
        return fail_conversion(call, "ParseFloat", "invalid syntax");
    if (isinf(number))
        return fail_conversion(call, "ParseFloat", "value out of range");
    *ret = (tpl_value_t){.kind = TPL_FLOAT, .real = number};
    return 0;
}

static int
run_string(const tpl_call_t *call, tpl_value_t *ret)
{
    *ret = tpl_string(call->args[0].text);
    return 0;
}

/* --------------------------------------------------------------------------------------- tables */

/* name, code, arguments that must be, more, the first is a format, unboxed */
static const tpl_function_t functions[] = {
    {"and", NULL, 1, true, false, false},
    {"call", run_call, 1, true, false, true},
    {"eq", run_eq, 1, true, false, true},
    {"ge", run_ge, 2, false, false, true},
    {"gt", run_gt, 2, false, false, true},
    {"html", run_html, 0, true, false, true},
    {"index", run_index, 1, true, false, false},
    {"js", run_js, 0, true, false, true},
    {"le", run_le, 2, false, false, true},
    {"len", run_len, 1, false, false, false},
    {"lt", run_lt, 2, false, false, true},
    {"ne", run_ne, 2, false, false, true},
    {"not", run_not, 1, false, false, true},
    {"or", NULL, 1, true, false, false},
    {"print", run_print, 0, true, false, true},
    {"printf", run_printf, 1, true, true, true},
    {"println", run_println, 0, true, false, true},
    {"slice", run_slice, 1, true, false, false},
    {"urlquery", run_urlquery, 0, true, false, true},
};

static const struct {
    const char *name;
    tpl_function_fn *run;
} methods[] = {{"Float64", run_float64}, {"Int64", run_int64}, {"String", run_string}};

const tpl_function_t *
tpl_function_find(tpl_text_t name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (tpl_text_is(name, (tpl_text_t){functions[i].name, strlen(functions[i].name)}))
            return &functions[i];
    return NULL;
}

tpl_function_fn *
tpl_method_find(tpl_text_t name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (tpl_text_is(name, (tpl_text_t){methods[i].name, strlen(methods[i].name)}))
            return methods[i].run;
    return NULL;
}
