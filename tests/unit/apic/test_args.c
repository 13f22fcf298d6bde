/*  args: the environment of an API container: read, and refused with the variable's name. */
#include "apic/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6" /* Z85 of some 32 bytes */
#define JSON "{\"enclaveUuid\": \"0123456789abcdef0123456789abcdef\", \"logLevel\": \"debug\"}"

static struct variable {
    const char *name, *value;
} variables[] = {
    {"SERIALIZED_ARGS", JSON},
    {"OWN_IP_ADDRESS", "172.16.0.2"},
    {"KURTOSIS_SUBNET", "172.16.0.0/22"},
    {"KURTOSIS_GATEWAY", "172.16.0.1"},
    {"KURTOSIS_BUS_ENDPOINT", "ipc:///run/x"},
    {"KURTOSIS_BUS_BROKER_KEY", KEY},
    {"KURTOSIS_BUS_SECRET", KEY},
};

static char *
get(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        if (strcmp(variables[i].name, name) == 0)
            return (char *)variables[i].value;
    return NULL;
}

static void
a_full_environment_is_read(void **state)
{
    (void)state;
    args_t args;
    AUTO(err) err = NULL;
    assert_int_equal(args_read(get, &args, &err), 0);
    assert_string_equal(args.enclave_uuid, "0123456789abcdef0123456789abcdef");
    assert_string_equal(args.enclave_name, "0123456789ab");
    assert_string_equal(args.data_folder, "/kurtosis-data");
    assert_string_equal(args.driver, "driver/docker");
    assert_string_equal(args.subnet, "172.16.0.0/22");
    assert_int_equal(args.log_level, LOG_DEBUG);
    assert_false(args.is_production);
    args_done(&args);
}

/* With one variable changed: the error's text. */
static char *
refusal(size_t i, const char *value)
{
    const char *before = variables[i].value;
    args_t args;
    err_t *err = NULL;
    variables[i].value = value;
    int rc = args_read(get, &args, &err);
    variables[i].value = before;
    if (rc == 0)
        args_done(&args);
    assert_true(rc < 0);
    char *text = err_string(err);
    err_destroy(&err);
    return text;
}

static void
every_missing_variable_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
        AUTO_FREE char *missing = refusal(i, NULL);
        AUTO_FREE char *empty = refusal(i, "");
        assert_non_null(strstr(missing, variables[i].name));
        assert_string_equal(missing, empty);
    }
}

static void
wrong_values_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        size_t variable;
        const char *value, *words;
    } cases[] = {
        {0, "{", "not JSON"},
        {0, "[]", "not a JSON object"},
        {0, "{}", "'enclaveUuid' is not there"},
        {0, "{\"enclaveUuid\": 1}", "'enclaveUuid' is not a string"},
        {0, "{\"enclaveUuid\": \"x\"}", "'x', which is not a UUID"},
        {0, "{\"enclaveUuid\": \"0123456789abcdef0123456789abcdef\", \"logLevel\": \"loud\"}",
         "'loud'"},
        {0,
         "{\"enclaveUuid\": \"0123456789abcdef0123456789abcdef\", \"enclaveDataVolume\": \"data\"}",
         "'data'"},
        {0,
         "{\"enclaveUuid\": \"0123456789abcdef0123456789abcdef\", \"isProductionEnclave\": "
         "\"yes\"}",
         "'isProductionEnclave'"},
        {5, "short", "KURTOSIS_BUS_BROKER_KEY is wrong"},
        {6, "short", "KURTOSIS_BUS_SECRET is wrong"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *why = refusal(cases[i].variable, cases[i].value);
        if (!strstr(why, cases[i].words))
            fail_msg("'%s' is not in '%s'", cases[i].words, why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_environment_is_read),
        cmocka_unit_test(every_missing_variable_is_named),
        cmocka_unit_test(wrong_values_are_refused_with_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
