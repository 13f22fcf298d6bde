/*  execute: walks a template over its data. Follows Go's implementation step by step, so that
 * errors name the same place in the same words: state.at is what Go's state.node is. */
#include "apic/template/ast.h"
#include "apic/template/data.h"
#include "apic/template/format.h"
#include "apic/template/functions.h"
#include "apic/template/text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define ARGS_MAX 1000  /* arguments of one call */
#define SHOWN_MAX 1000 /* bytes of a value that an error shows */

typedef struct {
    tpl_text_t name; /* with "$" */
    tpl_value_t value;
} variable_t;

typedef struct {
    const template_t *template;
    tpl_text_t name;       /* of the template that is being executed */
    const tpl_node_t *at;  /* what is being evaluated, for errors */
    variable_t *variables; /* innermost last */
    size_t variable_count, variable_space;
    size_t base; /* first variable of this template: its "$" */
    tpl_arena_t *arena;
    tpl_out_t out;
    unsigned depth;
    uint32_t steps;
    err_t **err;
} state_t;

/* How a walk ends; negative is failure. */
enum { WALK_ON, WALK_BREAK, WALK_CONTINUE };

/* What a command gets from the one before it in its pipeline; NULL for the first. */
typedef const tpl_value_t *piped_t;

static int walk_list(state_t *self, tpl_value_t dot, const tpl_node_t *list);
static int eval_pipe(state_t *self, tpl_value_t dot, const tpl_node_t *pipe, tpl_value_t *ret);
static int eval_function(state_t *self, tpl_value_t dot, const tpl_node_t *node,
                         const tpl_node_t *whole, const tpl_node_t *args, piped_t piped,
                         tpl_value_t *ret);
static int eval_chain(state_t *self, tpl_value_t dot, const tpl_node_t *node,
                      const tpl_node_t *args, piped_t piped, tpl_value_t *ret);

/* --------------------------------------------------------------------------------------- errors */

static void
put_place(const state_t *self, str_t *out)
{
    const char *text = self->template->text.bytes;
    size_t line = 1, column = self->at->pos;
    for (size_t i = 0; i < self->at->pos; i++) {
        if (text[i] == '\n') {
            line++;
            column = self->at->pos - i - 1;
        }
    }
    str_printf(out, "template: %.*s:%zu:%zu: executing ", (int)self->template->name.len,
               self->template->name.bytes, line, column);
    tpl_out_t quoted = {.text = out, .left = 1000};
    tpl_quote(&quoted, self->name, false);
    str_add(out, " at <");
    tpl_node_put(out, self->at);
    str_add(out, ">: ");
}

#define fail(self, ...) fail_with(self, ERR_INVALID, __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static int
fail_with(state_t *self, err_code_t code, const char *format, ...)
{
    AUTO_STR text = STR_EMPTY;
    va_list args;
    if (self->at)
        put_place(self, &text);
    va_start(args, format);
    str_vprintf(&text, format, args);
    va_end(args);
    return err_fail(self->err, code, "%s", text.data);
}

/* Every evaluation passes here. */
static int
step(state_t *self)
{
    if (++self->steps <= TEMPLATE_STEPS_MAX)
        return 0;
    return fail_with(self, ERR_LIMIT, "the template takes more than %u steps", TEMPLATE_STEPS_MAX);
}

static int
enter(state_t *self)
{
    if (++self->depth <= TEMPLATE_DEPTH_MAX)
        return step(self);
    return fail_with(self, ERR_LIMIT, "exceeded maximum template depth (%u)", TEMPLATE_DEPTH_MAX);
}

/* ------------------------------------------------------------------------------------ variables */

static int
variable_push(state_t *self, tpl_text_t name, tpl_value_t value)
{
    if (self->variable_count == self->variable_space) {
        size_t space = self->variable_space ? self->variable_space * 2 : 32;
        if (space * sizeof *self->variables > TEMPLATE_MEMORY_MAX)
            return fail_with(self, ERR_LIMIT, "the template has more than %zu variables",
                             self->variable_count);
        self->variables = realloc(self->variables, space * sizeof *self->variables);
        if (!self->variables)
            abort();
        self->variable_space = space;
    }
    self->variables[self->variable_count++] = (variable_t){name, value};
    return 0;
}

static variable_t *
variable_find(const state_t *self, tpl_text_t name)
{
    for (size_t i = self->variable_count; i > self->base; i--)
        if (tpl_text_is(self->variables[i - 1].name, name))
            return &self->variables[i - 1];
    return NULL;
}

static int
variable_set(state_t *self, tpl_text_t name, tpl_value_t value)
{
    variable_t *variable = variable_find(self, name);
    if (!variable)
        return fail(self, "undefined variable: %.*s", (int)name.len, name.bytes);
    variable->value = value;
    return 0;
}

/* --------------------------------------------------------------------------------------- fields */

/* One field of a receiver. args are those of the command, the field itself first. */
static int
eval_field(state_t *self, tpl_text_t name, const tpl_node_t *node, const tpl_node_t *args,
           piped_t piped, tpl_value_t receiver, tpl_value_t *ret)
{
    bool has_args = (args && args->next) || piped;
    int name_len = (int)name.len;

    *ret = TPL_NO_VALUE;
    if (receiver.kind == TPL_NONE)
        return 0;
    if (receiver.kind == TPL_NULL)
        return fail(self, "nil pointer evaluating %s.%.*s", tpl_boxed_type_name(&receiver),
                    name_len, name.bytes);

    tpl_function_fn *method = receiver.kind == TPL_NUM ? tpl_method_find(name) : NULL;
    if (method) {
        unsigned count = piped != NULL;
        for (const tpl_node_t *arg = args ? args->next : NULL; arg; arg = arg->next)
            count++;
        if (count)
            return fail(self, "wrong number of args for %.*s: want 0 got %u", name_len, name.bytes,
                        count);
        AUTO(err) why = NULL;
        tpl_call_t call = {.arena = self->arena, .args = &receiver, .count = 1, .err = &why};
        if (method(&call, ret) < 0) {
            self->at = node;
            return fail(self, "error calling %.*s: %s", name_len, name.bytes, err_text(why));
        }
        return 0;
    }
    if (receiver.kind != TPL_MAP)
        return fail(self, "can't evaluate field %.*s in type %s", name_len, name.bytes,
                    tpl_boxed_type_name(&receiver));
    if (has_args)
        return fail(self, "%.*s is not a method but has arguments", name_len, name.bytes);
    *ret = tpl_map_get(&receiver, name);
    return 0;
}

static int
refuse_args(state_t *self, const tpl_node_t *args, piped_t piped)
{
    if (!(args && args->next) && !piped)
        return 0;
    AUTO_STR text = STR_EMPTY;
    tpl_node_put(&text, args);
    return fail(self, "can't give argument to non-function %s", text.data);
}

/* .a.b, $x.a.b or (pipe).a.b */
static int
eval_chain(state_t *self, tpl_value_t dot, const tpl_node_t *node, const tpl_node_t *args,
           piped_t piped, tpl_value_t *ret)
{
    tpl_value_t receiver = dot;
    unsigned first = 0, count = node->chain.count;

    self->at = node;
    if (node->kind == TPL_NODE_VARIABLE) {
        variable_t *variable = variable_find(self, node->chain.names[0]);
        if (!variable)
            return fail(self, "undefined variable: %.*s", (int)node->chain.names[0].len,
                        node->chain.names[0].bytes);
        receiver = variable->value;
        first = 1;
        if (count == 1) {
            *ret = receiver;
            return refuse_args(self, args, piped);
        }
    } else if (node->kind == TPL_NODE_CHAIN) {
        const tpl_node_t *base = node->chain.base;
        self->at = base;
        int result = base->kind == TPL_NODE_FUNCTION
                         ? eval_function(self, dot, base, base, NULL, NULL, &receiver)
                         : eval_pipe(self, dot, base, &receiver);
        if (result < 0)
            return -1;
    }
    for (; first < count; first++) {
        bool is_last = first + 1 == count;
        if (eval_field(self, node->chain.names[first], node, is_last ? args : NULL,
                       is_last ? piped : NULL, receiver, &receiver) < 0)
            return -1;
    }
    *ret = receiver;
    return 0;
}

/* ---------------------------------------------------------------------------------------- calls */

static int
eval_literal(state_t *self, const tpl_node_t *node, tpl_value_t *ret)
{
    if (node->literal.overflows)
        return fail(self, "%.*s overflows int", (int)node->literal.source.len,
                    node->literal.source.bytes);
    *ret = node->literal.value;
    return 0;
}

static int
eval_arg(state_t *self, tpl_value_t dot, const tpl_node_t *node, tpl_value_t *ret)
{
    self->at = node;
    if (step(self) < 0)
        return -1;
    switch (node->kind) {
    case TPL_NODE_DOT:
        *ret = dot;
        return 0;
    case TPL_NODE_NIL:
        *ret = TPL_NO_VALUE;
        return 0;
    case TPL_NODE_FIELD:
    case TPL_NODE_VARIABLE:
    case TPL_NODE_CHAIN:
        return eval_chain(self, dot, node, NULL, NULL, ret);
    case TPL_NODE_PIPE:
        return eval_pipe(self, dot, node, ret);
    case TPL_NODE_FUNCTION:
        return eval_function(self, dot, node, node, NULL, NULL, ret);
    default:
        return eval_literal(self, node, ret);
    }
}

/* The first argument of printf: Go checks its type before it calls. node is NULL for a piped value.
 */
static int
check_format(state_t *self, const tpl_node_t *node, const tpl_value_t *value)
{
    if (node && (node->kind == TPL_NODE_BOOL || node->kind == TPL_NODE_NUMBER))
        return fail(self, "expected string; found %.*s", (int)node->literal.source.len,
                    node->literal.source.bytes);
    if (node && node->kind == TPL_NODE_NIL)
        return fail(self, "cannot assign nil to string");
    if (value->kind == TPL_NONE)
        return fail(self, "invalid value; expected string");
    if (value->kind != TPL_STRING)
        return fail(self, "wrong type for value; expected string; got %s", tpl_type_name(value));
    return 0;
}

/* "and" and "or" stop at the first argument that decides. */
static int
eval_and_or(state_t *self, tpl_value_t dot, bool is_or, const tpl_node_t *args, piped_t piped,
            tpl_value_t *ret)
{
    for (const tpl_node_t *arg = args; arg; arg = arg->next) {
        if (eval_arg(self, dot, arg, ret) < 0)
            return -1;
        if (tpl_is_true(ret) == is_or)
            return 0;
    }
    if (piped)
        *ret = *piped;
    return 0;
}

static int
check_count(state_t *self, const tpl_function_t *function, unsigned written, piped_t piped)
{
    unsigned count = written + (piped != NULL);
    if (function->is_variadic && count < function->fixed)
        return fail(self, "wrong number of args for %s: want at least %u got %u", function->name,
                    function->fixed, written);
    if (!function->is_variadic && count != function->fixed)
        return fail(self, "wrong number of args for %s: want %u got %u", function->name,
                    function->fixed, count);
    if (count > ARGS_MAX)
        return fail_with(self, ERR_LIMIT, "more than %d args for %s", ARGS_MAX, function->name);
    return 0;
}

static int
collect_args(state_t *self, tpl_value_t dot, const tpl_function_t *function, const tpl_node_t *args,
             piped_t piped, tpl_value_t *values)
{
    size_t count = 0;
    for (const tpl_node_t *arg = args; arg; arg = arg->next) {
        if (function->takes_format && count == 0 && arg->kind != TPL_NODE_FIELD &&
            arg->kind != TPL_NODE_VARIABLE && arg->kind != TPL_NODE_CHAIN &&
            arg->kind != TPL_NODE_PIPE && arg->kind != TPL_NODE_FUNCTION &&
            arg->kind != TPL_NODE_DOT) {
            self->at = arg;
            if (check_format(self, arg, &arg->literal.value) < 0)
                return -1;
        }
        if (eval_arg(self, dot, arg, &values[count]) < 0)
            return -1;
        if (function->takes_format && count == 0 && check_format(self, NULL, &values[0]) < 0)
            return -1;
        count++;
    }
    if (piped) {
        values[count++] = *piped;
        if (function->takes_format && count == 1 && check_format(self, NULL, piped) < 0)
            return -1;
    }
    for (size_t i = 0; function->unboxes && i < count; i++)
        values[i] = tpl_unboxed(values[i]);
    return 0;
}

/* What errors of call name: its first argument as it was written, or the piped value. */
static void
put_callee(str_t *out, const tpl_node_t *args, const tpl_value_t *piped)
{
    if (args)
        tpl_node_put(out, args);
    else if (tpl_is_text(piped))
        str_add_bytes(out, piped->text.bytes, piped->text.len);
    else
        str_printf(out, "<%s Value>", tpl_type_name(piped));
}

static int
run_function(state_t *self, tpl_value_t dot, const tpl_function_t *function,
             const tpl_node_t *whole, const tpl_node_t *args, unsigned written, piped_t piped,
             tpl_value_t *ret)
{
    size_t count = written + (piped != NULL);
    AUTO_FREE tpl_value_t *values = calloc(count + 1, sizeof *values);
    AUTO(err) why = NULL;

    if (!values)
        abort();
    if (collect_args(self, dot, function, args, piped, values) < 0)
        return -1;
    AUTO_STR callee = STR_EMPTY;
    if (!strcmp(function->name, "call"))
        put_callee(&callee, args, values);
    tpl_call_t call = {self->arena, values, count, callee.data, &why};
    if (function->run(&call, ret) == 0)
        return 0;
    self->at = whole;
    return fail_with(self, err_code(why), "error calling %s: %s", function->name, err_text(why));
}

/* whole: the node that errors inside of the function name. args: those of the command, the function
 * itself first. */
static int
eval_function(state_t *self, tpl_value_t dot, const tpl_node_t *node, const tpl_node_t *whole,
              const tpl_node_t *args, piped_t piped, tpl_value_t *ret)
{
    const tpl_function_t *function = node->function;
    unsigned written = 0;

    self->at = node;
    args = args ? args->next : NULL;
    for (const tpl_node_t *arg = args; arg; arg = arg->next)
        written++;
    if (enter(self) < 0 || check_count(self, function, written, piped) < 0)
        return -1;
    int result = function->run ? run_function(self, dot, function, whole, args, written, piped, ret)
                               : eval_and_or(self, dot, *function->name == 'o', args, piped, ret);
    self->depth--;
    return result;
}

/* ------------------------------------------------------------------------------------ pipelines */

static int
eval_command(state_t *self, tpl_value_t dot, const tpl_node_t *command, piped_t piped,
             tpl_value_t *ret)
{
    const tpl_node_t *word = command->command.words;
    switch (word->kind) {
    case TPL_NODE_FIELD:
    case TPL_NODE_VARIABLE:
    case TPL_NODE_CHAIN:
        return eval_chain(self, dot, word, word, piped, ret);
    case TPL_NODE_FUNCTION:
        return eval_function(self, dot, word, command, word, piped, ret);
    case TPL_NODE_PIPE:
        return refuse_args(self, word, piped) < 0 ? -1 : eval_pipe(self, dot, word, ret);
    default:
        break;
    }
    self->at = word;
    if (refuse_args(self, word, piped) < 0)
        return -1;
    switch (word->kind) {
    case TPL_NODE_DOT:
        *ret = dot;
        return 0;
    case TPL_NODE_NIL:
        return fail(self, "nil is not a command");
    default:
        return eval_literal(self, word, ret);
    }
}

static int
eval_pipe(state_t *self, tpl_value_t dot, const tpl_node_t *pipe, tpl_value_t *ret)
{
    tpl_value_t value = TPL_NO_VALUE;

    if (!pipe) {
        *ret = value;
        return 0;
    }
    self->at = pipe;
    if (enter(self) < 0)
        return -1;
    for (const tpl_node_t *command = pipe->pipe.commands; command; command = command->next) {
        tpl_value_t before = value;
        if (step(self) < 0 ||
            eval_command(self, dot, command, command == pipe->pipe.commands ? NULL : &before,
                         &value) < 0)
            return -1;
        value = tpl_unboxed(value);
    }
    for (const tpl_node_t *variable = pipe->pipe.variables; variable; variable = variable->next) {
        tpl_text_t name = variable->chain.names[0];
        if ((pipe->pipe.assigns ? variable_set(self, name, value)
                                : variable_push(self, name, value)) < 0)
            return -1;
    }
    self->depth--;
    *ret = value;
    return 0;
}

/* -------------------------------------------------------------------------------------- actions */

static int
walk_if_or_with(state_t *self, tpl_value_t dot, const tpl_node_t *node)
{
    size_t mark = self->variable_count;
    tpl_value_t value;
    int result = WALK_ON;

    if (eval_pipe(self, dot, node->control.pipe, &value) < 0)
        return -1;
    if (tpl_is_true(&value))
        result = walk_list(self, node->kind == TPL_NODE_WITH ? value : dot, node->control.body);
    else if (node->control.otherwise)
        result = walk_list(self, dot, node->control.otherwise);
    self->variable_count = mark;
    return result;
}

/* Gives the variables of a range their values for one round. */
static int
set_range_variables(state_t *self, const tpl_node_t *pipe, tpl_value_t index, tpl_value_t element)
{
    const tpl_node_t *first = pipe->pipe.variables;
    bool has_two = pipe->pipe.variable_count > 1;

    if (!first)
        return 0;
    if (!pipe->pipe.assigns) {
        /* Declared by the pipeline: they are the last ones. */
        variable_t *top = &self->variables[self->variable_count];
        top[-1].value = element;
        if (has_two)
            top[-2].value = index;
        return 0;
    }
    if (variable_set(self, first->chain.names[0], has_two ? index : element) < 0)
        return -1;
    return has_two ? variable_set(self, first->next->chain.names[0], element) : 0;
}

/* One round; positive when the range is over. */
static int
walk_round(state_t *self, const tpl_node_t *node, tpl_value_t index, tpl_value_t element)
{
    size_t mark = self->variable_count;
    if (step(self) < 0 || set_range_variables(self, node->control.pipe, index, element) < 0)
        return -1;
    int result = walk_list(self, element, node->control.body);
    self->variable_count = mark;
    return result == WALK_CONTINUE ? WALK_ON : result;
}

/* All rounds over a value; *ret_rounds stays 0 when there was none. */
static int
walk_rounds(state_t *self, const tpl_node_t *node, const tpl_value_t *value, int64_t *ret_rounds)
{
    int64_t count = tpl_is_integer(value) ? value->number : (int64_t)value->count;
    int result = WALK_ON;

    for (*ret_rounds = 0; *ret_rounds < count && result == WALK_ON; ++*ret_rounds) {
        int64_t i = *ret_rounds;
        if (value->kind == TPL_LIST) {
            result = walk_round(self, node, tpl_int(i), value->items[i]);
        } else if (value->kind == TPL_MAP) {
            result =
                walk_round(self, node, tpl_string(value->entries[i].key), value->entries[i].value);
        } else {
            tpl_value_t element = *value;
            element.number = i;
            result = walk_round(self, node, TPL_NO_VALUE, element);
        }
    }
    return result < 0 ? -1 : WALK_ON;
}

static int
fail_range(state_t *self, const char *before, const tpl_value_t *value, const char *after)
{
    AUTO_STR shown = STR_EMPTY;
    tpl_out_t out = {.text = &shown, .left = TEMPLATE_OUTPUT_MAX};
    tpl_print_verb(&out, value, 'v');
    const size_t size = utf8_cut(shown.data, shown.len, SHOWN_MAX);
    return fail(self, "%s%.*s%s%s", before, (int)size, shown.data, size < shown.len ? "..." : "",
                after);
}

static int
walk_range(state_t *self, tpl_value_t dot, const tpl_node_t *node)
{
    size_t mark = self->variable_count;
    tpl_value_t value;
    int64_t rounds = 0;
    int result = WALK_ON;

    if (eval_pipe(self, dot, node->control.pipe, &value) < 0)
        return -1;
    switch (value.kind) {
    case TPL_INT:
    case TPL_INT64:
    case TPL_BYTE:
        if (node->control.pipe->pipe.variable_count > 1)
            return fail_range(self, "can't use ", &value,
                              " to iterate over more than one variable");
        /* fall through */
    case TPL_LIST:
    case TPL_MAP:
        result = walk_rounds(self, node, &value, &rounds);
        break;
    case TPL_NONE:
        break;
    default:
        return fail_range(self, "range can't iterate over ", &value, "");
    }
    if (result == WALK_ON && rounds == 0 && node->control.otherwise)
        result = walk_list(self, dot, node->control.otherwise);
    self->variable_count = mark;
    return result;
}

/* {{template "name" pipe}}: sees its argument as dot and "$", and no variable of the caller. */
static int
walk_invoke(state_t *self, tpl_value_t dot, const tpl_node_t *node)
{
    const tpl_definition_t *definition = tpl_definition_find(self->template, node->invoke.name);
    tpl_value_t value;

    self->at = node;
    if (!definition) {
        AUTO_STR quoted = STR_EMPTY;
        tpl_out_t out = {.text = &quoted, .left = 1000};
        tpl_quote(&out, node->invoke.name, false);
        return fail(self, "template %s not defined", quoted.data);
    }
    if (eval_pipe(self, dot, node->invoke.pipe, &value) < 0 || enter(self) < 0)
        return -1;

    size_t base = self->base, mark = self->variable_count;
    const tpl_node_t *at = self->at;
    tpl_text_t name = self->name;
    self->base = mark;
    self->name = definition->name;
    if (variable_push(self, TPL_TEXT_OF("$"), value) < 0 ||
        walk_list(self, value, definition->root) < 0)
        return -1;
    self->base = base;
    self->variable_count = mark;
    self->name = name;
    self->at = at;
    self->depth--;
    return WALK_ON;
}

static int
walk_action(state_t *self, tpl_value_t dot, const tpl_node_t *node)
{
    tpl_value_t value;
    if (eval_pipe(self, dot, node->control.pipe, &value) < 0)
        return -1;
    if (!node->control.pipe->pipe.variables) {
        self->at = node;
        tpl_print_action(&self->out, &value);
    }
    return tpl_out_check(&self->out, self->err) < 0 ? -1 : WALK_ON;
}

static int
walk(state_t *self, tpl_value_t dot, const tpl_node_t *node)
{
    self->at = node;
    switch (node->kind) {
    case TPL_NODE_TEXT:
        tpl_out_bytes(&self->out, node->text.bytes, node->text.len);
        return tpl_out_check(&self->out, self->err) < 0 ? -1 : WALK_ON;
    case TPL_NODE_ACTION:
        return walk_action(self, dot, node);
    case TPL_NODE_IF:
    case TPL_NODE_WITH:
        return walk_if_or_with(self, dot, node);
    case TPL_NODE_RANGE:
        return walk_range(self, dot, node);
    case TPL_NODE_INVOKE:
        return walk_invoke(self, dot, node);
    case TPL_NODE_BREAK:
        return WALK_BREAK;
    case TPL_NODE_CONTINUE:
        return WALK_CONTINUE;
    default:
        return WALK_ON;
    }
}

static int
walk_list(state_t *self, tpl_value_t dot, const tpl_node_t *list)
{
    int result = WALK_ON;
    if (enter(self) < 0)
        return -1;
    for (const tpl_node_t *node = list->first; node && result == WALK_ON; node = node->next)
        result = step(self) < 0 ? -1 : walk(self, dot, node);
    self->depth--;
    return result;
}

int
template_execute(const template_t *self, const char *json, size_t size, str_t *out, err_t **err)
{
    tpl_arena_t arena = TPL_ARENA;
    tpl_value_t data;
    size_t used;
    state_t state = {.template = self,
                     .name = self->name,
                     .arena = &arena,
                     .out = {.text = out, .left = TEMPLATE_OUTPUT_MAX},
                     .err = err};

    int result = tpl_data_parse(&arena, json, size, &data, &used, err);
    if (result == 0) {
        data = tpl_unboxed(data);
        result = variable_push(&state, TPL_TEXT_OF("$"), data);
    }
    if (result == 0)
        result = walk_list(&state, data, self->root);
    free(state.variables);
    tpl_arena_done(&arena);
    return result < 0 ? -1 : 0;
}
