/*  repl: the conversation: a statement at a time; the value of an expression is printed. A line
 * that ends in ":", or has an open bracket, goes on until an empty line, or until the bracket is
 * closed. On a terminal there are editing and history. */
#include "starlark/program.h"

#include <editline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *
read_line(bool terminal, const char *prompt)
{
    char *line = NULL;
    size_t size = 0;

    if (terminal)
        return readline(prompt);
    ssize_t length = getline(&line, &size, stdin);
    if (length < 0) {
        free(line);
        return NULL;
    }
    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = 0;
    return line;
}

/* Is this text an unfinished statement? The parser says so by missing the end of the file. */
static bool
unfinished(program_t *self, const char *text)
{
    size_t length = strlen(text);

    if (length > 1 && text[length - 1] == '\n' && text[length - 2] == '\n')
        return false;
    if (star_check(self->star, "<stdin>", text, length, self->env) < 0) {
        const char *message = star_error(self->star)->message;
        if (star_error(self->star)->kind == STAR_ERROR_SYNTAX &&
            (strstr(message, "got end of file") == message ||
             strstr(message, "unexpected EOF in string") != NULL))
            return true;
    }
    /* A block may have more lines. */
    const char *last = length > 1 ? memrchr(text, '\n', length - 1) : NULL;
    return last != NULL ? last[1] == ' ' || last[1] == '\t' : length > 1 && text[length - 2] == ':';
}

/* A statement's text, with its line ends; NULL at the end of the input. Yours. */
static char *
read_statement(program_t *self, bool terminal)
{
    char *text = NULL;
    size_t length = 0;

    do {
        char *line = read_line(terminal, text == NULL ? ">>> " : "... ");
        if (line == NULL)
            break;
        size_t n = strlen(line);
        char *grown = realloc(text, length + n + 2);
        if (grown == NULL) {
            free(line);
            break;
        }
        text = grown;
        memcpy(text + length, line, n);
        memcpy(text + length + n, "\n", 2);
        length += n + 1;
        free(line);
    } while (unfinished(self, text));
    return text;
}

static bool
is_expression(program_t *self, const char *text)
{
    char *wrapped = NULL;
    int length = asprintf(&wrapped, "lambda: (%s)", text);
    bool result =
        length >= 0 && star_check(self->star, "<stdin>", wrapped, (size_t)length, self->env) == 0;

    free(wrapped);
    return result;
}

static void
evaluate(program_t *self, const char *text)
{
    size_t length = strlen(text);
    star_text_t out;

    if (strspn(text, " \t\n") == length)
        return;
    if (!is_expression(self, text)) {
        if (star_exec(self->star, "<stdin>", text, length, self->env) < 0)
            program_fail(self);
        return;
    }
    star_value_t value = star_eval(self->star, "<stdin>", text, length, self->env);
    star_text_init(&out, self->star);
    if (!star_ok(value) ||
        (star_kind(value) != STAR_NONE && star_repr(self->star, value, &out) < 0))
        program_fail(self);
    else if (star_kind(value) != STAR_NONE)
        puts(out.data != NULL ? out.data : "");
    star_text_done(&out);
}

int
program_repl(program_t *self)
{
    bool terminal = isatty(STDIN_FILENO);
    char *text;

    if (terminal)
        using_history();
    while ((text = read_statement(self, terminal)) != NULL) {
        star_scope_t scope = star_scope_open(self->star);
        if (terminal && text[0] != '\n')
            add_history(text);
        evaluate(self, text);
        star_scope_close(self->star, scope, STAR_ABSENT);
        free(text);
        fflush(stdout);
    }
    return 0;
}
