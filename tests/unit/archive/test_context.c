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
    AUTO_FREE char *command =
        str_format("rm -rf %s %s.tar %s.out", place->folder, place->folder, place->folder);
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

/* A tar in memory, which comes in pieces of some bytes and breaks off after so many. */
typedef struct {
    str_t tar;
    size_t used, piece, last;
} coming_t;

static int
keep_piece(void *arg, const void *data, size_t size, err_t **err)
{
    (void)err;
    str_add_bytes(&((coming_t *)arg)->tar, data, size);
    return 0;
}

static long
take_piece(void *arg, char *buffer, size_t size, err_t **err)
{
    coming_t *self = arg;
    if (self->used >= self->last)
        return err_fail(err, ERR_CANCELLED, "enough");
    size_t left = self->tar.len - self->used, part = left < self->piece ? left : self->piece;
    part = part < size ? part : size;
    memcpy(buffer, self->tar.data + self->used, part);
    self->used += part;
    return (long)part;
}

static void
what_comes_piece_by_piece_is_unpacked_as_it_was_with_its_links(void **state)
{
    const place_t *place = *state;
    coming_t coming = {.tar = STR_EMPTY, .last = SIZE_MAX};
    AUTO_FREE char *folder = str_format("%s.out", place->folder);
    AUTO(err) err = NULL;
    run(place->folder, "echo '*' >.dockerignore && ln -s ../top.c a/link && ln -s /etc abs && "
                       "chmod 755 top.h && head -c 100000 /dev/zero >a/zeros && touch "
                       "$(printf %0150d 0)");
    assert_int_equal(archive_context_pack(place->folder, NULL, keep_piece, &coming, &err), 0);
    for (coming.piece = 100; coming.piece < 1000000; coming.piece *= 9) {
        AUTO_FREE char *compare = str_format(
            "diff -r --no-dereference . %s && [ -x %s/top.h ] && rm -r %s", folder, folder, folder);
        coming.used = 0;
        AUTO_FREE char *make = str_format("mkdir %s", folder);
        run("/tmp", make);
        if (archive_tar_unpack(take_piece, &coming, folder, &err) < 0)
            fail_msg("%s", err_string(err));
        assert_int_equal(coming.used, coming.tar.len);
        run(place->folder, compare);
    }
    str_done(&coming.tar);
}

static void
what_comes_and_breaks_off_or_is_no_tar_is_an_error(void **state)
{
    const place_t *place = *state;
    AUTO_FREE char *folder = str_format("%s/a/b", place->folder);
    static const struct {
        const char *shell; /* makes the tar */
        size_t last;
        err_code_t code;
    } cases[] = {
        {"tar c *", 0, ERR_CANCELLED},
        {"tar c *", 2000, ERR_CANCELLED},
        {"tar c * | head -c 700", SIZE_MAX, ERR_INVALID},
        {"yes | head -c 5000", SIZE_MAX, ERR_INVALID},
        {"tar cP ../../etc/hostname", SIZE_MAX, ERR_INVALID},
        {"ln -s . l; mkdir d; touch d/x; tar c l d/x --transform=s,d/,l/,", SIZE_MAX, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        coming_t coming = {.tar = STR_EMPTY, .last = cases[i].last, .piece = 512};
        AUTO_FREE char *command = str_format("cd %s && %s", place->folder, cases[i].shell);
        AUTO(err) err = NULL;
        char part[4096];
        FILE *in = popen(command, "r");
        for (size_t got; (got = fread(part, 1, sizeof part, in)) > 0;)
            str_add_bytes(&coming.tar, part, got);
        pclose(in);
        if (archive_tar_unpack(take_piece, &coming, folder, &err) >= 0 ||
            err_code(err) != cases[i].code)
            fail_msg("row %zu: %s", i, err ? err_string(err) : "accepted");
        str_done(&coming.tar);
    }
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
        cmocka_unit_test_setup_teardown(
            what_comes_piece_by_piece_is_unpacked_as_it_was_with_its_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_and_breaks_off_or_is_no_tar_is_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_stars_end, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
