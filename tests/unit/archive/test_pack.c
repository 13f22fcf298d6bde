#include "archive/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

typedef struct {
    char folder[64];
    char tree[80], out[80], archive[80];
} place_t;

static void
run(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_STR command = STR_EMPTY;
    str_vprintf(&command, format, args);
    va_end(args);
    FILE *pipe = popen(command.data, "w");
    assert_non_null(pipe);
    assert_int_equal(pclose(pipe), 0);
}

static char *
output(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_STR command = STR_EMPTY;
    str_vprintf(&command, format, args);
    va_end(args);
    FILE *pipe = popen(command.data, "r");
    assert_non_null(pipe);
    static char text[65536];
    size_t got = fread(text, 1, sizeof text - 1, pipe);
    text[got] = '\0';
    assert_int_equal(pclose(pipe), 0);
    return text;
}

static int
set_up(void **state)
{
    place_t *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/archive-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->tree, sizeof place->tree, "%s/tree", place->folder);
    snprintf(place->out, sizeof place->out, "%s/out", place->folder);
    snprintf(place->archive, sizeof place->archive, "%s/x.tgz", place->folder);
    mkdir(place->tree, 0755);
    mkdir(place->out, 0755);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    place_t *place = *state;
    run("rm -rf %s", place->folder);
    free(place);
    return 0;
}

static void
digests_are_those_of_the_standards(void **state)
{
    (void)state;
    static const struct {
        const char *text, *md5, *sha1;
    } rows[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"hello ", "f814893777bcc2295fff05f00e508da6", "c4d871ad13ad00fde9a7bb7ff7ed2543aec54241"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a", "50abf5706a150990a08b2c5ea40fa0e585554732"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char md5[ARCHIVE_MD5_SIZE], sha1[ARCHIVE_SHA1_SIZE];
        archive_digest_t digest;
        archive_digest_init(&digest, ARCHIVE_MD5);
        for (const char *at = rows[i].text; *at; at++)
            archive_digest_add(&digest, at, 1);
        archive_digest_end(&digest, md5);
        assert_string_equal(md5, rows[i].md5);
        archive_sha1(rows[i].text, strlen(rows[i].text), sha1);
        assert_string_equal(sha1, rows[i].sha1);
    }
}

static void
ignore_rules_match_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *path;
        bool is_directory, matches;
    } rows[] = {
        {"# x\n\n  *.log  \n", "a.log", false, true},
        {"*.log", "deep/er/a.log", false, true},
        {"*.log", "a.txt", false, false},
        {"build/", "build", true, true},
        {"build/", "build", false, false},
        {"build/", "build/x", false, true}, /* a component that is a directory */
        {"docs/*.md", "docs/a.md", false, true},
        {"docs/*.md", "docs/x/a.md", false, false}, /* '*' does not cross '/' */
        {"docs/*.md", "x/docs/a.md", false, false}, /* the whole path */
        {"node_modules", "x/node_modules/y", false, true},
        {"/a", "a", false, true},
        {"/a", "x/a", false, false},
        {"[ab", "[ab", false, false}, /* malformed */
        {"[ab]", "a", false, true},
        {"!a", "a", false, false}, /* no negation */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(archive_ignore) rules = archive_ignore_parse(rows[i].rules);
        if (archive_ignore_matches(rules, rows[i].path, rows[i].is_directory) != rows[i].matches)
            fail_msg("rules '%s', path '%s'", rows[i].rules, rows[i].path);
    }
}

static void
a_tree_is_packed_with_its_contents_at_the_root(void **state)
{
    place_t *place = *state;
    run("cd %s && mkdir -p a/b empty && echo one > a/b/one.txt && echo two > two.txt && chmod 600 "
        "two.txt && "
        "ln -s a/b/one.txt link && printf '*.tmp\\nskip/\\n' > .kurtosisignore && touch a/x.tmp && "
        "mkdir a/skip && touch a/skip/y && echo x > 'na\xc3\xafve name'",
        place->tree);
    char md5[ARCHIVE_MD5_SIZE], again[ARCHIVE_MD5_SIZE];
    AUTO(err) err = NULL;
    assert_int_equal(archive_tgz_pack(place->tree, place->archive, ARCHIVE_UPLOAD_MAX, md5, &err),
                     0);
    assert_string_equal(
        output("tar tzf %s --quoting-style=literal", place->archive),
        ".kurtosisignore\na/\na/b/\na/b/one.txt\nempty/\nlink\nna\xc3\xafve name\ntwo.txt\n");
    char *reference = output(
        "cd %s && (printf '/.kurtosisignore'; cat .kurtosisignore; printf '/a/a/b/a/b/one.txt'; "
        "cat a/b/one.txt; printf '/empty/link'; cat link; printf '/na\xc3\xafve name'; "
        "cat na*; printf /two.txt; cat two.txt) | md5sum | cut -c1-32",
        place->tree);
    assert_memory_equal(md5, reference, 32);

    run("touch -d 2001-01-01 %s/two.txt", place->tree);
    assert_int_equal(archive_tgz_pack(place->tree, place->archive, ARCHIVE_UPLOAD_MAX, again, &err),
                     0);
    assert_string_equal(md5, again);

    assert_int_equal(archive_tgz_unpack(place->archive, place->out, &err), 0);
    assert_string_equal(
        output("cd %s && find . | sort | LC_ALL=C sort && stat -c %%a two.txt", place->out),
        ".\n./.kurtosisignore\n./a\n./a/b\n./a/b/one.txt\n./empty\n./na\xc3\xafve name\n"
        "./two.txt\n600\n");
}

static void
a_single_file_is_one_member_and_its_hash_has_no_name(void **state)
{
    place_t *place = *state;
    run("printf hello > %s/f", place->tree);
    AUTO_FREE char *path = str_format("%s/f", place->tree);
    char md5[ARCHIVE_MD5_SIZE];
    AUTO(err) err = NULL;
    assert_int_equal(archive_tgz_pack(path, place->archive, ARCHIVE_UPLOAD_MAX, md5, &err), 0);
    assert_string_equal(md5, "5d41402abc4b2a76b9719d911017c592");
    assert_string_equal(output("tar tzf %s", place->archive), "f\n");
}

static void
what_cannot_be_packed_is_refused_and_leaves_no_archive(void **state)
{
    place_t *place = *state;
    static const struct {
        const char *make, *says;
        int code;
    } rows[] = {
        {"ln -s /etc/passwd x", "out of the directory", ERR_INVALID},
        {"ln -s ../../outside x", "cannot be read", ERR_INVALID},
        {"ln -s ../out x", "out of the directory", ERR_INVALID},
        {"mkfifo x", "socket, pipe or device", ERR_INVALID},
        {"head -c 100000 /dev/urandom > x", "exceed or reach", ERR_LIMIT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        run("rm -rf %s/* && cd %s && %s", place->tree, place->tree, rows[i].make);
        AUTO(err) err = NULL;
        assert_true(archive_tgz_pack(place->tree, place->archive, 50000, NULL, &err) < 0);
        AUTO_FREE char *text = err_string(err);
        if (!strstr(text, rows[i].says) || (int)err_code(err) != rows[i].code)
            fail_msg("%s: %s", rows[i].make, text);
        assert_true(access(place->archive, F_OK) < 0);
    }
    AUTO(err) err = NULL;
    assert_true(archive_tgz_pack("/nonexistent/x", place->archive, 50000, NULL, &err) < 0);
    assert_int_equal(err_code(err), ERR_NOT_FOUND);
}

static void
of_a_package_is_left_out_what_cannot_be_packed(void **state)
{
    place_t *place = *state;
    run("cd %s && mkdir -p .venv/bin && touch main.star .venv/bin/f && ln -s /usr/bin/env "
        ".venv/bin/env "
        "&& ln -s ../../.. .venv/bin/up && ln -s nowhere gone && mkfifo pipe && ln -s main.star "
        "in.star",
        place->tree);
    AUTO(err) err = NULL;
    assert_true(archive_tgz_pack(place->tree, place->archive, ARCHIVE_UPLOAD_MAX, NULL, &err) < 0);
    assert_int_equal(
        archive_tgz_pack_package(place->tree, place->archive, ARCHIVE_UPLOAD_MAX, NULL), 0);
    assert_string_equal(output("tar tf %s", place->archive),
                        ".venv/\n.venv/bin/\n.venv/bin/f\nin.star\nmain.star\n");
}

static void
files_in_memory_hash_like_files_on_disk(void **state)
{
    place_t *place = *state;
    const archive_file_t files[] = {
        {"conf/b.txt", "bee", 3}, {"a.txt", "ay", 2}, {"conf/empty", "", 0}};
    char memory[ARCHIVE_MD5_SIZE], disk[ARCHIVE_MD5_SIZE];
    AUTO(err) err = NULL;
    assert_int_equal(archive_tgz_pack_files(files, 3, place->archive, memory, &err), 0);
    assert_int_equal(archive_tgz_unpack(place->archive, place->out, &err), 0);
    assert_int_equal(archive_tgz_pack(place->out, place->archive, ARCHIVE_UPLOAD_MAX, disk, &err),
                     0);
    assert_string_equal(memory, disk);

    static const char *const bad[] = {"", "/a", "a/../b", "..", "a//b", "a/", "./a"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const archive_file_t file = {bad[i], "x", 1};
        assert_true(archive_tgz_pack_files(&file, 1, place->archive, memory, &err) < 0);
        assert_int_equal(err_code(err), ERR_INVALID);
        err_destroy(&err);
    }
    const archive_file_t twice[] = {{"a", "x", 1}, {"a/b", "x", 1}};
    assert_true(archive_tgz_pack_files(twice, 2, place->archive, memory, &err) < 0);
}

static void
unpacking_never_leaves_the_folder(void **state)
{
    place_t *place = *state;
    run("cd %s && mkdir sub && echo x > evil && tar czPf %s ../tree/evil", place->tree,
        place->archive);
    AUTO(err) err = NULL;
    AUTO_FREE char *sub = str_format("%s/sub", place->tree);
    assert_true(archive_tgz_unpack(place->archive, sub, &err) < 0);
    AUTO_FREE char *text = err_string(err);
    assert_non_null(strstr(text, "would leave the destination"));
    err_destroy(&err);

    /* A link that lies in the folder is not followed. */
    run("cd %s && mkdir d && echo y > d/f && tar czf %s d && ln -s %s %s/d", place->tree,
        place->archive, sub, place->out);
    assert_true(archive_tgz_unpack(place->archive, place->out, &err) < 0);
    AUTO_FREE char *inside = str_format("%s/f", sub);
    assert_true(access(inside, F_OK) < 0);
    err_destroy(&err);

    /* Absolute names are taken as relative ones. */
    run("rm -rf %s/*; cd %s && tar czPf %s %s/evil", place->out, place->tree, place->archive,
        place->tree);
    assert_int_equal(archive_tgz_unpack(place->archive, place->out, &err), 0);
    AUTO_FREE char *nested = str_format("%s%s/evil", place->out, place->tree);
    assert_int_equal(access(nested, F_OK), 0);
}

static void
damaged_archives_are_clear_errors(void **state)
{
    place_t *place = *state;
    static const char *const make[] = {
        "echo this is text > x.tgz", "tar czf x.tgz tree && truncate -s 100 x.tgz",
        "head -c 3000 /dev/urandom | gzip > x.tgz",
        "head -c 1000 /dev/zero > x.tgz", /* a tar without members */
        "tar cf x.tgz tree", /* what is inside might be taken for another kind of compression later */
    };
    run("head -c 100000 /dev/urandom > %s/x", place->tree);
    for (size_t i = 0; i < ARRAY_LEN(make); i++) {
        run("cd %s && %s", place->folder, make[i]);
        AUTO(err) err = NULL;
        if (archive_tgz_unpack(place->archive, place->out, &err) >= 0)
            fail_msg("%s", make[i]);
        assert_int_equal(err_code(err), ERR_INVALID);
    }
}

static int
preview(void *arg, const archive_member_t *member, archive_reader_t *reader, err_t **err)
{
    char data[64];
    ssize_t got = archive_reader_read(reader, data, sizeof data, err);
    str_printf(arg, "%s %d %llu %.*s\n", member->path, member->is_directory,
               (unsigned long long)member->size, (int)got, data);
    return (int)got;
}

static void
a_walk_shows_members_and_their_data(void **state)
{
    place_t *place = *state;
    run("cd %s && mkdir d && printf hello > d/f && tar czf %s .", place->tree, place->archive);
    AUTO_STR text = STR_EMPTY;
    AUTO(err) err = NULL;
    assert_int_equal(archive_tgz_walk(place->archive, preview, &text, &err), 0);
    assert_string_equal(text.data, "d 1 0 \nd/f 0 5 hello\n");
}

static void
gzip_compresses_a_stream_and_an_unfinished_one_vanishes(void **state)
{
    place_t *place = *state;
    AUTO(err) err = NULL;
    archive_gzip_t *gzip = NULL;
    assert_int_equal(archive_gzip_new(place->archive, &gzip, &err), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(archive_gzip_add(gzip, "0123456789", 10, &err), 0);
    assert_int_equal(archive_gzip_end(gzip, &err), 0);
    archive_gzip_destroy(&gzip);
    assert_string_equal(output("gzip -dc %s | wc -c", place->archive), "10000\n");
    assert_int_equal(archive_gzip_new(place->archive, &gzip, &err), 0);
    archive_gzip_destroy(&gzip);
    assert_true(access(place->archive, F_OK) < 0);
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_standards),
        cmocka_unit_test(ignore_rules_match_as_written),
        WITH_PLACE(a_tree_is_packed_with_its_contents_at_the_root),
        WITH_PLACE(a_single_file_is_one_member_and_its_hash_has_no_name),
        WITH_PLACE(what_cannot_be_packed_is_refused_and_leaves_no_archive),
        WITH_PLACE(of_a_package_is_left_out_what_cannot_be_packed),
        WITH_PLACE(files_in_memory_hash_like_files_on_disk),
        WITH_PLACE(unpacking_never_leaves_the_folder),
        WITH_PLACE(damaged_archives_are_clear_errors),
        WITH_PLACE(a_walk_shows_members_and_their_data),
        WITH_PLACE(gzip_compresses_a_stream_and_an_unfinished_one_vanishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
