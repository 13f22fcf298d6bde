/*  symlinks: archives with symbolic links: which are refused, because whoever unpacks them would write through one. */
#include "archive/symlinks.h"

#include "archive/archive.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MEMBERS_MAX 6
#define BLOCK 512

/* Types as tar has them: '0' file, '1' hard link, '2' symbolic link, '3' device, '5' directory; 'u': a file with its name in
 * an extended header, which is UTF-8. */
typedef struct {
    char type;
    const char *name, *link;
} member_t;

static void
add_header(str_t *tar, char type, const char *name, const char *link, size_t size)
{
    char head[BLOCK] = "";
    snprintf(head, 100, "%s", name);
    snprintf(head + 100, 8, "%07o", 0644);
    snprintf(head + 124, 12, "%011o", (unsigned)size);
    memset(head + 148, ' ', 8);
    head[156] = type;
    snprintf(head + 157, 100, "%s", link ? link : "");
    memcpy(head + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
    str_add_bytes(tar, head, sizeof head);
}

static void
add_data(str_t *tar, const char *text)
{
    static const char zeros[BLOCK];
    str_add_bytes(tar, text, strlen(text));
    str_add_bytes(tar, zeros, BLOCK - strlen(text));
}

static void
add_member(str_t *tar, const member_t *member)
{
    char type = member->type;
    const char *name = member->name;
    if (type == 'u') {
        AUTO_FREE char *record = str_format("%02zu path=%s\n", strlen(name) + 9, name);
        add_header(tar, 'x', "pax", NULL, strlen(record));
        add_data(tar, record);
        type = '0', name = "short";
    }
    add_header(tar, type, name, member->link, type == '0' ? 4 : 0);
    if (type == '0')
        add_data(tar, "text");
}

static void
make(const char *path, const member_t members[MEMBERS_MAX])
{
    static const char end[2 * BLOCK];
    AUTO_STR tar = STR_EMPTY;
    AUTO(archive_gzip) gzip = NULL;
    for (size_t i = 0; i < MEMBERS_MAX && members[i].name; i++)
        add_member(&tar, &members[i]);
    str_add_bytes(&tar, end, sizeof end);
    unlink(path);
    assert_int_equal(archive_gzip_new(path, &gzip, NULL), 0);
    assert_int_equal(archive_gzip_add(gzip, tar.data, tar.len, NULL), 0);
    assert_int_equal(archive_gzip_end(gzip, NULL), 0);
}

static void
members_through_a_symbolic_link_are_refused_and_links_by_themselves_are_not(void **state)
{
    (void)state;
    static const struct {
        member_t members[MEMBERS_MAX];
        const char *says, *link; /* NULL: accepted */
    } rows[] = {
        {{{'2', "abs", "/etc"}, {'2', "up", "../../x"}, {'2', "in", "d/f"}}, NULL, NULL},
        {{{'2', "d", "/etc"}, {'0', "dd/f", NULL}, {'0', "d.f", NULL}}, NULL, NULL},
        {{{'5', "d/", NULL}, {'0', "d/f", NULL}, {'2', "d/l", "/etc"}}, NULL, NULL},
        {{{'5', "d/", NULL}, {'0', "d/f", NULL}, {'1', "g", "d/f"}, {'0', "g.x", NULL}},
         NULL,
         NULL},
        {{{'2', "x/l", "/etc"}, {'0', "l/f", NULL}}, NULL, NULL},
        {{{'2', "l", "/etc"}, {'5', "l/", NULL}}, NULL, NULL},
        {{{'2', "l", "/etc"}, {'2', "l", "/usr"}}, NULL, NULL},

        {{{'2', "l", "/etc"}, {'0', "l/passwd", NULL}}, "'l/passwd'", "'l'"},
        {{{'2', "l", "../.."}, {'0', "l/f", NULL}}, "'l/f'", "'l'"},
        {{{'2', "l", "d"}, {'5', "d/", NULL}, {'0', "l/f", NULL}}, "'l/f'", "'l'"},
        {{{'2', "p/q/l", "/"}, {'0', "p/q/l/a/b/c", NULL}}, "'p/q/l/a/b/c'", "'p/q/l'"},
        {{{'2', "./l/", "/etc"}, {'0', ".//l/./f", NULL}}, "'.//l/./f'", "'l'"},
        {{{'2', "l", "/etc"}, {'0', "d/../l/f", NULL}}, "'d/../l/f'", "'l'"},
        {{{'2', "l", "/etc"}, {'0', "/l/f", NULL}}, "'/l/f'", "'l'"},
        {{{'2', "l", "/etc"}, {'5', "l/d/", NULL}}, "'l/d/'", "'l'"},
        {{{'2', "l", "/etc"}, {'2', "l/m", "x"}}, "'l/m'", "'l'"},
        {{{'2', "l", "/etc"}, {'3', "l/dev", NULL}}, "'l/dev'", "'l'"},
        {{{'2', "l", "/etc"}, {'5', "l/", NULL}, {'0', "l/f", NULL}}, "'l/f'", "'l'"},
        {{{'0', "f", NULL}, {'2', "l", "/etc"}, {'1', "l/g", "f"}}, "'l/g'", "'l'"},
        {{{'2', "l", "/etc"}, {'1', "shadow", "l/shadow"}}, "'l/shadow'", "'l'"},
        {{{'2', "l", "/etc"}, {'1', "m", "l"}, {'0', "m/f", NULL}}, "'m/f'", "'m'"},
        {{{'1', "m", "../../outside"}}, "'../../outside'", "leave"},
        {{{'2', "../l", "/etc"}}, "'../l'", "leave"},
        {{{'2', ".", "/etc"}}, "of the destination itself", ""},
        {{{'2', "\xff", "/etc"}, {'u', "\xff/f", NULL}}, "/f'", ""},
        {{{'2', "\xed\xa0\x80", "/etc"}, {'u', "\xed\xa0\x80/f", NULL}}, "/f'", ""},
        {{{'2', "caf\xc3\xa9", "/etc"}, {'u', "caf\xc3\xa9/f", NULL}}, "caf", "caf"},
    };
    char folder[] = "/tmp/symlinks-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s/x.tgz", folder);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(err) err = NULL;
        make(path, rows[i].members);
        int rc = archive_tgz_check(path, &err);
        AUTO_FREE char *text = err ? err_string(err) : strdup("accepted");
        if ((rc < 0) != (rows[i].says != NULL))
            fail_msg("row %zu: %s", i, text);
        if (rc < 0 && (err_code(err) != ERR_INVALID || !strstr(text, rows[i].says) ||
                       !strstr(text, rows[i].link)))
            fail_msg("row %zu does not say %s, %s: %s", i, rows[i].says, rows[i].link, text);
    }
    unlink(path);
    rmdir(folder);
}

static void
members_through_a_symbolic_link_of_an_archive_below_are_refused(void **state)
{
    (void)state;
    static const struct {
        member_t members[3][MEMBERS_MAX];
        const char *says, *link, *where; /* NULL: accepted */
    } rows[] = {
        {{{{'0', "a", NULL}}, {{'0', "a", NULL}, {'5', "b/", NULL}}, {{'0', "b/c", NULL}}},
         NULL,
         NULL,
         NULL},
        {{{{'2', "d", "/etc"}}, {{'0', "dd/x", NULL}}, {{'2', "e/d", "/etc"}}}, NULL, NULL, NULL},
        {{{{'2', "d", "/etc"}}, {{'2', "d", "/usr"}}, {{'5', "d/", NULL}}}, NULL, NULL, NULL},
        {{{{'0', "d/x", NULL}}, {{'0', "d/y", NULL}}, {{'2', "d", "/etc"}}}, NULL, NULL, NULL},
        {{{{'2', "d", "/etc"}}, {{'0', "d/x", NULL}}}, "'2' has a member 'd/x'", "'d'", "'1'"},
        {{{{'2', "a/b", ".."}}, {{'0', "x", NULL}}, {{'0', "a/b/c/x", NULL}}},
         "'3' has a member 'a/b/c/x'",
         "'a/b'",
         "'1'"},
        {{{{'0', "x", NULL}}, {{'2', "d", "/etc"}}, {{'5', "d/", NULL}, {'0', "d/x", NULL}}},
         "'3' has a member 'd/x'",
         "'d'",
         "'2'"},
        {{{{'2', "d", "/etc"}}, {{'1', "m", "d"}}, {{'0', "m/x", NULL}}}, "'m/x'", "'m'", "'2'"},
        {{{{'2', "d", "/etc"}}, {{'1', "shadow", "d/shadow"}}}, "'d/shadow'", "'d'", "'1'"},
        {{{{'2', "d", "/etc"}}, {{'2', "e", "x"}, {'0', "e/x", NULL}}}, "'e/x'", "'e'", "same"},
    };
    static const char *const names[] = {"1", "2", "3"};
    char folder[] = "/tmp/symlinks-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s/x.tgz", folder);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(err) err = NULL;
        AUTO(archive_stack) stack = archive_stack_new();
        int rc = 0;
        for (size_t j = 0; rc == 0 && j < 3 && rows[i].members[j][0].name; j++) {
            make(path, rows[i].members[j]);
            rc = archive_stack_add(stack, path, names[j], &err);
        }
        AUTO_FREE char *text = err ? err_string(err) : strdup("accepted");
        if ((rc < 0) != (rows[i].says != NULL))
            fail_msg("row %zu: %s", i, text);
        if (rc < 0 && (err_code(err) != ERR_INVALID || !strstr(text, rows[i].says) ||
                       !strstr(text, rows[i].link) || !strstr(text, rows[i].where)))
            fail_msg("row %zu: %s", i, text);
    }
    unlink(path);
    rmdir(folder);
}

static void
as_many_as_may_be_are_known_and_more_are_refused(void **state)
{
    (void)state;
    symlinks_t links = {0};
    char path[64];
    AUTO(err) err = NULL;
    assert_int_equal(symlinks_passed(&links, "a/b"), 0);
    assert_false(symlinks_has(&links, "a"));
    for (unsigned i = 0; i < ARCHIVE_SYMLINKS_MAX; i++) {
        snprintf(path, sizeof path, "d/%u", i);
        assert_int_equal(symlinks_add(&links, path, &err), 0);
    }
    for (unsigned i = 0; i < ARCHIVE_SYMLINKS_MAX; i++) {
        int size = snprintf(path, sizeof path, "d/%u/f", i);
        assert_int_equal(symlinks_passed(&links, path), size - 2);
    }
    assert_int_equal(symlinks_passed(&links, "d/x/f"), 0);
    assert_int_equal(symlinks_passed(&links, "d/0"), 0);
    assert_true(symlinks_has(&links, "d/0"));
    assert_int_equal(symlinks_add(&links, "d/0", &err), 0);
    assert_true(symlinks_add(&links, "d/x", &err) < 0);
    assert_int_equal(err_code(err), ERR_LIMIT);
    symlinks_done(&links);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            members_through_a_symbolic_link_are_refused_and_links_by_themselves_are_not),
        cmocka_unit_test(members_through_a_symbolic_link_of_an_archive_below_are_refused),
        cmocka_unit_test(as_many_as_may_be_are_known_and_more_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
