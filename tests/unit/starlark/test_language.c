/*  The language, by the programs of tests/starlark. */
#include "starlark/debug.h"
#include "suite.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
run_all(star_options_t options)
{
    char **files = suite_files();
    size_t cases = 0, failed = 0;

    for (char **file = files; *file != NULL; file++) {
        suite_result_t result = suite_run(*file, options);
        cases += result.cases;
        failed += result.failed + result.stopped;
        if (result.failed > 0 || result.stopped)
            fprintf(stderr, "%s", result.text != NULL ? result.text : "stopped\n");
        free(result.text);
        free(*file);
    }
    free(files);
    printf("%zu cases\n", cases);
    assert_int_equal(failed, 0);
    assert_true(cases > 1500);
}

static void
every_line_prints_what_stands_beside_it(void **state)
{
    (void)state;
    run_all((star_options_t){0});
}

static void
the_same_when_garbage_is_collected_all_the_time(void **state)
{
    (void)state;
    run_all((star_options_t){.debug = STAR_DEBUG_COLLECT});
}

static void
the_same_with_stacks_that_grow_all_the_time(void **state)
{
    (void)state;
    run_all((star_options_t){.debug = STAR_DEBUG_TINY_STACKS});
}

/* ------------------------------------------------------------------ every name */

/* Values of all types, and the modules: whatever can be called of them is called by a program of the suite. */
static const char *const typed[] = {"''",   "b''",  "[]",   "{}",         "set()",
                                    "json", "math", "time", "time.now()", "time.hour"};

enum { NAMES_MAX = 400 };
static struct {
    char name[64];
    bool called;
} names[NAMES_MAX];
static size_t n_names;

static void
note(const char *of, const char *name, bool called)
{
    char whole[64];
    size_t i = 0;

    snprintf(whole, sizeof whole, "%s%s%s", of, *of ? "." : "", name);
    while (i < n_names && strcmp(names[i].name, whole) != 0)
        i++;
    assert_true(i < NAMES_MAX);
    if (i == n_names)
        memcpy(names[n_names++].name, whole, sizeof whole);
    names[i].called |= called;
}

/* An expectation of the chapter on libraries uses the attribute. */
static bool
library_shows(const char *name)
{
    FILE *file = fopen("tests/starlark/library.star", "r");
    char line[4000], dotted[64];
    bool shown = false;

    assert_non_null(file);
    snprintf(dotted, sizeof dotted, ".%s", name);
    while (!shown && fgets(line, sizeof line, file) != NULL) {
        char *expected = strstr(line, "# expect");
        if (expected == NULL)
            continue;
        *expected = 0;
        for (char *at = line; !shown && (at = strstr(at, dotted)) != NULL; at++)
            shown = !isalnum((unsigned char)at[strlen(dotted)]) && at[strlen(dotted)] != '_';
    }
    fclose(file);
    return shown;
}

static void
note_called(star_t **star_p, star_value_t module, star_value_t env)
{
    star_t *star = *star_p;
    star_value_t all = star_debug_names(star);
    (void)module;

    for (size_t i = 0; i < (size_t)star_length(all); i++) {
        const char *name = star_get_text(star_at(all, i), NULL);
        star_value_t function = star_eval(star, "name", name, strlen(name), env);
        if (star_kind(function) == STAR_BUILTIN)
            note("", name, star_debug_called(function));
    }
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        star_value_t value = star_eval(star, "value", typed[i], strlen(typed[i]), env), function;
        star_value_t dir = star_dir(star, value);
        for (size_t j = 0; j < (size_t)star_length(dir); j++) {
            const char *name = star_get_text(star_at(dir, j), NULL);
            assert_int_equal(star_get_attr(star, value, name, &function), 1);
            /* Constants, fields, and methods of time, which are made anew for each use, are looked for in the text. */
            bool constant =
                star_kind(function) != STAR_BUILTIN || strncmp(typed[i], "time.", 5) == 0;
            note(typed[i], name, constant ? library_shows(name) : star_debug_called(function));
        }
    }
}

static void
every_function_and_method_is_called(void **state)
{
    char **files = suite_files();
    size_t missing = 0;
    (void)state;

    for (char **file = files; *file != NULL; file++) {
        suite_result_t result =
            suite_run_then(*file, (star_options_t){.debug = STAR_DEBUG_CALLS}, note_called);
        free(result.text);
        free(*file);
    }
    free(files);
    for (size_t i = 0; i < n_names; i++)
        if (!names[i].called && strcmp(names[i].name, "fail") != 0) { /* which never succeeds */
            missing++;
            fprintf(stderr, "nothing in tests/starlark calls %s\n", names[i].name);
        }
    printf("%zu names\n", n_names);
    assert_true(n_names > 100);
    assert_int_equal(missing, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_and_method_is_called),
        cmocka_unit_test(every_line_prints_what_stands_beside_it),
        cmocka_unit_test(the_same_when_garbage_is_collected_all_the_time),
        cmocka_unit_test(the_same_with_stacks_that_grow_all_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
