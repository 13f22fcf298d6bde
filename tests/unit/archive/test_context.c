#include "archive/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char folder[64];
} place_t;

static void
run(const char *folder, const char *script)
{
    AUTO_FREE char *command = str_format("cd %s && { %s; }", folder, script);
    assert_int_equal(system(command), 0);
}

static int
set_up(void **state)
{
    place_t *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/context-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    run(place->folder, "mkdir -p a/b c/d && touch Dockerfile top.c top.h a/one.c a/b/two.c "
                       "a/b/two.md c/d/three.c");
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    place_t *place = *state;
    AUTO_FREE char *command = str_format("rm -rf %s %s.tar", place->folder, place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static int
write_piece(void *arg, const void *data, size_t size, err_t **err)
{
    (void)err;
    assert_true(size > 0);
    assert_int_equal(fwrite(data, 1, size, arg), size);
    return 0;
}

/* Packs, and says what tar(1) finds in it, one blank between names. */
static char *
names(const place_t *place, const char *file)
{
    static char text[4096];
    AUTO(err) err = NULL;
    AUTO_FREE char *path = str_format("%s.tar", place->folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(archive_context_pack(place->folder, file, write_piece, out, &err), 0);
    assert_int_equal(fclose(out), 0);
    AUTO_FREE char *command = str_format("tar tf %s | LC_ALL=C sort | tr '\\n' ' '", path);
    FILE *in = popen(command, "r");
    size_t got = fread(text, 1, sizeof text - 1, in);
    assert_int_equal(pclose(in), 0);
    text[got ? got - 1 : 0] = '\0';
    return text;
}

static const struct {
    const char *rules, *names;
} rows[] = {
    {"", ".dockerignore Dockerfile a/ a/b/ a/b/two.c a/b/two.md a/one.c c/ c/d/ c/d/three.c top.c "
         "top.h"},
    {"# a comment\n\n  a  \n/c/\n", ".dockerignore Dockerfile top.c top.h"},
    {"*", ".dockerignore Dockerfile"},
    {"*\n!a/b/*.c\n", ".dockerignore Dockerfile a/b/two.c"},
    {"*\n!a\na/b\n!a/b/two.md", ".dockerignore Dockerfile a/ a/b/two.md a/one.c"},
    {"*.c", ".dockerignore Dockerfile a/ a/b/ a/b/two.c a/b/two.md a/one.c c/ c/d/ c/d/three.c "
            "top.h"},
    {"**/*.c", ".dockerignore Dockerfile a/ a/b/ a/b/two.md c/ c/d/ top.h"},
    {"a/**\n**/d", ".dockerignore Dockerfile a/ c/ top.c top.h"},
    {"*/*/two.?\ntop.[c-g]\nc", ".dockerignore Dockerfile a/ a/b/ a/b/two.md a/one.c top.h"},
    {"top.[^c]\na\n./c/../c/d\nno\\*e", ".dockerignore Dockerfile c/ top.c"},
    {"Dockerfile\n.dockerignore\na\nc\ntop.*", ".dockerignore Dockerfile"},
};

static void
rules_leave_files_out_as_docker_does(void **state)
{
    const place_t *place = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE char *path = str_format("%s/.dockerignore", place->folder);
        FILE *out = fopen(path, "w");
        fputs(rows[i].rules, out);
        fclose(out);
        assert_string_equal(names(place, "Dockerfile"), rows[i].names);
    }
}

static void
rules_beside_the_dockerfile_win(void **state)
{
    const place_t *place = *state;
    run(place->folder, "mkdir x && touch x/Dev && echo top.c >.dockerignore && printf "
                       "'*\\n!top.c\\n' >x/Dev.dockerignore");
    assert_string_equal(names(place, "x/Dev"), "top.c x/Dev x/Dev.dockerignore");
    assert_non_null(strstr(names(place, "Dockerfile"), "x/Dev.dockerignore"));
    assert_null(strstr(names(place, "Dockerfile"), "top.c"));
}

static void
links_modes_and_long_names_are_kept(void **state)
{
    const place_t *place = *state;
    run(place->folder,
        "rm -r a c top.* && ln -s /nowhere link && chmod 750 Dockerfile && mkfifo pipe && "
        "n=$(printf %0200d 7) && head -c 100000 /dev/zero >$n");
    names(place, "Dockerfile");
    AUTO_FREE char *script =
        str_format("tar tvf %s.tar | grep -q '^lrwxrwxrwx .*link -> /nowhere' && "
                   "tar tvf %s.tar | grep -q '^-rwxr-x--- 0/0 .*Dockerfile' && "
                   "tar tvf %s.tar | grep -q ' 100000 .* 0*7$' && "
                   "! tar tf %s.tar | grep -q pipe",
                   place->folder, place->folder, place->folder, place->folder);
    run(place->folder, script);
}

static void
bad_rules_and_folders_are_named(void **state)
{
    const place_t *place = *state;
    static const struct {
        const char *rules, *words;
    } bad[] = {{"a\n[x", "'[x' does not end"}, {"!", "has no pattern"}, {"a\\", "does not end"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(err) err = NULL;
        AUTO_FREE char *path = str_format("%s/.dockerignore", place->folder);
        FILE *out = fopen(path, "w");
        fputs(bad[i].rules, out);
        fclose(out);
        assert_true(archive_context_pack(place->folder, "Dockerfile", write_piece, stdout, &err) <
                    0);
        AUTO_FREE char *text = err_string(err);
        assert_non_null(strstr(text, bad[i].words));
        assert_non_null(strstr(text, ".dockerignore"));
    }
    AUTO(err) err = NULL;
    assert_true(archive_context_pack("/no/such/folder", "Dockerfile", write_piece, stdout, &err) <
                0);
}

static int
fail_piece(void *arg, const void *data, size_t size, err_t **err)
{
    (void)data;
    (void)size;
    return ++*(int *)arg < 3 ? 0 : err_fail(err, ERR_CANCELLED, "enough");
}

static void
a_taker_that_has_enough_ends_it(void **state)
{
    const place_t *place = *state;
    AUTO(err) err = NULL;
    int count = 0;
    assert_true(archive_context_pack(place->folder, "Dockerfile", fail_piece, &count, &err) < 0);
    assert_int_equal(count, 3);
    assert_int_equal(err_code(err), ERR_CANCELLED);
}

/* A pattern of many stars takes no longer than its length times the path's. */
static void
many_stars_end(void **state)
{
    const place_t *place = *state;
    AUTO_STR rules = STR_EMPTY;
    for (int i = 0; i < 500; i++)
        str_add(&rules, "*a");
    str_add(&rules, "b\n**");
    for (int i = 0; i < 500; i++)
        str_add(&rules, "/**a");
    AUTO_FREE char *path = str_format("%s/.dockerignore", place->folder);
    FILE *out = fopen(path, "w");
    fprintf(out, "%sb\n", rules.data);
    fclose(out);
    run(place->folder, "touch $(printf %0200d 0 | tr 0 a)");
    assert_non_null(strstr(names(place, "Dockerfile"), "aaaa"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules_leave_files_out_as_docker_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_beside_the_dockerfile_win, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_modes_and_long_names_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_rules_and_folders_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_taker_that_has_enough_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_stars_end, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
