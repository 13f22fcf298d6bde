/*  The language, by the programs of tests/starlark. */
#include "starlark/debug.h"
#include "suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_prints_what_stands_beside_it),
        cmocka_unit_test(the_same_when_garbage_is_collected_all_the_time),
        cmocka_unit_test(the_same_with_stacks_that_grow_all_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
