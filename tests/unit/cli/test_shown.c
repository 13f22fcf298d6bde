#include "tests/unit/cli/support.h"

#include "bus/bus.h"
#include "cli/shown.h"

static void
show(shown_t *shown, const char *json)
{
    AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = NULL;
    AUTO(err) err = NULL;
    assert_done(bus_json_unpack(&api_container_api__starlark_run_response_line__descriptor, json,
                                strlen(json), (ProtobufCMessage **)&line, &err),
                err);
    assert_int_equal(shown_line(shown, line, NULL), 0);
}

static void
begin(shown_t *shown, const char *id)
{
    AUTO_FREE char *json =
        str_format("{\"instruction\": {\"instruction_name\": \"exec\", \"description\": "
                   "\"Begin %s\", \"instruction_id\": \"%s\"}}",
                   id, id);
    show(shown, json);
}

static void
end(shown_t *shown, const char *id)
{
    AUTO_FREE char *json =
        str_format("{\"instruction_result\": {\"serialized_instruction_result\": \"result of %s\", "
                   "\"instruction_id\": \"%s\"}}",
                   id, id);
    show(shown, json);
}

static void
a_result_is_below_its_instruction(void **state)
{
    (void)state;
    AUTO_SHOWN shown = {.text = STR_EMPTY};
    begin(&shown, "a");
    begin(&shown, "b");
    end(&shown, "b");
    end(&shown, "a");
    show(&shown, "{\"info\": {\"info_message\": \"news\"}}");
    begin(&shown, "c");
    end(&shown, "c");
    assert_text(shown.text.data, "\nBegin a\n\nBegin b\nresult of b\n\nBegin a\nresult of a\n"
                                 "\nnews\n\nBegin c\nresult of c\n");
}

static void
more_than_can_be_told_apart_are_shown_as_they_come(void **state)
{
    (void)state;
    AUTO_SHOWN shown = {.text = STR_EMPTY};
    for (int i = 0; i < 2 * SHOWN_SIDE_BY_SIDE; i++) {
        AUTO_FREE char *id = str_format("%d", i);
        begin(&shown, id);
    }
    str_clear(&shown.text);
    end(&shown, "0");
    end(&shown, "100");
    assert_text(shown.text.data, "\nBegin 0\nresult of 0\nresult of 100\n");
}

static void
how_a_run_ended_is_known(void **state)
{
    (void)state;
    AUTO_SHOWN shown = {.text = STR_EMPTY};
    assert_false(shown.has_finished || shown.has_failed);
    show(&shown, "{\"error\": {\"execution_error\": {\"error_message\": \"no\"}}}");
    assert_true(shown.has_failed && !shown.has_finished);
    show(&shown, "{\"run_finished_event\": {\"is_run_successful\": true}}");
    assert_true(shown.has_finished && shown.is_successful);
}

static void
only_a_run_that_has_begun_was_cut_off(void **state)
{
    (void)state;
    static const struct {
        bool has_begun;
        err_code_t code;
        const char *says;
    } rows[] = {
        {false, ERR_LIMIT, "the package is too large"},
        {true, ERR_INTERNAL, "the run was cut off"},
        {false, ERR_UNAVAILABLE, "the run was cut off: 'kurtosis enclave attach e' shows"},
        {true, ERR_UNAVAILABLE, "the run was cut off: 'kurtosis enclave attach e' shows"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_SHOWN shown = {.text = STR_EMPTY};
        AUTO(err) err = NULL;
        if (rows[i].has_begun)
            show(&shown, "{\"progress_info\": {}}");
        err_fail(&err, rows[i].code, "the package is too large");
        assert_int_equal(shown_cut_off(&shown, "e", &err), -1);
        assert_int_equal(strncmp(err_text(err), rows[i].says, strlen(rows[i].says)), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_run_that_has_begun_was_cut_off),
        cmocka_unit_test(a_result_is_below_its_instruction),
        cmocka_unit_test(more_than_can_be_told_apart_are_shown_as_they_come),
        cmocka_unit_test(how_a_run_ended_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
