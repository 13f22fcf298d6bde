/*  artifact: the store of files artifacts and of packages: outcomes, names, content, hostile
 * archives, kills. */
#include "tests/unit/apic_core/support.h"

#include "archive/archive.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef struct {
    char *folder;
    core_t *core;
} store_t;

static int
setup(void **state)
{
    store_t *self = calloc(1, sizeof *self);
    self->folder = support_folder();
    self->core = support_core(self->folder);
    *state = self;
    return 0;
}

static int
teardown(void **state)
{
    store_t *self = *state;
    core_destroy(&self->core);
    support_folder_drop(self->folder);
    free(self);
    return 0;
}

static void
reopen(store_t *self)
{
    core_destroy(&self->core);
    self->core = support_core(self->folder);
}

static size_t
files_in(const store_t *self, const char *name)
{
    AUTO_FREE char *path = str_format("%s/%s", self->folder, name);
    DIR *folder = opendir(path);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static core_artifact_outcome_t
put(store_t *self, const char *name, const char *text, char **ret_uuid)
{
    core_file_t file = {"a.txt", text, strlen(text)};
    core_artifact_outcome_t outcome;
    err_t *err = NULL;
    if (core_artifact_put_files(self->core, name, &file, 1, &outcome, ret_uuid, &err) < 0)
        fail_msg("%s", support_why(&err));
    return outcome;
}

static void
add_text(void *arg, const char *path, uint64_t size, const char *text)
{
    (void)path;
    (void)size;
    str_add(arg, text);
}

static void
an_artifact_is_new_then_the_same_then_updated_under_one_uuid(void **state)
{
    store_t *self = *state;
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *second = NULL;
    AUTO_FREE char *third = NULL;
    assert_int_equal(put(self, "x", "one", &first), CORE_ARTIFACT_NEW);
    assert_int_equal(put(self, "x", "one", &second), CORE_ARTIFACT_SAME);
    assert_int_equal(put(self, "x", "two", &third), CORE_ARTIFACT_UPDATED);
    assert_string_equal(first, second);
    assert_string_equal(first, third);
    assert_int_equal(files_in(self, "artifact-store"), 1);
    assert_int_equal(files_in(self, "tmp"), 0);
    reopen(self);
    AUTO_FREE char *fourth = NULL;
    assert_int_equal(put(self, "x", "two", &fourth), CORE_ARTIFACT_SAME);
}

static void
identifiers_are_uuid_short_uuid_and_name(void **state)
{
    store_t *self = *state;
    AUTO_FREE char *uuid = NULL;
    put(self, "x", "one", &uuid);
    AUTO_FREE char *shortened = strndup(uuid, 12);
    AUTO_FREE char *found = NULL;
    assert_true(core_artifact_exists(self->core, uuid, NULL));
    assert_true(core_artifact_exists(self->core, shortened, &found));
    assert_string_equal(found, uuid);
    assert_true(core_artifact_exists(self->core, "x", NULL));
    assert_false(core_artifact_exists(self->core, "y", NULL));
    int fd;
    err_t *err = NULL;
    assert_true(core_artifact_open(self->core, "y", &fd, &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_string_equal(why, "no files artifact has the name or UUID 'y'");
}

static void
names_are_listed_in_order_and_fresh_ones_are_free(void **state)
{
    store_t *self = *state;
    put(self, "b", "", NULL);
    put(self, "a", "", NULL);
    size_t count;
    char **names = core_artifact_names(self->core, &count);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    free(names[0]);
    free(names[1]);
    free(names);
    AUTO_FREE char *fresh = core_artifact_name_new(self->core);
    assert_false(core_artifact_exists(self->core, fresh, NULL));
}

static void
an_open_artifact_keeps_its_content(void **state)
{
    store_t *self = *state;
    put(self, "x", "one", NULL);
    int fd;
    char before[4096], after[4096];
    assert_int_equal(core_artifact_open(self->core, "x", &fd, NULL), 0);
    ssize_t size = pread(fd, before, sizeof before, 0);
    put(self, "x", "something else", NULL);
    assert_int_equal(pread(fd, after, sizeof after, 0), size);
    assert_memory_equal(before, after, (size_t)size);
    close(fd);
}

static void
archives_that_nobody_names_are_swept_at_the_next_start(void **state)
{
    store_t *self = *state;
    put(self, "x", "one", NULL);
    AUTO_FREE char *orphan = str_format("%s/artifact-store/%032d.tgz", self->folder, 7);
    AUTO_FREE char *left = str_format("%s/tmp/left", self->folder);
    support_write(orphan, "x", 1);
    support_write(left, "x", 1);
    reopen(self);
    assert_int_equal(files_in(self, "artifact-store"), 1);
    assert_int_equal(files_in(self, "tmp"), 0);
    assert_true(core_artifact_exists(self->core, "x", NULL));
}

/* Makes the store what it was when archives had the names of their artifacts. */
static void
make_old(store_t *self, const char *uuid)
{
    AUTO(db) db = NULL;
    err_t *err = NULL;
    core_destroy(&self->core);
    AUTO_FREE char *path = str_format("%s/enclave-database/enclave.db", self->folder);
    AUTO_FREE char *move = str_format("mv %s/artifact-store/*.tgz %s/artifact-store/%s.tgz",
                                      self->folder, self->folder, uuid);
    assert_int_equal(system(move), 0);
    if (db_open(path,
                "CREATE TABLE old (uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, md5 TEXT)"
                " STRICT, WITHOUT ROWID;"
                "INSERT INTO old SELECT uuid, name, md5 FROM artifact;"
                "DROP TABLE artifact;"
                "ALTER TABLE old RENAME TO artifact;",
                &db, &err) < 0)
        fail_msg("%s", support_why(&err));
}

/* The text that put() stored. */
static char *
text_of(store_t *self, const char *name)
{
    err_t *err = NULL;
    AUTO_STR seen = STR_EMPTY;
    if (core_artifact_inspect(self->core, name, add_text, &seen, &err) < 0)
        fail_msg("%s", support_why(&err));
    return str_take(&seen);
}

static void
artifacts_of_an_earlier_version_are_taken_over(void **state)
{
    store_t *self = *state;
    AUTO_FREE char *uuid = NULL;
    AUTO_FREE char *after = NULL;
    put(self, "x", "one", &uuid);
    make_old(self, uuid);
    for (int times = 0; times < 2; times++) {
        self->core = support_core(self->folder);
        AUTO_FREE char *text = text_of(self, "x");
        assert_string_equal(text, "one");
        core_destroy(&self->core);
    }
    self->core = support_core(self->folder);
    assert_int_equal(put(self, "x", "two", &after), CORE_ARTIFACT_UPDATED);
    assert_string_equal(after, uuid);
    assert_int_equal(files_in(self, "artifact-store"), 1);
}

static void
equal_content_is_stored_once_and_goes_with_the_last_artifact_that_has_it(void **state)
{
    store_t *self = *state;
    static const struct {
        const char *name, *text;
        size_t files;
    } steps[] = {
        {"a", "one", 1}, {"b", "one", 1}, {"c", "two", 2}, {"b", "two", 2}, {"a", "three", 2},
        {"c", "one", 3}, {"b", "one", 2}, {"a", "one", 1}, {"a", "one", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        put(self, steps[i].name, steps[i].text, NULL);
        AUTO_FREE char *text = text_of(self, steps[i].name);
        assert_string_equal(text, steps[i].text);
        assert_int_equal(files_in(self, "artifact-store"), steps[i].files);
        assert_int_equal(files_in(self, "tmp"), 0);
    }
    reopen(self);
    assert_int_equal(files_in(self, "artifact-store"), 1);
    for (const char *name = "abc"; *name; name++) {
        AUTO_FREE char *text = text_of(self, (char[]){*name, 0});
        assert_string_equal(text, "one");
    }
}

#define KILLS 40

/* Puts artifacts whose contents meet and part again, a byte into fd after each, until it is killed. */
static void
put_for_ever(const char *folder, int fd)
{
    store_t store = {.folder = (char *)folder, .core = support_core(folder)};
    for (unsigned i = 0;; i++) {
        AUTO_FREE char *text = str_format("content %u", i / 2 % 3);
        put(&store, (const char *[]){"a", "b", "c"}[i % 3], text, NULL);
        if (write(fd, "", 1) != 1)
            _exit(1);
    }
}

static void
a_kill_at_any_moment_leaves_every_artifact_whole_and_nothing_else(void **state)
{
    store_t *self = *state;
    for (unsigned kills = 0; kills < KILLS; kills++) {
        int ends[2];
        core_destroy(&self->core);
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            put_for_ever(self->folder, ends[1]);
        close(ends[1]);
        for (unsigned puts = 0; puts < 3 + kills % 5; puts++)
            assert_int_equal(read(ends[0], (char[1]){0}, 1), 1);
        for (volatile unsigned spin = 0; spin < kills * 10000; spin++)
            ; /* another moment of the next one */
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends[0]);
        self->core = support_core(self->folder);
        AUTO_STR seen = STR_EMPTY;
        size_t different = 0;
        for (const char *name = "abc"; *name; name++) {
            AUTO_FREE char *text = text_of(self, (char[]){*name, 0});
            assert_int_equal(strncmp(text, "content ", 8), 0);
            different += !seen.len || !strstr(seen.data, text);
            str_add(&seen, text);
        }
        assert_int_equal(files_in(self, "artifact-store"), different);
        assert_int_equal(files_in(self, "tmp"), 0);
    }
}

/* ------------------------------------------------------------------------------------- archives */

/* One ustar member, content padded to whole blocks. */
static void
add_ustar(str_t *tar, const char *name, char type, const char *link, const char *text)
{
    char header[512] = "";
    size_t size = strlen(text);
    snprintf(header, 100, "%s", name);
    snprintf(header + 100, 8, "%07o", 0755);
    snprintf(header + 108, 8, "%07o", 0);
    snprintf(header + 116, 8, "%07o", 0);
    snprintf(header + 124, 12, "%011o", (unsigned)size);
    snprintf(header + 136, 12, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = type;
    snprintf(header + 157, 100, "%s", link);
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    str_add_bytes(tar, header, sizeof header);
    str_add_bytes(tar, text, size);
    while (tar->len % 512)
        str_add_char(tar, 0);
}

/* Writes an archive with one member of each name; names that end in "/" are folders; one with "->"
 * is a link. */
static void
make_archive(const char *path, const char *const *names, const char *text)
{
    AUTO_STR tar = STR_EMPTY;
    AUTO(archive_gzip) gzip = NULL;
    for (; *names; names++) {
        AUTO_FREE char *name = strdup(*names);
        char *arrow = strstr(name, "->");
        bool is_folder = name[strlen(name) - 1] == '/';
        if (arrow)
            *arrow = 0;
        add_ustar(&tar, name,
                  arrow       ? '2'
                  : is_folder ? '5'
                              : '0',
                  arrow ? arrow + 2 : "", arrow || is_folder ? "" : text);
    }
    char end[1024] = "";
    str_add_bytes(&tar, end, sizeof end);
    unlink(path);
    assert_int_equal(archive_gzip_new(path, &gzip, NULL), 0);
    assert_int_equal(archive_gzip_add(gzip, tar.data, tar.len, NULL), 0);
    assert_int_equal(archive_gzip_end(gzip, NULL), 0);
}

static void
foreign_archives_are_stored_once_and_checked(void **state)
{
    store_t *self = *state;
    AUTO_FREE char *path = str_format("%s/tmp/x.tgz", self->folder);
    AUTO_FREE char *uuid = NULL;
    make_archive(path, (const char *[]){"a.txt", "dir/", "dir/b", NULL}, "text");
    assert_int_equal(core_artifact_put_foreign(self->core, "x", path, &uuid, NULL), 0);

    static const char *const hostile[][3] = {
        {"../up"}, {"dir/../../up"}, {"link->/etc", "link/up"}};
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        err_t *err = NULL;
        make_archive(path, hostile[i], "text");
        if (core_artifact_put_foreign(self->core, "y", path, NULL, &err) >= 0)
            fail_msg("'%s' was accepted", hostile[i][0]);
        AUTO_FREE char *why = support_why(&err);
        assert_non_null(strstr(why, "'y'"));
        assert_non_null(strstr(why, "up'"));
        unlink(path);
    }
    static const char *const junk[] = {"", "hello", "\x1f\x8b\x08\x00\x00"};
    for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
        support_write(path, junk[i], strlen(junk[i]));
        AUTO(err) err = NULL;
        assert_true(core_artifact_put_foreign(self->core, "y", path, NULL, &err) < 0);
    }
    make_archive(path, (const char *[]){"a", NULL}, "text");
    err_t *err = NULL;
    assert_true(core_artifact_put_foreign(self->core, "x", path, NULL, &err) < 0);
    assert_int_equal(err_code(err), ERR_EXISTS);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "Files artifact name 'x' has already been used"));
}

static void
add_member(void *arg, const char *path, uint64_t size, const char *text)
{
    str_printf(arg, "%s %d %s;", path, (int)size, text ? text : "-");
}

static void
an_inspection_shows_members_in_order_with_printable_text(void **state)
{
    store_t *self = *state;
    static const struct {
        const char *text, *shown; /* NULL: no preview */
    } cases[] = {
        {"plain\n", "plain\n"},
        {"one\r\ntwo\r\n", "one\ntwo\n"},
        {"no end", "no end"},
        {"", ""},
        {"tab\there", NULL},
        {"a\x01"
         "b",
         NULL},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac"},
        {"bad \xff utf-8", NULL},
        {"no-break\xc2\xa0space", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_STR seen = STR_EMPTY;
        AUTO_STR wanted = STR_EMPTY;
        put(self, "x", cases[i].text, NULL);
        assert_int_equal(core_artifact_inspect(self->core, "x", add_member, &seen, NULL), 0);
        str_printf(&wanted, "a.txt %zu %s;", strlen(cases[i].text),
                   cases[i].shown ? cases[i].shown : "-");
        assert_string_equal(seen.data, wanted.data);
    }
    AUTO_FREE char *path = str_format("%s/tmp/x.tgz", self->folder);
    make_archive(path, (const char *[]){"dir/", "dir/b", "a", NULL}, "t");
    assert_int_equal(core_artifact_put_foreign(self->core, "order", path, NULL, NULL), 0);
    AUTO_STR seen = STR_EMPTY;
    assert_int_equal(core_artifact_inspect(self->core, "order", add_member, &seen, NULL), 0);
    assert_string_equal(seen.data, "dir/ 0 -;dir/b 1 t;a 1 t;");
}

static void
a_line_over_64_kib_and_a_file_over_the_limit_are_no_text(void **state)
{
    store_t *self = *state;
    static const struct {
        size_t size;
        bool has_lines, is_shown;
    } cases[] = {{65536, false, true},
                 {65537, false, false},
                 {CORE_PREVIEW_MAX, true, true},
                 {CORE_PREVIEW_MAX + 1, true, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE char *text = malloc(cases[i].size + 1);
        memset(text, 'x', cases[i].size);
        text[cases[i].size] = 0;
        for (size_t j = 100; cases[i].has_lines && j < cases[i].size; j += 100)
            text[j] = '\n';
        AUTO_STR seen = STR_EMPTY;
        put(self, "x", text, NULL);
        assert_int_equal(core_artifact_inspect(self->core, "x", add_member, &seen, NULL), 0);
        assert_int_equal(seen.len > 1000, cases[i].is_shown);
    }
}

/* ------------------------------------------------------------------------------------- packages */

static void
a_package_replaces_the_one_before_it_as_a_whole(void **state)
{
    store_t *self = *state;
    AUTO_FREE char *path = str_format("%s/tmp/p.tgz", self->folder);
    AUTO_FREE char *old = str_format("%s/repositories/author/repo/old.star", self->folder);
    AUTO_FREE char *new = str_format("%s/repositories/author/repo/lib/new.star", self->folder);
    AUTO_FREE char *link = str_format("%s/repositories/author/repo/link", self->folder);
    make_archive(path, (const char *[]){"old.star", NULL}, "x");
    assert_int_equal(core_package_put(self->core, "github.com/author/repo", path, NULL), 0);
    assert_int_equal(access(old, F_OK), 0);
    make_archive(path, (const char *[]){"lib/", "lib/new.star", "link->/etc/passwd", NULL}, "y");
    assert_int_equal(core_package_put(self->core, "GitHub.com/author/repo@v1", path, NULL), 0);
    assert_int_not_equal(access(old, F_OK), 0);
    assert_int_equal(access(new, F_OK), 0);
    struct stat about;
    assert_int_not_equal(lstat(link, &about), 0);
    unlink(path);
    assert_int_equal(files_in(self, "tmp"), 0);
}

static void
packages_with_a_wrong_id_or_archive_are_refused_and_the_old_one_stays(void **state)
{
    store_t *self = *state;
    AUTO_FREE char *path = str_format("%s/tmp/p.tgz", self->folder);
    AUTO_FREE char *old = str_format("%s/repositories/a/b/old.star", self->folder);
    make_archive(path, (const char *[]){"old.star", NULL}, "x");
    assert_int_equal(core_package_put(self->core, "github.com/a/b", path, NULL), 0);
    static const char *const ids[] = {"",
                                      "a/b",
                                      "github.com/a",
                                      "github.com/a/..",
                                      "gitlab.com/a/b",
                                      "github.com/../../x",
                                      "github.com/a/b/../../../../etc"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        err_t *err = NULL;
        assert_true(core_package_put(self->core, ids[i], path, &err) < 0);
        AUTO_FREE char *why = support_why(&err);
        assert_non_null(strstr(why, ids[i]));
    }
    make_archive(path, (const char *[]){"../../../escape", NULL}, "x");
    assert_true(core_package_put(self->core, "github.com/a/b", path, NULL) < 0);
    assert_int_equal(access(old, F_OK), 0);
    unlink(path);
    assert_int_equal(files_in(self, "tmp"), 0);
}

typedef struct {
    const char *path;
    atomic_bool ends;
    unsigned looks, misses;
} looker_t;

static void *
look_until_it_ends(void *arg)
{
    looker_t *self = arg;
    while (!self->ends) {
        self->misses += access(self->path, F_OK) != 0;
        self->looks++;
    }
    return NULL;
}

static bool
names_can_be_exchanged(const store_t *self)
{
    AUTO_FREE char *a = str_format("%s/a", self->folder);
    AUTO_FREE char *b = str_format("%s/b", self->folder);
    mkdir(a, 0700);
    mkdir(b, 0700);
    bool can = renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0;
    rmdir(a);
    rmdir(b);
    return can;
}

static void
whoever_looks_while_a_package_is_replaced_finds_it(void **state)
{
    store_t *self = *state;
    if (!names_can_be_exchanged(self))
        skip();
    AUTO_FREE char *archive = str_format("%s/tmp/p.tgz", self->folder);
    AUTO_FREE char *path = str_format("%s/repositories/author/repo/main.star", self->folder);
    make_archive(archive, (const char *[]){"main.star", NULL}, "x");
    assert_int_equal(core_package_put(self->core, "github.com/author/repo", archive, NULL), 0);
    looker_t looker = {.path = path};
    pthread_t thread;
    pthread_create(&thread, NULL, look_until_it_ends, &looker);
    int failures = 0;
    for (int i = 0; i < 200; i++)
        failures += core_package_put(self->core, "github.com/author/repo", archive, NULL) < 0;
    looker.ends = true;
    pthread_join(thread, NULL);
    assert_int_equal(failures, 0);
    assert_int_equal(looker.misses, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_artifact_is_new_then_the_same_then_updated_under_one_uuid),
        T(identifiers_are_uuid_short_uuid_and_name),
        T(names_are_listed_in_order_and_fresh_ones_are_free),
        T(an_open_artifact_keeps_its_content),
        T(equal_content_is_stored_once_and_goes_with_the_last_artifact_that_has_it),
        T(a_kill_at_any_moment_leaves_every_artifact_whole_and_nothing_else),
        T(archives_that_nobody_names_are_swept_at_the_next_start),
        T(artifacts_of_an_earlier_version_are_taken_over),
        T(foreign_archives_are_stored_once_and_checked),
        T(an_inspection_shows_members_in_order_with_printable_text),
        T(a_line_over_64_kib_and_a_file_over_the_limit_are_no_text),
        T(a_package_replaces_the_one_before_it_as_a_whole),
        T(whoever_looks_while_a_package_is_replaced_finds_it),
        T(packages_with_a_wrong_id_or_archive_are_refused_and_the_old_one_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
