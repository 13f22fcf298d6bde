/*  helper: a helper program that never ends, is not there, or is sent more than it reads. */
#include "apic/core/helper.h"
#include "tests/unit/apic_core/support.h"

#include <signal.h>

static int
add(void *arg, const void *data, size_t size, err_t **err)
{
    (void)err;
    str_add_bytes(arg, data, size);
    return 0;
}

static int
run(const char *name, const char *input, size_t size, int timeout_ms, int *ret_status,
    str_t *output, err_t **err)
{
    AUTO_STR message = STR_EMPTY;
    helper_t helper = {.name = name,
                       .input = input,
                       .input_size = size,
                       .timeout_ms = timeout_ms,
                       .cancel_fd = -1,
                       .on_output = add,
                       .arg = output};
    return helper_run(&helper, ret_status, &message, err);
}

static void
a_helper_that_never_ends_is_ended_when_its_time_is_up(void **state)
{
    (void)state;
    int status;
    AUTO_STR output = STR_EMPTY;
    err_t *err = NULL;
    const char work[] = "10\ndef f: f;f1";
    assert_true(run("jq", work, strlen(work), 300, &status, &output, &err) < 0);
    assert_int_equal(err_code(err), ERR_TIMEOUT);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "longer than 300 ms"));
}

static void
a_helper_that_is_not_installed_is_named(void **state)
{
    (void)state;
    int status;
    AUTO_STR output = STR_EMPTY;
    err_t *err = NULL;
    assert_true(run("nothing", "", 0, 10000, &status, &output, &err) < 0);
    assert_int_equal(err_code(err), ERR_UNAVAILABLE);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "lib/kurtosis/nothing"));
}

static void
large_inputs_and_outputs_pass_both_ways_at_once(void **state)
{
    (void)state;
    size_t size = 4 * 1024 * 1024;
    AUTO_STR work = STR_EMPTY;
    str_add(&work, "1\n.\"");
    str_reserve(&work, size);
    for (size_t i = 0; i < size; i++)
        str_add_char(&work, 'x');
    str_add_char(&work, '"');
    int status = -1;
    AUTO_STR output = STR_EMPTY;
    assert_int_equal(run("jq", work.data, work.len, 30000, &status, &output, NULL), 0);
    assert_int_equal(status, 0);
    assert_int_equal(output.len, size + 3);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as actor_process_init has it */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_helper_that_never_ends_is_ended_when_its_time_is_up),
        cmocka_unit_test(a_helper_that_is_not_installed_is_named),
        cmocka_unit_test(large_inputs_and_outputs_pass_both_ways_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
