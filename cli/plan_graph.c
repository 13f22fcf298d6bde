/*  plan_graph: instructions and what they come after, as a picture (by Graphviz' dot) and as Mermaid. See plan.h. */
#include "cli/plan.h"

#include "cli/child.h"
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How one form of a graph is written. */
typedef struct {
    const char *begin, *node, *edge, *end; /* node: id, label; edge: from, to */
    const char *quote;                     /* in place of '"' */
    const char *backslash;
} form_t;

static const form_t dot_form = {
    "digraph {\n  rankdir=TB;\n  node [shape=box, style=rounded];\n",
    "  \"%s\" [label=\"%s\"];\n",
    "  \"%s\" -> \"%s\";\n",
    "}\n",
    "\\\"",
    "\\\\",
};
static const form_t mermaid_form = {
    "```mermaid\ngraph TD\n", "  %s[\"%s\"]\n", "  %s --> %s\n", "```\n", "#quot;", "\\",
};

int
plan_check_graph(const char *folder, err_t **err)
{
    if (access(folder, W_OK | X_OK) < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot write the graph to '%s': %s", folder,
                        strerror(errno));
    return child_exists("dot") ? 0
                               : err_fail(err, ERR_NOT_FOUND,
                                          "'--output-graph' needs the program 'dot', which is not "
                                          "in the PATH; it comes with Graphviz");
}

static const char *
member(const json_t *instruction, const char *name)
{
    const char *text = json_string_value(json_object_get(instruction, name));
    return text ? text : "";
}

static void
escape(const form_t *form, const char *text, str_t *out)
{
    for (; *text; text++)
        if (*text == '"')
            str_add(out, form->quote);
        else if (*text == '\\')
            str_add(out, form->backslash);
        else
            str_add_char(out, (unsigned char)*text < ' ' ? ' ' : *text);
}

static bool
is_print(const json_t *instruction)
{
    return json_is_true(json_object_get(instruction, "isPrintInstruction"));
}

static bool
is_shown(const json_t *instructions, const char *uuid)
{
    size_t i;
    const json_t *instruction;
    json_array_foreach(instructions, i, instruction)
    {
        if (!strcmp(member(instruction, "instructionUuid"), uuid))
            return !is_print(instruction);
    }
    return false;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the forms are ours */
static void
write_form(const form_t *form, const json_t *instructions, str_t *out)
{
    size_t i, k;
    const json_t *instruction, *before;
    str_add(out, form->begin);
    json_array_foreach(instructions, i, instruction)
    {
        const char *uuid = member(instruction, "instructionUuid");
        AUTO_STR label = STR_EMPTY;
        if (is_print(instruction))
            continue;
        escape(form, member(instruction, "shortDescriptor"), &label);
        str_printf(out, form->node, uuid, label.data);
        json_array_foreach(json_object_get(instruction, "dependencies"), k, before)
        {
            if (json_is_string(before) && is_shown(instructions, json_string_value(before)))
                str_printf(out, form->edge, json_string_value(before), uuid);
        }
    }
    str_add(out, form->end);
}
#pragma GCC diagnostic pop

static int
write_file(const char *path, const char *text, err_t **err)
{
    FILE *file = fopen(path, "we");
    bool is_written = file && fputs(text, file) >= 0;
    is_written &= file && fclose(file) == 0;
    return is_written ? 0
                      : err_fail(err, ERR_UNKNOWN, "cannot write '%s': %s", path, strerror(errno));
}

int
plan_write_graph(const json_t *plan, const char *folder, const char *enclave, bool with_mermaid,
                 err_t **err)
{
    const json_t *instructions = json_object_get(plan, "instructions");
    AUTO_STR dot = STR_EMPTY, mermaid = STR_EMPTY;
    char stamp[32];
    const time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    AUTO_FREE char *path =
        str_format("%s/kurtosis-graph%s%s-%s", folder, *enclave ? "-" : "", enclave, stamp);
    AUTO_FREE char *picture = str_format("%s.png", path), *text = str_format("%s.md", path);
    write_form(&dot_form, instructions, &dot);
    if (child_run((const char *const[]){"dot", "-Tpng", "-o", picture, NULL}, dot.data, err) < 0)
        return err_wrap(err, "cannot draw the graph '%s'", picture);
    out_info("The graph of the instructions is in '%s'", picture);
    if (!with_mermaid)
        return 0;
    write_form(&mermaid_form, instructions, &mermaid);
    if (write_file(text, mermaid.data, err) < 0)
        return -1;
    out_info("The same as Mermaid is in '%s'", text);
    return 0;
}
