/*  suite: runs the language tests of tests/starlark: programs with their expectations beside each
 * line.
 *
 *      print(1 + 2)                             # expect: 3
 *      print(fails(lambda: 1 + "a"))            # expect: unknown binary op: int + string
 *      print(wrong("x = ="))                    # expect: 1:5: got '=', want primary expression
 *
 *  What a line prints (prints of one line are joined with " | ") must be what stands after `#
 * expect: `; lines without an expectation must print nothing. `fails` calls a function and gives
 * its error, `wrong` compiles a text and gives its syntax or resolve errors, joined with "; ". The
 * first line may switch the dialect:
 *  `# options: set recursion globalreassign`.
 */
#ifndef TESTS_STARLARK_SUITE_H
#define TESTS_STARLARK_SUITE_H

#include "starlark/starlark.h"

typedef struct {
    size_t cases, failed;
    star_error_kind_t kind; /* of a run that failed as a whole */
    bool stopped;
    char *text; /* what failed; yours, free() */
} suite_result_t;

/* `options` may set alloc, limits and debug. */
suite_result_t suite_run(const char *path, star_options_t options);
/* The same; `then`, if given, gets the interpreter and the file's module before it is destroyed. */
typedef void suite_then_fn(star_t **star_p, star_value_t module, star_value_t env);
suite_result_t suite_run_then(const char *path, star_options_t options, suite_then_fn *then);
/* The test files, ended by NULL; yours, free each and the array. */
char **suite_files(void);

#endif
