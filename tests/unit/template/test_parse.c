#include "tests/unit/template/cases.h"

static void
white_space_is_trimmed_where_markers_say_so(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"a {{- \"x\" -}} b", "axb"},
        {"a \n\t{{- \"x\"}} b", "ax b"},
        {"a {{\"x\" -}}\r\n\tb", "a xb"},
        {"a{{- /* c */ -}} b", "ab"},
        {"a {{/* c */}} b", "a  b"},
        {"a {{- /* c\n d */}} b", "a b"},
        {"{{.s -}}   {{- .s}}", "hellohello"},
        {"{{-3}}{{- 3}}", "-33"},
        {"{{- 1 -}}\n\n{{- 2 -}}", "12"},
        {"{{\n.s\n}}", "hello"},
        {"{{- .s -}}", "hello"},
        {"  {{- \"\"}}|", "|"},
        {"{{if true -}} x {{- end}}|", "x|"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
comments_print_nothing(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{/* a */}}", ""},     {"x{{/* a\nb */}}y", "xy"}, {"{{/* /* */}}", ""},
        {"{{- /* a */ -}}", ""}, {"{{/**/}}", ""},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
text_is_copied(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"}}", "}}"},
        {"{ {", "{ {"},
        {"a }} b { c", "a }} b { c"},
        {"{{\"{{\"}} {{ \"}}\" }} }}", "{{ }} }}"},
        {"\346\227\245{{\"\"}}\346\234\254", "\346\227\245\346\234\254"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
numbers_have_their_types(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{1e3}} {{0x1F}} {{017}} {{1_000}} {{.5}} {{3.}} {{+3}} {{-3}}",
         "1000 31 15 1000 0.5 3 3 -3"},
        {"{{0b101}} {{0o17}} {{0B11}} {{0O7}} {{0XaB}}", "5 15 3 7 171"},
        {"{{0x1p4}} {{0x1.8p1}} {{0x_1F}}", "16 3 31"},
        {"{{1i}} {{2.5i}} {{1+2i}} {{-1-2i}} {{0x1p1i}}", "(0+1i) (0+2.5i) (1+2i) (-1-2i) (0+2i)"},
        {"{{'a'}} {{'\\n'}} {{'\\''}} {{'\\x41'}} {{'\\101'}} {{'\346\227\245'}} {{'\\u65e5'}} "
         "{{'\\U0001F600'}} {{'\\\\'}}",
         "97 10 39 65 65 26085 26085 128512 92"},
        {"{{printf \"%T %T %T %T %T\" 1 1.0 1e3 0x1e 'a'}}", "int float64 float64 int int"},
        {"{{9223372036854775807}} {{-9223372036854775808}}",
         "9223372036854775807 -9223372036854775808"},
        {"{{0}} {{00}} {{-0}} {{0.0}}", "0 0 0 0"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
strings_have_their_escapes(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{\"a\\a\\b\\f\\n\\r\\t\\v\\\\\\\"z\"}}", "a\007\010\014\n\r\t\013\\\"z"},
        {"{{\"\\x41\\101\\u65e5\\U0001F600\"}}", "AA\346\227\245\360\237\230\200"},
        {"{{`raw \\n \"x\"`}}", "raw \\n \"x\""},
        {"{{`two\nlines`}}", "two\nlines"},
        {"{{\"\346\227\245\"}}", "\346\227\245"},
        {"{{printf \"%x\" \"\\xff\\377\"}}", "ffff"},
        {"{{\"'\"}}", "'"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
names_may_be_of_any_letters(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{$\346\227\245 := 1}}{{$\346\227\245}}", "1"},
        {"{{.\346\227\245}}", "<no value>"},
        {"{{$1 := 2}}{{$1}}", "2"},
        {"{{$_a := 3}}{{$_a}}", "3"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
declarations_last_to_the_end_of_their_block(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{$a := 1}}{{if true}}{{$a := 2}}{{$a}}{{end}}{{$a}}", "21"},
        {"{{$a := 1}}{{$a := 2}}{{$a}}", "2"},
        {"{{if $a := .e}}{{else}}[{{$a}}]{{end}}", "[]"},
        {"{{$a := 1}}{{if true}}{{$a = 3}}{{end}}{{$a}}", "3"},
        {"{{with $y := .s}}{{$y}}{{$.i}}{{end}}", "hello7"},
        {"{{range $i, $e := .l}}{{$i}}{{end}}", "0123"},
        {"{{template \"t\" $x := .s}}{{$x}}{{define \"t\"}}{{.}}-{{end}}", "hello-hello"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
a_trailing_pipe_is_fine(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{.s | }}", "hello"},
        {"{{.s |}}", "hello"},
        {"{{(.s | )}}", "hello"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
what_is_no_template_is_refused_in_gos_words(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{", "template: T:1: unclosed action"},
        {"{{.s", "template: T:1: unclosed action"},
        {"{{\"a", "template: T:1: unterminated quoted string"},
        {"{{`a", "template: T:1: unterminated raw quoted string"},
        {"{{'a", "template: T:1: unterminated character constant"},
        {"{{'", "template: T:1: unterminated character constant"},
        {"{{/* a", "template: T:1: unclosed comment"},
        {"{{/* a */ }}", "template: T:1: comment ends before closing delimiter"},
        {"{{ /* c */ }}", "template: T:1: unexpected \"/\" in command"},
        {"{{.a-}}", "template: T:1: bad character U+002D '-'"},
        {"{{.k-1}}", "template: T:1: bad character U+002D '-'"},
        {"{{\"a\"-}}", "template: T:1: unexpected \"-\" in operand"},
        {"{{{.s}}}", "template: T:1: unexpected \"{\" in command"},
        {"{{foo}}", "template: T:1: function \"foo\" not defined"},
        {"{{}}", "template: T:1: missing value for command"},
        {"{{.s | 5}}", "template: T:1: non executable command in pipeline stage 2"},
        {"{{.s | .}}", "template: T:1: non executable command in pipeline stage 2"},
        {"{{.s | nil}}", "template: T:1: non executable command in pipeline stage 2"},
        {"{{end}}", "template: T:1: unexpected {{end}}"},
        {"{{else}}", "template: T:1: unexpected {{else}}"},
        {"{{if}}{{end}}", "template: T:1: missing value for if"},
        {"{{with}}{{end}}", "template: T:1: missing value for with"},
        {"{{range}}{{end}}", "template: T:1: missing value for range"},
        {"{{if .s}}", "template: T:1: unexpected EOF"},
        {"{{if .s}}{{else}}", "template: T:1: unexpected EOF"},
        {"{{if .s}}{{else}}{{else}}{{end}}", "template: T:1: expected end; found {{else}}"},
        {"{{range .l}}{{else if .s}}{{end}}", "template: T:1: unexpected <if> in input"},
        {"{{break}}", "template: T:1: {{break}} outside {{range}}"},
        {"{{continue}}", "template: T:1: {{continue}} outside {{range}}"},
        {"{{range .l}}{{else}}{{break}}{{end}}", "template: T:1: {{break}} outside {{range}}"},
        {"{{range .l}}{{break 1}}{{end}}", "template: T:1: unexpected \"1\" in {{break}}"},
        {"{{$x}}", "template: T:1: undefined variable \"$x\""},
        {"{{$x := 1}}{{define \"z\"}}{{$x}}{{end}}", "template: T:1: undefined variable \"$x\""},
        {"{{$x := 1}}{{block \"b\" .}}{{$x}}{{end}}", "template: T:1: undefined variable \"$x\""},
        {"{{$a, $b := .l}}", "template: T:1: too many declarations in command"},
        {"{{range $a, $b, $c := .l}}{{end}}", "template: T:1: too many declarations in range"},
        {"{{range $a, 1 := .l}}{{end}}", "template: T:1: range can only initialize variables"},
        {"{{range $a,}}{{end}}", "template: T:1: missing value for range"},
        {"{{(.s}}", "template: T:1: unclosed left paren"},
        {"{{()}}", "template: T:1: missing value for parenthesized pipeline"},
        {"{{print(1)}}", "template: T:1: unexpected \"(\" in operand"},
        {"{{1.x}}", "template: T:1: bad number syntax: \"1.x\""},
        {"{{\"a\".x}}", "template: T:1: unexpected . after term \"\\\"a\\\"\""},
        {"{{nil.x}}", "template: T:1: unexpected . after term \"nil\""},
        {"{{true.x}}", "template: T:1: unexpected . after term \"true\""},
        {"{{..x}}", "template: T:1: unexpected . after term \".\""},
        {"{{08}}", "template: T:1: integer overflow: \"08\""},
        {"{{0x}}", "template: T:1: illegal number syntax: \"0x\""},
        {"{{1_}}", "template: T:1: illegal number syntax: \"1_\""},
        {"{{1__0}}", "template: T:1: illegal number syntax: \"1__0\""},
        {"{{1e400}}", "template: T:1: illegal number syntax: \"1e400\""},
        {"{{18446744073709551616}}", "template: T:1: integer overflow: \"18446744073709551616\""},
        {"{{-}}", "template: T:1: illegal number syntax: \"-\""},
        {"{{1a}}", "template: T:1: bad number syntax: \"1a\""},
        {"{{0b2}}", "template: T:1: bad number syntax: \"0b2\""},
        {"{{1+2}}", "template: T:1: bad number syntax: \"1+2\""},
        {"{{\"\\q\"}}", "template: T:1: invalid syntax"},
        {"{{\"\\400\"}}", "template: T:1: invalid syntax"},
        {"{{\"\\ud800\"}}", "template: T:1: invalid syntax"},
        {"{{\"\\'\"}}", "template: T:1: invalid syntax"},
        {"{{''}}", "template: T:1: invalid syntax"},
        {"{{'ab'}}", "template: T:1: malformed character constant: 'ab'"},
        {"{{$x = }}", "template: T:1: missing value for command"},
        {"{{:}}", "template: T:1: expected :="},
        {"{{=}}", "template: T:1: unexpected \"=\" in command"},
        {"{{,}}", "template: T:1: unexpected \",\" in command"},
        {"{{%}}", "template: T:1: unexpected \"%\" in command"},
        {"{{\342\202\254}}",
         "template: T:1: unrecognized character in action: U+20AC '\342\202\254'"},
        {"{{.s}}\n\n{{.x", "template: T:3: unclosed action"},
        {"{{\n\n.s | foo}}", "template: T:3: function \"foo\" not defined"},
        {"{{template}}", "template: T:1: unexpected \"}}\" in template clause"},
        {"{{template .s}}", "template: T:1: unexpected \".s\" in template clause"},
        {"{{template \"t\" .s .s | 3}}",
         "template: T:1: non executable command in pipeline stage 2"},
        {"{{define}}{{end}}", "template: T:1: unexpected \"}}\" in define clause"},
        {"{{define \"a\"}}", "template: T:1: unexpected EOF"},
        {"{{define \"a\" .}}{{end}}", "template: T:1: unexpected <.> in define clause"},
        {"{{if true}}{{define \"a\"}}{{end}}{{end}}",
         "template: T:1: unexpected <define> in command"},
        {"{{define \"a\"}}1{{end}}{{define \"a\"}}2{{end}}",
         "template: T:1: template: multiple definition of template \"a\""},
        {"{{block \"a\"}}{{end}}", "template: T:1: missing value for block clause"},
        {"{{block \"a\" .}}{{else}}{{end}}", "template: T:1: unexpected {{else}} in block clause"},
        {"{{.a | .b | \"c\"}}", "template: T:1: non executable command in pipeline stage 3"},
        {"{{if .e}}a{{else with .s}}b{{end}}", "template: T:1: unexpected <with> in input"},
        {"{{with .e}}a{{else if .s}}b{{end}}", "template: T:1: unexpected <if> in input"},
        {"{{$x := $y := 1}}", "template: T:1: undefined variable \"$y\""},
        {"{{a.b}}", "template: T:1: function \"a\" not defined"},
        {"{{.s)}}", "template: T:1: unexpected right paren"},
        {"{{.a.1}}", "template: T:1: unexpected \".1\" in operand"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
definitions_are_global_and_an_empty_one_gives_way(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{template \"t\"}}{{define \"t\"}}x{{end}}", "x"},
        {"{{define \"a\"}} {{end}}{{define \"a\"}}2{{end}}{{template \"a\"}}", "2"},
        {"{{define \"a\"}}2{{end}}{{define \"a\"}} {{/* c */}}\n{{end}}{{template \"a\"}}", "2"},
        {"{{block \"q\" .m}}{{.z}}{{end}}{{template \"q\" .}}", "00"},
        {"{{define \"a\"}}{{block \"b\" .}}in{{end}}{{end}}{{template \"b\"}}{{template \"a\"}}",
         "inin"},
        {"{{if true}}{{block \"b\" .s}}[{{.}}]{{end}}{{end}}", "[hello]"},
        {"{{define `raw`}}r{{end}}{{template \"raw\"}}", "r"},
    };
    check(cases, ARRAY_LEN(cases));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_is_trimmed_where_markers_say_so),
        cmocka_unit_test(comments_print_nothing),
        cmocka_unit_test(text_is_copied),
        cmocka_unit_test(numbers_have_their_types),
        cmocka_unit_test(strings_have_their_escapes),
        cmocka_unit_test(names_may_be_of_any_letters),
        cmocka_unit_test(declarations_last_to_the_end_of_their_block),
        cmocka_unit_test(a_trailing_pipe_is_fine),
        cmocka_unit_test(what_is_no_template_is_refused_in_gos_words),
        cmocka_unit_test(definitions_are_global_and_an_empty_one_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
