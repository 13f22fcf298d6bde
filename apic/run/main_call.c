/*  main_call: the main function: what it must look like, its arguments, and what it returns. */
#include "apic/run/interpret.h"

#include <stdlib.h>
#include <string.h>

#define PARSER "_kurtosis_parser"

/* One call of the main function. */
typedef struct {
    run_interpretation_t *run;
    star_t *star;
    const char *name;
    bool is_default;
    star_value_t function;
    star_function_info_t info;
    star_value_t input;   /* dict or struct */
    star_value_t args[2]; /* by position */
    size_t n_args;
} main_t;

static int find(main_t *self, star_value_t module, err_t **err);
static int read_input(main_t *self, err_t **err);
static int choose_parser(main_t *self, err_t **err);
static star_value_t call(main_t *self, err_t **err);
static char *output_of(star_t *star, star_value_t value);

int
run_main_call(run_interpretation_t *self, star_value_t module, char **ret_output, err_t **err)
{
    const char *name = self->program->main_function;
    main_t main = {.run = self, .star = self->scope.star, .name = name[0] ? name : RUN_MAIN};
    main.is_default = !strcmp(main.name, RUN_MAIN);
    if (find(&main, module, err) < 0 || read_input(&main, err) < 0)
        return -1;
    star_value_t value = call(&main, err);
    if (!star_ok(value))
        return -1;
    *ret_output = output_of(main.star, value);
    return 0;
}

static int
find(main_t *self, star_value_t module, err_t **err)
{
    const run_program_t *program = self->run->program;
    self->function = star_module_get(self->star, module, self->name);
    if (star_ok(self->function) && star_kind(self->function) == STAR_FUNCTION &&
        star_function_info(self->function, &self->info))
        return 0;
    star_error_clear(self->star);
    if (program->is_script)
        return err_fail(err, ERR_INVALID,
                        "No '%s' function found in the script; a '%s' entrypoint function with the "
                        "signature `%s(plan, args)` or `%s()` is required in the Kurtosis script",
                        self->name, self->name, self->name, self->name);
    return err_fail(
        err, ERR_INVALID,
        "No '%s' function found in the main file of package '%s'; a '%s' entrypoint "
        "function with the signature `%s(plan, args)` or `%s()` is required in the main "
        "file of the Kurtosis package",
        self->name, program->packages.package_id, self->name, self->name, self->name);
}

static int
read_input(main_t *self, err_t **err)
{
    const char *text = self->run->program->params[0] ? self->run->program->params : "{}";
    self->input = star_json_decode(self->star, text, strlen(text));
    if (!star_ok(self->input)) {
        const star_error_t *error = star_error(self->star);
        err_fail(err, ERR_INVALID, "%s", error ? error->message : "it cannot be read");
        star_error_clear(self->star);
        return err_wrap(err, "Unable to deserialize package input '%s'. Is it a valid JSON?", text);
    }
    if (star_kind(self->input) != STAR_DICT) {
        AUTO_FREE char *shown = types_text(self->star, self->input);
        return err_fail(err, ERR_INVALID,
                        "Unable to parse package input '%s' into a dictionary. JSON other than "
                        "dictionaries aren't support right now.",
                        shown);
    }
    return choose_parser(self, err);
}

/* A dict, and the dicts in it, as structs. */
static star_value_t
to_struct(star_t *star, star_value_t value)
{
    if (star_kind(value) != STAR_DICT)
        return value;
    const size_t count = (size_t)star_length(value);
    AUTO_FREE star_named_t *fields = calloc(count ? count : 1, sizeof(*fields));
    star_value_t key, item;
    size_t n = 0;
    for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item); n++)
        fields[n] = (star_named_t){star_get_text(key, NULL), to_struct(star, item)};
    return star_struct(star, STAR_ABSENT, fields, n);
}

static int
choose_parser(main_t *self, err_t **err)
{
    star_value_t parser = star_dict_find(self->star, self->input, PARSER);
    if (!star_ok(parser) || star_is_text(parser, "dict"))
        return 0;
    if (star_is_text(parser, "struct")) {
        self->input = to_struct(self->star, self->input);
        return 0;
    }
    AUTO_FREE char *shown = types_text(self->star, parser);
    return err_fail(err, ERR_INVALID,
                    "Kurtosis parser instruction not recognized in package JSON input. The only "
                    "valid values right now are 'dict' and 'struct', found '%s'",
                    shown);
}

static const char *
param_name(const main_t *self, size_t index)
{
    star_value_t unused;
    return star_function_param(self->function, index, &unused);
}

/* The plan object goes first, where the function wants it. */
static int
pass_plan(main_t *self, err_t **err)
{
    if (!self->info.n_params)
        return 0;
    const char *first = param_name(self, 0);
    if (!strcmp(first, "plan")) {
        self->args[self->n_args++] = plan_module(&self->run->scope);
        return 0;
    }
    return !self->is_default
               ? 0
               : err_fail(err, ERR_INVALID,
                          "Expected argument at index '0' of run function to be called 'plan' got "
                          "'%s' ",
                          first);
}

static star_value_t
call(main_t *self, err_t **err)
{
    if (pass_plan(self, err) < 0)
        return STAR_ABSENT;
    /* the older form: everything in one parameter called args */
    if (self->is_default && self->info.n_params == 2 && !strcmp(param_name(self, 1), "args")) {
        self->args[self->n_args++] = self->input;
        return star_call(self->star, self->function, self->args, self->n_args, NULL, 0);
    }
    if (star_kind(self->input) != STAR_DICT) {
        AUTO_FREE char *shown = types_text(self->star, self->input);
        err_fail(err, ERR_INVALID, "An error occurred casting input args '%s' to Starlark Dict",
                 shown);
        return STAR_ABSENT;
    }
    const size_t count = (size_t)star_length(self->input);
    AUTO_FREE star_named_t *named = calloc(count ? count : 1, sizeof(*named));
    star_value_t key, item;
    size_t n = 0;
    for (size_t cursor = 0; star_dict_next(self->input, &cursor, &key, &item); n++)
        named[n] = (star_named_t){star_get_text(key, NULL), item};
    return star_call(self->star, self->function, self->args, self->n_args, named, n);
}

/* Indented JSON; str() of what has none; "" for None. */
static char *
output_of(star_t *star, star_value_t value)
{
    star_text_t json, text;
    if (star_kind(value) == STAR_NONE)
        return strdup("");
    star_text_init(&json, star);
    star_text_init(&text, star);
    if (star_json_encode(star, value, &json) < 0 ||
        star_json_indent(star, json.data, json.length, "", "\t", &text) < 0) {
        star_error_clear(star);
        star_text_done(&text);
        star_text_init(&text, star);
        star_str(star, value, &text);
    }
    char *output = strndup(text.data ? text.data : "", text.length);
    star_text_done(&json);
    star_text_done(&text);
    return output;
}
