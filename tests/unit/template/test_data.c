#include "apic/template/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char *
normalise(const char *json)
{
    AUTO_STR out = STR_EMPTY;
    AUTO(err) err = NULL;
    /* Without a NUL behind it, so that a sanitizer sees a read past the end. */
    size_t size = strlen(json);
    AUTO_FREE char *exact = malloc(size ? size : 1);
    memcpy(exact, json, size);
    if (template_json_normalise(exact, size, &out, &err) < 0)
        return strdup(err_text(err));
    return str_take(&out);
}

static void
json_is_written_in_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {" null ", "null"},
        {"[ true , false,null , [ ] , { } ]", "[true,false,null,[],{}]"},
        {"{\"b\":1,\"a\":{\"d\":2,\"c\":3},\"B\":4}", "{\"B\":4,\"a\":{\"c\":3,\"d\":2},\"b\":1}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"}, /* the last of equal keys */
        /* numbers: integers exactly, others in their shortest form */
        {"[1.0,1.50,1e21,1e20,1E2,0.1e1]", "[1,1.5,1e+21,100000000000000000000,100,1]"},
        {"[1e-6,1e-7,-0.0,-0,0,123456789012345680.0]",
         "[0.000001,1e-7,-0,-0,0,123456789012345680]"},
        {"[12345678901234567890,9007199254740993,-1]",
         "[12345678901234567890,9007199254740993,-1]"},
        {"[0.1,0.3,5e-324,1.7976931348623157e308]", "[0.1,0.3,5e-324,1.7976931348623157e+308]"},
        {"5.684341886080801e-14",
         "5.684341886080801e-14"}, /* a power of two: not its nearest 16 digits */
        /* strings */
        {"\"<a href='x'>&\"", "\"\\u003ca href='x'\\u003e\\u0026\""},
        {"\"\\u2028\xe2\x80\xa9\"", "\"\\u2028\\u2029\""},
        {"\"\\b\\f\\n\\r\\t\\\"\\\\\\/\\u0000\\u001f\x7f\"",
         "\"\\b\\f\\n\\r\\t\\\"\\\\/\\u0000\\u001f\x7f\""},
        {"\"\\u00e9\\ud83d\\ude00\xc3\xa9\"", "\"\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9\""},
        {"\"\\ud83d\\u0041\\ude00\xff\"", "\"\xef\xbf\xbd"
                                          "A\xef\xbf\xbd\xef\xbf\xbd\""}, /* halves of characters */
        {"{\"\\u0061\\n\":1}", "{\"a\\n\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *is = normalise(cases[i].in);
        assert_string_equal(is, cases[i].out);
    }
}

static void
what_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *in, *error;
    } cases[] = {
        {"", "invalid JSON at byte 0: the text ends where a value is expected"},
        {"[1,", "invalid JSON at byte 3: the text ends where a value is expected"},
        {"[1 2]", "invalid JSON at byte 3: expected ',' or ']'"},
        {"[1,]", "invalid JSON at byte 3: expected a value"},
        {"[", "invalid JSON at byte 1: the text ends where a value is expected"},
        {"{\"a\"}", "invalid JSON at byte 4: expected ':'"},
        {"{\"a\":1 \"b\"}", "invalid JSON at byte 7: expected ',' or '}'"},
        {"{a:1}", "invalid JSON at byte 1: expected a key in double quotes"},
        {"{\"a\":1,}", "invalid JSON at byte 7: expected a key in double quotes"},
        {"nul", "invalid JSON at byte 0: expected a value"},
        {"True", "invalid JSON at byte 0: expected a value"},
        {"+1", "invalid JSON at byte 0: expected a value"},
        {"-", "invalid JSON at byte 1: expected a value"},
        {"-x", "invalid JSON at byte 1: expected a value"},
        {"1.", "invalid JSON at byte 2: expected a digit after '.'"},
        {"1e", "invalid JSON at byte 2: expected a digit in the exponent"},
        {"01", "invalid JSON at byte 1: something follows the value"},
        {"1 2", "invalid JSON at byte 2: something follows the value"},
        {"\"a", "invalid JSON at byte 2: the string has no end"},
        {"\"\\x\"", "invalid JSON at byte 2: unknown escape in a string"},
        {"\"\\u12G4\"", "invalid JSON at byte 5: expected four hexadecimal digits"},
        {"\"\\", "invalid JSON at byte 2: unknown escape in a string"},
        {"\"a\nb\"", "invalid JSON at byte 2: control character in a string"},
        {"1e400", "the number 1e400 is beyond what a 64-bit float can hold"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *is = normalise(cases[i].in);
        assert_string_equal(is, cases[i].error);
    }
}

static char *
render(const char *template, const char *json)
{
    AUTO(template) page = NULL;
    AUTO(err) err = NULL;
    AUTO_STR out = STR_EMPTY;
    if (template_parse("T", template, strlen(template), &page, &err) < 0 ||
        template_execute(page, json, strlen(json), &out, &err) < 0)
        return strdup(err_text(err));
    return str_take(&out);
}

static void
data_of_any_kind_is_dot(void **state)
{
    (void)state;
    static const struct {
        const char *template, *json, *out;
    } cases[] = {
        {"{{.}}", "{\"a\":1}", "map[a:1]"},
        {"{{.}} {{$}}", "[1,2]", "[1 2] [1 2]"},
        {"{{.}}", "\"text\"", "text"},
        {"{{.}} {{.Int64}}", " 7 ", "7 7"},
        {"{{.}}", "null", "<no value>"},
        {"{{.x.y}}", "null", "<no value>"},
        {"{{.a}}", "{\"a\":1} and more, which is ignored", "1"},
        {"{{.a}}", "{\"a\":1,\"a\":2}", "2"},
        /* numbers keep the text they were written as */
        {"{{.a}} {{.b}} {{.c}}", "{\"a\":1.50,\"b\":1E5,\"c\":-0}", "1.50 1E5 -0"},
        {"{{range $k, $v := .}}{{$k}}{{$v}} {{end}}", "{\"b\":1,\"a\":2,\"\xc3\xa9\":3,\"B\":4}",
         "B4 a2 b1 \xc3\xa9"
         "3 "},
        {"{{.}}", "{\"a\":", "invalid JSON at byte 5: the text ends where a value is expected"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *is = render(cases[i].template, cases[i].json);
        assert_string_equal(is, cases[i].out);
    }
}

static void
one_template_serves_many_executions(void **state)
{
    (void)state;
    static const char text[] = "{{range .}}{{.}},{{end}}";
    AUTO(template) page = NULL;
    assert_int_equal(template_parse("T", text, strlen(text), &page, NULL), 0);
    for (int i = 0; i < 100; i++) {
        AUTO_STR out = STR_EMPTY;
        AUTO_FREE char *json = str_format("[%d,\"x\"]", i), *expected = str_format("%d,x,", i);
        assert_int_equal(template_execute(page, json, strlen(json), &out, NULL), 0);
        assert_string_equal(out.data, expected);
    }
}

static void
bytes_of_all_kinds_pass_through(void **state)
{
    (void)state;
    static const char text[] = "a\0b{{.}}\xff{{`\0`}}";
    AUTO(template) page = NULL;
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(template_parse("T", text, sizeof text - 1, &page, NULL), 0);
    assert_int_equal(template_execute(page, "\"\\u0000\"", 8, &out, NULL), 0);
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.data, "a\0b\0\xff\0", 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_written_in_one_form),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(data_of_any_kind_is_dot),
        cmocka_unit_test(one_template_serves_many_executions),
        cmocka_unit_test(bytes_of_all_kinds_pass_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
