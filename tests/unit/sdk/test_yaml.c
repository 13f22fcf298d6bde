#include "sdk/contexts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
yaml_1_1_becomes_json_with_sorted_keys(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"", "null"},
        {"b: 1\na: 2", "{\"a\":2,\"b\":1}"},
        {"[yes, No, on, OFF, y, n, true, False]", "[true,false,true,false,true,false,true,false]"},
        {"[~, null, '', \"yes\", 'null']", "[null,null,\"\",\"yes\",\"null\"]"},
        {"[1, -2, +3, 0x1f, 0o17, 017, 0b101, 1_000, -0x10]", "[1,-2,3,31,15,15,5,1000,-16]"},
        {"[123456789012345678901234567890, 00]", "[123456789012345678901234567890,0]"},
        {"[1.0, 1.5, .5, -0.25, 1e3, 1E-7, 1.0e+21, 123456.789]",
         "[1,1.5,0.5,-0.25,1000,1e-07,1e+21,123456.789]"},
        {"[1.2.3, 0x, 0xg, 08, 1e, '1', 1:2, -, +]",
         "[\"1.2.3\",\"0x\",\"0xg\",8,\"1e\",\"1\",\"1:2\",\"-\",\"+\"]"},
        {"{1: a, true: b, 1.5: c, \"x y\": d}",
         "{\"1\":\"a\",\"1.5\":\"c\",\"true\":\"b\",\"x y\":\"d\"}"},
        {"a: &x {k: 1}\nb: *x", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}"},
        {"base: &b {x: 1, w: 2}\nc:\n  <<: *b\n  w: 3",
         "{\"base\":{\"w\":2,\"x\":1},\"c\":{\"w\":3,\"x\":1}}"},
        {"c: {<<: [{x: 1}, {x: 2, z: 4}], w: 3}", "{\"c\":{\"w\":3,\"x\":1,\"z\":4}}"},
        {"y: 1", "{\"true\":1}"}, /* as YAML 1.1 has it */
        {"{a: 1, a: 2}", "{\"a\":2}"},
        {"s: |\n  two\n  lines\n", "{\"s\":\"two\\u000alines\\u000a\"}"},
        {"!!str 5", "\"5\""},
        {"\xc3\xa4: [&x !!str 5, 5, *x]", "{\"\xc3\xa4\":[\"5\",5,\"5\"]}"},
        {"!!int '5'", "5"},
        {"# comment\nx: 'it''s' # more", "{\"x\":\"it's\"}"},
        {"{\"a\": [1, {\"b\": null}]}", "{\"a\":[1,{\"b\":null}]}"},
        /* hexadecimal numbers of at most 64 bits are numbers; keys and addresses are longer */
        {"[0xffffffffffffffff, -0x8000000000000000, 0x10000000000000000]",
         "[18446744073709551615,-9223372036854775808,\"0x10000000000000000\"]"},
        {"[0x52908400098527886E0F7030069857D2E4169EE7, 0xAb_cD, 0b, 0b2, 0o8]",
         "[\"0x52908400098527886E0F7030069857D2E4169EE7\",43981,\"0b\",\"0b2\",\"0o8\"]"},
        {"[Y, N, Yes, YES, No, NO, On, ON, Off, OFF, TRUE, FALSE, yEs, tRUE]",
         "[true,false,true,true,false,false,true,true,false,false,true,false,\"yEs\",\"tRUE\"]"},
        {"[Null, NULL, nULL, ~, ]", "[null,null,\"nULL\",null]"},
        {"[2001-12-14, 2001-12-14T21:59:43Z, 12:30, 1.2.3.4, 10.0.0.0/8]",
         "[\"2001-12-14\",\"2001-12-14T21:59:43Z\",\"12:30\",\"1.2.3.4\",\"10.0.0.0/8\"]"},
        {"[1__0, 1_000.5, 12e03, 3.0, 3., -0.0, 5e-324, 0.1]",
         "[10,1000.5,12000,3,3,-0,5e-324,0.1]"},
        {"[v1, 1a, -a, +, ., .., 'yes', \"1\", !!str yes, !!bool 'no']",
         "[\"v1\",\"1a\",\"-a\",\"+\",\".\",\"..\",\"yes\",\"1\",\"yes\",false]"},
        {"{~: a, no: b, 0x10: c, 2001-01-01: d}",
         "{\"16\":\"c\",\"2001-01-01\":\"d\",\"false\":\"b\",\"null\":\"a\"}"},
        {"{\n\t\"tabs\":\t[1,\n\t2]\n}", "{\"tabs\":[1,2]}"},
        {"\"q\\\"\\\\\\x01\"", "\"q\\\"\\\\\\u0001\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR json = STR_EMPTY;
        AUTO(err) err = NULL;
        int result = sdk_yaml_to_json(rows[i].yaml, strlen(rows[i].yaml), &json, &err);
        AUTO_FREE char *why = err_string(err);
        if (result < 0 || strcmp(json.data, rows[i].json))
            fail_msg("%s gives %s %s", rows[i].yaml, json.data, why);
    }
}

static void
bad_yaml_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"a: [1", "line"},
        {"a:\n  - b\n c: d", "line 3"},
        {"{? [1] : 2}", "the key in line 1 is no text"},
        {"[.inf]", "'.inf' in line 1 cannot be said in JSON"},
        {"[1e999]", "'1e999' is too large for a number"},
        {"{<<: 5}", "'<<' in line 1 needs a mapping"},
        {"&a [*a]", "nested deeper"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR json = STR_EMPTY;
        AUTO(err) err = NULL;
        int result = sdk_yaml_to_json(rows[i].yaml, strlen(rows[i].yaml), &json, &err);
        AUTO_FREE char *why = err_string(err);
        if (result >= 0 || !strstr(why, rows[i].says))
            fail_msg("%s: %s %s", rows[i].yaml, json.data, why);
    }
}

static void
aliases_of_aliases_do_not_grow_without_bound(void **state)
{
    (void)state;
    AUTO_STR yaml = STR_EMPTY;
    AUTO_STR json = STR_EMPTY;
    AUTO(err) err = NULL;
    str_add(&yaml, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 12; i++)
        str_printf(&yaml, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_true(sdk_yaml_to_json(yaml.data, yaml.len, &json, &err) < 0);
    assert_int_equal(err_code(err), ERR_LIMIT);
}

static void
json_objects_go_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *params, *json;
    } rows[] = {
        {"{\"b\": 1.0, \"a\": 123456789012345678901234567890}",
         "{\"b\": 1.0, \"a\": 123456789012345678901234567890}"},
        {"{b: 1}", "{\"b\":1}"},
        {"[1]", "[1]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR json = STR_EMPTY;
        AUTO(err) err = NULL;
        assert_int_equal(starlark_params_to_json(rows[i].params, &json, &err), 0);
        assert_string_equal(json.data, rows[i].json);
    }
}

static void
params_that_are_neither_json_nor_yaml_are_said_as_both(void **state)
{
    (void)state;
    static const struct {
        const char *params, *says;
    } rows[] = {
        {"{\n\"a\": 1,\n\"b\": [}", "JSON parsing error 'line 3: unexpected token near '}'', YAML "
                                 "parsing error 'line 3: did not find expected node content"},
        {"a: [", "JSON parsing error 'line 1: '[' or '{' expected near 'a'', YAML parsing error "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR json = STR_EMPTY;
        AUTO(err) err = NULL;
        int result = starlark_params_to_json(rows[i].params, &json, &err);
        if (result >= 0 || !strstr(err_text(err), rows[i].says))
            fail_msg("%s: %s", rows[i].params, err ? err_text(err) : json.data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_1_1_becomes_json_with_sorted_keys),
        cmocka_unit_test(bad_yaml_is_refused_with_its_line),
        cmocka_unit_test(aliases_of_aliases_do_not_grow_without_bound),
        cmocka_unit_test(json_objects_go_as_they_are),
        cmocka_unit_test(params_that_are_neither_json_nor_yaml_are_said_as_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
