#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int
read_seal(const char *name, err_t **err)
{
    return err_fail(err, ERR_NOT_FOUND, "no file '%s.seal'", name);
}

static int
open_enclave(const char *name, err_t **err)
{
    if (read_seal(name, err) < 0)
        return err_wrap(err, "cannot open enclave '%s'", name);
    return 0;
}

static void
a_wrapped_error_reads_from_what_was_done_to_why_it_failed(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    assert_true(open_enclave("blue-lake", &error) < 0);
    assert_int_equal(err_code(error), ERR_NOT_FOUND);
    AUTO_FREE char *text = err_string(error);
    assert_string_equal(text, "cannot open enclave 'blue-lake': no file 'blue-lake.seal'");
    AUTO_FREE char *lines = err_lines(error);
    assert_string_equal(lines,
                        "cannot open enclave 'blue-lake'\nCaused by: no file 'blue-lake.seal'");
    int line;
    assert_non_null(strstr(err_file(err_cause(error), &line), "test_err.c"));
    assert_true(line > 0);
}

static void
a_caller_that_does_not_ask_why_gets_only_the_result(void **state)
{
    (void)state;
    assert_true(open_enclave("blue-lake", NULL) < 0);
}

static void
a_copy_lives_on_when_the_original_is_gone(void **state)
{
    (void)state;
    err_t *error = NULL;
    assert_true(open_enclave("x", &error) < 0);
    AUTO(err) copy = err_dup(error);
    err_destroy(&error);
    assert_null(error);
    AUTO_FREE char *text = err_string(copy);
    assert_string_equal(text, "cannot open enclave 'x': no file 'x.seal'");
}

static void
codes_have_names_and_http_status_and_unknown_numbers_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(err_code_name(ERR_LIMIT), "resource_exhausted");
    assert_int_equal(err_code_http(ERR_EXISTS), 409);
    assert_int_equal(err_code_from_number(5), ERR_NOT_FOUND);
    assert_int_equal(err_code_from_number(4711), ERR_UNKNOWN);
}

static void
links_from_elsewhere_keep_their_own_codes(void **state)
{
    (void)state;
    AUTO(err) err = NULL;
    assert_int_equal(err_link(&err, ERR_NOT_FOUND, "no 100% match"), -1);
    assert_int_equal(err_link(&err, ERR_STATE, "cannot open"), -1);
    AUTO_FREE char *text = err_string(err);
    assert_string_equal(text, "cannot open: no 100% match");
    assert_int_equal(err_code(err), ERR_STATE);
    assert_int_equal(err_code(err_cause(err)), ERR_NOT_FOUND);
    assert_int_equal(err_link(NULL, ERR_STATE, "nobody wants to know"), -1);
}

static void
unwrapping_takes_the_outermost_link_off_and_leaves_the_last(void **state)
{
    (void)state;
    AUTO(err) err = NULL;
    err_unwrap(&err);
    assert_null(err);
    err_fail(&err, ERR_NOT_FOUND, "inner");
    err_wrap(&err, "outer");
    err_unwrap(&err);
    assert_string_equal(err_text(err), "inner");
    assert_null(err_cause(err));
    err_unwrap(&err);
    assert_string_equal(err_text(err), "inner");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapped_error_reads_from_what_was_done_to_why_it_failed),
        cmocka_unit_test(a_caller_that_does_not_ask_why_gets_only_the_result),
        cmocka_unit_test(a_copy_lives_on_when_the_original_is_gone),
        cmocka_unit_test(codes_have_names_and_http_status_and_unknown_numbers_are_unknown),
        cmocka_unit_test(links_from_elsewhere_keep_their_own_codes),
        cmocka_unit_test(unwrapping_takes_the_outermost_link_off_and_leaves_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
