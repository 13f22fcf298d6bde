/*  The rules of the tree itself: who may include whom, what every folder has, what no source may say.
 *
 *  Run from the top of the tree. The files are those git knows, or would add.
 */
#include "base/auto.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Every folder, and the folders of ours whose headers it may include; its own are always fine. Outside a folder only
 * <folder>/<folder>.h is included, but for those marked open: all of their headers are public. */
typedef struct {
    const char *folder;
    const char *may_include;
    bool open;
} rule_t;

static const rule_t rules[] = {
    {"base", "", true},
    {"bus", "base", false},
    {"actors", "bus base", false},
    {"starlark", "", false},
    {"archive", "base", false},
    {"logs", "base", false},
    {"apic", "actors bus base starlark archive", false},
    {"engine", "actors bus base logs", false},
    {"docker-driver", "actors bus base archive logs", false},
    {"k8s-driver", "actors bus base archive logs", false},
    {"gateway", "actors bus base", false},
    {"sdk", "actors bus base archive", false},
    {"cli", "sdk actors bus base archive", false},
    {"tests", "*", false},
    {"examples", "", false},
};

/* A second header of a folder, for one other folder alone. */
static const struct {
    const char *folder, *header;
} doors[] = {
    {"actors", "bus/peer.h"}, /* the runtime wraps peers, so that nobody else uses them */
};

/* Folders at the top that hold no code of the product and so have no rule above. */
static const char *const bare_folders[] = {"cmake", "docs", ".ci"};

/* Functions that overflow, lie about errors, share state between threads or wait for a time of day, which may be set; what to
 * take, and the one file that is made of it. */
static const struct {
    const char *name, *instead, *but_in;
} forbidden[] = {
    {"strcpy", "base/str.h", NULL},
    {"strcat", "base/str.h", NULL},
    {"sprintf", "str_printf or snprintf", NULL},
    {"vsprintf", "str_vprintf", NULL},
    {"gets", "fgets", NULL},
    {"strtok", "strtok_r or strsep", NULL},
    {"gmtime", "gmtime_r", NULL},
    {"localtime", "localtime_r", NULL},
    {"atoi", "strtol", NULL},
    {"atol", "strtol", NULL},
    {"atof", "strtod", NULL},
    {"system", "posix_spawn", NULL},
    {"tmpnam", "mkstemp", NULL},
    {"asctime", "strftime", NULL},
    {"ctime", "strftime", NULL},
    {"gettimeofday", "clock_ns or clock_wall_ns", NULL},
    {"pthread_cond_init", "clock_cond_init", "base/clock.h"},
    {"pthread_mutex_timedlock", "a condition of clock_cond_init", NULL},
    {"sem_timedwait", "a condition of clock_cond_init", NULL},
};

#define LINES_GOOD 600
#define LINES_MAX 900
#define FILES_MAX 5000

static char *files[FILES_MAX];
static size_t file_count;
static int failures;

static void
complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_STR text = STR_EMPTY;
    str_vprintf(&text, format, args);
    va_end(args);
    fprintf(stderr, "    %s\n", text.data);
    failures++;
}

static int
read_tree(void **state)
{
    (void)state;
    FILE *git = popen("git ls-files --cached --others --exclude-standard", "r");
    if (git == NULL)
        return -1;
    char line[PATH_MAX];
    struct stat info;
    while (file_count < FILES_MAX && fgets(line, sizeof(line), git) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (stat(line, &info) == 0 && S_ISREG(info.st_mode))
            files[file_count++] = str_format("%s", line);
    }
    return pclose(git) == 0 && file_count > 0 ? 0 : -1;
}

static int
free_tree(void **state)
{
    (void)state;
    while (file_count > 0)
        free(files[--file_count]);
    return 0;
}

static bool
is_source(const char *path)
{
    return str_ends(path, ".c") || str_ends(path, ".h");
}

static const rule_t *
rule_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        size_t len = strlen(rules[i].folder);
        if (strncmp(path, rules[i].folder, len) == 0 && path[len] == '/')
            return &rules[i];
    }
    return NULL;
}

static bool
has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static bool
is_door(const rule_t *from, const char *header)
{
    for (size_t i = 0; i < ARRAY_LEN(doors); i++)
        if (strcmp(from->folder, doors[i].folder) == 0 && strcmp(header, doors[i].header) == 0)
            return true;
    return false;
}

static void
check_include(const char *path, int line, const rule_t *from, const char *header)
{
    const rule_t *to = rule_of(header);
    if (to == NULL || to == from || strcmp(from->may_include, "*") == 0)
        return;
    if (!has_word(from->may_include, to->folder))
        complain("%s:%d: %s may not include '%s'; it may include: %s", path, line, from->folder,
                 header, from->may_include);
    AUTO_FREE char *face = str_format("%s/%s.h", to->folder, to->folder);
    if (!to->open && strcmp(header, face) != 0 && !str_starts(header, "bus/schema/") &&
        !is_door(from, header))
        complain("%s:%d: '%s' is private to its folder; include '%s'", path, line, header, face);
}

/* A call of name in code: a word of its own before an opening bracket, not in a comment that starts the line. */
static bool
calls(const char *line, const char *name)
{
    const char *start = line + strspn(line, " \t");
    if (start[0] == '*' || str_starts(start, "/*") || str_starts(start, "//"))
        return false;
    size_t len = strlen(name);
    for (const char *at = line; (at = strstr(at, name)) != NULL; at += len) {
        bool word = at == line || !(isalnum((unsigned char)at[-1]) || strchr("_.>\"'", at[-1]));
        if (word && at[len] == '(')
            return true;
    }
    return false;
}

typedef void line_fn(const char *path, int number, const char *line);

static int
each_line(const char *path, line_fn *fn)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t space = 0;
    int number = 0;
    while (getline(&line, &space, file) >= 0) {
        number++;
        if (fn != NULL)
            fn(path, number, line);
    }
    free(line);
    fclose(file);
    return number;
}

static void
line_includes(const char *path, int number, const char *line)
{
    char header[256];
    const rule_t *from = rule_of(path);
    if (from != NULL && sscanf(line, " # include \"%255[^\"]\"", header) == 1)
        check_include(path, number, from, header);
}

static void
line_forbidden(const char *path, int number, const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
        if (calls(line, forbidden[i].name) &&
            (!forbidden[i].but_in || strcmp(path, forbidden[i].but_in) != 0))
            complain("%s:%d: %s() is not used here; take %s", path, number, forbidden[i].name,
                     forbidden[i].instead);
}

static void
folders_include_only_what_the_map_allows(void **state)
{
    (void)state;
    failures = 0;
    for (size_t i = 0; i < file_count; i++)
        if (is_source(files[i]))
            each_line(files[i], line_includes);
    assert_int_equal(failures, 0);
}

static void
dangerous_functions_are_not_called(void **state)
{
    (void)state;
    failures = 0;
    for (size_t i = 0; i < file_count; i++)
        if (is_source(files[i]) && !str_starts(files[i], "tests/"))
            each_line(files[i], line_forbidden);
    assert_int_equal(failures, 0);
}

static void
no_source_file_is_past_its_size(void **state)
{
    (void)state;
    failures = 0;
    for (size_t i = 0; i < file_count; i++) {
        if (!is_source(files[i]))
            continue;
        int lines = each_line(files[i], NULL);
        if (lines > LINES_MAX)
            complain("%s has %d lines; split it (at most %d)", files[i], lines, LINES_MAX);
        else if (lines > LINES_GOOD)
            fprintf(stderr, "    %s grows large: %d lines (600 is good)\n", files[i], lines);
    }
    assert_int_equal(failures, 0);
}

static bool
exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static bool
is_known_folder(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (strcmp(rules[i].folder, name) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(bare_folders); i++)
        if (strcmp(bare_folders[i], name) == 0)
            return true;
    return false;
}

/* Calls fn once for every folder at the top that has files of the tree. */
static void
each_top_folder(void (*fn)(const char *folder))
{
    AUTO_FREE char *last = str_format("%s", "");
    for (size_t i = 0; i < file_count; i++) {
        const char *slash = strchr(files[i], '/');
        if (slash == NULL)
            continue;
        AUTO_FREE char *folder = str_format("%.*s", (int)(slash - files[i]), files[i]);
        if (strcmp(folder, last) == 0)
            continue;
        free(last);
        last = str_format("%s", folder);
        fn(folder);
    }
}

static void
folder_has_rule(const char *folder)
{
    if (!is_known_folder(folder))
        complain("folder '%s' is in no table of tests/unit/house/test_tree.c", folder);
}

static void
folder_has_readme(const char *folder)
{
    AUTO_FREE char *readme = str_format("%s/README.md", folder);
    if (folder[0] != '.' && !exists(readme))
        complain("folder '%s' has no README.md", folder);
}

/* The tour is the part of README.md between "## Tour" and the next heading; a folder stands there as `folder/`. */
static char *
read_tour(void)
{
    FILE *file = fopen("README.md", "r");
    assert_non_null(file);
    AUTO_STR tour = STR_EMPTY;
    char line[1000];
    bool inside = false;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (str_starts(line, "## "))
            inside = str_starts(line, "## Tour");
        else if (inside)
            str_add(&tour, line);
    }
    fclose(file);
    return str_take(&tour);
}

static char *tour;

static void
folder_is_in_tour(const char *folder)
{
    AUTO_FREE char *word = str_format("`%s/`", folder);
    if (folder[0] != '.' && strstr(tour, word) == NULL)
        complain("README.md's tour does not name `%s/`", folder);
}

static void
the_tour_matches_the_tree(void **state)
{
    (void)state;
    failures = 0;
    tour = read_tour();
    each_top_folder(folder_is_in_tour);
    for (char *at = tour; (at = strchr(at, '`')) != NULL;) {
        char *end = strchr(at + 1, '`');
        if (end == NULL)
            break;
        AUTO_FREE char *name = str_format("%.*s", (int)(end - at - 1), at + 1);
        if (str_ends(name, "/") && strchr(name, ' ') == NULL && !exists(name))
            complain("README.md's tour names `%s`, which is not there", name);
        at = end + 1;
    }
    free(tour);
    assert_int_equal(failures, 0);
}

static void
every_folder_has_a_rule_and_a_readme(void **state)
{
    (void)state;
    failures = 0;
    each_top_folder(folder_has_rule);
    each_top_folder(folder_has_readme);
    assert_int_equal(failures, 0);
}

static void
the_check_itself_sees_calls_and_words(void **state)
{
    (void)state;
    assert_true(calls("    n = atoi(text);\n", "atoi"));
    assert_true(calls("strcpy(a, b);", "strcpy"));
    assert_false(calls("    x = my_atoi(text);\n", "atoi"));
    assert_false(calls(" * never call atoi(x)\n", "atoi"));
    assert_false(calls("    snprintf(a, 1, b);\n", "sprintf"));
    assert_false(calls("    self->system(x);\n", "system"));
    assert_true(has_word("actors bus base", "bus"));
    assert_false(has_word("actors bus base", "us"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_itself_sees_calls_and_words),
        cmocka_unit_test(folders_include_only_what_the_map_allows),
        cmocka_unit_test(dangerous_functions_are_not_called),
        cmocka_unit_test(no_source_file_is_past_its_size),
        cmocka_unit_test(every_folder_has_a_rule_and_a_readme),
        cmocka_unit_test(the_tour_matches_the_tree),
    };
    return cmocka_run_group_tests(tests, read_tree, free_tree);
}
