/*  condition: tries a recipe until its result is as wanted. */
#include "apic/plan/plan.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/utf8.h"

#include <string.h>

/* The last result is shown up to this many bytes when a condition was not met in time. */
#define RESULT_SHOWN_MAX 2048

static int field_get(const plan_recipe_result_t *result, const types_recipe_t *recipe,
                     const char *field, types_datum_t *ret, err_t **err);
static int try_once(plan_exec_t *exec, const char *service, const types_condition_t *condition,
                    int timeout_ms, plan_recipe_result_t *ret, bool *ret_ran, err_t **err);
static void result_show(const types_recipe_t *recipe, const plan_recipe_result_t *result,
                        str_t *out);

int
plan_condition_wait(plan_exec_t *exec, const char *service, const types_condition_t *condition,
                    plan_recipe_result_t *ret, int *ret_tries, err_t **err)
{
    const int64_t start = clock_ns();
    const int64_t patience = condition->timeout_ns + condition->timeout_ns / 4;
    bool ran = false;
    AUTO(err) last = NULL;

    *ret = (plan_recipe_result_t){.body = STR_EMPTY};
    for (int tries = 1;; tries++) {
        const int64_t left_ms = (patience - (clock_ns() - start)) / NS_PER_MS + 1;
        plan_recipe_result_done(ret);
        err_destroy(&last);
        *ret_tries = tries;
        if (try_once(exec, service, condition, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms, ret,
                     &ran, &last) == 0)
            return 0;
        /* a container that has ended will not answer any more */
        if (err_code(last) == ERR_STATE && !ran) {
            if (err)
                *err = TAKE(last);
            return -1;
        }
        const int64_t now = clock_ns() - start;
        const int64_t next = (now / condition->interval_ns + 1) * condition->interval_ns;
        if (now >= condition->timeout_ns || next > condition->timeout_ns) {
            if (now < condition->timeout_ns &&
                exec->sleep(exec->arg, (condition->timeout_ns - now) / NS_PER_MS))
                break;
            AUTO_FREE char *why = types_err_text(last);
            AUTO_STR shown = STR_EMPTY;
            if (ran)
                result_show(condition->recipe, ret, &shown);
            return err_fail(err, ERR_TIMEOUT,
                            "Recipe execution timed-out waiting for the recipe execution to become "
                            "valid on service '%s'. Tried '%d' times. Last %s execution error "
                            "was:\n '%s'\n%s",
                            service, tries, ran ? "assertion" : "recipe", why,
                            shown.data ? shown.data : "");
        }
        if (exec->sleep(exec->arg, (next - now + NS_PER_MS - 1) / NS_PER_MS))
            break;
    }
    return err_fail(err, ERR_CANCELLED, "the run was stopped while it waited for service '%s'",
                    service);
}

int
plan_service_ready(plan_exec_t *exec, const char *service, const types_condition_t *condition,
                   err_t **err)
{
    plan_recipe_result_t result = {.body = STR_EMPTY};
    int tries;
    const int rc = plan_condition_wait(exec, service, condition, &result, &tries, err);
    plan_recipe_result_done(&result);
    if (rc == 0)
        return 0;
    AUTO_STR target = STR_EMPTY, interval = STR_EMPTY, timeout = STR_EMPTY;
    types_datum_repr(&condition->target, &target);
    duration_put(&interval, condition->interval_ns);
    duration_put(&timeout, condition->timeout_ns);
    return err_wrap(err,
                    "An error occurred checking if service '%s' is ready, using recipe '%s', value "
                    "field '%s', assertion '%s', target '%s', interval '%s' and time-out '%s'.",
                    service, condition->recipe->text, condition->field,
                    types_assertion_word(condition->assertion), target.data, interval.data,
                    timeout.data);
}

/* *ret_ran: the recipe ran, and the comparison failed. */
static int
try_once(plan_exec_t *exec, const char *service, const types_condition_t *condition, int timeout_ms,
         plan_recipe_result_t *ret, bool *ret_ran, err_t **err)
{
    types_datum_t value = TYPES_DATUM_EMPTY;
    *ret_ran = false;
    if (plan_recipe_run(exec, service, condition->recipe, timeout_ms, ret, err) < 0)
        return -1;
    *ret_ran = true;
    int rc = field_get(ret, condition->recipe, condition->field, &value, err);
    if (rc == 0)
        rc = plan_compare(&value, condition->assertion, &condition->target, err);
    types_datum_done(&value);
    return rc;
}

/* What the recipe gave last: it mostly says why the condition does not hold. */
static void
result_show(const types_recipe_t *recipe, const plan_recipe_result_t *result, str_t *out)
{
    AUTO_STR text = STR_EMPTY;
    plan_recipe_describe(recipe, result, &text);
    const size_t shown = utf8_cut(text.data, text.len, RESULT_SHOWN_MAX);
    utf8_clean(out, text.data, shown);
    str_add(out, shown < text.len ? " [...]\n" : "\n");
}

static int
field_get(const plan_recipe_result_t *result, const types_recipe_t *recipe, const char *field,
          types_datum_t *ret, err_t **err)
{
    const char *body = recipe->kind == TYPES_RECIPE_EXEC ? "output" : "body";
    if (!strcmp(field, "code")) {
        types_datum_set_int(ret, result->code);
        return 0;
    }
    if (!strcmp(field, body)) {
        types_datum_set_string(ret, result->body.data, result->body.len);
        return 0;
    }
    for (size_t i = 0; i < result->n_extracted; i++)
        if (!strcmp(field, result->names[i])) {
            types_datum_copy(ret, &result->extracted[i]);
            return 0;
        }
    return err_fail(err, ERR_NOT_FOUND,
                    "Error extracting value from key '%s'. This is a bug in Kurtosis.", field);
}
