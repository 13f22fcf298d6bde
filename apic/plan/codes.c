/*  codes: which exit or status codes a command or request may end with, and how its end is told. */
#include "apic/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

#define RULE "--------------------"

int
plan_codes_cast(star_t *star, star_value_t list, star_value_t skip, const int64_t *defaults,
                size_t n_defaults, plan_codes_t *ret, err_t **err)
{
    const size_t count = star_ok(list) ? (size_t)star_length(list) : n_defaults;
    ret->accepted = calloc(count ? count : 1, sizeof(*ret->accepted));
    ret->unchecked = types_get_bool(skip, false);
    for (; ret->count < count; ret->count++) {
        if (!star_ok(list)) {
            ret->accepted[ret->count] = defaults[ret->count];
            continue;
        }
        star_value_t item = star_at(list, ret->count);
        if (star_get_int(item, &ret->accepted[ret->count]))
            continue;
        AUTO_FREE char *item_text = types_text(star, item), *text = types_text(star, list);
        err_fail(err, ERR_INVALID,
                 "An error occurred when casting element '%s' from slice '%s' to integer",
                 item_text, text);
        return err_wrap(err, "Unable to parse '%s' argument", "acceptable_codes");
    }
    return 0;
}

void
plan_codes_done(plan_codes_t *self)
{
    free(self->accepted);
}

static bool
is_accepted(const plan_codes_t *self, int64_t code)
{
    if (self->unchecked)
        return true;
    for (size_t i = 0; i < self->count; i++)
        if (self->accepted[i] == code)
            return true;
    return false;
}

static void
put_refusal(const plan_codes_t *self, const char *who, const char *what, int64_t code, str_t *out)
{
    str_printf(out, "%s returned %s '%lld' that is not part of the acceptable status codes '[", who,
               what, (long long)code);
    for (size_t i = 0; i < self->count; i++)
        str_printf(out, "%s%lld", i ? " " : "", (long long)self->accepted[i]);
    str_add(out, "]'");
}

int
plan_codes_check_command(const plan_codes_t *self, const char *label, int64_t code,
                         const str_t *output, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    types_datum_t value = TYPES_DATUM_EMPTY;
    if (is_accepted(self, code))
        return 0;
    put_refusal(self, label, "exit code", code, &text);
    str_add(&text, ", with output:\n  ");
    types_datum_set_string(&value, output->data, output->len);
    types_datum_repr(&value, &text);
    types_datum_done(&value);
    return err_fail(err, ERR_STATE, "%s", text.data);
}

int
plan_codes_check_request(const plan_codes_t *self, int64_t status, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    if (is_accepted(self, status))
        return 0;
    put_refusal(self, "Request", "status code", status, &text);
    return err_fail(err, ERR_STATE, "%s", text.data);
}

void
plan_command_describe(int64_t code, const str_t *output, str_t *out)
{
    str_printf(out, "Command returned with exit code '%lld'", (long long)code);
    if (!output->len) {
        str_add(out, " with no output");
    } else if (!memchr(output->data, '\n', output->len)) {
        str_add(out, " and the following output: ");
        str_add_bytes(out, output->data, output->len);
    } else {
        str_add(out, " and the following output:\n" RULE "\n");
        str_add_bytes(out, output->data, output->len);
        str_add(out, "\n" RULE);
    }
}
