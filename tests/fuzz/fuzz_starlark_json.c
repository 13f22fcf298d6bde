/*  Any bytes as JSON: what is decoded and encoded again decodes to the same. */
#include "starlark/starlark.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    star_t *star = NULL;
    star_text_t first, second;

    if (size > 1 << 13 || star_new(&(star_options_t){.limits.memory = 16 << 20}, &star) < 0)
        return 0;
    star_text_init(&first, star);
    star_text_init(&second, star);
    star_value_t value = star_json_decode(star, (const char *)data, size);
    if (star_ok(value)) {
        if (star_json_encode(star, value, &first) < 0)
            __builtin_trap();
        /* Wrong UTF-8 is repaired the first time; from then on nothing changes. */
        value = star_json_decode(star, first.data, first.length);
        if (!star_ok(value) || star_json_encode(star, value, &second) < 0)
            __builtin_trap();
        star_value_t again = star_json_decode(star, second.data, second.length);
        if (!star_ok(again) || star_equal(star, value, again) == 0)
            __builtin_trap();
        star_json_indent(star, (const char *)data, size, "", "\t", &first);
    } else {
        star_json_indent(star, (const char *)data, size, "", "\t", &first);
    }
    star_text_done(&first);
    star_text_done(&second);
    star_destroy(&star);
    return 0;
}
