/*  example: a whole host in forty lines. It gives a program one function and calls one of the
 * program's. */
#include "starlark/starlark.h"

#include <stdio.h>
#include <string.h>

static const char program[] = "def plan(city, nights = 2):\n"
                              "    total = nights * price(city, season = \"summer\")\n"
                              "    return {\"city\": city, \"total\": total}\n";

static star_value_t
on_price(star_t *star, const star_args_t *args)
{
    static const char *const names[] = {"city", "season?"};
    star_value_t v[2];

    if (star_args_bind(star, args, names, 2, v) < 0)
        return STAR_ABSENT;
    if (star_get_text(v[0], NULL) == NULL)
        return star_fail(star, "city: got %s, want string", star_type_name(v[0]));
    return star_int(star, star_is_text(v[1], "summer") ? 120 : 80);
}

int
main(void)
{
    star_t *star = NULL;
    star_text_t text = {0};

    if (star_new(&(star_options_t){.limits = {.steps = 100000, .memory = 16 << 20}}, &star) < 0)
        return 1;
    star_value_t env = star_dict_new(star), city = star_string(star, "Lisbon", -1);
    star_dict_put(star, env, "price", star_function_new(star, "price", on_price, NULL));
    star_value_t module = star_run(star, "trip.star", program, strlen(program), env);
    star_value_t plan = star_ok(module) ? star_module_get(star, module, "plan") : STAR_ABSENT;
    star_value_t trip = star_ok(plan) ? star_call(star, plan, &city, 1, NULL, 0) : STAR_ABSENT;
    int status = star_ok(trip) && star_json_encode(star, trip, &text) == 0 ? 0 : 1;
    puts(status == 0 ? text.data : star_error(star)->text);
    star_text_done(&text);
    star_destroy(&star);
    return status;
}
