#include "tests/unit/cli/support.h"

#include "bus/bus.h"
#include "cli/progress.h"
#include "cli/render.h"

/* A line of a run from its JSON, rendered without colours. */
static void
check(const render_options_t *options, const char *json, const char *wanted)
{
    AUTO_MESSAGE ApiContainerApi__StarlarkRunResponseLine *line = NULL;
    AUTO(err) err = NULL;
    AUTO_STR text = STR_EMPTY;
    assert_done(bus_json_unpack(&api_container_api__starlark_run_response_line__descriptor, json,
                                strlen(json), (ProtobufCMessage **)&line, &err),
                err);
    render_line(options, line, false, &text);
    assert_text(text.data, wanted);
}

#define INSTRUCTION                                                                                \
    "{\"instruction\": {\"position\": {\"filename\": \"main.star\", \"line\": 3, \"column\": 16}," \
    "\"instruction_name\": \"add_service\", \"arguments\": ["                                      \
    "{\"serialized_arg_value\": \"\\\"db\\\"\", \"arg_name\": \"name\", "                          \
    "\"is_representative\": true}, "                                                               \
    "{\"serialized_arg_value\": \"ServiceConfig(image=\\\"x\\\")\", \"arg_name\": \"config\"}, "   \
    "{\"serialized_arg_value\": \"\"}],"                                                           \
    "\"executable_instruction\": \"add_service(name=\\\"db\\\", "                                  \
    "config=ServiceConfig(image=\\\"x\\\"))\", \"description\": \"Adding service with name "       \
    "'db'\"}}"

static void
instructions_look_as_each_verbosity_says(void **state)
{
    (void)state;
    static const struct {
        const char *verbosity, *wanted;
    } rows[] = {
        {"description", "\nAdding service with name 'db'\n"},
        {"BRIEF", "\n> add_service name=\"db\"\n"},
        {"detailed", "\n> add_service\n> \tname=\"db\"\n> \tconfig=ServiceConfig(image=\"x\")\n"},
        {"Executable", "\n# from main.star[3:16]\n"
                       "add_service(name=\"db\", config=ServiceConfig(image=\"x\"))\n"},
        {"output_only", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        render_options_t options = {.verbosity = render_verbosity(rows[i].verbosity)};
        check(&options, INSTRUCTION, rows[i].wanted);
    }
}

static void
other_lines_look_as_kurtosis_shows_them(void **state)
{
    (void)state;
    static const struct {
        const char *json, *wanted, *detailed, *dry_run;
    } rows[] = {
        {"{\"instruction_result\": {\"serialized_instruction_result\": \"done\", "
         "\"execution_duration\": \"1.5s\"}}",
         "done\n", "done (execution duration: 1.5s)\n", "done\n"},
        {"{\"run_finished_event\": {\"is_run_successful\": true, \"total_execution_duration\": "
         "\"61.25s\"}}",
         "\nStarlark code successfully run. No output was returned.\n",
         "\nStarlark code successfully run. Total instruction execution time: 1m1.25s. No output "
         "was returned.\n",
         "\nStarlark code successfully run in dry-run mode. No output was returned.\n"},
        {"{\"run_finished_event\": {\"is_run_successful\": true, \"serialized_output\": "
         "\"{\\n  \\\"a\\\": 1\\n}\"}}",
         "\nStarlark code successfully run. Output was:\n{\n  \"a\": 1\n}\n",
         "\nStarlark code successfully run. Output was:\n{\n  \"a\": 1\n}\n",
         "\nStarlark code successfully run in dry-run mode. Output was:\n{\n  \"a\": 1\n}\n"},
        {"{\"run_finished_event\": {\"is_run_successful\": false}}",
         "\nError encountered running Starlark code.\n",
         "\nError encountered running Starlark code.\n",
         "\nError encountered running Starlark code in dry-run mode.\n"},
        {"{\"error\": {\"interpretation_error\": {\"error_message\": \"a\\n\\tb\"}}}",
         "There was an error interpreting Starlark code \na\n\tb\n",
         "There was an error interpreting Starlark code \na\n\tb\n",
         "There was an error interpreting Starlark code \na\n\tb\n"},
        {"{\"error\": {\"validation_error\": {\"error_message\": \"bad\"}}}",
         "There was an error validating Starlark code \nbad\n",
         "There was an error validating Starlark code \nbad\n",
         "There was an error validating Starlark code \nbad\n"},
        {"{\"error\": {\"execution_error\": {\"error_message\": "
         "\"outer\\n --- at /x/y.go:12 (f.g) ---\\nCaused by: inner\"}}}",
         "There was an error executing Starlark code \nouter\n  Caused by: inner\n",
         "There was an error executing Starlark code \nouter\n  Caused by: inner\n",
         "There was an error executing Starlark code \nouter\n  Caused by: inner\n"},
        {"{\"warning\": {\"warning_message\": \"old\"}}", "\nold\n", "\nold\n", "\nold\n"},
        {"{\"info\": {\"info_message\": \"new\"}}", "\nnew\n", "\nnew\n", "\nnew\n"},
        {"{\"progress_info\": {\"current_step_info\": [\"x\"]}}", "", "", ""},
        {"{}", "", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(&(render_options_t){.verbosity = RENDER_DESCRIPTION}, rows[i].json, rows[i].wanted);
        check(&(render_options_t){.verbosity = RENDER_DETAILED}, rows[i].json, rows[i].detailed);
        check(&(render_options_t){.is_dry_run = true}, rows[i].json, rows[i].dry_run);
    }
}

static void
prints_are_not_announced_in_parallel_mode(void **state)
{
    (void)state;
#define PRINT "\"instruction_name\": \"print\", \"description\": \"Printing a message\""
    check(&(render_options_t){0}, "{\"instruction\": {" PRINT ", \"instruction_id\": \"a\"}}", "");
    check(&(render_options_t){0}, "{\"instruction\": {" PRINT "}}", "\nPrinting a message\n");
}

static void
long_instructions_are_laid_out_over_lines(void **state)
{
    (void)state;
    static const struct {
        const char *in, *wanted;
    } rows[] = {
        {"print(\"short\")", "print(\"short\")"},
        {"f()", "f()"},
        {"add_service(name=\"database\", config=ServiceConfig(image=\"postgres:15.2-alpine\", "
         "env_vars={\"A\": \"a, (b\", \"C\": \"]\"}, ports={}))",
         "add_service(\n"
         "    name=\"database\",\n"
         "    config=ServiceConfig(\n"
         "        image=\"postgres:15.2-alpine\",\n"
         "        env_vars={\"A\": \"a, (b\", \"C\": \"]\"},\n"
         "        ports={},\n"
         "    ),\n"
         ")"},
        {"unbalanced((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
         "((",
         "unbalanced((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
         "(("},
        {"\"never closed and longer than the width of the line so that it is looked at in every "
         "way there is",
         "\"never closed and longer than the width of the line so that it is looked at in every "
         "way there is"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR text = STR_EMPTY;
        render_starlark(&text, rows[i].in);
        assert_text(text.data, rows[i].wanted);
    }
}

static void
progress_is_a_spinner_a_bar_and_a_text(void **state)
{
    (void)state;
    AUTO_STR text = STR_EMPTY;
    progress_line(&text, 0, "Execution in progress", 5, 10, false);
    assert_text(text.data, "⣾   ██████████░░░░░░░░░░ Execution in progress");
    str_clear(&text);
    progress_line(&text, 9, "x", 0, 0, false);
    assert_text(text.data, "⣽   ░░░░░░░░░░░░░░░░░░░░ x");
    str_clear(&text);
    progress_line(&text, 0, "x", 30, 20, true);
    assert_non_null(strstr(text.data, "\033[32m████████████████████\033[0m x"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions_look_as_each_verbosity_says),
        cmocka_unit_test(other_lines_look_as_kurtosis_shows_them),
        cmocka_unit_test(prints_are_not_announced_in_parallel_mode),
        cmocka_unit_test(long_instructions_are_laid_out_over_lines),
        cmocka_unit_test(progress_is_a_spinner_a_bar_and_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
