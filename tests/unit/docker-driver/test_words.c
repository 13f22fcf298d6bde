/*  words: command lines that no shell takes apart. */
#include "docker-driver/words.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
a_line_becomes_the_words_that_a_shell_would_see(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words; /* each in <> */
    } rows[] = {
        {"/app", "</app>"},
        {"  /app  --port\t80 ", "</app><--port><80>"},
        {"/app 'two words' \"a 'b'\" c' 'd", "</app><two words><a 'b'><c d>"},
        {"/app '' \"\" x''", "</app><><><x>"},
        {"/app a\\ b \\' \\\\ \\*", "</app><a b><'><\\><*>"},
        {"/app \"\\\" \\\\ \\n\" '$|*' a#b a~ k=v", "</app><\" \\ \\n><$|*><a#b><a~><k=v>"},
        {"/app \xc3\xa4", "</app><\xc3\xa4>"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(err) err = NULL;
        AUTO_STR seen = STR_EMPTY;
        char **words;
        size_t count;
        if (words_split(rows[i].line, &words, &count, &err) < 0)
            fail_msg("row %zu: %s", i, err_string(err));
        for (size_t j = 0; j < count; j++)
            str_printf(&seen, "<%s>", words[j]);
        words_free(words, count);
        assert_string_equal(seen.data, rows[i].words);
    }
}

static void
what_only_a_shell_can_do_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words;
        err_code_t code;
    } rows[] = {
        {"a | b", "'|'", ERR_UNSUPPORTED},
        {"a; b", "';'", ERR_UNSUPPORTED},
        {"a && b", "'&'", ERR_UNSUPPORTED},
        {"a >b", "'>'", ERR_UNSUPPORTED},
        {"a $HOME", "'$'", ERR_UNSUPPORTED},
        {"a \"$HOME\"", "'$'", ERR_UNSUPPORTED},
        {"a `b`", "'`'", ERR_UNSUPPORTED},
        {"a *", "'*'", ERR_UNSUPPORTED},
        {"a\nb", "'a new line'", ERR_UNSUPPORTED},
        {"X=1 a", "'='", ERR_UNSUPPORTED},
        {"~/a", "'~'", ERR_UNSUPPORTED},
        {"# a", "'#'", ERR_UNSUPPORTED},
        {"a 'b", "' has no end", ERR_INVALID},
        {"a \"b", "\" has no end", ERR_INVALID},
        {"", "empty", ERR_INVALID},
        {"  ", "empty", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(err) err = NULL;
        char **words;
        size_t count;
        assert_true(words_split(rows[i].line, &words, &count, &err) < 0);
        if (err_code(err) != rows[i].code || !strstr(err_text(err), rows[i].words))
            fail_msg("row %zu: %s", i, err_text(err));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_the_words_that_a_shell_would_see),
        cmocka_unit_test(what_only_a_shell_can_do_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
