/*  recipe: runs recipes against services and tells of their results. */
#include "apic/plan/plan.h"

#include "apic/core/jq.h"
#include "apic/run/reference.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXTRACT_LEAST_MS 5000 /* that a jq program may take, however little is left */

static int extract(const types_recipe_t *recipe, int64_t end_ns, plan_recipe_result_t *result,
                   err_t **err);

void
plan_recipe_result_done(plan_recipe_result_t *self)
{
    str_done(&self->body);
    for (size_t i = 0; i < self->n_extracted; i++) {
        free(self->names[i]);
        types_datum_done(&self->extracted[i]);
    }
    free(self->names);
    free(self->extracted);
    *self = (plan_recipe_result_t){.body = STR_EMPTY};
}

int
plan_check_recipe(star_value_t recipe, bool command, err_t **err)
{
    const types_type_t *type = types_type_of(recipe);
    if (type == &types_get_recipe || type == &types_post_recipe ||
        (command && type == &types_exec_recipe))
        return 0;
    err_fail(err, ERR_INVALID,
             "unable to extract value for argument 'recipe'. Types were not assignable (got '%s', "
             "expecting %s'GetHttpRequestRecipe' or 'PostHttpRequestRecipe')",
             types_go_name(recipe), command ? "'ExecRecipe', " : "");
    return err_wrap(err, "Unable to extract value for 'recipe' argument");
}

static int
run_exec(plan_exec_t *exec, const char *service, const types_recipe_t *recipe, int timeout_ms,
         plan_recipe_result_t *ret, err_t **err)
{
    size_t count = 0;
    int rc = 0, code = 0;
    while (recipe->command[count])
        count++;
    char **argv = calloc(count + 1, sizeof(*argv));
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = run_reference_replace_text(exec->store, recipe->command[i], &argv[i], err);
    if (rc == 0)
        rc = exec->world->service_exec(exec->world->self, service, argv, timeout_ms, &code,
                                       &ret->body, err);
    ret->code = code;
    types_texts_free(argv);
    return rc;
}

static int
run_http(plan_exec_t *exec, const char *service, const types_recipe_t *recipe, int timeout_ms,
         plan_recipe_result_t *ret, err_t **err)
{
    const bool is_post = recipe->kind == TYPES_RECIPE_POST;
    AUTO_FREE char *body = NULL;
    int code = 0;
    if (is_post && run_reference_replace_text(exec->store, recipe->body, &body, err) < 0)
        return -1;
    char **headers = calloc(recipe->headers.count + 1, sizeof(*headers));
    for (size_t i = 0; i < recipe->headers.count; i++)
        headers[i] =
            str_format("%s: %s", recipe->headers.items[i].name, recipe->headers.items[i].value);
    const core_request_t request = {
        .method = is_post ? "POST" : "GET",
        .endpoint = recipe->endpoint,
        .body = body,
        .content_type = is_post && recipe->content_type[0] ? recipe->content_type : NULL,
        .headers = (const char *const *)headers,
        .timeout_ms = timeout_ms,
    };
    const int rc = exec->world->service_request(exec->world->self, service, recipe->port_id,
                                                &request, &code, &ret->body, err);
    ret->code = code;
    types_texts_free(headers);
    return rc;
}

int
plan_recipe_run(plan_exec_t *exec, const char *service, const types_recipe_t *recipe,
                int timeout_ms, plan_recipe_result_t *ret, err_t **err)
{
    const int64_t end_ns = timeout_ms < 0 ? INT64_MAX : clock_ns() + timeout_ms * NS_PER_MS;
    *ret = (plan_recipe_result_t){.body = STR_EMPTY};
    const int rc = recipe->kind == TYPES_RECIPE_EXEC
                       ? run_exec(exec, service, recipe, timeout_ms, ret, err)
                       : run_http(exec, service, recipe, timeout_ms, ret, err);
    return rc < 0 ? rc : extract(recipe, end_ns, ret, err);
}

int
plan_recipe_store(plan_exec_t *exec, const types_recipe_t *recipe, const char *uuid,
                  const plan_recipe_result_t *result, err_t **err)
{
    types_datum_t code = TYPES_DATUM_EMPTY, body = TYPES_DATUM_EMPTY;
    AUTO_FREE run_value_t *values = calloc(2 + result->n_extracted, sizeof(*values));
    types_datum_set_int(&code, result->code);
    types_datum_set_string(&body, result->body.data, result->body.len);
    values[0] = (run_value_t){"code", &code};
    values[1] = (run_value_t){recipe->kind == TYPES_RECIPE_EXEC ? "output" : "body", &body};
    for (size_t i = 0; i < result->n_extracted; i++)
        values[2 + i] = (run_value_t){result->names[i], &result->extracted[i]};
    const int rc = run_store_set(exec->store, uuid, values, 2 + result->n_extracted, err);
    types_datum_done(&code);
    types_datum_done(&body);
    return rc;
}

void
plan_recipe_describe(const types_recipe_t *recipe, const plan_recipe_result_t *result, str_t *out)
{
    if (recipe->kind == TYPES_RECIPE_EXEC) {
        plan_command_describe(result->code, &result->body, out);
        return;
    }
    types_datum_t body = TYPES_DATUM_EMPTY;
    types_datum_set_string(&body, result->body.data, result->body.len);
    str_printf(out, "Request had response code '%lld' and body ", (long long)result->code);
    types_datum_repr(&body, out);
    types_datum_done(&body);
    if (result->n_extracted)
        str_add(out, ", with extracted fields:");
    for (size_t i = 0; i < result->n_extracted; i++) {
        str_printf(out, "\n'%s': ", result->names[i]);
        types_datum_repr(&result->extracted[i], out);
    }
}

/* What jq gave, as a script sees it: whole numbers are ints, a null inside is "<nil>". */
static star_value_t
adapt(star_t *star, star_value_t value)
{
    star_value_t key, item, copy;
    double number;
    switch (star_kind(value)) {
    case STAR_NONE:
        return star_string(star, "<nil>", (size_t)-1);
    case STAR_FLOAT:
        star_get_number(value, &number);
        return number == floor(number) && fabs(number) < 9.2e18 ? star_int(star, (int64_t)number)
                                                                : value;
    case STAR_LIST:
        copy = star_list(star, NULL, 0);
        for (size_t i = 0; star_ok(item = star_at(value, i)); i++)
            star_list_append(star, copy, adapt(star, item));
        return copy;
    case STAR_DICT:
        copy = star_dict_new(star);
        for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);)
            star_dict_set(star, copy, key, adapt(star, item));
        return copy;
    default:
        return value;
    }
}

/* One output is the value, several are a list of them. */
static int
outputs_value(char *const *outputs, size_t count, types_datum_t *ret, err_t **err)
{
    star_t *star = NULL;
    int rc = 0;
    if (star_new(NULL, &star) < 0)
        return err_fail(err, ERR_LIMIT, "there is no memory for the values of an extractor");
    star_value_t list = star_list(star, NULL, 0);
    for (size_t i = 0; i < count; i++)
        star_list_append(star, list,
                         adapt(star, star_json_decode(star, outputs[i], strlen(outputs[i]))));
    if (star_error(star))
        rc = err_fail(err, ERR_INVALID, "%s", star_error(star)->message);
    else
        types_datum_from(ret, star, count == 1 ? star_at(list, 0) : list);
    star_destroy(&star);
    return rc;
}

static int
extract_one(const char *program, const str_t *input, int64_t end_ns, types_datum_t *ret,
            err_t **err)
{
    const int64_t left_ms = (end_ns - clock_ns()) / NS_PER_MS;
    char **outputs = NULL;
    size_t count = 0;
    if (core_jq(program, input->data, input->len,
                left_ms < EXTRACT_LEAST_MS ? EXTRACT_LEAST_MS
                : left_ms < JQ_TIMEOUT_MS  ? (int)left_ms
                                           : JQ_TIMEOUT_MS,
                -1, &outputs, &count, err) < 0)
        return -1;
    const int rc =
        count ? outputs_value(outputs, count, ret, err)
              : err_fail(err, ERR_NOT_FOUND, "No field '%s' was found on input '%.*s'", program,
                         (int)(input->len < PLAN_RESULT_MAX ? input->len : PLAN_RESULT_MAX),
                         input->data);
    core_jq_outputs_free(outputs, count);
    return rc;
}

static int
extract(const types_recipe_t *recipe, int64_t end_ns, plan_recipe_result_t *result, err_t **err)
{
    const size_t count = recipe->extract.count;
    AUTO_STR quoted = STR_EMPTY;
    if (!count)
        return 0;
    if (recipe->kind == TYPES_RECIPE_EXEC) /* the output is one JSON string */
        types_json_quote(&quoted, result->body.data, result->body.len);
    result->names = calloc(count, sizeof(*result->names));
    result->extracted = calloc(count, sizeof(*result->extracted));
    for (size_t i = 0; i < count; i++) {
        const types_pair_t *pair = &recipe->extract.items[i];
        result->names[i] = str_format("extract.%s", pair->name);
        result->extracted[i] = TYPES_DATUM_EMPTY;
        result->n_extracted++;
        if (extract_one(pair->value, quoted.len ? &quoted : &result->body, end_ns,
                        &result->extracted[i], err) < 0)
            return err_wrap(err, "An error occurred running extractor '%s' on recipe", pair->value);
    }
    return 0;
}
