/*  The embedding interface: what starlark.h promises to a host. */
#include "starlark/starlark.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    star_t *star;
    star_value_t env;
    char printed[4096];
} fixture_t;

static int
on_print(star_t *star, const char *text, size_t length, void *user)
{
    fixture_t *f = user;
    (void)star;
    snprintf(f->printed + strlen(f->printed), sizeof f->printed - strlen(f->printed), "%.*s\n",
             (int)length, text);
    return 0;
}

static star_value_t
on_load(star_t *star, const char *path, void *user)
{
    (void)user;
    if (strcmp(path, "lib.star") != 0)
        return star_fail(star, "no such file");
    const char *text = "def double(x):\n    return 2 * x\nlimit = 7\n";
    return star_run(star, path, text, strlen(text), STAR_ABSENT);
}

static void
set_up_with(fixture_t *f, star_options_t options)
{
    memset(f, 0, sizeof *f);
    options.print = on_print;
    options.load = on_load;
    options.user = f;
    assert_int_equal(star_new(&options, &f->star), 0);
    f->env = star_dict_new(f->star);
    star_dict_put(f->star, f->env, "struct", star_lib_struct(f->star));
    star_dict_put(f->star, f->env, "json", star_lib_json(f->star));
}

static int
set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    set_up_with(f, (star_options_t){0});
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    fixture_t *f = *state;
    star_destroy(&f->star);
    free(f);
    return 0;
}

static star_value_t
run(fixture_t *f, const char *text)
{
    return star_run(f->star, "test.star", text, strlen(text), f->env);
}

static void
assert_text(fixture_t *f, star_value_t value, const char *want)
{
    star_text_t text;
    star_text_init(&text, f->star);
    assert_int_equal(star_repr(f->star, value, &text), 0);
    assert_string_equal(text.data, want);
    star_text_done(&text);
}

/* ------------------------------------------------------------------ modules and calls */

static void
a_file_runs_and_its_globals_are_frozen(void **state)
{
    fixture_t *f = *state;
    star_value_t module = run(f, "X = [1, 2]\ndef push(v):\n    X.append(v)\ndef add(a, b=2, *, "
                                 "c=3):\n    return a + b + c\n");

    assert_true(star_ok(module));
    assert_text(f, module, "<module \"test.star\">");
    assert_text(f, star_module_get(f->star, module, "X"), "[1, 2]");
    star_value_t one = star_int(f->star, 1);
    star_value_t sum = star_call(f->star, star_module_get(f->star, module, "add"), &one, 1,
                                 (star_named_t[]){{"c", star_int(f->star, 10)}}, 1);
    assert_text(f, sum, "13");
    assert_false(
        star_ok(star_call(f->star, star_module_get(f->star, module, "push"), &one, 1, NULL, 0)));
    const star_error_t *error = star_error(f->star);
    assert_string_equal(error->message, "append: cannot append to frozen list");
    assert_int_equal(error->n_frames, 2);
    assert_string_equal(error->frames[0].name, "push");
    assert_int_equal(error->frames[0].line, 3);
    assert_int_equal(error->frames[0].column, 13);
    assert_string_equal(error->frames[1].file, "<builtin>");
    assert_string_equal(error->frames[1].name, "append");
}

static void
all_resolve_errors_of_a_file_come_at_once(void **state)
{
    fixture_t *f = *state;

    assert_false(star_ok(run(f, "x = foo\nfor i in []: pass\nx = 1\n")));
    const star_error_t *error = star_error(f->star);
    assert_int_equal(error->kind, STAR_ERROR_RESOLVE);
    assert_int_equal(error->n_frames, 3);
    assert_string_equal(error->frames[0].message, "for loop not within a function");
    assert_string_equal(error->frames[1].message,
                        "cannot reassign global x declared at test.star:1:1");
    assert_string_equal(error->frames[2].message, "undefined: foo");
    assert_int_equal(error->frames[2].column, 5);
}

static void
a_syntax_error_has_its_place(void **state)
{
    fixture_t *f = *state;

    assert_false(star_ok(run(f, "x = 1\ny = ?\n")));
    const star_error_t *error = star_error(f->star);
    assert_int_equal(error->kind, STAR_ERROR_SYNTAX);
    assert_int_equal(error->frames[0].line, 2);
    assert_int_equal(error->frames[0].column, 5);
    assert_string_equal(error->text, "test.star:2:5: unexpected input character '?'");
}

static void
a_failed_interpreter_runs_the_next_file(void **state)
{
    fixture_t *f = *state;

    assert_false(star_ok(run(f, "x = 1 // 0\n")));
    assert_true(star_ok(run(f, "x = 1\n")));
    assert_null(star_error(f->star));
}

static void
load_gives_the_names_of_another_file(void **state)
{
    fixture_t *f = *state;

    assert_true(star_ok(run(f, "load(\"lib.star\", \"double\", n=\"limit\")\nprint(double(n))\n")));
    assert_string_equal(f->printed, "14\n");
    assert_false(star_ok(run(f, "load(\"other.star\", \"x\")\n")));
    assert_string_equal(star_error(f->star)->message, "cannot load other.star: no such file");
    assert_false(star_ok(run(f, "load(\"lib.star\", \"dubble\")\n")));
    assert_string_equal(star_error(f->star)->message,
                        "load: name dubble not found in module lib.star (did you mean double?)");
}

static void
a_function_tells_its_parameters(void **state)
{
    fixture_t *f = *state;
    star_value_t
        module =
            run(f, "def run(plan, args={}, *rest, k, **more):\n    \"\"\"Runs.\"\"\"\n    pass\n"),
        by_default;
    star_function_info_t info;

    assert_true(star_function_info(star_module_get(f->star, module, "run"), &info));
    assert_string_equal(info.name, "run");
    assert_string_equal(info.doc, "Runs.");
    assert_int_equal(info.n_params, 5);
    assert_int_equal(info.n_keyword_only, 1);
    assert_true(info.has_varargs && info.has_kwargs);
    static const char *const names[] = {"plan", "args", "k", "rest", "more"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(
            star_function_param(star_module_get(f->star, module, "run"), i, &by_default), names[i]);
    star_function_param(star_module_get(f->star, module, "run"), 1, &by_default);
    assert_text(f, by_default, "{}");
    assert_null(star_function_param(star_module_get(f->star, module, "run"), 5, &by_default));
}

/* ------------------------------------------------------------------ host functions */

static star_value_t
on_where(star_t *star, const star_args_t *args)
{
    star_frame_t own, caller;

    assert_true(star_stack_frame(star, 0, &own));
    assert_true(star_stack_frame(star, 1, &caller));
    assert_string_equal(own.name, "where");
    assert_string_equal(own.file, "<builtin>");
    return star_string_format(star, "%s|%u:%u|%s|%zu", args->name, caller.line, caller.column,
                              caller.name, args->n_named);
}

static void
a_host_function_sees_who_calls(void **state)
{
    fixture_t *f = *state;

    star_dict_put(f->star, f->env, "where", star_function_new(f->star, "where", on_where, NULL));
    assert_true(star_ok(run(f, "def f():\n    return where(k=1)\nprint(f())\n")));
    assert_string_equal(f->printed, "where|2:17|f|1\n");
}

static star_value_t
on_twice(star_t *star, const star_args_t *args)
{
    static const char *const names[] = {"function", "value?"};
    star_value_t v[2];

    if (star_args_bind(star, args, names, 2, v) < 0)
        return STAR_ABSENT;
    star_value_t list = star_list(star, NULL, 0);
    for (int i = 0; i < 2; i++) {
        star_value_t result = star_call(star, v[0], &v[1], star_ok(v[1]), NULL, 0);
        star_list_append(star, list, star_string_format(star, "round %d of many", i));
        if (!star_ok(result) || star_list_append(star, list, result) < 0)
            return STAR_ABSENT;
    }
    return list;
}

static void
a_host_function_calls_back(void **state)
{
    fixture_t *f = *state;

    star_dict_put(f->star, f->env, "twice", star_function_new(f->star, "twice", on_twice, NULL));
    assert_true(star_ok(run(f, "print(twice(lambda x: x * 2, 4))\n")));
    assert_string_equal(f->printed, "[\"round 0 of many\", 8, \"round 1 of many\", 8]\n");
    assert_false(star_ok(run(f, "twice(lambda: 1 // 0)\n")));
    assert_string_equal(star_error(f->star)->text, "Traceback (most recent call last):\n"
                                                   "  test.star:1:6: in <toplevel>\n"
                                                   "  <builtin>: in twice\n"
                                                   "  test.star:1:17: in lambda\n"
                                                   "Error: floored division by zero");
    assert_false(star_ok(run(f, "twice(functoin=1)\n")));
    assert_string_equal(star_error(f->star)->message,
                        "twice: unexpected keyword argument \"functoin\" (did you mean function?)");
    assert_false(star_ok(run(f, "twice()\n")));
    assert_string_equal(star_error(f->star)->message, "twice: missing argument for function");
    assert_false(star_ok(run(f, "twice(1, 2, 3)\n")));
    assert_string_equal(star_error(f->star)->message, "twice: got 3 arguments, want at most 2");
    assert_false(star_ok(run(f, "twice(1, function=2)\n")));
    assert_string_equal(star_error(f->star)->message,
                        "twice: got multiple values for keyword argument \"function\"");
}

/* A host's own import: a file within a file. */
static star_value_t
on_import(star_t *star, const star_args_t *args)
{
    const char *text = star_get_text(args->args[0], NULL);
    star_value_t module = star_run(star, "inner.star", text, strlen(text), STAR_ABSENT);
    if (star_ok(module))
        return module;
    char problem[400];
    snprintf(problem, sizeof problem, "%s (%zu frames)", star_error(star)->text,
             star_error(star)->n_frames);
    star_error_clear(star);
    return star_fail(star, "%s", problem);
}

static void
a_file_within_a_file_has_its_own_call_stack(void **state)
{
    fixture_t *f = *state;

    star_dict_put(f->star, f->env, "import_module",
                  star_function_new(f->star, "import_module", on_import, NULL));
    assert_true(star_ok(run(f, "m = import_module(\"x = [1]\\n\")\nprint(m.x)\n")));
    assert_string_equal(f->printed, "[1]\n");
    assert_false(star_ok(run(f, "m = import_module(\"x = 1 // 0\\n\")\n")));
    const star_error_t *error = star_error(f->star);
    assert_string_equal(error->message,
                        "Traceback (most recent call last):\n  inner.star:1:7: in <toplevel>\n"
                        "Error: floored division by zero (1 frames)");
    assert_int_equal(error->n_frames, 2);
}

/* ------------------------------------------------------------------ host types */

typedef struct {
    star_value_t items; /* a dict */
} box_t;

static int box_attr(star_t *star, star_value_t self, const char *name, star_value_t *ret_value);

static int
box_dir(star_t *star, star_value_t self, star_value_t list)
{
    (void)self;
    return star_list_append(star, list, star_string(star, "size", -1));
}

static int
box_repr(star_t *star, star_value_t self, star_text_t *text)
{
    star_value_t size;
    if (box_attr(star, self, "size", &size) <= 0)
        return -1;
    star_text_puts(text, "Box(size=");
    if (star_repr(star, size, text) < 0)
        return -1;
    star_text_puts(text, ")");
    return 0;
}

static void
box_visit(void *data, star_visitor_t *visitor)
{
    star_visit(visitor, ((box_t *)data)->items);
}

static int finalized;

static void
box_finalize(void *data)
{
    (void)data;
    finalized++;
}

static const star_type_t box_type = {
    .name = "Box",
    .attr = box_attr,
    .dir = box_dir,
    .repr = box_repr,
    .visit = box_visit,
    .finalize = box_finalize,
};

static int
box_attr(star_t *star, star_value_t self, const char *name, star_value_t *ret_value)
{
    box_t *box = star_object_data(self, &box_type);

    if (strcmp(name, "size") == 0) {
        *ret_value = star_int(star, star_length(box->items));
        return 1;
    }
    if (strcmp(name, "items") == 0) {
        *ret_value = box->items;
        return 1;
    }
    return 0;
}

static star_value_t
on_box(star_t *star, const star_args_t *args)
{
    star_value_t object = star_object_new(star, &box_type, sizeof(box_t));
    box_t *box = star_object_data(object, &box_type);

    if (box == NULL)
        return STAR_ABSENT;
    box->items = star_dict_new(star);
    for (size_t i = 0; i < args->n_named; i++)
        if (star_dict_set(star, box->items, args->names[i], args->values[i]) < 0)
            return STAR_ABSENT;
    return object;
}

static void
a_host_type_is_a_table(void **state)
{
    fixture_t *f = *state;

    star_dict_put(f->star, f->env, "Box", star_function_new(f->star, "Box", on_box, NULL));
    assert_true(star_ok(run(
        f, "b = Box(x=1, y=[2])\nprint(b, type(b), b.size, dir(b), json.encode(b), b == b, [b])\n"
           "print(hasattr(b, \"nope\"), b.items)\n")));
    assert_string_equal(f->printed, "Box(size=2) Box 2 [\"size\"] {\"size\":2} True [Box(size=2)]\n"
                                    "False {\"x\": 1, \"y\": [2]}\n");
    assert_false(star_ok(run(f, "Box().sise\n")));
    assert_string_equal(star_error(f->star)->message,
                        "Box has no .sise field or method (did you mean .size?)");
    assert_false(star_ok(run(f, "b = Box()\nb.size = 1\n")));
    assert_string_equal(star_error(f->star)->message, "can't assign to .size field of Box");
    star_value_t module = run(f, "b = Box(l=[1])\n");
    assert_true(star_object_frozen(star_dict_find(
        f->star,
        ((box_t *)star_object_data(star_module_get(f->star, module, "b"), &box_type))->items,
        "l")));
}

static void
unreachable_objects_are_finalized(void **state)
{
    fixture_t *f = *state;

    finalized = 0;
    star_dict_put(f->star, f->env, "Box", star_function_new(f->star, "Box", on_box, NULL));
    star_scope_t scope = star_scope_open(f->star);
    star_value_t module = run(
        f,
        "def f():\n    for i in range(100):\n        Box(i=i)\n    return Box(kept=1)\nb = f()\n");
    assert_true(star_ok(module));
    star_scope_close(f->star, scope, module);
    star_collect(f->star);
    assert_int_equal(finalized, 100);
    assert_text(f, star_module_get(f->star, module, "b"), "Box(size=1)");
    star_value_t box = star_module_get(f->star, module, "b");
    star_pin(f->star, box);
    star_scope_close(f->star, scope, STAR_ABSENT);
    star_collect(f->star);
    assert_int_equal(finalized, 100);
    star_unpin(f->star, box);
    star_collect(f->star);
    assert_int_equal(finalized, 101);
}

/* ------------------------------------------------------------------ values */

static void
values_go_in_and_come_out(void **state)
{
    fixture_t *f = *state;
    star_t *s = f->star;
    int64_t i;
    double d;

    assert_true(star_get_int(star_int(s, INT64_MIN), &i) && i == INT64_MIN);
    assert_false(star_get_int(star_int_text(s, "9223372036854775808", 19), &i));
    assert_true(star_get_number(star_float(1.5), &d) && d == 1.5);
    star_value_t list =
        star_list(s, (star_value_t[]){star_none(), star_bool(true), star_string(s, "x", -1)}, 3);
    assert_text(f, list, "[None, True, \"x\"]");
    assert_text(f, star_tuple(s, &list, 1), "([None, True, \"x\"],)");
    assert_text(f, star_bytes(s, "\xff", 1), "b\"\\xff\"");
    star_value_t dict = star_dict_new(s);
    star_dict_put(s, dict, "k", list);
    assert_int_equal(star_dict_remove(s, dict, star_string(s, "z", 1)), 0);
    assert_text(f, dict, "{\"k\": [None, True, \"x\"]}");
    star_value_t structure =
        star_struct(s, STAR_ABSENT, (star_named_t[]){{"b", star_int(s, 1)}, {"a", star_none()}}, 2);
    assert_text(f, structure, "struct(a = None, b = 1)");
    assert_int_equal(star_equal(s, structure, structure), 1);
    assert_int_equal(star_dict_set(s, dict, list, list), -1);
    assert_string_equal(star_error(s)->message, "unhashable type: list");
    star_error_clear(s);
    /* absent values are refused, not stored */
    assert_false(star_ok(star_list(s, (star_value_t[]){STAR_ABSENT}, 1)));
    star_error_clear(s);
}

static void
iteration_locks_the_container(void **state)
{
    fixture_t *f = *state;
    star_value_t list = star_list(f->star, (star_value_t[]){star_none()}, 1), item;
    star_iter_t iter;

    assert_int_equal(star_iter_begin(f->star, list, &iter), 0);
    assert_int_equal(star_iter_next(f->star, &iter, &item), 1);
    assert_int_equal(star_list_append(f->star, list, item), -1);
    assert_string_equal(star_error(f->star)->message, "cannot append to list during iteration");
    star_error_clear(f->star);
    assert_int_equal(star_iter_next(f->star, &iter, &item), 0);
    star_iter_end(f->star, &iter);
    assert_int_equal(star_list_append(f->star, list, star_none()), 0);
}

static void
a_failed_loop_leaves_its_list_unlocked(void **state)
{
    fixture_t *f = *state;
    const char *text = "def f():\n    for x in l:\n        for y in l:\n            1 // 0\n";
    star_value_t list = star_list(f->star, (star_value_t[]){star_none()}, 1);

    star_dict_put(f->star, f->env, "l", list);
    star_value_t module = run(f, text);
    assert_false(
        star_ok(star_call(f->star, star_module_get(f->star, module, "f"), NULL, 0, NULL, 0)));
    star_error_clear(f->star);
    assert_int_equal(star_list_append(f->star, list, star_none()), 0);
}

/* ------------------------------------------------------------------ limits */

static void
assert_limit(star_options_t options, const char *text, const char *want)
{
    fixture_t f;

    set_up_with(&f, options);
    assert_false(star_ok(run(&f, text)));
    assert_int_equal(star_error(f.star)->kind, STAR_ERROR_LIMIT);
    if (strstr(star_error(f.star)->message, want) == NULL)
        fail_msg("got: %s", star_error(f.star)->message);
    star_destroy(&f.star);
}

static void
limits_stop_a_program_with_their_names(void **state)
{
    (void)state;
    unsigned all = STAR_DIALECT_RECURSION | STAR_DIALECT_GLOBAL_REASSIGN;
    assert_limit((star_options_t){.limits.steps = 10000},
                 "def f():\n    for i in range(1 << 40): pass\nf()\n",
                 "too many steps: the limit is 10000");
    assert_limit((star_options_t){.limits.memory = 8 << 20},
                 "x = [\"a\" * i for i in range(100000)]\n",
                 "out of memory: the limit is 8388608 bytes");
    assert_limit((star_options_t){.limits.memory = 8 << 20}, "x = [0] * 8000000\n",
                 "out of memory");
    assert_limit((star_options_t){.limits.depth = 100, .dialect = all}, "def f(): f()\nf()\n",
                 "too many nested calls: the limit is 100");
    assert_limit((star_options_t){.limits.output = 10}, "print(\"123456\")\nprint(\"1234\")\n",
                 "too much output: the limit is 10 bytes");
    assert_limit((star_options_t){0}, "x = \"ab\" * (1 << 40)\n", "excessive repeat");
    assert_limit((star_options_t){.dialect = all}, "x = 3\nwhile True: x = x * x\n",
                 "is too large");
}

static void
garbage_is_collected_within_the_memory_limit(void **state)
{
    fixture_t f;
    (void)state;

    set_up_with(&f, (star_options_t){.limits.memory = 8 << 20});
    assert_true(star_ok(run(
        &f,
        "def f():\n    for i in range(3000):\n        x = [str(i)] * 1000\n    return x\nf()\n")));
    star_destroy(&f.star);
}

static void *
cancel_soon(void *star)
{
    star_cancel(star, "enough");
    return NULL;
}

static void
another_thread_cancels(void **state)
{
    fixture_t *f = *state;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, f->star), 0);
    assert_false(star_ok(run(f, "def f():\n    for i in range(1 << 40): pass\nf()\n")));
    pthread_join(thread, NULL);
    assert_int_equal(star_error(f->star)->kind, STAR_ERROR_CANCELLED);
    assert_string_equal(star_error(f->star)->message, "Starlark computation cancelled: enough");
    star_cancel(f->star, NULL);
    assert_true(star_ok(run(f, "x = 1\n")));
}

static void *
run_alone(void *result)
{
    fixture_t f;
    set_up_with(&f, (star_options_t){0});
    *(bool *)result = star_ok(
        run(&f, "x = [struct(a=i, b=str(i)) for i in range(20000)]\nprint(len(json.encode(x)))\n"));
    star_destroy(&f.star);
    return NULL;
}

static void
interpreters_run_side_by_side(void **state)
{
    pthread_t threads[4];
    bool results[4];
    (void)state;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_alone, &results[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(results[i]);
    }
}

static void
near_words_are_found(void **state)
{
    static const char *const words[] = {"add_service", "remove_service", "print", "exec"};
    (void)state;

    assert_string_equal(star_nearest("addService", words, 4), "add_service");
    assert_string_equal(star_nearest("prnt", words, 4), "print");
    assert_null(star_nearest("wait", words, 4));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_runs_and_its_globals_are_frozen),
        TEST(all_resolve_errors_of_a_file_come_at_once),
        TEST(a_syntax_error_has_its_place),
        TEST(a_failed_interpreter_runs_the_next_file),
        TEST(load_gives_the_names_of_another_file),
        TEST(a_function_tells_its_parameters),
        TEST(a_host_function_sees_who_calls),
        TEST(a_host_function_calls_back),
        TEST(a_file_within_a_file_has_its_own_call_stack),
        TEST(a_host_type_is_a_table),
        TEST(unreachable_objects_are_finalized),
        TEST(values_go_in_and_come_out),
        TEST(iteration_locks_the_container),
        TEST(a_failed_loop_leaves_its_list_unlocked),
        TEST(another_thread_cancels),
        cmocka_unit_test(limits_stop_a_program_with_their_names),
        cmocka_unit_test(garbage_is_collected_within_the_memory_limit),
        cmocka_unit_test(interpreters_run_side_by_side),
        cmocka_unit_test(near_words_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
