/*  recipe: ExecRecipe, GetHttpRequestRecipe, PostHttpRequestRecipe and ReadyCondition. */
#include "apic/types/recipe.h"

#include "apic/types/object.h"
#include "base/duration.h"

#include <stdlib.h>
#include <string.h>

static types_check_fn check_command, check_recipe;

/* extract's message names this type for all recipes */
#define EXTRACT                                                                                    \
    {                                                                                              \
        "extract", TYPES_DICT, .check = types_check_pairs, .among = " on 'GetHttpRequestRecipe'"   \
    }
#define HEADERS                                                                                    \
    {                                                                                              \
        "headers", .want = TYPES_DICT                                                              \
    }
#define HTTP_FIRST                                                                                 \
    {"port_id", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},                 \
    {                                                                                              \
        "endpoint", TYPES_STRING, .flags = TYPES_REQUIRED                                          \
    }

enum { EXEC_COMMAND, EXEC_EXTRACT };
static const types_field_t exec_fields[] = {
    {"command", TYPES_LIST, .check = check_command, .flags = TYPES_REQUIRED},
    EXTRACT,
};

enum { GET_PORT, GET_ENDPOINT, GET_EXTRACT, GET_HEADERS };
static const types_field_t get_fields[] = {HTTP_FIRST, EXTRACT, HEADERS};

enum { POST_PORT, POST_ENDPOINT, POST_BODY, POST_CONTENT_TYPE, POST_EXTRACT, POST_HEADERS };
static const types_field_t post_fields[] = {
    HTTP_FIRST,
    {"body", TYPES_STRING, .fallback = ""},
    {"content_type", TYPES_STRING, .fallback = "application/json"},
    EXTRACT,
    HEADERS,
};

enum { READY_RECIPE, READY_FIELD, READY_ASSERTION, READY_TARGET, READY_INTERVAL, READY_TIMEOUT };
static const types_field_t ready_fields[] = {
    {"recipe", TYPES_ANY, .check = check_recipe, .flags = TYPES_REQUIRED},
    {"field", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
    {"assertion", TYPES_STRING, .check = types_check_assertion, .flags = TYPES_REQUIRED},
    {"target_value", TYPES_ANY, .check = types_check_target, .flags = TYPES_REQUIRED},
    {"interval", TYPES_STRING, .check = types_check_duration, .fallback = "1s"},
    {"timeout", TYPES_STRING, .check = types_check_duration, .fallback = "15m"},
};

TYPES_DEFINE(types_exec_recipe, "ExecRecipe", "*recipe.ExecRecipe", exec_fields);
TYPES_DEFINE(types_get_recipe, "GetHttpRequestRecipe", "*recipe.GetHttpRequestRecipe", get_fields);
TYPES_DEFINE(types_post_recipe, "PostHttpRequestRecipe", "*recipe.PostHttpRequestRecipe",
             post_fields);
TYPES_DEFINE(types_ready_condition, "ReadyCondition", "*service_config.ReadyCondition",
             ready_fields);

static const char *const assertion_words[] = {
    [TYPES_EQ] = "==", [TYPES_NE] = "!=", [TYPES_GE] = ">=", [TYPES_GT] = ">",
    [TYPES_LE] = "<=", [TYPES_LT] = "<",  [TYPES_IN] = "IN", [TYPES_NOT_IN] = "NOT_IN",
};

static int
cast_exec(star_t *star, const star_value_t *values, types_recipe_t *self, err_t **err)
{
    self->kind = TYPES_RECIPE_EXEC;
    if (types_cast_texts(star, values[EXEC_COMMAND], "command", &self->command, err) < 0)
        return -1;
    return types_cast_pairs(star, values[EXEC_EXTRACT], "extract", &self->extract, err);
}

static int
cast_get(star_t *star, const star_value_t *values, types_recipe_t *self, err_t **err)
{
    self->kind = TYPES_RECIPE_GET;
    if (types_cast_text(values[GET_PORT], "port_id", &self->port_id, err) < 0 ||
        types_cast_text(values[GET_ENDPOINT], "endpoint", &self->endpoint, err) < 0 ||
        types_cast_pairs(star, values[GET_EXTRACT], "extract", &self->extract, err) < 0)
        return -1;
    return types_cast_pairs(star, values[GET_HEADERS], "headers", &self->headers, err);
}

static int
cast_post(star_t *star, const star_value_t *values, types_recipe_t *self, err_t **err)
{
    self->kind = TYPES_RECIPE_POST;
    if (types_cast_text(values[POST_PORT], "port_id", &self->port_id, err) < 0 ||
        types_cast_text(values[POST_ENDPOINT], "endpoint", &self->endpoint, err) < 0 ||
        types_cast_field(&post_fields[POST_BODY], values[POST_BODY], &self->body, err) < 0 ||
        types_cast_field(&post_fields[POST_CONTENT_TYPE], values[POST_CONTENT_TYPE],
                         &self->content_type, err) < 0 ||
        types_cast_pairs(star, values[POST_EXTRACT], "extract", &self->extract, err) < 0)
        return -1;
    return types_cast_pairs(star, values[POST_HEADERS], "headers", &self->headers, err);
}

int
types_cast_recipe(star_t *star, star_value_t value, types_recipe_t **ret, err_t **err)
{
    AUTO(types_recipe) self = calloc(1, sizeof(*self));
    const star_value_t *values;
    int rc;

    if ((values = types_values(value, &types_exec_recipe)))
        rc = cast_exec(star, values, self, err);
    else if ((values = types_values(value, &types_get_recipe)))
        rc = cast_get(star, values, self, err);
    else if ((values = types_values(value, &types_post_recipe)))
        rc = cast_post(star, values, self, err);
    else
        rc = err_fail(err, ERR_INVALID, "The 'recipe' attribute is not a Recipe (was '%s').",
                      types_go_name(value));
    if (rc < 0)
        return rc;
    self->text = types_text(star, value);
    *ret = TAKE(self);
    return 0;
}

void
types_recipe_destroy(types_recipe_t **self_p)
{
    types_recipe_t *self = *self_p;
    if (!self)
        return;
    free(self->text);
    types_texts_free(self->command);
    free(self->port_id);
    free(self->endpoint);
    free(self->body);
    free(self->content_type);
    types_pairs_done(&self->headers);
    types_pairs_done(&self->extract);
    free(self);
    *self_p = NULL;
}

types_assertion_t
types_assertion_parse(const char *word)
{
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(assertion_words) && strcmp(word, assertion_words[i]) != 0)
        i++;
    return (types_assertion_t)i;
}

const char *
types_assertion_word(types_assertion_t assertion)
{
    return assertion_words[assertion];
}

static int
cast_period(star_value_t value, const char *fallback, const char *what, int64_t *ret, err_t **err)
{
    const char *text = star_ok(value) ? star_get_text(value, NULL) : fallback;
    if (duration_parse(text, ret, err) < 0)
        return err_wrap(err, "An error occurred when parsing %s '%s'", what, text);
    if (*ret <= 0)
        return err_fail(err, ERR_INVALID,
                        "An error occurred when parsing %s '%s': it should be longer than nothing",
                        what, text);
    return 0;
}

int
types_cast_condition(star_t *star, const types_condition_args_t *args, types_condition_t **ret,
                     err_t **err)
{
    AUTO(types_condition) self = calloc(1, sizeof(*self));
    self->target = TYPES_DATUM_EMPTY;
    if (types_cast_recipe(star, args->recipe, &self->recipe, err) < 0 ||
        types_cast_text(args->field, "field", &self->field, err) < 0 ||
        cast_period(args->interval, "1s", "interval", &self->interval_ns, err) < 0 ||
        cast_period(args->timeout, args->default_timeout, "timeout", &self->timeout_ns, err) < 0)
        return -1;
    self->assertion = types_assertion_parse(star_get_text(args->assertion, NULL));
    types_datum_from(&self->target, star, args->target);
    *ret = TAKE(self);
    return 0;
}

int
types_cast_ready_condition(star_t *star, star_value_t value, types_condition_t **ret, err_t **err)
{
    const star_value_t *values = types_values(value, &types_ready_condition);
    if (!values)
        return err_fail(err, ERR_INVALID,
                        "'ready_conditions' is expected to be a ReadyCondition. Got %s",
                        types_go_name(value));
    return types_cast_condition(star,
                                &(types_condition_args_t){
                                    .recipe = values[READY_RECIPE],
                                    .field = values[READY_FIELD],
                                    .assertion = values[READY_ASSERTION],
                                    .target = values[READY_TARGET],
                                    .interval = values[READY_INTERVAL],
                                    .timeout = values[READY_TIMEOUT],
                                    .default_timeout = ready_fields[READY_TIMEOUT].fallback,
                                },
                                ret, err);
}

void
types_condition_destroy(types_condition_t **self_p)
{
    types_condition_t *self = *self_p;
    if (!self)
        return;
    types_recipe_destroy(&self->recipe);
    free(self->field);
    types_datum_done(&self->target);
    free(self);
    *self_p = NULL;
}

static bool
check_command(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    if (star_kind(value) != STAR_LIST) {
        str_printf(why, "Attribute '%s' is expected to be a list of strings, got '%s'", field->name,
                   types_go_name(value));
        return false;
    }
    star_value_t item;
    for (size_t i = 0; star_ok(item = star_at(value, i)); i++) {
        if (star_kind(item) == STAR_STRING)
            continue;
        str_printf(why,
                   "Item number %zu in '%s' list was not a string. Expecting '%s' to be a string "
                   "list",
                   i, field->name, field->name);
        return false;
    }
    return true;
}

static bool
check_recipe(star_t *star, const types_field_t *field, star_value_t value, str_t *why)
{
    (void)star;
    const types_type_t *type = types_type_of(value);
    if (type == &types_exec_recipe || type == &types_get_recipe || type == &types_post_recipe)
        return true;
    str_printf(why, "The '%s' attribute is not a Recipe (was '%s').", field->name,
               types_go_name(value));
    return false;
}
