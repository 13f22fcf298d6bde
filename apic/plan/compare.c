/*  compare: the comparison of `verify`, `wait` and ready conditions. */
#include "apic/plan/plan.h"

#include <string.h>

static const star_compare_t operators[] = {
    [TYPES_EQ] = STAR_EQ, [TYPES_NE] = STAR_NE, [TYPES_GE] = STAR_GE,
    [TYPES_GT] = STAR_GT, [TYPES_LE] = STAR_LE, [TYPES_LT] = STAR_LT,
};

/* Equality as IN sees it: strings, bools, floats and 32-bit ints of the same type; nothing else is
 * ever equal. */
static bool
is_same(star_t *star, star_value_t one, star_value_t two)
{
    int64_t a, b;
    if (star_kind(one) != star_kind(two))
        return false;
    switch (star_kind(one)) {
    case STAR_INT:
        return star_get_int(one, &a) && star_get_int(two, &b) && a == b && a == (int32_t)a;
    case STAR_STRING:
    case STAR_BOOL:
    case STAR_FLOAT:
        return star_equal(star, one, two) == 1;
    default:
        return false;
    }
}

static int
compare_in(star_t *star, star_value_t value, bool wanted, star_value_t target, bool *ret_holds,
           err_t **err)
{
    star_iter_t iter;
    star_value_t item;
    const star_kind_t kind = star_kind(target);
    bool found = false;
    if (kind != STAR_LIST && kind != STAR_TUPLE && kind != STAR_DICT && kind != STAR_SET)
        return err_fail(err, ERR_INVALID,
                        "'%s' assertion requires an iterable for target values, got '%s'",
                        wanted ? "IN" : "NOT_IN", star_type_name(target));
    if (star_iter_begin(star, target, &iter) == 0) {
        while (!found && star_iter_next(star, &iter, &item) == 1)
            found = is_same(star, value, item);
        star_iter_end(star, &iter);
    }
    *ret_holds = found == wanted;
    return 0;
}

static int
holds(star_t *star, star_value_t value, types_assertion_t assertion, star_value_t target,
      const char *value_text, const char *target_text, bool *ret_holds, err_t **err)
{
    if (assertion == TYPES_IN || assertion == TYPES_NOT_IN)
        return compare_in(star, value, assertion == TYPES_IN, target, ret_holds, err);
    if (strcmp(star_type_name(value), star_type_name(target)) != 0)
        return err_fail(err, ERR_INVALID,
                        "Verify failed because '%s' is type '%s' and '%s' is type '%s'", value_text,
                        star_type_name(value), target_text, star_type_name(target));
    const int rc = star_compare(star, operators[assertion], value, target);
    if (rc < 0) {
        const star_error_t *error = star_error(star);
        err_fail(err, ERR_INVALID, "%s", error ? error->message : "the values have no order");
        return err_wrap(err, "Verify comparison failed '%s' '%s' '%s'", value_text,
                        types_assertion_word(assertion), target_text);
    }
    *ret_holds = rc == 1;
    return 0;
}

static int
compare(star_t *star, const types_datum_t *value, types_assertion_t assertion,
        const types_datum_t *target, err_t **err)
{
    star_value_t left = types_datum_value(value, star), right = types_datum_value(target, star);
    bool is_true = false;
    if (!star_ok(left) || !star_ok(right)) {
        const star_error_t *error = star_error(star);
        return err_fail(err, ERR_INVALID, "a value cannot be compared: %s",
                        error ? error->message : "it cannot be read back");
    }
    AUTO_FREE char *left_text = types_text(star, left), *right_text = types_text(star, right);
    if (holds(star, left, assertion, right, left_text, right_text, &is_true, err) < 0)
        return -1;
    return is_true ? 0
                   : err_fail(err, ERR_STATE, "Verification failed '%s' '%s' '%s'", left_text,
                              types_assertion_word(assertion), right_text);
}

int
plan_compare(const types_datum_t *value, types_assertion_t assertion, const types_datum_t *target,
             err_t **err)
{
    star_t *star = NULL;
    if (star_new(NULL, &star) < 0)
        return err_fail(err, ERR_LIMIT, "there is no memory to compare two values");
    const int rc = compare(star, value, assertion, target, err);
    star_destroy(&star);
    return rc;
}
