/*  packages: every package of tests/packages as a dry run and as a plan, in an enclave of its own: the
 * real core, real git repositories, and the driver in memory. What each says is in
 * tests/packages/golden/NAME.out, its plan in NAME.yaml; to write them anew, and look at what
 * changed:  KURTOSIS_GOLDEN=write build/bin/test_apic_packages
 *
 *  Together they use every argument of every instruction and every field of every type: the tables
 * are asked. */
#include "apic/packages/file.h"
#include "apic/packages/manifest.h"
#include "apic/plan/plan.h"
#include "archive/archive.h"
#include "base/file.h"
#include "tests/unit/apic_core/stage.h"
#include "tests/unit/apic_run/transcript.h"

#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "tests/packages/"
#define COMPOSE_PACKAGE "github.com/NOTIONAL_USER/USER_UPLOADED_COMPOSE_PACKAGE"
#define FILE_MAX (4 << 20)
#define PACKAGES_MIN 25

/* A line of tests/packages/list. */
typedef struct {
    char *line, *name;
    const char *id, *main, *function; /* NULL: the usual ones */
    bool privileged, parallel, brief;
} package_t;

static char mirror[] = "/tmp/kurtosis-packages-XXXXXX";
static run_map_t used; /* "exec", "exec.recipe", "ExecRecipe.command" ... of all packages */

/* ------------------------------------------------------------------------------------- the list */

static package_t
package_parse(const char *line, size_t size)
{
    package_t self = {.line = strndup(line, size)};
    char *rest = NULL;
    for (char *word = strtok_r(self.line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (!self.name)
            self.name = word;
        else if (str_starts(word, "id="))
            self.id = word + 3;
        else if (str_starts(word, "main="))
            self.main = word + 5;
        else if (str_starts(word, "function="))
            self.function = word + 9;
        else if (!strcmp(word, "privileged"))
            self.privileged = true;
        else if (!strcmp(word, "parallel"))
            self.parallel = true;
        else if (!strcmp(word, "brief"))
            self.brief = true;
        else if (strcmp(word, "execute") != 0)
            fail_msg("'%s' of package '%s' says nothing", word, self.name);
    }
    return self;
}

/* ----------------------------------------------------------------------------------- the enclave */

static int
upload(core_t *core, const char *id, const char *folder)
{
    AUTO_FREE char *archive = strdup("/tmp/kurtosis-package-XXXXXX");
    AUTO(err) err = NULL;
    const int fd = mkstemp(archive);
    close(fd);
    unlink(archive);
    int rc = archive_tgz_pack(folder, archive, FILE_MAX, NULL, &err);
    if (rc == 0)
        rc = core_package_put(core, id, archive, &err);
    unlink(archive);
    if (rc < 0)
        print_error("%s: %s\n", folder, err_text(err));
    return rc;
}

/* The package as a client brings it, its local replacements too; its id, yours. */
static char *
bring(core_t *core, const package_t *package)
{
    AUTO_FREE char *folder = str_format(FOLDER "%s", package->name);
    AUTO_FREE char *path = str_format("%s/kurtosis.yml", folder);
    AUTO_STR text = STR_EMPTY;
    AUTO(packages_manifest) manifest = NULL;
    if (package->id)
        return strdup(package->id);
    if (packages_file_read(path, FILE_MAX, &text, NULL) < 0) {
        assert_int_equal(upload(core, COMPOSE_PACKAGE, folder), 0);
        return strdup(COMPOSE_PACKAGE);
    }
    assert_int_equal(packages_manifest_parse(text.data, text.len, &manifest, NULL), 0);
    assert_int_equal(upload(core, manifest->name, folder), 0);
    for (size_t i = 0; i < manifest->n_replaces; i++) {
        const packages_replace_t *replace = &manifest->replaces[i];
        AUTO_FREE char *local = str_format("%s/%s", folder, replace->to);
        if (replace->to[0] == '.')
            assert_int_equal(upload(core, replace->from, local), 0);
    }
    return strdup(manifest->name);
}

/* ------------------------------------------------------------------------------- what is used of
 * all there is */

/* Takes down the calls and named arguments of a text that stands for an instruction. */
static void
take_down(const char *text)
{
    char *open[64];
    size_t depth = 0;
    for (const char *at = text; *at;) {
        size_t size = 0;
        if (*at == '"') {
            for (at++; *at && *at != '"'; at++)
                at += *at == '\\';
            at++;
            continue;
        }
        while (isalnum((unsigned char)at[size]) || at[size] == '_')
            size++;
        const char after = at[size];
        if (size && after == '=' && depth && open[depth - 1]) {
            AUTO_FREE char *key = str_format("%s.%.*s", open[depth - 1], (int)size, at);
            run_map_put(&used, key, &used);
            at += size + 1;
        } else if (after == '(' || after == '[' || after == '{') {
            assert_true(depth < ARRAY_LEN(open));
            open[depth++] = size && after == '(' ? strndup(at, size) : NULL;
            if (size && after == '(')
                run_map_put(&used, open[depth - 1], &used);
            at += size + 1;
        } else if (after == ')' || after == ']' || after == '}') {
            assert_true(depth > 0);
            free(open[--depth]);
            at += size + 1;
        } else {
            at += size ? size : 1;
        }
    }
    while (depth)
        free(open[--depth]);
}

static void
take_down_all(const char *said)
{
    for (const char *line = said; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (!str_starts(line, "  ") || str_starts(line, "  = "))
            continue;
        AUTO_FREE char *text = strndup(line, strcspn(line, "\n"));
        take_down(text);
    }
}

static int
say_unused(const types_table_t *table)
{
    int unused = 0;
    for (size_t i = 0; i < table->count; i++) {
        AUTO_FREE char *key = str_format("%s.%s", table->name, table->fields[i].name);
        if (run_map_get(&used, key))
            continue;
        print_error("no package uses %s\n", key);
        unused++;
    }
    if (!run_map_get(&used, table->name) && table->count == 0) {
        print_error("no package uses %s\n", table->name);
        unused++;
    }
    return unused;
}

/* ------------------------------------------------------------------------------------- goldens */

/* How many lines of each kind: "3 add_service". */
static char *
numbers_of(const char *said)
{
    str_t out = STR_EMPTY;
    const plan_kind_t *kind;
    for (size_t i = 0; (kind = plan_kind_at(i)); i++) {
        AUTO_FREE char *call = str_format("\n  %s(", kind->table.name);
        size_t count = 0;
        for (const char *at = said; (at = strstr(at, call)); at++)
            count++;
        if (count)
            str_printf(&out, "%zu %s\n", count, kind->table.name);
    }
    const char *failed = strstr(said, "error: ");
    if (failed)
        str_printf(&out, "%.200s\n", failed);
    return str_take(&out);
}

static char *
yaml_numbers_of(const char *yaml)
{
    size_t services = 0, steps = 0;
    for (const char *at = yaml; (at = strstr(at, "\n- uuid: ")); at++)
        services++;
    for (const char *at = yaml; (at = strstr(at, "\n- instructionUuid: ")); at++)
        steps++;
    return str_format("%zu with a uuid\n%zu instructions\n", services, steps);
}

static bool
check(const char *name, const char *ending, const char *said)
{
    AUTO_FREE char *path = str_format(FOLDER "golden/%s.%s", name, ending);
    AUTO_STR expected = STR_EMPTY;
    if (golden_same(path, said, &expected))
        return true;
    print_error("%s is not\n%s\nIf that is right: KURTOSIS_GOLDEN=write "
                "build/bin/test_apic_packages\n",
                path, said);
    return false;
}

/* --------------------------------------------------------------------------------------- the test */

static bool
try(stage_t *stage, const package_t *package)
{
    AUTO_FREE char *mirrors = str_format("https://github.com/=file://%s/", mirror);
    AUTO_FREE char *folder = str_format("%s/%s", stage->folder, package->name);
    core_config_t config = support_config(folder);
    config.git_mirrors = mirrors;
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(core_new(&config, &stage->core, NULL), 0);
    stage->apic = stage_actor(stage, "apic/" SUPPORT_ENCLAVE, NULL, NULL);
    assert_int_equal(core_attach(stage->core, stage->apic, NULL), 0);

    run_world_t world;
    enclave_t enclave;
    run_world_core(&world, stage->core, NULL);
    enclave_init_world(&enclave, &world);
    AUTO_FREE char *id = bring(stage->core, package);
    AUTO_FREE char *args_path = str_format(FOLDER "args/%s.json", package->name);
    AUTO_STR args = STR_EMPTY;
    packages_file_read(args_path, FILE_MAX, &args, NULL);
    const run_request_t request = {
        .package_id = id,
        .params = args.data,
        .main_file = package->main,
        .main_function = package->function,
        .clone = package->id,
        .dry_run = true,
        .parallel = package->parallel,
        .check_resources = true,
        .allow_privileged = package->privileged,
    };
    AUTO_FREE char *said = transcript(&enclave, request, false);
    AUTO_FREE char *yaml = transcript_yaml(&enclave, request);
    enclave_done(&enclave);
    core_stop(stage->core);
    stage_close(stage);

    take_down_all(said);
    AUTO_FREE char *numbers = package->brief ? numbers_of(said) : NULL;
    AUTO_FREE char *yaml_numbers = package->brief ? yaml_numbers_of(yaml) : NULL;
    const bool said_fits = check(package->name, "out", numbers ? numbers : said);
    return check(package->name, "yaml", yaml_numbers ? yaml_numbers : yaml) && said_fits;
}

static void
every_package_is_understood(void **state)
{
    stage_t *stage = *state;
    AUTO_STR list = STR_EMPTY;
    size_t count = 0;
    int failures = 0;
    stage_close(stage);
    assert_int_equal(packages_file_read(FOLDER "list", FILE_MAX, &list, NULL), 0);
    for (const char *line = list.data; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (*line == '#' || *line == '\n')
            continue;
        package_t package = package_parse(line, strcspn(line, "\n"));
        failures += !try(stage, &package);
        free(package.line);
        count++;
    }
    assert_true(count >= PACKAGES_MIN);
    assert_int_equal(failures, 0);
}

static void
together_they_use_every_argument_and_field(void **state)
{
    (void)state;
    const plan_kind_t *kind;
    const types_type_t *type;
    int unused = 0;
    for (size_t i = 0; (kind = plan_kind_at(i)); i++)
        unused += say_unused(&kind->table);
    for (size_t i = 0; (type = types_type_at(i)); i++)
        unused += say_unused(&type->table);
    assert_int_equal(unused, 0);
}

static int
publish(void **state)
{
    (void)state;
    if (!mkdtemp(mirror))
        return -1;
    AUTO_FREE char *command =
        str_format(FOLDER "publish " FOLDER "published %s >/dev/null", mirror);
    return system(command);
}

static int
unpublish(void **state)
{
    (void)state;
    run_map_done(&used, NULL);
    return file_remove_tree(mirror, NULL);
}

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_package_is_understood, stage_setup, stage_teardown),
        cmocka_unit_test(together_they_use_every_argument_and_field),
    };
    return cmocka_run_group_tests(tests, publish, unpublish);
}
