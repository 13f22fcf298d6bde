/*  What a template may cost, at its limits and past them; and what is newer in the language than
 * most of its users. */
#include "apic/template/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int
render(const char *text, size_t size, const char *json, str_t *out, err_t **err)
{
    AUTO(template) page = NULL;
    if (template_parse("T", text, size, &page, err) < 0)
        return -1;
    return template_execute(page, json, strlen(json), out, err);
}

static void
assert_limit(const char *text, size_t size, const char *json, const char *message)
{
    AUTO_STR out = STR_EMPTY;
    AUTO(err) err = NULL;
    assert_int_equal(render(text, size, json, &out, &err), -1);
    assert_int_equal(err_code(err), ERR_LIMIT);
    if (!strstr(err_text(err), message))
        fail_msg("'%.300s' says nothing of '%s'", err_text(err), message);
    assert_true(out.len <= TEMPLATE_OUTPUT_MAX);
}

static void
repeat(str_t *text, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        str_add(text, piece);
}

static void
an_error_shows_the_beginning_of_a_long_value(void **state)
{
    (void)state;
    AUTO_STR json = STR_EMPTY, out = STR_EMPTY, expected = STR_EMPTY;
    AUTO(err) err = NULL;
    str_add(&json, "{\"s\":\"-");
    repeat(&json, "\303\251", 600);
    str_add(&json, "\"}");
    str_add(&expected, "template: T:1:8: executing \"T\" at <.s>: range can't iterate over -");
    repeat(&expected, "\303\251", 499);
    str_add(&expected, "...");
    assert_int_equal(render("{{range .s}}{{end}}", 19, json.data, &out, &err), -1);
    assert_string_equal(err_text(err), expected.data);
}

static void
nesting_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *open, *middle, *close;
        size_t fine, too_much;
    } cases[] = {
        {"{{if .}}", "x", "{{end}}", 500, 2000},
        {"{{with .}}", "x", "{{end}}", 500, 100000},
        {"{{block \"b\" .}}", "x", "{{end}}", 1, 3000},
        {"{{if 0}}{{else if .}}", "x", "{{end}}", 500, 3000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int is_fine = 0; is_fine < 2; is_fine++) {
            AUTO_STR text = STR_EMPTY, out = STR_EMPTY;
            size_t times = is_fine ? cases[i].fine : cases[i].too_much;
            repeat(&text, cases[i].open, times);
            str_add(&text, cases[i].middle);
            repeat(&text, cases[i].close, times);
            if (is_fine)
                assert_int_equal(render(text.data, text.len, "{\"a\":1}", &out, NULL), 0);
            else
                assert_limit(text.data, text.len, "{\"a\":1}", "nested deeper than");
        }
    }
    AUTO_STR parens = STR_EMPTY, chain = STR_EMPTY;
    str_add(&parens, "{{");
    repeat(&parens, "(", 100000);
    assert_limit(parens.data, parens.len, "{}", "nested deeper than");
    str_add(&chain, "{{if 0}}");
    repeat(&chain, "{{else if 0}}", 100000);
    str_add(&chain, "{{end}}");
    assert_limit(chain.data, chain.len, "{}", "nested deeper than");
}

static void
recursion_has_a_limit(void **state)
{
    (void)state;
    static const char text[] = "{{define \"t\"}}x{{template \"t\" .}}{{end}}{{template \"t\"}}";
    assert_limit(text, strlen(text), "{}", "exceeded maximum template depth (2000)");

    /* A thing as deep as its data. */
    static const char walk[] =
        "{{define \"t\"}}{{if .}}x{{template \"t\" .a}}{{end}}{{end}}{{template \"t\" .}}";
    AUTO_STR json = STR_EMPTY, out = STR_EMPTY;
    repeat(&json, "{\"a\":", 400);
    str_add(&json, "{}");
    repeat(&json, "}", 400);
    assert_int_equal(render(walk, strlen(walk), json.data, &out, NULL), 0);
    assert_int_equal(out.len, 400);
}

static void
data_has_limits(void **state)
{
    (void)state;
    AUTO_STR deep = STR_EMPTY, large = STR_EMPTY, out = STR_EMPTY;
    repeat(&deep, "[", TEMPLATE_DEPTH_MAX);
    repeat(&deep, "]", TEMPLATE_DEPTH_MAX);
    assert_int_equal(render("{{len .}}", 9, deep.data, &out, NULL), 0);
    str_clear(&deep);
    repeat(&deep, "[", 1000000);
    assert_limit("{{.}}", 5, deep.data, "nested deeper than");

    str_add(&large, "[");
    repeat(&large, "[],", 5000000);
    str_add(&large, "0]");
    assert_limit("{{len .}}", 9, large.data, "JSON text has more than");
    str_clear(&large);
    str_add_char(&large, '"');
    repeat(&large, "0123456789abcdef", TEMPLATE_TEXT_MAX / 16);
    str_add_char(&large, '"');
    assert_limit("{{len .}}", 9, large.data, "the JSON text has more than 16777216 bytes");
    assert_limit(large.data, large.len, "{}", "has more than 16777216 bytes");
}

static void
output_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        /* a million times a million blanks */
        {"{{range 1000000}}{{printf \"%1000000d\" .}}{{end}}", "output has more than"},
        {"{{range 1000000}}{{range 3}}0123456789012345678901234567890123456789{{end}}{{end}}",
         "output has more than"},
        {"{{printf \"%1000000v\" .}}", "output has more than"}, /* a list of a hundred */
        {"{{$x := \"0123456789abcdef\"}}{{range 40}}{{$x = print $x $x}}{{end}}{{len $x}}",
         "more than"},
        {"{{$x := \"<<<<<<<<<<<<<<<<\"}}{{range 40}}{{$x = html $x $x}}{{end}}{{len $x}}",
         "more than"},
        {"{{$x := \"''''''''''''''''\"}}{{range 40}}{{$x = js $x $x}}{{end}}{{len $x}}",
         "more than"},
        {"{{$x := \"////////////////\"}}{{range 40}}{{$x = urlquery $x $x}}{{end}}{{len $x}}",
         "more than"},
    };
    AUTO_STR json = STR_EMPTY;
    str_add(&json, "[");
    repeat(&json, "1,", 99);
    str_add(&json, "1]");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_limit(cases[i].text, strlen(cases[i].text), json.data, cases[i].message);
}

static void
steps_have_a_limit(void **state)
{
    (void)state;
    static const char endless[] = "{{range 9223372036854775807}}{{end}}";
    assert_limit(endless, strlen(endless), "{}", "takes more than 10000000 steps");
    static const char nested[] = "{{range 100000}}{{range 100000}}{{$x := 1}}{{end}}{{end}}";
    assert_limit(nested, strlen(nested), "{}", "takes more than 10000000 steps");
}

static void
arguments_have_a_limit(void **state)
{
    (void)state;
    AUTO_STR text = STR_EMPTY, out = STR_EMPTY;
    str_add(&text, "{{print");
    repeat(&text, " \"\"", 1000);
    str_add(&text, "}}");
    assert_int_equal(render(text.data, text.len, "{}", &out, NULL), 0);
    str_clear(&text);
    str_add(&text, "{{print");
    repeat(&text, " 1", 1001);
    str_add(&text, "}}");
    assert_limit(text.data, text.len, "{}", "more than 1000 args for print");
}

static void
range_counts_up_to_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *out;
    } cases[] = {
        {"{{range 3}}{{.}},{{end}}", "0,1,2,"},
        {"{{range $i := 3}}{{$i}}{{end}}", "012"},
        {"{{range 0}}x{{else}}none{{end}}{{range -1}}x{{else}}none{{end}}", "nonenone"},
        {"{{range .n.Int64}}{{.}}{{end}}{{range len .l}}{{.}}{{end}}", "01012"},
        {"{{range index \"\\x02\" 0}}{{printf \"%T\" .}} {{end}}", "uint8 uint8 "},
        {"{{$i := 9}}{{range $i = 2}}{{end}}{{$i}}", "1"},
        {"{{range 5}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}", "012"},
        {"{{range $i, $x := 3}}{{end}}", "template: T:1:18: executing \"T\" at <3>: can't use 3 to "
                                         "iterate over more than one variable"},
        {"{{with 0}}a{{else with \"x\"}}{{.}}{{else}}c{{end}}", "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_STR out = STR_EMPTY;
        AUTO(err) err = NULL;
        if (render(cases[i].text, strlen(cases[i].text), "{\"n\":2,\"l\":[1,2,3]}", &out, &err) < 0)
            assert_string_equal(err_text(err), cases[i].out);
        else
            assert_string_equal(out.data, cases[i].out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_shows_the_beginning_of_a_long_value),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(recursion_has_a_limit),
        cmocka_unit_test(data_has_limits),
        cmocka_unit_test(output_has_a_limit),
        cmocka_unit_test(steps_have_a_limit),
        cmocka_unit_test(arguments_have_a_limit),
        cmocka_unit_test(range_counts_up_to_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
