/*  Any bytes as a Starlark program, run within limits. The first byte chooses the dialect, and
 * whether garbage is collected all the time (which is slow: then few steps are taken). */
#include "starlark/debug.h"
#include "starlark/starlark.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    star_t *star = NULL;
    star_options_t options = {
        .limits = {.steps = 5000, .memory = 8 << 20, .depth = 100, .output = 10000},
        .debug = STAR_DEBUG_TINY_STACKS,
    };

    if (size < 1 || size > 1 << 12)
        return 0;
    options.dialect = data[0] & 7;
    if (data[0] & 8) {
        options.debug |= STAR_DEBUG_COLLECT;
        options.limits.steps = 500;
    }
    if (star_new(&options, &star) < 0)
        return 0;
    star_value_t env = star_dict_new(star);
    star_dict_put(star, env, "json", star_lib_json(star));
    star_dict_put(star, env, "math", star_lib_math(star));
    star_dict_put(star, env, "time", star_lib_time(star));
    star_dict_put(star, env, "struct", star_lib_struct(star));
    star_value_t module = star_run(star, "fuzz.star", (const char *)data + 1, size - 1, env);
    if (star_ok(module)) {
        size_t cursor = 0;
        star_value_t name, value;
        star_text_t text;
        star_text_init(&text, star);
        while (star_module_next(module, &cursor, &name, &value))
            if (star_repr(star, value, &text) < 0)
                break;
        star_text_done(&text);
    }
    star_destroy(&star);
    return 0;
}
