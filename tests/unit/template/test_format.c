#include "tests/unit/template/cases.h"

static void
every_verb_meets_every_kind(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%v|%s|%q|%d|%x\" .s .s .s .s .s}}",
         "hello|hello|\"hello\"|%!d(string=hello)|68656c6c6f"},
        {"{{printf \"%v|%s|%q|%d|%x\" .i .i .i .i .i}}", "7|7|\"7\"|%!d(json.Number=7)|37"},
        {"{{printf \"%v|%s|%q|%d|%x\" 7 7 7 7 7}}", "7|%!s(int=7)|'\\a'|7|7"},
        {"{{printf \"%v|%s|%q|%d|%x\" 1.5 1.5 1.5 1.5 1.5}}",
         "1.5|%!s(float64=1.5)|%!q(float64=1.5)|%!d(float64=1.5)|0x1.8p+00"},
        {"{{printf \"%v|%s|%q|%d|%x\" .b .b .b .b .b}}",
         "true|%!s(bool=true)|%!q(bool=true)|%!d(bool=true)|%!x(bool=true)"},
        {"{{printf \"%v|%s|%q|%d|%x\" .l .l .l .l .l}}",
         "[one 2 <nil> [3 4]]|[one 2 <nil> [3 4]]|[\"one\" \"2\" <nil> [\"3\" "
         "\"4\"]]|[%!d(string=one) %!d(json.Number=2) <nil> [%!d(json.Number=3) "
         "%!d(json.Number=4)]]|[6f6e65 32 <nil> [33 34]]"},
        {"{{printf \"%v|%s|%q|%d|%x\" .m .m .m .m .m}}",
         "map[x:map[y:deep] z:0]|map[x:map[y:deep] z:0]|map[\"x\":map[\"y\":\"deep\"] "
         "\"z\":\"0\"]|map[%!d(string=x):map[%!d(string=y):%!d(string=deep)] "
         "%!d(string=z):%!d(json.Number=0)]|map[78:map[79:64656570] 7a:30]"},
        {"{{printf \"%v|%s|%q|%d|%x\" .n .n .n .n .n}}",
         "<nil>|%!s(<nil>)|%!q(<nil>)|%!d(<nil>)|%!x(<nil>)"},
        {"{{printf \"%v|%s|%q|%d|%x\" nil nil nil nil nil}}",
         "<nil>|%!s(<nil>)|%!q(<nil>)|%!d(<nil>)|%!x(<nil>)"},
        {"{{printf \"%v|%s|%q|%d|%x\" (index .s 0) (index .s 0) (index .s 0) (index .s 0) (index "
         ".s 0)}}",
         "104|%!s(uint8=104)|'h'|104|68"},
        {"{{printf \"%v|%s|%q|%d|%x\" 1i 1i 1i 1i 1i}}",
         "(0+1i)|%!s(complex128=(0+1i))|%!q(complex128=(0+1i))|%!d(complex128=(0+1i))|(0x0p+00+"
         "0x1p+00i)"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" .s .s .s .s .s .s}}",
         "68656C6C6F|%!o(string=hello)|%!O(string=hello)|%!b(string=hello)|%!c(string=hello)|%!U("
         "string=hello)"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" .i .i .i .i .i .i}}",
         "37|%!o(json.Number=7)|%!O(json.Number=7)|%!b(json.Number=7)|%!c(json.Number=7)|%!U(json."
         "Number=7)"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" 42 42 42 42 42 42}}", "2A|52|0o52|101010|*|U+002A"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" 1.5 1.5 1.5 1.5 1.5 1.5}}",
         "0X1.8P+00|%!o(float64=1.5)|%!O(float64=1.5)|6755399441055744p-52|%!c(float64=1.5)|%!U("
         "float64=1.5)"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" .b .b .b .b .b .b}}",
         "%!X(bool=true)|%!o(bool=true)|%!O(bool=true)|%!b(bool=true)|%!c(bool=true)|%!U(bool="
         "true)"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" .l .l .l .l .l .l}}",
         "[6F6E65 32 <nil> [33 34]]|[%!o(string=one) %!o(json.Number=2) <nil> [%!o(json.Number=3) "
         "%!o(json.Number=4)]]|[%!O(string=one) %!O(json.Number=2) <nil> [%!O(json.Number=3) "
         "%!O(json.Number=4)]]|[%!b(string=one) %!b(json.Number=2) <nil> [%!b(json.Number=3) "
         "%!b(json.Number=4)]]|[%!c(string=one) %!c(json.Number=2) <nil> [%!c(json.Number=3) "
         "%!c(json.Number=4)]]|[%!U(string=one) %!U(json.Number=2) <nil> [%!U(json.Number=3) "
         "%!U(json.Number=4)]]"},
        {"{{printf \"%X|%o|%O|%b|%c|%U\" .n .n .n .n .n .n}}",
         "%!X(<nil>)|%!o(<nil>)|%!O(<nil>)|%!b(<nil>)|%!c(<nil>)|%!U(<nil>)"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" .s .s .s .s .s .s .s .s}}",
         "%!e(string=hello)|%!E(string=hello)|%!f(string=hello)|%!F(string=hello)|%!g(string=hello)"
         "|%!G(string=hello)|%!t(string=hello)|string"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" .i .i .i .i .i .i .i .i}}",
         "%!e(json.Number=7)|%!E(json.Number=7)|%!f(json.Number=7)|%!F(json.Number=7)|%!g(json."
         "Number=7)|%!G(json.Number=7)|%!t(json.Number=7)|json.Number"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" 42 42 42 42 42 42 42 42}}",
         "%!e(int=42)|%!E(int=42)|%!f(int=42)|%!F(int=42)|%!g(int=42)|%!G(int=42)|%!t(int=42)|int"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" 1.5 1.5 1.5 1.5 1.5 1.5 1.5 1.5}}",
         "1.500000e+00|1.500000E+00|1.500000|1.500000|1.5|1.5|%!t(float64=1.5)|float64"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" .b .b .b .b .b .b .b .b}}",
         "%!e(bool=true)|%!E(bool=true)|%!f(bool=true)|%!F(bool=true)|%!g(bool=true)|%!G(bool=true)"
         "|true|bool"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" .l .l .l .l .l .l .l .l}}",
         "[%!e(string=one) %!e(json.Number=2) <nil> [%!e(json.Number=3) "
         "%!e(json.Number=4)]]|[%!E(string=one) %!E(json.Number=2) <nil> [%!E(json.Number=3) "
         "%!E(json.Number=4)]]|[%!f(string=one) %!f(json.Number=2) <nil> [%!f(json.Number=3) "
         "%!f(json.Number=4)]]|[%!F(string=one) %!F(json.Number=2) <nil> [%!F(json.Number=3) "
         "%!F(json.Number=4)]]|[%!g(string=one) %!g(json.Number=2) <nil> [%!g(json.Number=3) "
         "%!g(json.Number=4)]]|[%!G(string=one) %!G(json.Number=2) <nil> [%!G(json.Number=3) "
         "%!G(json.Number=4)]]|[%!t(string=one) %!t(json.Number=2) <nil> [%!t(json.Number=3) "
         "%!t(json.Number=4)]]|[]interface {}"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" .m .m .m .m .m .m .m .m}}",
         "map[%!e(string=x):map[%!e(string=y):%!e(string=deep)] "
         "%!e(string=z):%!e(json.Number=0)]|map[%!E(string=x):map[%!E(string=y):%!E(string=deep)] "
         "%!E(string=z):%!E(json.Number=0)]|map[%!f(string=x):map[%!f(string=y):%!f(string=deep)] "
         "%!f(string=z):%!f(json.Number=0)]|map[%!F(string=x):map[%!F(string=y):%!F(string=deep)] "
         "%!F(string=z):%!F(json.Number=0)]|map[%!g(string=x):map[%!g(string=y):%!g(string=deep)] "
         "%!g(string=z):%!g(json.Number=0)]|map[%!G(string=x):map[%!G(string=y):%!G(string=deep)] "
         "%!G(string=z):%!G(json.Number=0)]|map[%!t(string=x):map[%!t(string=y):%!t(string=deep)] "
         "%!t(string=z):%!t(json.Number=0)]|map[string]interface {}"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" .n .n .n .n .n .n .n .n}}",
         "%!e(<nil>)|%!E(<nil>)|%!f(<nil>)|%!F(<nil>)|%!g(<nil>)|%!G(<nil>)|%!t(<nil>)|<nil>"},
        {"{{printf \"%e|%E|%f|%F|%g|%G|%t|%T\" 1i 1i 1i 1i 1i 1i 1i 1i}}",
         "(0.000000e+00+1.000000e+00i)|(0.000000E+00+1.000000E+00i)|(0.000000+1.000000i)|(0.000000+"
         "1.000000i)|(0+1i)|(0+1i)|%!t(complex128=(0+1i))|complex128"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" .s .s .s .s .s .s .s}}",
         "\"hello\"|hello|%!z(string=hello)|%!w(string=hello)|%!i(string=hello)|%!u(string=hello)|%"
         "!!(string=hello)"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" .i .i .i .i .i .i .i}}",
         "\"7\"|7|%!z(json.Number=7)|%!w(json.Number=7)|%!i(json.Number=7)|%!u(json.Number=7)|%!!("
         "json.Number=7)"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" 42 42 42 42 42 42 42}}",
         "42|42|%!z(int=42)|%!w(int=42)|%!i(int=42)|%!u(int=42)|%!!(int=42)"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" 1.5 1.5 1.5 1.5 1.5 1.5 1.5}}",
         "1.5|1.5|%!z(float64=1.5)|%!w(float64=1.5)|%!i(float64=1.5)|%!u(float64=1.5)|%!!(float64="
         "1.5)"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" .b .b .b .b .b .b .b}}",
         "true|true|%!z(bool=true)|%!w(bool=true)|%!i(bool=true)|%!u(bool=true)|%!!(bool=true)"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" .l .l .l .l .l .l .l}}",
         "[]interface {}{\"one\", \"2\", interface {}(nil), []interface {}{\"3\", \"4\"}}|[one 2 "
         "<nil> [3 4]]|[%!z(string=one) %!z(json.Number=2) <nil> [%!z(json.Number=3) "
         "%!z(json.Number=4)]]|%!w([]interface {}=[one 2 <nil> [3 4]])|[%!i(string=one) "
         "%!i(json.Number=2) <nil> [%!i(json.Number=3) %!i(json.Number=4)]]|[%!u(string=one) "
         "%!u(json.Number=2) <nil> [%!u(json.Number=3) %!u(json.Number=4)]]|[%!!(string=one) "
         "%!!(json.Number=2) <nil> [%!!(json.Number=3) %!!(json.Number=4)]]"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" .m .m .m .m .m .m .m}}",
         "map[string]interface {}{\"x\":map[string]interface {}{\"y\":\"deep\"}, "
         "\"z\":\"0\"}|map[x:map[y:deep] "
         "z:0]|map[%!z(string=x):map[%!z(string=y):%!z(string=deep)] "
         "%!z(string=z):%!z(json.Number=0)]|%!w(map[string]interface {}=map[x:map[y:deep] "
         "z:0])|map[%!i(string=x):map[%!i(string=y):%!i(string=deep)] "
         "%!i(string=z):%!i(json.Number=0)]|map[%!u(string=x):map[%!u(string=y):%!u(string=deep)] "
         "%!u(string=z):%!u(json.Number=0)]|map[%!!(string=x):map[%!!(string=y):%!!(string=deep)] "
         "%!!(string=z):%!!(json.Number=0)]"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" .n .n .n .n .n .n .n}}",
         "<nil>|<nil>|%!z(<nil>)|%!w(<nil>)|%!i(<nil>)|%!u(<nil>)|%!!(<nil>)"},
        {"{{printf \"%#v|%+v|%z|%w|%i|%u|%!\" (index .s 0) (index .s 0) (index .s 0) (index .s 0) "
         "(index .s 0) (index .s 0) (index .s 0)}}",
         "0x68|104|%!z(uint8=104)|%!w(uint8=104)|%!i(uint8=104)|%!u(uint8=104)|%!!(uint8=104)"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
flags_width_and_precision_shape_integers(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%5d|%-5d|%05d|%+d|% "
         "d|%+5d|%-+5d|%+05d|%x|%#x|%#X|%#o|%#b|%O|%8.3d|%.0d|%.0d|%08.3d|%-08d|\" 42 42 42 42 42 "
         "42 42 42 42 42 42 42 42 42 42 0 42 42 42}}",
         "   42|42   |00042|+42| 42|  +42|+42  |+0042|2a|0x2a|0X2A|052|0b101010|0o52|     042||42| "
         "    042|42      |"},
        {"{{printf \"%5d|%05d|%x|%o|%c|%q|%U|%.3d\" -42 -42 -42 -42 -42 -42 -42 -42}}",
         "  -42|-0042|-2a|-52|\357\277\275|'\357\277\275'|U+FFFFFFFFFFFFFFD6|-042"},
        {"{{printf \"%c|%q|%#q|%+q|%U|%#U|%#.6U|%5c|%-5c|\" 128512 128512 128512 128512 128512 "
         "128512 128512 65 65}}",
         "\360\237\230\200|'\360\237\230\200'|'\360\237\230\200'|'\\U0001f600'|U+1F600|U+1F600 "
         "'\360\237\230\200'|U+01F600 '\360\237\230\200'|    A|A    |"},
        {"{{printf \"%q|%q|%q|%+q|%q\" '\\n' '\\'' 127 233 1114112}}",
         "'\\n'|'\\''|'\\x7f'|'\\u00e9'|'\357\277\275'"},
        {"{{printf \"%o %#o %O %#O %b %#b\" 8 8 8 8 5 5}}", "10 010 0o10 0o010 101 0b101"},
        {"{{printf \"%020d|%-20d|%20d|%+.10d\" 9223372036854775807 9223372036854775807 "
         "-9223372036854775808 5}}",
         "09223372036854775807|9223372036854775807 |-9223372036854775808|+0000000005"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
flags_width_and_precision_shape_texts(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%10.3s|%-8s|%.2q|%08s|%-08s|%5s|%.0s|%2s\" .s .s .s .s .s .u .s .s}}",
         "       hel|hello   |\"he\"|000hello|hello   |   \346\227\245\346\234\254||hello"},
        {"{{printf \"%x|%X|% x|%#x|% #x|%.2x|%10.2x|%-10.2x|%010.2x|% X\" .s .s .s .s .s .s .s .s "
         ".s .s}}",
         "68656c6c6f|68656C6C6F|68 65 6c 6c 6f|0x68656c6c6f|0x68 0x65 0x6c 0x6c 0x6f|6865|      "
         "6865|6865      |0000006865|68 65 6C 6C 6F"},
        {"{{printf \"%q|%+q|%#q|%#q|%12q|%-12q|%.1q\" .u .u .s \"a`b\" .s .s .u}}",
         "\"\346\227\245\346\234\254\"|\"\\u65e5\\u672c\"|`hello`|\"a`b\"|     \"hello\"|\"hello\" "
         "    |\"\346\227\245\""},
        {"{{printf \"%q|%+q\" \"\\a\\x00\\x7f\\xff\\u200b\\U000e0001\\\"\\\\\\n\" "
         "\"\\u00e9\\U0001F600\"}}",
         "\"\\a\\x00\\x7f\\xff\\u200b\\U000e0001\\\"\\\\\\n\"|\"\\u00e9\\U0001f600\""},
        {"{{printf \"%06s|%6v|%-6v|%06d\" .f .f .f .f}}",
         "0001.5|   1.5|1.5   |%!d(json.Number=0001.5)"},
        {"{{printf \"%t|%7t|%-7t|%07t\" .b .b .b .b}}", "true|   true|true   |000true"},
        {"{{printf \"%x|%5x|% x\" \"\" \"\" \"\"}}", "|     |"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
flags_width_and_precision_shape_floats(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%f|%.2f|%8.3f|%-8.3f|%08.3f|%+.1f|% .1f|%.0f|%.0f|%.0f|%.0f\" 1.5 1.5 1.5 1.5 "
         "-1.5 1.5 1.5 0.5 1.5 2.5 3.5}}",
         "1.500000|1.50|   1.500|1.500   |-001.500|+1.5| 1.5|0|2|2|4"},
        {"{{printf \"%e|%.2e|%E|%g|%G|%.3g|%.10g|%g|%g|%g\" 1.5 1234.5 1.5 1e21 1e-7 1234.5 1234.5 "
         "100000.0 1e6 1e-5}}",
         "1.500000e+00|1.23e+03|1.500000E+00|1e+21|1E-07|1.23e+03|1234.5|100000|1e+06|1e-05"},
        {"{{printf \"%x|%X|%.3x|%b|%x|%.0x|%.1x\" 1.5 1.5 3.14 1.5 0.0 1.5 5e-324}}",
         "0x1.8p+00|0X1.8P+00|0x1.91fp+01|6755399441055744p-52|0x0p+00|0x1p+01|0x1.0p-1074"},
        {"{{printf \"%#g|%#.3g|%#f|%#.0f|%#e|%#x|%#v|%#g|%#g\" 1.5 1.5 1.5 1.5 1.5 1.5 1.5 1e21 "
         "0.0}}",
         "1.50000|1.50|1.500000|2.|1.500000e+00|0x1.8000p+00|1.5|1.00000e+21|0.00000"},
        {"{{printf \"%v|%6v|%-6v|%06v|%+v|%s|%d|%6d\" 1.5 1.5 1.5 1.5 1.5 1.5 1.5 1.5}}",
         "1.5|   1.5|1.5   |0001.5|1.5|%!s(float64=1.5)|%!d(float64=1.5)|%!d(float64=   1.5)"},
        {"{{printf \"%v|%.1f|%+v|%8.1f|%e|%d\" 1+2i 1-2i 1i 1i 1i 1i}}",
         "(1+2i)|(1.0-2.0i)|(0+1i)|(     0.0    "
         "+1.0i)|(0.000000e+00+1.000000e+00i)|%!d(complex128=(0+1i))"},
        {"{{printf \"%+08.2f|%-+8.2f|% 08.2f|%+g\" 1.5 1.5 1.5 1e10}}",
         "+0001.50|+1.50   | 0001.50|+1e+10"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
containers_apply_a_directive_to_each_element(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%5v|%-5v|%05v|%q|%s|%d|%x|%.1s\" .l .l .l .l .l .l .l .l}}",
         "[  one     2 <nil> [    3     4]]|[one   2     <nil> [3     4    ]]|[00one 00002 <nil> "
         "[00003 00004]]|[\"one\" \"2\" <nil> [\"3\" \"4\"]]|[one 2 <nil> [3 4]]|[%!d(string=one) "
         "%!d(json.Number=2) <nil> [%!d(json.Number=3) %!d(json.Number=4)]]|[6f6e65 32 <nil> [33 "
         "34]]|[o 2 <nil> [3 4]]"},
        {"{{printf \"%5v|%q|%x|%d\" .m .m .m .m}}",
         "map[    x:map[    y: deep]     z:    0]|map[\"x\":map[\"y\":\"deep\"] "
         "\"z\":\"0\"]|map[78:map[79:64656570] "
         "7a:30]|map[%!d(string=x):map[%!d(string=y):%!d(string=deep)] "
         "%!d(string=z):%!d(json.Number=0)]"},
        {"{{printf \"%#v %#v %#v\" .l .m (slice .l 0 0)}}",
         "[]interface {}{\"one\", \"2\", interface {}(nil), []interface {}{\"3\", \"4\"}} "
         "map[string]interface {}{\"x\":map[string]interface {}{\"y\":\"deep\"}, \"z\":\"0\"} "
         "[]interface {}{}"},
        {"{{printf \"%T %T %T %T %T %T %T %T %T\" .i .l .m .n 1.5 1 .s .b (index .s 0)}}",
         "json.Number []interface {} map[string]interface {} <nil> float64 int string bool uint8"},
        {"{{printf \"%10T|%-10T|\" .s .s}}", "    string|string    |"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
stars_and_indexes_take_arguments(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%*d|%-*d|%.*f|%*.*f|%[2]d %[1]d|%[3]*.[2]*[1]f|\" 5 42 5 42 2 1.5 8 2 1.5 1 "
         "2}}",
         "   42|42   |1.50|    1.50|42 5|%!f(int=000000000000000000000000000000000000000005)|"},
        {"{{printf \"%[2]*[1]d|%[1]d %d|%[1]*d\" 5 7}}", "      5|5 7|    7"},
        {"{{printf \"%[3]*.[2]*[1]f\" 12.0 2 6}}", " 12.00"},
        {"{{printf \"%*d|%-*d\" -5 42 -5 42}}", "42   |42   "},
        {"{{printf \"%[2]s %[1]s %s\" \"a\" \"b\"}}", "b a b"},
        {"{{printf \"%.*d|%d\" -1 5 6}}", "%!(BADPREC)5|6"},
    };
    check(cases, ARRAY_LEN(cases));
}

static void
what_is_wrong_with_a_format_shows_in_the_text(void **state)
{
    (void)state;
    static const case_t cases[] = {
        {"{{printf \"%d\"}} {{printf \"%d\" 1 2}} {{printf \"%\"}} {{printf \"%z\" 1}} {{printf "
         "\"%[2]d %[1]d\" 1 2}}",
         "%!d(MISSING) 1%!(EXTRA int=2) %!(NOVERB) %!z(int=1) 2 1"},
        {"{{printf \"%[5]d|%[x]d|%[]d|%[1|\" 1}}",
         "%!d(BADINDEX)|%!d(BADINDEX)|%!d(BADINDEX)|%!|(BADINDEX)"},
        {"{{printf \"%*d|%.*d|%*d\" \"a\" 1 \"b\" 2 99999999 3}}",
         "%!(BADWIDTH)1|%!(BADPREC)2|%!(BADWIDTH)3"},
        {"{{printf \"%!|%!d|%-|\" 1 2}}", "%!!(int=1)|%!!(int=2)d|%!|(MISSING)"},
        {"{{printf \"a\" 1 .s nil .l}}",
         "a%!(EXTRA int=1, string=hello, <nil>, []interface {}=[one 2 <nil> [3 4]])"},
        {"{{printf \"%[1]2d|%[1].2d|%[1]*d\" 1}}", "%!d(BADINDEX)|%!d(BADINDEX)|%!d(MISSING)"},
        {"{{printf \"%99999999d|\" 1}}", "%!(NOVERB)%!(EXTRA int=1)"},
        {"{{printf \"%%|%5%|%-5%|\" }}", "%|%|%|"},
        {"{{printf \"%\346\227\245\" 1}}", "%!\346\227\245(int=1)"},
        {"{{printf \"%s %v\" .n .n}}", "%!s(<nil>) <nil>"},
        {"{{printf \"%5d|%-9d|%+d\" .i .i .s}}",
         "%!d(json.Number=    7)|%!d(json.Number=7        )|%!d(string=hello)"},
        {"{{printf \"\"}}|{{printf \"x\"}}", "|x"},
    };
    check(cases, ARRAY_LEN(cases));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_meets_every_kind),
        cmocka_unit_test(flags_width_and_precision_shape_integers),
        cmocka_unit_test(flags_width_and_precision_shape_texts),
        cmocka_unit_test(flags_width_and_precision_shape_floats),
        cmocka_unit_test(containers_apply_a_directive_to_each_element),
        cmocka_unit_test(stars_and_indexes_take_arguments),
        cmocka_unit_test(what_is_wrong_with_a_format_shows_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
