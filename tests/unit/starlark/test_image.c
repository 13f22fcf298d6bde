/*  Modules that interpreters share: they outlive their maker, never change, and may be used by many
 * threads at once. */
#include "starlark/debug.h"
#include "suite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 8, ROUNDS = 8, CHAIN = 300 };

/* ------------------------------------------------------------------ a host */

typedef struct {
    star_value_t held;
    int *finalized, *frozen;
} box_t;

static void
box_visit(void *data, star_visitor_t *visitor)
{
    star_visit(visitor, ((box_t *)data)->held);
}

static void
box_freeze(void *data)
{
    ++*((box_t *)data)->frozen;
}

static void
box_finalize(void *data)
{
    __atomic_add_fetch(((box_t *)data)->finalized, 1, __ATOMIC_RELAXED);
}

static int box_attr(star_t *star, star_value_t self, const char *name, star_value_t *ret_value);
static const star_type_t box_type = {.name = "Box",
                                     .attr = box_attr,
                                     .visit = box_visit,
                                     .freeze = box_freeze,
                                     .finalize = box_finalize};

static int
box_attr(star_t *star, star_value_t self, const char *name, star_value_t *ret_value)
{
    box_t *box = star_object_data(self, &box_type);
    (void)star;
    *ret_value = box->held;
    return strcmp(name, "held") == 0;
}

static int frozen, finalized;

static star_value_t
on_box(star_t *star, const star_args_t *args)
{
    star_value_t object = star_object_new(star, &box_type, sizeof(box_t));
    box_t *box = star_object_data(object, &box_type);

    if (box == NULL)
        return STAR_ABSENT;
    *box = (box_t){args->n_args > 0 ? args->args[0] : star_none(), &finalized, &frozen};
    return object;
}

static star_value_t
on_load(star_t *star, const char *path, void *user)
{
    (void)path;
    return star_image_module(star, user);
}

static star_t *
interpreter(star_image_t *loaded, unsigned debug)
{
    star_t *star = NULL;
    assert_int_equal(
        star_new(&(star_options_t){.load = on_load, .user = loaded, .debug = debug}, &star), 0);
    return star;
}

static star_value_t
run(star_t *star, const char *text)
{
    star_value_t env = star_dict_new(star);

    star_dict_put(star, env, "struct", star_lib_struct(star));
    star_dict_put(star, env, "json", star_lib_json(star));
    star_dict_put(star, env, "Box", star_function_new(star, "Box", on_box, NULL));
    star_dict_put(star, env, "predeclared",
                  star_list(star, (star_value_t[]){star_int(star, 1)}, 1));
    star_value_t module = star_run(star, "test.star", text, strlen(text), env);
    if (!star_ok(module))
        fprintf(stderr, "%s\n", star_error(star)->text);
    return module;
}

/* The image of a file, which may load another. */
static star_image_t *
image_of(const char *text, star_image_t *loaded)
{
    star_t *star = interpreter(loaded, 0);
    star_image_t *image = NULL;
    star_value_t module = run(star, text);

    assert_true(star_ok(module));
    assert_int_equal(star_image_new(&star, module, &image), 0);
    assert_null(star);
    return image;
}

/* Runs a file that loads the image, and destroys the interpreter. */
static void
assert_runs(star_image_t *image, const char *text)
{
    star_t *star = interpreter(image, STAR_DEBUG_COLLECT);
    assert_true(star_ok(run(star, text)));
    star_destroy(&star);
}

static void
assert_fails(star_image_t *image, const char *text, const char *want)
{
    star_t *star = interpreter(image, STAR_DEBUG_COLLECT);
    star_value_t env = star_dict_new(star);
    assert_false(star_ok(star_run(star, "test.star", text, strlen(text), env)));
    assert_string_equal(star_error(star)->message, want);
    star_destroy(&star);
}

static const char lib[] =
    "limits = {'a': [1, 2], (1, 'b'): struct(x = 1, y = 'why'), len: 'length'}\n"
    "words = ['%d words' % i for i in range(50)]\n"
    "def grow(text):\n"
    "    for i in range(3000): text += 'ab'\n"
    "    return text\n"
    "long = grow('')\n"
    "half = long[:3000] + ''\n"
    "bytes_of = b'abc'\n"
    "big = 1 << 200\n"
    "measure = len\n"
    "append = words.append\n"
    "def sum_of(items, start = 0, *, by = 1):\n"
    "    for item in items: start += item * by\n"
    "    return start\n"
    "def look(it):\n"
    "    return it.x\n"
    "def outer(n):\n"
    "    def inner(m): return n + m + len(words)\n"
    "    return inner\n"
    "added = outer(1)\n"
    "def again(n): return again(n - 1) if n else 0\n"
    "def call(f, *args, **named): return f(*args, **named)\n"
    "def predeclared_list(): return predeclared\n"
    "def made(n): return [struct(x = i, y = {str(i): i}) for i in range(n)]\n"
    "box = Box(['held'])\n";

/* ------------------------------------------------------------------ tests */

static void
a_module_lives_on_without_its_interpreter(void **state)
{
    star_image_t *image = image_of(lib, NULL);
    (void)state;

    assert_true(star_image_memory(image) > 1000);
    assert_runs(
        image, "load('lib.star', 'limits', 'words', 'sum_of', 'look', 'outer', 'added', 'made', "
               "'call', 'long', 'big')\n"
               "def check(is_so): return is_so or fail('wrong')\n"
               "check(str(limits) == '{\"a\": [1, 2], (1, \"b\"): struct(x = 1, y = \"why\"), "
               "<built-in function len>: \"length\"}')\n"
               "check(limits['a'] == [1, 2] and limits[(1, 'b')] == struct(x = 1, y = 'why'))\n"
               "check(words[-1] == '49 words' and '7 words' in words and len(words) == 50)\n"
               "check(sum_of([1, 2, 3]) == 6 and sum_of(range(4), 10, by = 2) == 22)\n"
               "check([look(x) for x in [struct(x = 1), struct(a = 0, x = 2), limits[(1, 'b')]]] "
               "== [1, 2, 1])\n"
               "check(outer(5)(6) == 61 and added(2) == 53 and call(sum_of, [1], by = 7) == 7)\n"
               "check(made(3)[2] == struct(x = 2, y = {'2': 2}) and made(2)[0].y['0'] == 0)\n"
               "check(len(long) == 6000 and len(long + 'x') == 6001 and long + 'x' != long + 'y')\n"
               "check(big * 2 == 1 << 201 and json.decode(json.encode(limits['a'])) == [1, 2])\n");
    star_image_unref(&image);
    assert_null(image);
    star_image_unref(&image);
}

static void
what_it_holds_is_frozen(void **state)
{
    star_image_t *image = image_of(lib, NULL);
    (void)state;

    assert_fails(image, "load('lib.star', 'words')\nwords.append('x')",
                 "append: cannot append to frozen list");
    assert_fails(image, "load('lib.star', 'append')\nappend('x')",
                 "append: cannot append to frozen list");
    assert_fails(image, "load('lib.star', 'limits')\nlimits['x'] = 1",
                 "cannot insert into frozen hash table");
    /* Nothing froze this one as long as only its interpreter saw it. */
    assert_fails(image, "load('lib.star', 'predeclared_list')\npredeclared_list().append(2)",
                 "append: cannot append to frozen list");
    star_image_unref(&image);
}

static void
builtins_of_two_interpreters_are_equal(void **state)
{
    star_image_t *image = image_of(lib, NULL);
    (void)state;

    assert_runs(image, "load('lib.star', 'measure', 'limits')\n"
                       "measure == len or fail('not equal')\n"
                       "measure != str or fail('equal')\n"
                       "limits[len] == 'length' or fail('not found')\n");
    star_image_unref(&image);
}

static void
recursion_is_found_in_shared_functions(void **state)
{
    star_image_t *image = image_of(lib, NULL);
    star_t *star = NULL;
    (void)state;

    assert_fails(image, "load('lib.star', 'again')\nagain(3)", "function again called recursively");
    assert_fails(image, "load('lib.star', 'call')\ncall(call, len, [])",
                 "function call called recursively");
    /* The dialect is that of the interpreter that runs it. */
    star_options_t options = {.load = on_load, .user = image, .dialect = STAR_DIALECT_RECURSION};
    assert_int_equal(star_new(&options, &star), 0);
    assert_true(star_ok(run(star, "load('lib.star', 'again')\nagain(3)")));
    star_destroy(&star);
    star_image_unref(&image);
}

static void
errors_in_it_have_their_places(void **state)
{
    star_image_t *image = image_of("def f(x):\n    return x.nope\n", NULL);
    star_t *star = interpreter(image, 0);
    const char *text = "load('lib.star', 'f')\nf(1)";
    (void)state;

    assert_false(star_ok(star_run(star, "user.star", text, strlen(text), STAR_ABSENT)));
    assert_string_equal(star_error(star)->text, "Traceback (most recent call last):\n"
                                                "  user.star:2:2: in <toplevel>\n"
                                                "  test.star:2:13: in f\n"
                                                "Error: int has no .nope field or method");
    star_image_unref(&image); /* the interpreter still holds it */
    assert_true(star_ok(run(star, "load('lib.star', 'f')\n")));
    star_destroy(&star);
}

static void
host_objects_in_it_are_finalized_once_with_the_last_reference(void **state)
{
    (void)state;

    frozen = finalized = 0;
    star_image_t *image = image_of("box = Box([1])\ndef f():\n    other = Box(2)\nf()\n", NULL);
    assert_int_equal(finalized, 1); /* the one that the module does not reach */
    star_image_t *second = star_image_ref(image);
    star_image_unref(&image);
    star_t *star = interpreter(second, 0);
    assert_true(star_ok(run(star, "load('lib.star', 'box')\nx = box.held[0] + 1\n")));
    star_image_unref(&second);
    assert_int_equal(finalized, 1);
    star_destroy(&star);
    assert_int_equal(finalized, 2);
    assert_int_equal(frozen, 1);
}

static void
images_hold_the_images_they_were_made_with(void **state)
{
    star_image_t *image = image_of("count = 0\nbox = Box(1)\nitems = ['first']\n", NULL);
    (void)state;

    finalized = 0;
    for (int i = 0; i < CHAIN; i++) {
        star_image_t *next = image_of("load('lib.star', c = 'count', b = 'box', i = 'items')\n"
                                      "count = c + 1\nbox = b\nitems = i\n",
                                      image);
        star_image_unref(&image);
        image = next;
    }
    assert_int_equal(finalized, 0);
    assert_runs(image, "load('lib.star', 'count', 'items', 'box')\n"
                       "(count, items, box.held) == (300, ['first'], 1) or fail('wrong')\n");
    star_image_unref(&image);
    assert_int_equal(finalized, 1);
}

static void
only_a_module_of_an_idle_interpreter_becomes_one(void **state)
{
    star_t *star = interpreter(NULL, 0);
    star_image_t *image = NULL;
    (void)state;

    star_value_t module = run(star, "x = [1]\n");
    assert_int_equal(star_image_new(&star, star_module_get(star, module, "x"), &image), -1);
    assert_string_equal(star_error(star)->message, "an image is made of a module, not of list");
    assert_non_null(star);
    assert_null(image);
    assert_true(star_ok(run(star, "y = 1\n")));
    star_destroy(&star);
}

static star_value_t
on_freeze_me(star_t *star, const star_args_t *args)
{
    star_image_t *image = NULL;
    assert_int_equal(star_image_new(&star, args->args[0], &image), -1);
    return STAR_ABSENT;
}

static void
a_running_interpreter_does_not_become_one(void **state)
{
    star_t *star = interpreter(NULL, 0);
    star_value_t env = star_dict_new(star);
    (void)state;

    star_dict_put(star, env, "me", star_function_new(star, "me", on_freeze_me, NULL));
    assert_false(star_ok(star_eval(star, "x", "me(1)", 5, env)));
    assert_string_equal(star_error(star)->message,
                        "an interpreter cannot become an image while it is running");
    star_destroy(&star);
}

/* ------------------------------------------------------------------ everything there is */

static void
print_all(star_t *star, star_value_t module, star_text_t *text)
{
    size_t cursor = 0;
    star_value_t name, value;

    while (star_module_next(module, &cursor, &name, &value)) {
        star_repr(star, name, text);
        star_repr(star, value, text);
        star_text_puts(text, "\n");
    }
}

static size_t compared; /* bytes */

static void
share_and_compare(star_t **star_p, star_value_t module, star_value_t env)
{
    star_text_t before, after;
    star_image_t *image = NULL;
    star_t *other = interpreter(NULL, STAR_DEBUG_COLLECT);
    (void)env;

    star_text_init(&before, other);
    star_text_init(&after, other);
    print_all(*star_p, module, &before);
    assert_int_equal(star_image_new(star_p, module, &image), 0);
    star_value_t shared = star_image_module(other, image);
    star_image_unref(&image);
    star_collect(other);
    print_all(other, shared, &after);
    compared += before.length;
    assert_int_equal(before.length, after.length);
    if (before.length > 0)
        assert_memory_equal(before.data, after.data, before.length);
    star_text_done(&before);
    star_text_done(&after);
    star_destroy(&other);
}

static void
values_of_the_whole_suite_are_the_same_when_shared(void **state)
{
    char **files = suite_files();
    (void)state;

    for (char **file = files; *file != NULL; file++) {
        suite_result_t result = suite_run_then(*file, (star_options_t){0}, share_and_compare);
        assert_int_equal(result.failed + result.stopped, 0);
        free(result.text);
        free(*file);
    }
    free(files);
    assert_true(compared > 1000);
}

/* ------------------------------------------------------------------ no memory */

typedef struct {
    size_t count, fail_at, bytes;
} allocator_t;

static void *
on_alloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    allocator_t *self = user;

    if (new_size > old_size && ++self->count == self->fail_at)
        return NULL;
    self->bytes += new_size - old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

/* False if no allocation failed any more. */
static bool
share_without_memory(size_t fail_at)
{
    allocator_t allocator = {0};
    star_options_t options = {.alloc = on_alloc, .alloc_user = &allocator};
    star_t *star = NULL;
    star_image_t *image = NULL;

    assert_int_equal(star_new(&options, &star), 0);
    star_value_t module = run(star, lib);
    assert_true(star_ok(module));
    allocator.count = 0;
    allocator.fail_at = fail_at;
    int shared = star_image_new(&star, module, &image);
    bool reached = allocator.count >= fail_at;
    if (shared < 0) {
        assert_int_equal(star_error(star)->kind, STAR_ERROR_LIMIT);
        allocator.fail_at = 0;
        assert_int_equal(star_image_new(&star, module, &image), 0);
    }
    allocator.fail_at = 0;
    assert_runs(
        image,
        "load('lib.star', 'words', 'long')\nlen(words) + len(long) == 6050 or fail('wrong')");
    star_image_unref(&image);
    assert_int_equal(allocator.bytes, 0);
    return reached;
}

static void
a_failed_allocation_leaves_the_interpreter_as_it_was(void **state)
{
    size_t n = 1;
    (void)state;

    while (share_without_memory(n))
        n++;
    assert_true(n > 1);
}

static void
a_failed_allocation_while_using_one_is_an_error(void **state)
{
    star_image_t *image = image_of(lib, NULL);
    const char *text =
        "load('lib.star', 'made', 'call', 'sum_of')\ncall(sum_of, [x.x for x in made(20)], by = 2)";
    bool failed = true;
    (void)state;

    for (size_t n = 1; failed; n++) {
        allocator_t allocator = {.fail_at = n};
        star_options_t options = {
            .alloc = on_alloc, .alloc_user = &allocator, .load = on_load, .user = image};
        star_t *star = NULL;
        failed = star_new(&options, &star) < 0;
        if (!failed) {
            failed = !star_ok(star_run(star, "test.star", text, strlen(text), STAR_ABSENT));
            assert_true(!failed || star_error(star)->kind == STAR_ERROR_LIMIT);
        }
        star_destroy(&star);
        assert_int_equal(allocator.bytes, 0);
    }
    star_image_unref(&image);
}

/* ------------------------------------------------------------------ many threads */

typedef struct {
    star_image_t *image; /* a reference of this thread */
    int number;
    int64_t want;
    bool fine;
} user_t;

static const char names[] = "load('lib.star', 'limits', 'words', 'sum_of', 'look', 'outer', "
                            "'made', 'call', 'long', 'half', 'box')\n";
static const char use[] =
    "def work():\n"
    "    total = 0\n"
    "    for i in range(60):\n"
    "        for word in words: total += len(word)\n"
    "        for key in limits: total += len(str(key))\n"
    "        total += look(struct(x = i)) + look(struct(x = i, z = 1)) + outer(i)(1)\n"
    "        total += call(sum_of, [x.x for x in made(20)], by = 2)\n"
    "        total += len(long + str(i)) + len(half + 'ab') + (1 if half in long else 0)\n"
    "        total += len(json.encode(words)) + len(sorted(words)) + len(box.held)\n"
    "        total += {word: 1 for word in words}[words[i % 50]]\n"
    "    return total\n"
    "result = work()\n";

/* What `use` comes to after `first`, which loads or has the module's text; -1 after an error. */
static int64_t
result_after(star_t *star, const char *first)
{
    char text[sizeof lib + sizeof names + sizeof use];
    int64_t result = -1;

    snprintf(text, sizeof text, "%s%s", first, use);
    star_value_t module = run(star, text);
    if (star_ok(module))
        star_get_int(star_module_get(star, module, "result"), &result);
    star_collect(star);
    star_destroy(&star);
    return result;
}

static void *
use_it(void *arg)
{
    user_t *user = arg;

    user->fine = true;
    for (int i = 0; i < ROUNDS && user->fine; i++) {
        star_t *star = interpreter(user->image, i == user->number ? STAR_DEBUG_COLLECT : 0);
        user->fine = result_after(star, names) == user->want;
    }
    star_image_unref(&user->image);
    return NULL;
}

static void
many_threads_use_one_at_once(void **state)
{
    star_image_t *image = image_of(lib, NULL);
    pthread_t threads[THREADS];
    user_t users[THREADS];
    int64_t want = result_after(interpreter(NULL, 0), lib);
    (void)state;

    assert_true(want > 0);
    finalized = 0;
    for (int i = 0; i < THREADS; i++) {
        users[i] = (user_t){.image = star_image_ref(image), .number = i, .want = want};
        assert_int_equal(pthread_create(&threads[i], NULL, use_it, &users[i]), 0);
    }
    star_image_unref(&image);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(users[i].fine);
    }
    assert_int_equal(finalized, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_lives_on_without_its_interpreter),
        cmocka_unit_test(what_it_holds_is_frozen),
        cmocka_unit_test(builtins_of_two_interpreters_are_equal),
        cmocka_unit_test(recursion_is_found_in_shared_functions),
        cmocka_unit_test(errors_in_it_have_their_places),
        cmocka_unit_test(host_objects_in_it_are_finalized_once_with_the_last_reference),
        cmocka_unit_test(images_hold_the_images_they_were_made_with),
        cmocka_unit_test(only_a_module_of_an_idle_interpreter_becomes_one),
        cmocka_unit_test(a_running_interpreter_does_not_become_one),
        cmocka_unit_test(values_of_the_whole_suite_are_the_same_when_shared),
        cmocka_unit_test(a_failed_allocation_leaves_the_interpreter_as_it_was),
        cmocka_unit_test(a_failed_allocation_while_using_one_is_an_error),
        cmocka_unit_test(many_threads_use_one_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
