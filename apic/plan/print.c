/*  print: says something when it is its turn. */
#include "apic/plan/kinds.h"

#include "apic/run/reference.h"

#include <stdlib.h>
#include <string.h>

static const types_field_t fields[] = {
    {"msg", TYPES_ANY, .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

typedef struct {
    char *text;
    size_t size;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    star_text_t text;
    (void)ret;
    star_text_init(&text, scope->star);
    if (star_str(scope->star, values[0], &text) < 0) {
        const star_error_t *error = star_error(scope->star);
        star_text_done(&text);
        return err_fail(err, ERR_INVALID, "%s", error ? error->message : "msg cannot be printed");
    }
    data->size = text.length;
    data->text = malloc(text.length + 1);
    memcpy(data->text, text.data ? text.data : "", text.length);
    data->text[text.length] = '\0';
    star_text_done(&text);
    return 0;
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    const data_t *data = step->data;
    if (run_reference_replace(exec->store, data->text, data->size, result, err) < 0)
        return err_wrap(err, "Error replacing runtime value '%s'", data->text);
    return 0;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    (void)step;
    str_add(out, "Printing a message");
}

static void
done(void *self)
{
    free(((data_t *)self)->text);
}

const plan_kind_t plan_print = {
    PLAN_TABLE("print", fields),
    .brief = "%T",
    .again = PLAN_AGAIN_EQUAL,
    .order = PLAN_ORDER_PRINT,
    .data_size = sizeof(data_t),
    .interpret = interpret,
    .execute = execute,
    .describe = describe,
    .done = done,
};
