/*  Any bytes as ints: what is read, and arithmetic with two of them, whose laws must hold. The first two bytes
 * choose the base and where the text of the second begins. */
#include "starlark/starlark.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each is true for all ints; a division by zero fails, which is fine. */
static const char *const laws[] = {
    "int(str(a)) == a and int('0x%x' % b if b >= 0 else '-0x%x' % -b, 0) == b",
    "a + b - b == a and a - b == -(b - a) and a + b == b + a",
    "a * b == b * a and (a + b) * (a + b) == a * a + 2 * a * b + b * b",
    "(a // b) * b + a % b == a and (a % b == 0 or (a % b < 0) == (b < 0))",
    "a ^ b ^ b == a and (a & b) + (a | b) == a + b and ~a == -a - 1",
    "(a << 65) >> 65 == a and a << 3 == a * 8 and a >> 3 == a // 8",
    "(a < b) == (b > a) and (a == b) == (a - b == 0) and (a <= b) == (not a > b)",
    "len({k: 1 for k in (a, b)}) == (1 if a == b else 2) and {a: 1}[int(str(a))] == 1",
    "min(a, b) + max(a, b) == a + b and abs(a) == (a if a >= 0 else -a)",
    "max(abs(a), abs(b)) > 1 << 500 or float(a) == float(b) or (float(a) < float(b)) == (a < b)",
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    star_t *star = NULL;

    if (size < 2 || size > 600 || star_new(&(star_options_t){.limits.memory = 8 << 20}, &star) < 0)
        return 0;
    size_t middle = 2 + data[1] % (size - 1);
    star_value_t env = star_dict_new(star);
    star_dict_put(star, env, "base", star_int(star, data[0] % 40));
    star_dict_put(star, env, "text", star_string(star, (const char *)data + 2, middle - 2));
    star_dict_put(star, env, "other",
                  star_string(star, (const char *)data + middle, size - middle));
    star_value_t a = star_eval(star, "a.star", "int(text, base)", 15, env);
    star_value_t b = star_eval(star, "b.star", "int(other, base)", 16, env);
    if (star_ok(a) && star_ok(b)) {
        star_dict_put(star, env, "a", a);
        star_dict_put(star, env, "b", b);
        for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
            star_value_t holds = star_eval(star, "law.star", laws[i], strlen(laws[i]), env);
            if (star_ok(holds) && !star_get_bool(holds))
                __builtin_trap();
            if (!star_ok(holds) && strstr(star_error(star)->message, "by zero") == NULL)
                __builtin_trap();
        }
    }
    star_destroy(&star);
    return 0;
}
