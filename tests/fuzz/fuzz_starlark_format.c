/*  Any bytes given to the parsers of text: % and format(), int(), float(), durations and times. */
#include "starlark/starlark.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const programs[] = {
        "text % (1, 'a', 2.5)",
        "text % {'a': 1}",
        "text.format(1, 'a', x=[2.5])",
        "int(text)",
        "int(text, 0)",
        "int(text, 36)",
        "float(text)",
        "str(float(text))",
        "time.parse_duration(text)",
        "time.parse_time(text)",
        "time.parse_time(text, '2006-01-02 15:04:05.999 -0700')",
        "time.parse_time('2020-01-02T03:04:05Z').format(text)",
        "text.split(text[:1])",
        "text.title() + text.upper() + text.capitalize()",
        "repr(text) + repr(bytes(text))",
        "list(text.codepoints()) + text.rsplit()",
    };
    star_t *star = NULL;

    if (size < 1 || size > 1024 ||
        star_new(&(star_options_t){.limits.memory = 8 << 20}, &star) < 0)
        return 0;
    star_value_t env = star_dict_new(star);
    star_dict_put(star, env, "time", star_lib_time(star));
    star_dict_put(star, env, "text", star_string(star, (const char *)data + 1, size - 1));
    const char *program = programs[data[0] % (sizeof programs / sizeof *programs)];
    star_eval(star, "fuzz.star", program, strlen(program), env);
    star_destroy(&star);
    return 0;
}
