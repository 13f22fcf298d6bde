#include "transcript.h"

#include "apic/run/map.h"
#include "apic/run/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define U "0123456789abcdef0123456789abcdef"
#define V "ffffffffffffffffffffffffffffffff"

static enclave_t enclave;

static void
put(const char *field, const char *text, bool is_string)
{
    types_datum_t value = TYPES_DATUM_EMPTY;
    types_datum_set_string(&value, text, strlen(text));
    value.is_string = is_string;
    assert_int_equal(run_store_set(enclave.store, U, &(run_value_t){field, &value}, 1, NULL), 0);
    types_datum_done(&value);
}

static void
references_are_replaced_and_what_is_none_stays(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"{{kurtosis:" U ":code.runtime_value}}", "7"},
        {"a {{kurtosis:" U ":output.runtime_value}} b {{kurtosis:" U ":code.runtime_value}}",
         "a x\"y b 7"},
        {"{{kurtosis:" U ":extract.a.b.runtime_value}}", "[1, \"z\"]"},
        {"{{kurtosis:" U ":a b.runtime_value}}", "{{kurtosis:" U ":a b.runtime_value}}"},
        {"{{kurtosis:0123:code.runtime_value}}", "{{kurtosis:0123:code.runtime_value}}"},
        {"{{kurtosis:" U ":code.runtime_value}", "{{kurtosis:" U ":code.runtime_value}"},
        {"{{kurtosis:" U ":.runtime_value}}", "{{kurtosis:" U ":.runtime_value}}"},
        {"{{kurtosis:{{kurtosis:" U ":code.runtime_value}}", "{{kurtosis:7"},
    };
    put("code", "7", false);
    put("output", "x\"y", true);
    put("extract.a.b", "[1, \"z\"]", false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_FREE char *out = NULL;
        assert_int_equal(run_reference_replace_text(enclave.store, cases[i][0], &out, NULL), 0);
        assert_string_equal(out, cases[i][1]);
    }
}

static void
in_json_values_are_escaped(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": \"{{kurtosis:" U ":output.runtime_value}}\"}";
    AUTO_STR out = STR_EMPTY;
    put("output", "x\"y\n", true);
    assert_int_equal(run_reference_replace_json(enclave.store, text, strlen(text), &out, NULL), 0);
    assert_string_equal(out.data, "{\"a\": \"x\\\"y\\n\"}");
}

static void
a_lone_reference_keeps_its_type(void **state)
{
    (void)state;
    static const char text[] = "{{kurtosis:" U ":code.runtime_value}}";
    types_datum_t value = TYPES_DATUM_EMPTY;
    put("code", "7", false);
    assert_int_equal(run_reference_value(enclave.store, text, strlen(text), &value, NULL), 0);
    assert_false(value.is_string);
    assert_int_equal(run_reference_value(enclave.store, "7", 1, &value, NULL), 0);
    assert_true(value.is_string);
    types_datum_done(&value);
}

static void
what_has_no_value_yet_is_an_error_that_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{{kurtosis:" V ":code.runtime_value}}", "Runtime UUID '" V "' was found, but not set"},
        {"{{kurtosis:" U ":nothing.runtime_value}}",
         "An error happened getting runtime value field '" U "' 'nothing'"},
        {"{{kurtosis:00000000000000000000000000000000:code.runtime_value}}",
         "Recipe result value with key UUID '00000000000000000000000000000000' does not exist on "
         "the "
         "recipe result repository"},
    };
    put("code", "7", false);
    run_store_reserve(enclave.store, V);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO_FREE char *out = NULL;
        AUTO(err) err = NULL;
        assert_true(run_reference_replace_text(enclave.store, cases[i].text, &out, &err) < 0);
        assert_string_equal(err_text(err_cause(err)), cases[i].why);
    }
}

static void
maps_keep_their_order_over_removals_and_growth(void **state)
{
    run_map_t map = {0};
    const char *key;
    void *value;
    size_t expected = 0;
    (void)state;
    assert_null(run_map_get(&map, "x"));
    for (size_t i = 1; i <= 1000; i++) {
        AUTO_FREE char *name = str_format("key%zu", i);
        assert_null(run_map_put(&map, name, (void *)i));
    }
    for (size_t i = 2; i <= 1000; i += 2) {
        AUTO_FREE char *name = str_format("key%zu", i);
        assert_int_equal((size_t)run_map_remove(&map, name), i);
        assert_null(run_map_get(&map, name));
    }
    for (size_t i = 1; i <= 2000; i++) {
        AUTO_FREE char *name = str_format("again%zu", i);
        run_map_put(&map, name, (void *)(10000 + i));
    }
    assert_int_equal(map.count, 2500);
    for (size_t cursor = 0; run_map_next(&map, &cursor, &key, &value);) {
        assert_true((size_t)value > expected);
        expected = (size_t)value;
    }
    run_map_done(&map, NULL);
}

static int
open_enclave(void **state)
{
    (void)state;
    enclave_init(&enclave, "/nonexistent");
    return 0;
}

static int
close_enclave(void **state)
{
    (void)state;
    enclave_done(&enclave);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_replaced_and_what_is_none_stays),
        cmocka_unit_test(in_json_values_are_escaped),
        cmocka_unit_test(a_lone_reference_keeps_its_type),
        cmocka_unit_test(what_has_no_value_yet_is_an_error_that_says_so),
        cmocka_unit_test(maps_keep_their_order_over_removals_and_growth),
    };
    return cmocka_run_group_tests(tests, open_enclave, close_enclave);
}
