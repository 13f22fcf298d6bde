/*  verify: compares a value with what it should be. */
#include "apic/plan/kinds.h"

#include "apic/run/reference.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE, ASSERTION, TARGET };
static const types_field_t fields[] = {
    [VALUE] = {"value", TYPES_STRING, .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [ASSERTION] = {"assertion", TYPES_STRING, .check = types_check_assertion,
                   .flags = TYPES_REQUIRED | TYPES_SHOWN},
    [TARGET] = {"target_value", TYPES_ANY, .check = types_check_target,
                .flags = TYPES_REQUIRED | TYPES_SHOWN},
};

typedef struct {
    types_datum_t value, target;
    types_assertion_t assertion;
} data_t;

static int
interpret(plan_scope_t *scope, plan_step_t *step, const star_value_t *values, star_value_t *ret,
          err_t **err)
{
    data_t *data = step->data;
    const star_kind_t kind = star_kind(values[TARGET]);
    (void)ret;
    data->value = data->target = TYPES_DATUM_EMPTY;
    data->assertion = types_assertion_parse(star_get_text(values[ASSERTION], NULL));
    if ((data->assertion == TYPES_IN || data->assertion == TYPES_NOT_IN) && kind != STAR_LIST &&
        kind != STAR_TUPLE && kind != STAR_DICT && kind != STAR_SET)
        return err_fail(err, ERR_INVALID,
                        "'%s' assertion requires an iterable for target values, got '%s'",
                        types_assertion_word(data->assertion), star_type_name(values[TARGET]));
    types_datum_from(&data->value, scope->star, values[VALUE]);
    types_datum_from(&data->target, scope->star, values[TARGET]);
    return 0;
}

static int
verify(const data_t *data, plan_exec_t *exec, types_datum_t *value, types_datum_t *target,
       err_t **err)
{
    if (run_reference_value(exec->store, data->value.text.data, data->value.text.len, value, err) <
        0)
        return -1;
    if (!data->target.is_string)
        types_datum_copy(target, &data->target);
    else if (run_reference_value(exec->store, data->target.text.data, data->target.text.len, target,
                                 err) < 0)
        return -1;
    return plan_compare(value, data->assertion, target, err);
}

static int
execute(const plan_step_t *step, plan_exec_t *exec, str_t *result, err_t **err)
{
    types_datum_t value = TYPES_DATUM_EMPTY, target = TYPES_DATUM_EMPTY;
    const int rc = verify(step->data, exec, &value, &target, err);
    if (rc == 0) {
        str_add(result, "Verification succeeded. Value is '");
        types_datum_repr(&value, result);
        str_add(result, "'.");
    }
    types_datum_done(&value);
    types_datum_done(&target);
    return rc;
}

static void
describe(const plan_step_t *step, str_t *out)
{
    const data_t *data = step->data;
    str_printf(out, "Verifying whether two values meet a certain condition '%s'",
               types_assertion_word(data->assertion));
}

static void
done(void *self)
{
    data_t *data = self;
    if (!data->value.text.data) /* never interpreted */
        return;
    types_datum_done(&data->value);
    types_datum_done(&data->target);
}

const plan_kind_t plan_verify = {
    PLAN_TABLE("verify", fields), .brief = "%D",          .again = PLAN_AGAIN_EQUAL,
    .data_size = sizeof(data_t),  .interpret = interpret, .execute = execute,
    .describe = describe,         .done = done,
};
