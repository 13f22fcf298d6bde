#include "tests/unit/template/cases.h"

static void
every_row_of_the_conformance_table_prints_what_it_must(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{.l}} {{.m}} {{.n}} {{.missing}} {{.big}}",
         "[one 2 <nil> [3 4]] map[x:map[y:deep] z:0] <no value> <no value> 12345678901234567890"},
        {"{{print .n}} {{printf \"%v\" .missing}} {{html .n}}", "<nil> <nil> &lt;no value&gt;"},
        {"{{print 1 2}} {{print .i .i}} {{print \"a\" 1 2 \"b\"}} {{print .b 1}}",
         "1 2 77 a1 2b true 1"},
        {"{{print \"a\" \"b\" 1 2 true \"c\" .i 3}}", "ab1 2 truec73"},
        {"{{println .i 2}}", "7 2\n"},
        {"{{if .z}}T{{else}}F{{end}}{{if 0}}T{{else}}F{{end}}{{if .e}}T{{else}}F{{end}}", "TFF"},
        {"{{and .s .z}} {{or .e .s}} {{or .n .e}}{{not .z}} {{and .n 1}}",
         "0 hello false <no value>"},
        {"{{.n | or \"d\"}} {{.s | and .e}}.", "d ."},
        {"{{eq .i \"7\"}} {{eq .s \"a\" \"hello\"}} {{lt \"10\" \"9\"}} {{lt .i .big}}",
         "true true true false"},
        {"{{eq .i.Int64 7}} {{gt .f.Float64 1.0}}", "true true"},
        {"{{eq .n nil}} {{eq .n .missing}} {{eq .n \"\"}} {{eq .l nil}} {{ne .s nil}}",
         "true true false false true"},
        {"{{eq (len .l) 4}} {{ge 1 1}} {{eq 'a' 97}}", "true true true"},
        {"{{index .l 3 1}} {{index .m \"x\" \"y\"}} {{index . \"k-1\"}} {{index .m \"q\"}}",
         "4 deep dash <no value>"},
        {"{{index .s 1}} {{index .i 0}} {{index .l (len .m)}}", "101 55 <no value>"},
        {"{{slice .s 1 3}} {{slice .l 1}} {{slice .u 0 3}}", "el [2 <nil> [3 4]] \346\227\245"},
        {"{{len .u}} {{len .big}} {{len .m}}", "6 20 2"},
        {"{{.missing.a.b}} {{(.n).a}} {{$v := .n}}{{$v.q}}", "<no value> <no value> <no value>"},
        {"{{range $i, $e := .l}}{{if $i}}, {{end}}{{$e}}{{end}}", "one, 2, <no value>, [3 4]"},
        {"{{range $k, $v := .m}}{{$k}}={{$v}};{{end}}", "x=map[y:deep];z=0;"},
        {"{{range .l}}{{if eq . nil}}{{continue}}{{end}}{{.}};{{end}}", "one;2;[3 4];"},
        {"{{range $i, $e := .l}}{{if eq $i 2}}{{break}}{{end}}{{$e}};{{end}}", "one;2;"},
        {"{{range .n}}x{{else}}none{{end}}", "none"},
        {"{{$v := 0}}{{range $v = .l}}{{end}}{{$v}}", "[3 4]"},
        {"{{$a := 1}}{{if true}}{{$a := 2}}{{end}}{{$a}}{{if true}}{{$a = 3}}{{end}}{{$a}}", "13"},
        {"{{with .m.x}}{{.y}}{{end}}{{with .e}}a{{else with .s}}{{.}}{{else}}c{{end}}",
         "deephello"},
        {"{{with $y := .s}}{{$y}}{{$.i}}{{end}}", "hello7"},
        {"{{define \"t\"}}<{{.}}|{{$}}>{{end}}{{template \"t\" .s}}{{template \"t\"}}",
         "<hello|hello><<no value>|<no value>>"},
        {"{{block \"q\" .m}}{{.z}}{{end}}{{template \"q\" .}}", "00"},
        {"{{define \"a\"}} {{end}}{{define \"a\"}}2{{end}}{{template \"a\"}}", "2"},
        {"a {{- \"x\" -}} b", "axb"},
        {"a{{- /* c */ -}} b", "ab"},
        {"{{-3}}{{- 3}}", "-33"},
        {"{{.s -}}   {{- .s}}", "hellohello"},
        {"{{.s | }}", "hello"},
        {"{{\"{{\"}} {{ \"}}\" }} }}", "{{ }} }}"},
        {"{{1e3}} {{0x1F}} {{017}} {{1_000}} {{'a'}} {{.5}} {{3.}} {{+3}}",
         "1000 31 15 1000 97 0.5 3 3"},
        {"{{html .h}}", "&lt;a href=&#39;x&#39;&gt;&amp;&#34;&lt;/a&gt;"},
        {"{{js .h}}", "\\u003Ca href\\u003D\\'x\\'\\u003E\\u0026\\\"\\u003C/a\\u003E"},
        {"{{urlquery \"a b/c~d-e_f.g+\303\251\"}}", "a+b%2Fc~d-e_f.g%2B%C3%A9"},
        {"{{printf \"%s|%q|%v|%d|%x|%5s|%-5s.\" .i .i .i .i .i .i .i}}",
         "7|\"7\"|7|%!d(json.Number=7)|37|    7|7    ."},
        {"{{printf \"%s %v\" .n .n}}", "%!s(<nil>) <nil>"},
        {"{{printf \"%q %d\" .l (len .l)}}", "[\"one\" \"2\" <nil> [\"3\" \"4\"]] 4"},
        {"{{printf \"%05d %+d %x %o %b %c %q %U\" 42 42 42 42 42 42 42 42}}",
         "00042 +42 2a 52 101010 * '*' U+002A"},
        {"{{printf \"%f %.2f %8.3f %e %g\" 1.5 1.5 1.5 1.5 1.5}}",
         "1.500000 1.50    1.500 1.500000e+00 1.5"},
        {"{{printf \"%d\"}} {{printf \"%d\" 1 2}} {{printf \"%\"}} {{printf \"%z\" 1}} {{printf "
         "\"%[2]d %[1]d\" 1 2}}",
         "%!d(MISSING) 1%!(EXTRA int=2) %!(NOVERB) %!z(int=1) 2 1"},
        {"{{printf \"%10.3s|%-8s|%.2q\" .s .s .s}}", "       hel|hello   |\"he\""},
        {"{{printf \"%T %T %T %T %T\" .i .l .m .n 1.5}}",
         "json.Number []interface {} map[string]interface {} <nil> float64"},
        {"{{printf \"%#v\" .l}}",
         "[]interface {}{\"one\", \"2\", interface {}(nil), []interface {}{\"3\", \"4\"}}"},
        {"{{.b | not}} {{.l | len | printf \"%03d\"}}", "false 004"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
rows_that_cannot_be_parsed_are_refused(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{if .e}}a{{else with .s}}b{{end}}", "template: T:1: unexpected <with> in input"},
        {"{{$x := 1}}{{define \"z\"}}{{$x}}{{end}}", "template: T:1: undefined variable \"$x\""},
        {"{{ /* c */ }}", "template: T:1: unexpected \"/\" in command"},
        {"{{\"a\"-}}", "template: T:1: unexpected \"-\" in operand"},
        {"{{.k-1}}", "template: T:1: bad character U+002D '-'"},
        {"{{{.s}}}", "template: T:1: unexpected \"{\" in command"},
        {"{{foo}}", "template: T:1: function \"foo\" not defined"},
        {"{{}}", "template: T:1: missing value for command"},
        {"{{.s | 5}}", "template: T:1: non executable command in pipeline stage 2"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
rows_that_cannot_be_executed_fail(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{eq .i 7}}", "template: T:1:2: executing \"T\" at <eq .i 7>: error calling eq: "
                        "incompatible types for comparison"},
        {"{{index .l .i}}", "template: T:1:2: executing \"T\" at <index .l .i>: error calling "
                            "index: cannot index slice/array with type json.Number"},
        {"{{.n.a}}",
         "template: T:1:4: executing \"T\" at <.n.a>: nil pointer evaluating interface {}.a"},
        {"{{range .e}}{{end}}",
         "template: T:1:8: executing \"T\" at <.e>: range can't iterate over "},
    };
    check(cases, ARRAY_LEN(cases));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_conformance_table_prints_what_it_must),
        cmocka_unit_test(rows_that_cannot_be_parsed_are_refused),
        cmocka_unit_test(rows_that_cannot_be_executed_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
