#include "tests/unit/template/cases.h"

static void
truth_is_not_being_empty(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{if .z}}T{{else}}F{{end}}{{if 0}}T{{else}}F{{end}}{{if .e}}T{{else}}F{{end}}", "TFF"},
        {"{{if 0.0}}T{{else}}F{{end}}{{if 0i}}T{{else}}F{{end}}{{if 1i}}T{{else}}F{{end}}{{if "
         ".l}}T{{else}}F{{end}}{{if .m}}T{{else}}F{{end}}{{if .n}}T{{else}}F{{end}}{{if "
         ".missing}}T{{else}}F{{end}}",
         "FFTTTFF"},
        {"{{if .b}}T{{end}}{{if not .b}}T{{else}}F{{end}}", "TF"},
        {"{{if index \"a\\x00\" 1}}T{{else}}F{{end}}", "F"},
        {"{{if .e}}a{{else if .n}}b{{else if .s}}c{{else}}d{{end}}", "c"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
a_missing_key_is_no_value_and_a_null_is_a_trap(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{.missing}} {{.missing.a.b}} {{.n}}", "<no value> <no value> <no value>"},
        {"{{(.n).a}}", "<no value>"},
        {"{{$v := .n}}{{$v.q.r}}", "<no value>"},
        {"{{with $x := .n}}{{else}}{{$x.y}}{{end}}", "<no value>"},
        {"{{(index .l 2).x}}", "<no value>"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
numbers_of_the_data_have_methods(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{.i.Int64}} {{.f.Float64}} {{.i.Float64}} {{.f.String}} {{.z.Int64}}", "7 1.5 7 1.5 0"},
        {"{{eq .i.Int64 7}} {{gt .f.Float64 1.0}} {{printf \"%T %T %T\" .i.Int64 .f.Float64 "
         ".i.String}}",
         "true true int64 float64 string"},
        {"{{$n := .i}}{{$n.Int64}} {{(.i).Int64}} {{range .l}}{{end}}", "7 7 "},
        {"{{.big.Float64}}", "1.2345678901234567e+19"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
range_walks_lists_maps_and_numbers(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{range .l}}[{{.}}]{{end}}", "[one][2][<no value>][[3 4]]"},
        {"{{range $i, $e := .l}}{{$i}}={{$e}};{{end}}", "0=one;1=2;2=<no value>;3=[3 4];"},
        {"{{range $e := .l}}{{$e}};{{end}}", "one;2;<no value>;[3 4];"},
        {"{{range $k, $v := .m}}{{$k}}={{$v}};{{end}}", "x=map[y:deep];z=0;"},
        {"{{range .m}}{{.}};{{end}}", "map[y:deep];0;"},
        {"{{$v := 0}}{{range $v = .l}}{{end}}{{$v}}", "[3 4]"},
        {"{{$k := 0}}{{$v := 0}}{{range $k, $v = .m}}{{end}}{{$k}}{{$v}}", "z0"},
        {"{{range .n}}x{{else}}none{{end}}", "none"},
        {"{{range .missing}}x{{else}}none{{end}}", "none"},
        {"{{range $x := .n}}x{{else}}{{$x}}{{end}}", "<no value>"},
        {"{{range $i, $x := .m.x}}{{$i}}{{$x}}{{$.s}}{{end}}", "ydeephello"},
        {"{{range .l}}{{if eq . nil}}{{continue}}{{end}}{{.}};{{end}}", "one;2;[3 4];"},
        {"{{range $i, $e := .l}}{{if eq $i 2}}{{break}}{{end}}{{$e}};{{end}}", "one;2;"},
        {"{{range .l}}{{range $.l}}{{break}}x{{end}}y{{end}}", "yyyy"},
        {"{{range $i, $e := .l}}{{$i := 9}}{{$i}}{{end}}", "9999"},
        {"{{range (slice .l 1 1)}}x{{else}}empty{{end}}", "empty"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
with_moves_dot_and_its_else_does_not(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{with .m.x}}{{.y}}{{end}}", "deep"},
        {"{{with .e}}a{{else}}{{.s}}{{end}}", "hello"},
        {"{{with .n}}{{else}}{{.i}}{{end}}", "7"},
        {"{{with $x := .m}}{{$x.z}}{{.z}}{{$.s}}{{end}}", "00hello"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
templates_see_their_argument_and_nothing_else(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{define \"t\"}}<{{.}}|{{$}}>{{end}}{{template \"t\" .s}}{{template \"t\"}}",
         "<hello|hello><<no value>|<no value>>"},
        {"{{define \"t\"}}{{if .x}}{{template \"t\" .x}}{{else}}{{.y}}{{end}}{{end}}{{template "
         "\"t\" .m}}",
         "deep"},
        {"{{define \"n\"}}{{range .}}{{.}},{{end}}{{end}}{{template \"n\" .l}}",
         "one,2,<no value>,[3 4],"},
        {"{{template \"t\" (print 1 2)}}{{define \"t\"}}{{.}}{{end}}", "1 2"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
pipelines_pass_their_value_last(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{.s | printf \"%s-%s\" \"a\"}}", "a-hello"},
        {"{{.b | not}} {{.l | len | printf \"%03d\"}}", "false 004"},
        {"{{1 | eq 2 1}}{{1 | lt 2}}", "falsefalse"},
        {"{{\"x\" | print \"a\" | len}}", "2"},
        {"{{(1 | print) | printf \"%s%s\" \"n\"}}", "n1"},
        {"{{.n | or \"d\"}} {{.s | and .e}}.", "d ."},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
and_and_or_look_no_further_than_they_must(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{and .s .z}} {{or .e .s}} {{or .n .e}}{{not .z}} {{and .n 1}}",
         "0 hello false <no value>"},
        {"{{or 1 (index .l 99)}}", "1"},
        {"{{and 0 (index .l 99)}}", "0"},
        {"{{and 1 2 3}} {{or 0 \"\" .e}} {{and 1}} {{or .n}}", "3  1 <no value>"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
comparisons_are_typed(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{eq .i \"7\"}} {{eq .s \"a\" \"hello\"}} {{lt \"10\" \"9\"}} {{lt .i .big}}",
         "true true true false"},
        {"{{eq .n nil}} {{eq .n .missing}} {{eq .n \"\"}} {{eq .l nil}} {{ne .s nil}} {{eq nil "
         ".b}}",
         "true true false false true false"},
        {"{{eq (len .l) 4}} {{ge 1 1}} {{eq 'a' 97}} {{le 1 2}} {{gt 1 2}} {{ne 1 2}}",
         "true true true true false true"},
        {"{{eq 1.5 1.5}} {{lt 1.5 2.5}} {{le 1.5 1.5}} {{ge 1.0 2.0}} {{gt 2.0 1.0}}",
         "true true true false true"},
        {"{{eq true .b}} {{ne .b false}} {{eq 1i 1i}} {{eq 1i 2i}}", "true true true false"},
        {"{{eq (index .s 0) 104}} {{lt (index .s 0) 200}} {{eq .i.Int64 7}}", "true true true"},
        {"{{eq 1 1 \"a\"}} {{eq \"b\" \"a\" \"b\"}}", "true true"},
        {"{{le \"a\" \"a\"}} {{gt \"b\" \"a\"}} {{ge \"a\" \"b\"}}", "true true false"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
index_and_slice_reach_into_things(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{index .l 3 1}} {{index .m \"x\" \"y\"}} {{index . \"k-1\"}} {{index .m \"q\"}}",
         "4 deep dash <no value>"},
        {"{{index .s 1}} {{index .i 0}} {{index .l (len .m)}}", "101 55 <no value>"},
        {"{{index .l}}", "[one 2 <nil> [3 4]]"},
        {"{{slice .s 1 3}} {{slice .l 1}} {{slice .u 0 3}} {{slice .s}} {{slice .l 1 2 3}} {{slice "
         ".i 0 1}} {{slice .l 4}} {{slice .s 5}}",
         "el [2 <nil> [3 4]] \346\227\245 hello [2] 7 [] "},
        {"{{len .u}} {{len .big}} {{len .m}} {{len .l}} {{len \"\"}}", "6 20 2 4 0"},
        {"{{index .s (index .l 3 0).Int64}}", "108"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
texts_are_escaped(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{html .h}}", "&lt;a href=&#39;x&#39;&gt;&amp;&#34;&lt;/a&gt;"},
        {"{{js .h}}", "\\u003Ca href\\u003D\\'x\\'\\u003E\\u0026\\\"\\u003C/a\\u003E"},
        {"{{urlquery \"a b/c~d-e_f.g+\303\251\"}}", "a+b%2Fc~d-e_f.g%2B%C3%A9"},
        {"{{html \"a\\x00b\"}}|{{html 1 2}}|{{html .n}}|{{html}}|{{html .l}}",
         "a\357\277\275b|1 2|&lt;no value&gt;||[one 2 &lt;nil&gt; [3 4]]"},
        {"{{js \"\\a\\x7f/\\u200b\\U000e0001\\u65e5\\\\\"}}|{{js 1 nil}}",
         "\\u0007\177/\\u200B\\uE0001\346\227\245\\\\|1\\u003Cno value\\u003E"},
        {"{{urlquery .s .i 1 2}}|{{urlquery \"\\xff\\n\"}}", "hello71+2|%FF%0A"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
printing_puts_blanks_between(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{print 1 2}} {{print .i .i}} {{print \"a\" 1 2 \"b\"}} {{print .b 1}}",
         "1 2 77 a1 2b true 1"},
        {"{{print \"a\" \"b\" 1 2 true \"c\" .i 3}}", "ab1 2 truec73"},
        {"{{println .i 2}}{{println}}", "7 2\n\n"},
        {"{{print .n}} {{printf \"%v\" .missing}} {{print nil 1 nil}}",
         "<nil> <nil> <nil> 1 <nil>"},
        {"{{.l}} {{.m}} {{.big}} {{print .l .m}}",
         "[one 2 <nil> [3 4]] map[x:map[y:deep] z:0] 12345678901234567890 [one 2 <nil> [3 4]] "
         "map[x:map[y:deep] z:0]"},
        {"{{100000.0}} {{123456.0}} {{1234567.0}} {{1e6}} {{1e-4}} {{0.00001}} {{-0.5}} {{1e21}} "
         "{{2.5e-10}}",
         "100000 123456 1.234567e+06 1e+06 0.0001 1e-05 -0.5 1e+21 2.5e-10"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
errors_name_the_place_and_the_reason_in_gos_words(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{index .l 5}}", "template: T:1:2: executing \"T\" at <index .l 5>: error calling index: "
                           "index out of range: 5"},
        {"{{index .l 4}}", "template: T:1:2: executing \"T\" at <index .l 4>: error calling index: "
                           "reflect: slice index out of range"},
        {"{{index .s 5}}", "template: T:1:2: executing \"T\" at <index .s 5>: error calling index: "
                           "reflect: string index out of range"},
        {"{{index .s 9}}", "template: T:1:2: executing \"T\" at <index .s 9>: error calling index: "
                           "index out of range: 9"},
        {"{{index .l -1}}", "template: T:1:2: executing \"T\" at <index .l -1>: error calling "
                            "index: index out of range: -1"},
        {"{{index .l .i}}", "template: T:1:2: executing \"T\" at <index .l .i>: error calling "
                            "index: cannot index slice/array with type json.Number"},
        {"{{index .l \"a\"}}", "template: T:1:2: executing \"T\" at <index .l \"a\">: error "
                               "calling index: cannot index slice/array with type string"},
        {"{{index .l nil}}", "template: T:1:2: executing \"T\" at <index .l nil>: error calling "
                             "index: cannot index slice/array with nil"},
        {"{{index .l 1.0}}", "template: T:1:2: executing \"T\" at <index .l 1.0>: error calling "
                             "index: cannot index slice/array with type float64"},
        {"{{index .m 1}}", "template: T:1:2: executing \"T\" at <index .m 1>: error calling index: "
                           "value has type int; should be string"},
        {"{{index .m .i}}", "template: T:1:2: executing \"T\" at <index .m .i>: error calling "
                            "index: value has type json.Number; should be string"},
        {"{{index .m nil}}", "template: T:1:2: executing \"T\" at <index .m nil>: error calling "
                             "index: value is nil; should be of type string"},
        {"{{index nil 1}}", "template: T:1:2: executing \"T\" at <index nil 1>: error calling "
                            "index: index of untyped nil"},
        {"{{index .n 1}}", "template: T:1:2: executing \"T\" at <index .n 1>: error calling index: "
                           "index of untyped nil"},
        {"{{index .l 2 1}}", "template: T:1:2: executing \"T\" at <index .l 2 1>: error calling "
                             "index: index of nil pointer"},
        {"{{index .b 1}}", "template: T:1:2: executing \"T\" at <index .b 1>: error calling index: "
                           "can't index item of type bool"},
        {"{{index 1 1}}", "template: T:1:2: executing \"T\" at <index 1 1>: error calling index: "
                          "can't index item of type int"},
        {"{{slice .l .i}}", "template: T:1:2: executing \"T\" at <slice .l .i>: error calling "
                            "slice: cannot index slice/array with type interface {}"},
        {"{{slice .l (index .l 1)}}",
         "template: T:1:2: executing \"T\" at <slice .l (index .l 1)>: error calling slice: cannot "
         "index slice/array with type json.Number"},
        {"{{slice .l nil}}", "template: T:1:2: executing \"T\" at <slice .l nil>: error calling "
                             "slice: cannot index slice/array with nil"},
        {"{{slice .s 3 1}}", "template: T:1:2: executing \"T\" at <slice .s 3 1>: error calling "
                             "slice: invalid slice index: 3 > 1"},
        {"{{slice .s 1 9}}", "template: T:1:2: executing \"T\" at <slice .s 1 9>: error calling "
                             "slice: index out of range: 9"},
        {"{{slice .s 1 2 3}}", "template: T:1:2: executing \"T\" at <slice .s 1 2 3>: error "
                               "calling slice: cannot 3-index slice a string"},
        {"{{slice .l 1 2 3 4}}", "template: T:1:2: executing \"T\" at <slice .l 1 2 3 4>: error "
                                 "calling slice: too many slice indexes: 4"},
        {"{{slice .m 1}}", "template: T:1:2: executing \"T\" at <slice .m 1>: error calling slice: "
                           "can't slice item of type map[string]interface {}"},
        {"{{slice nil}}", "template: T:1:2: executing \"T\" at <slice nil>: error calling slice: "
                          "slice of untyped nil"},
        {"{{len 3}}",
         "template: T:1:2: executing \"T\" at <len 3>: error calling len: len of type int"},
        {"{{len .n}}",
         "template: T:1:2: executing \"T\" at <len .n>: error calling len: len of nil pointer"},
        {"{{len nil}}", "template: T:1:2: executing \"T\" at <len nil>: error calling len: "
                        "reflect: call of reflect.Value.Type on zero Value"},
        {"{{len .missing}}", "template: T:1:2: executing \"T\" at <len .missing>: error calling "
                             "len: reflect: call of reflect.Value.Type on zero Value"},
        {"{{.s.y}}",
         "template: T:1:4: executing \"T\" at <.s.y>: can't evaluate field y in type interface {}"},
        {"{{.m.x.y.z}}", "template: T:1:4: executing \"T\" at <.m.x.y.z>: can't evaluate field z "
                         "in type interface {}"},
        {"{{.n.a}}",
         "template: T:1:4: executing \"T\" at <.n.a>: nil pointer evaluating interface {}.a"},
        {"{{.l.x}}",
         "template: T:1:4: executing \"T\" at <.l.x>: can't evaluate field x in type interface {}"},
        {"{{$x := .s}}{{$x.y}}",
         "template: T:1:16: executing \"T\" at <$x.y>: can't evaluate field y in type string"},
        {"{{(.s).y}}",
         "template: T:1:3: executing \"T\" at <.s>: can't evaluate field y in type string"},
        {"{{range .l}}{{.x}}{{end}}",
         "template: T:1:14: executing \"T\" at <.x>: can't evaluate field x in type interface {}"},
        {"{{.i.Int64.x}}",
         "template: T:1:4: executing \"T\" at <.i.Int64.x>: can't evaluate field x in type int64"},
        {"{{.f.Int64}}", "template: T:1:4: executing \"T\" at <.f.Int64>: error calling Int64: "
                         "strconv.ParseInt: parsing \"1.5\": invalid syntax"},
        {"{{.big.Int64}}",
         "template: T:1:6: executing \"T\" at <.big.Int64>: error calling Int64: strconv.ParseInt: "
         "parsing \"12345678901234567890\": value out of range"},
        {"{{.i.Int64 1}}", "template: T:1:4: executing \"T\" at <.i.Int64>: wrong number of args "
                           "for Int64: want 0 got 1"},
        {"{{.i.Foo}}", "template: T:1:4: executing \"T\" at <.i.Foo>: can't evaluate field Foo in "
                       "type interface {}"},
        {"{{.m 1}}",
         "template: T:1:2: executing \"T\" at <.m>: m is not a method but has arguments"},
        {"{{.s | .m}}",
         "template: T:1:7: executing \"T\" at <.m>: m is not a method but has arguments"},
        {"{{.m.x .s}}",
         "template: T:1:4: executing \"T\" at <.m.x>: x is not a method but has arguments"},
        {"{{1 2}}",
         "template: T:1:2: executing \"T\" at <1>: can't give argument to non-function 1"},
        {"{{\"a\" 2}}",
         "template: T:1:2: executing \"T\" at <\"a\">: can't give argument to non-function \"a\""},
        {"{{nil}}", "template: T:1:2: executing \"T\" at <nil>: nil is not a command"},
        {"{{(.s) 2}}",
         "template: T:1:2: executing \"T\" at <(.s) 2>: can't give argument to non-function .s"},
        {"{{$x := 1}}{{$x 2}}",
         "template: T:1:13: executing \"T\" at <$x>: can't give argument to non-function $x"},
        {"{{.s | (.i)}}",
         "template: T:1:2: executing \"T\" at <.s>: can't give argument to non-function .i"},
        {"{{ne 1}}",
         "template: T:1:2: executing \"T\" at <ne>: wrong number of args for ne: want 2 got 1"},
        {"{{ne 1 2 3}}",
         "template: T:1:2: executing \"T\" at <ne>: wrong number of args for ne: want 2 got 3"},
        {"{{eq}}", "template: T:1:2: executing \"T\" at <eq>: wrong number of args for eq: want at "
                   "least 1 got 0"},
        {"{{eq 1}}", "template: T:1:2: executing \"T\" at <eq 1>: error calling eq: missing "
                     "argument for comparison"},
        {"{{not}}",
         "template: T:1:2: executing \"T\" at <not>: wrong number of args for not: want 1 got 0"},
        {"{{not 1 2}}",
         "template: T:1:2: executing \"T\" at <not>: wrong number of args for not: want 1 got 2"},
        {"{{len}}",
         "template: T:1:2: executing \"T\" at <len>: wrong number of args for len: want 1 got 0"},
        {"{{and}}", "template: T:1:2: executing \"T\" at <and>: wrong number of args for and: want "
                    "at least 1 got 0"},
        {"{{printf}}", "template: T:1:2: executing \"T\" at <printf>: wrong number of args for "
                       "printf: want at least 1 got 0"},
        {"{{.i | not 1}}",
         "template: T:1:7: executing \"T\" at <not>: wrong number of args for not: want 1 got 2"},
        {"{{index}}", "template: T:1:2: executing \"T\" at <index>: wrong number of args for "
                      "index: want at least 1 got 0"},
        {"{{printf 5}}", "template: T:1:9: executing \"T\" at <5>: expected string; found 5"},
        {"{{printf .i}}", "template: T:1:9: executing \"T\" at <.i>: wrong type for value; "
                          "expected string; got json.Number"},
        {"{{printf nil}}",
         "template: T:1:9: executing \"T\" at <nil>: cannot assign nil to string"},
        {"{{printf .n}}", "template: T:1:9: executing \"T\" at <.n>: wrong type for value; "
                          "expected string; got interface {}"},
        {"{{printf .l}}", "template: T:1:9: executing \"T\" at <.l>: wrong type for value; "
                          "expected string; got []interface {}"},
        {"{{.i | printf}}", "template: T:1:7: executing \"T\" at <printf>: wrong type for value; "
                            "expected string; got json.Number"},
        {"{{eq .i 7}}", "template: T:1:2: executing \"T\" at <eq .i 7>: error calling eq: "
                        "incompatible types for comparison"},
        {"{{eq 1 1.0}}", "template: T:1:2: executing \"T\" at <eq 1 1.0>: error calling eq: "
                         "incompatible types for comparison"},
        {"{{lt 1 \"a\"}}", "template: T:1:2: executing \"T\" at <lt 1 \"a\">: error calling lt: "
                           "incompatible types for comparison"},
        {"{{lt true false}}", "template: T:1:2: executing \"T\" at <lt true false>: error calling "
                              "lt: invalid type for comparison"},
        {"{{lt .n 1}}", "template: T:1:2: executing \"T\" at <lt .n 1>: error calling lt: invalid "
                        "type for comparison"},
        {"{{lt nil nil}}", "template: T:1:2: executing \"T\" at <lt nil nil>: error calling lt: "
                           "invalid type for comparison"},
        {"{{eq .l .l}}", "template: T:1:2: executing \"T\" at <eq .l .l>: error calling eq: "
                         "non-comparable type [one 2 <nil> [3 4]]: []interface {}"},
        {"{{eq .m .m}}", "template: T:1:2: executing \"T\" at <eq .m .m>: error calling eq: "
                         "non-comparable type map[x:map[y:deep] z:0]: map[string]interface {}"},
        {"{{eq .l .m}}",
         "template: T:1:2: executing \"T\" at <eq .l .m>: error calling eq: non-comparable types "
         "[one 2 <nil> [3 4]]: []interface {}, map[string]interface {}: map[x:map[y:deep] z:0]"},
        {"{{eq .l 1}}", "template: T:1:2: executing \"T\" at <eq .l 1>: error calling eq: "
                        "incompatible types for comparison"},
        {"{{lt .l .l}}", "template: T:1:2: executing \"T\" at <lt .l .l>: error calling lt: "
                         "invalid type for comparison"},
        {"{{lt 1i 2i}}", "template: T:1:2: executing \"T\" at <lt 1i 2i>: error calling lt: "
                         "invalid type for comparison"},
        {"{{range .s}}{{end}}",
         "template: T:1:8: executing \"T\" at <.s>: range can't iterate over hello"},
        {"{{range .e}}{{end}}",
         "template: T:1:8: executing \"T\" at <.e>: range can't iterate over "},
        {"{{range .i}}{{end}}",
         "template: T:1:8: executing \"T\" at <.i>: range can't iterate over 7"},
        {"{{range .b}}{{end}}",
         "template: T:1:8: executing \"T\" at <.b>: range can't iterate over true"},
        {"{{range 1.5}}{{end}}",
         "template: T:1:8: executing \"T\" at <1.5>: range can't iterate over 1.5"},
        {"{{template \"none\"}}", "template: T:1:11: executing \"T\" at <{{template \"none\"}}>: "
                                  "template \"none\" not defined"},
        {"{{$x = 1}}", "template: T:1:7: executing \"T\" at <1>: undefined variable: $x"},
        {"{{18446744073709551615}}", "template: T:1:2: executing \"T\" at <18446744073709551615>: "
                                     "18446744073709551615 overflows int"},
        {"{{9223372036854775808}}", "template: T:1:2: executing \"T\" at <9223372036854775808>: "
                                    "9223372036854775808 overflows int"},
        {"{{call .s}}", "template: T:1:2: executing \"T\" at <call .s>: error calling call: "
                        "non-function .s of type string"},
        {"{{call nil}}",
         "template: T:1:2: executing \"T\" at <call nil>: error calling call: call of nil"},
        {"{{.s | call}}", "template: T:1:7: executing \"T\" at <call>: error calling call: "
                          "non-function hello of type string"},
        {"{{call .n}}",
         "template: T:1:2: executing \"T\" at <call .n>: error calling call: call of nil"},
        {"a\nb {{.s.y}}",
         "template: T:2:6: executing \"T\" at <.s.y>: can't evaluate field y in type interface {}"},
        {"{{define \"t\"}}\n {{.x.y}}{{end}}{{template \"t\" .s}}",
         "template: T:2:5: executing \"t\" at <.x.y>: can't evaluate field x in type string"},
        {"{{if .s.x}}{{end}}",
         "template: T:1:7: executing \"T\" at <.s.x>: can't evaluate field x in type interface {}"},
        {"{{with .s.x}}{{end}}",
         "template: T:1:9: executing \"T\" at <.s.x>: can't evaluate field x in type interface {}"},
        {"{{range .s.x}}{{end}}", "template: T:1:10: executing \"T\" at <.s.x>: can't evaluate "
                                  "field x in type interface {}"},
        {"{{template \"t\" .s.x}}{{define \"t\"}}{{end}}",
         "template: T:1:17: executing \"T\" at <.s.x>: can't evaluate field x in type interface "
         "{}"},
        {"{{.s | len | .m.x}}",
         "template: T:1:15: executing \"T\" at <.m.x>: x is not a method but has arguments"},
        {"{{print (index .l 9) | len}}", "template: T:1:9: executing \"T\" at <index .l 9>: error "
                                         "calling index: index out of range: 9"},
        {"{{print (.s.x)}}", "template: T:1:11: executing \"T\" at <.s.x>: can't evaluate field x "
                             "in type interface {}"},
    };
    check(cases, ARRAY_LEN(cases));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_is_not_being_empty),
        cmocka_unit_test(a_missing_key_is_no_value_and_a_null_is_a_trap),
        cmocka_unit_test(numbers_of_the_data_have_methods),
        cmocka_unit_test(range_walks_lists_maps_and_numbers),
        cmocka_unit_test(with_moves_dot_and_its_else_does_not),
        cmocka_unit_test(templates_see_their_argument_and_nothing_else),
        cmocka_unit_test(pipelines_pass_their_value_last),
        cmocka_unit_test(and_and_or_look_no_further_than_they_must),
        cmocka_unit_test(comparisons_are_typed),
        cmocka_unit_test(index_and_slice_reach_into_things),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(printing_puts_blanks_between),
        cmocka_unit_test(errors_name_the_place_and_the_reason_in_gos_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
