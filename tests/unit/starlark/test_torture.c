/*  Every allocation may fail: the program then ends with an error that says so, and nothing is lost
 * or leaked. */
#include "starlark/debug.h"
#include "suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    size_t count;   /* allocations so far */
    size_t fail_at; /* this one fails, and with `all` all after it; 0: none */
    bool all;
    size_t bytes; /* held now */
} allocator_t;

static void *
on_alloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    allocator_t *self = user;

    if (new_size > old_size) {
        self->count++;
        if (self->fail_at > 0 &&
            (self->all ? self->count >= self->fail_at : self->count == self->fail_at))
            return NULL;
    }
    void *fresh = NULL;
    if (new_size == 0)
        free(ptr);
    else if ((fresh = realloc(ptr, new_size)) == NULL)
        return NULL;
    self->bytes += new_size - old_size;
    return fresh;
}

static void
run_failing(const char *path, size_t fail_at, bool all, unsigned debug)
{
    allocator_t allocator = {.fail_at = fail_at, .all = all};
    suite_result_t result = suite_run(
        path, (star_options_t){.alloc = on_alloc, .alloc_user = &allocator, .debug = debug});

    if (result.failed > 0 || (result.stopped && result.kind != STAR_ERROR_LIMIT))
        fail_msg("%s, allocation %zu: %s", path, fail_at, result.text);
    if (allocator.bytes != 0)
        fail_msg("%s, allocation %zu: %zu bytes leaked", path, fail_at, allocator.bytes);
    free(result.text);
}

static void
any_allocation_may_fail(void **state)
{
    char **files = suite_files();
    (void)state;

    for (char **file = files; *file != NULL; file++) {
        allocator_t counting = {0};
        suite_result_t result =
            suite_run(*file, (star_options_t){.alloc = on_alloc, .alloc_user = &counting});
        free(result.text);
        assert_int_equal(counting.bytes, 0);
        /* The first ones make the interpreter itself; of the others some, different ones for each
         * file. */
        size_t step = counting.count / 25 + 1;
        for (size_t n = 1; n <= counting.count; n += n < 30 ? 1 : step)
            run_failing(*file, n, n % 2, n % 3 == 0 ? STAR_DEBUG_COLLECT : 0);
        free(*file);
    }
    free(files);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
