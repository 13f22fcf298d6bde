/*  jq: the helper program that runs one jq program; see jq.h beside it. */
#include "apic/core/helpers/jq.h"

#include "apic/core/helpers/jq_dialect.h"
#include "apic/core/jq.h"
#include "base/str.h"

#include <jq.h>
#include <jv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define INPUT_MAX (64u * 1024 * 1024)

/* What the language has today and libjq 1.6 has not. */
static const char additions[] =
    "def abs: if type == \"number\" and . < 0 then -. else . end;"
    "def toarray: if type == \"array\" then . else [.] end;"
    "def toboolean: if type == \"boolean\" then . elif . == \"true\" then true"
    "  elif . == \"false\" then false else error(\"\(tojson) cannot be parsed as a boolean\") end;"
    "def dateadd(unit; $n): . + $n;"
    "def datesub(unit; $n): . - $n;"
    "def date: todate;"
    "def have_literal_numbers: true;"
    "def have_decnum: false;"
    "def pick(pathexps): . as $top | reduce path(pathexps) as $p (null; setpath($p; $top | "
    "getpath($p)));"
    "def debug(msgs): .;"
    "def scan($re; $flags): match($re; \"g\" + $flags) | if (.captures | length) > 0"
    "  then [.captures[].string] else .string end;"
    "def ltrim: if type == \"string\" then sub(\"^\\\\s+\"; \"\")"
    "  else error(\"ltrim input must be a string\") end;"
    "def rtrim: if type == \"string\" then sub(\"\\\\s+$\"; \"\")"
    "  else error(\"rtrim input must be a string\") end;"
    "def trim: ltrim | rtrim;"
    "def trimstr($x): ltrimstr($x) | rtrimstr($x);"
    "def add(f): reduce f as $x (null; . + $x);"
    "def skip($n; f): if $n > 0 then foreach f as $x ($n; . - 1; if . < 0 then $x else empty end)"
    "  elif $n == 0 then f else error(\"Invalid arguments to skip\") end;"
    "def limit($n; f): if $n > 0 then label $out | foreach f as $x (0; . + 1; $x, if . >= $n then "
    "break $out"
    "  else empty end) else empty end;\n";

static void
on_message(void *arg, jv message)
{
    (void)arg;
    jv text = jq_format_error(message);
    fprintf(stderr, "%s\n", jv_string_value(text));
    jv_free(text);
}

/* An allocation that fails makes libjq write a message and abort. */
static void
on_abort(int signal_number)
{
    (void)signal_number;
    _exit(JQ_HELPER_NO_MEMORY);
}

static int
say(int result, const char *text)
{
    fprintf(stderr, "%s\n", text);
    return result;
}

static int
run(const char *program, const char *input, size_t size)
{
    jq_state *jq = jq_init();
    if (!jq)
        return JQ_HELPER_NO_MEMORY;
    jq_set_error_cb(jq, on_message, NULL);
    jq_set_attr(jq, jv_string("JQ_LIBRARY_PATH"), jv_array());

    AUTO_STR whole = STR_EMPTY;
    str_add(&whole, additions);
    jq_dialect_put(program[strspn(program, " \t\r\n")] ? program : ".", &whole);
    if (!jq_compile(jq, whole.data))
        return JQ_HELPER_BAD_PROGRAM;

    jv value = jv_parse_sized(input, (int)size);
    if (!jv_is_valid(value)) {
        jv message = jv_invalid_get_msg(value);
        return say(JQ_HELPER_BAD_INPUT, jv_get_kind(message) == JV_KIND_STRING
                                            ? jv_string_value(message)
                                            : "it is empty");
    }
    jq_start(jq, value, 0);
    for (jv result; jv_is_valid(result = jq_next(jq));) {
        if (jv_get_kind(result) == JV_KIND_NULL) {
            jv_free(result);
            continue;
        }
        jv text = jv_dump_string(result, 0);
        fwrite(jv_string_value(text), 1, (size_t)jv_string_length_bytes(jv_copy(text)), stdout);
        putchar('\n');
        jv_free(text);
    }
    /* The process ends here: what libjq holds goes with it. */
    return fflush(stdout) == 0 ? JQ_HELPER_DONE : JQ_HELPER_NO_MEMORY;
}

int
main(void)
{
    /* Whoever asked is gone: so is the need. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    setrlimit(RLIMIT_AS, &(struct rlimit){JQ_MEMORY_MAX, JQ_MEMORY_MAX});
#endif
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGABRT, on_abort);

    str_t input = STR_EMPTY;
    char part[65536];
    for (size_t got; (got = fread(part, 1, sizeof part, stdin)) > 0;) {
        if (input.len + got > INPUT_MAX)
            return say(JQ_HELPER_NO_MEMORY, "the input is too large");
        str_add_bytes(&input, part, got);
    }
    char *newline = memchr(input.data, '\n', input.len);
    if (!newline)
        return say(JQ_HELPER_BAD_PROGRAM, "there is none");
    size_t head = (size_t)(newline + 1 - input.data);
    size_t program_size = strtoul(input.data, NULL, 10);
    if (program_size > input.len - head)
        return say(JQ_HELPER_BAD_PROGRAM, "it is cut off");
    char *program = strndup(newline + 1, program_size);
    _exit(run(program, newline + 1 + program_size, input.len - head - program_size));
}
