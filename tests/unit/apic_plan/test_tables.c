/*  Every wrong argument of every instruction and every constructor, read off their tables: missing
 * ones, unknown ones, too many, each of a wrong type, out of its range or words. The message names
 * who was called, the argument, what came and what is allowed, and the place of the call. */
#include "apic/plan/plan.h"
#include "tests/unit/apic_run/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL "*"

/* An argument that is right, per field; the first row that fits counts. A field that has no row
 * fails the test. */
static const struct {
    const char *table, *field, *text;
} samples[] = {
    {"ImageSpec", "image", "\"i\""},
    {"ServiceConfig", "image", "\"i\""},
    {"ServiceConfig", "ports", "{\"p\": PortSpec(80)}"},
    {"ServiceConfig", "public_ports", "{}"},
    {"Service", "ports", "{}"},
    {"Toleration", "key", "\"k\""},
    {"Toleration", "operator", "\"Equal\""},
    {"Toleration", "value", "\"v\""},
    {"Toleration", "effect", "\"NoSchedule\""},
    {"Directory", "size", "5"},
    {"GpuConfig", "driver", "\"nvidia\""},
    {"exec", "recipe", "ExecRecipe([\"x\"])"},
    {"request", "recipe", "GetHttpRequestRecipe(\"p\", \"/\")"},
    {"render_templates", "config", "{\"f\": struct(template = \"x\", data = {})}"},
    {"verify", "value", "\"1\""},
    {"upload_files", "src", "\"http://example.com/x\""},
    {"run_python", "args", "[\"a\"]"},
    {"run_python", "packages", "[\"p\"]"},
    {ALL, "name", "\"n\""},
    {ALL, "hostname", "\"h\""},
    {ALL, "ip_address", "\"1.2.3.4\""},
    {ALL, "number", "80"},
    {ALL, "transport_protocol", "\"UDP\""},
    {ALL, "application_protocol", "\"http\""},
    {ALL, "wait", "\"5s\""},
    {ALL, "url", "\"http://x\""},
    {ALL, "files", "{}"},
    {ALL, "entrypoint", "[\"x\"]"},
    {ALL, "cmd", "[\"x\"]"},
    {ALL, "env_vars", "{\"A\": \"b\"}"},
    {ALL, "private_ip_address_placeholder", "\"IP\""},
    {ALL, "cpu_allocation", "5"},
    {ALL, "memory_allocation", "6"},
    {ALL, "max_cpu", "5"},
    {ALL, "min_cpu", "5"},
    {ALL, "max_memory", "6"},
    {ALL, "min_memory", "6"},
    {ALL, "ready_conditions", "ReadyCondition(ExecRecipe([\"x\"]), \"code\", \"==\", 0)"},
    {ALL, "labels", "{\"a\": \"b\"}"},
    {ALL, "user", "User(0)"},
    {ALL, "tolerations", "[Toleration(\"k\")]"},
    {ALL, "node_selectors", "{\"a\": \"b\"}"},
    {ALL, "files_to_be_moved", "{\"/a\": \"/b\"}"},
    {ALL, "tini_enabled", "True"},
    {ALL, "tty_enabled", "True"},
    {ALL, "devices", "[\"/dev/x\"]"},
    {ALL, "publish_udp", "True"},
    {ALL, "capabilities", "[\"NET_ADMIN\"]"},
    {ALL, "gpu", "GpuConfig()"},
    {ALL, "privileged", "False"},
    {ALL, "host_pid_namespace", "False"},
    {ALL, "bind_mounts", "{}"},
    {ALL, "artifact_names", "[\"a\"]"},
    {ALL, "persistent_key", "\"k\""},
    {ALL, "src", "\"/s\""},
    {ALL, "command", "[\"x\"]"},
    {ALL, "extract", "{\"a\": \".b\"}"},
    {ALL, "port_id", "\"p\""},
    {ALL, "endpoint", "\"/\""},
    {ALL, "headers", "{\"a\": \"b\"}"},
    {ALL, "body", "\"b\""},
    {ALL, "content_type", "\"text/plain\""},
    {ALL, "recipe", "ExecRecipe([\"x\"])"},
    {ALL, "field", "\"code\""},
    {ALL, "assertion", "\"==\""},
    {ALL, "target_value", "0"},
    {ALL, "interval", "\"1s\""},
    {ALL, "timeout", "\"1s\""},
    {ALL, "registry", "\"r\""},
    {ALL, "username", "\"u\""},
    {ALL, "password", "\"p\""},
    {ALL, "image_name", "\"i\""},
    {ALL, "build_context_dir", "\".\""},
    {ALL, "build_file", "\"f\""},
    {ALL, "target_stage", "\"t\""},
    {ALL, "build_args", "{\"a\": \"b\"}"},
    {ALL, "flake_location_dir", "\".\""},
    {ALL, "flake_output", "\"o\""},
    {ALL, "uid", "5"},
    {ALL, "gid", "5"},
    {ALL, "toleration_seconds", "5"},
    {ALL, "count", "1"},
    {ALL, "device_ids", "[\"0\"]"},
    {ALL, "shm_size", "1"},
    {ALL, "ulimits", "{\"a\": 1}"},
    {ALL, "config", "ServiceConfig(\"i\")"},
    {ALL, "configs", "{\"a\": ServiceConfig(\"i\")}"},
    {ALL, "force_update", "True"},
    {ALL, "service_name", "\"s\""},
    {ALL, "acceptable_codes", "[0]"},
    {ALL, "skip_code_check", "True"},
    {ALL, "msg", "\"m\""},
    {ALL, "run", "\"true\""},
    {ALL, "args", "[\"a\"]"},
    {ALL, "packages", "[\"p\"]"},
    {ALL, "image", "\"i\""},
    {ALL, "store", "[\"/x\"]"},
    {ALL, "depends_on", "\"d\""},
    {ALL, "description", "\"d\""},
};

/* A value of each kind, and how messages spell its type. */
static const struct {
    char letter;
    const char *text, *go_name;
    uint32_t kind; /* as in a field's `want`; 0: one of the fields without a kind */
} values[] = {
    {'n', "None", "starlark.NoneType", TYPES_NONE},
    {'b', "True", "starlark.Bool", TYPES_BOOL},
    {'i', "5", "starlark.Int", TYPES_INT},
    {'f', "1.5", "starlark.Float", 0},
    {'s', "\"text\"", "starlark.String", TYPES_STRING},
    {'y', "b\"text\"", "starlark.Bytes", 0},
    {'l', "[1]", "*starlark.List", TYPES_LIST},
    {'d', "{\"k\": 1}", "*starlark.Dict", TYPES_DICT},
    {'t', "(1,)", "starlark.Tuple", 0},
    {'r', "struct(a = 1)", "*starlarkstruct.Struct", 0},
    {'u', "run", "*starlark.Function", 0},
    {'p', "PortSpec(80)", "*port_spec.PortSpec", 0},
};

/* Kinds that fields without a kind of their own take beyond their type; all others are refused. */
static const struct {
    const char *table, *field, *letters;
} open_fields[] = {
    {"print", "msg", "nbifsyldtrup"},
    {ALL, "target_value", "bifsyldtrp"},
    {"GpuConfig", "driver", "sd"},
    {ALL, "image", "s"},
};

/* Fields that check what they hold only where it is used: a constructor takes anything there. */
static const struct {
    const char *table, *field;
} late[] = {
    {"ServiceConfig", "image"},
    {"GpuConfig", "driver"},
};

typedef struct {
    enclave_t enclave;
    int failures;
    size_t cases;
} work_t;

static const char *
sample(const char *table, const char *field)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        if ((!strcmp(samples[i].table, ALL) || !strcmp(samples[i].table, table)) &&
            !strcmp(samples[i].field, field))
            return samples[i].text;
    fail_msg("field '%s' of '%s' has no sample", field, table);
    return NULL;
}

/* The call with all required arguments but `without`, and then `more`. */
static char *
call_of(const types_table_t *table, const char *without, const char *more)
{
    str_t out = STR_EMPTY;
    str_printf(&out, "%s(", table->name);
    for (size_t i = 0; i < table->count; i++) {
        const types_field_t *field = &table->fields[i];
        if ((field->flags & TYPES_REQUIRED) && (!without || strcmp(without, field->name) != 0))
            str_printf(&out, "%s = %s, ", field->name, sample(table->name, field->name));
    }
    str_printf(&out, "%s)", more);
    return str_take(&out);
}

/* What the interpretation of the call says; "" when it is fine. prefix: "plan." or "". */
static char *
said_of(work_t *self, const char *prefix, const char *call)
{
    AUTO_FREE char *script = str_format("def run(plan):\n    %s%s%s", prefix, call,
                                        prefix[0] ? "" : "\n    plan.print(1)");
    AUTO_FREE char *said = transcript_yaml(&self->enclave, (run_request_t){.script = script});
    self->cases++;
    return strdup(str_starts(said, "packageId:") ? "" : said);
}

/* The call is refused at its place, with all of these words. */
static void
expect(work_t *self, const types_table_t *table, const char *prefix, const char *call,
       const char *const *words)
{
    AUTO_FREE char *said = said_of(self, prefix, call);
    AUTO_FREE char *place =
        str_format("\tat [2:%zu]: run", strlen("    ") + strlen(prefix) + strcspn(call, "(") + 1);
    AUTO_FREE char *name = str_format("'%s'", table->name);
    bool fits = strstr(said, place);
    for (; *words; words++)
        fits = fits && strstr(said, *words);
    if (fits)
        return;
    print_error("%s%s says:\n  %s\nwithout '%s'\n", prefix, call, said, *words ? *words : place);
    self->failures++;
}

static bool
is_open(const char *table, const types_field_t *field, char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(open_fields); i++)
        if ((!strcmp(open_fields[i].table, ALL) || !strcmp(open_fields[i].table, table)) &&
            !strcmp(open_fields[i].field, field->name))
            return strchr(open_fields[i].letters, letter);
    return false;
}

static bool
is_late(const char *table, const types_field_t *field)
{
    for (size_t i = 0; i < ARRAY_LEN(late); i++)
        if (!strcmp(late[i].table, table) && !strcmp(late[i].field, field->name))
            return true;
    return false;
}

/* One argument replaced by each value that is not of its kind. */
static void
wrong_kinds(work_t *self, const types_table_t *table, const char *prefix,
            const types_field_t *field)
{
    AUTO_FREE char *cannot =
        str_format("Cannot construct '%s' from the provided arguments.", table->name);
    AUTO_FREE char *named = str_format("%s", field->about ? field->about : field->name);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if ((field->want & values[i].kind) || is_open(table->name, field, values[i].letter) ||
            is_late(table->name, field))
            continue;
        AUTO_FREE char *argument = str_format("%s = %s", field->name, values[i].text);
        AUTO_FREE char *call = call_of(table, field->name, argument);
        const bool is_loose = field->want == TYPES_ANY && !field->type && !field->check;
        expect(self, table, prefix, call,
               is_loose ? (const char *const[]){named, values[i].go_name, NULL}
                        : (const char *const[]){cannot, named, values[i].go_name, NULL});
    }
}

/* One argument of the right kind with a value that is not allowed. */
static void
wrong_values(work_t *self, const types_table_t *table, const char *prefix,
             const types_field_t *field)
{
    const char *named = field->about ? field->about : field->name;
    AUTO_FREE char *range = str_format("an integer between %lld and %llu, but it was ",
                                       (long long)field->min, (unsigned long long)field->max);
    AUTO_FREE char *below = field->min == INT64_MIN ? strdup("-9223372036854775809")
                                                    : str_format("%lld", (long long)field->min - 1);
    AUTO_FREE char *above = field->max == UINT64_MAX
                                ? strdup("18446744073709551616")
                                : str_format("%llu", (unsigned long long)field->max + 1);
    const struct {
        types_check_fn *check;
        const char *text, *words[3];
    } cases[] = {
        {types_check_text, "\"\"", {"was an empty string. This is disallowed"}},
        {types_check_texts, "[\"a\", \"\"]", {"element 1 in argument", "was an empty string"}},
        {types_check_texts, "[5]", {"element 0 in argument", "starlark.Int"}},
        {types_check_range, below, {range, below}},
        {types_check_range, above, {range, above}},
        {types_check_word, "\"nonsense\"", {"'nonsense'", "Valid values are", field->among}},
        {types_check_word, "\"\"", {"was an empty string"}},
        {types_check_letters, "\"a b\"", {"must match regexp", field->among, "'a b'"}},
        {types_check_duration, "\"soon\"", {"'soon'", "is not a valid duration", "time: "}},
        {types_check_duration_or_none, "\"5\"", {"'5'", "missing unit in duration"}},
        {types_check_duration_or_none, "\"\"", {"was an empty string"}},
        {types_check_pairs, "{1: \"a\"}", {"was expected to be a string", "starlark.Int"}},
        {types_check_pairs, "{\"k\": 1}", {"Value associated to key '\\\"k\\\"' in dictionary"}},
        {types_check_labels, "{\"A\": \"b\"}", {"Invalid service config label key 'A'"}},
        {types_check_labels, "{\"a\": \"b c\"}", {"Invalid service config label value 'b c'"}},
        {types_check_url, "\"http://x/%zz\"", {"isn't a valid URI", "%zz"}},
        {types_check_assertion, "\"~\"", {"argument is invalid, valid values are: '"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (field->check != cases[i].check)
            continue;
        AUTO_FREE char *argument = str_format("%s = %s", field->name, cases[i].text);
        AUTO_FREE char *call = call_of(table, field->name, argument);
        expect(self, table, prefix, call,
               (const char *const[]){table->name, named, cases[i].words[0], cases[i].words[1],
                                     cases[i].words[1] ? cases[i].words[2] : NULL, NULL});
    }
}

/* Numbers and names of arguments that do not fit. */
static void
wrong_calls(work_t *self, const types_table_t *table, const char *prefix)
{
    AUTO_FREE char *cannot = str_format(
        "Cannot construct '%s' from the provided arguments.\n\tCaused by: %s: ", table->name,
        table->name);
    AUTO_FREE char *unknown = call_of(table, NULL, "nonsense = 1");
    expect(self, table, prefix, unknown,
           (const char *const[]){cannot, "unexpected keyword argument \"nonsense\"", NULL});

    AUTO_STR many = STR_EMPTY;
    str_printf(&many, "%s(", table->name);
    for (size_t i = 0; i <= table->count + 1; i++)
        str_add(&many, "1, ");
    str_add(&many, ")");
    AUTO_FREE char *counts =
        str_format("got %zu arguments, want at most %zu", table->count + 2, table->count + 1);
    expect(self, table, prefix, many.data, (const char *const[]){cannot, counts, NULL});

    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->fields[i].name;
        if (table->fields[i].flags & TYPES_REQUIRED) {
            AUTO_FREE char *call = call_of(table, name, "");
            AUTO_FREE char *missing = str_format("missing argument for %s", name);
            expect(self, table, prefix, call, (const char *const[]){cannot, missing, NULL});
        }
        if (i == 0) {
            AUTO_FREE char *call = str_format("%s(1, %s = 1)", table->name, name);
            AUTO_FREE char *twice =
                str_format("got multiple values for keyword argument \"%s\"", name);
            expect(self, table, prefix, call, (const char *const[]){cannot, twice, NULL});
        }
    }
}

/* Each argument in turn is taken when it is right. */
static void
right_values(work_t *self, const types_table_t *table, const char *prefix)
{
    for (size_t i = 0; i <= table->count; i++) {
        const char *name = i < table->count ? table->fields[i].name : "description";
        AUTO_FREE char *argument = str_format("%s = %s", name, sample(table->name, name));
        AUTO_FREE char *call = call_of(table, name, argument);
        AUTO_FREE char *said = said_of(self, prefix, call);
        if (!said[0] || strstr(said, "Did not find new service config for 'n'") ||
            strstr(said, "there is no network") || strstr(said, "doesn't exist in the repository"))
            continue;
        print_error("%s%s is right, but it says:\n  %s\n", prefix, call, said);
        self->failures++;
    }
}

static void
try_all(work_t *self, const types_table_t *table, const char *prefix)
{
    static const types_field_t description = {"description", TYPES_STRING,
                                              .check = types_check_text};
    wrong_calls(self, table, prefix);
    right_values(self, table, prefix);
    for (size_t i = 0; i <= table->count; i++) {
        const types_field_t *field = i < table->count ? &table->fields[i] : &description;
        wrong_kinds(self, table, prefix, field);
        wrong_values(self, table, prefix, field);
    }
}

static void
every_wrong_argument_of_every_instruction_is_said(void **state)
{
    (void)state;
    work_t work = {.failures = 0};
    const plan_kind_t *kind;
    enclave_init(&work.enclave, "/nonexistent");
    for (size_t i = 0; (kind = plan_kind_at(i)); i++)
        try_all(&work, &kind->table, "plan.");
    enclave_done(&work.enclave);
    print_message("%zu calls\n", work.cases);
    assert_true(work.cases > 500);
    assert_int_equal(work.failures, 0);
}

static void
every_wrong_argument_of_every_constructor_is_said(void **state)
{
    (void)state;
    work_t work = {.failures = 0};
    const types_type_t *type;
    enclave_init(&work.enclave, "/nonexistent");
    for (size_t i = 0; (type = types_type_at(i)); i++)
        try_all(&work, &type->table, "");
    enclave_done(&work.enclave);
    print_message("%zu calls\n", work.cases);
    assert_true(work.cases > 500);
    assert_int_equal(work.failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrong_argument_of_every_instruction_is_said),
        cmocka_unit_test(every_wrong_argument_of_every_constructor_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
