/*  Any bytes as a Starlark file: parsed, resolved and compiled, or refused with a place. */
#include "starlark/starlark.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    star_t *star = NULL;

    if (size > 1 << 13 || star_new(&(star_options_t){.limits.memory = 16 << 20}, &star) < 0)
        return 0;
    if (star_check(star, "fuzz.star", (const char *)data, size, STAR_ABSENT) < 0 &&
        star_error(star)->message == NULL)
        __builtin_trap();
    star_destroy(&star);
    return 0;
}
