#include "suite.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 4000 };

typedef struct {
    char *printed[LINES_MAX]; /* by line, from 1 */
} suite_t;

static void
append(char **text, const char *more, size_t length, const char *between)
{
    size_t old = *text != NULL ? strlen(*text) : 0;
    char *joined = malloc(old + strlen(between) + length + 1);

    sprintf(joined, "%s%s", *text != NULL ? *text : "", old > 0 || *text != NULL ? between : "");
    size_t at = strlen(joined);
    memcpy(joined + at, more, length);
    joined[at + length] = 0;
    free(*text);
    *text = joined;
}

static int
on_print(star_t *star, const char *text, size_t length, void *user)
{
    suite_t *suite = user;
    star_frame_t frame;

    /* 0 is print itself; its caller may be a function of another line: the outermost call counts.
     */
    for (size_t i = 1; star_stack_frame(star, i, &frame); i++)
        if (frame.line > 0 && frame.line < LINES_MAX && strcmp(frame.name, "<toplevel>") == 0)
            append(&suite->printed[frame.line], text, length, " | ");
    return 0;
}

static star_value_t
on_fails(star_t *star, const star_args_t *args)
{
    if (args->n_args != 1)
        return star_fail(star, "fails wants one function");
    if (star_ok(star_call(star, args->args[0], NULL, 0, NULL, 0)))
        return star_string(star, "(no error)", -1);
    const star_error_t *error = star_error(star);
    if (error->kind != STAR_ERROR_EVAL && strstr(error->message, "out of memory") != NULL)
        return STAR_ABSENT;
    char *message = strdup(error->message);
    star_error_clear(star);
    star_value_t result = star_string(star, message, -1);
    free(message);
    return result;
}

static star_value_t
on_wrong(star_t *star, const star_args_t *args)
{
    size_t length;
    const char *text = args->n_args == 1 ? star_get_text(args->args[0], &length) : NULL;
    star_text_t out;

    if (text == NULL)
        return star_fail(star, "wrong wants one string");
    if (star_check(star, "", text, length, STAR_ABSENT) == 0)
        return star_string(star, "(no error)", -1);
    const star_error_t *error = star_error(star);
    if (error->kind != STAR_ERROR_SYNTAX && error->kind != STAR_ERROR_RESOLVE)
        return STAR_ABSENT;
    star_text_init(&out, star);
    char *all = strdup("");
    for (size_t i = 0; i < error->n_frames; i++) {
        char line[600];
        snprintf(line, sizeof line, "%s%u:%u: %s", i > 0 ? "; " : "", error->frames[i].line,
                 error->frames[i].column, error->frames[i].message);
        append(&all, line, strlen(line), "");
    }
    star_error_clear(star);
    star_value_t result = star_string(star, all, -1);
    free(all);
    return result;
}

static int64_t
on_clock(void *user)
{
    (void)user;
    return 1600000000000000000;
}

static char *
read_all(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *text = malloc((size_t)length + 1);
    *ret_length = fread(text, 1, (size_t)length, file);
    text[*ret_length] = 0;
    fclose(file);
    return text;
}

static void
compare(suite_t *suite, const char *path, const char *text, suite_result_t *result)
{
    unsigned number = 1;

    for (const char *line = text; *line != 0 && number < LINES_MAX; number++) {
        const char *end = strchr(line, '\n');
        size_t length = end != NULL ? (size_t)(end - line) : strlen(line);
        const char *mark = memmem(line, length, "# expect: ", 10);
        const char *want = mark != NULL ? mark + 10 : "";
        size_t want_length = mark != NULL ? length - (size_t)(want - line) : 0;
        const char *got = suite->printed[number] != NULL ? suite->printed[number] : "";
        result->cases += mark != NULL;
        if (strlen(got) != want_length || memcmp(got, want, want_length) != 0) {
            char report[1200];
            result->failed++;
            snprintf(report, sizeof report, "%s:%u: got  %.400s\n%s:%u: want %.*s\n", path, number,
                     got, path, number, (int)(want_length < 400 ? want_length : 400), want);
            append(&result->text, report, strlen(report), "");
        }
        line = end != NULL ? end + 1 : line + length;
    }
}

suite_result_t
suite_run(const char *path, star_options_t options)
{
    return suite_run_then(path, options, NULL);
}

suite_result_t
suite_run_then(const char *path, star_options_t options, suite_then_fn *then)
{
    static const star_function_t functions[] = {
        {"fails", on_fails, NULL}, {"wrong", on_wrong, NULL}, {0}};
    suite_result_t result = {0};
    suite_t *suite = calloc(1, sizeof *suite);
    star_t *star = NULL;
    size_t length = 0;
    char *text = read_all(path, &length);
    char first[200];

    snprintf(first, sizeof first, "%.*s", (int)strcspn(text, "\n"), text);
    options.dialect |= strstr(first, "# options:") && strstr(first, " set") ? STAR_DIALECT_SET : 0;
    options.dialect |=
        strstr(first, "# options:") && strstr(first, " recursion") ? STAR_DIALECT_RECURSION : 0;
    options.dialect |= strstr(first, "# options:") && strstr(first, " globalreassign")
                           ? STAR_DIALECT_GLOBAL_REASSIGN
                           : 0;
    options.print = on_print;
    options.clock = on_clock;
    options.user = suite;
    result.stopped = true;
    result.kind = STAR_ERROR_LIMIT;
    if (star_new(&options, &star) == 0) {
        star_value_t env = star_dict_new(star), module;
        if (star_functions_put(star, env, functions) == 0 &&
            star_dict_put(star, env, "json", star_lib_json(star)) == 0 &&
            star_dict_put(star, env, "math", star_lib_math(star)) == 0 &&
            star_dict_put(star, env, "time", star_lib_time(star)) == 0 &&
            star_dict_put(star, env, "struct", star_lib_struct(star)) == 0 &&
            star_dict_put(star, env, "module", star_lib_module(star)) == 0 &&
            star_ok(module = star_run(star, path, text, length, env)))
            result.stopped = false;
        const star_error_t *error = star_error(star);
        if (error != NULL) {
            result.kind = error->kind;
            append(&result.text, error->text, strlen(error->text), "");
            append(&result.text, "\n", 1, "");
        }
        if (then != NULL && !result.stopped)
            then(&star, module, env);
        star_destroy(&star);
    }
    if (!result.stopped)
        compare(suite, path, text, &result);
    for (size_t i = 0; i < LINES_MAX; i++)
        free(suite->printed[i]);
    free(suite);
    free(text);
    return result;
}

char **
suite_files(void)
{
    glob_t found;
    char **files = NULL;

    if (glob("tests/starlark/*.star", 0, NULL, &found) != 0)
        return calloc(1, sizeof *files);
    files = calloc(found.gl_pathc + 1, sizeof *files);
    for (size_t i = 0; i < found.gl_pathc; i++)
        files[i] = strdup(found.gl_pathv[i]);
    globfree(&found);
    return files;
}
