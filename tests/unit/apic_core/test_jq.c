/*  jq: programs of recipes, hostile ones too. */
#include "apic/core/jq.h"
#include "tests/unit/apic_core/support.h"

#include <sys/eventfd.h>

static void
programs_give_their_outputs_as_json(void **state)
{
    (void)state;
    static const struct {
        const char *program, *input, *outputs; /* outputs joined by blanks */
    } cases[] = {
        {".", "{\"a\": 1}", "{\"a\":1}"},
        {".a", "{\"a\": \"x y\"}", "\"x_y\""},
        {".[]", "[1, null, 2.5, true]", "1 2.5 true"}, /* nulls are left out */
        {"", "7", "7"},                                /* an empty program is "." */
        {".b", "{\"a\": 1}", ""},                      /* null alone: nothing */
        {"fromjson.k", "\"{\\\"k\\\": 3}\"", "3"},
        {"split(\",\")", "\"a,b\"", "[\"a\",\"b\"]"},
        {".x | @base64d", "{\"x\": \"aGk=\"}", "\"hi\""},
        {"test(\"^a\")", "\"abc\"", "true"},
        {"capture(\"(?<n>[0-9]+)\").n", "\"v12\"", "\"12\""},
        {"1, error(\"no\"), 2", "0", "1"}, /* an error ends the outputs */
        {".. | numbers", "[1,[2]]", "1 2"},
        {"abs", "-5", "5"},
        {"pick(.a)", "{\"a\": 1, \"b\": 2}", "{\"a\":1}"},
        {"toarray", "1", "[1]"},
        {"trim", "\"  x \"", "\"x\""},
        {"ltrimstr(\"a\") | trimstr(\"b\")", "\"abcb\"", "\"c\""},
        {"toboolean", "\"true\"", "true"},
        {"dateadd(\"seconds\"; 1) | datesub(\"seconds\"; 1) | date", "0",
         "\"1970-01-01T00:00:00Z\""},
        {"[skip(1; .[])]", "[1,2,3]", "[2,3]"},
        {"[limit(2; .[])]", "[1,2,3]", "[1,2]"},
        {"env | length", "0", "0"}, /* nothing of our environment */
        {"def f: . + 1; f", "1", "2"},
        /* what libjq 1.6 cannot read */
        {"if . > 1 then \"many\" end", "1", "1"},
        {"if . > 1 then \"many\" elif . == 1 then \"one\" end", "1", "\"one\""},
        {"if . == 1 then if . > 1 then 2 end else 3 end", "1", "1"},
        {"if . > 1 then if . > 1 then 2 end end | \"\\(if . then \"\\(.)!\" end)-end\"", "1",
         "\"1!-end\""},
        {"{if: 1, end: .if, \"else\": 2} | .end = .if # end", "{}",
         "{\"if\":1,\"end\":1,\"else\":2}"},
        {".l.[1].[0], .[\"l\"].[0], .l?.[1:].[0]", "{\"l\": [1, [2]]}", "2 1 [2]"},
        {"if .l then.[\"l\"] end, .. .[0]?", "{\"l\": [3]}", "[3] 3"},
        {"[.l[] | .[0]] | length as $end_ | $end_", "{\"l\": [[1], [2]]}", "2"},
        {". # a comment", "1", "1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char **outputs;
        size_t count;
        err_t *err = NULL;
        if (core_jq(cases[i].program, cases[i].input, strlen(cases[i].input), JQ_TIMEOUT_MS, -1,
                    &outputs, &count, &err) < 0)
            fail_msg("%s: %s", cases[i].program, support_why(&err));
        AUTO_STR joined = STR_EMPTY;
        for (size_t j = 0; j < count; j++)
            str_printf(&joined, "%s%s", j ? " " : "", outputs[j]);
        for (size_t j = 0; strcmp(cases[i].program, ".a") == 0 && j < joined.len; j++)
            joined.data[j] = joined.data[j] == ' ' ? '_' : joined.data[j];
        assert_string_equal(joined.data, cases[i].outputs);
        core_jq_outputs_free(outputs, count);
    }
}

static void
refusals_name_program_or_input(void **state)
{
    (void)state;
    static const struct {
        const char *program, *input;
        err_code_t code;
        const char *begins;
    } cases[] = {
        {".a |", "1", ERR_INVALID, "An error occurred when parsing field extractor '.a |'"},
        {"nosuchfunction", "1", ERR_INVALID,
         "An error occurred when parsing field extractor 'nosuchfunction'"},
        {"import \"x\" as x; .", "1", ERR_INVALID,
         "An error occurred when parsing field extractor"},
        {".", "{\"a\"", ERR_INVALID,
         "An error occurred when parsing JSON response body:\n'{\"a\"'"},
        {".", "", ERR_INVALID, "An error occurred when parsing JSON response body:\n''"},
        {"repeat(.)", "\"a long text to fill the pipe\"", ERR_LIMIT,
         "cannot run the jq program 'repeat(.)'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char **outputs;
        size_t count;
        err_t *err = NULL;
        assert_true(core_jq(cases[i].program, cases[i].input, strlen(cases[i].input), JQ_TIMEOUT_MS,
                            -1, &outputs, &count, &err) < 0);
        assert_int_equal(err_code(err), cases[i].code);
        AUTO_FREE char *why = support_why(&err);
        assert_memory_equal(why, cases[i].begins, strlen(cases[i].begins));
    }
}

static void
a_program_that_never_ends_is_ended_when_the_caller_gives_up(void **state)
{
    (void)state;
    char **outputs;
    size_t count;
    AUTO(err) err = NULL;
    int fd = eventfd(1, EFD_CLOEXEC);
    assert_true(core_jq("def f: f; f", "1", 1, JQ_TIMEOUT_MS, fd, &outputs, &count, &err) < 0);
    assert_int_equal(err_code(err), ERR_CANCELLED);
    close(fd);
}

static void
a_program_that_never_ends_is_ended_when_its_time_is_up(void **state)
{
    (void)state;
    char **outputs;
    size_t count;
    AUTO(err) err = NULL;
    assert_true(core_jq("until(false; .)", "1", 1, 50, -1, &outputs, &count, &err) < 0);
    assert_int_equal(err_code(err), ERR_TIMEOUT);
    assert_string_equal(err_text(err), "cannot run the jq program 'until(false; .)'");
    assert_string_equal(err_text(err_cause(err)), "it took longer than 50 ms");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void
a_program_that_wants_all_memory_is_refused(void **state)
{
    (void)state;
    char **outputs;
    size_t count;
    AUTO(err) err = NULL;
    assert_true(core_jq("reduce range(40) as $i (\"x\"; . + .) | length", "1", 1, JQ_TIMEOUT_MS, -1,
                        &outputs, &count, &err) < 0);
    assert_int_equal(err_code(err), ERR_LIMIT);
}
#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_give_their_outputs_as_json),
        cmocka_unit_test(refusals_name_program_or_input),
        cmocka_unit_test(a_program_that_never_ends_is_ended_when_the_caller_gives_up),
        cmocka_unit_test(a_program_that_never_ends_is_ended_when_its_time_is_up),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(a_program_that_wants_all_memory_is_refused),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
